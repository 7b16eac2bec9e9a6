"""The contract as data: the document that the client was generated from, and the operations that the client has."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from talkdesk_bridge_api.api import OPERATIONS
from talkdesk_bridge_api.types import ListShape, OperationInfo

__all__ = ["ListShape", "OperationInfo", "document", "lock", "operations"]


def document() -> dict[str, Any]:
    """The contract (`openapi.yaml`) as parsed JSON. Each call returns a new object."""
    contract: dict[str, Any] = json.loads(files("talkdesk_bridge_api").joinpath("openapi.json").read_bytes())
    return contract


def lock() -> dict[str, str]:
    """What the client was generated from: hashes of the contract and the settings, versions of the tools."""
    locked: dict[str, str] = json.loads(files("talkdesk_bridge_api").joinpath("lock.json").read_bytes())
    return locked


def operations() -> tuple[OperationInfo, ...]:
    """The operations of the contract, in the order of their operationIds."""
    return tuple(sorted(OPERATIONS, key=lambda info: info.operation_id))

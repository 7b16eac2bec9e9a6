"""The contract as data: the document that the client was generated from, and the operations that the client has."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

from attrs import evolve
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
    spelled = {
        _key(method, path): operation["operationId"]
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    }
    found = [evolve(info, operation_id=spelled[_key(info.method, info.path)]) for info in OPERATIONS]
    return tuple(sorted(found, key=lambda info: info.operation_id))


def _key(method: str, path: str) -> tuple[str, str]:
    """Identifies an operation. Names of path parameters do not count: the generator changes those Python cannot use."""
    return method.upper(), re.sub("{.*?}", "{}", path)

"""The contract as data: the document that the client was generated from, and the operations that the client has."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from attrs import frozen
from talkdesk_bridge_api.api import Operations
from talkdesk_bridge_api.types import ListOperation, Operation

__all__ = ["OperationInfo", "document", "lock", "operations"]


@frozen
class OperationInfo:
    """An operation of the contract, and the methods of the client that call it."""

    operation_id: str
    """As the contract spells it."""
    method: str
    """The HTTP method."""
    path: str
    """The path, with its parameters in braces."""
    group: str
    """The attribute of the client that holds its methods, such as `billing`."""
    name: str
    """The method that sends one request."""
    function: Callable[..., Any]
    """The function behind that method, for its signature, type hints and docstring."""
    iterator: str | None = None
    """The method that yields the items of all pages; None if the operation returns no list."""
    list_name: str | None = None
    """The list's name under `_embedded`, as sent; None if the operation returns no list."""
    item: Any = None
    """The type of an item; None if the operation returns no list."""
    has_body: bool = False
    """Whether its argument `body` is the body of the request."""


class _Recorder:
    """Stands in for a client, to learn from a method which operation it calls, and whether it goes through pages."""

    def call(self, operation: Operation[Any], _: object) -> Any:
        return operation, False

    def paginate(self, operation: ListOperation[Any, Any], _: object, **__: object) -> Any:
        return operation, True


def document() -> dict[str, Any]:
    """The contract, `openapi.yaml`, as JSON has it; a new object with each call."""
    contract: dict[str, Any] = json.loads(files("talkdesk_bridge_api").joinpath("openapi.json").read_bytes())
    return contract


def lock() -> dict[str, str]:
    """What the client was generated from: hashes of the contract and the settings, versions of the tools."""
    locked: dict[str, str] = json.loads(files("talkdesk_bridge_api").joinpath("lock.json").read_bytes())
    return locked


@cache
def operations() -> tuple[OperationInfo, ...]:
    """The operations of the contract, in the order of their operationIds."""
    single: dict[Any, tuple[str, Any, Operation[Any]]] = {}
    iterators: dict[Any, str] = {}
    recorder: Any = _Recorder()
    for group, methods in vars(Operations(recorder)).items():
        for name, method in inspect.getmembers(methods, inspect.ismethod):
            if name.startswith("_"):
                continue
            operation, paged = method(**dict.fromkeys(inspect.signature(method).parameters))
            if paged:
                iterators[_key(operation.method, operation.path)] = name
            else:
                single[_key(operation.method, operation.path)] = group, method, operation
    declared = _declared()
    found = [_info(declared[key], *single[key], iterators.get(key)) for key in single]
    return tuple(sorted(found, key=lambda info: info.operation_id))


def _info(
    declared: dict[str, Any], group: str, bound: Any, operation: Operation[Any], iterator: str | None
) -> OperationInfo:
    return OperationInfo(
        operation_id=declared["operationId"],
        method=operation.method,
        path=operation.path,
        group=group,
        name=bound.__name__,
        function=bound.__func__,
        iterator=iterator,
        list_name=operation.list_name if isinstance(operation, ListOperation) else None,
        item=operation.item if isinstance(operation, ListOperation) else None,
        has_body="requestBody" in declared,
    )


def _declared() -> dict[tuple[str, str], dict[str, Any]]:
    """The operations as the contract writes them."""
    return {
        _key(method, path): operation
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    }


def _key(method: str, path: str) -> tuple[str, str]:
    """Tells an operation from all others; the generated client has other names for path parameters."""
    return method.upper(), re.sub("{.*?}", "{}", path)

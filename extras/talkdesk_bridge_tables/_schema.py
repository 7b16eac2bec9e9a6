"""The Arrow schema of a list operation, and the batch of some accounts' items."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from talkdesk_bridge import contract, errors
from talkdesk_bridge.contract import OperationInfo

from talkdesk_bridge_tables._columns import columns_of
from talkdesk_bridge_tables._fields import struct_fields

ERROR = pa.field("error", pa.struct([("type", pa.string()), ("message", pa.string()), ("status_code", pa.int64())]))
Result = tuple[str, list[Any] | errors.BridgeError]
"""An account, and its items or the error."""


def _operation(name: str) -> OperationInfo:
    """The list operation with this operationId or iterator."""
    for info in contract.operations():
        if info.iterator and name in (info.operation_id, info.iterator):
            return info
    raise errors.ArgumentError(f"{name} is not a list operation of the contract.")


def schema(operation: OperationInfo | str) -> pa.Schema:
    """The columns of a list operation, made from the contract.

    First the arguments that are segments of its path, such as `account_number`, as text. Then the documented fields of
    an item, the required ones first; an amount is followed by its number and its currency. `other_fields` has unknown
    fields, and values that do not fit their column, as JSON. `error` says why an account has no rows.

    Args:
        operation: One of `talkdesk_bridge.contract.operations()`, or its operationId.

    Raises:
        ArgumentError: it is not a list operation of the contract.

    """
    info = _operation(operation if isinstance(operation, str) else operation.operation_id)
    parameters = inspect.signature(info.function).parameters.values()
    keys = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD and one.name != "self"]
    if not hasattr(info.item, "FIELDS"):
        raise errors.ArgumentError(f"The items of {info.operation_id} are not objects, so they have no columns.")
    return pa.schema([*(pa.field(key, pa.string()) for key in keys), *struct_fields(info.item), ERROR])


INVOICES = _operation("iter_account_invoices")
SCHEMA = schema(INVOICES)


def batches(results: Iterable[Result], rows: int) -> Iterator[pa.RecordBatch]:
    """Batches of whole accounts; each ends with the account that reaches this number of rows.

    An account that failed is a row with `error` and nothing else.
    """
    held: list[Result] = []
    count = 0
    for account, result in results:
        held.append((account, result))
        count += 1 if isinstance(result, errors.BridgeError) else len(result)
        if count >= rows:
            yield _batch(held)
            held, count = [], 0
    if count:
        yield _batch(held)


def _batch(results: Sequence[Result]) -> pa.RecordBatch:
    try:
        return _unchecked_batch(results)
    except RecursionError:
        pass  # raised below, so that the error does not keep this one and its traceback
    raise errors.ContractError("An unknown field is nested too deep for a table.")


def _unchecked_batch(results: Sequence[Result]) -> pa.RecordBatch:
    accounts: list[str] = []
    items: list[Any] = []
    failures: list[dict[str, Any] | None] = []
    for account, result in results:
        rows = [None] if isinstance(result, errors.BridgeError) else result
        accounts += [_sendable(account)] * len(rows)
        items += rows
        failures += [_failure(result)] if isinstance(result, errors.BridgeError) else [None] * len(rows)
    columns = [pa.array(accounts, pa.string()), *columns_of(INVOICES.item, items), pa.array(failures, ERROR.type)]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _failure(error: errors.BridgeError) -> dict[str, Any]:
    return {
        "type": type(error).__name__,
        "message": _sendable(str(error)),
        "status_code": getattr(error, "status_code", None),
    }


def _sendable(text: str) -> str:
    """Text without half surrogate pairs, which Arrow cannot hold."""
    return text.encode("utf-8", "backslashreplace").decode()

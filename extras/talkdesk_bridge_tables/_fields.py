"""The fields of the client's models, and the Arrow types of their columns."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from functools import cache
from types import GenericAlias, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import pyarrow as pa
from attrs import frozen

DECIMAL = pa.decimal128(38, 9)
SCALARS: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    date: pa.date32(),
    datetime: pa.timestamp("us", "UTC"),
    UUID: pa.string(),
}


@frozen
class Field:
    """A documented field of a model."""

    name: str
    """As sent."""
    attribute: str
    kind: Any
    """`list[...]`, a model, a key of SCALARS, or None for what Arrow cannot hold: that becomes JSON text."""
    is_amount: bool
    """Whether it is an amount of money, so that two more columns follow."""

    @property
    def names(self) -> list[str]:
        """The names of its columns."""
        return [self.name, f"{self.name}_decimal", f"{self.name}_currency"] if self.is_amount else [self.name]


@cache
def fields_of(model: Any, above: tuple[Any, ...] = ()) -> tuple[Field, ...]:
    """The documented fields of a model, which is inside of the models `above`."""
    hints = get_type_hints(model)
    return tuple(
        Field(name, attribute, _kind(hints[attribute], (*above, model)), attribute in model.AMOUNTS)
        for name, attribute in model.FIELDS.items()
    )


def _kind(hint: Any, above: tuple[Any, ...]) -> Any:
    """See Field.kind. A model inside of itself becomes JSON text, because an Arrow type cannot be recursive."""
    if get_origin(hint) in (Union, UnionType):
        kinds = {_kind(one, above) for one in get_args(hint) if one is not NoneType}
        if kinds == {UUID, str}:
            return UUID
        return kinds.pop() if len(kinds) == 1 else None
    if get_origin(hint) is list:
        inner = _kind(get_args(hint)[0], above)
        return GenericAlias(list, inner) if inner else None
    if get_origin(hint) is Literal:
        hint, *others = {type(value) for value in get_args(hint)}
        return None if others else _kind(hint, above)
    if getattr(hint, "FIELDS", None):
        return None if hint in above else hint
    if isinstance(hint, type) and issubclass(hint, Enum):
        hint = type(next(iter(hint)).value)
    return hint if hint in SCALARS else None


def arrow_type(kind: Any, above: tuple[Any, ...] = ()) -> pa.DataType:
    """The Arrow type of a kind."""
    if get_origin(kind) is list:
        return pa.list_(arrow_type(get_args(kind)[0], above))
    if hasattr(kind, "FIELDS"):
        return pa.struct(struct_fields(kind, above))
    return SCALARS.get(kind, pa.string())


def struct_fields(model: Any, above: tuple[Any, ...] = ()) -> list[pa.Field]:
    """The Arrow fields of a model."""
    found: list[pa.Field] = []
    for field in fields_of(model, above):
        types = [arrow_type(field.kind, (*above, model)), DECIMAL, pa.string()]
        found += [pa.field(name, of) for name, of in zip(field.names, types, strict=False)]
    return [*found, pa.field("other_fields", pa.string())]

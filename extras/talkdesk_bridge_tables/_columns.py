"""Arrow arrays from models. What does not fit its column is null there, and stands in `other_fields`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import accumulate, chain
from operator import attrgetter
from typing import Any, get_args, get_origin
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
from talkdesk_bridge import Number

from talkdesk_bridge_tables._fields import DECIMAL, Field, arrow_type, fields_of, struct_fields

# As Money reads amounts, without exponents and within DECIMAL: nothing is rounded. The blanks around an amount are
# removed first: with them, RE2 could match the pattern in two ways, which takes twice as long.
BLANKS = " \t\u00a0\u202f"
AMOUNT = r"^(?P<number>-?[0-9]{1,29}(?:\.[0-9]{1,9})?)(?:[ \x{a0}\x{202f}]+(?P<currency>[A-Za-z]{3}))?$"


class _Missing:
    """Stands for a model that is missing: each of its attributes is None."""

    def __getattr__(self, name: str) -> None:
        return None


MISSING = _Missing()


def columns_of(model: Any, models: Sequence[Any], above: tuple[Any, ...] = ()) -> list[pa.Array]:
    """The columns of some models of one class; None among the models gives nulls."""
    models = [MISSING if one is None else one for one in models]
    columns: list[pa.Array] = []
    others = {
        place: {**one.additional_properties}
        for place, one in enumerate(models)
        if getattr(one, "additional_properties", None)
    }
    for field in fields_of(model, above):
        column, misfits = _column(field, models, (*above, model))
        for place in misfits:
            others.setdefault(place, {})[field.name] = models[place].to_dict()[field.name]
        columns.append(column)
        if field.is_amount:
            columns += _amounts(column if column.type == pa.string() else column.cast(pa.string()))
    texts = [json_text(others[place]) if place in others else None for place in range(len(models))]
    return [*columns, pa.array(texts, pa.string())]


def json_text(value: Any) -> str:
    """A JSON value as ASCII text that keeps the digits of numbers."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)}: {json_text(one)}' for name, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(json_text, value))}]"
    return str(value) if isinstance(value, Number) else json.dumps(value)


def _column(field: Field, models: Sequence[Any], above: tuple[Any, ...]) -> tuple[pa.Array, list[int]]:
    """The column of a field, and the places of the models whose value does not fit in it."""
    values = [*map(attrgetter(field.attribute), models)]
    if field.kind is None:
        return pa.array([*map(partial(_text, field), models, values)], pa.string()), []
    try:
        return _array(field.kind, values, above), []
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError, _MisfitError):
        pass
    misfits = [place for place, value in enumerate(values) if not _fits(field.kind, value, above)]
    for place in misfits:
        values[place] = None
    return _array(field.kind, values, above), misfits


def _text(field: Field, model: Any, value: Any) -> str | None:
    return None if value is None else json_text(model.to_dict()[field.name])


class _MisfitError(Exception):
    """A value that Arrow would change without an error."""


def _fits(kind: Any, value: Any, above: tuple[Any, ...]) -> bool:
    try:
        _array(kind, [value], above)
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError, _MisfitError):
        return False
    return True


def _array(kind: Any, values: Sequence[Any], above: tuple[Any, ...]) -> pa.Array:
    if get_origin(kind) is list:
        inner = _array(get_args(kind)[0], [*chain.from_iterable(value or () for value in values)], above)
        ends = [*accumulate((len(value or ()) for value in values), initial=0)]
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), inner, mask=_nulls(values))
    if hasattr(kind, "FIELDS"):
        fields = struct_fields(kind, above)
        return pa.StructArray.from_arrays(columns_of(kind, values, above), fields=fields, mask=_nulls(values))
    if kind is UUID:
        values = [None if value is None else str(value) for value in values]
    elif kind is datetime and any(value is not None and value.tzinfo is None for value in values):
        raise _MisfitError  # Arrow would take it for UTC
    elif kind is float and any(isinstance(value, Number) and not _is_exact(value) for value in values):
        raise _MisfitError  # Arrow would round it
    return pa.array(values, arrow_type(kind))


def _nulls(values: Iterable[Any]) -> pa.Array:
    return pa.array([value is None for value in values], pa.bool_())


def _is_exact(number: Number) -> bool:
    """Whether the shortest text of the float is the same number."""
    return Decimal(repr(float(number))) == Decimal(str(number))


def _amounts(texts: pa.Array) -> list[pa.Array]:
    """The numbers and the currencies of amounts; null for a text that is no amount of these digits."""
    numbers, currencies = pc.extract_regex(pc.utf8_trim(texts, BLANKS), AMOUNT).flatten()
    currencies = pc.utf8_upper(currencies)
    return [numbers.cast(DECIMAL), pc.if_else(pc.not_equal(currencies, ""), currencies, None)]

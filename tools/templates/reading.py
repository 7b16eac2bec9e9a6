"""Readers: from the JSON of each type to its Python value, leniently, with each deviation counted.

A reader takes a value, the `Place` of the object that holds it, and the step from there to the value, which is a piece
of a JSON path such as `.amount` or `.invoices[*]`. It returns the value as the contract's type. If the value differs
from the contract and nothing is lost by reading it, the reader counts a deviation; otherwise it raises `MisfitError`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any, TypeVar
from uuid import UUID

from .places import MisfitError, Place, kind_of

__all__ = [
    "ABSENT", "Number", "Reader", "anything", "array", "binary", "boolean", "date", "date_or_none", "date_time",
    "date_time_or_none", "integer", "null", "nullable", "number", "one_of", "string", "union", "unreadable", "uuid",
]  # fmt: skip

T = TypeVar("T")
Reader = Callable[[Any, Place, str], Any]

ABSENT = object()
"""Stands for a field that was not sent; the reader of an optional field returns None for it."""

INTEGER = re.compile(r"-?[0-9]{1,4000}")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# RFC 3339, which the contract documents. Then the other forms of ISO 8601 that are read: Python's own parser would
# ignore characters between date and time and after seconds, and read Unix seconds, 1710101512, as a day of 1710.
FULL_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
ISO_8601 = re.compile(
    r"(\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d(-?\d)?)"
    r"([Tt ]\d\d(:?\d\d(:?\d\d([.,]\d+)?)?)?([Zz]|[+-]\d\d(:?\d\d(:?\d\d)?)?)?)?",
    re.ASCII,
)
FULL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
OTHER_UUID = re.compile(
    rf"\{{{FULL_UUID.pattern}\}}|urn:uuid:{FULL_UUID.pattern}|[0-9a-f]{{32}}", re.IGNORECASE | re.ASCII
)


class Number(float):
    """A JSON number with a fraction or an exponent, which keeps the text it was written as."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


def unreadable(documented: str, value: Any, step: str) -> Any:
    """None if the value is ABSENT.

    Raises:
        MisfitError: The value was sent.

    """
    if value is not ABSENT:
        raise MisfitError(documented, kind_of(value), step)


def anything(value: Any, _here: Place, _step: str) -> Any:
    """Any value, as it is."""
    return None if value is ABSENT else value


def null(value: Any, _here: Place, step: str) -> Any:
    """Null alone."""
    return None if value is None else unreadable("null", value, step)


def string(value: Any, here: Place, step: str) -> Any:
    """Text; of a number its digits, as they were written."""
    if value is ABSENT:
        return None
    kind = value.__class__
    if kind is Number:
        here.counts["string | number"][step] += 1
        return value._text  # half the time of str(value); bridges send such pages
    if kind is int:
        here.counts["string | integer"][step] += 1
        return str(value)
    if kind is str:
        return value
    if kind is float and isfinite(value):  # of another parser than ours
        here.counts["string | number"][step] += 1
        return str(value)
    return unreadable("string", value, step)


def integer(value: Any, here: Place, step: str) -> Any:
    """An integer, also one that was written as 5.0, or as text."""
    if value.__class__ is int:
        return value
    if isinstance(value, float) and isfinite(value) and _is_exactly(str(value), int(value)):
        return int(value)  # 5.0 is an integer in JSON Schema
    if isinstance(value, str) and INTEGER.fullmatch(value):
        here.counts["integer | string"][step] += 1
        return int(value)
    return unreadable("integer", value, step)


def number(value: Any, here: Place, step: str) -> Any:
    """A number, also one that was written as text; int if it has no fraction and no exponent."""
    if value.__class__ is int:
        return value
    if isinstance(value, float) and isfinite(value):
        return float(value)
    if isinstance(value, str) and NUMBER.fullmatch(value):
        read = int(value) if INTEGER.fullmatch(value) else float(value)
        if isinstance(read, float) and not (isfinite(read) and _is_exactly(value, read)):
            raise MisfitError("number", "string with more digits than a number holds", step)
        here.counts["number | string"][step] += 1
        return read
    return unreadable("number", value, step)


def _is_exactly(text: str, read: float) -> bool:
    try:
        return Decimal(text) == Decimal(str(read))
    except ArithmeticError:  # an exponent of more than 18 digits
        return False


def boolean(value: Any, _here: Place, step: str) -> Any:
    """True or false."""
    return value if value.__class__ is bool else unreadable("boolean", value, step)


def binary(value: Any, _here: Place, step: str) -> Any:
    """A file, which JSON cannot hold: always raises MisfitError."""
    return unreadable("binary", value, step)


def uuid(value: Any, here: Place, step: str) -> Any:
    """A UUID, also one in braces, as a URN, or without hyphens."""
    if isinstance(value, str) and FULL_UUID.fullmatch(value):
        return UUID(value)
    if isinstance(value, str) and OTHER_UUID.fullmatch(value):
        here.counts["uuid | uuid of another form"][step] += 1
        return UUID(value.lower())
    return unreadable("uuid", value, step)


def date_or_none(value: Any, here: Place, step: str) -> Any:
    """A date, also one of another form of ISO 8601; None, and a deviation, for text that is no date."""
    try:
        read = _date_of(value)
        if len(value) == 10 and value[7] == "-":  # the documented form alone has a hyphen there; most dates are of it
            return read
    except (TypeError, ValueError):
        pass
    read_other = _date_time_of(value, here, step, "date", FULL_DATE)
    return read_other and read_other.date()


_date_of = datetime.date.fromisoformat


def date_time_or_none(value: Any, here: Place, step: str) -> Any:
    """A date with a time, as `date_or_none`."""
    return _date_time_of(value, here, step, "date-time", DATE_TIME)


def date(value: Any, here: Place, step: str) -> Any:
    """A date that must be there: as `date_or_none`, but text that is no date raises MisfitError."""
    return _required(date_or_none(value, here, step), "date", value, step)


def date_time(value: Any, here: Place, step: str) -> Any:
    """A date with a time that must be there."""
    return _required(date_time_or_none(value, here, step), "date-time", value, step)


def _date_time_of(value: Any, here: Place, step: str, documented: str, form: re.Pattern[str]) -> Any:
    if not isinstance(value, str | int | Number) or isinstance(value, bool):
        return unreadable(documented, value, step)
    text = str(value)
    try:
        read = datetime.datetime.fromisoformat(text.upper() if ISO_8601.fullmatch(text) else "")
    except (ValueError, OverflowError):
        here.counts[f"{documented} | {_no_date(text)}"][step] += 1
        return None
    if not isinstance(value, str) or not form.fullmatch(text):
        seen = "date-time" if DATE_TIME.fullmatch(text) else "date of another form"
        here.counts[f"{documented} | {seen}"][step] += 1
    return read


def _no_date(text: str) -> str:
    return "text that is no date" if text else "empty string"


def _required(read: T | None, documented: str, value: Any, step: str) -> T:
    if read is None:
        raise MisfitError(documented, _no_date(str(value)), step)
    return read


# What makes a reader, when a module of models is imported.


def array(item_reader: Reader) -> Reader:
    """A reader of a list, from the reader of its items."""

    def read(value: Any, here: Place, step: str) -> Any:
        if value.__class__ is not list:
            return unreadable("array", value, step)
        inside = f"{step}[*]"
        items: list[Any] = []
        try:
            for item in value:
                items.append(item_reader(item, here, inside))
        except MisfitError as misfit:
            misfit.place = f"{step}[{len(items)}]" + misfit.place.removeprefix(inside)
            raise
        return items

    return read


def one_of(values: Iterable[Any]) -> Reader:
    """A reader of the members of an enumeration, which is given as its class, or of constants."""
    plain = {one: one.value if isinstance(one, Enum) else one for one in values}
    known = {(type(value), value): one for one, value in plain.items()}

    def read(value: Any, _here: Place, step: str) -> Any:
        if value is ABSENT:
            return None
        try:
            return known[float if value.__class__ is Number else value.__class__, value]
        except (KeyError, TypeError):  # not known, or a list or an object
            raise MisfitError(f"one of the {len(known)} documented values", f"another {kind_of(value)}", step) from None

    return read


def nullable(reader: Reader) -> Reader:
    """A reader of a value that may be null."""
    return lambda value, here, step: None if value is None else reader(value, here, step)


def union(documented: str, *readers: Reader) -> Reader:
    """A reader of several types: of the first that fits exactly, else of the first that fits leniently."""

    def read(value: Any, here: Place, step: str) -> Any:
        for strict in (True,) if here.strict else (True, False):  # not twice at each level of a recursive schema
            for reader in readers:
                apart = Place(strict=strict)
                try:
                    result = reader(value, apart, step)
                except MisfitError:
                    continue
                here.add(apart)
                return result
        return unreadable(documented, value, step)

    return read

# Generated from openapi.yaml by `make generate`: edits are lost.
"""Readers convert JSON to the Python value of each type. They are lenient, and count deviations.

A reader takes a value, the `Place` of the enclosing object, and the step from there to the value: a piece of a JSON
path such as `.amount` or `.invoices[*]`. It returns the value as the type in the contract. If the value deviates from
the contract but can be read without losing information, the reader counts a deviation. Otherwise it raises
`MisfitError`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
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
"""Marks a field that was not sent. The reader of an optional field returns None for it."""

INTEGER = re.compile(r"-?[0-9]{1,4000}")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# RFC 3339 is the documented form. ISO_8601 matches the other forms that are read, because Python's own parser ignores
# characters between date and time and after seconds, and reads Unix seconds (1710101512) as a day in 1710.
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
    """A JSON number with a fraction or an exponent that keeps its original text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


def unreadable(documented: str, value: Any, step: str) -> Any:
    """None if the value is ABSENT.

    Raises:
        MisfitError: the value was sent.

    """
    if value is not ABSENT:
        raise MisfitError(documented, kind_of(value), step)


def anything(value: Any, _here: Place, _step: str) -> Any:
    """Any value, unchanged."""
    return None if value is ABSENT else value


def null(value: Any, _here: Place, step: str) -> Any:
    """Only null."""
    return None if value is None else unreadable("null", value, step)


def string(value: Any, here: Place, step: str) -> Any:
    """A string. A number becomes the text as it was written."""
    if value is ABSENT:
        return None
    kind = value.__class__
    if kind is Number:
        here.counts["string | number"][step] += 1
        return value._text  # twice as fast as str(value), and some bridges send such pages
    if kind is int:
        here.counts["string | integer"][step] += 1
        return str(value)
    if kind is str:
        return value
    if kind is float and isfinite(value):  # from a parser other than ours
        here.counts["string | number"][step] += 1
        return str(value)
    return unreadable("string", value, step)


def integer(value: Any, here: Place, step: str) -> Any:
    """An integer, even if it is written as 5.0 or as a string."""
    if value.__class__ is int:
        return value
    if isinstance(value, float) and isfinite(value) and _is_exactly(str(value), int(value)):
        return int(value)  # 5.0 is an integer in JSON Schema
    if isinstance(value, str) and INTEGER.fullmatch(value):
        here.counts["integer | string"][step] += 1
        return int(value)
    return unreadable("integer", value, step)


def number(value: Any, here: Place, step: str) -> Any:
    """A number, even if it is written as a string; an int if it has no fraction and no exponent."""
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
    """A file, which JSON cannot contain: raises MisfitError if a value was sent."""
    return unreadable("binary", value, step)


def uuid(value: Any, here: Place, step: str) -> Any:
    """A UUID, even in braces, as a URN, or without hyphens."""
    if isinstance(value, str) and FULL_UUID.fullmatch(value):
        return UUID(value)
    if isinstance(value, str) and OTHER_UUID.fullmatch(value):
        here.counts["uuid | uuid of another form"][step] += 1
        return UUID(value.lower())
    return unreadable("uuid", value, step)


def date_or_none(value: Any, here: Place, step: str) -> Any:
    """A date, even in another form of ISO 8601. Text that is not a date gives None and a deviation."""
    try:
        read = _date_of(value)
        if len(value) == 10 and value[7] == "-":  # a fast path for the documented form, the only one with this hyphen
            return read
    except (TypeError, ValueError):
        pass
    read_other = _date_time_of(value, here, step, "date", FULL_DATE)
    return read_other.date() if read_other else None


_date_of = datetime.date.fromisoformat


def date_time_or_none(value: Any, here: Place, step: str) -> Any:
    """A date with a time; otherwise like `date_or_none`."""
    return _date_time_of(value, here, step, "date-time", DATE_TIME)


def date(value: Any, here: Place, step: str) -> Any:
    """A required date: like `date_or_none`, but text that is not a date raises MisfitError."""
    return _required(date_or_none(value, here, step), "date", value, step)


def date_time(value: Any, here: Place, step: str) -> Any:
    """A required date with a time."""
    return _required(date_time_or_none(value, here, step), "date-time", value, step)


def _date_time_of(value: Any, here: Place, step: str, documented: str, form: re.Pattern[str]) -> Any:
    if not isinstance(value, str | int | Number) or isinstance(value, bool):
        return unreadable(documented, value, step)
    text, read = str(value), None
    if ISO_8601.fullmatch(text):
        with suppress(ValueError, OverflowError):
            read = datetime.datetime.fromisoformat(text.upper())
    if read is None:
        here.counts[f"{documented} | {_not_a_date(text)}"][step] += 1
        return None
    if not isinstance(value, str) or not form.fullmatch(text):
        seen = "date-time" if DATE_TIME.fullmatch(text) else "date of another form"
        here.counts[f"{documented} | {seen}"][step] += 1
    return read


def _not_a_date(text: str) -> str:
    return "text that is not a date" if text else "empty string"


def _required(read: T | None, documented: str, value: Any, step: str) -> T:
    if read is None:
        raise MisfitError(documented, _not_a_date(str(value)), step)
    return read


# Functions that make readers when a module of models is imported.


def array(item_reader: Reader) -> Reader:
    """A reader of a list, made from the reader of its items."""

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
    """A reader of the members of an enumeration class, or of constants."""
    plain = {one: one.value if isinstance(one, Enum) else one for one in values}
    known = {(type(value), value): one for one, value in plain.items()}

    def read(value: Any, _here: Place, step: str) -> Any:
        if value is ABSENT:
            return None
        try:
            return known[float if value.__class__ is Number else value.__class__, value]
        except (KeyError, TypeError):  # unknown, or not hashable
            raise MisfitError(f"one of the {len(known)} documented values", f"another {kind_of(value)}", step) from None

    return read


def nullable(reader: Reader) -> Reader:
    """A reader of a value that may be null."""
    return lambda value, here, step: None if value is None else reader(value, here, step)


def union(documented: str, *readers: Reader) -> Reader:
    """A reader of several types: the first that matches exactly, else the first that matches leniently."""

    def read(value: Any, here: Place, step: str) -> Any:
        # A strict place allows no second round, which would double the time at each level of a recursive schema.
        for strict in (True,) if here.strict else (True, False):
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

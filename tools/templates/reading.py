"""What all models share to read JSON: readers of each type, the deviations they count, and the error they raise.

A reader takes a value, the `Place` of the object that holds it, and the step from there to the value, which is a piece
of a JSON path such as `.amount` or `.invoices[*]`. It returns the value as the contract's type. If the value differs
from the contract and nothing is lost by reading it, the reader counts a deviation; otherwise it raises `MisfitError`.
"""

from __future__ import annotations

import datetime
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from functools import lru_cache, partial
from math import isfinite
from typing import Any, Generic, TypeVar
from uuid import UUID

__all__ = [
    "ABSENT", "MisfitError", "Number", "OpenModel", "Place", "Reader", "anything", "array", "as_dict", "binary",
    "boolean", "completed", "date", "date_or_none", "date_time", "date_time_or_none", "integer", "kind_of", "member",
    "model", "models", "new", "null", "nullable", "number", "one_of", "read_others", "string", "to_json",
    "union", "unreadable", "uuid",
]  # fmt: skip

ItemT = TypeVar("ItemT")
ModelT = TypeVar("ModelT")
Reader = Callable[[Any, "Place", str], Any]

JSON_TYPES: dict[type, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object", type(None): "null",
}  # fmt: skip
INTEGER = re.compile(r"-?[0-9]{1,4000}")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# RFC 3339's forms, which the contract documents; then all of ISO 8601 that is read besides. Python's own parser ignores
# characters between date and time, and after seconds, so that it reads Unix seconds, 1710101512, as a day of 1710.
FULL_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
ISO_8601 = re.compile(
    r"(\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d(-?\d)?)"
    r"([Tt ]\d\d(:?\d\d(:?\d\d([.,]\d+)?)?)?([Zz]|[+-]\d\d(:?\d\d(:?\d\d)?)?)?)?",
    re.ASCII,
)
FULL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
OTHER_UUID = re.compile(rf"\{{{FULL_UUID.pattern}\}}|urn:uuid:{FULL_UUID.pattern}|[0-9a-f]{{32}}", re.IGNORECASE)


class Number(float):
    """A JSON number with a fraction or an exponent, which keeps the text it was written as."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


class MisfitError(ValueError):
    """A value cannot be read as documented without losing something.

    Attributes:
        documented: The documented type.
        seen: The type, or the form, of the value; never the value itself.
        place: Where it stands, as a JSON path from the value that was read: `.invoices[3].amount`.

    """

    def __init__(self, documented: str, seen: str, place: str = "") -> None:
        super().__init__(documented, seen, place)
        self.documented = documented
        self.seen = seen
        self.place = place

    def __str__(self) -> str:
        return f"{self.documented} is documented at ${self.place}, and {self.seen} came."


class Place:
    """A place of a response, all items of a list counting as one, with the deviations there and inside."""

    __slots__ = ("counts", "inside", "strict")

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        """Whether the first deviation raises MisfitError."""
        self.counts: dict[str, dict[str, int]] = _Refusing() if strict else defaultdict(_new_counts)
        """How often each deviation came: by `documented | seen`, then by step."""
        self.inside: dict[str, Place] = defaultdict(partial(Place, strict=strict))
        """The places of the objects inside, by step."""

    def deviations(self, path: str = "$") -> Iterator[tuple[str, str, str, int]]:
        """JSON path, documented type, seen type and count of each deviation."""
        for kind, steps in self.counts.items():
            documented, seen = kind.split(" | ")
            yield from ((path + step, documented, seen, count) for step, count in steps.items())
        for step, inner in self.inside.items():
            yield from inner.deviations(path + step)

    def in_order(self, data: Any) -> list[tuple[str, str, str, int]]:
        """As `deviations`, in the order in which their places first stand in the JSON that was read."""
        found = [*self.deviations()]
        missing = {path for path, *_ in found}
        order: list[str] = []

        def walk(value: Any, path: str) -> None:
            if path in missing:
                missing.remove(path)
                order.append(path)
            if not isinstance(value, dict | list) or not any(one.startswith(path) for one in missing):
                return
            for step, inner in _steps(value):
                if not missing:
                    return
                walk(inner, path + step)

        if len(found) > 1:
            walk(data, "$")
        ranks = {path: rank for rank, path in enumerate(order)}
        return sorted(found, key=lambda deviation: ranks.get(deviation[0], len(ranks)))

    def add(self, other: Place) -> None:
        """Add the deviations of the same place that were counted apart."""
        for kind, steps in other.counts.items():
            for step, count in steps.items():
                self.counts[kind][step] += count
        for step, inner in other.inside.items():
            self.inside[step].add(inner)


def _new_counts() -> dict[str, int]:
    return defaultdict(int)


class _Refusing(dict[str, Any]):
    """The counts of a strict place: to count a deviation raises it."""

    def __init__(self, kind: str = "") -> None:
        super().__init__()
        self._kind = kind

    def __missing__(self, key: str) -> Any:
        if not self._kind:
            return _Refusing(key)
        documented, seen = self._kind.split(" | ")
        raise MisfitError(documented, seen, key)


def _steps(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((member(name), inner) for name, inner in value.items())
    else:
        yield from (("[*]", inner) for inner in value)


class OpenModel(Generic[ItemT]):
    """A model that keeps the fields the contract does not have: `model["name"]`, or all in `additional_properties`."""

    __slots__ = ()
    additional_properties: dict[str, ItemT]

    @property
    def additional_keys(self) -> list[str]:
        """The names of these fields."""
        return [*self.additional_properties]

    def __getitem__(self, key: str) -> ItemT:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: ItemT) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


def kind_of(value: Any) -> str:
    """The JSON type of a value; of a value that JSON does not have, the name of its Python type."""
    return "number" if isinstance(value, float) else JSON_TYPES.get(type(value), type(value).__name__)


@lru_cache(1000)
def member(name: str) -> str:
    """The step to a field in a JSON path.

    >>> member("amount"), member("k-1")
    ('.amount', '["k-1"]')

    """
    return f".{name}" if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) else f"[{json.dumps(name)}]"


# What `from_dict` of a model needs besides readers.

new = object.__new__
ABSENT = object()
"""Stands for a field that was not sent; every reader returns None for it."""


def as_dict(value: Any) -> dict[str, Any]:
    """The object that a model is read from, if it is not a plain dict.

    Raises:
        MisfitError: it is no object.

    """
    if isinstance(value, Mapping):
        return dict(value)
    raise MisfitError("object", kind_of(value))


def completed(data: dict[str, Any], names: Iterable[str], required: Iterable[str]) -> dict[str, Any]:
    """An object that lacks fields, with ABSENT in their place.

    Raises:
        MisfitError: a required field is not there.

    """
    for name in required:
        if name not in data:
            raise MisfitError(f"object with `{name}`", "object without it")
    return dict.fromkeys(names, ABSENT) | data


def read_others(others: dict[str, Any], reader: Reader, here: Place) -> None:
    """Read the fields that the contract does not name, if it gives their type."""
    for name, value in others.items():
        try:
            others[name] = reader(value, here, ".*")
        except MisfitError as misfit:
            misfit.place = member(name) + misfit.place.removeprefix(".*")
            raise


def unreadable(documented: str, value: Any, step: str) -> Any:
    """None if the value is ABSENT.

    Raises:
        MisfitError: it is not.

    """
    if value is not ABSENT:
        raise MisfitError(documented, kind_of(value), step)


# Readers.


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
        if not isfinite(read) or not _is_exactly(value, read):
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
        return UUID(value)
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


def _required(read: ItemT | None, documented: str, value: Any, step: str) -> ItemT:
    if read is None:
        raise MisfitError(documented, _no_date(str(value)), step)
    return read


# What makes a reader, when a module of models is imported.


def model(kind: Any) -> Reader:
    """A reader of a model, which is given as its class."""

    def read(value: Any, here: Place, step: str) -> Any:
        if value is ABSENT:
            return None
        try:
            return kind.from_dict(value, here.inside[step])
        except MisfitError as misfit:
            misfit.place = step + misfit.place
            raise

    return read


def models(kind: Any) -> Reader:
    """A reader of a list of models: as `array(model(kind))`, with one call less for each item."""
    from_dict = kind.from_dict

    def read(value: Any, here: Place, step: str) -> Any:
        if value.__class__ is not list:
            return unreadable("array", value, step)
        inside = here.inside[f"{step}[*]"]
        items: list[Any] = []
        try:
            for item in value:
                items.append(from_dict(item, inside))
        except MisfitError as misfit:
            misfit.place = f"{step}[{len(items)}]{misfit.place}"
            raise
        return items

    return read


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
        for strict in (True, here.strict):
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


def to_json(value: Any) -> Any:
    """A value of a model's field, as JSON has it."""
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return str(value)
    return value.to_dict() if hasattr(value, "to_dict") else value

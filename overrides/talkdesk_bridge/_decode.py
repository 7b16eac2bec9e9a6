"""From JSON to models, leniently but loudly: what differs from the contract is read where that loses nothing, and told.

A decoder is built once for each type, from what the generated models say of themselves (FIELDS), and is a function of
a value and the `Findings` of its answer.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from attrs import NOTHING, fields_dict
from talkdesk_bridge_api.models import FIELDS

__all__ = ["Findings", "MisfitError", "decoder", "kind_of", "member", "read_json"]

NAMES: dict[Any, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object",
    NoneType: "null", date: "date", datetime: "date-time", UUID: "uuid",
}  # fmt: skip
FULL_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
INTEGER = re.compile(r"-?[0-9]{1,4000}")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class Number(float):
    """A number with a fraction or an exponent, which knows how it was written."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


class MisfitError(Exception):
    """A value that cannot be read as documented; the decoders around it put its place together, innermost first."""

    def __init__(self, documented: str, seen: str) -> None:
        super().__init__(documented, seen)
        self.documented = documented
        self.seen = seen
        self.path: list[str] = []


class Findings:
    """The deviations of one answer, counted by place, documented type and seen type; if strict, the first is raised."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def __call__(self, place: str, documented: str, seen: str) -> None:
        """Note a deviation."""
        if self.strict:
            raise MisfitError(documented, seen)
        self.counts[place, documented, seen] += 1


Decoder = Callable[[Any, Findings], Any]


def read_json(content: bytes) -> Any:
    """The value of a JSON text, without losing a digit.

    Raises:
        ValueError: it is none; NaN and Infinity are none, either.
        RecursionError: it is nested too deep.

    """
    return json.loads(content, parse_float=Number, parse_constant=_no_number)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def kind_of(value: Any) -> str:
    """The JSON type of a value."""
    return "number" if isinstance(value, float) else NAMES[type(value)]


def member(name: str) -> str:
    """The step to a member in a JSON path."""
    return f".{name}" if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) else f"[{json.dumps(name)}]"


@cache
def decoder(kind: Any, place: str = "$", *, optional: bool = False) -> Decoder:
    """What reads a value of a type.

    Args:
        kind: The type, as FIELDS or a Body has it.
        place: The JSON path of such values, with `[*]` for every item of a list.
        optional: Whether the value may be absent, so that None can stand for a null, or for a date that is unreadable.

    """
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any or kind is None:
        return _anything
    if isinstance(kind, UnionType) or origin is Union:
        return _union(inner, place, optional=optional)
    if origin is list:
        read = _list(inner[0], place)
    elif kind in FIELDS:
        read = _model(kind, place)
    elif origin is Literal or issubclass(kind, Enum):
        values = {(type(value), value): value for value in inner} or {(type(one.value), one.value): one for one in kind}
        read = _one_of(values)
    elif kind in (date, datetime):
        read = _date(kind, place, optional=optional)
    elif kind in (str, int, float, bool, UUID):
        read = _scalar(kind, place)
    else:
        raise MisfitError(_name(kind), "JSON, which cannot hold it")
    if not optional:
        return read
    documented = _name(kind)

    def read_optional(value: Any, findings: Findings) -> Any:
        if value is None:
            findings(place, documented, "null")
            return None
        return read(value, findings)

    return read_optional


def _name(kind: Any) -> str:
    return NAMES.get(kind) or ("array" if get_origin(kind) is list else "object" if kind in FIELDS else "other value")


def _anything(value: Any, _: Findings) -> Any:
    return value


def _model(kind: Any, place: str) -> Decoder:
    shape, attributes = FIELDS[kind], fields_dict(kind)
    names = {attribute: name for name, (attribute, _) in shape.known.items()}
    needed = {attribute for attribute in names if attributes[attribute].default is NOTHING}
    absent = dict.fromkeys(names.keys() - needed)
    anything = shape.unknown in (None, Any)

    readers: dict[str, tuple[str, Any, Decoder]] = {}  # each made when needed: a model may hold itself

    def made(name: str) -> tuple[str, Any, Decoder] | None:
        if name not in shape.known:
            return None
        attribute, inner = shape.known[name]
        # Most values are of a type that needs no reading: not to call for those saves a third of the time.
        exact = inner if inner in (str, int, bool) else None
        return readers.setdefault(
            name, (attribute, exact, decoder(inner, place + member(name), optional=attribute in absent))
        )

    def decode(value: Any, findings: Findings) -> Any:
        if type(value) is not dict:
            raise MisfitError("object", kind_of(value))
        values: dict[str, Any] = absent.copy()
        unknown, name = {}, ""
        try:
            for name, item in value.items():  # for the place of a misfit
                if field := readers.get(name) or made(name):
                    attribute, exact, read = field
                    values[attribute] = item if type(item) is exact else read(item, findings)
                else:
                    unknown[name] = item if anything else decoder(shape.unknown, f"{place}.*")(item, findings)
        except MisfitError as misfit:
            misfit.path.append(member(name))
            raise
        if lacking := needed - values.keys():
            name = next(name for attribute, name in names.items() if attribute in lacking)
            raise MisfitError(f"object with `{name}`", "object without it")
        model = kind(**values)
        if shape.unknown is not None:
            model.additional_properties = unknown
        return model

    return decode


def _list(kind: Any, place: str) -> Decoder:
    read = decoder(kind, f"{place}[*]")

    def decode(value: Any, findings: Findings) -> Any:
        if type(value) is not list:
            raise MisfitError("array", kind_of(value))
        items: list[Any] = []
        try:
            for item in value:
                items.append(read(item, findings))
        except MisfitError as misfit:
            misfit.path.append(f"[{len(items)}]")
            raise
        return items

    return decode


def _union(kinds: tuple[Any, ...], place: str, *, optional: bool) -> Decoder:
    """The first type that fits exactly, else the first that fits leniently, as the generated models have it."""
    null = NoneType in kinds
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    reads = [decoder(kind, place, optional=optional or null) for kind in kinds]

    def decode(value: Any, findings: Findings) -> Any:
        if value is None and null:
            return None
        misfits = []
        for strict in (True, False) if len(reads) > 1 else (findings.strict,):
            for read in reads:
                try:
                    result = read(value, own := Findings(strict=strict or findings.strict))
                except MisfitError as misfit:
                    misfits.append(misfit)
                else:
                    findings.counts.update(own.counts)
                    return result
        raise misfits[0] if len(reads) == 1 else MisfitError(" or ".join(map(_name, kinds)), kind_of(value))

    return decode


def _one_of(values: dict[tuple[type, Any], Any]) -> Decoder:
    def decode(value: Any, _: Findings) -> Any:
        kind = float if type(value) is Number else type(value)
        try:
            return values[kind, value]
        except (KeyError, TypeError):
            raise MisfitError(f"one of the {len(values)} documented values", f"another {kind_of(value)}") from None

    return decode


def _scalar(kind: Any, place: str) -> Decoder:
    def decode(value: Any, findings: Findings) -> Any:
        if type(value) is kind:
            return value
        try:
            result, deviates = _converted(kind, value)
        except ValueError:
            raise MisfitError(NAMES[kind], kind_of(value)) from None
        if deviates:
            findings(place, NAMES[kind], kind_of(value))
        return result

    return decode


def _converted(kind: Any, value: Any) -> tuple[Any, bool]:
    """The scalar that a value of another type stands for, and whether that deviates from the contract.

    Raises:
        ValueError: it stands for none, or something would be lost.

    """
    text = value if type(value) is str else ""
    finite = type(value) is int or (type(value) is Number and isfinite(value))
    if kind is str and type(value) in (int, Number):
        return str(value), True
    if kind is int and finite and _says(str(value), int(value)):
        return int(value), False  # 5.0 is an integer in JSON Schema
    if kind is int and INTEGER.fullmatch(text):
        return int(text), True
    if kind is float and finite:
        return value if type(value) is int else float(value), False
    if kind is float and NUMBER.fullmatch(text):
        number = int(text) if INTEGER.fullmatch(text) else float(text)
        if not isfinite(number) or not _says(text, number):
            raise MisfitError("number", "string with more digits than a number holds")
        return number, True
    if kind is UUID:
        return UUID(text), False
    raise ValueError


def _says(text: str, number: float) -> bool:
    """Whether a number is exactly what was written."""
    try:
        return Decimal(text) == Decimal(str(number))
    except ArithmeticError:  # an exponent of more than 18 digits
        return False


def _date(kind: type[date], place: str, *, optional: bool) -> Decoder:
    exact, documented = (DATE_TIME if kind is datetime else FULL_DATE), _name(kind)

    def decode(value: Any, findings: Findings) -> date | None:
        if type(value) not in (str, int, Number):
            raise MisfitError(documented, kind_of(value))
        text = str(value)
        try:
            if text[10:11] not in ("", "T", "t", " "):  # any character would do for Python, a digit too
                raise ValueError
            read = datetime.fromisoformat(text.upper())
        except (ValueError, OverflowError):
            seen = "text that is no date" if text else "empty string"
            if not optional:
                raise MisfitError(documented, seen) from None
            findings(place, documented, seen)
            return None
        if type(value) is not str or not exact.fullmatch(text):
            findings(place, documented, "date-time" if DATE_TIME.fullmatch(text) else "date of another form")
        return read if kind is datetime else read.date()

    return decode

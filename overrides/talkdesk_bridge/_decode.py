"""From JSON to models, leniently but loudly: what differs from the contract is read where that loses nothing, and told.

A decoder is built once for each type and place, from what the generated models say of themselves (FIELDS), and is a
function of a value and the `Findings` of its answer. The one of a model is compiled from a text of its own.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from math import isfinite
from types import CodeType, NoneType, UnionType
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
STEP = re.compile(r'\.\*|\.\w+|\["([^"\\]|\\.)*"\]', re.ASCII)
INTEGER = re.compile(r"-?[0-9]{1,4000}")
SEPARATOR = "\0"  # is in no place, since `member` writes it otherwise
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class Number(float):
    """A number with a fraction or an exponent, which knows how it was written."""

    __slots__ = ("_text",)

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
        self.counts: dict[str, int] = Refused() if strict else defaultdict(int)
        """By `deviation`."""

    def __call__(self, place: str, documented: str, seen: str) -> None:
        """Note a deviation."""
        self.counts[deviation(place, documented, seen)] += 1

    def __iter__(self) -> Iterator[tuple[str, str, str, int]]:
        """Place, documented type, seen type and count of each, in the order in which they were met."""
        for one, count in self.counts.items():
            place, documented, seen = one.split(SEPARATOR)
            yield place, documented, seen, count

    def arrange(self, start: int, place: str, steps: list[str]) -> None:
        """Put the deviations from number `start` on, all inside `place`, into the order of the steps from there."""

        def rank(one: str) -> int:
            step = STEP.match(one.partition(SEPARATOR)[0], len(place))
            return steps.index(step[0]) if step else -1

        for one in sorted([*self.counts][start:], key=rank):
            self.counts[one] = self.counts.pop(one)


def deviation(place: str, documented: str, seen: str) -> str:
    """All three in one text, whose hash Python knows already when it is counted again."""
    return SEPARATOR.join((place, documented, seen))


class Refused(dict[str, int]):
    """The counts of deviations where there must be none."""

    def __missing__(self, one: str) -> int:
        raise MisfitError(*one.split(SEPARATOR)[1:])


Decoder = Callable[[Any, Findings], Any]
Filler = Callable[[list[Any], Any, Findings], None]


def read_json(content: bytes) -> Any:
    """The value of a JSON text, without losing a digit; of members of one name the last counts.

    Raises:
        ValueError: it is none; NaN and Infinity are none, either.
        RecursionError: it is nested too deep.

    """
    return _parser()(content)


@cache
def _parser() -> Callable[[bytes], Any]:
    """The parser of the extra `speed`, where it is installed; looked for when it is needed, not at import."""
    try:
        from msgspec import MsgspecError
        from msgspec.json import Decoder as Parser
    except ImportError:
        return _standard
    parse = Parser(float_hook=Number).decode

    def read(content: bytes) -> Any:
        try:
            return parse(content)
        except (MsgspecError, ValueError, RecursionError):
            # It refuses some of what is accepted without it, such as other encodings; so what is read does not differ.
            return _standard(content)

    return read


def _standard(content: bytes) -> Any:
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
    read = _reader(kind, place, optional=optional)
    if not optional or _knows_null(kind):
        return read
    null = deviation(place, _name(kind), "null")

    def read_optional(value: Any, findings: Findings) -> Any:
        if value is None:
            findings.counts[null] += 1
            return None
        return read(value, findings)

    return read_optional


def _reader(kind: Any, place: str, *, optional: bool) -> Decoder:
    """As `decoder`, of a value that is not null unless the type itself says what null is."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any or kind is None:
        return _anything
    if isinstance(kind, UnionType) or origin is Union:
        return _union(inner, place, optional=optional)
    if origin is list:
        return _list(inner[0], place)
    if kind in FIELDS:
        return _model(kind, place)
    if origin is Literal or issubclass(kind, Enum):
        values = {(type(value), value): value for value in inner} or {(type(one.value), one.value): one for one in kind}
        return _one_of(values)
    if kind is date:
        return _day(place, optional=optional)
    if kind is datetime:
        return _date(kind, place, optional=optional)
    if kind is str:
        return _text(place)
    if kind in (int, float, bool, UUID):
        return _scalar(kind, place)
    raise MisfitError(_name(kind), "JSON, which cannot hold it")


def _knows_null(kind: Any) -> bool:
    return kind is Any or kind is None or isinstance(kind, UnionType) or get_origin(kind) is Union


def _name(kind: Any) -> str:
    return NAMES.get(kind) or ("array" if get_origin(kind) is list else "object" if kind in FIELDS else "other value")


def _anything(value: Any, _: Findings) -> Any:
    return value


# Straight through the fields of a model, in the order of the contract, since a loop over them takes twice the time; and
# without the `__init__` of the model, which takes as long again. Generated models have no base class, no hook of attrs
# and no default but None, so that nothing is left out: tests/test_speed.py asks it of each.
MODEL = """
def fill(models, values, findings):
    counts = findings.counts
    start = len(counts)
    for value in values:
        if type(value) is not dict:
            raise MisfitError("object", kind_of(value))
        complete, at = True, None
        try:
            {fetch}
        except KeyError:
            complete = False
            {fetch_if_sent}
        model = new(kind)
        try:
            {fill}
        except MisfitError as misfit:
            raise first(value, at, misfit, findings)
        if not (complete or needed <= value.keys()):
            raise lacking(value)
        if at is not None and len(counts) > start:
            findings.arrange(start, place, [*map(step, value)])
            start = len(counts)
        models.append(model)
"""
FIELD = """
            if {differs}:
                at = {name!r}
                if item{n} is None and {null}:
                    counts[null{n}] += 1
                elif item{n} is absent:
                    item{n} = None
                {numbers}else:
                    item{n} = read{n}(item{n}, findings)
            model.{attribute} = item{n}
"""
NUMBERS = """elif item{n}.__class__ is int:
                    counts[integer{n}] += 1
                    item{n} = str(item{n})
                elif item{n}.__class__ is Number:
                    counts[number{n}] += 1
                    item{n} = item{n}._text
                """
UNKNOWN = """
            if not complete:
                more = {{}}
                if not value.keys() <= known.keys():
                    more = {{name: item for name, item in value.items() if name not in known}}
            elif len(value) == {number}:
                more = {{}}
            else:
                more = value.copy()
                {drop}
            model.additional_properties = more
"""
TYPED = """
            for at in more:
                more[at] = read_unknown(more[at], findings)
"""


@cache
def _code(kind: Any) -> CodeType:
    """What defines the decoder of a model, wherever such models are."""
    shape, needed = FIELDS[kind], _needed(kind)
    fetch, fetch_if_sent, fill = ["pass"], ["pass"], ["pass"]
    for n, (name, (attribute, inner)) in enumerate(shape.known.items()):
        fetch.append(f"item{n} = value[{name!r}]")
        fetch_if_sent.append(f"item{n} = value.get({name!r}, absent)")
        # Most values are of a type that needs no reading.
        differs = f"item{n}.__class__ is not {inner.__name__}" if inner in (str, int, bool) else True
        null = name not in needed and not _knows_null(inner)
        numbers = NUMBERS.format(n=n) if inner is str else ""
        fill.append(FIELD.format(n=n, name=name, attribute=attribute, differs=differs, null=null, numbers=numbers))
    if shape.unknown is not None:
        drop = [f"del more[{name!r}]" for name in shape.known]
        fill.append(UNKNOWN.format(number=len(drop), drop="; ".join(drop) or "pass"))
    if shape.unknown not in (None, Any):
        fill.append(TYPED)
    parts = (f"\n{' ' * 12}".join(lines) for lines in (fetch, fetch_if_sent, fill))
    text = MODEL.format(**dict(zip(("fetch", "fetch_if_sent", "fill"), parts, strict=True)))
    return compile(text, f"<the decoder of {kind.__name__}>", "exec")


def _needed(kind: Any) -> set[str]:
    """The names of the fields that a model must have."""
    attributes = fields_dict(kind)
    return {name for name, (attribute, _) in FIELDS[kind].known.items() if attributes[attribute].default is NOTHING}


def _model(kind: Any, place: str) -> Decoder:
    fill = _models(kind, place)

    def decode(value: Any, findings: Findings) -> Any:
        models: list[Any] = []
        fill(models, (value,), findings)
        return models[0]

    return decode


def _models(kind: Any, place: str) -> Filler:
    """What appends the models of some values to a list."""
    known, needed, unknown = FIELDS[kind].known, _needed(kind), FIELDS[kind].unknown

    def step(name: str) -> str:
        return member(name) if name in known else ".*"

    def first(value: dict[str, Any], name: str, misfit: MisfitError, findings: Findings) -> MisfitError:
        """The misfit that was sent first, of which the one of the field `name` was met first."""
        for other, item in value.items():
            if other == name:
                break
            inner = known[other][1] if other in known else unknown
            try:
                read = decoder(inner, place + step(other), optional=other in known and other not in needed)
                read(item, Findings(strict=findings.strict))
            except MisfitError as sooner:
                name, misfit = other, sooner
                break
        misfit.path.append(member(name))
        return misfit

    def lacking(value: dict[str, Any]) -> MisfitError:
        name = next(name for name in known if name in needed - value.keys())
        return MisfitError(f"object with `{name}`", "object without it")

    def later(key: str, inner: Any, step: str, *, optional: bool) -> Decoder:
        """A reader that is made when it is needed: a model may hold itself."""

        def read(value: Any, findings: Findings) -> Any:
            space[key] = _reader(inner, place + step, optional=optional)
            return space[key](value, findings)

        return read

    space = {"MisfitError": MisfitError, "Number": Number, "kind_of": kind_of, "new": object.__new__, "kind": kind}
    space |= {"known": known, "needed": needed, "place": place, "step": step, "first": first, "lacking": lacking}
    space["absent"] = object()
    space["read_unknown"] = later("read_unknown", unknown, ".*", optional=False)
    for n, (name, (_, inner)) in enumerate(known.items()):
        for seen in ("null", "integer", "number"):
            space[f"{seen}{n}"] = deviation(place + step(name), _name(inner), seen)
        space[f"read{n}"] = later(f"read{n}", inner, step(name), optional=name not in needed)
    exec(_code(kind), space)  # noqa: S102 # the text is above; of the contract it has names, as literals
    fill: Filler = space["fill"]
    return fill


def _list(kind: Any, place: str) -> Decoder:
    fill = _models(kind, f"{place}[*]") if kind in FIELDS else _others(kind, f"{place}[*]")

    def decode(value: Any, findings: Findings) -> Any:
        if type(value) is not list:
            raise MisfitError("array", kind_of(value))
        items: list[Any] = []
        try:
            fill(items, value, findings)
        except MisfitError as misfit:
            misfit.path.append(f"[{len(items)}]")
            raise
        return items

    return decode


def _others(kind: Any, place: str) -> Filler:
    read = decoder(kind, place)

    def fill(items: list[Any], values: list[Any], findings: Findings) -> None:
        for value in values:
            items.append(read(value, findings))

    return fill


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
                    for one, count in own.counts.items():
                        findings.counts[one] += count
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


def _text(place: str) -> Decoder:
    number, integer = (deviation(place, "string", seen) for seen in ("number", "integer"))

    def decode(value: Any, findings: Findings) -> Any:
        if type(value) is Number:
            findings.counts[number] += 1
            return value._text
        if type(value) is int:
            findings.counts[integer] += 1
            return str(value)
        if type(value) is not str:
            raise MisfitError("string", kind_of(value))
        return value

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


def _day(place: str, *, optional: bool) -> Decoder:
    """Most dates are of the documented form, and are read in a tenth of the time that others take."""
    read_other, read_day = _date(date, place, optional=optional), date.fromisoformat

    def decode(value: Any, findings: Findings) -> Any:
        try:
            day = read_day(value)
            if len(value) == 10 and value[5] != "W":  # not 20230701, not 2023-W26-6
                return day
        except (TypeError, ValueError):
            pass
        return read_other(value, findings)

    return decode


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

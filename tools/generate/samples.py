"""Values that the proof passes through generated code: samples of a schema, and arguments of a type."""

from __future__ import annotations

import enum
import inspect
import types
import typing
from datetime import UTC, date, datetime, timedelta
from functools import cache, reduce
from itertools import count
from operator import or_
from typing import Any
from uuid import UUID

from tools.contract import Contract, is_reference, mapping, sequence

EXTRA = "x-extra"  # a field that the contract does not have
DEPTH = 3  # deeper objects have only their required fields, as their schemas have their own samples
hints_of = cache(typing.get_type_hints)
NUMBERS = count(7)  # values are unique, so that swapped values are noticed


def samples(contract: Contract, schema: Any, seen: frozenset[int] = frozenset()) -> list[Any]:
    """Samples that together contain every property, every enumeration value and every member of a combination.

    Args:
        contract: The contract of the schema.
        schema: The schema, or a reference to one.
        seen: The ids of the enclosing schemas. A schema that contains itself has no sample.

    """
    if seen and is_reference(schema):
        # A component has its own samples: here one is enough, and below DEPTH none.
        return samples(contract, contract.resolve(schema), seen)[:1] if len(seen) <= DEPTH else []
    schema = mapping(contract.resolve(schema))
    if id(schema) in seen:
        return []
    seen |= {id(schema)}
    if values := [value for value in sequence(schema.get("enum")) if value is not None]:
        return values
    if "const" in schema:
        return [schema["const"]]
    if alternatives := _alternatives(schema):
        return [one for alternative in alternatives for one in samples(contract, alternative, seen)]
    parts = [samples(contract, node, seen) for node in sequence(schema.get("allOf")) if _has_type(contract, node)]
    for part in parts:
        if part and not isinstance(part[0], dict):
            return part
    return _of_type(contract, schema, parts, seen)


def _of_type(contract: Contract, schema: dict[str, Any], parts: list[list[Any]], seen: frozenset[int]) -> list[Any]:
    """Samples of a schema without alternatives; `parts` are the samples of the members of its `allOf`."""
    kind = schema.get("type")
    if kind == "array":
        return [[item] for item in samples(contract, schema.get("items"), seen)] or [[]]
    is_object = kind == "object" or (not kind and (parts or "properties" in schema))
    if not is_object:
        return _simple(str(kind), schema.get("format"))
    fields = {name: samples(contract, node, seen) for name, node in mapping(schema.get("properties")).items()}
    if isinstance(schema.get("additionalProperties"), dict):
        fields[EXTRA] = samples(contract, schema["additionalProperties"], seen)
    return _combined(parts + [[{name: value} for value in values] for name, values in fields.items()])


def _combined(parts: list[list[Any]]) -> list[Any]:
    """As many objects as the longest part has samples, each with one sample of every part."""
    rows = range(max(map(len, parts), default=1))
    return [reduce(or_, (part[row % len(part)] for part in parts if part), {}) for row in rows]


def _simple(kind: str, form: Any) -> list[Any]:
    number = next(NUMBERS)
    day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
    if kind == "null" or (kind == "string" and form == "binary"):
        return []
    values: dict[Any, Any] = {"integer": number, "number": number + 0.5, "boolean": True}
    if kind == "string":
        values = {"date": day.date().isoformat(), "date-time": day.isoformat(), "uuid": str(UUID(int=number))}
    return [values.get(form if kind == "string" else kind, f"text {number}")]


def _has_type(contract: Contract, schema: Any) -> bool:
    """Whether a member of a combination defines a type and does not only limit it."""
    return bool(mapping(contract.resolve(schema)).keys() - {"required", "description", "title", "default"})


def _alternatives(schema: dict[str, Any]) -> list[Any]:
    """The alternatives except null, which Python reads as absent."""
    found = [*sequence(schema.get("oneOf")), *sequence(schema.get("anyOf"))]
    if isinstance(kinds := schema.get("type"), list):
        found += [{**schema, "type": kind} for kind in kinds]
    return [member for member in found if mapping(member).get("type") != "null"]


def made(hint: Any, turn: int = 0, depth: int = 0) -> Any:
    """A value of an argument's type. Every field of an object is filled, down to a limited depth.

    Args:
        hint: The type, from `hints_of`.
        turn: The index of the alternative or enumeration value to use.
        depth: The number of enclosing objects.

    """
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return made(options[turn % len(options)], turn, depth)
    if origin is list:
        return [made(options[0], turn, depth)]
    if origin is typing.Literal or isinstance(hint, enum.EnumMeta):
        choices = options or [*hint]
        return choices[turn % len(choices)]
    number = next(NUMBERS)
    day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
    simple = {str: f"text {number}", int: number, float: number + 0.5, bool: True, UUID: UUID(int=number)}
    simple |= {date: day.date(), datetime: day, Any: "any"}
    if hint in simple:
        return simple[hint]
    hints = hints_of(hint)
    parameters = inspect.signature(hint).parameters.values()
    names = [one.name for one in parameters if depth < DEPTH or one.default is one.empty]
    value = hint(**{name: made(hints[name], turn, depth + 1) for name in names})
    if "additional_properties" in hints and depth < DEPTH:
        value[EXTRA] = made(typing.get_args(hints["additional_properties"])[1], turn, depth + 1)
    return value

"""Values that the proof passes through generated code: samples of a schema, and arguments of a type."""

from __future__ import annotations

import enum
import inspect
import types
import typing
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import cache, reduce
from itertools import count
from operator import or_
from typing import Any
from uuid import UUID

from tools.contract import Contract, is_reference, mapping, sequence

EXTRA = "x-extra"  # a field that the contract does not have
DEPTH = 3  # deeper objects have only their required fields, as their schemas have their own samples
LONGEST = 100  # items
# Keywords that give a schema a type. A member of `allOf` that has none of them only limits the others.
DEFINING = {"$ref", "type", "enum", "const", "properties", "items", "allOf", "anyOf", "oneOf", "additionalProperties"}
Above = frozenset[int]
Needed = frozenset[str] | None
hints_of = cache(typing.get_type_hints)
NUMBERS = count(7)  # values are unique, so that swapped values are noticed


def samples(contract: Contract, schema: Any, above: Above = frozenset(), needed: Needed = None) -> list[Any]:
    """Samples that together contain every property, every enumeration value and every member of a combination.

    Args:
        contract: The contract of the schema.
        schema: The schema, or a reference to one.
        above: The ids of the enclosing schemas.
        needed: None for all properties. Else objects have their required properties only, and those named here.

    Returns:
        Valid values; none if every value contains a file, which JSON has no form for, or itself without end.

    """
    if above and is_reference(schema):
        schema = mapping(contract.resolve(schema))
        if needed is None and (len(above) > DEPTH or id(schema) in above):
            return samples(contract, schema, frozenset(), frozenset())[:1]
        found = samples(contract, schema, above, needed)
        is_inlined = schema.get("type") == "array" or alternatives(schema)
        return found if is_inlined else found[:1]  # a component that becomes a class has its own samples
    schema = mapping(contract.resolve(schema))
    if id(schema) in above:
        return []
    above |= {id(schema)}
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        found = sequence(schema["enum"])
    elif members := alternatives(schema):
        found = [one for each in members for one in samples(contract, each, above, needed)]
    else:
        return _of_type(contract, schema, above, needed)
    return [one for one in found if one is not None] or found[:1]  # Python reads null as absent


def _of_type(contract: Contract, schema: dict[str, Any], above: Above, needed: Needed) -> list[Any]:
    """Samples of a schema without alternatives."""
    kind, members = schema.get("type"), map(contract.resolve, sequence(schema.get("allOf")))
    required = {name for part in (schema, *contract.parts(schema)) for name in sequence(part.get("required"))}
    if needed is not None:
        needed |= required
    parts = [samples(contract, node, above, needed) for node in members if mapping(node).keys() & DEFINING]
    if [] in parts or any(not isinstance(part[0], dict) for part in parts):
        return next(part for part in parts if not part or not isinstance(part[0], dict))
    if kind == "array":
        return _arrays(contract, schema, above, needed)
    if kind != "object" and (kind or not (parts or "properties" in schema)):
        return _simple(str(kind), schema.get("format"))
    for name, node in mapping(schema.get("properties")).items():
        if needed is None or name in needed:
            values = samples(contract, node, above, None if needed is None else frozenset())
            if not values and name in required:
                return []
            parts.append([{name: value} for value in values if value is not None or name in required])
    if needed is None and isinstance(others := schema.get("additionalProperties"), dict):
        parts.append([{EXTRA: value} for value in samples(contract, others, above)])
    rows = range(max(map(len, parts), default=1) or 1)
    return [reduce(or_, (part[row % len(part)] for part in parts if part), {}) for row in rows]


def _arrays(contract: Contract, schema: dict[str, Any], above: Above, needed: Needed) -> list[Any]:
    length = min(int(schema.get("minItems", 0)), LONGEST)
    if needed is not None and not length:
        return [[]]
    items = samples(contract, schema.get("items"), above, None if needed is None else frozenset())
    return [[item] * max(length, 1) for item in items] or [[]] * (not length)


def _simple(kind: str, form: Any) -> list[Any]:
    number = next(NUMBERS)
    day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
    if kind == "string" and form == "binary":
        return []
    values: dict[Any, Any] = {"integer": number, "number": number + 0.5, "boolean": True, "null": None}
    if kind == "string":
        values = {"date": day.date().isoformat(), "date-time": day.isoformat(), "uuid": str(UUID(int=number))}
    return [values.get(form if kind == "string" else kind, f"text {number}")]


def alternatives(schema: dict[str, Any]) -> list[Any]:
    """The schemas that a schema is a choice of: the members of `oneOf` and `anyOf`, and one for each of its types."""
    found = [*sequence(schema.get("oneOf")), *sequence(schema.get("anyOf"))]
    if isinstance(kinds := schema.get("type"), list):
        found += [{**schema, "type": kind} for kind in kinds]
    return found


def made(hint: Any, turn: int = 0, above: tuple[Any, ...] = ()) -> Any:
    """A value of an argument's type. Every field of an object is filled, down to a limited depth.

    Args:
        hint: The type, from `hints_of`.
        turn: The index of the alternative or enumeration value to use.
        above: The types of the enclosing objects.

    Raises:
        RecursionError: every value contains itself.

    """
    options = [option for option in typing.get_args(hint) if option is not types.NoneType]
    origin, is_deep = typing.get_origin(hint), len(above) >= DEPTH
    if origin in (typing.Union, types.UnionType):
        return _made_of_union(hint, options[turn % len(options) :] + options, turn, above)
    if origin is list:
        return [] if is_deep else [made(options[0], turn, above)]
    if origin is typing.Literal or isinstance(hint, enum.EnumMeta):
        choices = options or [*hint]
        return choices[turn % len(choices)]
    number = next(NUMBERS)
    day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
    simple: dict[Any, Any] = {
        str: f"text+{number}",  # it must be quoted in a URL, but joins no items
        int: number,
        float: number + 0.5,
        bool: True,
        UUID: UUID(int=number),
    }
    simple |= {date: day.date(), datetime: day, Any: "any", None: None, types.NoneType: None}
    if hint in simple:
        return simple[hint]
    if hint in above[DEPTH:]:
        raise RecursionError
    hints = hints_of(hint)
    parameters = inspect.signature(hint).parameters.values()
    names = [one.name for one in parameters if not is_deep or one.default is one.empty]
    value = hint(**{name: made(hints[name], turn, (*above, hint)) for name in names})
    if "additional_properties" in hints and not is_deep:
        value[EXTRA] = made(typing.get_args(hints["additional_properties"])[1], turn, (*above, hint))
    return value


def _made_of_union(hint: Any, options: list[Any], turn: int, above: tuple[Any, ...]) -> Any:
    """A value of the first option that has a finite one."""
    for option in options:
        with suppress(RecursionError):
            return made(option, turn, above)
    if types.NoneType in typing.get_args(hint):
        return None
    raise RecursionError

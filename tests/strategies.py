"""Strategies of the property tests: bodies that a schema of the contract allows, and faulty variants of them."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tools.contract import Contract, Where, mapping, sequence

__all__ = [
    "EXAMPLES",
    "MARK",
    "TALLY",
    "TOKENS",
    "Bodies",
    "Members",
    "Token",
    "as_tree",
    "examples",
    "mangled",
    "mutated",
    "written",
]

EXAMPLES = int(os.environ.get("EXAMPLES", "2000"))
"""The number of examples for all properties together; see `make fuzz`."""
TALLY: Counter[str] = Counter()
"""Counts of the results, which `make fuzz` prints."""
MARK = "s3cret-value"
"""A text that some values contain and no message may contain."""


def examples(thousandth: int, at_least: int = 5) -> settings:
    """Settings of a property that gets `thousandth` / 1000 of EXAMPLES. If EXAMPLES is not set, they are always the same."""
    return settings(
        max_examples=max(at_least, EXAMPLES * thousandth // 1000),
        derandomize="EXAMPLES" not in os.environ,
        database=None,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )


TEXT = st.one_of(
    st.sampled_from(
        ["", "3700.00 usd", "20000", "1000000001", "2023-07-22", "2023-07-22T10:00:00Z", "05", "1e5", MARK]
    ),
    st.text(max_size=6),
    st.text(st.characters(), max_size=3),  # includes lone surrogates, which JSON can escape
)
NAMES = st.one_of(st.sampled_from(["key", "x-y", "type", "self", "Amount", "a b", 'a"b', ""]), st.text(max_size=4))
INTEGERS = st.one_of(st.integers(-5, 5), st.integers(), st.integers(-(10**60), 10**60))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), INTEGERS, NUMBERS, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FORMATS: dict[tuple[str, str | None], st.SearchStrategy[Any]] = {
    ("string", "date"): st.dates().map(str),
    ("string", "date-time"): st.one_of(
        st.datetimes(timezones=OFFSETS).map(datetime.isoformat),
        st.datetimes().map(lambda when: f"{when.isoformat()}Z"),
    ),
    ("string", "uuid"): st.uuids().map(str),
    ("integer", None): st.one_of(INTEGERS, st.integers(-(2**50), 2**50).map(float)),  # 5.0 is an integer in JSON Schema
    ("number", None): st.one_of(INTEGERS, NUMBERS),
    ("boolean", None): st.booleans(),
    ("null", None): st.none(),
    ("string", None): TEXT,
}


class Bodies:
    """The bodies that the schemas of a contract allow."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._contract = Contract(Path(), root)
        self._named: dict[Where, st.SearchStrategy[Any]] = {}

    def named(self, name: str) -> st.SearchStrategy[Any]:
        """The bodies that a component allows."""
        return self.of({"$ref": f"#/components/schemas/{name}"})

    def of(self, schema: Any) -> st.SearchStrategy[Any]:
        """The bodies that a schema allows."""
        if (where := self._contract.follow(schema)) is None:
            return self._of(mapping(schema))
        if where not in self._named:
            self._named[where] = st.deferred(lambda: self._of(mapping(self._contract.at(where))))
        return self._named[where]

    def _of(self, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
        kind, parts = schema.get("type"), [*self._parts(schema)]
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if members := [*sequence(schema.get("anyOf")), *sequence(schema.get("oneOf"))]:
            return st.one_of([self.of(member) for member in members])
        if isinstance(kind, list):
            return st.one_of([self.of({**schema, "type": one}) for one in kind])
        if kind == "array":
            return st.lists(self.of(schema.get("items")), max_size=3)
        if kind == "object" or any("properties" in part for part in parts):
            return self._object(parts)
        if len(parts) > 1:
            return self.of(schema["allOf"][0])
        if kind is None:
            return ANY
        return FORMATS.get((kind, schema.get("format")), FORMATS[kind, None])

    def _object(self, parts: list[dict[str, Any]]) -> st.SearchStrategy[Any]:
        fields = {name: node for part in parts for name, node in mapping(part.get("properties")).items()}
        needed = {name for part in parts for name in sequence(part.get("required"))}
        unknown = next((part["additionalProperties"] for part in parts if "additionalProperties" in part), True)
        known = st.fixed_dictionaries(
            {name: self.of(node) for name, node in fields.items() if name in needed},
            optional={name: self.of(node) for name, node in fields.items() if name not in needed},
        )
        if unknown is False:
            return known
        names = NAMES.filter(lambda name: name not in fields)
        more = st.dictionaries(names, ANY if unknown is True else self.of(unknown), max_size=2)
        return st.builds(lambda one, other: {**one, **other}, known, more)

    def _parts(self, schema: Any) -> Iterator[dict[str, Any]]:
        """A schema and the members of its allOf, at any depth."""
        node = mapping(self._contract.resolve(schema))
        yield node
        for member in sequence(node.get("allOf")):
            yield from self._parts(member)


class Members(list[tuple[str, Any]]):
    """An object as it is written, in which a name can occur twice."""


class Token(str):
    """A number as it is written."""

    __slots__ = ()


TOKENS = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True).map(Token)


def as_tree(value: Any) -> Any:
    """A JSON value with its objects as Members."""
    if isinstance(value, dict):
        return Members((name, as_tree(item)) for name, item in value.items())
    return [as_tree(item) for item in value] if isinstance(value, list) else value


def written(tree: Any) -> str:
    """The JSON text of a tree."""
    if isinstance(tree, Members):
        return "{" + ", ".join(f"{json.dumps(name)}: {written(item)}" for name, item in tree) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(written, tree)) + "]"
    return str(tree) if isinstance(tree, Token) else json.dumps(tree)


def _places(tree: Any, place: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    yield place
    if isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from _places(item[1] if isinstance(tree, Members) else item, (*place, index))


def _at(tree: Any, place: tuple[int, ...]) -> Any:
    for index in place:
        tree = tree[index][1] if isinstance(tree, Members) else tree[index]
    return tree


def _put(tree: Any, place: tuple[int, ...], value: Any) -> Any:
    """The tree with another value at a place."""
    if not place:
        return value
    parent = _at(tree, place[:-1])
    parent[place[-1]] = (parent[place[-1]][0], value) if isinstance(parent, Members) else value
    return tree


FIELD_NAMES = [
    "_embedded",
    "_links",
    "invoices",
    "total",
    "amount",
    "invoice_due_date",
    "installment_number",
    "errorCode",
]


def _changed(draw: st.DrawFn, tree: Any) -> Any:
    place = draw(st.sampled_from([*_places(tree)]))
    node, parent = _at(tree, place), _at(tree, place[:-1]) if place else None
    match draw(st.sampled_from(["kind", "null", "number", "drop", "rename", "twice", "wrap", "unwrap", "retype"])):
        case "kind":
            return _put(tree, place, as_tree(draw(ANY)))
        case "null":
            return _put(tree, place, None)
        case "number":
            return _put(tree, place, draw(TOKENS))
        case "drop" if parent is not None:
            del parent[place[-1]]
        case "rename" if isinstance(parent, Members):
            parent[place[-1]] = (draw(st.one_of(st.sampled_from(FIELD_NAMES), NAMES)), node)
        case "twice" if isinstance(parent, Members):
            parent.insert(draw(st.integers(0, len(parent))), (parent[place[-1]][0], as_tree(draw(ANY))))
        case "wrap":
            name = draw(st.one_of(st.none(), st.sampled_from(FIELD_NAMES), NAMES))
            return _put(tree, place, [node] if name is None else Members([(name, node)]))
        case "unwrap" if isinstance(node, list) and node:
            return _put(tree, place, _at(node, (draw(st.integers(0, len(node) - 1)),)))
        case "retype" if isinstance(node, str):
            return _put(tree, place, draw(st.one_of(TOKENS, st.just(Token(len(node))))))
        case "retype" if isinstance(node, int | float):
            return _put(tree, place, json.dumps(node))
    return tree


@st.composite
def mutated(draw: st.DrawFn, bodies: st.SearchStrategy[Any]) -> bytes:
    """The text of a body in which up to three places are changed."""
    tree = as_tree(draw(bodies))
    for _ in range(draw(st.integers(1, 3))):
        tree = _changed(draw, tree)
    return written(tree).encode()


@st.composite
def mangled(draw: st.DrawFn, bodies: st.SearchStrategy[Any]) -> bytes:
    """The text of a body with up to three changes of its bytes."""
    text = json.dumps(draw(bodies), ensure_ascii=draw(st.booleans()))
    content = bytearray(
        text.encode(draw(st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-32-le"])), "surrogatepass")
    )
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(["cut", "flip", "insert", "remove"])):
            case "cut":
                del content[place:]
            case "flip" if place < len(content):
                content[place] ^= 1 << draw(st.integers(0, 7))
            case "insert":
                some = st.sampled_from(
                    [b"NaN", b"-Infinity", b"1e999", b"\\u", b"\xed\xa0\x80", b"\x00", b"[[[", b"}", b",", b"0"]
                )
                content[place:place] = draw(st.one_of(some, st.binary(min_size=1, max_size=4)))
            case "remove":
                del content[place : place + draw(st.integers(1, 8))]
    return bytes(content)

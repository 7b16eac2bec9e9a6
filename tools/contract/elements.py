"""The elements of a contract: the parts that have a provenance, their own or inherited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PROVENANCE = "x-provenance"
STATUSES = ("documented", "observed", "assumed")
LITERALS = ("example", "examples", "default", "enum", "const")
"""Keys of literal values, in which other keys have no meaning."""
NAMED = ("parameters", "responses", "headers", "links", "properties", "patternProperties", "$defs", "dependentSchemas")
"""Keys that hold parts by name. Such a name may be one of `LITERALS`."""
CARRIERS = ("parameter", "response", "header", "request body")
"""The kinds of elements that carry values with a schema."""

# The styles of parameters that the client can send, by place: the default comes first. Elsewhere it is `simple`.
STYLES = {"query": ("form", "spaceDelimited", "pipeDelimited"), "cookie": ("form",)}

Where = tuple[str | int, ...]
"""The keys and indexes that lead from the root of the contract to a value."""

# The kinds of children of each kind of node, by key. A star: one child for each name or index under that key.
_SCHEMA = {
    "properties": "property*",
    **dict.fromkeys(("items", "additionalProperties", "not"), "schema"),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), "schema*"),
}
_HOLDS: dict[str, dict[str, str]] = {
    "contract": {"tags": "tag*", "paths": "path*", "components": "components"},
    "path": {"parameters": "parameter*", **dict.fromkeys(METHODS, "operation")},
    "operation": {"parameters": "parameter*", "requestBody": "request body", "responses": "response*"},
    "components": {
        "parameters": "parameter*",
        "responses": "response*",
        "headers": "header*",
        "requestBodies": "request body*",
        "securitySchemes": "security scheme*",
        "schemas": "schema*",
    },
    "parameter": {"schema": "schema", "content": "media type*"},
    "header": {"schema": "schema", "content": "media type*"},
    "response": {"headers": "header*", "content": "media type*"},
    "request body": {"content": "media type*"},
    "media type": {"schema": "schema"},
    "schema": _SCHEMA,
    "property": _SCHEMA,
}


@dataclass(frozen=True)
class Element:
    """A part of the contract that has a provenance, its own or inherited from the enclosing element."""

    kind: str
    """tag, path, operation, parameter, response, header, request body, schema, property or security scheme."""
    name: str
    where: Where
    node: dict[str, Any]
    provenance: dict[str, Any] | None

    @property
    def status(self) -> str | None:
        """documented, observed or assumed; None if it has no provenance."""
        return (self.provenance or {}).get("status")


def elements(data: dict[str, Any]) -> Iterator[Element]:
    """Every element of a contract that has a provenance, outer ones first."""
    return _walk(Element("contract", "", (), data, None))


def _walk(outer: Element) -> Iterator[Element]:
    for keys, kind, node in _held(outer):
        if not isinstance(node, dict) or (is_reference(node) and kind != "property"):
            continue  # the target of a reference is a separate element
        own = node.get(PROVENANCE)
        provenance = own if isinstance(own, dict) else outer.provenance
        element = Element(kind, _name(outer, kind, keys[-1], node), (*outer.where, *keys), node, provenance)
        if kind not in ("components", "media type"):
            yield element
        yield from _walk(element)


def _held(outer: Element) -> Iterator[tuple[Where, str, Any]]:
    """The children of an element: the keys that lead to each, its kind, and its node."""
    for key, kind in _HOLDS.get(outer.kind, {}).items():
        held = outer.node.get(key)
        if not kind.endswith("*"):
            yield (key,), kind, held
            continue
        for name, node in held.items() if isinstance(held, dict) else enumerate(sequence(held)):
            yield (key, name), kind[:-1], node


def _name(outer: Element, kind: str, key: str | int, node: dict[str, Any]) -> str:
    if kind == "property":
        return f"{outer.name}.{key}"
    if kind == "operation":
        return f"{str(key).upper()} {outer.name}"
    if kind in ("tag", "parameter"):
        return str(node.get("name", key))
    if kind in ("path", "response", "header") or outer.kind == "components":
        return str(key)
    return outer.name


def mapping(node: Any) -> dict[Any, Any]:
    """`node` if it is a mapping, else an empty one, so that a rule can go on despite faults that other rules report."""
    return node if isinstance(node, dict) else {}


def sequence(node: Any) -> list[Any]:
    """`node` if it is a list, else an empty list."""
    return node if isinstance(node, list) else []


def is_reference(node: Any) -> bool:
    """Whether `node` is a reference, whose target is a separate element."""
    return "$ref" in mapping(node)


def members(schema: Any) -> list[Any]:
    """The schemas that a schema is directly combined from, by `allOf`, `anyOf` or `oneOf`."""
    return [member for key in ("allOf", "anyOf", "oneOf") for member in sequence(mapping(schema).get(key))]


def in_example(where: Where) -> bool:
    """Whether a place is inside an example or another literal value, where OpenAPI gives keys no meaning."""
    return any(key in LITERALS and not _is_name(where, index) for index, key in enumerate(where))


def _is_name(where: Where, index: int) -> bool:
    """Whether a key of a place is a name that the author chose, such as that of a component."""
    return (where[0] == "components" and index == 2) or (index > 0 and where[index - 1] in NAMED)


def separator(parameter: dict[str, Any]) -> str:
    """The text that joins the items of an array in a parameter; empty if each is sent by itself."""
    style = parameter.get("style") or STYLES.get(str(parameter.get("in")), ("simple",))[0]
    is_exploded = parameter.get("explode", style == "form") and parameter.get("in") in STYLES
    return "" if is_exploded else {"spaceDelimited": " ", "pipeDelimited": "|"}.get(style, ",")

"""The keywords of a part of a contract, flattened and normalized, so that a change of notation alone does not count."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.contract import PROVENANCE, Contract, Where, mapping, sequence

Keywords = dict[Where, Any]
"""Values by the keys that lead to them, the last of which is the keyword."""

MEMBERS = ("allOf", "anyOf", "oneOf", "prefixItems")
"""Keywords that hold a list of parts."""
NAMED = ("content", "dependentSchemas", "patternProperties", "properties")
"""Keywords that hold parts by name; these names are not keywords."""
INNER = ("additionalProperties", "contains", "items", "not", "propertyNames", "schema")
"""Keywords that hold one part."""
NO_EFFECT_IF_EMPTY = (
    *("allowEmptyValue", "deprecated", "minItems", "minLength", "minProperties", "required", "uniqueItems"),
    *NAMED,
)
"""Keywords without effect if they are false, 0 or empty."""
COMPARED_ELSEWHERE = ("explode", "style")
"""Keywords that surface.py reads: they matter only for arrays."""
UNORDERED = ("enum", "required", "type")


@dataclass(frozen=True)
class Reading:
    """Reads parts of a contract."""

    contract: Contract
    classes: Mapping[str, str]
    """The Python class of each component that has one, by the component's name."""

    def plain(self, part: Any) -> dict[str, Any]:
        """A part without indirection: references are followed or name a class.

        A union with one member becomes that member. Null does not count as a member, because Python reads it as absent.
        """
        node: dict[str, Any] = dict(mapping(part))
        if "$ref" in node:
            name = self.classes.get(str(node["$ref"]).rpartition("/")[2])
            return {"$ref": name} if name else self.plain(self.contract.resolve(node))
        if isinstance(node.get("type"), list):
            types = [name for name in node["type"] if name != "null"]
            node["type"] = types[0] if len(types) == 1 else types
        for key in ("allOf", "anyOf", "oneOf"):
            members = [member for member in sequence(node.get(key)) if member != {"type": "null"}]
            if len(members) == 1:
                return {name: value for name, value in node.items() if name != key} | self.plain(members[0])
        return node

    def keywords(
        self, node: Any, left_out: Collection[str] = (), at: Where = (), around: frozenset[int] = frozenset()
    ) -> Iterator[tuple[Where, Any]]:
        """Each keyword of a part with its value.

        Args:
            node: The part.
            left_out: Keywords to leave out, from the part, its content and the items of a list.
            at: The place of this part, relative to the first one.
            around: The ids of the enclosing parts, to stop at a part that contains itself.

        """
        if id(node) in around:
            return
        for key, value in self.plain(node).items():
            if key in left_out or _has_no_effect(key, value):
                continue
            parts = _parts(key, value)
            inside = left_out if key in ("content", "items") else ()
            for place, part in parts:
                yield from self.keywords(part, inside, (*at, key, *place), around | {id(node)})
            if not parts:
                yield (*at, key), _own_value(key, value)


def _has_no_effect(key: str, value: Any) -> bool:
    if key.startswith("x-"):
        return key != PROVENANCE
    if key in NO_EFFECT_IF_EMPTY and not value:
        return True
    return key in COMPARED_ELSEWHERE or (key == "additionalProperties" and value is True)


def _own_value(key: str, value: Any) -> Any:
    """The value of a keyword without parts: of a provenance only the status, and some lists without their order."""
    if key == PROVENANCE:
        return mapping(value).get("status")
    return sorted(value, key=str) if key in UNORDERED and isinstance(value, list) else value


def _parts(key: str, value: Any) -> list[tuple[Where, Any]]:
    """The parts that a keyword holds, each with its place inside it."""
    if key in NAMED:
        return [((name,), part) for name, part in mapping(value).items()]
    if key in MEMBERS:
        return [((index,), part) for index, part in enumerate(sequence(value))]
    return [((), value)] if key in INNER and isinstance(value, dict) else []

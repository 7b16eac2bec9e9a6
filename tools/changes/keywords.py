"""The keywords of a part of a contract: flat, and in one form, so that another way to write the same is no change."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.contract import PROVENANCE, Contract, Where, mapping, sequence

__all__ = ["Keywords", "Reading"]

Keywords = dict[Where, Any]
"""Values by the keys that lead to them, the last of which is the keyword."""

MEMBERS = ("allOf", "anyOf", "oneOf", "prefixItems")
"""Hold parts in a list."""
NAMED = ("content", "dependentSchemas", "patternProperties", "properties")
"""Hold parts by names, which are no keywords."""
INNER = ("additionalProperties", "contains", "items", "not", "propertyNames", "schema")
"""Hold a part."""
EMPTY = (*NAMED, "allowEmptyValue", "deprecated", "minItems", "minLength", "minProperties", "required", "uniqueItems")
"""Mean nothing if they are false, 0 or empty."""
UNSAID = ("explode", "style")
"""Can only have their usual values, as `make validate` sees to."""
UNORDERED = ("enum", "required", "type")


@dataclass(frozen=True)
class Reading:
    """Reads parts of a contract."""

    contract: Contract
    classes: Mapping[str, str]
    """The classes that Python has for components, by the names of the components."""

    def plain(self, part: Any) -> dict[str, Any]:
        """A part without detours: references are followed (one to a class says which), a choice of one is that one.

        Null is left out of choices, since Python reads it as absent.
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
        self, node: Any, apart: Collection[str] = (), at: Where = (), around: frozenset[int] = frozenset()
    ) -> Iterator[tuple[Where, Any]]:
        """Each keyword of a part with its value.

        Args:
            node: The part.
            apart: Keywords to leave out, of the part itself, of what it carries and of the items of a list.
            at: Where it stands in the part that is read.
            around: The parts around it, by their ids: one that holds itself ends there.

        """
        if id(node) in around:
            return
        for key, value in self.plain(node).items():
            if key in apart or _says_nothing(key, value):
                continue
            parts, inside = _parts(key, value), apart if key in ("content", "items") else ()
            for place, part in parts:
                yield from self.keywords(part, inside, (*at, key, *place), around | {id(node)})
            if key == PROVENANCE:
                yield (*at, key), mapping(value).get("status")
            elif not parts:
                yield (*at, key), sorted(value, key=str) if key in UNORDERED and isinstance(value, list) else value


def _says_nothing(key: str, value: Any) -> bool:
    if key.startswith("x-"):
        return key != PROVENANCE
    return key in UNSAID or (key in EMPTY and not value) or (key == "additionalProperties" and value is True)


def _parts(key: str, value: Any) -> list[tuple[Where, Any]]:
    """The parts that a keyword holds, and where they stand in it."""
    if key in NAMED:
        return [((name,), part) for name, part in mapping(value).items()]
    if key in MEMBERS:
        return [((index,), part) for index, part in enumerate(sequence(value))]
    return [((), value)] if key in INNER and isinstance(value, dict) else []

"""Describes schemas in comparable words, so that a printed fragment and a schema of the contract can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tools.contract.document import Contract
from tools.contract.elements import mapping, sequence

# Keywords that do not limit a value, or that are compared separately.
_ANNOTATIONS = {"type", "format", "$ref", "title", "description", "example", "examples"}


def aliases(contract: Contract) -> dict[str, str]:
    """Our schema names by documented name, for schemas that are an `allOf` with one reference."""
    found: dict[str, str] = {}
    for name, schema in mapping(contract.at(("components", "schemas"))).items():
        match mapping(schema).get("allOf"):
            case [{"$ref": str(ref)}] if not _limits(schema, {}, "allOf"):
                found[name] = ref.rsplit("/", 1)[-1]
    return found


def signature(node: Any, names: Mapping[str, str], *compared: str) -> str:
    """The type of a schema in comparable words: `string (date)`, `array of InvoiceDetails`, `string with enum ["Due"]`.

    Args:
        node: The schema.
        names: The names to show instead of those of referenced schemas.
        compared: Keywords that are left out because they are compared elsewhere.

    """
    node = mapping(node)
    if isinstance(ref := node.get("$ref"), str):
        name = ref.rsplit("/", 1)[-1]
        text = names.get(name, name)
    elif node.get("type") == "array":
        text = f"array of {signature(node.get('items'), names)}"
        compared = (*compared, "items")
    else:
        kind = node.get("type", "anything")
        text = " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
    if "format" in node:
        text += f" ({node['format']})"
    found = _limits(node, names, *compared)
    return f"{text} with {', '.join(found)}" if found else text


def _limits(node: Any, names: Mapping[str, str], *compared: str) -> list[str]:
    """The keywords of a schema that limit its values, each with its value, except those in `compared`."""
    found = mapping(node)
    keys = [key for key in found if key not in {*_ANNOTATIONS, *compared} and not key.startswith("x-")]
    return [f"{key} {_limit(key, found[key], names)}" for key in sorted(keys)]


def _limit(key: str, value: Any, names: Mapping[str, str]) -> str:
    """The value of a keyword: schemas as signatures, and lists without their order."""
    if key in ("properties", "patternProperties"):
        parts = [f"{name}: {signature(part, names)}" for name, part in sorted(mapping(value).items())]
        return f"({'; '.join(parts)})"
    if isinstance(value, dict):
        return f"({signature(value, names)})"
    if any(isinstance(part, dict) for part in sequence(value)):
        return f"({'; '.join(sorted(signature(part, names) for part in value))})"
    return json.dumps(sorted(value, key=str) if isinstance(value, list) else value)

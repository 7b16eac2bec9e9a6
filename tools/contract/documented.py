"""The rule `documented`: the contract has all fragments of tests/documented/, and marks nothing else as documented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.contract.document import Contract, Finding
from tools.contract.elements import Element, Where, mapping

FRAGMENTS = Path(__file__).resolve().parent.parent.parent / "tests" / "documented"
RULE = "documented"
SCHEMAS = ("components", "schemas")

Printed = tuple[Where, str, str, str]
"""The place in the contract, its name in messages, and its signature on the page and in the contract."""

# Keywords that do not limit a value, or that are compared separately.
_ANNOTATIONS = {"type", "format", "$ref", "title", "description", "example", "examples"}


def fragments() -> list[dict[str, Any]]:
    """Every documented page as data, with the operationId that it describes under `operation`."""
    return [
        {**yaml.safe_load(file.read_text(encoding="utf-8")), "operation": file.stem.replace("-", "_")}
        for file in sorted(FRAGMENTS.glob("*.yaml"))
    ]


def compare(contract: Contract) -> Iterator[Finding]:
    """Findings where the contract and the documented pages differ, and elements wrongly marked as documented."""
    pages, names = fragments(), aliases(contract)
    paths = json.dumps(contract.data.get("paths"), sort_keys=True)
    printed: set[Where] = set()
    for page in pages:
        if contract.operation_named(page["operation"]) is None:
            message = f"the documented operation `{page['operation']}` is missing: add it, or correct its operationId."
            yield contract.finding(RULE, ("paths",), message)
        for where, subject, theirs, ours in (*_schemas(contract, page, names), *_responses(contract, page, names)):
            printed.add(where)
            if theirs != ours:
                message = f"{subject} is documented as {theirs}, but is {ours} here: change it to match the page."
                yield contract.finding(RULE, where, message)
        for name, example in page.get("examples", {}).items():
            if json.dumps(example, sort_keys=True) not in paths:
                message = f"the documented example of `{name}` is missing: add it to the examples unchanged."
                yield contract.finding(RULE, ("paths",), message)
    for element in contract.elements():
        claim = _false_claim(element, printed, [page["page"] for page in pages]) if element.status == RULE else None
        if claim:
            yield contract.finding(RULE, element.where, claim)


def _schemas(contract: Contract, page: dict[str, Any], names: dict[str, str]) -> Iterator[Printed]:
    for name, fragment in page["definitions"].items():
        here = names.get(name, name)
        where: Where = (*SCHEMAS, here)
        schema = contract.at(where)
        ours = signature(schema, names, "properties") if isinstance(schema, dict) else "missing"
        yield where, f"the schema `{here}`", signature(fragment, names, "properties"), ours
        given = mapping(mapping(schema).get("properties"))
        for prop, printed in fragment["properties"].items():
            ours = signature(given[prop], names) if prop in given else "missing"
            yield (*where, "properties", prop), f"`{here}.{prop}`", signature(printed, names), ours
        yield (*SCHEMAS, name), f"the schema `{name}`", here, here  # the documented alias


def _responses(contract: Contract, page: dict[str, Any], names: dict[str, str]) -> Iterator[Printed]:
    operation = contract.operation_named(page["operation"])
    for heading, schema in page["responses"].items():
        where = (*(operation or ()), "responses", heading.replace("00's", "XX"))  # the heading "400's" is any 4XX
        where = contract.follow(contract.at(where)) or where
        contents = mapping(mapping(contract.at(where)).get("content")).values()
        given = " or ".join(sorted(signature(mapping(content).get("schema"), names) for content in contents))
        if operation:
            subject = f"the response `{where[-1]}` (printed as {heading})"
            yield where, subject, names.get(schema, schema), given or "without a body"


def aliases(contract: Contract) -> dict[str, str]:
    """Our schema names by documented name, for schemas that are an `allOf` with one reference."""
    found: dict[str, str] = {}
    for name, schema in mapping(contract.at(SCHEMAS)).items():
        match mapping(schema).get("allOf"):
            case [{"$ref": str(ref)}] if not limits(schema, "allOf"):
                found[name] = ref.rsplit("/", 1)[-1]
    return found


def _false_claim(element: Element, printed: set[Where], pages: list[str]) -> str | None:
    """A message if an element is wrongly marked as documented; None if a page prints it."""
    where = element.where
    if where not in printed:
        # Everything inside a property or a printed schema was compared with it.
        if where[:3] in printed and where[:2] == SCHEMAS and not (len(where) == 5 and where[3] == "properties"):
            return None
        message = f"the {element.kind} `{element.name}` is marked as documented, but no page in tests/documented/"
        return f"{message} prints it: mark it as observed or assumed, or remove it."
    source = (element.provenance or {}).get("source")
    message = f"the {element.kind} `{element.name}` has the source {source}, which is not in tests/documented/:"
    return None if source in pages else f"{message} use one of {', '.join(pages)}."


def signature(node: Any, names: dict[str, str], *compared: str) -> str:
    """The type of a schema in comparable words: `string (date)`, `array of InvoiceDetails`, `object with required`.

    `compared` lists keywords that are left out because they are compared elsewhere.
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
    found = limits(node, *compared)
    return f"{text} with {', '.join(found)}" if found else text


def limits(node: Any, *compared: str) -> list[str]:
    """The keywords of a schema that limit its values, except those in `compared`."""
    return sorted(key for key in mapping(node) if key not in {*_ANNOTATIONS, *compared} and not key.startswith("x-"))

"""The rule `documented`: the contract against the documented fragments in tests/documented/, both ways."""

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
"""Where the contract has what a page prints, what that is, and its signature on the page and in the contract."""

# What says something about a value without limiting it, or is compared on its own.
_ANNOTATIONS = {"type", "format", "$ref", "title", "description", "example", "examples"}


def fragments() -> list[dict[str, Any]]:
    """Every documented page, as data, with the operation it describes under `operation`."""
    return [
        {**yaml.safe_load(file.read_text(encoding="utf-8")), "operation": file.stem.replace("-", "_")}
        for file in sorted(FRAGMENTS.glob("*.yaml"))
    ]


def compare(contract: Contract) -> Iterator[Finding]:
    """What is documented and not (or otherwise) in the contract, and what only claims to be documented."""
    pages, names = fragments(), aliases(contract)
    paths = json.dumps(contract.data.get("paths"), sort_keys=True)
    printed: set[Where] = set()
    for page in pages:
        if contract.operation_named(page["operation"]) is None:
            message = f"the documented operation `{page['operation']}` is missing: give one this operationId."
            yield contract.finding(RULE, ("paths",), message)
        for where, subject, was, now in (*_schemas(contract, page, names), *_responses(contract, page, names)):
            printed.add(where)
            if was != now:
                message = f"{subject} is documented as {was}, but is {now} here: write it as documented."
                yield contract.finding(RULE, where, message)
        for name, example in page.get("examples", {}).items():
            if json.dumps(example, sort_keys=True) not in paths:
                message = f"the documented example of `{name}` is not in any example: put it into one as it is printed."
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
        now = signature(schema, names, "properties") if isinstance(schema, dict) else "missing"
        yield where, f"the schema `{here}`", signature(fragment, names, "properties"), now
        given = mapping(mapping(schema).get("properties"))
        for prop, printed in fragment["properties"].items():
            now = signature(given[prop], names) if prop in given else "missing"
            yield (*where, "properties", prop), f"`{here}.{prop}`", signature(printed, names), now
        yield (*SCHEMAS, name), f"the schema `{name}`", here, here  # its second name


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
    """Documented names that are written as `allOf` with one reference, and the names that we use instead."""
    found: dict[str, str] = {}
    for name, schema in mapping(contract.at(SCHEMAS)).items():
        match mapping(schema).get("allOf"):
            case [{"$ref": str(ref)}] if not limits(schema, "allOf"):
                found[name] = ref.rsplit("/", 1)[-1]
    return found


def _false_claim(element: Element, printed: set[Where], pages: list[str]) -> str | None:
    """What is wrong with the claim that an element is documented; None if a page prints it."""
    where = element.where
    if where not in printed:
        # What is inside a property, or else in a printed schema, was compared whole.
        if where[:3] in printed and where[:2] == SCHEMAS and not (len(where) == 5 and where[3] == "properties"):
            return None
        message = f"the {element.kind} `{element.name}` claims to be documented, but no page in tests/documented/"
        return f"{message} prints it: mark it as observed or assumed, or remove it."
    source = (element.provenance or {}).get("source")
    message = f"the {element.kind} `{element.name}` is documented by another page than {source}:"
    return None if source in pages else f"{message} name one of {', '.join(pages)}."


def signature(node: Any, names: dict[str, str], *compared: str) -> str:
    """The type of a schema in comparable words: `string (date)`, `array of InvoiceDetails`, `object with required`.

    `compared` are keywords that are held against each other elsewhere.
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
    """The keywords of a schema that limit its values, `compared` ones excepted."""
    return sorted(key for key in mapping(node) if key not in {*_ANNOTATIONS, *compared} and not key.startswith("x-"))

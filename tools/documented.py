"""Holds the contract against the documented fragments in tests/documented/, element by element, both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.contract import Contract, Element, Finding, Where, mapping

FRAGMENTS = Path(__file__).resolve().parent.parent / "tests" / "documented"
RULE = "documented"

# What says something about a value without limiting it, or is compared on its own.
_ANNOTATIONS = {"type", "format", "$ref", "title", "description", "example", "examples"}


def fragments() -> list[dict[str, Any]]:
    """Every documented page, as data, with the operation it describes under `operation`."""
    return [
        {**yaml.safe_load(file.read_text(encoding="utf-8")), "operation": file.stem.replace("-", "_")}
        for file in sorted(FRAGMENTS.glob("*.yaml"))
    ]


def compare(contract: Contract, pages: list[dict[str, Any]] | None = None) -> Iterator[Finding]:
    """What is documented and not (or otherwise) in the contract, and what only claims to be documented.

    `pages` are the documented pages, by default those in tests/documented/.
    """
    pages = fragments() if pages is None else pages
    names = aliases(contract)
    documented: dict[str, Any] = {}
    answers: set[Where] = set()
    for page in pages:
        for name, fragment in page["definitions"].items():
            documented[names.get(name, name)] = fragment
            yield from _compare_schema(contract, names, name, fragment)
        where = contract.operation_named(page["operation"])
        if where is None:
            message = f"the documented operation `{page['operation']}` is missing: give one this operationId."
            yield contract.finding(RULE, ("paths",), message)
        else:
            for printed, schema in page["responses"].items():
                place = (*where, "responses", _status(printed))
                answers.add(contract.follow(contract.at(place)) or place)
                yield from _compare_response(contract, place, printed, schema, names)
        yield from _compare_examples(contract, page)
    for element in contract.elements():
        if element.status == "documented":
            yield from _claim(contract, element, documented, answers, names, {page["page"] for page in pages})


def aliases(contract: Contract) -> dict[str, str]:
    """Documented names that are written as `allOf` with one reference, and the names that we use instead."""
    found: dict[str, str] = {}
    for name, schema in mapping(contract.at(("components", "schemas"))).items():
        match mapping(schema).get("allOf"):
            case [{"$ref": str(ref)}] if not limits(schema, "allOf"):
                found[name] = ref.rsplit("/", 1)[-1]
    return found


def _compare_schema(contract: Contract, names: dict[str, str], name: str, fragment: Any) -> Iterator[Finding]:
    here = names.get(name, name)
    where: Where = ("components", "schemas", here)
    schema = mapping(contract.at(where))
    if not isinstance(contract.at(("components", "schemas", name)), dict) or not schema:
        yield contract.finding(
            RULE, where, f"the documented schema `{name}` is missing: add it under components.schemas."
        )
        return
    printed, given = mapping(fragment["properties"]), mapping(schema.get("properties"))
    for prop in printed.keys() - given.keys():
        what = signature(printed[prop], names)
        yield contract.finding(RULE, where, f"`{here}.{prop}` is documented ({what}), but missing here: add it.")
    for prop in printed.keys() & given.keys():
        was, now = signature(printed[prop], names), signature(given[prop], names)
        if was != now:
            message = f"`{here}.{prop}` is documented as {was}, but is {now} here: write it as documented."
            yield contract.finding(RULE, (*where, "properties", prop), message)
    was, now = signature(fragment, names, "properties"), signature(schema, names, "properties")
    if was != now:
        message = f"the schema `{here}` is documented as {was}, but is {now} here: write it as documented."
        yield contract.finding(RULE, where, message)


def _compare_response(
    contract: Contract, where: Where, printed: str, schema: str, names: dict[str, str]
) -> Iterator[Finding]:
    contents = mapping(mapping(contract.resolve(contract.at(where))).get("content")).values()
    given = {signature(mapping(content).get("schema"), names) for content in contents}
    if given != {names.get(schema, schema)}:
        found = f"has {', '.join(sorted(given))}" if given else "has no body"
        message = f"the response `{where[-1]}` (printed as {printed}) is documented with {schema}, but {found} here."
        yield contract.finding(RULE, where, message)


def _status(printed: str) -> str:
    """The status of a response as OpenAPI writes it: the heading "400's" means any 4XX."""
    return printed.replace("00's", "XX")


def _compare_examples(contract: Contract, page: dict[str, Any]) -> Iterator[Finding]:
    for name, example in page.get("examples", {}).items():
        if not _contains(contract.data.get("paths"), example):
            message = f"the documented example of `{name}` is not in any example: put it into one as it is printed."
            yield contract.finding(RULE, ("paths",), message)


def _contains(node: Any, wanted: Any) -> bool:
    if node == wanted:
        return True
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return any(_contains(value, wanted) for value in inner)


def _claim(
    contract: Contract,
    element: Element,
    documented: dict[str, Any],
    answers: set[Where],
    names: dict[str, str],
    pages: set[str],
) -> Iterator[Finding]:
    """A finding where `element` says that it is documented and the fragments do not print it."""
    match element.kind, element.where:
        case "schema", ("components", "schemas", name):
            found = names.get(str(name), name) in documented
        case "property", ("components", "schemas", name, "properties", prop):
            found = prop in mapping(mapping(documented.get(str(name))).get("properties"))
        case "schema" | "property", ("components", "schemas", name, *_) if name in documented:
            return  # inside something that was compared whole
        case "response", where:
            # Where the documented operation itself is missing, or the status is none, that is told instead.
            found = where in answers or not answers or not re.fullmatch(r"[1-5](\d\d|XX)|default", element.name)
        case _:
            found = False
    source = (element.provenance or {}).get("source")
    if found and str(source) not in pages:
        message = f"the {element.kind} `{element.name}` is documented by another page than {source}:"
        yield contract.finding(RULE, element.where, f"{message} name one of {', '.join(sorted(pages))}.")
    if not found:
        message = f"the {element.kind} `{element.name}` claims to be documented, but no page in tests/documented/"
        yield contract.finding(
            RULE, element.where, f"{message} prints it: mark it as observed or assumed, or remove it."
        )


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

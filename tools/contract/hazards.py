"""The rules `generator` and `media-type`: shapes that openapi-python-client 0.29.1 silently drops or misreads.

The generator rejects some shapes itself, and the proof in tools/generate/ finds values that the generated code does not
return unchanged. The rules here cover shapes that both let pass, and a few common ones for which they give a better
remedy. Each was tried with that version, and tests/test_hazards.py has a failing and a passing example of each. After
an upgrade of the generator, try them again and delete the rules for shapes that it supports.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from openapi_python_client.strings import snake_case

from tools.contract.document import Contract, Finding
from tools.contract.elements import CARRIERS, STYLES, Element, Where, is_reference, mapping, members, sequence
from tools.contract.messages import did_you_mean

JSON = r"application/([\w.-]+\+)?json"
# OpenAPI ignores header parameters of these names; the generated code would send them.
OWN_HEADERS = {"accept", "content-type", "authorization"}
# The types that an amount of money may have.
AMOUNTS = {"string", "number", "integer"}
# The generator reads these keys next to `$ref`.
NEXT_TO_REF = {"$ref", "description", "summary"}


def hazards(contract: Contract) -> Iterator[Finding]:
    """The generator keeps each shape in the contract and reads it correctly."""
    for where, message in _shapes(contract):
        yield contract.finding("generator", where, message)
    for element in contract.elements(*CARRIERS):
        yield from _media_types(contract, element)


def _shapes(contract: Contract) -> Iterator[tuple[Where, str]]:
    for where in contract.places:
        if where[:1] == ("paths",) and len(where) in (3, 4) and where[-1] in ("callbacks", "servers"):
            yield (
                where,
                f"the generator ignores `{where[-1]}`: remove it, as the client has only operations and one URL.",
            )
    for where, _ in contract.references():
        if where[0] == "webhooks":
            continue
        lost = sorted(key for key in contract.at(where[:-1]).keys() - NEXT_TO_REF if not key.startswith("x-"))
        if lost:
            message = f"the generator ignores {_quoted(lost)} next to `$ref`: move the reference into `allOf`, and the"
            yield (*where[:-1], lost[0]), f"{message} other keywords into a second member (`default`: next to `allOf`)."
    for element in contract.elements("parameter"):
        yield from _parameter(element)
    for element in contract.elements("schema", "property"):
        yield from _schema(element)
        yield from _required(contract, element)
        yield from _columns(contract, element)


def _columns(contract: Contract, element: Element) -> Iterator[tuple[Where, str]]:
    """Properties with the name of a column that talkdesk_bridge_tables adds: docs/tables.md."""
    properties = mapping(element.node.get("properties"))
    amounts = [name for name, node in properties.items() if mapping(node).get("x-money")]
    added = {"other_fields", *(f"{name}_{part}" for name in amounts for part in ("decimal", "currency"))}
    if "x-identity" in element.node:
        added |= {"error", *_accounts(contract, element.where)}
    for name in sorted(properties.keys() & added):
        message = f"`{name}` is also the name of a column that the tables of invoices add (docs/tables.md):"
        yield (*element.where, "properties", name), f"{message} choose another name, or do without `x-money`."


def _accounts(contract: Contract, item: Where) -> Iterator[str]:
    """The path parameters of the operations that return lists of a schema."""
    items = [where[:-1] for where, _ in contract.references() if where[-2:] == ("items", "$ref")]
    lists = [where for where in items if contract.follow(contract.at(where)) == item]
    for operation, _ in contract.operations():
        holders = {(*operation, "responses"), *contract.reached((*operation, "responses"))}
        if any(where[: len(holder)] == holder for where in lists for holder in holders):
            yield from (str(one["name"]) for _, one in contract.parameters(operation) if one.get("in") == "path")


def _required(contract: Contract, element: Element) -> Iterator[tuple[Where, str]]:
    """Required names without a property, except in a member of a combination: the combination may have the property."""
    node = mapping(contract.resolve(element.node))
    inline = [node, *(one for one in members(node) if not is_reference(one))]
    known = {name for part in (node, *contract.parts(node)) for name in mapping(part.get("properties"))}
    if element.where[-2] not in ("allOf", "anyOf", "oneOf"):
        for name in sorted({name for part in inline for name in sequence(part.get("required"))} - known):
            message = f"`{name}` is required, but is no property of this schema: add the property, or correct the name."
            yield element.where, message


def _quoted(keys: list[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)


def _parameter(element: Element) -> Iterator[tuple[Where, str]]:
    place, name = str(element.node.get("in")), element.name
    style = element.node.get("style")
    if style not in (None, *STYLES.get(place, ("simple",))):
        message = f"the client cannot send `{name}` with `style: {style}`: remove it, or declare `{name}` as a string."
        yield (*element.where, "style"), message
    if place == "header" and name.lower() in OWN_HEADERS:
        message = f"OpenAPI ignores the header parameter `{name}`: remove it, as media types or `security` set it."
        yield (*element.where, "name"), message


def _schema(element: Element) -> Iterator[tuple[Where, str]]:
    node, where = element.node, element.where
    if node.get("additionalProperties") is False:
        message = "`additionalProperties: false` silently drops unknown fields: remove it to keep them."
        yield (*where, "additionalProperties"), message
    identity = node.get("x-identity")
    if identity is not None and "allOf" not in node and identity not in mapping(node.get("properties")):
        message = f"`x-identity: {identity}` is no property of this schema: name the one that identifies an item."
        yield (*where, "x-identity"), message
    types = {*sequence(node.get("type")), node.get("type") if isinstance(node.get("type"), str) else "null"}
    if "x-money" in node and (node["x-money"] is not True or element.kind != "property" or not types & AMOUNTS):
        message = "`x-money` marks a property as an amount: write `x-money: true` next to `type: string` or a number."
        yield (*where, "x-money"), message
    own = sorted(node.keys() & {"properties", "allOf", "additionalProperties"})
    if own and node.keys() & {"anyOf", "oneOf"}:
        message = f"the generator drops {_quoted(own)} next to `anyOf` or `oneOf`: move them into each alternative."
        yield (*where, own[0]), message
    own = sorted(node.keys() & {"properties", "required", "additionalProperties"})
    match node.get("allOf"):
        case [{"$ref": str()}] if own:
            message = f"the generator drops {_quoted(own)} next to `allOf` with one reference: add a member for them."
            yield (*where, own[0]), message
    yield from _enumeration(element)


def _enumeration(element: Element) -> Iterator[tuple[Where, str]]:
    node, where, values = element.node, element.where, sequence(element.node.get("enum"))
    if None in values and len(where) != len(("components", "schemas", "name")):
        message = "an enumeration with null becomes several classes: make it a component without null, then use `oneOf`"
        yield (*where, "enum"), f"{message} with a reference to it and `type: 'null'`."
    # The names that the generator gives the members of an enumeration.
    texts = [value for value in values if isinstance(value, str) and value[:1].isalpha()]
    names = [snake_case(str(name)).upper() for name in sequence(node.get("x-enum-varnames")) or texts]
    for member, count in Counter(names).items():
        if count > 1:
            message = f"{count} values become the member `{member}` in Python, so only one would remain: name them with"
            yield (*where, "enum"), f"{message} `x-enum-varnames`, or declare a string."


def _media_types(contract: Contract, element: Element) -> Iterator[Finding]:
    """The generator can read the media type, and there is only one."""
    for index, (name, media) in enumerate(mapping(element.node.get("content")).items()):
        where = (*element.where, "content", name)
        sent = r"application/x-www-form-urlencoded|multipart/form-data"
        readable = sent if element.kind == "request body" else r"text/(?!json)\w+"
        pattern = rf"{JSON}|application/octet-stream|{readable}"
        if not re.fullmatch(pattern, str(name).partition(";")[0].strip()) and not is_file(contract, name, media):
            otherwise = "write application/json, or for a file `schema: {type: string, format: binary}`"
            hint = did_you_mean(str(name), ["application/json", "application/hal+json"], otherwise)
            yield contract.finding("media-type", where, f"the generator cannot read the media type `{name}`: {hint}")
        elif index:
            message = f"the generator reads only the first media type of a {element.kind}: remove `{name}`."
            yield contract.finding("media-type", where, message)


def is_file(contract: Contract, media_type: str, media: Any) -> bool:
    """Whether a body is bytes of any media type: its schema is binary or, as OpenAPI 3.1 prefers, missing."""
    schema = mapping(contract.resolve(mapping(media).get("schema")))
    is_binary = not schema or (schema.get("type"), schema.get("format")) == ("string", "binary")
    own = rf"{JSON}|text/.*|multipart/.*|application/x-www-form-urlencoded"
    return is_binary and bool(re.fullmatch(rf"(?!{own})[\w.+-]+/[\w.+-]+", media_type.partition(";")[0].strip()))

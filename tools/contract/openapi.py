"""The rules `openapi` and `reference`: errors found by openapi-spec-validator, each with its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from tools.contract.document import Contract, Finding
from tools.contract.elements import Element, Where, elements, mapping, sequence
from tools.contract.messages import did_you_mean, short

# The OpenAPI schema of openapi-spec-validator, extended to check schemas too, so that every error has a place.
_DRAFT = "https://json-schema.org/draft/2020-12"
_OPENAPI = OpenAPIV31SpecValidator.schema_validator.schema
_OPENAPI_WITH_SCHEMAS = {
    "$schema": f"{_DRAFT}/schema",
    "$id": "urn:contract",
    "$ref": _OPENAPI["$id"],
    "$defs": {"schema": {"$dynamicAnchor": "meta", "$ref": f"{_DRAFT}/schema"}},
}
_STRUCTURE = Draft202012Validator(
    _OPENAPI_WITH_SCHEMAS,
    registry=REGISTRY.with_contents(
        [(_OPENAPI["$id"], _OPENAPI), (_OPENAPI_WITH_SCHEMAS["$id"], _OPENAPI_WITH_SCHEMAS)]
    ).crawl(),
    format_checker=Draft202012Validator.FORMAT_CHECKER,
)
_KEYWORDS = {*OAS31Validator.VALIDATORS}.union(
    *(REGISTRY.contents(uri).get("properties", ()) for uri in REGISTRY if uri.startswith(f"{_DRAFT}/meta/"))
)
# Formats that the generator or the validators know. Others are allowed unless they look like a misspelling of these.
_FORMATS = (
    *("date", "date-time", "time", "duration", "email", "uri", "uuid", "byte", "binary", "regex", "hostname"),
    *("int32", "int64", "float", "double", "decimal", "password", "ipv4", "ipv6"),
)


def older(contract: Contract) -> Iterator[Finding]:
    """The only finding if the contract is written in an older version of OpenAPI."""
    if "swagger" in contract.data or str(contract.data.get("openapi")).startswith(("2", "3.0")):
        message = "this is an older OpenAPI: convert it to 3.1 first (see docs/contract.md), then validate again."
        yield contract.finding("openapi", ("openapi",), message)


def references(contract: Contract) -> Iterator[Finding]:
    """Each `$ref` points to a component of this file, and no schema includes itself."""
    for where in contract.dangling():
        ref = contract.at(where)
        *parent, name = ref.removeprefix("#/").replace("~1", "/").split("/")
        if not ref.startswith("#"):
            message = f"`{ref}` points to another file: the generator reads one file, so copy the target into it."
        elif contract.resolve({"$ref": ref}) is not None:
            message = f"`{ref}` does not point to a component: make the target one, as the generator needs that."
        elif contract.at((*parent, name)) is not None:
            message = f"`{ref}` points back to itself: point it to another component."
        else:
            hint = did_you_mean(name, mapping(contract.at(tuple(parent))), "add it")
            message = f"`{ref}` does not exist: {hint}"
        yield contract.finding("reference", where, message)
    for name, schema in mapping(contract.at(("components", "schemas"))).items():
        if any(part is schema for part in contract.parts(schema)):
            message = f"the schema `{name}` includes itself through `allOf`, `anyOf` or `oneOf`: remove the cycle."
            yield contract.finding("reference", ("components", "schemas", name), message)


def openapi(contract: Contract) -> Iterator[Finding]:
    """openapi-spec-validator accepts the contract, and no schema has a misspelt keyword or format."""
    data = contract.without_dangling()
    structure = list(_STRUCTURE.iter_errors(data))
    for error in _causes(structure):
        yield from _from_structure(contract, tuple(error.absolute_path), error)
    for element in contract.elements("schema", "property"):
        yield from _misspelt(contract, element)
    for element in elements(data):
        if element.kind in ("schema", "property"):
            element.node.pop("pattern", None)  # the rule `example` limits the time of its search
    validator = OpenAPIV31SpecValidator(data)
    seen = {error.message for error in structure}
    try:
        rest = list(validator.root_validator(validator.schema_path))
    except Exception as crash:  # noqa: BLE001 # it crashes on structures that are reported above
        if not seen and not [*references(contract)]:
            message = f"openapi-spec-validator crashed on this contract ({type(crash).__name__})."
            yield contract.finding("openapi", (), message)
        return
    for error in rest:
        # Errors of other types are wrong defaults, which the rule `example` reports.
        if isinstance(error, OpenAPIValidationError) and error.message not in seen:
            yield _without_place(contract, error.message)


def _misspelt(contract: Contract, element: Element) -> Iterator[Finding]:
    """Unknown keywords and misspelt formats of a schema, which JSON Schema ignores."""
    for key in sorted(key for key in element.node.keys() - _KEYWORDS if not key.startswith("x-")):
        hint = did_you_mean(key, _KEYWORDS, "remove it, or start it with `x-`")
        if key == "nullable":
            hint = "write `type: [string, 'null']`, or `oneOf` with the schema and `type: 'null'`."
        yield contract.finding("openapi", (*element.where, key), f"`{key}` is not a schema keyword: {hint}")
    given = element.node.get("format")
    close = difflib.get_close_matches(str(given), _FORMATS, 1)
    if close and given not in _FORMATS:
        message = f"the format `{given}` is unknown: did you mean `{close[0]}`?"
        yield contract.finding("openapi", (*element.where, "format"), message)


def _causes(errors: list[Any]) -> list[Any]:
    """The errors, except those that only follow from another error at the same place or inside it."""
    causes = [error for error in errors if not _may_follow(error)]
    places = [tuple(error.absolute_path) for error in causes]
    for error in errors:
        around = tuple(error.absolute_path)
        if _may_follow(error) and not any(place[: len(around)] == around for place in places):
            causes.append(error)
    return causes


def _may_follow(error: Any) -> bool:
    """Whether an error may only follow from another.

    One fault also makes the keys beside it unevaluated, and the alternatives around it invalid.
    """
    if error.validator == "unevaluatedProperties":
        return _unknown(error) <= _NAMES
    return error.validator in ("oneOf", "anyOf")


def _unknown(error: Any) -> set[str]:
    """The keys that an error about unevaluated or additional properties names."""
    return {key for key in mapping(error.instance) if repr(key) in error.message.rpartition("(")[2]}


def _from_structure(contract: Contract, where: Where, error: Any) -> Iterator[Finding]:
    """The findings for an error in the structure."""
    if error.validator in ("unevaluatedProperties", "additionalProperties") and isinstance(error.instance, dict):
        unknown = _unknown(error)
        for key in (unknown - _NAMES) or unknown:
            yield contract.finding("openapi", (*where, key), _message_for_key(where, key))
        return
    names = [f"`{key}`" for key in where if isinstance(key, str)]
    text = f"{names[-1] if names else 'the contract'} is invalid: {short(error.message)}."
    if where[-1:] == ("type",):
        kinds = "array, boolean, integer, null, number, object, string"
        text = f"`type` must be one of {kinds} (or a list of them), not {short(repr(error.instance))}."
    yield contract.finding("openapi", where, text)


def _message_for_key(where: Where, key: str) -> str:
    if where[-1:] == ("responses",):
        return f"`{key}` is not a status: write three digits in quotes, or a range such as 4XX."
    if where == ("paths",):
        return f"`{key}` is not a path: start it with `/`."
    return f"the key `{key}` is not allowed here: {did_you_mean(key, _NAMES, 'remove it, or start it with `x-`')}"


def _without_place(contract: Contract, message: str) -> Finding:
    """A finding for a message without a place, at the operation or parameter that the message quotes."""
    quoted = {*re.findall(r"'([^']+)'", message)}
    named = [one.where for one in contract.elements("parameter") if one.name in quoted]
    named += [where for where, _ in contract.operations() if {*where[1:]} <= quoted]
    text = f"{short(message)}."
    if message.endswith("was not resolved"):
        text = f"{short(message)}: `parameters` and the braces in the path must have the same names."
    return contract.finding("openapi", named[-1] if named else (), text)


def _property_names(schema: Any) -> Iterator[str]:
    """Every property name anywhere in a JSON Schema."""
    yield from mapping(mapping(schema).get("properties"))
    for inner in (*mapping(schema).values(), *sequence(schema)):
        yield from _property_names(inner)


# All keys that OpenAPI defines anywhere.
_NAMES = {*_property_names(_OPENAPI)} | _KEYWORDS

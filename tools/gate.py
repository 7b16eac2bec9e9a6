"""The gate, openapi-spec-validator, with what it does not give: the place of each finding, and a sentence."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY as SPECIFICATIONS
from openapi_spec_validator import OpenAPIV31SpecValidator

from tools.contract import Contract, Element, Finding, Where, mapping, sequence
from tools.rules import errors_of
from tools.words import article, did_you_mean, kind, short, shown

__all__ = ["openapi"]


def openapi(contract: Contract) -> Iterator[Finding]:
    """openapi-spec-validator accepts the contract."""
    data = contract.without_dangling()
    # What iter_errors() of the gate does, in its two halves: only the first one tells places.
    gate = OpenAPIV31SpecValidator(data)
    structure = list(gate.schema_validator.iter_errors(gate.schema))
    seen = {error.message for error in structure}
    for error in _causes(structure):
        yield from _sentences(contract, tuple(error.absolute_path), error)
    # The gate places a fault in a schema relative to that schema: found again here, with the schema's own place.
    for element in contract.elements():
        if element.kind in ("schema", "property"):
            yield from _misspelt(contract, element)
        # What is inside a schema is checked with it.
        if element.kind == "schema" and (element.where[-1] == "schema" or len(element.where) == 3):
            for error in META.iter_errors(element.node):
                seen.add(error.message)
                yield from _sentences(contract, (*element.where, *error.absolute_path), error)
        if "default" in element.node:  # told by the rule `example`, with its place
            seen.update(
                error.message for error in errors_of(data.get("components"), element.node, element.node["default"])
            )
    try:
        rest = [error for error in gate.root_validator(gate.schema_path) if error.message not in seen]
    except Exception as error:  # noqa: BLE001 # the gate trips over structures that it has itself refused above
        rest = []
        if not seen:
            message = f"openapi-spec-validator gave up on this contract ({type(error).__name__})."
            yield contract.finding("openapi", (), message)
    for unplaced in rest:
        yield _from_gate(contract, unplaced.message)


def _misspelt(contract: Contract, element: Element) -> Iterator[Finding]:
    """Keywords and formats of a schema that are not known; JSON Schema ignores them, and so a misspelt one."""
    for key in sorted(key for key in element.node.keys() - KEYWORDS if not key.startswith("x-")):
        hint = did_you_mean(key, KEYWORDS, "remove it, or begin it with `x-`")
        yield contract.finding("openapi", (*element.where, key), f"`{key}` is no keyword of a schema: {hint}")
    given = element.node.get("format")
    for close in difflib.get_close_matches(str(given), FORMATS, 1) if given not in FORMATS else ():
        message = f"the format `{given}` is not known: did you mean `{close}`?"
        yield contract.finding("openapi", (*element.where, "format"), message)


def _causes(errors: list[Any]) -> list[Any]:
    """The errors without those that only follow from another one at their place or inside it.

    A key counts as unevaluated, and an alternative as not chosen, also where something beside it is wrong.
    """

    def follows(error: Any) -> bool:
        if error.validator == "unevaluatedProperties" and not _unknown(error) <= _NAMES:
            return False
        return error.validator in ("unevaluatedProperties", "oneOf", "anyOf")

    causes = [error for error in errors if not follows(error)]
    places = [tuple(error.absolute_path) for error in causes]
    return causes + [
        error
        for error in errors
        if follows(error)
        and not any(place[: len(error.absolute_path)] == tuple(error.absolute_path) for place in places)
    ]


def _unknown(error: Any) -> set[str]:
    """The keys that an error about unevaluated or additional properties names."""
    return {key for key in mapping(error.instance) if repr(key) in error.message.rpartition("(")[2]}


def _sentences(contract: Contract, where: Where, error: Any) -> Iterator[Finding]:
    """A JSON Schema error about the contract, in words."""
    subject = f"`{where[-1]}`" if where else "the contract"
    if where and isinstance(where[-1], int):
        subject = f"entry {where[-1] + 1} of `{where[-2]}`"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        text = f"{subject} lacks {', '.join(f'`{key}`' for key in missing)}: add it."
    elif error.validator in ("unevaluatedProperties", "additionalProperties") and isinstance(error.instance, dict):
        known = [*mapping(error.schema.get("properties"))]
        for key in _unknown(error) - _NAMES or _unknown(error):
            hint = did_you_mean(key, known, "remove it, or begin it with `x-`")
            message = f"the key `{key}` has no meaning here: {hint}"
            if where[-1:] == ("responses",):
                message = f"`{key}` is no status: write three digits in quotes, or a range such as 4XX."
            elif where == ("paths",):
                message = f"`{key}` is no path: begin it with `/`."
            yield contract.finding("openapi", (*where, key), message)
        return
    elif where == ("openapi",):
        text = f"`openapi` must be text such as 3.1.0, for this version of OpenAPI, not {shown(error.instance)}."
    elif error.validator == "type":
        text = f"{subject} must be {article(error.validator_value)}, not {article(kind(error.instance))}."
    elif error.validator == "enum":
        text = f"{subject} must be one of {', '.join(map(str, error.validator_value))}, not {shown(error.instance)}."
    elif where[-1:] == ("type",):
        kinds = "array, boolean, integer, null, number, object, string"
        text = f"`type` must be one of {kinds} (or a list of them), not {shown(error.instance)}."
    elif error.validator == "pattern":
        text = f"{subject} is {shown(error.instance)}, which is not of the form {error.validator_value}."
    elif error.context:
        text = (
            f"{subject} fits none of what is allowed: {'; '.join(sorted({short(e.message) for e in error.context}))}."
        )
    else:
        text = f"{subject} is not valid: {short(error.message)}."
    yield contract.finding("openapi", where, text)


def _from_gate(contract: Contract, message: str) -> Finding:
    """A finding that openapi-spec-validator gives without a place: looked up by the names that it quotes."""
    if unresolved := re.fullmatch(r"Path parameter '(.+)' for '(.+)' operation in '(.+)' was not resolved", message):
        name, method, path = unresolved.groups()
        where: Where = ("paths", path, method, "parameters")
        if f"{{{name}}}" in path:
            text = f"the path has `{{{name}}}`, but no path parameter of this name is declared."
        else:
            text = f"the path parameter `{name}` is declared, but the path has no `{{{name}}}`."
        return contract.finding("openapi", where, text)
    if taken := re.fullmatch(r"Operation ID '(.+)' for '(.+)' in '(.+)' is not unique", message):
        name, method, path = taken.groups()
        text = f"the operationId `{name}` is taken by another operation: rename one."
        return contract.finding("openapi", ("paths", path, method, "operationId"), text)
    if twice := re.fullmatch(r"Duplicate parameter '(.+)'", message):
        for where, operation in contract.operations():
            named = [mapping(parameter).get("name") for parameter in sequence(operation.get("parameters"))]
            if named.count(twice[1]) > 1:
                last = len(named) - 1 - named[::-1].index(twice[1])
                return contract.finding("openapi", (*where, "parameters", last), f"`{twice[1]}` is declared twice.")
    quoted = re.findall(r"'([^']+)'", message)
    where = next((where for where, _ in contract.operations() if {*where[1:]} <= {*quoted}), ())
    return contract.finding("openapi", where, f"{short(message)}.")


def _property_names(schema: Any) -> Iterator[str]:
    """Every property name anywhere in a JSON Schema."""
    if isinstance(schema, dict):
        yield from mapping(schema.get("properties"))
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _property_names(inner)


META = Draft202012Validator(Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)

# Formats that mean something to the generator or to the validators; others are allowed, if they are not misspelt.
FORMATS = (
    *("date", "date-time", "time", "duration", "email", "uri", "uuid", "byte", "binary", "regex", "hostname"),
    *("int32", "int64", "float", "double", "decimal", "password", "ipv4", "ipv6"),
)

# The keys that have a meaning somewhere in OpenAPI, and the keywords of its schemas.
_NAMES = {*_property_names(OpenAPIV31SpecValidator.schema_validator.schema)}

KEYWORDS = {
    *Draft202012Validator.VALIDATORS,
    *(
        name
        for part in ("core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content")
        for name in SPECIFICATIONS[f"https://json-schema.org/draft/2020-12/meta/{part}"].contents["properties"]
    ),
    *("discriminator", "xml", "externalDocs", "example"),  # the vocabulary that OpenAPI 3.1 adds
}

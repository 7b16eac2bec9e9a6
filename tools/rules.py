"""The rules that a contract of this project keeps besides being valid OpenAPI."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from openapi_python_client.strings import ClassName, PythonIdentifier
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from referencing import Registry

from tools.contract import (
    CARRIERS,
    PROVENANCE,
    STATUSES,
    Contract,
    Finding,
    Where,
    in_example,
    mapping,
    sequence,
)
from tools.words import did_you_mean, short, shown

__all__ = ["errors_of", "examples", "media_types", "names", "operations", "provenance", "references", "version"]

# What the clients have besides the operations of each tag.
RESERVED = ("close", "from_env")


def references(contract: Contract) -> Iterator[Finding]:
    """Each `$ref` leads to a value of this file."""
    for where in contract.dangling():
        ref = contract.at(where)
        *parent, name = ref.removeprefix("#/").replace("~1", "/").split("/")
        if not ref.startswith("#"):
            message = f"`{ref}` leads out of this file: the generator reads one file, so write the target into it."
        elif contract.resolve({"$ref": ref}) is not None:
            message = f"`{ref}` does not lead to a component, which is all that the generator follows: make it one."
        elif contract.at((*parent, name)) is not None:
            message = f"`{ref}` leads back to itself: write the target out."
        else:
            hint = did_you_mean(name, mapping(contract.at(tuple(parent))), "add it")
            message = f"`{ref}` leads nowhere: {hint}"
        yield contract.finding("reference", where, message)
    for name in mapping(contract.at(("components", "schemas"))):
        if ("components", "schemas", name) in _parts(contract, ("components", "schemas", name)):
            message = f"the schema `{name}` is combined from itself: an endless schema."
            yield contract.finding("reference", ("components", "schemas", name), message)


def version(contract: Contract) -> Iterator[Finding]:
    """The version of the contract, which is that of the package, says what follows it."""
    found = str(mapping(contract.data.get("info")).get("version"))
    if not re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", found):
        message = f"`info.version` is `{found}`, and must be three numbers, such as 1.4.0: it is the package's version."
        yield contract.finding("version", ("info", "version"), message)


def operations(contract: Contract) -> Iterator[Finding]:
    """Each operation can be generated and read: a name, a tag, a credential, an answer for success and for refusal."""
    tags = [mapping(tag).get("name") for tag in sequence(contract.data.get("tags"))]
    schemes = [*mapping(contract.at(("components", "securitySchemes")))]
    for where, operation in contract.operations():
        if not operation.get("operationId"):
            message = "the operation has no `operationId`: the client's method is named after it."
            yield contract.finding("operation", where, message)
        if not operation.get("tags"):
            message = "the operation has no `tags`: the first one names the client's attribute."
            yield contract.finding("operation", where, message)
        for index, tag in enumerate(sequence(operation.get("tags"))):
            if tag not in tags:
                message = f"the tag `{tag}` is not declared: {did_you_mean(str(tag), tags, 'add it under `tags`')}"
                yield contract.finding("operation", (*where, "tags", index), message)
        if "security" not in operation:
            message = "the operation has no `security`: name its schemes, or write `security: []` if it needs none."
            yield contract.finding("operation", where, message)
        for index, requirement in enumerate(sequence(operation.get("security"))):
            for name in mapping(requirement).keys() - {*schemes}:
                hint = did_you_mean(name, schemes, "add it under components.securitySchemes")
                message = f"the security scheme `{name}` is not declared: {hint}"
                yield contract.finding("operation", (*where, "security", index, name), message)
        statuses = [str(status) for status in mapping(operation.get("responses"))]
        for wanted, meaning in (("2", "of success (such as `200`)"), ("4", "of refusal (`4XX`)")):
            if not any(status.startswith(wanted) for status in statuses):
                message = f"the operation has no response {meaning}: add it under `responses`."
                yield contract.finding("response", (*where, "responses"), message)


def media_types(contract: Contract) -> Iterator[Finding]:
    """The generator can read each media type; of another one it would leave the body out."""
    for element in contract.elements():
        for name in mapping(element.node.get("content")) if element.kind in CARRIERS else ():
            readable = r"application/([\w.-]+\+)?json|application/octet-stream"
            sent = element.kind == "request body"
            readable += r"|application/x-www-form-urlencoded|multipart/form-data" if sent else r"|text/(?!json)\w+"
            if not re.fullmatch(readable, str(name).partition(";")[0].strip()):
                hint = did_you_mean(str(name), ["application/json", "application/hal+json"], "write application/json")
                message = f"the generator cannot read the media type `{name}`: {hint}"
                yield contract.finding("media-type", (*element.where, "content", name), message)


def names(contract: Contract) -> Iterator[Finding]:
    """What the contract names can be told apart and reached in Python, under the names that the generator gives."""
    taken: dict[tuple[str, str], Where] = {}
    for where, operation in contract.operations():
        tag = PythonIdentifier(str((sequence(operation.get("tags")) or ["default"])[0]), "")
        name = PythonIdentifier(str(operation.get("operationId", "")), "")
        place = (*where, "operationId")
        if tag in RESERVED:
            message = f"the tag becomes the attribute `{tag}`, which the client has for itself: rename it."
            yield contract.finding("name", (*where, "tags", 0), message)
        for kind, value, at in (("tag", tag, (*where, "tags", 0)), ("operationId", name, place)):
            if value and (not value.isidentifier() or value.startswith("_")):
                yield contract.finding(
                    "name", at, f"the {kind} becomes `{value}`, which is no name in Python: rename it."
                )
        for method in {name, iterator_name(name)} if operation.get("operationId") else ():
            other = taken.setdefault((tag, method), where)
            if other != where:
                message = (
                    f"the method `{tag}.{method}` is already made from {' '.join(map(str, other[1:]))}: rename one."
                )
                yield contract.finding("name", place, message)
        for holder in (where, where[:2]):
            for index, parameter in enumerate(sequence(contract.at((*holder, "parameters")))):
                argument = PythonIdentifier(str(mapping(contract.resolve(parameter)).get("name")), "")
                added = {"start", "max_pages", "max_items"} | ({"body"} if "requestBody" in operation else set())
                if argument in added:
                    message = f"the parameter `{argument}` has the name of an argument that the client's methods add."
                    yield contract.finding("name", (*holder, "parameters", index), message)
    classes: dict[str, str] = {}
    for where, operation in contract.operations():
        written = str((sequence(operation.get("tags")) or ["default"])[0])
        made = str(ClassName(PythonIdentifier(written, ""), ""))
        for group in (made, f"Async{made}"):
            first = classes.setdefault(group, written)
            if first != written:
                message = f"the tags `{first}` and `{written}` are both the class `{group}Operations`: rename one."
                yield contract.finding("name", (*where, "tags", 0), message)


def iterator_name(method: str) -> str:
    """The name of the iterator over all items of an operation, as tools/templates/endpoint_init.py.jinja gives it."""
    verb, _, plural = method.partition("_")
    return f"iter_{plural}" if verb in ("get", "list") and plural else f"iter_{method}"


def examples(contract: Contract) -> Iterator[Finding]:
    """Each 2xx and 4XX body has an example, and each example and default fits its schema."""
    for where, operation in contract.operations():
        for status, response in mapping(operation.get("responses")).items():
            place = contract.follow(response) or (*where, "responses", status)
            for media_type, media in mapping(mapping(contract.at(place)).get("content")).items():
                if str(status)[:1] in "24" and not list(_examples(contract, (), mapping(media))):
                    message = f"the body of `{status}` has no example: add one under `examples`."
                    yield contract.finding("example", (*place, "content", media_type), message)
    components = contract.without_dangling().get("components", {})
    for element in contract.elements():
        holders: list[tuple[Where, Any]] = []
        if element.kind in CARRIERS:
            contents = mapping(element.node.get("content"))
            holders = [(element.where, element.node)]
            holders += [((*element.where, "content", name), media) for name, media in contents.items()]
        checks = [(mapping(held).get("schema"), list(_examples(contract, at, mapping(held)))) for at, held in holders]
        if element.kind in ("schema", "property"):
            values = {key: element.node[key] for key in ("example", "default") if key in element.node}
            checks = [(element.node, [((*element.where, key), value) for key, value in values.items()])]
        for schema, found in checks:
            for where, message in _check_examples(components, schema, found):
                yield contract.finding("example", where, message)
    fields = {str(element.where[-1]) for element in contract.elements() if element.kind == "property"}
    for where in contract.places:
        key = where[-1] if where else None
        if in_example(where) and "value" in where[:-1] and isinstance(key, str) and key not in fields:
            for close in difflib.get_close_matches(key, fields, 1, 0.85):
                yield contract.finding("example", where, f"`{key}` is no field of a schema: did you mean `{close}`?")


def provenance(contract: Contract) -> Iterator[Finding]:
    """Each path, parameter, schema, property and security scheme says, or inherits, where it comes from."""
    elements = list(contract.elements())
    for element in elements:
        if element.provenance is None and element.kind in ("tag", "path", "parameter", "schema", "security scheme"):
            message = f"the {element.kind} `{element.name}` says nowhere where it comes from: add `{PROVENANCE}`."
            yield contract.finding("provenance", element.where, message)
        if PROVENANCE in element.node:
            yield from _check_provenance(contract, (*element.where, PROVENANCE), element.node[PROVENANCE])
    places = {element.where for element in elements}
    for where in contract.places:
        *around, key = where or ("",)
        if not str(key).startswith("x-p") or in_example(where) or not _is_known(where):
            continue
        if key != PROVENANCE and difflib.get_close_matches(str(key), [PROVENANCE]):
            yield contract.finding("provenance", where, f"`{key}` says nothing: did you mean `{PROVENANCE}`?")
        if key == PROVENANCE and tuple(around) not in places:
            message = f"`{PROVENANCE}` has no effect here: it belongs to a tag, path, operation, parameter, response,"
            yield contract.finding("provenance", where, f"{message} schema, property or security scheme.")


def _is_known(where: Where) -> bool:
    """Whether the outermost keys of a place have a meaning; if not, the rule `openapi` tells, once."""
    known = {"info", "servers", "paths", "webhooks", "security", "tags", "externalDocs", PROVENANCE}
    components = {*CARRIERS.values(), "schemas", "securitySchemes", PROVENANCE}
    return where[1] in components if where[0] == "components" else where[0] in known


def _parts(contract: Contract, where: Where) -> set[Where]:
    """The schemas that a schema is combined from, by allOf, anyOf or oneOf, and those that these are combined from."""
    found: set[Where] = set()
    left = [where]
    while left:
        node = mapping(contract.at(left.pop()))
        for member in (member for key in ("allOf", "anyOf", "oneOf") for member in sequence(node.get(key))):
            target = contract.follow(member)
            if target is not None and target not in found:
                found.add(target)
                left.append(target)
    return found


def _examples(contract: Contract, where: Where, node: dict[str, Any]) -> Iterator[tuple[Where, Any]]:
    if "example" in node:
        yield (*where, "example"), node["example"]
    for name, example in mapping(node.get("examples")).items():
        resolved = mapping(contract.resolve(example))
        if "value" in resolved:
            yield (*where, "examples", name, "value"), resolved["value"]


def _check_examples(components: Any, schema: Any, found: Iterable[tuple[Where, Any]]) -> Iterator[tuple[Where, str]]:
    for where, value in found:
        for error in errors_of(components, schema, value):
            inside = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path)
            text = f"the example does not fit its schema at `{inside.lstrip('.') or 'its root'}`"
            yield (*where, *error.absolute_path), f"{text}: {short(error.message)}."


def errors_of(components: Any, schema: Any, value: Any) -> list[Any]:
    """What a schema has against a value; nothing where the schema is broken, which other rules tell with its place."""
    if not isinstance(schema, dict):
        return []
    # An empty registry: whatever a schema refers to, nothing is fetched.
    whole = {"allOf": [schema], "components": components or {}}
    try:
        return [*OAS31Validator(whole, format_checker=oas31_format_checker, registry=Registry()).iter_errors(value)]
    except Exception:  # noqa: BLE001 # whatever a broken schema leads to
        return []


def _check_provenance(contract: Contract, where: Where, value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield contract.finding("provenance", where, f"`{PROVENANCE}` must be a mapping with status and source.")
        return
    for key in value.keys() - {"status", "source", "retrieved", "note"}:
        text = f"`{key}` is not a key of `{PROVENANCE}`: use status, source, retrieved, note."
        yield contract.finding("provenance", (*where, key), text)
    if value.get("status") not in STATUSES:
        text = f"`status` must be one of {', '.join(STATUSES)}, not {shown(value.get('status'))}."
        yield contract.finding("provenance", (*where, "status"), text)
    for key in ("source", "retrieved"):
        if not isinstance(value.get(key), str) or not value[key]:
            yield contract.finding(
                "provenance", where, f"`{PROVENANCE}` lacks `{key}`: say where and when it was read."
            )
    if isinstance(day := value.get("retrieved"), str) and not _is_date(day):
        message = f"`retrieved` must be a date such as 2026-11-22, not {shown(day)}."
        yield contract.finding("provenance", (*where, "retrieved"), message)
    if value.get("status") in STATUSES[1:] and not value.get("note"):
        text = f"what is {value['status']} needs a `note` that says how we know: users read it in the docstrings."
        yield contract.finding("provenance", where, text)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False

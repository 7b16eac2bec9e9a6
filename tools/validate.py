"""`make validate`: every finding about a contract in one run, each with its place and a sentence."""

from __future__ import annotations

import copy
import difflib
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY as SPECIFICATIONS
from openapi_python_client.strings import PythonIdentifier
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry

from tools import documented
from tools.contract import CARRIERS, PROVENANCE, Contract, Finding, Where, in_example, load, mapping, sequence

# What the clients have besides the operations of each tag.
RESERVED = ("close", "from_env")
STATUSES = ("documented", "observed", "assumed")


def validate(file: Path) -> tuple[Contract, list[Finding]]:
    """The contract in `file` and all that is wrong with it, in the order of the file.

    Raises:
        OSError: the file cannot be read.

    """
    contract = load(file)
    findings = set(contract.findings)
    if contract.data:
        for rule in RULES:
            findings.update(rule(contract))
    return contract, sorted(findings)


def references(contract: Contract) -> Iterator[Finding]:
    """Each `$ref` leads to a value of this file."""
    for where in _dangling(contract):
        ref = contract.at(where)
        *parent, name = ref.removeprefix("#/").replace("~1", "/").split("/")
        if not ref.startswith("#"):
            message = f"`{ref}` leads out of this file: the generator reads one file, so write the target into it."
        elif contract.resolve({"$ref": ref}) is not None:
            message = f"`{ref}` does not lead to a component, which is all that the generator follows: make it one."
        elif contract.at((*parent, name)) is not None:
            message = f"`{ref}` leads back to itself: write the target out."
        else:
            hint = _did_you_mean(name, mapping(contract.at(tuple(parent))), "add it")
            message = f"`{ref}` leads nowhere: {hint}"
        yield contract.finding("reference", where, message)
    for name in mapping(contract.at(("components", "schemas"))):
        if ("components", "schemas", name) in _parts(contract, ("components", "schemas", name)):
            message = f"the schema `{name}` is combined from itself: an endless schema."
            yield contract.finding("reference", ("components", "schemas", name), message)


def openapi(contract: Contract) -> Iterator[Finding]:
    """openapi-spec-validator accepts the contract."""
    data = _without_dangling(contract)
    # What iter_errors() of the gate does, in its two halves: only the first one tells places.
    gate = OpenAPIV31SpecValidator(data)
    structure = list(gate.schema_validator.iter_errors(gate.schema))
    seen = {error.message for error in structure}
    for error in _causes(structure):
        yield from _sentences(contract, tuple(error.absolute_path), error)
    # The gate places a fault in a schema relative to that schema: found again here, with the schema's own place.
    for element in contract.elements():
        if element.kind in ("schema", "property"):
            # JSON Schema ignores a keyword that it does not know, and so a misspelt one.
            for key in element.node.keys() - KEYWORDS:
                if not key.startswith("x-"):
                    hint = _did_you_mean(key, KEYWORDS, "remove it, or begin it with `x-`")
                    yield contract.finding(
                        "openapi", (*element.where, key), f"`{key}` is no keyword of a schema: {hint}"
                    )
        # What is inside a schema is checked with it.
        if element.kind == "schema" and (element.where[-1] == "schema" or len(element.where) == 3):
            for error in META.iter_errors(element.node):
                seen.add(error.message)
                yield from _sentences(contract, (*element.where, *error.absolute_path), error)
        if "default" in element.node:  # told by the rule `example`, with its place
            seen.update(
                error.message for error in _errors(data.get("components"), element.node, element.node["default"])
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
                message = f"the tag `{tag}` is not declared: {_did_you_mean(str(tag), tags, 'add it under `tags`')}"
                yield contract.finding("operation", (*where, "tags", index), message)
        if "security" not in operation:
            message = "the operation has no `security`: name its schemes, or write `security: []` if it needs none."
            yield contract.finding("operation", where, message)
        for index, requirement in enumerate(sequence(operation.get("security"))):
            for name in mapping(requirement).keys() - {*schemes}:
                hint = _did_you_mean(name, schemes, "add it under components.securitySchemes")
                message = f"the security scheme `{name}` is not declared: {hint}"
                yield contract.finding("operation", (*where, "security", index, name), message)
        statuses = [str(status) for status in mapping(operation.get("responses"))]
        for wanted, meaning in (("2", "of success (such as `200`)"), ("4", "of refusal (`4XX`)")):
            if not any(status.startswith(wanted) for status in statuses):
                message = f"the operation has no response {meaning}: add it under `responses`."
                yield contract.finding("response", (*where, "responses"), message)


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
        for index, parameter in enumerate(sequence(operation.get("parameters"))):
            argument = str(mapping(contract.resolve(parameter)).get("name"))
            if argument in ("max_pages", "max_items") or (argument == "body" and "requestBody" in operation):
                message = f"the parameter `{argument}` has the name of an argument that the client's methods add."
                yield contract.finding("name", (*where, "parameters", index), message)
    for element in contract.elements():
        match element.node.get("allOf"):
            case [{"$ref": str()}] if lost := element.node.keys() - {"allOf", "description", "title", "example"}:
                if lost := {key for key in lost if not key.startswith("x-")}:
                    told = f"{', '.join(sorted(lost))} beside `allOf` with one reference are lost in generating"
                    message = f"{told}: put them into a second member of `allOf`."
                    yield contract.finding("name", (*element.where, "allOf"), message)


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
    components = _without_dangling(contract).get("components", {})
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
            yield contract.finding("provenance", where, f"did you mean `{PROVENANCE}`?")
        if key == PROVENANCE and tuple(around) not in places:
            message = f"`{PROVENANCE}` has no effect here: it belongs to a tag, path, operation, parameter, response,"
            yield contract.finding("provenance", where, f"{message} schema, property or security scheme.")


def _is_known(where: Where) -> bool:
    """Whether the outermost keys of a place have a meaning; if not, the rule `openapi` tells, once."""
    outer = (where[0] == "components" and where[1:2]) or where[:1]
    return {*outer} <= _NAMES


RULES: tuple[Callable[[Contract], Iterator[Finding]], ...] = (
    references,
    openapi,
    operations,
    names,
    examples,
    provenance,
    documented.compare,
)


def _dangling(contract: Contract) -> list[Where]:
    """Where the references stand that lead nowhere or out of the file, those inside examples excepted."""
    return [
        where
        for where in contract.places
        if where[-1:] == ("$ref",)
        and not in_example(where)
        and isinstance(contract.at(where), str)
        and (contract.resolve({"$ref": contract.at(where)}) is None or contract.at(where)[:13] != "#/components/")
    ]


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


def _without_dangling(contract: Contract) -> dict[str, Any]:
    """The contract without the references that the rule `references` tells: the validators stop at the first one."""
    data = copy.deepcopy(contract.data)
    for *parent, _ in _dangling(contract):
        Contract(contract.file, data).at(tuple(parent)).pop("$ref")
    return data


def _did_you_mean(name: str, names: Iterable[Any], otherwise: str) -> str:
    close = difflib.get_close_matches(name, map(str, names), 1)
    return f"did you mean `{close[0]}`? Else {otherwise}." if close else f"{otherwise}."


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


def _property_names(schema: Any) -> Iterator[str]:
    """Every property name anywhere in a JSON Schema."""
    if isinstance(schema, dict):
        yield from mapping(schema.get("properties"))
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _property_names(inner)


META = Draft202012Validator(Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)

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


def _sentences(contract: Contract, where: Where, error: Any) -> Iterator[Finding]:
    """A JSON Schema error about the contract, in words."""
    subject = f"`{where[-1]}`" if where and isinstance(where[-1], str) else "this" if where else "the contract"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        text = f"{subject} lacks {', '.join(f'`{key}`' for key in missing)}: add it."
    elif error.validator in ("unevaluatedProperties", "additionalProperties") and isinstance(error.instance, dict):
        known = [*mapping(error.schema.get("properties"))]
        for key in _unknown(error) - _NAMES or _unknown(error):
            hint = _did_you_mean(key, known, "remove it, begin it with `x-`")
            message = f"the key `{key}` has no meaning here: {hint}"
            yield contract.finding("openapi", (*where, key), message)
        return
    elif error.validator == "type":
        text = f"{subject} must be {_article(error.validator_value)}, not {_article(_kind(error.instance))}."
    elif error.validator == "enum":
        text = f"{subject} must be one of {', '.join(map(str, error.validator_value))}, not {_shown(error.instance)}."
    elif where[-1:] == ("type",):
        kinds = "array, boolean, integer, null, number, object, string"
        text = f"`type` must be one of {kinds} (or a list of them), not {_shown(error.instance)}."
    elif where == ("openapi",):
        text = f"`openapi` must be 3.1.0 or another 3.1, not {_shown(error.instance)}."
    elif error.validator == "pattern":
        text = f"{subject} is {_shown(error.instance)}, which is not of the form {error.validator_value}."
    elif error.context:
        text = (
            f"{subject} fits none of what is allowed: {'; '.join(sorted({_short(e.message) for e in error.context}))}."
        )
    else:
        text = f"{subject} is not valid: {_short(error.message)}."
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
    if twice := re.fullmatch(r"Duplicate parameter '(.+)'", message):
        for where, operation in contract.operations():
            named = [mapping(parameter).get("name") for parameter in sequence(operation.get("parameters"))]
            if named.count(twice[1]) > 1:
                last = len(named) - 1 - named[::-1].index(twice[1])
                return contract.finding("openapi", (*where, "parameters", last), f"`{twice[1]}` is declared twice.")
    quoted = re.findall(r"'([^']+)'", message)
    where = next((where for where, _ in contract.operations() if {*where[1:]} <= {*quoted}), ())
    return contract.finding("openapi", where, f"{_short(message)}.")


def _examples(contract: Contract, where: Where, node: dict[str, Any]) -> Iterator[tuple[Where, Any]]:
    if "example" in node:
        yield (*where, "example"), node["example"]
    for name, example in mapping(node.get("examples")).items():
        resolved = mapping(contract.resolve(example))
        if "value" in resolved:
            yield (*where, "examples", name, "value"), resolved["value"]


def _check_examples(components: Any, schema: Any, found: Iterable[tuple[Where, Any]]) -> Iterator[tuple[Where, str]]:
    for where, value in found:
        for error in _errors(components, schema, value):
            inside = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path)
            text = f"the example does not fit its schema at `{inside.lstrip('.') or 'its root'}`"
            yield (*where, *error.absolute_path), f"{text}: {_short(error.message)}."


def _errors(components: Any, schema: Any, value: Any) -> list[Any]:
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
        text = f"`status` must be one of {', '.join(STATUSES)}, not {_shown(value.get('status'))}."
        yield contract.finding("provenance", (*where, "status"), text)
    for key in ("source", "retrieved"):
        if not isinstance(value.get(key), str) or not value[key]:
            yield contract.finding(
                "provenance", where, f"`{PROVENANCE}` lacks `{key}`: say where and when it was read."
            )
    if isinstance(day := value.get("retrieved"), str) and not _is_date(day):
        message = f"`retrieved` must be a date such as 2026-11-22, not {_shown(day)}."
        yield contract.finding("provenance", (*where, "retrieved"), message)
    if value.get("status") in STATUSES[1:] and not value.get("note"):
        text = f"what is {value['status']} needs a `note` that says how we know: users read it in the docstrings."
        yield contract.finding("provenance", where, text)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _kind(value: Any) -> str:
    for kind, name in ((bool, "boolean"), (str, "string"), (list, "array"), (dict, "object"), (int, "integer")):
        if isinstance(value, kind):
            return name
    return "null" if value is None else "number"


def _article(kind: str | list[str]) -> str:
    names = [kind] if isinstance(kind, str) else kind
    return " or ".join(name if name == "null" else f"an {name}" if name[0] in "aio" else f"a {name}" for name in names)


def _shown(value: Any) -> str:
    return f"`{value}`" if isinstance(value, str | int | float) else _article(_kind(value))


def _short(message: str) -> str:
    text = " ".join(message.split()).rstrip(".")
    return text if len(text) <= 160 else f"{text[:160]}..."


def report(contract: Contract, findings: list[Finding]) -> None:
    """Print the findings: for people, and with CI=true also as annotations in GitHub's form."""
    for finding in findings:
        message = " ".join(finding.message.split())
        print(f"{contract.file}:{finding.line}:{finding.column}: {message} [{finding.rule}]")
        if os.environ.get("CI") == "true":
            file = str(contract.file).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
            place = f"file={file},line={finding.line},col={finding.column},title={finding.rule}"
            print(f"::error {place}::{message.replace('%', '%25')}")
    if findings:
        print(f"{contract.file}: {len(findings)} finding{'s' if len(findings) > 1 else ''}.", file=sys.stderr)


def main(arguments: list[str]) -> int:
    """Check the contract that is named; 0 when nothing was found, 1 with findings, 2 when it cannot be read."""
    file = Path(arguments[0] if arguments else "openapi.yaml")
    try:
        contract, findings = validate(file)
    except OSError as error:
        print(f"{file}: cannot be read: {error.strerror}. Name a contract with CONTRACT=path.", file=sys.stderr)
        return 2
    report(contract, findings)
    if findings:
        return 1
    statuses = Counter(element.status for element in contract.elements())
    counts = ", ".join(f"{statuses[status]} {status}" for status in STATUSES)
    print(f"{file}: valid. {len(list(contract.operations()))} operation(s); elements: {counts}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

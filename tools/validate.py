"""`make validate`: every finding about a contract in one run, each with its place and a sentence."""

from __future__ import annotations

import copy
import difflib
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry

from tools import documented
from tools.contract import PROVENANCE, Contract, Finding, Where, load, mapping

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
        if not ref.startswith("#/"):
            message = f"`{ref}` leads out of this file: the generator reads one file, so write the target into it."
        else:
            parent, _, name = ref[2:].rpartition("/")
            close = difflib.get_close_matches(name, [*mapping(contract.at(tuple(parent.split("/"))))], 1)
            message = f"`{ref}` leads nowhere: {_did_you_mean(close, 'add it, or correct the name.')}"
        yield contract.finding("reference", where, message)


def openapi(contract: Contract) -> Iterator[Finding]:
    """openapi-spec-validator accepts the contract."""
    data = copy.deepcopy(contract.data)
    # Reported by `references`; the validator would stop at the first one with a dump of the whole document.
    for *parent, _ in _dangling(contract):
        Contract(contract.file, data).at(tuple(parent)).pop("$ref")
    # What iter_errors() of the gate does, in its two halves: only the first one tells places.
    gate = OpenAPIV31SpecValidator(data)
    structure = list(gate.schema_validator.iter_errors(gate.schema))
    seen = {error.message for error in structure}
    for error in structure:
        yield from _sentences(contract, tuple(error.absolute_path), error)
    # The gate places a fault in a schema relative to that schema: found again here, with the schema's own place.
    for element in contract.elements():
        # What is inside a schema is checked with it.
        if element.kind == "schema" and (element.where[-1] == "schema" or len(element.where) == 3):
            for error in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(element.node):
                seen.add(error.message)
                yield from _sentences(contract, (*element.where, *error.absolute_path), error)
    try:
        rest = [error for error in gate.root_validator(gate.schema_path) if error.message not in seen]
    except Exception as error:  # noqa: BLE001 # the gate trips over structures that it has itself refused above
        rest = []
        if not seen:
            message = f"openapi-spec-validator gave up on this contract ({type(error).__name__})."
            yield contract.finding("openapi", (), message)
    for unplaced in rest:
        yield _from_gate(contract, unplaced.message)


def responses(contract: Contract) -> Iterator[Finding]:
    """Each operation can be generated and read: a name, a tag, an answer for success and one for refusal."""
    for where, operation in contract.operations():
        if not operation.get("operationId"):
            message = "the operation has no `operationId`: the client's method is named after it."
            yield contract.finding("operation", where, message)
        if not operation.get("tags"):
            message = "the operation has no `tags`: the first one names the client's attribute."
            yield contract.finding("operation", where, message)
        statuses = [str(status) for status in mapping(operation.get("responses"))]
        for wanted, meaning in (("2", "of success (such as `200`)"), ("4", "of refusal (`4XX`)")):
            if not any(status.startswith(wanted) for status in statuses):
                message = f"the operation has no response {meaning}: add it under `responses`."
                yield contract.finding("response", (*where, "responses"), message)


def examples(contract: Contract) -> Iterator[Finding]:
    """Each 2xx and 4XX body has an example, and each example fits its schema."""
    for where, operation in contract.operations():
        for status, response in mapping(operation.get("responses")).items():
            contents = mapping(mapping(contract.resolve(response)).get("content"))
            for media_type, media in contents.items():
                place = (*where, "responses", status, "content", media_type)
                found = list(_examples(contract, place, mapping(media)))
                if not found and str(status)[:1] in "24":
                    message = f"the body of `{status}` has no example: add one under `examples`."
                    yield contract.finding("example", place, message)
                yield from _check_examples(contract, mapping(media).get("schema"), found)
        for media_type, media in mapping(mapping(operation.get("requestBody")).get("content")).items():
            place = (*where, "requestBody", "content", media_type)
            yield from _check_examples(contract, media.get("schema"), _examples(contract, place, media))
    for element in contract.elements():
        if element.kind == "parameter":
            found = list(_examples(contract, element.where, element.node))
            yield from _check_examples(contract, element.node.get("schema"), found)


def provenance(contract: Contract) -> Iterator[Finding]:
    """Each path, parameter, schema, property and security scheme says, or inherits, where it comes from."""
    elements = list(contract.elements())
    for element in elements:
        if element.provenance is None and element.kind in ("path", "parameter", "schema", "security scheme"):
            message = f"the {element.kind} `{element.name}` says nowhere where it comes from: add `{PROVENANCE}`."
            yield contract.finding("provenance", element.where, message)
        if PROVENANCE in element.node:
            yield from _check_provenance(contract, (*element.where, PROVENANCE), element.node[PROVENANCE])
    places = {element.where for element in elements}
    for where in contract.places:
        if where[-1:] == (PROVENANCE,) and where[:-1] not in places and not {"example", "examples"} & {*where}:
            message = f"`{PROVENANCE}` has no effect here: it belongs to a tag, path, operation, parameter, response,"
            yield contract.finding("provenance", where, f"{message} schema, property or security scheme.")


RULES: tuple[Callable[[Contract], Iterator[Finding]], ...] = (
    references,
    openapi,
    responses,
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
        and not {"example", "examples"} & {*where[:-2]}
        and isinstance(contract.at(where), str)
        and contract.resolve({"$ref": contract.at(where)}) is None
    ]


def _did_you_mean(close: list[str], otherwise: str) -> str:
    return f"did you mean `{close[0]}`?" if close else otherwise


def _sentences(contract: Contract, where: Where, error: Any) -> Iterator[Finding]:
    """A JSON Schema error about the contract, in words."""
    subject = f"`{where[-1]}`" if where and isinstance(where[-1], str) else "this" if where else "the contract"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        text = f"{subject} lacks {', '.join(f'`{key}`' for key in missing)}: add it."
    elif error.validator in ("unevaluatedProperties", "additionalProperties") and isinstance(error.instance, dict):
        known = [*mapping(error.schema.get("properties"))]
        for key in (key for key in error.instance if repr(key) in error.message.rpartition("(")[2]):
            close = difflib.get_close_matches(key, known, 1)
            hint = _did_you_mean(close, "correct it, remove it, or begin it with `x-`.")
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


def _check_examples(contract: Contract, schema: Any, found: Any) -> Iterator[Finding]:
    if not isinstance(schema, dict):
        return
    whole = {"allOf": [schema], "components": contract.data.get("components", {})}
    # An empty registry: whatever a schema refers to, nothing is fetched.
    validator = OAS31Validator(whole, format_checker=oas31_format_checker, registry=Registry())
    for where, value in found:
        try:
            for error in validator.iter_errors(value):
                inside = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path)
                text = f"the example does not fit its schema at `{inside.lstrip('.') or 'its root'}`"
                message = f"{text}: {_short(error.message)}."
                yield contract.finding("example", (*where, *error.absolute_path), message)
        except Exception:  # noqa: BLE001 # the schema is broken, which `reference` or `openapi` tells with its place
            return


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
    if isinstance(date := value.get("retrieved"), str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        yield contract.finding("provenance", (*where, "retrieved"), f"`retrieved` must be a date, not {_shown(date)}.")
    if value.get("status") in STATUSES[1:] and not value.get("note"):
        text = f"what is {value['status']} needs a `note`: users read it in the docstrings."
        yield contract.finding("provenance", where, text)


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
        print(f"{contract.file}:{finding.line}:{finding.column}: {finding.message} [{finding.rule}]")
        if os.environ.get("CI") == "true":
            place = f"file={contract.file},line={finding.line},col={finding.column},title={finding.rule}"
            print(f"::error {place}::{finding.message.replace('%', '%25')}")
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

"""The list of all rules; here `version`, `operation`, `response` and `error`: what the client needs beyond OpenAPI."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.contract.document import Contract, Finding
from tools.contract.documented import compare
from tools.contract.elements import mapping, sequence
from tools.contract.examples import examples
from tools.contract.hazards import hazards
from tools.contract.messages import did_you_mean
from tools.contract.names import names
from tools.contract.openapi import older, openapi, references
from tools.contract.provenance import provenance

ERROR_FIELDS = ("userMessage", "errorCode")
# The keys that an operation must have, each with the reason.
NEEDED = {
    "operationId": "the client's method is named after it.",
    "tags": "the first one names the client's attribute.",
    "security": "name its schemes, or write `security: []` if it needs none.",
}


def version(contract: Contract) -> Iterator[Finding]:
    """The version of the contract is three numbers; it is also the version of the package."""
    found = str(mapping(contract.data.get("info")).get("version"))
    if not re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", found):
        message = f"`info.version` is `{found}`: use three numbers, such as 1.4.0 (it is the version of the package)."
        yield contract.finding("version", ("info", "version"), message)


def paths(contract: Contract) -> Iterator[Finding]:
    """No two paths match the same requests, and none has a query."""
    known: dict[str, str] = {}
    for path in mapping(contract.data.get("paths")):
        other = known.setdefault(re.sub("{.*?}", "{}", path), path)
        if other != path:
            message = f"`{path}` and `{other}` are one path with other parameter names: put all operations into one."
            yield contract.finding("operation", ("paths", path), message)
        if re.search("[?#]", path):
            message = f"`{path}` has a query or a fragment: declare the query under `parameters`."
            yield contract.finding("operation", ("paths", path), message)


def operations(contract: Contract) -> Iterator[Finding]:
    """Each operation has a name, and its tags and security schemes are declared."""
    tags = [mapping(tag).get("name") for tag in sequence(contract.data.get("tags"))]
    schemes = [*mapping(contract.at(("components", "securitySchemes")))]
    for where, operation in contract.operations():
        for key, why in NEEDED.items():
            if key not in operation or (key != "security" and not operation[key]):
                yield contract.finding("operation", where, f"the operation has no `{key}`: {why}")
        for index, tag in enumerate(sequence(operation.get("tags"))):
            if tag not in tags:
                message = f"the tag `{tag}` is not declared: {did_you_mean(str(tag), tags, 'add it under `tags`')}"
                yield contract.finding("operation", (*where, "tags", index), message)
        for index, requirement in enumerate(sequence(operation.get("security"))):
            for name in mapping(requirement).keys() - {*schemes}:
                hint = did_you_mean(name, schemes, "add it under components.securitySchemes")
                message = f"the security scheme `{name}` is not declared: {hint}"
                yield contract.finding("operation", (*where, "security", index, name), message)


def responses(contract: Contract) -> Iterator[Finding]:
    """Each operation has a response for success and one for errors."""
    for where, operation in contract.operations():
        place = (*where, "responses")
        statuses = [str(status) for status in mapping(operation.get("responses"))]
        for digit, meaning in (("2", "success (such as `200`)"), ("4", "errors (`4XX`)")):
            if not any(status.startswith(digit) for status in statuses):
                message = f"the operation has no response for {meaning}: add it under `responses`."
                yield contract.finding("response", place, message)


def error_info(contract: Contract) -> Iterator[Finding]:
    """The schema that the client imports for undeclared error bodies has the form that the client expects."""
    where = ("components", "schemas", "ErrorInfo")
    schema = contract.at(where)
    parts = [mapping(schema), *contract.parts(schema)]
    fields = {name: node for part in parts for name, node in mapping(part.get("properties")).items()}
    if schema is None or any(mapping(fields.get(name)).get("type") != "string" for name in ERROR_FIELDS):
        needed = " and ".join(f"`{name}`" for name in ERROR_FIELDS)
        message = f"the client reads error bodies as the schema `ErrorInfo`: it must have the strings {needed}."
        yield contract.finding("error", where, message)
    for part in parts:
        if part.get("required"):
            message = "the client reads incomplete error bodies as `ErrorInfo` too: remove its `required`."
            yield contract.finding("error", (*where, "required"), message)


RULES = (
    *(references, openapi, version, paths, operations, responses, error_info),
    *(names, hazards, examples, provenance, compare),
)


def check(contract: Contract) -> list[Finding]:
    """The findings in a contract, in the order of its file."""
    if old := [*older(contract)]:
        return old
    found = {finding for rule in RULES for finding in rule(contract)} if contract.data else set()
    return sorted(found.union(contract.findings))

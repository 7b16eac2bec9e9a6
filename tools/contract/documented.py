"""The rule `documented`: the contract has all fragments of tests/documented/, and marks nothing else as documented."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.contract.document import Contract, Finding
from tools.contract.elements import PROVENANCE, Element, Where, mapping, separator
from tools.contract.examples import errors_of
from tools.contract.fragments import TYPES, read
from tools.contract.names import PROPERTIES, Scope, class_name, python_name
from tools.contract.signatures import aliases, signature

FRAGMENTS = Path(__file__).resolve().parent.parent.parent / "tests" / "documented"
RULE = "documented"
SCHEMAS = ("components", "schemas")
NO_BODY = "without a body"
NO_SCHEMA = {"name", "in", "required", "collectionFormat"}
"""The keys of a printed parameter that are no part of its schema."""
SEPARATORS = {"csv": ",", "ssv": " ", "pipes": "|", "multi": ""}
"""The text between the items of an array, by `collectionFormat`; nothing if each item is sent by itself."""

Printed = tuple[Where, str, str, str]
"""The place in the contract, its name in messages, and its signature on the page and in the contract."""


def compare(contract: Contract) -> Iterator[Finding]:
    """Findings where the contract and the documented pages differ, and elements wrongly marked as documented."""
    files = read(FRAGMENTS)
    broken = [finding for file in files for finding in file.findings]
    yield from broken
    pages = [Page(contract, file) for file in files if not file.findings]
    conflicts = dict(_conflicts(pages))
    yield from conflicts.values()
    printed: dict[Where, list[str]] = {}
    different: dict[Printed, list[str]] = {}
    for page in pages:
        yield from page.missing()
        for one in page.printed():
            where, _, theirs, ours = one
            printed.setdefault(where, []).append(page.url)
            if theirs != ours and where[:3] not in conflicts:
                different.setdefault(one, []).append(page.url)
    for (where, subject, theirs, ours), urls in different.items():
        message = f"{subject} is documented as {theirs}, but is {ours} here: change it to match {' and '.join(urls)}."
        yield contract.finding(RULE, where, message)
    for element in contract.elements() if not broken else ():
        if element.status == RULE and (claim := _false_claim(element, printed)):
            yield contract.finding(RULE, element.where, claim)


class Page:
    """A documented page beside the contract."""

    def __init__(self, contract: Contract, file: Contract) -> None:
        self.contract, self.file, self.data = contract, file, file.data
        self.url = str(self.data["page"])
        self.definitions: dict[str, Any] = self.data.get("definitions", {})
        self.operation_id = self.data.get("operation", file.file.stem.replace("-", "_"))
        self.operation = contract.operation_named(self.operation_id)
        self.aliases = aliases(contract)
        named = {name: name for name in self.definitions} | self.data.get("names", {})
        self.names = self.aliases | {name: self.aliases.get(here, here) for name, here in named.items()}
        """The names in the contract, by printed name."""

    def missing(self) -> Iterator[Finding]:
        """Findings if the contract lacks the operation or an example."""
        if self.operation is None:
            message = f"the documented operation `{self.operation_id}` is missing: add it as {self.url} prints it, or"
            message = f"{message} correct its operationId, or `operation` in {self.file.file.name}."
            yield self.contract.finding(RULE, ("paths",), message)
        texts = json.dumps(self.contract.data, sort_keys=True)
        components = self.contract.without_dangling().get("components")
        for name, example in self.data.get("examples", {}).items():
            schema = {"$ref": f"#/components/schemas/{self.names.get(name, name)}"}
            # An example that contradicts its own page cannot be in the contract.
            if json.dumps(example, sort_keys=True) not in texts and not errors_of(components, schema, example):
                message = f"the documented example of `{name}` is missing: add it to the examples as {self.url} prints"
                yield self.contract.finding(RULE, ("paths",), f"{message} it.")

    def printed(self) -> Iterator[Printed]:
        """Everything that the page prints, except its examples."""
        for name, fragment in self.definitions.items():
            yield from self._schema(name, fragment)
        if self.operation:
            yield from self._request(self.operation)
            for heading, body in self.data.get("responses", {}).items():
                printed = heading.replace("00's", "XX").split()[0]  # the heading "400's" is any 4XX
                # In the contract, a default response has become the missing ones of these.
                for status in ("4XX", "5XX") if printed == "default" else (printed,):
                    subject = f"the response `{status}` (printed as {heading})"
                    yield from self._body((*self.operation, "responses", status), subject, body)

    def theirs(self, fragment: Any, *compared: str) -> str:
        """The signature of a fragment, with the names of the contract."""
        return signature(fragment, self.names, *compared)

    def _ours(self, where: Where, *compared: str) -> str:
        schema = self.contract.at(where)
        if schema is None and where[-3:-2] == ("content",):
            schema = TYPES["file"]
        return signature(schema, self.aliases, *compared) if isinstance(schema, dict) else "missing"

    def _schema(self, name: str, fragment: dict[str, Any]) -> Iterator[Printed]:
        here = self.names[name]
        where: Where = (*SCHEMAS, here)
        yield where, f"the schema `{here}`", self.theirs(fragment, "properties"), self._ours(where, "properties")
        for prop, printed in self.fields(name).items():
            place = (*where, "properties", prop)
            yield place, f"`{here}.{prop}`", self.theirs(printed), self._ours(place)
        if self.aliases.get(name) == here:
            yield (*SCHEMAS, name), f"the schema `{name}`", here, here

    def fields(self, name: str) -> dict[str, Any]:
        """The printed fields of a definition that can be in the contract.

        One without a Python name of its own cannot; the client keeps it as an unknown field.
        """
        printed, where = self.definitions[name].get("properties", {}), (*SCHEMAS, self.names[name], "properties")
        known, scope = mapping(self.contract.at(where)), Scope(self.contract, reserved=PROPERTIES)
        in_order = sorted(printed, key=lambda field: field not in known)
        nameless = {field for field in in_order if any(scope.check(where, "property", field, python_name(field)))}
        return {field: schema for field, schema in printed.items() if field in known or field not in nameless}

    def _request(self, operation: Where) -> Iterator[Printed]:
        _, path, method = map(str, operation)
        if "method" in self.data:
            yield operation, f"the method of `{self.operation_id}`", self.data["method"].upper(), method.upper()
        if "url" in self.data:
            printed = urlsplit(self.data["url"]).path
            # The text of some pages lacks the braces in paths, with the names of the parameters.
            ours = path if "{" in printed else re.sub("{.*?}", "", path)
            yield operation[:2], f"the path of `{self.operation_id}`", printed, ours
        for fragment in self.data.get("parameters", ()):
            yield from self._parameter(operation, fragment)
        if "request" in self.data:
            yield from self._body((*operation, "requestBody"), "the request body", self.data["request"])

    def _parameter(self, operation: Where, fragment: dict[str, Any]) -> Iterator[Printed]:
        known = {(node.get("in"), node.get("name")): where for where, node in self.contract.parameters(operation)}
        where = known.get((fragment["in"], fragment["name"]), (*operation, "parameters"))
        where = self.contract.follow(self.contract.at(where)) or where
        node, subject = mapping(self.contract.at(where)), f"the {fragment['in']} parameter `{fragment['name']}`"
        theirs, ours = ("required" if one.get("required") else "optional" for one in (fragment, node))
        is_in_path = fragment["in"] == "path"  # OpenAPI demands `required` there
        yield where, subject, "required" if is_in_path else theirs, ours if node else "missing"
        if (printed := fragment.get("collectionFormat")) in SEPARATORS:
            joined = f"the text between the items of {subject}"
            yield (*where, "explode"), joined, repr(SEPARATORS[printed]), repr(separator(node))
        schema = fragment.get("schema") or {key: fragment[key] for key in fragment.keys() - NO_SCHEMA}
        if schema.keys() - {"description"} and node:
            yield (*where, "schema"), subject, self.theirs(schema), self._ours((*where, "schema"))

    def _body(self, where: Where, subject: str, fragment: Any) -> Iterator[Printed]:
        where = self.contract.follow(self.contract.at(where)) or where
        contents = mapping(mapping(self.contract.at(where)).get("content"))
        places = [(*where, "content", media, "schema") for media in contents]
        ours = " or ".join(sorted(self._ours(place) for place in places)) or NO_BODY
        schema = {"$ref": fragment} if isinstance(fragment, str) else fragment
        theirs = NO_BODY if schema is None else self.theirs(schema)
        yield where, subject, theirs, ours
        yield from ((place, subject, theirs, theirs) for place in places)  # compared by the line above


def _conflicts(pages: list[Page]) -> Iterator[tuple[Where, Finding]]:
    """The schemas that pages print in different shapes, or with names that become one in Python."""
    first: dict[str, tuple[str, str, str]] = {}
    for page in pages:
        for name, fragment in page.definitions.items():
            here, shape = page.names[name], page.theirs(fragment)
            url, other, its_shape = first.setdefault(python_name(class_name(here)), (page.url, here, shape))
            if (here, shape) != (other, its_shape):
                what = "in another shape than" if here == other else f"which Python calls like `{other}` of"
                message = f"{page.url} prints `{name}`, {what} {url}: give one of them another name in the contract,"
                message = f"{message} such as with `names: {{{name}: Other{class_name(name)}}}` in this file."
                finding = page.file.finding(RULE, ("definitions", name), message)
                yield (*SCHEMAS, here), replace(finding, file=str(page.file.file))


def _false_claim(element: Element, printed: dict[Where, list[str]]) -> str | None:
    """A message if an element is wrongly marked as documented; None if the page in its source prints it."""
    place = next((one for one in _around(element.where) if one in printed), ())
    is_other_property = place[:2] == SCHEMAS and len(place) == 3 and element.where[3:4] == ("properties",)
    subject, source = f"the {element.kind} `{element.name}`", mapping(element.provenance).get("source")
    if not place or is_other_property:
        message = f"{subject} is marked as documented, but no page in tests/documented/ prints it ({source} does not):"
        return f"{message} mark it as observed or assumed, or remove it."
    if source in printed[place] or PROVENANCE not in element.node:
        return None
    return f"{subject} has the source {source}, which does not print it: use {' or '.join(printed[place])}."


def _around(where: Where) -> Iterator[Where]:
    """A place, and the schemas around it, innermost first. A schema was compared with everything inside it."""
    yield where
    for length in range(len(where) - 1, 2, -1):
        if where[:2] == SCHEMAS or where[length - 1] == "schema":
            yield where[:length]

"""The surface of one state of the project: each name that callers can use, with its part of the contract."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from tools.changes.keywords import Keywords, Reading
from tools.contract import METHODS, Contract, Where, aliases, mapping, separator, sequence, signature
from tools.generate import class_name, iterator_name, python_name

SCHEMAS: Where = ("components", "schemas")
SCHEMES: Where = ("components", "securitySchemes")

COMMAND, LIST = "talkdesk-bridge invoices", "iter_account_invoices"
"""The command that needs one particular list, and the name of that list's iterator."""
FREE = "requests without a credential"
RECORDED_ELSEWHERE = (*METHODS, "parameters", "version", "name", "in", "scheme", "type")
"""Keywords of the contract itself, its paths, tags and security schemes that are recorded under other names."""

CREDENTIALS = {"basic": "BasicAuth", "bearer": "BearerAuth", "oauth2": "OAuth2ClientCredentials"}
"""The client's class for each kind of security scheme, except `HeaderAuth`, which also needs the header's name."""


@dataclass
class Name:
    """A name as callers see it, and its part of the contract."""

    python: str = ""
    """The type with its default, or the kind of a class. Empty if Python does not show this part of the contract."""
    wire: str = ""
    """The part of the contract, such as `query page`. Empty if the name is not from the contract."""
    where: Where = ()
    """The place of that part."""
    identity: str = ""
    """Text that a rename does not change. Empty if renames cannot be recognized."""
    sent: bool = False
    """Whether it is part of a request."""
    keywords: Keywords = field(default_factory=dict)
    """The other keywords of that part."""

    @property
    def type(self) -> str:
        """The type, without the default."""
        return self.python.partition(" = ")[0]

    @property
    def default(self) -> str:
        """The default as Python writes it; empty if a value is required."""
        return self.python.partition(" = ")[2]


Surface = dict[str, Name]
"""By name, as returned by `offered` of tools/generate: `client.billing.get_x(page)`, `models.Invoice.amount`."""


def read(contract: Contract, offered: dict[str, str]) -> Surface:
    """The surface of a contract without findings and of its Python packages.

    Args:
        contract: The contract that the client was generated from.
        offered: The names in the packages, from `offered` of tools/generate.

    """
    reader = _Reader(contract, offered)
    for where, operation in contract.operations():
        reader.operation(where, operation)
    for name in mapping(contract.at(SCHEMAS)):
        reader.schema(str(name))
    reader.rest()
    reader.identify_classes()
    if iterator := _list_of_the_command(offered):
        reader.names[COMMAND] = Name("command", reader.names[iterator].wire, reader.names[iterator].where)
    return reader.names


def owners(name: str) -> Iterator[str]:
    """The owners of a name, innermost first: the method of an argument, the class of a field or method."""
    while "(" in name or "." in name:
        name = name.rpartition("(")[0] if name.endswith(")") else name.rpartition(".")[0]
        yield name


def _list_of_the_command(offered: dict[str, str]) -> str | None:
    """The iterator that the command needs, as extras/talkdesk_bridge_cli/account.py looks for it: of one account."""
    for name in [name for name in offered if re.fullmatch(rf"client\.\w+\.{LIST}", name)]:
        arguments = [one for one in offered if one.startswith(f"{name}(") and one[-2] not in "(*"]
        required = [one for one in arguments if " = " not in offered[one]]
        item = re.sub(r".*\b(\w+)\]$", r"\1", offered[f"{name}()"])
        if len(required) == 1 and offered.get(f"models.{item}") == "class":
            return name
    return None


class _Reader:
    """Reads a contract, and adds its parts to the names that Python has for them."""

    def __init__(self, contract: Contract, offered: dict[str, str]) -> None:
        self.contract = contract
        self.names: Surface = {name: Name(python) for name, python in offered.items()}
        self._aliases = aliases(contract)
        components = {str(name): class_name(self._aliases.get(name, name)) for name in mapping(contract.at(SCHEMAS))}
        classes = {name: known for name, known in components.items() if f"models.{known}" in offered}
        self._reading = Reading(contract, classes)
        self._sent: set[Where] = set()
        for where, _ in contract.operations():
            for place in ((*where, "requestBody"), (*where, "parameters"), (*where[:2], "parameters")):
                self._sent |= contract.reached(place)

    def _add(self, name: str, wire: str, where: Where, identity: str = "", *, sent: bool = False) -> Name:
        entry = self.names.setdefault(name, Name())
        entry.wire, entry.where, entry.identity, entry.sent = wire, where, identity, sent
        return entry

    def _keywords(self, node: Any, *left_out: str) -> Keywords:
        return dict(self._reading.keywords(node, left_out))

    def _place(self, where: Where) -> Where:
        """The place of a part of the contract, with references followed."""
        return self.contract.follow(self.contract.at(where)) or where

    # Operations.

    def operation(self, where: Where, node: dict[str, Any]) -> None:
        """Add an operation with its iterator, arguments, responses and credentials."""
        tag, method = python_name(str(node["tags"][0])), python_name(str(node["operationId"]))
        call, iterator = f"client.{tag}.{method}", f"client.{tag}.{iterator_name(method)}"
        wire, kind = f"{str(where[2]).upper()} {where[1]}", f"{where[2]} {re.sub('{.*?}', '{}', str(where[1]))}"
        left_out = ("operationId", "parameters", "requestBody", "responses", "security", "tags")
        self._add(call, wire, where, kind).keywords = self._keywords(node, *left_out)
        self._add(f"{call}()", "response", (*where, "responses"))
        self._add(f"{call}(*)", "path", where)
        if iterator in self.names:
            self._add(iterator, "response", where, f"items of {kind}")
            self._add(f"{iterator}()", "response", (*where, "responses"))
            self._drop_shared_parts(call, iterator)
        for holder in (where[:2], where):
            for index in range(len(sequence(self.contract.at((*holder, "parameters"))))):
                self._parameter(call, self._place((*holder, "parameters", index)), re.findall("{(.*?)}", wire))
        if "requestBody" in node:
            self._body(call, wire, self._place((*where, "requestBody")))
        for status in mapping(node.get("responses")):
            self._response(call, wire, str(status), self._place((*where, "responses", status)))
        self.names[call].keywords[("security",)] = self._credentials(sequence(node.get("security")))

    def _drop_shared_parts(self, call: str, iterator: str) -> None:
        """Drop the arguments that a method and its iterator share: changes are reported for the method only."""
        for name in [*self.names]:
            is_argument = name.startswith(f"{iterator}(") and name != f"{iterator}()"
            if is_argument and name.replace(iterator, call, 1) in self.names:
                del self.names[name]

    def _parameter(self, call: str, where: Where, path: list[str]) -> None:
        node = self.contract.at(where)
        place, written_name = str(node["in"]), str(node["name"])
        wire = f"{place} {written_name}"
        is_list = self._reading.plain(node.get("schema")).get("type") == "array"
        if is_list and place in ("query", "cookie") and separator(node):
            wire = f"{wire}, items joined with {separator(node)!r}"
        identity = wire.lower() if place == "header" else wire
        if place == "path":  # the name of a path parameter is not sent
            identity = f"path {path.index(written_name)} of {len(path)}"
        argument = f"{call}({python_name(written_name)})"
        entry = self._add(argument, wire, where, identity, sent=True)
        entry.keywords = self._keywords(node, "in", "name", "required", "schema")
        self._values(argument, f"{call} {written_name}", where)

    def _body(self, call: str, wire: str, where: Where) -> None:
        node = self.contract.at(where)
        entry = self._add(f"{call}(body)", "request body", where, "request body", sent=True)
        entry.keywords = self._keywords(node, "required", "schema")
        entry.keywords[("media types",)] = [*mapping(node.get("content"))]
        self._values(f"{call}(body)", f"{wire} body", where)

    def _response(self, call: str, wire: str, status: str, where: Where) -> None:
        """Add a response: for a success, its media types; for an error, its body, which is read from any media type."""
        node = self.contract.at(where)
        content = mapping(node.get("content"))
        keywords: Keywords = {(status, *place): value for place, value in self._keywords(node, "schema").items()}
        if status.startswith("2"):
            keywords[(status, "response")] = [*content] or ["no body"]
            self._values(f"{call}()", f"{wire} {status}", where)
        else:
            schemas = [self._reading.plain(mapping(media).get("schema")) for media in content.values()]
            inline = class_name(f"{call.rpartition('.')[2]}_response_{status}")
            is_class = f"models.{inline}" in self.names
            bodies = [inline if is_class else signature(schema, self._aliases) for schema in schemas]
            keywords[(status, "error")] = " or ".join(dict.fromkeys(bodies)) or "ErrorInfo"
            if is_class:
                place = self._place((*where, "content", next(iter(content)), "schema"))
                self._class(f"models.{inline}", f"{wire} {status}", place, sent=False)
            self._inline(inline, f"{wire} {status}", where)
        self.names[call].keywords |= keywords

    def _inline(self, word: str, label: str, where: Where) -> None:
        """Add the classes that are named after an inline schema, such as those of an error body or of a union."""
        for name, known in self.names.items():
            if name.startswith(f"models.{word}") and known.python and not known.wire:
                known.wire, known.where = label, where

    def _credentials(self, security: list[dict[str, Any]]) -> list[str]:
        """The client's classes that a caller may authenticate with, one text for each alternative."""
        return sorted({" with ".join(sorted(map(self._credential, way))) or FREE for way in security or [{}]})

    def _credential(self, name: str) -> str:
        scheme = mapping(self.contract.at((*SCHEMES, name)))
        if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
            header = str(scheme.get("name"))
            return "`HeaderAuth`" if header.lower() == "authorization" else f'`HeaderAuth(..., name="{header}")`'
        kind = str(scheme.get("scheme") or scheme.get("type")).lower()
        if kind == "oauth2" and "clientCredentials" not in mapping(scheme.get("flows")):
            kind = "bearer"  # with a token from elsewhere
        return f"`{CREDENTIALS[kind]}`" if kind in CREDENTIALS else f"{name}, for which the client has no class"

    # Schemas.

    def schema(self, name: str) -> None:
        """Add a component that has a class. Any other one is added where it is used."""
        where = (*SCHEMAS, name)
        if (known := f"models.{class_name(name)}") in self.names:
            self._class(known, name, where, sent=where in self._sent)
            shown = ("additionalProperties", "allOf", "enum", "properties", "required", "type")
            self.names[known].keywords = self._keywords(self.contract.at(where), *shown)

    def _class(self, name: str, label: str, where: Where, *, sent: bool) -> None:
        """Add a class with its fields, or an enumeration with its members."""
        self._add(name, f"schema {label}", where, sent=sent)
        if self.names[name].python.startswith("enumeration"):
            for member in [one for one in self.names if one.startswith(f"{name}.")]:
                self._add(member, label, where, self.names[member].python)
        elif self.names[name].python == "class":
            for wire, place in self._properties(where).items():
                attribute = f"{name}.{python_name(wire)}"
                self._add(attribute, f"{label}.{wire}", place, wire, sent=sent)
                self._value(attribute, f"{label}.{wire}", place)
            rest = f"{name}.additional_properties"
            self._add(rest, label, where, sent=sent)
            if isinstance(mapping(self.contract.at(where)).get("additionalProperties"), dict):
                self._value(rest, f"{label}.*", (*where, "additionalProperties"))

    def _properties(self, where: Where) -> dict[str, Where]:
        """The places of the properties of a schema and of the members of its `allOf`."""
        node = mapping(self.contract.at(where))
        found: dict[str, Where] = {}
        for index in range(len(sequence(node.get("allOf")))):
            found |= self._properties(self._place((*where, "allOf", index)))
        return found | {name: (*where, "properties", name) for name in mapping(node.get("properties"))}

    def _values(self, name: str, label: str, where: Where) -> None:
        """Add the schemas of a parameter, a body or a response, one for each media type."""
        media: list[Where] = [("content", name) for name in mapping(self.contract.at((*where, "content")))]
        for place in [(*where, "schema"), *((*where, *inner, "schema") for inner in media)]:
            if self.contract.at(place) is not None:
                self._value(name, label, place)

    def _value(self, name: str, label: str, where: Where) -> None:
        """Add the schema of an argument, a body or a field, and its class if it is defined inline."""
        entry, (inner, place) = self.names[name], self._innermost(where)
        classes = [f"models.{word}" for word in re.findall(r"\w+", entry.type) if f"models.{word}" in self.names]
        shown: Collection[str] = ()
        if len(classes) == 1 and inner.keys() & {"additionalProperties", "enum", "properties"}:
            shown = ("additionalProperties", "enum", "properties", "required")
            self._class(classes[0], label, self._place(place), sent=entry.sent)
        for word in {one.removeprefix("models.") for one in classes} - {*self._reading.classes.values()}:
            self._inline(word, label, where)
        entry.keywords |= self._keywords(self._reading.plain(self.contract.at(where)), *shown)

    def _innermost(self, where: Where) -> tuple[dict[str, Any], Where]:
        """The schema at a place, and that place; for a list, those of its items, also inside further lists."""
        node = self._reading.plain(self.contract.at(where))
        while node.get("type") == "array":
            where = (*self._place(where), "items")
            node = self._reading.plain(node.get("items"))
        return node, where

    # The rest.

    def rest(self) -> None:
        """Add the parts without Python: the contract itself, its tags, paths, security schemes and servers."""
        data = self.contract.data
        places: dict[str, Where] = {"contract": ("info",)}
        places |= {f"tag {tag['name']}": ("tags", index) for index, tag in enumerate(sequence(data.get("tags")))}
        places |= {f"path {path}": ("paths", path) for path in mapping(data.get("paths"))}
        places |= {f"security scheme {name}": (*SCHEMES, name) for name in mapping(self.contract.at(SCHEMES))}
        for name, where in places.items():
            self._add(name, name, where).keywords = self._keywords(self.contract.at(where), *RECORDED_ELSEWHERE)
        self.names["contract"].keywords[("servers",)] = data.get("servers")

    def identify_classes(self) -> None:
        """Set the identity of each component's class: two classes are the same if all their parts are."""
        components = [one for one, known in self.names.items() if known.where[:2] == SCHEMAS and len(known.where) == 3]
        for name in [one for one in components if one.count(".") == 1]:
            parts = {one.removeprefix(name): part for one, part in self.names.items() if one.startswith(f"{name}.")}
            described = json.dumps({one: [part.python, part.identity] for one, part in parts.items()}, sort_keys=True)
            self.names[name].identity = re.sub(rf"\b{name.removeprefix('models.')}\b", "itself", described)

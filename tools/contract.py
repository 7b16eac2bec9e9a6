"""A contract as read from YAML: its data, the place of every value, and its elements with their provenance."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PROVENANCE = "x-provenance"
STATUSES = ("documented", "observed", "assumed")
CARRIERS = {"parameter": "parameters", "response": "responses", "header": "headers", "request body": "requestBodies"}
"""The kinds of elements that carry values with a schema, and the components that hold them."""

Where = tuple[str | int, ...]
"""The keys and indexes that lead from the root of the contract to a value."""


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong with a contract: where (line and column count from 1), by which rule, and the remedy."""

    line: int
    column: int
    rule: str
    message: str


@dataclass(frozen=True)
class Element:
    """A part of the contract that has a provenance, its own or that of the element around it."""

    kind: str
    """tag, path, operation, parameter, response, header, request body, schema, property or security scheme."""
    name: str
    where: Where
    node: dict[str, Any]
    provenance: dict[str, Any] | None

    @property
    def status(self) -> str | None:
        """documented, observed or assumed; None where nothing says."""
        return (self.provenance or {}).get("status")


@dataclass
class Contract:
    """The contract in `file`; what could not be read of it is in `findings`, and `data` holds the rest."""

    file: Path
    data: dict[str, Any] = field(default_factory=dict)
    places: dict[Where, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def finding(self, rule: str, where: Where, message: str) -> Finding:
        """A finding at `where`, or at the innermost value around it that is in the file."""
        while where and where not in self.places:
            where = where[:-1]
        return Finding(*self.places.get(where, (1, 1)), rule, message)

    def resolve(self, node: Any) -> Any:
        """What `node` stands for: the target of its `$ref` (followed to its end), else itself; None if dangling."""
        return self.at(where) if (where := self.follow(node)) is not None else node if not is_reference(node) else None

    def follow(self, node: Any) -> Where | None:
        """Where the target of `node` stands, its `$ref` followed to the end; None if it has none or it dangles."""
        seen: set[str] = set()
        where: Where | None = None
        while isinstance(node, dict) and isinstance(ref := node.get("$ref"), str):
            if ref in seen or not ref.startswith("#/"):
                return None
            seen.add(ref)
            where = tuple(part.replace("~1", "/").replace("~0", "~") for part in ref[2:].split("/"))
            node = self.at(where)
            if node is None:
                return None
        return where

    def at(self, where: Where) -> Any:
        """The value at `where`, or None."""
        node: Any = self.data
        for key in where:
            if isinstance(node, list) and str(key).isdigit() and int(key) < len(node):
                node = node[int(key)]
            elif isinstance(node, dict) and key in node:
                node = node[key]
            else:
                return None
        return node

    def reached(self, where: Where) -> set[Where]:
        """The places that the references at and below a place lead to, directly or not."""
        found: set[Where] = set()
        left = [self.at(where)]
        while left:
            node = left.pop()
            if (target := self.follow(node)) is not None and target not in found:
                found.add(target)
                left.append(self.at(target))
            left += mapping(node).values() if isinstance(node, dict) else sequence(node)
        return found

    def dangling(self) -> list[Where]:
        """Where the references stand that lead to no component of this file, those inside examples excepted."""
        return [
            where
            for where in self.places
            if where[-1:] == ("$ref",)
            and not in_example(where)
            and isinstance(ref := self.at(where), str)
            and (self.resolve({"$ref": ref}) is None or not ref.startswith("#/components/"))
        ]

    def without_dangling(self) -> dict[str, Any]:
        """The contract without those references: a validator would stop at the first one."""
        data = copy.deepcopy(self.data)
        for *parent, _ in self.dangling():
            Contract(self.file, data).at(tuple(parent)).pop("$ref")
        return data

    def operations(self) -> Iterator[tuple[Where, dict[str, Any]]]:
        """Every operation, with where it stands."""
        for path, item in mapping(self.data.get("paths")).items():
            for method in METHODS:
                if isinstance(operation := mapping(item).get(method), dict):
                    yield ("paths", path, method), operation

    def operation_named(self, operation_id: str) -> Where | None:
        """Where the operation with this operationId stands; None where there is none."""
        found = (where for where, operation in self.operations() if operation.get("operationId") == operation_id)
        return next(found, None)

    def elements(self) -> Iterator[Element]:
        """Every element that has a provenance, outer ones first."""
        for index, tag in enumerate(sequence(self.data.get("tags"))):
            yield _element("tag", mapping(tag).get("name", "?"), ("tags", index), tag, None)
        for path, item in mapping(self.data.get("paths")).items():
            outer = _element("path", path, ("paths", path), item, None)
            yield outer
            yield from _named(outer, "parameter", "parameters")
            for method in METHODS:
                if isinstance(mapping(item).get(method), dict):
                    operation = _inside(outer, "operation", f"{method.upper()} {path}", method)
                    yield operation
                    yield from _named(operation, "parameter", "parameters")
                    if "requestBody" in operation.node and not is_reference(operation.node["requestBody"]):
                        yield from _carrier(_inside(operation, "request body", operation.name, "requestBody"))
                    yield from _named(operation, "response", "responses")
        components = _element("components", "components", ("components",), self.data.get("components"), None)
        for kind in CARRIERS:
            yield from _named(components, kind, CARRIERS[kind])
        for name in mapping(components.node.get("securitySchemes")):
            yield _inside(components, "security scheme", name, "securitySchemes", name)
        for name in mapping(components.node.get("schemas")):
            yield from _schemas(_inside(components, "schema", name, "schemas", name))


def mapping(node: Any) -> dict[Any, Any]:
    """`node` where it is a mapping, else an empty one: the rules read on past what another rule reports."""
    return node if isinstance(node, dict) else {}


def sequence(node: Any) -> list[Any]:
    """`node` where it is a list, else an empty one."""
    return node if isinstance(node, list) else []


def in_example(where: Where) -> bool:
    """Whether a place is inside an example or another literal value, where nothing has a meaning for OpenAPI."""
    literal = {"example", "examples", "default", "enum", "const"}
    return any(
        key in literal and (index == 0 or where[index - 1] not in ("properties", "schemas", "parameters", "responses"))
        for index, key in enumerate(where)
    )


def is_reference(node: Any) -> bool:
    """Whether `node` is nothing but a reference, so that what it stands for is an element elsewhere."""
    return "$ref" in mapping(node)


def _element(kind: str, name: str, where: Where, node: Any, inherited: dict[str, Any] | None) -> Element:
    own = mapping(node).get(PROVENANCE)
    return Element(kind, name, where, mapping(node), own if isinstance(own, dict) else inherited)


def _inside(outer: Element, kind: str, name: str, *keys: str | int) -> Element:
    node: Any = outer.node
    for key in keys:
        node = node[key]
    return _element(kind, name, (*outer.where, *keys), node, outer.provenance)


def _named(outer: Element, kind: str, key: str) -> Iterator[Element]:
    """The parameters, responses, headers or request bodies that `outer` holds under `key`, references excepted."""
    held = outer.node.get(key)
    names = held if isinstance(held, dict) else range(len(sequence(held)))
    for name in names:
        node = mapping(held)[name] if isinstance(held, dict) else sequence(held)[name]
        if not is_reference(node) and not str(name).startswith("x-"):
            yield from _carrier(_inside(outer, kind, str(mapping(node).get("name", name)), key, name))


def _carrier(element: Element) -> Iterator[Element]:
    """A parameter, response, header or request body, with its headers and the schemas of what it carries."""
    yield element
    yield from _named(element, "header", "headers")
    places: list[Where] = [("schema",)]
    places += [("content", media_type, "schema") for media_type in mapping(element.node.get("content"))]
    for keys in places:
        schema: Any = element.node
        for key in keys:
            schema = mapping(schema).get(key)
        if schema and not is_reference(schema):
            yield from _schemas(_inside(element, "schema", element.name, *keys))


def _schemas(schema: Element) -> Iterator[Element]:
    """`schema` and what is written inside it: its properties, its items, the members of its combinations."""
    yield schema
    node = schema.node
    inner: list[tuple[str, str, Where]] = [
        ("property", f"{schema.name}.{name}", ("properties", name)) for name in mapping(node.get("properties"))
    ]
    inner += [("schema", schema.name, (key,)) for key in ("items", "additionalProperties", "not") if node.get(key)]
    inner += [
        ("schema", schema.name, (key, index))
        for key in ("allOf", "anyOf", "oneOf", "prefixItems")
        for index in range(len(sequence(node.get(key))))
    ]
    for kind, name, keys in inner:
        element = _inside(schema, kind, name, *keys)
        if kind == "property" or (element.node and not is_reference(element.node)):
            yield from _schemas(element)


def load(file: Path) -> Contract:
    """Read `file`; what is wrong with the YAML itself becomes findings of the contract.

    Raises:
        OSError: the file cannot be read.

    """
    contract = Contract(file)
    try:
        _read(file, contract)
    except RecursionError:
        contract.findings.append(Finding(1, 1, "yaml", "the file is nested too deeply to be a contract."))
    return contract


def _read(file: Path, contract: Contract) -> None:
    try:
        text = file.read_bytes().decode()
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except UnicodeDecodeError as error:
        contract.findings.append(
            Finding(1, 1, "yaml", f"the file is not UTF-8 ({error.reason} at byte {error.start}).")
        )
        return
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = " ".join(text for text in (error.context, error.problem) if text)
        problem = problem.replace("that cannot start any token", "that cannot stand there (a tab?)")
        told = f"this is not YAML: {problem}; look at indents and quotes here and above."
        contract.findings.append(Finding(line, column, "yaml", told))
        return
    except yaml.YAMLError as error:
        contract.findings.append(Finding(1, 1, "yaml", f"this is not YAML: {' '.join(str(error).split())}."))
        return
    data = _Reader(contract).read(root, (), frozenset()) if root else None
    if isinstance(data, dict):
        contract.data = data
    else:
        contract.findings.append(Finding(1, 1, "yaml", "the file holds no mapping: a contract begins with `openapi:`."))


class _Reader(yaml.SafeLoader):
    """Turns YAML nodes into the JSON that they mean, noting places, duplicate keys and what JSON does not have."""

    def __init__(self, contract: Contract) -> None:
        super().__init__("")
        self._contract = contract

    def read(self, node: Any, where: Where, parents: frozenset[int]) -> Any:
        self._contract.places.setdefault(where, _place(node))
        if id(node) in parents:
            self._report("yaml", node, "an alias leads back to the value around it: write the value out.")
            return None
        parents |= {id(node)}
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*where, index), parents) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            if node.tag != "tag:yaml.org,2002:map":
                self._report("yaml", node, f"the tag {node.tag} has no JSON form: remove it.")
            return self._mapping(node, where, parents)
        try:
            value = self.construct_object(node)
            json.dumps(value, allow_nan=False)
            if not isinstance(value, str | None) and str(node.value).lower() not in ("true", "false"):
                json.loads(node.value)  # YAML 1.1 also reads 1:30, 0o7 and `yes` as something else than text
        except (yaml.YAMLError, TypeError, ValueError):
            self._report("yaml", node, f"`{node.value}` has no JSON form: quote it if it is text (dates are).")
            return node.value
        return value

    def _mapping(self, node: yaml.MappingNode, where: Where, parents: frozenset[int]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str) or key_node.tag not in ("tag:yaml.org,2002:str", "!"):
                self._report("yaml", key_node, f"the key `{key}` is not text: quote it.")
                key = str(key)
            if key in result:
                line = self._contract.places[(*where, key)][0]
                self._report(
                    "duplicate-key", key_node, f"the key `{key}` stands here a second time, after line {line}."
                )
                continue
            self._contract.places[(*where, key)] = _place(key_node)
            result[key] = self.read(value_node, (*where, key), parents)
        return result

    def _report(self, rule: str, node: Any, message: str) -> None:
        self._contract.findings.append(Finding(*_place(node), rule, message))


def _place(node: Any) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1

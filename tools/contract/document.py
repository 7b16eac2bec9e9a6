"""A contract read from YAML: its data, the place of every value, and findings about the YAML itself."""

from __future__ import annotations

import bisect
import copy
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tools.contract.elements import METHODS, Element, Where, elements, in_example, mapping, members, sequence
from tools.contract.forms import normalise

MOST_REPEATED = 100_000
"""Values that aliases may repeat."""
NUMBER = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]{0,999})(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, order=True)
class Finding:
    """A fault in a contract: its place (line and column count from 1), the rule, and a message with the remedy."""

    line: int
    column: int
    rule: str
    message: str
    file: str = ""
    """The file, if it is another one than the contract."""


@dataclass
class Contract:
    """The contract in `file`; values that could not be read are in `findings`, all others in `data`."""

    file: Path
    data: dict[str, Any] = field(default_factory=dict)
    places: dict[Where, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def finding(self, rule: str, where: Where, message: str) -> Finding:
        """A finding at `where`, or at the nearest enclosing value that is in the file."""
        while where and where not in self.places:
            where = where[:-1]
        return Finding(*self.places.get(where, (1, 1)), rule, message)

    def at(self, where: Where) -> Any:
        """The value at `where`, or None."""
        node: Any = self.data
        for key in where:
            if isinstance(node, list) and str(key).isdecimal() and int(key) < len(node):
                node = node[int(key)]
            elif isinstance(node, dict) and key in node:
                node = node[key]
            else:
                return None
        return node

    def follow(self, node: Any) -> Where | None:
        """The place that the `$ref` of `node` finally leads to; None if it has no `$ref` or the reference dangles."""
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

    def resolve(self, node: Any) -> Any:
        """The final target of the `$ref` of `node`; None if it dangles. Without a `$ref`, `node` itself."""
        if "$ref" not in mapping(node):
            return node
        where = self.follow(node)
        return None if where is None else self.at(where)

    def reached(self, where: Where) -> set[Where]:
        """The places that the references at and below `where` lead to, directly or indirectly."""
        found: set[Where] = set()
        left = [self.at(where)]
        while left:
            node = left.pop()
            if (target := self.follow(node)) is not None and target not in found:
                found.add(target)
                left.append(self.at(target))
            left += [*mapping(node).values(), *sequence(node)]
        return found

    def parts(self, schema: Any) -> list[dict[str, Any]]:
        """The schemas that a schema is combined from, at any depth. Includes itself only if there is a cycle."""
        found: list[dict[str, Any]] = []
        left = members(self.resolve(schema))
        while left:
            part = mapping(self.resolve(left.pop()))
            if not any(part is known for known in found):
                found.append(part)
                left += members(part)
        return found

    def dangling(self) -> list[Where]:
        """The places of references that do not lead to a component of this file, except those inside examples."""
        return [
            where
            for where, ref in self.references()
            if self.resolve({"$ref": ref}) is None or not ref.startswith("#/components/")
        ]

    def references(self) -> Iterator[tuple[Where, str]]:
        """Every `$ref` with its place, except those inside examples."""
        for where in self.places:
            if where[-1:] == ("$ref",) and isinstance(ref := self.at(where), str) and not in_example(where):
                yield where, ref

    def without_dangling(self) -> dict[str, Any]:
        """The data without dangling references; a validator would stop at the first one."""
        data = copy.deepcopy(self.data)
        for *parent, _ in self.dangling():
            Contract(self.file, data).at(tuple(parent)).pop("$ref")
        return data

    def operations(self) -> Iterator[tuple[Where, dict[str, Any]]]:
        """Every operation with its place."""
        for path, item in mapping(self.data.get("paths")).items():
            for method in METHODS:
                if isinstance(operation := mapping(item).get(method), dict):
                    yield ("paths", path, method), operation

    def operation_named(self, operation_id: str) -> Where | None:
        """The place of the operation with this operationId; None if there is none."""
        found = (where for where, operation in self.operations() if operation.get("operationId") == operation_id)
        return next(found, None)

    def parameters(self, operation: Where) -> Iterator[tuple[Where, dict[str, Any]]]:
        """The parameters of an operation and of its path, each with the place where it is listed."""
        for holder in (operation, operation[:2]):
            for index, node in enumerate(sequence(self.at((*holder, "parameters")))):
                yield (*holder, "parameters", index), mapping(self.resolve(node))

    def elements(self, *kinds: str) -> Iterator[Element]:
        """Every element that has a provenance, outer ones first; only those of the given kinds, if any."""
        return (element for element in elements(self.data) if not kinds or element.kind in kinds)


def load(file: Path) -> Contract:
    """Read `file`; YAML errors become findings of the contract.

    Raises:
        OSError: the file cannot be read.

    """
    contract = Contract(file)
    content = file.read_bytes()
    reader = _Reader(contract, "")
    try:
        reader = _Reader(contract, _without_json_escapes(content.decode("utf-8-sig")))
        root = yaml.compose(reader.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        data = reader.read(root, (), frozenset()) if root else None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        why = " ".join((getattr(error, "problem", None) or str(error)).split())
        message = f"this is not valid YAML: {why}. Check indentation, tabs and quotes here and above."
        contract.findings.append(Finding(*reader.place(mark), "yaml", message))
        return contract
    if reader.nodes_left < 0:
        return contract
    if isinstance(data, dict):
        contract.data = data
        normalise(contract)
    else:
        contract.findings.append(contract.finding("yaml", (), "the file is not a mapping: start it with `openapi:`."))
    return contract


def _without_json_escapes(text: str) -> str:
    """Text that YAML reads as JSON does: without tabs and without escapes of surrogate pairs if it is JSON."""
    try:
        json.loads(text)
    except ValueError:
        return text
    pair = r"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w)"
    return re.sub(pair, lambda found: found[1] + json.loads(f'"{found[2]}"'), text.replace("\t", " "))


class _Reader:
    """Converts YAML nodes to JSON data; records places, and reports duplicate keys and values that JSON lacks."""

    def __init__(self, contract: Contract, text: str) -> None:
        self.text = text
        self._contract = contract
        # Without aliases, there is at most one node for each character.
        self.nodes_left = len(text) + MOST_REPEATED
        # YAML 1.1 also counts lines at U+0085, U+2028 and U+2029, which editors do not.
        self._lines = [0, *(found.end() for found in re.finditer("\r\n|\r|\n", text))]

    def place(self, mark: Any) -> tuple[int, int]:
        """Line and column of a mark, counted from 1."""
        index = mark.index if mark else 0
        line = bisect.bisect(self._lines, index)
        return line, index - self._lines[line - 1] + 1

    def read(self, node: Any, where: Where, parents: frozenset[int]) -> Any:
        self._contract.places.setdefault(where, self.place(node.start_mark))
        self.nodes_left -= 1
        if self.nodes_left == -1:
            self._report("yaml", node, "aliases repeat too many values: write them out, or use `$ref`.")
        if id(node) in parents:
            self._report("yaml", node, "this alias refers to a value that contains it: write the value out.")
        if id(node) in parents or self.nodes_left < 0:
            return None
        parents |= {id(node)}
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*where, index), parents) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            if node.tag != "tag:yaml.org,2002:map":
                self._report("yaml", node, f"the tag {node.tag} has no JSON equivalent: remove it.")
            return self._mapping(node, where, parents)
        return self._scalar(node, node.tag.rpartition(":")[2])

    def _scalar(self, node: Any, tag: str) -> Any:
        """The value if YAML 1.1 and 1.2 agree about it, unlike about 1:30, 0o17 and `yes`, and JSON has it."""
        text, plain = node.value, "" if node.style else node.value
        # YAML 1.1 reads numbers such as 1e3 as text.
        if NUMBER.fullmatch(plain) and (tag in ("int", "float") or "e" in plain.lower()):
            number = float(plain) if {*plain} & {*".eE"} else int(plain)
            if abs(number) != math.inf:
                return number
        elif tag in ("str", "!") and not re.fullmatch("[-+]?0o[0-7]+", plain):
            return text
        elif tag == "null":
            return None
        elif tag == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        self._report("yaml", node, f"`{text[:80]}` has no JSON equivalent: quote it if it is text or a date.")
        return text

    def _mapping(self, node: yaml.MappingNode, where: Where, parents: frozenset[int]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if key_node.tag == "tag:yaml.org,2002:merge":
                self._report("yaml", key_node, "`<<` merges mappings in YAML 1.1 only: write their keys out.")
                continue
            if not isinstance(key, str) or key_node.tag not in ("tag:yaml.org,2002:str", "!"):
                self._report("yaml", key_node, f"the key `{key}` is not a string: quote it.")
                key = str(key)
            if key in result:
                line = self._contract.places[(*where, key)][0]
                self._report("duplicate-key", key_node, f"the key `{key}` is also on line {line}: remove one of them.")
                continue
            self._contract.places[(*where, key)] = self.place(key_node.start_mark)
            result[key] = self.read(value_node, (*where, key), parents)
        return result

    def _report(self, rule: str, node: Any, message: str) -> None:
        self._contract.findings.append(Finding(*self.place(node.start_mark), rule, message))

"""Prepares the contract for the generator: descriptions say what is documented, observed or assumed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tools.contract import CARRIERS, PROVENANCE, STATUSES, Contract, Element, Where, aliases, mapping, sequence
from tools.contract.hazards import is_file


def annotate(contract: Contract) -> dict[str, Any]:
    """The contract with provenance in its descriptions, and with the aliases of schemas.

    The generator shows its templates the descriptions of operations and parameters, but not their extensions.
    """
    data = copy.deepcopy(contract.data)
    annotated = Contract(contract.file, data)
    elements = {element.where: element for element in annotated.elements()}
    for element in elements.values():
        added: list[str] = []
        if element.kind == "operation":
            added = list(_assumptions(annotated, element, elements))
        elif PROVENANCE in element.node and element.kind in ("parameter", "property", "schema"):
            added = [_origin(element)]
        # The generator reads a parameter's description from its schema.
        node = mapping(element.node.get("schema")) if element.kind == "parameter" else element.node
        described = [element.node["description"]] if "description" in element.node else []
        if added:
            node["description"] = ("\n\n" if element.kind == "operation" else " ").join(described + added)
    schemas = mapping(annotated.at(("components", "schemas")))
    for alias, name in aliases(annotated).items():
        schemas[name].setdefault("x-aliases", []).append(alias)
    for schema in schemas.values():
        schema.pop("title", None)  # the generator would name the class after the title
    for _, media in file_bodies(annotated):
        media["schema"] = {"type": "string", "format": "binary"}
    data.pop("webhooks", None)  # documentation
    return data


def file_bodies(contract: Contract) -> Iterator[tuple[str, dict[str, Any]]]:
    """The media type and the node of each body that is a file."""
    for element in contract.elements(*CARRIERS):
        for media_type, media in mapping(element.node.get("content")).items():
            if is_file(contract, media_type, media):
                yield media_type, media


def _assumptions(contract: Contract, operation: Element, elements: dict[Where, Element]) -> Iterator[str]:
    """A sentence for each status, with the parts of an operation that have it, and the origin of its path."""
    used = [operation.where[:2], *(where for where, _ in contract.parameters(operation.where))]
    used += [(*operation.where, "responses", status) for status in mapping(operation.node.get("responses"))]
    for requirement in sequence(operation.node.get("security")):
        used += [("components", "securitySchemes", name) for name in requirement]
    places = {where: contract.follow(contract.at(where)) or where for where in used}
    parts = {where: elements[place] for where, place in places.items() if place in elements}
    for status in STATUSES:
        names = [_subject(part, where) for where, part in parts.items() if part.status == status]
        if names:
            yield f"{status.capitalize()}: {', '.join(names)}."
    yield from (_origin(part) for part in parts.values() if part.kind == "path" and part.status != "documented")


def _subject(part: Element, where: Where) -> str:
    name = where[-1] if part.kind == "response" else part.name
    return "method and path" if part.kind == "path" else f"{part.kind} `{name}`"


def _origin(element: Element) -> str:
    """A sentence that says where an element comes from."""
    provenance = element.provenance or {}
    status, source = str(element.status).capitalize(), provenance.get("source")
    return f"{status}: {provenance['note']} See {source}" if provenance.get("note") else f"{status}: {source}"

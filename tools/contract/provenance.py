"""The rule `provenance`: every part of the contract says where it comes from."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from openapi_schema_validator import oas31_format_checker

from tools.contract.document import Contract, Finding
from tools.contract.elements import PROVENANCE, STATUSES, Where, in_example
from tools.contract.forms import PATH_ITEMS


def provenance(contract: Contract) -> Iterator[Finding]:
    """Each tag, path, parameter, schema, property and security scheme says, or inherits, where it comes from."""
    known: set[Where] = set()
    for element in contract.elements():
        known.add((*element.where, PROVENANCE))
        if element.provenance is None and element.kind in ("tag", "path", "parameter", "schema", "security scheme"):
            message = f"the {element.kind} `{element.name}` does not say where it comes from: add `{PROVENANCE}`."
            yield contract.finding("provenance", element.where, message)
        if PROVENANCE in element.node:
            where = (*element.where, PROVENANCE)
            for key, message in _problems(element.node[PROVENANCE]):
                yield contract.finding("provenance", (*where, key), message)
    for where in contract.places:
        key = str(where[-1]) if where else ""
        if not key.startswith("x-p") or in_example(where) or where[0] == "webhooks" or where[:2] == PATH_ITEMS:
            continue
        if key != PROVENANCE and difflib.get_close_matches(key, [PROVENANCE]):
            yield contract.finding("provenance", where, f"`{key}` is unknown: did you mean `{PROVENANCE}`?")
        if key == PROVENANCE and where not in known:
            message = f"`{PROVENANCE}` has no effect here: it belongs to a tag, path, operation, parameter, response,"
            message += " schema, property or security scheme, or to `paths`, `components` or a group of components."
            yield contract.finding("provenance", where, message)


def _problems(given: Any) -> Iterator[tuple[str, str]]:
    """The problems of a provenance: the key and a message for each."""
    if not isinstance(given, dict):
        yield "", f"`{PROVENANCE}` must be a mapping with `status`, `source` and `retrieved`."
        return
    for key in given.keys() - {"status", "source", "retrieved", "note"}:
        yield key, f"`{key}` is not a key of `{PROVENANCE}`: use `status`, `source`, `retrieved` or `note`."
    status, retrieved = given.get("status"), given.get("retrieved")
    if status not in STATUSES:
        yield "status", f"`status` must be one of {', '.join(STATUSES)}, not `{status}`."
    for key in ("source", "retrieved"):
        if not isinstance(given.get(key), str) or not given[key]:
            yield "", f"`{PROVENANCE}` has no `{key}`: say where and when you read it."
    if isinstance(retrieved, str) and not oas31_format_checker.conforms(retrieved, "date"):
        yield "retrieved", f"`retrieved` must be a date such as 2026-11-22, not `{retrieved}`."
    if status in STATUSES[1:] and not given.get("note"):
        yield "", f"`status: {status}` needs a `note` with the reason: users read it in the docstrings."

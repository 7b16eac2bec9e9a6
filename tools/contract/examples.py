"""The rule `example`: bodies have examples, and examples and defaults match their schemas."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import ValidationError, validators
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from referencing import Registry

from tools.contract.document import Contract, Finding
from tools.contract.elements import CARRIERS, Element, Where, mapping
from tools.contract.messages import short

SECONDS = 5


def examples(contract: Contract) -> Iterator[Finding]:
    """Each 2xx and 4XX body has an example, and each example and default matches its schema."""
    yield from _missing(contract)
    components = contract.without_dangling().get("components")
    for element in contract.elements():
        for schema, found in given(contract, element):
            for where, value in found:
                for error in errors_of(components, schema, value):
                    inside = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path)
                    place = f"`{inside.lstrip('.')}`" if inside else "the root"
                    message = f"the example does not match its schema at {place}: {short(error.message)}."
                    yield contract.finding("example", (*where, *error.absolute_path), message)


def _missing(contract: Contract) -> Iterator[Finding]:
    for where, operation in contract.operations():
        for status, response in mapping(operation.get("responses")).items():
            place = contract.follow(response) or (*where, "responses", status)
            for media_type, media in mapping(mapping(contract.at(place)).get("content")).items():
                if str(status)[:1] in "24" and not list(_examples(contract, (), mapping(media))):
                    message = f"the body of `{status}` has no example: add one under `examples`."
                    yield contract.finding("example", (*place, "content", media_type), message)


def given(contract: Contract, element: Element) -> Iterator[tuple[Any, list[tuple[Where, Any]]]]:
    """The schemas of an element, each with its examples and defaults and their places."""
    node, where = element.node, element.where
    if element.kind in CARRIERS:
        yield node.get("schema"), list(_examples(contract, where, node))
        for name, media in mapping(node.get("content")).items():
            yield mapping(media).get("schema"), list(_examples(contract, (*where, "content", name), mapping(media)))
    elif element.kind in ("schema", "property"):
        yield node, [((*where, key), node[key]) for key in ("example", "default") if key in node]


def _examples(contract: Contract, where: Where, node: dict[str, Any]) -> Iterator[tuple[Where, Any]]:
    if "example" in node:
        yield (*where, "example"), node["example"]
    for name, example in mapping(node.get("examples")).items():
        resolved = mapping(contract.resolve(example))
        if "value" in resolved:
            yield (*where, "examples", name, "value"), resolved["value"]


@cache
def _searcher() -> Any:
    """A process for searches, which can be ended unlike the search itself."""
    pool = multiprocessing.get_context("spawn").Pool(1)
    pool.apply(_mismatch, ("", ""))  # so that its start does not count as time of a search
    return pool


def _mismatch(pattern: str, value: str) -> list[str]:
    return [error.message for error in OAS31Validator({"pattern": pattern}).iter_errors(value)]


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    """The keyword of JSON Schema, but with a limit on its time."""
    if isinstance(value, str):
        try:
            messages = _searcher().apply_async(_mismatch, (pattern, value)).get(SECONDS)
        except multiprocessing.TimeoutError:
            _searcher().terminate()
            _searcher.cache_clear()
            messages = [f"the search of the pattern {pattern!r} takes longer than {SECONDS} s, so simplify it"]
        yield from map(ValidationError, messages)


_Validator: Any = validators.extend(OAS31Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call] # no types


def errors_of(components: Any, schema: Any, value: Any) -> list[Any]:
    """The validation errors of a value; empty if the schema is invalid, which other rules report."""
    if not isinstance(schema, dict):
        return []
    # The registry is empty so that no reference is ever fetched.
    complete = {"allOf": [schema], "components": components or {}}
    try:
        return [*_Validator(complete, format_checker=oas31_format_checker, registry=Registry()).iter_errors(value)]
    except Exception:  # noqa: BLE001 # an invalid schema can raise anything
        return []

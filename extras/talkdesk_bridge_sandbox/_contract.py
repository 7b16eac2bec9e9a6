"""The contract as data: its operations, bodies and examples, and the check of a value against its schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from attrs import frozen
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from referencing import Registry

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
BESIDE = ("errors", "included", "messages", "warnings")
"""Arrays of a page that are not its list."""
ENVELOPES = ("body", "content", "data", "payload", "response", "result", "results")
"""Objects that may hold a page."""


def operations_of(contract: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and declaration of each operation."""
    for path, item in contract["paths"].items():
        yield from ((path, method, item[method]) for method in METHODS if method in item)


def schemes_of(contract: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The contract's security schemes, by name."""
    schemes: dict[str, dict[str, Any]] = contract.get("components", {}).get("securitySchemes", {})
    return schemes


def token_paths(contract: dict[str, Any]) -> list[str]:
    """The paths of the contract's token URLs."""
    flows = [scheme.get("flows", {}).get("clientCredentials") for scheme in schemes_of(contract).values()]
    return sorted({"/" + unquote(urlsplit(flow["tokenUrl"]).path).lstrip("/") for flow in flows if flow})


def list_in(body: Any) -> tuple[str, ...] | None:
    """The fields that lead to the list of an example, none if the body is the list; None if it has no list.

    Text beside a list makes the body a single object, unless there is a total.
    """
    if isinstance(body, list):
        return ()
    if not isinstance(body, dict):
        return None
    if isinstance(embedded := body.get("_embedded"), dict):
        lists = [name for name, value in embedded.items() if isinstance(value, list)]
        return ("_embedded", *lists) if len(lists) == 1 else None
    if type(body.get("total")) is not int and any(isinstance(value, str) for value in body.values()):
        return None
    lists = [name for name, value in body.items() if isinstance(value, list) and name not in BESIDE]
    inner = [(name, *keys) for name in body if name in ENVELOPES and (keys := list_in(body[name]))]
    found = [(name,) for name in lists] or inner
    return found[0] if len(found) == 1 else None


def value_at(body: Any, keys: tuple[str, ...]) -> Any:
    """The value to which fields lead."""
    for key in keys:
        body = body[key]
    return body


def replaced(body: Any, keys: tuple[str, ...], value: Any) -> Any:
    """The body with another value there."""
    return {**body, keys[0]: replaced(body[keys[0]], keys[1:], value)} if keys else value


@frozen
class Media:
    """A body as declared in the contract; the media type is empty if there is no body."""

    type: str
    schema: dict[str, Any]
    examples: list[Any]


class Document:
    """Looks up parts of a contract, and checks values against its schemas."""

    def __init__(self, contract: dict[str, Any]) -> None:
        self.contract = contract

    def resolve(self, node: Any) -> Any:
        """A node, or the target of its reference."""
        while "$ref" in node:
            target: Any = self.contract
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def inside(self, schema: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
        """The schema of the items in the list to which fields lead; empty if the contract has none."""
        node = self.resolve(schema)
        members = [one for name in ("allOf", "anyOf", "oneOf") for one in node.get(name, [])]
        found = node.get("properties", {}).get(keys[0]) if keys else node.get("items")
        if found is not None:
            return self.inside(found, keys[1:]) if keys else self.resolve(found)
        return next(filter(None, (self.inside(member, keys) for member in members)), {})

    def media(self, carrier: dict[str, Any], preferred: str = "") -> Media:
        """The body of a response or request: in the preferred media type if declared, else in the first one."""
        content = self.resolve(carrier).get("content", {})
        name = preferred if preferred in content else next(iter(content), "")
        declared = content.get(name, {})
        return Media(name, declared.get("schema", {}), self.examples(declared))

    def examples(self, carrier: dict[str, Any]) -> list[Any]:
        """The examples of a media type, a parameter or a schema."""
        if "example" in carrier:
            return [carrier["example"]]
        named: dict[str, Any] | list[Any] = carrier.get("examples", [])
        return [self.resolve(one).get("value") for one in named.values()] if isinstance(named, dict) else named

    def error(self, schema: dict[str, Any], value: Any) -> Any:
        """The first error that jsonschema finds in a value; None if the value is valid."""
        document = {"allOf": [schema], "components": self.contract.get("components", {})}
        # With an empty registry, external references are never fetched.
        validator = OAS31Validator(document, format_checker=oas31_format_checker, registry=Registry())
        return next(iter(validator.iter_errors(value)), None)

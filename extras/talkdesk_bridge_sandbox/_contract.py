"""The contract as data: its operations, bodies and examples, and the check of a value against its schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from attrs import frozen
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from referencing import Registry

__all__ = ["Document", "Media", "lists_of", "operations_of", "schemes_of", "token_paths"]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


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


def lists_of(body: Any) -> dict[str, list[Any]]:
    """The lists under `_embedded` of a body, by name."""
    embedded = body.get("_embedded") if isinstance(body, dict) else None
    return {name: value for name, value in (embedded or {}).items() if isinstance(value, list)}


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

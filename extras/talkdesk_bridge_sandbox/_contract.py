"""The contract, as data: what it refers to, what its schemas allow, what it gives as examples."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any
from urllib.parse import unquote, urlsplit

from openapi_schema_validator import OAS31Validator, oas31_format_checker
from referencing import Registry

__all__ = ["METHODS", "Document", "lists_of", "read_contract", "schemes_of", "target_of", "token_paths"]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def read_contract() -> dict[str, Any]:
    """The contract that the installed client was generated from."""
    contract: dict[str, Any] = json.loads(files("talkdesk_bridge_api").joinpath("openapi.json").read_bytes())
    return contract


def schemes_of(contract: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The contract's security schemes, by name."""
    schemes: dict[str, dict[str, Any]] = contract.get("components", {}).get("securitySchemes", {})
    return schemes


def target_of(contract: dict[str, Any], reference: str) -> Any:
    """What a reference leads to, at the first step."""
    target: Any = contract
    for part in reference.removeprefix("#/").split("/"):
        target = target[part.replace("~1", "/").replace("~0", "~")]
    return target


def token_paths(contract: dict[str, Any]) -> list[str]:
    """The paths of the contract's token URLs."""
    flows = [scheme.get("flows", {}).get("clientCredentials") for scheme in schemes_of(contract).values()]
    return sorted({"/" + unquote(urlsplit(flow["tokenUrl"]).path).lstrip("/") for flow in flows if flow})


def lists_of(body: Any) -> dict[str, list[Any]]:
    """The lists under `_embedded` of a body, by name."""
    embedded = body.get("_embedded") if isinstance(body, dict) else None
    return {name: value for name, value in (embedded or {}).items() if isinstance(value, list)}


class Document:
    """A contract whose references and schemas can be asked."""

    def __init__(self, contract: dict[str, Any]) -> None:
        self.contract = contract

    def resolve(self, node: Any) -> Any:
        """A node, or what it refers to in the end."""
        while "$ref" in node:
            node = target_of(self.contract, node["$ref"])
        return node

    def media(self, carrier: dict[str, Any], wanted: str = "") -> tuple[str, dict[str, Any]]:
        """The wanted media type of a response or request body, else its first, and what it holds; empty without any."""
        content = self.resolve(carrier).get("content", {})
        return (wanted, content[wanted]) if wanted in content else next(iter(content.items()), ("", {}))

    def examples(self, carrier: dict[str, Any]) -> list[Any]:
        """The examples of a media type, a parameter, or a schema."""
        named = carrier.get("examples", {})
        many = [self.resolve(one).get("value") for one in named.values()] if isinstance(named, dict) else named
        return [carrier["example"]] if "example" in carrier else [*many]

    def error(self, schema: dict[str, Any], value: Any) -> Any:
        """The first error of a value, as jsonschema has it; None where it fits."""
        whole = {"allOf": [schema], "components": self.contract.get("components", {})}
        # An empty registry: whatever a schema refers to, nothing is fetched.
        validator = OAS31Validator(whole, format_checker=oas31_format_checker, registry=Registry())
        return next(iter(validator.iter_errors(value)), None)

    def problem(self, schema: dict[str, Any], value: Any) -> str | None:
        """What keeps a value from fitting a schema, in words; None where it fits."""
        error = self.error(schema, value)
        return None if error is None else f"{error.json_path}: {error.message}"[:200]

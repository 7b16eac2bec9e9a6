"""The sandbox as an ASGI application: routes, credentials, paging and validation, all read from the contract."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from attrs import field, frozen
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from referencing import Registry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from talkdesk_bridge.sandbox._data import ACCOUNTS, items_of

__all__ = ["Credentials", "key_header", "make_app", "read_contract", "token_paths"]

PER_PAGE = 50
TOKEN_LIFE = 599
"""Seconds, as in the examples of Talkdesk's own token server."""


@frozen
class Credentials:
    """What the sandbox accepts; each of them is checked for real."""

    api_key: str = field(default="sandbox-key", repr=False)
    api_key_header: str | None = None
    """The header of the key; None for the one that the contract names."""
    user: str = "sandbox-user"
    password: str = field(default="sandbox-password", repr=False)
    bearer_token: str = field(default="sandbox-token", repr=False)
    client_id: str = "sandbox-client"
    client_secret: str = field(default="sandbox-secret", repr=False)


class Refusal(Exception):  # noqa: N818 # an answer, not a fault
    """The answer to a request that is not granted."""

    def __init__(self, status: int, reason: str, parameter: dict[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.parameter = parameter


def read_contract() -> dict[str, Any]:
    """The contract that the installed client was generated from."""
    contract: dict[str, Any] = json.loads(files("talkdesk_bridge_api").joinpath("openapi.json").read_bytes())
    return contract


def make_app(contract: dict[str, Any], credentials: Credentials, record: Callable[[Request, int], None]) -> Starlette:
    """An application that serves `contract` and tells `record` of each request and its status."""
    tokens: dict[str, float] = {}

    async def give_token(request: Request) -> Response:
        response = await _give_token(request, credentials, tokens)
        record(request, response.status_code)
        return response

    def endpoint(operation: _Operation) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                operation.authorize(request, credentials, tokens)
                arguments = await operation.read(request)
                status, body = operation.answer(request, arguments)
            except Refusal as refusal:
                status, body = refusal.status, operation.refusal(refusal)
            if problem := operation.check(status, body):
                status, body = 500, {"sandbox": f"its own answer breaks the contract: {problem}"}
            record(request, status)
            headers = {"WWW-Authenticate": 'Bearer realm="sandbox"'} if status == 401 else {}
            return Response(status_code=status) if body is None else JSONResponse(body, status, headers)

        return answer

    async def unknown(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        record(request, status)
        served = ", ".join(f"{operation.method} {operation.path}" for operation in operations)
        return JSONResponse({"sandbox": f"the contract has no such operation; it has {served}"}, status)

    operations = [
        _Operation(contract, path, method, operation)
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if method in ("get", "put", "post", "delete", "patch")
    ]
    routes = [Route(operation.route, endpoint(operation), methods=[operation.method]) for operation in operations]
    routes += [Route(path, give_token, methods=["POST"]) for path in token_paths(contract)]
    return Starlette(routes=routes, exception_handlers={HTTPException: unknown})


def key_header(contract: dict[str, Any], credentials: Credentials) -> str | None:
    """The header of the key: the one that was chosen, else the contract's; None where the contract has no key."""
    schemes = contract.get("components", {}).get("securitySchemes", {}).values()
    named = next(
        (scheme["name"] for scheme in schemes if scheme["type"] == "apiKey" and scheme["in"] == "header"), None
    )
    return credentials.api_key_header or named if named else None


def token_paths(contract: dict[str, Any]) -> list[str]:
    """The paths of the contract's token URLs."""
    schemes = contract.get("components", {}).get("securitySchemes", {}).values()
    flows = [
        scheme["flows"]["clientCredentials"] for scheme in schemes if "clientCredentials" in scheme.get("flows", {})
    ]
    return sorted({urlsplit(flow["tokenUrl"]).path for flow in flows})


class _Operation:
    """One operation of the contract, and how to answer it."""

    def __init__(self, contract: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> None:
        self.path, self.method = path, method.upper()
        self._contract = contract
        self._operation = operation
        inherited = contract["paths"][path].get("parameters", [])
        self._parameters = [self._resolve(parameter) for parameter in [*operation.get("parameters", []), *inherited]]
        names = [parameter["name"] for parameter in self._parameters if parameter["in"] == "path"]
        self._names = {name: f"p{index}" for index, name in enumerate(names)}
        # Names of the contract need not be identifiers, those of a route must.
        self.route = path
        for name, plain in self._names.items():
            self.route = self.route.replace(f"{{{name}}}", f"{{{plain}}}")
        self._success = min(status for status in operation["responses"] if status.startswith("2"))
        self._status = int(self._success.replace("XX", "00"))
        # What the contract gives as example of the first path parameter is known here, besides the accounts.
        self._first = names[0] if names else None
        first: dict[str, Any] = next((each for each in self._parameters if each["in"] == "path"), {})
        self._known = first.get("example", first.get("schema", {}).get("example"))
        query = {parameter["name"]: parameter for parameter in self._parameters if parameter["in"] == "query"}
        self._paged = self._resolve(query.get("page", {}).get("schema", {})).get("type") == "integer"

    def authorize(self, request: Request, credentials: Credentials, tokens: dict[str, float]) -> None:
        """Refuse a request that fulfils none of the operation's security requirements."""
        requirements = self._operation.get("security", self._contract.get("security", []))
        schemes = self._contract.get("components", {}).get("securitySchemes", {})
        accepted = (
            all(_holds(schemes[name], request, credentials, tokens) for name in requirement)
            for requirement in requirements
        )
        if requirements and not any(accepted):
            raise Refusal(401, "no credential of the request was accepted")

    async def read(self, request: Request) -> dict[str, Any]:
        """The arguments of a request, once they and its body fit the contract."""
        arguments: dict[str, Any] = {}
        for parameter in self._parameters:
            name, place = parameter["name"], parameter["in"]
            sources: dict[str, Any] = {
                "path": request.path_params.get(self._names.get(name, "")),
                "query": request.query_params.getlist(name) or None,
                "header": request.headers.get(name),
                "cookie": request.cookies.get(name),
            }
            raw = sources[place]
            if raw is None:
                if parameter.get("required"):
                    raise Refusal(400, f"the {place} parameter {name} is missing", parameter)
                continue
            value = _from_text(raw, self._resolve(parameter.get("schema", {})))
            if problem := self._problem(parameter.get("schema", {}), value):
                raise Refusal(400, f"the {place} parameter {name} does not fit: {problem}", parameter)
            arguments[name] = value
        declared = {parameter["name"] for parameter in self._parameters if parameter["in"] == "query"}
        if unknown := sorted(request.query_params.keys() - declared):
            parameter = {"name": unknown[0], "in": "query"}
            raise Refusal(400, f"the contract declares no query parameter {unknown[0]}", parameter)
        body = self._resolve(self._operation.get("requestBody", {}))
        sent = await request.body()
        schema = self._media(body).get("schema")
        if schema and (sent or body.get("required")):
            try:
                value = json.loads(sent)
            except ValueError:
                raise Refusal(400, "the body is not JSON") from None
            if problem := self._problem(schema, value):
                raise Refusal(400, f"the body does not fit: {problem}")
        return arguments

    def answer(self, request: Request, arguments: dict[str, Any]) -> tuple[int, Any]:
        """Status and body: a page of the account's items where the body is a list, else the example."""
        example, _ = self._example(self._success)
        embedded = example.get("_embedded") if isinstance(example, dict) else None
        lists = [name for name, value in (embedded or {}).items() if isinstance(value, list)]
        asked = arguments[self._first] if self._first else "1000000001"
        account = ACCOUNTS.get(str(asked))
        if account is None and asked != self._known:
            raise Refusal(404, "no such account")
        if len(lists) != 1:
            return self._status, example
        (name,) = lists
        examples = example["_embedded"][name]
        items = items_of(account, examples) if account else examples
        body = {**example, **({"total": len(items)} if "total" in example else {})}
        links = {"self": {"href": str(request.url)}}
        if self._paged:
            page, per_page = arguments.get("page", 1), arguments.get("per_page", PER_PAGE)
            if page * per_page < len(items):
                links["next"] = {"href": str(request.url.include_query_params(page=page + 1))}
            items = items[(page - 1) * per_page : page * per_page]
        return self._status, body | {"_embedded": {name: items}, "_links": links}

    def refusal(self, refusal: Refusal) -> Any:
        """The contract's example of a refusal with this status, or else what its schema can hold of it."""
        declared = self._declared(refusal.status)
        if declared is None:
            return None
        reason = {"status": refusal.status, "developerMessage": f"sandbox: {refusal}"}
        body, fits = self._example(declared, refusal.status)
        if not isinstance(body, dict):
            return body
        if not fits:
            phrase = HTTPStatus(refusal.status).phrase
            reason |= {"userMessage": phrase, "errorCode": phrase.upper().replace(" ", "_")}
            media = self._media(self._operation["responses"][declared])
            fields = self._resolve(media.get("schema", {})).get("properties", {})
            return {name: value for name, value in reason.items() if name in fields} or body
        body = {**body, **{name: value for name, value in reason.items() if name in body}}
        if refusal.parameter and "details" in body:
            named = {"parameterName": refusal.parameter["name"], "parameterLocation": refusal.parameter["in"]}
            body["details"] = [{"message": str(refusal), "properties": named}]
        return body

    def _declared(self, status: int) -> str | None:
        """The key of the response that the contract declares for a status."""
        keys = (str(status), f"{status // 100}XX", "default")
        return next((key for key in keys if key in self._operation["responses"]), None)

    def check(self, status: int, body: Any) -> str | None:
        """How an answer breaks the contract; None where it does not."""
        declared = self._declared(status)
        if declared is None:
            return f"the status {status} is not declared"
        schema = self._media(self._operation["responses"][declared]).get("schema")
        return self._problem(schema, body) if schema is not None else None

    def _example(self, response: str, status: int | None = None) -> tuple[Any, bool]:
        """An example of a response, and whether it is one of `status`."""
        media = self._media(self._operation["responses"][response])
        named = [self._resolve(example).get("value") for example in media.get("examples", {}).values()]
        values = [media["example"]] if "example" in media else named
        fitting = [value for value in values if isinstance(value, dict) and value.get("status") == status]
        return next(iter([*fitting, *values]), None), bool(fitting)

    def _media(self, carrier: dict[str, Any]) -> dict[str, Any]:
        """The first media type of a response or request body; empty where it has none."""
        return next(iter(self._resolve(carrier).get("content", {}).values()), {})

    def _resolve(self, node: Any) -> Any:
        while "$ref" in node:
            target: Any = self._contract
            for part in node["$ref"][2:].split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def _problem(self, schema: dict[str, Any], value: Any) -> str | None:
        whole = {"allOf": [schema], "components": self._contract.get("components", {})}
        # An empty registry: whatever a schema refers to, nothing is fetched.
        validator = OAS31Validator(whole, format_checker=oas31_format_checker, registry=Registry())
        error = next(iter(validator.iter_errors(value)), None)
        return None if error is None else f"{error.json_path}: {error.message}"[:200]


def _holds(scheme: dict[str, Any], request: Request, credentials: Credentials, tokens: dict[str, float]) -> bool:
    """Whether a request carries what a security scheme asks for."""
    sent = request.headers.get("Authorization", "")
    kind, _, token = sent.partition(" ")
    bearer = token if kind.lower() == "bearer" else ""
    match scheme:
        case {"type": "apiKey", "in": "header", "name": name}:
            return _same(request.headers.get(credentials.api_key_header or name, ""), credentials.api_key)
        case {"type": "http", "scheme": "basic"}:
            return _basic(sent) == (credentials.user, credentials.password)
        case {"type": "http", "scheme": "bearer"}:
            return _same(bearer, credentials.bearer_token)
        case {"type": "oauth2"}:
            return time.monotonic() < tokens.get(bearer, 0.0)
    return False


async def _give_token(request: Request, credentials: Credentials, tokens: dict[str, float]) -> Response:
    """The token endpoint (RFC 6749, 4.4), with client_secret_basic."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    if form.get("grant_type") != ["client_credentials"]:
        told = {"error": "unsupported_grant_type", "error_description": "grant_type must be client_credentials"}
        return JSONResponse(told, 400)
    user, secret = _basic(request.headers.get("Authorization", "")) or ("", "")
    if not (
        _same(unquote_plus(user), credentials.client_id) and _same(unquote_plus(secret), credentials.client_secret)
    ):
        told = {"error": "invalid_client", "error_description": "client id or secret is wrong"}
        return JSONResponse(told, 401, {"WWW-Authenticate": 'Basic realm="sandbox"'})
    token = secrets.token_urlsafe(32)
    tokens[token] = time.monotonic() + TOKEN_LIFE
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFE}
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


def _basic(header: str) -> tuple[str, str] | None:
    """User and password of an HTTP Basic header; None where there is none."""
    scheme, _, encoded = header.partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if scheme.lower() == "basic" and colon else None


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _from_text(raw: Any, schema: dict[str, Any]) -> Any:
    """The value that a parameter's text stands for, as far as its schema says; else the text, which will not fit."""
    if isinstance(raw, list):
        if schema.get("type") == "array":
            return [_from_text(text, schema.get("items", {})) for text in raw]
        raw = raw[-1]
    try:
        match schema.get("type"):
            case "integer" if re.fullmatch(r"-?[0-9]+", raw):
                return int(raw)
            case "number":
                return float(raw)
            case "boolean":
                return {"true": True, "false": False}[raw]
    except (ValueError, KeyError):
        pass
    return raw

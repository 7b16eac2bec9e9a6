"""What the contract says of each operation: the requests that fit it, the answers of its examples, the refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import evolve, field, frozen
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from referencing import Registry
from starlette.requests import Request

from talkdesk_bridge.sandbox._data import Account, items_of

__all__ = [
    "Operation",
    "Paging",
    "Refusal",
    "Reply",
    "lists_of",
    "operations_of",
    "read_contract",
    "schemes_of",
    "target_of",
    "token_paths",
]

Paging = Literal["links", "pages", "all"]
"""How a list comes: pages with next links, pages that only a number leads to, or all at once."""

PER_PAGE = 50
"""Items, as in Talkdesk's own APIs."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


class Refusal(Exception):  # noqa: N818 # an answer, not a fault
    """The answer to a request that is not granted."""

    def __init__(self, status: int, reason: str, parameter: dict[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.parameter = parameter


@frozen
class Reply:
    """An answer, as it goes over the wire.

    Args:
        status: The HTTP status.
        json: The body, as data; None for none.
        content: The body as it is sent, instead of `json`.
        headers: More headers; `Content-Type` is JSON's where `json` is the body.
        delay: Seconds before it is sent.
        cut: Whether the connection breaks in the middle of the body.

    """

    status: int = 200
    json: Any = None
    content: str | bytes | None = None
    headers: Mapping[str, str] = field(factory=dict)
    delay: float = 0.0
    cut: bool = False

    @property
    def body(self) -> bytes:
        """The bytes of the body."""
        if self.content is not None:
            return self.content.encode() if isinstance(self.content, str) else self.content
        return b"" if self.json is None else json.dumps(self.json).encode()


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
    return sorted({urlsplit(flow["tokenUrl"]).path for flow in flows if flow})


def operations_of(contract: dict[str, Any]) -> list[Operation]:
    """The operations of the contract; of two paths that fit a request, the one with fewer parameters comes first."""
    return sorted(
        (
            Operation(contract, path, method, operation)
            for path, item in contract["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        ),
        key=lambda operation: ["{" in segment for segment in operation.path.split("/")],
    )


class Operation:
    """One operation of the contract, and how to answer it."""

    def __init__(self, contract: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> None:
        self.path, self.method = path, method.upper()
        self._contract = contract
        self._operation = operation
        inherited = contract["paths"][path].get("parameters", [])
        declared = map(self._resolve, [*inherited, *operation.get("parameters", [])])
        self._parameters = [*{(each["in"], each["name"]): each for each in declared}.values()]
        names = [parameter["name"] for parameter in self._parameters if parameter["in"] == "path"]
        self._names = {name: f"p{index}" for index, name in enumerate(names)}
        # Names of the contract need not be identifiers, those of a route must.
        self.route = path
        for name, plain in self._names.items():
            self.route = self.route.replace(f"{{{name}}}", f"{{{plain}}}")
        self._success = min(status for status in operation["responses"] if status.startswith("2"))
        self._status = int(self._success.replace("XX", "00"))
        self._first = next(iter(names), None)
        # What the contract gives as example of the first path parameter is known here, besides the accounts.
        first: dict[str, Any] = next((each for each in self._parameters if each["in"] == "path"), {})
        self._known = first.get("example", first.get("schema", {}).get("example"))
        self.query = {parameter["name"]: parameter for parameter in self._parameters if parameter["in"] == "query"}
        counted = self._resolve(self.query.get("page", {}).get("schema", {})).get("type") == "integer"
        # A bridge's links need not be built from what is documented; the sandbox's are where nothing else is.
        self._page, self._counted = "page" if counted else "cursor", counted

    @property
    def security(self) -> list[dict[str, Any]]:
        """The security requirements, any of which is enough; none where the operation is open."""
        requirements: list[dict[str, Any]] = self._operation.get("security", self._contract.get("security", []))
        return requirements

    def read(self, request: Request, sent: bytes) -> dict[str, Any]:
        """The arguments of a request, once they and its body fit the contract.

        Raises:
            Refusal: they do not.

        """
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
        cursor = {} if self._counted else {"cursor": _from_text(request.query_params.get("cursor", "1"), INTEGER)}
        if unknown := sorted(request.query_params.keys() - self.query.keys() - cursor.keys()):
            told = {"name": unknown[0], "in": "query"}
            raise Refusal(400, f"the contract declares no query parameter {unknown[0]}", told)
        if problem := self._problem(INTEGER, cursor.get("cursor", 1)):
            raise Refusal(400, f"the cursor is none of the sandbox's: {problem}", {"name": "cursor", "in": "query"})
        body = self._resolve(self._operation.get("requestBody", {}))
        schema = self._media(body)[1].get("schema")
        if schema and (sent or body.get("required")):
            try:
                value = json.loads(sent)
            except (ValueError, RecursionError):
                raise Refusal(400, "the body is not JSON, or nested too deep") from None
            if problem := self._problem(schema, value):
                raise Refusal(400, f"the body does not fit: {problem}")
        return {**cursor, **arguments}

    def asked(self, arguments: dict[str, Any]) -> str | None:
        """What the first path parameter says, as text: the account."""
        return str(arguments[self._first]) if self._first else None

    def answer(self, request: Request, arguments: dict[str, Any], account: Account | None, paging: Paging) -> Reply:
        """A page of the account's items where the body is a list, else the example.

        Raises:
            Refusal: there is no account, and the example of the first path parameter was not asked for.

        """
        example, _ = self._example(self._success)
        lists = lists_of(example)
        if account is None and self._first and arguments[self._first] != self._known:
            raise Refusal(404, "no such account")
        if len(lists) != 1:
            return self._reply(self._status, self._success, example)
        ((name, examples),) = lists.items()
        items = items_of(account, examples) if account else examples
        body = {**example, **({"total": len(items)} if "total" in example else {})}
        links = {"self": {"href": str(request.url)}}
        if paging == "links" or (paging == "pages" and self._counted):
            page, per_page = arguments.get(self._page, 1), arguments.get("per_page", PER_PAGE)
            if page * per_page < len(items):
                links["next"] = {"href": str(request.url.include_query_params(**{self._page: page + 1}))}
            items = items[(page - 1) * per_page : page * per_page]
        body |= {"_embedded": {name: items}} | ({"_links": links} if paging == "links" else {})
        return self._reply(self._status, self._success, body)

    def refusal(self, refusal: Refusal) -> Reply:
        """The contract's example of a refusal with this status, or else what its schema can hold of it."""
        declared = self._declared(refusal.status)
        if declared is None:
            return Reply(refusal.status)
        reply = self._reply(refusal.status, declared, self._refused(refusal, declared))
        more = {"WWW-Authenticate": 'Bearer realm="sandbox"'} if refusal.status == 401 else {}
        return evolve(reply, headers={**reply.headers, **more})

    def _refused(self, refusal: Refusal, declared: str) -> Any:
        reason = {"status": refusal.status, "developerMessage": f"sandbox: {refusal}"}
        body, fits = self._example(declared, refusal.status)
        if not isinstance(body, dict):
            return body
        if not fits:
            phrase = HTTPStatus(refusal.status).phrase
            reason |= {"userMessage": phrase, "errorCode": phrase.upper().replace(" ", "_")}
            _, media = self._media(self._operation["responses"][declared])
            fields = self._resolve(media.get("schema", {})).get("properties", {})
            return {name: value for name, value in reason.items() if name in fields} or body
        body = {**body, **{name: value for name, value in reason.items() if name in body}}
        if refusal.parameter and "details" in body:
            named = {"parameterName": refusal.parameter["name"], "parameterLocation": refusal.parameter["in"]}
            body["details"] = [{"message": str(refusal), "properties": named}]
        return body

    def check(self, reply: Reply) -> str | None:
        """How an answer breaks the contract; None where it does not."""
        declared = self._declared(reply.status)
        if declared is None:
            return f"the status {reply.status} is not declared"
        schema = self._media(self._operation["responses"][declared])[1].get("schema")
        body = reply.json if reply.content is None else reply.content
        return self._problem(schema, body) if schema is not None else None

    def _reply(self, status: int, declared: str, body: Any) -> Reply:
        """A body in the media type that the contract declares for it."""
        media, _ = self._media(self._operation["responses"][declared])
        headers = {"Content-Type": media} if media else {}
        if isinstance(body, str) and not re.search(r"[/+]json\b", media):
            return Reply(status, content=body, headers=headers)
        return Reply(status, json=body, headers=headers)

    def _declared(self, status: int) -> str | None:
        """The key of the response that the contract declares for a status."""
        keys = (str(status), f"{status // 100}XX", "default")
        return next((key for key in keys if key in self._operation["responses"]), None)

    def _example(self, response: str, status: int | None = None) -> tuple[Any, bool]:
        """An example of a response, and whether it is one of `status`."""
        _, media = self._media(self._operation["responses"][response])
        named = [self._resolve(example).get("value") for example in media.get("examples", {}).values()]
        values = [media["example"]] if "example" in media else named
        fitting = [value for value in values if isinstance(value, dict) and value.get("status") == status]
        return next(iter([*fitting, *values]), None), bool(fitting)

    def _media(self, carrier: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The first media type of a response or request body, and what it holds; empty where it has none."""
        return next(iter(self._resolve(carrier).get("content", {}).items()), ("", {}))

    def _resolve(self, node: Any) -> Any:
        while "$ref" in node:
            node = target_of(self._contract, node["$ref"])
        return node

    def _problem(self, schema: dict[str, Any], value: Any) -> str | None:
        whole = {"allOf": [schema], "components": self._contract.get("components", {})}
        # An empty registry: whatever a schema refers to, nothing is fetched.
        validator = OAS31Validator(whole, format_checker=oas31_format_checker, registry=Registry())
        error = next(iter(validator.iter_errors(value)), None)
        return None if error is None else f"{error.json_path}: {error.message}"[:200]


def lists_of(body: Any) -> dict[str, list[Any]]:
    """The lists under `_embedded` of a body, by name."""
    embedded = body.get("_embedded") if isinstance(body, dict) else None
    return {name: value for name, value in (embedded or {}).items() if isinstance(value, list)}


INTEGER = {"type": "integer", "minimum": 1}


def _from_text(raw: Any, schema: dict[str, Any]) -> Any:
    """The value that a parameter's text stands for, as far as its schema says; else the text, which will not fit."""
    if isinstance(raw, list):
        if schema.get("type") == "array":
            return [_from_text(text, schema.get("items", {})) for text in raw]
        raw = raw[-1]
    kinds = schema.get("type")
    try:
        match next((kind for kind in kinds if kind != "null"), None) if isinstance(kinds, list) else kinds:
            case "integer" if re.fullmatch(r"-?[0-9]+", raw):
                return int(raw)
            case "number":
                return float(raw)
            case "boolean":
                return {"true": True, "false": False}[raw]
    except (ValueError, KeyError):
        pass
    return raw

"""The operations of the contract: they check requests, and respond with the contract's examples."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import unquote

from starlette.requests import Request

from talkdesk_bridge_sandbox._contract import Document, Media, list_in, operations_of, replaced, value_at
from talkdesk_bridge_sandbox._data import ACCOUNTS, Account, items_of
from talkdesk_bridge_sandbox._reply import Reply, RequestError

Paging = Literal["links", "pages", "all"]
"""How lists are paged: with next links, by page number, or not at all."""

PER_PAGE = 50
"""Items, as in Talkdesk's APIs."""

COUNT = {"type": "integer", "minimum": 1}

# Names in lower case and without punctuation.
PAGES = ("page", "pageno", "pagenumber")
ITEMS = ("offset", "skip")
TOTALS = ("total", "totalcount", "totalelements", "totalitems", "totalrecords", "totalresults")
SIZES = ("limit", "maxresults", "pagesize", "perpage", "size", "top")

SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}
"""Between the items of an array, by the style of a parameter; in the other styles, a comma."""

Arguments = dict[tuple[str, str], Any]
"""The arguments of a request, by location (path, query, header, cookie) and name."""


def make_operations(contract: dict[str, Any]) -> list[Operation]:
    """The operations of the contract; of two paths that match a request, the more specific one comes first."""
    operations = (Operation(Document(contract), *declared) for declared in operations_of(contract))
    return sorted(operations, key=lambda operation: operation.rank)


class Operation:
    """One operation of the contract."""

    def __init__(self, document: Document, path: str, method: str, operation: dict[str, Any]) -> None:
        self.path, self.method = path, method.upper()
        self.rank = [("{" in segment, -len(re.sub("{.*?}", "", segment))) for segment in path.split("/")]
        """Lower for a more specific path: one with more fixed text, from the left."""
        self.security: list[dict[str, Any]] = operation.get("security", document.contract.get("security", []))
        """The security requirements, one of which is enough; empty if no credential is needed."""
        self.parameters = Parameters(document, path, operation)
        self._document = document
        self._body = document.resolve(operation.get("requestBody", {}))
        self._responses = {status: document.media(response) for status, response in operation["responses"].items()}
        self._success = min(status for status in self._responses if status.startswith("2"))
        media = self._responses[self._success]
        self._example: Any = next(iter(media.examples), None)
        self.keys = list_in(self._example)
        """The fields that lead to the list in a response; None if it has no list."""
        self._identity = document.inside(media.schema, self.keys or ()).get("x-identity")

    def respond(self, request: Request, body: bytes, account: Account | None, paging: Paging) -> Reply:
        """A page of the account's items if the response is a list, else the example.

        Raises:
            RequestError: the request is invalid, or the account is unknown.

        """
        arguments = self.parameters.read(request)
        self._check_body(request, body)
        if not request.path_params:
            account = next(iter(ACCOUNTS.values()))
        elif account is None and not self.parameters.knows(*next(iter(request.path_params.items()))):
            raise RequestError(404, "no such account")
        status, media = int(self._success.replace("XX", "00")), self._responses[self._success]
        for varied in (True, False):  # unvaried if variations are invalid: a schema may allow only the examples
            content = self._content(request, arguments, account, paging, varied=varied)
            error = self._document.error(media.schema, content)
            if error is None:
                return _reply(status, media, content)
        return Reply(500, json={"sandbox": f"this response would deviate from the contract: {_message(error)}"})

    def _content(
        self, request: Request, arguments: Arguments, account: Account | None, paging: Paging, *, varied: bool
    ) -> Any:
        if self.keys is None:
            return self._example
        items = items_of(account, value_at(self._example, self.keys), varied=varied, identity=self._identity)
        return self._page(request, arguments, self.keys, items, paging)

    def _check_body(self, request: Request, body: bytes) -> None:
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        media = self._document.media(self._body, kind)
        if not _is_json(media.type) or not (body or self._body.get("required")):
            return
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise RequestError(400, "the body is not JSON, or nested too deeply") from None
        if error := self._document.error(media.schema, value):
            raise RequestError(400, f"the body is invalid: {_message(error)}")

    def _page(
        self, request: Request, arguments: Arguments, keys: tuple[str, ...], items: list[Any], paging: Paging
    ) -> Any:
        """The example with its items replaced by the requested page."""
        parameters = self.parameters
        begin = parameters.number(arguments, parameters.begin, parameters.first)
        per_page = parameters.number(arguments, parameters.size, PER_PAGE)
        has_links = paging == "links" and (keys[:1] == ("_embedded",) or "_links" in self._example)
        if paging == "all" or not (has_links or parameters.numbered):
            per_page = max(1, len(items))
        start = begin if parameters.by_items else (begin - parameters.first) * per_page
        shown = items[start : start + per_page]
        body = replaced(self._example, keys, shown)
        if not keys:
            return body
        # Conventions of Talkdesk's and other APIs, used if the example uses them.
        counts = {
            **dict.fromkeys(TOTALS, len(items)), "count": len(shown), "page": begin, "offset": start, "skip": start,
            **dict.fromkeys(SIZES, per_page),
        }  # fmt: skip
        body = _counted(body, counts)
        body.pop("_links", None)
        if has_links:
            body["_links"] = {"self": {"href": str(request.url)}}
            if start + per_page < len(items):
                following = start + per_page if parameters.by_items else begin + 1
                url = request.url.include_query_params(**{parameters.begin: following})
                body["_links"]["next"] = {"href": str(url)}
        return body

    def error_response(self, error: RequestError) -> Reply:
        """The error response that the contract declares for this status, with the reason if its schema allows it."""
        keys = (str(error.status), f"{error.status // 100}XX", "default")
        media = next((self._responses[key] for key in keys if key in self._responses), None)
        if media is None or not media.examples:
            return Reply(error.status)
        bodies = (each for each in media.examples if isinstance(each, dict))
        example = next((body for body in bodies if body.get("status") == error.status), media.examples[0])
        body = _explained(example, error) if isinstance(example, dict) else example
        return _reply(error.status, media, example if self._document.error(media.schema, body) else body)


class Parameters:
    """The parameters of an operation, including those of its path."""

    def __init__(self, document: Document, path: str, operation: dict[str, Any]) -> None:
        self._document = document
        self._in_path: list[str] = re.findall(r"{(.*?)}", path)
        self._pattern = re.compile("([^/]+)".join(map(re.escape, re.split(r"{.*?}", unquote(path)))))
        self._declared: dict[tuple[str, str], dict[str, Any]] = {}
        inherited = document.contract["paths"][path].get("parameters", [])
        for parameter in map(document.resolve, [*inherited, *operation.get("parameters", [])]):
            location, schema = parameter["in"], document.resolve(parameter.get("schema", {}))
            if location == "query" and "properties" in schema:  # an object is sent as its properties
                self._declared |= {(location, name): {"schema": inner} for name, inner in schema["properties"].items()}
            else:
                self._declared[location, parameter["name"]] = {**parameter, "schema": schema}
        self.numbered = True
        """Whether pages are requested by number, or by the number of items before them."""
        self.begin = self._counting(PAGES) or self._counting(ITEMS)
        """The query parameter that says where a page begins, also in the sandbox's links."""
        self.by_items = _kind(self.begin) in ITEMS
        schema = self._declared.get(("query", self.begin), {"schema": {}})["schema"]
        self.first = 0 if self.by_items or schema.get("default", schema.get("minimum", 1)) == 0 else 1
        self.size = self._counting(SIZES) or "per_page"
        if not self.begin:
            self.numbered = False
            self.begin = "sandbox_cursor" if ("query", "cursor") in self._declared else "cursor"
        self._declared.setdefault(("query", self.begin), {"schema": COUNT})
        self.query = {name for location, name in self._declared if location == "query"}

    def _counting(self, kinds: tuple[str, ...]) -> str:
        """The query parameter of one of these kinds that is an integer; empty if there is none."""
        for (location, name), parameter in self._declared.items():
            if location == "query" and _kind(name) in kinds:
                errors = [self._document.error(parameter["schema"], value) for value in (2, "2")]
                if errors[0] is None and errors[1] is not None:
                    return name
        return ""

    def match(self, path: str) -> dict[str, str] | None:
        """The path parameters in a path; None if the path belongs to another operation."""
        found = self._pattern.fullmatch(path)
        return None if found is None else dict(zip(self._in_path, found.groups(), strict=True))

    def knows(self, name: str, value: str) -> bool:
        """Whether this value is an example of a path parameter, or the parameter cannot be an account number."""
        parameter = self._declared["path", name]
        examples = [*self._document.examples(parameter), *self._document.examples(parameter["schema"])]
        if value in map(str, examples):
            return True
        numbers = (*ACCOUNTS, *map(int, ACCOUNTS))
        return all(self._document.error(parameter["schema"], number) for number in numbers)

    def number(self, arguments: Arguments, name: str, default: int) -> int:
        """The query parameter `name`, or the default if it is not a positive integer."""
        value = arguments.get(("query", name))
        return default if value is None or self._document.error(COUNT, value) else int(value)

    def read(self, request: Request) -> Arguments:
        """The arguments of a request.

        Raises:
            RequestError: they do not match the contract.

        """
        sent = {("path", name): [text] for name, text in request.path_params.items()}
        sent |= {("query", name): request.query_params.getlist(name) for name in request.query_params}
        sent |= {("cookie", name): [text] for name, text in request.cookies.items()}
        arguments: Arguments = {}
        for (location, name), parameter in self._declared.items():
            texts = request.headers.getlist(name) if location == "header" else sent.get((location, name), [])
            if texts:
                arguments[location, name] = self._value(location, name, texts)
            elif parameter.get("required"):
                raise RequestError(400, f"the {location} parameter {name} is missing")
        if unknown := sorted(request.query_params.keys() - self.query):
            raise RequestError(400, f"unknown query parameter {unknown[0]}")
        return arguments

    def _value(self, location: str, name: str, texts: list[str]) -> Any:
        """The value of a parameter as its schema allows: a number, a boolean, a text, or a list of these."""
        parameter = self._declared[location, name]
        schema, style = parameter["schema"], parameter.get("style", "form")
        is_apart = location in ("query", "cookie") and parameter.get("explode", style == "form")
        items = texts if is_apart or len(texts) > 1 else texts[0].split(SEPARATORS.get(style, ","))
        candidates: list[Any] = [_parse(texts[0]), texts[0]] if len(texts) == 1 else []
        candidates += [[*map(_parse, items)], items]
        errors = [self._document.error(schema, candidate) for candidate in candidates]
        if None in errors:
            return candidates[errors.index(None)]
        # The deepest error is the most specific one.
        closest = max(errors, key=lambda error: len(error.absolute_path))
        raise RequestError(400, f"the {location} parameter {name} is invalid: {_message(closest)}")


def _kind(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower())


def _counted(body: dict[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    """The fields of a page, also in the objects in it, with the numbers of this page."""
    found = {name: _counted(value, counts) if isinstance(value, dict) else value for name, value in body.items()}
    return found | {name: counts[_kind(name)] for name in found if type(body[name]) is int and _kind(name) in counts}


def _explained(example: dict[str, Any], error: RequestError) -> dict[str, Any]:
    """The example of an error body with the reason; an example for another status gives only its field names."""
    phrase = HTTPStatus(error.status).phrase
    plain = {"status": error.status, "userMessage": phrase, "errorCode": phrase.upper().replace(" ", "_")}
    body = example if example.get("status") == error.status else plain
    body = {**body, "developerMessage": f"sandbox: {error}"}
    if error.status == 400:
        body["details"] = [{"message": str(error)}]
    return {name: value for name, value in body.items() if name in example} or example


def _reply(status: int, media: Media, body: Any) -> Reply:
    """A response with a body in its declared media type."""
    headers = {"Content-Type": media.type} if media.type else {}
    if isinstance(body, str) and not _is_json(media.type):
        return Reply(status, content=body, headers=headers)
    return Reply(status, json=body, headers=headers)


def _is_json(media_type: str) -> bool:
    return bool(re.search(r"[/+]json\b", media_type))


def _message(error: Any) -> str:
    """The place (unless it is the whole value) and the message of a jsonschema error."""
    return f"{error.json_path}: {error.message}".removeprefix("$: ")[:200]


def _parse(text: str) -> Any:
    """A text as a number or boolean if it is one in JSON; else the text."""
    number = r"-?(0|[1-9][0-9]{0,99})(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?"
    return json.loads(text) if re.fullmatch(f"true|false|{number}", text) else text

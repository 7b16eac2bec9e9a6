"""What a request says: its parameters and its body, once they fit what the contract declares for an operation."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, unquote

from starlette.requests import Request

from talkdesk_bridge_sandbox._contract import Document
from talkdesk_bridge_sandbox._data import ACCOUNTS
from talkdesk_bridge_sandbox._reply import Refusal

__all__ = ["Parameters"]

COUNT = {"type": "integer", "minimum": 1}


class Parameters:
    """The parameters of an operation, those of its path included, and its body."""

    def __init__(self, document: Document, path: str, operation: dict[str, Any]) -> None:
        self._document = document
        self._body = document.resolve(operation.get("requestBody", {}))
        inherited = document.contract["paths"][path].get("parameters", [])
        declared = map(document.resolve, [*inherited, *operation.get("parameters", [])])
        # An operation may declare a parameter of its path anew.
        self._declared = {(each["in"], each["name"]): each for each in declared}
        self._in_path = [name for name in re.findall(r"{(.*?)}", path) if ("path", name) in self._declared]
        # Names of the contract need not be identifiers, those of a route must.
        self.route = unquote(path)
        for index, name in enumerate(self._in_path):
            self.route = self.route.replace(f"{{{name}}}", f"{{p{index}}}")
        self.query = {name for place, name in self._declared if place == "query"}
        page = self._schema("query", "page")
        self.counted = bool(page) and document.error(page, 2) is None and document.error(page, "2") is not None
        """Whether pages are asked for by number."""
        # A bridge's links need not be built from what is documented; the sandbox's are where nothing else is.
        self.page = "page" if self.counted else next(n for n in ("cursor", "sandbox_cursor") if n not in self.query)
        """The query parameter of its links."""
        names = {name for place, name in self._declared if place == "query" for name in self._parts(name)}
        self.query |= {self.page, *names}

    def knows(self, asked: str) -> bool:
        """Whether the first path parameter is one that the contract gives, or that no account can be."""
        parameter = self._declared["path", self._in_path[0]]
        schema = self._schema("path", self._in_path[0])
        fixed = [*schema.get("enum", []), *(schema[key] for key in ("const", "default") if key in schema)]
        known = [*self._document.examples(parameter), *self._document.examples(schema), *fixed]
        accounts = (each for number in ACCOUNTS for each in (number, int(number)))
        return asked in map(str, known) or (not known and all(self._document.error(schema, each) for each in accounts))

    def asked(self, request: Request) -> str | None:
        """What the first path parameter says, as text; None where there is none."""
        return str(request.path_params["p0"]) if self._in_path else None

    def number(self, arguments: dict[tuple[str, str], Any], name: str, default: int) -> int:
        """The query parameter `name`, where it counts something."""
        value = arguments.get(("query", name))
        return default if value is None or self._document.error(COUNT, value) else int(value)

    def read(self, request: Request, sent: bytes) -> dict[tuple[str, str], Any]:
        """The arguments of a request, by place and name.

        Raises:
            Refusal: they do not fit, or its body does not.

        """
        arguments: dict[tuple[str, str], Any] = {}
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        for (place, name), parameter in self._declared.items():
            texts = {
                "path": [request.path_params[f"p{self._in_path.index(name)}"]] if name in self._in_path else [],
                "query": query.get(name, []),
                "header": request.headers.getlist(name),
                "cookie": [request.cookies[name]] if name in request.cookies else [],
            }[place]
            schema = parameter.get("schema", {})
            parts = {part: query[part] for part in self._parts(name) if part in query} if place == "query" else {}
            if texts:
                arguments[place, name] = self._value(schema, texts, name, place)
            elif parts:  # an object in a query comes as its properties
                whole = {part: self._value(self._properties(schema)[part], parts[part], part, place) for part in parts}
                arguments[place, name] = self._checked(schema, [whole], name, place)
            elif parameter.get("required"):
                raise Refusal(400, f"the {place} parameter {name} is missing", name, place)
        if unknown := sorted(query.keys() - self.query):
            raise Refusal(400, f"the contract declares no query parameter {unknown[0]}", unknown[0], "query")
        if not self.counted and self.page in query:
            arguments["query", self.page] = self._value(COUNT, query[self.page], self.page, "query")
        self._read_body(request, sent)
        return arguments

    def _read_body(self, request: Request, sent: bytes) -> None:
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        media, declared = self._document.media(self._body, kind)
        schema = declared.get("schema", {})
        if not media or not (sent or self._body.get("required")):
            return
        value: Any = None
        if re.search(r"[/+]json\b", media):
            try:
                value = json.loads(sent)
            except (ValueError, RecursionError):
                raise Refusal(400, "the body is not JSON, or nested too deep") from None
        elif media == "application/x-www-form-urlencoded":
            form, fields = parse_qs(sent.decode("utf-8", "replace")), self._properties(schema)
            value = {name: self._value(fields.get(name, {}), texts, name, "body") for name, texts in form.items()}
        else:
            return  # of no form that a schema says anything of
        if problem := self._document.problem(schema, value):
            raise Refusal(400, f"the body does not fit: {problem}")

    def _value(self, schema: dict[str, Any], texts: list[str], name: str, place: str) -> Any:
        """The first of all that the texts may stand for that fits the schema: text, then what it is in JSON; a list."""
        read = [_from_json(text) for text in texts]
        return self._checked(schema, [*((texts[0], read[0]) if len(texts) == 1 else ()), texts, read], name, place)

    def _checked(self, schema: dict[str, Any], candidates: list[Any], name: str, place: str) -> Any:
        errors = []
        for candidate in candidates:
            if not (error := self._document.error(schema, candidate)):
                return candidate
            errors.append(error)
        # What came closest: the deepest, of those no list, of those not the text.
        closest = max(reversed(errors), key=lambda one: (len(one.absolute_path), not isinstance(one.instance, list)))
        told = f"{closest.json_path}: {closest.message}"[:200]
        raise Refusal(400, f"the {place} parameter {name} does not fit: {told}", name, place)

    def _schema(self, place: str, name: str) -> dict[str, Any]:
        schema: dict[str, Any] = self._document.resolve(self._declared.get((place, name), {}).get("schema", {}))
        return schema

    def _parts(self, name: str) -> list[str]:
        """The properties of a query parameter that is an object, and sent as them."""
        return [*self._properties(self._schema("query", name))]

    def _properties(self, schema: dict[str, Any]) -> dict[str, Any]:
        properties: dict[str, Any] = self._document.resolve(schema).get("properties", {})
        return properties


def _from_json(text: str) -> Any:
    """The number or truth value that a text is in JSON; else the text."""
    if re.fullmatch(r"true|false|-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?", text):
        with suppress(ValueError):  # of more digits than Python reads
            return json.loads(text)
    return text

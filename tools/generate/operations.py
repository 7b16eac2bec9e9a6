"""The proof for operations: every argument must be sent, and the body of every status must be read."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Collection, Iterator
from types import SimpleNamespace
from typing import Any, get_args
from urllib.parse import parse_qs, quote

import httpx

from tools.contract import mapping
from tools.contract.names import class_name, iterator_name, python_name
from tools.generate.models import Part, differences, fits
from tools.generate.samples import hints_of, made, samples

LIMITS = {"start", "max_pages", "max_items"}


def _passed(operation: Any, arguments: dict[str, Any], **_: Any) -> Any:
    return operation, arguments


async def _awaited(operation: Any, arguments: dict[str, Any]) -> Any:
    return operation, arguments


# Stand-ins for the two clients, which return the arguments that operation methods pass to them.
CALLERS = {
    "Operations": SimpleNamespace(call=_passed, paginate=_passed),
    "AsyncOperations": SimpleNamespace(call=_awaited, paginate=_passed),
}


class Operation(Part):
    """An operation of the contract, with the generated package to compare."""

    def __str__(self) -> str:
        return f"the operation `{self.contract.at(self.where)['operationId']}`"

    def missing(self) -> Iterator[str]:
        """The faults of the methods of both clients, each as the end of a sentence about the operation."""
        operation = self.contract.at(self.where)
        tag, name = python_name(str(operation["tags"][0])), python_name(str(operation["operationId"]))
        reads: dict[tuple[Any, Any], None] = {}  # both clients use the same operation, whose bodies are read once
        for groups, caller in CALLERS.items():
            group = getattr(getattr(self.generated.api, groups)(caller), tag, None)
            method, iterator = (getattr(group, one, None) for one in (name, iterator_name(name)))
            if method is None:
                yield f"has no method `{tag}.{name}` in `{groups}`"
                continue
            hints = hints_of(method)
            for turn in range(max(len(get_args(hint)) for hint in hints.values()) or 1):
                called, arguments = _called(method, turn)
                yield from self._send_faults(called, arguments)
            reads[called, hints["return"]] = None
            yield from self._iterator_faults(called, method, iterator)
        for called, returned in reads:
            yield from self._read_faults(called, returned)

    def _send_faults(self, called: Any, arguments: dict[str, Any]) -> Iterator[str]:
        """The arguments that are missing from the request, or not in it as JSON writes them, and another URL."""
        request = called.request(**arguments)
        values = {name: self.generated.base.to_json(value) for name, value in arguments.items()}
        head = {key: request[key] for key in ("params", "headers", "cookies") if key in request}
        sent = httpx.Request("GET", "https://bridge", **head)
        path = url = str(self.where[1])
        for _, parameter in self.contract.parameters(self.where):
            place, name = parameter["in"], parameter["name"]
            python = python_name(name)
            # The second form is used if two places share a name.
            value = values.get(python, values.get(f"{python}_{place}"))
            if place == "path":
                url = url.replace(f"{{{name}}}", quote("".join(_texts(value)), safe=""))
            elif not _is_sent(sent, place, name, value):
                yield f"does not send the {place} parameter `{name}`, or does not write it as JSON does"
        is_same_template = re.sub("{.*?}", "{}", called.path) == re.sub("{.*?}", "{}", path)
        if (request["method"], request["url"]) != (self.where[2], url) or not is_same_template:
            yield f"requests {request['method'].upper()} {request['url']} instead of {url}"
        yield from self._body_faults(request, arguments, values)

    def _body_faults(self, request: dict[str, Any], arguments: dict[str, Any], values: dict[str, Any]) -> Iterator[str]:
        body = mapping(self.contract.resolve(self.contract.at((*self.where, "requestBody"))))
        for media_type in mapping(body.get("content")):
            is_declared = request.get("headers", {}).get("Content-Type", "").startswith(media_type)
            if not is_declared or not _is_body(request, arguments["body"], values["body"]):
                yield f"does not send the body ({media_type})"

    def _bodies(self) -> Iterator[tuple[str, str, Any, Any]]:
        """The declared bodies: status, source of the body, one of the samples, and schema."""
        for status, node in mapping(self.contract.at((*self.where, "responses"))).items():
            content = mapping(mapping(self.contract.resolve(node)).get("content"))
            media_type, media = next(iter(content.items()), ("", None))
            schema = mapping(media).get("schema")
            for sample in samples(self.contract, schema) or ["some bytes"]:
                yield str(status), _source(media_type), sample, schema

    def _read_faults(self, called: Any, returned: Any) -> Iterator[str]:
        """The statuses whose body is not read completely and as the declared type, or whose list is not found."""
        bodies = [*self._bodies()]
        declared = {status for status, *_ in bodies}
        for status, source, body, schema in bodies:
            is_success = status.startswith("2")
            component = (self.contract.follow(schema) or ("",))[-1]
            expected = getattr(self.generated.models, class_name(str(component)), returned if is_success else Any)
            # The first and the last status of a range that are not declared separately.
            codes = [status.replace("XX", f"{number:02}") for number in range(100)]
            codes = [code for code in codes if code == status or code not in declared]
            for code in {codes[0], codes[-1]}:
                if why := self._misread(called.body(int(code)), source, body, expected):
                    flaws = self.flaws(schema, body) if source == "json" else []
                    yield from flaws or [f"does not read the body of `{status}`: {why}"]
                elif is_success and hasattr(called, "items") and not self._finds_items(called, int(code), body):
                    yield f"does not find the items of `{called.shape.name}`"

    def _misread(self, declared: Any, source: str, body: Any, expected: Any) -> str:
        if declared is None or declared.source != source:
            return f"it is not declared as {source}"
        strict = self.generated.places.Place(strict=True)
        try:
            read = declared.read(body if source == "json" else str(body).encode(), strict, "")
        except ValueError as error:
            return str(error)
        is_complete = source in ("bytes", "nothing") or not differences(self.generated, read, body)
        return "" if is_complete and fits(read, expected) else "the value or its type is not the declared one"

    def _iterator_faults(self, called: Any, method: Any, iterator: Any) -> Iterator[str]:
        """Faults of the iterator, which must exist if and only if there is a list, and belong to the operation."""
        if (iterator is None) is hasattr(called, "items"):
            yield "has an iterator without a list, or a list without an iterator"
        elif iterator is not None:
            parameters, own = ({*inspect.signature(one).parameters} for one in (method, iterator))
            left_out = {called.shape.begin} - {None}
            if _called(iterator, left_out=left_out)[0] is not called or parameters - own != left_out:
                yield f"reads pages of another operation or drops an argument in `{iterator.__name__}`"

    def _finds_items(self, called: Any, status: int, body: Any) -> bool:
        read = called.body(status).read(body, self.generated.places.Place(), "")
        items, sent = called.items(read), called.shape.found(body)
        is_list = self.generated.base.to_json(items) == sent and fits(items, list[called.item])
        return is_list and type(read) is called.page


def _called(method: Any, turn: int = 0, left_out: Collection[str] = ()) -> tuple[Any, dict[str, Any]]:
    """The operation that a method calls, and the arguments, all of which must reach it, and only those `left_out`."""
    hints = hints_of(method)
    arguments = {name: made(hints[name], turn) for name in inspect.signature(method).parameters.keys() - LIMITS}
    called = method(**arguments)
    operation, passed = asyncio.run(called) if inspect.iscoroutine(called) else called
    if {name: value for name, value in passed.items() if name not in left_out} != arguments:
        raise ValueError(f"`{method.__name__}` does not pass on all of its arguments")
    return operation, arguments


def _source(media_type: str) -> str:
    if not media_type or "json" in media_type:
        return "json" if media_type else "nothing"
    return "text" if media_type.startswith("text/") else "bytes"


def _is_sent(sent: httpx.Request, place: str, name: str, value: Any) -> bool:
    """Whether a value is in a request. An object in a query is sent as one parameter for each field."""
    if place == "query":
        fields = value if isinstance(value, dict) else {name: value}
        return all(sent.url.params.get_list(key) == _texts(inner) for key, inner in fields.items())
    if place == "header":
        return sent.headers.get_list(name) == _texts(value)
    return "; ".join(f"{name}={text}" for text in _texts(value)) in sent.headers.get("Cookie", "")


def _texts(value: Any) -> list[str]:
    """The texts that are sent for a value, one for each item of a list."""
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else json.dumps(item) for item in items]


def _is_body(request: dict[str, Any], body: Any, value: Any) -> bool:
    if "files" in request:
        given = {name for name, python in body.FIELDS.items() if getattr(body, python) is not None}
        return {name for name, _ in request["files"]} == given | {*getattr(body, "additional_properties", ())}
    if "content" in request:
        return request["content"] is body.payload
    if "data" in request:
        form = httpx.Request("POST", "https://bridge", data=request["data"]).content.decode()
        return parse_qs(form) == {name: _texts(inner) for name, inner in value.items()}
    return bool(request.get("json") == value)

"""The proof for operations: every argument must be sent, and the body of every status must be read."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Collection, Iterator
from types import SimpleNamespace
from typing import Any, get_args
from urllib.parse import quote

from tools.contract import Contract, mapping, separator
from tools.contract.names import class_name, iterator_name, python_name
from tools.generate.lists import LIMITS
from tools.generate.models import Part, differences, fits
from tools.generate.samples import hints_of, made, samples


def _passed(operation: Any, arguments: dict[str, Any], **_: Any) -> Any:
    return operation, arguments


async def _awaited(operation: Any, arguments: dict[str, Any]) -> Any:
    return operation, arguments


# Stand-ins for the two clients, which return the arguments that operation methods pass to them.
CALLERS = {
    "Operations": SimpleNamespace(call=_passed, paginate=_passed),
    "AsyncOperations": SimpleNamespace(call=_awaited, paginate=_passed),
}


def separators(contract: Contract) -> dict[tuple[str, str, str], str]:
    """The separator of each parameter, by the operation's name in Python, place and name."""
    found = {}
    for where, operation in contract.operations():
        for _, one in contract.parameters(where):
            found[python_name(str(operation["operationId"])), str(one["in"]), str(one["name"])] = separator(one)
    return found


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
        cookies = [tuple(pair.split("=", 1)) for pair in request["headers"].get("Cookie", "").split("; ")]
        sent = {"query": request["params"], "header": [*request["headers"].items()], "cookie": cookies}
        path = url = str(self.where[1])
        for _, parameter in self.contract.parameters(self.where):
            place, name = parameter["in"], parameter["name"]
            python = python_name(name)
            # The second form is used if two places share a name.
            value = values.get(python, values.get(f"{python}_{place}"))
            if place == "path":
                url = url.replace(f"{{{name}}}", quote("".join(_texts(parameter, value)), safe=""))
            elif not _is_sent(sent[place], parameter, value):
                yield f"does not send the {place} parameter `{name}`, or does not write it as JSON does"
        is_same_template = re.sub("{.*?}", "{}", called.path) == re.sub("{.*?}", "{}", path)
        if (request["method"].lower(), request["url"]) != (self.where[2], url) or not is_same_template:
            yield f"requests {request['method']} {request['url']} instead of {url}"
        yield from self._body_faults(request, arguments, values)

    def _body_faults(self, request: dict[str, Any], arguments: dict[str, Any], values: dict[str, Any]) -> Iterator[str]:
        body = mapping(self.contract.resolve(self.contract.at((*self.where, "requestBody"))))
        for media_type in mapping(body.get("content")):
            is_declared = request["headers"].get("Content-Type", "multipart/form-data").startswith(media_type)
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
            if _called(iterator, left_out=left_out | LIMITS)[0] is not called or parameters - own != left_out:
                yield f"reads pages of another operation or drops an argument in `{iterator.__name__}`"

    def _finds_items(self, called: Any, status: int, body: Any) -> bool:
        read = called.body(status).read(body, self.generated.places.Place(), "")
        items, sent = called.items(read), called.shape.found(body)
        is_list = self.generated.base.to_json(items) == sent and fits(items, list[called.item])
        return is_list and type(read) is called.page


def _called(method: Any, turn: int = 0, left_out: Collection[str] = ()) -> tuple[Any, dict[str, Any]]:
    """The operation that a method calls, and the arguments, all of which must reach it, and only those `left_out`."""
    hints = hints_of(method)
    arguments = {name: made(hints[name], turn) for name in inspect.signature(method).parameters.keys() - {*left_out}}
    called = method(**arguments)
    operation, passed = asyncio.run(called) if inspect.iscoroutine(called) else called
    if {name: value for name, value in passed.items() if name not in left_out} != arguments:
        raise ValueError(f"`{method.__name__}` does not pass on all of its arguments")
    return operation, arguments


def _source(media_type: str) -> str:
    if not media_type or "json" in media_type:
        return "json" if media_type else "nothing"
    return "text" if media_type.startswith("text/") else "bytes"


def _is_sent(pairs: list[tuple[str, str]], parameter: dict[str, Any], value: Any) -> bool:
    """Whether a value is among the names and texts that are sent: of an object in a query, one for each field."""
    is_spread = isinstance(value, dict) and not separator(parameter)
    fields = value if is_spread else {parameter["name"]: value}
    expected = [(name, text) for name, inner in fields.items() for text in _texts(parameter, inner)]
    return [pair for pair in pairs if pair[0] in fields] == expected


def _texts(parameter: dict[str, Any], value: Any) -> list[str]:
    """The texts that are sent for a value: one for each item of a list, unless they are joined."""
    items = value if isinstance(value, list) else [value]
    texts = [item if isinstance(item, str) else json.dumps(item) for item in items]
    return [separator(parameter).join(texts)] if separator(parameter) else texts


def _is_body(request: dict[str, Any], body: Any, value: Any) -> bool:
    if "files" in request:
        given = {name for name, python in body.FIELDS.items() if getattr(body, python) is not None}
        return {name for name, _ in request["files"]} == given | {*getattr(body, "additional_properties", ())}
    if "content" in request:
        return request["content"] is body.payload
    if "data" in request:
        return bool(request["data"] == {name: _texts({"in": "query"}, inner) for name, inner in value.items()})
    return bool(request.get("json") == value)

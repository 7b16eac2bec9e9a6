"""Makes the request of an operation from the arguments of its method."""

# Replaces the function that openapi-python-client 0.29.1 writes for each operation.
# Why: the stock function joins no arrays, sends numbers, dates and UUIDs in some places only, and fails if a parameter
#   has the name of one of its variables.
# Test: tests/test_sending.py, tests/test_hazards.py.
# Remove when: the generator sends each type in each place, and follows `style` and `explode`.

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from attrs import define

from .base import to_json

__all__ = ["Parameter", "RequestMaker"]


@define(frozen=True)
class Parameter:
    """A parameter of an operation."""

    argument: str
    """The name of the argument."""
    place: str
    """`path`, `query`, `header` or `cookie`."""
    name: str
    """The name that is sent."""
    separator: str = ""
    """Joins the items of an array; empty if each is sent by itself."""

    def pairs(self, value: Any) -> list[tuple[str, str]]:
        """The names and texts to send: none for None, and one for each field of an object in a query.

        Raises:
            TypeError, ValueError: the value cannot be sent.

        """
        if isinstance(value, dict) and self.place == "query":
            return [pair for name, inner in value.items() for pair in self._named(name, inner)]
        return self._named(self.name, value)

    def _named(self, name: str, value: Any) -> list[tuple[str, str]]:
        if value is None:
            return []
        if not isinstance(value, list):
            return [(name, _text(value))]
        texts = [_text(item) for item in value]
        if not self.separator:
            return [(name, text) for text in texts]
        if any(self.separator in text for text in texts):
            raise ValueError(f"an item contains {self.separator!r}, which joins the items")
        return [(name, self.separator.join(texts))] if texts else []


def _text(value: Any) -> str:
    if value is None or isinstance(value, bytes | dict | list):
        raise TypeError(f"{type(value).__name__} cannot be sent as text")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _form(body: Any) -> dict[str, list[str]]:
    """The texts of each field of a form, which are sent as those of an object in a query."""
    fields: dict[str, list[str]] = {}
    for name, text in Parameter("body", "query", "body").pairs(to_json(body)):
        fields.setdefault(name, []).append(text)
    return fields


BODIES: dict[str, Callable[[Any], Any]] = {
    "content": lambda body: body.payload,
    "data": _form,
    "files": lambda body: body.to_multipart(),
    "json": to_json,
}
"""The functions that prepare a body, by the argument of a request that holds it."""


@define(frozen=True)
class RequestMaker:
    """Makes the request of an operation."""

    method: str
    path: str
    """The path, with the names of arguments in braces."""
    parameters: tuple[Parameter, ...] = ()
    body: tuple[str, str] | None = None
    """A key of BODIES and the media type of the body; None if there is no body."""
    accept: str = ""
    """The header `Accept`, unless the client's own is right."""

    def __call__(self, **arguments: Any) -> dict[str, Any]:
        """The arguments of a request.

        Raises:
            AttributeError, TypeError, ValueError: an argument cannot be sent.

        """
        path: dict[str, str] = {}
        sent: dict[str, list[tuple[str, str]]] = {"query": [], "header": [], "cookie": []}
        for parameter in self.parameters:
            value = arguments.get(parameter.argument)
            if value is None:
                continue
            pairs = parameter.pairs(to_json(value))
            if parameter.place == "path":
                path[parameter.argument] = quote(dict(pairs).get(parameter.name, ""), safe="")
            else:
                sent[parameter.place] += pairs
        request = {"method": self.method, "url": self.path.format(**path), "params": sent["query"]}
        headers = dict(sent["header"])
        if sent["cookie"]:
            if any(";" in text for _, text in sent["cookie"]):
                raise ValueError("a cookie contains ';', which ends it")
            headers["Cookie"] = "; ".join(f"{name}={text}" for name, text in sent["cookie"])
        if self.accept:
            headers["Accept"] = self.accept
        if self.body and (body := arguments["body"]) is not None:
            kind, media_type = self.body
            request[kind] = BODIES[kind](body)
            if kind != "files":  # otherwise, the client adds it, with a boundary that it draws
                headers["Content-Type"] = media_type
        return request | {"headers": headers}

"""Converts arguments and bodies from the command line to the types that the client's methods take."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from io import BytesIO
from math import isfinite
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

import click
from click.shell_completion import CompletionItem
from talkdesk_bridge import File, Place

KINDS: dict[Any, tuple[str, str]] = {
    str: ("TEXT", "1000000001"),  # an account of the sandbox
    int: ("INTEGER", "1000000001"),
    float: ("NUMBER", "1.5"),
    bool: ("true|false", "true"),
    date: ("DATE", "2023-07-22"),
    datetime: ("DATE-TIME", "2023-07-22T10:00:00Z"),
    UUID: ("UUID", "00000000-0000-4000-8000-000000000001"),
}
"""The name of each type on a help page, and an example."""


def _date_time(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if not value.tzinfo:
        raise ValueError("the time has no UTC offset, such as Z.")
    return value


READERS: dict[Any, Callable[[str], Any]] = {date: date.fromisoformat, datetime: _date_time, UUID: UUID}


class Value(click.ParamType):  # type: ignore[type-arg,unused-ignore] # generic in newer versions of click
    """Converts text from the command line to a value of a type."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self.name, self.example = _shape(kind)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the text as JSON if that gives the type, otherwise as plain text."""
        if self._kind is str:
            return value
        with suppress(ValueError, RecursionError):
            return _read(self._kind, _parsed(value))
        with suppress(ValueError):
            return _read(self._kind, value)
        such_as = "" if self._kind is int else f", such as {self.example}"  # its example is an account
        raise click.BadParameter(f"expected {self.name}{such_as}, not {value!r}.", ctx, param)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The values that begin with a text, if there is a fixed number of them."""
        choices = ["true", "false"] if self._kind is bool else _choices(self._kind)
        return [CompletionItem(choice) for choice in choices if choice.startswith(incomplete)]


class Body(click.File):
    """Converts the name of a file to the body in it."""

    def __init__(self, kind: Any) -> None:
        super().__init__("rb")
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the body: bytes, or JSON that matches the contract."""
        content = super().convert(value, param, ctx).read()
        if File in (self._kind, *get_args(self._kind)):
            return File(BytesIO(content))
        try:
            return _read(self._kind, _parsed(content))
        except (ValueError, RecursionError) as error:
            raise click.BadParameter(f"{value} does not match the contract: {error}", ctx, param) from None


def _read(kind: Any, data: Any) -> Any:
    """A JSON value as a value of a type; raises ValueError if it does not match."""
    if is_union(kind):
        for part in get_args(kind):
            with suppress(ValueError):
                return _read(part, data)
    elif get_origin(kind) is list and isinstance(data, list):
        return [_read(get_args(kind)[0], item) for item in data]
    elif choices := _choices(kind):
        if str(data) in choices:
            return choices[str(data)]
    elif kind in READERS and isinstance(data, str):
        return READERS[kind](data)
    elif hasattr(kind, "from_dict"):
        return kind.from_dict(data, Place(strict=True))
    elif kind is Any or type(data) is kind or (kind is float and type(data) is int):
        return data
    raise ValueError(f"expected {_shape(kind)[0]}, such as {_shape(kind)[1]}.")


def is_union(kind: Any) -> bool:
    """Whether a type is a union of types."""
    return isinstance(kind, UnionType) or get_origin(kind) is Union


def _choices(kind: Any) -> dict[str, Any]:
    """The values of an enumeration or a Literal, by their text."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {str(one.value): one for one in kind}
    return {str(one): one for one in get_args(kind)} if get_origin(kind) is Literal else {}


def _shape(kind: Any) -> tuple[str, str]:
    """The name and an example of any type, as in KINDS."""
    if kind in KINDS:
        return KINDS[kind]
    if choices := [*_choices(kind)]:
        return "|".join(choices), choices[0]
    if is_union(kind):
        names, examples = zip(*map(_shape, get_args(kind)), strict=True)
        return "|".join(names), examples[0]
    return "JSON", "[]" if get_origin(kind) is list else "{}"


def _parsed(text: str | bytes) -> Any:
    return json.loads(text, parse_float=_exact, parse_constant=_exact)


def _exact(text: str) -> float:
    """The number as a float; raises ValueError if a float cannot hold its digits."""
    number = float(text)
    if not isfinite(number) or Decimal(text) != Decimal(repr(number)):
        raise ValueError(f"{text} cannot be sent with all its digits.")
    return number

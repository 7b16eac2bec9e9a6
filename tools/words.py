"""The phrases that findings are made of."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = ["article", "did_you_mean", "kind", "short", "shown"]


def did_you_mean(name: str, names: Iterable[Any], otherwise: str) -> str:
    """The remedy for a name that is not one of `names`: the closest of them, or what to do `otherwise`."""
    close = difflib.get_close_matches(name, map(str, names), 1)
    return f"did you mean `{close[0]}`? Else {otherwise}." if close else f"{otherwise}."


def kind(value: Any) -> str:
    """The JSON type of a value."""
    for of, name in ((bool, "boolean"), (str, "string"), (list, "array"), (dict, "object"), (int, "integer")):
        if isinstance(value, of):
            return name
    return "null" if value is None else "number"


def article(types: str | list[str]) -> str:
    """JSON types with their articles: `a string or null`."""
    names = [types] if isinstance(types, str) else types
    return " or ".join(name if name == "null" else f"an {name}" if name[0] in "aio" else f"a {name}" for name in names)


def shown(value: Any) -> str:
    """A value where it is short, else what it is."""
    return f"`{value}`" if isinstance(value, str | int | float) else article(kind(value))


def short(message: str) -> str:
    """The beginning of a message, in one line."""
    text = " ".join(message.split()).rstrip(".")
    return text if len(text) <= 160 else f"{text[:160]}..."

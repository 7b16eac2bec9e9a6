"""Positions: where an iterator is in its list, as an object and as JSON, and the fingerprints of pages and items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from types import NoneType
from typing import Any

from attrs import frozen

from talkdesk_bridge.errors import ArgumentError

NO_POSITION = "start must be the position of an earlier iterator"

# Data read from JSON is never circular, and checking for that takes time.
ENCODE = json.JSONEncoder(check_circular=False).encode


@frozen
class PageState:
    """The next request, and how many items came so far."""

    step: str | None = ""
    """The next request: the next link of the page before, or empty if pages are counted; None after the last page."""
    page: int = 1
    """The number of that page. If pages are counted by items, `received` says where it begins."""
    linked: bool = False
    """Whether a page had a next link."""
    received: int = 0
    empty: int = 0
    """Empty pages in a row."""
    total: int | None = None
    """The largest announced total; what was added after it shrank comes on top."""
    announced: int = 0
    """The latest announced total."""
    marks: int = 0
    """The number of fingerprints so far: one for each page's URL, and one for its items if it has any."""

    @property
    def is_complete(self) -> bool:
        """Whether the announced total is reached."""
        return self.total is not None and self.received >= self.total

    @property
    def is_of_unknown_length(self) -> bool:
        """Whether the pages so far had neither a total nor a next link: then only the next page can say more."""
        return self.page > 1 and self.total is None and not self.linked


BEGINNING = PageState()


def fingerprint(value: Any) -> str:
    return sha256(ENCODE(value).encode()).hexdigest()[:16]


def items_mark(items: list[Any]) -> list[str]:
    """The fingerprint of a page's items: of their number, and the first and the last one; empty if there are none."""
    return [fingerprint([len(items), items[0], items[-1]])] if items else []


def values_of(name: str, items: list[Any]) -> set[str]:
    """The values of a field, as text, without null and empty ones."""
    values = [item.get(name) for item in items if isinstance(item, dict)]
    return {str(value) for value in values if value not in (None, "")}


def read_position(data: Any, call: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of Progress at the position in `data`, which must be one of the same `call`.

    Raises:
        ArgumentError: it is not.

    """
    try:
        differs = [name for name, value in call.items() if data[name] != value]
        state = PageState(**{name: data[name] for name in PageState.__match_args__})
        skip, last, seen = data["skip"], data["last"], data["seen"]
        counts = (state.page - 1, state.received, state.empty, state.marks, skip, len(seen) - state.marks)
        counted = all(type(number) is int and number >= 0 for number in counts)
        counted &= type(state.total) in (int, NoneType) and type(state.announced) is int
        counted &= type(seen) in (list, tuple)
        texts = all(type(text) is str for text in (last, *seen))
        if not (counted and texts and type(state.step) in (str, NoneType) and type(state.linked) is bool):
            raise TypeError
    except (KeyError, TypeError):
        raise ArgumentError(f"{NO_POSITION}.") from None
    if differs:
        other = "other arguments" if differs[0] == "arguments" else f"another {differs[0]}"
        raise ArgumentError(f"start is the position of a call with {other}: repeat that call to continue it.")
    return {"state": state, "before": state, "skipped": skip, "end": skip, "last": last, "seen": dict.fromkeys(seen, 0)}

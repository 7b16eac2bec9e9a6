"""Positions: where an iterator is in its list, as an object and as JSON, and the fingerprints of pages and items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from types import NoneType
from typing import Any

from attrs import fields_dict, frozen

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
    skip: int = 0
    """How many items of that page were handed over before `start`."""
    last: str = ""
    """The fingerprint of the item before `start`."""
    linked: bool = False
    """Whether a page had a next link."""
    received: int = 0
    """The items of all pages before."""
    empty: int = 0
    """Empty pages in a row."""
    total: int | None = None
    """The largest announced total; what was added after it shrank comes on top."""
    announced: int = 0
    """The latest announced total."""

    @property
    def is_complete(self) -> bool:
        """Whether the announced total is reached."""
        return self.total is not None and self.received >= self.total

    @property
    def is_of_unknown_length(self) -> bool:
        """Whether the pages so far had neither a total nor a next link: then only the next page can say more."""
        return self.page > 1 and self.total is None and not self.linked

    def after(self, items: int, announced: int | None, *, linked: bool) -> PageState:
        """The state after a page with so many items and this total, if no page follows it."""
        total = self.total
        if announced is not None:
            total = (total or 0) + max(0, announced - self.announced)
        return PageState(
            step=None,
            page=self.page + 1,
            linked=self.linked or linked,
            received=self.received + items,
            empty=0 if items else self.empty + 1,
            total=total,
            announced=self.announced if announced is None else announced,
        )


BEGINNING = PageState()


def fingerprint(value: Any) -> str:
    return sha256(ENCODE(value).encode()).hexdigest()[:16]


def items_mark(items: list[Any]) -> str:
    """The fingerprint of a page's items: of their number, and the first and the last one; empty if there are none."""
    return fingerprint([len(items), items[0], items[-1]]) if items else ""


def read_position(data: Any, call: Mapping[str, Any]) -> tuple[PageState, list[str]]:
    """The state and the fingerprints of the position in `data`, which must be one of the same `call`.

    Raises:
        ArgumentError: it is not.

    """
    try:
        differs = [name for name, value in call.items() if data[name] != value]
        state, seen = PageState(**{name: data[name] for name in fields_dict(PageState)}), data["seen"]
        numbers = (state.page - 1, state.skip, state.received, state.empty)
        is_one = all(type(number) is int and number >= 0 for number in numbers)
        is_one &= all(type(text) is str for text in (state.last, *seen)) and type(seen) in (list, tuple)
        is_one &= type(state.step) in (str, NoneType) and type(state.linked) is bool
        is_one &= type(state.total) in (int, NoneType) and type(state.announced) is int
        if not is_one or len(data) != len(call) + len(fields_dict(PageState)) + 1:
            raise TypeError
    except (KeyError, TypeError):
        raise ArgumentError(f"{NO_POSITION}.") from None
    if differs:
        other = "other arguments" if differs[0] == "arguments" else f"another {differs[0]}"
        raise ArgumentError(f"start is the position of a call with {other}: repeat that call to continue it.")
    return state, seen

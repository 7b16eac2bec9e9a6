"""How far an iterator is: its position, as an object and as JSON, and the items that show that a list changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from types import NoneType
from typing import Any

from attrs import Factory, fields_dict, frozen

from talkdesk_bridge._response import Response
from talkdesk_bridge.errors import ArgumentError, ContractError, PagingError

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
        """The state after a page with `items` items and this total, if no page follows it."""
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


def fingerprint(value: Any) -> str:
    return sha256(ENCODE(value).encode()).hexdigest()[:16]


def mark_of(items: list[Any]) -> str:
    """The fingerprint of a page's items: of their number, and the first and the last one; empty if there are none."""
    return fingerprint([len(items), items[0], items[-1]]) if items else ""


Repeats = dict[tuple[int, int], str]
"""Identities of earlier pages, by the page and the index at which they came again."""


@frozen(eq=False)
class Progress:
    """How far an iterator is.

    One assignment replaces it, so that an exception between two lines, such as KeyboardInterrupt, loses no page. The
    dictionaries are changed before that: a page that is taken again finds only itself in them.
    """

    state: PageState = PageState()
    """Before the next page."""
    before: PageState = PageState()
    """Before the current page."""
    seen: dict[str, int] = Factory(dict)
    """The page of each fingerprint so far, of a page's URL or its items; 0 for those of a position."""
    page_of: dict[str, int] = Factory(dict)
    """The page of each identity so far; not a part of positions."""
    readings: tuple[Repeats, ...] = Factory(lambda: ({},))
    """If the list may be read again: the identities of earlier pages that came again, in each reading so far."""
    response: Response[Any] | None = None
    """That of the current page."""
    sent: list[Any] = Factory(list)
    """The items of the current page, as JSON; only the last one while the next page is fetched, if `is_identified`."""
    is_identified: bool = False
    """Whether each item of the current page has an identity, so that the next page is compared with identities only."""
    end: int = 0
    """How many of them will have been handed over: not those beyond max_items."""
    rest: Iterator[Any] = Factory(lambda: iter(()))
    """Those not yet handed over, as models."""
    bodies: list[Any] = Factory(list)
    """The body of the current page until `pages()` hands it over."""
    error: PagingError | ContractError | None = None
    """Raised after the items of the current page."""

    @property
    def latest(self) -> str:
        """The fingerprint of the latest page."""
        return next((mark for mark in reversed(self.seen) if self.seen[mark] < self.state.page), "")

    def repeats(self, identities: list[str]) -> Repeats:
        """Those of the identities of the next page that were on an earlier page."""
        page, page_of = self.state.page, self.page_of
        return {(page, at): value for at, value in enumerate(identities) if page_of.get(value, page) < page}

    def is_repeated(self, sent: list[Any], mark: str, repeats: Repeats) -> bool:
        """Whether the next page, with the fingerprint `mark`, has items of an earlier one, except lawful `repeats`."""
        page, skip, last = self.state.page, self.state.skip, self.state.last
        if self.seen.get(mark, page) < page:
            return True
        # A single item after a longer page may lawfully have the identity of an earlier one.
        if 0 < len(repeats) == len(sent) >= min(self.state.received - self.before.received, 2):
            return True
        if skip and (len(sent) < skip or fingerprint(sent[skip - 1]) != last):
            return True
        if last and not skip and sent and fingerprint(sent[0]) == last:
            return True
        return bool(sent) and sent[0] in self.sent and (page, 0) not in repeats


def identities_of(items: list[Any], name: str) -> list[str]:
    """The value of a field in each item, as text; empty if it is absent, null or blank."""
    values = [item.get(name) if isinstance(item, dict) else None for item in items]
    return ["" if value is None else str(value).strip() for value in values]


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

"""The progress of an iterator, and the items of earlier pages that show that a list changed while it was read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import Factory, frozen

from talkdesk_bridge._position import BEGINNING, PageState, fingerprint
from talkdesk_bridge._response import Response
from talkdesk_bridge.errors import ContractError, PagingError

Repeats = dict[tuple[int, int], str]
"""Identities of earlier pages, by the page and the index at which they came again."""


@frozen(eq=False)
class Progress:
    """How far an iterator is.

    One assignment replaces it, so that an exception between two lines, such as KeyboardInterrupt, loses no page. The
    dictionaries are changed before that: a page that is taken again finds only itself in them.
    """

    state: PageState = BEGINNING
    """Before the next page."""
    before: PageState = BEGINNING
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
    """The items of the current page, as JSON."""
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
        if 0 < len(repeats) == len(sent) >= min(len(self.sent), 2):
            return True
        if skip and (len(sent) < skip or fingerprint(sent[skip - 1]) != last):
            return True
        if last and not skip and sent and fingerprint(sent[0]) == last:
            return True
        return bool(sent) and sent[0] in self.sent and (page, 0) not in repeats


def identities_of(items: list[Any], name: str) -> list[str]:
    """The value of a field in each item, as text; empty if it is absent or null."""
    values = [item.get(name) if isinstance(item, dict) else None for item in items]
    return ["" if value is None else str(value) for value in values]

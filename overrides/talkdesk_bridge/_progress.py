"""The progress of an iterator, and the items of earlier pages that show that a list changed while it was read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import Factory, frozen

from talkdesk_bridge._position import BEGINNING, PageState, fingerprint, items_mark, values_of
from talkdesk_bridge._response import Response
from talkdesk_bridge.errors import ContractError, PagingError

Repeats = dict[tuple[int, int], str]
"""Identities of earlier pages, by the page and the index at which they came again."""


@frozen(eq=False)
class Progress:
    """How far an iterator is.

    One assignment replaces it, so that an exception between two lines, such as KeyboardInterrupt, loses no page. `seen`
    and `page_of` are changed before that: a page that is taken again finds only itself in them.
    """

    pages_left: int
    items_left: int
    state: PageState = BEGINNING
    """Before the next page."""
    before: PageState = BEGINNING
    """Before the current page."""
    seen: dict[str, int] = Factory(dict)
    """The page of each fingerprint so far; 0 for those of a position."""
    skipped: int = 0
    """How many items of the current page were handed over before `start`."""
    last: str = ""
    """The fingerprint of the item before `start`."""
    page_of: dict[str, int] = Factory(dict)
    """The page of each identity so far; not a part of positions."""
    repeats: Repeats = Factory(dict)
    """If the list may be read again: the identities of earlier pages that came again so far."""
    repeats_before: Repeats = Factory(dict)
    """Those of the reading before."""
    reading: int = 1
    sent: list[Any] = Factory(list)
    """The items of the current page, as JSON."""
    end: int = 0
    """How many of them will have been handed over: not those beyond max_items."""
    rest: Iterator[Any] = Factory(lambda: iter(()))
    """Those not yet handed over, as models."""
    bodies: list[Any] = Factory(list)
    """The body of the current page until `pages()` hands it over."""
    response: Response[Any] | None = None
    error: PagingError | ContractError | None = None
    """Raised after the items of the current page."""

    @property
    def latest(self) -> list[str]:
        """The fingerprint of the latest page."""
        return [*self.seen][: self.state.marks][-1:]

    def new_fingerprints(self, operation: str, url: str, sent: list[Any], repeats: Repeats) -> list[str]:
        """The fingerprints of the next page, some of whose identities may be `repeats`.

        Raises:
            PagingError: it has items of an earlier page: the bridge repeats pages, or the list changed.

        """
        page, ends = self.state.page, items_mark(sent)
        repeated = any(self.seen.get(mark, page) < page for mark in ends)
        # A single item after a longer page may lawfully have the identity of an earlier one.
        repeated |= 0 < len(repeats) == len(sent) >= min(len(self.sent), 2)
        repeated |= sent != [] and sent[0] in self.sent and (page, 0) not in repeats
        if self.skip:
            repeated |= len(sent) < self.skip or fingerprint(sent[self.skip - 1]) != self.last
        elif self.last and sent:
            repeated |= fingerprint(sent[0]) == self.last
        if repeated:
            reason = "the bridge repeats pages, or the list changed while it was read"
            message = f"{operation}: a page has items of an earlier page: {reason}. Start from the beginning."
            raise PagingError(message, page=page, changed=True)
        return [fingerprint(url), *ends]

    @property
    def skip(self) -> int:
        """How many items of the next page were handed over before `start`."""
        return self.skipped if self.state is self.before else 0

    def repeated(self, identity: str, values: set[str], sent: list[Any]) -> Repeats:
        """Those of the identities of the next page, `values`, that were on an earlier page."""
        page = self.state.page
        earlier = {value for value in values & self.page_of.keys() if self.page_of[value] < page}
        indexed = enumerate(sent if earlier else [])
        return {(page, index): value for index, item in indexed for value in values_of(identity, [item]) & earlier}

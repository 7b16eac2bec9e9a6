"""Paging: which request comes next, when the pages end, and the position of an iterator."""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from operator import length_hint
from typing import Any

from attrs import evolve
from talkdesk_bridge_api.places import member
from talkdesk_bridge_api.types import ListOperation

from talkdesk_bridge._links import NextLinks, next_href
from talkdesk_bridge._position import FIRST, PageState, Step, fingerprint, items_mark, read_position, values_of
from talkdesk_bridge._response import Deviation, Reader, Response, announced_total
from talkdesk_bridge.errors import ArgumentError, BridgeError, ContractError, IncompleteError, PagingError, StatusError

# A bridge that filters may send some empty pages. More in a row than this raise PagingError.
MOST_EMPTY_PAGES = 10
MISSING = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


class Pages:
    """What both iterators share: finding the next request, and taking a page within the caller's limits.

    After an error, iterating again repeats the failed request, so no item is skipped. If the next page cannot be
    requested, the same PagingError is raised each time.
    """

    def __init__(
        self,
        exchange: Callable[[Step], Awaitable[Response[Any]]],
        links: Callable[[], NextLinks] | None,
        numbering: dict[str, bool],
        operation: ListOperation[Any, Any],
        call: dict[str, Any],
        reader: Reader,
        start: Mapping[str, Any] | None,
        max_pages: int | None,
        max_items: int | None,
    ) -> None:
        for name, value in (("max_pages", max_pages), ("max_items", max_items)):
            if value is not None and (not isinstance(value, int) or value < 0):
                raise ArgumentError(f"{name} must be None or an integer of at least 0.")
        self._exchange, self._make_links, self._numbering = exchange, links, numbering
        self._links: NextLinks | None = None
        self._operation = operation
        self._name = operation.operation_id
        self._call = call  # becomes a part of positions
        self._reader = reader
        self._state = self._before = PageState()
        self._seen: dict[str, None] = {}
        self._pages_of: dict[str, int] = {}  # the page of each identity so far; not a part of positions
        self._sent: list[Any] = []  # items of the current page, as JSON
        self._skipped = 0  # how many of them were handed over before `start`
        self._items: list[Any] = []  # the others as models, up to max_items
        self._rest = iter(self._items)  # those not yet handed over
        self._last = ""  # fingerprint of the item before `start`
        self._error: PagingError | ContractError | None = None
        self._lock = threading.Lock()
        self.response: Response[Any] | None = None
        """The response with the last page that was fetched; None before the first."""
        self._pages_left = sys.maxsize if max_pages is None else max_pages
        self._items_left = sys.maxsize if max_items is None else max_items
        if start is not None:
            position = read_position(start, call)
            self._state = self._before = position.state
            self._skipped, self._last, self._seen = position.skip, position.last, dict.fromkeys(position.seen)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._name}: {self._state.received} items received>"

    @property
    def position(self) -> dict[str, Any]:
        """Where this iterator is, as JSON data: pass it as `start` to the same call to continue there.

        It contains the bridge, the operation and its arguments, but no credential. Items that were handed over do not
        come again; if the page has changed so that they cannot be recognised, continuing raises PagingError.
        """
        # In the middle of a page, the page is requested again, and the items that were handed over are skipped.
        handed_over = self._skipped + len(self._items) - length_hint(self._rest)
        state, skip = self._state, 0
        if handed_over != len(self._sent) or self._error is not None:
            state, skip = self._before, handed_over
        last = fingerprint(self._sent[handed_over - 1]) if self._sent and handed_over else self._last
        progress = {name: getattr(state, name) for name in PageState.__match_args__}
        return {**self._call, "skip": skip, "last": last, **progress, "seen": [*self._seen][: state.marks]}

    async def _next_page(self, *, whole: bool = False) -> Any:
        """The body of the next page; None after the last one, or at the caller's limit.

        Args:
            whole: Hand over this body only; discard items left over from the page before.

        """
        if not self._lock.acquire(blocking=False):  # otherwise callers would get each other's items
            raise ArgumentError("This iterator is already in use by another thread or task.")
        try:
            if whole:
                self._rest = iter(())
            if self._pages_left == 0 or self._items_left == 0:
                return None
            if self._error:
                raise self._error
            if self._state.step is None:
                return None
            try:
                await self._check_numbering()
                response = await self._exchange(self._state.step)
            except BridgeError as error:
                if self._ends_with(error):
                    return None
                raise
            try:
                if await self._is_repeated(response):
                    return None
                self._take(response, whole=whole)
            except RecursionError:
                raise ContractError(f"{self._name}: an item is nested too deep.") from None
            return response.body
        finally:
            self._lock.release()

    async def _check_numbering(self) -> None:
        """Once for each client, before page 2 of a list of unknown length: check that the first page is page 1.

        Raises:
            PagingError: it is not.

        """
        if self._state.is_of_unknown_length and self._state.step == 2 and self._name not in self._numbering:
            first = await self._exchange(FIRST)
            if items_mark(self._sent_in(first)) != [*self._seen][-1:]:
                remedy = "Ask its operator for a total, or for next links"
                raise PagingError(f"{self._name}: this bridge does not count pages from 1. {remedy}.", page=1)
            self._numbering[self._name] = True

    async def _is_repeated(self, response: Response[Any]) -> bool:
        """Whether the list has ended, because the bridge ignores page numbers or repeats its last page.

        A list that shifted by one page looks the same, so the page before is requested once more.
        """
        state = self._state
        if not (state.is_complete or state.is_of_unknown_length):
            return False
        sent, before = self._sent_in(response), [*self._seen][-1:]
        if not sent or items_mark(sent) != before:
            return False
        if state.is_of_unknown_length and isinstance(state.step, int):
            again = await self._exchange(FIRST if state.step == 2 else state.step - 1)
            if items_mark(self._sent_in(again)) != before:
                return False  # `_take` raises the error
            self._numbering[self._name] = state.page > 2
        self._state = evolve(state, step=None)
        return True

    def _sent_in(self, response: Response[Any]) -> list[Any]:
        """The items of a page as JSON."""
        items = self._operation.items(response.body)
        return response.data["_embedded"][self._operation.list_name] if items else []

    def _ends_with(self, error: BridgeError) -> bool:
        """Whether an error ends the list: there is no next page, and none is missing.

        Raises:
            PagingError: the page does not exist, but items are missing or the total is unknown.

        """
        state = self._state
        if state.page == 1:
            return False
        if not isinstance(error, StatusError) or error.status_code not in MISSING:
            error.args = (f"{error} This was page {state.page} of the list.",)
            return False
        if state.is_of_unknown_length or state.is_complete:
            self._state = evolve(state, step=None)
            return True
        message = f"{self._name}: page {state.page} of the list does not exist ({error.status_code})."
        remedy = "The bridge's next link, or its total, is wrong. Ask its operator, or try the other kind of `paging`."
        raise PagingError(f"{message} {remedy}", page=state.page) from error

    def _next_link(self, response: Response[Any]) -> str | None:
        """The URL of the next page that a page links to; None if it has no link, or pages are read by number."""
        if not self._make_links or not (href := next_href(self._name, response.data)):
            return None
        self._links = self._links or self._make_links()
        return self._links.url(href, response.url, self._state.page)

    def _take(self, response: Response[Any], *, whole: bool) -> None:
        items = self._operation.items(response.body) or []
        sent = self._sent_in(response)
        skip = self._skipped if self._state is self._before else 0  # of the first page
        marks = self._new_fingerprints(response.url, sent, skip)
        identities = self._new_identities(sent)
        total = announced_total(self._name, response)
        state, error = self._state, None
        try:
            state = self._after(len(items), total, self._next_link(response), marks)
            if state.step is None and state.total is not None and state.received > state.total:
                self._reader.report(Deviation(self._name, "$.total", "number of all items", "smaller number", 1))
            if items and state.page == 2 and state.is_of_unknown_length:
                documented = "number of all items, or a next link"
                self._reader.report(Deviation(self._name, "$.total", documented, "nothing", 1))
        except (PagingError, ContractError) as caught:
            error = caught  # raised after the items of this page
            if isinstance(caught, PagingError) and caught.link:
                caught.requested = response.url.partition("?")[0]
        # All state changes here, at the end: if a hook of the caller raised, this page comes next again.
        self._seen |= dict.fromkeys(marks)
        self._pages_of |= dict.fromkeys(identities, self._state.page)
        self._before, self._state, self._error = self._state, state, error
        wanted = items[skip : skip + self._items_left]
        self._sent, self._skipped, self._last = sent, skip, ""
        self._items = items[skip:] if whole else wanted
        self._rest = iter(() if whole else wanted)
        self._pages_left -= 1
        self._items_left -= len(wanted)
        self.response = response

    def _new_fingerprints(self, url: str, sent: list[Any], skip: int) -> list[str]:
        """The fingerprints of a page.

        Raises:
            PagingError: it has items of an earlier page: the bridge repeats pages, or the list changed.

        """
        ends = items_mark(sent)
        repeated = any(mark in self._seen for mark in ends) or (ends != [] and sent[0] in self._sent)
        if skip:
            repeated |= len(sent) < skip or fingerprint(sent[skip - 1]) != self._last
        elif self._last and sent:
            repeated |= fingerprint(sent[0]) == self._last
        if repeated:
            reason = "the bridge repeats pages, or the list changed while it was read"
            raise PagingError(f"{self._name}: a page has items of an earlier page: {reason}. Start from the beginning.")
        return [fingerprint(url), *ends]

    def _new_identities(self, sent: list[Any]) -> set[str]:
        """What identifies the items of a page, if the contract says which field does.

        Raises:
            PagingError: one of them was on an earlier page, so the list changed, and another item may be missing.

        """
        name = self._operation.identity or ""
        identities = values_of(name, sent) if name else set()
        repeated = [self._pages_of[value] for value in identities & self._pages_of.keys()]
        if repeated and self._reader.on_repeat == "error":
            found = f"page {self._state.page} has an item of page {min(repeated)}, by its {name}"
            remedy = 'Start from the beginning, or use on_repeat="deviation" if the bridge repeats its values'
            raise PagingError(f"{self._name}: {found}: the list changed. {remedy}.", page=self._state.page)
        if repeated:
            place = f"$._embedded{member(self._operation.list_name)}[*]{member(name)}"
            self._reader.report(Deviation(self._name, place, "unique value", "value of an earlier page", len(repeated)))
        return identities

    def _after(self, items: int, total: int | None, link: str | None, marks: list[str]) -> PageState:
        """The state after a page with `items` items, and with this total, next link and fingerprints.

        If the page has a next link, that comes next. Otherwise the next page number does, if the operation has page
        numbers and `total` says that there are more items, or nothing says how many there are. Otherwise this was the
        last page.

        Raises:
            PagingError: the next link leads back, or there are too many empty pages.
            IncompleteError: this was the last page, and items are missing.

        """
        step = self._state.step
        state = PageState(
            step=None,
            page=self._state.page + 1,
            linked=self._state.linked or link is not None,
            received=self._state.received + items,
            empty=0 if items else self._state.empty + 1,
            total=max((one for one in (self._state.total, total) if one is not None), default=None),
            marks=len(self._seen) + len(marks),
        )
        if link and not (state.is_complete and fingerprint(link) == marks[0]):  # some last pages link to themselves
            if fingerprint(link) in marks or fingerprint(link) in self._seen:
                message = f"{self._name}: the next link on page {self._state.page} leads back to an earlier page."
                raise PagingError(message, page=self._state.page, link=link.partition("?")[0])
            if state.empty > MOST_EMPTY_PAGES:
                raise PagingError(f"{self._name}: {state.empty} empty pages in a row, each with a next link.")
            return evolve(state, step=link)
        more = total is not None and state.received < total
        unknown = state.is_of_unknown_length and self._numbering.get(self._name) is not False
        if items and (more or unknown) and isinstance(step, int) and self._operation.has_page:
            return evolve(state, step=step + 1)
        if state.total is not None and state.received < state.total:
            message = f"{self._name}: the pages ended after {state.received} of {state.total} items."
            raise IncompleteError(message, received=state.received, expected=state.total)
        return state

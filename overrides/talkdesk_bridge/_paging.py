"""Paging: fetches page after page, and finds which request comes next and when the pages end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from attrs import evolve
from talkdesk_bridge_api.places import member
from talkdesk_bridge_api.types import ListOperation

from talkdesk_bridge._caller import Caller
from talkdesk_bridge._links import NextLinks, next_href
from talkdesk_bridge._progress import PageState, Progress, Repeats, fingerprint, identities_of, mark_of, read_position
from talkdesk_bridge._response import Response, announced_total, report
from talkdesk_bridge._settings import Deviation
from talkdesk_bridge.errors import ArgumentError, BridgeError, ContractError, IncompleteError, PagingError, StatusError

# A bridge that filters may send some empty pages. More in a row than this raise PagingError.
MOST_EMPTY_PAGES = 10
COUNTS_PAGES = -1
Restart = Callable[[], object]


class Pages:
    """The pages of a list, within the caller's limits. `_items` makes iterators of it.

    After an error, iterating again repeats the failed request, so no item is skipped. If the next page cannot be
    requested, the same PagingError is raised each time.
    """

    def __init__(
        self,
        caller: Caller,
        operation: ListOperation[Any, Any],
        arguments: dict[str, Any],
        start: Mapping[str, Any] | None,
        max_pages: int | None,
        max_items: int | None,
    ) -> None:
        for name, value in (("max_pages", max_pages), ("max_items", max_items)):
            if value is not None and (not isinstance(value, int) or value < 0):
                raise ArgumentError(f"{name} must be None or an integer of at least 0.")
        self._caller, self._operation, self._arguments = caller, operation, arguments
        self._name, self._shape = operation.operation_id, operation.shape
        self._numbering = caller.numbering
        # The same for lists whose full pages have the same number of items.
        self._paged_like = f"{self._name} {arguments.get(str(self._shape.size))}"
        self._links: NextLinks | None = None
        given = sorted(f"{name}: {value}" for name, value in arguments.items() if value is not None)
        # Becomes a part of positions.
        self._call = {"bridge": caller.http.base_url, "operation": self._name, "arguments": given}
        state, seen = (PageState(), []) if start is None else read_position(start, self._call)
        self._at = Progress(state, state, dict.fromkeys(seen, 0))
        # The number of the first page beyond the limit, and of the first item in the list, from 0.
        self._page_limit = sys.maxsize if max_pages is None else state.page + max_pages
        self._item_limit = sys.maxsize if max_items is None else state.received + state.skip + max_items
        self._restart: Restart | None = None
        # The thread or task that is using the iterator. It may go on even if an exception kept this from being cleared.
        self._users: dict[str, object] = {}

    async def _fetch(self, *, whole: bool) -> bool:
        at = self._at
        if at.state.page >= self._page_limit or at.state.received + at.state.skip >= self._item_limit:
            return False
        if at.error:
            raise at.error
        if at.state.step is None:
            return False
        try:
            await self._check_numbering()
            if at.is_identified and not at.state.is_of_unknown_length:
                # The JSON takes so much memory that keeping it would slow the next page by a tenth.
                at = self._at = evolve(at, sent=at.sent[-1:], end=1, response=None)
            response = await self._request(at.state)
            is_end = await self._is_repeated(response)
        except BridgeError as error:
            if not (is_end := self._ends_with(error)):
                raise
        if is_end:
            self._at = evolve(at, state=evolve(at.state, step=None))
        else:
            self._take(response, whole=whole)
        return not is_end

    def _check_repeats(self) -> None:
        """At the end of a list that may be read again: accept repeated identities that were the same each time.

        Raises:
            PagingError: they were not, so the list changed while it was read.

        """
        *before, repeats = self._at.readings
        if not repeats:
            return
        if repeats not in before[-1:]:
            raise self._repeat_error(repeats)
        self._report_repeats(len(repeats))
        self._at = evolve(self._at, readings=({},))

    async def _request(self, state: PageState) -> Response[Any]:
        """Request the page that comes next in this state."""
        if state.page == 1 or state.step:
            return await self._caller.exchange(self._operation, self._arguments, state.step or "")
        return await self._counted(state.received if self._shape.by_items else state.page - 1)

    async def _counted(self, before: int) -> Response[Any]:
        """Request the page that begins after this many pages or items."""
        arguments = self._arguments | {str(self._shape.begin): self._shape.first + before}
        return await self._caller.exchange(self._operation, arguments)

    async def _check_numbering(self) -> None:
        """Before page 2 of a list of unknown length: check what the bridge counts, until a page 2 has shown it.

        Raises:
            PagingError: the first page has another number than in the contract, or the last item another offset.

        """
        at, state, shape = self._at, self._at.state, self._shape
        if not state.is_of_unknown_length or state.page != 2 or self._numbering.get(self._paged_like) == COUNTS_PAGES:
            return
        sent = self._sent_in(await self._counted(state.received + state.skip - 1 if shape.by_items else 0))
        is_right = mark_of(sent) == at.latest  # also if the bridge ignores the argument
        if shape.by_items and sent:
            is_right |= fingerprint(sent[0]) == (fingerprint(at.sent[-1]) if at.sent else state.last)
        if not is_right:
            changed = any(item in at.sent for item in sent)
            if shape.by_items:  # items that are counted from another number look the same as a list that changed
                first = await self._caller.exchange(self._operation, self._arguments)
                changed = mark_of(self._sent_in(first)) != at.latest
            what = f"items in `{shape.begin}`" if shape.by_items else "pages"
            fault = f"this bridge does not count {what} from {shape.first}. Ask its operator for a total or next links"
            fault = "the first page changed. Start from the beginning" if changed else fault
            raise PagingError(f"{self._name}: {fault}.", page=1, changed=changed)

    async def _is_repeated(self, response: Response[Any]) -> bool:
        """Whether the list has ended, because the bridge ignores page numbers or repeats its last page.

        A list that shifted by one page looks the same, so the page before is requested once more.
        """
        state = self._at.state
        if not (state.is_complete or state.is_of_unknown_length):
            return False
        sent, before = self._sent_in(response), self._at.latest
        if not sent or mark_of(sent) != before:
            if state.is_of_unknown_length and state.received > 1:  # offset 1 may be item 1 or page 1
                self._numbering[self._paged_like] = COUNTS_PAGES
            return False
        if state.is_of_unknown_length:
            again = await self._counted(state.received - len(sent) if self._shape.by_items else state.page - 2)
            if mark_of(self._sent_in(again)) != before:
                return False  # `_take` raises the error
            # Bridges that repeat their last page count pages, too: a longer page may be one of several.
            if state.page == 2 and self._numbering.get(self._paged_like) != COUNTS_PAGES:
                self._numbering[self._paged_like] = len(sent)
        return True

    def _sent_in(self, response: Response[Any]) -> list[Any]:
        """The items of a page as JSON."""
        return self._shape.found(response.data) or []

    def _ends_with(self, error: BridgeError) -> bool:
        """Whether an error ends the list: there is no next page, and none is missing.

        Raises:
            PagingError: the page does not exist, but items are missing or the total is unknown.

        """
        state = self._at.state
        if state.page == 1:
            return False
        if not isinstance(error, StatusError) or error.status_code not in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            error.args = (f"{error} This was page {state.page} of the list.",)
            return False
        if state.is_of_unknown_length or state.is_complete:
            return True
        message = f"{self._name}: page {state.page} of the list does not exist ({error.status_code})."
        remedy = "The bridge's next link, or its total, is wrong. Ask its operator, or try the other kind of `paging`."
        raise PagingError(f"{message} {remedy}", page=state.page, changed=True) from error

    def _next_link(self, response: Response[Any]) -> str | None:
        """The URL of the next page that a page links to; None if it has no link, or pages are read by number."""
        by_number = self._caller.settings.paging == "numbers" and self._shape.begin
        place = {"page": self._at.state.page, "requested": response.url.partition("?")[0]}
        if by_number or not (href := next_href(self._name, response.data, **place)):
            return None
        if self._links is None:
            first = self._caller.request(self._operation, self._arguments).extensions["url"]
            self._links = NextLinks(self._caller, self._operation, self._arguments, first)
        return self._links.url(href, response.url, self._at.state.page)

    def _take(self, response: Response[Any], *, whole: bool) -> None:
        at, page = self._at, self._at.state.page
        items = self._operation.items(response.body) or []
        sent = self._sent_in(response)
        identities = identities_of(sent, self._operation.identity) if self._operation.identity else []
        repeats, mark = at.repeats(identities), mark_of(sent)
        if at.is_repeated(sent, mark, repeats):
            reason = "the bridge repeats pages, or the list changed while it was read. Start from the beginning"
            message = f"{self._name}: a page has items of an earlier page: {reason}."
            raise PagingError(message, page=page, changed=True)
        self._note_repeats(repeats)
        total = announced_total(self._operation, response)
        state, error = at.state.after(len(items), total, linked=False), None
        try:
            link = self._next_link(response)
            state = at.state.after(len(items), total, linked=link is not None)
            state = evolve(state, step=self._step(state, len(items), total, link, response.url))
            self._report_totals(state, len(items))
        except (PagingError, ContractError) as caught:
            error = caught  # raised after the items of this page
        # All else changes here, at once: if a hook of the caller raised, this page comes next again.
        for one in (fingerprint(response.url), *([mark] if mark else [])):
            at.seen.setdefault(one, page)
        for value in filter(None, identities):
            at.page_of.setdefault(value, page)
        skip = at.state.skip
        wanted = items[skip : self._item_limit - at.state.received]
        self._at = evolve(
            at,
            state=state,
            before=at.state,
            sent=sent,
            is_identified=bool(identities) and all(identities),
            end=len(items) if whole else skip + len(wanted),
            rest=iter(() if whole else wanted),
            bodies=[response.body] if whole else [],
            response=response,
            error=error,
        )

    def _note_repeats(self, repeats: Repeats) -> None:
        """Handle identities of earlier pages in the next page.

        Raises:
            PagingError: the list is not read again, so another item may be missing.

        """
        if repeats and self._caller.settings.on_repeat == "deviation":
            self._report_repeats(len(repeats))
        elif repeats and not self._restart:
            raise self._repeat_error(repeats)
        else:
            self._at.readings[-1].update(repeats)

    def _repeat_error(self, repeats: Repeats) -> PagingError:
        (page, _), value = next(iter(repeats.items()))
        found = f"page {page} has an item of page {self._at.page_of[value]}, by its {self._operation.identity}"
        remedy = 'Start from the beginning, or use on_repeat="deviation" if the bridge repeats its values'
        return PagingError(f"{self._name}: {found}: the list changed. {remedy}.", page=page, changed=True)

    def _report_repeats(self, count: int) -> None:
        place = f"{self._shape.path}[*]{member(self._operation.identity or '')}"
        report(self._caller.settings, Deviation(self._name, place, "unique value", "value of an earlier page", count))

    def _report_totals(self, state: PageState, items: int) -> None:
        """Report a total that is too small, or missing although the contract declares it."""
        fault = None
        if state.step is None and state.total is not None and state.received > state.total:
            fault = ("number of all items", "smaller number")
        if items and state.page == 2 and state.is_of_unknown_length and self._shape.total:
            fault = ("number of all items, or a next link", "nothing")
        if fault:
            report(self._caller.settings, Deviation(self._name, self._shape.total_path, *fault, 1))

    def _step(self, state: PageState, items: int, total: int | None, link: str | None, url: str) -> str | None:
        """The next request after a page with `items` items, this total and this next link; see PageState.step.

        If the page has a next link, that comes next. Otherwise the next page number does, if the operation has page
        numbers and `total` says that there are more items, or nothing says how many there are. Otherwise this was the
        last page.

        Raises:
            PagingError: the next link leads back, or there are too many empty pages.
            IncompleteError: this was the last page, and items are missing.

        """
        before, seen = self._at.state, self._at.seen
        if link and not (state.is_complete and link == url):  # some last pages link to themselves
            if link == url or seen.get(fingerprint(link), before.page) < before.page:
                message = f"{self._name}: the next link on page {before.page} leads back to an earlier page."
                link, url = link.partition("?")[0], url.partition("?")[0]
                raise PagingError(message, page=before.page, link=link, requested=url)
            if state.empty > MOST_EMPTY_PAGES:
                message = f"{self._name}: {state.empty} empty pages in a row, each with a next link."
                raise PagingError(message, page=before.page)
            return link
        more = total is not None and state.received < total
        unknown = state.is_of_unknown_length and items >= self._numbering.get(self._paged_like, 0)
        if items and (more or unknown) and before.step == "" and self._shape.begin:
            return ""
        if state.total is not None and state.received < state.total:
            message = f"{self._name}: the pages ended after {state.received} of {state.total} items."
            changed = total is not None and any(one not in (None, total) for one in (before.total, state.total))
            raise IncompleteError(message, received=state.received, expected=state.total, changed=changed)
        return None

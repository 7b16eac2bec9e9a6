"""From page to page: which request comes next, when the pages end, and the iterators over them."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any, Generic, Self, TypeVar
from urllib.parse import urljoin

from talkdesk_bridge_api.types import ListOperation

from talkdesk_bridge._answer import Reply
from talkdesk_bridge.errors import ArgumentError, ContractError, IncompleteError, PagingError

__all__ = ["AsyncItemIterator", "ItemIterator", "Step"]

BodyT = TypeVar("BodyT")
ItemT = TypeVar("ItemT")

Step = dict[str, Any] | str
"""A request of an operation: its arguments, or the link that the page before gave."""

# An empty page may come before a full one where the bridge filters; so many in a row are a fault.
MOST_EMPTY_PAGES = 10


def walk(
    operation: ListOperation[Any, Any], arguments: dict[str, Any]
) -> Generator[Step, tuple[Reply[Any], int], None]:
    """Yields each request, takes its reply and the number of its items, and returns after the last page.

    A page's `_links.next` leads on. Where no page has one, page numbers do, as long as the operation has them and
    `total` says that more exist. Else there is one page.
    """
    step: Step = arguments
    seen: set[str] = set()
    totals: set[int | None] = set()
    received = empty = 0
    number = 1
    previous: object = None
    while True:
        reply, items = yield step
        received += items
        empty = 0 if items else empty + 1
        totals.add(total := _total(reply))
        name = reply.answer.request
        seen.add(reply.answer.url)
        if link := _next_link(reply):
            if link in seen:
                raise PagingError(f"{name}: the next link leads back to a page that was read already.")
            if empty > MOST_EMPTY_PAGES:
                raise PagingError(f"{name}: {empty} empty pages in a row, each with a next link.")
            step = link
        elif not isinstance(step, str) and items and operation.has_page and total is not None and received < total:
            if (content := reply.answer.data["_embedded"]) == previous:
                raise PagingError(f"{name}: page {number} repeats page {number - 1}; the bridge may not know `page`.")
            previous = content
            number += 1
            step = {**arguments, "page": number}
        else:
            expected = min((total for total in totals if total is not None), default=0)
            if received < expected:
                message = f"{name}: the pages ended after {received} of {expected} items."
                raise IncompleteError(message, received=received, expected=expected)
            return


def _items(operation: ListOperation[BodyT, ItemT], reply: Reply[BodyT]) -> list[ItemT]:
    """The items of a page; an answer that only looks like an empty page is refused."""
    data, wanted = reply.answer.data, f"`_embedded.{operation.list_name}`"
    embedded = data.get("_embedded") if isinstance(data, dict) else None
    items = embedded.get(operation.list_name) if isinstance(embedded, dict) else None
    if isinstance(items, list):
        return operation.items(reply.body) or []
    # Null, or nothing at all where the total says so; anything else could be an error that was sent with status 200.
    nothing = isinstance(data, dict) and isinstance(embedded, dict | None) and items is None
    if nothing and (operation.list_name in (embedded or {}) or _total(reply) == 0):
        return []
    raise ContractError(f"{reply.answer.request} answered {reply.answer.status_code} without a list at {wanted}.")


def _total(reply: Reply[Any]) -> int | None:
    total = reply.answer.data.get("total")
    if isinstance(total, str) and total.isascii() and total.isdecimal():
        return int(total)
    if isinstance(total, int | float) and not isinstance(total, bool) and total == total // 1:
        return int(total)
    if total is not None:
        raise ContractError(
            f"{reply.answer.request} answered {reply.answer.status_code} with a total that is no integer."
        )
    return None


def _next_link(reply: Reply[Any]) -> str | None:
    """The absolute URL of `_links.next` of a page; None where the page has none.

    Raises:
        PagingError: there is one that cannot be followed.

    """
    links = reply.answer.data.get("_links")
    if not isinstance(links, dict | None):
        raise PagingError(f"{reply.answer.request}: `_links` is not an object, so the next link cannot be read.")
    link = (links or {}).get("next")
    if link is None:
        return None
    href = link.get("href") if isinstance(link, dict) else None
    if not isinstance(href, str) or not href:
        raise PagingError(f"{reply.answer.request}: the next link has no href.")
    if "{" in href:
        raise PagingError(f"{reply.answer.request}: the next link is a template, which cannot be followed.")
    try:
        return urljoin(reply.answer.url, href)
    except ValueError:
        raise PagingError(f"{reply.answer.request}: the next link is not a URL.") from None


class _Pages(Generic[BodyT, ItemT]):
    """What both iterators do alike: which request is next, and taking a page within the caller's limits.

    A request that failed is the next one again, so that going on after an error skips nothing.
    """

    def __init__(
        self,
        operation: ListOperation[BodyT, ItemT],
        arguments: dict[str, Any],
        max_pages: int | None,
        max_items: int | None,
    ) -> None:
        for name, value in (("max_pages", max_pages), ("max_items", max_items)):
            if value is not None and (not isinstance(value, int) or value < 0):
                raise ArgumentError(f"{name} must be None or an integer of at least 0.")
        self._operation = operation
        self._walk = walk(operation, arguments)
        self._step: Step | None = next(self._walk)
        self._taken: tuple[Reply[BodyT], int] | None = None
        self._error: PagingError | None = None
        self._items: deque[ItemT] = deque()
        self._pages_left = max_pages
        self._items_left = max_items

    def _next_step(self) -> Step | None:
        """The request to send; None after the last page, or at the caller's limit."""
        if self._pages_left == 0 or self._items_left == 0:
            return None
        if self._taken and not self._error:
            try:
                self._step = self._walk.send(self._taken)
            except StopIteration:
                self._step = None
            except PagingError as error:
                self._error = error
            self._taken = None
        if self._error:
            raise self._error
        return self._step

    def _take(self, reply: Reply[BodyT]) -> BodyT:
        """The body of a page, whose items, as far as they are wanted, wait in `_items`."""
        items = _items(self._operation, reply)
        _total(reply)  # refused before an item is given, if it cannot be read
        self._taken = (reply, len(items))
        wanted = items if self._items_left is None else items[: self._items_left]
        self._items.extend(wanted)
        self._pages_left = None if self._pages_left is None else self._pages_left - 1
        self._items_left = None if self._items_left is None else self._items_left - len(wanted)
        return reply.body


class ItemIterator(_Pages[BodyT, ItemT]):
    """The items of all pages; a page is fetched when its first item is asked for. It can be gone through once.

    Raises, while iterating, what talkdesk_bridge.errors names; IncompleteError where items are missing.
    """

    def __init__(self, send: Callable[[Step], Reply[BodyT]], *arguments: Any) -> None:
        super().__init__(*arguments)
        self._send = send

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ItemT:
        while not self._items:
            if self._page() is None:
                raise StopIteration
        return self._items.popleft()

    def pages(self) -> Iterator[BodyT]:
        """The bodies of the pages instead of their items, from the next page on."""
        return iter(self._body, None)

    def _page(self) -> BodyT | None:
        step = self._next_step()
        return None if step is None else self._take(self._send(step))

    def _body(self) -> BodyT | None:
        self._items.clear()
        return self._page()


class AsyncItemIterator(_Pages[BodyT, ItemT]):
    """The items of all pages; a page is fetched when its first item is asked for. It can be gone through once.

    Raises, while iterating, what talkdesk_bridge.errors names; IncompleteError where items are missing.
    """

    def __init__(self, send: Callable[[Step], Awaitable[Reply[BodyT]]], *arguments: Any) -> None:
        super().__init__(*arguments)
        self._send = send

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ItemT:
        while not self._items:
            if await self._page() is None:
                raise StopAsyncIteration
        return self._items.popleft()

    def pages(self) -> AsyncIterator[BodyT]:
        """The bodies of the pages instead of their items, from the next page on."""
        return _Bodies(self._body)

    async def _page(self) -> BodyT | None:
        step = self._next_step()
        return None if step is None else self._take(await self._send(step))

    async def _body(self) -> BodyT | None:
        self._items.clear()
        return await self._page()


class _Bodies(AsyncIterator[BodyT]):
    """What `iter(function, None)` is to a blocking function."""

    def __init__(self, function: Callable[[], Awaitable[BodyT | None]]) -> None:
        self._function = function

    async def __anext__(self) -> BodyT:
        if (body := await self._function()) is None:
            raise StopAsyncIteration
        return body

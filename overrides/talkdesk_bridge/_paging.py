"""From page to page: which request comes next, when the pages end, and the iterators over them."""

from __future__ import annotations

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
    previous = b""
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
            if reply.answer.content == previous:
                raise PagingError(f"{name}: page {number} repeats page {number - 1}; the bridge may not know `page`.")
            previous = reply.answer.content
            number += 1
            step = {**arguments, "page": number}
        else:
            if len(totals) == 1 and total is not None and received < total:
                message = f"{name}: the pages ended after {received} of {total} items."
                raise IncompleteError(message, received=received, expected=total)
            return


def _items(operation: ListOperation[BodyT, ItemT], reply: Reply[BodyT]) -> list[ItemT]:
    """The items of a page; an answer that only looks like an empty page is refused."""
    data, wanted = reply.answer.data, f"`_embedded.{operation.list_name}`"
    embedded = data.get("_embedded") if isinstance(data, dict) else None
    items = embedded.get(operation.list_name) if isinstance(embedded, dict) else None
    if isinstance(items, list) or (items is None and isinstance(embedded, dict)):
        return operation.items(reply.body) or []
    if embedded is None and isinstance(data, dict) and data.get("total") == 0:
        return []
    raise ContractError(f"{reply.answer.request} answered {reply.answer.status_code} without a list at {wanted}.")


def _total(reply: Reply[Any]) -> int | None:
    total = reply.answer.data.get("total")
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def _next_link(reply: Reply[Any]) -> str | None:
    """The absolute URL of `_links.next` of a page; None where the page has none.

    Raises:
        PagingError: there is one that cannot be followed.

    """
    links = reply.answer.data.get("_links")
    link = links.get("next") if isinstance(links, dict) else None
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
    """What both iterators do alike: the caller's limits, and taking a page."""

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
        self._pages_left = max_pages
        self._items_left = max_items

    def _wanted(self) -> bool:
        return self._pages_left != 0 and self._items_left != 0

    def _take(self, reply: Reply[BodyT]) -> tuple[list[ItemT], int]:
        """The items of a page that the caller wants, and how many it has."""
        items = _items(self._operation, reply)
        wanted = items if self._items_left is None else items[: self._items_left]
        self._pages_left = None if self._pages_left is None else self._pages_left - 1
        self._items_left = None if self._items_left is None else self._items_left - len(wanted)
        return wanted, len(items)


class ItemIterator(_Pages[BodyT, ItemT]):
    """The items of all pages; a page is fetched when its first item is asked for. It can be gone through once.

    Raises, while iterating, what talkdesk_bridge.errors names; IncompleteError where items are missing.
    """

    def __init__(self, send: Callable[[Step], Reply[BodyT]], *arguments: Any) -> None:
        super().__init__(*arguments)
        self._taken = self._take_all(send)
        self._items = (item for _, items in self._taken for item in items)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ItemT:
        return next(self._items)

    def pages(self) -> Iterator[BodyT]:
        """The bodies of the pages instead of their items, from the next page on."""
        return (body for body, _ in self._taken)

    def _take_all(self, send: Callable[[Step], Reply[BodyT]]) -> Iterator[tuple[BodyT, list[ItemT]]]:
        step = next(self._walk)
        while self._wanted():
            reply = send(step)
            items, count = self._take(reply)
            yield reply.body, items
            try:
                step = self._walk.send((reply, count))
            except StopIteration:
                return


class AsyncItemIterator(_Pages[BodyT, ItemT]):
    """The items of all pages; a page is fetched when its first item is asked for. It can be gone through once.

    Raises, while iterating, what talkdesk_bridge.errors names; IncompleteError where items are missing.
    """

    def __init__(self, send: Callable[[Step], Awaitable[Reply[BodyT]]], *arguments: Any) -> None:
        super().__init__(*arguments)
        self._taken = self._take_all(send)
        self._items = (item async for _, items in self._taken for item in items)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ItemT:
        return await anext(self._items)

    def pages(self) -> AsyncIterator[BodyT]:
        """The bodies of the pages instead of their items, from the next page on."""
        return (body async for body, _ in self._taken)

    async def _take_all(
        self, send: Callable[[Step], Awaitable[Reply[BodyT]]]
    ) -> AsyncIterator[tuple[BodyT, list[ItemT]]]:
        step = next(self._walk)
        while self._wanted():
            reply = await send(step)
            items, count = self._take(reply)
            yield reply.body, items
            try:
                step = self._walk.send((reply, count))
            except StopIteration:
                return

"""The iterators over the items of all pages, blocking and asynchronous."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Self

from talkdesk_bridge._paging import Pages
from talkdesk_bridge._run import run


class ItemIterator(Pages):
    """The items of all pages; a page is fetched when its first item is asked for. It can be gone through once.

    Raises, while iterating, what talkdesk_bridge.errors names; IncompleteError where items are missing.
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        for item in self._rest:
            return item
        while run(self._next_page()) is not None:
            for item in self._rest:
                return item
        raise StopIteration

    def pages(self) -> Iterator[Any]:
        """The bodies of the pages instead of their items, from the next page on; each is whole, also after `start`."""
        return iter(lambda: run(self._next_page(whole=True)), None)


class AsyncItemIterator(Pages):
    """The items of all pages; a page is fetched when its first item is asked for. It can be gone through once.

    Raises, while iterating, what talkdesk_bridge.errors names; IncompleteError where items are missing.
    """

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        for item in self._rest:
            return item
        while await self._next_page() is not None:
            for item in self._rest:
                return item
        raise StopAsyncIteration

    def pages(self) -> AsyncIterator[Any]:
        """The bodies of the pages instead of their items, from the next page on; each is whole, also after `start`."""
        return _Bodies(lambda: self._next_page(whole=True))


class _Bodies(AsyncIterator[Any]):
    """What `iter(function, None)` is to a blocking function; unlike a generator, it goes on after an error."""

    def __init__(self, function: Callable[[], Awaitable[Any]]) -> None:
        self._function = function

    async def __anext__(self) -> Any:
        if (body := await self._function()) is None:
            raise StopAsyncIteration
        return body

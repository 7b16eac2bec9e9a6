"""The iterators over the items of all pages, blocking and asynchronous."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Self

from talkdesk_bridge._paging import Pages
from talkdesk_bridge._run import run


class ItemIterator(Pages):
    """Iterates once over the items of all pages; a page is fetched when its first item is requested.

    Raises, while iterating, the errors of talkdesk_bridge.errors; IncompleteError if items are missing.
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        while True:
            for item in self._rest:
                return item
            if run(self._next_page()) is None:
                raise StopIteration

    def pages(self) -> Iterator[Any]:
        """The bodies of the pages instead of items: complete pages, beginning with the next one, even after `start`."""
        return iter(lambda: run(self._next_page(whole=True)), None)


class AsyncItemIterator(Pages):
    """As ItemIterator, but asynchronous."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        while True:
            for item in self._rest:
                return item
            if await self._next_page() is None:
                raise StopAsyncIteration

    def pages(self) -> AsyncIterator[Any]:
        """As ItemIterator.pages."""
        return _Bodies(lambda: self._next_page(whole=True))


class _Bodies(AsyncIterator[Any]):
    """Like `iter(function, None)` for a coroutine function; unlike a generator, it can continue after an error."""

    def __init__(self, function: Callable[[], Awaitable[Any]]) -> None:
        self._function = function

    async def __anext__(self) -> Any:
        if (body := await self._function()) is None:
            raise StopAsyncIteration
        return body

"""The iterators over the items of all pages, blocking and asynchronous, and their positions."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from inspect import isawaitable
from operator import length_hint
from typing import Any, Self

from attrs import asdict, evolve

from talkdesk_bridge._paging import Pages, Restart
from talkdesk_bridge._progress import Progress, fingerprint
from talkdesk_bridge._received import LOG
from talkdesk_bridge._response import Response
from talkdesk_bridge._run import run, task
from talkdesk_bridge.errors import ArgumentError, ContractError, PagingError

MOST_READINGS = 3
"""How often a list that changes while it is read is read from the start, at most."""
IN_USE = "This iterator is already in use by another thread or task."


class Iteration(Pages):
    """What both iterators share: one user at a time, the position, and reading a list again that changed."""

    _user: Callable[[], object]
    """Returns the thread or task that is using the iterator."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._name}: {self._at.state.received} items received>"

    @property
    def response(self) -> Response[Any] | None:
        """The response with the latest page; None before the first, and after a request that brought no other page."""
        return self._at.response

    @property
    def position(self) -> dict[str, Any]:
        """Where this iterator is, as JSON data: pass it as `start` to the same call to continue there.

        It contains the bridge, the operation and its arguments, but no credential. Items that were handed over do not
        come again; if the page has changed so that they cannot be recognised, continuing raises PagingError.

        Raises:
            PagingError: the list has items of an earlier page, and is to be read again.

        """
        at, state = self._at, self._at.state
        if repeats := at.readings[-1]:
            raise self._repeat_error(repeats)
        # In the middle of a page, the page is requested again, and the items that were handed over are skipped.
        handed_over = at.before.skip if at.bodies else at.end - length_hint(at.rest)
        if handed_over != len(at.sent) or at.bodies or at.error:
            state = evolve(at.before, skip=handed_over)
        last = fingerprint(at.sent[handed_over - 1]) if at.sent and handed_over else state.last
        seen = [mark for mark, page in at.seen.items() if page < state.page]
        return {**self._call, **asdict(evolve(state, last=last)), "seen": seen}

    def _usable(self, restart: Restart | None) -> Restart | None:
        """The same, unless items were handed over before that it does not discard."""
        return None if self._at.seen or self._at.state.skip else restart

    async def _all_items(self) -> list[Any]:
        """The remaining items; a list that changes while it is read is read again."""
        found: list[Any] = []
        restart = self._usable(found.clear)
        while await self._next_page(restart):
            found += self._at.rest
        return found

    def _body(self) -> Any:
        try:
            return self._at.bodies.pop()
        except IndexError:
            raise ArgumentError(IN_USE) from None

    async def _next_page(self, restart: Restart | None = None, *, whole: bool = False) -> bool:
        """Fetch the next page for the items in `rest` or, with `whole`, for `bodies`; False if there is none.

        A list that changes while it is read is read from the start; `restart` is called before, to discard items.
        """
        user = self._user()
        if self._users.setdefault("", user) != user:  # otherwise callers would get each other's items
            raise ArgumentError(IN_USE)
        try:
            # Another thread may have fetched it, or an exception may have kept it from being handed over.
            if self._at.bodies if whole else length_hint(self._at.rest):
                return True
            self._restart = restart
            if whole:
                self._at = evolve(self._at, rest=iter(()))
            while True:
                try:
                    if await self._fetch(whole=whole):
                        return True
                    self._check_repeats()
                    return False
                except PagingError as error:
                    if not await self._begins_again(error):
                        raise
        except RecursionError:
            raise ContractError(f"{self._name}: an item is nested too deep.") from None
        finally:
            self._users.clear()

    async def _begins_again(self, error: PagingError) -> bool:
        """Read the list from the start if it changed, unless that was done too often."""
        readings = self._at.readings
        if not (error.changed and self._restart and len(readings) < MOST_READINGS):
            return False
        LOG.info("%s: the list changed while it was read; it is read again.", self._name)
        if isawaitable(discarded := self._restart()):
            await discarded
        self._at = Progress(readings=(*readings, {}))
        return True


class ItemIterator(Iteration):
    """Iterates once over the items of all pages; a page is fetched when its first item is requested.

    Raises, while iterating, the errors of talkdesk_bridge.errors; IncompleteError if items are missing.
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        while True:
            try:
                return next(self._at.rest)
            except StopIteration:
                pass  # the next page is fetched below, so that errors do not have this one as their context
            if not run(self._next_page()):
                raise StopIteration

    def pages(self, *, restart: Restart | None = None) -> Iterator[Any]:
        """The bodies of the pages instead of items: complete pages, beginning with the next one, even after `start`.

        Args:
            restart: Called if the list changed while it was read, instead of raising PagingError: discard the pages so
                far; the list is read from the start, twice at most. It has no effect after `start`, or if a page was
                fetched before.

        """
        restart = self._usable(restart)
        return iter(lambda: self._body() if run(self._next_page(restart, whole=True)) else None, None)

    _user = staticmethod(threading.get_ident)


class AsyncItemIterator(Iteration):
    """As ItemIterator, but asynchronous."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        while True:
            try:
                return next(self._at.rest)
            except StopIteration:
                pass
            if not await self._next_page():
                raise StopAsyncIteration

    def pages(self, *, restart: Restart | None = None) -> AsyncIterator[Any]:
        """As ItemIterator.pages; `restart` may return an awaitable."""
        return _Bodies(self, self._usable(restart))

    _user = staticmethod(task)


class _Bodies(AsyncIterator[Any]):
    """The bodies of the pages; unlike a generator, this can continue after an error."""

    def __init__(self, items: AsyncItemIterator, restart: Restart | None) -> None:
        self._items, self._restart = items, restart

    async def __anext__(self) -> Any:
        if not await self._items._next_page(self._restart, whole=True):
            raise StopAsyncIteration
        return self._items._body()

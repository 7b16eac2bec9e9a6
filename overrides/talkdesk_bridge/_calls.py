"""What the methods of operations call: one request, or an iterator over the items of all pages."""

from __future__ import annotations

from typing import Any, TypeVar

from talkdesk_bridge_api.types import ListOperation, Operation

from talkdesk_bridge._caller import Caller
from talkdesk_bridge._http import AsyncHttp, Http
from talkdesk_bridge._items import AsyncItemIterator, ItemIterator
from talkdesk_bridge._run import run
from talkdesk_bridge._settings import Settings

BodyT = TypeVar("BodyT")


class BlockingCaller(Caller):
    """Blocks; any number of threads may share it."""

    http: Http

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, Http(settings))

    def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """The body of the response to one request; raises as `exchange`."""
        return run(self.exchange(operation, arguments)).body

    def paginate(self, operation: ListOperation[Any, Any], arguments: dict[str, Any], **limits: Any) -> ItemIterator:
        """An iterator over the items of all pages; the first page is requested when the first item is."""
        return ItemIterator(self, operation, arguments, **limits)


class AsyncCaller(Caller):
    """Awaits; any number of tasks of one event loop may share it."""

    http: AsyncHttp

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, AsyncHttp(settings))

    async def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """The body of the response to one request; raises as `exchange`."""
        return (await self.exchange(operation, arguments)).body

    def paginate(
        self, operation: ListOperation[Any, Any], arguments: dict[str, Any], **limits: Any
    ) -> AsyncItemIterator:
        """An iterator over the items of all pages; the first page is requested when the first item is."""
        return AsyncItemIterator(self, operation, arguments, **limits)

"""Many accounts: a call for each of them, a bounded number at a time, and the results as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from inspect import isawaitable
from typing import Any, TypeVar

from talkdesk_bridge._transport import together
from talkdesk_bridge.errors import BridgeError

__all__ = ["each"]

GivenT = TypeVar("GivenT")


async def each(
    function: Callable[[GivenT], Awaitable[Any] | AsyncIterable[Any]], given: Iterable[GivenT], at_once: int
) -> AsyncGenerator[tuple[GivenT, Any]]:
    """See AsyncBridgeClient.each."""
    left = iter(given)
    # So small that whoever takes no results gets no more requests sent.
    results: asyncio.Queue[tuple[GivenT, Any] | BaseException | None] = asyncio.Queue(1)

    async def work() -> None:
        for one in left:
            try:
                result = await _result(function(one))
            except BridgeError as error:
                result = error
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task and task.cancelling():
                    raise
                # By the function itself, which would end this task without a word.
                raise RuntimeError(f"The call for {one!r} was cancelled.") from None
            await results.put((one, result))

    async def work_all() -> None:
        failure: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(work())
        except BaseExceptionGroup as failures:
            failure = failures.exceptions[0]
        await results.put(failure)

    working = asyncio.create_task(work_all(), context=together())
    try:
        while (result := await results.get()) is not None:
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _result(outcome: Awaitable[Any] | AsyncIterable[Any]) -> Any:
    if isawaitable(outcome):
        return await outcome
    return [item async for item in outcome]

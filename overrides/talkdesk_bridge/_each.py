"""Many accounts: a call for each of them, a bounded number at a time, and the results as they come."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable, Iterator
from inspect import isawaitable
from itertools import islice
from typing import Any, TypeVar

from talkdesk_bridge._caller import AsyncCaller, BlockingCaller
from talkdesk_bridge._settings import MOST_AT_ONCE
from talkdesk_bridge.errors import ArgumentError, BridgeError

GivenT = TypeVar("GivenT")

LONGEST_GOODBYE = 1.0
"""Seconds to wait for threads whose requests were ended."""

END = object()


def check(given: Any, at_once: Any) -> None:
    """Refuse arguments of `each`.

    Raises:
        ArgumentError: one cannot be used.

    """
    if isinstance(given, str):
        raise ArgumentError("given must be many accounts, not the text of one.")
    if not isinstance(at_once, int) or not 1 <= at_once <= MOST_AT_ONCE:
        raise ArgumentError(f"at_once must be an integer from 1 to {MOST_AT_ONCE}.")


def each_blocking(
    caller: BlockingCaller, function: Callable[[GivenT], Any], given: Iterable[GivenT], at_once: int
) -> Generator[tuple[GivenT, Any]]:
    """See BridgeClient.each."""
    left, running = iter(given), 0
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    results: queue.SimpleQueue[tuple[GivenT, Any, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        while (one := tasks.get()) is not END:
            results.put((one, *_outcome(function, one)))

    # Daemons: one that still looks up a name does not hold the end of the process.
    threads = [threading.Thread(target=work, daemon=True) for _ in range(at_once)]
    with caller.gate.sharing():
        try:
            for thread, one in zip(threads, islice(left, at_once), strict=False):
                tasks.put(one)
                running += 1
                thread.start()
            while running:
                one, result, failure = results.get()
                if failure:
                    raise failure
                running -= 1
                for following in islice(left, 1):
                    tasks.put(following)
                    running += 1
                yield one, result
        finally:
            _end(caller, [thread for thread in threads if thread.ident], tasks, hurry=running > 0)


def _outcome(function: Callable[[Any], Any], one: Any) -> tuple[Any, BaseException | None]:
    """The result of a call, or what it failed with, which is raised in the thread of the caller."""
    try:
        result = function(one)
        return (list(result) if isinstance(result, Iterator) else result), None
    except BridgeError as error:
        return error, None
    except BaseException as error:  # noqa: BLE001 # raised there
        return None, error


def _end(
    caller: BlockingCaller, threads: list[threading.Thread], tasks: queue.SimpleQueue[Any], *, hurry: bool
) -> None:
    """Let the threads end; in a `hurry`, end the requests that are on their way, and start no new one."""
    for _ in threads:
        tasks.put(END)
    if hurry:
        caller.stop(threads)
    end = time.monotonic() + LONGEST_GOODBYE
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))


async def each(
    caller: AsyncCaller,
    function: Callable[[GivenT], Awaitable[Any] | AsyncIterable[Any]],
    given: Iterable[GivenT],
    at_once: int,
) -> AsyncGenerator[tuple[GivenT, Any]]:
    """See AsyncBridgeClient.each."""
    left = iter(given)
    running: dict[asyncio.Task[Any], GivenT] = {}

    def begin(count: int) -> None:
        for one in islice(left, count):
            running[asyncio.create_task(_result(function, one))] = one

    with caller.gate.sharing():
        try:
            begin(at_once)
            while running:
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    result = task.result()
                    one = running.pop(task)
                    begin(1)
                    yield one, result
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def _result(function: Callable[[Any], Awaitable[Any] | AsyncIterable[Any]], one: Any) -> Any:
    try:
        outcome = function(one)
        if isawaitable(outcome):
            return await outcome
        return [item async for item in outcome]
    except BridgeError as error:
        return error
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task and task.cancelling():
            raise
        # By the function itself, which would end this task without a word.
        raise RuntimeError(f"The call for {one!r} was cancelled.") from None

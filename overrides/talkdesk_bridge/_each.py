"""Many accounts: one call for each of them, a limited number at a time, and the results as they arrive."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable, Iterator
from inspect import isawaitable
from itertools import islice
from typing import Any, TypeVar

from talkdesk_bridge._http import AsyncHttp, Http
from talkdesk_bridge._items import AsyncItemIterator, ItemIterator
from talkdesk_bridge._run import run
from talkdesk_bridge._settings import MOST_AT_ONCE
from talkdesk_bridge.errors import AFFECT_ALL_CALLS, ArgumentError, BridgeError

InputT = TypeVar("InputT")

JOIN_SECONDS = 1.0
"""How long to wait for threads whose requests were aborted."""

END = object()

UNPROVEN = (*AFFECT_ALL_CALLS, ArgumentError)
"""After a result that does not show that the password is right, no call begins beside others.

Otherwise, a new client would send a wrong one `at_once` times, after which some servers and proxies lock the login.
"""


def check(inputs: Any, at_once: Any) -> None:
    """Check arguments of `each`.

    Raises:
        ArgumentError: one cannot be used.

    """
    if isinstance(inputs, str | bytes):
        raise ArgumentError("inputs must be an iterable of accounts, not a string.")
    if not isinstance(at_once, int) or not 1 <= at_once <= MOST_AT_ONCE:
        raise ArgumentError(f"at_once must be an integer from 1 to {MOST_AT_ONCE}.")


def each_blocking(
    http: Http, function: Callable[[InputT], Any], inputs: Iterable[InputT], at_once: int
) -> Generator[tuple[InputT, Any]]:
    """See BridgeClient.each."""
    remaining, running = iter(inputs), 0
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    results: queue.SimpleQueue[tuple[InputT, Any, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        while (task := tasks.get()) is not END:
            results.put((task, *_outcome(function, task)))

    # Daemons, so that a thread that is looking up a host does not keep the process from ending.
    threads = [threading.Thread(target=work, daemon=True) for _ in range(at_once)]

    def begin(count: int) -> int:
        """Begin this many calls, or as many as there are inputs; the number of those that are running."""
        nonlocal running
        for task in islice(remaining, count):
            running += 1
            tasks.put(task)
            if not threads[running - 1].ident:
                threads[running - 1].start()
        return running

    http.waiting.gate.users += 1
    try:
        begin(at_once if http.waiting.gate.accepted else 0)
        while running or begin(1):
            done, result, failure = results.get()
            if failure:
                raise failure
            running -= 1
            begin(0 if isinstance(result, UNPROVEN) else at_once - running)
            yield done, result
    finally:
        http.waiting.gate.users -= 1
        started = [thread for thread in threads if thread.ident]
        for _ in started:
            tasks.put(END)
        if running:  # abort their requests, and start no new one
            http.stop(started)
        end = time.monotonic() + JOIN_SECONDS
        for thread in started:
            thread.join(max(0.0, end - time.monotonic()))


def _outcome(function: Callable[[Any], Any], task: Any) -> tuple[Any, BaseException | None]:
    """The result of a call and None, or None and the error to raise in the caller's thread."""
    try:
        result = function(task)
        if isinstance(result, ItemIterator):
            return run(result._all_items()), None
        return (list(result) if isinstance(result, Iterator) else result), None
    except BridgeError as error:
        return error, None
    except BaseException as error:  # noqa: BLE001 # raised in the caller's thread
        return None, error


async def each(
    http: AsyncHttp,
    function: Callable[[InputT], Awaitable[Any] | AsyncIterable[Any]],
    inputs: Iterable[InputT],
    at_once: int,
) -> AsyncGenerator[tuple[InputT, Any]]:
    """See AsyncBridgeClient.each."""
    http.waiting.check()
    remaining = iter(inputs)
    running: dict[asyncio.Task[Any], InputT] = {}

    def begin(count: int) -> int:
        for value in islice(remaining, count):
            running[asyncio.create_task(_result(function, value))] = value
        return len(running)

    http.waiting.gate.users += 1
    try:
        begin(at_once if http.waiting.gate.accepted else 0)
        while running or begin(1):
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                value, result = running.pop(task), task.result()
                begin(0 if isinstance(result, UNPROVEN) else at_once - len(running))
                yield value, result
    finally:
        http.waiting.gate.users -= 1
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _result(function: Callable[[Any], Awaitable[Any] | AsyncIterable[Any]], value: Any) -> Any:
    try:
        outcome = function(value)
        if isawaitable(outcome):
            return await outcome
        if isinstance(outcome, AsyncItemIterator):
            return await outcome._all_items()
        return [item async for item in outcome]
    except BridgeError as error:
        return error
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task and task.cancelling():
            raise
        # `function` raised it. Without another error, the loop would end silently.
        raise RuntimeError(f"The call for {value!r} was cancelled.") from None

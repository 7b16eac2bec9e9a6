"""How the flow of calls runs in both clients: in blocking code or in tasks of asyncio, and how each kind waits."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from talkdesk_bridge.errors import ConfigurationError

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never suspends, because everything that it awaits blocks."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("A blocking call waited for an event loop.")


def task() -> asyncio.Task[Any] | None:
    """The task of asyncio that runs this code. trio may run it as the guest of asyncio, whose loop then runs, too."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


class Gate:
    """While `each` runs, makes all calls of a client wait together for a Retry-After."""

    def __init__(self) -> None:
        self.users = 0
        """How many `each` are running."""
        self.until = 0.0
        """When the bridge accepts requests again, by the client's clock."""
        self.served = 0
        """Responses whose status was none of `Retry.statuses`."""
        self.accepted = False
        """Whether a response had a status below 400, so that the credential is right."""

    def note(self, status: int, retry_after: float | None, now: float, *, retryable: bool) -> None:
        """Note the status of a response, and the seconds in its Retry-After, for all calls."""
        self.accepted = self.accepted or status < 400
        if not retryable:
            self.served += 1
        elif retry_after is not None:
            self.until = max(self.until, now + retry_after)


class _Waiting:
    """Where a client may be used, and how its calls wait there."""

    _new_lock: Callable[[], Any]

    def __init__(self, sleep: Callable[[float], Any] | None) -> None:
        self.gate = Gate()
        self._lock = self._new_lock()
        self.closed, self._process = False, os.getpid()
        self._sleep = sleep

    def check(self) -> None:
        """Check that the client can send requests here.

        Raises:
            ConfigurationError: it is closed, or belongs to another process or event loop.

        """
        if self.closed:
            raise ConfigurationError("The client is closed: make a new one, or stay inside its `with` block.")
        if self._process != os.getpid():
            message = "The client was made in another process, and both would read each other's responses"
            raise ConfigurationError(f"{message}: make one client in each process.")


class Blocking(_Waiting):
    """Blocks, in any thread. Its lock is reentrant, since a hook may use the client in the same thread."""

    _new_lock = staticmethod(threading.RLock)

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Let no other call into the block."""
        with self._lock:
            yield

    async def sleep(self, seconds: float) -> None:
        """Block."""
        (self._sleep or time.sleep)(seconds)


class Asyncio(_Waiting):
    """Awaits, in the event loop that used it first."""

    _new_lock = staticmethod(asyncio.Lock)
    _loop: asyncio.AbstractEventLoop | None = None

    def lock(self) -> Any:
        """Let no other call into the block."""
        return self._lock

    def check(self) -> None:
        """Check that the client can send requests here."""
        if not task():
            message = "An AsyncBridgeClient works only in a task of asyncio (or of a loop for it, such as uvloop)"
            raise ConfigurationError(f"{message}, not in trio or elsewhere: use a BridgeClient in a thread.")
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if self._loop is not loop:
            message = "An AsyncBridgeClient works only in the event loop that used it first"
            raise ConfigurationError(f"{message}: make one client for each event loop.")
        super().check()

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the event loop."""
        slept = (self._sleep or asyncio.sleep)(seconds)
        if inspect.isawaitable(slept):
            await slept

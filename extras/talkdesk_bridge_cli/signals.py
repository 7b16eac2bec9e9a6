"""SIGINT, SIGTERM and SIGHUP raise SystemExit, so that the command cleans up before it ends."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
ECHO_SECONDS = 1.0
"""For this long after the first signal, others are ignored: `timeout` and some supervisors send a signal twice."""


class _Handler:
    """Handles signals: the first raises SystemExit, or calls `cancel`; a second one ends the process at once."""

    def __init__(self) -> None:
        self.number = 0
        """The first signal; 0 until it arrives."""
        self.cancel: Callable[[], object] | None = None
        self._since = 0.0

    def __call__(self, number: int, _: object) -> None:
        if self.number:
            if time.monotonic() - self._since > ECHO_SECONDS:
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            return
        self.number, self._since = number, time.monotonic()
        if not self.cancel:
            raise SystemExit(128 + number)
        self.cancel()


_handler = _Handler()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Handle the signals until the block ends; after that, each ends the process at once."""
    global _handler
    _handler = _Handler()
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    # A signal that is ignored, as under nohup, stays ignored.
    handled = [number for number in numbers if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    for number in handled:
        signal.signal(number, _handler)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


def run_until_signalled(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """As `asyncio.run`, but a signal cancels the task: an exception in asyncio's loop would leave tasks behind."""
    import asyncio  # here, because most commands do not need it

    async def cancellable() -> T:
        task = asyncio.ensure_future(function())
        _handler.cancel = partial(task.get_loop().call_soon_threadsafe, task.cancel)
        return await task

    try:
        with asyncio.Runner() as runner:
            return runner.run(cancellable())
    finally:
        _handler.cancel = None
        if _handler.number:
            raise SystemExit(128 + _handler.number)

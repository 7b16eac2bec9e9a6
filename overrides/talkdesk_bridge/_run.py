"""Runs the coroutines of the flow in blocking code, and says whether asyncio runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

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

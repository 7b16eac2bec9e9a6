"""The event loops in which an AsyncBridgeClient works."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from talkdesk_bridge import AsyncBridgeClient, errors

ELSEWHERE = "^An AsyncBridgeClient works only in a task of asyncio .*not in trio or elsewhere: use a BridgeClient in a thread[.]$"
USES: dict[str, Callable[[AsyncBridgeClient], Any]] = {
    "a call": lambda bridge: bridge.billing.get_account_invoices("1"),
    "an iterator": lambda bridge: anext(bridge.billing.iter_account_invoices("1")),
    "pages": lambda bridge: anext(bridge.billing.iter_account_invoices("1").pages()),
    "with_response": lambda bridge: bridge.with_response(bridge.billing.get_account_invoices, "1"),
    "authenticate": lambda bridge: bridge.authenticate(),
    "each": lambda bridge: anext(bridge.each(bridge.billing.get_account_invoices, ["1"])),
}


@pytest.mark.parametrize("use", USES)
def test_without_asyncio(use: str) -> None:
    """As in any other loop: trio itself is in tests/integration/test_loops.py."""
    with pytest.raises(errors.ConfigurationError, match=ELSEWHERE):
        USES[use](AsyncBridgeClient("https://bridge.example")).__await__().send(None)


def test_outside_of_a_task_of_asyncio() -> None:
    """As trio if it is the guest of asyncio: a loop runs, but not this code."""
    raised: list[BaseException] = []

    async def run() -> None:
        done = threading.Event()

        def step() -> None:
            try:
                USES["a call"](AsyncBridgeClient("https://bridge.example")).__await__().send(None)
            except errors.ConfigurationError as error:
                raised.append(error)
            done.set()

        asyncio.get_running_loop().call_soon(step)
        while not done.is_set():
            await asyncio.sleep(0)

    asyncio.run(run())
    assert "not in trio" in str(raised[0])

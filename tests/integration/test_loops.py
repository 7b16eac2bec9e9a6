"""An AsyncBridgeClient in trio, also if trio is the guest of asyncio; and a BridgeClient in a thread of trio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import trio
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, errors
from talkdesk_bridge.models import InvoiceDetailsResponse

from tests.conftest import Server, page
from tests.test_loops import ELSEWHERE, USES


async def use(url: str, name: str) -> None:
    async with AsyncBridgeClient(url) as bridge:
        await USES[name](bridge)


@pytest.mark.parametrize("name", USES)
def test_trio(server: Server, name: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=ELSEWHERE):
        trio.run(use, server.url, name)
    assert server.seen == []


@pytest.mark.parametrize("name", USES)
def test_trio_as_the_guest_of_asyncio(server: Server, name: str) -> None:
    async def host() -> None:
        ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        call_soon: Callable[..., Any] = asyncio.get_running_loop().call_soon_threadsafe
        trio.lowlevel.start_guest_run(
            use, server.url, name, run_sync_soon_threadsafe=call_soon, done_callback=ended.set_result
        )
        (await ended).unwrap()

    with pytest.raises(errors.ConfigurationError, match=ELSEWHERE):
        asyncio.run(host())
    assert server.seen == []


def test_the_way_in_trio(server: Server) -> None:
    server.respond_with(page(1))

    async def run() -> int | None:
        with BridgeClient(server.url) as bridge:
            body: InvoiceDetailsResponse = await trio.to_thread.run_sync(bridge.billing.get_account_invoices, "1")
            return body.total

    assert trio.run(run) == 1

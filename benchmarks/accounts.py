"""Many accounts at once: invoices a second of an asyncio program, 20 requests in flight, 50 invoices a page."""

from __future__ import annotations

import asyncio
import atexit
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

from benchmarks.account import CLOCKS, Page, our_decoder
from benchmarks.peers import OURS, STOCK, load
from benchmarks.timing import MeasuringError, Ratio, Target, Worker, interleaved, settle

__all__ = ["BULK", "BY_HAND", "OVER_AIOHTTP", "listings", "rate", "targets"]

ACCOUNTS, INVOICES, PER_PAGE, IN_FLIGHT = 80, 100, 50, 20
LIMIT = 2.5
BY_HAND, OVER_AIOHTTP = "httpx by hand, our decoder", "httpx over aiohttp by hand, our decoder"
BULK = "talkdesk-bridge[bulk]"

Every = Callable[[Iterable[str]], Awaitable[int]]
"""Lists accounts: how many invoices they have."""
Close = Callable[[], Awaitable[object]]


def at_once(account: Callable[[str], Awaitable[int]]) -> Every:
    """So many tasks, which share the accounts."""

    async def every(accounts: Iterable[str]) -> int:
        left = iter(accounts)

        async def some() -> int:
            return sum([await account(number) for number in left])

        return sum(await asyncio.gather(*(some() for _ in range(IN_FLIGHT))))

    return every


def loop(fetch: Callable[[str, int], Awaitable[Page]]) -> Every:
    """What a caller writes round a request for one page."""

    async def account(number: str) -> int:
        invoices: list[Any] = []
        asked, total = 0, 1
        while len(invoices) < total:
            asked += 1
            more, total = await fetch(number, asked)
            invoices += more
        return len(invoices)

    return at_once(account)


def by_hand(client: Any, path: str) -> tuple[Every, Close]:
    """The loop with a client like httpx's, and nothing else."""
    decode = our_decoder()

    async def fetch(number: str, asked: int) -> Page:
        response = await client.get(f"{path}{number}", params={"page": asked, "per_page": PER_PAGE})
        response.raise_for_status()
        return decode(response.content)

    return loop(fetch), client.aclose


def _plain(folder: str, url: str, path: str) -> tuple[Every, Close]:
    return by_hand(httpx.AsyncClient(base_url=url), path)


def _over_aiohttp(folder: str, url: str, path: str) -> tuple[Every, Close]:
    return by_hand(import_module("httpx_aiohttp").HttpxAiohttpClient(base_url=url), path)


def _stock(folder: str, url: str, path: str) -> tuple[Every, Close]:
    load(STOCK, folder)
    client = import_module("stock.client").Client(base_url=url)
    call = import_module("stock.api.billing.get_account_invoices").asyncio

    async def fetch(number: str, asked: int) -> Page:
        body = await call(number, client=client, page=asked, per_page=PER_PAGE)
        return body.field_embedded.invoices, body.total

    return loop(fetch), client.get_async_httpx_client().aclose


def _ours(folder: str, url: str, path: str, **options: Any) -> tuple[Every, Close]:
    from talkdesk_bridge import AsyncBridgeClient

    bridge = AsyncBridgeClient(url, **options)
    invoices_of = partial(bridge.billing.iter_account_invoices, per_page=PER_PAGE)

    async def every(accounts: Iterable[str]) -> int:
        count = 0
        async for _, invoices in bridge.each(invoices_of, accounts, at_once=IN_FLIGHT):
            if not isinstance(invoices, list):
                raise invoices
            count += len(invoices)
        return count

    return every, bridge.close


LISTINGS: dict[str, Callable[[str, str, str], tuple[Every, Close]]] = {
    BY_HAND: _plain,
    OVER_AIOHTTP: _over_aiohttp,
    STOCK: _stock,
    OURS: _ours,
    BULK: partial(_ours, bulk=True),
}


def sampler(name: str, folder: str, url: str, path: str) -> Callable[[str], float]:
    """In a worker: lists many accounts; the seconds that took by the clock `perf_counter` or `process_time`."""
    runner = asyncio.Runner()

    async def made() -> tuple[Every, Close]:
        return LISTINGS[name](folder, url, path)

    every, close = runner.run(made())

    async def closed() -> None:
        await close()

    atexit.register(lambda: runner.run(closed()))

    async def found() -> int:
        return await every(f"{INVOICES}-{number}" for number in range(ACCOUNTS))

    def sample(clock: str) -> float:
        now = getattr(time, clock)
        settle()
        begun = now()
        listed = runner.run(found())
        taken: float = now() - begun
        if listed != ACCOUNTS * INVOICES:
            raise MeasuringError(f"{name} lists {listed} of {ACCOUNTS * INVOICES} invoices.")
        return taken

    return sample


def rate(seconds: float) -> float:
    """Typed invoices a second."""
    return ACCOUNTS * INVOICES / seconds


def listings(folder: Path, url: str, path: str, seconds: float) -> dict[str, dict[str, Ratio]]:
    """What each takes for many accounts by each clock, as a ratio to plain httpx with the same decoder."""
    members = [name for name in LISTINGS if name != BY_HAND]
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker("benchmarks.accounts:sampler", name, str(folder), url, path))
            for name in (BY_HAND, *members)
        }
        return {
            clock: interleaved(
                partial(workers[BY_HAND], clock),
                {name: partial(workers[name], clock) for name in members},
                seconds / len(CLOCKS),
            )
            for clock in CLOCKS
        }


def targets(listed: Mapping[str, Mapping[str, Ratio]]) -> list[Target]:
    """What is promised of many accounts: how many times as fast, by the clock on the wall."""
    bulk, by_hand = (listed["perf_counter"][name].inverse() for name in (BULK, OVER_AIOHTTP))
    title = f"{BULK}, typed invoices a second over many accounts, beside plain httpx"
    reason = f"a loop by hand over aiohttp, with our decoder and nothing else, is {by_hand.median:.2f} times as fast"
    return [Target(title, LIMIT, bulk, least=True, reason=reason)]

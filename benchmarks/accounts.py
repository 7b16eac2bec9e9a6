"""Many accounts at once: invoices a second, 50 invoices a page, without extras."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import httpx
from talkdesk_bridge import AsyncBridgeClient, BridgeClient

from benchmarks.account import WITHOUT, reading
from benchmarks.pages import path
from benchmarks.peers import OURS, decoder
from benchmarks.process import MeasuringError, fresh
from benchmarks.report import Section, compared
from benchmarks.server import SLOW
from benchmarks.timing import Costs, Ratio, Target, in_turns, settle

INVOICES, PER_PAGE = 100, 50
BY_HAND, OVER_AIOHTTP = "httpx async by hand", "httpx over aiohttp by hand"
ASYNC, BLOCKING = "AsyncBridgeClient.each", "BridgeClient.each"


@dataclass(frozen=True)
class Case:
    """How many accounts to list, and from which server."""

    title: str
    accounts: int
    at_once: int
    server: str
    """The path of its base URL."""
    limit: float
    """How many times as fast as httpx by hand the client must be."""

    def numbers(self) -> list[str]:
        """The numbers of the accounts."""
        return [f"{INVOICES}-{number}" for number in range(self.accounts)]


CASES = (
    Case("20 in flight, a server that responds at once", 80, 20, "", 1.7),
    Case("100 in flight, a server that takes 50 ms", 200, 100, SLOW, 1.8),
)


async def by_hand(client: httpx.AsyncClient, case: Case) -> int:
    """The loops of a caller over pages and accounts, in `case.at_once` tasks, with plain httpx and our decoder."""
    read = reading(decoder(OURS))
    left = iter(case.numbers())

    async def listed(account: str) -> int:
        invoices: list[Any] = []
        number, total = 0, 1
        while len(invoices) < total:
            number += 1
            response = await client.get(f"{path()}{account}", params={"page": number, "per_page": PER_PAGE})
            response.raise_for_status()
            more, total = read(response.content)
            invoices += more
        return len(invoices)

    async def task() -> int:
        return sum([await listed(account) for account in left])

    return sum(await asyncio.gather(*(task() for _ in range(case.at_once))))


def counted(invoices: Any) -> int:
    """The number of invoices in a result of `each`; raises a result that is an error."""
    if isinstance(invoices, Exception):
        raise invoices
    return len(invoices)


async def async_each(bridge: AsyncBridgeClient, case: Case) -> int:
    """List all accounts with the async client."""
    invoices_of = partial(bridge.billing.iter_account_invoices, per_page=PER_PAGE)
    found = bridge.each(invoices_of, case.numbers(), at_once=case.at_once)
    return sum([counted(invoices) async for _, invoices in found])


def blocking_each(bridge: BridgeClient, case: Case) -> int:
    """List all accounts with the blocking client, in threads that `each` starts."""
    invoices_of = partial(bridge.billing.iter_account_invoices, per_page=PER_PAGE)
    return sum(counted(invoices) for _, invoices in bridge.each(invoices_of, case.numbers(), at_once=case.at_once))


def ways(url: str, case: Case) -> dict[str, Callable[[], int]]:
    """The ways to list all accounts; each returns the number of invoices. The clients end with the process."""
    from httpx_aiohttp import HttpxAiohttpClient

    run = asyncio.Runner().run
    plain, over_aiohttp = httpx.AsyncClient(base_url=url), HttpxAiohttpClient(base_url=url)
    awaiting, blocking = AsyncBridgeClient(url), BridgeClient(url)
    return {
        BY_HAND: lambda: run(by_hand(plain, case)),
        OVER_AIOHTTP: lambda: run(by_hand(over_aiohttp, case)),
        ASYNC: lambda: run(async_each(awaiting, case)),
        BLOCKING: lambda: blocking_each(blocking, case),
    }


def sample(name: str, listing: Callable[[], int], expected: int) -> float:
    """Wall-clock seconds for each invoice of a listing."""
    settle()
    begun = time.perf_counter()
    count = listing()
    taken = time.perf_counter() - begun
    if count != expected:
        raise MeasuringError(f"{name} lists {count} of {expected} invoices.")
    return taken / count


def costs(number: int, url: str, seconds: float) -> Costs:
    """Measure, in a fresh process, the seconds for each invoice that each way takes."""
    case = CASES[number] if seconds else replace(CASES[number], accounts=20)
    expected = case.accounts * INVOICES
    samplers = {name: partial(sample, name, way, expected) for name, way in ways(url + case.server, case).items()}
    return in_turns(samplers, seconds)


def listing(url: str, seconds: float) -> Section:
    """Measure how many times as fast as httpx's own async client each way is."""
    tables, targets = [], []
    for number, case in enumerate(CASES):
        share = seconds / len(CASES)
        measured = fresh("benchmarks.accounts:costs", number, url, share, without=WITHOUT[OURS])
        head = (case.title, "times as fast", "invoices a second")
        tables.append(compared(head, measured, BY_HAND, _a_second, faster=True))
        for name in sorted(measured.keys() - {BY_HAND, OVER_AIOHTTP}):
            ratio = Ratio.of(measured[BY_HAND], measured[name])
            targets.append(Target(f"{name}, {case.title}, against {BY_HAND}", case.limit, ratio, least=True))
    return Section(targets, "\n".join(tables))


def _a_second(seconds: float) -> str:
    return f"{1 / seconds:,.0f}"

"""All pages of one account, one after the other: the client beside the same loop written by hand, and beside peers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

from benchmarks.peers import OURS, OURS_SPEED, PEERS, STOCK, load
from benchmarks.timing import MeasuringError, Ratio, Target, Worker, interleaved, settle

__all__ = ["BYTES", "BY_HAND", "INVOICES", "listings", "targets"]

INVOICES = {50: 1000, 1000: 3000}
"""Invoices of the account, by those a page."""
LIMIT = 1.10
BY_HAND, BYTES = "httpx by hand, our decoder", "httpx by hand, bytes"
CLOCKS = ("perf_counter", "process_time")
"""All the time, and that in which the process itself works."""

Page = tuple[Any, int]
"""The invoices of a page, and the total."""


def sampler(folder: str, url: str, path: str, size: str) -> Callable[[str, str], float]:
    """In a worker: lists the account in one of the ways; the seconds that took by `perf_counter` or `process_time`."""
    per_page, total = int(size), INVOICES[int(size)]
    way = cache(lambda name: LISTINGS[name](folder, url, path, str(total), per_page))

    def sample(name: str, clock: str) -> float:
        listed, now = way(name), getattr(time, clock)
        settle()
        begun = now()
        invoices = listed()
        taken: float = now() - begun
        if len(invoices) != total:
            raise MeasuringError(f"{name} lists {len(invoices)} of {total} invoices.")
        return taken

    return sample


def loop(fetch: Callable[[int], Page]) -> list[Any]:
    """What a caller writes round a request for one page."""
    invoices: list[Any] = []
    number = 0
    while True:
        number += 1
        more, total = fetch(number)
        invoices += more
        if len(invoices) >= total:
            return invoices


def by_hand(
    decode: Callable[[bytes], Page], folder: str, url: str, path: str, account: str, per_page: int
) -> Callable[[], list[Any]]:
    """The loop with httpx and nothing else."""
    client = httpx.Client(base_url=url)

    def fetch(number: int) -> Page:
        response = client.get(f"{path}{account}", params={"page": number, "per_page": per_page})
        response.raise_for_status()
        return decode(response.content)

    return lambda: loop(fetch)


def _dicts(content: bytes) -> Page:
    body = json.loads(content)
    return body["_embedded"]["invoices"], body["total"]


def our_decoder() -> Callable[[bytes], Page]:
    """The decoder of this client, for loops that are written by hand."""
    decode, _ = PEERS[OURS].load()

    def page(content: bytes) -> Page:
        body = decode(content)
        return body.embedded.invoices, body.total

    return page


def _stock(folder: str, url: str, path: str, account: str, per_page: int) -> Callable[[], list[Any]]:
    load(STOCK, folder)
    client = import_module("stock.client").Client(base_url=url)
    call = import_module("stock.api.billing.get_account_invoices").sync

    def fetch(number: int) -> Page:
        body = call(account, client=client, page=number, per_page=per_page)
        return body.field_embedded.invoices, body.total

    return lambda: loop(fetch)


def _openapi_generator(folder: str, url: str, path: str, account: str, per_page: int) -> Callable[[], list[Any]]:
    load("openapi-generator", folder)
    package = import_module("openapi_client")
    call = package.BillingApi(package.ApiClient(package.Configuration(host=url))).get_account_invoices

    def fetch(number: int) -> Page:
        body = call(account, page=number, per_page=per_page)
        return body.embedded.invoices, body.total

    return lambda: loop(fetch)


def _ours(folder: str, url: str, path: str, account: str, per_page: int) -> Callable[[], list[Any]]:
    from talkdesk_bridge import BridgeClient

    bridge = BridgeClient(url)
    return lambda: list(bridge.billing.iter_account_invoices(account, per_page=per_page))


def _bytes(folder: str, url: str, path: str, account: str, per_page: int) -> Callable[[], list[Any]]:
    """The requests alone."""
    nothing = [None] * per_page
    return by_hand(lambda _: (nothing, int(account)), folder, url, path, account, per_page)


LISTINGS: dict[str, Callable[[str, str, str, str, int], Callable[[], list[Any]]]] = {
    BY_HAND: lambda *arguments: by_hand(our_decoder(), *arguments),
    BYTES: _bytes,
    "json.loads": partial(by_hand, _dicts),
    STOCK: _stock,
    "openapi-generator": _openapi_generator,
    OURS: _ours,
    OURS_SPEED: _ours,
}


def listings(
    names: list[str], folder: Path, url: str, path: str, size: int, seconds: float
) -> dict[str, dict[str, Ratio]]:
    """What each takes for all pages by each clock, as a ratio to the loop by hand with the same decoder."""
    found: dict[str, dict[str, Ratio]] = {clock: {} for clock in CLOCKS}
    others = [name for name in LISTINGS if name in names and name != OURS_SPEED]
    groups = {OURS: [BYTES, *others], OURS_SPEED: [OURS_SPEED]}
    share = seconds / len(CLOCKS) / sum(map(len, groups.values()))
    for ours, members in groups.items():
        arguments = (str(folder), url, path, str(size))
        # All in one process: they differ in some hundredths, and two processes do so by chance.
        with Worker("benchmarks.account:sampler", *arguments, without=PEERS[ours].without) as worker:
            for clock in CLOCKS:
                samplers = {name: partial(worker, name, clock) for name in members}
                found[clock] |= interleaved(partial(worker, BY_HAND, clock), samplers, share * len(members))
    return found


def targets(listed: Mapping[int, Mapping[str, Mapping[str, Ratio]]]) -> list[Target]:
    """What is promised of the machinery round a request, by the time that the process works.

    What the clock on the wall says holds the server's time and that of whatever else the machine does, too.
    """
    found = []
    for size, clocks in listed.items():
        for name in (OURS, OURS_SPEED):
            ratio = clocks["process_time"][name]
            more = (ratio.cost - ratio.expected) * 1000 * size / INVOICES[size]
            reason = f"{more:.2f} ms a page go to limits, attempts, checks of the pages, and each item"
            title = f"{name}, all pages of an account, {size:,} a page, beside a loop by hand"
            found.append(Target(title, LIMIT, ratio, reason=reason))
    return found

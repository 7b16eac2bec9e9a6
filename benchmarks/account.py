"""All pages of one account, one after the other: the client against a hand-written loop, and against peers."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections import deque
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import httpx
from talkdesk_bridge import BridgeClient

from benchmarks.pages import path
from benchmarks.peers import DICTS, OURS, OURS_SPEED, STOCK, Decode, decoder
from benchmarks.process import MeasuringError, fresh
from benchmarks.report import Section, compared
from benchmarks.timing import Costs, Ratio, Target, in_turns, settle

INVOICES = {50: 1000, 1000: 3000}
"""Invoices of the account, by page size."""
LIMIT = 1.12
BY_HAND, BYTES = "httpx by hand, our decoder", "httpx by hand, bytes"

WITHOUT = {OURS: ("msgspec",), OURS_SPEED: ()}
"""The modules that each of our configurations must not import."""

Page = tuple[list[Any], int]
"""The invoices of a page, and the total."""
Listing = Callable[[], list[Any]]


def loop(fetch: Callable[[int], Page]) -> list[Any]:
    """The loop that a caller writes around a request for one page."""
    invoices: list[Any] = []
    number, total = 0, 1
    while len(invoices) < total:
        number += 1
        more, total = fetch(number)
        invoices += more
    return invoices


def by_hand(read: Callable[[bytes], Page], url: str, account: str, per_page: int) -> Listing:
    """The loop with plain httpx."""
    client = httpx.Client(base_url=url)

    def fetch(number: int) -> Page:
        response = client.get(f"{path()}{account}", params={"page": number, "per_page": per_page})
        response.raise_for_status()
        return read(response.content)

    return lambda: loop(fetch)


def reading(decode: Decode) -> Callable[[bytes], Page]:
    """A function that reads a page into our models."""

    def read(content: bytes) -> Page:
        body = decode(content)
        return body.embedded.invoices, body.total

    return read


def _dicts(content: bytes) -> Page:
    body = json.loads(content)
    return body["_embedded"]["invoices"], body["total"]


def _stock(folder: str, url: str, account: str, per_page: int) -> Listing:
    decoder(STOCK, folder)  # makes it importable
    client = import_module("stock.client").Client(base_url=url)
    call = import_module("stock.api.billing.get_account_invoices").sync

    def fetch(number: int) -> Page:
        body = call(account, client=client, page=number, per_page=per_page)
        return body.field_embedded.invoices, body.total

    return lambda: loop(fetch)


def sample(name: str, listing: Listing, total: int) -> float:
    """CPU time for all pages, in milliseconds."""
    settle()
    begun = time.process_time()
    invoices = listing()
    taken = time.process_time() - begun
    if len(invoices) != total:
        raise MeasuringError(f"{name} lists {len(invoices)} of {total} invoices.")
    return 1000 * taken


def costs(ours: str, folder: str, url: str, per_page: int, seconds: float) -> Costs:
    """Measure all pages with one of our configurations, with the loop by hand and with the peers.

    All of them in one fresh process, because they differ by only a few percent, and so do two processes by chance.
    """
    total = INVOICES[per_page]
    arguments = (url, str(total), per_page)
    bridge = BridgeClient(url)
    ways: dict[str, Listing] = {
        BY_HAND: by_hand(reading(decoder(ours, folder)), *arguments),
        ours: lambda: list(bridge.billing.iter_account_invoices(str(total), per_page=per_page)),
    }
    if ours == OURS:
        ways[BYTES] = by_hand(lambda _: ([None] * per_page, total), *arguments)
        ways[DICTS] = by_hand(_dicts, *arguments)
        ways[STOCK] = _stock(folder, *arguments)
    return in_turns({name: partial(sample, name, way, total) for name, way in ways.items()}, seconds)


def listing(folder: str, url: str, seconds: float) -> Section:
    """Measure all pages of an account."""
    tables, targets = [], []
    for size, total in INVOICES.items():
        for ours in WITHOUT:
            share = seconds / len(INVOICES) / len(WITHOUT)
            measured = fresh("benchmarks.account:costs", ours, folder, url, size, share, without=WITHOUT[ours])
            a_page = {name: [cost * size / total for cost in taken] for name, taken in measured.items()}
            tables.append(
                compared((f"{size:,} a page", "times by hand", "ms a page"), a_page, BY_HAND, "{:.2f}".format)
            )
            title = f"{ours}, all pages of an account, {size:,} a page, against a loop by hand"
            targets.append(Target(title, LIMIT, Ratio.of(measured[ours], measured[BY_HAND])))
    return Section(targets, "\n".join(tables))


def peaks(folder: str, url: str, total: int) -> Costs:
    """Measure the most bytes that Python allocates while all pages of a long list are read, 1,000 invoices a page."""
    items = partial(BridgeClient(url).billing.iter_account_invoices, str(total), per_page=1000)
    ways: dict[str, Callable[[], object]] = {
        f"{BY_HAND}, a list": by_hand(reading(decoder(OURS, folder)), url, str(total), 1000),
        f"{OURS}, a list": lambda: list(items()),
        f"{OURS}, one invoice at a time": lambda: deque(items(), maxlen=0),
    }
    found = {}
    for name, way in ways.items():
        settle()
        tracemalloc.start()
        way()
        found[name] = [float(tracemalloc.get_traced_memory()[1])]
        tracemalloc.stop()
    return found


def long_list(folder: str, url: str, total: int) -> Section:
    """Compare the memory for a list of `total` invoices; one run is enough, because it is always the same."""
    costs = fresh("benchmarks.account:peaks", folder, url, total)
    head = (f"{total:,} invoices", "times by hand", "MB")
    return Section([], compared(head, costs, f"{BY_HAND}, a list", lambda cost: f"{cost / 1e6:.1f}"))

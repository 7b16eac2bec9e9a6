"""From the bytes of a page to objects: all peers side by side, dirty pages beside clean ones, memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from functools import partial

from benchmarks.pages import DIRT, dirty, encoded, page
from benchmarks.peers import OURS, OURS_SPEED, PEERS, PYDANTIC, STOCK, decoder
from benchmarks.process import fresh
from benchmarks.report import Section, compared
from benchmarks.timing import Costs, Ratio, Target, in_turns, joined, settle

__all__ = ["decoding", "dirt", "memory"]

SIZES = (50, 1000)
"""Invoices of a page."""
SAMPLE = 20_000_000
"""Nanoseconds that a sample takes at least, so that the steps of the clock do not count."""
TIMES = 5
"""Pages that a sample reads at least: Python collects garbage in one, and not in the next."""
PROCESSES = 5
"""Processes, one after the other: each lays memory out differently, which makes a tenth and more."""

LIMITS = {OURS: 0.75, OURS_SPEED: 0.50}
DIRTY_LIMIT, MEMORY_LIMIT = 1.5, 1.05
REASON = "each deviation is counted at its place, and each number made text, while clean text is taken as it is"


def sample(decode: Callable[[bytes], object], content: bytes) -> float:
    """The milliseconds of CPU that one page takes."""
    settle()
    times, begun = 0, time.process_time_ns()
    while (taken := time.process_time_ns() - begun) < SAMPLE or times < TIMES:
        decode(content)
        times += 1
    return taken / times / 1e6


def clean_costs(folder: str, size: int, seconds: float) -> Costs:
    """In a fresh process: what a page of so many invoices costs each peer."""
    content = encoded(page(size))
    return in_turns({name: partial(sample, decoder(name, folder), content) for name in PEERS}, seconds)


def decoding(folder: str, seconds: float) -> Section:
    """What a page costs each peer."""
    tables, targets = [], []
    for size in SIZES:
        share = seconds / len(SIZES) / PROCESSES
        processes = range(PROCESSES if seconds else 1)
        costs = joined(fresh("benchmarks.decode:clean_costs", folder, size, share) for _ in processes)
        tables.append(compared((f"a page of {size:,}", "x stock", "ms"), costs, STOCK, "{:.3f}".format))
        for name, limit in LIMITS.items():
            ratio = Ratio.of(costs[name], costs[STOCK])
            targets.append(Target(f"{name}, a page of {size:,}, beside the stock client", limit, ratio))
        title = f"{OURS_SPEED}, a page of {size:,}, beside {PYDANTIC}"
        targets.append(Target(title, 1, Ratio.of(costs[OURS_SPEED], costs[PYDANTIC])))
    return Section(targets, "\n".join(tables))


def dirty_costs(name: str, size: int, seconds: float) -> Costs:
    """In a fresh process: what pages of so many invoices cost one of ours, a clean one and each kind of dirt."""
    decode = decoder(name)
    bodies = {"clean": page(size)} | {kind: dirty(kind, size) for kind in DIRT}
    return in_turns({kind: partial(sample, decode, encoded(body)) for kind, body in bodies.items()}, seconds)


def dirt(seconds: float) -> Section:
    """What dirty pages cost our decoders beside clean ones."""
    targets = []
    for name in LIMITS:
        for size in SIZES:
            costs = fresh("benchmarks.decode:dirty_costs", name, size, seconds / len(LIMITS) / len(SIZES))
            for kind in DIRT:
                ratio = Ratio.of(costs[kind], costs["clean"])
                title = f"{name}, {kind} in a page of {size:,}, beside a clean one"
                targets.append(Target(title, DIRTY_LIMIT, ratio, reason=REASON))
    return Section(targets)


def peaks(folder: str, count: int) -> Costs:
    """In a fresh process: the bytes that Python allocates at most while each peer decodes a large page."""
    content = encoded(page(count))
    found = {}
    for name in PEERS:
        decode = decoder(name, folder)
        decode(encoded(page(SIZES[0])))  # makes what is made once
        settle()
        tracemalloc.start()
        result = decode(content)
        found[name] = [float(tracemalloc.get_traced_memory()[1])]
        tracemalloc.stop()
        del result
    return found


def memory(folder: str, count: int) -> Section:
    """What so many decoded invoices occupy; it is the same each time."""
    costs = fresh("benchmarks.decode:peaks", folder, count)
    targets = []
    for name in LIMITS:
        title = f"{name}, memory for {count:,} invoices, beside the stock client"
        targets.append(Target(title, MEMORY_LIMIT, Ratio.of(costs[name], costs[STOCK])))
    head = (f"{count:,} invoices", "x stock", "MB")
    return Section(targets, compared(head, costs, STOCK, lambda cost: f"{cost / 1e6:.1f}"))

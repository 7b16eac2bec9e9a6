"""From the bytes of a page to objects: our decoder against its peers, dirty pages against clean ones, memory."""

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

SIZES = (50, 1000)
"""Invoices of a page."""
SAMPLE = 20_000_000
"""The shortest sample in nanoseconds, so that the resolution of the clock does not matter."""
TIMES = 5
"""The minimum number of pages in a sample: Python collects garbage during only some of them."""
PROCESSES = 5
"""Processes, one after the other: their memory layouts differ, which changes the time by ten percent or more."""

LIMITS = {OURS: 0.75, OURS_SPEED: 0.50}
DIRTY_LIMIT, MEMORY_LIMIT = 1.5, 1.05
REASON = "each number is parsed, turned into text and counted as a deviation; clean text is used unchanged"


def sample(decode: Callable[[bytes], object], content: bytes) -> float:
    """CPU time for one page, in milliseconds."""
    settle()
    times, begun = 0, time.process_time_ns()
    while (taken := time.process_time_ns() - begun) < SAMPLE or times < TIMES:
        decode(content)
        times += 1
    return taken / times / 1e6


def clean_costs(folder: str, size: int, seconds: float) -> Costs:
    """Measure, in a fresh process, a page of `size` invoices with each peer."""
    content = encoded(page(size))
    return in_turns({name: partial(sample, decoder(name, folder), content) for name in PEERS}, seconds)


def decoding(folder: str, seconds: float) -> Section:
    """Compare the peers, on clean pages."""
    tables, targets = [], []
    for size in SIZES:
        share = seconds / len(SIZES) / PROCESSES
        processes = range(PROCESSES if seconds else 1)
        costs = joined(fresh("benchmarks.decode:clean_costs", folder, size, share) for _ in processes)
        tables.append(compared((f"a page of {size:,}", "times stock", "ms"), costs, STOCK, "{:.3f}".format))
        for name, limit in LIMITS.items():
            ratio = Ratio.of(costs[name], costs[STOCK])
            targets.append(Target(f"{name}, a page of {size:,}, against the stock client", limit, ratio))
        title = f"{OURS_SPEED}, a page of {size:,}, against {PYDANTIC}"
        targets.append(Target(title, 1, Ratio.of(costs[OURS_SPEED], costs[PYDANTIC])))
    return Section(targets, "\n".join(tables))


def dirty_costs(name: str, size: int, seconds: float) -> Costs:
    """Measure, in a fresh process, one of our decoders on a clean page and on each kind of dirty page."""
    decode = decoder(name)
    bodies = {"clean": page(size)} | {kind: dirty(kind, size) for kind in DIRT}
    return in_turns({kind: partial(sample, decode, encoded(body)) for kind, body in bodies.items()}, seconds)


def dirt(seconds: float) -> Section:
    """Compare dirty pages with clean ones, with our decoders."""
    targets = []
    for name in LIMITS:
        for size in SIZES:
            costs = fresh("benchmarks.decode:dirty_costs", name, size, seconds / len(LIMITS) / len(SIZES))
            for kind in DIRT:
                ratio = Ratio.of(costs[kind], costs["clean"])
                title = f"{name}, {kind} in a page of {size:,}, against a clean one"
                targets.append(Target(title, DIRTY_LIMIT, ratio, reason=REASON))
    return Section(targets)


def peaks(folder: str, count: int) -> Costs:
    """Measure, in a fresh process, the most bytes that Python allocates while each peer decodes a large page."""
    content = encoded(page(count))
    found = {}
    for name in PEERS:
        decode = decoder(name, folder)
        decode(encoded(page(SIZES[0])))  # so that one-time allocations do not count
        settle()
        tracemalloc.start()
        result = decode(content)
        found[name] = [float(tracemalloc.get_traced_memory()[1])]
        tracemalloc.stop()
        del result
    return found


def memory(folder: str, count: int) -> Section:
    """Compare the memory for `count` decoded invoices; one run is enough, because it is always the same."""
    costs = fresh("benchmarks.decode:peaks", folder, count)
    targets = []
    for name in LIMITS:
        title = f"{name}, memory for {count:,} invoices, against the stock client"
        targets.append(Target(title, MEMORY_LIMIT, Ratio.of(costs[name], costs[STOCK])))
    head = (f"{count:,} invoices", "times stock", "MB")
    return Section(targets, compared(head, costs, STOCK, lambda cost: f"{cost / 1e6:.1f}"))

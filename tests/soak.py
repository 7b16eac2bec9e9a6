"""Checks that a client does not grow over ten thousand requests: `make soak`, and smaller in tests/test_growth.py."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from talkdesk_bridge import AsyncBridgeClient, BridgeClient

__all__ = ["Growth", "awaiting", "blocking", "serving"]

REQUESTS = 10_000
IN_FLIGHT = 20
# Python's own memory is counted exactly, in blocks; resident pages also show memory outside of Python.
MORE_BLOCKS = 500
MORE_BYTES = 2 * 2**20


def descriptors() -> int:
    """The number of file descriptors that this process has open."""
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 # counted, not used


def resident() -> int:
    """Resident bytes of this process; 0 if the system does not say."""
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if pages.exists() else 0


@dataclass
class Growth:
    """Measurements: descriptors early, memory once the caches are full, and both at the end."""

    requests: int
    measured: dict[str, list[int]] = field(default_factory=dict)
    connections: int = 0
    seconds: float = 0.0

    def at(self, number: int) -> None:
        """Measure if it is time to, after `number` requests."""
        if not self.measured and number >= self.requests // 100:
            self.measured["descriptors"] = [descriptors()]
        if number in (self.requests // 5, self.requests):
            gc.collect()
            self.measured.setdefault("blocks", []).append(sys.getallocatedblocks())
            self.measured.setdefault("bytes", []).append(resident())
        if number == self.requests:
            self.measured["descriptors"].append(descriptors())

    def more(self, name: str) -> int:
        """The growth between the first and the last measurement."""
        first, last = self.measured[name]
        return last - first

    def holds(self) -> bool:
        """Whether nothing grew."""
        return self.more("descriptors") <= 0 and self.more("blocks") <= MORE_BLOCKS and self.more("bytes") <= MORE_BYTES


@contextmanager
def serving(growth: Growth) -> Iterator[str]:
    """Run a server in another process and give its URL; store its connections and the time in `growth`."""
    command = [sys.executable, "-m", "tests.keepalive"]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout
        yield server.stdout.readline().strip()
        growth.seconds = time.perf_counter() - begun
        server.stdin.close()
        growth.connections = json.loads(server.stdout.readline())["connections"]


def blocking(requests: int) -> Growth:
    """One client, request after request."""
    growth = Growth(requests)
    with serving(growth) as url, BridgeClient(url) as bridge:
        for number in range(1, requests + 1):
            bridge.billing.get_account_invoices("1")
            growth.at(number)
    return growth


def awaiting(requests: int) -> Growth:
    """One client, IN_FLIGHT requests at a time."""
    growth = Growth(requests)

    async def run(url: str) -> None:
        async with AsyncBridgeClient(url) as bridge:
            for number in range(0, requests, IN_FLIGHT):
                await asyncio.gather(*(bridge.billing.get_account_invoices("1") for _ in range(IN_FLIGHT)))
                growth.at(number + IN_FLIGHT)

    with serving(growth) as url:
        asyncio.run(run(url))
    return growth


def main() -> int:
    """Print a line for each client; return 1 if one grew."""
    kinds: list[tuple[str, Callable[[int], Growth], int]] = [
        ("sync", blocking, 1),
        ("async", awaiting, IN_FLIGHT),
    ]
    grew = False
    for name, run, at_a_time in kinds:
        growth = run(REQUESTS)
        # Idle connections close after some seconds, so tasks open new ones; requests one by one need a single one.
        holds = growth.holds() and (at_a_time > 1 or growth.connections == 1)
        grew |= not holds
        line = f"{name}: {REQUESTS} requests, {at_a_time} at a time, in {growth.seconds:.1f} s; connections {growth.connections}"
        line += (
            f", descriptors {growth.more('descriptors'):+d}, blocks {growth.more('blocks'):+d} (at most {MORE_BLOCKS})"
        )
        line += f", resident {growth.more('bytes') / 1024:+.0f} KiB (at most {MORE_BYTES // 1024})"
        print(f"{line}: {'holds' if holds else 'grew'}")  # noqa: T201 # the output of `make soak`
    return 1 if grew else 0


if __name__ == "__main__":
    sys.exit(main())

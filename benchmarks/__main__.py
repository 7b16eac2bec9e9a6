"""Measure everything: `make bench`. WRITE=1 renews the figures of docs/speed.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial

from benchmarks import account, accounts, decode, generate, peers, startup
from benchmarks.process import MeasuringError
from benchmarks.report import PAGE, Section, blocks, replaced
from benchmarks.server import serving


def measured(folder: str, url: str, scale: float) -> dict[str, Section]:
    """Run all benchmarks, by the names of their blocks in docs/speed.md; `scale` 0 makes one round of each."""
    # With how many seconds each measures; with the environments that `make bench` sets up, below ten minutes.
    benchmarks: dict[str, Callable[[], Section]] = {
        "decode": partial(decode.decoding, folder, scale * 60),
        "dirty": partial(decode.dirt, scale * 32),
        "memory": partial(decode.memory, folder, 10_000 if scale else 1_000),
        "account": partial(account.listing, folder, url, scale * 60),
        "accounts": partial(accounts.listing, url, scale * 100),
        "start": partial(startup.starting, scale * 20),
        "generate": partial(generate.regenerating, folder, scale * 60),
    }
    begun = time.monotonic()
    sections = {}
    for name, benchmark in benchmarks.items():
        print(f"[{time.monotonic() - begun:3.0f} s] {name} ...", file=sys.stderr, flush=True)
        sections[name] = benchmark()
    return sections


def main() -> int:
    """Print the tables; 1 only if something could not be measured, whatever the targets."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew docs/speed.md")
    parser.add_argument("--quick", action="store_true", help="one round of each, to see that it works")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder, serving() as url:
            peers.prepare(folder)
            written = blocks(measured(folder, url, 0 if arguments.quick else 1))
        for name, text in written.items():
            print(f"{name}\n\n{text}")
        if arguments.write:
            PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), written), encoding="utf-8")
    except MeasuringError as error:
        print(f"make bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("make bench: interrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

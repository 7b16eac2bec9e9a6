"""Run all benchmarks: `make bench`. WRITE=1 updates the figures in docs/speed.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial

from benchmarks import account, accounts, decode, generate, peers, startup, tables
from benchmarks.process import MeasuringError
from benchmarks.report import PAGE, Section, blocks, replaced
from benchmarks.server import serving


def measured(folder: str, url: str, scale: float) -> dict[str, Section]:
    """Run all benchmarks.

    Args:
        folder: An empty folder for generated code.
        url: The base URL of the server.
        scale: A factor for the seconds of each benchmark; 0 makes one round of each.

    Returns:
        The sections, by the names of their blocks in docs/speed.md.

    """
    # Seconds for each benchmark: under ten minutes in all, including the environments that `make bench` sets up.
    benchmarks: dict[str, Callable[[], Section]] = {
        "decode": partial(decode.decoding, folder, scale * 60),
        "dirty": partial(decode.dirt, scale * 32),
        "memory": partial(decode.memory, folder, 10_000 if scale else 1_000),
        "account": partial(account.listing, folder, url, scale * 60),
        "list": partial(account.long_list, folder, url, 100_000 if scale else 3_000),
        "accounts": partial(accounts.listing, url, scale * 100),
        "tables": partial(tables.writing, scale * 20),
        "pandas": partial(tables.reading, scale * 10),
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
    """Print the tables. Return 1 only if a measurement failed; missed targets do not count."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--write", action="store_true", help="update docs/speed.md")
    parser.add_argument("--quick", action="store_true", help="one round of each benchmark, to check that they work")
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

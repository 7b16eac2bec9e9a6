"""Measure everything: `make bench`. WRITE=1 renews the figures and the plots of docs/speed.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import account, accounts, decode, drawing, generate, peers, startup
from benchmarks.report import PAGE, SOAK, Found, blocks, replaced
from benchmarks.server import path, serving
from benchmarks.timing import MeasuringError, told

# Seconds: what is measured for how long. With the environments that `make bench` sets up, below ten minutes.
DECODE, STEPS, DIRT, MEMORY, ACCOUNT, ACCOUNTS, START, GENERATE = 30, 8, 32, 20, 24, 40, 20, 30


def measured(folder: Path, scale: float) -> Found:
    """Go through everything, and say where it is."""
    begun = time.monotonic()

    def now(what: str) -> None:
        told(f"[{time.monotonic() - begun:3.0f} s] {what} ...")

    found = Found()
    now("generating the peers, and comparing what they decode")
    names, found.left_out = peers.runnable(folder)
    for name, reason in found.left_out.items():
        told(f"  left out: {name}, since {reason}")
    for size in decode.SIZES:
        now(f"decoding pages of {size:,} invoices")
        found.decoded[size] = decode.decoding(names, folder, size, scale * DECODE)
        found.steps[size] = decode.steps(folder, size, scale * STEPS)
    now("decoding dirty pages")
    found.dirty = decode.dirt(folder, scale * DIRT)
    now("memory, each time in a fresh process")
    found.memory = decode.memory(names, folder, scale * MEMORY)
    with serving() as url:
        for size in account.INVOICES:
            now(f"all pages of one account, {size:,} invoices a page")
            found.account[size] = account.listings(names, folder, url, path(), size, scale * ACCOUNT)
        now("many accounts")
        found.accounts = accounts.listings(folder, url, path(), scale * ACCOUNTS)
    now("starting, each time in a fresh process")
    found.started = startup.starting(scale * START)
    now("regenerating the client")
    found.generated = generate.regenerating(scale * GENERATE)
    now("done")
    return found


def main() -> int:
    """Print the tables; 1 only where something could not be measured, whatever the targets."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew docs/speed.md and its plots")
    parser.add_argument("--quick", action="store_true", help="one sample of each, to see that it works")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = measured(Path(folder), 0 if arguments.quick else 1)
        written = blocks(found)
        for name, text in written.items():
            if name != "targets":
                print(f"{name}\n\n{text}")
        print(f"targets\n\n{written['targets']}", end="")
        if arguments.write:
            PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), written), encoding="utf-8")
            drawing.bars(PAGE.with_name("speed.svg"), found.decoded)
            if SOAK.exists():
                drawing.growth(SOAK.with_suffix(".svg"), SOAK)
    except MeasuringError as error:
        print(f"make bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("make bench: interrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

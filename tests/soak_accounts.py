"""Lists a million invoices of ten thousand accounts, killed and resumed: `make soak ACCOUNTS=1`; smaller in test_accounts.py.

`python -m tests.soak_accounts serve INVOICES` is the bridge. It makes its documented pages of 50 only once, so that the
measurements show the command.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from attrs import field, frozen

from tests.command import COMMAND, environment
from tests.conftest import ROOT

__all__ = ["Sample", "Soak", "pages", "serving", "soak"]

ACCOUNTS, INVOICES, KILLS = 10_000, 100, 5
PER_PAGE = 50
FIGURES = ROOT / "docs" / "soak-accounts.csv"
# The most that a run may grow after its first seconds; memory that grew with the accounts would exceed it.
MORE_BYTES = 8 * 2**20
SETTLED = 3.0
UNNAMED = b"9876543210"
"""The account number in the pages made once, to be replaced in each response."""


def invoice(number: int) -> dict[str, object]:
    """An invoice of the documented shape."""
    item = {
        "name": "Comprehensive cover",
        "amount": "1850.00 usd",
        "description": "Car insurance, yearly, without deductible",
        "installment_number": "1",
        "start_date": "2023-07-22",
        "end_date": "2024-07-21",
    }
    return {
        "invoice_number": f"{UNNAMED.decode()}-{number}",
        "invoice_bill_date": "2023-07-22",
        "invoice_due_date": "2023-08-22",
        "amount": "3700.00 usd",
        "due_amount": "0.00 usd",
        "paid_amount": "3700.00 usd",
        "status": "Paid",
        "payment_method": "card",
        "items": [item, item],
    }


def pages(invoices: int) -> list[bytes]:
    """The bodies of all pages of an account."""
    made = []
    for first in range(0, max(invoices, 1), PER_PAGE):
        numbers = range(first, min(first + PER_PAGE, invoices))
        made.append(json.dumps({"total": invoices, "_embedded": {"invoices": [*map(invoice, numbers)]}}).encode())
    return made


class _Connection(asyncio.Protocol):
    def __init__(self, made: list[bytes]) -> None:
        self._made = [
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            for body in made
        ]
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            asked = re.match(rb"GET /\S*/([0-9]{10})(?:\?page=([0-9]+))? ", head)
            assert asked, head
            assert isinstance(self._transport, asyncio.Transport)
            self._transport.write(self._made[int(asked[2] or 1) - 1].replace(UNNAMED, asked[1]))


async def serve(invoices: int) -> None:
    """Serve until standard input ends; the first line printed is the URL."""
    made = pages(invoices)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(made), "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@contextmanager
def serving(invoices: int) -> Iterator[str]:
    """Run the bridge in another process and give its URL."""
    command = [sys.executable, "-m", "tests.soak_accounts", "serve", str(invoices)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout
        yield server.stdout.readline().strip()
        server.stdin.close()


@frozen
class Sample:
    """Resident and written bytes of one run of the command, `seconds` after the start of the first run."""

    seconds: float
    run: int
    resident: int
    written: int


@frozen
class Soak:
    """The result of a soak."""

    accounts: int
    invoices: int
    seconds: float
    samples: list[Sample] = field(repr=False)
    statuses: list[int]
    """The exit status of each run of the command."""
    found: int
    """Invoices in the output."""
    faults: list[str]
    """Errors in the output."""

    def growth(self) -> int:
        """The most bytes by which a run grew after its first seconds."""
        most, some = 0, max((sample.written for sample in self.samples), default=0) / 20
        for _, run in groupby(self.samples, lambda sample: sample.run):
            first, *samples = run
            # On a busy machine, a run may still be importing after its first seconds.
            begun = (one for one in samples if one.written - first.written >= some)
            settled = [one.resident for one in begun if one.seconds - first.seconds >= SETTLED]
            most = max(most, max(settled, default=0) - (settled or [0])[0])
        return most

    def holds(self) -> bool:
        """Whether nothing is lost or duplicated, and nothing grew."""
        complete = self.found == self.accounts * self.invoices and not self.faults
        return complete and self.statuses[-1] == 0 and self.growth() <= MORE_BYTES


def soak(folder: Path, accounts: int, invoices: int, kills: int, *, pause: float = 0.5) -> Soak:
    """Run the command until it is done, and kill it `kills` times on the way."""
    numbers = [str(1_000_000_000 + number) for number in range(accounts)]
    source, output = folder / "accounts.txt", folder / "invoices.jsonl"
    source.write_text("\n".join(numbers), encoding="ascii")
    part = output.with_name("invoices.jsonl.part")
    size = accounts * sum(map(len, pages(invoices)))
    samples: list[Sample] = []
    statuses: list[int] = []
    begun = time.monotonic()
    with serving(invoices) as url:
        command = [COMMAND, "invoices", "--accounts-file", str(source), "--output", str(output), "--format", "jsonl"]
        while not statuses or (statuses[-1] == -signal.SIGKILL and len(statuses) <= kills):
            number = len(statuses) + 1
            with subprocess.Popen(command, env=environment(URL=url), stderr=subprocess.DEVNULL) as process:
                while process.poll() is None:
                    try:
                        written = part.stat().st_size
                    except FileNotFoundError:  # before the first request, and after the last
                        written = 0
                    if number <= kills and written >= size * number / (kills + 1):
                        process.send_signal(signal.SIGKILL)
                    elif pages_ := _resident(process.pid):
                        samples.append(Sample(time.monotonic() - begun, number, pages_, written))
                    time.sleep(pause)
            statuses.append(process.returncode)
    seconds = time.monotonic() - begun
    found, faults = _count(output, numbers, invoices)
    faults += [f"{left.name} is left" for left in folder.iterdir() if left not in (source, output)]
    return Soak(accounts, invoices, seconds, samples, statuses, found, faults)


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0  # the process has just ended, or this is not Linux


def _count(output: Path, numbers: list[str], invoices: int) -> tuple[int, list[str]]:
    """The number of invoices in the output, and the accounts that are lost, duplicated, or have wrong invoices."""
    found, seen, faults = 0, set[str](), list[str]()
    if not output.exists():
        return 0, ["there is no output"]
    with output.open(encoding="utf-8") as lines:
        for account, rows in groupby(map(json.loads, lines), lambda row: str(row["account_number"])):
            listed = [row["invoice_number"] for row in rows]
            found += len(listed)
            if account in seen or listed != [f"{account}-{number}" for number in range(invoices)]:
                faults.append(f"account {account} is duplicated, or has wrong invoices")
            seen.add(account)
    faults += [f"account {account} is lost" for account in numbers if account not in seen]
    return found, faults


def main() -> int:
    """Print the result and write the samples; return 1 if anything is lost or duplicated, or grew."""
    with tempfile.TemporaryDirectory() as folder:
        done = soak(Path(folder), ACCOUNTS, INVOICES, KILLS)
    with FIGURES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["seconds", "run", "resident_mib", "written_mib"])
        for one in done.samples:
            writer.writerow(
                [f"{one.seconds:.1f}", one.run, f"{one.resident / 2**20:.1f}", f"{one.written / 2**20:.1f}"]
            )
    line = f"{done.found} of {ACCOUNTS * INVOICES} invoices of {ACCOUNTS} accounts in {done.seconds:.0f} s"
    line += f" ({done.found / done.seconds:.0f} a second), killed {done.statuses.count(-signal.SIGKILL)} times"
    line += f"; resident at most {max((one.resident for one in done.samples), default=0) / 2**20:.0f} MiB"
    line += f", grown by {done.growth() / 2**20:.1f} MiB (at most {MORE_BYTES // 2**20})"
    print(f"{line}: {'holds' if done.holds() else 'does not hold'}", *done.faults[:10], sep="\n")  # noqa: T201 # the output of `make soak ACCOUNTS=1`
    return 0 if done.holds() else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(int(sys.argv[2])))
    else:
        sys.exit(main())

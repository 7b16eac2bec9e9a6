"""The command `invoices` with `--accounts-file`: the invoices of many accounts, into a file that grows with them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, aclosing
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryDirectory
from typing import IO, Any

from attrs import define
from talkdesk_bridge import AsyncBridgeClient, Retry, errors
from talkdesk_bridge._json import read_json
from talkdesk_bridge._settings import Settings
from talkdesk_bridge._transport import stays_in_its_segment
from talkdesk_bridge.models import InvoiceDetails

from talkdesk_bridge_cli.exit import awaited, exit_status, fail, held, printable, status_of, tell
from talkdesk_bridge_cli.formats import as_line, csv_lines
from talkdesk_bridge_cli.growing import Growing, growing
from talkdesk_bridge_cli.output import destination, file_of
from talkdesk_bridge_cli.run import Run, account_name, sent_in, started

__all__ = ["list_many"]

# Of an account, bytes that are kept in memory until it is whole; the rest waits on the disk.
IN_MEMORY = 2**20
# Characters of a line that is still read as an account.
LONGEST = 1000
# Accounts in a row that a server fails for before nobody asks it for more.
MOST_FAILURES_IN_A_ROW = 20


@define
class Lines:
    """All invoices of an account, as JSON lines, and the names of all of their fields."""

    file: IO[bytes]
    columns: dict[str, None]
    items: int = 0


def list_many(
    source: str, *, per_page: int | None, form: str, at_once: int, skip_failed: bool, output: str | None, **how: Any
) -> None:
    """Write the invoices of the accounts that a file names, or go on with it.

    Args:
        source: The file's name, or `-` for standard input.
        per_page: Invoices a page.
        form: `jsonl` or `csv`.
        at_once: Accounts that are asked for at a time.
        skip_failed: Whether to write the output without the accounts that failed.
        output: As for `destination`.
        how: The options of `started`.

    """
    with started(**how) as (run, settings, options), ExitStack() as stack:
        bridge = _client(settings, options)
        path = file_of(output)
        with ExitStack() as tried:  # a name that cannot be used is told now
            run.output = (tried if path else stack).enter_context(destination(output))
        place = path or Path(stack.enter_context(TemporaryDirectory(prefix="talkdesk-bridge-"))) / "invoices"
        of = {"base URL": settings.base_url, "--format": form, "--strict": str(how["strict"])}
        grown = stack.enter_context(growing(place, of, _accounts(source)))
        if grown.done:
            told = f"{grown.part} was begun at {grown.begun}, and has {grown.done} of {grown.total} accounts"
            tell(printable(f"{told}: going on. To begin anew, delete it first."))
        try:
            stopped = awaited(partial(_ask, run, bridge, grown, per_page=per_page, at_once=at_once))
            failed = 0 if stopped else _tell_failures(grown)
            if not stopped and (skip_failed or not failed):
                if path:
                    run.output = stack.enter_context(destination(output, part=f"{path.name}.whole"))
                run.output.write(_written(form, grown))
                grown.finished = True
        finally:
            with held():
                if path and not grown.finished and (kept := grown.keep()):
                    told = f"{kept} of {grown.total} accounts are kept in {grown.part}"
                    tell(printable(f"{told}, where the same command goes on."))
        if stopped:
            account, error = stopped
            with exit_status(f"account {account}: "):
                raise error
        if failed:
            lost = "" if path or skip_failed else " With --output FILE, the others are kept."
            then = "are not in the output" if skip_failed else "so nothing is written; --skip-failed writes the others"
            raise fail(f"{grown.total - grown.done} of {grown.total} accounts failed, and {then}.{lost}", failed)


def _client(settings: Settings, options: dict[str, Any]) -> AsyncBridgeClient:
    """A client with `bulk` where that can be had."""
    try:
        return AsyncBridgeClient(settings.base_url, auth=settings.auth, bulk=True, **options)
    except errors.ConfigurationError as error:
        slower = AsyncBridgeClient(settings.base_url, auth=settings.auth, **options)
        tell(printable(f"Slower than it could be: {error}"))
        return slower


def _accounts(source: str) -> Iterator[str]:
    """The accounts that a file names, or standard input, which is `-`."""
    where, number, found = f"--accounts-file: {source}", 0, False
    try:
        with Path(source).open("rb") if source != "-" else sys.stdin.buffer as file:
            while line := file.readline(LONGEST):
                number += 1
                if len(line) == LONGEST:
                    raise fail(f"{where}, line {number}: too long for an account number.", 2)
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if account := re.sub(r"(^|\s)#.*", "", text.rstrip()).strip():
                    if not stays_in_its_segment(account):
                        told = "no account number, since it has a control character, or leads elsewhere as a path"
                        raise fail(f"{where}, line {number}: {told}.", 2)
                    found = True
                    yield account
    except OSError as error:
        raise fail(f"{where} cannot be read: {error.strerror}.", 2) from None
    except UnicodeDecodeError:
        raise fail(f"{where}, line {number}: not UTF-8 text.", 2) from None
    if not found:
        raise fail(f"{where} names no account: put one on each line.", 2)


async def _ask(
    run: Run, bridge: AsyncBridgeClient, grown: Growing, *, per_page: int | None, at_once: int
) -> tuple[str, errors.BridgeError] | None:
    """Ask for all that is not there; what ended it early, and at which account, where anything did."""
    method = bridge.billing.iter_account_invoices
    waiting: set[IO[bytes]] = set()  # to be closed, also where nobody takes them

    async def lines_of(account: str) -> Lines:
        # On the same disk, which has to hold them anyway.
        spool = SpooledTemporaryFile(IN_MEMORY, dir=str(grown.part.parent))  # noqa: SIM115 # closed below
        lines = Lines(spool, {})
        waiting.add(spool)
        try:
            invoices = method(account, per_page=per_page)
            async for _ in invoices.pages():
                for sent in sent_in(invoices.response, "invoices"):
                    invoice = {account_name(): account, **sent}
                    lines.columns.update(dict.fromkeys(invoice))
                    spool.write(as_line(invoice))
                    lines.items += 1
            spool.seek(0)
        except BaseException:
            done_with(spool)
            raise
        return lines

    def done_with(spool: IO[bytes]) -> None:
        spool.close()
        waiting.discard(spool)

    in_a_row = 0
    try:
        async with bridge, aclosing(bridge.each(lines_of, grown.pending(), at_once=at_once)) as results:
            with run.progress() as show:
                async for account, result in results:
                    if isinstance(result, errors.BridgeError):
                        run.refused(result)
                        if _concerns_all(result):
                            return account, result
                        status = status_of(result)
                        grown.fail(account, status, str(result))
                        in_a_row = in_a_row + 1 if status == 5 else 0
                        if in_a_row == MOST_FAILURES_IN_A_ROW:
                            return account, result
                    else:
                        in_a_row = 0
                        grown.add(account, result.file, result.items, result.columns)
                        done_with(result.file)
                    show(f"{grown.done} of {grown.total} accounts, {grown.items} invoices")
    finally:
        for spool in [*waiting]:
            done_with(spool)
    return None


def _concerns_all(error: errors.BridgeError) -> bool:
    """Whether it would be the same for every other account."""
    if isinstance(error, errors.StatusError) and (error.retry_after or 0) > Retry().retry_after_max:
        return True
    return isinstance(error, errors.ConfigurationError | errors.AuthenticationError | errors.UnauthorizedError)


def _tell_failures(grown: Growing) -> int:
    """Tell each account that failed, and why; the exit status: 5 where a later try may cure any, 7 else, 0 for none."""
    worst = 0
    for account, status, reason in grown.failures():
        tell(printable(f"account {account}: {reason}"))
        worst = 5 if 5 in (status, worst) else 7
    return worst


def _written(form: str, grown: Growing) -> Iterator[bytes]:
    if form == "jsonl":
        return grown.lines()
    columns = dict.fromkeys([account_name(), *InvoiceDetails.FIELDS, *grown.columns()])
    return csv_lines(map(read_json, grown.lines()), [*columns])

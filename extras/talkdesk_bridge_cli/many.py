"""The command `invoices` with `--accounts-file`: the invoices of many accounts, resumed after whatever ended it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from talkdesk_bridge import AsyncBridgeClient, Retry, errors
from talkdesk_bridge.models import InvoiceDetails

from talkdesk_bridge_cli.exit import CommandError, bridge_errors, printable, report, status_of
from talkdesk_bridge_cli.formats import as_data, columns_of, csv_lines, from_json
from talkdesk_bridge_cli.output import Output
from talkdesk_bridge_cli.run import Run, account_name, rows_of, started
from talkdesk_bridge_cli.signals import run_until_signalled
from talkdesk_bridge_cli.store import Store, stored

__all__ = ["list_many"]

LONGEST_LINE = 1000
"""Bytes of a line that may still be an account number."""
MOST_FAILURES_IN_A_ROW = 20
"""Accounts in a row for which the server fails before it is asked for no more."""


def list_many(
    source: BinaryIO,
    *,
    per_page: int | None,
    form: str,
    at_once: int,
    skip_failed: bool,
    output: str | None,
    **how: Any,
) -> None:
    """Write the invoices of the accounts that a file names, or go on with it.

    Args:
        source: The accounts, one on each line.
        per_page: Invoices a page.
        form: `jsonl` or `csv`.
        at_once: Accounts that are asked for at a time.
        skip_failed: Whether to write the output without the accounts that failed.
        output: As for `Output`.
        how: The options of `Run`.

    """
    with started(**how) as run, TemporaryDirectory(prefix="talkdesk-bridge-") as folder:
        run.output = Output(output)
        client: AsyncBridgeClient = run.connect(AsyncBridgeClient)
        place = run.output.path or Path(folder) / "invoices"
        run.output.temporary = f"{place.name}.whole"  # one name, so that what a killed process left is overwritten
        settings = {"base URL": client.base_url, "--format": form, "--strict": str(how["strict"])}
        with stored(place.with_name(f"{place.name}.part"), settings, _accounts(source)) as store:
            if store.done:
                has = f"{store.path} was begun at {store.begun}, and has {store.done} of {store.total} accounts"
                report(printable(f"{has}: going on. To begin anew, delete it first."))
            try:
                status = run_until_signalled(partial(_ask, run, client, store, per_page=per_page, at_once=at_once))
                if skip_failed or not status:
                    run.output.write(_written(form, store, account_name(client)))
                    store.finished = True
            finally:
                if run.output.path and not store.finished and (kept := store.keep()):
                    has = f"{kept} of {store.total} accounts are kept in {store.path}"
                    report(printable(f"{has}: the same command goes on from there."))
        if status:
            raise _failure(store, status, to_file=run.output.path is not None)


def _failure(store: Store, status: int, *, to_file: bool) -> CommandError:
    failed = f"{store.total - store.done} of {store.total} accounts failed"
    if store.finished:
        return CommandError(f"{failed}, and are not in the output.", status)
    lost = "" if to_file else " With --output FILE, the others are kept."
    return CommandError(f"{failed}, so nothing is written; --skip-failed writes the others.{lost}", status)


def _accounts(source: BinaryIO) -> Iterator[str]:
    """The accounts of a file: a line each, without comments and blank lines."""
    where, number, found = f"--accounts-file: {source.name}", 0, False
    try:
        for number, line in enumerate(iter(partial(source.readline, LONGEST_LINE), b""), 1):
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            account = re.sub(r"(^|\s)#.*", "", text.rstrip()).strip()
            if len(line) == LONGEST_LINE or not account.isprintable():
                problem = "too long, or with a control character: put one account on each line"
                raise CommandError(f"{where}, line {number}: {problem}.", 2)
            if account:
                found = True
                yield account
    except OSError as error:
        raise CommandError(f"{where} cannot be read: {error.strerror}.", 2) from None
    except UnicodeDecodeError:
        raise CommandError(f"{where}, line {number}: not UTF-8 text.", 2) from None
    if not found:
        raise CommandError(f"{where} names no account: put one on each line.", 2)


async def _ask(run: Run, client: AsyncBridgeClient, store: Store, *, per_page: int | None, at_once: int) -> int:
    """Ask for all accounts that are not complete.

    Returns:
        The exit status: 0 if no account failed, 5 if one of those that failed may work later, otherwise 7.

    Raises:
        CommandError: what would be the same for every other account.

    """
    name, worst, in_a_row = account_name(client), 0, 0

    async def take_pages(account: str) -> int:
        count, invoices = 0, client.billing.iter_account_invoices(account, per_page=per_page)
        async for _ in invoices.pages():
            rows = [{name: account, **invoice} for invoice in rows_of(invoices.response.data, "invoices")]
            store.add_page(account, as_data("jsonl", rows))
            count += len(rows)
        return count

    async with client, aclosing(client.each(take_pages, store.pending(), at_once=at_once)) as results:
        with run.progress() as show:
            async for account, result in results:
                if isinstance(result, errors.BridgeError):
                    status = status_of(result)
                    in_a_row = in_a_row + 1 if status == 5 else 0
                    worst = 5 if 5 in (status, worst) else 7
                    run.explain(result)
                    if in_a_row == MOST_FAILURES_IN_A_ROW or _concerns_all(result):
                        with bridge_errors(f"account {account}: "):
                            raise result
                    report(printable(f"account {account}: {result}"))
                else:
                    in_a_row = 0
                    store.complete(account, result)
                show(f"{store.done} of {store.total} accounts, {store.invoices} invoices")
    return worst


def _concerns_all(error: errors.BridgeError) -> bool:
    """Whether every other account would fail in the same way."""
    if isinstance(error, errors.StatusError) and (error.retry_after or 0) > Retry().retry_after_max:
        return True
    return isinstance(error, errors.ConfigurationError | errors.AuthenticationError | errors.UnauthorizedError)


def _written(form: str, store: Store, name: str) -> Iterable[bytes]:
    if form == "jsonl":
        return store.pages()
    columns = columns_of(_rows(store), [name, *InvoiceDetails.FIELDS])
    return csv_lines(_rows(store), columns)


def _rows(store: Store) -> Iterator[dict[str, Any]]:
    return (from_json(line) for page in store.pages() for line in page.splitlines())

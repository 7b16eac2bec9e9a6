"""The command `invoices` with `--accounts-file`: the invoices of many accounts, resumed after an interruption."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from talkdesk_bridge import AsyncBridgeClient, Retry, errors

from talkdesk_bridge_cli.account import AccountInvoices, account_invoices
from talkdesk_bridge_cli.exit import CommandError, bridge_errors, printable, report
from talkdesk_bridge_cli.formats import as_data, columns_of, csv_lines, from_json, parquet_parts
from talkdesk_bridge_cli.output import Output
from talkdesk_bridge_cli.run import Run, in_total, new_run
from talkdesk_bridge_cli.signals import run_until_signalled
from talkdesk_bridge_cli.store import Store, stored

MAX_LINE = 1000
"""Bytes; no account number is that long."""
MAX_FAILURES_IN_A_ROW = 20
"""The command ends when the server has failed for this many accounts in a row."""


def list_many(
    source: BinaryIO,
    *,
    per_page: int | None,
    limit: int | None,
    output_format: str,
    at_once: int,
    skip_failed: bool,
    output: str | None,
    **options: Any,
) -> None:
    """Write the invoices of the accounts in a file, resuming an earlier call that was interrupted.

    Args:
        source: The accounts, one per line.
        per_page: Invoices per page; None for the bridge's default.
        limit: The first invoices of each account; None for all.
        output_format: `jsonl`, `csv` or `parquet`.
        at_once: Request at most this many accounts at a time.
        skip_failed: Whether to write the output without the accounts that failed.
        output: The name of the file, as for `Output`.
        options: The arguments of `Run`.

    """
    wanted = account_invoices()
    with new_run(**options) as run, TemporaryDirectory(prefix="talkdesk-bridge-") as folder:
        run.output = Output(output)
        if run.output.is_same(source):
            raise CommandError(f"--output: {output} is the file of --accounts-file: choose another one.", 2)
        client: AsyncBridgeClient = run.connect(AsyncBridgeClient)
        place = run.output.path or Path(folder) / "invoices"
        settings = {"base URL": client.base_url, "--format": output_format, "--strict": str(options["strict"])}
        settings["--limit"] = str(limit)
        part = place.with_name(f"{place.name}.part")
        with stored(part, run.output.mode, settings, _accounts(source), run.output.temporary) as store:
            run.output.temporary = store.temporary
            if store.done:
                done = f"{store.done} of {store.total} accounts are complete"
                run.inform(f"Resuming {store.path}, started {store.started}: {done}. Delete it to start over.")
            try:
                request = partial(_request, run, client, store, wanted, per_page=per_page, limit=limit, at_once=at_once)
                status = run_until_signalled(request)
                if skip_failed or not status:
                    run.output.write(_parts(output_format, store, wanted))
                    store.finished = True
            finally:
                if run.output.path and not store.finished and (count := store.save()):
                    saved = f"{count} of {store.total} accounts are saved in {store.path}"
                    report(printable(f"{saved}. Run the same command again to resume."))
        if not status:
            run.done = in_total(store.invoices, store.done, limit)
    if status:
        raise _failure(store, status, to_file=run.output.path is not None)


def _failure(store: Store, status: int, *, to_file: bool) -> CommandError:
    failed = f"{store.total - store.done} of {store.total} accounts failed"
    if store.finished:
        return CommandError(f"{failed} and are not in the output.", status)
    hint = "" if to_file else ", or --output FILE to save them for the next call"
    others = f" Use --skip-failed to write the other accounts{hint}." if store.done else ""
    return CommandError(f"{failed}, so nothing was written.{others}", status)


def _accounts(source: BinaryIO) -> Iterator[str]:
    """The accounts in a file, one per line, without comments and blank lines."""
    file, number, found = f"--accounts-file: {source.name}", 0, False
    try:
        for number, line in enumerate(iter(partial(source.readline, MAX_LINE), b""), 1):
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            account = re.sub(r"(^|\s)#.*", "", text.rstrip()).strip()
            if len(line) == MAX_LINE or not account.isprintable():
                problem = "is too long or has a control character: put one account on each line"
                raise CommandError(f"{file}, line {number} {problem}.", 2)
            if account:
                found = True
                yield account
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.", 2) from None
    except UnicodeDecodeError:
        raise CommandError(f"{file}, line {number} is not UTF-8 text.", 2) from None
    if not found:
        raise CommandError(f"{file} has no accounts: put one on each line.", 2)


async def _request(
    run: Run,
    client: AsyncBridgeClient,
    store: Store,
    wanted: AccountInvoices,
    *,
    per_page: int | None,
    limit: int | None,
    at_once: int,
) -> int:
    """Request all accounts that are not complete yet.

    Returns:
        The exit status: 0 if no account failed, 5 if a failed account may work later, otherwise 7.

    Raises:
        CommandError: an error that every other account would get, too.

    """
    failures = _Failures()

    async def take_pages(account: str) -> int:
        count, invoices = 0, wanted.items(client, account, per_page=per_page, max_items=limit)

        def restart() -> None:
            nonlocal count
            count = 0
            store.discard(account)

        with run.at(f"account {account}"):
            async for _ in invoices.pages(restart=restart):
                rows = wanted.rows(account, wanted.shape.found(invoices.response.data))[: limit and limit - count]
                store.add_page(account, as_data("jsonl", rows))
                count += len(rows)
        return count

    async with client, aclosing(client.each(take_pages, store.pending(), at_once=at_once)) as results:
        with run.progress() as show:
            async for account, result in results:
                if isinstance(result, errors.BridgeError):
                    failures.add(account, result)
                else:
                    failures.in_a_row = 0
                    store.complete(account, result)
                show(f"{store.done} of {store.total} accounts, {store.invoices} invoices")
    return failures.status


class _Failures:
    def __init__(self) -> None:
        self.in_a_row = 0
        """The failures of the server since the last account that is complete, or failed for another reason."""
        self.status = 0
        """The exit status of `_request`."""

    def add(self, account: str, error: errors.BridgeError) -> None:
        """Report a failed account; raise CommandError if the error ends the run."""
        try:
            with bridge_errors(f"account {account}: "):
                raise error
        except CommandError as failure:
            self.in_a_row = self.in_a_row + 1 if failure.status == 5 else 0
            self.status = 5 if 5 in (failure.status, self.status) else 7
            if self.in_a_row == MAX_FAILURES_IN_A_ROW or _affects_all_accounts(error):
                raise
            report(printable(str(failure)))


def _affects_all_accounts(error: errors.BridgeError) -> bool:
    """Whether all other accounts would fail in the same way."""
    if isinstance(error, errors.StatusError) and (error.retry_after or 0) > Retry().retry_after_max:
        return True
    return isinstance(error, errors.AFFECT_ALL_CALLS)


def _parts(output_format: str, store: Store, wanted: AccountInvoices) -> Iterable[bytes]:
    if output_format == "jsonl":
        return (lines for _, lines in store.pages())
    if output_format == "parquet":
        pages = ((account, _invoices(account, lines, wanted.name)) for account, lines in store.pages())
        return parquet_parts(wanted.info.item, pages)
    return csv_lines(_rows(store), columns_of(_rows(store), [wanted.name, *wanted.info.item.FIELDS]))


def _invoices(account: str, lines: bytes, name: str) -> Iterator[dict[str, Any]]:
    """The invoices of a page as sent, without the account that was added."""
    for line in lines.splitlines():
        row: dict[str, Any] = from_json(line)
        yield {key: value for key, value in row.items() if (key, value) != (name, account)}


def _rows(store: Store) -> Iterator[dict[str, Any]]:
    return (from_json(line) for _, page in store.pages() for line in page.splitlines())

"""The command `invoices`: all invoices of the given accounts; the table ends with one total per currency."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text
from talkdesk_bridge import Money, Totals

from talkdesk_bridge_cli.account import account_invoices
from talkdesk_bridge_cli.exit import bridge_errors, coloured, counted, printable
from talkdesk_bridge_cli.formats import as_data, columns_of, csv_lines, parquet_parts
from talkdesk_bridge_cli.output import Output
from talkdesk_bridge_cli.run import connected_run, in_total, limited_by

LONGEST_CELL = 200
"""Characters; the other formats cut nothing."""
TEXTS = {
    "number": "invoice_number",
    "bill date": "invoice_bill_date",
    "due date": "invoice_due_date",
    "status": "status",
}
"""The attribute of each column that is before the amounts."""


def list_invoices(
    accounts: Iterable[str], *, per_page: int | None, limit: int | None, output_format: str, **options: Any
) -> None:
    """Print the invoices of the accounts after all of them have arrived.

    Args:
        accounts: Account numbers.
        per_page: Invoices per page; None for the bridge's default.
        limit: The first invoices of each account; None for all.
        output_format: `table`, `json`, `jsonl`, `csv` or `parquet`.
        options: The arguments of `connected_run`.

    """
    wanted = account_invoices(*(TEXTS.values() if output_format == "table" else ()))
    with connected_run(**options) as run:
        listed: dict[str, list[Any]] = {}
        for account in dict.fromkeys(accounts):
            place = f"account {account or '(empty)'}"
            with bridge_errors(f"{place}: "):
                items = wanted.items(run.client, account, per_page=per_page, max_items=limit)
                listed[account] = run.collect(place, items, wanted.shape, limit)
        rows = [row for account, invoices in listed.items() for row in wanted.rows(account, invoices)]
        if output_format == "table":
            models = {account: [*map(wanted.info.item.from_dict, invoices)] for account, invoices in listed.items()}
            amounts = {name.replace("_", " "): name for name in wanted.info.item.AMOUNTS}
            text = _tables(models, amounts, limited_by(limit), run.output)
            run.output.write([text.encode("utf-8" if run.output.path else sys.stdout.encoding, "backslashreplace")])
        elif output_format == "parquet":
            run.output.write(parquet_parts(wanted.info.item, listed.items()))
        elif output_format == "csv":
            run.output.write(csv_lines(rows, columns_of(rows, [wanted.name, *wanted.info.item.FIELDS])))
        else:
            run.output.write([as_data(output_format, rows)])
        if output_format != "table" or not run.output.is_terminal():  # there, the table's end says it
            run.done = in_total(len(rows), len(listed), limit)


def _tables(models: Mapping[str, list[Any]], amounts: Mapping[str, str], limited: str, output: Output) -> str:
    """One table per account and, if there are several, the totals of all."""
    tables = {account: _table(invoices, amounts, limited, output) for account, invoices in models.items()}
    if len(tables) == 1:
        return "".join(tables.values())
    parts = [f"account {printable(account)}\n{table}" for account, table in tables.items()]
    all_invoices = [invoice for invoices in models.values() for invoice in invoices]
    return "\n".join([*parts, f"{len(tables)} accounts\n{_summary(all_invoices, amounts, output)}"])


def _totals(invoices: Sequence[Any], amounts: Mapping[str, str]) -> dict[str, Totals]:
    """The totals of each column of amounts."""
    return {column: Money.totals(getattr(one, name) for one in invoices) for column, name in amounts.items()}


def _left_out(totals: Mapping[str, Totals]) -> list[str]:
    """A line about the amounts that are not in the totals; empty if there are none."""
    counts = {
        "missing": sum(one.absent for one in totals.values()),
        "unreadable": sum(one.unreadable for one in totals.values()),
    }
    left_out = " and ".join(counted(count, f"{kind} amount") for kind, count in counts.items() if count)
    if not left_out:
        return []
    has_sums = any(one.sums for one in totals.values())
    return [f"* not counting {left_out}" if has_sums else f"no totals, because of {left_out}"]


def _table(invoices: Sequence[Any], amounts: Mapping[str, str], limited: str, output: Output) -> str:
    table, totals = _columns(TEXTS, amounts), _totals(invoices, amounts)
    for invoice in invoices:
        table.add_row(*(_cell(getattr(invoice, name)) for name in (*TEXTS.values(), *amounts.values())))
    if any(one.sums for one in totals.values()):
        table.add_section()
    left_out = _left_out(totals)
    _add_totals(table, totals, [""] * (len(TEXTS) - 1), left_out)
    return _rendered([table], [f"{counted(len(invoices), 'invoice')}{limited}", *left_out], output)


def _summary(invoices: Sequence[Any], amounts: Mapping[str, str], output: Output) -> str:
    """The totals of several accounts, without the columns that would be empty."""
    totals = _totals(invoices, amounts)
    shown, left_out = {column: one for column, one in totals.items() if one.sums}, _left_out(totals)
    table = _columns([""], shown)
    _add_totals(table, shown, [], left_out)
    return _rendered([table] if shown else [], [counted(len(invoices), "invoice"), *left_out], output)


def _columns(texts: Iterable[str], amounts: Iterable[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0)
    for name in texts:
        table.add_column(name, no_wrap=True)
    for name in amounts:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _add_totals(table: Table, totals: Mapping[str, Totals], empty: Iterable[str], left_out: list[str]) -> None:
    mark = " *" if left_out else ""
    for currency in sorted({currency or "" for one in totals.values() for currency in one.sums}):
        label = f"total {currency}" if currency else "total, no currency"
        sums = (one.sums.get(currency or None) for one in totals.values())
        cells = (_cell("" if money is None else f"{money.amount:f}") for money in sums)
        table.add_row(Text(f"{label}{mark}"), *empty, *cells, style="bold")


def _cell(value: str | date | None) -> Text:
    """A value as text of limited length, without control characters and markup."""
    text = value.isoformat() if isinstance(value, date) else value or ""
    if len(text) > LONGEST_CELL:
        text = f"{text[: LONGEST_CELL - 1]}\N{HORIZONTAL ELLIPSIS}"
    return Text(printable(text))


def _rendered(tables: Iterable[Table], footer: Iterable[str], output: Output) -> str:
    """The tables and the footer in the colours of the output. No line is wrapped."""
    colour = output.is_terminal() and coloured(sys.stdout)
    file = io.StringIO()
    console = Console(file=file, width=10**7, force_terminal=colour, color_system="standard" if colour else None)
    for table in tables:
        console.print(table, soft_wrap=True, highlight=False)
    return "".join(f"{line.rstrip(' ')}\n" for line in [*file.getvalue().split("\n")[:-1], *footer])

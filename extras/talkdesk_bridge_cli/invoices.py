"""The command `invoices`: all invoices of the given accounts; the table ends with one total per currency."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from attrs import define, field
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text
from talkdesk_bridge import Money, errors
from talkdesk_bridge.models import InvoiceDetails

from talkdesk_bridge_cli.exit import bridge_errors, coloured, printable
from talkdesk_bridge_cli.formats import as_data, columns_of, csv_lines
from talkdesk_bridge_cli.output import Output
from talkdesk_bridge_cli.run import account_name, connected_run

__all__ = ["list_invoices"]

TEXTS = ("number", "bill date", "due date", "status")
AMOUNTS = {name.replace("_", " "): name for name in InvoiceDetails.AMOUNTS}
"""The attribute of each column."""


def list_invoices(accounts: Iterable[str], *, per_page: int | None, output_format: str, **options: Any) -> None:
    """Print the invoices of the accounts after all of them have arrived.

    Args:
        accounts: Account numbers.
        per_page: Invoices per page; None for the bridge's default.
        output_format: `table`, `json`, `jsonl` or `csv`.
        options: The arguments of `connected_run`.

    """
    with connected_run(**options) as run:
        iterate, name = run.client.billing.iter_account_invoices, account_name(run.client)
        listed: dict[str, list[Any]] = {}
        for account in dict.fromkeys(accounts):
            place = f"account {account or '(empty)'}"
            with bridge_errors(f"{place}: "):
                listed[account] = run.collect(place, iterate(account, per_page=per_page), "invoices")
        # A field of this name that the bridge sends takes precedence.
        rows = [{name: account, **invoice} for account, invoices in listed.items() for invoice in invoices]
        if output_format == "table":
            run.output.write([_tables(listed, run.output)])
        elif output_format == "csv":
            run.output.write(csv_lines(rows, columns_of(rows, [name, *InvoiceDetails.FIELDS])))
        else:
            run.output.write([as_data(output_format, rows)])


def _tables(listed: Mapping[str, list[Any]], output: Output) -> bytes:
    """One table per account and, if there are several, the totals of all."""
    models = {account: [*map(InvoiceDetails.from_dict, invoices)] for account, invoices in listed.items()}
    if len(models) == 1:
        return b"".join(_table(invoices, output) for invoices in models.values())
    parts = [f"account {printable(account)}\n".encode() + _table(models[account], output) for account in models]
    all_invoices = [invoice for invoices in models.values() for invoice in invoices]
    return b"\n".join([*parts, f"{len(models)} accounts\n".encode() + _table(all_invoices, output, rows=False)])


@define
class _Totals:
    """Sums by currency and column, and the number of amounts that are not in them."""

    sums: dict[str, dict[str, Money]] = field(factory=dict)
    missing: int = 0
    unreadable: int = 0

    def add(self, column: str, text: str | None) -> None:
        if text is None:
            self.missing += 1
            return
        try:
            money = Money.parse(text)
        except errors.ArgumentError:
            self.unreadable += 1
            return
        sums = self.sums.setdefault(money.currency or "", {})
        sums[column] = sums[column] + money if column in sums else money

    def left_out(self) -> str:
        """The amounts that are not in the sums, in words; empty if there are none."""
        counts = {"missing": self.missing, "unreadable": self.unreadable}
        return " and ".join(f"{count} {kind} amount{_plural(count)}" for kind, count in counts.items() if count)


def _table(invoices: Sequence[InvoiceDetails], output: Output, *, rows: bool = True) -> bytes:
    table, totals = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0), _Totals()
    for name in (*TEXTS, *AMOUNTS):
        table.add_column(name, justify="right" if name in AMOUNTS else "left", no_wrap=True)
    for invoice in invoices:
        amounts = [getattr(invoice, name) for name in AMOUNTS.values()]
        for column, text in zip(AMOUNTS, amounts, strict=True):
            totals.add(column, text)
        if rows:
            texts = (invoice.invoice_number, invoice.invoice_bill_date, invoice.invoice_due_date, invoice.status)
            table.add_row(*map(_cell, (*texts, *amounts)))
    if totals.sums and rows:
        table.add_section()
    left_out = totals.left_out()
    _add_totals(table, totals, " *" if left_out else "")
    footer = [f"{len(invoices)} invoice{_plural(len(invoices))}"]
    if left_out:
        footer.append(f"* not counting {left_out}" if totals.sums else f"no totals, because of {left_out}")
    return _rendered(table, footer, output)


def _add_totals(table: Table, totals: _Totals, mark: str) -> None:
    for currency, sums in sorted(totals.sums.items()):
        label = f"total {currency}" if currency else "total, no currency"
        cells = [f"{sums[column].amount:f}" if column in sums else "" for column in AMOUNTS]
        table.add_row(Text(f"{label}{mark}"), *[""] * (len(TEXTS) - 1), *cells, style="bold")


def _cell(value: str | date | None) -> Text:
    """A value as text, without control characters and markup."""
    return Text(printable(value.isoformat() if isinstance(value, date) else value or ""))


def _rendered(table: Table, footer: Iterable[str], output: Output) -> bytes:
    """The table and its footer in the colours and the encoding of the output. No line is cut or wrapped."""
    colour = output.is_terminal() and coloured(sys.stdout)
    file = io.StringIO()
    console = Console(file=file, width=10**7, force_terminal=colour, color_system="standard" if colour else None)
    console.print(table, soft_wrap=True, highlight=False)
    text = re.sub(" +\n", "\n", file.getvalue()) + "".join(f"{line}\n" for line in footer)
    return text.encode("utf-8" if output.path else sys.stdout.encoding, "backslashreplace")


def _plural(count: int) -> str:
    return "" if count == 1 else "s"

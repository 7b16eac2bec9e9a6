"""The command `invoices`: all invoices of some accounts; the table has totals for each currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.text import Text
from talkdesk_bridge import Money, errors
from talkdesk_bridge.models import InvoiceDetails, InvoiceDetailsResponse

from talkdesk_bridge_cli.exit import exit_status, printable
from talkdesk_bridge_cli.formats import as_data, as_table, cell, new_table
from talkdesk_bridge_cli.output import Destination
from talkdesk_bridge_cli.run import account_name, asking

__all__ = ["list_invoices"]

TEXTS = ("number", "bill date", "due date", "status")
AMOUNTS = ("amount", "paid", "due")


def list_invoices(accounts: Iterable[str], *, per_page: int | None, form: str, **how: Any) -> None:
    """Print the invoices of the accounts; all of them are here before the first byte goes out.

    Args:
        accounts: Their numbers.
        per_page: Invoices a page.
        form: One of FORMATS.
        how: The options of `asking`.

    """
    with asking(**how) as run:
        method, name = run.bridge.billing.iter_account_invoices, account_name()
        listed: dict[str, list[InvoiceDetails]] = {}
        rows: list[dict[str, Any]] = []
        for account in dict.fromkeys(accounts):
            place = f"account {account}"
            with exit_status(f"{place}: "):
                listed[account], sent = run.collect(place, "invoices", method(account, per_page=per_page), _invoices_of)
            # What the bridge itself sends under this name stays.
            rows += ({name: account, **invoice} for invoice in sent)
        if form == "table":
            run.output.write([_tables(listed, run.output)])
        else:
            run.output.write([as_data(form, rows, rows, [name, *InvoiceDetails.FIELDS])])


def _invoices_of(body: InvoiceDetailsResponse) -> list[InvoiceDetails] | None:
    return body.embedded.invoices if body.embedded else None


def _tables(listed: Mapping[str, list[InvoiceDetails]], output: Destination) -> bytes:
    """A table for each account, and one of the totals of all where there are several."""
    if len(listed) == 1:
        return b"".join(_table(invoices, output) for invoices in listed.values())
    parts = [
        f"account {printable(account)}\n".encode() + _table(invoices, output) for account, invoices in listed.items()
    ]
    together = [invoice for invoices in listed.values() for invoice in invoices]
    return b"\n".join([*parts, f"{len(listed)} accounts\n".encode() + _table(together, output, rows=False)])


def _table(invoices: list[InvoiceDetails], output: Destination, *, rows: bool = True) -> bytes:
    table = new_table((*TEXTS, *AMOUNTS), right=AMOUNTS)
    totals: dict[str, dict[str, Money]] = {}
    unread = absent = 0
    for invoice in invoices:
        amounts = dict(zip(AMOUNTS, (invoice.amount, invoice.paid_amount, invoice.due_amount), strict=True))
        for column, text in amounts.items():
            if text is None:
                absent += 1
                continue
            try:
                money = Money.parse(text)
            except errors.ArgumentError:
                unread += 1
                continue
            sums = totals.setdefault(money.currency or "", {})
            sums[column] = sums[column] + money if column in sums else money
        texts = (invoice.invoice_number, invoice.invoice_bill_date, invoice.invoice_due_date, invoice.status)
        if rows:
            table.add_row(*map(cell, (*texts, *amounts.values())))
    if totals and rows:
        table.add_section()
    counted = ((absent, "absent amount{}"), (unread, "amount{} that cannot be read"))
    lacking = [f"{count} {told.format('' if count == 1 else 's')}" for count, told in counted if count]
    for currency, sums in sorted(totals.items()):
        label = (f"total {currency}" if currency else "total, no currency") + (" *" if lacking else "")
        amounts_of = (f"{sums[column].amount:f}" if column in sums else "" for column in AMOUNTS)
        table.add_row(Text(label), *[""] * (len(TEXTS) - 1), *amounts_of, style="bold")
    under = [f"{len(invoices)} invoice{'' if len(invoices) == 1 else 's'}"]
    without = "* without" if totals else "no totals:"
    under += [f"{without} {' and '.join(lacking)}"] if lacking else []
    return as_table(table, under, output)

"""The command `invoices`: all invoices of some accounts; the table has totals for each currency."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from rich.text import Text
from talkdesk_bridge_api.models import FIELDS

from talkdesk_bridge import Money, errors
from talkdesk_bridge._command.exit import exit_status
from talkdesk_bridge._command.formats import as_data, as_table, cell, new_table
from talkdesk_bridge._command.output import Destination
from talkdesk_bridge._command.run import asking
from talkdesk_bridge.models import InvoiceDetails, InvoiceDetailsResponse

__all__ = ["list_invoices"]

TEXTS = ("number", "bill date", "due date", "status")
AMOUNTS = ("amount", "paid", "due")

Listed = list[tuple[str, InvoiceDetails]]
"""Invoices, each with the number of its account."""


def list_invoices(accounts: Iterable[str], *, per_page: int | None, form: str, output: str | None, debug: bool) -> None:
    """Print the invoices of the accounts; all of them are here before the first byte goes out."""
    accounts = [*dict.fromkeys(accounts)]
    with asking(output, debug=debug) as run:
        method = run.bridge.billing.iter_account_invoices
        listed: Listed = []
        for account in accounts:
            place = f"account {account}"
            with exit_status(f"{place}: "):
                found = run.collect(place, "invoices", method(account, per_page=per_page), _invoices_of)
            listed += ((account, invoice) for invoice in found)
        if form == "table":
            _print_table(listed, len(accounts), run.output)
            return
        name = next(iter(inspect.signature(method).parameters))
        # What the bridge itself sends under this name stays.
        rows: list[dict[str, Any]] = [{name: account, **invoice.to_dict()} for account, invoice in listed]
        run.output.write(as_data(form, rows, rows, [name, *FIELDS[InvoiceDetails].known]))


def _invoices_of(body: InvoiceDetailsResponse) -> list[InvoiceDetails] | None:
    return body.embedded.invoices if body.embedded else None


def _print_table(listed: Listed, accounts: int, output: Destination) -> None:
    account_column = ("account",) if accounts > 1 else ()
    table = new_table((*account_column, *TEXTS, *AMOUNTS), right=AMOUNTS)
    totals: dict[str, dict[str, Money]] = {}
    unread = 0
    for account, invoice in listed:
        amounts = dict(zip(AMOUNTS, (invoice.amount, invoice.paid_amount, invoice.due_amount), strict=True))
        for column, text in amounts.items():
            if text is None:
                continue
            try:
                money = Money.parse(text)
            except errors.ArgumentError:
                unread += 1
                continue
            sums = totals.setdefault(money.currency or "", {name: Money(Decimal(), money.currency) for name in AMOUNTS})
            sums[column] += money
        texts = (
            invoice.invoice_number,
            invoice.invoice_bill_date,
            invoice.invoice_due_date,
            invoice.status,
        )
        table.add_row(*map(cell, ((account,) if account_column else ()) + texts + tuple(amounts.values())))
    if totals:
        table.add_section()
    blank = [""] * (len(account_column) + len(TEXTS) - 1)
    for currency, sums in sorted(totals.items()):
        label = (f"total {currency}" if currency else "total, no currency") + (" *" if unread else "")
        table.add_row(Text(label), *blank, *(f"{sums[column].amount:f}" for column in AMOUNTS), style="bold")
    under = f"{len(listed)} invoice{'' if len(listed) == 1 else 's'}"
    under += f" of {accounts} accounts" if account_column else ""
    told = f"without {unread} amount{'' if unread == 1 else 's'} that could not be read"
    output.write(as_table(table, [under, *([f"* {told}"] if unread else [])], output))
    if unread:
        print(f"Amounts that could not be read, and are not in the totals: {unread}.", file=sys.stderr)

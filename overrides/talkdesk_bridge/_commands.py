"""The commands of talkdesk-bridge: an account's invoices, the sandbox, the version. Needs the extra `cli`."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated

import typer

from talkdesk_bridge import BridgeClient, Deviation, Money, errors
from talkdesk_bridge._exit import exit_status, fail, needs_extra
from talkdesk_bridge._settings import KINDS, PREFIX

if TYPE_CHECKING:
    from rich.text import Text

    from talkdesk_bridge.models import InvoiceDetails

__all__ = ["app"]

COLUMNS = ("number", "bill date", "due date", "status", "amount", "paid", "due")


def _variables() -> str:
    kinds = (" ".join(PREFIX + name for name in (*kind.needed, *kind.optional)) for kind in KINDS)
    return ", or ".join(kinds)


app = typer.Typer(
    help="Talk to a bridge of Talkdesk's Financial Services Experience Cloud for Insurance.",
    epilog=f"Environment: TALKDESK_BRIDGE_URL, and one credential: {_variables()}.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def invoices(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's number.")],
    per_page: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Invoices a page; else the bridge decides.")
    ] = None,
) -> None:
    """Print all invoices of an account, with totals for each currency."""
    deviations: Counter[str] = Counter()

    def note(deviation: Deviation) -> None:
        told = f"{deviation.place}: {deviation.documented} is documented, and {deviation.seen} came"
        deviations[told] += deviation.count

    with exit_status(), BridgeClient.from_env(on_deviation=note) as bridge:
        # All of them before the first line: a table that looks whole is whole.
        _print_table(list(bridge.billing.iter_account_invoices(account, per_page=per_page)))
        sys.stdout.flush()
        for told, count in deviations.items():
            print(f"{told}, {count} time{'s' if count > 1 else ''}.", file=sys.stderr)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="0 takes a free one.")] = 8080,
) -> None:
    """Serve the contract on loopback, with made-up accounts."""
    try:
        from talkdesk_bridge.sandbox import Sandbox
    except ModuleNotFoundError:
        raise needs_extra("sandbox") from None
    try:
        server = Sandbox(port=port, log=lambda line: print(line, file=sys.stderr, flush=True))
    except OSError as error:
        raise fail(
            f"port {port} cannot be used ({os.strerror(error.errno or 0)}): name another one with --port.", 2
        ) from None
    command = "talkdesk-bridge" if shutil.which("talkdesk-bridge") else os.path.relpath(sys.argv[0])
    print(server.describe(command), flush=True)
    server.serve()
    # Only Ctrl-C ends it; whether that is raised here or swallowed depends on what the event loop was doing.
    raise typer.Exit(130)


@app.command()
def version(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show the version, and what the installed client was generated from and by."""
    try:
        lock = json.loads(files("talkdesk_bridge_api").joinpath("lock.json").read_bytes())
    except (FileNotFoundError, ValueError):
        raise fail("lock.json of talkdesk_bridge_api is missing or broken: install the package again.", 1) from None
    if as_json:
        print(json.dumps(lock, indent=2))
    else:
        for name, fact in lock.items():
            print(f"{name:24}{fact}")


def _print_table(invoices: list[InvoiceDetails]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for column in COLUMNS:
        table.add_column(column, justify="right" if column in COLUMNS[-3:] else "left", no_wrap=True)
    totals: dict[str, dict[str, Money]] = {}
    unread = 0
    for invoice in invoices:
        amounts = {"amount": invoice.amount, "paid": invoice.paid_amount, "due": invoice.due_amount}
        for column, text in amounts.items():
            if text is None:
                continue
            try:
                money = Money.parse(text)
            except errors.ArgumentError:
                unread += 1
                continue
            sums = totals.setdefault(money.currency or "", {name: Money(Decimal(), money.currency) for name in amounts})
            sums[column] += money
        dates = (invoice.invoice_number, invoice.invoice_bill_date, invoice.invoice_due_date, invoice.status)
        table.add_row(*map(_cell, (*dates, *amounts.values())))
    if totals:
        table.add_section()
    for currency, sums in sorted(totals.items()):
        label = f"total {currency}" if currency else "total, no currency"
        table.add_row(label, "", "", "", *(f"{sums[column].amount:f}" for column in COLUMNS[-3:]))
    # No line is cut or wrapped, whatever the width: a file has none, and a terminal wraps a long line itself.
    console = Console(width=10_000, color_system=None, force_terminal=False, highlight=False)
    if sys.stdout.isatty() and console.measure(table).maximum > Console().width:
        table.padding = (0, 0, 0, 0)
    console.print(table, soft_wrap=True)
    print(f"{len(invoices)} invoice{'' if len(invoices) == 1 else 's'}")
    if unread:
        print(f"Amounts that could not be read, and are not in the totals: {unread}.", file=sys.stderr)


def _cell(value: object) -> Text:
    """Text of the bridge, fit for a terminal: no control characters, no markup."""
    from rich.text import Text

    text = "" if value is None else str(value)
    return Text("".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text))

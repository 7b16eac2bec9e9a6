"""The commands of talkdesk-bridge. Needs the extra `cli`; each command imports what it needs when it runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, BinaryIO

import click

from talkdesk_bridge_cli.options import SECONDS, AskingCommand, asking_options

__all__ = ["app"]

FORMATS = click.Choice(["table", "json", "jsonl", "csv"])


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        click.echo(f"talkdesk-bridge {metadata.version('talkdesk-bridge')}")
        context.exit()


@click.group()
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
def app() -> None:
    """Talk to a bridge of Talkdesk's Financial Services Experience Cloud for Insurance.

    The base URL of the bridge and a credential come from the environment: 'talkdesk-bridge invoices --help' lists the
    variables.

    \b
    Examples:
      talkdesk-bridge invoices 1000000001
      talkdesk-bridge invoices 1000000001 1000000005 --format csv --output invoices.csv
      talkdesk-bridge get --help
    """


@app.command(cls=AskingCommand)
@click.argument("accounts", nargs=-1, metavar="ACCOUNT...")
@click.option(
    "--accounts-file",
    type=click.File("rb"),
    metavar="FILE",
    help="Take the accounts from this file, one on each line; - is standard input. Whatever ends the command, the same "
    "command with the same --output goes on from there.",
)
@click.option(
    "--at-once", type=click.IntRange(1, 100), metavar="N", help="With --accounts-file: accounts at a time; 20."
)
@click.option("--skip-failed", is_flag=True, help="With --accounts-file: leave out the accounts that failed.")
@click.option(
    "--per-page", type=click.IntRange(min=1), metavar="N", help="Invoices a page; the bridge's own by default."
)
@click.option(
    "--format", "form", type=FORMATS, metavar="FORMAT",
    help="table (the default), json, jsonl or csv; with --accounts-file jsonl (the default) or csv.",
)  # fmt: skip
@asking_options
def invoices(
    accounts: Sequence[str],
    accounts_file: BinaryIO | None,
    at_once: int | None,
    skip_failed: bool,
    form: str | None,
    **how: Any,
) -> None:
    """Print all invoices of accounts, or, on standard error, one sentence that says what is wrong.

    ACCOUNT... are the numbers of accounts; each is asked for once. The table has totals for each currency; in the other
    formats, each invoice begins with the number of its account.

    \b
    Examples:
      talkdesk-bridge invoices 1000000001
      talkdesk-bridge invoices 1000000001 --per-page 100 --debug
      talkdesk-bridge invoices 1000000003 1000000005 --format jsonl
      talkdesk-bridge invoices 1000000001 1000000005 --format csv --output invoices.csv
      talkdesk-bridge invoices --accounts-file accounts.txt --format csv --output invoices.csv
    """
    if accounts_file is None:
        if not accounts:
            raise click.UsageError("Missing argument 'ACCOUNT...': name accounts, or their file with --accounts-file.")
        if at_once or skip_failed:
            raise click.UsageError("--at-once and --skip-failed need --accounts-file.")
        from talkdesk_bridge_cli.invoices import list_invoices

        list_invoices(accounts, form=form or "table", **how)
        return
    if accounts:
        raise click.UsageError("--accounts-file does not go with ACCOUNT...: put all accounts into the file.")
    if form in ("table", "json"):
        raise click.UsageError(f"--accounts-file does not go with --format {form}: use jsonl or csv.")
    from talkdesk_bridge_cli.many import list_many

    list_many(accounts_file, form=form or "jsonl", at_once=at_once or 20, skip_failed=skip_failed, **how)


class _Operations(click.Group):
    """The operations of the installed client, which is imported only when one of them is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from talkdesk_bridge_cli.get import commands

        return [*commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from talkdesk_bridge_cli.get import commands

        return commands().get(cmd_name)


@app.group(cls=_Operations, subcommand_metavar="OPERATION [ARGS]...")
def get() -> None:
    """Call any operation of the contract, and print the response.

    Each operation has a help page with examples: talkdesk-bridge get OPERATION --help
    """


@app.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, metavar="N", help="0: a free one."
)
@click.option(
    "--paging", default="links", show_default=True, metavar="HOW", help="How lists come: links, pages or all."
)
@click.option(
    "--accept", default="any", show_default=True, metavar="KIND",
    help="The credential to ask for: any that the contract names, none, key, basic, bearer or oauth2.",
)  # fmt: skip
@click.option(
    "--token-life", type=float, default=599, show_default=True, metavar="SECONDS", help="Until a token expires."
)
@click.option("--fault", metavar="NAME", help="A fault of every response; --faults lists them.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen at.")
@click.option("--allow-remote", is_flag=True, help="Allow an address that other machines can reach.")
@click.option("--accounts", is_flag=True, help="List the accounts, and serve nothing.")
@click.option("--faults", is_flag=True, help="List the faults, and serve nothing.")
def sandbox(accounts: bool, faults: bool, **options: Any) -> None:
    """Serve the contract on loopback, with made-up accounts.

    Open its address in a browser to see the contract as a page. Each request is logged on standard error.

    \b
    Examples:
      talkdesk-bridge sandbox --port 0
      talkdesk-bridge sandbox --port 0 --accept oauth2 --token-life 30 --paging pages
      talkdesk-bridge sandbox --port 0 --fault unavailable
      talkdesk-bridge sandbox --accounts --faults
    """
    from talkdesk_bridge_cli import serve

    if accounts:
        click.echo(serve.accounts_table())
    if faults:
        click.echo(serve.faults_table())
    if not accounts and not faults:
        serve.serve(**options)


@app.command(cls=AskingCommand)
@click.option("--account", metavar="NUMBER", help="Ask for its invoices, and compare the response with the contract.")
@click.option("--offline", is_flag=True, help="Send nothing.")
@click.option(
    "--timeout", type=SECONDS, default=5, show_default=True, metavar="SECONDS",
    help="How long to wait for a connection, and for each read of a response; nothing is retried.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(**options: Any) -> None:
    """Find out what keeps the client from working, and what to do about it.

    It shows what is installed and which settings are used (the names of variables, never a value), and asks the token
    server and the bridge. The exit status is that of the first check that failed.

    \b
    Examples:
      talkdesk-bridge doctor
      talkdesk-bridge doctor --account 1000000001
      talkdesk-bridge doctor --offline --json
    """
    from talkdesk_bridge_cli.doctor import examine

    examine(**options)


@app.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def version(as_json: bool) -> None:
    """Show the version, and what the client was generated from.

    \b
    Examples:
      talkdesk-bridge version
      talkdesk-bridge version --json
    """
    from talkdesk_bridge import contract

    facts = contract.lock()
    click.echo(json.dumps(facts, indent=2) if as_json else "\n".join(f"{name:24}{facts[name]}" for name in facts))

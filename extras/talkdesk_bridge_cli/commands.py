"""The commands of talkdesk-bridge. Needs the extra `cli`; each imports what it needs when it runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from talkdesk_bridge_cli.exit import fail
from talkdesk_bridge_cli.options import FORMATS, Command, Group, asking_options

__all__ = ["app"]


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"talkdesk-bridge {_facts()['version']}")
        context.exit()


@click.group(
    cls=Group,
    asks=False,
    epilog="The base URL of the bridge and a credential come from the environment: 'talkdesk-bridge invoices --help' "
    "lists the variables.",
    examples=[
        "talkdesk-bridge invoices 1000000001",
        "talkdesk-bridge invoices 1000000001 1000000005 --format csv --output invoices.csv",
        "talkdesk-bridge get --help",
    ],
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
def app() -> None:
    """Talk to a bridge of Talkdesk's Financial Services Experience Cloud for Insurance."""


@app.command(
    about={"ACCOUNT...": "Numbers of accounts; each is asked for once. With --accounts-file, none."},
    examples=[
        "talkdesk-bridge invoices 1000000001",
        "talkdesk-bridge invoices 1000000001 --per-page 100 --debug",
        "talkdesk-bridge invoices 1000000003 1000000005 --format jsonl",
        "talkdesk-bridge invoices 1000000001 1000000005 --format csv --output invoices.csv",
        "talkdesk-bridge invoices --accounts-file accounts.txt --format csv --output invoices.csv",
    ],
)
@click.argument("accounts", nargs=-1, metavar="ACCOUNT...")
@click.option(
    "--accounts-file",
    metavar="FILE",
    help="Take the accounts from there, one on each line; - is standard input. Whatever ends it, the same command with "
    "the same --output goes on where it was.",
)
@click.option(
    "--at-once",
    type=click.IntRange(1, 100),
    metavar="N",
    help="Of --accounts-file: how many accounts are asked for at a time; 20 by default.",
)
@click.option(
    "--skip-failed", is_flag=True, help="Of --accounts-file: write the output without the accounts that failed."
)
@click.option("--per-page", type=click.IntRange(min=1), metavar="N", help="Invoices a page; else the bridge decides.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    metavar="FORMAT",
    help="table (the default), json, jsonl or csv; of --accounts-file jsonl (the default) or csv.",
)
@asking_options
def invoices(
    accounts: Sequence[str],
    accounts_file: str | None,
    at_once: int | None,
    skip_failed: bool,
    form: str | None,
    **how: Any,
) -> None:
    """Print all invoices of accounts.

    Either all of them, or, on standard error, one sentence that says what is wrong. The table has totals for each
    currency; in the other formats, each invoice begins with the number of its account.
    """
    if accounts_file is None:
        if not accounts:
            raise click.UsageError("Missing argument 'ACCOUNT...': name accounts, or their file with --accounts-file.")
        if at_once or skip_failed:
            raise click.UsageError("--at-once and --skip-failed are of --accounts-file.")
        from talkdesk_bridge_cli.invoices import list_invoices

        list_invoices(accounts, form=form or "table", **how)
        return
    if accounts:
        raise click.UsageError("--accounts-file does not go with ACCOUNT...: put all accounts into the file.")
    if form in ("table", "json"):
        raise click.UsageError(f"--accounts-file does not go with --format {form}: use jsonl or csv.")
    from talkdesk_bridge_cli.many import list_many

    list_many(accounts_file, form=form or "jsonl", at_once=at_once or 20, skip_failed=skip_failed, **how)


class _Operations(Group):
    """The operations of the installed client, which is looked at only when one is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._made()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._made().get(cmd_name)

    def examples(self) -> Sequence[str]:
        # Those of a list, where there is one: it has the most.
        return max((command.examples() for command in self._made().values()), key=len, default=[])

    def _made(self) -> dict[str, Command]:
        from talkdesk_bridge_cli.get import commands

        return commands()


@app.group(cls=_Operations, subcommand_metavar="OPERATION [ARGS]...")
def get() -> None:
    """Call any operation of the contract, and print what it answers."""


@app.command(
    asks=False,
    examples=[
        "talkdesk-bridge sandbox --port 0",
        "talkdesk-bridge sandbox --port 0 --accept oauth2 --token-life 30 --paging pages",
        "talkdesk-bridge sandbox --port 0 --fault unavailable",
        "talkdesk-bridge sandbox --accounts --faults",
    ],
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, metavar="N", help="0 takes a free one."
)
@click.option("--paging", default="links", show_default=True, metavar="HOW", help="Of lists: links, pages or all.")
@click.option(
    "--accept",
    default="any",
    show_default=True,
    metavar="KIND",
    help="The credential that it wants: any that the contract names, none, key, basic, bearer or oauth2.",
)
@click.option(
    "--token-life", type=float, default=599, show_default=True, metavar="SECONDS", help="How long a token lives."
)
@click.option("--fault", metavar="NAME", help="What goes wrong, whatever is asked; --faults lists them.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option("--allow-remote", is_flag=True, help="Let ADDRESS be one that other machines can reach.")
@click.option("--accounts", is_flag=True, help="List the accounts, and serve nothing.")
@click.option("--faults", is_flag=True, help="List the faults, and serve nothing.")
def sandbox(accounts: bool, faults: bool, **options: Any) -> None:
    """Serve the contract on loopback, with made-up accounts.

    Its address, opened in a browser, shows the contract as a page. It logs a line for each request on standard error.
    """
    from talkdesk_bridge_cli.serve import print_tables, serve

    if accounts or faults:
        print_tables(accounts=accounts, faults=faults)
    else:
        serve(**options)


@app.command(
    examples=[
        "talkdesk-bridge doctor",
        "talkdesk-bridge doctor --account 1000000001",
        "talkdesk-bridge doctor --offline --json",
    ],
)
@click.option("--account", metavar="NUMBER", help="Ask for its invoices, and hold the answer against the contract.")
@click.option("--offline", is_flag=True, help="Send nothing: neither to the bridge nor to the token server.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=86_400),
    default=5,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a connection, and for each read of an answer; nothing is tried twice.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(**options: Any) -> None:
    """Find out what keeps the client from working, and what to do about it.

    It looks at the installation, at Python, at proxies, certificates and variables, and asks the bridge and the token
    server. It tells names of variables, and no value of one. The exit status is that of the first finding that is bad.
    """
    from talkdesk_bridge_cli.doctor import examine

    examine(**options)


@app.command(asks=False, examples=["talkdesk-bridge version", "talkdesk-bridge version --json"])
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def version(as_json: bool) -> None:
    """Show the version, and what the client was made from."""
    if as_json:
        click.echo(json.dumps(_facts(), indent=2))
    else:
        for name, fact in _facts().items():
            click.echo(f"{name:24}{fact}")


def _facts() -> dict[str, Any]:
    # Not through importlib.resources, which would import the package, and so its HTTP library.
    spec = find_spec("talkdesk_bridge_api")
    for folder in (spec and spec.submodule_search_locations) or ():
        try:
            facts: dict[str, Any] = json.loads((Path(folder) / "lock.json").read_bytes())
        except (OSError, ValueError):
            break
        return facts
    raise fail("lock.json of talkdesk_bridge_api is missing or broken: install the package again.", 1)

"""Declares the commands of talkdesk-bridge. Needs the extra `cli`; each command imports its module when it runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, BinaryIO

import click

from talkdesk_bridge_cli.exit import needs_extra
from talkdesk_bridge_cli.options import LIMIT, SECONDS, RequestCommand, request_options


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        click.echo(f"talkdesk-bridge {metadata.version('talkdesk-bridge')}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": sys.maxsize})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
def app() -> None:
    """Talk to a bridge of Talkdesk's Financial Services Experience Cloud for Insurance.

    Set the bridge's base URL and a credential in environment variables; 'talkdesk-bridge invoices --help' lists them.

    \b
    Examples:
      talkdesk-bridge invoices 1000000001
      talkdesk-bridge invoices 1000000001 1000000005 --format csv --output invoices.csv
      talkdesk-bridge get --help
    """


@app.command(cls=RequestCommand)
@click.argument("accounts", nargs=-1, metavar="ACCOUNT...")
@click.option(
    "--accounts-file",
    type=click.File("rb"),
    metavar="FILE",
    help="Read the accounts from this file, one per line; - is standard input. If the command is interrupted, run it "
    "again with the same --output to resume.",
)
@click.option(
    "--at-once", type=click.IntRange(1, 100), metavar="N",
    help="With --accounts-file: request at most N accounts at a time; 20 by default.",
)  # fmt: skip
@click.option("--skip-failed", is_flag=True, help="With --accounts-file: write the output without failed accounts.")
@click.option(
    "--per-page", type=click.IntRange(min=1), metavar="N", help="Invoices per page; by default the bridge decides."
)
@click.option("--limit", type=LIMIT, metavar="N", help="Print only the first N invoices of each account.")
@click.option(
    "--format", "output_format", type=click.Choice(["table", "json", "jsonl", "csv", "parquet"]), metavar="FORMAT",
    help="table (the default), json, jsonl, csv or parquet, which needs --output and the extra tables; with "
    "--accounts-file, jsonl (the default), csv or parquet.",
)  # fmt: skip
@request_options
def invoices(
    accounts: Sequence[str],
    accounts_file: BinaryIO | None,
    at_once: int | None,
    skip_failed: bool,
    output_format: str | None,
    **options: Any,
) -> None:
    """Print all invoices of one or more accounts.

    ACCOUNT... are account numbers; a repeated one is requested once. If an account fails, nothing is printed except one
    sentence on standard error. The table ends with one total per currency. In the other formats, each invoice starts
    with its account number.

    \b
    Examples:
      talkdesk-bridge invoices 1000000001
      talkdesk-bridge invoices 1000000001 --per-page 100 --debug
      talkdesk-bridge invoices 1000000003 1000000005 --format jsonl
      talkdesk-bridge invoices 1000000001 1000000005 --format csv --output invoices.csv
      talkdesk-bridge invoices --accounts-file accounts.txt --format csv --output invoices.csv
      talkdesk-bridge invoices --accounts-file accounts.txt --format parquet --output invoices.parquet
    """
    if output_format == "parquet":
        if options["output"] in (None, "-"):
            raise click.UsageError("--format parquet needs --output FILE.")
        if not find_spec("pyarrow"):
            raise needs_extra("tables")
    if accounts_file is None:
        if not accounts:
            raise click.UsageError("Missing argument 'ACCOUNT...': give accounts, or a file with --accounts-file.")
        if at_once or skip_failed:
            raise click.UsageError("--at-once and --skip-failed need --accounts-file.")
        from talkdesk_bridge_cli.invoices import list_invoices

        list_invoices(accounts, output_format=output_format or "table", **options)
        return
    if accounts:
        raise click.UsageError("--accounts-file cannot be combined with ACCOUNT...: put all accounts in the file.")
    if output_format in ("table", "json"):
        raise click.UsageError(
            f"--accounts-file cannot be combined with --format {output_format}: use jsonl, csv or parquet."
        )
    from talkdesk_bridge_cli.many import list_many

    options |= {"output_format": output_format or "jsonl", "at_once": at_once or 20, "skip_failed": skip_failed}
    list_many(accounts_file, **options)


class _Operations(click.Group):
    """The operations of the installed client, which is imported only when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from talkdesk_bridge_cli.get import commands

        return [*commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from talkdesk_bridge_cli.get import commands

        return commands().get(cmd_name)


@app.group(cls=_Operations, subcommand_metavar="OPERATION [ARGS]...")
def get() -> None:
    """Call any operation of the contract and print the response.

    Each operation has a help page with examples: talkdesk-bridge get OPERATION --help
    """


@app.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, metavar="N",
    help="The port to listen on; 0 picks a free one.",
)  # fmt: skip
@click.option(
    "--paging", type=click.Choice(["links", "pages", "all"]), default="links", show_default=True, metavar="HOW",
    help="How lists are paged: by next links (links), by page number (pages), or not at all (all).",
)  # fmt: skip
@click.option(
    "--accept", default="any", show_default=True, metavar="KIND",
    help="The credential to require: none, key, basic, bearer or oauth2; any accepts all that the contract names.",
)  # fmt: skip
@click.option(
    "--token-life", type=float, default=599, show_default=True, metavar="SECONDS", help="Lifetime of a token."
)
@click.option("--fault", metavar="NAME", help="Apply this fault to every response; --faults lists the faults.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen on.")
@click.option("--allow-remote", is_flag=True, help="Allow an address that other machines can reach.")
@click.option(
    "--allow-host", "allow_hosts", multiple=True, metavar="HOST",
    help="Also accept requests whose Host header has this name or address; may be repeated.",
)  # fmt: skip
@click.option("--accounts", is_flag=True, help="List the accounts and exit.")
@click.option("--faults", is_flag=True, help="List the faults and exit.")
def sandbox(accounts: bool, faults: bool, **options: Any) -> None:
    """Run a bridge with made-up accounts on this machine.

    It serves the operations of the contract. Open its URL in a browser to read the contract and try the operations. It
    logs each request on standard error.

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


@app.command(cls=RequestCommand)
@click.option("--account", metavar="NUMBER", help="Also request this account's invoices and check the response.")
@click.option("--offline", is_flag=True, help="Send no requests.")
@click.option(
    "--timeout", type=SECONDS, default=5, show_default=True, metavar="SECONDS",
    help="How long to wait for a connection, and for each read of a response; nothing is retried.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(**options: Any) -> None:
    """Find out why the client does not work, and how to fix it.

    It checks the installation, the settings, the bridge and the token server. It prints the names of environment
    variables, never their values. The exit status is that of the first failed check.

    \b
    Examples:
      talkdesk-bridge doctor
      talkdesk-bridge doctor --account 1000000001
      talkdesk-bridge doctor --offline --json
    """
    from talkdesk_bridge_cli.doctor import examine

    examine(**options)


@app.command(cls=RequestCommand)
@click.option(
    "--account", "accounts", multiple=True, required=True, metavar="NUMBER",
    help="An account that exists; give one with items for several pages, and one without any.",
)  # fmt: skip
@click.option("--unknown", metavar="NUMBER", help="The number of an account that does not exist.")
@click.option(
    "--format", "output_format", type=click.Choice(["text", "json", "junit"]), default="text", metavar="FORMAT",
    help="text (the default), json, or junit: XML for CI services.",
)  # fmt: skip
@click.option("--output", type=click.Path(readable=False), metavar="FILE", help="Write the report to this file.")
@click.option("--assumed", is_flag=True, help="Fail also if a rule is broken that Talkdesk's documentation lacks.")
@click.option(
    "--most", type=LIMIT, default=100, show_default=True, metavar="N", help="Send at most N requests to the bridge."
)
@click.option(
    "--rate", type=click.FloatRange(min=0.01, max=1000), default=2, show_default=True, metavar="N",
    help="Send at most N requests in a second.",
)  # fmt: skip
def check(**options: Any) -> None:
    """Judge whether a bridge keeps the contract, and what clients rely on.

    It requests each list of the contract several times, with good and bad arguments and credentials, and judges the
    responses by rules. It only reads. The report contains no values of responses, and no credential. The exit status is
    6 if a documented rule is broken. A broken rule that is only assumed is advice, which --assumed counts, too.

    \b
    Examples:
      talkdesk-bridge check --account 1000000001
      talkdesk-bridge check --account 1000000001 --account 1000000002 --unknown 9
      talkdesk-bridge check --account 1000000001 --format junit --output check.xml
    """
    from talkdesk_bridge_cli.check.command import judge

    judge(**options)


@app.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def version(as_json: bool) -> None:
    """Show the version and what the client was generated from.

    \b
    Examples:
      talkdesk-bridge version
      talkdesk-bridge version --json
    """
    from talkdesk_bridge import contract

    lock = contract.lock()
    click.echo(json.dumps(lock, indent=2) if as_json else "\n".join(f"{name:24}{lock[name]}" for name in lock))

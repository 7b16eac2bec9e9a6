"""The command `doctor`: a line for each check, and what to do about what is not good."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator

import click

from talkdesk_bridge_cli.exit import CommandError, coloured, printable
from talkdesk_bridge_cli.findings import AGAIN, Finding, package, python

__all__ = ["examine"]

COLOURS = {"good": "32", "warning": "33", "bad": "1;31", "skipped": "2"}


def examine(*, account: str | None, timeout: float, offline: bool, as_json: bool) -> None:
    """Print what each check finds.

    Args:
        account: The number of an account to ask for; None for none.
        timeout: Seconds to wait for a connection, and for each read of a response.
        offline: Whether to send nothing.
        as_json: Whether to print JSON.

    Raises:
        CommandError: something is bad; its status is that of the first such finding.

    """
    findings: dict[str, Finding] = {}
    for name, finding in _findings(account, timeout, offline=offline):
        findings[name] = finding
        if not as_json:
            click.echo(_lines(name, finding))
    wrong = [name for name, finding in findings.items() if finding.status == "bad"]
    status = findings[wrong[0]].exit_status if wrong else 0
    if as_json:
        checks = [{"check": name, **finding._asdict()} for name, finding in findings.items()]
        click.echo(json.dumps({"exit_status": status, "checks": checks}, indent=2))
    if wrong:
        raise CommandError(f"not everything is as it should be: {', '.join(wrong)}. See above.", status)


def _findings(account: str | None, timeout: float, *, offline: bool) -> Iterator[tuple[str, Finding]]:
    yield "package", package()
    yield "Python", python()
    try:
        from talkdesk_bridge_cli.connection import connection
    except ImportError as error:
        yield "client", Finding("bad", f"{error.name or 'A module'} cannot be imported.", AGAIN, 1)
    else:
        yield from connection(account, timeout, offline=offline)


def _lines(name: str, finding: Finding) -> str:
    # A file has no width.
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10**7
    wrapped = textwrap.TextWrapper(max(width - 21, 40), break_long_words=False, break_on_hyphens=False)
    found, remedy = (wrapped.wrap(printable(text)) for text in (finding.found, finding.remedy))
    status = f"{finding.status:8}"
    if coloured(sys.stdout):
        status = f"\x1b[{COLOURS[finding.status]}m{status}\x1b[0m"
        remedy = [f"\x1b[1m{line}\x1b[0m" for line in remedy]
    return f"{status}{name:13}" + f"\n{'':21}".join([*found, *remedy])

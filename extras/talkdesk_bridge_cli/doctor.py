"""The command `doctor`: prints the result of each check, and how to fix problems."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator

import click

from talkdesk_bridge_cli.checks import REINSTALL, CheckResult, package, python
from talkdesk_bridge_cli.exit import CommandError, coloured
from talkdesk_bridge_cli.rows import UNWRAPPED, paragraph


def examine(*, account: str | None, timeout: float, offline: bool, as_json: bool) -> None:
    """Print the result of each check.

    Args:
        account: The account to check a response with; None to skip that check.
        timeout: Seconds to wait for a connection, and for each read of a response.
        offline: Whether to send no requests.
        as_json: Whether to print JSON.

    Raises:
        CommandError: a check failed; the exit status is that of the first one.

    """
    results: dict[str, CheckResult] = {}
    for name, result in _run_checks(account, timeout, offline=offline):
        results[name] = result
        if not as_json:
            click.echo(_lines(name, result))
    failed = [name for name, result in results.items() if result.status == "bad"]
    status = results[failed[0]].exit_status if failed else 0
    if as_json:
        checks = [{"check": name, **result._asdict()} for name, result in results.items()]
        click.echo(json.dumps({"exit_status": status, "checks": checks}, indent=2))
    if failed:
        raise CommandError(f"{len(failed)} of {len(results)} checks failed: {', '.join(failed)}. See above.", status)


def _run_checks(account: str | None, timeout: float, *, offline: bool) -> Iterator[tuple[str, CheckResult]]:
    yield "package", package()
    yield "Python", python()
    try:
        from talkdesk_bridge_cli.connection import connection_checks
    except ImportError as error:
        yield "client", CheckResult("bad", f"{error.name or 'A module'} cannot be imported.", REINSTALL, 1)
    else:
        yield from connection_checks(account, timeout, offline=offline)


def _lines(name: str, result: CheckResult) -> str:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else UNWRAPPED
    words = [(result.status, 8), (name, 13)]
    return paragraph(words, [result.found], result.remedy, width=width, colour=coloured(sys.stdout))

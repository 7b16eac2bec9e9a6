"""The command `doctor`: a line for each check, and what to do about what is not good."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator

import click

from talkdesk_bridge_cli.exit import coloured, fail, printable
from talkdesk_bridge_cli.installation import NAME, PACKAGES, Finding, Installation, bad, skipped

__all__ = ["examine"]

COLOURS = {"good": "32", "warning": "33", "bad": "1;31", "skipped": "2"}
CONNECTION = ("proxies", "CA bundle", "variables", "bridge", "token", "answer")


def examine(*, account: str | None, timeout: float, offline: bool, as_json: bool) -> None:
    """Look at everything, tell what is found, and end with the status of the first finding that is bad.

    Args:
        account: The number of an account to ask for; None for none.
        timeout: Seconds to wait for a connection, and for each read of an answer.
        offline: Whether nothing is to be sent.
        as_json: Whether to print JSON.

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
        raise fail(f"bad: {', '.join(wrong)}; what to do about it is printed there.", status)


def _findings(account: str | None, timeout: float, *, offline: bool) -> Iterator[tuple[str, Finding]]:
    for name, check in Installation().checks().items():
        yield name, _tried(check)
    try:
        # Only here, since it comes with the generated package and its HTTP library, of which a file may be missing.
        from talkdesk_bridge_cli.connection import Connection

        connection = Connection(account, timeout, offline=offline)
    except Exception as error:  # noqa: BLE001 # as below
        first, *others = CONNECTION
        yield first, _broken(error)
        for name in others:
            yield name, skipped("the client cannot be used")
        return
    try:
        for name, check in connection.checks().items():
            yield name, _tried(check)
    finally:
        connection.close()


def _tried(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 # code that is not what was installed fails with whatever
        return _broken(error)


def _broken(error: Exception) -> Finding:
    module = (isinstance(error, ImportError) and error.name) or PACKAGES[0]
    if (other := module.partition(".")[0]) not in PACKAGES:
        return bad(f"{other} cannot be imported.", f"Install it again, the way {NAME} was installed: see README.md.")
    # Not its message, which may hold anything.
    told = f"It cannot be looked at ({type(error).__name__}): a file of the client is missing or broken."
    return bad(told, "Do what is said above of the package and its record; else install it again.")


def _lines(name: str, finding: Finding) -> str:
    # A file has no width, and what is to be typed stays whole anywhere.
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10**7
    wrapped = textwrap.TextWrapper(max(width - 18, 40), break_long_words=False, break_on_hyphens=False)
    found, remedy = (wrapped.wrap(printable(text)) for text in (finding.found, finding.remedy))
    remedy += [printable(finding.command)] if finding.command else []
    status, lines = f"{finding.status:8}", [*found, *remedy]
    if coloured(sys.stdout):
        status = f"\x1b[{COLOURS[finding.status]}m{status}\x1b[0m"
        lines = [*found, *(f"\x1b[1m{line}\x1b[0m" for line in remedy)]
    return f"{status}{name:10}" + f"\n{'':18}".join(lines)

"""The entry point of the command talkdesk-bridge: every error becomes one sentence and an exit status."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from talkdesk_bridge_cli.exit import CommandError, coloured, discard, needs_extra, printable, report, system_error
from talkdesk_bridge_cli.signals import ended_by_signals

if TYPE_CHECKING:
    from click import ClickException


def main() -> None:
    """Run the command; see `talkdesk-bridge --help`, and `exit` for the exit status."""
    for name, mode in (("stdin", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed; `print(file=None)` would write to standard output
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 # open until the process ends
    with ended_by_signals():
        try:
            status = _run()
        except CommandError as failure:
            prefix = "\x1b[1;31mtalkdesk-bridge:\x1b[0m" if coloured(sys.stderr) else "talkdesk-bridge:"
            report(f"{prefix} {printable(str(failure))}")
            status = failure.status
    sys.exit(status)


def _run() -> int:
    if sys.stdout is None:
        raise CommandError("standard output is closed.", 1)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # if the terminal's encoding lacks a character
    try:
        import click

        from talkdesk_bridge_cli.commands import app

        status = app.main(prog_name="talkdesk-bridge", standalone_mode=False) or 0
        sys.stdout.flush()
    except ImportError as error:  # first, because the clauses below need click
        if error.name in ("click", "rich"):
            raise needs_extra("sandbox" if sys.argv[1:2] == ["sandbox"] else "cli") from None
        remedy = "run 'talkdesk-bridge doctor', or reinstall talkdesk-bridge"
        raise CommandError(f"{error.name or 'a module'} cannot be imported: {remedy}.", 1) from None
    except OSError as error:
        discard(sys.stdout)
        if isinstance(error, BrokenPipeError):
            return 1  # the reader, such as `head`, has read enough
        concerns = "" if error.filename else "the output cannot be written: "
        raise CommandError(f"{concerns}{system_error(error)}.", 1) from None
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        raise _usage_error(error) from None
    return int(status)


def _usage_error(error: ClickException) -> CommandError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "talkdesk-bridge"
    message = " ".join(error.format_message().split())
    end = "" if message.endswith((".", "?")) else "."
    return CommandError(f"{message}{end} Try '{command} --help'.", 2)

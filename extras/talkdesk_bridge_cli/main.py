"""The entry point of the command talkdesk-bridge, which says in a sentence what is missing where an extra is."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path

from talkdesk_bridge_cli.exit import fail, give_up, needs_extra

__all__ = ["main"]


def main() -> None:
    """Run the command; see `talkdesk-bridge --help`, and `exit` for the exit status."""
    if sys.stderr is None:
        # Else `print` would take standard output for it.
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 # as long as the process
    # Where Python's own handler would tell of an interrupt in the middle of an import or of its end, in many lines.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        import click

        from talkdesk_bridge_cli.commands import app

        if interruptible:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if sys.stdout is None:
            raise fail("standard output is closed.", 1)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # whatever the terminal cannot show
        status = 0
        try:
            with app.make_context("talkdesk-bridge", sys.argv[1:]) as context:
                app.invoke(context)
        except click.exceptions.Exit as done:
            status = done.exit_code
        sys.stdout.flush()
    except ImportError as error:  # first, since the next clause needs click
        if error.name not in ("click", "rich"):
            remedy = "run 'talkdesk-bridge doctor', or install it again the way it was installed (README.md tells it)"
            raise fail(f"{error.name or 'a module'} cannot be imported: {remedy}.", 1) from None
        raise needs_extra("sandbox" if sys.argv[1:2] == ["sandbox"] else "cli") from None
    except click.ClickException as error:
        context = getattr(error, "ctx", None) or click.Context(app, info_name="talkdesk-bridge")
        told = " ".join(error.format_message().split())
        told += "" if told.endswith((".", "?")) else "."
        raise fail(f"{told} Try '{context.command_path} --help'.", 2) from None
    except KeyboardInterrupt:
        status = 130
    except OSError as error:
        give_up(sys.stdout)
        if isinstance(error, BrokenPipeError):
            sys.exit(1)  # the reader has had enough
        raise fail(f"the output cannot be written: {error.strerror}.", 1) from None
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(status)

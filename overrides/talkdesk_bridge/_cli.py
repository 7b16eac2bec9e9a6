"""The entry point of the command talkdesk-bridge, which says in a sentence what is missing where an extra is."""

from __future__ import annotations

import io
import os
import sys

from talkdesk_bridge._exit import fail, needs_extra

__all__ = ["main"]


def main() -> None:
    """Run the command; see `talkdesk-bridge --help`, and `_exit` for the exit status."""
    try:
        import rich  # noqa: F401 # loaded in full only where a table is printed

        from talkdesk_bridge._commands import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        raise needs_extra("cli") from None
    if sys.stdout is None:
        raise fail("standard output is closed.", 1)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # whatever the terminal cannot show
    try:
        app(prog_name="talkdesk-bridge")
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        # Python would try to write the rest once more, and complain, when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise fail(f"the output cannot be written: {error.strerror}.", 1) from None

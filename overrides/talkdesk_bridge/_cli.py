"""The entry point of the command talkdesk-bridge, which says in a sentence what is missing where an extra is."""

from __future__ import annotations

import sys

from talkdesk_bridge._exit import needs_extra

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
    try:
        app(prog_name="talkdesk-bridge")
    except KeyboardInterrupt:
        sys.exit(130)

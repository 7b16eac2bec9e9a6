"""The entry point of the command talkdesk-bridge, which says in a sentence what is missing where an extra is."""

from __future__ import annotations

import sys

__all__ = ["fail", "main", "needs_extra"]


def main() -> None:
    """Run the command; see `talkdesk-bridge --help`.

    Exit status: 0 done, 1 other, 2 usage or configuration, 3 authentication, 4 not found, 5 server or unreachable,
    6 contract broken, 7 incomplete, 130 interrupted.
    """
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


def fail(message: str, status: int) -> SystemExit:
    """What ends the command with `status`, once `message` is on standard error."""
    print(f"talkdesk-bridge: {message}", file=sys.stderr)
    return SystemExit(status)


def needs_extra(extra: str) -> SystemExit:
    """What ends the command where the packages of `extra` are not installed."""
    return fail(f"this needs more packages: pip install 'talkdesk-bridge[{extra}]'.", 2)

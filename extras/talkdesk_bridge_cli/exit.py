"""How the command ends: one sentence on standard error, and an exit status.

0 done, 1 other, 2 usage or configuration, 3 authentication, 4 not found, 5 server failed or unreachable, 6 response
violates the contract, 7 list incomplete, 8 not with this contract, 129 hung up (SIGHUP), 130 interrupted (SIGINT),
143 terminated (SIGTERM).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO
from unicodedata import category

if TYPE_CHECKING:
    from talkdesk_bridge import errors


class CommandError(Exception):
    """Ends the command: prints the message on standard error and exits with `status`."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def coloured(stream: TextIO) -> bool:
    """Whether to print colours: the stream is a terminal that supports them, and the user has not turned them off."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def printable(text: str) -> str:
    """Untrusted text, made safe to print on one line of a terminal."""
    spaced = "".join(" " if category(character) == "Zs" else character for character in text)
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in spaced)


def counted(count: int, name: str) -> str:
    """A number of things in words: `1 invoice`, `2 invoices`."""
    return f"{count} {name}{'' if count == 1 else 's'}"


def report(line: str) -> None:
    """Print a line on standard error; do nothing if standard error cannot be written."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Point a broken stream at the null device, so that Python can flush it at exit without an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def system_error(error: OSError) -> str:
    """An error of the system in words, with the file if it concerns one."""
    reason = error.strerror or str(error)
    return f"{os.fsdecode(error.filename)}: {reason}" if isinstance(error.filename, str | bytes) else reason


def needs_extra(extra: str) -> CommandError:
    """The error if the packages of an extra are not installed."""
    # No pip command: in a project that uses uv or Poetry, pip does not know the package index.
    return CommandError(f"packages are missing: install talkdesk-bridge[{extra}] from your package index.", 2)


@contextmanager
def bridge_errors(place: str = "") -> Iterator[None]:
    """Turn the client's errors into CommandError; messages start with `place`, such as `account 1: `."""
    # Imported here, because it imports the whole client.
    from talkdesk_bridge import errors

    try:
        yield
    except (errors.ConfigurationError, errors.AuthenticationError, errors.ProxyError) as error:
        raise CommandError(str(error), status_of(error)) from None  # concerns every account, so it names none
    except errors.BridgeError as error:
        raise CommandError(f"{place}{error}", status_of(error)) from None


def status_of(error: errors.BridgeError) -> int:
    """The exit status for an error."""
    from talkdesk_bridge import errors

    match error:
        case errors.ConfigurationError() | errors.ArgumentError():
            return 2
        case errors.AuthenticationError() | errors.ProxyError() | errors.StatusError(status_code=401 | 403):
            return 3
        case errors.StatusError(status_code=404):
            return 4
        case errors.NotSentError() | errors.NoResponseError():
            return 5
        case errors.StatusError(status_code=code) if code >= 500 or code in (408, 429):
            return 5  # the same command may work later
        case errors.ContractError():
            return 6
        case errors.PagingError():
            return 7
    return 1

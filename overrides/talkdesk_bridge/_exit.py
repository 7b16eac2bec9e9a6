"""How the command ends: with one sentence on standard error, and an exit status.

0 done, 1 other, 2 usage or configuration, 3 authentication, 4 not found, 5 server or unreachable, 6 contract broken,
7 incomplete, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from talkdesk_bridge import errors

__all__ = ["exit_status", "fail", "needs_extra"]


def fail(message: str, status: int) -> SystemExit:
    """What ends the command with `status`, once `message` is on standard error."""
    print(f"talkdesk-bridge: {message}", file=sys.stderr)
    return SystemExit(status)


def needs_extra(extra: str) -> SystemExit:
    """What ends the command where the packages of `extra` are not installed."""
    return fail(f"this needs more packages: pip install 'talkdesk-bridge[{extra}]'.", 2)


@contextmanager
def exit_status() -> Iterator[None]:
    """Turn the package's errors into one sentence on standard error and an exit status."""
    try:
        yield
    except errors.BridgeError as error:
        raise fail(str(error), _status(error)) from None


def _status(error: errors.BridgeError) -> int:
    match error:
        case errors.ConfigurationError() | errors.ArgumentError():
            return 2
        case errors.AuthenticationError() | errors.StatusError(status_code=401 | 403):
            return 3
        case errors.StatusError(status_code=404):
            return 4
        case errors.NotSentError() | errors.NoAnswerError():
            return 5
        case errors.StatusError(status_code=code) if code >= 500:
            return 5
        case errors.ContractError():
            return 6
        case errors.PagingError():
            return 7
    return 1

"""How the command ends: with one sentence on standard error, and an exit status.

0 done, 1 other, 2 usage or configuration, 3 authentication, 4 not found, 5 server or unreachable, 6 contract broken,
7 incomplete, 129 hung up, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

if TYPE_CHECKING:
    from talkdesk_bridge import errors

__all__ = [
    "awaited",
    "coloured",
    "ended_by_signals",
    "exit_status",
    "fail",
    "give_up",
    "held",
    "needs_extra",
    "printable",
    "status_of",
    "tell",
]


T = TypeVar("T")

# What ends a command from outside, beside Ctrl-C.
TERMINATE = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
# Seconds after which one that is repeated is no mere echo.
IMPATIENCE = 1.0


def coloured(stream: TextIO) -> bool:
    """Whether colours suit what a stream leads to: a terminal that knows them, and whose user has not refused them."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def printable(text: str) -> str:
    """Text of others, fit for a line on a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def fail(message: str, status: int) -> SystemExit:
    """What ends the command with `status`, once `message` is on standard error."""
    prefix = "\x1b[1;31mtalkdesk-bridge:\x1b[0m" if coloured(sys.stderr) else "talkdesk-bridge:"
    tell(f"{prefix} {printable(message)}")
    return SystemExit(status)


def tell(line: str) -> None:
    """Print a line on standard error, as far as that takes it: what is written there fails nothing else."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        give_up(sys.stderr)


def give_up(stream: TextIO) -> None:
    """Lead a stream that takes no more to nowhere: Python would try to write the rest when it ends, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def needs_extra(extra: str) -> SystemExit:
    """What ends the command where the packages of `extra` are not installed."""
    # No command: pip alone knows no index of a project that uv or Poetry installs from.
    how = f"install talkdesk-bridge[{extra}], the way the package was installed (README.md tells it)"
    return fail(f"this needs more packages: {how}.", 2)


@contextmanager
def exit_status(place: str = "") -> Iterator[None]:
    """Turn the package's errors into one sentence on standard error, which begins with their place, and a status."""
    # Only here, since it comes with the generated package and its HTTP library.
    from talkdesk_bridge import errors

    try:
        yield
    except (errors.ConfigurationError, errors.AuthenticationError) as error:
        raise fail(str(error), status_of(error)) from None  # of no place
    except errors.BridgeError as error:
        raise fail(f"{place}{error}", status_of(error)) from None


def status_of(error: errors.BridgeError) -> int:
    """The exit status that stands for an error."""
    from talkdesk_bridge import errors

    match error:
        case errors.ConfigurationError() | errors.ArgumentError():
            return 2
        case errors.AuthenticationError() | errors.StatusError(status_code=401 | 403):
            return 3
        case errors.StatusError(status_code=404):
            return 4
        case errors.NotSentError() | errors.NoAnswerError():
            return 5
        case errors.StatusError(status_code=code) if code >= 500 or code in (408, 429):
            return 5  # a later try may be answered
        case errors.ContractError():
            return 6
        case errors.PagingError():
            return 7
    return 1


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM, and the end of the terminal, go through the code that cleans up, as Ctrl-C does anyway."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    with _handled(end, *TERMINATE):
        yield


@contextmanager
def held(then: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Let what ends the command wait until the body is through: the first such signal has its effect then.

    Others within IMPATIENCE seconds of it are dropped, since a supervisor, or a person, may repeat one. A later one has
    its effect at once: the body may wait for a name server, or for whoever reads standard error.

    Args:
        then: What is called at the first signal, in the middle of anything.

    """
    waiting, since = 0, 0.0

    def note(number: int, _: object) -> None:
        nonlocal waiting, since
        if not waiting:
            waiting, since = number, time.monotonic()
            then()
        elif time.monotonic() - since > IMPATIENCE:
            signal.signal(number, before[number])
            signal.raise_signal(number)

    try:
        with _handled(note, signal.SIGINT, *TERMINATE) as before:
            yield
    finally:
        if waiting:
            signal.raise_signal(waiting)


@contextmanager
def _handled(handler: Callable[[int, Any], None], *numbers: int) -> Iterator[dict[int, Any]]:
    # nohup and the like have one ignored, which they mean; None is a handler that could not be put back.
    left = (signal.SIG_IGN, None)
    before = {number: known for number in numbers if (known := signal.getsignal(number)) not in left}
    try:
        for number in before:
            signal.signal(number, handler)
        yield before
    finally:
        for number, known in before.items():
            signal.signal(number, known)


def awaited(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What a coroutine returns; a signal cancels it first, since one that raises within asyncio leaves tasks behind."""
    import asyncio  # here, since most commands need it not

    task: asyncio.Task[Any] | None = None
    ended = False

    def cancel() -> None:
        nonlocal ended
        ended = True
        if task:
            task.get_loop().call_soon_threadsafe(task.cancel)

    async def run() -> T:
        nonlocal task
        task = asyncio.current_task()
        try:
            if ended:
                raise asyncio.CancelledError
            return await function()
        finally:
            task = None

    with held(cancel):
        return asyncio.run(run())

"""How the command ends: with one sentence on standard error, and an exit status.

0 done, 1 other, 2 usage or configuration, 3 authentication, 4 not found, 5 server or unreachable, 6 contract broken,
7 incomplete, 129 hung up, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import os
import signal
import sys
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
    "needs_extra",
    "printable",
    "status_of",
    "tell",
]


T = TypeVar("T")


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
def ended_by_signals(end: Callable[[int, Any], None] | None = None) -> Iterator[None]:
    """Let SIGTERM, and the end of the terminal, go through the code that cleans up, as Ctrl-C does anyway.

    Args:
        end: What is called with the signal's number, in the middle of anything; by default it ends the command.

    """

    def at_once(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # nohup and the like have one ignored, which they mean; None is a handler that could not be put back.
    left = (signal.SIG_IGN, None)
    before = {number: known for number in numbers if (known := signal.getsignal(number)) not in left}
    try:
        for number in before:
            signal.signal(number, end or at_once)
        yield
    finally:
        for number, known in before.items():
            signal.signal(number, known)


def awaited(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What a coroutine returns; a signal cancels it first, since one that raises within asyncio leaves tasks behind."""
    import asyncio  # here, since most commands need it not

    ended = 0

    async def run() -> T:
        loop = asyncio.get_running_loop()
        task = loop.create_task(function())

        def end(number: int, _: object) -> None:
            nonlocal ended
            if not ended:  # else it is on its way
                ended = number
                loop.call_soon_threadsafe(task.cancel)

        with ended_by_signals(end):
            return await task

    running = run()
    try:
        result = asyncio.run(running)
    except asyncio.CancelledError:
        if not ended:
            raise
    finally:
        running.close()  # where a signal came before it began
    if ended:
        raise SystemExit(128 + ended)
    return result

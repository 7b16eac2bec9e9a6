"""One run of a command that sends requests: its client, its output, and its messages on standard error."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from talkdesk_bridge import Attempt, BridgeClient, Deviation, Retry, errors
from talkdesk_bridge.contract import ListShape

from talkdesk_bridge_cli.checks import in_words
from talkdesk_bridge_cli.exit import CommandError, bridge_errors, coloured, counted, printable, report, system_error
from talkdesk_bridge_cli.output import Output

_place: ContextVar[str] = ContextVar("place", default="")
"""What is being requested, such as `account 1`; each task of a run over many accounts has its own."""
MOST_PLACES = 10
"""A deviation is reported with at most this many accounts, so that memory and messages do not grow."""


class Run:
    """The client, the output and the messages of one command."""

    client: BridgeClient
    output: Output
    done = ""
    """What was read, with counts; reported at the end unless it is empty."""

    def __init__(self, *, timeout: float | None, paging: str, strict: bool, debug: bool, quiet: bool) -> None:
        self._debug = debug
        self._quiet = quiet
        self._origins: dict[str, str] = {}
        self._deviations: dict[str, Counter[str]] = {}
        retry = Retry(on_attempt=self._log_attempt if debug else None)
        self._options: dict[str, Any] = {"retry": retry, "strict": strict, "paging": paging}
        self._options["on_deviation"] = self._count_deviation
        if timeout is not None:
            self._options["timeout"] = (timeout, timeout)

    def connect(self, client_class: type[Any]) -> Any:
        """A client of this class, made from the environment variables."""
        client = client_class.from_env(**self._options)
        urls = {"bridge": client.base_url, "token": getattr(client.auth, "token_url", "")}
        self._origins = {name: f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for name, url in urls.items()}
        return client

    def collect(self, place: str, items: Any, shape: ListShape, limit: int | None) -> list[Any]:
        """The items of all pages, as sent; a terminal shows their number as they arrive.

        Args:
            place: What messages start with, such as `account 1`.
            items: An iterator of the client.
            shape: Where the list is in a page.
            limit: The `max_items` of the iterator; None for all.

        """
        found: list[Any] = []
        with self.at(place), self.progress() as show:
            show(place)
            for _ in items.pages(restart=found.clear):
                page = items.response.data
                found += shape.found(page) or []
                of_total = "" if shape.total_in(page) is None else f" of {shape.total_in(page)}"
                show(f"{place}: {len(found)}{of_total} {shape.name}")
        return found[:limit]

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Start messages about deviations with `place`; with --debug, report the developer messages of an error."""
        before = _place.set(place)
        try:
            yield
        except errors.StatusError as error:
            if self._debug and (info := error.error_info):
                texts = [info.developer_message, *(detail.message for detail in info.details or [])]
                for text in dict.fromkeys(filter(None, texts)):
                    report(f"  {printable(str(text))}")
            raise
        finally:
            _place.reset(before)

    def inform(self, text: str) -> None:
        """Report something that is no error, unless the user wants errors only."""
        if not self._quiet:
            report(printable(text))

    def finish(self) -> None:
        """Report the deviations and what was done."""
        for text, places in self._deviations.items():
            times = counted(places.total(), "time")
            if len(places) == 1:
                self.inform(f"{': '.join(filter(None, [*places, text]))} ({times}).")
            else:
                self.inform(f"{text} ({times}: {in_words([*places])}).")
        if self.done:
            self.inform(f"{self.done} {f'written to {self.output.name}' if self.output.path else 'printed'}.")

    def _log_attempt(self, attempt: Attempt) -> None:
        origin = self._origins["token" if attempt.operation == "token" else "bridge"]
        outcome = f"{attempt.status or attempt.error} in {attempt.seconds:.3f} s"
        number = f" (attempt {attempt.number})" if attempt.number > 1 else ""
        retry = f"; retry in {attempt.wait:.2f} s" if attempt.wait is not None else ""
        report(f"{attempt.method} {origin}{attempt.path} {outcome}{number}{retry}")

    def _count_deviation(self, deviation: Deviation) -> None:
        text = f"expected {deviation.documented} at {deviation.place}, got {deviation.seen}"
        places, place = self._deviations.setdefault(text, Counter()), _place.get()
        if place not in places and len(places) >= MOST_PLACES:
            place = "others"
        places[place] += deviation.count

    @contextmanager
    def progress(self) -> Iterator[Callable[[str], None]]:
        """Show one line of status on a terminal; each call replaces its text."""
        if self._quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            yield lambda _: None
            return
        from rich.console import Console
        from rich.text import Text

        plain = not coloured(sys.stderr)
        console = Console(stderr=True, force_terminal=True, no_color=plain, highlight=False, soft_wrap=True)
        # Other lines on standard error appear above the status line.
        with console.status("", spinner="line") as status:
            yield lambda line: status.update(Text(printable(line)))


def in_total(invoices: int, accounts: int, limit: int | None) -> str:
    """The counts of a run in words."""
    return f"{counted(invoices, 'invoice')} of {counted(accounts, 'account')}{limited_by(limit)}"


def limited_by(limit: int | None) -> str:
    """What follows the number of invoices if it was limited."""
    return f" (--limit {limit})" if limit else ""


@contextmanager
def connected_run(*, output: str | None, **options: Any) -> Iterator[Run]:
    """A run with a client from the environment; the output is checked before a request is sent."""
    with new_run(**options) as run, run.connect(BridgeClient) as client:
        run.client, run.output = client, Output(output)
        yield run


@contextmanager
def new_run(**options: Any) -> Iterator[Run]:
    """A run whose errors end the command, and whose deviations and counts are reported at the end."""
    with bridge_errors():
        run = Run(**options)
        try:
            yield run
        except BrokenPipeError:
            raise
        except OSError as error:
            raise CommandError(f"the requests ended early: {system_error(error)}.", 1) from None
        run.finish()

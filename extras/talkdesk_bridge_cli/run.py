"""One run of a command that asks the bridge: client, destination, and what standard error is told meanwhile."""

from __future__ import annotations

import inspect
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from talkdesk_bridge import Attempt, BridgeClient, Deviation, Response, Retry, errors
from talkdesk_bridge._settings import Settings
from talkdesk_bridge_api.api.billing import BillingOperations

from talkdesk_bridge_cli.exit import coloured, ended_by_signals, exit_status, printable, tell
from talkdesk_bridge_cli.output import Destination, destination

if TYPE_CHECKING:
    from rich.console import Console
    from talkdesk_bridge_api.types import Items

__all__ = ["Run", "account_name", "asking", "sent_in", "started"]


class Run:
    """What a command works with."""

    bridge: BridgeClient
    output: Destination

    def __init__(self, settings: Settings, *, debug: bool) -> None:
        self._debug = debug
        self._place = ""
        self.deviations: Counter[str] = Counter()
        self._console: Console | None = None
        urls = {"bridge": settings.base_url, "token": getattr(settings.auth, "token_url", "")}
        self._origins = {name: f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for name, url in urls.items()}

    def collect(
        self, place: str, what: str, items: Items[Any, Any], of: Callable[[Any], list[Any] | None]
    ) -> tuple[list[Any], list[Any]]:
        """All items of all pages, as models and as they came; how many is shown on a terminal meanwhile.

        Args:
            place: What messages begin with.
            what: The name of the list under `_embedded`.
            items: What goes through the pages.
            of: The models of a page.

        """
        models: list[Any] = []
        sent: list[Any] = []
        with self.at(place), self.progress() as show:
            show(place)
            for body in items.pages():
                models += of(body) or []
                sent += sent_in(items.response, what)
                total = getattr(body, "total", None)
                show(f"{place}: {len(models)}{'' if total is None else f' of {total}'} {what}")
        return models, sent

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Name the place of all that differs from the contract, and tell developers what a refusal says to them."""
        self._place = place
        try:
            yield
        except errors.StatusError as error:
            self.refused(error)
            raise

    def refused(self, error: errors.BridgeError) -> None:
        """Tell developers what a refusal says to them."""
        if self._debug and isinstance(error, errors.StatusError) and (info := error.error_info):
            told = [info.developer_message, *(detail.message for detail in info.details or [])]
            for line in dict.fromkeys(filter(None, told)):
                self._tell(f"  {printable(str(line))}")

    def attempted(self, attempt: Attempt) -> None:
        """Tell of a request."""
        origin = self._origins["token" if attempt.operation == "token" else "bridge"]
        told = f"{attempt.method} {origin}{attempt.path} {attempt.status or attempt.error} in {attempt.seconds:.3f} s"
        told += f" (attempt {attempt.number})" if attempt.number > 1 else ""
        told += f"; again in {attempt.wait:.2f} s" if attempt.wait is not None else ""
        self._tell(told)

    def _tell(self, told: str) -> None:
        if self._console:  # which has a line below that is written anew
            self._console.print(told, soft_wrap=True)
        else:
            tell(told)

    def deviated(self, deviation: Deviation) -> None:
        """Keep a deviation until the output is written."""
        told = f"{deviation.place}: {deviation.documented} is documented, and {deviation.seen} came"
        self.deviations[f"{self._place}: {told}" if self._place else told] += deviation.count

    @contextmanager
    def progress(self) -> Iterator[Callable[[str], None]]:
        """Show a line of text on a terminal, which each call writes anew."""
        if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            yield lambda _: None
            return
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner
        from rich.text import Text

        console = Console(
            stderr=True, force_terminal=True, highlight=False, markup=False,
            color_system="standard" if coloured(sys.stderr) else None,
        )  # fmt: skip
        spinner = Spinner("line")
        with Live(spinner, console=console, transient=True, redirect_stdout=False, redirect_stderr=False):
            self._console = console
            try:
                yield lambda line: spinner.update(text=Text(printable(line)))
            finally:
                self._console = None


def sent_in(page: Response[Any], what: str) -> list[Any]:
    """The items of a page, as they came; `what` is the name of their list."""
    return (page.data.get("_embedded") or {}).get(what) or []


@cache
def account_name() -> str:
    """What the argument is called that is an account; an invoice that is printed begins with it."""
    return [*inspect.signature(BillingOperations.iter_account_invoices).parameters][1]  # after `self`


@contextmanager
def asking(*, output: str | None, timeout: float | None, strict: bool, debug: bool) -> Iterator[Run]:
    """A client from the environment, and a place for the output, which is tried before the bridge is asked."""
    import rich  # noqa: F401 # whoever has not got it learns that now, and not after all requests

    with started(timeout=timeout, strict=strict, debug=debug) as (run, settings, options):  # noqa: SIM117 # too long
        with destination(output) as target, BridgeClient(settings.base_url, auth=settings.auth, **options) as bridge:
            run.output, run.bridge = target, bridge
            yield run


@contextmanager
def started(*, timeout: float | None, strict: bool, debug: bool) -> Iterator[tuple[Run, Settings, dict[str, Any]]]:
    """A run, the settings from the environment, and the other options of a client."""
    with exit_status(), ended_by_signals():
        settings = Settings.from_env()
        run = Run(settings, debug=debug)
        retry = Retry(on_attempt=run.attempted if debug else None)
        options: dict[str, Any] = {"retry": retry, "on_deviation": run.deviated, "strict": strict}
        options |= {} if timeout is None else {"timeout": (timeout, timeout)}
        yield run, settings, options
        for told, count in run.deviations.items():
            tell(f"{printable(told)}, {count} time{'s' if count > 1 else ''}.")

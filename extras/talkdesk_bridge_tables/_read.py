"""Reads many accounts as a stream of Arrow batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import Any

import pyarrow as pa
from talkdesk_bridge import BridgeClient, errors

from talkdesk_bridge_tables._schema import SCHEMA, Result, batches

PAUSE = 1.0
"""Seconds without demand, after which requests pause."""


def read(
    accounts: Iterable[str],
    *,
    make: Callable[[], BridgeClient] = BridgeClient.from_env,
    at_once: int = 20,
    per_page: int | None = None,
    permissive: bool = False,
    rows: int = 4096,
) -> pa.RecordBatchReader:
    """The invoices of accounts as a stream of batches, for everything that reads Arrow.

    Batches have whole accounts, in the order in which they arrive. An account without invoices has no row. Requests
    pause if nobody takes a batch for a second, also after `close()`, and end when the reader is let go of.

    Args:
        accounts: Account numbers; they are read as accounts end, so there may be any number of them.
        make: Makes the client, which is closed at the end.
        at_once: The number of accounts at a time, from 1 to 100.
        per_page: Invoices per page; None for the bridge's default.
        permissive: Whether an account that fails becomes one row with `error`, instead of an exception.
        rows: A batch ends with the account that reaches this number of rows.

    Raises:
        ArgumentError: an argument cannot be used.
        ConfigurationError: the client cannot be made.
        BridgeError: while reading: an account failed. With `permissive`, only an error that every account would get:
            a wrong credential or setting.

    """
    if not isinstance(rows, int) or rows < 1:
        raise errors.ArgumentError("rows must be an integer of at least 1.")
    client, demand = make(), _Demand()

    def listed(account: str) -> list[Any]:
        found: list[Any] = []
        for page in client.billing.iter_account_invoices(account, per_page=per_page).pages(restart=found.clear):
            found += (page.embedded and page.embedded.invoices) or []
            demand.wait()
        return found

    results = client.each(listed, accounts, at_once=at_once)
    checked = _checked(results, permissive=permissive)

    def stream() -> Generator[pa.RecordBatch]:
        with client, closing(results):
            yield from demand.watched(batches(checked, rows))

    return pa.RecordBatchReader.from_batches(SCHEMA, stream())


class _Demand:
    """Whether somebody takes batches; if not, requests pause.

    A RecordBatchReader does not say that it was closed, and a slow consumer needs no more accounts, either.
    """

    def __init__(self) -> None:
        self._exists = threading.Event()
        self._ended = 0.0

    def wait(self) -> None:
        """Wait for demand, if there has been none for a second."""
        if not self._exists.is_set() and time.monotonic() - self._ended > PAUSE:
            self._exists.wait()

    def watched(self, batches: Iterable[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
        """The same batches."""
        try:
            self._exists.set()
            for batch in batches:
                self._ended = time.monotonic()
                self._exists.clear()
                yield batch
                self._exists.set()
        finally:
            self._exists.set()  # ends the threads that wait


def _checked(results: Iterable[Result], *, permissive: bool) -> Iterator[Result]:
    for account, result in results:
        if isinstance(result, errors.BridgeError) and (not permissive or isinstance(result, errors.AFFECT_ALL_CALLS)):
            raise result
        yield account, result

"""A fast server of the same contract, in a process of its own: granian, which answers with bodies that it has ready.

The number of an account says how many invoices it has: `1000`, or `100-7` where many accounts are alike.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from benchmarks.pages import encoded, page
from benchmarks.timing import ROOT, environment, failed
from tools.contract import load

__all__ = ["app", "path", "serving"]

HEADERS = [("content-type", "application/json")]
PATIENCE = 30
"""Seconds until it must accept connections."""


def path() -> str:
    """Where the contract has the invoices, up to the account's number."""
    where = load(ROOT / "openapi.yaml").operation_named("get_account_invoices") or ()
    return re.sub(r"{\w+}$", "", str(where[1]))


@cache
def body(total: int, number: int, size: int) -> bytes:
    """One page of an account."""
    start = (number - 1) * size
    return encoded(page(max(0, min(size, total - start)), start, total))


async def app(scope: Any, protocol: Any) -> None:
    """The application, by granian's own interface."""
    query = parse_qs(scope.query_string)
    account = scope.path.rpartition("/")[2]
    total, number, size = int(account.partition("-")[0]), int(query.get("page", "1")[0]), int(query["per_page"][0])
    protocol.response_bytes(200, HEADERS, body(total, number, size))


@contextmanager
def serving() -> Iterator[str]:
    """A running server, by the URL that the number of an account comes after.

    Raises:
        MeasuringError: it does not start.

    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--no-ws", "--log-level", "error", "benchmarks.server:app"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    ) as server:  # fmt: skip
        try:
            end = time.monotonic() + PATIENCE
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    if server.poll() is not None or time.monotonic() > end:
                        server.kill()
                        assert server.stdout
                        raise failed("granian", server.stdout.read()) from None
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()

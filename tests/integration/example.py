"""Runs the bridge of examples/bridge, as its README says, for tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.conftest import ROOT
from tests.integration.gateways import free_address, running

FULL, EMPTY, UNKNOWN = "1000000001", "1000000002", "1"
"""Accounts of the example: with 120 invoices, with none, and one that does not exist."""
KEY = "key-of-the-example"
CLIENT_ID, SECRET = "client:1", "s%+ &=/"
SETTINGS = {
    "BRIDGE_API_KEY": KEY,
    "BRIDGE_CLIENT_ID": CLIENT_ID,
    "BRIDGE_CLIENT_SECRET": SECRET,
    "BRIDGE_TRUSTED_PROXIES": "127.0.0.1",
}


@contextmanager
def example(app: str = "examples.bridge.bridge:app", **settings: Any) -> Iterator[str]:
    """The host and port of the example, or of another application, with these settings instead of SETTINGS."""
    address = free_address()
    command = [sys.executable, "-m", "uvicorn", app, "--no-proxy-headers", "--log-level", "error"]
    with running(
        [*command, "--port", address.partition(":")[2]], address, cwd=ROOT, env=os.environ | SETTINGS | settings
    ):
        yield address

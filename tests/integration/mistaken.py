"""The bridge of examples/bridge with one mistake of tests/mistakes.py, which the variable MISTAKE names."""

from __future__ import annotations

import os

from examples.bridge.bridge import API_KEY, API_KEY_HEADER, app
from tests.integration.example import FULL
from tests.mistakes import MISTAKES, Bridge, Call, Reply


async def shows_the_credential(call: Call) -> Reply:
    """Error bodies show the request."""
    reply = await call.reply()
    return reply.with_data({"received": [*call.headers.values()]}) if reply.status >= 400 else reply


changes = {one.name: one.change for one in MISTAKES} | {"credential in the error body": shows_the_credential}
mistaken = Bridge(app, (API_KEY_HEADER, API_KEY), FULL)
mistaken.make(changes[os.environ["MISTAKE"]])

"""Tests with the fixture of the extra sandbox: real requests, on this machine."""

import asyncio

import pytest
from statement import owed, owed_async
from talkdesk_bridge import AsyncBridgeClient, Retry
from talkdesk_bridge_sandbox import Reply, Sandbox


@pytest.mark.parametrize(
    ("account", "words"),
    [("1000000003", "You owe 2700.00 USD."), ("9999999999", "We do not know this account.")],
)
def test_an_account(talkdesk_bridge_sandbox: Sandbox, account: str, words: str) -> None:
    assert owed(talkdesk_bridge_sandbox.client, account) == words


def test_a_bridge_that_fails_once(talkdesk_bridge_sandbox: Sandbox) -> None:
    talkdesk_bridge_sandbox.script(Reply(503))
    assert owed(talkdesk_bridge_sandbox.client, "1000000003") == "You owe 2700.00 USD."


def test_a_bridge_that_fails(talkdesk_bridge_sandbox: Sandbox) -> None:
    talkdesk_bridge_sandbox.fault = "html-error"
    impatient = talkdesk_bridge_sandbox.client.with_options(retry=Retry(attempts=1))
    assert owed(impatient, "1000000003") == "Please ask again later."


def test_async(talkdesk_bridge_sandbox: Sandbox) -> None:
    async def words() -> object:
        async with AsyncBridgeClient.from_env(talkdesk_bridge_sandbox.environ) as bridge:
            return await owed_async(bridge, "1000000003")

    assert asyncio.run(words()) == "You owe 2700.00 USD."

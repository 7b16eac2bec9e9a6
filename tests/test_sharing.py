"""Shared clients: other processes, callers that wait for one token, hooks, and cancelled tasks."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from talkdesk_bridge import AsyncBridgeClient, Attempt, BridgeClient, OAuth2ClientCredentials, Retry, errors

from tests.conftest import ONCE, Server, as_json, page


@pytest.fixture
def roomy(server: Server) -> Server:
    """A server that accepts many connections at once, and ignores dropped ones."""
    server._server.socket.listen(1000)
    return server


def outcome(bridge: BridgeClient) -> str:
    try:
        return str(bridge.billing.get_account_invoices("1").total)
    except errors.BridgeError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_client_cannot_be_used_in_another_process(server: Server) -> None:
    """Otherwise both would write into one connection, and each could read the other's response."""
    server.respond_with(page(1, total=1))
    with BridgeClient(server.url, **ONCE) as bridge:
        assert outcome(bridge) == "1"
        reader, writer = os.pipe()
        if (child := os.fork()) == 0:
            os.write(writer, outcome(bridge).encode())
            os._exit(0)
        os.waitpid(child, 0)
        message = "The client was made in another process, and both would read each other's responses: make one client in each process."
        assert os.read(reader, 1000).decode() == f"ConfigurationError: {message}"
        assert outcome(bridge) == "1"
    os.close(reader)
    os.close(writer)


def test_callers_that_wait_for_a_token_share_its_failure(server: Server, elsewhere: Server) -> None:
    begun = threading.Barrier(8)

    def script(method: str, target: str) -> tuple[int, dict[str, str], bytes]:
        time.sleep(0.3)  # until all of them wait
        return as_json({}, 503)

    elsewhere.script = script
    auth = OAuth2ClientCredentials(elsewhere.url, "id", "secret")

    def listed(_: int) -> str:
        begun.wait()
        return outcome(bridge)

    with BridgeClient(server.url, auth=auth, **ONCE) as bridge, ThreadPoolExecutor(8) as pool:
        outcomes = {*pool.map(listed, range(8))}
    assert [len(elsewhere.seen), len(outcomes)] == [1, 1]
    assert "AuthenticationError" in outcomes.pop()


def test_a_hook_may_call_the_client_while_a_token_is_fetched(server: Server, elsewhere: Server) -> None:
    elsewhere.respond_with({"access_token": "token", "expires_in": 3600})
    server.respond_with(page(1, total=1))
    outcomes: list[str] = []

    def hook(attempt: Attempt) -> None:
        if attempt.operation == "token" and not outcomes:
            outcomes.append("")
            outcomes.append(outcome(bridge))

    auth = OAuth2ClientCredentials(elsewhere.url, "id", "secret")
    with BridgeClient(server.url, auth=auth, retry=Retry(on_attempt=hook)) as bridge:
        thread = threading.Thread(target=outcome, args=(bridge,), daemon=True)
        thread.start()
        thread.join(5)
        assert not thread.is_alive()
    assert outcomes == ["", "1"]


def test_cancelled_tasks_free_their_places(roomy: Server) -> None:
    """If a cancelled task kept its place, one of a hundred requests would have to wait."""
    together = threading.Barrier(100)

    def script(method: str, target: str) -> tuple[int, dict[str, str], bytes]:
        if target.endswith("/together"):
            together.wait(5)
        else:
            time.sleep(0.01)
        return as_json(page(1, total=1))

    roomy.script = script

    async def run() -> int:
        async with AsyncBridgeClient(roomy.url, **ONCE) as bridge:
            for turn in range(100):
                tasks = [asyncio.create_task(bridge.billing.get_account_invoices("1")) for _ in range(20)]
                await asyncio.sleep(0.01 + 0.0002 * turn)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            return len(await asyncio.gather(*(bridge.billing.get_account_invoices("together") for _ in range(100))))

    assert asyncio.run(run()) == 100


def test_a_deadline_limits_the_wait_for_other_requests(roomy: Server) -> None:
    """At most a hundred requests are sent at a time; the others wait until their deadline."""
    released = threading.Event()

    def script(method: str, target: str) -> tuple[int, dict[str, str], bytes]:
        released.wait(10)
        return as_json(page(1, total=1))

    roomy.script = script
    with BridgeClient(roomy.url, **ONCE) as bridge, ThreadPoolExecutor(100) as pool:
        others = [pool.submit(outcome, bridge) for _ in range(100)]
        while len(roomy.seen) < 100:
            time.sleep(0.01)
        begun = time.monotonic()
        try:
            with pytest.raises(errors.NotSentError, match="send fewer at once"):
                bridge.with_options(deadline=0.2).billing.get_account_invoices("1")
            assert time.monotonic() - begun < 2
        finally:
            released.set()
        assert {other.result() for other in others} == {"1"}


def test_a_thousand_tasks(roomy: Server) -> None:
    roomy.respond_with(page(1, total=1))

    async def run() -> int:
        async with AsyncBridgeClient(roomy.url, **ONCE) as bridge:
            return len(await asyncio.gather(*(bridge.billing.get_account_invoices("1") for _ in range(1000))))

    begun = time.monotonic()
    assert asyncio.run(run()) == 1000
    assert time.monotonic() - begun < 15

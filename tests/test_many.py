"""`each`: many accounts at a time, the limit of open requests, errors, waits, and what ends the loop."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from itertools import count
from typing import Any

import httpcore
import pytest
from talkdesk_bridge import AsyncBridgeClient, Attempt, BasicAuth, BridgeClient, Retry, errors
from talkdesk_bridge.models import InvoiceDetails, InvoiceDetailsResponse

from tests.conftest import ONCE, page
from tests.keepalive import KeepAlive, http_response
from tests.raw import Raw

ACCOUNTS = [str(number) for number in range(40)]


class Bridge(KeepAlive):
    """Responds after a pause with one invoice that has the account's number; counts how many requests are open."""

    def __init__(self, pause: float = 0.005) -> None:
        super().__init__(self.page)
        self.pause = pause
        self.requested: list[tuple[float, str]] = []
        self.error_responses: dict[str, list[bytes]] = {}
        self.open = self.most = 0
        self.together = threading.Barrier(1)
        """The requests after the first one, as many as there are parties, wait for each other."""
        self._lock = threading.Lock()

    def page(self, target: str) -> bytes:
        account = target.rpartition("/")[2]
        with self._lock:
            self.requested.append((time.monotonic(), account))
            self.open += 1
            self.most = max(self.most, self.open)
            first = 1 < len(self.requested) <= 1 + self.together.parties
            prepared = self.error_responses.get(account)
            content = prepared.pop(0) if prepared else http_response(json.dumps(page(account, total=1)).encode())
        if first:
            self.together.wait(5)
        time.sleep(self.pause)
        with self._lock:
            self.open -= 1
        return content


def error_response(status: int, *headers: str) -> bytes:
    return http_response(b"{}", status, headers)


@pytest.fixture
def many() -> Iterator[Bridge]:
    bridge = Bridge()
    with bridge:
        yield bridge


WAYS = pytest.mark.parametrize("way", ["awaiting", "blocking"])


def results_of(bridge: Bridge, way: str = "awaiting", *, at_once: int = 5, **options: Any) -> dict[str, Any]:
    """The results by account; for a list, the numbers of its invoices."""
    results: dict[str, Any] = {}
    defaults = {"retry": Retry(backoff=0.01), **options}

    def add(account: str, result: list[InvoiceDetails] | errors.BridgeError) -> None:
        assert account not in results
        if isinstance(result, errors.BridgeError):
            results[account] = result
        else:
            results[account] = [invoice.invoice_number for invoice in result]

    async def run() -> None:
        async with AsyncBridgeClient(bridge.url, **defaults) as client:
            async for account, result in client.each(client.billing.iter_account_invoices, ACCOUNTS, at_once=at_once):
                add(account, result)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    if way == "awaiting":
        asyncio.run(run())
    else:
        with BridgeClient(bridge.url, **defaults) as client:
            for account, result in client.each(client.billing.iter_account_invoices, ACCOUNTS, at_once=at_once):
                add(account, result)
        assert not workers()
    return results


def workers() -> list[threading.Thread]:
    """The threads of a blocking `each` that have not ended."""
    return [thread for thread in threading.enumerate() if "(work)" in thread.name]


@WAYS
def test_each_account_comes_once_and_the_limit_of_open_requests_holds(many: Bridge, way: str) -> None:
    many.together = threading.Barrier(5)
    assert results_of(many, way) == {account: [account] for account in ACCOUNTS}
    assert many.most == 5
    many.most = 0
    assert len(results_of(many, way, at_once=1)) == 40
    assert many.most == 1


@WAYS
@pytest.mark.parametrize("status", [401, 407])
def test_a_wrong_password_is_sent_once(many: Bridge, way: str, status: int) -> None:
    """Otherwise it would be sent for each call at a time, and some servers and proxies lock a login after a few."""
    many.error_responses = {account: [error_response(status)] for account in ACCOUNTS}
    accounts = ["", "..", *ACCOUNTS]  # the first two are not sent

    def take(result: object) -> None:
        assert isinstance(result, errors.BridgeError)
        if not isinstance(result, errors.ArgumentError):
            time.sleep(0.1)  # long enough for a thread to send the next one
            raise result

    async def run() -> None:
        async with AsyncBridgeClient(many.url, BasicAuth("user", "wrong")) as client:
            async for _, result in client.each(client.billing.get_account_invoices, accounts):
                take(result)

    def block() -> None:
        with BridgeClient(many.url, BasicAuth("user", "wrong")) as client:
            for _, result in client.each(client.billing.get_account_invoices, accounts):
                take(result)

    with pytest.raises(errors.AFFECT_ALL_CALLS):
        block() if way == "blocking" else asyncio.run(run())
    assert len(many.requested) == 1
    assert not workers()


@WAYS
def test_a_loop_that_goes_on_after_a_wrong_password_makes_all_calls(many: Bridge, way: str) -> None:
    many.error_responses = {account: [error_response(401)] for account in ACCOUNTS[:30]}
    results = results_of(many, way)
    assert sum(isinstance(result, errors.UnauthorizedError) for result in results.values()) == 30
    assert results.keys() == {*ACCOUNTS}
    assert many.most == 5


@WAYS
def test_a_failed_account_does_not_affect_others(many: Bridge, way: str) -> None:
    many.error_responses = {
        "3": [error_response(404)],
        "7": [http_response(b"<html>")],
        "9": [error_response(503)] * 4,
        "11": [error_response(503), error_response(500)],
    }
    results = results_of(many, way)
    assert {account: type(result) for account, result in results.items() if result != [account]} == {
        "3": errors.NotFoundError,
        "7": errors.ContractError,
        "9": errors.ServerError,
    }
    assert results.keys() == {*ACCOUNTS}


@WAYS
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_for_one_account_makes_all_wait(many: Bridge, way: str, status: int) -> None:
    many.error_responses = {"2": [error_response(status, "Retry-After: 1")]}
    received: list[float] = []

    def seen(attempt: Attempt) -> None:
        if attempt.status == status:
            received.append(time.monotonic())

    assert results_of(many, way, retry=Retry(on_attempt=seen)) == {account: [account] for account in ACCOUNTS}
    assert len(received) == 1
    after = [when - received[0] for when, _ in many.requested if when > received[0]]
    assert len([seconds for seconds in after if seconds < 0.95]) <= 4, "requests that were already open"
    assert len([seconds for seconds in after if seconds >= 0.95]) > 20


def test_calls_outside_each_do_not_wait_for_each_other(many: Bridge) -> None:
    many.error_responses = {"0": [error_response(429, "Retry-After: 30")]}

    async def run() -> None:
        async with AsyncBridgeClient(many.url, **ONCE) as client:
            with pytest.raises(errors.TooManyRequestsError):
                await client.billing.get_account_invoices("0")
            await client.billing.get_account_invoices("1")

    asyncio.run(asyncio.wait_for(run(), 5))


@WAYS
def test_a_long_retry_after_ends_all_requests(many: Bridge, way: str) -> None:
    many.error_responses = {account: [error_response(429, "Retry-After: 3600")] * 4 for account in ACCOUNTS}
    results = results_of(many, way)
    assert {type(result) for result in results.values()} == {errors.TooManyRequestsError, errors.NotSentError}
    assert results.keys() == {*ACCOUNTS}
    assert "come back in 3600 s" in str(results["39"])
    assert len(many.requested) <= 5


class Limiter:
    """Accepts two requests a second and returns 429 with Retry-After: 1 to others; its clock is 50 times as fast."""

    SPEED = 50

    def __init__(self) -> None:
        self.accepted: list[float] = []
        self._lock = threading.Lock()

    def clock(self) -> float:
        return time.monotonic() * self.SPEED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.SPEED)

    def respond(self, target: str) -> bytes:
        with self._lock:
            now = self.clock()
            if len(self.accepted) >= 2 and now - self.accepted[-2] < 1:
                return error_response(429, "Retry-After: 1")
            self.accepted.append(now)
        return http_response(json.dumps(page(target.rpartition("/")[2], total=1)).encode())


def test_a_rate_limit_fails_no_account() -> None:
    """Without a common wait, twenty requests at a time would get more 429 responses than they have attempts."""
    limiter = Limiter()
    bridge = Bridge(0)
    with bridge:
        bridge.respond = limiter.respond
        results = results_of(bridge, at_once=20, clock=limiter.clock, sleep=limiter.sleep, retry=Retry())
    assert results == {account: [account] for account in ACCOUNTS}


def test_429_without_retry_after_fails_only_its_account(many: Bridge) -> None:
    many.error_responses = {"0": [error_response(429)] * 99}
    results = results_of(many)
    assert type(results.pop("0")) is errors.TooManyRequestsError
    assert results == {account: [account] for account in ACCOUNTS[1:]}


@WAYS
def test_accounts_fail_if_the_bridge_returns_429_to_all_requests(many: Bridge, way: str) -> None:
    many.error_responses = {account: [error_response(429, "Retry-After: 0")] * 99 for account in ACCOUNTS}
    assert {type(result) for result in results_of(many, way).values()} == {errors.TooManyRequestsError}
    assert len(many.requested) == 4 * 40


def test_no_new_request_starts_until_the_caller_takes_a_result(many: Bridge) -> None:
    many.pause = 0

    async def run() -> None:
        async with AsyncBridgeClient(many.url, **ONCE) as client:
            results = client.each(client.billing.get_account_invoices, ACCOUNTS, at_once=5)
            taken = [await anext(results) for _ in range(3)]
            await asyncio.sleep(0.2)
            assert len(taken) + 5 <= len(many.requested) <= len(taken) + 5 + 1
            await results.aclose()
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_accounts_are_read_from_the_iterator_as_needed(many: Bridge) -> None:
    numbers = count()
    accounts = map(str, numbers)

    async def run() -> None:
        async with AsyncBridgeClient(many.url, **ONCE) as client:
            async with aclosing(client.each(client.billing.get_account_invoices, accounts, at_once=3)) as results:
                taken = [await anext(results) for _ in range(10)]
            assert asyncio.all_tasks() == {asyncio.current_task()}
        assert len({account for account, _ in taken}) == 10
        assert next(numbers) <= 10 + 3 + 1

    asyncio.run(run())


def test_leaving_the_loop_leaves_no_task_behind(many: Bridge) -> None:
    many.pause = 0.05

    async def leave() -> None:
        async with AsyncBridgeClient(many.url, **ONCE) as client:
            async for _ in client.each(client.billing.get_account_invoices, ACCOUNTS, at_once=5):
                break
            async with asyncio.timeout(5):
                while asyncio.all_tasks() != {asyncio.current_task()}:
                    await asyncio.sleep(0.01)

    async def cancelled() -> None:
        async def read_all() -> None:
            async with AsyncBridgeClient(many.url, **ONCE) as client:
                async for _ in client.each(client.billing.get_account_invoices, ACCOUNTS, at_once=5):
                    pass

        task = asyncio.create_task(read_all())
        await asyncio.sleep(0.12)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(leave())
    before = len(many.requested)
    assert before <= 5 + 1 + 5
    asyncio.run(cancelled())
    assert len(many.requested) < before + 20


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (ZeroDivisionError("x"), "ZeroDivisionError: x"),
        (asyncio.CancelledError(), "RuntimeError: The call for '20' was cancelled."),
    ],
)
def test_an_exception_of_the_function_ends_the_loop(many: Bridge, failure: BaseException, message: str) -> None:
    accounts: list[str] = []

    async def run() -> None:
        async with AsyncBridgeClient(many.url, **ONCE) as client:

            async def total_of(account: str) -> int:
                found = await client.billing.get_account_invoices(account)
                if account == "20":
                    raise failure
                return found.total or 0

            try:
                async for account, result in client.each(total_of, ACCOUNTS, at_once=5):
                    assert result == 1
                    accounts.append(account)
            finally:
                assert asyncio.all_tasks() == {asyncio.current_task()}

    with pytest.raises((ZeroDivisionError, RuntimeError)) as caught:
        asyncio.run(run())
    assert f"{caught.type.__name__}: {caught.value}" == message
    assert 10 < len(accounts) < 30


def test_an_exception_of_the_accounts_ends_the_loop(many: Bridge) -> None:
    def broken() -> Iterator[str]:
        yield "1"
        raise OSError("broken")

    async def run() -> None:
        async with AsyncBridgeClient(many.url, **ONCE) as client:
            with pytest.raises(OSError, match="broken"):
                async for _ in client.each(client.billing.get_account_invoices, broken()):
                    pass

    asyncio.run(run())


def test_one_account_as_text_is_rejected() -> None:
    client = AsyncBridgeClient("https://b")
    with pytest.raises(errors.ArgumentError, match="inputs must be an iterable of accounts, not a string"):
        client.each(client.billing.get_account_invoices, "1000")
    asyncio.run(client.close())


@pytest.mark.parametrize("at_once", [0, 101, 1.5, None])
def test_an_invalid_at_once_is_rejected_before_the_loop(at_once: Any) -> None:
    client = AsyncBridgeClient("https://b")
    with pytest.raises(errors.ArgumentError, match="at_once must be an integer from 1 to 100"):
        client.each(client.billing.get_account_invoices, [], at_once=at_once)


def test_a_function_can_read_page_by_page(many: Bridge) -> None:
    async def run() -> dict[str, Any]:
        async with AsyncBridgeClient(many.url, **ONCE) as client:

            async def numbers(account: str) -> AsyncIterator[str | None]:
                async for body in client.billing.iter_account_invoices(account).pages():
                    for invoice in (body.embedded.invoices if body.embedded else None) or []:
                        yield invoice.invoice_number

            return {account: result async for account, result in client.each(numbers, ACCOUNTS)}

    assert asyncio.run(run()) == {account: [account] for account in ACCOUNTS}


def test_a_blocking_client_starts_no_request_until_the_caller_takes_a_result(many: Bridge) -> None:
    many.pause = 0
    with BridgeClient(many.url, **ONCE) as client:
        results = client.each(client.billing.get_account_invoices, ACCOUNTS, at_once=5)
        taken = [next(results) for _ in range(3)]
        time.sleep(0.2)
        assert len(taken) + 5 <= len(many.requested) <= len(taken) + 5 + 1
        results.close()
        assert not workers()


def test_a_blocking_client_makes_each_call_before_it_reads_the_next_account(many: Bridge) -> None:
    begun = threading.Semaphore()

    def accounts() -> Iterator[str]:
        for account in ACCOUNTS:
            assert begun.acquire(timeout=5)
            yield account

    with BridgeClient(many.url, **ONCE) as client:
        results = client.each(lambda _: begun.release(), accounts(), at_once=5)
        assert sum(1 for _ in results) == len(ACCOUNTS)


def test_an_exception_of_a_blocking_function_ends_the_loop(many: Bridge) -> None:
    def total_of(account: str) -> int:
        found = client.billing.get_account_invoices(account)
        if account == "20":
            raise ZeroDivisionError("x")
        return found.total or 0

    accounts: list[str] = []
    with BridgeClient(many.url, **ONCE) as client:
        with pytest.raises(ZeroDivisionError, match="x"):
            accounts += [account for account, _ in client.each(total_of, ACCOUNTS, at_once=5)]
        assert not workers()
        assert client.billing.get_account_invoices("7").total == 1  # the client still works
    assert len(many.requested) < 35


def test_an_exception_of_the_accounts_ends_a_blocking_loop_too(many: Bridge) -> None:
    def broken() -> Iterator[str]:
        yield "1"
        raise OSError("broken")

    with BridgeClient(many.url, **ONCE) as client, pytest.raises(OSError, match="broken"):
        list(client.each(client.billing.get_account_invoices, broken()))


@pytest.fixture
def silent() -> Iterator[Raw]:
    """A server that accepts requests and never responds."""
    with Raw([lambda exchange: exchange.wait()]) as raw:
        yield raw


def test_leaving_a_blocking_loop_ends_requests_without_a_response(silent: Raw) -> None:
    failed: list[tuple[float, str]] = []

    def ask(account: str) -> InvoiceDetailsResponse | None:
        if account == "0":
            return None
        try:
            return client.billing.get_account_invoices(account)
        except errors.BridgeError as error:
            failed.append((time.monotonic(), type(error).__name__))
            raise

    with BridgeClient(silent.url, **ONCE) as client:
        results = client.each(ask, ACCOUNTS, at_once=5)
        assert next(results) == ("0", None)
        while len(silent.requests) < 5:
            time.sleep(0.01)
        begun = time.monotonic()
        results.close()
        assert time.monotonic() - begun < 2
        assert not workers()
    assert [name for _, name in failed] == ["NoResponseError"] * 5, "the sockets were shut down"
    time.sleep(0.1)
    assert len(silent.requests) == 5


def test_leaving_a_blocking_loop_sends_no_request_that_is_still_connecting(
    many: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = httpcore.SyncBackend.connect_tcp

    def slowly(*arguments: Any, **named: Any) -> Any:
        if many.requested:
            time.sleep(3)
        return connect(*arguments, **named)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", slowly)
    with BridgeClient(many.url, **ONCE) as client:
        assert client.billing.get_account_invoices("0").total == 1
        results = client.each(client.billing.get_account_invoices, ACCOUNTS, at_once=5)
        next(results)
        begun, sent = time.monotonic(), len(many.requested)
        results.close()
        assert time.monotonic() - begun < 2.5
        time.sleep(3)
        assert len(many.requested) <= sent + 1, "one request may already have its connection"


def test_leaving_a_blocking_loop_starts_no_retry(many: Bridge) -> None:
    """The loop does not wait for threads that sleep before a retry, and they send nothing when they wake up."""
    many.error_responses = {account: [error_response(503)] * 9 for account in ACCOUNTS[1:]}
    with BridgeClient(many.url, retry=Retry(backoff=0, retry_after_max=9), sleep=lambda _: time.sleep(3)) as client:
        results = client.each(client.billing.get_account_invoices, ACCOUNTS, at_once=5)
        assert next(results)[0] == "0"
        time.sleep(0.2)
        begun, sent = time.monotonic(), len(many.requested)
        results.close()
        assert time.monotonic() - begun < 2.5
        time.sleep(3)
        assert len(many.requested) == sent
        assert not workers()


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="needs signals")
def test_an_interrupt_ends_a_blocking_loop(silent: Raw) -> None:
    code = """
import sys
from talkdesk_bridge import BridgeClient, Retry
with BridgeClient(sys.argv[1]) as bridge:
    ask = bridge.billing.get_account_invoices
    for _ in bridge.each(lambda account: account == "0" or ask(account), map(str, range(100))):
        pass
"""
    process = subprocess.Popen([sys.executable, "-c", code, silent.url], stderr=subprocess.PIPE, text=True)
    while len(silent.requests) < 20:
        time.sleep(0.01)
        assert process.poll() is None
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=10)
    assert time.monotonic() - begun < 2
    assert printed.rstrip().endswith("KeyboardInterrupt")
    assert len(silent.requests) == 20

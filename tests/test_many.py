"""Many accounts at once: how many requests are on their way, what becomes of errors, and who waits for whom."""

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
from typing import Any

import httpcore
import pytest
from talkdesk_bridge import AsyncBridgeClient, Attempt, BridgeClient, Retry, errors
from talkdesk_bridge.models import InvoiceDetails, InvoiceDetailsResponse

from tests.conftest import ONCE, page
from tests.keepalive import KeepAlive, http_response
from tests.raw import Raw

ACCOUNTS = [str(number) for number in range(40)]


class Bridge(KeepAlive):
    """Answers with one invoice that has the account's number, a little later; knows how many it answered at a time."""

    def __init__(self, pause: float = 0.005) -> None:
        super().__init__(self.answer)
        self.pause = pause
        self.asked: list[tuple[float, str]] = []
        self.refusals: dict[str, list[bytes]] = {}
        self.at_once = self.most = 0
        self.together = threading.Barrier(1)
        """The first so many are answered together."""
        self._lock = threading.Lock()

    def answer(self, target: str) -> bytes:
        account = target.rpartition("/")[2]
        with self._lock:
            self.asked.append((time.monotonic(), account))
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            first = len(self.asked) <= self.together.parties
            refusals = self.refusals.get(account)
            content = refusals.pop(0) if refusals else http_response(json.dumps(page(account, total=1)).encode())
        if first:
            self.together.wait(5)
        time.sleep(self.pause)
        with self._lock:
            self.at_once -= 1
        return content


def refusal(status: int, *headers: str) -> bytes:
    return http_response(b"{}", status, headers)


@pytest.fixture
def many() -> Iterator[Bridge]:
    bridge = Bridge()
    with bridge:
        yield bridge


WAYS = pytest.mark.parametrize("way", ["awaiting", "blocking"])


def asked(bridge: Bridge, way: str = "awaiting", *, at_once: int = 5, **options: Any) -> dict[str, Any]:
    """The results by account, the numbers of its invoices instead of each list."""
    results: dict[str, Any] = {}
    given = {"retry": Retry(backoff=0.01), **options}

    def add(account: str, result: list[InvoiceDetails] | errors.BridgeError) -> None:
        assert account not in results
        if isinstance(result, errors.BridgeError):
            results[account] = result
        else:
            results[account] = [invoice.invoice_number for invoice in result]

    async def run() -> None:
        async with AsyncBridgeClient(bridge.url, **given) as client:
            async for account, result in client.each(client.billing.iter_account_invoices, ACCOUNTS, at_once=at_once):
                add(account, result)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    if way == "awaiting":
        asyncio.run(run())
    else:
        with BridgeClient(bridge.url, **given) as client:
            for account, result in client.each(client.billing.iter_account_invoices, ACCOUNTS, at_once=at_once):
                add(account, result)
        assert not workers()
    return results


def workers() -> list[threading.Thread]:
    """The threads of a blocking `each` that have not ended."""
    return [thread for thread in threading.enumerate() if "_work" in thread.name]


@WAYS
def test_each_account_comes_once_and_so_many_are_asked_at_a_time(many: Bridge, way: str) -> None:
    many.together = threading.Barrier(5)
    assert asked(many, way) == {account: [account] for account in ACCOUNTS}
    assert many.most == 5
    many.most = 0
    assert len(asked(many, way, at_once=1)) == 40
    assert many.most == 1


@WAYS
def test_an_account_that_fails_costs_no_other(many: Bridge, way: str) -> None:
    many.refusals = {
        "3": [refusal(404)],
        "7": [http_response(b"<html>")],
        "9": [refusal(503)] * 4,
        "11": [refusal(503), refusal(500)],
    }
    results = asked(many, way)
    assert {account: type(result) for account, result in results.items() if result != [account]} == {
        "3": errors.NotFoundError,
        "7": errors.ContractError,
        "9": errors.ServerError,
    }
    assert results.keys() == {*ACCOUNTS}


@WAYS
@pytest.mark.parametrize("status", [429, 503])
def test_all_wait_where_one_is_told_to(many: Bridge, way: str, status: int) -> None:
    many.refusals = {"2": [refusal(status, "Retry-After: 1")]}
    told: list[float] = []

    def seen(attempt: Attempt) -> None:
        if attempt.status == status:
            told.append(time.monotonic())

    assert asked(many, way, retry=Retry(on_attempt=seen)) == {account: [account] for account in ACCOUNTS}
    assert len(told) == 1
    after = [when - told[0] for when, _ in many.asked if when > told[0]]
    assert len([seconds for seconds in after if seconds < 0.95]) <= 4, "those that were on their way already"
    assert len([seconds for seconds in after if seconds >= 0.95]) > 20


def test_calls_that_are_not_made_together_do_not_wait_for_each_other(many: Bridge) -> None:
    many.refusals = {"0": [refusal(429, "Retry-After: 30")]}

    async def run() -> None:
        async with AsyncBridgeClient(many.url, **ONCE) as client:
            with pytest.raises(errors.TooManyRequestsError):
                await client.billing.get_account_invoices("0")
            await client.billing.get_account_invoices("1")

    asyncio.run(asyncio.wait_for(run(), 5))


@WAYS
def test_a_bridge_that_wants_nothing_for_long_gets_no_more_requests(many: Bridge, way: str) -> None:
    many.refusals = {account: [refusal(429, "Retry-After: 3600")] * 4 for account in ACCOUNTS}
    results = asked(many, way)
    assert {type(result) for result in results.values()} == {errors.TooManyRequestsError, errors.NotSentError}
    assert results.keys() == {*ACCOUNTS}
    assert "come back in 3600 s" in str(results["39"])
    assert len(many.asked) <= 5


class Limiter:
    """Lets two requests pass a second, and tells the others to come back in one; its second is a fiftieth of ours."""

    FASTER = 50

    def __init__(self) -> None:
        self.passed: list[float] = []
        self._lock = threading.Lock()

    def clock(self) -> float:
        return time.monotonic() * self.FASTER

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.FASTER)

    def answer(self, target: str) -> bytes:
        with self._lock:
            now = self.clock()
            if len(self.passed) >= 2 and now - self.passed[-2] < 1:
                return refusal(429, "Retry-After: 1")
            self.passed.append(now)
        return http_response(json.dumps(page(target.rpartition("/")[2], total=1)).encode())


def test_a_limit_of_requests_fails_no_account() -> None:
    """Twenty at a time, where two are let pass, would turn each away more often than it is tried."""
    limiter = Limiter()
    bridge = Bridge(0)
    with bridge:
        bridge.respond = limiter.answer
        results = asked(bridge, at_once=20, clock=limiter.clock, sleep=limiter.sleep, retry=Retry())
    assert results == {account: [account] for account in ACCOUNTS}


def test_a_bridge_that_turns_away_without_saying_for_how_long(many: Bridge) -> None:
    many.refusals = {"0": [refusal(429)] * 99}
    results = asked(many)
    assert type(results.pop("0")) is errors.TooManyRequestsError
    assert results == {account: [account] for account in ACCOUNTS[1:]}


@WAYS
def test_who_is_always_turned_away_is_given_up_where_nobody_gets_through(many: Bridge, way: str) -> None:
    many.refusals = {account: [refusal(429, "Retry-After: 0")] * 99 for account in ACCOUNTS}
    assert {type(result) for result in asked(many, way).values()} == {errors.TooManyRequestsError}
    assert len(many.asked) == 4 * 40


def test_whoever_takes_no_results_gets_no_more_requests_sent(many: Bridge) -> None:
    many.pause = 0

    async def run() -> None:
        async with AsyncBridgeClient(many.url, **ONCE) as client:
            results = client.each(client.billing.get_account_invoices, ACCOUNTS, at_once=5)
            taken = [await anext(results) for _ in range(3)]
            await asyncio.sleep(0.2)
            assert len(taken) + 5 <= len(many.asked) <= len(taken) + 5 + 1
            await results.aclose()
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_accounts_are_taken_as_there_is_room_for_them(many: Bridge) -> None:
    given: list[int] = []

    def endless() -> Iterator[str]:
        while True:
            given.append(len(given))
            yield str(given[-1])

    async def run() -> None:
        async with AsyncBridgeClient(many.url, **ONCE) as client:
            async with aclosing(client.each(client.billing.get_account_invoices, endless(), at_once=3)) as results:
                taken = [await anext(results) for _ in range(10)]
            assert asyncio.all_tasks() == {asyncio.current_task()}
        assert len({account for account, _ in taken}) == 10
        assert len(given) <= 10 + 3 + 1

    asyncio.run(run())


def test_whoever_leaves_the_loop_leaves_no_task_behind(many: Bridge) -> None:
    many.pause = 0.05

    async def leave() -> None:
        async with AsyncBridgeClient(many.url, **ONCE) as client:
            async for _ in client.each(client.billing.get_account_invoices, ACCOUNTS, at_once=5):
                break
            async with asyncio.timeout(5):
                while asyncio.all_tasks() != {asyncio.current_task()}:
                    await asyncio.sleep(0.01)

    async def cancelled() -> None:
        async def go_through() -> None:
            async with AsyncBridgeClient(many.url, **ONCE) as client:
                async for _ in client.each(client.billing.get_account_invoices, ACCOUNTS, at_once=5):
                    pass

        task = asyncio.create_task(go_through())
        await asyncio.sleep(0.12)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(leave())
    before = len(many.asked)
    assert before <= 5 + 1 + 5
    asyncio.run(cancelled())
    assert len(many.asked) < before + 20


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (ZeroDivisionError("x"), "ZeroDivisionError: x"),
        (asyncio.CancelledError(), "RuntimeError: The call for '20' was cancelled."),
    ],
)
def test_what_a_function_raises_ends_all(many: Bridge, failure: BaseException, told: str) -> None:
    got: list[str] = []

    async def run() -> None:
        async with AsyncBridgeClient(many.url, **ONCE) as client:

            async def count(account: str) -> int:
                found = await client.billing.get_account_invoices(account)
                if account == "20":
                    raise failure
                return found.total or 0

            try:
                async for account, result in client.each(count, ACCOUNTS, at_once=5):
                    assert result == 1
                    got.append(account)
            finally:
                assert asyncio.all_tasks() == {asyncio.current_task()}

    with pytest.raises((ZeroDivisionError, RuntimeError)) as caught:
        asyncio.run(run())
    assert f"{caught.type.__name__}: {caught.value}" == told
    assert 10 < len(got) < 30


def test_accounts_that_cannot_be_taken_end_all(many: Bridge) -> None:
    def broken() -> Iterator[str]:
        yield "1"
        raise OSError("no more")

    async def run() -> None:
        async with AsyncBridgeClient(many.url, **ONCE) as client:
            with pytest.raises(OSError, match="no more"):
                async for _ in client.each(client.billing.get_account_invoices, broken()):
                    pass

    asyncio.run(run())


def test_the_text_of_one_account_is_not_taken_for_many() -> None:
    client = AsyncBridgeClient("https://b")
    with pytest.raises(errors.ArgumentError, match="inputs must be a list of accounts or the like, not one string"):
        client.each(client.billing.get_account_invoices, "1000")
    asyncio.run(client.close())


@pytest.mark.parametrize("at_once", [0, 101, 1.5, None])
def test_how_many_at_a_time_is_refused_at_once(at_once: Any) -> None:
    client = AsyncBridgeClient("https://b")
    with pytest.raises(errors.ArgumentError, match="at_once must be an integer from 1 to 100"):
        client.each(client.billing.get_account_invoices, [], at_once=at_once)


def test_pages_can_be_gone_through_one_by_one(many: Bridge) -> None:
    async def run() -> dict[str, Any]:
        async with AsyncBridgeClient(many.url, **ONCE) as client:

            async def numbers(account: str) -> AsyncIterator[str | None]:
                async for body in client.billing.iter_account_invoices(account).pages():
                    for invoice in (body.embedded.invoices if body.embedded else None) or []:
                        yield invoice.invoice_number

            return {account: result async for account, result in client.each(numbers, ACCOUNTS)}

    assert asyncio.run(run()) == {account: [account] for account in ACCOUNTS}


def test_a_blocking_client_sends_no_more_than_results_are_taken(many: Bridge) -> None:
    many.pause = 0
    with BridgeClient(many.url, **ONCE) as client:
        results = client.each(client.billing.get_account_invoices, ACCOUNTS, at_once=5)
        taken = [next(results) for _ in range(3)]
        time.sleep(0.2)
        assert len(taken) + 5 <= len(many.asked) <= len(taken) + 5 + 1
        results.close()
        assert not workers()


def test_a_blocking_function_that_raises_ends_all(many: Bridge) -> None:
    def count(account: str) -> int:
        found = client.billing.get_account_invoices(account)
        if account == "20":
            raise ZeroDivisionError("x")
        return found.total or 0

    got: list[str] = []
    with BridgeClient(many.url, **ONCE) as client:
        with pytest.raises(ZeroDivisionError, match="x"):
            got += [account for account, _ in client.each(count, ACCOUNTS, at_once=5)]
        assert not workers()
        assert client.billing.get_account_invoices("7").total == 1  # the client serves on
    assert len(many.asked) < 35


def test_accounts_that_cannot_be_taken_end_a_blocking_client_too(many: Bridge) -> None:
    def broken() -> Iterator[str]:
        yield "1"
        raise OSError("no more")

    with BridgeClient(many.url, **ONCE) as client, pytest.raises(OSError, match="no more"):
        list(client.each(client.billing.get_account_invoices, broken()))


@pytest.fixture
def silent() -> Iterator[Raw]:
    """A server that takes requests, and never answers."""
    with Raw([lambda exchange: exchange.wait()]) as raw:
        yield raw


def test_leaving_a_blocking_loop_ends_requests_that_nobody_answers(silent: Raw) -> None:
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


def test_leaving_a_blocking_loop_sends_nothing_that_was_still_connecting(
    many: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = httpcore.SyncBackend.connect_tcp

    def slowly(*arguments: Any, **named: Any) -> Any:
        if many.asked:
            time.sleep(3)
        return connect(*arguments, **named)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", slowly)
    with BridgeClient(many.url, **ONCE) as client:
        assert client.billing.get_account_invoices("0").total == 1
        results = client.each(client.billing.get_account_invoices, ACCOUNTS, at_once=5)
        next(results)
        begun, sent = time.monotonic(), len(many.asked)
        results.close()
        assert time.monotonic() - begun < 2.5
        time.sleep(3)
        assert len(many.asked) <= sent + 1, "one that had its connection already"


def test_leaving_a_blocking_loop_begins_no_retry(many: Bridge) -> None:
    """Threads that sleep until a retry are not waited for, and send nothing when they wake."""
    many.refusals = {account: [refusal(503)] * 9 for account in ACCOUNTS[1:]}
    with BridgeClient(many.url, retry=Retry(backoff=0, retry_after_max=9), sleep=lambda _: time.sleep(3)) as client:
        results = client.each(client.billing.get_account_invoices, ACCOUNTS, at_once=5)
        assert next(results)[0] == "0"
        time.sleep(0.2)
        begun, sent = time.monotonic(), len(many.asked)
        results.close()
        assert time.monotonic() - begun < 2.5
        time.sleep(3)
        assert len(many.asked) == sent
        assert not workers()


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="needs signals")
def test_an_interrupt_ends_a_blocking_loop(silent: Raw) -> None:
    code = """
import sys
from talkdesk_bridge import BridgeClient, Retry
with BridgeClient(sys.argv[1]) as bridge:
    for _ in bridge.each(bridge.billing.get_account_invoices, map(str, range(100))):
        pass
"""
    process = subprocess.Popen([sys.executable, "-c", code, silent.url], stderr=subprocess.PIPE, text=True)
    while len(silent.requests) < 20:
        time.sleep(0.01)
        assert process.poll() is None
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=10)
    assert time.monotonic() - begun < 2
    assert told.rstrip().endswith("KeyboardInterrupt")
    assert len(silent.requests) == 20

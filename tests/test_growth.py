"""The lifetime of a client: it does not grow, a closed client stays closed, and threads and tasks may share it."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator

import pytest
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, errors
from talkdesk_bridge.models import InvoiceDetails

from tests.conftest import ONCE, page
from tests.keepalive import KeepAlive, http_response
from tests.soak import Growth, awaiting, blocking, descriptors

PAGE = http_response(json.dumps(page(1, 2, 3, total=3)).encode())


@pytest.fixture
def quick() -> Iterator[KeepAlive]:
    with KeepAlive(lambda _: PAGE) as server:
        yield server


@pytest.mark.parametrize("run", [blocking, awaiting])
def test_three_hundred_requests_leave_nothing_behind(run: Callable[[int], Growth]) -> None:
    growth = run(300)
    assert growth.holds(), growth
    assert run is not blocking or growth.connections == 1


def test_a_closed_client_stays_closed(quick: KeepAlive) -> None:
    bridge = BridgeClient(quick.url, **ONCE)
    invoices = bridge.billing.iter_account_invoices("1")
    assert next(invoices)
    bridge.close()
    bridge.close()
    other = bridge.with_options(deadline=5)
    assert len(list(invoices)) == 2  # items that were fetched before
    for call in (bridge.billing.get_account_invoices, other.billing.get_account_invoices):
        with pytest.raises(errors.ConfigurationError, match="client is closed"):
            call("1")
    with pytest.raises(errors.ConfigurationError, match="client is closed"):
        next(bridge.billing.iter_account_invoices("1"))
    assert quick.requests == 1


def test_a_closed_async_client_stays_closed(quick: KeepAlive) -> None:
    async def run() -> None:
        bridge = AsyncBridgeClient(quick.url, **ONCE)
        await bridge.billing.get_account_invoices("1")
        await bridge.close()
        await bridge.close()
        with pytest.raises(errors.ConfigurationError, match="client is closed"):
            await bridge.billing.get_account_invoices("1")
        with pytest.raises(errors.ConfigurationError, match="client is closed"):
            await anext(bridge.billing.iter_account_invoices("1"))

    asyncio.run(run())
    assert quick.requests == 1


def wait_for(event: threading.Event) -> None:
    assert event.wait(5)


@pytest.mark.parametrize("begun", [b"", PAGE[:30], PAGE[:-5]])
def test_closing_while_a_thread_waits_for_a_response(begun: bytes) -> None:
    requested, closed = threading.Event(), threading.Event()
    caught: list[object] = []

    def respond(_: str) -> bytes:
        requested.set()
        wait_for(closed)
        return PAGE

    with KeepAlive(respond) as server:
        bridge = BridgeClient(server.url, timeout=(5, 5))

        def call() -> None:
            try:
                caught.append(bridge.billing.get_account_invoices("1"))
            except BaseException as error:  # noqa: BLE001 # checked below
                caught.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        wait_for(requested)
        bridge.close()
        closed.set()
        thread.join(8)
        assert not thread.is_alive()
    assert isinstance(caught[0], errors.BridgeError), caught


def test_closing_while_many_threads_send_requests(quick: KeepAlive) -> None:
    stop = threading.Event()
    caught: list[BaseException] = []
    bridge = BridgeClient(quick.url, timeout=(5, 5))

    def call() -> None:
        try:
            while not stop.is_set():
                bridge.billing.get_account_invoices("1")
        except BaseException as error:  # noqa: BLE001 # checked below
            caught.append(error)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    while quick.requests < 40:
        time.sleep(0.001)
    bridge.close()
    stop.wait(0.05)
    stop.set()
    for thread in threads:
        thread.join(8)
    assert not any(thread.is_alive() for thread in threads)
    assert caught
    assert all(isinstance(error, errors.ConfigurationError) for error in caught), caught


def test_closing_while_a_task_waits_for_a_response() -> None:
    requested, closed = threading.Event(), threading.Event()

    def respond(_: str) -> bytes:
        requested.set()
        wait_for(closed)
        return PAGE

    async def run(url: str) -> None:
        bridge = AsyncBridgeClient(url, timeout=(5, 5))
        task = asyncio.create_task(bridge.billing.get_account_invoices("1"))
        while not requested.is_set():
            await asyncio.sleep(0.001)
        await bridge.close()
        closed.set()
        with pytest.raises(errors.BridgeError):
            await task

    with KeepAlive(respond) as server:
        asyncio.run(run(server.url))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_client_that_was_not_closed_leaks_no_descriptor(quick: KeepAlive) -> None:
    def forget() -> None:
        BridgeClient(quick.url).billing.get_account_invoices("1")

    forget()
    settle(0)
    before = descriptors()
    for _ in range(20):
        forget()
    settle(before)
    assert descriptors() <= before


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_async_client_that_was_not_closed_leaks_no_descriptor(quick: KeepAlive) -> None:
    async def forget() -> None:
        await AsyncBridgeClient(quick.url).billing.get_account_invoices("1")

    asyncio.run(forget())
    settle(0)
    before = descriptors()
    for _ in range(20):
        asyncio.run(forget())
    settle(before)
    assert descriptors() <= before


def settle(limit: int) -> None:
    """Collect garbage, and let the server in this process notice that its connections were closed."""
    for _ in range(100 if limit else 5):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()
        if descriptors() <= limit:
            return
        time.sleep(0.01)


def test_an_async_client_belongs_to_one_event_loop(quick: KeepAlive) -> None:
    bridge = AsyncBridgeClient(quick.url, **ONCE)

    async def use() -> None:
        await bridge.billing.get_account_invoices("1")

    async def use_and_close() -> None:
        await use()
        await bridge.close()

    runner = asyncio.Runner()
    runner.run(use())
    with pytest.raises(errors.ConfigurationError, match="event loop"):
        asyncio.run(use())
    with pytest.raises(errors.ConfigurationError, match="event loop"):
        asyncio.run(anext(bridge.billing.iter_account_invoices("1")))
    runner.run(use_and_close())
    runner.close()
    assert quick.requests == 2


def numbered(target: str) -> bytes:
    number = int(target.partition("page=")[2] or 1)
    return http_response(json.dumps(page(*range(number * 3, number * 3 + 3), total=600)).encode())


def test_threads_that_share_an_iterator_get_each_item_once() -> None:
    """A thread may get an ArgumentError instead."""
    got: list[str | None] = []
    caught: list[BaseException] = []
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with KeepAlive(numbered) as server, BridgeClient(server.url, **ONCE) as bridge:
            invoices = bridge.billing.iter_account_invoices("1")

            def take() -> None:
                while True:
                    try:
                        got.append(next(invoices).invoice_number)
                    except StopIteration:
                        return
                    except errors.ArgumentError:
                        time.sleep(0)
                    except BaseException as error:  # noqa: BLE001 # checked below
                        caught.append(error)
                        return

            threads = [threading.Thread(target=take) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
            assert not any(thread.is_alive() for thread in threads)
            assert not caught
            assert sorted(map(int, map(str, got))) == [*range(3, 603)]
            assert invoices.position["received"] == 600
    finally:
        sys.setswitchinterval(before)


def test_tasks_that_share_an_iterator_get_each_item_once() -> None:
    """A task may get an ArgumentError instead."""

    async def run(url: str) -> list[str]:
        got: list[InvoiceDetails] = []
        async with AsyncBridgeClient(url, **ONCE) as bridge:
            invoices = bridge.billing.iter_account_invoices("1")

            async def take() -> None:
                while True:
                    try:
                        got.append(await anext(invoices))
                    except StopAsyncIteration:
                        return
                    except errors.ArgumentError as error:
                        assert "already in use by another thread or task" in str(error)  # noqa: PT017 # not always raised
                    await asyncio.sleep(0)

            await asyncio.gather(*(take() for _ in range(4)))
        return [str(invoice.invoice_number) for invoice in got]

    with KeepAlive(numbered) as server:
        assert sorted(map(int, asyncio.run(run(server.url)))) == [*range(3, 603)]

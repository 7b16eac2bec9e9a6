"""The transports under any httpx client, and the client over any httpx transport."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, HeaderAuth, Retry, errors
from talkdesk_bridge_http import AsyncHTTPTransport, HTTPTransport, _connections, decompressed

from tests.conftest import ONCE, Listing, Server, page
from tests.faults import http
from tests.keepalive import KeepAlive, http_response
from tests.raw import Raw

PAGE = http_response(json.dumps(page(1)).encode())


def test_the_private_name_of_httpx_exists() -> None:
    """httpx assigns this attribute in two constructors; respx, pytest-httpx and OpenTelemetry are tested in tests/integration."""
    with httpx.HTTPTransport() as transport:
        assert "_pool" in vars(transport)
    assert "_pool" in vars(httpx.AsyncHTTPTransport())


def test_a_blocking_client_of_httpx_can_use_the_transport() -> None:
    with KeepAlive(lambda _: PAGE) as server, httpx.Client(transport=HTTPTransport()) as client:
        assert client.get(server.url).json() == page(1)
        with client.stream("GET", server.url) as response:
            assert json.loads(b"".join(response.iter_bytes())) == page(1)
        assert server.connections == 1
        with client.stream("GET", server.url):
            pass  # the unread body must not become the next response
        assert client.get(server.url).json() == page(1)
        assert server.connections == 2


def test_an_asyncio_client_of_httpx_can_use_the_transport() -> None:
    async def run(url: str) -> None:
        async with httpx.AsyncClient(transport=AsyncHTTPTransport()) as client:
            assert (await client.get(url)).json() == page(1)
            async with client.stream("GET", url) as response:
                assert json.loads(b"".join([part async for part in response.aiter_bytes()])) == page(1)
            assert server.connections == 1
            async with client.stream("GET", url):
                pass
            assert (await client.get(url)).json() == page(1)
            assert server.connections == 2

    with KeepAlive(lambda _: PAGE) as server:
        asyncio.run(run(server.url))


def test_one_deadline_limits_the_whole_exchange() -> None:
    def trickles(exchange: Any) -> None:
        exchange.send(http(length=99999))
        exchange.trickle([b" "] * 99999, 0.01)

    async def awaiting(url: str) -> None:
        async with httpx.AsyncClient(transport=AsyncHTTPTransport()) as client:
            await client.get(url, extensions={"deadline": 0.3})

    for ask in (lambda url: httpx.Client(transport=HTTPTransport()).get(url, extensions={"deadline": 0.3}),
                lambda url: asyncio.run(awaiting(url))):  # fmt: skip
        with Raw([trickles]) as raw:
            begun = time.monotonic()
            with pytest.raises(httpx.ReadTimeout):
                ask(raw.url)
            assert 0.2 < time.monotonic() - begun < 2


def test_at_most_max_requests_at_a_time() -> None:
    def respond(_: str) -> bytes:
        time.sleep(0.2)
        return PAGE

    async def run(url: str) -> list[Any]:
        transport = AsyncHTTPTransport(max_requests=2)
        async with httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(5, pool=0.1)) as client:
            return await asyncio.gather(*(client.get(url) for _ in range(3)), return_exceptions=True)

    with KeepAlive(respond) as server:
        first, second, third = asyncio.run(run(server.url))
    assert [first.status_code, second.status_code] == [200, 200]
    assert isinstance(third, httpx.PoolTimeout)


def test_a_large_body_is_sent_completely(server: Server) -> None:
    """The body is more than a socket takes at once, so that the stream has to wait until it is written."""
    server.respond_with(page(1))
    content = bytes(range(256)) * 40_000

    async def run() -> None:
        async with httpx.AsyncClient(transport=AsyncHTTPTransport()) as client:
            assert (await client.post(server.url, content=content)).status_code == 200

    asyncio.run(run())
    assert server.seen[0][3] == content


def test_a_closed_transport_raises_an_error() -> None:
    transport = HTTPTransport()
    transport.close()
    with pytest.raises(RuntimeError, match="closed"):
        transport.handle_request(httpx.Request("GET", "http://127.0.0.1:9"))


def test_nothing_is_logged_above_debug(listing: Listing, caplog: pytest.LogCaptureFixture) -> None:
    with KeepAlive(lambda _: PAGE) as server, caplog.at_level(logging.INFO):
        assert len(listing(server.url)) == 1
    assert caplog.records == []


# Connecting.


@pytest.fixture
def full() -> Iterator[int]:
    """A port of 127.0.0.2 that neither accepts nor refuses connections."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.2", 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
        for connection in waiting:
            connection.close()


def resolve(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Resolve the host bridge.localhost to these addresses."""
    known = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        if host != "bridge.localhost":
            return known(host, port, *more, **named)
        return [entry for address in addresses for entry in known(address, port, *more, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


# A name server that does not respond.
HANGING = """if True:
    import asyncio, os, signal, socket, threading, time
    from talkdesk_bridge import AsyncBridgeClient, BridgeClient, Retry, errors

    socket.getaddrinfo = lambda *_, **__: time.sleep(60)
    once = {"retry": Retry(attempts=1)}

    async def call(**options):
        async with AsyncBridgeClient("https://bridge.example", **once, **options) as bridge:
            await bridge.billing.get_account_invoices("1")

    def block(**options):
        with BridgeClient("https://bridge.example", **once, **options) as bridge:
            bridge.billing.get_account_invoices("1")

    def interrupt():
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    try:
        %s
    except BaseException as error:
        print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("call", "prints"),
    [
        ("asyncio.run(asyncio.wait_for(call(timeout=None), 0.5))", "TimeoutError"),
        ("asyncio.run(call(timeout=0.5))", "NotSentError .* no connection to https://bridge.example .ConnectTimeout"),
        ("asyncio.run(call(timeout=None, deadline=0.5))", "NoResponseError .* within 0.5 s"),
        ("block(timeout=0.5)", "NotSentError .* no connection to https://bridge.example .ConnectTimeout"),
        ("block(timeout=None, deadline=0.5)", "NoResponseError .* within 0.5 s"),
        ("threading.Thread(target=interrupt).start(); block(timeout=None)", "KeyboardInterrupt"),
    ],
)
def test_nothing_waits_for_a_name_server(call: str, prints: str) -> None:
    """Neither the call nor the end of the program: without the limit, both would take a minute."""
    ended = subprocess.run(
        [sys.executable, "-c", HANGING % call], capture_output=True, text=True, timeout=20, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.match(prints, ended.stdout), ended.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="needs all of 127.0.0.0/8")
def test_the_deadline_covers_all_addresses_of_a_host(
    full: int, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, *["127.0.0.2"] * 6)
    monkeypatch.setattr("talkdesk_bridge._urls.is_loopback", lambda _: True)
    begun = time.monotonic()
    with pytest.raises(errors.BridgeError):
        listing(f"http://bridge.localhost:{full}", options={"timeout": (0.5, 5), "deadline": 0.8})
    assert time.monotonic() - begun < 2


@pytest.mark.skipif(sys.platform != "linux", reason="needs all of 127.0.0.0/8")
def test_a_dead_address_leaves_time_for_the_next(full: int, listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, "127.0.0.2", "127.0.0.1")
    monkeypatch.setattr("talkdesk_bridge._urls.is_loopback", lambda _: True)
    with socket.create_server(("127.0.0.1", full)) as live:
        threading.Thread(target=serve_once, args=(live,), daemon=True).start()
        assert len(listing(f"http://bridge.localhost:{full}", options={"timeout": (0.5, 5)})) == 1


def serve_once(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(PAGE)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_cancelled_handshake_leaves_no_socket() -> None:
    async def run(url: str) -> None:
        async with AsyncBridgeClient(url, **ONCE) as bridge:
            tasks = [asyncio.create_task(bridge.billing.get_account_invoices("1")) for _ in range(20)]
            await asyncio.sleep(0.3)
            assert open_sockets() > before
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0.1)

    with Raw(connects=[lambda exchange: exchange.wait()] * 20) as raw:
        before = open_sockets()
        asyncio.run(run(raw.url.replace("http:", "https:")))
        time.sleep(0.2)
        assert open_sockets() <= before


def open_sockets() -> int:
    """The number of sockets that this process has open."""
    links = Path("/proc/self/fd").iterdir()
    inodes = {os.readlink(link) for link in links if os.path.lexists(link)}  # noqa: PTH115 # as text
    return len([inode for inode in inodes if inode.startswith("socket:")])


def test_a_scheme_other_than_http_is_rejected() -> None:
    with httpx.Client(transport=HTTPTransport()) as client, pytest.raises(httpx.UnsupportedProtocol):
        client.get("ftp://127.0.0.1/")


def test_closing_ends_a_request_in_flight() -> None:
    failed: list[float] = []

    def ask() -> None:
        with pytest.raises(errors.BridgeError):
            bridge.billing.get_account_invoices("1")
        failed.append(time.monotonic())

    with Raw([lambda exchange: exchange.wait()]) as raw:
        bridge = BridgeClient(raw.url, **ONCE)
        thread = threading.Thread(target=ask)
        thread.start()
        while not raw.requests:
            time.sleep(0.01)
        begun = time.monotonic()
        bridge.close()
        thread.join()
        assert failed[0] - begun < 1


def test_a_connection_without_a_socket_is_not_reused() -> None:
    assert _connections.readable(None)
    gone = socket.socket()
    gone.close()
    assert _connections.readable(gone)


# Gzip.


def test_empty_members_take_linear_time_and_end_with_the_deadline() -> None:
    members = gzip.compress(b"") * 200_000
    begun = time.monotonic()
    assert decompressed(members, "gzip", 100) == b""
    assert time.monotonic() - begun < 10
    asked: list[None] = []

    def in_time() -> bool:
        asked.append(None)
        return len(asked) < 5

    assert decompressed(members, "gzip", 100, in_time) == b""
    assert len(asked) == 5


@pytest.mark.parametrize("size", [0, 1, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 100_000])
def test_members_of_any_size_and_padding(size: int) -> None:
    content = bytes(index * 7 % 251 for index in range(size))
    members = gzip.compress(content) + gzip.compress(b"more") + bytes(5)
    assert decompressed(members, "gzip", size + 4) == content + b"more"
    assert len(decompressed(members, "gzip", size + 3)) == size + 4


# The client over other transports.

Reply = Callable[[httpx.Request], httpx.Response]


def listed(reply: Reply, way: str, **options: Any) -> list[str | None]:
    transport = httpx.MockTransport(reply)

    async def awaiting() -> list[str | None]:
        async with AsyncBridgeClient("https://bridge.example", transport=transport, **options) as bridge:
            return [invoice.invoice_number async for invoice in bridge.billing.iter_account_invoices("1")]

    if way == "awaiting":
        return asyncio.run(awaiting())
    with BridgeClient("https://bridge.example", transport=transport, **options) as bridge:
        return [invoice.invoice_number for invoice in bridge.billing.iter_account_invoices("1")]


WAYS = pytest.mark.parametrize("way", ["blocking", "awaiting"])


@WAYS
def test_all_requests_use_the_given_transport(way: str) -> None:
    seen: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) == 1:
            return httpx.Response(503)
        return httpx.Response(200, json=page(len(seen), following="?page=2" if len(seen) == 2 else None))

    auth = HeaderAuth("s3cret", name="X-API-Key")
    assert listed(reply, way, auth=auth, retry=Retry(backoff=0)) == ["2", "3"]
    assert [request.headers["X-API-Key"] for request in seen] == ["s3cret"] * 3
    assert str(seen[2].url).endswith("?page=2")


@WAYS
def test_limits_and_errors_are_the_same_with_any_transport(way: str) -> None:
    def cannot_connect(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no way", request=request)

    with pytest.raises(errors.NotSentError, match="no way"):
        listed(cannot_connect, way, **ONCE)
    packed = gzip.compress(json.dumps(page(1)).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert listed(lambda _: httpx.Response(200, content=packed, headers=headers), way) == ["1"]
    with pytest.raises(errors.ContractError, match="more than 20 bytes"):
        listed(lambda _: httpx.Response(200, content=packed, headers=headers), way, max_bytes=20, **ONCE)
    with pytest.raises(errors.NotFoundError):
        listed(lambda _: httpx.Response(404), way)


def test_a_transport_of_the_wrong_kind_or_with_conflicting_settings_is_rejected() -> None:
    blocking, awaiting = HTTPTransport(), AsyncHTTPTransport()
    for kind, transport in ((BridgeClient, awaiting), (AsyncBridgeClient, blocking), (BridgeClient, 5)):
        with pytest.raises(errors.ConfigurationError, match=r"transport must be an httpx\.(Async)?BaseTransport"):
            kind("https://b", transport=transport)  # type: ignore[arg-type] # the mistake under test
    for more in ({"verify": False}, {"cert": "a.pem"}, {"proxy": "http://127.0.0.1:9"}):
        with pytest.raises(errors.ConfigurationError, match="give verify, cert and proxy to the transport"):
            BridgeClient("https://b", transport=blocking, **more)
    asyncio.run(awaiting.aclose())
    blocking.close()


@WAYS
def test_the_transport_is_closed_with_the_client(way: str) -> None:
    closed: list[str] = []

    class Blocking(httpx.MockTransport):
        def close(self) -> None:
            closed.append("blocking")

    class Awaiting(httpx.MockTransport):
        async def aclose(self) -> None:
            closed.append("awaiting")

    async def run() -> None:
        await AsyncBridgeClient("https://b", transport=Awaiting(lambda _: httpx.Response(200))).close()

    if way == "blocking":
        BridgeClient("https://b", transport=Blocking(lambda _: httpx.Response(200))).close()
    else:
        asyncio.run(run())
    assert closed == [way]


@WAYS
def test_a_transport_may_read_the_response_itself(way: str) -> None:
    """A transport that logs or records does this; with the default transport, it frees the connection."""

    class Blocking(HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            response.read()
            return response

    class Awaiting(AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await super().handle_async_request(request)
            await response.aread()
            return response

    async def awaiting(url: str) -> list[str | None]:
        async with AsyncBridgeClient(url, transport=Awaiting(), **ONCE) as bridge:
            every = [bridge.billing.iter_account_invoices(account) for account in "12"]
            return [one.invoice_number for invoices in every async for one in invoices]

    def blocking(url: str) -> list[str | None]:
        with BridgeClient(url, transport=Blocking(), **ONCE) as bridge:
            every = [bridge.billing.iter_account_invoices(account) for account in "12"]
            return [one.invoice_number for invoices in every for one in invoices]

    packed = gzip.compress(json.dumps(page(1)).encode())
    with KeepAlive(lambda target: http_response(packed, 200, ["Content-Encoding: gzip"])) as server:
        assert (blocking(server.url) if way == "blocking" else asyncio.run(awaiting(server.url))) == ["1", "1"]
        assert server.connections == 1


def test_a_body_is_read_once() -> None:
    """A second read would take the next bytes of the connection."""
    with KeepAlive(lambda _: PAGE) as server, HTTPTransport() as transport:
        response = transport.handle_request(httpx.Request("GET", server.url))
        response.read()
        with pytest.raises(RuntimeError, match="read already"):
            list(response.stream)  # type: ignore[arg-type] # a blocking one


@WAYS
def test_no_error_of_a_transport_shows_the_credential(way: str) -> None:
    def cannot_connect(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"cannot send {request.headers['X-API-Key']} to {request.url}")

    with pytest.raises(errors.NotSentError) as caught:
        listed(cannot_connect, way, auth=HeaderAuth("s3cret-k3y", name="X-API-Key"), **ONCE)
    assert "s3cret-k3y" not in str(caught.value)
    assert "cannot send [secret] to" in str(caught.value)

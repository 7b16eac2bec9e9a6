"""Proxies: which entries of NO_PROXY name which URLs, and real tunnels through each kind of proxy."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from talkdesk_bridge import AsyncBridgeClient, Attempt, BridgeClient, Retry, errors
from talkdesk_bridge_http import Proxies

from tests.conftest import ONCE, Listing, Server, page
from tests.faults import http
from tests.raw import Action, Exchange, Raw


def goes_through(url: str) -> bool:
    parts = urlsplit(url)
    return Proxies().of(parts.scheme, parts.hostname or "", parts.port) is not None


@pytest.mark.parametrize(
    ("no_proxy", "url", "proxied"),
    [
        ("", "https://b", True),
        ("*", "https://b", False),
        ("b.example", "https://b.example", False),
        ("b.example", "https://a.b.example", False),
        ("b.example", "https://ab.example", True),
        ("B.example.", "https://b.EXAMPLE", False),
        (".b.example", "https://a.b.example", False),
        (".b.example", "https://b.example", False),
        ("*.b.example", "https://a.b.example", False),
        ("*.b.example", "https://b.example", True),
        ("b.example:8443", "https://b.example:8443", False),
        ("b.example:8443", "https://b.example", True),
        ("b.example:443", "https://b.example", False),
        ("localhost, b.example", "https://b.example", False),
        ("localhost b.example", "https://b.example", False),
        ("10.0.0.0/8", "https://10.1.2.3", False),
        ("10.0.0.0/8", "https://11.1.2.3", True),
        ("10.1.2.3", "https://10.1.2.3", False),
        ("10.1.2.3:8443", "https://10.1.2.3:8443", False),
        ("10.1.2.3:8443", "https://10.1.2.3", True),
        ("1.2.3", "https://10.1.2.3", True),
        ("::1", "https://[::1]", False),
        ("[::1]", "https://[::1]", False),
        ("[::1]:8080", "https://[::1]:8080", False),
        ("[::1]:8080", "https://[::1]", True),
        ("fd00::/8", "https://[fd00::7]", False),
        ("[fd00::]/8", "https://[fd00::7]", False),
        ("fd00::/8", "https://[fe00::7]", True),
        ("::1,[::1],fd00::/8", "https://b", True),
    ],
)
def test_no_proxy(monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, proxied: bool) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert goes_through(url) is proxied
    with BridgeClient(url), AsyncBridgeClientOf(url):
        pass


class AsyncBridgeClientOf:
    """Makes an async client, which is closed without being used."""

    def __init__(self, url: str) -> None:
        self._client = AsyncBridgeClient(url)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        asyncio.run(self._client.close())


@pytest.mark.parametrize(
    "entry", ["https://b.example", "10.0.0.0/99", "b_example/x", "[::1", "a:b", "b.example:999999x"]
)
def test_an_invalid_entry_is_ignored_with_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, entry: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", f"{entry},{entry},b.example")
    with caplog.at_level(logging.WARNING):
        assert not goes_through("https://b.example")
    (record,) = caplog.records
    assert record.getMessage().startswith("NO_PROXY: an entry is not a host, host:port, address, network or *")


def test_a_failed_connection_does_not_repeat_the_warning(
    listing: Listing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "[::1")
    with pytest.raises(errors.NotSentError, match=r"through the proxy in HTTPS_PROXY or ALL_PROXY\)\. Tried 2 times"):
        listing("https://bridge.example", options={"retry": Retry(attempts=2, backoff=0)})
    assert [record.getMessage()[:9] for record in caplog.records] == ["NO_PROXY:"]


def test_which_variable_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not goes_through("https://b")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert not goes_through("https://b")
    monkeypatch.setenv("ALL_PROXY", "127.0.0.1:9")
    assert goes_through("https://b")
    assert not goes_through("http://b"), "the proxy would see everything"
    assert Proxies(trust_env=False).of("https", "b", None) is None
    assert Proxies("http://127.0.0.1:8").of("http", "b", None) is not None


def test_the_credential_of_a_proxy_is_sent(server: Server, listing: Listing) -> None:
    """The request is plain HTTP, which a proxy reads itself; tests/test_secrets.py has CONNECT."""
    server.respond_with(page(1))
    proxy = server.url.replace("//", f"//us%40er:{quote('p:ä')}@")
    assert len(listing("http://127.0.0.1:9", options={"proxy": proxy})) == 1
    ((_, target, headers, _),) = server.seen
    assert target.startswith("http://127.0.0.1:9/")
    assert headers["Proxy-Authorization"] == f"Basic {base64.b64encode('us@er:p:ä'.encode()).decode()}"
    assert "Authorization" not in headers


def test_a_proxy_from_the_environment_is_used(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    with Raw([http(b"", 407)]) as raw:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{raw.port}")
        with pytest.raises(errors.ProxyError, match=r"\(the proxy in HTTPS_PROXY or ALL_PROXY returned 407: "):
            listing("https://bridge.example")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with pytest.raises(errors.NotSentError, match=r"no connection to https://127\.0\.0\.1:9"):
            listing("https://127.0.0.1:9")
    assert raw.requests == ["CONNECT bridge.example:443 HTTP/1.1"]


def test_a_proxy_whose_host_is_no_name(listing: Listing) -> None:
    with pytest.raises(errors.NotSentError, match=r"no connection to https://bridge\.example \(.*option proxy\)"):
        listing("https://bridge.example", options={"proxy": f"http://{'x' * 70}.example"})


class Tunnel:
    """A tunnelling proxy over HTTP, TLS (with a context) or SOCKS 5."""

    def __init__(self, kind: str, tls: ssl.SSLContext | None) -> None:
        self.seen: list[str] = []
        self._kind, self._tls = kind, tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True)
        host, port = self._socks(connection) if self._kind == "socks" else self._connect(connection)
        with connection, socket.create_connection((host, port)) as behind:
            connection.sendall(b"\5\0\0\1\x7f\0\0\1\0\1" if self._kind == "socks" else b"HTTP/1.1 200 OK\r\n\r\n")
            there = threading.Thread(target=pump, args=(connection, behind), daemon=True)
            there.start()
            pump(behind, connection)
            there.join()

    def _connect(self, connection: socket.socket) -> tuple[str, int]:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        self.seen.append(head.decode().split("\r\n")[0])
        host, _, port = head.decode().split(" ")[1].rpartition(":")
        return host, int(port)

    def _socks(self, connection: socket.socket) -> tuple[str, int]:
        methods = connection.recv(2 + 255)[2:]
        if 2 in methods:
            connection.sendall(b"\5\2")
            login = connection.recv(1024)
            user = login[2 : 2 + login[1]]
            self.seen.append(f"{user.decode()}:{login[3 + login[1] :].decode()}")
            connection.sendall(b"\1\0")
        else:
            connection.sendall(b"\5\0")
        asked = connection.recv(1024)
        host = socket.inet_ntoa(asked[4:8]) if asked[3] == 1 else asked[5 : 5 + asked[4]].decode()
        (port,) = struct.unpack(">H", asked[-2:])
        self.seen.append(f"{host}:{port}")
        return host, port


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        return
    finally:
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


@pytest.fixture
def contexts(tls: tuple[Server, Path]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The TLS contexts of a server and of a client."""
    _, certificate = tls
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return server, ssl.create_default_context(cafile=str(certificate))


# `make integration` runs this file with socksio, without which there is no SOCKS.
@pytest.fixture(params=["http", "https", *(["socks5"] if find_spec("socksio") else [])])
def tunnel(
    request: pytest.FixtureRequest, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> Iterator[tuple[Tunnel, str]]:
    running = Tunnel(
        "socks" if request.param == "socks5" else "connect", contexts[0] if request.param == "https" else None
    )
    yield running, f"{request.param}://user:s3cret@127.0.0.1:{running.port}"
    running.close()


@pytest.mark.parametrize("way", ["blocking", "awaiting"])
def test_a_duplicate_response_through_a_tunnel_is_not_read(
    way: str,
    tunnel: tuple[Tunnel, str],
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    tls: tuple[Server, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """TLS in TLS hides bytes from the socket, so such a connection is used once."""
    running, proxy = tunnel
    server, verify = contexts
    monkeypatch.setenv("SSL_CERT_FILE", str(tls[1]))  # for the proxy, to which `verify` does not apply
    options: Any = {**ONCE, "verify": verify, "proxy": proxy}

    async def awaiting(url: str) -> list[str | None]:
        async with AsyncBridgeClient(url, **options) as bridge:
            every = [bridge.billing.iter_account_invoices(account) for account in ("1", "2")]
            return [one.invoice_number for invoices in every async for one in invoices]

    def blocking(url: str) -> list[str | None]:
        with BridgeClient(url, **options) as bridge:
            every = [bridge.billing.iter_account_invoices(account) for account in ("1", "2")]
            return [one.invoice_number for invoices in every for one in invoices]

    with Raw([http(page(1)) * 2, http(page(2))], tls=server) as raw:
        assert (blocking(raw.url) if way == "blocking" else asyncio.run(awaiting(raw.url))) == ["1", "2"]
        where = f"127.0.0.1:{raw.port}"
    assert len(raw.requests) == 2
    assert running.seen == [f"CONNECT {where} HTTP/1.1"] * 2 or running.seen == ["user:s3cret", where] * 2


@pytest.mark.parametrize("size", [40, 65_536])
def test_a_proxy_cannot_respond_for_the_bridge(
    size: int, contexts: tuple[ssl.SSLContext, ssl.SSLContext], listing: Listing
) -> None:
    """Bytes before the TLS handshake must not be read as if they came through TLS."""
    server, verify = contexts
    forged = http(page("forged"))

    def connect(exchange: Exchange) -> None:
        response = b"HTTP/1.1 200 OK\r\nX: " + b"x" * (size - 26) + b"\r\n\r\n"
        host, _, port = exchange.target.rpartition(":")
        with socket.create_connection((host, int(port))) as behind:
            exchange.connection.sendall(response + forged)
            there = threading.Thread(target=pump, args=(exchange.connection, behind), daemon=True)
            there.start()
            pump(behind, exchange.connection)
            there.join()

    numbers: list[str | None] = []
    with Raw([http(page(1))], tls=server) as bridge, Raw([connect]) as proxy, suppress(errors.NotSentError):
        invoices = listing(bridge.url, options={"verify": verify, "proxy": proxy.url})
        numbers = [invoice.invoice_number for invoice in invoices]
    assert numbers == ["1"] * len(bridge.requests)


def socks(*replies: bytes) -> Action:
    """Send each of these after the bytes that the client sends."""

    def run(exchange: Exchange) -> None:
        for reply in replies:
            exchange.connection.recv(1024)
            exchange.send(reply)

    return run


CHOSEN, ACCEPTED = b"\5\2", b"\1\0"


def cannot_connect(code: int) -> tuple[bytes, ...]:
    return CHOSEN, ACCEPTED, bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0])


@pytest.mark.skipif(not find_spec("socksio"), reason="`make integration` runs this with socksio")
@pytest.mark.parametrize(
    ("replies", "error", "says", "attempts"),
    [
        ((CHOSEN, b"\1\1"), errors.ProxyError, "option proxy: Invalid username/password", 1),
        ((b"\5\xff",), errors.ProxyError, "option proxy: Requested USERNAME/PASSWORD from proxy server, but got", 1),
        (cannot_connect(2), errors.ProxyError, "Connection not allowed by ruleset", 1),
        (cannot_connect(1), errors.NotSentError, r"General SOCKS server failure.*Tried 2 times", 2),
        (cannot_connect(5), errors.NotSentError, r"Connection refused.*Tried 2 times", 2),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), errors.NotSentError, "no connection to https://bridge.example", 2),
        ((b"",), errors.NotSentError, "no connection to https://bridge.example", 2),
        ((CHOSEN, ACCEPTED, b"\5"), errors.NotSentError, "no connection to https://bridge.example", 2),
    ],
)
def test_what_a_socks_proxy_rejects_is_not_sent_again(
    replies: tuple[bytes, ...], error: type[errors.BridgeError], says: str, attempts: int, listing: Listing
) -> None:
    with Raw([], connects=[socks(*replies)] * 2) as raw:
        seen: list[Attempt] = []
        retry = Retry(attempts=2, backoff=0.01, on_attempt=seen.append)
        with pytest.raises(errors.NotSentError, match=says) as caught:
            listing(
                "https://bridge.example",
                options={"proxy": f"socks5://user:s3cret@127.0.0.1:{raw.port}", "retry": retry},
            )
    assert (type(caught.value), len(seen)) == (error, attempts)

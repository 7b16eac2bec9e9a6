"""The client with httpx2, the successor of httpx, installed beside httpx or replacing it.

With the plugin `aliased`, every import of httpx gets httpx2.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from talkdesk_bridge import BridgeClient, HeaderAuth, OAuth2ClientCredentials, Retry, errors

from tests.conftest import Listing, Server, as_json, invoices_of, page
from tests.integration.conftest import TokenServer

RETRIES: Any = {"retry": Retry(attempts=3), "sleep": lambda _: None}
GZIP = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


def test_requests_are_sent_by_the_expected_library(server: Server, listing: Listing) -> None:
    aliased = "tests.integration.aliased" in sys.modules
    server.respond_with(page(1))
    listing(server.url)
    assert (httpx is httpx2) == aliased
    # The library that opens connections is loaded with the first one.
    assert sys.modules["httpcore"].__name__ == ("httpcore2" if aliased else "httpcore")
    assert ("httpcore2" in sys.modules) == aliased


@pytest.mark.parametrize("link", [None, f"{invoices_of('1')}?page=2&per_page=2"])
def test_every_invoice_comes_once(server: Server, listing: Listing, link: str | None) -> None:
    server.respond_with(page(1, 2, total=3, following=link), page(3, total=3))
    assert [invoice.invoice_number for invoice in listing(server.url, per_page=2)] == ["1", "2", "3"]
    assert [target.partition("?")[2] for _, target, _, _ in server.seen] == ["per_page=2", "page=2&per_page=2"]


def test_a_compressed_response(server: Server, listing: Listing) -> None:
    content = as_json(page(1))[2]
    server.respond_with((200, GZIP, gzip.compress(content)))
    assert len(listing(server.url)) == 1
    server.respond_with((200, GZIP, content))
    with pytest.raises(errors.ContractError, match="cannot be decompressed"):
        listing(server.url)


def test_an_error_response(server: Server, listing: Listing) -> None:
    server.respond_with(as_json({"userMessage": "No such account", "errorCode": "E1"}, 404, X_Request_Id="r-1"))
    with pytest.raises(errors.NotFoundError, match=r"404 Not Found: No such account \(E1\)\.") as caught:
        listing(server.url, HeaderAuth("s3cret"))
    assert (caught.value.request_id, server.seen[0][2]["Authorization"]) == ("r-1", "s3cret")


def test_retries(server: Server, listing: Listing) -> None:
    server.respond_with(as_json({}, 503), as_json({}, 503), page(1))
    assert len(listing(server.url, options=RETRIES)) == 1
    server.respond_with(as_json({}, 503))
    with pytest.raises(errors.ServerError, match="Tried 3 times"):
        listing(server.url, options=RETRIES)


@pytest.fixture
def raw() -> Iterator[Callable[[Iterator[bytes]], str]]:
    """A function that serves these parts to one client, then disconnects; returns the URL."""
    servers: list[socket.socket] = []

    def serve(parts: Iterator[bytes]) -> str:
        def respond() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                try:
                    for part in parts:
                        connection.sendall(part)
                except OSError:
                    pass  # the client has disconnected

        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)
        threading.Thread(target=respond, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield serve
    for server in servers:
        server.close()


def endless(status: str) -> Iterator[bytes]:
    """160 MB without an end: a client that reads all of it gets another error than one that stops."""
    yield f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    yield from repeat(b"2000\r\n" + b" " * 0x2000 + b"\r\n", 20_000)


@pytest.mark.parametrize(
    ("parts", "options", "kind", "message"),
    [
        (lambda: iter([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]), {}, errors.NoResponseError, "no complete response"),
        (lambda: iter([b"nonsense\r\n\r\n"]), {}, errors.NoResponseError, "no complete response"),
        (lambda: iter([]), {}, errors.NoResponseError, "no complete response"),
        (lambda: endless("200 OK"), {"max_bytes": 100_000}, errors.ContractError, "more than 100000 bytes"),
        (lambda: endless("503 Busy"), {"max_bytes": 100_000}, errors.ServerError, "returned 503"),
        (lambda: endless("200 OK"), {"deadline": 0.1, "max_bytes": 2**40}, errors.NoResponseError, "within 0.1 s"),
    ],
)  # fmt: skip
def test_an_invalid_response(
    raw: Callable[[Iterator[bytes]], str], listing: Listing, parts: Callable[[], Iterator[bytes]], options: Any,
    kind: type[errors.BridgeError], message: str,
) -> None:  # fmt: skip
    with pytest.raises(kind, match=message) as caught:
        listing(raw(parts()), HeaderAuth("s3cret"), options=options)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_no_response_in_time_and_no_connection(listing: Listing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(errors.NoResponseError, match="in time"):
            listing(url, options={"timeout": (5, 0.1)})
    with pytest.raises(errors.NotSentError, match=f"no connection to {url}"):
        listing(url)


def test_invalid_settings_and_arguments(listing: Listing) -> None:
    with pytest.raises(errors.ConfigurationError, match="The option cert or proxy"):
        listing("https://bridge.example", options={"proxy": "nonsense://u:s3cret@proxy"})
    with pytest.raises(errors.ArgumentError):
        listing("https://bridge.example", account="..")


def test_certificates_are_checked(tls: tuple[Server, Path], listing: Listing) -> None:
    running, certificate = tls
    with pytest.raises(errors.NotSentError, match="CERTIFICATE_VERIFY_FAILED"):
        listing(running.url, options=RETRIES)
    assert running.seen == []
    own = ssl.create_default_context(cafile=str(certificate))
    assert len(listing(running.url, options={"verify": own})) == 1
    with pytest.raises(errors.ConfigurationError, match="client certificate"):
        listing(running.url, options={"cert": "/nowhere.pem"})


def test_a_token_is_fetched_and_renewed(authlib: TokenServer, listing: Listing) -> None:
    assert len(listing(authlib.bridge, authlib.auth("i d"))) == 1
    with BridgeClient(authlib.bridge, auth=authlib.auth()) as bridge:
        bridge.billing.get_account_invoices("1")
        authlib.revoke()
        bridge.billing.get_account_invoices("1")
    listed = "token 200", "bridge 200"
    assert authlib.seen() == [*listed, *listed, "bridge 401", *listed]


def test_no_connection_to_the_token_server(listing: Listing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(errors.AuthenticationError, match=r"No token could be fetched\. POST /: no connection"):
        listing(url, OAuth2ClientCredentials(url, "id", "s3cret"))

"""The wire of the extra `bulk`: httpx's requests over aiohttp's connections; imported only where it is asked for.

What aiohttp 3.14 and httpx-aiohttp 0.2 do otherwise than httpx alone is undone here: URLs that are written anew,
cookies that are kept, requests that are sent twice, and errors that say the wrong thing. Tests: tests/test_faults.py
and tests/test_bulk.py.
"""

from __future__ import annotations

import base64
import os
import ssl
from typing import Any

import aiohttp
from aiohttp.client_reqrep import ClientRequest, ClientResponse
from aiohttp.connector import Connection
from aiohttp.http_exceptions import ContentLengthError, HttpProcessingError, TransferEncodingError
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient
from yarl import URL

from talkdesk_bridge.errors import ConfigurationError

__all__ = ["BulkClient", "meant"]

# Bytes; httpx takes this much for the whole head of an answer, and aiohttp 8190 a line if it is not told.
LONGEST_LINE = 100 * 1024


class _StaleError(Exception):
    """A connection of the pool has got bytes that nobody asked for, and nothing was sent over it."""


class _Request(ClientRequest):
    """Is not sent where an answer is already there: it would be another request's, which may be about another account.

    aiohttp looks at a connection when it comes back to the pool, and not when it leaves it. Remove this when it does.
    """

    async def send(self, conn: Connection) -> ClientResponse:
        if conn.protocol is None or conn.protocol.should_close:
            raise _StaleError
        return await super().send(conn)


class _Response(ClientResponse):
    """Has a phrase beside its status that can be encoded: else httpx-aiohttp fails, and does not close it."""

    async def start(self, connection: Connection) -> ClientResponse:
        await super().start(connection)
        self.reason = (self.reason or "").encode("ascii", "replace").decode()
        return self


class _Session:
    """What the transport takes for a ClientSession, which can be made only where an event loop runs."""

    def __init__(self, transport: _Transport) -> None:
        self._transport = transport
        self._session: aiohttp.ClientSession | None = None

    def request(
        self, *, url: str, headers: Any, timeout: aiohttp.ClientTimeout, proxy_headers: Any, **more: Any
    ) -> Any:
        """As that of a ClientSession."""
        if self._session is None:
            limits = self._transport.limits
            connector = aiohttp.TCPConnector(
                ssl=self._transport.ssl_context,
                limit=limits.max_connections or 0,
                keepalive_timeout=limits.keepalive_expiry,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                request_class=_Request,
                response_class=_Response,
                skip_auto_headers=["Content-Type"],
                max_line_size=LONGEST_LINE,
                max_field_size=LONGEST_LINE,
            )
            # Else it sends a request anew by itself, whatever Retry says.
            self._session._retry_connection = False
        # Letter by letter: as a mapping, they are in lower case.
        spelt = [(name.decode("ascii"), value.decode(headers.encoding)) for name, value in headers.raw]
        for_proxy: list[tuple[str, str]] = []
        if self._transport.authorization:
            # A proxy reads the request itself, or is asked to connect.
            told = spelt if url.startswith("http:") else for_proxy
            told.append(("Proxy-Authorization", self._transport.authorization))
        return self._session.request(
            url=URL(url, encoded=True),  # else it writes an equal one, which a bridge may not take for the same
            headers=spelt,
            proxy_headers=for_proxy,
            # The whole way to a connection, its name's look-up and the wait for others included.
            timeout=aiohttp.ClientTimeout(
                connect=timeout.sock_connect, sock_connect=timeout.sock_connect, sock_read=timeout.sock_read
            ),
            **more,
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class _Transport(AiohttpTransport):
    """One pool of connections, to the bridge or to a proxy."""

    def __init__(self, *, proxy: Any = None, **options: Any) -> None:
        self.authorization = ""
        if proxy is not None:
            if proxy.url.scheme != "http":
                told = "bulk takes a proxy (the argument, HTTPS_PROXY or ALL_PROXY) only where its URL begins http://"
                raise ConfigurationError(f"{told}: name such a one, or do without bulk.")
            if proxy.raw_auth:
                self.authorization = f"Basic {base64.b64encode(b':'.join(proxy.raw_auth)).decode()}"
                proxy.auth = None  # aiohttp's own way knows fewer letters, and is deprecated
        super().__init__(proxy=proxy, **options)
        self._session = _Session(self)

    def get_client(self) -> Any:
        return self._session

    async def handle_async_request(self, request: Any) -> Any:
        while True:
            try:
                return await super().handle_async_request(request)
            except _StaleError:
                continue

    async def aclose(self) -> None:
        await self._session.close()


class BulkClient(HttpxAiohttpClient):
    """An httpx.AsyncClient, but for its connections."""

    async def send(self, request: Any, **_: Any) -> Any:
        """A response, still to be read, without what httpx does beside that, and is turned off by the wire anyway.

        That is redirects, cookies, authentication and hooks: they take a fifth of the time of a request.
        """
        if self.is_closed:
            raise RuntimeError
        response = await self._transport_for_url(request.url).handle_async_request(request)
        response.headers.pop("Location", None)  # as the wire's hook does
        return response

    def _init_transport(self, transport: Any = None, **options: Any) -> Any:  # type: ignore[override] # as it is called
        return _Transport(**options)

    def _init_proxy_transport(self, proxy: Any, **options: Any) -> Any:  # type: ignore[override] # as it is called
        return _Transport(proxy=proxy, **options)


def meant(error: Exception) -> tuple[str, str]:
    """The name of the httpx error that says what happened, and why.

    httpx-aiohttp takes a lost connection for a connection that was never made. aiohttp's own words are not told where
    they may hold what the server sent.
    """
    while isinstance(error.__cause__, aiohttp.ClientError):
        error = error.__cause__
    match error:
        case aiohttp.ConnectionTimeoutError():
            return "ConnectTimeout", "no connection in time"
        case aiohttp.ServerTimeoutError():
            return "ReadTimeout", "no bytes in time"
        case aiohttp.ClientHttpProxyError():
            return "ProxyError", str(error.status)
        case aiohttp.ClientConnectorCertificateError():
            return "ConnectError", str(error.certificate_error)
        case aiohttp.ClientConnectorError():
            return "ConnectError", _reason(error.os_error)
        case aiohttp.ServerDisconnectedError():
            return "RemoteProtocolError", "Server disconnected without sending a response."
        case aiohttp.ClientPayloadError():
            broken_off = isinstance(error.__cause__, ContentLengthError | TransferEncodingError)
            told = "peer closed connection without sending complete message body"
            return "RemoteProtocolError", told if broken_off else "a body that is no HTTP"
        case aiohttp.ClientResponseError() | HttpProcessingError():
            return "RemoteProtocolError", "bytes that are no HTTP"
        case aiohttp.InvalidURL() | UnicodeError():  # of a host
            return "UnsupportedProtocol", "a URL that cannot be used"
        case ValueError():
            return "LocalProtocolError", ""
        case OSError():
            return "ReadError", _reason(error)
    return "ReadError", type(error).__name__


def _reason(error: OSError) -> str:
    """Why, in the words of the system or of TLS; asyncio puts an address beside them."""
    if isinstance(error, ssl.SSLError):
        return str(error)
    # That of a host's name that leads nowhere is below 0, and means something else to the system.
    told = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return told or type(error).__name__

"""The blocking transport: httpx's own with another connection pool."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

import httpcore
import httpx

from talkdesk_bridge_http._connections import (
    CLOSED,
    Cert,
    Connections,
    Exchange,
    LastByte,
    Pooled,
    looked_up,
    origin_of,
    tls_context,
)
from talkdesk_bridge_http._proxies import Proxies


class _Stream(httpcore.NetworkStream):
    """A socket, or TLS over it, whose steps end at the deadline of the exchange."""

    def __init__(self, inner: httpcore.NetworkStream, exchange: Exchange, *, hidden: bool = False) -> None:
        self._inner = inner
        self._exchange = exchange
        self._last = LastByte()
        self._hidden = hidden  # TLS in TLS buffers bytes invisibly, so such a connection is used only once
        exchange.stream = self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._last.release() or self._last.hold(self._inner.read(max_bytes, self._exchange.left(timeout)))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._last.sent(buffer)
        self._inner.write(buffer, self._exchange.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def abort(self) -> None:
        """Abort another thread's step; closing the socket would not wake that thread."""
        with suppress(OSError):  # already closed
            # Not SSLSocket.shutdown, which would remove the TLS object while that thread reads.
            socket.socket.shutdown(self.get_extra_info("socket"), socket.SHUT_RDWR)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        in_tls = self._inner.get_extra_info("ssl_object") is not None
        inner = self._inner.start_tls(ssl_context, server_hostname, self._exchange.left(timeout))
        return _Stream(inner, self._exchange, hidden=in_tls)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable" and (self._hidden or self._last.held):
            return True
        return self._inner.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    """Opens the streams of a connection. A host's addresses are tried in turn, each for up to `timeout` seconds."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: Any = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("the host has no address")
        try:
            addresses = looked_up(host, port).result(self._exchange.left(timeout))
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        for address in addresses:
            left = self._exchange.left(timeout)
            try:
                return _Stream(super().connect_tcp(address, port, left, local_address, socket_options), self._exchange)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class _Body:
    """The body of a response. Closing it returns the connection to the pool."""

    def __init__(self, pool: _Pool, pooled: Pooled, stream: Any) -> None:
        self._pool = pool
        self._pooled: Pooled | None = pooled
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        if self._pooled is None:
            raise RuntimeError("The body was read already.")  # the connection may have another response by now
        return iter(self._stream)

    def close(self) -> None:
        if pooled := self._pooled:
            self._pooled = None
            try:
                self._stream.close()
            finally:
                self._pool.put_back(pooled)


class _Pool:
    """Sends requests; replaces httpcore's pool in httpx's transport."""

    def __init__(self, context: ssl.SSLContext, proxies: Proxies, max_requests: int) -> None:
        self._connections = Connections(context, proxies, httpcore.ConnectionPool, _Backend)
        self._places = threading.BoundedSemaphore(max_requests)

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request, and return the response before its body is read."""
        exchange, origin = Exchange.of(request), origin_of(request)
        timeout = exchange.left(request.extensions.get("timeout", {}).get("pool"))
        if not self._places.acquire(timeout=threading.TIMEOUT_MAX if timeout is None else timeout):
            raise httpcore.PoolTimeout("too many requests are in flight")
        try:
            pooled = self._take(origin, exchange.end)
        except BaseException:
            self._places.release()
            raise
        try:
            response = pooled.connection.handle_request(request)
        except BaseException as error:
            self.put_back(pooled)
            if isinstance(error, httpcore.ConnectionNotAvailable):
                raise RuntimeError(CLOSED) from None
            raise
        body = _Body(self, pooled, response.stream)
        return httpcore.Response(
            response.status, headers=response.headers, content=body, extensions=response.extensions
        )

    def _take(self, origin: httpcore.Origin, end: float) -> Pooled:
        thread = threading.current_thread()
        while (pooled := self._connections.take(origin, end, thread)).connection.has_expired():
            self._connections.drop(pooled)
            _close(pooled)
        return pooled

    def put_back(self, pooled: Pooled) -> None:
        """Keep or close a connection after its request, and let the next request begin."""
        try:
            if gone := self._connections.put_back(pooled):
                _close(gone)
        finally:
            self._places.release()

    def abort(self, threads: Collection[threading.Thread]) -> None:
        """Abort the requests of these threads, and send no others for them."""
        for pooled in self._connections.stop(threads):
            if pooled.exchange.stream:
                pooled.exchange.stream.abort()

    def close(self) -> None:
        """Close all connections; requests in flight fail."""
        for pooled in self._connections.close_all():
            if pooled.thread and pooled.exchange.stream:
                pooled.exchange.stream.abort()
            _close(pooled)

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _close(pooled: Pooled) -> None:
    pooled.connection.close()
    if pooled.exchange.stream:
        pooled.exchange.stream.close()


class HTTPTransport(httpx.HTTPTransport):
    """A blocking transport; any number of threads may share it.

    Only the pool differs from httpx's own transport, so tools that patch httpx's (respx, pytest-httpx, OpenTelemetry)
    work with it.

    Args:
        verify: Whether to verify certificates, or an SSLContext to verify them with.
        cert: A client certificate: one file with certificate and key, or two files. Not with an SSLContext.
        proxy: URL of a proxy for all requests; None for the environment's.
        trust_env: Whether to use proxies and certificate authorities of the environment.
        max_requests: The number of requests in flight at a time; others wait, for up to `deadline` or `pool`.

    Raises:
        OSError: a certificate cannot be read.
        ValueError: `cert` with an SSLContext, or see Proxies.
        ImportError: see Proxies.

    """

    _pool: Any  # the only private name of httpx in use; tests/test_http.py fails if it goes

    def __init__(
        self,
        *,
        verify: bool | ssl.SSLContext = True,
        cert: Cert = None,
        proxy: str | None = None,
        trust_env: bool = True,
        max_requests: int = 100,
    ) -> None:
        self.proxies = Proxies(proxy, trust_env=trust_env)
        """Finds the proxy of a URL."""
        self._pool = _Pool(tls_context(verify, cert, trust_env=trust_env), self.proxies, max_requests)

    def abort(self, threads: Collection[threading.Thread]) -> None:
        """Abort the requests of these threads; further ones fail at once."""
        self._pool.abort(threads)

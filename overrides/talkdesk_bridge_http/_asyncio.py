"""The asyncio transport: httpx's own with another connection pool and other streams."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
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
    readable,
    tls_context,
)
from talkdesk_bridge_http._proxies import Proxies

MOST_BUFFERED = 256 * 1024
"""Received bytes that may wait to be read."""


class _Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """An asyncio connection that knows of all bytes it has received.

    Replaces anyio's streams, which httpcore uses. They buffer bytes invisibly, in TLS and beyond 64 KiB, and these
    would be read as the next response. Test: tests/test_faults.py, "twice". Remove it when anyio shows its buffers.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._last = LastByte()
        self._transport: Any = None
        self._received = bytearray()
        self._ended: BaseException | bool = False
        self._paused = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > MOST_BUFFERED:
            self._paused = True
            self._transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> None:
        self._ended = True
        _wake(self._reader)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._ended = exc or True
        _wake(self._reader)
        _wake(self._writer)

    def pause_writing(self) -> None:
        self._writer = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        _wake(self._writer)
        self._writer = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._last.held:
            return self._last.release()
        if not self._received and not self._ended:
            self._reader = asyncio.get_running_loop().create_future()
            await self._wait_for(self._reader, timeout, httpcore.ReadTimeout)
        data = bytes(self._received[:max_bytes])
        del self._received[:max_bytes]
        if not data and isinstance(self._ended, Exception):
            raise httpcore.ReadError(str(self._ended))
        if self._paused and not self._ended:
            self._paused = False
            self._transport.resume_reading()
        return self._last.hold(data)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._last.sent(buffer)
        if self._ended:
            raise httpcore.WriteError("the connection is closed")
        self._transport.write(buffer)
        if self._writer:
            await self._wait_for(self._writer, timeout, httpcore.WriteTimeout)

    async def _wait_for(self, future: asyncio.Future[None], timeout: float | None, late: type[Exception]) -> None:
        try:
            async with asyncio.timeout(self._exchange.left(timeout)):
                await future
        except TimeoutError:
            raise late from None

    async def aclose(self) -> None:
        self._transport.abort()  # does not await, so it cannot be cancelled

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        if self._received or self._ended or self._last.held:
            # These bytes would be read as if they had come through TLS.
            raise httpcore.ConnectError("bytes came before TLS, or the connection was closed")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._exchange.left(timeout)):
                self._transport = await loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from None
        self._last = LastByte()  # TLS is a new stream
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            seen = self._last.held or self._received or self._ended
            return bool(seen) or readable(self._transport.get_extra_info("socket"))
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))


def _wake(future: asyncio.Future[None] | None) -> None:
    if future and not future.done():
        future.set_result(None)


class _Backend(httpcore.AsyncNetworkBackend):
    """Opens the stream of a connection.

    A host's addresses are tried in turn, each for up to `timeout` seconds. asyncio could try them in parallel, but
    leaks sockets if it is cancelled meanwhile (Python 3.11; test: tests/test_sharing.py).
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: Any = None, socket_options: Any = None
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = httpcore.ConnectError("the host has no address")
        try:
            async with asyncio.timeout(self._exchange.left(timeout)):
                addresses = await asyncio.wrap_future(looked_up(host, port))
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        for address in addresses:
            try:
                return await self._connect(address, port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _connect(self, address: str, port: int, timeout: float | None) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._exchange.left(timeout)):
                _, stream = await loop.create_connection(lambda: _Stream(self._exchange), address, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except OSError as error:
            # The system's message; asyncio adds an address to it.
            known = error.errno is not None and error.errno > 0
            raise httpcore.ConnectError(os.strerror(error.errno or 0) if known else str(error)) from None
        self._exchange.stream = stream
        return stream


class _Body:
    """The body of a response. Closing it returns the connection to the pool."""

    def __init__(self, pool: _Pool, pooled: Pooled, stream: Any) -> None:
        self._pool = pool
        self._pooled: Pooled | None = pooled
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[bytes]:
        if self._pooled is None:
            raise RuntimeError("The body was read already.")  # the connection may have another response by now
        iterator: AsyncIterator[bytes] = self._stream.__aiter__()
        return iterator

    async def aclose(self) -> None:
        if pooled := self._pooled:
            self._pooled = None
            try:
                await self._stream.aclose()
            finally:
                await self._pool.put_back(pooled)


class _Pool:
    """Sends requests; replaces httpcore's pool in httpx's transport.

    If a task is cancelled, its connection is closed without awaiting, and its place becomes free.
    """

    def __init__(self, context: ssl.SSLContext, proxies: Proxies, max_requests: int) -> None:
        self._connections = Connections(context, proxies, httpcore.AsyncConnectionPool, _Backend)
        self._places = asyncio.BoundedSemaphore(max_requests)

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request, and return the response before its body is read."""
        exchange, origin = Exchange.of(request), origin_of(request)
        try:
            async with asyncio.timeout(exchange.left(request.extensions.get("timeout", {}).get("pool"))):
                await self._places.acquire()
        except TimeoutError:
            raise httpcore.PoolTimeout("too many requests are in flight") from None
        try:
            pooled = await self._take(origin, exchange.end)
        except BaseException:
            self._places.release()
            raise
        try:
            response = await pooled.connection.handle_async_request(request)
        except BaseException as error:
            await self.put_back(pooled)
            if isinstance(error, httpcore.ConnectionNotAvailable):
                raise RuntimeError(CLOSED) from None
            raise
        body = _Body(self, pooled, response.stream)
        return httpcore.Response(
            response.status, headers=response.headers, content=body, extensions=response.extensions
        )

    async def _take(self, origin: httpcore.Origin, end: float) -> Pooled:
        while (pooled := self._connections.take(origin, end)).connection.has_expired():
            self._connections.drop(pooled)
            await _close(pooled)
        return pooled

    async def put_back(self, pooled: Pooled) -> None:
        """Keep or close a connection after its request, and let the next request begin."""
        try:
            if gone := self._connections.put_back(pooled):
                await _close(gone)
        finally:
            self._places.release()

    async def aclose(self) -> None:
        """Close all connections; requests in flight fail."""
        for pooled in self._connections.close_all():
            await _close(pooled)

    async def __aenter__(self) -> _Pool:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


async def _close(pooled: Pooled) -> None:
    if pooled.exchange.stream:
        await pooled.exchange.stream.aclose()  # does not await anything
    await pooled.connection.aclose()


class AsyncHTTPTransport(httpx.AsyncHTTPTransport):
    """A transport for asyncio; any number of tasks of one event loop may share it. Otherwise like HTTPTransport."""

    _pool: Any  # as in HTTPTransport

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

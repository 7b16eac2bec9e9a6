"""What both transports share: deadlines, the guard against bytes after a response, and the open and idle connections.

Replaces the bookkeeping of httpcore's pools (1.0). They still make the connections, because
`ConnectionPool.create_connection` knows each kind of proxy. Needed because httpcore reads bytes that follow a response
as the next response (tests/test_faults.py, "twice"), has no deadline (there, "trickle"), and loses the places of
cancelled tasks (tests/test_sharing.py). Remove it when httpcore has fixed all three.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Collection
from concurrent.futures import Future
from math import inf
from typing import Any
from weakref import WeakSet

import httpcore
import httpx
from attrs import define, field

from talkdesk_bridge_http._proxies import Proxies

CLOSED = "The transport is closed."

KEPT_SECONDS = 5.0
"""Seconds that an idle connection is kept, as in httpx."""

Cert = str | tuple[str, ...] | None


@define(eq=False)
class Exchange:
    """The current request of a connection: its deadline and its stream."""

    end: float = inf
    """The deadline, by time.monotonic."""
    stream: Any = None
    """The current stream. Before HTTP begins, httpcore does not close it with the connection."""

    @classmethod
    def of(cls, request: httpcore.Request) -> Exchange:
        """An exchange for a request; its time begins now."""
        return cls(time.monotonic() + request.extensions.get("deadline", inf))

    def left(self, timeout: float | None) -> float | None:
        """Seconds that a step may take, given its timeout; None for no limit.

        Raises:
            httpcore.ReadTimeout: the deadline has passed.

        """
        if self.end == inf:
            return timeout
        left = self.end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return left if timeout is None else min(timeout, left)


class LastByte:
    """Hands out received bytes except the last one, which the next read returns.

    So a stream knows, without parsing, whether bytes followed a response. If `...}` arrives, the parser needs one more
    read for the `}`, and then no byte is held. If `...}HTTP/1.1 200 ...` arrives, the parser stops at the `}`, and the
    last byte is still held. The stream then reports itself as readable, and httpcore reuses no readable connection.
    Bytes that arrive only after the next request has been sent look like its response.
    """

    def __init__(self) -> None:
        self.held = b""
        self._holds = False

    def hold(self, data: bytes) -> bytes:
        """The bytes to hand out now."""
        if not self._holds or len(data) < 2:
            return data
        self.held = data[-1:]
        return data[:-1]

    def release(self) -> bytes:
        """The byte that was held back, if any."""
        held, self.held = self.held, b""
        return held

    def sent(self, data: bytes) -> None:
        """Start to hold bytes with the first HTTP request, which begins with a letter; a SOCKS handshake does not."""
        self._holds = self._holds or data[:1].isalpha()


@define(eq=False)
class Pooled:
    """An open connection of a pool."""

    connection: Any
    exchange: Exchange
    origin: str
    thread: threading.Thread | None = field(default=None)
    """The thread that is using it; None for asyncio."""
    idle_since: float = field(default=0.0)


class Connections:
    """The open connections of a transport, and the idle ones of each origin.

    Args:
        context: Used for TLS.
        proxies: Finds the proxy of an origin.
        pool: The class of httpcore that makes connections.
        backend: The class that opens a connection's streams, made from its Exchange.

    """

    def __init__(self, context: ssl.SSLContext, proxies: Proxies, pool: Any, backend: Any) -> None:
        self._context, self._proxies, self._pool, self._backend = context, proxies, pool, backend
        self._lock = threading.Lock()
        self._open: set[Pooled] = set()
        self._idle: dict[str, list[Pooled]] = {}
        self._stopped: WeakSet[threading.Thread] = WeakSet()
        self._closed = False

    def take(self, origin: httpcore.Origin, end: float, thread: threading.Thread | None = None) -> Pooled:
        """The most recently used idle connection, which may have expired, or a new one; its exchange lasts until `end`.

        Raises:
            RuntimeError: the transport is closed, or the thread was stopped.

        """
        with self._lock:
            if self._closed:
                raise RuntimeError(CLOSED)
            if thread in self._stopped:
                raise RuntimeError("This thread was stopped.")
            idle = self._idle.setdefault(str(origin), [])
            pooled = idle.pop() if idle else self._opened(origin)
            self._open.add(pooled)
            pooled.exchange.end, pooled.thread = end, thread
            return pooled

    def _opened(self, origin: httpcore.Origin) -> Pooled:
        exchange = Exchange()
        proxy = self._proxies.of(origin.scheme.decode(), origin.host.decode(), origin.port)
        backend = self._backend(exchange)
        pool = self._pool(
            ssl_context=self._context, proxy=proxy, keepalive_expiry=KEPT_SECONDS, network_backend=backend
        )
        return Pooled(pool.create_connection(origin), exchange, str(origin))

    def put_back(self, pooled: Pooled) -> Pooled | None:
        """Keep a connection if it can be reused. Returns one to close: this, or one that was idle for too long."""
        with self._lock:
            pooled.exchange.end, pooled.thread = inf, None
            if self._closed or not pooled.connection.is_idle():
                self._open.discard(pooled)
                return pooled
            pooled.idle_since = time.monotonic()
            idle = self._idle[pooled.origin]
            idle.append(pooled)
            if pooled.idle_since - idle[0].idle_since <= KEPT_SECONDS:
                return None
            self._open.discard(idle[0])
            return idle.pop(0)

    def drop(self, pooled: Pooled) -> None:
        """Forget a connection that `take` returned and that has expired."""
        with self._lock:
            self._open.discard(pooled)

    def stop(self, threads: Collection[threading.Thread]) -> list[Pooled]:
        """Stop giving connections to these threads. Returns those that they use."""
        with self._lock:
            self._stopped.update(threads)
            found = [pooled for pooled in self._open if pooled.thread in threads]
            for pooled in found:
                pooled.exchange.end = 0.0  # if it is still connecting, its next step fails
            return found

    def close_all(self) -> list[Pooled]:
        """Stop giving out connections. Returns the open ones, to be closed."""
        with self._lock:
            self._closed = True
            found, self._open = [*self._open], set()
            return found


def origin_of(request: httpcore.Request) -> httpcore.Origin:
    """The origin of a request's URL.

    Raises:
        httpcore.UnsupportedProtocol: it is neither http nor https.

    """
    if request.url.scheme not in (b"http", b"https"):
        raise httpcore.UnsupportedProtocol("The URL must begin with http:// or https://.")
    return request.url.origin


def looked_up(host: str, port: int) -> Future[list[str]]:
    """The addresses of a host once they are known, or httpcore.ConnectError.

    Nothing can interrupt the system's lookup, so it has a daemon thread: neither a caller whose time is over waits for
    it, nor the end of an event loop or of the program, as they would for the default executor of asyncio.
    """
    addresses: Future[list[str]] = Future()
    addresses.set_running_or_notify_cancel()

    def run() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses.set_result([str(address[4][0]) for address in found])
        except Exception as error:  # noqa: BLE001 # mostly OSError, and UnicodeError for names that are none
            addresses.set_exception(httpcore.ConnectError(str(error)))

    threading.Thread(target=run, daemon=True, name="lookup").start()
    return addresses


def readable(connection: Any) -> bool:
    """Whether a socket has bytes that the event loop has not read yet, or is closed."""
    if connection is None or connection.fileno() < 0:
        return True
    if not hasattr(select, "poll"):  # on Windows
        return bool(select.select([connection], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def tls_context(verify: bool | ssl.SSLContext, cert: Cert, *, trust_env: bool) -> ssl.SSLContext:
    """The TLS context of a transport: the given SSLContext itself, or a new one, with the client certificate loaded.

    Raises:
        ValueError: a certificate would be loaded into the given SSLContext, which others may use.

    """
    if cert and isinstance(verify, ssl.SSLContext):
        raise ValueError("With an SSLContext in verify, load the client certificate into it with load_cert_chain.")
    context = verify if isinstance(verify, ssl.SSLContext) else httpx.create_ssl_context(verify, trust_env=trust_env)
    if cert:
        context.load_cert_chain(*([cert] if isinstance(cert, str) else cert))
    return context

"""What both kinds of connections share: the deadline, the last byte that is held back, and the list of idle ones.

Replaces the bookkeeping of httpcore's pools (1.0). They still make the connections: `ConnectionPool.create_connection`
knows each kind of proxy. Needed, since httpcore takes bytes that follow a response for the next response
(tests/test_faults.py, "twice"), has no deadline (there, "trickle"), and loses the places of cancelled tasks
(tests/test_sharing.py). Remove it when httpcore does all three.
"""

from __future__ import annotations

import select
import ssl
import threading
import time
from collections.abc import Collection
from math import inf
from typing import Any
from weakref import WeakSet

import httpcore
import httpx
from attrs import define, field

from talkdesk_bridge_http._proxies import Proxies

CLOSED = "The transport is closed."

KEPT = 5.0
"""Seconds that an idle connection is kept, as in httpx."""

Cert = str | tuple[str, ...] | None


@define(eq=False)
class Exchange:
    """The request that a connection serves: what its streams have to know of it."""

    end: float = inf
    """When it has to be over, by time.monotonic."""
    stream: Any = None
    """The stream that is used now. Until the connection speaks HTTP, httpcore does not close it with the connection."""

    @classmethod
    def of(cls, request: httpcore.Request) -> Exchange:
        """The exchange of a request, which begins now."""
        return cls(time.monotonic() + request.extensions.get("deadline", inf))

    def left(self, timeout: float | None) -> float | None:
        """Seconds that a step may take; None for any number.

        Raises:
            httpcore.ReadTimeout: no time is left.

        """
        if self.end == inf:
            return timeout
        left = self.end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline is over")
        return left if timeout is None else min(timeout, left)


class LastByte:
    """Hands out what a connection received except its last byte, which the next read gets.

    So the stream knows, without parsing, whether bytes followed a response. After `...}` alone the parser has one read
    more to make, for the `}`, and nothing is held. After `...}HTTP/1.1 200 ...` it is content at the `}`: the last byte
    is still held. Then the stream says that it is readable, and httpcore uses no idle connection that is readable.
    """

    def __init__(self) -> None:
        self.held = b""
        self._holds = False

    def hold(self, data: bytes) -> bytes:
        """The data to hand out now."""
        if not self._holds or len(data) < 2:
            return data
        self.held = data[-1:]
        return data[:-1]

    def release(self) -> bytes:
        """The byte that was held back, if any."""
        held, self.held = self.held, b""
        return held

    def sent(self, data: bytes) -> None:
        """Begin with the first HTTP request, which a method's name begins; replies of a SOCKS proxy are read whole."""
        self._holds = self._holds or data[:1].isalpha()


@define(eq=False)
class Pooled:
    """An open connection of a pool."""

    connection: Any
    exchange: Exchange
    origin: str
    thread: threading.Thread | None = field(default=None)
    """Who sends a request over it now, in blocking code."""
    idle_since: float = field(default=0.0)


class Connections:
    """The connections of a transport: all that are open, and by origin those that are idle.

    Args:
        context: For TLS.
        proxies: The proxy of each origin.
        pool: The pool of httpcore that makes connections.
        backend: What opens the streams of one connection, made from its Exchange.

    """

    def __init__(self, context: ssl.SSLContext, proxies: Proxies, pool: Any, backend: Any) -> None:
        self._context, self._proxies, self._pool, self._backend = context, proxies, pool, backend
        self._lock = threading.Lock()
        self._open: set[Pooled] = set()
        self._idle: dict[str, list[Pooled]] = {}
        self._stopped: WeakSet[threading.Thread] = WeakSet()
        self._closed = False

    def take(self, origin: httpcore.Origin, end: float, thread: threading.Thread | None = None) -> Pooled:
        """The connection that was used last, or a new one, for an exchange until `end`. It may have expired.

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
        pool = self._pool(ssl_context=self._context, proxy=proxy, keepalive_expiry=KEPT, network_backend=backend)
        return Pooled(pool.create_connection(origin), exchange, str(origin))

    def put_back(self, pooled: Pooled) -> Pooled | None:
        """Keep a connection that can serve again. Returns the one to close: it, or one that is idle for too long."""
        with self._lock:
            pooled.exchange.end, pooled.thread = inf, None
            if self._closed or not pooled.connection.is_idle():
                self._open.discard(pooled)
                return pooled
            pooled.idle_since = time.monotonic()
            idle = self._idle[pooled.origin]
            idle.append(pooled)
            if pooled.idle_since - idle[0].idle_since <= KEPT:
                return None
            self._open.discard(idle[0])
            return idle.pop(0)

    def drop(self, pooled: Pooled) -> None:
        """Forget a connection that was taken and has expired."""
        with self._lock:
            self._open.discard(pooled)

    def stop(self, threads: Collection[threading.Thread]) -> list[Pooled]:
        """Refuse these threads from now on. Returns the connections over which they send."""
        with self._lock:
            self._stopped.update(threads)
            found = [pooled for pooled in self._open if pooled.thread in threads]
            for pooled in found:
                pooled.exchange.end = 0.0  # the next step fails, if it is still connecting
            return found

    def shut(self) -> list[Pooled]:
        """Open no more connections. Returns those to close."""
        with self._lock:
            self._closed = True
            found, self._open = [*self._open], set()
            return found


def origin_of(request: httpcore.Request) -> httpcore.Origin:
    """Where a request goes.

    Raises:
        httpcore.UnsupportedProtocol: it is not for HTTP.

    """
    if request.url.scheme not in (b"http", b"https"):
        raise httpcore.UnsupportedProtocol("The URL must begin with http:// or https://.")
    return request.url.origin


def readable(connection: Any) -> bool:
    """Whether there is something that the loop has not seen yet, or the socket is gone."""
    if connection is None or connection.fileno() < 0:
        return True
    if not hasattr(select, "poll"):  # on Windows
        return bool(select.select([connection], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def tls_context(verify: bool | ssl.SSLContext, cert: Cert, *, trust_env: bool) -> ssl.SSLContext:
    """The context that connections use; a given one is used as it is, with the client certificate added."""
    context = verify if isinstance(verify, ssl.SSLContext) else httpx.create_ssl_context(verify, trust_env=trust_env)
    if cert:
        context.load_cert_chain(*([cert] if isinstance(cert, str) else cert))
    return context

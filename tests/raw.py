"""A server that sends raw bytes over a real socket, as no HTTP library would, and hangs up at any point."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Self

from attrs import frozen

# Seconds after which every connection ends, so that a test fails instead of hanging.
LIMIT = 4.0
MOST = 50
"""The most requests that get a response."""


@frozen
class Exchange:
    """A connection, and the request that came over it."""

    server: Raw
    connection: socket.socket
    head: str = ""

    @property
    def target(self) -> str:
        """The path of the request, with its query."""
        return self.head.split(" ")[1]

    def send(self, content: bytes) -> None:
        self.server.sent.append(content)
        self.connection.sendall(content)

    def trickle(self, parts: Iterable[bytes], pause: float = 0.02) -> None:
        """Send part after part, until the client hangs up or LIMIT is over."""
        end = time.monotonic() + LIMIT
        for part in parts:
            self.send(part)
            if self.server.over.wait(pause) or time.monotonic() > end:
                return

    def wait(self) -> None:
        """Send nothing until the client hangs up."""
        while self.connection.recv(65536):
            pass

    def reset(self) -> None:
        """Close the connection with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Action = Callable[[Exchange], None]
Reply = bytes | Action
"""The reaction to a request: bytes, after which the connection stays open, or an action, after which it is closed."""


class Raw:
    """Reacts to requests with `replies` in turn, then repeats the last one.

    `requests` keeps the first line of each request, `sent` all bytes sent. The first connections run `connects` in turn
    instead of being read. The server listens only after `refused` was called `refused_first` times.
    """

    def __init__(
        self,
        replies: Sequence[Reply] = (),
        *,
        connects: Sequence[Action] = (),
        refused_first: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[str] = []
        self.sent: list[bytes] = []
        self.over = threading.Event()
        self._replies, self._connects, self._refused_first, self._tls = [*replies], [*connects], refused_first, tls
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._listening = False
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.scheme = "https" if tls else "http"
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        if not self._refused_first:
            self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with self._lock:
            for connection in self._open:
                # The other side may have closed it already.
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
        if self._listening:
            socket.create_connection(("127.0.0.1", self.port)).close()  # wakes the thread that accepts
        for thread in [*self._threads]:
            thread.join()
        self._socket.close()

    def refused(self) -> None:
        """Count a connection that was refused; after the last, listen."""
        self._refused_first -= 1
        if self._refused_first == 0:
            self._listen()

    def _listen(self) -> None:
        self._socket.listen()
        self._listening = True
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self.over.is_set():
                connection.close()
                return
            with self._lock:
                self._open.add(connection)
            self._start(self._serve, connection)

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(LIMIT)
        connection = plain
        try:
            if self._tls:
                connection = self._tls.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._open.add(connection)
            if self._connects:
                self._connects.pop(0)(Exchange(self, connection))
                return
            rest = b""
            while True:
                head, rest = _request(connection, rest)
                if not head or len(self.requests) == MOST:
                    return
                self.requests.append(head.partition("\r\n")[0])
                reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
                if not isinstance(reply, bytes):
                    reply(Exchange(self, connection, head))
                    return
                Exchange(self, connection, head).send(reply)
        except OSError:
            return  # the client may hang up at any time
        finally:
            with self._lock:
                self._open -= {plain, connection}
            connection.close()
            plain.close()


def _request(connection: socket.socket, rest: bytes) -> tuple[str, bytes]:
    """The head of the next request (empty if the client hung up), and the bytes after its body."""
    while b"\r\n\r\n" not in rest:
        chunk = connection.recv(65536)
        if not chunk:
            return "", b""
        rest += chunk
    head, _, rest = rest.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: *([0-9]+)", head)
    needed = int(length[1]) if length else 0
    while len(rest) < needed:
        rest += connection.recv(65536)
    return head.decode("latin-1"), rest[needed:]

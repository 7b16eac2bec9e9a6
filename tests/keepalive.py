"""A fast HTTP server on plain sockets that keeps connections open; also runs as `python -m tests.keepalive`."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

__all__ = ["KeepAlive", "http_response"]


def http_response(body: bytes, status: int = 200, headers: Iterable[str] = ()) -> bytes:
    """The bytes of a response."""
    lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class KeepAlive:
    """Sends `respond(target)` to each GET; hangs up if that is empty or has `Connection: close`."""

    def __init__(self, respond: Callable[[str], bytes]) -> None:
        self.respond = respond
        self.connections = 0
        self.requests = 0
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        received = b""
        with connection, suppress(OSError):
            while True:
                while b"\r\n\r\n" not in received:
                    if not (part := connection.recv(65536)):
                        return
                    received += part
                head, _, received = received.partition(b"\r\n\r\n")
                self.requests += 1
                if not (content := self.respond(head.split(b" ", 2)[1].decode("ascii"))):
                    return
                connection.sendall(content)
                if b"\r\nConnection: close\r\n" in content:
                    return

    def __enter__(self) -> KeepAlive:
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would not wake the threads that wait.
        for one in (self._listening, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def main() -> None:
    """Serve one page until standard input ends; print the URL first, and the counters at the end."""
    body = {"_embedded": {"invoices": [{"invoice_number": str(number), "amount": "1.00 usd"} for number in range(5)]}}
    content = http_response(json.dumps({**body, "total": 5}).encode())
    with KeepAlive(lambda _: content) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stdin.read()
        sys.stdout.write(json.dumps({"connections": server.connections, "requests": server.requests}) + "\n")


if __name__ == "__main__":
    main()

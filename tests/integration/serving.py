"""The common part of both token servers: the known clients, a record of the requests, and a free port."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# A server that decodes text that was not encoded, or the other way round, reads each of these wrongly.
ODD = (":", "/", "+", "%", "%41", " ", "&", "=", '"', "\\", "~", "ü", "😀", "a:b/c+d%41%2B e&f=ü")

# The secret and the lifetime of tokens in seconds, by client id.
CLIENTS = {"client": ("secret", 3600), "brief": ("secret", 2)} | {
    # No secret decodes to another one.
    f"i{odd}d": (f"s{odd}{number}", 3600)
    for number, odd in enumerate(ODD)
}

# The client that uses a private key, if the server supports it; the variable has the public keys as JWKs.
SIGNER, SIGNERS_KEYS = "signer", "SIGNERS_KEYS"

READ, WRITE = "invoices.read", "invoices.write"
PAGE = {"total": 1, "_embedded": {"invoices": [{"invoice_number": "1"}]}}

# During this time, other callers without a token request one, too, unless the client makes them wait.
SECONDS_TO_MAKE_A_TOKEN = 0.02


class _Server(WSGIServer):
    request_queue_size = 64  # so that 20 connections at once do not wait for a retry of the operating system


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def serve(app: WSGIApplication, revoke: Callable[[], object]) -> None:
    """Serve `app` on loopback, print the port, and stop when standard input ends.

    `/seen` returns method, path and status of the requests since the last call; `/revoke` revokes all tokens; after
    `/lose`, the server issues one token but responds with 503.
    """
    seen: list[tuple[str, str, int]] = []
    losing: list[bool] = []

    def recorded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path in ("/seen", "/revoke", "/lose"):
            body: list[tuple[str, str, int]] = []
            if path == "/revoke":
                revoke()
            elif path == "/lose":
                losing.append(True)
            else:
                body[:], seen[:] = seen, []
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(body).encode()]

        def start(status: str, *rest: Any) -> Callable[[bytes], object]:
            seen.append((method, path, int(status[:3])))
            return start_response(status, *rest)

        if path == "/token":
            time.sleep(SECONDS_TO_MAKE_A_TOKEN)
            if losing:
                losing.clear()
                list(app(environ, lambda *_: lambda _: None))
                start("503 Service Unavailable", [])
                return []
        return app(environ, start)

    def stop_with_standard_input() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=stop_with_standard_input, daemon=True).start()
    with make_server("127.0.0.1", 0, recorded, _Server, _Handler) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()

"""What both token servers have in common: who may ask, a record of what was asked, and a free port to serve on."""

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

# Each would be read otherwise by a server that decodes what was not encoded, or the other way round.
ODD = (":", "/", "+", "%", "%41", " ", "&", "=", '"', "\\", "~", "ü", "😀", "a:b/c+d%41%2B e&f=ü")

# Secret and seconds of a token's life, by the client's id.
CLIENTS = {"client": ("secret", 3600), "brief": ("secret", 2)} | {
    # No secret is what another one decodes to.
    f"i{odd}d": (f"s{odd}{number}", 3600)
    for number, odd in enumerate(ODD)
}

# Who proves by a private key who asks, where the server can verify that; the variable has the public keys, as JWKs.
SIGNER, SIGNERS_KEYS = "signer", "SIGNERS_KEYS"

READ, WRITE = "invoices.read", "invoices.write"
PAGE = {"total": 1, "_embedded": {"invoices": [{"invoice_number": "1"}]}}

# As long as a token takes to make, whoever else has none asks for one, too, unless the client holds them back.
SECONDS_TO_MAKE_A_TOKEN = 0.02


class _Server(WSGIServer):
    request_queue_size = 64  # 20 connections at once must not wait for a retry of the operating system


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def serve(app: WSGIApplication, revoke: Callable[[], object]) -> None:
    """Serve `app` on loopback, print the port, and stop when standard input ends.

    `/seen` tells method, path and status of the requests since it was asked last; `/revoke` ends all tokens; after
    `/falter`, one token is made and not handed out.
    """
    seen: list[tuple[str, str, int]] = []
    faltering: list[bool] = []

    def recorded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path in ("/seen", "/revoke", "/falter"):
            told: list[tuple[str, str, int]] = []
            if path == "/revoke":
                revoke()
            elif path == "/falter":
                faltering.append(True)
            else:
                told[:], seen[:] = seen, []
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(told).encode()]

        def start(status: str, *rest: Any) -> Callable[[bytes], object]:
            seen.append((method, path, int(status[:3])))
            return start_response(status, *rest)

        if path == "/token":
            time.sleep(SECONDS_TO_MAKE_A_TOKEN)
            if faltering:
                faltering.clear()
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

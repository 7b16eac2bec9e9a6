"""The sandbox as a running server, on loopback: in a thread of a test, or in the foreground of the command."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Self

import uvicorn
from attrs import frozen
from starlette.requests import Request

from talkdesk_bridge.sandbox._app import Credentials, key_header, make_app, read_contract, token_paths
from talkdesk_bridge.sandbox._data import ACCOUNTS

__all__ = ["Sandbox", "Seen"]


@frozen
class Seen:
    """A request that the sandbox has answered."""

    method: str
    target: str
    """Path and query, as sent."""
    status: int


class Sandbox:
    """A bridge on 127.0.0.1, made from the contract of the installed client.

    As a context manager it serves from a thread until the block ends.

    Args:
        port: Where to listen; 0 takes a free port.
        credentials: What it accepts.
        contract: What it serves, as data; by default the contract of the installed client.
        log: Gets a line for each request: method, path and query, status.

    Raises:
        OSError: the port cannot be used.

    """

    def __init__(
        self,
        *,
        port: int = 0,
        credentials: Credentials | None = None,
        contract: dict[str, Any] | None = None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.credentials = credentials or Credentials()
        self.requests: deque[Seen] = deque(maxlen=10_000)
        self._contract = contract or read_contract()
        self._log = log
        self._socket = socket.create_server(("127.0.0.1", port))
        app = make_app(self._contract, self.credentials, self._record)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL for a client."""
        host, port = self._socket.getsockname()
        return f"http://{host}:{port}"

    @property
    def token_url(self) -> str:
        """Where client credentials are exchanged for a token; empty where the contract has no such flow."""
        return next((self.url + path for path in token_paths(self._contract)), "")

    @property
    def key_header(self) -> str | None:
        """The header that the key is expected in; None where the contract has no key."""
        return key_header(self._contract, self.credentials)

    def serve(self) -> None:
        """Serve until the process is interrupted or `close` is called."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def close(self) -> None:
        """Stop serving, and wait until that is done."""
        self._server.should_exit = True
        if self._thread:
            self._thread.join()
        self._socket.close()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve, name="talkdesk-bridge-sandbox", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self, command: str = "talkdesk-bridge") -> str:
        """How to use this sandbox, for a person: URL, credentials, accounts. `command` is what they type."""
        ours = self.credentials
        key = {"API_KEY": ours.api_key, "API_KEY_HEADER": self.key_header}
        oauth = {"TOKEN_URL": self.token_url, "CLIENT_ID": ours.client_id, "CLIENT_SECRET": ours.client_secret}
        lines = [
            f"Sandbox of the bridge: {self.url} (Ctrl-C ends it)",
            "",
            "In another shell:",
            *_exports(URL=self.url),
        ]
        if self.key_header:
            lines += _exports(**{name: value for name, value in key.items() if value != "Authorization"})
        lines += [f"  {command} invoices {next(iter(ACCOUNTS))}", ""]
        if self.token_url:
            lines += [
                "With OAuth 2 instead of the key:",
                "  unset TALKDESK_BRIDGE_API_KEY TALKDESK_BRIDGE_API_KEY_HEADER",
            ]
            lines += [*_exports(**oauth), ""]
        lines += ["Accounts:", *(f"  {number}  {account.about}" for number, account in ACCOUNTS.items())]
        return "\n".join([*lines, "  any other   404, with the documented error", ""])

    def _record(self, request: Request, status: int) -> None:
        target = request.scope["raw_path"].decode("ascii") + (f"?{request.url.query}" if request.url.query else "")
        self.requests.append(Seen(request.method, target, status))
        self._log(f"{request.method} {target} {status}")


def _exports(**variables: str | None) -> list[str]:
    return [f"  export TALKDESK_BRIDGE_{name}={value}" for name, value in variables.items()]

"""The sandbox as a server, in a thread of this process."""

from __future__ import annotations

import shlex
import socket
import threading
from collections.abc import Callable, Collection
from functools import cached_property, partial
from typing import Any, Self, get_args

import uvicorn
from talkdesk_bridge import BridgeClient
from talkdesk_bridge.contract import document

from talkdesk_bridge_sandbox._app import Application, Protocol, Seen, host_of, is_loopback
from talkdesk_bridge_sandbox._contract import schemes_of, token_paths
from talkdesk_bridge_sandbox._credentials import TOKEN_LIFE, Accept, CredentialChecker, Credentials, kind_of
from talkdesk_bridge_sandbox._data import ACCOUNTS
from talkdesk_bridge_sandbox._faults import FAULTS, account_rows
from talkdesk_bridge_sandbox._operations import Paging
from talkdesk_bridge_sandbox._reply import Reply


class Sandbox:
    """A bridge on 127.0.0.1, made from the contract of the installed client.

    As a context manager, it serves in a thread until the block ends.

    Args:
        port: The port to listen on; 0 picks a free one.
        host: The address to listen on.
        allow_remote: Whether `host` may be an address that other machines can reach.
        allow_hosts: Names or addresses that the Host header of a request may have, in addition to those of loopback,
            `host`, and the address that the request was sent to. Others get 403, so that no page of the internet can
            read responses by having its name resolved to this machine (DNS rebinding).
        credentials: The credentials that it accepts.
        accept: The credential that requests need: "any" that the contract names for the operation, "none", or one kind
            ("key", "basic", "bearer", "oauth2").
        token_life: Lifetime of an OAuth 2 token, in seconds.
        paging: How lists are paged: by next links ("links"), by page number ("pages"), or not at all ("all").
        fault: The name of a fault for every operation; see FAULTS.
        contract: The contract to serve, as data; by default that of the installed client.
        log: Called with a line for each request: method, path and query, status, and the fault.

    Raises:
        OSError: the port cannot be used.
        ValueError: an argument is invalid.

    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        allow_remote: bool = False,
        allow_hosts: Collection[str] = (),
        credentials: Credentials | None = None,
        accept: Accept = "any",
        token_life: float = TOKEN_LIFE,
        paging: Paging = "links",
        fault: str | None = None,
        contract: dict[str, Any] | None = None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        if not (allow_remote or is_loopback(host)):
            raise ValueError(f"{host} is not a loopback address: to listen on it, set allow_remote (--allow-remote)")
        if not 0 <= port <= 65_535:
            raise ValueError(f"port must be from 0 to 65535, not {port}")
        if paging not in get_args(Paging):
            raise ValueError(f"paging must be links, pages or all, not {paging}")
        hosts = {each: host_of(each) for each in allow_hosts}
        if isinstance(allow_hosts, str) or not all(hosts.values()):
            raise ValueError("allow_hosts must be a list of host names or addresses")
        if not 0 < token_life < 1e9:
            raise ValueError("the lifetime of a token must be more than 0 and less than 1e9 seconds")
        self.credentials = credentials or Credentials()
        self._contract = contract or document()
        self._checker = CredentialChecker(schemes_of(self._contract), self.credentials, accept, token_life)
        self._app = Application(self._contract, self.credentials, self._checker, paging, log)
        self._app.hosts = frozenset({host.lower(), *hosts.values()})
        self.fault = self._first_fault = fault
        config = uvicorn.Config(
            self._app, lifespan="off", http=Protocol, ws="none", log_config=None, timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None
        self._app.stopping = lambda: self._server.should_exit
        self._socket = _listen(host, port)  # last, so that an earlier error leaves no socket open
        self._host, self._port = self._socket.getsockname()[:2]

    @property
    def url(self) -> str:
        """The base URL for a client."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 # only compared
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    @property
    def token_url(self) -> str:
        """The URL of the token server; empty if the contract has no client credentials flow."""
        return next((self.url + path for path in token_paths(self._contract)), "")

    @property
    def key_header(self) -> str | None:
        """The header for the key; None if the contract has no key."""
        schemes = schemes_of(self._contract).values()
        named = next((scheme["name"] for scheme in schemes if kind_of(scheme) == "key"), None)
        return self.credentials.api_key_header or named if named else None

    @property
    def environ(self) -> dict[str, str]:
        """Environment variables that point the command and `BridgeClient.from_env` to this sandbox."""
        return next(iter(self._variables_by_title().values()), self._variables({}))

    @cached_property
    def client(self) -> BridgeClient:
        """A client for this sandbox; it is closed with the sandbox."""
        return BridgeClient.from_env(self.environ)

    @property
    def requests(self) -> list[Seen]:
        """The last 10,000 requests, including those for tokens, as a copy; `reset` clears them."""
        return [*self._app.seen]

    @property
    def fault(self) -> str | None:
        """The name of the fault of every operation, except for the accounts of faults; may be set at any time."""
        return self._app.fault.name if self._app.fault else None

    @fault.setter
    def fault(self, name: str | None) -> None:
        named = {fault.name: fault for fault in FAULTS}
        if name is not None and name not in named:
            raise ValueError(f"unknown fault {name}: choose one of {', '.join(named)}")
        self._app.fault = named[name] if name else None

    def script(self, *replies: Reply) -> None:
        """Use these as the next responses of operations, one each; token requests get the usual response.

        They are sent unchanged: neither they nor the requests are checked.

        Raises:
            TypeError: one of them is not a Reply.

        """
        for reply in replies:
            if not isinstance(reply, Reply):
                raise TypeError(f"script takes Reply(...), not {type(reply).__name__}")
        self._app.script.extend(replies)

    def reset(self) -> None:
        """Go back to the initial state: clear requests, script, client, tokens, and a fault that was set later."""
        self._close_client()
        self._app.reset()
        self._checker.reset()
        self.fault = self._first_fault

    @property
    def closed(self) -> bool:
        """Whether the sandbox is closed; it cannot be used again."""
        return self._server.should_exit

    def close(self) -> None:
        """Stop serving, and wait until the server has stopped."""
        self._close_client()
        self._server.should_exit = True
        if self._thread:
            self._thread.join()
        if not self._server.started:  # once started, the server closes it itself
            self._socket.close()

    def _close_client(self) -> None:
        if client := self.__dict__.pop("client", None):
            client.close()

    def __enter__(self) -> Self:
        if self.closed:
            raise ValueError("the sandbox is closed: create a new one")
        run = partial(self._server.run, sockets=[self._socket])
        self._thread = threading.Thread(target=run, name="talkdesk-bridge-sandbox", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self, command: str = "talkdesk-bridge") -> str:
        """How to use this sandbox, for people: URL, credentials, accounts. `command` is the command to type."""
        lines = [f"The sandbox runs at {self.url} (open it in a browser to read the contract; press Ctrl-C to stop)"]
        if not is_loopback(self._host):
            lines.append("Other machines can send requests to this one's address; for a name, set --allow-host.")
        lines += ["", "In another shell:", *_exports(self.environ), f"  {command} invoices {next(iter(ACCOUNTS))}"]
        for title, variables in [*self._variables_by_title().items()][1:]:
            lines += ["", f"Or with {title}, in a new shell:", *_exports(variables)]
        return "\n".join([*lines, "", accounts_table(), ""])

    def _variables_by_title(self) -> dict[str, dict[str, str]]:
        """The variables for each accepted credential; the simplest one first."""
        accepted, header = self.credentials, self.key_header
        client = {"TOKEN_URL": self.token_url, "CLIENT_ID": accepted.client_id}
        private_key = {
            "PRIVATE_KEY": self._checker.private_key,
            "KEY_ID": accepted.key_id,
            "ALGORITHM": accepted.algorithm,
        }
        other_header = {} if header in (None, "Authorization") else {"API_KEY_HEADER": header}
        credentials = (
            ("key", "a key in a header", {"API_KEY": accepted.api_key, **other_header}),
            ("oauth2", "OAuth 2", {**client, "CLIENT_SECRET": accepted.client_secret}),
            ("oauth2", "OAuth 2 and a private key", {**client, **private_key}),
            ("basic", "HTTP Basic", {"USERNAME": accepted.user, "PASSWORD": accepted.password}),
            ("bearer", "a bearer token", {"BEARER_TOKEN": accepted.bearer_token}),
        )
        kinds = self._checker.kinds
        return {
            title: self._variables(each) for kind, title, each in credentials if kind in kinds and all(each.values())
        }

    def _variables(self, credential: dict[str, str]) -> dict[str, str]:
        return {f"TALKDESK_BRIDGE_{name}": value for name, value in {"URL": self.url, **credential}.items()}


def accounts_table() -> str:
    """The accounts, one per line."""
    return "Accounts:\n" + "\n".join(f"  {number:18}{about}" for number, about in account_rows().items())


def faults_table() -> str:
    """The faults, each with its account and what the client does."""
    rows = (f"  {one.account}  {one.name}\n      {one.about}\n      -> {one.outcome}" for one in FAULTS)
    title = "Faults. Request the account, or use --fault NAME. `->` says what the client does.\n"
    return title + "\n".join(rows)


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    # Accepted connections inherit this option. Without it, each response on a kept connection waits 40 ms for a delayed
    # acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _exports(variables: dict[str, str]) -> list[str]:
    return [f"  export {name}={shlex.quote(value)}" for name, value in variables.items()]

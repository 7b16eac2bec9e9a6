"""The sandbox as a running server, on loopback: in a thread of a test, or in the foreground of the command."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections import deque
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, get_args

import uvicorn
from attrs import frozen
from starlette.requests import Request
from talkdesk_bridge._auth import is_loopback
from talkdesk_bridge._settings import PREFIX

from talkdesk_bridge_sandbox._app import Behaviour, make_app
from talkdesk_bridge_sandbox._contract import read_contract, schemes_of, token_paths
from talkdesk_bridge_sandbox._credentials import TOKEN_LIFE, Accept, Credentials, Gate, kind_of, new_key
from talkdesk_bridge_sandbox._data import ACCOUNTS
from talkdesk_bridge_sandbox._faults import FAULTS, account_rows
from talkdesk_bridge_sandbox._operations import Paging, operations_of
from talkdesk_bridge_sandbox._reply import Reply

if TYPE_CHECKING:
    from talkdesk_bridge import BridgeClient

__all__ = ["Sandbox", "Seen", "accounts_table", "faults_table"]


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
        host: The address to listen at.
        allow_remote: Whether that may be another one than of loopback, so that other machines can ask.
        credentials: What it accepts.
        accept: Which credential it wants: "any" that the contract names for an operation, "none" at all, or one kind:
            "key", "basic", "bearer", "oauth2".
        token_life: Seconds that an OAuth 2 token lives.
        paging: How lists come: in pages with next "links", in "pages" that only a number leads to, or "all" at once.
        fault: The name of a fault that befalls every operation; see FAULTS.
        contract: What it serves, as data; by default the contract of the installed client.
        log: Gets a line for each request: method, path and query, status, and the fault that befell it.

    Raises:
        OSError: the port cannot be used.
        ValueError: an argument cannot be used.

    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        allow_remote: bool = False,
        credentials: Credentials | None = None,
        accept: Accept = "any",
        token_life: float = TOKEN_LIFE,
        paging: Paging = "links",
        fault: str | None = None,
        contract: dict[str, Any] | None = None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        if not (allow_remote or is_loopback(_url(host, port))):
            told = "allow_remote (--allow-remote) lets other machines ask"
            raise ValueError(f"{host} is not an address of loopback: {told}")
        if not 0 <= port <= 65_535:
            raise ValueError(f"{port} is no port: they go from 0 to 65535")
        if paging not in get_args(Paging):
            raise ValueError(f"paging must be links, pages or all, not {paging}")
        if not 0 < token_life < 1e9:
            raise ValueError("the life of a token must be more than 0 seconds, and less than 1e9")
        self.credentials = credentials or Credentials()
        self._seen: deque[Seen] = deque(maxlen=10_000)
        self._contract = contract or read_contract()
        self._log = log
        self._behaviour = Behaviour(paging)
        self.fault = self._first_fault = fault
        self._accept = accept
        self._kinds = {kind_of(scheme) for scheme in schemes_of(self._contract).values()}
        if accept not in (offered := ["any", "none", *sorted(self._kinds)]):
            raise ValueError(f"{accept} is no credential of the contract, which has {', '.join(offered)}")
        public = self.credentials.public_key
        self._private_key = ""  # its holder has it
        if not public:
            self._private_key, public = new_key()
        self._gate = Gate(schemes_of(self._contract), self.credentials, accept, public, token_life)
        operations = operations_of(self._contract)
        self._loggable = {name for operation in operations for name in operation.parameters.query}
        app = make_app(self._contract, operations, self.credentials, self._gate, self._behaviour, self._record)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._serves = False
        self._behaviour.ends = lambda: self._server.should_exit
        # Last: what fails before leaves no socket open.
        self._socket = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        # What listens hands it on. asyncio sets it for no socket that is made so, and without it each answer on a kept
        # connection waits 40 ms for what the other side acknowledges late.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._address = self._socket.getsockname()[:2]
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL for a client."""
        host, port = self._address
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            host = "127.0.0.1" if address.version == 4 else "::1"
        return _url(host, port)

    @property
    def token_url(self) -> str:
        """Where client credentials are exchanged for a token; empty where the contract has no such flow."""
        return next((self.url + path for path in token_paths(self._contract)), "")

    @property
    def key_header(self) -> str | None:
        """The header that the key is expected in; None where the contract has no key."""
        schemes = schemes_of(self._contract).values()
        named = next((scheme["name"] for scheme in schemes if kind_of(scheme) == "key"), None)
        return self.credentials.api_key_header or named if named else None

    @property
    def environ(self) -> dict[str, str]:
        """The variables that lead the command, and `BridgeClient.from_env`, to this sandbox."""
        return next(iter(self._ways().values()), self._variables({}))

    @cached_property
    def client(self) -> BridgeClient:
        """A client of this sandbox, which is closed with it."""
        from talkdesk_bridge import BridgeClient

        return BridgeClient.from_env(self.environ)

    @property
    def requests(self) -> list[Seen]:
        """What was asked so far, a copy: the last 10,000 requests, those for tokens included; `reset` forgets them."""
        return [*self._seen]

    @property
    def fault(self) -> str | None:
        """The name of the fault that befalls every operation, besides those of the accounts; may be set at any time."""
        return self._behaviour.fault.name if self._behaviour.fault else None

    @fault.setter
    def fault(self, name: str | None) -> None:
        named = {fault.name: fault for fault in FAULTS}
        if name is not None and name not in named:
            raise ValueError(f"{name} is no fault of the sandbox, which has {', '.join(named)}")
        self._behaviour.fault = named[name] if name else None

    def script(self, *replies: Reply) -> None:
        """Answer the next requests of operations with these, in turn, and then as before; the token URL stays as it is.

        What is scripted is sent as it is: the request is not checked, nor is the answer.

        Raises:
            TypeError: one of them is no Reply.

        """
        if wrong := next((reply for reply in replies if not isinstance(reply, Reply)), None):
            raise TypeError(f"script takes Reply(...), not {type(wrong).__name__}")
        self._behaviour.replies.extend(replies)

    def reset(self) -> None:
        """Be as new: forget the requests, the scripted answers, a fault that was set, the tokens, and the client."""
        if "client" in self.__dict__:
            self.client.close()
            del self.client
        self._seen.clear()
        self._behaviour.replies.clear()
        self._behaviour.turns.clear()
        self.fault = self._first_fault
        self._gate.forget()

    @property
    def closed(self) -> bool:
        """Whether it was closed, and cannot be used any more."""
        return self._server.should_exit

    def serve(self) -> None:
        """Serve until the process is interrupted or `close` is called."""
        self._serves = True
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def close(self) -> None:
        """Stop serving, and wait until that is done."""
        if "client" in self.__dict__:
            self.client.close()
        self._server.should_exit = True
        if self._thread:
            self._thread.join()
        if not self._serves:  # else `serve` closes it
            self._socket.close()

    def __enter__(self) -> Self:
        if self.closed:
            raise ValueError("the sandbox is closed: make another one")
        self._thread = threading.Thread(target=self.serve, name="talkdesk-bridge-sandbox", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self, command: str = "talkdesk-bridge") -> str:
        """How to use this sandbox, for a person: URL, credentials, accounts. `command` is what they type."""
        lines = [
            f"Sandbox of the bridge: {self.url} (Ctrl-C ends it; in a browser: the contract as a page)",
            *([] if is_loopback(_url(*self._address)) else ["Every machine that can reach this one can ask it."]),
            *([f"Lists: {WAYS[self._behaviour.paging]}"] if self._behaviour.paging != "links" else []),
            *([f"Fault, whatever is asked: {self.fault}"] if self.fault else []),
            "",
            "In another shell:",
            *(f"  export {name}={value}" for name, value in self.environ.items()),
            f"  {command} invoices {next(iter(ACCOUNTS))}",
        ]
        for title, variables in [*self._ways().items()][1:]:
            lines += ["", f"Or with {title}, in a shell of its own:"]
            lines += [f"  export {name}={value}" for name, value in variables.items()]
        return "\n".join([*lines, "", accounts_table(), ""])

    def _ways(self) -> dict[str, dict[str, str]]:
        """The credentials that it takes, each with its variables; the simplest one first."""
        ours, token = self.credentials, {"TOKEN_URL": self.token_url, "CLIENT_ID": self.credentials.client_id}
        header = self.key_header
        ways: dict[tuple[str, str], dict[str, str]] = {
            ("key", "a key in a header"): {"API_KEY": ours.api_key}
            | ({"API_KEY_HEADER": header} if header and header != "Authorization" else {}),
            ("oauth2", "OAuth 2"): {**token, "CLIENT_SECRET": ours.client_secret},
            ("oauth2", "OAuth 2 and a private key"): {
                **token, "PRIVATE_KEY": self._private_key, "KEY_ID": ours.key_id, "ALGORITHM": ours.algorithm
            },
            ("basic", "HTTP Basic"): {"USERNAME": ours.user, "PASSWORD": ours.password},
            ("bearer", "a bearer token"): {"BEARER_TOKEN": ours.bearer_token},
        }  # fmt: skip
        kinds = self._kinds if self._accept == "any" else {self._accept}
        return {
            title: self._variables(credential)
            for (kind, title), credential in ways.items()
            if kind in kinds and all(credential.values())
        }

    def _variables(self, credential: dict[str, str]) -> dict[str, str]:
        return {PREFIX + name: value for name, value in {"URL": self.url, **credential}.items()}

    def _record(self, request: Request, status: int, told: str) -> None:
        path, query = request.scope["raw_path"].decode("ascii"), request.url.query
        self._seen.append(Seen(request.method, path + (f"?{query}" if query else ""), status))
        # A query that does not fit the contract may hold anything, a credential too.
        shown = query if status != 400 and request.query_params.keys() <= self._loggable else "..." if query else ""
        self._log(f"{request.method} {path}{'?' if query else ''}{shown} {status}{f' ({told})' if told else ''}")


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


WAYS = {"links": "pages with next links", "pages": "pages by number, without links", "all": "at once, without pages"}


def accounts_table() -> str:
    """The accounts, a line each."""
    return "Accounts:\n" + "\n".join(f"  {number:18}{about}" for number, about in account_rows().items())


def faults_table() -> str:
    """The faults, each with its account and what the client makes of it."""
    rows = (f"  {one.account}  {one.name}\n      {one.about}\n      -> {one.outcome}" for one in FAULTS)
    return "Faults: ask for the account, or name the fault with --fault, and the client ...\n" + "\n".join(rows)

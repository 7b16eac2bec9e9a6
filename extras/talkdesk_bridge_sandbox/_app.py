"""The sandbox as an ASGI application: the contract's operations, its token URLs, and the contract as a page."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from attrs import Factory, define, frozen
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from talkdesk_bridge_sandbox._contract import token_paths
from talkdesk_bridge_sandbox._credentials import CredentialChecker, Credentials
from talkdesk_bridge_sandbox._data import ACCOUNTS
from talkdesk_bridge_sandbox._faults import FAULTS, FAULTY, Call, Fault
from talkdesk_bridge_sandbox._operations import Operation, Paging, make_operations
from talkdesk_bridge_sandbox._page import page
from talkdesk_bridge_sandbox._reply import Reply, RequestError


@frozen
class Seen:
    """A request that the sandbox received."""

    method: str
    target: str
    """Path and query, as sent."""
    status: int
    """The status of the response."""


@define(eq=False)
class Application:
    """Responds according to the script, a fault or the contract; its attributes may be changed at any time."""

    contract: dict[str, Any]
    credentials: Credentials
    checker: CredentialChecker
    paging: Paging
    log: Callable[[str], None]
    hosts: frozenset[str] = frozenset()
    """Hosts that requests may name, in addition to those of loopback."""
    fault: Fault | None = None
    """The fault of every operation, except for the accounts that have their own."""
    script: deque[Reply] = Factory(deque)
    """The next responses, instead of those of the contract."""
    seen: deque[Seen] = Factory(lambda: deque(maxlen=10_000))
    stopping: Callable[[], bool] = lambda: False
    """Whether the server is shutting down, so that delayed responses are sent at once."""
    _operations: list[Operation] = Factory(lambda self: make_operations(self.contract), takes_self=True)
    _calls: Counter[tuple[str, str, str, bool]] = Factory(Counter)

    def reset(self) -> None:
        """Forget the requests and the script."""
        self.seen.clear()
        self.script.clear()
        self._calls.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request."""
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        reply, note = self._route(request, body)
        self._record(request, reply.status, note)
        until = time.monotonic() + reply.delay
        while (left := until - time.monotonic()) > 0 and not self.stopping():
            await asyncio.sleep(min(left, 0.05))
        # If more of the body is announced but not sent, the server closes the connection.
        sent = reply.body[: len(reply.body) // 2] if reply.cut else reply.body
        await send({"type": "http.response.start", "status": reply.status, "headers": reply.raw_headers})
        await send({"type": "http.response.body", "body": sent, "more_body": reply.cut})

    def _route(self, request: Request, body: bytes) -> tuple[Reply, str]:
        """The response, and a note for the log."""
        host = host_of(request.headers.get("Host", ""))
        if not (is_loopback(host) or host in self.hosts or host == request.scope["server"][0]):
            # A page of another host could have its name resolved to this machine, to read the responses.
            remedy = "to accept it, set allow_hosts (--allow-host)"
            return Reply(403, json={"sandbox": f"the request is for another host, {host!r}: {remedy}"}), "another host"
        path = request.scope["path"]
        methods = ("GET", "HEAD") if request.method == "HEAD" else (request.method,)
        for operation in self._operations:
            path_params = operation.parameters.match(path)
            if path_params is not None and operation.method in methods:
                request.scope["path_params"] = path_params
                return self._respond(operation, request, body)
        if "POST" in methods and path in token_paths(self.contract):
            return self.checker.give_token(request, body), ""
        if "GET" in methods and path == "/":
            headers = {"Content-Type": "text/html; charset=utf-8"}
            return Reply(content=page(self.contract, self.credentials), headers=headers), ""
        if "GET" in methods and path == "/openapi.json":
            return Reply(json=self.contract), ""
        served = ", ".join(f"{operation.method} {operation.path}" for operation in self._operations)
        return Reply(404, json={"sandbox": f"unknown operation; the contract has {served}"}), ""

    def _respond(self, operation: Operation, request: Request, body: bytes) -> tuple[Reply, str]:
        if self.script:
            return self.script.popleft(), "scripted"
        number = next(iter(request.path_params.values()), "")
        own = next((fault for fault in FAULTS if fault.account == number), None)
        fault = own or self.fault
        account = FAULTY if own else ACCOUNTS.get(number)
        paging = "all" if fault and fault.unpaged else self.paging
        try:
            if not self.checker.admits(request, operation.security):
                raise RequestError(401, "the request has no credential that the sandbox accepts")
            reply = operation.respond(request, body, account, paging)
        except RequestError as error:
            return operation.error_response(error), ""
        if fault is None or reply.status >= 500:
            return reply, ""
        key = (fault.name, request.method, str(request.url), self.checker.issued(request))
        self._calls[key] += 1
        return fault.change(reply, Call(request, operation, self.checker, first=self._calls[key] % 2 == 1)), fault.name

    def _record(self, request: Request, status: int, note: str) -> None:
        path, query = request.scope["raw_path"].decode("ascii"), request.url.query
        target = f"{path}?{query}" if query else path
        self.seen.append(Seen(request.method, target, status))
        known = {name for operation in self._operations for name in operation.parameters.query}
        if query and (status == 400 or not request.query_params.keys() <= known):
            target = f"{path}?..."  # an invalid query may hold anything, even a credential
        self.log(f"{request.method} {target} {status}" + (f" ({note})" if note else ""))


def host_of(text: str) -> str:
    """The host in a Host header or in an option, without its port; empty if there is none."""
    with suppress(ValueError):
        return str(ip_address(text))
    with suppress(ValueError):
        return (urlsplit(f"//{text}").hostname or "") if "/" not in text else ""
    return ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Protocol(H11Protocol):
    """uvicorn's protocol with a logger of its own: those of uvicorn may belong to another server in this process."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.logger, self.access_log = LOG, False


LOG = logging.getLogger("talkdesk_bridge_sandbox")
# Drops the message about a response that is cut off on purpose.
LOG.addFilter(lambda entry: "without completing response" not in entry.getMessage())

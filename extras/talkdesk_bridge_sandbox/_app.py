"""The sandbox as an ASGI application: each operation of the contract, its token URLs, faults and scripted answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Any, cast

from attrs import Factory, define
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from talkdesk_bridge_sandbox._contract import token_paths
from talkdesk_bridge_sandbox._credentials import Credentials, Gate
from talkdesk_bridge_sandbox._data import ACCOUNTS
from talkdesk_bridge_sandbox._faults import FAULTS, FAULTY, Call, Fault
from talkdesk_bridge_sandbox._operations import Operation, Paging
from talkdesk_bridge_sandbox._page import HEADERS, page
from talkdesk_bridge_sandbox._reply import Refusal, Reply

__all__ = ["Behaviour", "make_app"]

Record = Callable[[Request, int, str], None]
"""Is told of each request: its status, and what else the log should say."""


@define
class Behaviour:
    """How a sandbox answers beyond what the contract says; whoever runs it may change it meanwhile."""

    paging: Paging = "links"
    fault: Fault | None = None
    """The fault of every operation; None for those of the accounts alone."""
    replies: deque[Reply] = Factory(deque)
    """The next answers, instead of those of the contract."""
    turns: Counter[tuple[str, str]] = Factory(Counter)
    """How often each URL was asked for under each fault, with and without an OAuth 2 token."""
    ends: Callable[[], bool] = lambda: False
    """Whether it is over, and no answer worth waiting for."""


def make_app(
    contract: dict[str, Any],
    operations: list[Operation],
    credentials: Credentials,
    gate: Gate,
    behaviour: Behaviour,
    record: Record,
) -> Starlette:
    """An application that serves `contract`, whose `operations` these are, and tells `record` of each request."""

    def endpoint(operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                sent = await request.body()
            except ClientDisconnect:
                return Response()  # for nobody
            if behaviour.replies:
                reply, told = behaviour.replies.popleft(), "scripted"
            else:
                reply, told = _answer(operation, request, sent, gate, behaviour)
            record(request, reply.status, told)
            until = time.monotonic() + reply.delay
            # Whoever ends the sandbox does not wait for it.
            while (left := until - time.monotonic()) > 0 and not behaviour.ends():
                await asyncio.sleep(min(left, 0.05))
            return _Sent(reply)

        return answer

    async def give_token(request: Request) -> Response:
        reply = gate.give_token(request, await request.body())
        record(request, reply.status, "")
        return _Sent(reply)

    async def show_page(request: Request) -> Response:
        record(request, 200, "")
        return HTMLResponse(page(contract, credentials), headers=HEADERS)

    async def failed(request: Request, error: Exception) -> Response:
        record(request, 500, type(error).__name__)
        return JSONResponse({"sandbox": "an error of its own: see its standard error"}, 500)

    async def unknown(request: Request, error: Exception) -> Response:
        refused = cast(HTTPException, error)
        record(request, refused.status_code, "")
        served = ", ".join(f"{operation.method} {operation.path}" for operation in operations)
        told = {"sandbox": f"the contract has no such operation; it has {served}"}
        return JSONResponse(told, refused.status_code, refused.headers)

    routes = [Route(one.parameters.route, endpoint(one), methods=[one.method]) for one in operations]
    routes += [Route(path, give_token, methods=["POST"]) for path in token_paths(contract)]
    routes.append(Route("/", show_page))
    app = Starlette(routes=routes, exception_handlers={HTTPException: unknown, Exception: failed})
    app.router.redirect_slashes = False  # no operation of the contract does
    return app


def _answer(operation: Operation, request: Request, sent: bytes, gate: Gate, behaviour: Behaviour) -> tuple[Reply, str]:
    """The answer to a request, and what the log should say of it."""
    try:
        if not gate.admits(request, operation.security):
            raise Refusal(401, "no credential of the request was accepted")
        asked = operation.parameters.asked(request) or ""
        of_account = next((fault for fault in FAULTS if fault.account == asked), None)
        fault = of_account or behaviour.fault
        paging: Paging = "all" if fault and fault.whole else behaviour.paging
        reply = operation.answer(request, sent, FAULTY if of_account else ACCOUNTS.get(asked), paging)
    except Refusal as refusal:
        return operation.refusal(refusal), ""
    if fault is None or reply.status >= 500:
        return reply, ""
    with_token = gate.gave(request)
    behaviour.turns[turn := (fault.name, f"{request.method} {request.url} {with_token}")] += 1
    call = Call(
        url=str(request.url),
        first=behaviour.turns[turn] % 2 == 1,
        with_token=with_token,
        refuse=operation.refusal,
        revoke=lambda: gate.revoke(request),
    )
    return fault.befall(reply, call), fault.name


class _Sent(Response):
    """A reply on its way to the wire."""

    def __init__(self, reply: Reply) -> None:
        kind = None if reply.json is None else "application/json"
        super().__init__(reply.body, reply.status, {name.lower(): text for name, text in reply.headers.items()}, kind)
        self._cut = reply.cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._cut:
            # A body that never ends as it was announced: the server closes the connection.
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
        else:
            await super().__call__(scope, receive, send)


# What uvicorn says of an answer that is cut off on purpose.
logging.getLogger("uvicorn.error").addFilter(lambda entry: "without completing response" not in entry.getMessage())

"""A call: sends one request of an operation with the credential, and returns its response or raises a typed error.

The flow is written once, as coroutines. The asynchronous client awaits them. The blocking client runs them with `run`:
everything that they await blocks, so they never suspend.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import os
import re
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Self, TypeVar
from urllib.parse import unquote_plus

from attrs import evolve
from talkdesk_bridge_api.types import ListOperation, Operation

from talkdesk_bridge import errors
from talkdesk_bridge._attempts import LOG, Attempts, Gate
from talkdesk_bridge._http import AsyncHttp, Http, Request, normalized
from talkdesk_bridge._items import AsyncItemIterator, ItemIterator
from talkdesk_bridge._links import NextLinks
from talkdesk_bridge._oauth import OAuth2
from talkdesk_bridge._position import NO_POSITION
from talkdesk_bridge._redact import SHORTEST, Secret, redact
from talkdesk_bridge._response import RawResponse, Reader, Response
from talkdesk_bridge._retry import one_line
from talkdesk_bridge._run import run, task
from talkdesk_bridge._settings import Settings
from talkdesk_bridge._tokens import TokenCache
from talkdesk_bridge._urls import origin, stays_in_its_segment

BodyT = TypeVar("BodyT")


class Caller:
    """The flow of a call, for both clients."""

    http: Http | AsyncHttp
    _iterator: type[ItemIterator | AsyncItemIterator]
    _lock: Any
    """Held by the call that renews the token."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        # The callers that with_options makes share all of the following.
        self._tokens = TokenCache(settings.clock)
        self._warnings: list[str] = []
        # By operationId, for lists of unknown length: the most items of a page 1 that came again as page 2.
        # 0 if none did so far, COUNTS_PAGES once another page 2 came.
        self._numbering: dict[str, int] = {}
        self.gate = Gate()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        raise NotImplementedError

    def paginate(self, operation: ListOperation[Any, Any], arguments: dict[str, Any], **limits: Any) -> Any:
        """An iterator over the items of all pages; the first page is requested when the first item is."""
        given = sorted(f"{name}: {arguments[name]}" for name in arguments if arguments[name] is not None)
        call = {"bridge": self.http.base_url, "operation": operation.operation_id, "arguments": given}
        exchange: Any = partial(self.exchange, operation)
        by_numbers = self.settings.paging == "numbers" and operation.shape.begin
        links = None if by_numbers else partial(self._links, operation, arguments)
        return self._iterator(exchange, links, self._numbering, operation, arguments, call, self._reader, **limits)

    def _links(self, operation: ListOperation[Any, Any], arguments: dict[str, Any]) -> NextLinks:
        """The reader of the next links of a list."""
        return NextLinks(self, operation, arguments, self._request(operation, arguments).extensions["url"])

    def shown(self, url: str) -> str:
        """A URL from the bridge, redacted for messages."""
        return one_line(redact(url, (*self.settings.secrets, self._tokens.current)))

    def sendable(self, url: str) -> str:
        """A URL as it is sent, without query parameters into which the bridge has copied the credential.

        Raises:
            ValueError: it is not a URL.

        """
        start, _, query = normalized(url).partition("?")
        secrets = {one for one in (*self.settings.auth.secrets(), self._tokens.current) if len(one) >= SHORTEST}
        kept = [part for part in query.split("&") if part and unquote_plus(part.partition("=")[2]) not in secrets]
        return f"{start}?{'&'.join(kept)}" if kept else start

    def warn_once(self, message: str) -> None:
        """Log a warning about links, at most once for each client."""
        if not self._warnings:
            self._warnings.append(message)
            LOG.warning("%s", message)

    def with_options(self, **options: Any) -> Self:
        """A caller with other settings that shares this one's connections and token."""
        other = copy.copy(self)
        if isinstance(headers := options.get("headers"), Mapping):
            options["headers"] = {**self.settings.headers, **headers}
        other.settings = evolve(self.settings, **options)
        return other

    def check(self) -> None:
        """Check that the client can send requests here.

        Raises:
            ConfigurationError: it is closed, or belongs to another process or event loop.

        """
        if self.http.closed:
            raise errors.ConfigurationError("The client is closed: make a new one, or stay inside its `with` block.")
        if self.http.process != os.getpid():
            message = "The client was made in another process, and both would read each other's responses"
            raise errors.ConfigurationError(f"{message}: make one client in each process.")

    async def exchange(self, operation: Operation[BodyT], arguments: dict[str, Any], link: str = "") -> Response[BodyT]:
        """Send one request, or follow a link instead, and read the response.

        Raises:
            BridgeError: see talkdesk_bridge.errors.

        """
        self.check()
        request = self._follow(link) if link else self._request(operation, arguments)
        auth = self.settings.auth
        for name in self.settings.headers:  # without their values, which a traceback with local variables would show
            request.headers[name] = self.settings.headers[name]  # `update` would keep names that differ in case
        auth.apply(request)

        def send() -> Awaitable[RawResponse]:
            return Attempts(self, operation.operation_id, lambda: request).response()

        response = await (self._send_with_token(auth, request, send) if isinstance(auth, OAuth2) else send())
        return self._reader.read(operation, response, auth)

    async def authenticate(self) -> None:
        """Get a token, if the credential needs one and has no fresh one."""
        self.check()
        if isinstance(auth := self.settings.auth, OAuth2):
            await self._renewed(auth)

    @property
    def _reader(self) -> Reader:
        return Reader(self.settings.strict, self.settings.on_deviation, self.settings.on_repeat)

    def _request(self, operation: Operation[Any], arguments: dict[str, Any]) -> Request:
        for name in re.findall(r"{(\w+)}", operation.path):
            if arguments[name] in (None, ""):
                raise errors.ArgumentError(f"{name} must not be empty, because it becomes a segment of the path.")
            if not stays_in_its_segment(str(arguments[name])):
                rule = "must not be '.' or '..', and must contain no control character, slash or encoded slash or dot"
                raise errors.ArgumentError(f"{name} {rule}, because it becomes a segment of the path.")
        try:
            return self.http.build(self.settings, **operation.request(**arguments))
        except (AttributeError, TypeError, ValueError) as error:
            message = f"An argument of {operation.operation_id} has a type or a value that cannot be sent"
            raise errors.ArgumentError(f"{message} ({type(error).__name__}).") from error

    def _follow(self, url: str) -> Request:
        """The request for a next link, which `_links` has checked, or for one in a position, which may be damaged."""
        try:
            url = normalized(url)
            if origin(url, "step") == origin(self.http.base_url, "base URL"):
                return self.http.build(self.settings, method="GET", url=url)
        except (errors.ConfigurationError, ValueError):
            pass
        raise errors.ArgumentError(f"{NO_POSITION}: its step is no URL of this bridge.")

    async def _send_with_token(
        self, auth: OAuth2, request: Request, send: Callable[[], Awaitable[RawResponse]]
    ) -> RawResponse:
        token = self._tokens.get_or_claim_renewal() or await self._renewed(auth)
        request.headers["Authorization"] = f"Bearer {token.text}"
        response = await send()
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return response
        # The bridge may have revoked the token: get a new one, and try once more.
        request.headers["Authorization"] = f"Bearer {(await self._renewed(auth, rejected=token)).text}"
        return await send()

    async def _renewed(self, auth: OAuth2, rejected: Secret | None = None) -> Secret:
        """A token other than `rejected`: the one that another call got meanwhile, or a new one.

        Calls that wait for another call's token request share its failure. Otherwise each would send its own in turn:
        all would wait longer, and an overloaded token server would get more requests.
        """
        requests_before = self._tokens.requests
        async with self._lock:
            if token := self._tokens.fresh(rejected):
                return token
            spare = self._tokens.spare(rejected)
            if requests_before != self._tokens.requests and self._tokens.failure:
                if spare:
                    return spare
                raise errors.AuthenticationError(self._tokens.failure)
            return await self._new_token(auth, spare)

    async def _new_token(self, auth: OAuth2, spare: Secret | None) -> Secret:
        """A token from the token server, or the `spare` one if the server returns none."""
        sent: list[Request] = []

        def request() -> Request:
            headers, content = auth.token_request()
            made = self.http.build(self.settings, method="POST", url=auth.token_url, headers=headers, content=content)
            sent.append(made)
            return made

        try:
            response = await Attempts(self, None, request, once=spare is not None).response()
            token = self._tokens.store(auth, sent[-1], response)
        except errors.BridgeError as error:
            from_server = isinstance(error, errors.AuthenticationError)
            failure = str(error) if from_server else f"No token could be fetched. {error}"
            self._tokens.ended(failure)
            if spare:
                LOG.warning("Token renewal failed; the current token stays in use until it expires: %s", error)
                return spare
            raise errors.AuthenticationError(failure) from (None if from_server else error)
        return token


class _BlockingLock:
    """A lock for coroutines that `run` executes. Reentrant, since a hook may use the client in the same thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    async def __aenter__(self) -> None:
        self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


class BlockingCaller(Caller):
    """Blocks; any number of threads may share it."""

    http: Http
    _iterator = ItemIterator

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.http = Http(settings)
        self._lock = _BlockingLock()

    def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """The body of the response to one request; raises as `exchange`."""
        return run(self.exchange(operation, arguments)).body

    async def sleep(self, seconds: float) -> None:
        """Block."""
        (self.settings.sleep or time.sleep)(seconds)


class AsyncCaller(Caller):
    """Awaits; any number of tasks of one event loop may share it."""

    http: AsyncHttp
    _iterator = AsyncItemIterator

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.http = AsyncHttp(settings)
        self._lock = asyncio.Lock()

    def check(self) -> None:
        if not task():
            message = "An AsyncBridgeClient works only in a task of asyncio (or of a loop for it, such as uvloop)"
            raise errors.ConfigurationError(f"{message}, not in trio or elsewhere: use a BridgeClient in a thread.")
        loop = asyncio.get_running_loop()
        self.http.loop = self.http.loop or loop
        if self.http.loop is not loop:
            message = "An AsyncBridgeClient works only in the event loop that used it first"
            raise errors.ConfigurationError(f"{message}: make one client for each event loop.")
        super().check()

    async def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """The body of the response to one request; raises as `exchange`."""
        return (await self.exchange(operation, arguments)).body

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the event loop."""
        slept = (self.settings.sleep or asyncio.sleep)(seconds)
        if inspect.isawaitable(slept):
            await slept

"""A call: one request of an operation with the credential, and its response as a model or a typed error.

The flow is written once, as coroutines. The asynchronous client awaits them. The blocking client runs them with `run`:
everything that they await there blocks instead, so that they never stop in between.
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

from attrs import evolve
from talkdesk_bridge_api.types import ListOperation, Operation

from talkdesk_bridge import errors
from talkdesk_bridge._attempts import LOG, TOKEN, Attempts, Gate
from talkdesk_bridge._auth import NoAuth
from talkdesk_bridge._http import AsyncHttp, Http, Request
from talkdesk_bridge._items import AsyncItemIterator, ItemIterator
from talkdesk_bridge._oauth import OAuth2
from talkdesk_bridge._paging import Step
from talkdesk_bridge._response import RawResponse, Reader, Response
from talkdesk_bridge._run import run
from talkdesk_bridge._settings import Settings
from talkdesk_bridge._tokens import TokenCache
from talkdesk_bridge._urls import origin, stays_in_its_segment

BodyT = TypeVar("BodyT")


class _Caller:
    """What both kinds have in common."""

    _http: Http | AsyncHttp
    _iterator: type[ItemIterator | AsyncItemIterator]
    _lock: Any
    """Lets one caller in at a time to renew the token."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        # What follows is shared with the callers that with_options makes.
        self._origin = origin(settings.base_url, "base URL")
        self._tokens = TokenCache(settings.clock)
        self.gate = Gate()

    async def _sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def paginate(self, operation: ListOperation[Any, Any], arguments: dict[str, Any], **limits: Any) -> Any:
        """Go through the pages of `operation`; nothing is sent before the first item is asked for."""
        given = sorted(f"{name}: {arguments[name]}" for name in arguments if arguments[name] is not None)
        call = {"bridge": self._http.base_url, "operation": operation.operation_id, "arguments": given}
        return self._iterator(partial(self._exchange, operation, arguments), operation, call, self._reader, **limits)

    def with_options(self, **options: Any) -> Self:
        """The same connections and token, with other settings."""
        other = copy.copy(self)
        if isinstance(headers := options.get("headers"), Mapping):
            options["headers"] = {**self.settings.headers, **headers}
        other.settings = evolve(self.settings, **options)
        return other

    def _check(self) -> None:
        if self._http.closed:
            raise errors.ConfigurationError("The client is closed: make a new one, or stay inside its `with` block.")
        if self._http.process != os.getpid():
            message = "The client was made in another process, which would get its responses"
            raise errors.ConfigurationError(f"{message}: make one in each process.")

    async def _exchange(self, operation: Operation[BodyT], arguments: dict[str, Any], step: Step) -> Response[BodyT]:
        """One request of `operation`, or of a link that one of its pages gave, and its response."""
        self._check()
        if isinstance(step, str):
            request = self._follow(step)
        else:
            request = self._request(operation, arguments if step == 1 else {**arguments, "page": step})
        auth = self.settings.auth
        request.headers.update(self.settings.headers)
        request.headers.update(auth.headers())
        send = partial(self._attempts, operation.operation_id, lambda: request)
        if isinstance(auth, OAuth2):
            response = await self._send_with_token(auth, request, send)
        else:
            response = await send()
        return self._reader.read(operation, response, credential=not isinstance(auth, NoAuth))

    @property
    def _reader(self) -> Reader:
        return Reader(self.settings.strict, self.settings.on_deviation)

    async def _attempts(self, name: str, make: Callable[[], Request], *, once: bool = False) -> RawResponse:
        attempts = Attempts(self.settings, self.gate, self._http.send, self._sleep, name, make, once=once)
        return await attempts.response()

    def _request(self, operation: Operation[Any], arguments: dict[str, Any]) -> Request:
        for name in re.findall(r"{(\w+)}", operation.path):
            if not stays_in_its_segment(str(arguments[name])) or arguments[name] is None:
                rule = "must not be empty, '.' or '..', and must hold no control character and no encoded slash or dot"
                raise errors.ArgumentError(f"{name} {rule}: it is a part of the path.")
        try:
            return self._http.build(self.settings, **operation.request(**arguments))
        except (AttributeError, TypeError, ValueError) as error:
            message = f"An argument of {operation.operation_id} has a type or a value that cannot be sent"
            raise errors.ArgumentError(f"{message} ({type(error).__name__}).") from error

    def _follow(self, url: str) -> Request:
        """The request for a link of the bridge, which must lead to the bridge: the credential goes with it."""
        try:
            elsewhere = origin(url, "next link") != self._origin
        except errors.ConfigurationError as error:
            raise errors.PagingError(f"The next link cannot be followed. {error}") from None
        if elsewhere:
            raise errors.PagingError("The next link leads to another host, scheme or port; it was not followed.")
        try:
            return self._http.build(self.settings, method="GET", url=url)
        except ValueError:
            raise errors.PagingError("The next link is not a URL.") from None

    async def _send_with_token(
        self, auth: OAuth2, request: Request, send: Callable[[], Awaitable[RawResponse]]
    ) -> RawResponse:
        token = self._tokens.get() or await self._renewed(auth)
        request.headers["Authorization"] = f"Bearer {token}"
        response = await send()
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return response
        # The bridge may end a token before its time: one new token, one more try.
        request.headers["Authorization"] = f"Bearer {await self._renewed(auth, rejected=token)}"
        return await send()

    async def _authenticate(self) -> None:
        self._check()
        if isinstance(auth := self.settings.auth, OAuth2):
            await self._renewed(auth)

    async def _renewed(self, auth: OAuth2, rejected: str | None = None) -> str:
        """A token that is not `rejected`: another caller's, if one was faster, or a new one.

        A caller who waits for another caller's try shares its failure. Otherwise each would wait for the tries of all
        before it, and a token server that is overloaded would get them all.
        """
        tries = self._tokens.tries
        async with self._lock:
            if token := self._tokens.fresh(rejected):
                return token
            spare = self._tokens.spare(rejected)
            if tries != self._tokens.tries and self._tokens.failure:
                if spare:
                    return spare
                raise errors.AuthenticationError(self._tokens.failure)
            return await self._new_token(auth, spare)

    async def _new_token(self, auth: OAuth2, spare: str | None) -> str:
        """A token of the token server; if it gives none, the `spare` one."""

        def request() -> Request:
            headers, content = auth.token_request()
            return self._http.build(self.settings, method="POST", url=auth.token_url, headers=headers, content=content)

        try:
            response = await self._attempts(TOKEN, request, once=spare is not None)
            token = self._tokens.store(auth.token_url, response.status_code, response.content)
        except errors.BridgeError as error:
            refused = isinstance(error, errors.AuthenticationError)
            failure = str(error) if refused else f"There is no token. {error}"
            self._tokens.ended(failure)
            if spare:
                LOG.warning("Token refresh failed; the current token is still valid and stays in use: %s", error)
                return spare
            raise errors.AuthenticationError(failure) from (None if refused else error)
        self._tokens.ended(None)
        return token


class _BlockingLock:
    """A lock for coroutines that `run` runs. A hook may call the client, so the same thread may enter again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    async def __aenter__(self) -> None:
        self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


class BlockingCaller(_Caller):
    """Calls by blocking; any number of threads may share it."""

    _http: Http
    _iterator = ItemIterator

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._http = Http(settings)
        self._lock = _BlockingLock()

    def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """Send one request of `operation` and read its response; raises what talkdesk_bridge.errors names."""
        return self.respond(operation, arguments).body

    def respond(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> Response[BodyT]:
        """As `call`, for the whole response."""
        return run(self._exchange(operation, arguments, 1))

    def authenticate(self) -> None:
        """Get a token, if the credential needs one and has none that is fresh."""
        run(self._authenticate())

    def stop(self, threads: list[threading.Thread]) -> None:
        """End the requests of these threads, and let them send no more."""
        self._http.stop(threads)

    def close(self) -> None:
        """Close the connections; a second time does nothing."""
        self._http.close()

    async def _sleep(self, seconds: float) -> None:
        (self.settings.sleep or time.sleep)(seconds)


class AsyncCaller(_Caller):
    """Calls by awaiting; any number of tasks of one event loop may share it."""

    _http: AsyncHttp
    _iterator = AsyncItemIterator

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._http = AsyncHttp(settings)
        self._lock = asyncio.Lock()
        self._loops: list[asyncio.AbstractEventLoop] = []  # shared with what with_options gives

    def _check(self) -> None:
        self._loops.append(loop := asyncio.get_running_loop())
        del self._loops[1:]
        if self._loops != [loop]:
            message = "An AsyncBridgeClient belongs to the event loop that used it first"
            raise errors.ConfigurationError(f"{message}: make one for each.")
        super()._check()

    async def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """Send one request of `operation` and read its response; raises what talkdesk_bridge.errors names."""
        return (await self._exchange(operation, arguments, 1)).body

    async def respond(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> Response[BodyT]:
        """As `call`, for the whole response."""
        return await self._exchange(operation, arguments, 1)

    async def authenticate(self) -> None:
        """Get a token, if the credential needs one and has none that is fresh."""
        await self._authenticate()

    async def close(self) -> None:
        """Close the connections; a second time does nothing."""
        await self._http.close()

    async def _sleep(self, seconds: float) -> None:
        slept = (self.settings.sleep or asyncio.sleep)(seconds)
        if inspect.isawaitable(slept):
            await slept

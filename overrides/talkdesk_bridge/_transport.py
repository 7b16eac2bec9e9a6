"""The one way to the wire, and the only module that imports httpx: origin guard, credential, time limits, typed errors.

What happens around a request is written once, as generators that yield what they need done (`Flow`); the two
transports do it, one by blocking and one by awaiting.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Generator
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import httpx
from attrs import frozen
from talkdesk_bridge_api.types import VERSION, ListOperation, Operation

from talkdesk_bridge._answer import Answer, Reply, read
from talkdesk_bridge._auth import NoAuth, OAuth2ClientCredentials, TokenCache, plain
from talkdesk_bridge._paging import AsyncItemIterator, ItemIterator, Step
from talkdesk_bridge._settings import Settings, origin
from talkdesk_bridge.errors import (
    ArgumentError,
    BridgeError,
    ConfigurationError,
    NoAnswerError,
    NotSentError,
    PagingError,
)

__all__ = ["AsyncTransport", "Transport"]

T = TypeVar("T")
BodyT = TypeVar("BodyT")
ItemT = TypeVar("ItemT")
ClientT = TypeVar("ClientT", httpx.Client, httpx.AsyncClient)

# Before these, nothing of the request can have reached the bridge.
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


@frozen
class Locked:
    """A flow that only one caller at a time may go through."""

    flow: Flow[Any]


Flow = Generator[httpx.Request | Locked, Any, T]


class _Core(Generic[ClientT]):
    """What both transports do alike."""

    _client: ClientT

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._origin = origin(settings.base_url, "base URL")
        self._tokens = TokenCache()

    def _make(self, kind: type[ClientT]) -> ClientT:
        connect, read = self.settings.timeout
        # Plain http is for loopback, which no proxy and no authority of the environment concerns.
        mounts = {"http://": None} if self.settings.proxy is None else None
        token_url = getattr(self.settings.auth, "token_url", "")
        trust_env = any(url.lower().startswith("https:") for url in (self.settings.base_url, token_url))
        try:
            return kind(
                base_url=self.settings.base_url,
                headers={"Accept": "application/json", "User-Agent": f"talkdesk-bridge/{VERSION}"},
                timeout=httpx.Timeout(read, connect=connect),
                verify=self.settings.verify,
                proxy=self.settings.proxy,
                mounts=mounts,
                trust_env=trust_env,
            )
        except ImportError:
            reason = "A SOCKS proxy (the argument, or ALL_PROXY or HTTPS_PROXY) needs the package socksio."
        except OSError:
            reason = "The authorities that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read."
        except (httpx.InvalidURL, AttributeError, TypeError, ValueError):
            reason = "The base URL, or a proxy (the argument, or ALL_PROXY or HTTPS_PROXY), is not a URL."
        # Not from the caught one: its message would show the proxy's password.
        raise ConfigurationError(reason)

    def _exchange(self, operation: Operation[BodyT], step: Step) -> Flow[Reply[BodyT]]:
        """One request of `operation`, with the credential, and the body of its answer."""
        if self._client.is_closed:
            raise ConfigurationError("The client is closed: make a new one, or stay inside its `with` block.")
        request = self._follow(step) if isinstance(step, str) else self._request(operation, step)
        auth = self.settings.auth
        if isinstance(auth, OAuth2ClientCredentials):
            token = self._tokens.get() or (yield Locked(self._renew(auth, None)))
            request.headers["Authorization"] = f"Bearer {token}"
            response: httpx.Response = yield request
            if response.status_code == HTTPStatus.UNAUTHORIZED:
                # The bridge may end a token before its time: one new one, one more try.
                token = yield Locked(self._renew(auth, token))
                request.headers["Authorization"] = f"Bearer {token}"
                response = yield request
        else:
            request.headers.update(auth.headers())
            response = yield request
        told = f"{request.method} {_path(request)}"
        answer = Answer(told, str(request.url), response.status_code, response.headers, response.content)
        return read(operation, answer, credential=not isinstance(auth, NoAuth))

    def _request(self, operation: Operation[Any], arguments: dict[str, Any]) -> httpx.Request:
        try:
            built = operation.request(**arguments)
            request = self._client.build_request(**built)
        except (httpx.InvalidURL, AttributeError, TypeError, ValueError) as error:
            told = f"An argument of {operation.operation_id} has a type or a value that cannot be sent"
            raise ArgumentError(f"{told} ({type(error).__name__}).") from error
        for part, sent in zip(operation.path.split("/"), built["url"].split("/"), strict=True):
            names = re.findall(r"{(\w+)}", part)
            if names and (sent in (".", "..") or any(arguments[name] in (None, "") for name in names)):
                raise ArgumentError(f"{' and '.join(names)} must not be empty, None, '.' or '..'.")
        return request

    def _follow(self, url: str) -> httpx.Request:
        """The request for a link of the bridge, which must lead to the bridge: the credential goes with it."""
        try:
            elsewhere = origin(url, "next link") != self._origin
        except ConfigurationError as error:
            raise PagingError(f"The next link cannot be followed. {error}") from None
        if elsewhere:
            raise PagingError("The next link leads to another host, scheme or port; it was not followed.")
        try:
            return self._client.build_request("GET", url)
        except httpx.InvalidURL:
            raise PagingError("The next link is not a URL.") from None

    def _renew(self, auth: OAuth2ClientCredentials, rejected: str | None) -> Flow[str]:
        """A token that is not `rejected`: another caller's, where one was faster, or a new one."""
        if token := self._tokens.get(rejected):
            return token
        headers, content = auth.token_request()
        response = yield self._client.build_request("POST", auth.token_url, headers=headers, content=content)
        return self._tokens.store(auth.token_url, response.status_code, response.content)


class Transport(_Core[httpx.Client]):
    """Sends by blocking; any number of threads may share it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._client = self._make(httpx.Client)
        self._lock = threading.Lock()

    def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """Send one request of `operation` and read its answer; raises what talkdesk_bridge.errors names."""
        return self._run(self._exchange(operation, arguments)).body

    def paginate(
        self,
        operation: ListOperation[BodyT, ItemT],
        arguments: dict[str, Any],
        *,
        max_pages: int | None,
        max_items: int | None,
    ) -> ItemIterator[BodyT, ItemT]:
        """Go through the pages of `operation`; nothing is sent before the first item is asked for."""

        def send(step: Step) -> Reply[BodyT]:
            return self._run(self._exchange(operation, step))

        return ItemIterator(send, operation, arguments, max_pages, max_items)

    def close(self) -> None:
        """Close the connections; a second time does nothing."""
        self._client.close()

    def _run(self, flow: Flow[T]) -> T:
        try:
            wanted = next(flow)
            while True:
                wanted = flow.send(self._do(wanted))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _do(self, wanted: httpx.Request | Locked) -> Any:
        if isinstance(wanted, Locked):
            with self._lock:
                return self._run(wanted.flow)
        try:
            return self._client.send(wanted)
        except httpx.HTTPError as error:
            failure = _failure(wanted, error)
        raise failure  # outside: the caught one holds the request, and so the credential


class AsyncTransport(_Core[httpx.AsyncClient]):
    """Sends by awaiting; any number of tasks of one event loop may share it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._client = self._make(httpx.AsyncClient)
        self._lock = asyncio.Lock()

    async def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """Send one request of `operation` and read its answer; raises what talkdesk_bridge.errors names."""
        return (await self._run(self._exchange(operation, arguments))).body

    def paginate(
        self,
        operation: ListOperation[BodyT, ItemT],
        arguments: dict[str, Any],
        *,
        max_pages: int | None,
        max_items: int | None,
    ) -> AsyncItemIterator[BodyT, ItemT]:
        """Go through the pages of `operation`; nothing is sent before the first item is asked for."""

        async def send(step: Step) -> Reply[BodyT]:
            return await self._run(self._exchange(operation, step))

        return AsyncItemIterator(send, operation, arguments, max_pages, max_items)

    async def close(self) -> None:
        """Close the connections; a second time does nothing."""
        await self._client.aclose()

    async def _run(self, flow: Flow[T]) -> T:
        try:
            wanted = next(flow)
            while True:
                wanted = flow.send(await self._do(wanted))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _do(self, wanted: httpx.Request | Locked) -> Any:
        if isinstance(wanted, Locked):
            async with self._lock:
                return await self._run(wanted.flow)
        try:
            return await self._client.send(wanted)
        except httpx.HTTPError as error:
            failure = _failure(wanted, error)
        raise failure  # outside: the caught one holds the request, and so the credential


def _failure(request: httpx.Request, error: httpx.HTTPError) -> BridgeError:
    what = f"{request.method} {_path(request)}"
    host = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
    if isinstance(error, httpx.LocalProtocolError):
        # Its text shows the header that cannot be sent, which may be the credential.
        return ArgumentError(f"{what}: a header or another part of the request cannot be sent over HTTP.")
    reason = plain(str(error)) or type(error).__name__
    if isinstance(error, NOT_SENT):
        proxies = (name for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy") if os.environ.get(name))
        proxy = next(proxies, None) if request.url.scheme == "https" else None
        return NotSentError(f"{what}: no connection to {host}{f', {proxy} being set' if proxy else ''} ({reason}).")
    if isinstance(error, httpx.TimeoutException):
        return NoAnswerError(f"{what}: {host} did not answer in time ({type(error).__name__}).")
    return NoAnswerError(f"{what}: no whole answer from {host} ({reason}).")


def _path(request: httpx.Request) -> str:
    """The path as sent, without the query."""
    return request.url.raw_path.decode("ascii").partition("?")[0]

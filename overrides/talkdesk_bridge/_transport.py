"""The one way to the wire, and the only module that imports httpx: origin guard, credential, time limits, typed errors.

What happens around a request is written once, as generators that yield what they need done (`Flow`); the two
transports do it, one by blocking and one by awaiting.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Generic, TypeVar

import httpx
from attrs import define, frozen
from talkdesk_bridge_api import Client
from talkdesk_bridge_api.errors import UnexpectedStatus
from talkdesk_bridge_api.types import ListOperation, Operation

from talkdesk_bridge._auth import OAuth2ClientCredentials, TokenCache, plain
from talkdesk_bridge._paging import AsyncItemIterator, ItemIterator, Step
from talkdesk_bridge._settings import Settings, origin
from talkdesk_bridge.errors import (
    ArgumentError,
    BridgeError,
    ConfigurationError,
    ContractError,
    NoAnswerError,
    NotSentError,
    PagingError,
    StatusError,
)
from talkdesk_bridge.models import ErrorInfo

__all__ = ["AsyncTransport", "Reply", "Transport"]

T = TypeVar("T")
BodyT = TypeVar("BodyT")
ItemT = TypeVar("ItemT")
ClientT = TypeVar("ClientT", httpx.Client, httpx.AsyncClient)

# No documented header carries a request's id; these are the usual ones.
REQUEST_ID_HEADERS = ("X-Request-Id", "Request-Id", "X-Correlation-Id")

# Before these, nothing of the request can have reached the bridge.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)

# The generated parsers ask the client only whether an undeclared status is an error.
_PARSER = Client(base_url="", raise_on_unexpected_status=True)


class Answer:
    """An answer, in the form that the generated parsers read."""

    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.content = response.content
        self.headers: Mapping[str, str] = response.headers
        self.url = str(response.request.url)
        self.request = f"{response.request.method} {_path(response.request)}"

    @property
    def text(self) -> str:
        """The body of a textual answer."""
        return self.content.decode()

    @cached_property
    def data(self) -> Any:
        """The body, decoded; None where it is empty.

        Raises:
            ContractError: it is not JSON.

        """
        try:
            return json.loads(self.content) if self.content else None
        except (ValueError, RecursionError):
            kind = plain(self.headers.get("Content-Type", "no content type"))
            message = f"{self.request} answered {self.status_code} with a body that is not JSON ({kind})."
            raise ContractError(message) from None

    def json(self) -> Any:
        """The body, decoded."""
        return self.data


@frozen
class Reply(Generic[BodyT]):
    """A body, and the answer that it came in."""

    body: BodyT
    answer: Answer


@define
class Locked:
    """A flow that only one caller at a time may go through."""

    flow: Flow[Any]


Flow = Generator[httpx.Request | Locked, Any, T]


class _Core:
    """What both transports do alike."""

    _client: httpx.Client | httpx.AsyncClient

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._tokens = TokenCache()

    def _make(self, kind: type[ClientT]) -> ClientT:
        connect, read = self.settings.timeout
        try:
            return kind(
                base_url=self.settings.base_url,
                headers={"Accept": "application/json", "User-Agent": f"talkdesk-bridge/{version('talkdesk-bridge')}"},
                timeout=httpx.Timeout(read, connect=connect),
                verify=self.settings.verify,
                proxy=self.settings.proxy,
            )
        except (httpx.InvalidURL, ValueError):
            # Its message would show the proxy's password.
            raise ConfigurationError(
                "The base URL or a proxy (given, or in HTTPS_PROXY or so) is no valid URL."
            ) from None

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
        return _read(operation, Answer(response))

    def _request(self, operation: Operation[Any], arguments: dict[str, Any]) -> httpx.Request:
        built = operation.request(**arguments)
        for part, sent in zip(operation.path.split("/"), built["url"].split("/"), strict=True):
            if part.startswith("{") and (sent in ("", ".", "..") or arguments[part[1:-1]] is None):
                raise ArgumentError(f"{part[1:-1]} must not be empty, None, '.' or '..'.")
        return self._client.build_request(**built)

    def _follow(self, url: str) -> httpx.Request:
        """The request for a link of the bridge, which must lead to the bridge: the credential goes with it."""
        try:
            elsewhere = origin(url, "next link") != origin(self.settings.base_url, "base URL")
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
        return self._tokens.store(response.status_code, response.content)


class Transport(_Core):
    """Sends by blocking; any number of threads may share it."""

    _client: httpx.Client

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
            raise _failure(wanted, error) from error


class AsyncTransport(_Core):
    """Sends by awaiting; any number of tasks of one event loop may share it."""

    _client: httpx.AsyncClient

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
            raise _failure(wanted, error) from error


def _read(operation: Operation[BodyT], answer: Answer) -> Reply[BodyT]:
    if not 200 <= answer.status_code < 300:
        raise _status_error(answer)
    wrong = f"{answer.request} answered {answer.status_code}"
    try:
        return Reply(operation.parse(client=_PARSER, response=answer), answer)
    except UnexpectedStatus:
        raise ContractError(f"{wrong}, which the contract does not declare for {operation.operation_id}.") from None
    except KeyError as error:
        raise ContractError(f"{wrong} with a body that lacks {error}, which the contract requires.") from None
    except (TypeError, ValueError, AttributeError) as error:
        told = f"a value is not of the documented type ({type(error).__name__})"
        raise ContractError(f"{wrong} with a body that does not fit the contract: {told}.") from None


def _status_error(answer: Answer) -> StatusError:
    info = _error_info(answer)
    phrase = next((f" {status.phrase}" for status in HTTPStatus if status == answer.status_code), "")
    message = f"{answer.request} answered {answer.status_code}{phrase}"
    if info and isinstance(info.user_message, str):
        message += f": {plain(info.user_message).rstrip('.')}"
        message += f" ({plain(info.error_code)})" if isinstance(info.error_code, str) else ""
    elif 300 <= answer.status_code < 400:
        message += ": redirects are not followed, so the base URL must lead to the bridge itself"
    elif answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        message += ": the bridge does not accept the credential"
    method, path = answer.request.split(" ", 1)
    return StatusError(
        message if message.endswith(".") else f"{message}.",
        status_code=answer.status_code,
        error_info=info,
        method=method,
        path=path,
        request_id=next((plain(answer.headers[name]) for name in REQUEST_ID_HEADERS if name in answer.headers), None),
        retry_after=_retry_after(answer.headers.get("Retry-After")),
    )


def _error_info(answer: Answer) -> ErrorInfo | None:
    """The documented body of a refusal, where the answer has at least one of its fields."""
    try:
        data = answer.data
        info = ErrorInfo.from_dict(data) if isinstance(data, dict) else None
    except (ContractError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return info if info and info.additional_properties.keys() != data.keys() else None


def _retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value).astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None


def _failure(request: httpx.Request, error: httpx.HTTPError) -> BridgeError:
    what = f"{request.method} {_path(request)}"
    host = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
    reason = plain(str(error)) or type(error).__name__
    if isinstance(error, NOT_SENT):
        return NotSentError(f"{what}: no connection to {host} ({reason}).")
    if isinstance(error, httpx.TimeoutException):
        return NoAnswerError(f"{what}: {host} did not answer in time ({type(error).__name__}).")
    return NoAnswerError(f"{what}: no whole answer from {host} ({reason}).")


def _path(request: httpx.Request) -> str:
    """The path as sent, without the query."""
    return request.url.raw_path.decode("ascii").partition("?")[0]

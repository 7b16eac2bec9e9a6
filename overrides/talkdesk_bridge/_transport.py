"""The one way to the wire, and the only module that imports httpx: origin guard, credential, time limits, typed errors.

What happens around a request is written once, as generators that yield what they need done (`Flow`); the two
transports do it, one by blocking and one by awaiting.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import inspect
import json
import logging
import os
import re
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import count
from typing import Any, Generic, Self, TypeVar
from urllib.parse import quote, quote_plus, unquote

import httpx
from attrs import evolve, field, frozen
from talkdesk_bridge_api.types import VERSION, ListOperation, Operation

from talkdesk_bridge import errors
from talkdesk_bridge._answer import Answer, Reader, Response
from talkdesk_bridge._auth import NoAuth, OAuth2ClientCredentials, TokenCache, origin
from talkdesk_bridge._paging import AsyncItemIterator, ItemIterator, Step
from talkdesk_bridge._retry import IDEMPOTENT, Attempt, loggable, plain, retry_after
from talkdesk_bridge._settings import Settings

__all__ = ["AsyncTransport", "Transport", "only", "recorded"]

T = TypeVar("T")
BodyT = TypeVar("BodyT")
ItemT = TypeVar("ItemT")
ClientT = TypeVar("ClientT", httpx.Client, httpx.AsyncClient)

LOG = logging.getLogger("talkdesk_bridge")
LOG.addHandler(logging.NullHandler())

# Before these, nothing of the request can have reached the bridge.
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    UnicodeError,  # of a proxy's host
)
# Besides its own errors, httpx lets these through: of sockets, and of a client that is closed meanwhile.
ESCAPING = (httpx.HTTPError, httpx.StreamError, OSError, RuntimeError, UnicodeError)

HIDDEN = "[secret]"

_RESPONSES: contextvars.ContextVar[list[Response[Any]] | None] = contextvars.ContextVar("responses", default=None)


@frozen
class Locked:
    """A flow that only one caller at a time may go through."""

    flow: Flow[Any]


@frozen
class Pause:
    """So many seconds of waiting."""

    seconds: float


@frozen
class Failure:
    """Why there is no answer, and whether another attempt may cure it; otherwise as an Answer."""

    error: errors.BridgeError
    again: bool = True
    status_code: None = None
    headers: Mapping[str, str] = field(factory=dict)


Flow = Generator[httpx.Request | Locked | Pause, Any, T]


@contextmanager
def recorded() -> Iterator[list[Response[Any]]]:
    """Keep the responses of the calls inside."""
    responses: list[Response[Any]] = []
    token = _RESPONSES.set(responses)
    try:
        yield responses
    finally:
        _RESPONSES.reset(token)


def only(responses: list[Response[T]]) -> Response[T]:
    """The response of a call.

    Raises:
        ArgumentError: it sent no request, or several.

    """
    if len(responses) != 1:
        raise errors.ArgumentError("with_response takes a method of the client that sends one request.")
    return responses[0]


class Collected:
    """A body that comes in; it may be neither too large nor too late, before and after it is decompressed."""

    def __init__(self, settings: Settings, request: httpx.Request) -> None:
        self._settings = settings
        self._request = request
        self._end = settings.clock() + settings.deadline
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> bool:
        """Take a part; whether more is wanted."""
        self._size += len(chunk)
        self._chunks.append(chunk)
        return self._size <= self._settings.max_bytes and self._settings.clock() <= self._end

    def answer(self, response: httpx.Response) -> Answer | Failure:
        """The whole."""
        told, status, most = _told(self._request), response.status_code, int(self._settings.max_bytes)
        if late := self.late():
            return late
        content, wrong = b"".join(self._chunks), ""
        try:
            content = _decompressed(content, response.headers.get("Content-Encoding", ""), most)
        except zlib.error:
            content, wrong = b"", "a body that cannot be decompressed"
        if len(content) > most:
            content, wrong = b"", f"more than {most} bytes: raise max_bytes, or ask for smaller pages"
        if wrong and 200 <= status < 300:
            return Failure(errors.ContractError(f"{told} answered {status} with {wrong}."), again=False)
        return Answer(told, str(self._request.url), status, response.headers, content)

    def late(self) -> Failure | None:
        """What it means that no more came, where the time is over."""
        if self._settings.clock() < self._end:
            return None
        told = f"{_told(self._request)}: no whole answer within {self._settings.deadline:g} s"
        return Failure(errors.NoAnswerError(f"{told}; raise deadline, or ask for smaller pages."), again=False)


class _Core(Generic[ClientT]):
    """What both transports do alike."""

    _client: ClientT
    _iterator: type[ItemIterator[Any, Any] | AsyncItemIterator[Any, Any]]

    def _run(self, flow: Flow[T]) -> Any:
        """The result of a flow, or what gives it when awaited."""
        raise NotImplementedError

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._origin = origin(settings.base_url, "base URL")
        self._tokens = TokenCache(settings.clock)

    def paginate(
        self,
        operation: ListOperation[Any, Any],
        arguments: dict[str, Any],
        *,
        start: Mapping[str, Any] | None,
        max_pages: int | None,
        max_items: int | None,
    ) -> Any:
        """Go through the pages of `operation`; nothing is sent before the first item is asked for."""
        given = sorted(f"{name}: {arguments[name]}" for name in arguments if arguments[name] is not None)
        call = {"bridge": self.settings.base_url, "operation": operation.operation_id, "arguments": given}

        def send(step: Step) -> Any:
            return self._run(self._exchange(operation, arguments, step))

        return self._iterator(send, operation, call, self._reader, start, max_pages, max_items)

    def with_options(self, **options: Any) -> Self:
        """The same connections and token, with other settings."""
        other = copy.copy(self)
        other.settings = evolve(self.settings, **options)
        return other

    def _make(self, kind: type[ClientT], drop_location: Callable[[httpx.Response], Any]) -> ClientT:
        # Plain http is for loopback, which no proxy and no authority of the environment concerns.
        mounts = {"http://": None} if self.settings.proxy is None else None
        token_url = getattr(self.settings.auth, "token_url", "")
        trust_env = any(url.lower().startswith("https:") for url in (self.settings.base_url, token_url))
        verify = self.settings.verify
        try:
            if cert := self.settings.cert:
                verify = verify if isinstance(verify, ssl.SSLContext) else httpx.create_ssl_context(verify=verify)
                verify.load_cert_chain(*([cert] if isinstance(cert, str) else cert))
            return kind(
                base_url=self.settings.base_url,
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": "gzip",
                    "User-Agent": f"talkdesk-bridge/{VERSION}",
                },
                verify=verify,
                proxy=self.settings.proxy,
                mounts=mounts,
                trust_env=trust_env,
                # It would build a request of any Location, though it follows none, and fail where that is no URL.
                event_hooks={"response": [drop_location]},
                # The token server may share a domain with the bridge, and neither needs what the other stores.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            )
        except ImportError:
            reason = "A SOCKS proxy (the argument, or ALL_PROXY or HTTPS_PROXY) needs the package socksio."
        except OSError:
            reason = "The client certificate, or what SSL_CERT_FILE or SSL_CERT_DIR names, cannot be read."
        except (httpx.InvalidURL, AttributeError, TypeError, ValueError):
            reason = "The base URL, or a proxy (the argument, or ALL_PROXY or HTTPS_PROXY), is not a URL."
        # Not from the caught one: its message would show the proxy's password.
        raise errors.ConfigurationError(reason)

    def _exchange(self, operation: Operation[BodyT], arguments: dict[str, Any], step: Step) -> Flow[Response[BodyT]]:
        """One request of `operation`, with the credential, and its answer."""
        if self._client.is_closed:
            raise errors.ConfigurationError("The client is closed: make a new one, or stay inside its `with` block.")
        arguments = {**arguments, "page": step} if isinstance(step, int) and step > 1 else arguments
        request = self._follow(step) if isinstance(step, str) else self._request(operation, arguments)
        request.headers.update(self.settings.headers)
        auth = self.settings.auth
        if isinstance(auth, OAuth2ClientCredentials):
            token = self._tokens.get() or (yield Locked(self._renew(auth, None)))
            request.headers["Authorization"] = f"Bearer {token}"
            answer = yield from self._attempts(operation.operation_id, request)
            if answer.status_code == HTTPStatus.UNAUTHORIZED:
                # The bridge may end a token before its time: one new one, one more try.
                token = yield Locked(self._renew(auth, token))
                request.headers["Authorization"] = f"Bearer {token}"
                answer = yield from self._attempts(operation.operation_id, request)
        else:
            request.headers.update(auth.headers())
            answer = yield from self._attempts(operation.operation_id, request)
        response = self._reader.read(operation, answer, credential=not isinstance(auth, NoAuth))
        if (responses := _RESPONSES.get()) is not None:
            responses.append(response)
        return response

    @property
    def _reader(self) -> Reader:
        return Reader(self.settings.strict, self.settings.on_deviation)

    def _attempts(self, name: str, request: httpx.Request, *, once: bool = False) -> Flow[Answer]:
        """Send a request as often as the policy says. One for a token may be repeated, too: no harm comes of it."""
        policy, clock = self.settings.retry, self.settings.clock
        repeatable = not once and (request.method in IDEMPOTENT or name == "token")
        begun = clock()
        for number in count(1):
            started = clock()
            outcome: Answer | Failure = self._without_secrets(request, (yield request))
            now = clock()
            failure = outcome if isinstance(outcome, Failure) else None
            again = repeatable and (failure.again if failure else outcome.status_code in policy.statuses)
            asked = retry_after(outcome.headers.get("Retry-After"))
            wait = policy.wait(number, now - begun, asked) if again else None
            attempt = Attempt(
                operation=name, method=request.method, path=_path(request), number=number, status=outcome.status_code,
                error=type(failure.error).__name__ if failure else None, seconds=now - started, wait=wait,
                headers=loggable(outcome.headers),
            )  # fmt: skip
            LOG.debug("%s", attempt)
            if policy.on_attempt:
                policy.on_attempt(attempt)
            if wait is not None:
                yield Pause(wait)
            elif isinstance(outcome, Answer):
                return evolve(outcome, attempts=number)
            else:
                tried = "" if number == 1 else f" Tried {number} times."
                raise type(outcome.error)(f"{outcome.error}{tried}")
        raise AssertionError  # the loop has no end of its own

    def _without_secrets(self, request: httpx.Request, outcome: Answer | Failure) -> Answer | Failure:
        """The answer, without the credential in its headers and in a refusal: some servers send back what they got."""
        if isinstance(outcome, Failure):
            return outcome
        sent = request.headers.get("Authorization", "").partition(" ")[2]
        forms = {
            form
            for secret in (*self.settings.auth.secrets(), *self.settings.headers.values(), sent)
            if len(secret) >= 6  # a shorter one is in too many other words
            for written in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1])
            for form in (written, written.replace("/", "\\/"))
        }
        headers, content = dict(outcome.headers), outcome.content
        for form in sorted(forms, key=len, reverse=True):  # one may be a part of another
            headers = {name: value.replace(form, HIDDEN) for name, value in headers.items()}
            if not 200 <= outcome.status_code < 300:
                content = content.replace(form.encode(), HIDDEN.encode())
        return evolve(outcome, headers=httpx.Headers(headers, encoding="utf-8"), content=content)

    def _request(self, operation: Operation[Any], arguments: dict[str, Any]) -> httpx.Request:
        for name in re.findall(r"{(\w+)}", operation.path):
            if not _stays_in_its_segment(str(arguments[name])) or arguments[name] is None:
                told = "must not be empty, '.' or '..', and must hold no control character and no encoded slash or dot"
                raise errors.ArgumentError(f"{name} {told}: it is a part of the path.")
        try:
            return self._build(**operation.request(**arguments))
        except (httpx.InvalidURL, AttributeError, TypeError, ValueError) as error:
            told = f"An argument of {operation.operation_id} has a type or a value that cannot be sent"
            raise errors.ArgumentError(f"{told} ({type(error).__name__}).") from error

    def _follow(self, url: str) -> httpx.Request:
        """The request for a link of the bridge, which must lead to the bridge: the credential goes with it."""
        try:
            elsewhere = origin(url, "next link") != self._origin
        except errors.ConfigurationError as error:
            raise errors.PagingError(f"The next link cannot be followed. {error}") from None
        if elsewhere:
            raise errors.PagingError("The next link leads to another host, scheme or port; it was not followed.")
        try:
            return self._build(method="GET", url=url)
        except httpx.InvalidURL:
            raise errors.PagingError("The next link is not a URL.") from None

    def _build(self, **request: Any) -> httpx.Request:
        connect, read = self.settings.timeout
        return self._client.build_request(**request, timeout=httpx.Timeout(read, connect=connect))

    def _renew(self, auth: OAuth2ClientCredentials, rejected: str | None) -> Flow[str]:
        """A token that is not `rejected`: another caller's, where one was faster, or a new one."""
        if token := self._tokens.fresh(rejected):
            return token
        spare = self._tokens.spare(rejected)
        headers, content = auth.token_request()
        request = self._build(method="POST", url=auth.token_url, headers=headers, content=content)
        try:
            answer = yield from self._attempts("token", request, once=spare is not None)
            return self._tokens.store(auth.token_url, answer.status_code, answer.content)
        except errors.BridgeError as error:
            if spare:
                LOG.warning("The token could not be renewed, and serves on: %s", error)
                return spare
            if isinstance(error, errors.AuthenticationError):
                raise
            raise errors.AuthenticationError(f"There is no token. {error}") from error


class Transport(_Core[httpx.Client]):
    """Sends by blocking; any number of threads may share it."""

    _iterator = ItemIterator

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._client = self._make(httpx.Client, lambda response: response.headers.pop("Location", None))
        self._lock = threading.Lock()
        self._until = threading.local()
        for pool in _pools(self._client):
            pool._network_backend = Limited(pool._network_backend, self._until)

    def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """Send one request of `operation` and read its answer; raises what talkdesk_bridge.errors names."""
        return self._run(self._exchange(operation, arguments, 1)).body

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

    def _do(self, wanted: httpx.Request | Locked | Pause) -> Any:
        if isinstance(wanted, Locked):
            with self._lock:
                return self._run(wanted.flow)
        if isinstance(wanted, Pause):
            return (self.settings.sleep or time.sleep)(wanted.seconds)
        body = Collected(self.settings, wanted)
        self._until.end = time.monotonic() + self.settings.deadline
        try:
            response = self._client.send(wanted, stream=True)
            try:
                for chunk in response.iter_raw():
                    if not body.add(chunk):
                        break
            finally:
                response.close()
                if leftover := _leftover(self._client, response):
                    leftover.close()
        except ESCAPING as error:
            return body.late() or _failure(wanted, error, closed=self._client.is_closed)
        return body.answer(response)


class AsyncTransport(_Core[httpx.AsyncClient]):
    """Sends by awaiting; any number of tasks of one event loop may share it."""

    _iterator = AsyncItemIterator
    _loop: asyncio.AbstractEventLoop | None = None

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)

        async def drop(response: httpx.Response) -> None:
            response.headers.pop("Location", None)

        self._client = self._make(httpx.AsyncClient, drop)
        self._lock = asyncio.Lock()

    async def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """Send one request of `operation` and read its answer; raises what talkdesk_bridge.errors names."""
        return (await self._run(self._exchange(operation, arguments, 1))).body

    async def close(self) -> None:
        """Close the connections; a second time does nothing."""
        await self._client.aclose()

    async def _run(self, flow: Flow[T]) -> T:
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if self._loop is not loop:
            told = "An AsyncBridgeClient belongs to the event loop that used it first"
            raise errors.ConfigurationError(f"{told}: make one for each.")
        try:
            wanted = next(flow)
            while True:
                wanted = flow.send(await self._do(wanted))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _do(self, wanted: httpx.Request | Locked | Pause) -> Any:
        if isinstance(wanted, Locked):
            async with self._lock:
                return await self._run(wanted.flow)
        if isinstance(wanted, Pause):
            slept = (self.settings.sleep or asyncio.sleep)(wanted.seconds)
            return await slept if inspect.isawaitable(slept) else slept
        body = Collected(self.settings, wanted)
        try:
            async with asyncio.timeout(self.settings.deadline):
                response = await self._client.send(wanted, stream=True)
                try:
                    async for chunk in response.aiter_raw():
                        if not body.add(chunk):
                            break
                finally:
                    await response.aclose()
                    if leftover := _leftover(self._client, response):
                        await leftover.aclose()
        except ESCAPING as error:
            return body.late() or _failure(wanted, error, closed=self._client.is_closed)
        return body.answer(response)


class Limited:
    """What opens connections, or a connection, each step of which ends when the time of the exchange does.

    httpx 0.28 limits each read alone, so that a server that sends a byte now and then holds a caller for ever (asyncio
    can end that, blocking code cannot). Test: tests/test_faults.py. Remove it when httpx limits the whole.
    """

    def __init__(self, inner: Any, until: threading.local) -> None:
        self._inner = inner
        self._until = until

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        at = {"read": 1, "write": 1, "start_tls": 2, "connect_tcp": 2}.get(name)  # where each takes its `timeout`
        if at is None:
            return method

        def limited(*arguments: Any, **named: Any) -> Any:
            left: float = self._until.end - time.monotonic()
            if left <= 0:
                raise httpx.ReadTimeout("no time is left")
            timeout = named.pop("timeout", (*arguments[at:], None)[0])
            result = method(*arguments[:at], timeout=left if timeout is None else min(timeout, left), **named)
            return Limited(result, self._until) if name in ("connect_tcp", "start_tls") else result

        return limited


def _pools(client: Any) -> Iterator[Any]:
    """The connection pools of a client, which has one for each proxy."""
    transports = (client._transport, *client._mounts.values())
    return (transport._pool for transport in transports if transport is not None)


def _leftover(client: Any, response: httpx.Response) -> Any:
    """The connection of an answer that was followed by bytes which nobody asked for; None where there were none.

    httpcore 1.0 takes them for the answer to the next request, which may be about another account. Test:
    tests/test_faults.py. Remove it when httpcore refuses them.
    """
    stream = response.extensions.get("network_stream")
    for connection in (connection for pool in _pools(client) for connection in pool.connections):
        while inner := getattr(connection, "_connection", None):
            connection = inner
        if getattr(connection, "_network_stream", None) is stream and connection._h11_state.trailing_data[0]:
            return stream
    return None


def _decompressed(content: bytes, encoding: str, most: int) -> bytes:
    """A body as it was before it was compressed, as far as one byte more than `most`; httpx knows no bound.

    Raises:
        zlib.error: it is corrupt, or not whole.

    """
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        return content  # nothing else was asked for; some servers name what is none, such as UTF-8
    parts: list[bytes] = []
    size = 0
    while content and size <= most:
        member = zlib.decompressobj(31)
        parts.append(member.decompress(content, most + 1 - size))
        size += len(parts[-1])
        if not member.eof and size <= most:
            raise zlib.error
        content = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _failure(request: httpx.Request, error: Exception, *, closed: bool) -> Failure:
    """What an error of the HTTP library means. It does not go along: it holds the request, and so the credential."""
    what = _told(request)
    host = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
    if isinstance(error, httpx.LocalProtocolError):
        # Its text shows the header that cannot be sent, which may be the credential.
        told = f"{what}: a header or another part of the request cannot be sent over HTTP."
        return Failure(errors.ArgumentError(told), again=False)
    if closed:
        return Failure(errors.ConfigurationError(f"{what}: the client was closed meanwhile."), again=False)
    # Not what the server or a proxy sent, which may be what it got: bytes that are no HTTP, the words beside a status.
    reason = plain(re.split(r""":? (?:bytearray\()?b['"]|(?<=^\d{3}) """, str(error))[0]) or type(error).__name__
    if isinstance(error, NOT_SENT):
        proxies = (name for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy") if os.environ.get(name))
        proxy = next(proxies, None) if request.url.scheme == "https" else None
        told = f"{what}: no connection to {host}{f', {proxy} being set' if proxy else ''} ({reason})."
        return Failure(errors.NotSentError(told), again="CERTIFICATE_VERIFY_FAILED" not in reason)
    if isinstance(error, httpx.TimeoutException):
        return Failure(errors.NoAnswerError(f"{what}: {host} did not answer in time ({type(error).__name__})."))
    return Failure(errors.NoAnswerError(f"{what}: no whole answer from {host} ({reason})."))


def _stays_in_its_segment(text: str) -> bool:
    """Whether a path argument stays in its segment even where a server decodes it once more, or twice."""
    for _ in range(3):
        if re.search(r"[\x00-\x1f\x7f-\x9f]", text) or {*re.split(r"[/\\]", text)} & {"", ".", ".."}:
            return False
        text, encoded = unquote(text), text
        if text != encoded and re.search(r"[/\\]", text):
            return False
    return True


def _told(request: httpx.Request) -> str:
    return f"{request.method} {_path(request)}"


def _path(request: httpx.Request) -> str:
    """The path as sent, without the query."""
    return request.url.raw_path.decode("ascii").partition("?")[0]

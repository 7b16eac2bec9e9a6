"""The wire: from a request to its answer, or to why there is none; the only module that imports httpx.

What httpx 0.28 and httpcore 1.0 leave open is closed here: a limit for the whole exchange, a bound on what is
decompressed, bytes that follow an answer, and errors that are not theirs.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from html import escape
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs, quote, quote_plus

import httpx
from attrs import field, frozen
from talkdesk_bridge_api import VERSION

from talkdesk_bridge import errors
from talkdesk_bridge._answer import Answer
from talkdesk_bridge._retry import plain
from talkdesk_bridge._settings import Settings

__all__ = ["AsyncWire", "Failure", "Request", "Wire", "path_of"]

ClientT = TypeVar("ClientT", httpx.Client, httpx.AsyncClient)

Request = httpx.Request

HIDDEN = "[secret]"

# Requests of a client at one time, and so connections. The others wait before httpcore 1.0, whose own queue takes time
# that grows with the square of those in it, and whose waits do not end with the deadline.
MOST_AT_ONCE = 100

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


@frozen
class Failure:
    """Why there is no answer, and whether another attempt may cure it; otherwise as an Answer."""

    error: errors.BridgeError
    again: bool = True
    status_code: None = None
    headers: Mapping[str, str] = field(factory=dict)


class _Wire(Generic[ClientT]):
    """What both wires do alike."""

    client: ClientT

    def __init__(self) -> None:
        self.process = os.getpid()
        self._base = str(self.client.base_url).removesuffix("/")

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self.client.is_closed

    def proxied(self, url: str) -> bool:
        """Whether a request to this URL goes through a proxy."""
        return self.client._transport_for_url(httpx.URL(url)) is not self.client._transport

    def build(self, settings: Settings, *, url: str, params: Any = None, headers: Any = None, **more: Any) -> Request:
        """A request, from `method`, `url` (also one that begins with `/`, below the base URL) and whatever else it has.

        Raises:
            ValueError: it cannot be sent as it is; also TypeError and AttributeError.

        """
        connect, read = settings.timeout
        extensions = {
            "timeout": {"connect": connect, "read": read, "write": read, "pool": read},
            # What no message about this request may show goes along with it.
            "secrets": (*settings.auth.secrets(), *settings.headers.values()),
        }
        try:
            # Put together here: httpx 0.28 parses the URL three times, and merges parameters and cookies, which this
            # client has not.
            url = self._base + url if url.startswith("/") else url
            url = f"{url}?{httpx.QueryParams(params)}" if params else url
            all_headers = httpx.Headers(self.client.headers)
            all_headers.update(headers)
            return httpx.Request(url=url, headers=all_headers, **more, extensions=extensions)
        except httpx.InvalidURL as error:
            raise ValueError(error) from None

    def _make(self, kind: type[ClientT], settings: Settings, drop_location: Callable[[httpx.Response], Any]) -> ClientT:
        urls, verify = (settings.base_url, getattr(settings.auth, "token_url", "")), settings.verify
        try:
            if cert := settings.cert:
                verify = verify if isinstance(verify, ssl.SSLContext) else httpx.create_ssl_context(verify=verify)
                verify.load_cert_chain(*([cert] if isinstance(cert, str) else cert))
            return kind(
                base_url=settings.base_url,
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": "gzip",
                    "User-Agent": f"talkdesk-bridge/{VERSION}",
                },
                verify=verify,
                proxy=settings.proxy,
                # Plain http is for loopback, which no proxy and no authority of the environment concerns.
                mounts={"http://": None} if settings.proxy is None else None,
                trust_env=any(url.lower().startswith("https:") for url in urls),
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
            reason = "A proxy (the argument, or ALL_PROXY or HTTPS_PROXY), or the base URL, cannot be used."
        # Not from the caught one: its message would show the proxy's password.
        raise errors.ConfigurationError(reason)


class Wire(_Wire[httpx.Client]):
    """Sends by blocking; any number of threads may share it."""

    def __init__(self, settings: Settings) -> None:
        if settings.bulk:
            raise errors.ConfigurationError("bulk is for many requests at once, and so for AsyncBridgeClient only.")
        self.client = self._make(httpx.Client, settings, lambda response: response.headers.pop("Location", None))
        super().__init__()
        self._until = threading.local()
        self._slots = threading.BoundedSemaphore(MOST_AT_ONCE)
        for pool in _pools(self.client):
            pool._network_backend = Limited(pool._network_backend, self._until)

    def send(self, settings: Settings, request: Request) -> Answer | Failure:
        """The answer to a request, or why there is none."""
        body = Collected(settings, request)
        self._until.end = time.monotonic() + settings.deadline
        if not self._slots.acquire(timeout=min(settings.deadline, threading.TIMEOUT_MAX)):
            return _busy(settings, request)
        try:
            response = self.client.send(request, stream=True)
            try:
                for chunk in response.iter_raw():
                    if not body.add(chunk):
                        break
            finally:
                response.close()
                if leftover := _leftover(self.client, response):
                    leftover.close()
        except ESCAPING as error:
            return body.late() or _failure(request, error, closed=self.closed)
        finally:
            self._slots.release()
        return body.answer(response)

    def close(self) -> None:
        """Close the connections; a second time does nothing."""
        self.client.close()


class AsyncWire(_Wire[httpx.AsyncClient]):
    """Sends by awaiting; any number of tasks of one event loop may share it."""

    def __init__(self, settings: Settings) -> None:
        import asyncio  # here and below: it takes a sixth of the time to import the client, and blocking needs it not

        self._slots = asyncio.BoundedSemaphore(MOST_AT_ONCE)

        async def drop(response: httpx.Response) -> None:
            response.headers.pop("Location", None)

        kind: type[httpx.AsyncClient] = httpx.AsyncClient
        self._meant: Callable[[Exception], tuple[str, str]] | None = None
        self._escaping: tuple[type[Exception], ...] = ESCAPING
        if settings.bulk:
            kind, self._meant = _bulk()
            self._escaping = (Exception,)  # those of aiohttp and of others have no other root
        self.client = self._make(kind, settings, drop)
        super().__init__()

    async def send(self, settings: Settings, request: Request) -> Answer | Failure:
        """The answer to a request, or why there is none."""
        import asyncio

        body, begun = Collected(settings, request), False
        try:
            async with asyncio.timeout(settings.deadline), self._slots:
                begun = True
                try:
                    response = await self.client.send(request, stream=True)
                    try:
                        async for chunk in response.aiter_raw():
                            if not body.add(chunk):
                                break
                    finally:
                        await response.aclose()
                        if leftover := _leftover(self.client, response):
                            await leftover.aclose()
                except asyncio.CancelledError:
                    for connection in _abandoned(self.client, request):
                        await connection.aclose()
                    raise
        except self._escaping as error:
            if not begun:
                return _busy(settings, request)
            if self._meant and not self.closed:
                name, reason = self._meant(error)
                error = getattr(httpx, name)(reason)
            return body.late() or _failure(request, error, closed=self.closed)
        return body.answer(response)

    async def close(self) -> None:
        """Close the connections; a second time does nothing."""
        await self.client.aclose()


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
        told, status, most = told_of(self._request), response.status_code, int(self._settings.max_bytes)
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
        headers, content = _without_secrets(self._request, response, content)
        return Answer(told, str(self._request.url), status, headers, content)

    def late(self) -> Failure | None:
        """What it means that no more came, where the time is over."""
        if self._settings.clock() < self._end:
            return None
        told = f"{told_of(self._request)}: no whole answer within {self._settings.deadline:g} s"
        return Failure(errors.NoAnswerError(f"{told}; raise deadline, or ask for smaller pages."), again=False)


def _without_secrets(request: Request, response: httpx.Response, content: bytes) -> tuple[httpx.Headers, bytes]:
    """The headers, and the content of a refusal, without the credential: some servers send back what they got."""
    forms = _forms(request)
    headers = {name: _hidden(value, forms) for name, value in response.headers.items()}
    if not 200 <= response.status_code < 300:
        for form in forms:
            content = content.replace(form.encode(), HIDDEN.encode())
        # JSON has more ways to write a character than can be listed, and more encodings than one.
        with suppress(ValueError, RecursionError):
            data = json.loads(content)
            if (readable := _hidden(data, forms)) != data:
                content = json.dumps(readable).encode()
    return httpx.Headers(headers, encoding="utf-8"), content


def _forms(request: Request) -> list[str]:
    """How the secrets of a request may be written, the longest first, since one may be a part of another."""
    authorization = request.headers.get("Authorization", "")
    # Asked for several times in an exchange, and a token may be renewed meanwhile.
    kept: tuple[str, list[str]] | None = request.extensions.get("forms")
    if kept and kept[0] == authorization:
        return kept[1]
    sent = [authorization.partition(" ")[2]]
    if request.headers.get("Content-Type") == "application/x-www-form-urlencoded":
        sent += parse_qs(request.content.decode()).get("client_assertion", [])
    secrets = [secret for secret in (*request.extensions["secrets"], *sent) if len(secret) >= 6]  # else in other words
    forms = {
        form
        for secret in secrets
        for written in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], escape(secret))
        for form in (written, written.replace("/", "\\/"), re.sub("%..", lambda found: found[0].lower(), written))
    }
    ordered = sorted(forms, key=len, reverse=True)
    request.extensions["forms"] = authorization, ordered
    return ordered


def _hidden(value: Any, forms: list[str]) -> Any:
    """Text, or all text of what JSON holds, without the forms."""
    if isinstance(value, str):
        for form in forms:
            value = value.replace(form, HIDDEN)
    elif isinstance(value, dict):
        return {_hidden(name, forms): _hidden(inner, forms) for name, inner in value.items()}
    elif isinstance(value, list):
        return [_hidden(inner, forms) for inner in value]
    return value


class Limited:
    """What opens connections, or a connection, each step of which ends when the time of the exchange does.

    httpx 0.28 limits each read alone, so that a server that sends a byte now and then holds a caller for ever (asyncio
    can end that, blocking code cannot). Test: tests/test_faults.py. Remove it when httpx limits the whole.
    """

    def __init__(self, inner: Any, until: threading.local) -> None:
        self._inner = inner
        self._until = until

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._inner.read(max_bytes, self._left(timeout))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left(timeout))

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **how: Any) -> Limited:
        return Limited(self._inner.connect_tcp(host, port, self._left(timeout), **how), self._until)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Limited:
        return Limited(self._inner.start_tls(ssl_context, server_hostname, self._left(timeout)), self._until)

    def _left(self, timeout: float | None) -> float:
        left: float = self._until.end - time.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout("no time is left")
        return left if timeout is None else min(timeout, left)


def _bulk() -> tuple[type[httpx.AsyncClient], Callable[[Exception], tuple[str, str]]]:
    """The client of the extra `bulk`, and what its errors mean."""
    try:
        from talkdesk_bridge._bulk import BulkClient, meant
    except ImportError:
        how = "install talkdesk-bridge[bulk], the way the package was installed (README.md tells it)"
        raise errors.ConfigurationError(f"bulk needs more packages: {how}.") from None
    return BulkClient, meant


def _pools(client: Any) -> Iterator[Any]:
    """The connection pools of httpcore that a client has: one for each proxy, or none."""
    transports = (client._transport, *client._mounts.values())
    return (transport._pool for transport in transports if hasattr(transport, "_pool"))


def _abandoned(client: Any, request: httpx.Request) -> list[Any]:
    """What a cancelled request left in the pools: connections that serve nobody, and that nobody can use.

    A task that is cancelled while httpcore 1.0 begins or ends an exchange leaves its place taken for ever; a hundred of
    those are the whole pool. Test: tests/test_sharing.py. Remove it when httpcore gives them back.
    """
    abandoned: list[Any] = []
    for pool in _pools(client):
        with pool._optional_thread_lock:
            broken_off = [one for one in pool._requests if one.request.extensions is request.extensions]
            pool._requests = [one for one in pool._requests if one not in broken_off]
            mine, others = ([one.connection for one in held] for held in (broken_off, pool._requests))
            for connection in list(pool._connections):
                idle = connection.is_idle() and connection not in mine
                if connection not in others and not idle and not connection.is_closed():
                    pool._connections.remove(connection)
                    abandoned.append(connection)
            abandoned += pool._assign_requests_to_connections()
    return abandoned


def _busy(settings: Settings, request: httpx.Request) -> Failure:
    """Why a request was not sent where none of those before it came to an end."""
    told = f"{told_of(request)}: not sent within {settings.deadline:g} s, since {MOST_AT_ONCE} others were on their way"
    return Failure(errors.NotSentError(f"{told}; send fewer at once, or raise deadline."), again=False)


def _leftover(client: Any, response: httpx.Response) -> Any:
    """The connection of an answer that was followed by bytes which nobody asked for; None where there were none.

    httpcore 1.0 takes them for the answer to the next request, which may be about another account. Test:
    tests/test_faults.py. Remove it when httpcore refuses them.
    """
    stream = response.extensions.get("network_stream")
    for connection in (connection for pool in _pools(client) for connection in pool.connections):
        while inner := getattr(connection, "_connection", None):
            connection = inner
        state = getattr(connection, "_h11_state", None)  # HTTP/1.1 has one
        if getattr(connection, "_network_stream", None) is stream and state and state.trailing_data[0]:
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
    what = told_of(request)
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


def told_of(request: Request) -> str:
    """Method and path, for messages."""
    return f"{request.method} {path_of(request)}"


def path_of(request: Request) -> str:
    """The path as sent, without the query, and without a credential that a link may hold."""
    path: str = _hidden(request.url.raw_path.decode("ascii").partition("?")[0], _forms(request))
    return path

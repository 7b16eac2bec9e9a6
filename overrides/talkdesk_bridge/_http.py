"""One exchange: a request to its response, or to why there is none. The only module of the client that imports httpx.

Everything is sent through an httpx transport: by default those of talkdesk_bridge_http, else the option `transport`.
"""

from __future__ import annotations

import os
import re
import threading
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakSet

import httpx
from attrs import field, frozen
from talkdesk_bridge_api import VERSION
from talkdesk_bridge_http import AsyncHTTPTransport, HTTPTransport, decompressed

from talkdesk_bridge import errors
from talkdesk_bridge._redact import redact, redact_content
from talkdesk_bridge._response import RawResponse
from talkdesk_bridge._retry import plain
from talkdesk_bridge._settings import MOST_AT_ONCE, Settings

Request = httpx.Request
BaseTransport = httpx.BaseTransport
AsyncBaseTransport = httpx.AsyncBaseTransport

HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Connection": "keep-alive",
    "User-Agent": f"talkdesk-bridge/{VERSION}",
}

# Before these, nothing of the request can have reached the bridge. UnicodeError is that of a proxy's host.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol, UnicodeError)
# httpx does not wrap all: not the errors of sockets, of a proxy's host, and of a transport that is closed meanwhile.
ESCAPING = (httpx.HTTPError, httpx.StreamError, OSError, RuntimeError, UnicodeError)

WRONG_SETTINGS = (httpx.InvalidURL, AttributeError, TypeError, ValueError)


@frozen
class Failure:
    """A request that got no response; `again` says whether a retry can help."""

    error: errors.BridgeError
    again: bool = True
    status_code: None = None
    headers: Mapping[str, str] = field(factory=dict)


class _Http:
    """What both kinds have in common."""

    transport: Any
    _own: type[HTTPTransport] | type[AsyncHTTPTransport]
    _foreign: type[httpx.BaseTransport] | type[httpx.AsyncBaseTransport]

    def __init__(self, settings: Settings) -> None:
        self.closed = False
        self.process = os.getpid()
        self.transport = settings.transport
        if self.transport is None:
            self.transport = _opened(self._own, settings)
        elif not isinstance(self.transport, self._foreign):
            kind = f"httpx.{self._foreign.__name__}"
            raise errors.ConfigurationError(f"transport must be an {kind}, such as httpx.MockTransport, or None.")
        self.base_url = str(httpx.URL(settings.base_url)).removesuffix("/")

    def build(self, settings: Settings, *, url: str, params: Any = None, headers: Any = None, **more: Any) -> Request:
        """A request.

        Args:
            settings: Of the call.
            url: Absolute, or below the base URL if it begins with `/`.
            params: The query.
            headers: Besides those of every request.
            more: `method`, and a body as httpx takes it.

        Raises:
            ValueError, TypeError, AttributeError: it cannot be sent as it is.

        """
        connect, read = settings.timeout
        extensions = {
            "timeout": {"connect": connect, "read": read, "write": read},
            "deadline": settings.deadline,
            "secrets": (*settings.auth.secrets(), *settings.headers.values()),
        }
        try:
            url = self.base_url + url if url.startswith("/") else url
            url = f"{url}?{httpx.QueryParams(params)}" if params else url
            all_headers = httpx.Headers(HEADERS)
            all_headers.update(headers)
            request = httpx.Request(url=url, headers=all_headers, **more, extensions=extensions)
            request.read()  # a file, which only a blocking transport could send, and only once
            return request
        except httpx.InvalidURL as error:
            raise ValueError(error) from None


class Http(_Http):
    """Sends by blocking; any number of threads may share it."""

    _own, _foreign = HTTPTransport, httpx.BaseTransport

    def __init__(self, settings: Settings) -> None:
        self._stopped: WeakSet[threading.Thread] = WeakSet()
        super().__init__(settings)

    async def send(self, settings: Settings, request: Request) -> RawResponse | Failure:
        """The response to a request, or why there is none. It blocks, and never waits; see `_run`."""
        if self._stopped and threading.current_thread() in self._stopped:
            raise SystemExit  # ends the thread, whatever it was to do next
        body = _Body(settings, request)
        try:
            response = self.transport.handle_request(request)
            try:
                # A transport that is given may have read it, for a log or a recorder.
                for chunk in [response.content] if response.is_stream_consumed else response.stream:
                    if not body.add(chunk):
                        break
            finally:
                response.close()
        except httpx.PoolTimeout:
            return _busy(settings, request)
        except ESCAPING as error:
            return body.late() or _failure(request, error, closed=self.closed)
        return body.response(response)

    def stop(self, threads: list[threading.Thread]) -> None:
        """End the requests of these threads, and let them send no more."""
        self._stopped.update(threads)
        if isinstance(self.transport, HTTPTransport):
            self.transport.abort(threads)

    def close(self) -> None:
        """Close the connections; a second time does nothing."""
        self.closed = True
        self.transport.close()


class AsyncHttp(_Http):
    """Sends by awaiting; any number of tasks of one event loop may share it."""

    _own, _foreign = AsyncHTTPTransport, httpx.AsyncBaseTransport

    async def send(self, settings: Settings, request: Request) -> RawResponse | Failure:
        """The response to a request, or why there is none."""
        body = _Body(settings, request)
        try:
            response = await self.transport.handle_async_request(request)
            try:
                if response.is_stream_consumed:
                    body.add(response.content)
                else:
                    async for chunk in response.stream:
                        if not body.add(chunk):
                            break
            finally:
                await response.aclose()
        except httpx.PoolTimeout:
            return _busy(settings, request)
        except ESCAPING as error:
            return body.late() or _failure(request, error, closed=self.closed)
        return body.response(response)

    async def close(self) -> None:
        """Close the connections; a second time does nothing."""
        self.closed = True
        await self.transport.aclose()


def _opened(kind: type[HTTPTransport] | type[AsyncHTTPTransport], settings: Settings) -> Any:
    try:
        return kind(
            verify=settings.verify,
            cert=settings.cert,
            proxy=settings.proxy,
            # Plain http is for loopback, which no proxy and no authority of the environment concerns.
            trust_env=any(url.lower().startswith("https:") for url in settings.urls),
            max_requests=MOST_AT_ONCE,
        )
    except ImportError:
        reason = "A SOCKS proxy (the argument, or ALL_PROXY or HTTPS_PROXY) needs the package socksio."
    except OSError:
        reason = "The client certificate, or what SSL_CERT_FILE or SSL_CERT_DIR names, cannot be read."
    except WRONG_SETTINGS:
        reason = "A proxy (the argument, or ALL_PROXY or HTTPS_PROXY), or the base URL, cannot be used."
    # Not from the caught one: its message would show the proxy's password.
    raise errors.ConfigurationError(reason)


class _Body:
    """The body of a response, as it is received: neither too large nor too late, compressed or not."""

    def __init__(self, settings: Settings, request: Request) -> None:
        self._settings = settings
        self._request = request
        self._end = settings.clock() + settings.deadline
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> bool:
        """Take a part; whether more is wanted."""
        self._size += len(chunk)
        self._chunks.append(chunk)
        return self._size <= self._settings.max_bytes and self._in_time()

    def response(self, response: httpx.Response) -> RawResponse | Failure:
        """The response, once its body is there."""
        what, status, most = name_of(self._request), response.status_code, int(self._settings.max_bytes)
        content, wrong = b"".join(self._chunks), ""
        try:
            encoding = "" if response.is_stream_consumed else response.headers.get("Content-Encoding", "")
            content = decompressed(content, encoding, most, self._in_time)
        except zlib.error:
            content, wrong = b"", "a body that cannot be decompressed"
        if late := self.late():
            return late
        success = 200 <= status < 300
        if len(content) > most:
            content, wrong = b"", f"more than {most} bytes: raise max_bytes, or ask for smaller pages"
        if wrong and success:
            return Failure(errors.ContractError(f"{what} returned {status} with {wrong}."), again=False)
        secrets = _secrets(self._request)
        # Some servers send back what they got.
        headers = {name: redact(value, secrets) for name, value in response.headers.items()}
        content = content if success else redact_content(content, secrets)
        return RawResponse(what, str(self._request.url), status, httpx.Headers(headers, encoding="utf-8"), content)

    def late(self) -> Failure | None:
        """The error of a response that was not whole at the deadline; None before it."""
        if self._in_time():
            return None
        message = f"{name_of(self._request)}: no complete response within {self._settings.deadline:g} s"
        return Failure(errors.NoResponseError(f"{message}; raise deadline, or ask for smaller pages."), again=False)

    def _in_time(self) -> bool:
        return self._settings.clock() < self._end


def _busy(settings: Settings, request: Request) -> Failure:
    """The error of a request that waited for others until its deadline."""
    message = f"{name_of(request)}: not sent within {settings.deadline:g} s, since {MOST_AT_ONCE} others"
    message += " were on their way; send fewer at once, or raise deadline."
    return Failure(errors.NotSentError(message), again=False)


def _failure(request: Request, error: Exception, *, closed: bool) -> Failure:
    """What an error of httpx means. It does not go along: it holds the request, and so the credential."""
    what = name_of(request)
    host = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
    if isinstance(error, httpx.LocalProtocolError):
        # Its text shows the header that cannot be sent, which may be the credential.
        message = f"{what}: a header or another part of the request cannot be sent over HTTP."
        return Failure(errors.ArgumentError(message), again=False)
    if closed:
        return Failure(errors.ConfigurationError(f"{what}: the client was closed meanwhile."), again=False)
    # Not what the server or a proxy sent, which may be what it got: bytes that are no HTTP, the words beside a status.
    said = re.split(r""":? (?:bytearray\()?b['"]|(?<=^\d{3}) """, str(error))[0]
    reason = plain(redact(said, _secrets(request))) or type(error).__name__
    if isinstance(error, NOT_SENT):
        message = f"{what}: no connection to {host}{_proxy_named(request)} ({reason})."
        return Failure(errors.NotSentError(message), again="CERTIFICATE_VERIFY_FAILED" not in reason)
    if isinstance(error, httpx.TimeoutException):
        return Failure(errors.NoResponseError(f"{what}: {host} did not respond in time ({type(error).__name__})."))
    return Failure(errors.NoResponseError(f"{what}: no complete response from {host} ({reason})."))


def _proxy_named(request: Request) -> str:
    """The variable that may have sent a request through a proxy, for a message."""
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    found = next((name for name in names if os.environ.get(name)), None)
    return f", {found} being set" if found and request.url.scheme == "https" else ""


def name_of(request: Request) -> str:
    """Method and path, for messages."""
    return f"{request.method} {path_of(request)}"


def path_of(request: Request) -> str:
    """The path as sent, without the query, and without a credential that a link may hold."""
    return redact(request.url.raw_path.decode("ascii").partition("?")[0], _secrets(request))


def _secrets(request: Request) -> tuple[str, ...]:
    """What no message about a request may show: the client's secrets, and the token or JWT that is sent."""
    token = request.headers.get("Authorization", "").partition(" ")[2]
    form = request.headers.get("Content-Type") == "application/x-www-form-urlencoded"
    assertions = parse_qs(request.content.decode()).get("client_assertion", []) if form else []
    secrets: tuple[str, ...] = request.extensions["secrets"]
    return (*secrets, token, *assertions)

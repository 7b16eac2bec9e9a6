"""One exchange: sends a request through an httpx transport and reads the response. The only module that imports httpx.

The transport is one of talkdesk_bridge_http, or the option `transport`.
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

# Errors that come before anything is sent. UnicodeError is about the host name of a proxy.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol, UnicodeError)
# httpx does not wrap these: errors of sockets, of a proxy's host name, and of a transport that is closed meanwhile.
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
    """What both kinds share."""

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
            raise errors.ConfigurationError(f"transport must be an {kind}, such as httpx.MockTransport; or None.")
        self.base_url = str(httpx.URL(settings.base_url)).removesuffix("/")

    def build(self, settings: Settings, *, url: str, params: Any = None, headers: Any = None, **more: Any) -> Request:
        """A request without the credential.

        Args:
            settings: The settings of the call.
            url: Absolute, or relative to the base URL if it begins with `/`.
            params: The query.
            headers: Added to those of every request.
            more: `method`, and a body in one of httpx's arguments.

        Raises:
            ValueError, TypeError, AttributeError: an argument cannot be sent.

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
            request.extensions["url"] = str(request.url)  # without the credential
            request.read()  # a file could be sent only once, and by blocking
            return request
        except httpx.InvalidURL as error:
            raise ValueError(error) from None


class Http(_Http):
    """Blocks; any number of threads may share it."""

    _own, _foreign = HTTPTransport, httpx.BaseTransport

    def __init__(self, settings: Settings) -> None:
        self._stopped: WeakSet[threading.Thread] = WeakSet()
        super().__init__(settings)

    async def send(self, settings: Settings, request: Request) -> RawResponse | Failure:
        """The response to a request, or its failure. It blocks instead of awaiting; see `_run`."""
        if self._stopped and threading.current_thread() in self._stopped:
            raise SystemExit  # ends this thread
        body = _Body(settings, request)
        try:
            response = self.transport.handle_request(request)
            try:
                # The user's transport may have read it already, to log or to record it.
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
        """Abort the requests of these threads, and let them send no others."""
        self._stopped.update(threads)
        if isinstance(self.transport, HTTPTransport):
            self.transport.abort(threads)

    def close(self) -> None:
        """Close the connections; calling it again does nothing."""
        self.closed = True
        self.transport.close()


class AsyncHttp(_Http):
    """Awaits; any number of tasks of one event loop may share it."""

    _own, _foreign = AsyncHTTPTransport, httpx.AsyncBaseTransport

    async def send(self, settings: Settings, request: Request) -> RawResponse | Failure:
        """The response to a request, or its failure."""
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
        """Close the connections; calling it again does nothing."""
        self.closed = True
        await self.transport.aclose()


def _opened(kind: type[HTTPTransport] | type[AsyncHTTPTransport], settings: Settings) -> Any:
    try:
        return kind(
            verify=settings.verify,
            cert=settings.cert,
            proxy=settings.proxy,
            # Plain http is for loopback, where the environment's proxies and certificate authorities do not apply.
            trust_env=any(url.lower().startswith("https:") for url in settings.urls),
            max_requests=MOST_AT_ONCE,
        )
    except ImportError:
        message = "A SOCKS proxy (the option proxy, or ALL_PROXY or HTTPS_PROXY) needs the package socksio."
    except OSError:
        message = "The client certificate, or the file that SSL_CERT_FILE or SSL_CERT_DIR names, cannot be read."
    except WRONG_SETTINGS:
        message = "The proxy (the option proxy, or ALL_PROXY or HTTPS_PROXY) or the base URL cannot be used."
    # Outside of `except`, since the caught error may show the proxy's password.
    raise errors.ConfigurationError(message)


class _Body:
    """The body of a response while it is received; checks its size, and that it meets the deadline."""

    def __init__(self, settings: Settings, request: Request) -> None:
        self._settings = settings
        self._request = request
        self._end = settings.clock() + settings.deadline
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> bool:
        """Add a part; False if the rest must not be read."""
        self._size += len(chunk)
        self._chunks.append(chunk)
        return self._size <= self._settings.max_bytes and self._in_time()

    def response(self, response: httpx.Response) -> RawResponse | Failure:
        """The response with the body that was received."""
        request, status, limit = name_of(self._request), response.status_code, int(self._settings.max_bytes)
        content, fault = b"".join(self._chunks), ""
        try:
            encoding = "" if response.is_stream_consumed else response.headers.get("Content-Encoding", "")
            content = decompressed(content, encoding, limit, self._in_time)
        except zlib.error:
            content, fault = b"", "a body that cannot be decompressed"
        if late := self.late():
            return late
        success = 200 <= status < 300
        if len(content) > limit:
            content, fault = b"", f"more than {limit} bytes: raise max_bytes, or ask for smaller pages"
        if fault and success:
            return Failure(errors.ContractError(f"{request} returned {status} with {fault}."), again=False)
        secrets = _secrets(self._request)
        # Some servers echo the request.
        headers = {name: redact(value, secrets) for name, value in response.headers.items()}
        content = content if success else redact_content(content, secrets)
        url = self._request.extensions["url"]
        return RawResponse(request, url, status, httpx.Headers(headers, encoding="utf-8"), content)

    def late(self) -> Failure | None:
        """The failure of a response that was incomplete at the deadline; None before the deadline."""
        if self._in_time():
            return None
        message = f"{name_of(self._request)}: no complete response within {self._settings.deadline:g} s"
        return Failure(errors.NoResponseError(f"{message}; raise deadline, or ask for smaller pages."), again=False)

    def _in_time(self) -> bool:
        return self._settings.clock() < self._end


def _busy(settings: Settings, request: Request) -> Failure:
    """The failure of a request that waited for others until its deadline."""
    reason = f"because {MOST_AT_ONCE} other requests were in flight; send fewer at once, or raise deadline"
    message = f"{name_of(request)}: not sent within {settings.deadline:g} s, {reason}."
    return Failure(errors.NotSentError(message), again=False)


def _failure(request: Request, error: Exception, *, closed: bool) -> Failure:
    """The failure that an error of httpx means. It is no cause: it holds the request, and so the credential."""
    name = name_of(request)
    host = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
    if isinstance(error, httpx.LocalProtocolError):
        # Its text would show the header that cannot be sent, which may be the credential.
        message = f"{name}: a header or another part of the request cannot be sent over HTTP."
        return Failure(errors.ArgumentError(message), again=False)
    if closed:
        return Failure(errors.ConfigurationError(f"{name}: the client was closed during the request."), again=False)
    # Cut off what a server or proxy sent, which may be an echo: invalid bytes, or the words after a status.
    text = re.split(r""":? (?:bytearray\()?b['"]|(?<=^\d{3}) """, str(error))[0]
    reason = plain(redact(text, _secrets(request))) or type(error).__name__
    if isinstance(error, NOT_SENT):
        message = f"{name}: no connection to {host} ({reason}{_proxy_named(request)})."
        return Failure(errors.NotSentError(message), again="CERTIFICATE_VERIFY_FAILED" not in reason)
    if isinstance(error, httpx.TimeoutException):
        return Failure(errors.NoResponseError(f"{name}: {host} did not respond in time ({type(error).__name__})."))
    return Failure(errors.NoResponseError(f"{name}: no complete response from {host} ({reason})."))


def _proxy_named(request: Request) -> str:
    """For a message: the variable that may have routed a request through a proxy."""
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    found = next((name for name in names if os.environ.get(name)), None)
    return f"; {found} is set" if found and request.url.scheme == "https" else ""


def normalized(url: str) -> str:
    """A URL in the form in which it is sent.

    Raises:
        ValueError: it is not a URL.

    """
    try:
        return str(httpx.URL(url))
    except httpx.InvalidURL as error:
        raise ValueError(error) from None


def name_of(request: Request) -> str:
    """Method and path, for messages."""
    return f"{request.method} {path_of(request)}"


def path_of(request: Request) -> str:
    """The path as sent, without the query, and without secrets that a link may contain."""
    return redact(request.url.raw_path.decode("ascii").partition("?")[0], _secrets(request))


def _secrets(request: Request) -> tuple[str, ...]:
    """Secrets to redact from messages about a request: those of the client, and the token or JWT in the request."""
    token = request.headers.get("Authorization", "").partition(" ")[2]
    form = request.headers.get("Content-Type") == "application/x-www-form-urlencoded"
    assertions = parse_qs(request.content.decode()).get("client_assertion", []) if form else []
    secrets: tuple[str, ...] = request.extensions["secrets"]
    return (*secrets, token, *assertions)

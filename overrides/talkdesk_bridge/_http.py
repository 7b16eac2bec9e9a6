"""One exchange: sends a request through an httpx transport and reads the response. The only module that imports httpx.

The transport is one of talkdesk_bridge_http, or the option `transport`.
"""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import httpx
from talkdesk_bridge_api import VERSION
from talkdesk_bridge_http import AsyncHTTPTransport, HTTPTransport, decompressed

from talkdesk_bridge import _received, errors
from talkdesk_bridge._received import Failure, RawResponse, SocksError, one_line
from talkdesk_bridge._redact import path_of, redact, redact_content, secrets_of
from talkdesk_bridge._run import Asyncio, Blocking
from talkdesk_bridge._settings import MOST_AT_ONCE, Settings

BaseTransport = httpx.BaseTransport
AsyncBaseTransport = httpx.AsyncBaseTransport

HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Connection": "keep-alive",
    "User-Agent": f"talkdesk-bridge/{VERSION}",
}

# Errors before anything is sent. UnicodeError means that the host name of a proxy is invalid.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, UnicodeError, SocksError)
# httpx does not wrap these: socket errors, an invalid proxy host, and errors when the transport is closed mid-request.
UNWRAPPED_ERRORS = (httpx.HTTPError, httpx.StreamError, OSError, RuntimeError, UnicodeError, SocksError)
WRONG_SETTINGS = (httpx.InvalidURL, AttributeError, TypeError, ValueError)


class Request(httpx.Request):
    """A request whose `repr` does not show the query, which may hold a secret."""

    def __repr__(self) -> str:
        return f"<Request({self.method!r}, '{self.url.copy_with(query=None)}')>"


class _Http:
    """What Http and AsyncHttp share."""

    transport: Any
    _default_transport: type[HTTPTransport] | type[AsyncHTTPTransport]
    _transport_base: type[httpx.BaseTransport] | type[httpx.AsyncBaseTransport]
    _waiting: type[Blocking] | type[Asyncio]
    _receive: Callable[[Request, Callable[[bytes], bool]], Awaitable[Any]]
    """Sends a request, and passes the chunks of the body to the function until it returns False."""

    def __init__(self, settings: Settings) -> None:
        self.waiting = self._waiting(settings.sleep)
        try:
            self.base_url, *_ = [normalized(url).removesuffix("/") for url in settings.urls]
        except ValueError:
            raise errors.ConfigurationError("The base URL, or the token URL, is not a URL.") from None
        self.transport = settings.transport
        if self.transport is None:
            self.transport = _opened(self._default_transport, settings)
        elif not isinstance(self.transport, self._transport_base):
            kind = f"httpx.{self._transport_base.__name__}"
            raise errors.ConfigurationError(f"transport must be an {kind}, such as httpx.MockTransport; or None.")

    def build(self, settings: Settings, *, url: str, params: Any = None, headers: Any = None, **more: Any) -> Request:
        """A request without the credential.

        Args:
            settings: The settings of the call.
            url: Absolute, or relative to the base URL if it begins with `/`.
            params: The query.
            headers: Added to those of every request.
            more: `method`, and the body as an argument of httpx.Request, such as `json`.

        Raises:
            ValueError, TypeError, AttributeError: an argument cannot be sent.

        """
        connect, read = settings.timeout
        timeout = {"connect": connect, "read": read, "write": read}
        extensions = {"timeout": timeout, "deadline": settings.deadline, "secrets": settings.secrets}
        try:
            url = self.base_url + url if url.startswith("/") else url
            request = Request(url=url, params=params or None, headers=HEADERS, **more, extensions=extensions)
            request.headers.update(headers)
            request.extensions["url"] = str(request.url)  # before `Auth.apply` adds to it
            request.read()  # read files now: later they could be read only once, and would block
            return request
        except httpx.InvalidURL as error:
            raise ValueError(error) from None

    async def send(self, settings: Settings, request: Request) -> RawResponse | Failure:
        """The response to a request, or its failure."""
        body = _Body(settings, request, self.transport)
        try:
            response = await self._receive(request, body.add)
        except UNWRAPPED_ERRORS as error:
            return body.failure(error, closed=self.waiting.closed)
        return body.response(response)


class Http(_Http):
    """Blocks; any number of threads may share it."""

    _default_transport, _transport_base, _waiting = HTTPTransport, httpx.BaseTransport, Blocking

    def __init__(self, settings: Settings) -> None:
        self._stopped: WeakSet[threading.Thread] = WeakSet()
        super().__init__(settings)

    async def _receive(self, request: Request, add: Callable[[bytes], bool]) -> Any:
        """Block instead of awaiting; see `_run`."""
        if self._stopped and threading.current_thread() in self._stopped:
            raise SystemExit  # ends this thread
        response = self.transport.handle_request(request)
        try:
            # The user's transport may have read it already, to log or to record it.
            for chunk in [response.content] if response.is_stream_consumed else response.stream:
                if not add(chunk):
                    break
        finally:
            response.close()
        return response

    def stop(self, threads: list[threading.Thread]) -> None:
        """Abort the requests of these threads, and let them send no others."""
        self._stopped.update(threads)
        if isinstance(self.transport, HTTPTransport):
            self.transport.abort(threads)

    def close(self) -> None:
        """Close the connections; calling it again does nothing."""
        self.waiting.closed = True
        self.transport.close()


class AsyncHttp(_Http):
    """Awaits; any number of tasks of one event loop may share it."""

    _default_transport, _transport_base, _waiting = AsyncHTTPTransport, httpx.AsyncBaseTransport, Asyncio

    async def _receive(self, request: Request, add: Callable[[bytes], bool]) -> Any:
        response = await self.transport.handle_async_request(request)
        try:
            if response.is_stream_consumed:
                add(response.content)
            else:
                async for chunk in response.stream:
                    if not add(chunk):
                        break
        finally:
            await response.aclose()
        return response

    async def close(self) -> None:
        """Close the connections; calling it again does nothing."""
        self.waiting.closed = True
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
        message = "The option cert or proxy, or the proxy in ALL_PROXY or HTTPS_PROXY, cannot be used."
    # Raised outside `except`, so that the caught error, which may show the proxy's password, is not chained.
    raise errors.ConfigurationError(message)


class _Body:
    """Collects the body of a response or its failure, and checks its size and the deadline."""

    def __init__(self, settings: Settings, request: Request, transport: Any) -> None:
        self._settings, self._request, self._transport = settings, request, transport
        self._secrets = secrets_of(request)
        self._name = f"{request.method} {path_of(request, self._secrets)}"
        self._host = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
        self._end = settings.clock() + settings.deadline
        self._chunks, self._size = list[bytes](), 0

    def add(self, chunk: bytes) -> bool:
        """Add a part. Returns False if the rest must not be read."""
        self._size += len(chunk)
        self._chunks.append(chunk)
        return self._size <= self._settings.max_bytes and self._in_time()

    def response(self, response: httpx.Response) -> RawResponse | Failure:
        """The response with the body that was received."""
        status, limit = response.status_code, int(self._settings.max_bytes)
        content, fault = b"".join(self._chunks), ""
        try:
            encoding = "" if response.is_stream_consumed else response.headers.get("Content-Encoding", "")
            content = decompressed(content, encoding, limit, self._in_time)
            fault = _received.unrequested_coding(encoding) if content else ""
        except zlib.error:
            content, fault = b"", "a body that cannot be decompressed"
        if late := self.late():
            return late
        if _received.is_of_a_proxy(status, response.headers):
            return self._not_passed_on(str(status))
        success = 200 <= status < 300
        if len(content) > limit:
            content, fault = b"", f"more than {limit} bytes: raise max_bytes, or ask for smaller pages"
        if fault and success:
            return Failure(errors.ContractError(f"{self._name} returned {status} with {fault}."), retryable=False)
        # Some servers echo the request.
        redacted = {name: redact(value, self._secrets) for name, value in response.headers.items()}
        content = content if success else redact_content(content, self._secrets)
        url = self._request.extensions["url"]
        asked = _received.retry_after(response.headers.get("Retry-After"), self._settings.retry.retry_after_max)
        headers = httpx.Headers(redacted, encoding="utf-8")
        return RawResponse(self._name, url, status, headers, content, fault, asked, self._secrets)

    def failure(self, error: Exception, *, closed: bool) -> Failure:
        """Turn an httpx error into a Failure. It is not chained, because it holds the credential."""
        if isinstance(error, httpx.PoolTimeout):
            reason = f"because {MOST_AT_ONCE} other requests were in flight; send fewer at once, or raise deadline"
            message = f"not sent within {self._settings.deadline:g} s, {reason}"
            return self._failed(errors.NotSentError, message, retryable=False)
        if late := self.late():
            return late
        if isinstance(error, httpx.LocalProtocolError):
            # Its text would show the header that cannot be sent, which may be the credential.
            message = "a header or another part of the request cannot be sent over HTTP"
            return self._failed(errors.ArgumentError, message, retryable=False)
        if closed:
            return self._failed(errors.ConfigurationError, "the client was closed during the request", retryable=False)
        # Cut off what a server or proxy sent, which may be an echo: invalid bytes, or the words after a status.
        text = re.split(r""":? (?:bytearray\()?b['"]|(?<=^\d{3}) """, str(error))[0]
        reason = one_line(redact(text, self._secrets)) or type(error).__name__
        if isinstance(error, httpx.ProxyError):
            return self._not_passed_on(reason)
        if isinstance(error, NOT_SENT):
            proxy = self._proxy()
            message = f"no connection to {self._host} ({reason}{'; through ' if proxy else ''}{proxy})"
            return self._failed(errors.NotSentError, message, retryable="CERTIFICATE_VERIFY_FAILED" not in reason)
        message = f"no complete response from {self._host} ({reason})"
        if isinstance(error, httpx.TimeoutException):
            message = f"{self._host} did not respond in time ({type(error).__name__})"
        return self._failed(errors.NoResponseError, message)

    def _failed(self, kind: type[errors.BridgeError], message: str, *, retryable: bool = True) -> Failure:
        return Failure(kind(f"{self._name}: {message}."), retryable)

    def _not_passed_on(self, reason: str) -> Failure:
        """The failure of a request that a proxy rejected: its status, or what it said in SOCKS."""
        kind, fault, retryable = _received.rejection(reason, self._settings.retry.statuses)
        message = f"no connection to {self._host} ({self._proxy() or 'a proxy'}{fault})"
        return self._failed(kind, message, retryable=retryable)

    def _proxy(self) -> str:
        """The proxy of the request, in words; empty if there is none, or if only the user's transport knows."""
        settings, url = self._settings, self._request.url
        if settings.transport or settings.proxy:
            return "" if settings.transport else "the proxy of the option proxy"
        found = self._transport.proxies.of(url.scheme, url.host, url.port)
        return "the proxy in HTTPS_PROXY or ALL_PROXY" if found else ""

    def late(self) -> Failure | None:
        """The failure if the deadline has passed; None before."""
        if self._in_time():
            return None
        message = f"no complete response within {self._settings.deadline:g} s; raise deadline, or ask for smaller pages"
        return self._failed(errors.NoResponseError, message, retryable=False)

    def _in_time(self) -> bool:
        return self._settings.clock() < self._end


def normalized(url: str) -> str:
    """A URL in the form in which it is sent; raises ValueError if it is none."""
    with suppress(httpx.InvalidURL):  # its message would show the URL, and so perhaps a secret
        # Without the closing dot of its host, which no certificate has.
        return re.sub(r"^(\w+://[^/?#@]+?)\.+(?=[:/?#]|$)", r"\1", str(httpx.URL(url)))
    raise ValueError("not a URL")

"""Faults of bridges, gateways and networks, a case a line, and the page that lists them: `make docs`."""

from __future__ import annotations

import gzip
import itertools
import json
import sys
import time
import zlib
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from attrs import field, frozen
from talkdesk_bridge import Auth, HeaderAuth, OAuth2ClientCredentials, Retry
from talkdesk_bridge.errors import (
    ArgumentError,
    AuthenticationError,
    BadRequestError,
    BridgeError,
    ConflictError,
    ContractError,
    ForbiddenError,
    IncompleteError,
    NoResponseError,
    NotFoundError,
    NotSentError,
    PagingError,
    ProxyError,
    ServerError,
    StatusError,
    TooManyRequestsError,
    UnauthorizedError,
    UnprocessableContentError,
)

from tests.conftest import ROOT, invoices_of, page
from tests.raw import Action, Exchange, Raw, Reply

PAGE = ROOT / "docs" / "faults.md"
SECRET = "s3cret-k3y"
TOKEN = "t0ken-of-s3cret"

ExpectedDeviation = tuple[str, str, str, int]
"""Place, documented, seen, count."""


@frozen
class Case:
    """One fault, and its expected result."""

    name: str
    replies: tuple[Reply, ...] = ()
    items: tuple[str, ...] = ()
    """The numbers of the invoices that the caller gets, before the error if there is one."""
    deviations: tuple[ExpectedDeviation, ...] = ()
    error: type[BridgeError] | None = None
    says: str = ""
    """A part of the error's message."""
    requests: int = 1
    """The number of requests that the server must see, including those for tokens."""
    holds: tuple[str, ...] | None = None
    """The invoices that the bridge has, if the caller gets others."""
    options: Mapping[str, Any] = field(factory=dict)
    account: str = "1"
    auth: Callable[[Raw], Auth] = lambda _: HeaderAuth(SECRET, name="X-API-Key")
    connects: tuple[Action, ...] = ()
    refused_first: int = 0
    tls: str = ""
    """The server's certificate; empty for no TLS."""
    scheme: str = ""
    """The scheme of the client's base URL, if it is not the server's."""
    proxied: bool = False
    """Whether the server is the proxy, and the bridge is behind it."""

    @property
    def outcome(self) -> str:
        """`survived`: all that the bridge has is there; `reported`: an error says what is wrong; else `lost`."""
        if self.error:
            return "reported"
        return "survived" if self.holds in (None, self.items) else "lost"


def reads(name: str, replies: object, numbers: str, *deviations: ExpectedDeviation, **more: Any) -> Case:
    """A case that gives invoices."""
    several = replies if isinstance(replies, tuple) else (replies,)
    return Case(name, several, tuple(numbers.split()), deviations, **{"requests": len(several)} | more)


def fails(name: str, replies: object, error: type[BridgeError], says: str, numbers: str = "", **more: Any) -> Case:
    """A case that ends in an error, after some invoices or none."""
    several = replies if isinstance(replies, tuple) else (replies,)
    return Case(name, several, tuple(numbers.split()), error=error, says=says, **{"requests": len(several) or 1} | more)


# Responses.


def http(body: Any = b"", status: int | str = 200, length: object = None, **headers: str) -> bytes:
    """A response: bytes unchanged, other bodies as JSON; keywords such as `Retry_After` are headers."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Content_Type": "application/json", "Content_Length": str(len(content) if length is None else length)}
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in (named | headers).items() if value]
    return f"HTTP/1.1 {status} X\r\n{''.join(lines)}\r\n".encode() + content


def html(status: int = 200, text: str = "<html>gateway</html>", **headers: str) -> bytes:
    return http(text.encode(), status, **{"Content_Type": "text/html"} | headers)


def chunked(content: bytes, **headers: str) -> bytes:
    """A response whose body holds its own chunks."""
    return http(content, length="", Transfer_Encoding="chunked", **headers)


def body(*invoices: Any, **more: Any) -> bytes:
    """A response with these invoices."""
    return http({"_embedded": {"invoices": [*invoices]}, "total": len(invoices), **more})


def then(content: bytes, action: Action | None = None) -> Action:
    """Send this, then run the action or hang up."""

    def run(exchange: Exchange) -> None:
        exchange.send(content)
        if action:
            action(exchange)

    return run


def slowly(*parts: bytes, again: bytes = b"") -> Action:
    """Send the parts with pauses, then repeat the last one forever."""
    return lambda exchange: exchange.trickle(itertools.chain(parts, itertools.repeat(again or parts[-1])), 0.01)


def greeting(content: bytes) -> Action:
    """Send this after the first bytes received."""

    def run(exchange: Exchange) -> None:
        exchange.connection.recv(65536)
        exchange.send(content)

    return run


def linked(number: int, link: str | Callable[[Exchange], str]) -> Action | bytes:
    """A page with one invoice, and a link that may name the server."""
    if isinstance(link, str):
        return http(page(number, following=link))
    return lambda exchange: exchange.send(http(page(number, following=link(exchange)), Connection="close"))


BARE, SINGLE = ("$", "object", "array", 1), ("$", "object with a list", "single item", 1)
NO_LENGTH = ("$.total", "number of all items, or a next link", "nothing", 1)
NO_LINK: tuple[Any, ...] = (None, False, "", [], {}, [{}], {"href": None}, {"href": ""}, {"title": "x"})


def resets(exchange: Exchange) -> None:
    exchange.reset()


def resets_at_once(exchange: Exchange) -> None:
    exchange.connection.recv(1)
    exchange.reset()


def hangs_up(exchange: Exchange) -> None:
    """Do nothing: the connection is closed in order."""


def waits(exchange: Exchange) -> None:
    exchange.wait()


def url(exchange: Exchange) -> str:
    return exchange.server.url


def later(seconds: int) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


ONE = page(1)
GOOD = http(ONE)
TEXT = json.dumps(ONE).encode()
HALF = GOOD[:-20]
HEAD = GOOD[: GOOD.index(b"\r\n\r\n") - 10]
CHUNKS = b"%x\r\n%b\r\n" % (len(TEXT), TEXT)
INVOICE = {"invoice_number": "1"}
AT = "$._embedded.invoices"
PATH = invoices_of("1")

QUICK = {"timeout": (2, 0.1)}
LATE = {"timeout": (2, 2), "deadline": 0.2}
TWICE = {"retry": Retry(attempts=2)}
THRICE = {"retry": Retry(attempts=3)}
STRICT = {"strict": True}
BUSY = http({"errorCode": "BUSY", "userMessage": "Wait."}, 503)


def grant(value: object = TOKEN, **more: object) -> bytes:
    return http({"access_token": value, "token_type": "Bearer", "expires_in": 599, **more})


def oauth(raw: Raw) -> Auth:
    return OAuth2ClientCredentials(f"{raw.url}/token", "id", SECRET)


def oauth_nowhere(_: Raw) -> Auth:
    return OAuth2ClientCredentials("http://127.0.0.1:1/token", "id", SECRET)


def gzipped(content: bytes, **headers: str) -> bytes:
    return http(content, Content_Encoding="gzip", **headers)


def bomb() -> bytes:
    """1 GiB of blanks, compressed twice."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    inner = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(inner + again * 1023)


BOMB = bomb()
# The same page, compressed by other programs.
BROTLI = b64decode("iyCAeyJfZW1iZWRkZWQiOiB7Imludm9pY2VzIjogW3siaW52b2ljZV9udW1iZXIiOiAiMSJ9XX0sICJ0b3RhbCI6IDF9Aw==")
ZSTD = b64decode("KLUv/SRC1QEAkoMMEaDtU83sC3Gl8hYA42ec/N9BM+g+lcfeFcwxH6771kbBRYTuXR/E4kKXuudmbqOaXAYBAEQxnV/AAsc=")


def bad(what: str) -> str:
    return f"returned 200 with {what}"


NOT_JSON = bad("a body that is not JSON")
NO_LIST = f"expected array at {AT}, got nothing"


CASES: dict[str, list[Case]] = {
    "connection": [
        fails("connection refused", (), NotSentError, "no connection to http://127.0.0.1", requests=0, refused_first=99),
        fails("reset as soon as the request begins", (), NoResponseError, "no complete response", requests=0, connects=(resets_at_once,)),
        fails("closed as soon as it is accepted", (), NoResponseError, "no complete response", requests=0, connects=(hangs_up,)),
        fails("reset instead of a response", resets, NoResponseError, "no complete response"),
        fails("closed instead of a response", hangs_up, NoResponseError, "Server disconnected without sending a response"),
        fails("reset in the middle of the headers", then(HEAD, resets), NoResponseError, "no complete response"),
        fails("closed in the middle of the headers", then(HEAD), NoResponseError, "no complete response"),
        fails("reset in the middle of the body", then(HALF, resets), NoResponseError, "no complete response"),
        fails("closed in the middle of the body", then(HALF), NoResponseError, "without sending complete message body"),
        fails("no response at all", waits, NoResponseError, "did not respond in time (ReadTimeout)", options=QUICK),
        fails("silence after half of the headers", then(HEAD, waits), NoResponseError, "in time (ReadTimeout)", options=QUICK),
        fails("silence after the headers", then(http(length=9), waits), NoResponseError, "in time (ReadTimeout)", options=QUICK),
        fails("silence after half of the body", then(HALF, waits), NoResponseError, "in time (ReadTimeout)", options=QUICK),
        fails("headers that trickle", slowly(HEAD, b"x"), NoResponseError, "no complete response within 0.2 s", options=LATE),
        fails("a body that trickles", slowly(http(length=99999), b" "), NoResponseError, "no complete response within 0.2 s", options=LATE),
        fails("a chunk size that trickles", slowly(chunked(b"1;"), b"x"), NoResponseError, "no complete response within 0.2 s", options=LATE),
        fails("an empty compressed body that trickles", slowly(gzipped(gzip.compress(b"")[:10], Content_Length="99999"), again=b"\0\0\0\xff\xff"), NoResponseError, "no complete response within 0.2 s", options=LATE),
        fails("100 Continue forever", slowly(b"HTTP/1.1 100 Continue\r\n\r\n"), NoResponseError, "no complete response within 0.2 s", options=LATE),
        fails("103 Early Hints forever, without pauses", lambda exchange: exchange.trickle(itertools.repeat(b"HTTP/1.1 103 X\r\nLink: </a>\r\n\r\n"), 0), NoResponseError, "no complete response within 0.2 s", options=LATE),
        reads("closed without notice after the response, before the next request", (then(http(page(1, total=2))), http(page(2, total=2))), "1 2", options=TWICE),
        fails("closed at the second request", (http(page(1, total=2)), hangs_up), NoResponseError, "no complete response", "1"),
        reads("closed at the second request, which is retried", (http(page(1, total=2)), hangs_up, http(page(2, total=2))), "1 2", options=TWICE),
        reads("`Connection: close` with each response", (then(http(page(1, total=2), Connection="close")), http(page(2, total=2))), "1 2"),
    ],
    "TLS": [
        reads("a trusted certificate, for comparison", GOOD, "1", tls="good"),
        fails("an untrusted certificate", (), NotSentError, "CERTIFICATE_VERIFY_FAILED", requests=0, tls="untrusted"),
        fails("a certificate of another host", (), NotSentError, "CERTIFICATE_VERIFY_FAILED", requests=0, tls="another host"),
        fails("an expired certificate", (), NotSentError, "certificate has expired", requests=0, tls="expired"),
        fails("a bad certificate is not retried", (), NotSentError, "CERTIFICATE_VERIFY_FAILED", requests=0, tls="untrusted", options=THRICE),
        fails("plain HTTP instead of TLS", (), NotSentError, "no connection to https://", requests=0, scheme="https", connects=(greeting(http(b"", 400)),)),
        fails("TLS instead of plain HTTP", (), NoResponseError, "no complete response", requests=0, tls="good", scheme="http"),
        fails("closed in the middle of the handshake", (), NotSentError, "no connection to https://", requests=0, scheme="https", connects=(greeting(b""),)),
        fails("reset in the middle of the handshake", (), NotSentError, "no connection to https://", requests=0, scheme="https", connects=(resets,)),
        fails("no response to the handshake", (), NotSentError, "no connection to https://", requests=0, scheme="https", connects=(waits,), options={"timeout": (0.1, 2)}),
        fails("a TLS alert", (), NotSentError, "no connection to https://", requests=0, scheme="https", connects=(greeting(b"\x15\x03\x03\x00\x02\x02\x28"),)),
        fails("closed without notice in the middle of the body", then(HALF, resets), NoResponseError, "no complete response", tls="good"),
        fails("closed without notice, with an unknown length", then(http(TEXT[:-5], length=""), hangs_up), ContractError, NOT_JSON, tls="good"),
    ],
    "proxy": [
        fails("407 to CONNECT, which is not retried", http(b"", 407), ProxyError, "(the proxy of the option proxy returned 407: check its user and password).", scheme="https", proxied=True, options=THRICE),
        fails("401 to CONNECT, which is not retried", http(b"", 401), ProxyError, "proxy returned 401: check its user and password).", scheme="https", proxied=True, options=THRICE),
        fails("403 to CONNECT, which is not retried", html(403), ProxyError, "(the proxy of the option proxy returned 403: it does not permit this).", scheme="https", proxied=True, options=THRICE),
        fails("451 to CONNECT, which is not retried", html(451), ProxyError, "(the proxy of the option proxy returned 451).", scheme="https", proxied=True, options=THRICE),
        fails("502 to CONNECT", html(502), NotSentError, "(the proxy of the option proxy returned 502).", scheme="https", proxied=True),
        fails("502 to CONNECT, three times", html(502), NotSentError, "returned 502). Tried 3 times", scheme="https", proxied=True, requests=3, options=THRICE),
        fails("407 instead of the bridge's response", http(b"", 407, Proxy_Authenticate="Basic"), ProxyError, "(the proxy of the option proxy returned 407: check its user and password).", proxied=True, options=THRICE),
        fails("401 of tinyproxy instead of the bridge's response", html(401, Server="tinyproxy/1.11.1"), ProxyError, "returned 401: check its user", proxied=True, options=THRICE),
        fails("401 of tinyproxy is no reason for a new token", (grant(), html(401, Server="tinyproxy/1.11.1")), ProxyError, "returned 401: check its user", proxied=True, auth=oauth),
        fails("403 of tinyproxy instead of the bridge's response", html(403, Server="tinyproxy/1.11.1"), ProxyError, "returned 403: it does not permit this", proxied=True),
        fails("403 of Squid instead of the bridge's response", html(403, Server="squid/5.7", X_Squid_Error="ERR_ACCESS_DENIED 0"), ProxyError, "returned 403: it does not permit this", proxied=True),
        fails("403 of the bridge through Squid", html(403, Server="bridge", Via="1.1 vm (squid/5.7)"), ForbiddenError, "the bridge does not accept the credential", proxied=True),
        fails("401 of the bridge through tinyproxy", html(401, Server="bridge", Via="1.1 vm (tinyproxy/1.11.1)"), UnauthorizedError, "the bridge does not accept the credential", proxied=True),
        fails("407 without a proxy", http(b"", 407), ProxyError, "(a proxy returned 407: check its user and password).", options=THRICE),
        fails("407 to the request for a token", http(b"", 407), AuthenticationError, "No token could be fetched. POST /token: no connection to http://", proxied=True, auth=oauth, options=THRICE),
        fails("closed at CONNECT", hangs_up, NoResponseError, "no complete response", scheme="https", proxied=True),
        fails("reset at CONNECT", resets, NoResponseError, "no complete response", scheme="https", proxied=True),
        fails("no response to CONNECT", waits, NoResponseError, "in time", scheme="https", proxied=True, options={"timeout": (0.5, 0.1)}),
        fails("garbage to CONNECT", then(b"SSH-2.0-OpenSSH_9.6\r\n"), NoResponseError, "no complete response", scheme="https", proxied=True),
        fails("200 to CONNECT, then no TLS", then(http(length=""), greeting(b"HTTP/1.0 400 X\r\n\r\n")), NotSentError, "no connection to https://", scheme="https", proxied=True),
        fails("200 to CONNECT, then closed", then(http(length="")), NotSentError, "no connection to https://", scheme="https", proxied=True),
        fails("connection refused", (), NotSentError, "refused; through the proxy of the option proxy)", requests=0, refused_first=99, scheme="https", proxied=True),
        fails("the proxy's own page instead of the bridge's response", html(), ContractError, NOT_JSON, proxied=True),
        fails("the proxy's own 504", html(504), ServerError, "returned 504 Gateway Timeout", proxied=True),
    ],
    "framing": [
        fails("a length that is too large", then(http(TEXT, length=len(TEXT) + 9)), NoResponseError, "without sending complete message body"),
        fails("a length that is too small", then(http(TEXT, length=len(TEXT) - 9)), ContractError, NOT_JSON),
        fails("a length of 0 with a body", then(http(TEXT, length=0)), ContractError, bad("an empty body")),
        fails("a length that is not a number", then(http(TEXT, length="many")), NoResponseError, "no complete response"),
        fails("a negative length", then(http(TEXT, length=-1)), NoResponseError, "no complete response"),
        fails("two lengths that differ", then(http(TEXT, Content_length="5")), NoResponseError, "no complete response"),
        reads("two lengths that agree", then(http(TEXT, Content_length=str(len(TEXT)))), "1"),
        reads("no length, and closed at the end", then(http(TEXT, length="")), "1"),
        fails("no length, and closed before the end", then(http(TEXT[:-9], length="")), ContractError, NOT_JSON),
        fails("no length, and reset before the end", then(http(TEXT[:-9], length=""), resets), NoResponseError, "no complete response"),
        reads("HTTP/1.0 without length", then(GOOD.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Content-Length", b"X-Length")), "1"),
        fails("HTTP/1.0 without length, cut off", then(HALF.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Content-Length", b"X-Length")), ContractError, NOT_JSON),
        reads("chunks", chunked(CHUNKS + b"0\r\n\r\n"), "1"),
        reads("chunks with extensions and trailers", chunked(CHUNKS.replace(b"\r", b";a=b\r", 1) + b"0\r\nX-Sum: 1\r\n\r\n"), "1"),
        reads("chunks, and a wrong length", chunked(CHUNKS + b"0\r\n\r\n", Content_length="5"), "1"),
        fails("a chunk size that is not a number", then(chunked(b"zz\r\n" + TEXT)), NoResponseError, "no complete response"),
        fails("an endless chunk size", then(chunked(b"f" * 200_000)), NoResponseError, "no complete response"),
        fails("a chunk that is longer than its size", then(chunked(b"2\r\n" + TEXT + b"\r\n0\r\n\r\n")), NoResponseError, "no complete response"),
        fails("closed in the middle of a chunk", then(chunked(CHUNKS[:-9])), NoResponseError, "without sending complete message body"),
        fails("closed before the last chunk", then(chunked(CHUNKS)), NoResponseError, "without sending complete message body"),
        fails("an unknown transfer coding", then(http(TEXT, length="", Transfer_Encoding="squeezed")), NoResponseError, "no complete response"),
        fails("endless headers", lambda exchange: exchange.trickle(itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"X-Flood: 1\r\n" * 1000)), 0), NoResponseError, "no complete response"),
        fails("one endless header", lambda exchange: exchange.trickle(itertools.chain([b"HTTP/1.1 200 OK\r\nX: "], itertools.repeat(b"x" * 9999)), 0), NoResponseError, "no complete response"),
        fails("a header without a colon", then(http(TEXT, nonsense="1").replace(b"nonsense:", b"nonsense")), NoResponseError, "no complete response"),
        fails("a header with a NUL", then(http(TEXT, X_Null="\0")), NoResponseError, "no complete response"),
        reads("headers that are not ASCII", http(TEXT, X_Name="M\u00fcller \u20ac").replace("\u20ac".encode(), b"\xff"), "1"),
        reads("a header over two lines", http(TEXT, X_Long="a\r\n b"), "1"),
        reads("lines that end in LF only", http(ONE).replace(b"\r\n", b"\n"), "1"),
        reads("a status without a phrase", GOOD.replace(b"200 X", b"200"), "1"),
        reads("a phrase that is neither ASCII nor UTF-8", GOOD.replace(b"200 X", b"200 \xff"), "1"),
        fails("a status of four digits", then(http(ONE, "2000")), NoResponseError, "no complete response"),
        fails("a status that is not a number", then(http(ONE, "OK")), NoResponseError, "no complete response"),
        fails("a status of 0", then(http(ONE, "000")), NoResponseError, "no complete response"),
        fails("HTTP/2 instead of HTTP/1.1", then(GOOD.replace(b"HTTP/1.1", b"HTTP/2")), NoResponseError, "no complete response"),
        fails("no status line (HTTP/0.9)", then(b"<html>old</html>\r\n\r\n"), NoResponseError, "no complete response"),
        fails("another protocol", then(b"SSH-2.0-OpenSSH_9.6\r\n"), NoResponseError, "no complete response"),
        fails("random bytes", then(bytes(range(256)) * 40), NoResponseError, "no complete response"),
        fails("a server that speaks first", (), NoResponseError, "no complete response", requests=0, connects=(then(b"220 mail.example ESMTP\r\n", greeting(b"500 what\r\n")),)),
        reads("100 Continue before the response", b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD, "1"),
        reads("103 Early Hints before the response", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + GOOD, "1"),
        reads("a response sent twice, with links", (http(page(1, following="?c=2")) * 2, http(page(2, total=None))), "1 2"),
        reads("a response sent twice, with page numbers", (http(page(1, total=2)) * 2, http(page(2, total=2))), "1 2"),
        reads("bytes after the response", (GOOD + b"\r\n\r\n",), "1"),
        reads("bytes after the response that would corrupt the next one", (http(page(1, total=2)) + b"nonsense\r\n\r\n", http(page(2, total=2))), "1 2"),
        reads("an invalid cookie", http(TEXT, Set_Cookie="\x7f=;;=; expires=never; domain=.."), "1"),
    ],
    "statuses": [
        *(
            fails(f"{status}, documented body", http({"errorCode": "E", "userMessage": "Why."}, status), kind, f"returned {status} {phrase}: Why (E)")
            for status, kind, phrase in (
                (400, BadRequestError, "Bad Request"), (401, UnauthorizedError, "Unauthorized"), (403, ForbiddenError, "Forbidden"),
                (404, NotFoundError, "Not Found"), (409, ConflictError, "Conflict"), (429, TooManyRequestsError, "Too Many Requests"),
                (500, ServerError, "Internal Server Error"), (503, ServerError, "Service Unavailable"),
            )
        ),
        fails("422, documented body", http({"errorCode": "E", "userMessage": "Why."}, 422), UnprocessableContentError, ": Why (E)"),
        *(
            fails(f"{status}, a gateway's page", html(status), kind, f"returned {status}")
            for status, kind in (
                (400, BadRequestError), (401, UnauthorizedError), (403, ForbiddenError), (404, NotFoundError), (418, StatusError), (499, StatusError),
                (500, ServerError), (502, ServerError), (503, ServerError), (504, ServerError), (520, ServerError), (561, ServerError), (999, StatusError),
            )
        ),
        fails("500, a body that is not UTF-8", http(b"\xff\xfe{", 500), ServerError, "returned 500 Internal Server Error."),
        fails("500, nested 600 deep", http(b'{"details":' + b"[" * 600 + b"]" * 600 + b"}", 500), ServerError, "returned 500 Internal Server Error."),
        fails("500, nested 100,000 deep", http(b'{"details":' + b"[" * 100_000, 500), ServerError, "returned 500 Internal Server Error."),
        fails("400, details of another shape", http({"userMessage": "Why", "details": {"message": ["x"]}}, 400), BadRequestError, "400 Bad Request: Why"),
        fails("400, control characters in the message", http({"userMessage": "Why\x1b[31m\r\nX: y"}, 400), BadRequestError, "Why [31m  X: y."),
        fails("503, a body that cannot be decompressed", http(b"plain", 503, Content_Encoding="gzip"), ServerError, "returned 503 Service Unavailable with a body that cannot be decompressed."),
        fails("404, more than `max_bytes`", html(404, "x" * 999), NotFoundError, "returned 404", options={"max_bytes": 100}),
        fails("500, a body that breaks off", then(http(b"{", 500, length=50)), NoResponseError, "without sending complete message body"),
        fails("429, Retry-After in seconds", http({}, 429, Retry_After="7"), TooManyRequestsError, "Retry after 7 s."),
        fails("429, Retry-After as a date", http({}, 429, Retry_After="Sun, 06 Nov 1994 08:49:37 GMT"), TooManyRequestsError, "Retry after 0 s."),
        fails("429, Retry-After longer than the client waits", http({}, 429, Retry_After="3600"), TooManyRequestsError, "Retry after 3600 s.", options=THRICE),
        fails("429, Retry-After in more than a year", http({}, 429, Retry_After="1000000000"), TooManyRequestsError, "429 Too Many Requests. Tried 3 times.", requests=3, options=THRICE),
        fails("429, Retry-After as a date in more than a year", http({}, 429, Retry_After="Fri, 01 Jan 2100 00:00:00 GMT"), TooManyRequestsError, "429 Too Many Requests. Tried 3 times.", requests=3, options=THRICE),
        fails("429, Retry-After as a date in an unknown zone, hours from now", http({}, 429, Retry_After=later(7200).replace("GMT", "CEST")), TooManyRequestsError, "429 Too Many Requests. Tried 3 times.", requests=3, options=THRICE),
        fails("429, endless Retry-After", http({}, 429, Retry_After="9" * 999), TooManyRequestsError, "429 Too Many Requests. Tried 3 times.", requests=3, options=THRICE),
        fails("429, invalid Retry-After", http({}, 429, Retry_After="soon \xff"), TooManyRequestsError, "429 Too Many Requests. Tried 3 times.", requests=3, options=THRICE),
        fails("503, Retry-After as an impossible date", http({}, 503, Retry_After="Sun, 06 Nov 99999999999 08:49:37 GMT"), ServerError, "returned 503"),
        *(
            fails(f"{status} to another origin", http(b"", status, Location="https://bridge.example/login"), StatusError, "redirects are not followed")
            for status in (301, 302, 303, 307, 308)
        ),
        fails("302 to the same origin", http(b"", 302, Location="/other"), StatusError, "302 Found: redirects are not followed"),
        fails("302 to itself", http(b"", 302, Location=PATH), StatusError, "302 Found: redirects are not followed"),
        fails("302 to an invalid URL", http(b"", 302, Location="http://[::1"), StatusError, "302 Found: redirects are not followed"),
        fails("302 to an invalid host", http(b"", 302, Location="https://xn--/"), StatusError, "302 Found: redirects are not followed"),
        fails("302 to an invalid port", http(b"", 302, Location="https://a:99999/"), StatusError, "302 Found: redirects are not followed"),
        fails("302 without Location", http(b"", 302), StatusError, "302 Found: redirects are not followed"),
        fails("304", http(b"", 304), StatusError, "returned 304 Not Modified"),
        fails("300", http(ONE, 300), StatusError, "returned 300"),
        fails("101", then(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"), NoResponseError, "no complete response"),
        fails("201, not declared", http(ONE, 201), ContractError, "returned 201, which the contract does not declare"),
        fails("204, not declared", http(b"", 204, length=""), ContractError, "returned 204, which the contract does not declare"),
        fails("206, not declared", http(TEXT[:40], 206), ContractError, "returned 206, which the contract does not declare"),
    ],
    "retries": [
        reads("503, then good", (BUSY, GOOD), "1", options=TWICE),
        reads("500, 502, 504, then good", (html(500), html(502), html(504), GOOD), "1", options={"retry": Retry()}),
        reads("408 and 429, then good", (html(408), html(429, Retry_After="1"), GOOD), "1", options=THRICE),
        reads("429 with a date, then good", (html(429, Retry_After=later(5)), GOOD), "1", options=THRICE),
        reads("429 with a fraction of a second, then good", (html(429, Retry_After="0.5"), GOOD), "1", options=THRICE),
        reads("429 with a date in an unknown zone, then good", (html(429, Retry_After=later(5).replace("GMT", "CEST")), GOOD), "1", options=THRICE),
        reads("429 with seconds since 1970, then good", (html(429, Retry_After=f"{time.time() + 5:.0f}"), GOOD), "1", options=THRICE),
        reads("429 with milliseconds since 1970, an hour from now, then good", (html(429, Retry_After=f"{time.time() + 3600:.0f}000"), GOOD), "1", options=THRICE),
        fails("503 forever", BUSY, ServerError, "503 Service Unavailable: Wait (BUSY). Tried 3 times.", requests=3, options=THRICE),
        fails("501, which is not retried", html(501), ServerError, "returned 501 Not Implemented.", options=THRICE),
        fails("400, which is not retried", html(400), BadRequestError, "returned 400 Bad Request.", options=THRICE),
        reads("refused, refused, then good", GOOD, "1", refused_first=2, options=THRICE),
        fails("refused forever", (), NotSentError, "Tried 3 times", requests=0, refused_first=99, options=THRICE),
        reads("reset, then good", (resets, GOOD), "1", options=TWICE),
        reads("a body that breaks off, then good", (then(HALF), GOOD), "1", options=TWICE),
        reads("no response in time, then good", (waits, GOOD), "1", options=TWICE | QUICK),
        reads("garbage, then good", (then(b"nonsense\r\n\r\n"), GOOD), "1", options=TWICE),
        reads("503 at the second page, then good", (http(page(1, total=2)), BUSY, http(page(2, total=2))), "1 2", options=TWICE),
        fails("503 at the second page forever", (http(page(1, total=2)), BUSY), ServerError, "Tried 3 times", "1", requests=4, options=THRICE),
        fails("a page that is not JSON, which is not retried", html(), ContractError, NOT_JSON, options=THRICE),
    ],
    "bodies": [
        fails("HTML with 200", html(), ContractError, f"{NOT_JSON} (text/html)"),
        fails("HTML as JSON with 200", http(b"<html>"), ContractError, f"{NOT_JSON} (application/json)"),
        reads("good JSON as text/html", http(TEXT, Content_Type="text/html"), "1"),
        reads("good JSON without a type", http(TEXT, Content_Type=""), "1"),
        reads("good JSON as another charset", http(TEXT, Content_Type="application/json; charset=x-none"), "1"),
        fails("an empty body", http(), ContractError, bad("an empty body")),
        fails("only blanks", http(b"  \r\n"), ContractError, NOT_JSON),
        fails("truncated", http(TEXT[:-1]), ContractError, NOT_JSON),
        fails("two documents", http(TEXT * 2), ContractError, NOT_JSON),
        fails("a prefix against hijacking", http(b")]}',\n" + TEXT), ContractError, NOT_JSON),
        fails("NaN", body({"amount": float("nan")}), ContractError, NOT_JSON),
        fails("Infinity", body({"amount": float("inf")}), ContractError, NOT_JSON),
        fails("single quotes", http(TEXT.replace(b'"', b"'")), ContractError, NOT_JSON),
        fails("one comma too many", http(TEXT.replace(b"]", b",]")), ContractError, NOT_JSON),
        fails("control characters in a string", http(TEXT.replace(b'"1"', b'"1\n"')), ContractError, NOT_JSON),
        fails("bytes that are not UTF-8", http(TEXT.replace(b"1", b"\xff")), ContractError, NOT_JSON),
        fails("text in Latin-1", http('{"status": "bezahlt für"}'.encode("latin-1")), ContractError, NOT_JSON),
        reads("UTF-8 with a byte order mark", http(b"\xef\xbb\xbf" + TEXT), "1"),
        reads("UTF-16", http(json.dumps(ONE).encode("utf-16")), "1"),
        reads("UTF-32 without a byte order mark", http(json.dumps(ONE).encode("utf-32-be")), "1"),
        reads("half a surrogate pair", body({"invoice_number": "1", "status": "\ud800"}), "1"),
        fails("arrays nested 100,000 deep", http(b"[" * 100_000), ContractError, NOT_JSON),
        fails("objects nested 100,000 deep, closed", http(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), ContractError, NOT_JSON),
        fails("an unknown field nested 100,000 deep", http(TEXT[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"), ContractError, NOT_JSON),
        fails("a number of 5,000 digits", http(TEXT.replace(b'"1"', b"1" * 5000)), ContractError, NOT_JSON),
        reads("a number of 4,000 digits", http(TEXT.replace(b'"1"', b"1" * 4000)), "1" * 4000, (f"{AT}[*].invoice_number", "string", "integer", 1)),
        reads("a number beyond all floats", http(TEXT.replace(b'"1"', b"1e999")), "1e999", (f"{AT}[*].invoice_number", "string", "number", 1)),
        reads("a list twice in one object: the last one wins", http(b'{"_embedded": {"invoices": [{"amount": "1"}], "invoices": [{"invoice_number": "2"}]}, "total": 1}'), "2"),
        reads("a field twice in one invoice: the last one wins", http(b'{"_embedded": {"invoices": [{"amount": "1", "invoice_number": "2", "amount": "2"}]}, "total": 1}'), "2"),
        reads("gzip", gzipped(gzip.compress(TEXT)), "1"),
        *(
            fails(f"{coding}, which was not requested", http(content, Content_Encoding=coding), ContractError, bad(f"a body in the content coding {coding}, which the client did not request"), options=THRICE)
            for coding, content in (("deflate", zlib.compress(TEXT)), ("br", BROTLI), ("zstd", ZSTD), ("Compress", b"\x1f\x9d\x90"), ("gzip, br", BROTLI), ("gzip, gzip", gzip.compress(gzip.compress(TEXT))))
        ),
        fails("400 in br, which was not requested", http(BROTLI, 400, Content_Encoding="br"), BadRequestError, "returned 400 Bad Request with a body in the content coding br, which the client did not request."),
        fails("a token in br, which was not requested", http(BROTLI, Content_Encoding="br"), AuthenticationError, "a body in the content coding br, which the client did not request", auth=oauth),
        fails("401 in br instead of a token", http(BROTLI, 401, Content_Encoding="br"), AuthenticationError, "/token returned 401: a body in the content coding br, which the client did not request", auth=oauth),
        reads("gzip in two members", gzipped(gzip.compress(TEXT[:20]) + gzip.compress(TEXT[20:])), "1"),
        reads("gzip in capitals", http(gzip.compress(TEXT), Content_Encoding="GZIP"), "1"),
        fails("gzip, truncated", gzipped(gzip.compress(TEXT)[:-12]), ContractError, "cannot be decompressed"),
        fails("gzip, only its checksum is missing", gzipped(gzip.compress(TEXT)[:-8]), ContractError, "cannot be decompressed"),
        fails("gzip, corrupt", gzipped(gzip.compress(TEXT)[:20] + b"\xff" * 30), ContractError, "cannot be decompressed"),
        fails("gzip, wrong checksum", gzipped(gzip.compress(TEXT)[:-8] + b"\0" * 8), ContractError, "cannot be decompressed"),
        fails("gzip that is plain text", gzipped(TEXT), ContractError, "cannot be decompressed"),
        fails("gzip without the header", http(gzip.compress(TEXT)), ContractError, NOT_JSON),
        fails("gzip of no bytes", gzipped(b""), ContractError, bad("an empty body")),
        fails("an unknown content coding", http(b"#" * 30, Content_Encoding="x-squeezed"), ContractError, f"{NOT_JSON} (application/json; Content-Encoding: x-squeezed)."),
        reads("a content coding that means nothing", http(TEXT, Content_Encoding="utf-8"), "1"),
        fails("more than `max_bytes`", http(TEXT), ContractError, "with more than 20 bytes: raise max_bytes", options={"max_bytes": 20}),
        fails("more than `max_bytes` once decompressed", gzipped(gzip.compress(b" " * 99_999)), ContractError, "with more than 20000 bytes", options={"max_bytes": 20_000}),
        fails("endless, more than `max_bytes`", lambda exchange: exchange.trickle(itertools.chain([http(length="")], itertools.repeat(b" " * 999)), 0), ContractError, "with more than 20000 bytes", options={"max_bytes": 20_000}),
        fails("compressed twice, 1 GiB", http(BOMB, Content_Encoding="gzip, gzip"), ContractError, "the content coding gzip, gzip, which", options={"max_bytes": 20_000}),
    ],
    "shapes": [
        reads("numbers for strings, digits kept", http(b'{"_embedded": {"invoices": [{"invoice_number": 3700.00}, {"invoice_number": 12345678901234567890}]}, "total": 2}'), "3700.00 12345678901234567890", (f"{AT}[*].invoice_number", "string", "number", 1), (f"{AT}[*].invoice_number", "string", "integer", 1)),
        fails("numbers for strings, strict", body({"invoice_number": 1}), ContractError, f"expected string at {AT}[0].invoice_number, got integer", options=STRICT),
        fails("true instead of a string", body({"invoice_number": True}), ContractError, f"expected string at {AT}[0].invoice_number, got boolean"),
        fails("an object for a string", body({"invoice_number": {}}), ContractError, "got object"),
        fails("a list for a string", body({"amount": ["1"]}), ContractError, f"expected string at {AT}[0].amount, got array"),
        reads("digits instead of an integer", http(page(1) | {"total": "1"}), "1", ("$.total", "integer", "string", 1)),
        fails("digits instead of an integer, strict", http(page(1) | {"total": "1"}), ContractError, "expected integer at $.total, got string", options=STRICT),
        reads("a whole number with a fraction for an integer", http(page(1) | {"total": 1.0}), "1"),
        fails("a fraction for an integer", http(page(1) | {"total": 1.5}), ContractError, "expected integer at $.total, got number"),
        fails("a word for an integer", http(page(1) | {"total": "many"}), ContractError, "expected integer at $.total, got string"),
        fails("true for an integer", http(page(1) | {"total": True}), ContractError, "expected integer at $.total, got boolean"),
        fails("a total beyond all floats", http(TEXT[:-1] + b', "total": 1e999}'), ContractError, "expected integer at $.total, got number"),
        fails("a total of 20 digits as text", (http(page(1) | {"total": "9" * 20}), http(page() | {"total": "9" * 20})), IncompleteError, f"ended after 1 of {'9' * 20} items", "1", deviations=(("$.total", "integer", "string", 1),) * 2),
        reads("a date-time for a date", body(INVOICE | {"invoice_due_date": "2023-07-22T00:00:00Z"}), "1", (f"{AT}[*].invoice_due_date", "date", "date-time", 1)),
        reads("a date in another form", body(INVOICE | {"invoice_due_date": "20230722"}), "1", (f"{AT}[*].invoice_due_date", "date", "date of another form", 1)),
        reads("an unreadable date", body(INVOICE | {"invoice_due_date": "22.07.2023"}), "1", (f"{AT}[*].invoice_due_date", "date", "text that is not a date", 1)),
        reads("a day that does not exist", body(INVOICE | {"invoice_due_date": "2023-02-30"}), "1", (f"{AT}[*].invoice_due_date", "date", "text that is not a date", 1)),
        reads("an empty date, in two invoices", body(INVOICE | {"invoice_due_date": ""}, {"invoice_number": "2", "invoice_due_date": ""}), "1 2", (f"{AT}[*].invoice_due_date", "date", "empty string", 2)),
        reads("seconds instead of a date", body(INVOICE | {"invoice_due_date": 1690000000}), "1", (f"{AT}[*].invoice_due_date", "date", "text that is not a date", 1)),
        fails("an empty date, strict", body(INVOICE | {"invoice_due_date": ""}), ContractError, f"expected date at {AT}[0].invoice_due_date, got empty string", options=STRICT),
        fails("a date-time for a date, strict", body(INVOICE | {"invoice_due_date": "2023-07-22T00:00:00Z"}), ContractError, "got date-time", options=STRICT),
        fails("an object for a date", body(INVOICE | {"invoice_due_date": {"year": 2023}}), ContractError, f"expected date at {AT}[0].invoice_due_date, got object"),
        reads("null for a field", body(INVOICE | {"amount": None}), "1", (f"{AT}[*].amount", "string", "null", 1)),
        fails("null for a field, strict", body(INVOICE | {"amount": None}), ContractError, "got null", options=STRICT),
        reads("null for a list in an invoice", body(INVOICE | {"invoice_items_details": None}), "1", (f"{AT}[*].invoice_items_details", "array", "null", 1)),
        reads("null for the list", http({"_embedded": {"invoices": None}}), "", ("$._embedded.invoices", "array", "null", 1)),
        fails("null for the list, and a total", http({"_embedded": {"invoices": None}, "total": 3}), IncompleteError, "ended after 0 of 3 items", deviations=(("$._embedded.invoices", "array", "null", 1),)),
        fails("null in the list", body(INVOICE, None), ContractError, f"expected object at {AT}[1], got null"),
        fails("null for the envelope", http({"_embedded": None}), ContractError, NO_LIST),
        reads("null for the envelope, and a total of 0", http({"_embedded": None, "total": 0}), "", ("$._embedded", "object", "null", 1)),
        fails("null for the page", http(b"null"), ContractError, NO_LIST),
        reads("unknown fields", http({"_embedded": {"invoices": [INVOICE | {"x": [None, {"y": 1}]}], "z": 1}, "a": {}, "total": 1}), "1"),
        reads("unknown fields, strict", http({"_embedded": {"invoices": [INVOICE | {"x": 1}]}, "a": {}, "total": 1}), "1", options=STRICT),
        reads("a bare list", http([INVOICE, {"invoice_number": "2"}]), "1 2", BARE, NO_LENGTH, BARE, BARE, BARE, requests=4),
        reads("a bare list that is empty", http([]), "", ("$", "object", "array", 1)),
        fails("a bare list, strict", http([INVOICE]), ContractError, "expected object at $, got array", options=STRICT),
        fails("a bare list of something else", http(["1"]), ContractError, "expected object at $[0], got string"),
        reads("a bare invoice", http(INVOICE), "1", SINGLE, NO_LENGTH, SINGLE, SINGLE, SINGLE, requests=4),
        fails("a bare invoice, strict", http(INVOICE), ContractError, "expected object with a list at $", options=STRICT),
        fails("an error sent with 200", http({"errorCode": "NO", "userMessage": "Why"}), ContractError, "got an error that was sent as a success"),
        fails("an error sent with 200, with a total", http({"errorCode": "NO", "total": 3}), ContractError, "got an error that was sent as a success"),
        fails("an error sent with 200, with an empty list", http({"errorCode": "NO", "_embedded": {"invoices": []}}), ContractError, "got an error that was sent as a success"),
        fails("an empty object", http({}), ContractError, NO_LIST),
        fails("a list for the envelope", http({"_embedded": [INVOICE]}), ContractError, NO_LIST),
        fails("a string for the list", http({"_embedded": {"invoices": "1"}}), ContractError, f"expected array at {AT}, got string"),
        fails("an object for the list", http({"_embedded": {"invoices": INVOICE}}), ContractError, f"expected array at {AT}, got object"),
        fails("the list under another name", http({"_embedded": {"Invoices": [INVOICE]}}), ContractError, NO_LIST),
        fails("the list outside its envelope", http({"invoices": [INVOICE]}), ContractError, NO_LIST),
        fails("text in the list", body("1"), ContractError, f"expected object at {AT}[0], got string"),
        fails("a list in the list", body([INVOICE]), ContractError, f"expected object at {AT}[0], got array"),
        fails("a number for the page", http(5), ContractError, NO_LIST),
        fails("text for the page", http("no"), ContractError, NO_LIST),
        fails("JSON in a string", http(json.dumps(ONE)), ContractError, NO_LIST),
    ],
    "paging": [
        reads("an absolute link", (linked(1, lambda at: f"{url(at)}{PATH}?c=2"), http(page(2, total=None))), "1 2"),
        reads("a relative link", (linked(1, f"{PATH}?c=2"), http(page(2, total=None))), "1 2"),
        reads("a link that is a query only", (linked(1, "?c=2"), http(page(2, total=None))), "1 2"),
        reads("a link with capitals in scheme and host, and a fragment", (linked(1, lambda at: f"{url(at).replace('http', 'HTTP')}{PATH}?c=2#x"), http(page(2, total=None))), "1 2"),
        reads("braces in a cursor", (linked(1, '?c={"id":2}'), http(page(2, total=None))), "1 2"),
        fails("a link that is a template", linked(1, "?c=1{&c}"), PagingError, "is a template", "1"),
        fails("a link to another host", linked(1, "https://bridge.example/x"), PagingError, "another host", "1"),
        fails("a link to another port", linked(1, lambda at: f"{at.server.scheme}://127.0.0.1:{at.server.port - 1}/"), PagingError, "another host, scheme or port", "1"),
        fails("a link to another scheme", linked(1, lambda at: url(at).replace("https:", "http:") if at.server.scheme == "https" else url(at).replace("http:", "https:")), PagingError, "another host, scheme or port", "1"),
        fails("a link to another host, without a scheme", linked(1, "//bridge.example/x"), PagingError, "must begin with https://", "1"),
        fails("a link with a user", linked(1, lambda at: url(at).replace("//", "//127.0.0.1@")), PagingError, "must not contain a user", "1"),
        fails("a link with a scheme other than HTTP", linked(1, "file:///etc/passwd"), PagingError, "cannot be followed", "1"),
        fails("a link to an invalid host", linked(1, "https://xn--/x"), PagingError, "another host", "1"),
        fails("a link that is not a URL", linked(1, "http://["), PagingError, "page 1 is not a URL that can be followed", "1"),
        fails("a link with a line break", linked(1, "?c=2\r\nX: y"), PagingError, "is not a URL that can be followed", "1"),
        fails("a link with a line break in its path", linked(1, lambda at: f"{url(at)}/\r\nX: y"), PagingError, "is not a URL that can be followed", "1"),
        reads("a link with a blank", (linked(1, "?c=2 3"), http(page(2, total=None))), "1 2"),
        reads("a link with non-ASCII letters", (linked(1, "?c=\u00fc"), http(page(2, total=None))), "1 2"),
        fails("a link with half a surrogate pair", linked(1, "?c=\ud800"), PagingError, "is not a URL that can be followed", "1"),
        fails("a link of 100,000 characters", linked(1, "?c=" + "x" * 100_000), PagingError, "is not a URL that can be followed", "1"),
        *(reads(f"no next link: {json.dumps(link)}", http(page(1) | {"_links": {"next": link}}), "1") for link in NO_LINK),
        reads("a link that is text", (http(page(1, total=2) | {"_links": {"next": "?c=2"}}), http(page(2, total=2))), "1 2"),
        reads("a link in a list", (http(page(1, total=2) | {"_links": {"next": [{"href": "?c=2"}]}}), http(page(2, total=2))), "1 2"),
        fails("two next links", http(page(1) | {"_links": {"next": [{"href": "?c=2"}, {"href": "?c=3"}]}}), PagingError, "there are 2 next links", "1"),
        fails("a link that is a number", http(page(1) | {"_links": {"next": {"href": 5}}}), PagingError, "the href of the next link is not text", "1"),
        reads("a link with the host behind a gateway", (linked(1, f"http://internal:8081{PATH}?c=2"), http(page(2, total=None))), "1 2"),
        reads("a link with a user and the host behind a gateway", (linked(1, f"http://u:p@internal{PATH}?c=2"), http(page(2, total=None))), "1 2"),
        reads("a link with the path behind a gateway", (linked(1, f"/context{PATH}?c=2"), http(page(2, total=None))), "1 2"),
        reads("a link in capitals, with a session and a closing slash", (linked(1, f"{PATH.upper()};jsessionid=5/?c=2"), http(page(2, total=None))), "1 2"),
        reads("a cursor in the path of a link", (linked(1, f"{PATH}/after/2"), http(page(2, total=None))), "1 2"),
        fails("a link to another account", linked(1, f"{PATH[:-1]}2?c=2"), PagingError, "leads to a list with other arguments", "1"),
        fails("a link to another account at another host", linked(1, f"https://bridge.example{PATH[:-1]}2?c=2"), PagingError, "another host", "1"),
        reads("a last page with a link to itself", (linked(1, "?c=2"), http(page(2, total=2, following="?c=2"))), "1 2"),
        fails("404 for the second page", (http(page(1, total=2)), html(404)), PagingError, "page 2 of the list does not exist (404)", "1"),
        fails("410 for the page of a link", (linked(1, "?c=2"), html(410)), PagingError, "page 2 of the list does not exist (410)", "1"),
        reads("404 for the page of a link, after all items", (http(page(1, total=1, following="?c=2")), html(404)), "1"),
        fails("400 for the second page", (http(page(1, total=2)), html(400)), BadRequestError, "This was page 2 of the list.", "1"),
        fails("links in a list", http(page(1) | {"_links": [{"rel": "next", "href": "?c=2"}]}), PagingError, "`_links` is not an object", "1"),
        fails("a link to itself", linked(1, PATH), PagingError, "leads back to an earlier page", "1"),
        fails("links in a circle", (linked(1, "?c=2"), linked(2, "?c=3"), linked(3, "?c=2")), PagingError, "leads back", "1 2 3"),
        fails("links to new pages with the same items forever", lambda at: at.send(http(page(1, following=f"?c={len(at.server.requests)}"), Connection="close")), PagingError, "a page has items of an earlier page", "1", requests=2),
        reads("an empty page with a link", (http(page(following="?c=2")), http(page(1, total=None))), "1"),
        fails("empty pages with links forever", lambda at: at.send(http(page(following=f"?c={len(at.server.requests)}"), Connection="close")), PagingError, "11 empty pages in a row", requests=11),
        reads("page numbers", (http(page(1, 2, total=3)), http(page(3, total=3))), "1 2 3"),
        fails("a server that ignores `page`", http(page(1, 2, total=5)), PagingError, "a page has items of an earlier page", "1 2", requests=2),
        fails("a server that ignores `page` and changes the order", (http(page(1, 2, total=5)), http(page(2, 1, total=5))), PagingError, "a page has items of an earlier page", "1 2"),
        fails("a server that ignores `page` and adds a time", lambda at: at.send(http({"_embedded": {"invoices": [INVOICE], "time": len(at.server.requests)}, "total": 3}, Connection="close")), PagingError, "a page has items of an earlier page", "1", requests=2),
        fails("the last page for all following ones", (http(page(1, total=4)), http(page(2, total=4))), PagingError, "a page has items of an earlier page", "1 2", requests=3),
        fails("the first page again as the third", (http(page(1, total=4)), http(page(2, total=4)), http(page(1, total=4))), PagingError, "a page has items of an earlier page", "1 2"),
        reads("no total and no link, page by page", (http(page(1, 2, total=None)), http(page(1, 2, total=None)), http(page(3, total=None)), http(page(total=None))), "1 2 3", NO_LENGTH),
        reads("no total and no link, 404 after the last page", (http(page(1, total=None)), http(page(1, total=None)), html(404)), "1", NO_LENGTH),
        reads("no total and no link, page numbers ignored", http(page(1, 2, total=None)), "1 2", NO_LENGTH, requests=4),
        *(
            reads(f"no total and no link, {status} when a page that came again is compared", (*[http(page(1, total=None))] * 2, *[http(page(2, total=None))] * 2, html(status)), "1 2", NO_LENGTH)
            for status in (404, 410)
        ),
        fails("no total and no link, 503 when a page that came again is compared", (*[http(page(1, total=None))] * 2, *[http(page(2, total=None))] * 2, BUSY), ServerError, "This was page 3 of the list", "1 2", deviations=(NO_LENGTH,)),
        fails("no total and no link, the list shifted by a page", (*[http(page(1, 2, total=None))] * 3, http(page(8, 9, total=None))), PagingError, "a page has items of an earlier page", "1 2", deviations=(NO_LENGTH,)),
        reads("no total and no link, an empty list", http(page(total=None)), ""),
        fails("no total and no link, pages counted from 0", (http(page(1, total=None)), http(page(2, total=None))), PagingError, "does not count pages from 1", "1", deviations=(NO_LENGTH,)),
        fails("no total and no link, the first page changed", (http(page(1, 2, total=None)), http(page(0, 1, total=None))), PagingError, "the first page changed", "1 2", deviations=(NO_LENGTH,)),
        fails("no total and no link, strict", http(page(1, total=None)), ContractError, "got nothing", "1", options=STRICT),
        fails("no total and no link, 503 for the second page", (http(page(1, total=None)), http(page(1, total=None)), BUSY), ServerError, "This was page 2 of the list", "1", deviations=(NO_LENGTH,)),
        reads("a total on the second page only", (http(page(1, total=None)), http(page(1, total=None)), http(page(2, total=2))), "1 2", NO_LENGTH),
        fails("an empty page before the total", (http(page(1, 2, total=5)), http(page(total=5))), IncompleteError, "ended after 2 of 5 items", "1 2"),
        fails("a total that is too high", (http(page(1, total=9)), http(page(2, total=9)), http(page(total=9))), IncompleteError, "ended after 2 of 9 items", "1 2"),
        fails("a total that is too high, with links", (linked(1, "?c=2"), http(page(2, total=3))), IncompleteError, "ended after 2 of 3 items", "1 2"),
        reads("a total that is too low", http(page(1, 2, 3, total=1)), "1 2 3", ("$.total", "number of all items", "smaller number", 1)),
        fails("a total that is too low, strict", http(page(1, 2, 3, total=1)), ContractError, "got smaller number", "1 2 3", options=STRICT),
        reads("a total of 0, with items", http(page(1, 2, total=0)), "1 2", ("$.total", "number of all items", "smaller number", 1)),
        reads("a negative total", http(page(1, 2, total=-1)), "1 2", ("$.total", "number of all items", "smaller number", 1)),
        reads("a total that is text", (http(page(1) | {"total": "2"}), http(page(2) | {"total": "2"})), "1 2", ("$.total", "integer", "string", 1), ("$.total", "integer", "string", 1)),
        fails("a total without a list", http({"total": 3}), ContractError, NO_LIST),
        reads("a total that grows at the end of the list", (http(page(1, 2, total=3)), http(page(3, 4, total=4))), "1 2 3 4"),
        fails("a total that grows at the front, an invoice twice", (http(page(1, 2, total=4)), http(page(2, 3, total=5)), http(page(4, total=5))), PagingError, "page 2 has an item of page 1", "1 2", requests=2),
        fails("a total that grows, without a page for the rest", (http(page(1, 2, total=3)), http(page(3, total=4)), http(page(total=4))), IncompleteError, "ended after 3 of 4", "1 2 3"),
        fails("a total that shrinks and grows again, an invoice skipped", (http(page(1, 2, total=6)), http(page(4, 5, total=5)), http(page(6, 7, total=6))), IncompleteError, "ended after 6 of 7", "1 2 4 5 6 7"),
        fails("a total that shrinks, an invoice skipped", (http(page(1, 2, total=4)), http(page(4, total=3))), IncompleteError, "ended after 3 of 4", "1 2 4"),
        fails("a total on the first page only", (http(page(1, total=3)), http(page(2))), IncompleteError, "ended after 2 of 3", "1 2"),
        fails("503 at the second page", (http(page(1, total=2)), BUSY), ServerError, "503", "1"),
        fails("an error with 200 as the second page", (http(page(1, total=2)), http({"errorCode": "NO"})), ContractError, "got an error that was sent as a success", "1"),
        fails("HTML as the second page", (http(page(1, total=2)), html()), ContractError, NOT_JSON, "1"),
        fails("a second page that breaks off", (http(page(1, total=2)), then(HALF)), NoResponseError, "no complete response", "1"),
    ],
    "tokens": [
        reads("a token, for comparison", (grant(), GOOD), "1", auth=oauth),
        fails("the token server returns an error", http({"error": "invalid_client", "error_description": "no\nsuch"}, 401), AuthenticationError, "returned 401: invalid_client: no such", auth=oauth),
        fails("the token server returns an error without a reason", html(400), AuthenticationError, "returned 400 without giving a reason", auth=oauth),
        fails("the token server sends HTML with 200", html(), AuthenticationError, "no usable access_token", auth=oauth),
        fails("the token server sends a body that is not UTF-8", http(b"\xff\xfe\xfd"), AuthenticationError, "no usable access_token", auth=oauth),
        fails("the token server sends nesting 100,000 deep", http(b"[" * 100_000), AuthenticationError, "no usable access_token", auth=oauth),
        fails("the token server sends a number of 5,000 digits", http(b"1" * 5000), AuthenticationError, "no usable access_token", auth=oauth),
        fails("the token server is down", (), AuthenticationError, "No token could be fetched. POST /token: no connection to", requests=0, auth=oauth_nowhere),
        fails("the token server does not respond", waits, AuthenticationError, "did not respond in time", auth=oauth, options=QUICK),
        fails("the token server hangs up", hangs_up, AuthenticationError, "No token could be fetched. POST /token: no complete response", auth=oauth),
        fails("the token server fails", html(500), AuthenticationError, "returned 500", auth=oauth),
        reads("the token server fails, then gives a token", (html(503), grant(), GOOD), "1", auth=oauth, options=TWICE),
        fails("the token server redirects", http(b"", 302, Location="https://bridge.example/"), AuthenticationError, "returned 302", auth=oauth),
        fails("a compressed and corrupt token", gzipped(b"plain"), AuthenticationError, "cannot be decompressed", auth=oauth),
        fails("no token", http({"token_type": "Bearer"}), AuthenticationError, "no usable access_token", auth=oauth),
        fails("an empty token", grant(""), AuthenticationError, "no usable access_token", auth=oauth),
        fails("a token that is a number", grant(5), AuthenticationError, "no usable access_token", auth=oauth),
        fails("a token with a line break", grant(f"{TOKEN}\r\nX: y"), AuthenticationError, "no usable access_token", auth=oauth),
        fails("a token of another type", grant(token_type="mac"), AuthenticationError, "token_type is not bearer", auth=oauth),
        *(
            reads(f"{what} as the lifetime of a token", (grant(expires_in=life), http(page(1, total=2)), http(page(2, total=2))), "1 2", auth=oauth)
            for what, life in (("0 seconds", 0), ("text", "soon"), ("a negative number", -5), ("null", None), ("a number of 400 digits", 10**400))
        ),
        reads("401, then a new token, then good", (grant("old"), http({}, 401), grant(), GOOD), "1", auth=oauth),
        reads("401 at the second page, then a new token, then good", (grant("old"), http(page(1, total=2)), http({}, 401), grant(), http(page(2, total=2))), "1 2", auth=oauth),
        fails("401 forever", (grant(), html(401), grant(), html(401)), UnauthorizedError, "the bridge does not accept the credential", auth=oauth),
        fails("401, then no new token", (grant(), html(401), html(503)), AuthenticationError, "returned 503", auth=oauth),
        fails("401 that cannot be decompressed, forever", (grant(), http(b"x", 401, Content_Encoding="gzip"), grant(), http(b"x", 401, Content_Encoding="gzip")), UnauthorizedError, "returned 401", auth=oauth),
        fails("403, which a new token does not change", (grant(), html(403)), ForbiddenError, "returned 403", auth=oauth),
        fails("401 with a credential that cannot be renewed", html(401), UnauthorizedError, "the bridge does not accept the credential"),
    ],
    "arguments": [
        *(
            fails(f"the account {json.dumps(account)}", (), ArgumentError, "account_number must not be empty" if account == "" else "account_number must not be '.' or '..'", requests=0, account=account)
            for account in (
                "", ".", "..", "%2e", "%2e%2e", "%2E%2e", "%252e%252e", "a/..", "../x", "a//b", "..\\x", "a%2Fb", "a%5cb", "a%252fb",
                "a\r\nb", "a\0b", "a%00b", "a%0d%0ab", "\x7f", "\x85",
            )
        ),
        fails("an account with half a surrogate pair", (), ArgumentError, "cannot be sent", requests=0, account="\ud800"),
        fails("an account of 100,000 characters", (), ArgumentError, "cannot be sent", requests=0, account="1" * 100_000),
        *(
            reads(f"the account {json.dumps(account)}", GOOD, "1", account=account)
            for account in ("a b", "a?b=c", "a#b", "\u00fc", "100%", "a;b", "...", "a.b", "*", "{account_number}")
        ),
    ],
}  # fmt: skip


def outcomes(cases: list[Case]) -> list[str]:
    """The number of cases, and of each outcome."""
    return [
        str(len(cases)),
        *(str([case.outcome for case in cases].count(one)) for one in ("survived", "reported", "lost")),
    ]


def _shown(text: str) -> str:
    return text if len(text) < 90 else f"{text[:40]}..."


def _does(case: Case) -> str:
    """A cell that says what the client does."""
    numbers = _shown(", ".join(case.items))
    deviations = "".join(
        f"; deviation: {seen} at `{place}` instead of {documented}" for place, documented, seen, _ in case.deviations
    )
    does = f"lists {numbers or 'nothing: the list is empty'}{deviations}"
    if case.error:
        says = f": \u201c{_shown(case.says)}\u201d" if case.says else ""
        does = f"`{case.error.__name__}`{says}{f', after {numbers}' if numbers else ''}"
    return does


def written() -> str:
    """The page."""
    every = [case for cases in CASES.values() for case in cases]
    lines = [
        "<!-- Written by `make docs` from tests/faults.py: edits are lost. -->",
        "# Faults",
        "",
        "Faults of bridges, gateways and networks, and how the client handles each. `tests/test_faults.py` runs each case over",
        "real sockets, with both clients, over http and TLS, and checks the contents of this page: the invoices or the error,",
        "and the number of requests that the server saw. If an error follows invoices, the client raises it when the caller",
        "asks for the next one. The numbers listed are invoice numbers. Unless the row says otherwise, requests are not",
        "retried and limits are short, so that each fault is visible by itself. By default, the client",
        "[retries](errors.md#retries) most of these faults.",
        "",
        "- **survived**: the caller gets every invoice of the bridge, once; deviations are reported.",
        "- **reported**: the caller gets an error of `talkdesk_bridge.errors`, which says what is wrong.",
        "- **lost**: the caller gets neither.",
        "",
        "If a key is repeated in a JSON object, the last value wins, as in Python's parser. Faults that no client can notice are",
        "not listed: invoices that a bridge has, but announces by neither a `total` nor a next link.",
        "",
        "| category | tried | survived | reported | lost |",
        "|---|---|---|---|---|",
        *(f"| [{name}](#{name.lower()}) | {' | '.join(outcomes(cases))} |" for name, cases in CASES.items()),
        f"| all | {' | '.join(outcomes(every))} |",
    ]
    for name, cases in CASES.items():
        lines += [
            "",
            f"## {name[0].upper()}{name[1:]}",
            "",
            "| fault | client | requests |",
            "|---|---|---|",
        ]
        lines += [f"| {_cell(case.name)} | {_cell(_does(case))} | {case.requests} |" for case in cases]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.stdout.write(written())

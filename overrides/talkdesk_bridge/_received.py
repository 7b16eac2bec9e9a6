"""What an exchange gives: a response before its body is read, or a failure; and what its status and headers say."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from importlib import import_module
from importlib.util import find_spec

from attrs import field, frozen

from talkdesk_bridge import errors

LOG = logging.getLogger("talkdesk_bridge")
LOG.addHandler(logging.NullHandler())

CODINGS = re.compile(r"\b(aes128gcm|br|compress|dcb|dcz|deflate|exi|pack200-gzip|zstd|gzip.*gzip)\b", re.IGNORECASE)
"""The content codings that IANA registers, except for gzip, which the client requests; and gzip twice."""

# The documentation names no header with a request's id; these are the usual ones.
REQUEST_ID_HEADERS = ("X-Request-Id", "Request-Id", "X-Correlation-Id")
# The only response headers that are logged, because any other could hold a secret.
LOGGABLE = (*REQUEST_ID_HEADERS, "Content-Type", "Content-Length", "Content-Encoding", "Date", "Retry-After")

YEAR = 366 * 86_400.0
"""Seconds; a server that asks for more does not mean a delay."""

MOST_SECONDS = 60
"""A larger difference is worth a message: tokens and JWTs are valid for a limited time."""

REMEDIES = {403: ": it does not permit this", **dict.fromkeys((401, 407), ": check its user and password")}
"""By status. tinyproxy 1.11 sends 401 instead of 407 if the password is wrong."""
# httpcore lets it through if a proxy does not speak SOCKS. Without the package socksio, there is no SOCKS.
SocksError: type[Exception] = import_module("socksio").ProtocolError if find_spec("socksio") else errors.ProxyError


@frozen
class RawResponse:
    """A response before its body is read."""

    request: str
    """Method and path, for messages."""
    url: str = field(repr=False)
    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    fault: str = ""
    """Why the body cannot be read, if that is known."""
    retry_after: float | None = None
    """The seconds that it asks clients to wait."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Those of the request, to redact when the server echoes them."""
    attempts: int = 1


@frozen
class Failure:
    """A request that got no response; `retryable` says whether a retry can help."""

    error: errors.BridgeError
    retryable: bool = True
    status_code: None = None
    retry_after: None = None
    headers: Mapping[str, str] = field(factory=dict)


def unrequested_coding(encoding: str) -> str:
    """The fault of a body in a registered content coding that was not requested; empty for other values.

    Some servers send a value that is no coding, such as UTF-8.
    """
    if not CODINGS.search(encoding):
        return ""
    return f"a body in the content coding {one_line(encoding)}, which the client did not request"


def is_of_a_proxy(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a response is a proxy's own.

    Only a proxy sends 407. Squid and tinyproxy put their name into `Server` only if the response is their own.
    """
    return status == 407 or (status in REMEDIES and bool(re.match("squid|tinyproxy", headers.get("Server", ""), re.I)))


def rejection(reason: str, retried: frozenset[int]) -> tuple[type[errors.NotSentError], str, bool]:
    """The error of a request that a proxy did not pass on, what the proxy did, and whether a retry can help.

    Args:
        reason: The status that the proxy sent, or what it said in SOCKS.
        retried: The statuses after which a request is sent again.

    """
    status = int(reason) if reason.isdecimal() else 0
    fault = f" returned {status}{REMEDIES.get(status, '')}" if status else f": {reason}"
    # In SOCKS, the proxy has accepted the request by then.
    cannot_connect = "could not connect" in reason and "not allowed" not in reason
    retryable = status in retried or cannot_connect
    return errors.NotSentError if retryable else errors.ProxyError, fault, retryable


def retry_after(value: str | None, longest: float) -> float | None:
    """The seconds in a Retry-After header, which is a number of seconds or a date; None if it is neither.

    Some servers send something that can be no delay: more than a year, seconds or milliseconds since 1970, or a date
    in an unknown zone. It is read as a moment, and counts only if that is at most `longest` seconds from now.
    """
    if value is None:
        return None
    text, now = value.strip(), time.time()
    if re.fullmatch(r"[0-9]*\.?[0-9]+", text):
        number = float(text)
        is_certain = number <= YEAR
        delays = [number] if is_certain else [number - now, number / 1000 - now]
    elif (moment := _moment(text)) is None:
        return None
    else:
        delays = [max(0.0, moment[0] - now)]
        is_certain = moment[1] and delays[0] <= YEAR
    return next((delay for delay in delays if is_certain or 0 <= delay <= longest), None)


def _moment(text: str) -> tuple[float, bool] | None:
    """The seconds since 1970 in a header's date, and whether it names its zone; None if it is no date."""
    try:
        when = parsedate_to_datetime(text.replace("-0000", "+0000"))  # both mean UTC
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp(), when.tzinfo is not None
    except (OverflowError, TypeError, ValueError):
        return None


def loggable(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that may be logged."""
    return {name: one_line(headers[name]) for name in LOGGABLE if name in headers}


def one_line(text: str) -> str:
    """A server's text, cleaned and shortened for one line of a message."""
    return "".join(character if character.isprintable() else " " for character in text)[:200].strip()


def clock_note(headers: Mapping[str, str]) -> str:
    """A sentence about this machine's clock if it differs from the server's; else empty."""
    moment = _moment(headers.get("Date", ""))
    seconds = time.time() - moment[0] if moment else 0.0
    if abs(seconds) <= MOST_SECONDS:
        return ""
    side = "ahead of" if seconds > 0 else "behind"
    return f"This machine's clock is {abs(seconds):.0f} s {side} the server's: correct the clock that is wrong."

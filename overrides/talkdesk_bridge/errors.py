"""Every exception of the package.

BridgeError
├── ConfigurationError     a setting or credential that cannot be used; nothing was sent
├── ArgumentError          an argument that cannot be used; nothing was sent (also a ValueError)
├── AuthenticationError    no token from the token server
├── NotSentError           no connection to the bridge: network, TLS, proxy; nothing was sent
│   └── ProxyError             a proxy rejected the request, for example its user or password
├── NoResponseError        sent, but no complete response came back
├── StatusError            the bridge returned a status outside 2XX
│   ├── BadRequestError             400
│   ├── UnauthorizedError           401
│   ├── ForbiddenError              403
│   ├── NotFoundError               404
│   ├── ConflictError               409
│   ├── UnprocessableContentError   422
│   ├── TooManyRequestsError        429
│   └── ServerError                 5XX
├── ContractError          the response violates the contract
└── PagingError            the next page cannot be requested: a loop, another host, an unusable link
    └── IncompleteError    the pages ended before the announced total
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from typing import Any

from talkdesk_bridge.models import ErrorInfo


class BridgeError(Exception):
    """The root of all errors of this package.

    No message contains a credential. Of a body, a message contains only `userMessage` and `errorCode`; of a token
    server's, only the fields that give reasons, such as `error` and `error_description`.
    """

    def __post_init__(self, message: str) -> None:
        """Called by the constructors of errors with attributes."""
        self.args = (message,)


class ConfigurationError(BridgeError):
    """A setting or credential cannot be used; nothing was sent."""


class ArgumentError(BridgeError, ValueError):
    """An argument cannot be used as it is; nothing was sent."""


class AuthenticationError(BridgeError):
    """The token server returned an error or no token, or could not be reached."""


class NotSentError(BridgeError):
    """No connection could be made, so the bridge did not receive the request."""


class ProxyError(NotSentError):
    """A proxy rejected the request, for example its user or password. It is not sent again: a login could be locked."""


class NoResponseError(BridgeError):
    """The request was sent, but no complete response came back; the bridge may have acted on it."""


@dataclass(eq=False, repr=False, kw_only=True, match_args=False)
class StatusError(BridgeError):
    """The bridge returned a status that is not 2XX.

    Attributes:
        status_code: The HTTP status.
        error_info: The documented error body; None if the response has another one. `user_message` may be shown to
            users; `developer_message` and `stack_trace` belong in logs.
        body: The error body as the model that the contract declares for the status. It is `error_info` if that model
            is ErrorInfo, or if the contract declares none. None if the body does not fit.
        data: The error body as parsed JSON, redacted, with all that the models leave out; None if it is not JSON.
        method: The HTTP method of the request.
        path: The path of the request, without the query.
        request_id: The value of X-Request-Id, Request-Id or X-Correlation-Id (none of them is documented).
        retry_after: Seconds to wait before another attempt, from the Retry-After header.

    """

    message: InitVar[str] = field(kw_only=False)
    status_code: int = 0
    error_info: ErrorInfo | None = None
    body: Any = None
    data: Any = None
    method: str = ""
    path: str = ""
    request_id: str | None = None
    retry_after: float | None = None


class BadRequestError(StatusError):
    """400: the bridge considers the request malformed."""


class UnauthorizedError(StatusError):
    """401: no credential was sent, or the bridge does not accept it."""


class ForbiddenError(StatusError):
    """403: the credential does not permit this request."""


class NotFoundError(StatusError):
    """404: the resource does not exist, or the base URL is that of another server."""


class ConflictError(StatusError):
    """409: the request conflicts with the current state."""


class UnprocessableContentError(StatusError):
    """422: the request is well formed, but its content is invalid."""


class TooManyRequestsError(StatusError):
    """429: too many requests; `retry_after` may say when to come back."""


class ServerError(StatusError):
    """5XX, also unregistered ones such as 520: the bridge failed, or a gateway in front of it."""


@dataclass(eq=False, repr=False, kw_only=True, match_args=False)
class ContractError(BridgeError):
    """The bridge returned 2XX, but the response violates the contract.

    Attributes:
        json_path: The place in the body; None if the error concerns no single place.
        expected: The documented type.
        seen: The type in the response; never the value.

    """

    message: InitVar[str] = field(kw_only=False)
    json_path: str | None = None
    expected: str | None = None
    seen: str | None = None


@dataclass(eq=False, repr=False, kw_only=True, match_args=False)
class PagingError(BridgeError):
    """The next page cannot be requested.

    Attributes:
        page: The number of the page whose link or content is at fault, from 1; None if that is unknown.
        requested: The URL of its request, without query; None if no link is at fault.
        link: Its next link, without query; None if no link is at fault, or if it is not one URL.
        changed: Whether the list seems to have changed while it was read; reading it from the start may succeed.

    """

    message: InitVar[str] = field(kw_only=False)
    page: int | None = None
    requested: str | None = None
    link: str | None = None
    changed: bool = False


@dataclass(eq=False, repr=False, kw_only=True, match_args=False)
class IncompleteError(PagingError):
    """The pages ended before the announced total was reached.

    Attributes:
        received: The number of items that were read and handed to the caller.
        expected: The announced total; if it changed, the largest, plus what was added after it shrank.

    """

    received: int = 0
    expected: int = 0


AFFECT_ALL_CALLS = (ConfigurationError, AuthenticationError, UnauthorizedError, ProxyError)
"""Errors that every other call of a client would raise, too: a credential, a setting or a proxy is wrong."""

__all__ = [name for name in dir() if name.endswith("Error")]  # a list of texts

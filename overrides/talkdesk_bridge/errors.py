"""Every exception of the package.

BridgeError
├── ConfigurationError     a setting or credential that cannot be used; nothing was sent
├── ArgumentError          an argument that cannot be used; nothing was sent (also a ValueError)
├── AuthenticationError    the token server gave no token
├── NotSentError           the bridge was not reached: connection, TLS, proxy; nothing was sent
├── NoResponseError        sent, but no complete response came back
├── StatusError            the bridge returned 4XX or 5XX, or a status outside 2XX
│   ├── BadRequestError             400
│   ├── UnauthorizedError           401
│   ├── ForbiddenError              403
│   ├── NotFoundError               404
│   ├── ConflictError               409
│   ├── UnprocessableContentError   422
│   ├── TooManyRequestsError        429
│   └── ServerError                 5XX
├── ContractError          the answer does not keep the contract
└── PagingError            the pages do not lead on: a loop, another host, a link that cannot be followed
    └── IncompleteError    the pages ended before the announced total
"""

from __future__ import annotations

from typing import Any

from talkdesk_bridge.models import ErrorInfo

__all__ = [
    "ArgumentError",
    "AuthenticationError",
    "BadRequestError",
    "BridgeError",
    "ConfigurationError",
    "ConflictError",
    "ContractError",
    "ForbiddenError",
    "IncompleteError",
    "NoResponseError",
    "NotFoundError",
    "NotSentError",
    "PagingError",
    "ServerError",
    "StatusError",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnprocessableContentError",
]


class BridgeError(Exception):
    """The root of all errors of this package.

    No message holds a credential, or a value of a body but `userMessage` and `errorCode` (of a token server, `error`
    and `error_description`).
    """


class ConfigurationError(BridgeError):
    """A setting or credential cannot be used; nothing was sent."""


class ArgumentError(BridgeError, ValueError):
    """An argument cannot be used as it is; nothing was sent."""


class AuthenticationError(BridgeError):
    """The token server refused, did not answer with a token, or could not be reached."""


class NotSentError(BridgeError):
    """No connection could be made, so the bridge did not get the request."""


class NoResponseError(BridgeError):
    """The request went out, but no complete response came back; the bridge may have acted on it."""


class StatusError(BridgeError):
    """The bridge answered with a status that is not 2XX.

    Attributes:
        status_code: The HTTP status.
        error_info: The documented body of a refusal, where the answer had one. `user_message` may be shown to users;
            `developer_message` and `stack_trace` belong in logs.
        body: The body of the error response, as the model that the contract declares for its status. It is
            `error_info` if that is ErrorInfo, or if the contract declares none. None if nothing fits.
        method: The HTTP method of the request.
        path: The path of the request, without query.
        request_id: What the answer's X-Request-Id, Request-Id or X-Correlation-Id said (none is documented).
        retry_after: Seconds to wait before another try, from the Retry-After header.

    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int = 0,
        error_info: ErrorInfo | None = None,
        body: Any = None,
        method: str = "",
        path: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.error_info = error_info
        self.body = body
        self.method = method
        self.path = path
        self.request_id = request_id
        self.retry_after = retry_after


class BadRequestError(StatusError):
    """400: the request is malformed in the bridge's view."""


class UnauthorizedError(StatusError):
    """401: there was no credential, or the bridge does not accept it."""


class ForbiddenError(StatusError):
    """403: the credential may not do this."""


class NotFoundError(StatusError):
    """404: there is no such thing, or the base URL is another server's."""


class ConflictError(StatusError):
    """409: it contradicts the state of things."""


class UnprocessableContentError(StatusError):
    """422: the request is well formed, but its content is refused."""


class TooManyRequestsError(StatusError):
    """429: too many requests; `retry_after` may say when to come back."""


class ServerError(StatusError):
    """5XX, 520 and the like included: the bridge, or a gateway before it, failed."""


class ContractError(BridgeError):
    """The bridge returned 2XX, but not with what the contract says.

    Attributes:
        json_path: Where in the body; None where it is not about one place.
        expected: What is documented there.
        seen: The kind of what came; never the value.

    """

    def __init__(
        self, message: str, *, json_path: str | None = None, expected: str | None = None, seen: str | None = None
    ) -> None:
        super().__init__(message)
        self.json_path = json_path
        self.expected = expected
        self.seen = seen


class PagingError(BridgeError):
    """A page does not lead to the next one in a way that can be followed."""


class IncompleteError(PagingError):
    """The pages ended before the announced total was reached.

    Attributes:
        received: Items that were read, and given to the caller.
        expected: The total that the bridge announced: the largest, where it changed.

    """

    def __init__(self, message: str, *, received: int = 0, expected: int = 0) -> None:
        super().__init__(message)
        self.received = received
        self.expected = expected

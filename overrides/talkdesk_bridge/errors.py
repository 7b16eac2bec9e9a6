"""Every exception of the package.

BridgeError
├── ConfigurationError     a setting or credential that cannot be used; nothing was sent
├── ArgumentError          an argument that cannot be sent; nothing was sent (also a ValueError)
├── AuthenticationError    the token server gave no token
├── NotSentError           the bridge was not reached: connection, TLS, proxy; nothing was sent
├── NoAnswerError          sent, but no whole answer came back
├── StatusError            the bridge answered 4XX or 5XX, or a status outside 2XX
├── ContractError          the answer does not keep the contract
└── PagingError            the pages do not lead on: a loop, another host, a link that cannot be followed
    └── IncompleteError    the pages ended before the announced total
"""

from __future__ import annotations

from talkdesk_bridge.models import ErrorInfo

__all__ = [
    "ArgumentError",
    "AuthenticationError",
    "BridgeError",
    "ConfigurationError",
    "ContractError",
    "IncompleteError",
    "NoAnswerError",
    "NotSentError",
    "PagingError",
    "StatusError",
]


class BridgeError(Exception):
    """The root of all errors of this package. No message holds a credential."""


class ConfigurationError(BridgeError):
    """A setting or credential cannot be used; nothing was sent."""


class ArgumentError(BridgeError, ValueError):
    """An argument cannot be sent as it is; nothing was sent."""


class AuthenticationError(BridgeError):
    """The token server refused, or did not answer with a token."""


class NotSentError(BridgeError):
    """No connection could be made, so the bridge did not get the request."""


class NoAnswerError(BridgeError):
    """The request went out, but no whole answer came back; the bridge may have acted on it."""


class StatusError(BridgeError):
    """The bridge answered with a status that is not 2XX.

    Attributes:
        status_code: The HTTP status.
        error_info: The documented body of a refusal, where the answer had one. `user_message` may be shown to users;
            `developer_message` and `stack_trace` belong in logs.
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
        method: str = "",
        path: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.error_info = error_info
        self.method = method
        self.path = path
        self.request_id = request_id
        self.retry_after = retry_after


class ContractError(BridgeError):
    """The bridge answered 2XX, but not with what the contract says."""


class PagingError(BridgeError):
    """A page does not lead to the next one in a way that can be followed."""


class IncompleteError(PagingError):
    """The pages ended before the announced total was reached.

    Attributes:
        received: Items that were read.
        expected: The total that the bridge announced, the same on every page.

    """

    def __init__(self, message: str, *, received: int = 0, expected: int = 0) -> None:
        super().__init__(message)
        self.received = received
        self.expected = expected

"""Typed errors from responses whose status is not 2XX."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, Any

from talkdesk_bridge_api.places import MisfitError, Place
from talkdesk_bridge_api.types import Operation

from talkdesk_bridge import errors
from talkdesk_bridge._auth import Auth, BasicAuth, HeaderAuth, NoAuth
from talkdesk_bridge._clock import clock_note
from talkdesk_bridge._json import read_json
from talkdesk_bridge._retry import REQUEST_ID_HEADERS, one_line
from talkdesk_bridge.errors import StatusError
from talkdesk_bridge.models import ErrorInfo

if TYPE_CHECKING:
    from talkdesk_bridge._response import RawResponse

STATUS_ERRORS: dict[int, type[StatusError]] = {
    400: errors.BadRequestError,
    401: errors.UnauthorizedError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.UnprocessableContentError,
    429: errors.TooManyRequestsError,
}


def status_error(operation: Operation[Any], response: RawResponse, auth: Auth) -> StatusError:
    """The error for a response."""
    body = _error_body(operation, response)
    info = body if isinstance(body, ErrorInfo) else None
    phrase = next((f" {status.phrase}" for status in HTTPStatus if status == response.status_code), "")
    is_refused = response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    message = f"{response.request} returned {response.status_code}{phrase}"
    message += f" with {response.fault}" if response.fault and not body else ""
    if info and info.user_message:
        message += f": {one_line(info.user_message).rstrip('.')}"
        message += f" ({one_line(info.error_code)})" if info.error_code else ""
    elif 300 <= response.status_code < 400:
        message += ": redirects are not followed; the base URL must be that of the bridge itself"
    elif is_refused and not isinstance(auth, NoAuth):
        message += ": the bridge does not accept the credential"
    if response.status_code == HTTPStatus.UNAUTHORIZED and isinstance(auth, NoAuth):
        message += ". No credential was sent: pass `auth`, or set a variable such as TALKDESK_BRIDGE_API_KEY"
    message += "." if response.attempts == 1 else f". Tried {response.attempts} times."
    if is_refused and not isinstance(auth, NoAuth | HeaderAuth | BasicAuth) and (note := clock_note(response.headers)):
        message += f" {note}"
    if response.retry_after is not None:
        message += f" Retry after {ceil(response.retry_after)} s."
    request_id = next(
        (one_line(response.headers[name]) for name in REQUEST_ID_HEADERS if name in response.headers), None
    )
    message += f" Request id {request_id}." if request_id else ""
    method, path = response.request.split(" ", 1)
    other = errors.ServerError if 500 <= response.status_code < 600 else StatusError
    kind = STATUS_ERRORS.get(response.status_code, other)
    return kind(
        message,
        status_code=response.status_code,
        error_info=info,
        body=body,
        method=method,
        path=path,
        request_id=request_id,
        retry_after=response.retry_after,
    )


def _error_body(operation: Operation[Any], response: RawResponse) -> Any:
    """The error body, read as declared for its status, else as ErrorInfo; None if neither fits."""
    try:
        data = read_json(response.content)
    except (ValueError, RecursionError):
        return None
    declared = operation.body(response.status_code)
    if declared and declared.source == "json":
        with suppress(MisfitError, RecursionError):
            body = declared.read(data, Place(), "")
            if not _has_no_documented_field(body):
                return body
    if not isinstance(data, dict):
        return None
    readable = {}  # one malformed field must not hide the others
    for name, value in data.items():
        with suppress(MisfitError, RecursionError):
            ErrorInfo.from_dict({name: value})
            readable[name] = value
    info = ErrorInfo.from_dict(readable)
    return None if _has_no_documented_field(info) else info


def _has_no_documented_field(body: Any) -> bool:
    """Whether a model has documented fields, but this body has none of them."""
    return bool(getattr(body, "FIELDS", None)) and body.to_dict().keys() == body.additional_properties.keys()

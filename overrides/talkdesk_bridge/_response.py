"""Responses: reads the body as a model and reports deviations from the contract, or raises a typed error."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from math import ceil
from typing import Any, Generic, TypeVar

from attrs import field, frozen
from talkdesk_bridge_api.places import MisfitError, Place, kind_of
from talkdesk_bridge_api.reading import integer
from talkdesk_bridge_api.types import ListOperation, ListShape, Operation

from talkdesk_bridge import errors
from talkdesk_bridge._auth import Auth, BasicAuth, HeaderAuth, NoAuth
from talkdesk_bridge._json import read_json
from talkdesk_bridge._received import LOG, REQUEST_ID_HEADERS, RawResponse, clock_note, one_line
from talkdesk_bridge._settings import Deviation, Settings
from talkdesk_bridge.errors import ContractError, StatusError
from talkdesk_bridge.models import ErrorInfo

BodyT = TypeVar("BodyT")

UNREADABLE: Any = object()

STATUS_ERRORS: dict[int, type[StatusError]] = {
    400: errors.BadRequestError,
    401: errors.UnauthorizedError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.UnprocessableContentError,
    429: errors.TooManyRequestsError,
}


@frozen
class Response(Generic[BodyT]):
    """A complete response: the result of `with_response`."""

    body: BodyT
    """What the method itself returns."""
    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    """The headers; names in any case."""
    content: bytes = field(repr=False)
    """The body's bytes, decompressed."""
    url: str = field(repr=False)
    """The URL of the request with its query, before the credential was added."""
    data: Any = field(repr=False)
    """The parsed JSON, with the envelope added if it was missing; None if the body is not JSON."""


def read(operation: Operation[BodyT], response: RawResponse, settings: Settings) -> Response[BodyT]:
    """The complete response to `operation`.

    Args:
        operation: The operation that was called.
        response: The response before its body is read.
        settings: Those of the call.

    Raises:
        StatusError: the status is not 2XX.
        ContractError: the response violates the contract.

    """
    if not 200 <= response.status_code < 300:
        raise status_error(operation, response, settings.auth)
    returned = f"{response.request} returned {response.status_code}"
    declared = operation.body(response.status_code)
    if declared is None:
        raise ContractError(f"{returned}, which the contract does not declare for {operation.operation_id}.")
    root = Place(strict=settings.strict)
    data, moved, body = None, tuple[str, ...](), UNREADABLE
    try:
        if declared.source == "json":
            data = read_json(response.content)
            if isinstance(operation, ListOperation):
                data, moved = _envelope(operation, data, root)
        body = declared.read(response.content if declared.source != "json" else data, root, "")
    except MisfitError as misfit:
        place = _original_path(f"${misfit.place}", moved)
        message = f"{returned} with a body that violates the contract: expected {misfit.documented} at {place},"
        message += f" got {misfit.seen}."
        raise ContractError(message, json_path=place, expected=misfit.documented, seen=misfit.seen) from None
    except (ValueError, RecursionError):
        pass  # the error below is raised outside, so that it does not hold this one and its body
    if body is UNREADABLE:
        raise _unreadable(returned, response, "text" if declared.source == "text" else "JSON")
    for place, documented, seen, count in root.in_order(data):
        report(settings, Deviation(operation.operation_id, _original_path(place, moved), documented, seen, count))
    return Response(body, response.status_code, response.headers, response.content, response.url, data)


def report(settings: Settings, deviation: Deviation) -> None:
    """Log a deviation and pass it to the hook; with `strict`, raise it as a ContractError."""
    if settings.strict:
        place, expected, seen = deviation.place, deviation.documented, deviation.seen
        message = f"{deviation.operation}: expected {expected} at {place}, got {seen}."
        raise ContractError(message, json_path=place, expected=expected, seen=seen)
    LOG.warning("%s", deviation)
    if settings.on_deviation:
        settings.on_deviation(deviation)


def _unreadable(returned: str, response: RawResponse, expected: str) -> ContractError:
    content_type = one_line(response.headers.get("Content-Type", "no content type"))
    if encoding := response.headers.get("Content-Encoding"):
        content_type += f"; Content-Encoding: {one_line(encoding)}"
    body = f"a body that is not {expected} ({content_type})" if response.content else "an empty body"
    return ContractError(f"{returned} with {body}.", json_path="$", expected=expected, seen="other bytes")


def _original_path(place: str, moved: tuple[str, ...]) -> str:
    """Map a place in the envelope that `_envelope` added back to its path in the original response.

    >>> _original_path("$._embedded.invoices[0].amount", ("$._embedded.invoices",))
    '$[0].amount'
    """
    return next((f"${place.removeprefix(start)}" for start in moved if place.startswith(start)), place)


def _envelope(operation: ListOperation[Any, Any], data: Any, root: Place) -> tuple[Any, tuple[str, ...]]:
    """The body of a page. A bare list or item is put into an envelope; the second value then has its place in there.

    An object is a bare item if it has a field of items, and none of an envelope or of an error body, which some servers
    send with status 200.
    """
    item, envelope = {*getattr(operation.item, "FIELDS", ())}, {*getattr(operation.page, "FIELDS", ())}
    error_fields = {*ErrorInfo.FIELDS} - item
    shape = operation.shape
    if isinstance(data, list):
        if shape.keys:
            root.counts["object | array"][""] += 1
        return shape.wrapped(data), (shape.path,)
    if isinstance(data, dict) and data.keys() & item and not data.keys() & (envelope | error_fields | {"_links"}):
        root.counts[f"{'object with a list' if shape.keys else 'array'} | single item"][""] += 1
        return shape.wrapped([data]), (f"{shape.path}[0]", f"{shape.path}[*]")
    items = shape.found(data)
    has_items = isinstance(items, list) and items
    if not has_items and isinstance(data, dict) and any(data.get(name) for name in error_fields - envelope):
        raise MisfitError("object with a list" if shape.keys else "array", "an error that was sent as a success")
    if not isinstance(items, list) and not (items is None and _may_be_missing(shape, data)):
        raise MisfitError("array", "nothing" if items is None else kind_of(items), shape.path.removeprefix("$"))
    return data, ()


def _may_be_missing(shape: ListShape, data: Any) -> bool:
    """Whether a page may have no list: it is null, or the total is 0. Any other could be an error with status 200."""
    holder = data if shape.keys else []
    for key in shape.keys[:-1]:
        holder = holder.get(key) if isinstance(holder, dict) else holder
    is_null = isinstance(holder, dict) and shape.keys[-1] in holder
    return is_null or (isinstance(data, dict) and isinstance(holder, dict | None) and str(shape.total_in(data)) == "0")


def announced_total(operation: ListOperation[Any, Any], response: Response[Any]) -> int | None:
    """The total that the page announces."""
    total = operation.shape.total_in(response.data)
    try:
        return None if total is None else int(integer(total, Place(), ""))
    except MisfitError as misfit:
        message = f"{operation.operation_id}: the total of a page is not an integer."
        place = operation.shape.total_path
        raise ContractError(message, json_path=place, expected="integer", seen=misfit.seen) from None


def status_error(operation: Operation[Any], response: RawResponse, auth: Auth) -> StatusError:
    """The error for a response."""
    data = _error_data(response)
    body = _error_body(operation, response.status_code, data)
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
        data=data,
        method=method,
        path=path,
        request_id=request_id,
        retry_after=response.retry_after,
    )


def _error_data(response: RawResponse) -> Any:
    try:
        return read_json(response.content)
    except (ValueError, RecursionError):
        return None


def _error_body(operation: Operation[Any], status: int, data: Any) -> Any:
    """The error body, read as declared for its status, else as ErrorInfo; None if neither fits."""
    declared = operation.body(status)
    with suppress(MisfitError, RecursionError):
        if declared and declared.source == "json":
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

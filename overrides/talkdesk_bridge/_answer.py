"""What came back: its JSON, its body as a model, or the typed error that it stands for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from attrs import frozen
from talkdesk_bridge_api import Client
from talkdesk_bridge_api.errors import UnexpectedStatus
from talkdesk_bridge_api.types import Operation

from talkdesk_bridge._auth import plain
from talkdesk_bridge.errors import ContractError, StatusError
from talkdesk_bridge.models import ErrorInfo

__all__ = ["Answer", "Reply", "read"]

BodyT = TypeVar("BodyT")

# No documented header carries a request's id; these are the usual ones.
REQUEST_ID_HEADERS = ("X-Request-Id", "Request-Id", "X-Correlation-Id")

# The generated parsers ask the client only whether an undeclared status is an error.
_PARSER = Client(base_url="", raise_on_unexpected_status=True)


class Answer:
    """An answer, in the form that the generated parsers read."""

    def __init__(self, request: str, url: str, status_code: int, headers: Mapping[str, str], content: bytes) -> None:
        self.request = request
        """Method and path, for messages."""
        self.url = url
        self.status_code = status_code
        self.headers = headers
        self.content = content

    @property
    def text(self) -> str:
        """The body of a textual answer."""
        return self.content.decode()

    @cached_property
    def data(self) -> Any:
        """The body, decoded; None where it is empty.

        Raises:
            ContractError: it is not JSON.

        """
        try:
            return json.loads(self.content) if self.content else None
        except (ValueError, RecursionError):
            kind = plain(self.headers.get("Content-Type", "no content type"))
            message = f"{self.request} answered {self.status_code} with a body that is not JSON ({kind})."
            raise ContractError(message) from None

    def json(self) -> Any:
        """The body, decoded."""
        return self.data


@frozen
class Reply(Generic[BodyT]):
    """A body, and the answer that it came in."""

    body: BodyT
    answer: Answer


def read(operation: Operation[BodyT], answer: Answer, *, credential: bool = True) -> Reply[BodyT]:
    """The body of an answer to `operation`, whose request carried a `credential` or none.

    Raises:
        StatusError: the status is not 2XX.
        ContractError: the answer does not keep the contract.

    """
    if not 200 <= answer.status_code < 300:
        raise _status_error(answer, credential)
    wrong = f"{answer.request} answered {answer.status_code}"
    try:
        return Reply(operation.parse(client=_PARSER, response=answer), answer)
    except UnexpectedStatus:
        raise ContractError(f"{wrong}, which the contract does not declare for {operation.operation_id}.") from None
    except KeyError as error:
        raise ContractError(f"{wrong} with a body that lacks {error}, which the contract requires.") from None
    except (TypeError, ValueError, AttributeError) as error:
        told = f"a value is not of the documented type ({type(error).__name__})"
        raise ContractError(f"{wrong} with a body that does not fit the contract: {told}.") from None


def _status_error(answer: Answer, credential: bool) -> StatusError:
    info = _error_info(answer)
    phrase = next((f" {status.phrase}" for status in HTTPStatus if status == answer.status_code), "")
    message = f"{answer.request} answered {answer.status_code}{phrase}"
    if info and isinstance(info.user_message, str):
        message += f": {plain(info.user_message).rstrip('.')}"
        message += f" ({plain(info.error_code)})" if isinstance(info.error_code, str) else ""
    elif 300 <= answer.status_code < 400:
        message += ": redirects are not followed, so the base URL must lead to the bridge itself"
    elif answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        message += ": the bridge does not accept the credential"
    if answer.status_code == HTTPStatus.UNAUTHORIZED and not credential:
        message += ". No credential was sent: give one, as `auth` or in variables such as TALKDESK_BRIDGE_API_KEY"
    method, path = answer.request.split(" ", 1)
    return StatusError(
        f"{message}.",
        status_code=answer.status_code,
        error_info=info,
        method=method,
        path=path,
        request_id=next((plain(answer.headers[name]) for name in REQUEST_ID_HEADERS if name in answer.headers), None),
        retry_after=_retry_after(answer.headers.get("Retry-After")),
    )


def _error_info(answer: Answer) -> ErrorInfo | None:
    """The documented body of a refusal, where the answer has at least one of its fields."""
    try:
        data = answer.data
    except ContractError:
        return None
    data = data if isinstance(data, dict) else {}
    # Malformed details must not hide what the rest says.
    for readable in (data, {key: value for key, value in data.items() if not isinstance(value, list | dict)}):
        try:
            info = ErrorInfo.from_dict(readable)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        return info if info.additional_properties.keys() != readable.keys() else None
    return None


def _retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None

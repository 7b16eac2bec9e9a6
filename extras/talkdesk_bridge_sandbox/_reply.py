"""A response of the sandbox, and the exception for a request that gets an error response."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from attrs.validators import ge, instance_of, lt

# Characters outside Latin-1, and others that the server would refuse to send.
HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
HEADER_VALUE = re.compile(r"|[!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?")


class RequestError(Exception):
    """The request gets an error response with this status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@frozen
class Reply:
    """A response of the sandbox.

    Args:
        status: The HTTP status.
        json: The body, as data; None for no body.
        content: The body as text or bytes, instead of `json`.
        headers: Other headers, in Latin-1; with `json`, `Content-Type` is `application/json` by default.
        delay: Seconds to wait before sending it.
        cut: Whether the connection breaks in the middle of the body.

    Raises:
        TypeError: a value has the wrong type, or cannot be written as JSON.
        ValueError: the status is not from 200 to 599, a header cannot be sent, or both bodies are given.

    """

    status: int = field(default=200, validator=[instance_of(int), ge(200), lt(600)])
    json: Any = None
    content: str | bytes | None = None
    headers: Mapping[str, str] = field(factory=dict)
    delay: float = 0.0
    cut: bool = False
    body: bytes = field(init=False, repr=False, eq=False)
    """The bytes of the body."""

    @body.default
    def _encoded(self) -> bytes:
        if self.json is not None and self.content is not None:
            raise ValueError("a Reply has json or content, not both")
        if self.content is not None:
            return self.content.encode() if isinstance(self.content, str) else self.content
        return b"" if self.json is None else json.dumps(self.json).encode()

    @headers.validator
    def _check_headers(self, _: object, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
                raise ValueError(f"the header {name!r} of a Reply cannot be sent: {value!r}")

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers in the form of ASGI, including those of the body."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.json is not None:
            headers.setdefault("content-type", "application/json")
        if self.status not in (204, 304):
            headers.setdefault("content-length", str(len(self.body)))
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]

"""An answer as it goes over the wire, and the refusal that becomes one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from attrs.validators import ge, instance_of, lt

__all__ = ["Refusal", "Reply"]


class Refusal(Exception):  # noqa: N818 # an answer, not a fault
    """The answer to a request that is not granted."""

    def __init__(self, status: int, reason: str, name: str = "", place: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.name, self.place = name, place
        """Of the parameter that is to blame, if one is."""


@frozen
class Reply:
    """An answer, as it goes over the wire.

    Args:
        status: The HTTP status.
        json: The body, as data; None for none.
        content: The body as it is sent, instead of `json`.
        headers: More headers; `Content-Type` is JSON's where `json` is the body.
        delay: Seconds before it is sent.
        cut: Whether the connection breaks in the middle of the body.

    Raises:
        TypeError: a value is not of its type, or JSON has no form for it.
        ValueError: the status is none of an answer, or there are two bodies.

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

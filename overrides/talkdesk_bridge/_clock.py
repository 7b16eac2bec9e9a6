"""Whether the clock of this machine is right, by the Date of a response."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MOST_SECONDS = 60
"""A larger difference is worth a message: tokens and JWTs are valid for a limited time."""


def clock_note(headers: Mapping[str, str]) -> str:
    """A sentence about this machine's clock if it differs from the server's; else empty."""
    try:
        date = parsedate_to_datetime(headers.get("Date", ""))
        seconds = (datetime.now(UTC) - (date if date.tzinfo else date.replace(tzinfo=UTC))).total_seconds()
    except (OverflowError, TypeError, ValueError):
        return ""
    if abs(seconds) <= MOST_SECONDS:
        return ""
    side = "ahead of" if seconds > 0 else "behind"
    return f"This machine's clock is {abs(seconds):.0f} s {side} the server's: correct the clock that is wrong."

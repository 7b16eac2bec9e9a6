"""When a request is sent again: the policy, as a value, and what is told of each attempt."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from attrs import field, frozen
from attrs.validators import deep_iterable, ge, in_, instance_of, is_callable, optional

from talkdesk_bridge.errors import ConfigurationError

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})  # RFC 9110, 9.2.2

# No documented header carries a request's id; these are the usual ones.
REQUEST_ID_HEADERS = ("X-Request-Id", "Request-Id", "X-Correlation-Id")
# What is told of an answer's headers. Not a list of secret ones: nobody knows all of those.
LOGGABLE = (*REQUEST_ID_HEADERS, "Content-Type", "Content-Length", "Content-Encoding", "Date", "Retry-After")


@frozen(kw_only=True)
class Attempt:
    """One request that was sent, or could not be; what `Retry.on_attempt` and the logger `talkdesk_bridge` are told."""

    operation: str
    """The operationId, or `token` for a request to the token server."""
    method: str
    path: str
    """Without the query."""
    number: int
    """Counted from 1."""
    status: int | None
    """The answer's; None where there was none."""
    error: str | None
    """The name of the error where there was no answer."""
    seconds: float
    """How long it took."""
    wait: float | None
    """Seconds until the next attempt; None where this was the last."""
    headers: Mapping[str, str]
    """The answer's, as far as they cannot hold a secret."""


def checked(told: str, *validators: Callable[..., None]) -> Callable[..., None]:
    """Refuse, in our words, what one of the validators of attrs refuses; theirs would show the value."""

    def check(instance: object, attribute: Any, value: object) -> None:
        with suppress(TypeError, ValueError):
            for validator in validators:
                validator(instance, attribute, value)
            return
        raise ConfigurationError(f"{attribute.name} must be {told}.")

    return check


SECONDS = checked("a number of seconds, 0 or more", instance_of((int, float)), ge(0))
STATUSES = checked("a frozenset of statuses from 300 on", deep_iterable(in_(range(300, 1000)), instance_of(frozenset)))
A_HOOK = checked("callable, or None", optional(is_callable()))


@frozen(kw_only=True)
class Retry:
    """When a request is sent again: never one whose repetition could act twice (POST, PATCH).

    A failed connection, a time-out, a lost connection and the `statuses` are followed by another attempt, after a wait
    that is drawn between 0 and a bound which doubles (full jitter). Retry(attempts=1) sends everything once.

    Args:
        attempts: In all. 4 outlast the restart of a gateway; more would only add to what overloads it.
        seconds: In all, from the first attempt on; no attempt begins later. A caller who waits for longer has gone.
        backoff: Seconds, the bound of the first wait: long enough for a gateway to choose another server.
        backoff_max: Seconds, the most that a bound grows to, so that the last wait does not take up all of `seconds`.
        retry_after_max: Seconds, the most that a Retry-After header is followed. Above it the error comes at once, and
            says when to come back: a caller can plan that, and a thread that sleeps cannot.
        statuses: What a later attempt may cure: time-outs, too many requests, faults of a server or a gateway.
        on_attempt: Is called with each Attempt, when it is over.

    Raises:
        ConfigurationError: a value is not of its kind.

    """

    attempts: int = field(default=4, validator=checked("an integer of at least 1", instance_of(int), ge(1)))
    seconds: float = field(default=30.0, validator=SECONDS)
    backoff: float = field(default=0.5, validator=SECONDS)
    backoff_max: float = field(default=8.0, validator=SECONDS)
    retry_after_max: float = field(default=30.0, validator=SECONDS)
    statuses: frozenset[int] = field(default=frozenset({408, 429, 500, 502, 503, 504}), validator=STATUSES)
    on_attempt: Callable[[Attempt], object] | None = field(default=None, repr=False, validator=A_HOOK)

    def wait(self, number: int, elapsed: float, asked: float | None) -> float | None:
        """Seconds until the next attempt after a failed one; None where there is none.

        Args:
            number: Of the attempt that failed, from 1.
            elapsed: Seconds since the first began.
            asked: Seconds that the answer's Retry-After asked for.

        """
        drawn = random.uniform(0, min(self.backoff_max, self.backoff * 2.0 ** min(number - 1, 1000)))  # noqa: S311 # no secret
        wait = max(drawn, asked or 0.0)
        late = elapsed + wait > self.seconds or (asked is not None and asked > self.retry_after_max)
        return None if late or number >= self.attempts else wait


def retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return min(float(value), 1e9)
    try:
        when = parsedate_to_datetime(value)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None


def loggable(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that may be told."""
    return {name: plain(headers[name]) for name in LOGGABLE if name in headers}


def plain(text: str) -> str:
    """Text of a server, fit for one line of a message."""
    return "".join(character if character.isprintable() else " " for character in text)[:200].strip()

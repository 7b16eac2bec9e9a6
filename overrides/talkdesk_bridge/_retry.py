"""When a request is sent again: the policy, as a value, and the report of each attempt."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from attrs import field, frozen
from attrs.validators import deep_iterable, ge, in_, instance_of, is_callable, optional

from talkdesk_bridge.errors import ConfigurationError

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})  # RFC 9110, 9.2.2


@frozen(kw_only=True)
class Attempt:
    """One request that was sent, or could not be. `Retry.on_attempt` and the logger `talkdesk_bridge` get each."""

    operation: str
    """The operationId, or `token` for a request to the token server."""
    method: str
    path: str
    """Without the query."""
    number: int
    """Counted from 1."""
    status: int | None
    """The response's; None if there was no response."""
    error: str | None
    """The name of the error; None if there was a response."""
    seconds: float
    """How long the attempt took."""
    wait: float | None
    """Seconds until the next attempt; None if this was the last."""
    headers: Mapping[str, str]
    """The response's headers that are safe to log."""


def checked(rule: str, *validators: Callable[..., None]) -> Callable[..., None]:
    """A validator that combines those of attrs; its message states the `rule`. Their messages would show the value."""

    def check(instance: object, attribute: Any, value: object) -> None:
        with suppress(TypeError, ValueError):
            for validator in validators:
                validator(instance, attribute, value)
            return
        raise ConfigurationError(f"{attribute.name} must be {rule}.")

    return check


SECONDS = checked("a number of seconds, 0 or more", instance_of((int, float)), ge(0))
STATUSES = checked(
    "a frozenset of status codes from 300 to 999", deep_iterable(in_(range(300, 1000)), instance_of(frozenset))
)
A_HOOK = checked("callable, or None", optional(is_callable()))


@frozen(kw_only=True)
class Retry:
    """When a request is sent again. POST and PATCH never are, since they could act twice.

    A failed connection, a timeout, a lost connection and the `statuses` lead to another attempt, after a random wait
    between 0 and a bound that doubles each time (full jitter). Retry(attempts=1) retries
    nothing. After a 401, a request is sent once more with a new token in any case.

    Examples:
        >>> patient = Retry(attempts=8, seconds=120, on_attempt=print)
        >>> patient.wait(number=1, elapsed=0.3, asked=20)  # the first attempt got a Retry-After of 20 seconds
        20

    Args:
        attempts: The total. 4 outlast the restart of a gateway; more would only add load to one that is overloaded.
        seconds: No attempt begins later than this after the first one began.
        backoff: Seconds, the bound of the first wait: long enough for a gateway to choose another server.
        backoff_max: Seconds, the largest bound, so that the last wait does not take up all of `seconds`.
        retry_after_max: Seconds, the longest Retry-After that is obeyed. If the bridge asks for more, the error is
            raised at once and says when to come back: a program can schedule for that, a sleeping thread cannot.
            What can be no delay, such as seconds since 1970 or a date in an unknown zone, counts only up to this.
        statuses: The statuses to retry: timeouts, too many requests, errors of a server or a gateway.
        on_attempt: Called with each Attempt when it has ended.

    Raises:
        ConfigurationError: a value cannot be used.

    """

    attempts: int = field(default=4, validator=checked("an integer of at least 1", instance_of(int), ge(1)))
    seconds: float = field(default=30.0, validator=SECONDS)
    backoff: float = field(default=0.5, validator=SECONDS)
    backoff_max: float = field(default=8.0, validator=SECONDS)
    retry_after_max: float = field(default=30.0, validator=SECONDS)
    statuses: frozenset[int] = field(default=frozenset({408, 429, 500, 502, 503, 504}), validator=STATUSES)
    on_attempt: Callable[[Attempt], object] | None = field(default=None, repr=False, validator=A_HOOK)

    def wait(self, number: int, elapsed: float, asked: float | None) -> float | None:
        """Seconds until the next attempt after a failed one; None if there is none.

        Args:
            number: The number of the attempt that failed, from 1.
            elapsed: Seconds since the first attempt began.
            asked: Seconds in the response's Retry-After; None if it has none.

        """
        bound = min(self.backoff_max, self.backoff * 2.0 ** min(number - 1, 1000))  # 2.0**1024 would overflow
        wait = max(random.uniform(0, bound), asked or 0.0)  # noqa: S311 # no secret
        late = elapsed + wait > self.seconds or (asked is not None and asked > self.retry_after_max)
        return None if late or number >= self.attempts else wait

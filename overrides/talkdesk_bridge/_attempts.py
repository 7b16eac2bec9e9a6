"""The attempts at a request: when it is sent again, what each attempt reports, and how calls wait for each other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import evolve

from talkdesk_bridge import errors
from talkdesk_bridge._http import Request
from talkdesk_bridge._redact import path_of
from talkdesk_bridge._response import Failure, RawResponse
from talkdesk_bridge._retry import IDEMPOTENT, Attempt, loggable

if TYPE_CHECKING:
    from talkdesk_bridge._caller import Caller

LOG = logging.getLogger("talkdesk_bridge")
LOG.addHandler(logging.NullHandler())

TOKEN = "token"  # noqa: S105 # the name of an operation
"""The operation name in reports about requests to the token server."""


class Gate:
    """While `each` runs, makes all calls of a client wait together for a Retry-After."""

    def __init__(self) -> None:
        self.users = 0
        """How many `each` are running."""
        self.until = 0.0
        """When the bridge accepts requests again, by the client's clock."""
        self.served = 0
        """Responses whose status was none of `Retry.statuses`."""

    @contextmanager
    def sharing(self) -> Iterator[None]:
        """Make calls wait together inside the block."""
        self.users += 1
        try:
            yield
        finally:
            self.users -= 1

    def note(self, response: RawResponse, now: float, statuses: frozenset[int]) -> None:
        """Record a response for all calls."""
        if response.status_code not in statuses:
            self.served += 1
        elif response.retry_after is not None:
            self.until = max(self.until, now + response.retry_after)


class Attempts:
    """Sends one request until it succeeds or the retry policy ends it.

    Args:
        caller: Sends the requests, waits between them, and provides the settings and the gate.
        operation: The operationId; None for a token request, which is safe to repeat although it is a POST.
        make: Makes a new request for each attempt: a token server accepts a JWT only once, even if its response was
            lost.
        once: Do not send it again, even if the policy would.

    """

    def __init__(
        self, caller: Caller, operation: str | None, make: Callable[[], Request], *, once: bool = False
    ) -> None:
        self._caller, self._gate, self._clock = caller, caller.gate, caller.settings.clock
        self._policy = caller.settings.retry
        self._name, self._is_for_token = operation or TOKEN, operation is None
        self._make, self._once = make, once
        self._begun, self._served = self._clock(), caller.gate.served
        self._number = self._counted = 0

    async def response(self) -> RawResponse:
        """The response of the last attempt.

        Raises:
            BridgeError: the last attempt got no response.

        """
        while True:
            if self._gate.users and not self._is_for_token:
                await self._wait_at_the_gate()
            self._number, self._counted = self._number + 1, self._counted + 1
            started, request = self._clock(), self._make()
            outcome = await self._caller.http.send(self._caller.settings, request)
            wait = self._wait_after(request, outcome)
            self._report(request, outcome, self._clock() - started, wait)
            if wait is not None:
                await self._caller.sleep(wait)
            elif isinstance(outcome, RawResponse):
                return evolve(outcome, attempts=self._number) if self._number > 1 else outcome
            else:
                tried = f" Tried {self._number} times." if self._number > 1 else ""
                raise type(outcome.error)(f"{outcome.error}{tried}")

    async def _wait_at_the_gate(self) -> None:
        """Wait until the bridge accepts requests again. This time does not count towards `Retry.seconds`."""
        begun, until = self._clock(), 0.0
        while self._gate.until > max(until, now := self._clock()):  # another response may have asked for more meanwhile
            until = self._gate.until
            if until - now > self._policy.retry_after_max:
                message = (
                    f"{self._name}: not sent. In response to another request, the bridge asked clients to come back in"
                )
                raise errors.NotSentError(f"{message} {until - now:.0f} s.")
            await self._caller.sleep(until - now)
        self._begun += self._clock() - begun

    def _wait_after(self, request: Request, outcome: RawResponse | Failure) -> float | None:
        """Seconds until the next attempt; None if there is none."""
        now = self._clock()
        if isinstance(outcome, Failure):
            retryable = outcome.retryable
        else:
            retryable = outcome.status_code in self._policy.statuses
            if not self._is_for_token:
                self._gate.note(outcome, now, self._policy.statuses)
                self._restart_if_others_were_served(outcome, now)
        repeatable = request.method in IDEMPOTENT or self._is_for_token
        if self._once or not repeatable or not retryable:
            return None
        return self._policy.wait(self._counted, now - self._begun, outcome.retry_after)

    def _restart_if_others_were_served(self, response: RawResponse, now: float) -> None:
        """Count attempts from 1 again after a 429 if other calls succeeded since: the bridge works, it is only busy."""
        turned_away = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        if self._gate.users and turned_away and self._gate.served > self._served:
            self._begun, self._counted, self._served = now, 1, self._gate.served

    def _report(self, request: Request, outcome: RawResponse | Failure, seconds: float, wait: float | None) -> None:
        if not self._policy.on_attempt and not LOG.isEnabledFor(logging.DEBUG):
            return
        attempt = Attempt(
            operation=self._name,
            method=request.method,
            path=path_of(request),
            number=self._number,
            status=outcome.status_code,
            error=type(outcome.error).__name__ if isinstance(outcome, Failure) else None,
            seconds=seconds,
            wait=wait,
            headers=loggable(outcome.headers),
        )
        LOG.debug("%s", attempt)
        if self._policy.on_attempt:
            self._policy.on_attempt(attempt)

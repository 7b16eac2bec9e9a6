"""The attempts at a request: when it is sent again, what is reported of each, and how calls wait for each other."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from attrs import evolve

from talkdesk_bridge import errors
from talkdesk_bridge._http import Failure, Request, path_of
from talkdesk_bridge._response import RawResponse
from talkdesk_bridge._retry import IDEMPOTENT, Attempt, loggable, retry_after
from talkdesk_bridge._settings import Settings

LOG = logging.getLogger("talkdesk_bridge")
LOG.addHandler(logging.NullHandler())

TOKEN = "token"  # noqa: S105 # the name of an operation
"""The name under which requests to the token server are reported."""


class Gate:
    """Makes the calls of a client wait together for a Retry-After, as long as `each` runs."""

    def __init__(self) -> None:
        self._users = 0
        self.until = 0.0
        """By the client's clock: when the bridge wants to be asked again."""
        self.served = 0
        """Requests that were not turned away."""

    @property
    def shared(self) -> bool:
        """Whether calls wait together."""
        return self._users > 0

    @contextmanager
    def sharing(self) -> Iterator[None]:
        """Let calls wait together in the block."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1

    def note(self, response: RawResponse, asked: float | None, now: float, statuses: frozenset[int]) -> None:
        """Take what a response says of all calls."""
        if response.status_code not in statuses:
            self.served += 1
        elif asked is not None:
            self.until = max(self.until, now + asked)


class Attempts:
    """Sends one request as often as the policy says.

    Args:
        settings: Of the call.
        gate: Of the client.
        send: Sends a request.
        sleep: Waits for so many seconds.
        name: The operationId, or TOKEN. A request for a token may be repeated: it does no harm.
        make: Makes the request, for each attempt anew: a token server takes a JWT once, and may have taken it although
            its response was lost.
        once: Whether to send it once, whatever the policy says.

    """

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        send: Callable[[Settings, Request], Awaitable[RawResponse | Failure]],
        sleep: Callable[[float], Awaitable[None]],
        name: str,
        make: Callable[[], Request],
        *,
        once: bool = False,
    ) -> None:
        self._settings, self._policy, self._clock = settings, settings.retry, settings.clock
        self._gate, self._served = gate, gate.served
        self._send, self._sleep = send, sleep
        self._name, self._make, self._once = name, make, once
        self._begun = self._clock()
        self._number = self._counted = 0

    async def response(self) -> RawResponse:
        """The response of the last attempt.

        Raises:
            BridgeError: the last attempt got no response.

        """
        while True:
            if self._gate.shared and self._name != TOKEN:
                await self._wait_at_the_gate()
            self._number, self._counted = self._number + 1, self._counted + 1
            started, request = self._clock(), self._make()
            outcome = await self._send(self._settings, request)
            wait = self._wait_after(request, outcome)
            self._report(request, outcome, self._clock() - started, wait)
            if wait is not None:
                await self._sleep(wait)
            elif isinstance(outcome, RawResponse):
                return evolve(outcome, attempts=self._number) if self._number > 1 else outcome
            else:
                tried = f" Tried {self._number} times." if self._number > 1 else ""
                raise type(outcome.error)(f"{outcome.error}{tried}")

    async def _wait_at_the_gate(self) -> None:
        """Wait until the bridge wants to be asked again; this is no part of the policy's seconds."""
        begun, until = self._clock(), 0.0
        while until < self._gate.until > (now := self._clock()):  # another response may have asked for more
            until = self._gate.until
            if until - now > self._policy.retry_after_max:
                message = f"{self._name}: not sent, since the bridge asks to come back in {until - now:.0f} s"
                raise errors.NotSentError(f"{message}, as it answered another request.")
            await self._sleep(until - now)
        self._begun += self._clock() - begun

    def _wait_after(self, request: Request, outcome: RawResponse | Failure) -> float | None:
        """Seconds until the next attempt; None if there is none."""
        now, asked = self._clock(), retry_after(outcome.headers.get("Retry-After"))
        if isinstance(outcome, Failure):
            curable = outcome.again
        else:
            curable = outcome.status_code in self._policy.statuses
            if self._name != TOKEN:
                self._gate.note(outcome, asked, now, self._policy.statuses)
                self._begin_again_if_others_pass(outcome, now)
        repeatable = request.method in IDEMPOTENT or self._name == TOKEN
        if self._once or not repeatable or not curable:
            return None
        return self._policy.wait(self._counted, now - self._begun, asked)

    def _begin_again_if_others_pass(self, response: RawResponse, now: float) -> None:
        """Count anew if other calls got their responses in this one's place: that is no reason to give it up."""
        turned_away = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        if self._gate.shared and turned_away and self._gate.served > self._served:
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

"""The attempts at a request: when it is sent again, what each attempt reports, and how calls wait for each other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from attrs import evolve

from talkdesk_bridge import errors
from talkdesk_bridge._http import AsyncHttp, Http, Request
from talkdesk_bridge._received import LOG, Failure, RawResponse, loggable
from talkdesk_bridge._redact import path_of
from talkdesk_bridge._retry import IDEMPOTENT, Attempt
from talkdesk_bridge._settings import Settings

TOKEN = "token"  # noqa: S105 # the name of an operation
"""The operation name in reports about requests to the token server."""


class Attempts:
    """Sends one request until it succeeds or the retry policy ends it.

    Args:
        http: Sends the requests and waits between them.
        settings: Those of the call.
        operation: The operationId; None for a token request, which is safe to repeat although it is a POST.
        make: Makes a new request for each attempt: a token server accepts a JWT only once, even if its response was
            lost.
        once: Do not send it again, even if the policy would.

    """

    def __init__(
        self,
        http: Http | AsyncHttp,
        settings: Settings,
        operation: str | None,
        make: Callable[[], Request],
        *,
        once: bool = False,
    ) -> None:
        self._http, self._gate, self._settings = http, http.waiting.gate, settings
        self._clock, self._policy = settings.clock, settings.retry
        self._name, self._is_for_token = operation or TOKEN, operation is None
        self._make, self._once = make, once
        self._begun, self._served = self._clock(), self._gate.served
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
            outcome = await self._http.send(self._settings, request)
            wait = self._wait_after(request, outcome)
            self._report(request, outcome, self._clock() - started, wait)
            if wait is not None:
                await self._http.waiting.sleep(wait)
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
            await self._http.waiting.sleep(until - now)
        self._begun += self._clock() - begun

    def _wait_after(self, request: Request, outcome: RawResponse | Failure) -> float | None:
        """Seconds until the next attempt; None if there is none."""
        now = self._clock()
        if isinstance(outcome, Failure):
            retryable = outcome.retryable
        else:
            retryable = outcome.status_code in self._policy.statuses
            if not self._is_for_token:
                self._note(outcome, now, retryable=retryable)
        repeatable = request.method in IDEMPOTENT or self._is_for_token
        if self._once or not repeatable or not retryable:
            return None
        return self._policy.wait(self._counted, now - self._begun, outcome.retry_after)

    def _note(self, response: RawResponse, now: float, *, retryable: bool) -> None:
        """Note a response for all calls.

        After a 429, count attempts from 1 again if other calls succeeded since: the bridge works, it is only busy.
        """
        gate = self._gate
        if not retryable:
            gate.served += 1
        elif response.retry_after is not None:
            gate.until = max(gate.until, now + response.retry_after)
        turned_away = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        if gate.users and turned_away and gate.served > self._served:
            self._begun, self._counted, self._served = now, 1, gate.served

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

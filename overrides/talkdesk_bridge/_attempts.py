"""The attempts at a request: when it is sent again, what each attempt reports, and how calls wait for each other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from attrs import evolve

from talkdesk_bridge import errors
from talkdesk_bridge._http import AsyncHttp, Http, Request
from talkdesk_bridge._received import LOG, Failure, RawResponse, loggable
from talkdesk_bridge._redact import path_of, secrets_of
from talkdesk_bridge._retry import IDEMPOTENT, Attempt, Retry
from talkdesk_bridge._settings import Settings

TOKEN = "token"  # noqa: S105 # the name of an operation
"""The operation name in reports about requests to the token server."""


async def response_to(
    make: Callable[[], Request],
    http: Http | AsyncHttp,
    settings: Settings,
    operation: str | None,
    *,
    once: bool = False,
) -> RawResponse:
    """Send one request until it succeeds or the retry policy ends it; the response of the last attempt.

    Args:
        make: Makes a new request for each attempt: a token server accepts a JWT only once, even if its response was
            lost.
        http: Sends the requests and waits between them.
        settings: Those of the call.
        operation: The operationId; None for a token request, which is safe to repeat although it is a POST.
        once: Do not send it again, even if the policy would.

    Raises:
        BridgeError: the last attempt got no response.

    """
    policy, clock, gate, name = settings.retry, settings.clock, http.waiting.gate, operation or TOKEN
    begun, served, number, counted = clock(), gate.served, 0, 0
    while True:
        if gate.users and operation:
            begun += await _wait_at_the_gate(http, settings, name)
        number, counted = number + 1, counted + 1
        started, request = clock(), make()
        outcome = await http.send(settings, request)
        now, is_safe = clock(), request.method in IDEMPOTENT or not operation
        retryable = outcome.retryable if isinstance(outcome, Failure) else outcome.status_code in policy.statuses
        if operation and isinstance(outcome, RawResponse):
            gate.note(outcome.status_code, outcome.retry_after, now, retryable=retryable)
            # The bridge works, it is only busy: after a 429, count from 1 again if other calls succeeded since.
            if gate.users and outcome.status_code == HTTPStatus.TOO_MANY_REQUESTS and gate.served > served:
                begun, counted, served = now, 1, gate.served
        wait = policy.wait(counted, now - begun, outcome.retry_after) if retryable and is_safe and not once else None
        _report(policy, name, request, number, outcome, now - started, wait)
        if wait is not None:
            await http.waiting.sleep(wait)
        elif isinstance(outcome, RawResponse):
            return evolve(outcome, attempts=number) if number > 1 else outcome
        else:
            tried = f" Tried {number} times." if number > 1 else ""
            raise type(outcome.error)(f"{outcome.error}{tried}")


async def _wait_at_the_gate(http: Http | AsyncHttp, settings: Settings, name: str) -> float:
    """Wait until the bridge accepts requests again. Returns the seconds, which do not count towards `Retry.seconds`."""
    gate, clock = http.waiting.gate, settings.clock
    begun, until = clock(), 0.0
    while gate.until > max(until, now := clock()):  # another response may have asked for more meanwhile
        until = gate.until
        if until - now > settings.retry.retry_after_max:
            message = f"{name}: not sent. In response to another request, the bridge asked clients to come back in"
            raise errors.NotSentError(f"{message} {until - now:.0f} s.")
        await http.waiting.sleep(until - now)
    return clock() - begun


def _report(
    policy: Retry, name: str, request: Request, number: int, outcome: RawResponse | Failure, seconds: float,
    wait: float | None,
) -> None:  # fmt: skip
    if not policy.on_attempt and not LOG.isEnabledFor(logging.DEBUG):
        return
    attempt = Attempt(
        operation=name,
        method=request.method,
        path=path_of(request, secrets_of(request)),
        number=number,
        status=outcome.status_code,
        error=type(outcome.error).__name__ if isinstance(outcome, Failure) else None,
        seconds=seconds,
        wait=wait,
        headers=loggable(outcome.headers),
    )
    LOG.debug("%s", attempt)
    if policy.on_attempt:
        policy.on_attempt(attempt)

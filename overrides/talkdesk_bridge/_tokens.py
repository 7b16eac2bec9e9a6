"""The access token of a client: who fetches it, how long it is used, and how a token server's response is read."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any

from attrs import frozen
from talkdesk_bridge_api.places import kind_of

from talkdesk_bridge._attempts import response_to
from talkdesk_bridge._http import AsyncHttp, Http, Request
from talkdesk_bridge._oauth import OAuth2, OAuth2ClientCredentials
from talkdesk_bridge._received import LOG, RawResponse, clock_note, one_line
from talkdesk_bridge._redact import Secret, redact
from talkdesk_bridge._settings import Settings
from talkdesk_bridge.errors import AuthenticationError, BridgeError

# Fields that say why there is no token (RFC 6749, problem+json, gateways), in lower case and without punctuation.
REASONS = {
    "error", "errors", "errorcode", "errordescription", "errormessage", "errorsummary", "code", "description", "detail",
    "details", "fault", "faultstring", "message", "reason", "title",
}  # fmt: skip

MOST_REASONS = 4
"""Texts of an error response that a message shows."""

NEVER = 1e9
"""Seconds: the lifetime of a token whose end is unknown."""


@frozen
class TokenResponse:
    """The fields of a token server's response, as far as messages and tracebacks may show them."""

    token: Secret | None
    """None if there is none that a header can carry."""
    kind: str
    seconds: float
    """The lifetime; NEVER if it is missing, not a number, or not above 0: until the bridge rejects the token."""
    reasons: tuple[str, ...]


class Tokens:
    """The access token of a client, and when to renew it.

    A token is fresh until 120 s before it expires, or for half its lifetime if that is longer; it is usable until 30 s
    before, or for three quarters if that is longer. While it is usable but no longer fresh, one call renews it and the
    others keep using it. If that fails, it stays in use, and the next call that comes 5 s later or more tries again.

    Args:
        http: Sends token requests; its lock is held by the call that does.
        clock: A monotonic clock in seconds.

    """

    def __init__(self, http: Http | AsyncHttp, clock: Callable[[], float]) -> None:
        self._http, self._clock = http, clock
        self._token: Secret | None = None
        self._fresh_until = self._usable_until = self._next_try = 0.0
        # The number of token requests that have ended, so that a call that waited notices one; and why the last failed,
        # as text: an error would keep its frames, and so their secrets, alive.
        self._ended, self._failure = 0, ""

    @property
    def current(self) -> str:
        """The token, to redact it; empty if there is none."""
        return self._token.text if self._token else ""

    async def send(
        self, settings: Settings, auth: OAuth2, request: Request, send: Callable[[], Awaitable[RawResponse]]
    ) -> RawResponse:
        """Send a request with the token, and once more with a new one if the bridge has revoked it."""
        token = self.get_or_claim_renewal() or await self.renewed(settings, auth)
        request.headers["Authorization"] = f"Bearer {token.text}"
        response = await send()
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return response
        request.headers["Authorization"] = f"Bearer {(await self.renewed(settings, auth, rejected=token)).text}"
        return await send()

    def get_or_claim_renewal(self) -> Secret | None:
        """The token; None if this call has to renew it, while others keep using it."""
        now = self._clock()
        if now < self._fresh_until or now < min(self._usable_until, self._next_try):
            return self._token
        self._next_try = now + 5
        return None

    async def renewed(self, settings: Settings, auth: OAuth2, rejected: Secret | None = None) -> Secret:
        """A token other than `rejected`: the one that another call got meanwhile, or a new one.

        Calls that wait for another call's token request share its failure. Otherwise each would send its own in turn:
        all would wait longer, and an overloaded token server would get more requests.

        Raises:
            AuthenticationError: there is none.

        """
        ended_before = self._ended
        async with self._http.waiting.lock():
            if token := self.fresh(rejected):
                return token
            spare = self.spare(rejected)
            if ended_before == self._ended or not self._failure:
                return await self._fetched(settings, auth, spare)
            if spare:
                return spare
            raise AuthenticationError(self._failure)

    def fresh(self, rejected: Secret | None) -> Secret | None:
        """The token, if it is fresh and not the one that the bridge has rejected."""
        return self._token if self._token != rejected and self._clock() < self._fresh_until else None

    def spare(self, rejected: Secret | None) -> Secret | None:
        """The token, if it can stay in use should the renewal fail."""
        return self._token if self._token != rejected and self._clock() < self._usable_until else None

    async def _fetched(self, settings: Settings, auth: OAuth2, spare: Secret | None) -> Secret:
        """A token from the token server, or the `spare` one if the server returns none."""

        def request() -> Request:
            headers, content = auth.token_request()
            return self._http.build(settings, method="POST", url=auth.token_url, headers=headers, content=content)

        try:
            response = await response_to(request, self._http, settings, None, once=spare is not None)
            return self.store(auth, response)
        except BridgeError as error:
            from_server = isinstance(error, AuthenticationError)
            self._ended += 1
            self._failure = str(error) if from_server else f"No token could be fetched. {error}"
            if spare:
                LOG.warning("Token renewal failed; the current token stays in use until it expires: %s", error)
                return spare
            raise AuthenticationError(self._failure) from (None if from_server else error)

    def store(self, auth: OAuth2, response: RawResponse) -> Secret:
        """Store the token from a token server's response, and return it.

        Args:
            auth: The credential that the token is for.
            response: The token server's response.

        Raises:
            AuthenticationError: the response is an error, or holds no usable token; the old token is kept.

        """
        server, status = auth.token_url.partition("?")[0], response.status_code
        found = read_token(response)
        reason = f": {': '.join(found.reasons)}" if found.reasons else ""
        if not 200 <= status < 300:
            remedy = ". Check the token URL." if not reason and status < 500 else ""
            message = f"The token server {server} returned {status}{reason or ' without giving a reason'}{remedy}"
            is_timed = status in (400, 401, 403) and not isinstance(auth, OAuth2ClientCredentials)
            if is_timed and (note := clock_note(response.headers)):
                message = f"{message.rstrip('.')}. {note}"
            raise AuthenticationError(message)
        if not found.token:
            raise AuthenticationError(f"The token server {server} returned no usable access_token{reason}.")
        if "bearer" not in found.kind.lower() and found.kind.lower() not in ("", "jwt", "access_token"):
            problem = f"a token whose token_type is not bearer, but {found.kind}"
            raise AuthenticationError(f"The token server {server} returned {problem}.")
        now = self._clock()
        self._ended, self._failure = self._ended + 1, ""
        self._token, self._next_try = found.token, now
        self._usable_until = now + found.seconds - min(30, found.seconds / 4)
        self._fresh_until = now + found.seconds - min(120, found.seconds / 2)
        return found.token


def read_token(response: RawResponse) -> TokenResponse:
    """A token server's response. It never raises, so that no traceback shows its body."""
    try:
        data = json.loads(response.content)
    except (ValueError, RecursionError):
        data = None
    data = data if isinstance(data, dict) else {}
    text = data.get("access_token")
    token = Secret(text) if isinstance(text, str) and re.fullmatch(r"[!-~]+", text) else None
    secrets = (*response.secrets, *([token.text] if token else []))
    # Other fields of a success may hold secrets.
    success = 200 <= response.status_code < 300
    named = {name: data[name] for name in data if name.lower().startswith("error") or not success}
    reasons = islice(_reasons(response.fault or named), MOST_REASONS)
    kind = "" if data.get("token_type") is None else data["token_type"]
    return TokenResponse(
        token=token,
        kind=one_line(redact(kind, secrets)) if isinstance(kind, str) else kind_of(kind),
        seconds=_lifetime(data.get("expires_in")),
        reasons=tuple(one_line(redact(one, secrets)) for one in reasons),
    )


def _reasons(data: Any, depth: int = 0) -> Iterator[str]:
    """The texts of the fields in REASONS, also inside of objects and lists."""
    if isinstance(data, str) and data.strip():
        yield data
    elif isinstance(data, dict | list) and depth < 5:
        for one in data:
            if isinstance(data, list):
                yield from _reasons(one, depth + 1)
            elif re.sub("[^a-z]", "", one.lower()) in REASONS:
                yield from _reasons(data[one], depth + 1)


def _lifetime(value: Any) -> float:
    """Seconds from `expires_in`, which may be a number or text."""
    try:
        seconds = 0.0 if isinstance(value, bool) else float(value)
    except (OverflowError, TypeError, ValueError):
        return NEVER
    return min(seconds, NEVER) if seconds > 0 else NEVER

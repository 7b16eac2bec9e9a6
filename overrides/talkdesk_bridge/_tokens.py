"""The access token of a client: how long it is used, and how a token server's response is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from attrs import define, field

from talkdesk_bridge._retry import one_line
from talkdesk_bridge.errors import AuthenticationError


@define
class TokenCache:
    """One access token, and when to renew it.

    A token is fresh until 120 s before it expires, or for half its lifetime if that is longer; it is usable until 30 s
    before, or for three quarters if that is longer. While it is usable but no longer fresh, one call renews it and the
    others keep using it. If that fails, it stays in use, and the next call that comes 5 s later or more tries again.
    """

    clock: Callable[[], float]
    _token: str | None = field(default=None, repr=False, init=False)
    _fresh_until: float = field(default=0.0, init=False)
    _usable_until: float = field(default=0.0, init=False)
    _next_try: float = field(default=0.0, init=False)
    requests: int = field(default=0, init=False)
    """The number of token requests that have ended, so that a call that waited can notice one."""
    failure: str | None = field(default=None, repr=False, init=False)
    """Why the last one failed, as text: an error would keep its frames, and so their secrets, alive."""

    @property
    def current(self) -> str:
        """The token, to redact it; empty if there is none."""
        return self._token or ""

    def get_or_claim_renewal(self) -> str | None:
        """The token; None if this call has to renew it, while others keep using it."""
        now = self.clock()
        if now < self._fresh_until:
            return self._token
        if now < min(self._usable_until, self._next_try):
            return self._token
        self._next_try = now + 5
        return None

    def fresh(self, rejected: str | None) -> str | None:
        """The token, if it is fresh and not the one that the bridge has rejected."""
        return self._token if self._token != rejected and self.clock() < self._fresh_until else None

    def spare(self, rejected: str | None) -> str | None:
        """The token, if it can stay in use should the renewal fail."""
        return self._token if self._token != rejected and self.clock() < self._usable_until else None

    def ended(self, failure: str | None) -> None:
        """Note that a token request has ended."""
        self.requests, self.failure = self.requests + 1, failure

    def store(self, server: str, status_code: int, content: bytes) -> str:
        """Store the token from a token server's response, and return it. Also calls `ended`, unless it raises.

        Raises:
            AuthenticationError: the response is an error, or holds no usable token; the old token is kept.

        """
        server = server.partition("?")[0]
        try:
            data = json.loads(content)
        except (ValueError, RecursionError):
            data = None
        data = data if isinstance(data, dict) else {}
        if not 200 <= status_code < 300:
            reasons = [one_line(data[key]) for key in ("error", "error_description") if isinstance(data.get(key), str)]
            reason = f": {': '.join(reasons)}" if reasons else " without giving a reason"
            remedy = ". Check the token URL." if not reasons and status_code < 500 else ""
            raise AuthenticationError(f"The token server {server} returned {status_code}{reason}{remedy}")
        token = data.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise AuthenticationError(f"The token server {server} returned no usable access_token.")
        if str(data.get("token_type", "bearer")).lower() != "bearer":
            raise AuthenticationError(f"The token server {server} returned a token whose token_type is not bearer.")
        life, now = _lifetime(data.get("expires_in")), self.clock()
        self._token = token
        self._usable_until = now + life - min(30, life / 4)
        self._fresh_until = now + life - min(120, life / 2)
        self._next_try = now
        self.ended(None)
        return token


def _lifetime(value: object) -> float:
    """Seconds from `expires_in`; 1e9 if it is missing, not a number, or not above 0: until the bridge rejects it."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return 1e9
    return min(value, 1e9)

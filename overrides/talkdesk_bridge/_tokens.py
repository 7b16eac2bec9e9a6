"""The access token of a client: how long it is used, and what a token server's response says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from attrs import define, field

from talkdesk_bridge._retry import plain
from talkdesk_bridge.errors import AuthenticationError


@define
class TokenCache:
    """One access token, and when to renew it. `_caller` lets one caller in at a time to renew.

    While a token is fresh it is used. In the window after that, of up to 90 s, one caller tries to renew it and
    the others go on with it; if that fails, it serves on, and the next try is 5 s later. From 30 s before its end on,
    nobody uses it. A token of a short life is fresh for half of it, and used for three quarters.
    """

    clock: Callable[[], float]
    _token: str | None = field(default=None, repr=False, init=False)
    _fresh_until: float = field(default=0.0, init=False)
    _usable_until: float = field(default=0.0, init=False)
    _next_try: float = field(default=0.0, init=False)
    tries: int = field(default=0, init=False)
    """How many requests for a token are over, so that whoever waited for one shares what came of it."""
    failure: str | None = field(default=None, repr=False, init=False)
    """What the last one failed with; not the error, which would keep all that it passed through."""

    def get(self) -> str | None:
        """The token to use; None for the caller who is to renew it now."""
        token, now = self._token, self.clock()
        if now < self._fresh_until or now < min(self._usable_until, self._next_try):
            return token
        self._next_try = now + 5
        return None

    def fresh(self, rejected: str | None) -> str | None:
        """The token, if it need not be renewed, since it is fresh and not the one that the bridge has rejected."""
        return self._token if self._token != rejected and self.clock() < self._fresh_until else None

    def ended(self, failure: str | None) -> None:
        """Note that a request for a token is over."""
        self.tries, self.failure = self.tries + 1, failure

    def spare(self, rejected: str | None) -> str | None:
        """The token, if it serves on where it cannot be renewed."""
        return self._token if self._token != rejected and self.clock() < self._usable_until else None

    def store(self, server: str, status_code: int, content: bytes) -> str:
        """Keep the token of a token server's answer, and return it.

        Raises:
            AuthenticationError: the answer is a refusal, or holds no token; nothing is kept of it.

        """
        server = server.partition("?")[0]
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        answer = answer if isinstance(answer, dict) else {}
        if not 200 <= status_code < 300:
            told = [plain(answer[key]) for key in ("error", "error_description") if isinstance(answer.get(key), str)]
            unsaid = " without saying why" + ("; is this its URL?" if status_code < 500 else "")
            reason = f": {': '.join(told)}" if told else unsaid
            raise AuthenticationError(f"The token server {server} refused with {status_code}{reason}")
        token = answer.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise AuthenticationError(f"The token server {server} returned no usable access_token.")
        if str(answer.get("token_type", "bearer")).lower() != "bearer":
            raise AuthenticationError(f"The token server {server} gave a token that is not of the type bearer.")
        life = answer.get("expires_in")
        life = int(life) if isinstance(life, str) and re.fullmatch(r"[0-9]{1,9}", life) else life
        if isinstance(life, bool) or not isinstance(life, int | float) or not life > 0:
            life = float("inf")  # the server does not say: used until the bridge rejects it
        life, now = min(life, 1e9), self.clock()
        self._token = token
        self._usable_until = now + life - min(30, life / 4)
        self._fresh_until = now + life - min(120, life / 2)
        self._next_try = now
        return token

"""The credentials, as plain values: which headers they send, which token request they make. Nothing here does I/O."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlencode

from attrs import define, field
from attrs.validators import optional

from talkdesk_bridge.errors import AuthenticationError, ConfigurationError

__all__ = ["Auth", "BasicAuth", "BearerAuth", "HeaderAuth", "NoAuth", "OAuth2ClientCredentials"]


@define(frozen=True)
class Auth:
    """A way to authenticate: one of the classes below."""

    def headers(self) -> dict[str, str]:
        """The headers that carry the credential, on every request to the bridge."""
        return {}


@define(frozen=True)
class NoAuth(Auth):
    """No credential."""


def _header_text(_: object, attribute: Any, value: Any) -> None:
    """Refuse what a header cannot carry, without showing it: the HTTP library would print the value."""
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]([ -~]*[!-~])?", value):
        remedy = "it must be printable ASCII without blanks or line breaks around it"
        raise ConfigurationError(f"The {attribute.name} of the credential cannot be sent in a header: {remedy}.")


def _header_name(_: object, attribute: Any, value: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value):
        raise ConfigurationError("The name of the credential's header is not a header name, such as X-API-Key.")
    if value.lower() in ("connection", "content-length", "host", "transfer-encoding"):
        raise ConfigurationError(f"The header {value} belongs to HTTP itself and cannot carry a credential.")


def _text(_: object, attribute: Any, value: Any) -> None:
    """Refuse what cannot be encoded, without showing it."""
    if not isinstance(value, str) or not value.isprintable():
        raise ConfigurationError(f"The {attribute.name} of the credential is not printable text.")


def _not_empty(_: object, attribute: Any, value: str) -> None:
    _text(_, attribute, value)
    if not value:
        raise ConfigurationError(f"The {attribute.name} of the credential is empty.")


def _token(_: object, attribute: Any, value: str) -> None:
    _header_text(_, attribute, value)
    if value.lower().startswith("bearer "):
        raise ConfigurationError("The token of the credential begins with the word Bearer: give the token alone.")


@define(frozen=True)
class HeaderAuth(Auth):
    """A key that is sent in a header; which header, and in which form, the bridge's host says.

    Args:
        value: The whole value of the header.
        name: The header; the documented page prints only "Authorization: Header".

    Raises:
        ConfigurationError: a header cannot carry the value or the name.

    """

    value: str = field(repr=False, validator=_header_text)
    name: str = field(default="Authorization", validator=_header_name)

    def headers(self) -> dict[str, str]:
        """The key, in its header."""
        return {self.name: self.value}


@define(frozen=True)
class BearerAuth(Auth):
    """A token that was obtained elsewhere.

    Raises:
        ConfigurationError: a header cannot carry the token.

    """

    token: str = field(repr=False, validator=_token)

    def headers(self) -> dict[str, str]:
        """The token, as RFC 6750 has it."""
        return {"Authorization": f"Bearer {self.token}"}


@define(frozen=True)
class BasicAuth(Auth):
    """HTTP Basic.

    Raises:
        ConfigurationError: the user is empty or holds a colon, or either is not printable text.

    """

    user: str = field(validator=_not_empty)
    password: str = field(repr=False, validator=_text)

    def __attrs_post_init__(self) -> None:
        if ":" in self.user:
            raise ConfigurationError("The user of HTTP Basic must not hold a colon (RFC 7617).")

    def headers(self) -> dict[str, str]:
        """User and password, in UTF-8."""
        return {"Authorization": _basic(self.user, self.password)}


@define(frozen=True)
class OAuth2ClientCredentials(Auth):
    """OAuth 2 client credentials (RFC 6749, 4.4): a token is fetched when needed, and again before it ends.

    Args:
        token_url: Where the token server gives tokens; https, or http on loopback.
        client_id: Who asks.
        client_secret: The secret; id and secret are form-url-encoded before base64, as RFC 6749, 2.3.1 says.
        scope: Scopes, separated by blanks; None for the server's default.

    Raises:
        ConfigurationError: a value is empty.

    """

    token_url: str
    client_id: str = field(validator=_not_empty)
    client_secret: str = field(repr=False, validator=_not_empty)
    scope: str | None = field(default=None, kw_only=True, validator=optional(_text))

    def token_request(self) -> tuple[dict[str, str], bytes]:
        """The headers and the body of the POST to `token_url`."""
        form = {"grant_type": "client_credentials"} | ({"scope": self.scope} if self.scope else {})
        headers = {
            "Authorization": _basic(quote_plus(self.client_id), quote_plus(self.client_secret)),
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        return headers, urlencode(form).encode()


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@define
class TokenCache:
    """One access token and when to renew it; not locked: the transport lets one caller in at a time."""

    clock: Callable[[], float] = time.monotonic
    _token: str | None = field(default=None, repr=False)
    _renew_at: float = 0.0

    def get(self, rejected: str | None = None) -> str | None:
        """The token, unless there is none, it is about to end, or it is the one that the bridge has rejected."""
        usable = self._token is not None and self._token != rejected and self.clock() < self._renew_at
        return self._token if usable else None

    def store(self, server: str, status_code: int, content: bytes) -> str:
        """Keep the token of a token server's answer, and return it.

        It is renewed 30 s before it ends, or at half of its life where that is later.

        Raises:
            AuthenticationError: the answer is a refusal, or holds no token.

        """
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        answer = answer if isinstance(answer, dict) else {}
        if not 200 <= status_code < 300:
            told = [plain(answer[key]) for key in ("error", "error_description") if isinstance(answer.get(key), str)]
            reason = f": {': '.join(told)}" if told else " without saying why; is this its URL?"
            raise AuthenticationError(f"The token server {server} refused with {status_code}{reason}")
        token = answer.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise AuthenticationError(f"The token server {server} answered without a usable access_token.")
        if str(answer.get("token_type", "bearer")).lower() != "bearer":
            raise AuthenticationError(f"The token server {server} gave a token that is not of the type bearer.")
        life = answer.get("expires_in")
        life = int(life) if isinstance(life, str) and re.fullmatch(r"[0-9]{1,9}", life) else life
        if isinstance(life, bool) or not isinstance(life, int | float) or not life > 0:
            life = float("inf")  # the server does not say: used until the bridge rejects it
        life = min(life, 1e9)
        self._token = token
        self._renew_at = self.clock() + max(life - 30, life / 2)
        return token


def plain(text: str) -> str:
    """Text of a server, fit for one line of a message."""
    return "".join(character if character.isprintable() else " " for character in text)[:200].strip()

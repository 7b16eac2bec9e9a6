"""The credentials, as plain values: which headers they send, which token request they make. Nothing here does I/O."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Self
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from attrs import define, field, fields
from attrs.validators import optional

from talkdesk_bridge._retry import plain
from talkdesk_bridge.errors import AuthenticationError, ConfigurationError

__all__ = [
    "Auth",
    "BasicAuth",
    "BearerAuth",
    "HeaderAuth",
    "NoAuth",
    "OAuth2",
    "OAuth2ClientCredentials",
    "OAuth2PrivateKeyJWT",
    "TokenCache",
    "is_loopback",
    "origin",
]


def origin(url: str, what: str) -> tuple[str, str, int]:
    """Scheme, host and port of `url`, which must be https, or http on loopback, and hold no user.

    Raises:
        ConfigurationError: it is not; the message says what is wrong, and does not show a password.

    """
    if not (parts := _split(url)):
        raise ConfigurationError(f"The {what} is not a URL.")
    if parts.scheme not in ("https", "http") or not parts.hostname or not url.isprintable() or " " in url:
        raise ConfigurationError(f"The {what} must be like https://bridge.example (http is for loopback only).")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"The {what} must not hold a user or password: give them as credential.")
    if parts.scheme == "http" and not is_loopback(url):
        raise ConfigurationError(f"The {what} must begin with https://: http is for loopback only.")
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None where it is none. The error would hold the password."""
    try:
        parts = urlsplit(url)
        # What will be done with them; the resolver's own error would come as a bare UnicodeError while connecting.
        return parts if (parts.port, (parts.hostname or "").encode("idna")) else None
    except (ValueError, AttributeError):
        return None


def is_loopback(url: str) -> bool:
    """Whether the host of a URL is this machine."""
    host = (parts.hostname if (parts := _split(url)) else "") or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@define(frozen=True)
class Auth:
    """A way to authenticate: one of the classes below. It is never pickled: a pickle would hold the secret."""

    def headers(self) -> dict[str, str]:
        """The headers that carry the credential, on every request to the bridge."""
        return {}

    def secrets(self) -> list[str]:
        """What no `repr` shows, so that nobody reads it either where a server sends it back."""
        hidden = [getattr(self, field.name) for field in fields(type(self)) if field.init and not field.repr]
        return [text for value in hidden for text in ([value] if isinstance(value, str) else value.values())]

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is not pickled, since that would show it: make it where it is used.")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self


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


def _parameters(_: object, __: object, value: Any) -> None:
    named = isinstance(value, Mapping) and all(isinstance(one, str) for pair in value.items() for one in pair)
    if not named or {"grant_type", "scope", "client_id", "client_secret"} & value.keys():
        told = "must be text by name, and not grant_type, scope, client_id or client_secret"
        raise ConfigurationError(f"The parameters of the token request {told}.")


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
class OAuth2(Auth):
    """What the ways to get a token from an OAuth 2 token server have in common (RFC 6749, 4.4)."""

    token_url: str = field(
        # Some servers want a key in the query.
        repr=lambda url: repr(url.partition("?")[0]),
        validator=lambda _, __, url: origin(url, "token URL"),
    )
    client_id: str = field(validator=_not_empty)
    scope: str | None = field(default=None, kw_only=True, validator=optional(_text))

    def secrets(self) -> list[str]:
        """As of any credential, and what the query of the token URL says."""
        return [*super().secrets(), *(value for _, value in parse_qsl(self.token_url.partition("?")[2]))]

    def token_request(self) -> tuple[dict[str, str], bytes]:
        """The headers and the body of the POST to `token_url`. Each attempt needs one of its own."""
        headers, parameters = self.proof()
        form = {"grant_type": "client_credentials", **({"scope": self.scope} if self.scope else {}), **parameters}
        return {**headers, "Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode()

    def proof(self) -> tuple[dict[str, str], Mapping[str, str]]:
        """The headers and the parameters of a token request that say who asks, and prove it."""
        raise NotImplementedError


@define(frozen=True)
class OAuth2ClientCredentials(OAuth2):
    """OAuth 2 client credentials (RFC 6749, 4.4): a token is fetched when needed, and again before it ends.

    Args:
        token_url: Where the token server gives tokens; https, or http on loopback.
        client_id: Who asks.
        client_secret: The secret; id and secret are form-url-encoded before base64, as RFC 6749, 2.3.1 says.
        scope: Scopes, separated by blanks; None for the server's default.
        parameters: More parameters of the token request, such as `{"audience": "https://bridge.example"}`.

    Raises:
        ConfigurationError: a value is empty, or a parameter is one that is sent anyway.

    """

    client_secret: str = field(repr=False, validator=_not_empty)
    parameters: Mapping[str, str] = field(factory=dict, kw_only=True, repr=False, hash=False, validator=_parameters)

    def proof(self) -> tuple[dict[str, str], Mapping[str, str]]:
        """Id and secret, as HTTP Basic."""
        # A blank as %20: all who decode read it, and some do not read a plus.
        id_and_secret = _basic(quote(self.client_id, safe=""), quote(self.client_secret, safe=""))
        return {"Authorization": id_and_secret}, self.parameters


# Which key each algorithm signs with (RFC 7518, 3.1; RFC 8037, 3.1). Those with a shared secret are not among them.
SIGNS_WITH = {
    "ES256": "an EC key on the curve secp256r1",
    "ES384": "an EC key on the curve secp384r1",
    "ES512": "an EC key on the curve secp521r1",
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "an RSA key of 2048 bits or more"),
    "EdDSA": "an Ed25519 key",
}


def _algorithm(_: object, __: object, value: Any) -> None:
    if not isinstance(value, str) or value not in SIGNS_WITH:
        raise ConfigurationError(f"The algorithm of the credential must be one of {', '.join(SIGNS_WITH)}.")


@define(frozen=True)
class OAuth2PrivateKeyJWT(OAuth2):
    """OAuth 2 client credentials, proved by a JWT that a private key signs (RFC 7523, 2.2) instead of by a secret.

    Needs the extra `jwt`. Each token request carries a JWT of its own, which is good for five minutes and for one use.
    Talkdesk's documentation of "Client Credentials - JWT" is an example of a token server that takes it.

    Args:
        token_url: Where the token server gives tokens; https, or http on loopback.
        client_id: Who asks: the JWT's `iss` and `sub`.
        private_key: The key, not encrypted: as PEM, where a backslash and an n may stand for a line break, or as base64
            of PKCS#8 without the lines around it, as Talkdesk hands it out.
        key_id: The JWT's `kid`, which tells the server which key it is; None for none.
        algorithm: ES256 by default, or ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512 or EdDSA.
        audience: The JWT's `aud`; None for the token URL.
        scope: Scopes, separated by blanks; None for the server's default.

    Raises:
        ConfigurationError: the extra is not installed, a value is empty, the key cannot be read, or it does not suit
            the algorithm.

    """

    private_key: str = field(repr=False)
    key_id: str | None = field(default=None, kw_only=True, validator=optional(_not_empty))
    algorithm: str = field(default="ES256", kw_only=True, validator=_algorithm)
    audience: str | None = field(default=None, kw_only=True, validator=optional(_not_empty))
    _key: Any = field(init=False, repr=False, eq=False)
    """Read once: that takes a fifth of a second for an RSA key of 4096 bits."""

    def __attrs_post_init__(self) -> None:
        key, kind = _read_key(self.private_key)
        if kind != SIGNS_WITH[self.algorithm]:
            needed = f"{self.algorithm}, which needs {SIGNS_WITH[self.algorithm]}"
            raise ConfigurationError(f"The private_key of the credential does not suit the algorithm {needed}.")
        object.__setattr__(self, "_key", key)

    def proof(self) -> tuple[dict[str, str], Mapping[str, str]]:
        """A JWT that was never sent before."""
        import jwt

        now = int(time.time())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": self.audience or self.token_url}
        lasting = {"jti": str(uuid.uuid4()), "iat": now, "exp": now + 300}
        named = {"kid": self.key_id} if self.key_id else {}
        assertion = jwt.encode({**claims, **lasting}, self._key, algorithm=self.algorithm, headers=named)
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return {}, {"client_assertion_type": kind, "client_assertion": assertion}


def _read_key(text: Any) -> tuple[Any, str]:
    """A private key, and its kind as in SIGNS_WITH.

    Raises:
        ConfigurationError: there is no such key; the message does not show what was given.

    """
    try:
        import jwt  # noqa: F401 # what signs with it, later
        from cryptography.exceptions import InternalError, UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
        from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key
    except ModuleNotFoundError:
        how = "install talkdesk-bridge[jwt], the way the package was installed (README.md tells it)"
        raise ConfigurationError(f"OAuth2PrivateKeyJWT needs PyJWT and cryptography: {how}.") from None
    text = text.replace("\\r", "").replace("\\n", "\n").strip() if isinstance(text, str) else "no text"
    wrong = "cannot be read: give the key itself, as PEM or as base64 of PKCS#8"
    try:
        if "-----BEGIN" in text:
            key = load_pem_private_key(text.encode(), None)
        else:
            key = load_der_private_key(base64.b64decode(text), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key, f"an EC key on the curve {key.curve.name}"
        if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
            return key, "an RSA key of 2048 bits or more"
        return key, "an Ed25519 key" if isinstance(key, ed25519.Ed25519PrivateKey) else "another key"
    except TypeError:
        wrong = "is encrypted: give it without its password"
    except (InternalError, UnsupportedAlgorithm, ValueError):
        wrong = "is empty" if not text else "is a public key: give the private one" if "PUBLIC KEY-" in text else wrong
    # Not from the caught one, which may hold the key.
    raise ConfigurationError(f"The private_key of the credential {wrong}.")


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@define
class TokenCache:
    """One access token, and when to renew it. The transport lets one caller in at a time to renew.

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
            raise AuthenticationError(f"The token server {server} answered without a usable access_token.")
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

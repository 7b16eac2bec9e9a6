"""Who may ask: the credentials that the sandbox accepts, each checked for real, and its token server."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qs, unquote_plus

import jwt
from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.requests import Request

from talkdesk_bridge_sandbox._reply import Reply

__all__ = ["Accept", "Credentials", "Gate", "kind_of", "new_key"]

Accept = Literal["any", "none", "key", "basic", "bearer", "oauth2"]
"""Which credential an operation wants: any that the contract names for it, none at all, or one kind of these."""

TOKEN_LIFE = 599
"""Seconds, as in the examples of Talkdesk's own token server."""

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523, 2.2


def new_key() -> tuple[str, str]:
    """A new key pair for ES256: the private key as bare base64 of PKCS#8, as Talkdesk hands it out; the public PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(private).decode(), public.decode()


@frozen
class Credentials:
    """What the sandbox accepts; each of them is checked for real.

    Args:
        api_key: The key that is sent in a header.
        api_key_header: The header of the key; None for the one that the contract names.
        user: The user of HTTP Basic.
        password: Its password.
        bearer_token: A token that was obtained elsewhere.
        client_id: The client of the token server.
        client_secret: Its secret.
        public_key: What its assertions (private key JWT) are verified with, as PEM; None for a pair that each sandbox
            makes anew, and whose private key it tells.
        key_id: The `kid` of that key.
        algorithm: The only algorithm that an assertion may be signed with.
        audience: The `aud` of an assertion; None for the token URL.

    """

    api_key: str = field(default="sandbox-key", repr=False)
    api_key_header: str | None = None
    user: str = "sandbox-user"
    password: str = field(default="sandbox-password", repr=False)
    bearer_token: str = field(default="sandbox-token", repr=False)
    client_id: str = "sandbox-client"
    client_secret: str = field(default="sandbox-secret", repr=False)
    public_key: str | None = None
    key_id: str = "sandbox-key-id"
    algorithm: str = "ES256"
    audience: str | None = None


class Gate:
    """Lets requests in: holds them against the contract's security schemes, and gives tokens."""

    def __init__(
        self, schemes: dict[str, dict[str, Any]], credentials: Credentials, accept: str, public_key: str, life: float
    ) -> None:
        self._schemes = schemes
        self._credentials = credentials
        self._accept = accept
        try:
            self._public_key: Any = jwt.get_algorithm_by_name(credentials.algorithm).prepare_key(public_key)
        except (NotImplementedError, jwt.InvalidKeyError, ValueError):
            raise ValueError(f"the public key is none of {credentials.algorithm}, or cannot be read") from None
        self._life = int(life) if life == int(life) else life
        self._tokens: dict[str, float] = {}
        self._assertions: dict[str, float] = {}

    def admits(self, request: Request, security: list[dict[str, Any]]) -> bool:
        """Whether a request fulfils one of the security requirements."""
        if self._accept == "none" or not security:
            return True
        return any(all(self._holds(self._schemes[name], request) for name in names) for names in security)

    def gave(self, request: Request) -> bool:
        """Whether a request comes with a token from here."""
        return _bearer(request.headers) in self._tokens

    def revoke(self, request: Request) -> bool:
        """End the token of a request before its time, if it has one."""
        return self._tokens.pop(_bearer(request.headers), None) is not None

    def forget(self) -> None:
        """End all tokens, and take every assertion for a new one."""
        self._tokens.clear()
        self._assertions.clear()

    def _holds(self, scheme: dict[str, Any], request: Request) -> bool:
        ours, headers = self._credentials, request.headers
        kind = kind_of(scheme)
        if self._accept not in ("any", kind):
            return False
        match kind:
            case "key":
                return headers.get(ours.api_key_header or scheme["name"]) == ours.api_key
            case "basic":
                return _basic(headers) == (ours.user, ours.password)
            case "bearer":
                return _bearer(headers) == ours.bearer_token
            case "oauth2":
                return time.monotonic() < self._tokens.get(_bearer(headers), 0.0)
        return False

    def give_token(self, request: Request, sent: bytes) -> Reply:
        """The token endpoint (RFC 6749, 4.4), with client_secret_basic or a client assertion (RFC 7523)."""
        form = {name: values[-1] for name, values in parse_qs(sent.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return _refused(400, "unsupported_grant_type", "grant_type must be client_credentials", {})
        if "client_assertion" in form:
            problem = self._verify(form, str(request.url))
        else:
            ours = self._credentials
            given = [unquote_plus(each) for each in _basic(request.headers) or ()]
            problem = None if given == [ours.client_id, ours.client_secret] else "client id or secret is wrong"
        if problem:
            # RFC 6749, 5.2, wants a challenge; a browser would answer it with a dialog of its own, over the page's.
            asked = {} if "X-Requested-With" in request.headers else {"WWW-Authenticate": 'Basic realm="sandbox"'}
            return _refused(401, "invalid_client", problem, asked)
        token = secrets.token_urlsafe(32)
        self._tokens[token] = time.monotonic() + self._life
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self._life}
        return Reply(json=answer, headers={"Cache-Control": "no-store"})

    def _verify(self, form: dict[str, str], token_url: str) -> str | None:
        """What is wrong with a client assertion; None where nothing is."""
        ours, assertion = self._credentials, form["client_assertion"]
        if form.get("client_assertion_type") != ASSERTION:
            return f"client_assertion_type must be {ASSERTION}"
        try:
            claims = jwt.decode(
                assertion,
                self._public_key,
                algorithms=[ours.algorithm],
                audience=ours.audience or token_url,
                issuer=ours.client_id,
                subject=ours.client_id,
                options={"require": ["iss", "sub", "aud", "exp", "jti"]},
            )
            key_id = jwt.get_unverified_header(assertion).get("kid", ours.key_id)
        except jwt.InvalidTokenError as error:
            return f"the assertion is not accepted: {error}"
        if key_id != ours.key_id:
            return "the assertion is not accepted: its kid names no key of this client"
        now = time.time()
        self._assertions = {one: until for one, until in self._assertions.items() if until > now}
        if claims["jti"] in self._assertions:
            return "the assertion is not accepted: its jti was used before"
        self._assertions[claims["jti"]] = float(claims["exp"])
        return None


def kind_of(scheme: dict[str, Any]) -> str:
    """The kind of a security scheme, in the words of `Accept` where it is one that the sandbox takes."""
    match scheme:
        case {"type": "apiKey", "in": "header"}:
            return "key"
        case {"type": "http", "scheme": str(name)}:
            return name.lower()
    return str(scheme["type"])


def _refused(status: int, error: str, description: str, headers: Mapping[str, str]) -> Reply:
    return Reply(status, json={"error": error, "error_description": description}, headers=headers)


def _bearer(headers: Mapping[str, str]) -> str:
    """The token of an Authorization header; empty where there is none."""
    kind, _, token = headers.get("Authorization", "").partition(" ")
    return token if kind.lower() == "bearer" else ""


def _basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """User and password of an HTTP Basic header; None where there is none."""
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if scheme.lower() == "basic" and colon else None

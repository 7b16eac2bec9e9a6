"""The credentials that the sandbox accepts, their checks, and its token server."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qs, unquote_plus

import jwt
from attrs import astuple, field, frozen
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.requests import Request

from talkdesk_bridge_sandbox._reply import Reply

Accept = Literal["any", "none", "key", "basic", "bearer", "oauth2"]
"""The credential that an operation needs: any that the contract names for it, none, or one of these kinds."""

TOKEN_LIFE = 599
"""Seconds, as in the examples of Talkdesk's token server."""

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523, 2.2


@frozen
class Credentials:
    """The credentials that the sandbox accepts.

    Args:
        api_key: The key that is sent in a header.
        api_key_header: The header of the key; None for the one that the contract names.
        user: The user of HTTP Basic.
        password: The password of HTTP Basic.
        bearer_token: A token that was obtained elsewhere.
        client_id: The client of the token server.
        client_secret: The client's secret.
        public_key: The PEM that verifies the client's assertions (private key JWT); None for a new key pair, whose
            private key the sandbox prints.
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

    def __eq__(self, other: object) -> bool:
        # Not as attrs writes it: pytest would show all fields, with their secrets.
        return isinstance(other, Credentials) and astuple(self) == astuple(other)

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """The values that a client sends for a kind of credential; empty for an unknown kind."""
        return {
            "key": (self.api_key,),
            "basic": (self.user, self.password),
            "bearer": (self.bearer_token,),
            "oauth2": (self.client_id, self.client_secret),
        }.get(kind, ())


class CredentialChecker:
    """Checks credentials against the contract's security schemes, and issues tokens."""

    def __init__(self, schemes: dict[str, Any], credentials: Credentials, accept: str, token_life: float) -> None:
        self._schemes = schemes
        self._credentials = credentials
        self._accept = accept
        self._life = int(token_life) if token_life == int(token_life) else token_life
        self._tokens: dict[str, float] = {}
        self._assertions: set[str] = set()
        offered = ["any", "none", *sorted({kind_of(scheme) for scheme in schemes.values()})]
        if accept not in offered:
            raise ValueError(f"accept must be one of {', '.join(offered)}, not {accept}")
        self.kinds = offered[2:] if accept == "any" else [accept]
        """The kinds of credentials that are accepted."""
        known = credentials.public_key
        public_key, self.private_key = (known, "") if known else _new_key_pair()
        try:
            self._public_key: Any = jwt.get_algorithm_by_name(credentials.algorithm).prepare_key(public_key)
        except (NotImplementedError, jwt.InvalidKeyError, ValueError):
            raise ValueError(f"the public key is invalid, or not one for {credentials.algorithm}") from None

    def admits(self, request: Request, security: list[dict[str, Any]]) -> bool:
        """Whether a request meets one of the security requirements."""
        if self._accept == "none" or not security:
            return True
        return any(all(self._meets(request, self._schemes[name]) for name in names) for names in security)

    def issued(self, request: Request) -> bool:
        """Whether a request has a token that this sandbox issued."""
        return _bearer(request.headers) in self._tokens

    def revoke(self, request: Request) -> None:
        """Revoke the token of a request."""
        self._tokens.pop(_bearer(request.headers), None)

    def reset(self) -> None:
        """Revoke all tokens, and forget the used assertions."""
        self._tokens.clear()
        self._assertions.clear()

    def _meets(self, request: Request, scheme: dict[str, Any]) -> bool:
        kind, headers = kind_of(scheme), request.headers
        if kind not in self.kinds:
            return False
        sent: tuple[str | None, ...]
        match kind:
            case "oauth2":
                return time.monotonic() < self._tokens.get(_bearer(headers), 0.0)
            case "key":
                sent = (headers.get(self._credentials.api_key_header or scheme["name"]),)
            case "basic":
                sent = _basic(headers)
            case "bearer":
                sent = (_bearer(headers),)
            case _:
                return False
        return sent == self._credentials.of_kind(kind)

    def give_token(self, request: Request, body: bytes) -> Reply:
        """The token endpoint (RFC 6749, 4.4), with a secret by Basic or in the body, or an assertion (RFC 7523)."""
        form = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return _token_error(400, "unsupported_grant_type", "grant_type must be client_credentials")
        if len({"client_assertion", "client_secret"} & form.keys()) + ("Authorization" in request.headers) > 1:
            return _token_error(400, "invalid_request", "more than one credential was sent (RFC 6749, 2.3)")
        if "client_assertion" in form:
            problem = self._verify(form, str(request.url))
        else:
            posted = (form.get("client_id"), form.get("client_secret"))
            sent = posted if "client_secret" in form else tuple(map(unquote_plus, _basic(request.headers)))
            problem = "" if sent == self._credentials.of_kind("oauth2") else "client id or secret is wrong"
        if problem:
            # RFC 6749, 5.2, requires a challenge, but with one a browser would cover the page's dialog with its own.
            challenge = {} if "X-Requested-With" in request.headers else {"WWW-Authenticate": 'Basic realm="sandbox"'}
            return _token_error(401, "invalid_client", problem, challenge)
        token = secrets.token_urlsafe(32)
        self._tokens[token] = time.monotonic() + self._life
        issued = {"access_token": token, "token_type": "Bearer", "expires_in": self._life}
        return Reply(json=issued, headers={"Cache-Control": "no-store"})

    def _verify(self, form: dict[str, str], token_url: str) -> str:
        """The problem with a client assertion; empty if it is valid."""
        accepted, assertion = self._credentials, form["client_assertion"]
        if form.get("client_assertion_type") != ASSERTION:
            return f"client_assertion_type must be {ASSERTION}"
        try:
            claims = jwt.decode(
                assertion,
                self._public_key,
                algorithms=[accepted.algorithm],
                audience=accepted.audience or token_url,
                issuer=accepted.client_id,
                subject=accepted.client_id,
                options={"require": ["iss", "sub", "aud", "exp", "jti"]},
            )
            key_id = jwt.get_unverified_header(assertion).get("kid", accepted.key_id)
        except jwt.InvalidTokenError as error:
            return f"the assertion is invalid: {error}"
        if key_id != accepted.key_id:
            return "the assertion is invalid: its kid is unknown"
        if claims["jti"] in self._assertions:
            return "the assertion is invalid: its jti was used before"
        self._assertions.add(claims["jti"])
        return ""


def kind_of(scheme: dict[str, Any]) -> str:
    """The kind of a security scheme; a value of `Accept` if the sandbox accepts it."""
    if (scheme["type"], scheme.get("in")) == ("apiKey", "header"):
        return "key"
    return str(scheme.get("scheme", scheme["type"])).lower()


def _new_key_pair() -> tuple[str, str]:
    """A new key pair for ES256: public, as PEM; private, as base64 of PKCS#8, as Talkdesk issues keys."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return public.decode(), base64.b64encode(private).decode()


def _token_error(status: int, error: str, description: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, json={"error": error, "error_description": description}, headers=headers or {})


def _bearer(headers: Mapping[str, str]) -> str:
    """The token of an Authorization header; empty if there is none."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _basic(headers: Mapping[str, str]) -> tuple[str, ...]:
    """User and password of an HTTP Basic header; empty if there is none."""
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return ()
    return (user, password) if scheme.lower() == "basic" and colon else ()

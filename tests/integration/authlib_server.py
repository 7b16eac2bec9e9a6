"""A token server with Authlib and Flask, and a bridge that accepts its tokens."""

from __future__ import annotations

import json
import os
import secrets
import time
from dataclasses import dataclass, replace
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator, BearerTokenValidator, InvalidTokenError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from flask import Flask, request
from joserfc.jwk import KeySet  # type: ignore[import-not-found] # as Authlib

from tests.integration.serving import CLIENTS, PAGE, READ, SIGNER, SIGNERS_KEYS, WRITE, serve


@dataclass
class Client:
    """A client, with the methods that Authlib needs."""

    client_id: str

    def check_client_secret(self, secret: str) -> bool:
        return secrets.compare_digest(secret.encode(), CLIENTS[self.client_id][0].encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == ("private_key_jwt" if self.client_id == SIGNER else "client_secret_basic")

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or READ


@dataclass
class Token:
    """An issued token, with the methods that Authlib needs."""

    scope: str
    audience: str | None
    ends: float
    revoked: bool = False

    def get_scope(self) -> str:
        return self.scope

    def is_expired(self) -> bool:
        return time.time() >= self.ends

    def is_revoked(self) -> bool:
        return self.revoked


TOKENS: dict[str, Token] = {}


def save(token: dict[str, Any], call: Any) -> None:
    TOKENS[token["access_token"]] = Token(token["scope"], call.form.get("audience"), time.time() + token["expires_in"])


def revoke() -> None:
    TOKENS.update({name: replace(token, revoked=True) for name, token in TOKENS.items()})


class Validator(BearerTokenValidator):  # type: ignore[misc] # mypy does not see Authlib
    """Accepts a token that was issued for this bridge."""

    def authenticate_token(self, token_string: str) -> Token | None:
        return TOKENS.get(token_string)

    def validate_token(self, token: Token, scopes: list[str], request_: Any, **claims: Any) -> None:
        super().validate_token(token, scopes, request_, **claims)
        if token.audience not in (None, f"{request.url_root}bridge"):
            raise InvalidTokenError


class Assertion(JWTBearerClientAssertion):  # type: ignore[misc] # mypy does not see Authlib
    """Verifies a JWT: signature, issuer, audience, expiry, and that it is used only once."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self) -> None:
        super().__init__()
        self.keys = KeySet.import_key_set(json.loads(os.environ[SIGNERS_KEYS]))
        self.used: set[str] = set()

    def get_audiences(self) -> list[str]:
        return [f"{request.url_root}token", f"{request.url_root}issuer"]

    def resolve_client_public_key(self, client: Client) -> Any:
        return self.keys

    def validate_jti(self, claims: Any, jti: str) -> bool:
        is_new = jti not in self.used
        self.used.add(jti)
        return is_new


class Grant(ClientCredentialsGrant):  # type: ignore[misc] # mypy does not see Authlib
    """Accepts a secret or a JWT."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "private_key_jwt")


def main() -> None:
    """Serve."""
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # allowed on loopback
    app = Flask(__name__)
    app.config["OAUTH2_SCOPES_SUPPORTED"] = [READ, WRITE]
    server = AuthorizationServer(app, lambda name: Client(name) if name in {*CLIENTS, SIGNER} else None, save)
    server.register_client_auth_method(Assertion.CLIENT_AUTH_METHOD, Assertion())
    server.register_grant(Grant)
    generator = BearerTokenGenerator(
        lambda **_: secrets.token_urlsafe(),
        expires_generator=lambda client, _: CLIENTS.get(client.client_id, CLIENTS["client"])[1],
    )
    server.register_token_generator("default", generator)
    protected = ResourceProtector()
    protected.register_token_validator(Validator())
    app.add_url_rule("/token", view_func=server.create_token_response, methods=["POST"])
    app.add_url_rule("/bridge/<path:path>", "bridge", protected([READ])(lambda path: PAGE))
    serve(app, revoke)


if __name__ == "__main__":
    main()

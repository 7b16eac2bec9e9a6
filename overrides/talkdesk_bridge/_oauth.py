"""OAuth 2: the two kinds of client credentials, and their token requests. Nothing here does I/O."""

from __future__ import annotations

import base64
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl, quote, urlencode

from attrs import define, field
from attrs.validators import in_, optional

from talkdesk_bridge._auth import Auth, basic, check_not_empty, check_text
from talkdesk_bridge._retry import checked
from talkdesk_bridge._urls import origin
from talkdesk_bridge.errors import ConfigurationError


@define(frozen=True)
class OAuth2(Auth):
    """A client that gets tokens from an OAuth 2 token server (RFC 6749, 4.4)."""

    token_url: str = field(
        # Some servers expect a key in the query.
        repr=lambda url: repr(url.partition("?")[0]),
        validator=lambda _, __, url: origin(url, "token URL"),
    )
    client_id: str = field(validator=check_not_empty)
    scope: str | None = field(default=None, kw_only=True, validator=optional(check_text))

    def secrets(self) -> list[str]:
        """The secrets of any credential, and the values in the query of the token URL."""
        return [*super().secrets(), *(value for _, value in parse_qsl(self.token_url.partition("?")[2]))]

    def token_request(self) -> tuple[dict[str, str], bytes]:
        """Headers and body of the POST to `token_url`. Each attempt must call this again."""
        headers, parameters = self.proof()
        form = {"grant_type": "client_credentials", **({"scope": self.scope} if self.scope else {}), **parameters}
        return {**headers, "Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode()

    def proof(self) -> tuple[dict[str, str], Mapping[str, str]]:
        """The headers and parameters of a token request that authenticate the client."""
        raise NotImplementedError


def _parameters(_: object, __: object, value: Any) -> None:
    texts = [one for pair in value.items() for one in pair] if isinstance(value, Mapping) else [None]
    named = all(isinstance(one, str) and not re.search(r"[\ud800-\udfff]", one) for one in texts)
    if not named or {"grant_type", "scope", "client_id", "client_secret"} & value.keys():
        rule = "must map names to text, and must not hold grant_type, scope, client_id or client_secret"
        remedy = 'To send the secret in the body, set auth_method="client_secret_post".'
        raise ConfigurationError(f"The parameters of the token request {rule}. {remedy}")


AuthMethod = Literal["client_secret_basic", "client_secret_post"]
"""How a client sends its secret, in the words of RFC 7591."""


AUTH_METHODS = get_args(AuthMethod)


@define(frozen=True)
class OAuth2ClientCredentials(OAuth2):
    """OAuth 2 client credentials (RFC 6749, 4.4): a token is fetched when needed, and renewed before it expires.

    Args:
        token_url: The token endpoint; https, or http on loopback.
        client_id: The client's id.
        client_secret: The client's secret.
        scope: Scopes, separated by spaces; None for the server's default.
        parameters: More parameters of the token request, such as `{"audience": "https://bridge.example"}`.
        auth_method: "client_secret_basic" (the default) sends id and secret form-url-encoded as HTTP Basic (2.3.1).
            "client_secret_post" sends them in the body, for servers that read them only there.

    Raises:
        ConfigurationError: a value is empty or unknown, or `parameters` holds one that the client sends itself.

    """

    client_secret: str = field(repr=False, validator=check_not_empty)
    parameters: Mapping[str, str] = field(factory=dict, kw_only=True, repr=False, hash=False, validator=_parameters)
    auth_method: AuthMethod = field(
        default="client_secret_basic", kw_only=True, validator=checked(" or ".join(AUTH_METHODS), in_(AUTH_METHODS))
    )

    def proof(self) -> tuple[dict[str, str], Mapping[str, str]]:
        """Id and secret, as HTTP Basic or as parameters."""
        if self.auth_method == "client_secret_post":
            return {}, {**self.parameters, "client_id": self.client_id, "client_secret": self.client_secret}
        # Spaces become %20, which every server decodes; some do not decode a plus.
        id_and_secret = basic(quote(self.client_id, safe=""), quote(self.client_secret, safe=""))
        return {"Authorization": id_and_secret}, self.parameters


# The key that each algorithm needs (RFC 7518, 3.1; RFC 8037, 3.1), without the algorithms that use a shared secret.
SIGNS_WITH = {
    "ES256": "an EC key on the curve secp256r1",
    "ES384": "an EC key on the curve secp384r1",
    "ES512": "an EC key on the curve secp521r1",
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "an RSA key of 2048 bits or more"),
    "EdDSA": "an Ed25519 key",
}


AN_ALGORITHM = checked(f"one of {', '.join(SIGNS_WITH)}", in_(SIGNS_WITH))


@define(frozen=True)
class OAuth2PrivateKeyJWT(OAuth2):
    """OAuth 2 client credentials that prove the client by a signed JWT (RFC 7523, 2.2) instead of a secret.

    Needs the extra `jwt`. Each token request carries a new JWT for one use. It is valid for five minutes, of which 30
    seconds lie in the past, because a server's clock may be behind. An example of a token server that accepts it is
    Talkdesk's, documented under "Client Credentials - JWT".

    Args:
        token_url: The token endpoint; https, or http on loopback.
        client_id: The client's id: the JWT's `iss` and `sub`.
        private_key: The key, not encrypted. Either PEM, in which a backslash and an n may stand for a line break, or
            base64 of PKCS#8 without PEM's first and last line, which is the form that Talkdesk issues.
        key_id: The JWT's `kid`, by which the server finds the key; None for none.
        algorithm: ES256 by default, or ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512 or EdDSA.
        audience: The JWT's `aud`; None for the token URL.
        scope: Scopes, separated by spaces; None for the server's default.

    Raises:
        ConfigurationError: the extra is not installed, a value is empty, the key cannot be read, or the algorithm
            needs another kind of key.

    """

    private_key: str = field(repr=False)
    key_id: str | None = field(default=None, kw_only=True, validator=optional(check_not_empty))
    algorithm: str = field(default="ES256", kw_only=True, validator=AN_ALGORITHM)
    audience: str | None = field(default=None, kw_only=True, validator=optional(check_not_empty))
    _key: Any = field(init=False, repr=False, eq=False)
    """`private_key`, parsed once: an RSA key of 4096 bits takes 0.2 s."""

    def __attrs_post_init__(self) -> None:
        key, kind = _read_key(self.private_key)
        if kind != SIGNS_WITH[self.algorithm]:
            needed = f"the algorithm {self.algorithm} needs {SIGNS_WITH[self.algorithm]}"
            raise ConfigurationError(f"The private_key of the credential is of the wrong kind: {needed}.")
        object.__setattr__(self, "_key", key)

    def proof(self) -> tuple[dict[str, str], Mapping[str, str]]:
        """A new JWT."""
        import jwt

        issued = int(time.time()) - 30
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": self.audience or self.token_url}
        validity = {"jti": str(uuid.uuid4()), "iat": issued, "exp": issued + 300}
        headers = {"kid": self.key_id} if self.key_id else {}
        assertion = jwt.encode({**claims, **validity}, self._key, algorithm=self.algorithm, headers=headers)
        assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return {}, {"client_assertion_type": assertion_type, "client_assertion": assertion}


def _read_key(text: Any) -> tuple[Any, str]:
    """A private key, and its kind in the words of SIGNS_WITH.

    Raises:
        ConfigurationError: it cannot be read; the message does not show it.

    """
    try:
        import jwt  # noqa: F401 # signs with the key, later
        from cryptography.exceptions import InternalError, UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
        from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key
    except ModuleNotFoundError:
        how = "install talkdesk-bridge[jwt] from where you installed talkdesk-bridge"
        raise ConfigurationError(f"OAuth2PrivateKeyJWT needs PyJWT and cryptography: {how}.") from None
    text = text.replace("\\r", "").replace("\\n", "\n").strip() if isinstance(text, str) else "no text"
    fault = "cannot be read: pass the key itself, as PEM or as base64 of PKCS#8"
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
        fault = "is encrypted: pass it decrypted"
    except (InternalError, UnsupportedAlgorithm, ValueError):
        if not text:
            fault = "is empty"
        elif "PUBLIC KEY-" in text:
            fault = "is a public key: pass the private key"
    # Raised outside `except`, so that the caught error, which may hold the key, is not chained.
    raise ConfigurationError(f"The private_key of the credential {fault}.")

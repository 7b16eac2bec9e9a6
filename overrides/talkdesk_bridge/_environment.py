"""The environment: the TALKDESK_BRIDGE_ variables, and the base URL and credential that they set."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from attrs import define, field

from talkdesk_bridge._auth import Auth, BasicAuth, BearerAuth, HeaderAuth, NoAuth
from talkdesk_bridge._oauth import OAuth2ClientCredentials, OAuth2PrivateKeyJWT
from talkdesk_bridge.errors import ConfigurationError

PREFIX = "TALKDESK_BRIDGE_"


@define(frozen=True)
class Kind:
    """A kind of credential: its class, and which variable sets which argument."""

    name: str
    make: Callable[..., Auth]
    needed: dict[str, str]
    optional: dict[str, str] = field(factory=dict)


def _oauth(*, audience: str | None = None, **arguments: Any) -> Auth:
    return OAuth2ClientCredentials(**arguments, parameters={"audience": audience} if audience else {})


KINDS = (
    Kind("a header key", HeaderAuth, {"API_KEY": "value"}, {"API_KEY_HEADER": "name"}),
    Kind("a bearer token", BearerAuth, {"BEARER_TOKEN": "token"}),
    Kind("HTTP Basic", BasicAuth, {"USERNAME": "user", "PASSWORD": "password"}),
    Kind(
        "OAuth 2 client credentials",
        _oauth,
        {"TOKEN_URL": "token_url", "CLIENT_ID": "client_id", "CLIENT_SECRET": "client_secret"},
        {"SCOPE": "scope", "AUDIENCE": "audience", "AUTH_METHOD": "auth_method"},
    ),
    Kind(
        "OAuth 2 with a private key",
        OAuth2PrivateKeyJWT,
        {"TOKEN_URL": "token_url", "CLIENT_ID": "client_id", "PRIVATE_KEY": "private_key"},
        {"SCOPE": "scope", "AUDIENCE": "audience", "KEY_ID": "key_id", "ALGORITHM": "algorithm"},
    ),
)


def _variables() -> dict[str, str]:
    purposes = {"URL": ["the bridge's base URL"]}
    for kind in KINDS:
        for name in (*kind.needed, *kind.optional):
            purpose = kind.name if name in kind.needed else f"{kind.name} (optional)"
            purposes.setdefault(name, []).append(purpose)
    return {PREFIX + name: "; ".join(texts) for name, texts in purposes.items()}


VARIABLES: Mapping[str, str] = MappingProxyType(_variables())
"""The environment variables that `from_env` reads, and what each is for: the base URL, or a kind of credential."""


def read_environment(environ: Mapping[str, str] | None = None) -> tuple[str, Auth]:
    """The base URL and the credential that the variables set.

    Args:
        environ: Read instead of os.environ. An empty variable counts as unset.

    Raises:
        ConfigurationError: the URL is missing, the credential is incomplete, or two kinds of credential are set.

    """
    environ = os.environ if environ is None else environ
    if not (url := environ.get(f"{PREFIX}URL")):
        raise ConfigurationError(f"{PREFIX}URL is not set: set it to the bridge's base URL.")
    found: dict[frozenset[str], list[Kind]] = {}
    for kind in KINDS:
        given = frozenset(name for name in kind.needed | kind.optional if environ.get(PREFIX + name))
        found.setdefault(given, []).append(kind)
    # `found` groups the kinds by their variables that are set. The largest group is meant: TOKEN_URL is in two kinds.
    largest = [given for given in found if given and not any(given < more for more in found)]
    if not largest:
        return url, NoAuth()
    if len(largest) > 1:
        shared = frozenset.intersection(*largest)
        named = " and ".join(f"{found[given][0].name} ({_listed(given - shared)})" for given in largest)
        raise ConfigurationError(f"More than one kind of credential is set: {named}. Unset all but one.")
    (given,) = largest
    kinds = found[given]
    missing = {kind.name: kind.needed.keys() - given for kind in kinds if kind.needed.keys() - given}
    if missing:
        remedies = ", or ".join(f"for {name}, also set {_listed(names)}" for name, names in missing.items())
        raise ConfigurationError(f"The credential is incomplete: {remedies}.")
    arguments = kinds[0].needed | kinds[0].optional
    return url, kinds[0].make(**{arguments[name]: environ[PREFIX + name] for name in given})


def _listed(names: Iterable[str]) -> str:
    return ", ".join(PREFIX + name for name in sorted(names))

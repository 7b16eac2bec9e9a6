"""The environment: which TALKDESK_BRIDGE_ variables there are, and the base URL and credential that they name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from attrs import define, field

from talkdesk_bridge._auth import Auth, BasicAuth, BearerAuth, HeaderAuth, NoAuth
from talkdesk_bridge._oauth import OAuth2ClientCredentials, OAuth2PrivateKeyJWT
from talkdesk_bridge.errors import ConfigurationError

PREFIX = "TALKDESK_BRIDGE_"


@define(frozen=True)
class Kind:
    """A kind of credential: what makes it, and the variables that it needs and may have, each with its argument."""

    name: str
    make: Callable[..., Auth]
    needed: dict[str, str]
    optional: dict[str, str] = field(factory=dict)

    def given(self, environ: Mapping[str, str]) -> frozenset[str]:
        """The variables of this kind that are set; an empty one counts as absent."""
        return frozenset(name for name in self.needed | self.optional if environ.get(PREFIX + name))


def _oauth(*, audience: str | None = None, **given: str) -> Auth:
    return OAuth2ClientCredentials(**given, parameters={"audience": audience} if audience else {})


KINDS = (
    Kind("a header key", HeaderAuth, {"API_KEY": "value"}, {"API_KEY_HEADER": "name"}),
    Kind("a bearer token", BearerAuth, {"BEARER_TOKEN": "token"}),
    Kind("HTTP Basic", BasicAuth, {"USERNAME": "user", "PASSWORD": "password"}),
    Kind(
        "OAuth 2 client credentials",
        _oauth,
        {"TOKEN_URL": "token_url", "CLIENT_ID": "client_id", "CLIENT_SECRET": "client_secret"},
        {"SCOPE": "scope", "AUDIENCE": "audience"},
    ),
    Kind(
        "OAuth 2 with a private key",
        OAuth2PrivateKeyJWT,
        {"TOKEN_URL": "token_url", "CLIENT_ID": "client_id", "PRIVATE_KEY": "private_key"},
        {"SCOPE": "scope", "AUDIENCE": "audience", "KEY_ID": "key_id", "ALGORITHM": "algorithm"},
    ),
)


def _variables() -> dict[str, str]:
    found = {f"{PREFIX}URL": "the bridge's base URL"}
    for kind in KINDS:
        for name in (*kind.needed, *kind.optional):
            said = kind.name if name in kind.needed else f"{kind.name} (optional)"
            found[PREFIX + name] = f"{found[PREFIX + name]}; {said}" if PREFIX + name in found else said
    return found


VARIABLES: Mapping[str, str] = MappingProxyType(_variables())
"""The environment variables that `from_env` reads, and what each is for: the base URL, or its credential."""


def read_environment(environ: Mapping[str, str] | None = None) -> tuple[str, Auth]:
    """The base URL and the credential that the variables name.

    Args:
        environ: What to read instead of os.environ. An empty variable counts as absent.

    Raises:
        ConfigurationError: the URL is missing, a credential is incomplete, or there are two kinds of credential.

    """
    environ = os.environ if environ is None else environ
    if not (url := environ.get(f"{PREFIX}URL")):
        raise ConfigurationError(f"{PREFIX}URL is not set: set it to the bridge's base URL.")
    found: dict[frozenset[str], list[Kind]] = {}
    for kind in KINDS:
        found.setdefault(kind.given(environ), []).append(kind)
    # Kinds share variables. The kind that knows most of those that are set is meant; nothing set is no credential.
    chosen = [given for given in found if given and not any(given < more for more in found)]
    if not chosen:
        return url, NoAuth()
    if len(chosen) > 1:
        shared = frozenset.intersection(*chosen)
        named = " and ".join(f"{found[given][0].name} ({_listed(given - shared)})" for given in chosen)
        raise ConfigurationError(f"Two kinds of credential are set: {named}. Unset all but one.")
    (given,) = chosen
    return url, _made(found[given], given, environ)


def _made(kinds: list[Kind], given: frozenset[str], environ: Mapping[str, str]) -> Auth:
    """The credential of the variables that are set; `kinds` are all that it could be."""
    missing = {kind.name: kind.needed.keys() - given for kind in kinds if kind.needed.keys() - given}
    if missing:
        remedies = ", or ".join(f"for {name}, set {_listed(names)}, too" for name, names in missing.items())
        raise ConfigurationError(f"The credential is incomplete: {remedies}.")
    kind = kinds[0]
    arguments = kind.needed | kind.optional
    return kind.make(**{arguments[name]: environ[PREFIX + name] for name in given})


def _listed(names: Iterable[str]) -> str:
    return ", ".join(PREFIX + name for name in sorted(names))

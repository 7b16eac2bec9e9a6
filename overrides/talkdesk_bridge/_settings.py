"""The settings of a client: one frozen object, made from arguments or from the environment."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from ssl import SSLContext
from types import MappingProxyType

from attrs import define, field
from attrs.validators import gt, instance_of, is_callable, lt

from talkdesk_bridge._answer import Deviation
from talkdesk_bridge._auth import (
    Auth,
    BasicAuth,
    BearerAuth,
    HeaderAuth,
    NoAuth,
    OAuth2ClientCredentials,
    OAuth2PrivateKeyJWT,
    is_loopback,
    origin,
)
from talkdesk_bridge._retry import A_HOOK, Retry, checked
from talkdesk_bridge.errors import ConfigurationError

__all__ = ["VARIABLES", "Settings"]

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
    told = {f"{PREFIX}URL": "the bridge's base URL"}
    for kind in KINDS:
        for name in (*kind.needed, *kind.optional):
            said = kind.name if name in kind.needed else f"{kind.name} (optional)"
            told[PREFIX + name] = f"{told[PREFIX + name]}; {said}" if PREFIX + name in told else said
    return told


VARIABLES: Mapping[str, str] = MappingProxyType(_variables())
"""The environment variables that `from_env` reads, and what each is for: the base URL, or its credential."""


@define(frozen=True, kw_only=True)
class Settings:
    """What a client is made from.

    BridgeClient says what each is.

    Raises:
        ConfigurationError: a setting cannot be used.

    """

    base_url: str
    auth: Auth = field(factory=NoAuth)
    timeout: tuple[float, float] = (5.0, 30.0)
    verify: bool | SSLContext = field(
        default=True,
        validator=checked(
            "True, False or an ssl.SSLContext, as ssl.create_default_context(cafile=...) makes it",
            instance_of((bool, SSLContext)),
        ),
    )
    cert: str | tuple[str, str] | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(
        factory=dict, repr=False, validator=checked("a mapping of names to values", instance_of(Mapping))
    )
    retry: Retry = field(factory=Retry, validator=checked("a Retry", instance_of(Retry)))
    strict: bool = field(default=False, validator=checked("True or False", instance_of(bool)))
    on_deviation: Callable[[Deviation], object] | None = field(default=None, repr=False, validator=A_HOOK)
    max_bytes: int = field(default=64 * 2**20, validator=checked("an integer above 0", instance_of(int), gt(0)))
    deadline: float = field(
        default=300.0, validator=checked("a number of seconds above 0", instance_of((int, float)), gt(0), lt(1e9))
    )
    bulk: bool = field(default=False, validator=checked("True or False", instance_of(bool)))
    clock: Callable[[], float] = field(default=time.monotonic, repr=False, validator=checked("callable", is_callable()))
    sleep: Callable[[float], Awaitable[None] | None] | None = field(default=None, repr=False, validator=A_HOOK)

    def __attrs_post_init__(self) -> None:
        origin(self.base_url, "base URL")
        if {"?", "#"} & {*self.base_url}:
            raise ConfigurationError("The base URL must have no query and no fragment.")
        if not isinstance(self.auth, Auth):
            raise ConfigurationError(
                "auth must be one of NoAuth, HeaderAuth, BearerAuth, BasicAuth, OAuth2ClientCredentials, "
                "OAuth2PrivateKeyJWT."
            )
        urls = (self.base_url, getattr(self.auth, "token_url", ""))
        if self.proxy and any(url.lower().startswith("http:") for url in urls) and not is_loopback(self.proxy):
            raise ConfigurationError("proxy must be on loopback for http, which would show it the credential.")
        if (
            not isinstance(self.timeout, tuple)
            or len(self.timeout) != 2
            or not all(isinstance(seconds, int | float) and 0 < seconds <= 86_400 for seconds in self.timeout)
        ):
            raise ConfigurationError("timeout must be two numbers of seconds, up to a day: to connect, and to read.")
        for name, value in self.headers.items():
            try:
                HeaderAuth(value, name)
            except ConfigurationError as error:
                told = str(error).replace("The value of the credential", "A value").replace("the credential's ", "a ")
                raise ConfigurationError(f"headers: {told}") from None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """The settings that TALKDESK_BRIDGE_URL and the variables of one credential give; see docs/client.md.

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
        # Two kinds share variables: what knows only some of those that another one knows is not meant.
        chosen = {given: kinds for given, kinds in found.items() if given and not any(given < more for more in found)}
        if len(chosen) > 1:
            shared = frozenset.intersection(*chosen)
            told = " and ".join(f"{kinds[0].name} ({_listed(given - shared)})" for given, kinds in chosen.items())
            raise ConfigurationError(f"Two kinds of credential are set: {told}. Unset all but one.")
        auth: Auth = NoAuth()
        for given, kinds in chosen.items():
            missing = [(kind.name, lacking) for kind in kinds if (lacking := kind.needed.keys() - given)]
            if told := ", or ".join(f"for {name}, set {_listed(lacking)}, too" for name, lacking in missing):
                raise ConfigurationError(f"The credential is incomplete: {told}.")
            arguments = kinds[0].needed | kinds[0].optional
            auth = kinds[0].make(**{arguments[name]: environ[PREFIX + name] for name in given})
        return cls(base_url=url, auth=auth)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(PREFIX + name for name in sorted(names))

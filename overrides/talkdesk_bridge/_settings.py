"""The settings of a client: one frozen object, made from arguments or from the environment."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from difflib import get_close_matches
from ssl import SSLContext
from typing import Any

from attrs import define, field, fields_dict, frozen
from attrs.validators import gt, in_, instance_of, is_callable, lt

from talkdesk_bridge._auth import Auth, HeaderAuth, NoAuth
from talkdesk_bridge._oauth import OAuth2
from talkdesk_bridge._retry import A_HOOK, Retry, checked
from talkdesk_bridge._urls import is_loopback, origin
from talkdesk_bridge.errors import ConfigurationError

MOST_AT_ONCE = 100
"""The number of requests that a client has in flight at a time; others wait."""

Timeout = float | tuple[float | None, float | None] | None
"""Seconds: one number, or two: for connecting, and for each read or write. None: no limit."""

A_CREDENTIAL = "a credential, such as HeaderAuth(...) or BearerAuth(...)"

# Headers whose values are no secrets, so that error bodies may contain them.
PUBLIC_HEADERS = ("accept", "accept-language", "content-type", "user-agent")

# Names that other HTTP clients use for our options.
ALIASES = {
    "api_key": "auth=HeaderAuth(...)",
    "client": "transport",
    "connect_timeout": "timeout=(connect, read)",
    "http_client": "transport",
    "max_retries": "retry=Retry(attempts=...)",
    "proxies": "proxy",
    "read_timeout": "timeout=(connect, read)",
    "retries": "retry=Retry(attempts=...)",
    "ssl_context": "verify",
    "token": "auth=BearerAuth(...)",
}


@frozen
class Deviation:
    """A deviation from the contract in a response that could still be read. It contains no value."""

    operation: str
    """The operationId."""
    place: str
    """The JSON path, with `[*]` for all items of a list."""
    documented: str
    """The documented type."""
    seen: str
    """The type or form in the response."""
    count: int
    """How many times in this response."""


def check_names(options: Mapping[str, Any], allowed: Collection[str], reason: str = "") -> None:
    """Check the names of options.

    Args:
        options: The options that the caller gave.
        allowed: Those that can be given here.
        reason: Why the other options of a client cannot be given here.

    Raises:
        ConfigurationError: an option cannot be given here, or does not exist.

    """
    for given in sorted(options.keys() - {*allowed}):
        name = ALIASES.get(given, given)
        option = name.partition("=")[0]
        if reason and option not in allowed and option in fields_dict(Settings):
            raise ConfigurationError(f"{given} {reason}.")
        close = [name] if option in allowed else get_close_matches(name, allowed, n=1, cutoff=0.7)
        proposal = close[0] if close else f"one of {', '.join(sorted(allowed))}"
        raise ConfigurationError(f"There is no option {given}: use {proposal}.")


def _pair(timeout: Any) -> Any:
    return timeout if isinstance(timeout, tuple) else (timeout, timeout)


def _check_timeout(_: object, __: object, pair: tuple[Any, ...]) -> None:
    usable = [seconds is None or (isinstance(seconds, int | float) and 0 < seconds <= 86_400) for seconds in pair]
    if usable != [True, True]:
        forms = "a number of seconds, up to a day; two such numbers, to connect and to read; or None"
        raise ConfigurationError(f"timeout must be {forms}.")


@define(frozen=True, kw_only=True)
class Settings:
    """The options of a client, checked; BridgeClient documents them.

    Raises:
        ConfigurationError: a setting cannot be used.

    """

    base_url: str = field(validator=lambda _, __, url: origin(url, "base URL"))
    auth: Auth = field(factory=NoAuth, validator=checked(A_CREDENTIAL, instance_of(Auth)))
    timeout: tuple[float | None, float | None] = field(default=(5.0, 30.0), converter=_pair, validator=_check_timeout)
    verify: bool | SSLContext = field(
        default=True,
        validator=checked(
            "True, False or an ssl.SSLContext, such as ssl.create_default_context(cafile=...)",
            instance_of((bool, SSLContext)),
        ),
    )
    cert: str | tuple[str, str] | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(
        factory=dict, repr=False, validator=checked("a mapping of names to values", instance_of(Mapping))
    )
    paging: str = field(default="links", validator=checked('"links" or "numbers"', in_(("links", "numbers"))))
    on_repeat: str = field(default="error", validator=checked('"error" or "deviation"', in_(("error", "deviation"))))
    retry: Retry = field(factory=Retry, validator=checked("a Retry", instance_of(Retry)))
    strict: bool = field(default=False, validator=checked("True or False", instance_of(bool)))
    on_deviation: Callable[[Deviation], object] | None = field(default=None, repr=False, validator=A_HOOK)
    max_bytes: int = field(default=64 * 2**20, validator=checked("an integer above 0", instance_of(int), gt(0)))
    deadline: float = field(
        default=300.0,
        validator=checked("a number of seconds above 0 and below 1e9", instance_of((int, float)), gt(0), lt(1e9)),
    )
    transport: Any = field(default=None, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False, validator=checked("callable", is_callable()))
    sleep: Callable[[float], Awaitable[None] | None] | None = field(default=None, repr=False, validator=A_HOOK)
    secrets: tuple[str, ...] = field(init=False, repr=False, eq=False)
    """Values to redact when a server echoes them."""

    def __attrs_post_init__(self) -> None:
        if {"?", "#"} & {*self.base_url}:
            raise ConfigurationError("The base URL must have no query and no fragment.")
        if self.cert and isinstance(self.verify, SSLContext):
            remedy = "load the certificate into it with load_cert_chain"
            raise ConfigurationError(f"With an SSLContext in verify, {remedy}: cert would change your SSLContext.")
        if self.transport is not None and (self.verify is not True or self.cert or self.proxy):
            raise ConfigurationError("With transport, give verify, cert and proxy to the transport instead.")
        if self.proxy and any(url.lower().startswith("http:") for url in self.urls) and not is_loopback(self.proxy):
            raise ConfigurationError("With http, proxy must be on loopback: any other would see the credential.")
        for name, value in self.headers.items():
            try:
                HeaderAuth(value, name)
            except ConfigurationError as error:
                fault = str(error).replace("The value of the credential", "A value").replace("the credential's", "a")
                raise ConfigurationError(f"headers: {fault}") from None
        headers = [value for name, value in self.headers.items() if name.lower() not in PUBLIC_HEADERS]
        object.__setattr__(self, "secrets", (*self.auth.secrets(), *headers))

    def __eq__(self, other: object) -> bool:
        return self is other  # not as attrs writes it: pytest would show all fields, with their secrets

    @property
    def urls(self) -> tuple[str, ...]:
        """The URLs that requests go to: the bridge's, and the token server's if there is one."""
        return (self.base_url, self.auth.token_url) if isinstance(self.auth, OAuth2) else (self.base_url,)

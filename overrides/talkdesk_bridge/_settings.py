"""The settings of a client: one frozen object, made from arguments or from the environment."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from ssl import SSLContext
from typing import Any

from attrs import define, field
from attrs.validators import gt, instance_of, is_callable, lt

from talkdesk_bridge._auth import Auth, HeaderAuth, NoAuth
from talkdesk_bridge._oauth import OAuth2
from talkdesk_bridge._response import Deviation
from talkdesk_bridge._retry import A_HOOK, Retry, checked
from talkdesk_bridge._urls import is_loopback, origin
from talkdesk_bridge.errors import ConfigurationError

MOST_AT_ONCE = 100
"""Requests of a client at one time; more wait."""


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
    transport: Any = field(default=None, repr=False)
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
        if self.transport is not None and (self.verify is not True or self.cert or self.proxy):
            raise ConfigurationError("With transport, give verify, cert and proxy to the transport instead.")
        if self.proxy and any(url.lower().startswith("http:") for url in self.urls) and not is_loopback(self.proxy):
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

    @property
    def urls(self) -> tuple[str, ...]:
        """Where requests go: the bridge, and the token server if there is one."""
        return (self.base_url, self.auth.token_url) if isinstance(self.auth, OAuth2) else (self.base_url,)

"""The clients: one attribute for each tag of the contract, one pool of connections each."""

from __future__ import annotations

from collections.abc import Mapping
from ssl import SSLContext
from typing import Self, TypedDict, Unpack

from talkdesk_bridge_api.api import AsyncOperations, Operations

from talkdesk_bridge._auth import Auth, NoAuth
from talkdesk_bridge._settings import Settings
from talkdesk_bridge._transport import AsyncTransport, Transport

__all__ = ["AsyncBridgeClient", "BridgeClient"]


class Options(TypedDict, total=False):
    """What else a client can be given; see Settings for meanings and defaults."""

    timeout: tuple[float, float]
    verify: bool | SSLContext
    proxy: str | None


class BridgeClient(Operations):
    """A client that blocks; any number of threads may share it. `client.billing` holds the operations tagged billing.

    Args:
        base_url: Where the bridge is; https, or http on loopback. A path in it comes before the contract's paths.
        auth: The credential; none by default.
        timeout: Seconds to wait for a connection, and for each read of an answer; (5, 30) by default.
        verify: Whether to check certificates (the default), or an SSLContext to check them with.
        proxy: URL of a proxy; by default what HTTPS_PROXY, ALL_PROXY and NO_PROXY say, but for http.

    Raises:
        ConfigurationError: a setting cannot be used.

    """

    def __init__(self, base_url: str, *, auth: Auth | None = None, **options: Unpack[Options]) -> None:
        self._transport = Transport(Settings(base_url=base_url, auth=auth or NoAuth(), **options))
        super().__init__(self._transport)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **options: Unpack[Options]) -> Self:
        """A client from TALKDESK_BRIDGE_URL and the variables of one credential; docs/client.md lists them.

        Args:
            environ: What to read instead of os.environ.
            options: As for the class.

        Raises:
            ConfigurationError: a variable is missing, or two kinds of credential are set.

        """
        settings = Settings.from_env(environ)
        return cls(settings.base_url, auth=settings.auth, **options)

    def close(self) -> None:
        """Close the connections; a second time does nothing."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._transport.settings!r})"


class AsyncBridgeClient(AsyncOperations):
    """A client that awaits; any number of tasks of one event loop may share it. Otherwise as BridgeClient."""

    def __init__(self, base_url: str, *, auth: Auth | None = None, **options: Unpack[Options]) -> None:
        self._transport = AsyncTransport(Settings(base_url=base_url, auth=auth or NoAuth(), **options))
        super().__init__(self._transport)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **options: Unpack[Options]) -> Self:
        """As BridgeClient.from_env."""
        settings = Settings.from_env(environ)
        return cls(settings.base_url, auth=settings.auth, **options)

    async def close(self) -> None:
        """Close the connections; a second time does nothing."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._transport.settings!r})"

"""The clients: one attribute for each tag of the contract, one pool of connections each."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Mapping
from ssl import SSLContext
from typing import Any, ParamSpec, Self, TypedDict, TypeVar, Unpack, overload

from talkdesk_bridge_api.api import AsyncOperations, Operations

from talkdesk_bridge._answer import Deviation, Response
from talkdesk_bridge._auth import Auth, NoAuth
from talkdesk_bridge._retry import Retry
from talkdesk_bridge._settings import Settings
from talkdesk_bridge._transport import AsyncTransport, Transport
from talkdesk_bridge._wire import MOST_AT_ONCE
from talkdesk_bridge.errors import ArgumentError, BridgeError, ConfigurationError

__all__ = ["AsyncBridgeClient", "BridgeClient"]


T = TypeVar("T")
P = ParamSpec("P")
GivenT = TypeVar("GivenT")


class CallOptions(TypedDict, total=False):
    """What may differ from call to call; see BridgeClient for meanings and defaults."""

    timeout: tuple[float, float]
    headers: Mapping[str, str]
    retry: Retry
    strict: bool
    on_deviation: Callable[[Deviation], object] | None
    max_bytes: int
    deadline: float


class Options(CallOptions, total=False):
    """What else a client can be given; see BridgeClient for meanings and defaults."""

    verify: bool | SSLContext
    cert: str | tuple[str, str] | None
    proxy: str | None
    bulk: bool
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None] | None] | None


class _Client:
    """What both clients do alike."""

    _kind: type[Transport | AsyncTransport]
    _transport: Transport | AsyncTransport

    def __init__(self, base_url: str, *, auth: Auth | None = None, **options: Unpack[Options]) -> None:
        self._use(self._kind(Settings(base_url=base_url, auth=auth or NoAuth(), **options)))

    def _use(self, transport: Any) -> None:
        self._transport = transport
        super().__init__(transport)  # type: ignore[call-arg] # of the operations

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

    def with_options(self, **options: Unpack[CallOptions]) -> Self:
        """Make this client anew with other options, for a call or many: `bridge.with_options(timeout=(1, 5)).billing`.

        It shares the connections and the token; closing either closes both. `headers` come to those of this client.

        Raises:
            ConfigurationError: an option cannot be used, or is one of the client as a whole.

        """
        if others := options.keys() - CallOptions.__annotations__:
            known = ", ".join(sorted(CallOptions.__annotations__))
            told = f"{' and '.join(sorted(others))} cannot differ from call to call"
            raise ConfigurationError(f"{told}: with_options takes {known}. Make another client.")
        other = copy.copy(self)
        other._use(self._transport.with_options(**options))
        return other

    @property
    def base_url(self) -> str:
        """Where the bridge is."""
        return self._transport.settings.base_url

    @property
    def auth(self) -> Auth:
        """The credential; its `repr` shows no secret."""
        return self._transport.settings.auth

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._transport.settings!r})"


ONE_REQUEST = "with_response takes a method of this client that sends one request"


class _Responses:
    """Calls operations for `with_response`: gives the whole response instead of its body."""

    def __init__(self, transport: Any) -> None:
        self.call = transport.respond

    def paginate(self, *_: object, **__: object) -> Any:
        raise ArgumentError(f"{ONE_REQUEST}. The iterator over all pages has the attribute `response`.")


def _rebound(client: _Client, method: Any) -> Callable[..., Any]:
    """A method of a client that gives the whole response."""
    group = getattr(method, "__self__", None)
    if group is None or not any(group is one for one in vars(client).values()):
        raise ArgumentError(f"{ONE_REQUEST}.")
    bound: Callable[..., Any] = getattr(type(group)(_Responses(client._transport)), method.__name__)
    return bound


class BridgeClient(_Client, Operations):
    """A client that blocks; any number of threads may share it. `client.billing` holds the operations tagged billing.

    Args:
        base_url: Where the bridge is; https, or http on loopback. A path in it comes before the contract's paths.
        auth: The credential; none by default.
        timeout: Seconds to wait for a connection, and for each read of an answer; (5, 30) by default.
        deadline: Seconds for one whole answer, however steadily it trickles in; 300 by default.
        max_bytes: The largest body that is read, decompressed; 64 MiB by default.
        headers: More headers for each request to the bridge. A credential belongs into `auth`.
        retry: When a request is sent again; see Retry.
        strict: Whether a deviation from the contract that could be read nevertheless is a ContractError.
        on_deviation: Is called with each Deviation; the logger `talkdesk_bridge` gets each as a warning, too.
        verify: Whether to check certificates (the default), or an SSLContext to check them with.
        cert: A client certificate: the file that holds it and its key, or the two files.
        proxy: URL of a proxy; by default what HTTPS_PROXY, ALL_PROXY and NO_PROXY say, but for http.
        clock: Gives seconds that only grow; for tests.
        sleep: Waits for so many seconds, by blocking or by awaiting, as the client does; for tests.

    Raises:
        ConfigurationError: a setting cannot be used.

    """

    _kind = Transport
    _transport: Transport

    def with_response(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Response[T]:
        """Call a method that sends one request, and give its whole answer: status, headers, bytes and body.

        As in `bridge.with_response(bridge.billing.get_account_invoices, "1000000001")`.

        Raises:
            ArgumentError: the method sends no request by itself, such as one that goes through pages.
            BridgeError: what the method raises.

        """
        response: Response[T] = _rebound(self, method)(*args, **kwargs)
        return response

    def authenticate(self) -> None:
        """Get a token now, if the credential needs one and has none that is fresh: at start-up, rather than later.

        Raises:
            AuthenticationError: the token server gave no token.

        """
        self._transport.authenticate()

    def close(self) -> None:
        """Close the connections; a second time does nothing."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncBridgeClient(_Client, AsyncOperations):
    """A client that awaits; any number of tasks of one event loop may share it. Otherwise as BridgeClient.

    Args:
        bulk: Whether the connections are aiohttp's, for many requests at a time; needs the extra `bulk`. False by
            default.

    """

    _kind = AsyncTransport
    _transport: AsyncTransport

    async def with_response(
        self, method: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Response[T]:
        """As BridgeClient.with_response."""
        response: Response[T] = await _rebound(self, method)(*args, **kwargs)
        return response

    async def authenticate(self) -> None:
        """As BridgeClient.authenticate."""
        await self._transport.authenticate()

    @overload
    def each(
        self, function: Callable[[GivenT], AsyncIterable[T]], given: Iterable[GivenT], *, at_once: int = 20
    ) -> AsyncGenerator[tuple[GivenT, list[T] | BridgeError]]: ...

    @overload
    def each(
        self, function: Callable[[GivenT], Awaitable[T]], given: Iterable[GivenT], *, at_once: int = 20
    ) -> AsyncGenerator[tuple[GivenT, T | BridgeError]]: ...

    def each(
        self, function: Callable[[GivenT], Any], given: Iterable[GivenT], *, at_once: int = 20
    ) -> AsyncGenerator[tuple[GivenT, Any]]:
        """Call `function` for each of many accounts, so many at a time; gives each with its result, as they come.

        As in `async for account, invoices in bridge.each(bridge.billing.iter_account_invoices, accounts)`. The next
        account is taken when there is room, so that any number may be given, and no result is kept but those that wait
        to be taken: at most `at_once`, and one. Where the bridge answers one of the calls with Retry-After, the
        requests of all of them wait for so long.

        Args:
            function: A method of this client, or what calls some. What it gives is awaited, or, where it gives items,
                gone through: the result is the list of them all.
            given: The accounts, or whatever `function` takes.
            at_once: How many calls are on their way at a time, from 1 to 100.

        Raises:
            ArgumentError: `at_once` is no such number, or `given` is text, whose letters are no accounts.
            Exception: what `function` raises besides BridgeError; the other calls are cancelled. A BridgeError is a
                result, and ends only its own call.

        """
        if isinstance(given, str):
            raise ArgumentError("given must be many accounts, not the text of one.")
        if not isinstance(at_once, int) or not 1 <= at_once <= MOST_AT_ONCE:
            raise ArgumentError(f"at_once must be an integer from 1 to {MOST_AT_ONCE}.")
        from talkdesk_bridge._many import each  # here, with asyncio: most programs need neither

        return each(function, given, at_once)

    async def close(self) -> None:
        """Close the connections; a second time does nothing."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

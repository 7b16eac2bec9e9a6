"""The clients: one attribute for each tag of the contract, one pool of connections each.

The way of a request, and of its response back:

1. `client.billing.get_account_invoices("1")`, in talkdesk_bridge_api: from arguments to the request of an operation.
2. `_caller`: one call. The credential and its token, the origin of a link; `_attempts`: when it is sent again.
3. `_http`: one exchange, through an httpx transport: one of talkdesk_bridge_http, or the option `transport`.
4. `_response`: the body as a model, with the deviations from the contract, or a typed error of `errors`.
5. `client.billing.iter_account_invoices("1")`: `_items` and `_paging` say which call comes next.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable, Iterator, Mapping
from ssl import SSLContext
from typing import Any, ParamSpec, Self, TypedDict, TypeVar, Unpack, overload

from talkdesk_bridge_api.api import AsyncOperations, Operations

from talkdesk_bridge._auth import Auth, NoAuth
from talkdesk_bridge._caller import AsyncCaller, BlockingCaller
from talkdesk_bridge._each import check, each, each_blocking
from talkdesk_bridge._environment import read_environment
from talkdesk_bridge._http import AsyncBaseTransport, BaseTransport
from talkdesk_bridge._response import Deviation, Response
from talkdesk_bridge._retry import Retry
from talkdesk_bridge._settings import Settings
from talkdesk_bridge.errors import ArgumentError, BridgeError, ConfigurationError

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
    transport: BaseTransport | AsyncBaseTransport | None
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None] | None] | None


class _Client:
    """What both clients do alike."""

    _kind: type[BlockingCaller | AsyncCaller]
    _caller: BlockingCaller | AsyncCaller

    def __init__(self, base_url: str, *, auth: Auth | None = None, **options: Unpack[Options]) -> None:
        self._use(self._kind(Settings(base_url=base_url, auth=auth or NoAuth(), **options)))

    def _use(self, caller: Any) -> None:
        self._caller = caller
        super().__init__(caller)  # type: ignore[call-arg] # of the operations

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **options: Unpack[Options]) -> Self:
        """A client from TALKDESK_BRIDGE_URL and the variables of one credential; docs/client.md lists them.

        Args:
            environ: What to read instead of os.environ.
            options: As for the class.

        Raises:
            ConfigurationError: a variable is missing, or two kinds of credential are set.

        """
        base_url, auth = read_environment(environ)
        return cls(base_url, auth=auth, **options)

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
        other._use(self._caller.with_options(**options))
        return other

    @property
    def base_url(self) -> str:
        """Where the bridge is."""
        return self._caller.settings.base_url

    @property
    def auth(self) -> Auth:
        """The credential; its `repr` shows no secret."""
        return self._caller.settings.auth

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._caller.settings!r})"


ONE_REQUEST = "with_response takes a method of this client that sends one request"


class _Responses:
    """Calls operations for `with_response`: gives the whole response instead of its body."""

    def __init__(self, caller: Any) -> None:
        self.call = caller.respond

    def paginate(self, *_: object, **__: object) -> Any:
        raise ArgumentError(f"{ONE_REQUEST}. The iterator over all pages has the attribute `response`.")


def _rebound(client: _Client, method: Any) -> Callable[..., Any]:
    """A method of a client that gives the whole response."""
    group = getattr(method, "__self__", None)
    if group is None or not any(group is one for one in vars(client).values()):
        raise ArgumentError(f"{ONE_REQUEST}.")
    bound: Callable[..., Any] = getattr(type(group)(_Responses(client._caller)), method.__name__)
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
        proxy: URL of a proxy; by default what HTTPS_PROXY, ALL_PROXY and NO_PROXY say, except for http.
        transport: An httpx transport to send through, such as httpx.MockTransport; closed with the client. By default
            one of talkdesk_bridge_http. What that promises (`deadline`, bytes after a response, `verify`, `cert` and
            `proxy`) is up to yours then.
        clock: Gives seconds that only grow; for tests.
        sleep: Waits for so many seconds, by blocking or by awaiting, as the client does; for tests.

    Raises:
        ConfigurationError: a setting cannot be used.

    """

    _kind = BlockingCaller
    _caller: BlockingCaller

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
        self._caller.authenticate()

    @overload
    def each(
        self, function: Callable[[GivenT], Iterator[T]], given: Iterable[GivenT], *, at_once: int = 20
    ) -> Generator[tuple[GivenT, list[T] | BridgeError]]: ...

    @overload
    def each(
        self, function: Callable[[GivenT], T], given: Iterable[GivenT], *, at_once: int = 20
    ) -> Generator[tuple[GivenT, T | BridgeError]]: ...

    def each(
        self, function: Callable[[GivenT], Any], given: Iterable[GivenT], *, at_once: int = 20
    ) -> Generator[tuple[GivenT, Any]]:
        """Call `function` for each of many accounts, so many at a time; gives each with its result, as they come.

        As in `for account, invoices in bridge.each(bridge.billing.iter_account_invoices, accounts)`. The next account
        is taken when there is room, so that any number may be given, and no result is kept except those that wait to
        be taken: at most `at_once`, and one. If the bridge answers one of the calls with Retry-After, all
        requests of this client wait for so long. Leaving the loop, or Ctrl-C, ends the requests that are on their way.

        Args:
            function: A method of this client, or what calls some. It is called in threads. If it gives an iterator, the
                result is the list of all items.
            given: The accounts, or whatever `function` takes.
            at_once: How many calls are on their way at a time, from 1 to 100.

        Raises:
            ArgumentError: `at_once` is no such number, or `given` is text, whose letters are no accounts.
            Exception: what `function` raises besides BridgeError; the other calls are ended. A BridgeError is a
                result, and ends only its own call.

        """
        check(given, at_once)
        return each_blocking(self._caller, function, given, at_once)

    def close(self) -> None:
        """Close the connections; a second time does nothing."""
        self._caller.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncBridgeClient(_Client, AsyncOperations):
    """A client that awaits; any number of tasks of one event loop may share it. Otherwise as BridgeClient."""

    _kind = AsyncCaller
    _caller: AsyncCaller

    async def with_response(
        self, method: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Response[T]:
        """As BridgeClient.with_response."""
        response: Response[T] = await _rebound(self, method)(*args, **kwargs)
        return response

    async def authenticate(self) -> None:
        """As BridgeClient.authenticate."""
        await self._caller.authenticate()

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
        """As BridgeClient.each, with tasks instead of threads, as in `async for account, invoices in bridge.each(...)`.

        What `function` gives is awaited, or, if it gives items, gone through.
        """
        check(given, at_once)
        return each(self._caller, function, given, at_once)

    async def close(self) -> None:
        """Close the connections; a second time does nothing."""
        await self._caller.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

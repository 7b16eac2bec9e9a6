"""The clients. A client has one attribute for each tag of the contract, and one connection pool.

The path of a request to the bridge, and of the response back:

1. `client.billing.get_account_invoices("1")`, in talkdesk_bridge_api: passes its arguments and operation to `_caller`.
2. `_caller`: one call. Makes the request, adds the credential, or the token of `_tokens`; `_attempts` sends it, again
   if needed.
3. `_http`: sends it through an httpx transport, from talkdesk_bridge_http or given as `transport`.
4. `_response`: turns the response into a model, and reports deviations from the contract, or raises a typed error.
5. `client.billing.iter_account_invoices("1")`: `_items`, `_paging` and `_links` make such calls, page after page.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable, Iterator, Mapping
from ssl import SSLContext
from typing import Any, Literal, ParamSpec, Self, TypedDict, TypeVar, Unpack, overload

from talkdesk_bridge_api.api import AsyncOperations, Operations

from talkdesk_bridge._auth import Auth, NoAuth
from talkdesk_bridge._caller import Caller
from talkdesk_bridge._each import check, each, each_blocking
from talkdesk_bridge._environment import read_environment
from talkdesk_bridge._http import AsyncBaseTransport, AsyncHttp, BaseTransport, Http
from talkdesk_bridge._items import AsyncItemIterator, ItemIterator
from talkdesk_bridge._redact import hiding_arguments
from talkdesk_bridge._response import Response
from talkdesk_bridge._retry import Retry
from talkdesk_bridge._run import run
from talkdesk_bridge._settings import Deviation, Settings, Timeout, check_names
from talkdesk_bridge.errors import ArgumentError, BridgeError

T = TypeVar("T")
P = ParamSpec("P")
InputT = TypeVar("InputT")


class CallOptions(TypedDict, total=False):
    """The options that may differ between calls; BridgeClient documents them."""

    timeout: Timeout
    headers: Mapping[str, str]
    paging: Literal["links", "numbers"]
    on_repeat: Literal["error", "deviation"]
    retry: Retry
    strict: bool
    on_deviation: Callable[[Deviation], object] | None
    max_bytes: int
    deadline: float


class Options(CallOptions, total=False):
    """All options of a client; BridgeClient documents them."""

    verify: bool | SSLContext
    cert: str | tuple[str, str] | None
    proxy: str | None
    transport: BaseTransport | AsyncBaseTransport | None
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None] | None] | None


class _Client:
    """What both clients share."""

    _kind: tuple[type[Http | AsyncHttp], type[ItemIterator | AsyncItemIterator], Callable[..., Any]]
    """How it sends requests, iterates over all pages, and finishes the coroutine of a call."""
    _caller: Caller

    @hiding_arguments
    def __init__(self, base_url: str, auth: Auth | None = None, **options: Unpack[Options]) -> None:
        check_names(options, {"auth", *Options.__annotations__})
        auth = NoAuth() if auth is None else auth
        settings, (http, iterator, finish) = Settings(base_url=base_url, auth=auth, **options), self._kind
        self._bind(Caller(settings, http(settings), iterator, finish))

    def _bind(self, caller: Caller) -> None:
        self._caller = caller
        super().__init__(caller)  # type: ignore[call-arg] # the __init__ of Operations or AsyncOperations

    @classmethod
    @hiding_arguments
    def from_env(cls, environ: Mapping[str, str] | None = None, **options: Unpack[Options]) -> Self:
        """A client from TALKDESK_BRIDGE_URL and the variables of one credential; `VARIABLES` lists them.

        Args:
            environ: Read instead of os.environ.
            options: As for the class.

        Raises:
            ConfigurationError: a variable is missing, or the variables set two kinds of credential.

        """
        check_names(options, Options.__annotations__, "cannot be given: the environment sets it")
        base_url, auth = read_environment(environ)
        return cls(base_url, auth=auth, **options)

    @hiding_arguments
    def with_options(self, **options: Unpack[CallOptions]) -> Self:
        """A copy of this client with other options, for one call or many: `bridge.with_options(timeout=5).billing`.

        Both share connections and token, and closing one closes both. `headers` are added to those of this client.

        Raises:
            ConfigurationError: an option cannot be used, or cannot differ between calls.

        """
        reason = "cannot differ between calls: give it when you make the client"
        check_names(options, CallOptions.__annotations__, reason)
        other = copy.copy(self)
        other._bind(self._caller.with_options(**options))
        return other

    @property
    def base_url(self) -> str:
        """The URL of the bridge."""
        return self._caller.settings.base_url

    @property
    def auth(self) -> Auth:
        """The credential; its `repr` shows no secret."""
        return self._caller.settings.auth

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._caller.settings!r})"


WITH_RESPONSE_RULE = "with_response takes a method of this client that sends one request"


def _with_responses(client: _Client, method: Any, finish: Callable[..., Any]) -> Callable[..., Any]:
    """The same method of `client`, but it returns the response, as `finish` makes it of the coroutine of a call."""

    def no_iterator(*_: object, **__: object) -> Any:
        raise ArgumentError(f"{WITH_RESPONSE_RULE}. The iterator over all pages has the attribute `response`.")

    group = getattr(method, "__self__", None)
    if group is None or not any(group is value for value in vars(client).values()):
        raise ArgumentError(f"{WITH_RESPONSE_RULE}.")
    caller = copy.copy(client._caller)
    caller.iterator, caller.finish = no_iterator, finish
    rebound: Callable[..., Any] = getattr(type(group)(caller), method.__name__)
    return rebound


def _body(exchange: Any) -> Any:
    return run(exchange).body


async def _body_async(exchange: Any) -> Any:
    return (await exchange).body


class BridgeClient(_Client, Operations):
    """A blocking client; any number of threads may share it. `client.billing` has the operations tagged billing.

    Args:
        base_url: The URL of the bridge: https, or http on loopback. The contract's paths are appended to its path.
        auth: The credential; none by default.
        timeout: Seconds, as in httpx: one number, or two: for connecting, and for each read or write. None: no limit.
            By default (5, 30).
        deadline: Seconds for one complete response, however slowly it arrives; 300 by default.
        max_bytes: The largest response body in bytes, decompressed; 64 MiB by default.
        headers: More headers for each request to the bridge. A credential belongs in `auth`.
        paging: "links" (the default) follows the next links of pages, and counts pages if there are none. "numbers"
            ignores links of lists that have page numbers: for bridges whose links are wrong.
        on_repeat: "error" (the default) raises PagingError if a page has an item of an earlier page, by the field that
            is its `x-identity` in the contract: the list changed meanwhile. "deviation" only reports it.
        retry: When a request is sent again; see Retry.
        strict: Whether a deviation from the contract raises ContractError even if the response could be read.
        on_deviation: Called with each Deviation, unless `strict`. The logger `talkdesk_bridge` gets it as a warning.
        verify: Whether to verify certificates (the default), or an SSLContext to verify them with.
        cert: A client certificate: one file with certificate and key, or two. If you give an SSLContext, load it there.
        proxy: URL of a proxy. By default, https goes through the proxy that HTTPS_PROXY, ALL_PROXY and NO_PROXY name.
        transport: An httpx transport, such as httpx.MockTransport, instead of one of talkdesk_bridge_http; it is closed
            with the client. It handles certificates, proxies and deadlines itself.
        clock: A monotonic clock in seconds; for tests.
        sleep: Called with the seconds to wait; returns an awaitable in AsyncBridgeClient. For tests.

    Raises:
        ConfigurationError: an option cannot be used.

    """

    _kind = (Http, ItemIterator, _body)

    def with_response(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Response[T]:
        """Call a method that sends one request, and return the complete response: status, headers, bytes and body.

        Example: `bridge.with_response(bridge.billing.get_account_invoices, "1000000001")`.

        Raises:
            ArgumentError: the method is not one of this client, or goes through pages.
            BridgeError: as the method raises.

        """
        response: Response[T] = _with_responses(self, method, run)(*args, **kwargs)
        return response

    def authenticate(self) -> None:
        """Fetch a token now if the credential needs one and none is fresh, so that a service fails at start-up.

        Raises:
            AuthenticationError: the token server returned no token.
            ConfigurationError: the client is closed, or was made in another process or event loop.

        """
        run(self._caller.authenticate())

    @overload
    def each(
        self, function: Callable[[InputT], Iterator[T]], inputs: Iterable[InputT], *, at_once: int = 20
    ) -> Generator[tuple[InputT, list[T] | BridgeError]]: ...

    @overload
    def each(
        self, function: Callable[[InputT], T], inputs: Iterable[InputT], *, at_once: int = 20
    ) -> Generator[tuple[InputT, T | BridgeError]]: ...

    def each(
        self, function: Callable[[InputT], Any], inputs: Iterable[InputT], *, at_once: int = 20
    ) -> Generator[tuple[InputT, Any]]:
        """Call `function` with each of many inputs, `at_once` at a time; yield each input with its result.

        Example: `for account, invoices in bridge.each(bridge.billing.iter_account_invoices, accounts)`.

        The first call of a client is made alone, so that a wrong password is sent once. Results come as calls end; at
        most `at_once` + 1 wait for you, so there may be any number of inputs. After a Retry-After, all requests of this
        client wait. Leaving the loop, or Ctrl-C, aborts requests in flight. Changed lists are reread.

        Args:
            function: A method of this client, or a function that uses the client; it runs in threads. If it returns an
                iterator, the result is the list of its items.
            inputs: The accounts, or any other arguments of `function`, one for each call.
            at_once: The number of calls at a time, from 1 to 100.

        Raises:
            ArgumentError: `at_once` is out of range, or `inputs` is a string.
            Exception: any error of `function` except BridgeError; it aborts the other calls. A BridgeError becomes the
                result of its call.

        """
        check(inputs, at_once)
        return each_blocking(self._caller.http, function, inputs, at_once)

    def close(self) -> None:
        """Close the connections; calling it again does nothing."""
        self._caller.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncBridgeClient(_Client, AsyncOperations):
    """An asyncio client; any number of tasks of one event loop may share it. Otherwise like BridgeClient."""

    _kind = (AsyncHttp, AsyncItemIterator, _body_async)

    async def with_response(
        self, method: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Response[T]:
        """Like BridgeClient.with_response."""
        response: Response[T] = await _with_responses(self, method, lambda exchange: exchange)(*args, **kwargs)
        return response

    async def authenticate(self) -> None:
        """Like BridgeClient.authenticate."""
        await self._caller.authenticate()

    @overload
    def each(
        self, function: Callable[[InputT], AsyncIterable[T]], inputs: Iterable[InputT], *, at_once: int = 20
    ) -> AsyncGenerator[tuple[InputT, list[T] | BridgeError]]: ...

    @overload
    def each(
        self, function: Callable[[InputT], Awaitable[T]], inputs: Iterable[InputT], *, at_once: int = 20
    ) -> AsyncGenerator[tuple[InputT, T | BridgeError]]: ...

    def each(
        self, function: Callable[[InputT], Any], inputs: Iterable[InputT], *, at_once: int = 20
    ) -> AsyncGenerator[tuple[InputT, Any]]:
        """Like BridgeClient.each, with tasks. `function` returns an awaitable or an asynchronous iterator."""
        check(inputs, at_once)
        return each(self._caller.http, function, inputs, at_once)

    async def close(self) -> None:
        """Close the connections; calling it again does nothing."""
        await self._caller.http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

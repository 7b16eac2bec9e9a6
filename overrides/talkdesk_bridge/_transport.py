"""The one way to the wire: origin guard, credential, attempts, and the responses as bodies or typed errors.

What happens around a request is written once, as generators that yield what they need done (`Flow`); the two
transports do it, one by blocking and one by awaiting.
"""

from __future__ import annotations

import contextvars
import copy
import inspect
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Generator, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Self, TypeVar
from urllib.parse import unquote

from attrs import evolve
from talkdesk_bridge_api.types import ListOperation, Operation

from talkdesk_bridge import errors
from talkdesk_bridge._answer import Answer, Reader, Response
from talkdesk_bridge._auth import NoAuth, OAuth2, TokenCache, origin
from talkdesk_bridge._paging import AsyncItemIterator, ItemIterator, Step
from talkdesk_bridge._retry import IDEMPOTENT, Attempt, loggable, retry_after
from talkdesk_bridge._settings import Settings
from talkdesk_bridge._wire import AsyncWire, Failure, Request, Wire, path_of

__all__ = ["AsyncTransport", "Transport", "stays_in_its_segment", "together"]

T = TypeVar("T")
BodyT = TypeVar("BodyT")

LOG = logging.getLogger("talkdesk_bridge")
LOG.addHandler(logging.NullHandler())

_TOGETHER: contextvars.ContextVar[bool] = contextvars.ContextVar("together", default=False)


Wanted = Request | float | Generator[Any, Any, Any]
"""A request to send, seconds to wait, or a flow that only one caller at a time may go through."""
Flow = Generator[Wanted, Any, T]


def together() -> contextvars.Context:
    """A context in which the calls of a client wait for as long as the bridge asks any of them to come back."""
    context = contextvars.copy_context()
    context.run(_TOGETHER.set, True)
    return context


class Turn:
    """What the calls of a client know of each other."""

    def __init__(self) -> None:
        self.until = 0.0
        """By the client's clock: when the bridge wants to be asked again."""
        self.answered = 0
        """How many requests were not turned away."""


class _Core:
    """What both transports do alike."""

    _wire: Wire | AsyncWire
    _iterator: type[ItemIterator | AsyncItemIterator]

    def _run(self, flow: Flow[T]) -> Any:
        """The result of a flow, or what gives it when awaited."""
        raise NotImplementedError

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._origin = origin(settings.base_url, "base URL")
        self._tokens = TokenCache(settings.clock)
        self._turn = Turn()  # shared with what with_options gives, as all that follows

    def paginate(self, operation: ListOperation[Any, Any], arguments: dict[str, Any], **limits: Any) -> Any:
        """Go through the pages of `operation`; nothing is sent before the first item is asked for."""
        given = sorted(f"{name}: {arguments[name]}" for name in arguments if arguments[name] is not None)
        call = {"bridge": str(self._wire.client.base_url), "operation": operation.operation_id, "arguments": given}
        exchange = partial(self._exchange, operation, arguments)
        return self._iterator(self._run, exchange, operation, call, self._reader, **limits)

    def with_options(self, **options: Any) -> Self:
        """The same connections and token, with other settings."""
        other = copy.copy(self)
        if isinstance(headers := options.get("headers"), Mapping):
            options["headers"] = {**self.settings.headers, **headers}
        other.settings = evolve(self.settings, **options)
        return other

    def _exchange(self, operation: Operation[BodyT], arguments: dict[str, Any], step: Step) -> Flow[Response[BodyT]]:
        """One request of `operation`, with the credential, and its answer."""
        if self._wire.closed:
            raise errors.ConfigurationError("The client is closed: make a new one, or stay inside its `with` block.")
        if self._wire.process != os.getpid():
            told = "The client was made in another process, which would get its answers"
            raise errors.ConfigurationError(f"{told}: make one in each process.")
        arguments = {**arguments, "page": step} if isinstance(step, int) and step > 1 else arguments
        request = self._follow(step) if isinstance(step, str) else self._request(operation, arguments)
        request.headers.update(self.settings.headers)
        auth = self.settings.auth
        request.headers.update(auth.headers())
        if isinstance(auth, OAuth2):
            token = self._tokens.get() or (yield self._renew(auth, None, self._tokens.tries))
            request.headers["Authorization"] = f"Bearer {token}"
        answer = yield from self._attempts(operation.operation_id, lambda: request)
        if isinstance(auth, OAuth2) and answer.status_code == HTTPStatus.UNAUTHORIZED:
            # The bridge may end a token before its time: one new one, one more try.
            token = yield self._renew(auth, token, self._tokens.tries)
            request.headers["Authorization"] = f"Bearer {token}"
            answer = yield from self._attempts(operation.operation_id, lambda: request)
        return self._reader.read(operation, answer, credential=not isinstance(auth, NoAuth))

    def _authenticate(self) -> Flow[None]:
        auth = self.settings.auth
        if isinstance(auth, OAuth2):
            yield self._renew(auth, None, self._tokens.tries)

    @property
    def _reader(self) -> Reader:
        return Reader(self.settings.strict, self.settings.on_deviation)

    def _attempts(self, name: str, make: Callable[[], Request], *, once: bool = False) -> Flow[Answer]:
        """Send what `make` gives as often as the policy says. One for a token may be repeated, too: it does no harm.

        It is made anew for each attempt: a token server takes a JWT once, and may have taken it though its answer was
        lost.
        """
        policy, clock, turn = self.settings.retry, self.settings.clock, self._turn
        begun, number, counted, answered = clock(), 0, 0, turn.answered
        while True:
            if _TOGETHER.get() and name != "token":
                begun += yield from self._wait_for_turn(name)
            number, counted, started, request = number + 1, counted + 1, clock(), make()
            repeatable = not once and (request.method in IDEMPOTENT or name == "token")
            outcome: Answer | Failure = yield request
            now = clock()
            failure = outcome if isinstance(outcome, Failure) else None
            again = repeatable and (failure.again if failure else outcome.status_code in policy.statuses)
            asked = retry_after(outcome.headers.get("Retry-After"))
            if name != "token" and isinstance(outcome, Answer):
                if asked is not None and outcome.status_code in policy.statuses:
                    turn.until = max(turn.until, now + asked)
                else:
                    turn.answered += 1
                if _TOGETHER.get() and outcome.status_code == HTTPStatus.TOO_MANY_REQUESTS and turn.answered > answered:
                    # Others got their answers in this one's place: that is no reason to give it up.
                    begun, counted, answered = now, 1, turn.answered
            wait = policy.wait(counted, now - begun, asked) if again else None
            if policy.on_attempt or LOG.isEnabledFor(logging.DEBUG):
                attempt = Attempt(
                    operation=name, method=request.method, path=path_of(request), number=number,
                    status=outcome.status_code, error=type(failure.error).__name__ if failure else None,
                    seconds=now - started, wait=wait, headers=loggable(outcome.headers),
                )  # fmt: skip
                LOG.debug("%s", attempt)
                if policy.on_attempt:
                    policy.on_attempt(attempt)
            if wait is not None:
                yield wait
            elif isinstance(outcome, Answer):
                return evolve(outcome, attempts=number) if number > 1 else outcome
            else:
                tried = "" if number == 1 else f" Tried {number} times."
                raise type(outcome.error)(f"{outcome.error}{tried}")

    def _wait_for_turn(self, name: str) -> Flow[float]:
        """Wait until the bridge wants to be asked again; for how many seconds that was."""
        begun, until = self.settings.clock(), 0.0
        while until < self._turn.until > (now := self.settings.clock()):  # another answer may have asked for more
            until = self._turn.until
            if until - now > self.settings.retry.retry_after_max:
                told = f"{name}: not sent, since the bridge asks to come back in {until - now:.0f} s"
                raise errors.NotSentError(f"{told}, as it answered another request.")
            yield until - now
        return self.settings.clock() - begun

    def _request(self, operation: Operation[Any], arguments: dict[str, Any]) -> Request:
        for name in re.findall(r"{(\w+)}", operation.path):
            if not stays_in_its_segment(str(arguments[name])) or arguments[name] is None:
                told = "must not be empty, '.' or '..', and must hold no control character and no encoded slash or dot"
                raise errors.ArgumentError(f"{name} {told}: it is a part of the path.")
        try:
            return self._wire.build(self.settings, **operation.request(**arguments))
        except (AttributeError, TypeError, ValueError) as error:
            told = f"An argument of {operation.operation_id} has a type or a value that cannot be sent"
            raise errors.ArgumentError(f"{told} ({type(error).__name__}).") from error

    def _follow(self, url: str) -> Request:
        """The request for a link of the bridge, which must lead to the bridge: the credential goes with it."""
        try:
            elsewhere = origin(url, "next link") != self._origin
        except errors.ConfigurationError as error:
            raise errors.PagingError(f"The next link cannot be followed. {error}") from None
        if elsewhere:
            raise errors.PagingError("The next link leads to another host, scheme or port; it was not followed.")
        try:
            return self._wire.build(self.settings, method="GET", url=url)
        except ValueError:
            raise errors.PagingError("The next link is not a URL.") from None

    def _renew(self, auth: OAuth2, rejected: str | None, tries: int) -> Flow[str]:
        """A token that is not `rejected`: another caller's, where one was faster, or a new one.

        Whoever waited for another caller's try, which was not among the `tries` before, shares its failure: else each
        would wait for the tries of all before it, and a token server that is overloaded would get them all.
        """
        if token := self._tokens.fresh(rejected):
            return token
        spare = self._tokens.spare(rejected)
        if tries != self._tokens.tries and self._tokens.failure:
            if spare:
                return spare
            raise errors.AuthenticationError(self._tokens.failure)

        def request() -> Request:
            headers, content = auth.token_request()
            return self._wire.build(self.settings, method="POST", url=auth.token_url, headers=headers, content=content)

        try:
            answer = yield from self._attempts("token", request, once=spare is not None)
            token = self._tokens.store(auth.token_url, answer.status_code, answer.content)
        except errors.BridgeError as error:
            refused = isinstance(error, errors.AuthenticationError)
            failure = str(error) if refused else f"There is no token. {error}"
            self._tokens.ended(failure)
            if spare:
                LOG.warning("The token could not be renewed, and serves on: %s", error)
                return spare
            raise errors.AuthenticationError(failure) from (None if refused else error)
        self._tokens.ended(None)
        return token


class Transport(_Core):
    """Sends by blocking; any number of threads may share it."""

    _wire: Wire
    _iterator = ItemIterator

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._wire = Wire(settings)
        self._lock = threading.RLock()  # a hook may call the client

    def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """Send one request of `operation` and read its answer; raises what talkdesk_bridge.errors names."""
        return self.respond(operation, arguments).body

    def respond(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> Response[BodyT]:
        """As `call`, for the whole response."""
        return self._run(self._exchange(operation, arguments, 1))

    def authenticate(self) -> None:
        """Get a token, if the credential needs one and has none that is fresh."""
        self._run(self._authenticate())

    def close(self) -> None:
        """Close the connections; a second time does nothing."""
        self._wire.close()

    def _run(self, flow: Flow[T]) -> T:
        try:
            wanted = next(flow)
            while True:
                wanted = flow.send(self._do(wanted))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _do(self, wanted: Wanted) -> Any:
        if isinstance(wanted, Request):
            return self._wire.send(self.settings, wanted)
        if isinstance(wanted, Generator):
            with self._lock:
                return self._run(wanted)
        return (self.settings.sleep or time.sleep)(wanted)


class AsyncTransport(_Core):
    """Sends by awaiting; any number of tasks of one event loop may share it."""

    _wire: AsyncWire
    _iterator = AsyncItemIterator

    def __init__(self, settings: Settings) -> None:
        import asyncio  # here and below, as in _wire.py

        super().__init__(settings)
        self._wire = AsyncWire(settings)
        self._lock = asyncio.Lock()
        self._loops: list[asyncio.AbstractEventLoop] = []  # shared with what with_options gives

    async def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """Send one request of `operation` and read its answer; raises what talkdesk_bridge.errors names."""
        return (await self.respond(operation, arguments)).body

    async def respond(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> Response[BodyT]:
        """As `call`, for the whole response."""
        return await self._run(self._exchange(operation, arguments, 1))

    async def authenticate(self) -> None:
        """Get a token, if the credential needs one and has none that is fresh."""
        await self._run(self._authenticate())

    async def close(self) -> None:
        """Close the connections; a second time does nothing."""
        await self._wire.close()

    async def _run(self, flow: Flow[T]) -> T:
        import asyncio

        self._loops.append(loop := asyncio.get_running_loop())
        del self._loops[1:]
        if self._loops != [loop]:
            told = "An AsyncBridgeClient belongs to the event loop that used it first"
            raise errors.ConfigurationError(f"{told}: make one for each.")
        try:
            wanted = next(flow)
            while True:
                wanted = flow.send(await self._do(wanted))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _do(self, wanted: Wanted) -> Any:
        if isinstance(wanted, Request):
            return await self._wire.send(self.settings, wanted)
        if isinstance(wanted, Generator):
            async with self._lock:
                return await self._run(wanted)
        import asyncio

        slept = (self.settings.sleep or asyncio.sleep)(wanted)
        return await slept if inspect.isawaitable(slept) else slept


def stays_in_its_segment(text: str) -> bool:
    """Whether a path argument stays in its segment even where a server decodes it once more, or twice."""
    for _ in range(3):
        if re.search(r"[\x00-\x1f\x7f-\x9f]", text) or {*re.split(r"[/\\]", text)} & {"", ".", ".."}:
            return False
        text, encoded = unquote(text), text
        if text != encoded and re.search(r"[/\\]", text):
            return False
    return True

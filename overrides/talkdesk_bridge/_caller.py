"""A call: sends one request of an operation with the credential, and returns its response or raises a typed error.

The flow is written once, as coroutines. The asynchronous client awaits them. The blocking client runs them with `run`:
everything that they await blocks, so they never suspend.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self, TypeVar

from attrs import evolve
from talkdesk_bridge_api.types import ListOperation, Operation

from talkdesk_bridge import errors
from talkdesk_bridge._attempts import response_to
from talkdesk_bridge._http import AsyncHttp, Http, normalized
from talkdesk_bridge._oauth import OAuth2
from talkdesk_bridge._progress import NO_POSITION
from talkdesk_bridge._received import RawResponse
from talkdesk_bridge._response import Response, read
from talkdesk_bridge._settings import Settings
from talkdesk_bridge._tokens import Tokens
from talkdesk_bridge._urls import origin, stays_in_its_segment

BodyT = TypeVar("BodyT")


class Caller:
    """The flow of a call, for both clients.

    Args:
        settings: The options of the client.
        http: Sends requests, blocking or asynchronously.
        iterator: Makes an iterator over the items of all pages, which makes calls itself.
        finish: Makes what `call` returns from the coroutine of `exchange`.

    """

    def __init__(
        self, settings: Settings, http: Http | AsyncHttp, iterator: Callable[..., Any], finish: Callable[..., Any]
    ) -> None:
        self.settings, self.iterator, self.finish = settings, iterator, finish
        # The callers that with_options makes share all of the following.
        self.http: Any = http
        self.tokens = Tokens(http, settings.clock)
        self.unwarned = iter([True])
        """Gives True to the first thread that has a warning about next links."""
        self.numbering: dict[str, int] = {}
        """For lists of unknown length: the most items of a page 1 that came again as page 2.

        By operationId and page size. COUNTS_PAGES once another page 2 came.
        """

    def call(self, operation: Operation[Any], arguments: dict[str, Any]) -> Any:
        """The body of the response to one request; raises as `exchange`."""
        return self.finish(self.exchange(operation, arguments))

    def paginate(self, operation: ListOperation[Any, Any], arguments: dict[str, Any], **limits: Any) -> Any:
        """An iterator over the items of all pages; the first page is requested when the first item is."""
        return self.iterator(self, operation, arguments, **limits)

    def with_options(self, **options: Any) -> Self:
        """A caller with other settings that shares this one's connections and token."""
        other = copy.copy(self)
        if isinstance(headers := options.get("headers"), Mapping):
            options["headers"] = {**self.settings.headers, **headers}
        other.settings = evolve(self.settings, **options)
        return other

    async def exchange(self, operation: Operation[BodyT], arguments: dict[str, Any], link: str = "") -> Response[BodyT]:
        """Send one request, or follow a link instead, and read the response.

        Raises:
            BridgeError: see talkdesk_bridge.errors.

        """
        self.http.waiting.check()
        request = self._follow(link) if link else self.request(operation, arguments)
        settings, auth = self.settings, self.settings.auth
        for name in settings.headers:  # without their values, which a traceback with local variables would show
            request.headers[name] = settings.headers[name]  # `update` would keep names that differ in case
        auth.apply(request)

        def send() -> Awaitable[RawResponse]:
            return response_to(lambda: request, self.http, settings, operation.operation_id)

        response = await (self.tokens.send(settings, auth, request, send) if isinstance(auth, OAuth2) else send())
        return read(operation, response, settings)

    async def authenticate(self) -> None:
        """Get a token, if the credential needs one and has no fresh one."""
        self.http.waiting.check()
        if isinstance(auth := self.settings.auth, OAuth2):
            await self.tokens.renewed(self.settings, auth)

    def request(self, operation: Operation[Any], arguments: dict[str, Any]) -> Any:
        """The httpx.Request of a call, without the credential."""
        for name in re.findall(r"{(\w+)}", operation.path):
            value = arguments[name]
            text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            if value is None or not text:
                raise errors.ArgumentError(f"{name} must not be empty, because it becomes a segment of the path.")
            if not stays_in_its_segment(text):
                rule = "must not be '.' or '..', and must contain no control character, slash or encoded slash or dot"
                raise errors.ArgumentError(f"{name} {rule}, because it becomes a segment of the path.")
        try:
            return self.http.build(self.settings, **operation.request(**arguments))
        except (AttributeError, TypeError, ValueError) as error:
            message = f"An argument of {operation.operation_id} has a type or a value that cannot be sent"
            raise errors.ArgumentError(f"{message} ({type(error).__name__}).") from error

    def _follow(self, url: str) -> Any:
        """The request for a next link, which `_links` has checked, or for one in a position, which may be damaged."""
        try:
            url = normalized(url)
            if origin(url, "step") == origin(self.http.base_url, "base URL"):
                return self.http.build(self.settings, method="GET", url=url)
        except (errors.ConfigurationError, ValueError):
            pass
        raise errors.ArgumentError(f"{NO_POSITION}: its step is no URL of this bridge.")

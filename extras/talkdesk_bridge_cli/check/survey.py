"""The requests for one list operation of the contract, in a fixed order; the rules judge what came back.

They go through the client: reads only, no more and no faster than permitted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from math import ceil
from typing import Any

from attrs import frozen
from talkdesk_bridge import Attempt, Auth, BasicAuth, BearerAuth, BridgeClient, Deviation, HeaderAuth, Retry, errors
from talkdesk_bridge.contract import ListShape, OperationInfo, document

from talkdesk_bridge_cli.account import required_arguments

MOST_PAGES = 10
"""A list is read up to this page. Three readings of it are compared."""
OWN, WITHOUT, WRONG = "", " without a credential", " with a wrong credential"
MADE_UP = "talkdesk-bridge-check"
"""The wrong credential: no part of the right one, and no user whose account it could lock."""
RECEIVED = (errors.StatusError, errors.ContractError, errors.PagingError, errors.NoResponseError)


class SpentError(Exception):
    """As many requests were sent as are permitted."""


@frozen(eq=False)
class Exchange:
    """A request, and the response to it."""

    request: str
    """Method, path and query for people, without the number of the account."""
    arguments: dict[str, Any]
    attempt: Attempt
    status: int
    """0 if there was no complete response."""
    response: Any
    """The client's Response; None after an error."""
    data: Any
    """The JSON of a page; None after an error."""
    error: Any
    deviations: list[tuple[str, str, str]]
    """JSON path, documented type and seen type."""


class Sender(ExitStack):
    """Clients for the bridge of the environment; leaving the context closes them.

    Args:
        most: The number of requests to the bridge; those for tokens are not counted.
        rate: The number of requests in a second.

    Raises:
        ConfigurationError: the environment has no base URL, or no complete credential.

    """

    def __init__(self, most: int, rate: float) -> None:
        super().__init__()
        self._most, self._pause = most, 1 / rate
        self.is_spent = False
        """Whether a request was one too many."""
        self._attempts: list[Attempt] = []
        self._deviations: list[Deviation] = []
        retry = Retry(attempts=1, on_attempt=self._note)
        options: Any = {"retry": retry, "on_deviation": self._deviations.append, "on_repeat": "deviation"}
        own = self.enter_context(BridgeClient.from_env(**options))
        self.clients = {OWN: own}
        """By what they do with the credential; only one if the environment sets none."""
        if own.auth.secrets():
            for kind, auth in ((WITHOUT, None), (WRONG, _wrong(own.auth))):
                self.clients[kind] = self.enter_context(BridgeClient(own.base_url, auth=auth, **options))

    def send(self, request: str, arguments: dict[str, Any], call: Callable[[], Any]) -> Exchange:
        """The result of a call that sends one request and returns its Response.

        Raises:
            SpentError: it is one too many.
            BridgeError: it could not be sent.

        """
        self.is_spent = len(self._attempts) >= self._most
        if self.is_spent:
            raise SpentError
        self._deviations.clear()
        response = error = None
        try:
            response = call()
        except RECEIVED as caught:
            error = caught
        found = [(one.place, one.documented, one.seen) for one in self._deviations]
        if isinstance(error, errors.ContractError):
            found.append((error.json_path or "$", error.expected or "a documented response", error.seen or "another"))
        last, data = self._attempts[-1], response.data if response else None
        return Exchange(request, arguments, last, last.status or 0, response, data, error, found)

    def _note(self, attempt: Attempt) -> None:
        if attempt.operation != "token":
            self._attempts.append(attempt)
            time.sleep(max(0.0, self._pause - attempt.seconds))


def _wrong(auth: Auth) -> Auth:
    """A wrong credential of the same kind."""
    if isinstance(auth, HeaderAuth):
        return HeaderAuth(MADE_UP, name=auth.name)
    return BasicAuth(MADE_UP, MADE_UP) if isinstance(auth, BasicAuth) else BearerAuth(MADE_UP)


class Survey:
    """What was seen of a list operation.

    Args:
        info: The operation.
        shape: Its list.
        sender: Sends the requests.

    """

    def __init__(self, info: OperationInfo, shape: ListShape, sender: Sender) -> None:
        self.info, self.shape, self.sender = info, shape, sender
        first = {shape.begin: shape.first, shape.size: 50}  # as many items as in Talkdesk's own APIs
        required = required_arguments(info)
        self._needed = {name: first[name] for name in required if name in first}
        self.account = next(name for name in required if name not in first)
        """The argument for the account."""
        self.size = 1
        """The size of pages that was asked for: not the one that the bridge chooses itself."""
        self.firsts: list[Exchange] = []
        """The first page of each account."""
        self.full: Exchange | None = None
        """The first one that has items; the lists below concern its account."""
        self.strangers: list[Exchange] = []
        """Requests without a credential, and with a wrong one."""
        self.unknown: list[Exchange] = []
        """The request for an account that does not exist."""
        self.numbered: list[Exchange] = []
        """The pages by number, without empty ones."""
        self.after: list[Exchange] = []
        """The page after the last one."""
        self.linked: list[Exchange] = []
        """The pages by next links; the last one may have an error."""
        self.again: list[Exchange] = []
        """The pages by number, or the only one, requested once more."""
        self.invalid: list[Exchange] = []
        """Requests with arguments that the contract does not allow."""

    def run(self, accounts: Sequence[str], unknown: Sequence[str]) -> None:
        """Send the requests, as far as that is permitted.

        Args:
            accounts: Accounts that exist.
            unknown: The number of an account that does not exist, if one is known.

        Raises:
            BridgeError: a request could not be sent.

        """
        with suppress(SpentError):
            for place, account in enumerate(accounts, 1):
                self.firsts.append(self._send(account, note=f" (account {place} of {len(accounts)})"))
            kinds = [*self.sender.clients][1:] if declared(self.info)[2].get("security") else []
            self.strangers += [self._send(accounts[0], kind=kind) for kind in kinds]
            self.unknown += [self._send(account, note=" (the unknown account)") for account in unknown]
            self.full = next((one for one in self.firsts if self.items(one)), None)
            if self.full:
                self._read(self.full, self.full.arguments[self.account])

    @property
    def pages(self) -> list[Exchange]:
        """The pages with items of the full account: by number if the operation has numbers, else by links."""
        linked = [page for page in self.linked if not page.error]
        return self.numbered or linked or [page for page in (self.full,) if page]

    @property
    def is_whole(self) -> bool:
        """Whether these are all pages of the list."""
        pages = self.numbered and self.after if self.shape.begin else self.pages
        return bool(pages) and not (self.shape.begin is None and next_link(pages[-1].data))

    @property
    def exchanges(self) -> list[Exchange]:
        """All requests."""
        listed = [*self.numbered, *self.after, *self.linked, *self.again, *self.invalid]
        return [*self.firsts, *self.strangers, *self.unknown, *listed]

    def items(self, *pages: Exchange) -> list[Any]:
        """The items of pages."""
        return [item for page in pages for item in self.shape.found(page.data) or []]

    def total(self, page: Exchange) -> int | None:
        """The announced number of all items; None if there is none."""
        total = self.shape.total_in(page.data)
        return total if type(total) is int else None

    def keys(self, page: Exchange) -> list[str]:
        """What identifies each item: the field that the contract names, else all of it."""
        name = self.info.identity
        return [str((isinstance(item, dict) and item.get(name)) or item) for item in self.items(page)]

    def _read(self, full: Exchange, account: str) -> None:
        own = len(self.items(full))
        self.size = max(1, min(ceil((self.total(full) or own) / 3), own - 1))  # about three pages
        begin, size = self.shape.begin, self.shape.size
        sized = {size: self.size} if size else {}
        if begin:
            self._read_by_numbers(account, begin, sized)
        if next_link(self.pages[0].data):
            self._read_by_links({self.account: account, **sized})
        self.again += [self._send(account, page.arguments) for page in self.numbered or [full]]
        wrong = {begin: "x" if self.shape.by_items else self.shape.first - 1, size: "x"}
        self.invalid += [self._send(account, {name: wrong[name]}) for name in wrong if name]

    def _read_by_numbers(self, account: str, begin: str, sized: dict[str, Any]) -> None:
        """Read pages until one is empty, an error, or a repeated one after as many items as the total says."""
        before: list[Any] = []
        while not self.after and len(self.numbered) < MOST_PAGES:
            count = len(self.items(*self.numbered))
            skipped = count if self.shape.by_items else len(self.numbered)
            page = self._send(account, {begin: self.shape.first + skipped, **sized})
            items = self.items(page)
            is_repeated = items in before and count >= (self.total(page) or 0)
            (self.numbered if items and not is_repeated else self.after).append(page)
            before.append(items)

    def _read_by_links(self, arguments: dict[str, Any]) -> None:
        """Follow next links as the client does, until all items are there, or to an error."""
        wanted = len(self.items(*self.numbered)) if self.after else None
        items = getattr(getattr(self.sender.clients[OWN], self.info.group), str(self.info.iterator))(**arguments)
        pages, name = items.pages(), f"{self._named(arguments)}, by links"
        while len(self.linked) < MOST_PAGES and len(self.items(*self.linked)) != wanted:
            page = self.sender.send(name, arguments, lambda: next(pages, None) and items.response)
            self.linked += [page] if page.response or page.error else []
            if not page.response:
                return

    def _send(self, account: str, arguments: Any = None, *, kind: str = OWN, note: str = "") -> Exchange:
        """Send a request with these arguments, and with those that the operation cannot do without."""
        client, given = self.sender.clients[kind], {self.account: account, **self._needed, **(arguments or {})}
        method = getattr(getattr(client, self.info.group), self.info.name)
        return self.sender.send(self._named(given) + note + kind, given, lambda: client.with_response(method, **given))

    def _named(self, arguments: dict[str, Any]) -> str:
        query = "&".join(f"{name}={arguments[name]}" for name in arguments if name != self.account)
        return f"{self.info.method} {self.info.path}{'?' if query else ''}{query}"


def declared(info: OperationInfo) -> tuple[Any, Any, Any]:
    """The contract, the path of an operation in it, and the operation."""
    whole, method = document(), info.method.lower()
    paths = [path for path in whole["paths"].values() if method in path]
    path = next(path for path in paths if path[method].get("operationId") == info.operation_id)
    return whole, path, path[method]


def next_link(data: Any) -> Any:
    """The href of the next link of a page; None if there is none."""
    links = data.get("_links") if isinstance(data, dict) else None
    link = links.get("next") if isinstance(links, dict) else None
    link = link[0] if isinstance(link, list) and link else link
    return (link.get("href") if isinstance(link, dict) else link) or None

"""Mistakes of bridges: an ASGI app that changes what a correct bridge sends, and the tables of docs/check.md: `make docs`."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from attrs import define, evolve, field, frozen
from talkdesk_bridge import contract
from talkdesk_bridge_cli.check.report import is_documented
from talkdesk_bridge_cli.check.rules import RULES

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "check.md"
INFO = next(info for info in contract.operations() if info.shape)
"""The list whose pages are changed."""
SHAPE = INFO.shape or contract.ListShape("")
BEGIN, SIZE = str(SHAPE.begin), str(SHAPE.size)


@define
class Call:
    """A request to the bridge."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    bridge: Bridge

    @property
    def number(self) -> int:
        """The number of the page."""
        return int(self.query.get(BEGIN, SHAPE.first))

    async def reply(self, **changed: str) -> Reply:
        """The correct response, to other arguments if some are given."""
        query = {name: value for name, value in {**self.query, **changed}.items() if value}
        return await self.bridge.good(evolve(self, query=query))


@define
class Reply:
    """A response of the bridge."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The body as JSON; an empty object if it is none."""
        return json.loads(self.body) if self.headers.get("content-type", "").endswith("json") else {}

    @property
    def items(self) -> list[Any]:
        """The items of a page."""
        found: list[Any] = SHAPE.found(self.data) or [] if self.status == 200 else []
        return found

    def with_data(self, data: Any, status: int = 0) -> Reply:
        """The response with another body."""
        return evolve(self, body=json.dumps(data).encode(), status=status or self.status)

    def with_items(self, items: Any, **fields: Any) -> Reply:
        """A page with another list, and with other fields beside it; a field that is `...` is left out."""
        if self.status != 200:
            return self
        data = _merged(self.data, SHAPE.wrapped(items)) | fields
        return self.with_data({name: value for name, value in data.items() if value is not ...})

    def with_each(self, change: Callable[[dict[str, Any]], Any]) -> Reply:
        """A page whose items are changed."""
        return self.with_items([change(item) for item in self.items]) if self.items else self

    def with_link(self, change: Callable[[str], Any]) -> Reply:
        """A page whose next link, if it has one, is changed."""
        link = self.data.get("_links", {}).get("next", {}).get("href") if self.status == 200 else None
        if not link:
            return self
        return self.with_data({**self.data, "_links": {**self.data["_links"], "next": {"href": change(link)}}})


def _merged(data: Any, other: Any) -> Any:
    if not (isinstance(data, dict) and isinstance(other, dict)):
        return other
    return data | {name: _merged(data.get(name), value) for name, value in other.items()}


Change = Callable[[Call], Any]
"""Makes the wrong response; a coroutine."""


class Bridge:
    """A correct bridge with one mistake at a time, as an ASGI app.

    Args:
        app: The ASGI app of the correct bridge.
        credential: The header with the right credential, and its value.
        full: An account with several pages.

    """

    def __init__(self, app: Any, credential: tuple[str, str], full: str) -> None:
        self.app, self.credential, self.full = app, credential, full
        self.mistake: Change | None = None
        self.requests = 0
        """Since `make` was called."""
        self.memory: dict[str, Any] = {}
        """For mistakes that remember earlier requests."""
        self._replies: dict[str, Reply] = {}

    def make(self, mistake: Change | None) -> None:
        """Make this mistake from now on, or none."""
        self.mistake, self.memory, self.requests = mistake, {}, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Respond to a request."""
        if scope["type"] != "http" or scope["method"] != "GET":  # such as a request for a token
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode()))
        call = Call(scope["path"], query, headers, self)
        self.scope = scope
        self.requests += 1
        reply = await (self.mistake(call) if self.mistake else call.reply())
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
        raw.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        await send({"type": "http.response.body", "body": reply.body})

    async def good(self, call: Call) -> Reply:
        """The response of the correct bridge; made once."""
        key = repr((call.path, sorted(call.query.items()), call.headers.get(self.credential[0].lower())))
        if key not in self._replies:
            self._replies[key] = await self._sent(call)
        return self._replies[key]

    async def _sent(self, call: Call) -> Reply:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {
            **self.scope,
            "path": call.path,
            "raw_path": call.path.encode(),
            "query_string": urlencode(call.query).encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in call.headers.items()],
        }
        await self.app(scope, receive, send)
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        headers.pop("content-length", None)
        return Reply(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The URL of an ASGI app, served on loopback."""
    config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def _split(names: str) -> tuple[str, ...]:
    return tuple(names.split())


@frozen
class Mistake:
    """A mistake, and the rules that it breaks."""

    name: str
    change: Change
    rules: tuple[str, ...] = field(converter=_split)
    """The one that is meant comes first."""


def page(change: Callable[[Reply], Reply]) -> Change:
    """A mistake in each response."""

    async def changed(call: Call) -> Reply:
        return change(await call.reply())

    return changed


def items(change: Callable[[dict[str, Any]], Any]) -> Change:
    """A mistake in each item."""
    return page(lambda reply: reply.with_each(change))


def amounts(change: Callable[[str], Any]) -> Change:
    """A mistake in each amount."""
    return items(lambda item: {name: change(value) if "amount" in name else value for name, value in item.items()})


def dates(change: Callable[[str], Any]) -> Change:
    """A mistake in each date."""
    return items(lambda item: {name: change(value) if "date" in name else value for name, value in item.items()})


def lists(change: Callable[[Reply], Any]) -> Change:
    """A mistake in the list of each page, or another list."""
    return page(lambda reply: reply.with_items(change(reply)))


def fields(change: Callable[[Reply], dict[str, Any]]) -> Change:
    """A mistake in the fields beside the list."""
    return page(
        lambda reply: reply.with_items(SHAPE.found(reply.data), **change(reply)) if reply.status == 200 else reply
    )


def links(change: Callable[[str], Any]) -> Change:
    """A mistake in each next link."""
    return page(lambda reply: reply.with_link(change))


def errors(change: Callable[[Reply], Reply], *statuses: int) -> Change:
    """A mistake in the responses with these statuses, or in all error responses."""
    return page(lambda reply: change(reply) if reply.status in (statuses or range(400, 500)) else reply)


def sent_as(status: int) -> Callable[[Reply], Reply]:
    """The change to another status."""
    return lambda reply: reply.with_data({**reply.data, "status": status}, status)


def typed(kind: str) -> Callable[[Reply], Reply]:
    """The change to another Content-Type."""
    return lambda reply: evolve(reply, headers={**reply.headers, "content-type": kind})


def html(reply: Reply) -> Reply:
    """An HTML page instead of the body."""
    return evolve(reply, headers={"content-type": "text/html"}, body=b"<h1>Not this way</h1>")


async def admits_all(call: Call) -> Reply:
    """No credential is needed."""
    name, value = call.bridge.credential
    call.headers[name.lower()] = value
    return await call.reply()


async def admits_wrong(call: Call) -> Reply:
    """Any credential is accepted."""
    name = call.bridge.credential[0].lower()
    return await (admits_all(call) if name in call.headers else call.reply())


async def ignores_size(call: Call) -> Reply:
    """Pages have always the same size, but links keep the parameter."""
    asked = call.query.get(SIZE, "")
    if not re.fullmatch("[1-9][0-9]*", asked):
        return await call.reply()
    reply = await call.reply(**{SIZE: "50"})
    return evolve(reply, body=reply.body.replace(f"{SIZE}=50".encode(), f"{SIZE}={asked}".encode()))


async def sends_all_if_a_size_is_given(call: Call) -> Reply:
    """The whole list, unless the bridge chooses the size of the page."""
    return await call.reply(**({SIZE: "1000"} if call.query.get(SIZE, "").isdecimal() else {}))


async def repeats_on_the_next_page(call: Call) -> Reply:
    """The first item of page 2 is one of page 1."""
    reply = await call.reply()
    if call.number > 1 and reply.items:
        first = await call.reply(**{BEGIN: "1"})
        return reply.with_items([first.items[-1], *reply.items[1:]])
    return reply


async def repeats_the_last_page(call: Call) -> Reply:
    """After the last page, it comes again."""
    reply, number = await call.reply(), call.number
    while reply.status == 200 and not reply.items and number > 1:
        number -= 1
        reply = await call.reply(**{BEGIN: str(number)})
    return reply


async def fails_after_the_last_page(call: Call) -> Reply:
    """After the last page, there is an error of the server."""
    reply = await call.reply()
    return sent_as(500)(reply) if call.number > 1 and not reply.items else reply


async def links_after_the_end(call: Call) -> Reply:
    """The last page has a next link."""
    reply = await call.reply()
    if reply.status != 200 or "next" in reply.data.get("_links", {}):
        return reply
    query = urlencode({**call.query, BEGIN: call.number + 1})
    href = f"http://{call.headers['host']}{call.path}?{query}"
    return reply.with_items(reply.items, _links={"next": {"href": href}})


async def links_to_itself(call: Call) -> Reply:
    """The next link leads to the same page."""
    query = urlencode(call.query)
    return (await call.reply()).with_link(lambda href: f"{href.partition('?')[0]}?{query}")


async def links_skip_a_page(call: Call) -> Reply:
    """The next link leads to the page after the next one."""
    return (await call.reply()).with_link(lambda href: re.sub(rf"\b{BEGIN}=2\b", f"{BEGIN}=3", href))


async def sends_another_account(call: Call) -> Reply:
    """Each account gets the items of one."""
    reply = await call.reply()
    if reply.status != 200:
        return reply
    own, call.path = call.path, f"{call.path.rpartition('/')[0]}/{call.bridge.full}"
    return (await call.reply()).with_link(lambda href: href.replace(call.path, own))


async def turns(call: Call) -> Reply:
    """The order of the items changes with each request."""
    reply = await call.reply()
    call.bridge.memory["turn"] = turn = call.bridge.memory.get("turn", 0) + 1
    return reply.with_items(reply.items[turn % 11 :] + reply.items[: turn % 11]) if reply.items else reply


async def total_depends_on_the_page(call: Call) -> Reply:
    """The total is larger on each page."""
    reply = await call.reply()
    return reply.with_items(reply.items, total=reply.data["total"] + call.number) if reply.items else reply


async def accepts_page_0(call: Call) -> Reply:
    """A wrong page number is ignored."""
    return await call.reply(**({BEGIN: ""} if call.query.get(BEGIN) == "0" else {}))


async def rejects_size(call: Call) -> Reply:
    """The parameter for the size is unknown."""
    return await call.reply(**({BEGIN: "0"} if SIZE in call.query else {}))


async def accepts_size_x(call: Call) -> Reply:
    """A wrong size is ignored."""
    return await call.reply(**({SIZE: ""} if call.query.get(SIZE) == "x" else {}))


async def is_slow(call: Call) -> Reply:
    """One response is slow. Tests lower the limit."""
    if call.number == 2:
        await asyncio.sleep(SLOW)
    return await call.reply()


SLOW = 0.6
"""Seconds, for tests."""

LOST_SIZE = rf"&?\b{SIZE}=\d+"
SPRING = {"timestamp": "2026-11-30T10:00:00Z", "status": 404, "error": "Not Found", "path": "/"}

MISTAKES: list[Mistake] = [
    Mistake("amount as a number", amounts(lambda text: float(text.split()[0])), "contract"),
    Mistake("amount as an object", amounts(lambda text: {"value": text}), "contract"),
    Mistake("amount is `null`", amounts(lambda _: None), "contract"),
    Mistake("amount without digits", amounts(lambda _: "to be agreed"), "amounts"),
    Mistake("amount with a currency sign", amounts(lambda text: f"${text.split()[0]}"), "amounts"),
    Mistake("date-time for a date", dates(lambda text: f"{text}T00:00:00Z"), "contract"),
    Mistake("date as 22/07/2023", dates(lambda _: "22/07/2023"), "contract"),
    Mistake("date as an empty text", dates(lambda _: ""), "contract"),
    Mistake("`null` for an empty list", lists(lambda reply: reply.items or None), "empty-account contract"),
    Mistake("no empty list", page(lambda reply: reply if reply.items or reply.status != 200 else reply.with_data({"total": 0})), "empty-account"),
    Mistake("empty account is 404", page(lambda reply: reply if reply.items or reply.status != 200 else reply.with_data({"status": 404, "errorCode": "EMPTY"}, 404)), "empty-account"),
    Mistake("list as an object", lists(lambda reply: {"0": reply.items}), "contract"),
    Mistake("list is missing", page(lambda reply: reply.with_data({"total": 5}) if reply.status == 200 else reply), "contract"),
    Mistake("`total` is missing", fields(lambda _: {"total": ...}), "total"),
    Mistake("`total` is `null`", fields(lambda _: {"total": None}), "total contract"),
    Mistake("`total` as text", fields(lambda reply: {"total": str(reply.data["total"])}), "contract total"),
    Mistake("`total` is negative", fields(lambda _: {"total": -1}), "total"),
    Mistake("`total` of the page", fields(lambda reply: {"total": len(reply.items)}), "total"),
    Mistake("`total` is 1 too large", fields(lambda reply: {"total": reply.data["total"] + 1 if reply.items else 0}), "total"),
    Mistake("`total` is 1 too small", fields(lambda reply: {"total": max(reply.data["total"] - 1, 0)}), "total"),
    Mistake("`total` differs between pages", total_depends_on_the_page, "total"),
    Mistake("no credential asked", admits_all, "credential"),
    Mistake("wrong credential accepted", admits_wrong, "credential"),
    Mistake("credential asked by 403", errors(sent_as(403), 401), "credential"),
    Mistake("credential asked by 200", errors(lambda reply: evolve(reply, status=200), 401), "credential"),
    Mistake("200 for an unknown account", errors(lambda reply: evolve(reply.with_data({}), status=200).with_items([], total=0), 404), "unknown-account"),
    Mistake("400 for an unknown account", errors(sent_as(400), 404), "unknown-account"),
    Mistake("wrong error body", errors(lambda reply: reply.with_data({"message": "no"})), "error-body"),
    Mistake("error body of Spring", errors(lambda reply: reply.with_data(SPRING), 404), "error-body"),
    Mistake("HTML error body", errors(html), "error-body media-type"),
    Mistake("empty error body", errors(lambda reply: evolve(reply, body=b"")), "error-body"),
    Mistake("status in an error body as text", errors(lambda reply: reply.with_data({**reply.data, "status": str(reply.status)})), "error-body"),
    Mistake("wrong media type", page(typed("text/plain")), "media-type"),
    Mistake("inner host in the link", links(lambda href: re.sub("//[^/]+", "//bridge.internal:8080", href)), "next-link"),
    Mistake("https for http in the link", links(lambda href: href.replace("http:", "https:")), "next-link"),
    Mistake("prefix in the link", links(lambda href: href.replace("/Bill", "/v1/Bill")), "next-link"),
    Mistake("link to another account", links(lambda href: re.sub(r"/\d+\?", "/1?", href)), "next-link"),
    Mistake("link to elsewhere", links(lambda _: "https://elsewhere.example/"), "next-link"),
    Mistake("link loses `per_page`", links(lambda href: re.sub(LOST_SIZE, "", href)), "next-link"),
    Mistake("link changes `per_page`", links(lambda href: re.sub(LOST_SIZE, f"&{SIZE}=7", href)), "next-link"),
    Mistake("link to the same page", links_to_itself, "next-link"),
    Mistake("link skips a page", links_skip_a_page, "links-and-numbers"),
    Mistake("link on the last page", links_after_the_end, "last-page"),
    Mistake("`per_page` ignored", ignores_size, "page-size"),
    Mistake("all invoices if `per_page` is given", sends_all_if_a_size_is_given, "page-size"),
    Mistake("400 because of `per_page`", rejects_size, "page-size"),
    Mistake("invoice twice, on one page", lists(lambda reply: [*reply.items[:-1], *reply.items[:1]]), "no-repeats"),
    Mistake("invoice twice, on two pages", repeats_on_the_next_page, "no-repeats"),
    Mistake("page after the last one repeats it", repeats_the_last_page, "after-last-page"),
    Mistake("500 after the last page", fails_after_the_last_page, "after-last-page"),
    Mistake("order changes", turns, "stable links-and-numbers"),
    Mistake("wrong page number accepted", accepts_page_0, "invalid-arguments"),
    Mistake("wrong size accepted", accepts_size_x, "invalid-arguments"),
    Mistake("422 for wrong arguments", errors(sent_as(422), 400), "invalid-arguments"),
    Mistake("items of another account", sends_another_account, "own-items"),
    Mistake("slow response", is_slow, "in-time"),
]  # fmt: skip


EXAMPLE = "amount as a number"
"""The mistake whose report docs/check.md shows."""


def matrix() -> list[str]:
    """The table of mistakes and the rules that they break."""
    rows = [f"| {one.name} | {', '.join(f'`{name}`' for name in one.rules)} |" for one in MISTAKES]
    return ["| mistake | broken rules |", "|---|---|", *rows]


def rules() -> list[str]:
    """The table of the rules."""
    marks = {rule.name: "documented" if is_documented(INFO, rule.status) else "assumed" for rule in RULES}
    rows = [f"| `{rule.name}` | {marks[rule.name]} | {rule.remedy} | {rule.reason} |" for rule in RULES]
    return ["| rule | | what the bridge must do | why |", "|---|---|---|---|", *rows]


def written(text: str) -> str:
    """The page with new tables."""
    for name, table in (("rules", rules()), ("mistakes", matrix())):
        start, end = f"<!-- {name}: written by `make docs` -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        text = "\n".join([before + start, "", *table, "", end]) + rest.partition(end)[2]
    return text


if __name__ == "__main__":
    sys.stdout.write(written(PAGE.read_text(encoding="utf-8")))

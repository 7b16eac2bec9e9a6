"""Properties of all bodies, amounts, headers and lists of pages; `make fuzz` tries more examples than `make test`."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import isfinite
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import httpx
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from talkdesk_bridge import (
    AsyncBridgeClient,
    BridgeClient,
    Deviation,
    Money,
    Response,
    Retry,
    _response,
    errors,
    models,
)
from talkdesk_bridge._received import YEAR, RawResponse, retry_after
from talkdesk_bridge._settings import Settings
from talkdesk_bridge_api.api.billing import _GET_ACCOUNT_INVOICES as OPERATION

from tests.agreement import agree
from tests.conftest import CONTRACT, ROOT, merged, page
from tests.drawn import contracts
from tests.keepalive import KeepAlive, http_response
from tests.packages import made
from tests.strategies import EXAMPLES, MARK, TALLY, TOKENS, Bodies, Token, examples, mangled, mutated
from tools.contract import documented, load
from tools.contract.__main__ import main as validate
from tools.generate.__main__ import main as generate

BODIES = Bodies(load(CONTRACT).data)
CLASSES = {name.casefold(): getattr(models, name) for name in models.__all__}
NAMED = {name: CLASSES.get(name.replace("_", "").casefold()) for name in load(CONTRACT).data["components"]["schemas"]}
SCHEMAS = {name: model for name, model in NAMED.items() if hasattr(model, "from_dict")}
"""The models of the contract's components, by name."""
PAGES = BODIES.named("InvoiceDetailsResponse")
FULL = st.lists(BODIES.named("InvoiceDetails"), min_size=1, max_size=4)
ITEMS = FULL.map(lambda items: {"_embedded": {"invoices": items}})
SENT = st.one_of(PAGES, ITEMS, ITEMS.map(lambda body: body["_embedded"]["invoices"]), FULL.map(lambda items: items[0]))

# Making one for each client would take up most of the time.
TLS = ssl.create_default_context()
ONCE = Retry(attempts=1)


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("talkdesk_bridge")
    before, logger.level = logger.level, logging.CRITICAL
    yield
    logger.level = before


# Reading bodies.


@examples(120)
@given(st.sampled_from(sorted(SCHEMAS)).flatmap(lambda name: st.tuples(st.just(name), BODIES.named(name))))
def test_documented_bodies_come_back_unchanged(drawn: tuple[str, Any]) -> None:
    name, body = drawn
    agree(SCHEMAS[name], body)


def read(content: bytes, *, strict: bool) -> tuple[list[Any] | None, errors.BridgeError | None, list[Deviation]]:
    """The items of a response, or one of our errors, and the deviations; any other exception fails the test."""
    deviations: list[Deviation] = []
    sent = RawResponse("GET /x", "https://bridge.example/x", 200, {"Content-Type": "application/json"}, content)
    settings = Settings(base_url="https://bridge.example", strict=strict, on_deviation=deviations.append)
    try:
        response: Response[Any] = _response.read(OPERATION, sent, settings)
    except errors.BridgeError as error:
        return None, error, deviations
    return OPERATION.items(response.body) or [], None, deviations


def check(content: bytes) -> None:
    """Check that a response is read completely, leniently or strictly, or rejected with a place that it has."""
    TALLY["examples"] += 1
    items, error, deviations = read(content, strict=False)
    strictly, strict_error, reported = read(content, strict=True)
    assert not reported
    if items is None:
        assert isinstance(error, errors.ContractError)
        assert isinstance(strict_error, errors.ContractError)
        TALLY[type(error).__name__] += 1
        assert MARK not in repr((error, strict_error))
        exists(content, error.json_path, error.seen)
        return
    TALLY["items"] += len(items)
    assert MARK not in repr(deviations)
    for deviation in deviations:
        exists(content, deviation.place, None)
    if strictly is None:
        assert isinstance(strict_error, errors.ContractError)
        TALLY[f"{type(strict_error).__name__}, strict"] += 1
        assert deviations
        exists(content, strict_error.json_path, strict_error.seen)
    else:
        assert not deviations
        assert strictly == items
    data = json.loads(content, parse_float=Decimal)
    wanted = data if isinstance(data, list) else data.get("_embedded", {"invoices": [data]})
    wanted = (wanted or {}).get("invoices") if isinstance(wanted, dict | None) else wanted
    if data != {"total": 0} and not (
        isinstance(data, dict) and "_embedded" not in data and str(data.get("total")) == "0"
    ):
        assert len(items) == len(wanted or [])
        for item, one in zip(items, wanted or [], strict=True):
            assert fits(item, OPERATION.item)
            lossless(item.to_dict(), one, type(item))


def fits(value: Any, kind: Any) -> bool:
    """Whether a value matches the annotations of the models."""
    if get_origin(kind) in (Union, UnionType):
        return any(fits(value, one) for one in get_args(kind))
    if get_origin(kind) is list:
        return type(value) is list and all(fits(item, *get_args(kind)) for item in value)
    if not hasattr(kind, "from_dict"):
        return type(value) is kind
    types = types_of(kind)
    return type(value) is kind and all(fits(getattr(value, name), inner) for name, inner in types.items())


@cache
def types_of(model: Any) -> dict[str, Any]:
    """The types of a model's fields, by attribute."""
    hints = get_type_hints(model)
    return {attribute: hints[attribute] for attribute in model.FIELDS.values()}


def lossless(read: Any, sent: Any, kind: Any) -> None:
    """Check that all values sent were read unchanged; dates may differ, and null counts as missing."""
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
    if get_origin(kind) is list:
        for one, other in zip(read, sent, strict=True):
            lossless(one, other, *get_args(kind))
    elif hasattr(kind, "from_dict"):
        for name, value in sent.items():
            inner = types_of(kind)[kind.FIELDS[name]] if name in kind.FIELDS else None
            if inner == date | None:
                continue
            if value is None and inner is not None:
                assert name not in read
            else:
                lossless(read[name], value, inner)
    elif kind is None:
        assert json.dumps(read) == json.dumps(sent, default=float)
    elif type(read) is type(sent):
        assert read == sent
    else:
        assert Decimal(read) == Decimal(sent)


STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+|\*)\]|\[(\"(?:[^\"\\]|\\.)*\")\]", re.ASCII)


def exists(content: bytes, place: str | None, seen: str | None) -> None:
    """Check that a body has a place; if a value is missing, check the place around it."""
    assert place is not None
    assert re.fullmatch(rf"\$(?:{STEP.pattern})*", place, re.ASCII), place
    if place == "$":
        return
    nodes = [json.loads(content)]
    for name, index, quoted in STEP.findall(place):
        key = name or (json.loads(quoted) if quoted else "")
        if index:
            inner = [
                item
                for node in nodes
                if isinstance(node, list)
                for item in (node if index == "*" else node[int(index) :][:1])
            ]
        else:
            inner = [node[key] for node in nodes if isinstance(node, dict) and key in node]
        if not inner:
            assert seen == "nothing", place
            return
        nodes = inner


@examples(240)
@given(mutated(SENT))
def test_a_body_with_changed_values_is_read_completely_or_rejected(content: bytes) -> None:
    check(content)


@examples(120)
@given(mangled(SENT))
def test_a_body_with_changed_bytes_is_read_completely_or_rejected(content: bytes) -> None:
    check(content)


@examples(50)
@given(
    st.sampled_from(["amount", "due_amount", "invoice_number", "status"]), TOKENS.filter(lambda token: token != "-0")
)
@example("amount", Token("3700.00"))
@example("amount", Token("12345678901234567890.12345678901234567890"))
def test_a_number_instead_of_text_keeps_every_digit(name: str, token: Token) -> None:
    TALLY["examples"] += 1
    items, _, deviations = read(f'{{"_embedded": {{"invoices": [{{"{name}": {token}}}]}}}}'.encode(), strict=False)
    assert items
    assert getattr(items[0], name) == token
    assert len(deviations) == 1


@examples(30)
@given(TOKENS)
@example(Token("12345678901234567.89"))
def test_a_number_in_an_unknown_field_keeps_every_digit(token: Token) -> None:
    TALLY["examples"] += 1
    items, *_ = read(f'{{"_embedded": {{"invoices": [{{"other": {token}}}]}}}}'.encode(), strict=True)
    assert items
    value = items[0]["other"]
    assert type(value) is int or isfinite(value) is isfinite(float(token))
    assert Decimal(str(value)) == Decimal(token)


@examples(30)
@given(st.integers(-(10**20), 10**20), st.sampled_from(["{}", "{}.0", "{}e0", '"{}"', "{}00e-2"]))
def test_an_integer_in_any_form_is_read_exactly_or_rejected(number: int, form: str) -> None:
    TALLY["examples"] += 1
    text = form.format(number)
    items, error, _ = read(
        f'{{"_embedded": {{"invoices": [{{"invoice_items_details": [{{"installment_number": {text}}}]}}]}}}}'.encode(),
        strict=False,
    )
    if items is None:
        assert isinstance(error, errors.ContractError)
        assert abs(number) >= 2**53
    else:
        assert items[0].invoice_items_details[0].installment_number == number


@examples(50)
@given(
    st.one_of(
        st.dates(date(1990, 1, 1), date(2060, 1, 1)).map(date.isoformat),
        st.integers(10**7, 10**17),
        st.from_regex("[0-9W:T Z.+-]{1,24}", fullmatch=True),
    )
)
@example(1710101512345)
@example("2023-07-22T10:00:00Z")
def test_a_date_is_read_as_written_or_not_at_all(sent: str | int) -> None:
    TALLY["examples"] += 1
    items, *_ = read(json.dumps([{"invoice_due_date": sent}]).encode(), strict=False)
    assert items
    day = items[0].invoice_due_date
    if day is not None:
        # Milliseconds since 1970 are not a date, although some look like a date with a time.
        assert re.match(r"\d{8}$|\d{4}-\d\d-\d\d|\d{8}[T ]|\d{4}-?W", str(sent)), day


# Responses over the wire.


@pytest.fixture(scope="module")
def wire() -> Iterator[tuple[KeepAlive, Mapping[bool, BridgeClient]]]:
    with KeepAlive(lambda _: b"") as server:
        clients = {
            strict: BridgeClient(server.url, retry=ONCE, verify=TLS, timeout=(5, 5), strict=strict)
            for strict in (True, False)
        }
        yield server, clients
        for client in clients.values():
            client.close()


@examples(50)
@given(
    content=st.one_of(mutated(SENT), mangled(SENT)),
    status=st.sampled_from([200] * 6 + [201, 204, 302, 400, 429, 503]),
    strict=st.booleans(),
)
def test_a_response_gives_items_or_one_of_our_errors(
    wire: tuple[KeepAlive, Mapping[bool, BridgeClient]], content: bytes, status: int, strict: bool
) -> None:
    TALLY["examples"] += 1
    server, clients = wire
    server.respond = lambda _: http_response(b"" if status == 204 else content, status)
    error: errors.BridgeError | None = None
    items: list[Any] = []
    try:
        items = list(clients[strict].billing.iter_account_invoices("1", max_pages=3))
    except errors.BridgeError as caught:
        error = caught
        TALLY[type(error).__name__] += 1
    TALLY["items"] += len(items)
    assert error is None or isinstance(error, errors.ContractError | errors.PagingError) is (status in (200, 201, 204))
    assert error or status == 200
    assert all(fits(item, OPERATION.item) for item in items)


HREFS = st.one_of(
    st.text(st.characters(), max_size=12),
    st.from_regex(r"((https?|ftp|[a-z]):)?(//)?[a-z0-9.:@\[\]%{url}-]{0,12}[/?#;]{0,2}[ -~]{0,8}", fullmatch=True),
    st.builds(
        "{{url}}{}{}".format, st.sampled_from(["", "0", "@", ".example", "/", "?", "#", "\\"]), st.text(max_size=5)
    ),
)


@examples(40)
@given(href=HREFS)
def test_a_link_of_any_text_leads_nowhere_else(wire: tuple[KeepAlive, Mapping[bool, BridgeClient]], href: str) -> None:
    TALLY["examples"] += 1
    server, clients = wire
    before = server.requests
    more = {"_links": {"next": {"href": href.replace("{url}", server.url)}}, "total": 2}
    pages = [
        http_response(json.dumps({"_embedded": {"invoices": [{"invoice_number": number}]}, **more}).encode())
        for number in "12"
    ]
    server.respond = lambda _: pages[server.requests - before - 1]
    try:
        items = list(clients[False].billing.iter_account_invoices("1", max_pages=2))
    except errors.PagingError:
        assert server.requests == before + 1
    else:
        assert [item.invoice_number for item in items] == ["1", "2"]


# Headers, amounts and settings.


@examples(40)
@given(st.one_of(
    st.text(max_size=20),
    st.integers().map(str),
    st.from_regex(r"(Mon, )?[0-9]{1,3} (Jan|Dec|Foo) -?[0-9]{1,12} [0-9:.]{1,12}( GMT| [+-][0-9]{2,20}|)", fullmatch=True),
    st.from_regex(r"[0-9A-Za-z,:+ -]{0,30}", fullmatch=True),
    st.integers(300, 400).map(lambda digits: "9" * digits),
))  # fmt: skip
def test_retry_after_is_seconds_or_nothing(value: str) -> None:
    TALLY["examples"] += 1
    seconds = retry_after(value, 30.0)
    assert seconds is None or 0 <= seconds <= YEAR
    if value.isascii() and value.isdecimal() and float(value) <= YEAR:
        assert seconds == float(value)


SECONDS = st.floats(0, 1e6)


@examples(30)
@given(
    st.builds(
        Retry,
        attempts=st.integers(1, 5000),
        seconds=SECONDS,
        backoff=SECONDS,
        backoff_max=SECONDS,
        retry_after_max=SECONDS,
    ),
    st.integers(1, 5000),
    SECONDS,
    st.one_of(st.none(), SECONDS, st.just(float("inf"))),
)
@example(Retry(attempts=5000, backoff=0.0), 2000, 0.0, None)
def test_a_wait_keeps_within_the_policy(policy: Retry, number: int, elapsed: float, asked: float | None) -> None:
    TALLY["examples"] += 1
    wait = policy.wait(number, elapsed, asked)
    if number >= policy.attempts or elapsed > policy.seconds or (asked or 0) > policy.retry_after_max:
        assert wait is None
    if wait is not None:
        assert (asked or 0) <= wait <= max(policy.backoff_max, asked or 0)
        assert elapsed + wait <= policy.seconds


AMOUNTS = st.one_of(
    TOKENS,
    st.builds(
        "{}{}{}".format,
        TOKENS,
        st.sampled_from(["", " ", "  ", "\t", " -"]),
        st.sampled_from(["", "usd", "EUR", "us", "euro"]),
    ),
    st.decimals(),
    st.floats(),
    st.integers(),
    st.text(max_size=8),
    st.booleans(),
    st.integers(4000, 5000).map(lambda digits: 10**digits),
    st.integers(4000, 7000).map(lambda digits: f"{'9' * digits}.5"),
)


@examples(40)
@given(st.lists(AMOUNTS, min_size=1, max_size=5))
@example([10**5000])
@example([f"{'9' * 6000}.5", "1"])
def test_amounts_are_exact_or_rejected(values: list[Any]) -> None:
    TALLY["examples"] += 1
    amounts = []
    for value in values:
        try:
            money = Money.parse(value)
        except errors.ArgumentError:
            continue
        amounts.append(money)
        number = str(value).strip().split(" ")[0]
        assert money.amount == Decimal(number)
        assert Money.parse(str(money)) == money
        assert money - money == Money(Decimal(0), money.currency)
    total: Any = None
    try:
        total = sum(amounts)
    except errors.ArgumentError:
        assert (
            len({money.currency for money in amounts}) > 1
            or sum(len(money.amount.as_tuple().digits) for money in amounts) > 4000
        )
    if total:
        assert Fraction(total.amount) == sum(Fraction(money.amount) for money in amounts)


# Paging.

Fault = str
FAULTS: dict[Fault, bytes] = {
    "refused": http_response(b"{}", 503),
    "garbled": http_response(b'{"_embedded": {"invo'),
    "hung up": b"",
    "broken off": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\n{",
    "no page": http_response(b'{"userMessage": "no"}'),
}


class Book:
    """A list of invoices in pages, as a bridge serves it, with faults that are drawn."""

    def __init__(self, draw: st.DrawFn) -> None:
        sizes = draw(st.lists(st.integers(0, 4), min_size=1, max_size=6))
        self.linked = draw(st.booleans())
        if not self.linked:  # page numbers end at an empty page
            sizes = [size for size in sizes if size] or [0]
        count = sum(sizes)
        self.numbers = [str(number) for number in range(count)]
        self.totals: list[Any] = [self._total(draw, count) for _ in sizes]
        self.pages = [self.numbers[sum(sizes[:index]) : sum(sizes[: index + 1])] for index in range(len(sizes))]
        self.form = draw(st.sampled_from(["{url}/x?c={page}", "/x?c={page}", "?c={page}", "?c={page}#top"]))
        self.faults = draw(st.lists(st.one_of(st.none(), st.none(), st.sampled_from(sorted(FAULTS))), max_size=8))
        # A page whose link leads to a page other than the next; with page numbers, a page replaced by another one.
        one = draw(st.integers(0, len(sizes) - 1))
        other = st.integers(0, len(sizes)) if self.linked else st.sampled_from([one - 1, one + 1, len(sizes)])
        self.astray = draw(st.one_of(st.none(), st.none(), st.tuples(st.just(one), other)))
        self.url = ""
        self.promised: list[int] = []  # the totals of the pages requested so far

    def _total(self, draw: st.DrawFn, count: int) -> Any:
        right = [count, str(count), float(count)]
        return draw(st.sampled_from([*right, None, count + draw(st.integers(0, 3))] if self.linked else right))

    def __repr__(self) -> str:
        return f"Book({vars(self)})"

    def __call__(self, target: str) -> bytes:
        """The response to a request."""
        if self.faults and (fault := self.faults.pop(0)):
            return FAULTS[fault]
        number = int((re.search(r"[?&](?:c|page)=(\d+)", target) or [0, 1])[1]) - 1
        if not self.linked and self.astray and number == self.astray[0]:
            number = self.astray[1]
        items = self.pages[number] if 0 <= number < len(self.pages) else []
        body: dict[str, Any] = {"_embedded": {"invoices": [{"invoice_number": one} for one in items]}}
        if (total := self.totals[min(number, len(self.totals) - 1)]) is not None:
            body["total"] = total
            self.promised.append(int(total))
        if self.linked:
            following = self.astray[1] if self.astray and number == self.astray[0] else number + 1
            link = {"href": self.form.format(url=self.url, page=following + 1)} if following < len(self.pages) else None
            body["_links"] = {"next": link} if link or number % 2 else {}
        return http_response(json.dumps(body).encode())


BOOKS = st.composite(lambda draw: Book(draw))()


def walked(url: str, count: int, start: Any, *, awaited: bool) -> tuple[list[str], list[errors.BridgeError], Any, bool]:
    """Up to `count` items from a new client, continuing after errors; also errors, position, and whether the list ended."""
    got: list[str] = []
    failed: list[errors.BridgeError] = []

    async def awaiting() -> tuple[Any, bool]:
        async with AsyncBridgeClient(url, retry=ONCE, verify=TLS, timeout=(5, 5)) as bridge:
            invoices = bridge.billing.iter_account_invoices("1", start=start)
            while len(got) < count and len(failed) < 12:
                try:
                    got.append(str((await anext(invoices)).invoice_number))
                except StopAsyncIteration:
                    return invoices.position, True
                except errors.BridgeError as error:
                    failed.append(error)
            return invoices.position, False

    def blocking() -> tuple[Any, bool]:
        with BridgeClient(url, retry=ONCE, verify=TLS, timeout=(5, 5)) as bridge:
            invoices = bridge.billing.iter_account_invoices("1", start=start)
            while len(got) < count and len(failed) < 12:
                try:
                    got.append(str(next(invoices).invoice_number))
                except StopIteration:
                    return invoices.position, True
                except errors.BridgeError as error:
                    failed.append(error)
            return invoices.position, False

    position, ended = asyncio.run(awaiting()) if awaited else blocking()
    return got, failed, json.loads(json.dumps(position)), ended


@examples(70)
@given(book=BOOKS, stops=st.lists(st.integers(0, 5), max_size=5), awaited=st.booleans())
def test_every_item_comes_once_however_often_the_list_is_resumed(
    wire: tuple[KeepAlive, Mapping[bool, BridgeClient]], book: Book, stops: list[int], awaited: bool
) -> None:
    TALLY["examples"] += 1
    server, _ = wire
    server.respond, book.url = book, server.url
    expected = book.numbers
    got: list[str] = []
    failed: list[errors.BridgeError] = []
    position: Any = None
    ended = False
    for count in [*stops, 1000]:
        more, errors_, position, ended = walked(server.url, count, position, awaited=awaited)
        got += more
        failed += errors_
        if ended:
            break
    TALLY["items"] += len(got)
    for error in failed:
        TALLY[type(error).__name__] += 1
    promised = book.promised
    if book.astray is None:
        assert got == expected
        assert ended or max(promised) > len(expected)
        assert ended or isinstance(failed[-1], errors.IncompleteError)
    else:
        # Without a total, nobody notices a link that skips a page. The first page has a second URL, so a link back to it
        # is noticed only when it is followed once more.
        assert len({*got}) == len(got) or (book.linked and not ended)
        assert ended or isinstance(failed[-1], errors.PagingError)
        assert not ended or not promised or max(promised) <= len(got)


@pytest.mark.parametrize("total", [4, 5])
def test_a_page_that_repeats_the_previous_one_is_rejected_even_as_the_last(total: int) -> None:
    with KeepAlive(lambda _: http_response(json.dumps(page(1, 2, total=total)).encode())) as server:
        got, failed, _, ended = walked(server.url, 9, None, awaited=False)
    assert (got, ended) == (["1", "2"], False)
    assert {str(error) for error in failed} == {
        "get_account_invoices: a page has items of an earlier page: the bridge repeats pages, or the list changed while it was read. Start from the beginning."
    }


@pytest.mark.parametrize("status", [200, 503])
def test_a_position_does_not_change_while_nothing_is_read(status: int) -> None:
    with KeepAlive(lambda _: http_response(json.dumps(page(1, 2, 3)).encode())) as server:
        _, _, position, _ = walked(server.url, 2, None, awaited=False)
        server.respond = lambda _: http_response(b"{}", status)
        assert walked(server.url, 1, position, awaited=False)[2] == position
        assert walked(server.url, 0, position, awaited=True)[2] == position
        server.respond = lambda _: http_response(json.dumps(page(1, 2, 3)).encode())
        assert walked(server.url, 9, position, awaited=True)[0] == ["3"]


# The same for schemas that our contract does not have.


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the contract with every kind of schema."""
    return made(merged("things", "shapes", "kinds", "names"), tmp_path_factory.mktemp("grown"))


def test_bodies_of_every_kind_of_schema_come_back_unchanged(grown: Path) -> None:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(grown), str(ROOT / "overrides"), str(ROOT / "extras"), str(ROOT)])
    }
    command = [sys.executable, "-W", "error", "-m", "tests.agreement", "5"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    counts = json.loads(result.stdout)
    TALLY["examples"] += counts["examples"]
    assert {"Kinds", "Counted", "Dated", "Whole", "Thing", "Any", "Findings", "InvoiceDetails"} <= {*counts["schemas"]}
    assert counts["examples"] >= EXAMPLES * 5 // 1000 * len(counts["schemas"]) / 2


# Lists that change while they are read.


@examples(100, at_least=2000)
@given(
    st.permutations(range(9)), st.sets(st.integers(0, 9)), st.integers(0, 3), st.integers(2, 4),
    st.booleans(), st.sampled_from(["links", "numbers"]), st.booleans(),
)  # fmt: skip
def test_a_list_that_shifts_between_pages_loses_nothing_silently(
    later: list[int], places: set[int], after: int, size: int, with_total: bool, by: str, deletes: bool
) -> None:
    """After the page `after`, the list is in another order, and has more or fewer items.

    All that were there throughout come, once, or there is an error. Without a total, nothing shows a deletion.
    """
    TALLY["examples"] += 1
    first = [str(number) for number in range(9)]
    changed = [str(number) for number in later]
    deleted = {str(place) for place in places} if deletes and with_total else set()
    for place in [] if deleted else places:
        changed.insert(place, f"new-{place}")
    changed = [item for item in changed if item not in deleted]
    served: list[int] = []

    def handle(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("page", 1))
        items = first if len(served) <= after else changed
        served.append(number)
        shown = items[(number - 1) * size : number * size]
        body: dict[str, Any] = {"_embedded": {"invoices": [{"invoice_number": item} for item in shown]}}
        if with_total:
            body["total"] = len(items)
        if by == "links" and number * size < len(items):
            body["_links"] = {"next": {"href": f"?page={number + 1}"}}
        return httpx.Response(200, json=body)

    options: Any = {"transport": httpx.MockTransport(handle), "on_deviation": lambda _: None}
    with BridgeClient("https://bridge.example", **options) as bridge:
        try:
            found = [str(invoice.invoice_number) for invoice in bridge.billing.iter_account_invoices("1")]
        except errors.PagingError:
            return
    assert len(found) == len({*found})
    assert {*first} - deleted <= {*found}


# Contracts.


@examples(5)
@given(contracts())
def test_validate_and_generate_accept_the_same_contracts(data: dict[str, Any]) -> None:
    """Each drawn contract is valid OpenAPI: it is generated, or a finding names the part that the generator lacks."""
    TALLY["contracts"] += 1
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        redirect_stderr(io.StringIO()),
    ):
        patch.setattr(documented, "FRAGMENTS", Path(folder, "none"))
        file = Path(folder, "openapi.yaml")
        file.write_text(yaml.safe_dump(data, sort_keys=False, width=1000), encoding="utf-8")
        with redirect_stdout(io.StringIO()) as validated:
            status = validate([str(file)])
        with redirect_stdout(io.StringIO()) as generated:
            assert generate([str(file)], Path(folder, "generated")) == status
    findings = re.findall(r"yaml:(\d+):\d+: (.+) \[([a-z-]+)\]", validated.getvalue())
    if status == 0:
        TALLY["contracts generated"] += 1
        return
    assert validated.getvalue() == generated.getvalue()
    assert findings, validated.getvalue()
    for line, message, rule in findings:
        assert int(line) > 1, message
        assert rule in ("generator", "roundtrip"), message
        assert "cannot be verified" not in message

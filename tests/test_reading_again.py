"""Lists that change while they are read: read again by `each`, by `pages(restart=...)` and by the command."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, Deviation, _items, _paging, _progress, errors
from talkdesk_bridge._run import run as run_now
from talkdesk_bridge.models import InvoiceDetails
from talkdesk_bridge_tables import read as read_tables

from tests.command import run
from tests.conftest import Scripted, Server, as_json, page

LIST = [1, 2, 3, 4, 5, 6]
SWAPPED = [1, 4, 3, 2, 5, 6]
"""The first item of the second page of three goes to the first page: it comes twice, and another item is missing."""
REPEATED = [1, 2, 2, 4, 4, 6]
"""Of three pages, the second and the third begin with the last item of the page before."""


def serve(server: Server, *lists: list[int], size: int = 2, total: bool = True) -> None:
    """Serve the pages of these lists in turn, one list for each request; then always the last one."""
    left = list(lists)

    def script(_: str, target: str) -> Scripted:
        items = left.pop(0) if len(left) > 1 else left[0]
        number = int(match[1]) if (match := re.search(r"\bpage=(\d+)", target)) else 1
        following = f"?page={number + 1}" if number * size < len(items) else None
        shown = items[(number - 1) * size : number * size]
        return as_json(page(*shown, total=len(items) if total else None, following=following))

    server.script = script


def without_links(response: Scripted) -> Scripted:
    body = json.loads(response[2])
    body.pop("_links", None)
    return as_json(body)


class Reading(NamedTuple):
    numbers: list[str]
    error: str
    deviations: str


Reader = Callable[[Server], Reading]


def _each(server: Server) -> Reading:
    seen: list[Deviation] = []
    with BridgeClient(server.url, on_deviation=seen.append) as bridge:
        ((_, result),) = bridge.each(bridge.billing.iter_account_invoices, ["1"])
    return _reading(result, seen)


def _each_async(server: Server) -> Reading:
    seen: list[Deviation] = []

    async def read() -> Any:
        async with AsyncBridgeClient(server.url, on_deviation=seen.append) as bridge:
            return [result async for _, result in bridge.each(bridge.billing.iter_account_invoices, ["1"])]

    return _reading(asyncio.run(read())[0], seen)


def _tables(server: Server) -> Reading:
    seen: list[Deviation] = []
    try:
        table = read_tables(["1"], make=lambda: BridgeClient(server.url, on_deviation=seen.append)).read_all()
    except errors.BridgeError as error:
        return _reading(error, seen)
    return _reading([InvoiceDetails(**row) for row in table.select(["invoice_number"]).to_pylist()], seen)


def _reading(result: Any, seen: list[Deviation]) -> Reading:
    deviations = "".join(f"{one.place}: {one.seen} ({one.count})" for one in seen)
    if isinstance(result, errors.BridgeError):
        return Reading([], str(result), deviations)
    return Reading([one.invoice_number for one in result], "", deviations)


@pytest.fixture(params=["each", "each async", "tables", "command", "accounts file"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Reader:
    """Reads the list of account 1 in five ways."""
    arguments = ["1"]
    if request.param == "accounts file":
        (tmp_path / "accounts").write_text("1\n")
        arguments = ["--accounts-file", str(tmp_path / "accounts")]

    def command(server: Server) -> Reading:
        done = run("invoices", *arguments, "--format", "jsonl", URL=server.url)
        rows = [json.loads(line)["invoice_number"] for line in done.stdout.splitlines()]
        return Reading(rows, done.stderr if done.returncode else "", done.stderr)

    readers = {"each": _each, "each async": _each_async, "tables": _tables}
    return readers.get(request.param, command)


def numbers(items: list[int]) -> list[str]:
    return [str(item) for item in items]


def test_a_list_that_changed_once_is_read_again(server: Server, read: Reader) -> None:
    serve(server, LIST, SWAPPED)
    assert read(server)[:2] == (numbers(SWAPPED), "")
    assert len(server.seen) == 6


def test_a_list_from_which_an_item_was_deleted_is_read_again(server: Server, read: Reader) -> None:
    serve(server, LIST, LIST[1:])
    assert read(server)[:2] == (numbers(LIST[1:]), "")


def test_a_list_whose_total_shrank_and_grew_is_read_again(server: Server, read: Reader) -> None:
    """The first item was deleted before page 2, and another one added before page 3."""
    serve(server, LIST, LIST[1:], [*LIST[1:], 7])
    assert read(server)[:2] == (numbers([*LIST[1:], 7]), "")


def test_a_first_page_that_changed_before_pages_are_counted(server: Server, read: Reader) -> None:
    serve(server, LIST, [0, *LIST], total=False)
    before = server.script
    server.script = lambda method, target: without_links(before(method, target))
    assert read(server)[:2] == (numbers([0, *LIST]), "")


def test_a_list_whose_last_page_is_gone_is_read_again(server: Server, read: Reader) -> None:
    serve(server, LIST, LIST)
    before = server.script
    gone = iter([False, False, True])
    server.script = lambda method, target: as_json({}, 404) if next(gone, False) else before(method, target)
    assert read(server)[:2] == (numbers(LIST), "")


@pytest.mark.parametrize("status", [404, 410])
def test_a_later_page_that_is_missing_each_time(server: Server, tmp_path: Path, *, status: int) -> None:
    """The command never says that there is no such account."""
    serve(server, LIST)
    before = server.script
    server.script = lambda method, target: as_json({}, status) if "page=3" in target else before(method, target)
    (tmp_path / "accounts").write_text("1\n")
    file = ["--accounts-file", str(tmp_path / "accounts"), "--format", "jsonl"]
    for arguments in (["invoices", "1"], ["invoices", *file], ["get", "get_account_invoices", "1", "--all"]):
        done = run(*arguments, URL=server.url)
        assert (done.returncode, done.stdout) == (7, "")
        assert f"page 3 of the list does not exist ({status})" in done.stderr


def test_a_list_that_never_stays_the_same_is_read_three_times(server: Server, read: Reader) -> None:
    serve(server, *[LIST, SWAPPED, SWAPPED, LIST, [1, 3, 2, 4, 5, 6], LIST] * 5)
    found = read(server)
    assert found.numbers == []
    assert "page 2 has an item of page 1, by its invoice_number: the list changed" in found.error
    assert len(server.seen) == 9


@pytest.mark.parametrize("total", [True, False])
def test_numbers_that_a_bridge_repeats_each_time_are_its_own(server: Server, read: Reader, *, total: bool) -> None:
    """On several pages: the second reading is enough."""
    serve(server, REPEATED, total=total)
    found = read(server)
    assert found[:2] == (numbers(REPEATED), "")
    assert len(server.seen) == 6
    assert "$._embedded.invoices[*].invoice_number" in found.deviations
    assert "value of an earlier page (2" in found.deviations


@pytest.mark.parametrize("items", [[1, 2, 1, 2, 5, 6], [1, 2, 2, 1, 5, 6]])
def test_a_page_that_a_bridge_repeats_each_time_is_an_error(server: Server, read: Reader, items: list[int]) -> None:
    """Also in another order."""
    serve(server, items)
    found = read(server)
    assert found.numbers == []
    assert "a page has items of an earlier page" in found.error


def test_a_bridge_with_a_wrong_total_is_not_asked_again(server: Server, read: Reader) -> None:
    server.respond_with(page(1, 2, total=3, following="?page=2"), page(total=3))
    assert "ended after 2 of 3 items" in read(server).error
    assert len(server.seen) == 2


def test_with_on_repeat_nothing_is_read_again(server: Server) -> None:
    serve(server, REPEATED)
    with BridgeClient(server.url, on_repeat="deviation", on_deviation=lambda _: None) as bridge:
        ((_, result),) = bridge.each(bridge.billing.iter_account_invoices, ["1"])
        assert not isinstance(result, errors.BridgeError)
        assert len(result) == len(REPEATED)
        assert len(server.seen) == 3
        serve(server, [1, 2, 2, 1, 5, 6])
        ((_, result),) = bridge.each(bridge.billing.iter_account_invoices, ["1"])
        assert "a page has items of an earlier page" in str(result)


def test_strict_rejects_what_the_bridge_repeats(server: Server) -> None:
    serve(server, REPEATED)
    with BridgeClient(server.url, strict=True) as bridge:
        ((_, result),) = bridge.each(bridge.billing.iter_account_invoices, ["1"])
    assert isinstance(result, errors.ContractError)
    assert len(server.seen) == 6


def test_a_last_page_of_one_item_may_repeat_a_number(server: Server, read: Reader) -> None:
    serve(server, [1, 2, 3, 4, 2])
    found = read(server)
    assert found[:2] == (numbers([1, 2, 3, 4, 2]), "")
    with BridgeClient(server.url, on_repeat="deviation", on_deviation=lambda _: None) as bridge:
        assert len([*bridge.billing.iter_account_invoices("1")]) == 5
        serve(server, [1, 1, 1], size=1)
        with pytest.raises(errors.PagingError, match="a page has items of an earlier page"):
            list(bridge.billing.iter_account_invoices("1"))


def test_limits_hold_for_each_reading(server: Server) -> None:
    serve(server, LIST, SWAPPED)
    with BridgeClient(server.url) as bridge:
        ((_, found),) = bridge.each(lambda account: bridge.billing.iter_account_invoices(account, max_items=5), ["1"])
    assert not isinstance(found, errors.BridgeError)
    assert [one.invoice_number for one in found] == numbers(SWAPPED[:5])


def test_an_iterator_that_was_used_before_is_not_read_again(server: Server) -> None:
    def used(account: str) -> Any:
        invoices = bridge.billing.iter_account_invoices(account)
        next(invoices)
        return invoices

    serve(server, LIST, SWAPPED)
    with BridgeClient(server.url) as bridge:
        ((_, result),) = bridge.each(used, ["1"])
        assert isinstance(result, errors.PagingError)
        assert result.changed
        serve(server, LIST)
        ((_, result),) = bridge.each(used, ["1"])
    assert [one.invoice_number for one in result] == numbers(LIST[1:])


def test_an_iterator_whose_pages_were_read_before_is_not_read_again(server: Server) -> None:
    """`restart` of one loop discards nothing that another one got."""
    pages: list[Any] = []

    def used(account: str) -> Any:
        invoices = bridge.billing.iter_account_invoices(account)
        pages.append(next(invoices.pages(restart=pages.clear)))
        return invoices

    with BridgeClient(server.url) as bridge:
        serve(server, LIST, SWAPPED)
        ((_, result),) = bridge.each(used, ["1"])
        assert isinstance(result, errors.PagingError)
        serve(server, LIST, SWAPPED)
        with pytest.raises(errors.PagingError):
            list(used("1"))
    assert len(pages) == 2


def test_no_position_while_a_list_may_have_changed(server: Server) -> None:
    """Continuing from there would not notice it, because a position holds no identities."""
    serve(server, SWAPPED, LIST)
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        pages = invoices.pages(restart=lambda: None)
        for _ in range(2):
            next(pages)
        with pytest.raises(errors.PagingError, match="page 2 has an item of page 1"):
            _ = invoices.position
        assert len([*pages]) == 4
        assert invoices.position["received"] == 6


def test_an_asynchronous_restart_is_awaited(server: Server) -> None:
    found: list[Any] = []

    async def restart() -> None:
        await asyncio.sleep(0)
        found.clear()

    async def read() -> None:
        async with AsyncBridgeClient(server.url) as bridge:
            async for body in bridge.billing.iter_account_invoices("1").pages(restart=restart):
                found.append(body)

    serve(server, LIST, SWAPPED)
    asyncio.run(read())
    assert len(found) == 3


@pytest.mark.parametrize("whole", [False, True])
def test_a_page_that_another_thread_fetched_is_not_passed_over(server: Server, *, whole: bool) -> None:
    """The second thread found the page before at its end just before the first one fetched this page."""
    serve(server, LIST)
    with BridgeClient(server.url) as bridge:
        invoices: Any = bridge.billing.iter_account_invoices("1")
        for _ in range(2):
            assert run_now(invoices._next_page(whole=whole))
        assert len([*(invoices.pages() if whole else invoices)]) == (3 if whole else 6)
    assert len(server.seen) == 3


def test_pages_with_restart(server: Server) -> None:
    found: list[Any] = []
    with BridgeClient(server.url) as bridge:
        serve(server, LIST, SWAPPED)
        with pytest.raises(errors.PagingError) as caught:
            list(bridge.billing.iter_account_invoices("1").pages())
        assert caught.value.changed
        serve(server, LIST, SWAPPED)
        for body in bridge.billing.iter_account_invoices("1").pages(restart=found.clear):
            found += [one.invoice_number for one in body.embedded.invoices or []] if body.embedded else []
        assert found == numbers(SWAPPED)
        # What came before `start` cannot be discarded.
        serve(server, LIST, LIST, SWAPPED)
        some = bridge.billing.iter_account_invoices("1", max_items=1)
        position = next(some.position for _ in some)
        with pytest.raises(errors.PagingError):
            list(bridge.billing.iter_account_invoices("1", start=position).pages(restart=found.clear))
    assert found == numbers(SWAPPED)


def test_a_restart_that_raises_is_called_again(server: Server) -> None:
    found: list[Any] = []
    faults = [KeyError("of the caller")]

    def restart() -> None:
        if faults:
            raise faults.pop()
        found.clear()

    serve(server, LIST, SWAPPED)
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        pages = invoices.pages(restart=restart)
        with pytest.raises(KeyError, match="of the caller"):
            found.extend(pages)
        found.extend(pages)
    assert len(found) == 3


# Exceptions between two lines, such as KeyboardInterrupt from a signal.

FILES = {module.__file__ for module in (_items, _paging, _progress)}


class _Interrupt(BaseException):
    pass


def _interrupted_after(lines: int, iterator: Iterator[Any], found: list[Any]) -> bool:
    """Iterate to the end, with an exception before one line of the iterator; whether there was one."""
    left = [lines]

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename not in FILES:
            return None if frame.f_code.co_filename != __file__ else trace
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                raise _Interrupt
        return trace

    try:
        sys.settrace(trace)
        for item in iterator:
            found.append(item)  # an item that arrived is kept
    except _Interrupt:
        sys.settrace(None)
        for item in iterator:
            found.append(item)
        return True
    finally:
        sys.settrace(None)
    return False


@pytest.mark.parametrize("kind", ["items", "pages", "read again"])
def test_an_exception_between_any_two_lines_loses_nothing(kind: str) -> None:
    """For a caller who goes on with the same iterator."""
    import httpx

    total, repeats = 5, kind == "read again"
    lines, interrupted = 0, True
    while interrupted:
        lines += 1
        asked = 0

        def handle(request: httpx.Request) -> httpx.Response:
            nonlocal asked
            asked += 1
            number = int(request.url.params.get("page", 1))
            items = SWAPPED[:total] if repeats and asked == 2 else LIST[:total]
            shown = items[number * 2 - 2 : number * 2]
            return httpx.Response(
                200, json=page(*shown, total=total, following=f"?page={number + 1}" if number < 3 else None)
            )

        found: list[Any] = []
        options: Any = {"transport": httpx.MockTransport(handle), "on_deviation": lambda _: None}
        with BridgeClient("https://bridge.example", **options) as bridge:
            invoices = bridge.billing.iter_account_invoices("1")
            iterator = invoices if kind == "items" else invoices.pages(restart=found.clear if repeats else None)
            interrupted = _interrupted_after(lines, iterator, found)
            if kind == "items":
                got = [one.invoice_number for one in found]
            else:
                got = [one.invoice_number for body in found for one in body.embedded.invoices]
            assert got == numbers(LIST[:total]), f"interrupted before line {lines}"
            assert list(iterator) == []
    assert lines > 100

"""Paging against a scripted server: where lists end, invalid links, missing and repeated items, positions."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from typing import Any, ClassVar

import pytest
from attrs import evolve
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, Deviation, HeaderAuth, errors
from talkdesk_bridge_api.api.billing import _GET_ACCOUNT_INVOICES as LISTED
from talkdesk_bridge_api.reading import anything
from talkdesk_bridge_api.types import Body, ListOperation, ListShape

from tests.conftest import ONCE, Listing, Scripted, Server, as_json, invoices_of, page

KEY = HeaderAuth("s3cret", name="X-API-Key")


def targets(server: Server) -> list[str]:
    return [target for _, target, _, _ in server.seen]


def test_links_absolute_relative_and_query_only(server: Server, listing: Listing) -> None:
    path = invoices_of("1")
    server.respond_with(
        page(1, following=f"{server.url}{path}?c=2"),
        page(2, following=f"{path}?c=3"),
        page(3, following="?c=4"),
        page(4),
    )
    assert [invoice.invoice_number for invoice in listing(server.url, KEY)] == ["1", "2", "3", "4"]
    assert targets(server) == [path, f"{path}?c=2", f"{path}?c=3", f"{path}?c=4"]
    assert all(headers["X-API-Key"] == "s3cret" for _, _, headers, _ in server.seen)


def test_page_numbers_without_links(server: Server, listing: Listing) -> None:
    server.respond_with(page(1, 2, total=5), page(3, 4, total=5), page(5, total=5))
    assert len(listing(server.url, KEY, per_page=2)) == 5
    query = [target.partition("?")[2] for target in targets(server)]
    assert query == ["per_page=2", "page=2&per_page=2", "page=3&per_page=2"]


@pytest.mark.parametrize("body", [page(1, 2), page(1, 2, total=2), page(1, 2, total=1), page(total=0), {"total": 0}])
def test_one_page(server: Server, listing: Listing, body: object) -> None:
    server.respond_with(body)
    listing(server.url, KEY)
    assert len(server.seen) == 1


@pytest.mark.parametrize("link", [None, {}, {"next": None}, {"self": {"href": "?"}}])
def test_no_next_link(server: Server, listing: Listing, link: object) -> None:
    server.respond_with({**page(1), "_links": link})
    assert len(listing(server.url, KEY)) == 1


def test_a_link_to_another_origin_gets_no_request(server: Server, elsewhere: Server, listing: Listing) -> None:
    server.respond_with(page(1, following=f"{elsewhere.url}/x?c=2"))
    with pytest.raises(errors.PagingError, match="leads to another host, scheme or port"):
        listing(server.url, KEY)
    server.respond_with(page(1, following=f"{elsewhere.url}{invoices_of('1')}?c=2"), page(2))
    assert len(listing(server.url, KEY)) == 2
    assert elsewhere.seen == []


def test_a_link_to_another_scheme_gets_no_request(server: Server, listing: Listing) -> None:
    server.respond_with(page(1, following=f"{server.url.replace('http:', 'https:')}/x"))
    with pytest.raises(errors.PagingError, match="leads to another host, scheme or port"):
        listing(server.url, KEY)


@pytest.mark.parametrize(
    "href",
    [
        "http://bridge.example/x",
        "https://127.0.0.1/x",
        "//bridge.example/x",
        "http://user:pw@127.0.0.1/x",
        "ftp://127.0.0.1/x",
        "http://[",
        "http://127.0.0.1:99999/x",
        "/x{?page}",
        5,
        "http://127.0.0.1/\x00",
    ],
)
def test_an_invalid_link(server: Server, listing: Listing, href: object) -> None:
    server.respond_with({**page(1), "_links": {"next": {"href": href}}})
    with pytest.raises(errors.PagingError):
        listing(server.url, KEY)
    assert len(server.seen) == 1


def test_a_link_that_leads_in_a_circle(server: Server, listing: Listing) -> None:
    server.respond_with(page(1, following="?c=2"), page(2, following="?c=3"), page(3, following="?c=2"))
    with pytest.raises(errors.PagingError, match="leads back"):
        listing(server.url, KEY)
    assert len(server.seen) == 3


def test_an_endless_chain_of_empty_pages(server: Server, listing: Listing) -> None:
    count = iter(range(1000))
    server.script = lambda method, target: as_json(page(following=f"?c={next(count)}"))
    with pytest.raises(errors.PagingError, match="11 empty pages in a row") as caught:
        listing(server.url, KEY)
    assert caught.value.page == 11
    assert len(server.seen) == 11


def test_an_empty_page_before_a_full_one(server: Server, listing: Listing) -> None:
    server.respond_with(page(following="?c=2"), page(1))
    assert len(listing(server.url, KEY)) == 1


def test_ten_empty_pages_in_a_row_are_allowed_any_number_of_times(server: Server, listing: Listing) -> None:
    numbers = [(1,), *[()] * 10, (2,), *[()] * 10]
    pages = [page(*some, following=f"?c={count}") for count, some in enumerate(numbers)]
    server.respond_with(*pages, page(3))
    assert [invoice.invoice_number for invoice in listing(server.url, KEY)] == ["1", "2", "3"]


def test_an_empty_page_does_not_count_as_an_item(server: Server, listing: Listing) -> None:
    server.respond_with(page(following="?c=2"), page(1, 2))
    assert len(listing(server.url, max_items=2)) == 2


def test_a_server_that_ignores_page_numbers(server: Server, listing: Listing) -> None:
    server.respond_with(page(1, 2, total=5))
    with pytest.raises(errors.PagingError) as caught:
        listing(server.url, KEY)
    message = "a page has items of an earlier page: the bridge repeats pages, or the list changed while it was read. Start from the beginning."
    assert str(caught.value) == f"get_account_invoices: {message}"
    assert len(server.seen) == 2


def test_an_item_of_any_earlier_page_shows_that_the_list_changed(server: Server, listing: Listing) -> None:
    pages = (page(1, 2, following="?c=2"), page(3, following="?c=3"), page(4, 1, total=None))
    server.respond_with(*pages)
    with pytest.raises(errors.PagingError, match=r"page 3 has an item of page 1, by its invoice_number") as caught:
        listing(server.url, KEY)
    assert caught.value.page == 3
    server.respond_with(*pages)
    seen: list[Deviation] = []
    options = {"on_repeat": "deviation", "on_deviation": seen.append}
    assert [one.invoice_number for one in listing(server.url, KEY, options=options)] == ["1", "2", "3", "4", "1"]
    assert [(one.place, one.seen, one.count) for one in seen] == [
        ("$._embedded.invoices[*].invoice_number", "value of an earlier page", 1)
    ]


@pytest.mark.parametrize("empty", [None, "", " ", "\u00a0 "])
def test_missing_and_empty_identities_are_not_compared(server: Server, listing: Listing, empty: str | None) -> None:
    pages = []
    for index, number in enumerate((empty, empty, "7")):
        items = [{"invoice_number": number, "status": f"{index}{place}"} for place in range(2)]
        link = {"_links": {"next": {"href": f"?c={index}"}}} if index < 2 else {}
        pages.append({"_embedded": {"invoices": [*items, {"status": f"x{index}"}]}, **link})
    server.respond_with(*pages)
    assert len(listing(server.url, KEY, options={"on_deviation": lambda _: None})) == 9


def test_links_that_repeat_the_same_pages(server: Server) -> None:
    count = iter(range(1000))
    pages = [[1, 2], [3, 4]]

    def script(method: str, target: str) -> Scripted:
        number = next(count)
        return as_json(page(*pages[number % 2], following=f"?c={number + 2}"))

    server.script = script
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        assert [next(invoices).invoice_number for _ in range(4)] == ["1", "2", "3", "4"]
        with pytest.raises(errors.PagingError, match="a page has items"):
            next(invoices)
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    "responses", [[page(1, 2, total=5), page(total=5)], [page(1, total=5, following="?c"), page(2, total=5)]]
)
def test_fewer_items_than_announced(server: Server, listing: Listing, responses: list[object]) -> None:
    server.respond_with(*responses)
    with pytest.raises(
        errors.IncompleteError, match=r"^get_account_invoices: the pages ended after 2 of 5 items\.$"
    ) as caught:
        listing(server.url, KEY)
    assert (caught.value.received, caught.value.expected) == (2, 5)


@pytest.mark.parametrize("total", [5, "5", 5.0])
def test_a_total_may_be_text_or_a_float(server: Server, listing: Listing, total: object) -> None:
    server.respond_with({**page(1, 2, 3), "total": total}, {**page(4, 5), "total": total})
    assert len(listing(server.url, KEY)) == 5


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([page(1, total=5), page(2, total=6), page(3, total=6), page(total=6)], "3 of 6"),
        ([page(1, 2, total=4, following="?c=2"), page(4, total=3)], "3 of 4"),
        ([page(1, 2, total=3, following="?c=2"), page(3, total=4)], "3 of 4"),
    ],
)  # fmt: skip
def test_a_total_that_changes_does_not_excuse_missing_items(
    server: Server, listing: Listing, pages: list[object], expected: str
) -> None:
    server.respond_with(*pages)
    with pytest.raises(errors.IncompleteError, match=f"ended after {expected} items"):
        listing(server.url, KEY)


@pytest.mark.parametrize(
    "pages",
    [
        [page(1, 2, total=5), page(2, 3, total=5)],  # an item was inserted before them
        [page(1, 2, total=5, following="?c=2"), page(2, 3, total=5)],
        [page(1, 2, total=4), page(1, 2, total=4)],
        [page(1, 2, total=6), page(2, 1, total=6)],
        [page(1, total=4), page(2, total=4), page(1, total=4)],
    ],
)  # fmt: skip
def test_repeated_items_are_not_returned_again(server: Server, pages: list[object]) -> None:
    server.respond_with(*pages)
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        first = [next(invoices).invoice_number for _ in range(2)]
        assert len({*first}) == 2
        for _ in range(2):
            with pytest.raises(errors.PagingError, match="the list changed"):
                next(invoices)


def test_a_list_that_changed_before_resuming_is_rejected(server: Server) -> None:
    for read, changed in ((1, page(0, 1, 2, total=5)), (2, page(2, 3, total=5)), (1, page(total=5))):
        server.respond_with(page(1, 2, total=5))
        with BridgeClient(server.url) as bridge:
            invoices = bridge.billing.iter_account_invoices("1")
            for _ in range(read):
                next(invoices)
            server.respond_with(changed)
            rest = bridge.billing.iter_account_invoices("1", start=invoices.position)
            with pytest.raises(errors.PagingError, match="the list changed"):
                next(rest)


def test_repeated_items_are_found_even_if_the_rest_of_the_body_differs(server: Server, listing: Listing) -> None:
    times = iter(range(100))
    server.script = lambda method, target: as_json({**page(1, 2, total=6), "time": next(times)})
    with pytest.raises(errors.PagingError, match="a page has items"):
        listing(server.url, KEY)


@pytest.mark.parametrize(
    "links",
    [
        [{"rel": "next", "href": "?c=2"}],
        "?c=2",
        {"next": 5},
        {"next": {"href": [1]}},
        {"next": [{"href": "?c=2"}] * 2},
        {"next": {"href": "?c=2{&d}"}},
        {"next": {"href": "?c=2", "templated": True}},
    ],
)
def test_malformed_links_are_not_treated_as_missing(server: Server, listing: Listing, links: object) -> None:
    server.respond_with({**page(1), "_links": links})
    with pytest.raises(errors.PagingError, match="link") as caught:
        listing(server.url, KEY)
    assert (caught.value.page, caught.value.requested) == (1, f"{server.url}{invoices_of('1')}")


def test_a_link_marked_as_a_template_is_not_followed(server: Server, listing: Listing) -> None:
    for templated, requests in ((True, 1), (False, 2), (None, 2)):
        server.seen.clear()
        server.respond_with({**page(1), "_links": {"next": {"href": "?c=2", "templated": templated}}}, page(2))
        if templated:
            with pytest.raises(errors.PagingError, match=r"^get_account_invoices: the next link is a template"):
                listing(server.url, KEY)
        else:
            assert len(listing(server.url, KEY)) == 2
        assert len(server.seen) == requests


def test_continuing_after_an_error_skips_nothing(server: Server) -> None:
    server.respond_with(
        page(1, following="?c=2"), as_json({}, 503), as_json({}, 503), page(2, following="?c=3"), page(3)
    )
    with BridgeClient(server.url, auth=KEY, **ONCE) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        assert next(invoices).invoice_number == "1"
        for _ in range(2):
            with pytest.raises(errors.StatusError, match="503"):
                next(invoices)
        assert [invoice.invoice_number for invoice in invoices] == ["2", "3"]

        server.respond_with(page(1, following="?c=2"), as_json({}, 503), page(2))
        bodies = bridge.billing.iter_account_invoices("1").pages()
        next(bodies)
        with pytest.raises(errors.StatusError, match="503"):
            next(bodies)
        assert len(list(bodies)) == 1


def test_continuing_after_an_error_counts_no_page_twice(server: Server) -> None:
    server.respond_with(page(1, total=3), as_json({}, 503), page(2, total=3), page(3, total=3))
    with BridgeClient(server.url, auth=KEY, **ONCE) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        next(invoices)
        with pytest.raises(errors.StatusError, match="503"):
            next(invoices)
        assert [invoice.invoice_number for invoice in invoices] == ["2", "3"]
    assert [target.partition("?")[2] for target in targets(server)] == ["", "page=2", "page=2", "page=3"]


def test_continuing_after_an_error_skips_nothing_async(server: Server) -> None:
    async def run() -> list[str | None]:
        async with AsyncBridgeClient(server.url, auth=KEY, **ONCE) as bridge:
            bodies = bridge.billing.iter_account_invoices("1").pages()
            await anext(bodies)
            with pytest.raises(errors.StatusError, match="503"):
                await anext(bodies)
            return [body.embedded.invoices[0].invoice_number async for body in bodies if body.embedded.invoices]  # type: ignore[union-attr] # set below

    server.respond_with(page(1, following="?c=2"), as_json({}, 503), page(2))
    assert asyncio.run(run()) == ["2"]


def test_an_invalid_link_raises_again_on_the_next_call(server: Server) -> None:
    server.respond_with(page(1, following="https://elsewhere.example/"))
    with BridgeClient(server.url, auth=KEY) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        next(invoices)
        for _ in range(2):
            with pytest.raises(errors.PagingError, match="another host"):
                next(invoices)


def test_a_list_cut_by_the_callers_limit_is_not_incomplete(server: Server, listing: Listing) -> None:
    server.respond_with(page(1, 2, total=5), page(3, 4, total=5))
    assert len(listing(server.url, KEY, max_pages=2)) == 4


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"errorCode": "X", "userMessage": "no"},
        {"total": 3},
        {"_embedded": {}},
        {"_embedded": {}, "errorCode": "X"},
        {"_embedded": {"invoice": [{"invoice_number": "1"}]}},
        {"_embedded": {"invoices": [{"invoice_number": "1"}]}, "total": "many"},
        {"_embedded": {"invoices": [{"invoice_number": "1"}]}, "total": 1.5},
        {"_embedded": {"invoices": [{"invoice_number": "1"}]}, "total": True},
        {"_embedded": []},
        {"_embedded": "text", "total": 0},
        {"_embedded": {"invoices": {}}},
        {"_embedded": {"invoices": "12"}},
        {"_embedded": {"invoices": [None]}},
        {"_embedded": {"invoices": ["text"]}},
        {"_embedded": {"invoices": [{"invoice_items_details": 5}]}},
        {"_embedded": {"invoices": [{"invoice_bill_date": {}}]}},
        [None],
        {"status": "error", "errorCode": "X"},
        {"invoice_number": "1", "total": 1},
        {"invoice_number": "1", "_links": {}},
        "text",
        5,
    ],
)
def test_a_body_that_is_not_a_page_is_never_read_as_an_empty_one(
    server: Server, listing: Listing, body: object
) -> None:
    server.respond_with(as_json(body))
    with pytest.raises(errors.ContractError, match=f"GET {invoices_of('1')} returned 200"):
        listing(server.url, KEY)


@pytest.mark.parametrize("invoices", [None, []])
def test_null_in_optional_places(server: Server, listing: Listing, invoices: object) -> None:
    server.respond_with({"_embedded": {"invoices": invoices}, "total": None, "_links": None})
    assert listing(server.url, KEY) == []
    nothing = {"amount": None, "invoice_due_date": None, "invoice_items_details": None}
    server.respond_with({"_embedded": {"invoices": [nothing]}})
    (invoice,) = listing(server.url, KEY)
    assert (invoice.amount, invoice.invoice_due_date, invoice.invoice_items_details) == (None, None, None)


THREE = [page(1, 2, following="?c=2", total=5), page(3, 4, following="?c=3", total=5), page(5, total=5)]


@pytest.mark.parametrize("pages", [THREE, [page(1, 2, total=5), page(3, 4, total=5), page(5, total=5)]])
@pytest.mark.parametrize("read", range(6))
def test_a_position_resumes_in_another_client(server: Server, pages: list[object], read: int) -> None:
    server.respond_with(*pages)
    with BridgeClient(server.url, auth=KEY) as bridge:
        invoices = bridge.billing.iter_account_invoices("1", per_page=2)
        first = [next(invoices).invoice_number for _ in range(read)]
        stored = json.dumps(invoices.position)
    assert "s3cret" not in stored
    asked = len(server.seen)
    left = [*pages][read // 2 :]  # a page that was begun is requested again, a finished one is not
    server.respond_with(*left or [page()])
    with BridgeClient(server.url, auth=HeaderAuth("renewed")) as bridge:
        rest = bridge.billing.iter_account_invoices("1", per_page=2, start=json.loads(stored))
        assert rest.position == json.loads(stored)
        assert first + [invoice.invoice_number for invoice in rest] == ["1", "2", "3", "4", "5"]
    assert len(server.seen) - asked == (len(left) if read < 5 else 0)


def test_a_position_between_pages(server: Server) -> None:
    server.respond_with(*THREE)
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        next(invoices.pages())
        position = invoices.position
        server.respond_with(*THREE[1:])
        again = bridge.billing.iter_account_invoices("1", start=position)
        assert [body.total for body in again.pages()] == [5, 5]
        assert list(bridge.billing.iter_account_invoices("1", start=again.position)) == []
    assert len(server.seen) == 3


def test_a_position_async(server: Server) -> None:
    async def run() -> list[str | None]:
        async with AsyncBridgeClient(server.url) as bridge:
            invoices = bridge.billing.iter_account_invoices("1")
            first = [(await anext(invoices)).invoice_number for _ in range(3)]
            server.respond_with(*THREE[1:])
            rest = bridge.billing.iter_account_invoices("1", start=invoices.position)
            return first + [invoice.invoice_number async for invoice in rest]

    server.respond_with(*THREE)
    assert asyncio.run(run()) == ["1", "2", "3", "4", "5"]


def test_a_limited_list_can_be_resumed(server: Server) -> None:
    server.respond_with(*THREE)
    with BridgeClient(server.url) as bridge:
        numbers: list[str | None] = []
        position = None
        for _ in range(5):
            server.respond_with(*THREE[len(numbers) // 2 :])
            some = bridge.billing.iter_account_invoices("1", start=position, max_items=1)
            numbers += [invoice.invoice_number for invoice in some]
            position = some.position
        assert numbers == ["1", "2", "3", "4", "5"]
        assert list(bridge.billing.iter_account_invoices("1", start=position)) == []


def test_a_circle_is_also_found_after_resuming(server: Server) -> None:
    server.respond_with(page(1, following="?c=2"), page(2, following="?c=3"))
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        assert [next(invoices).invoice_number, next(invoices).invoice_number] == ["1", "2"]
        server.respond_with(page(3, following="?c=2"))
        rest = bridge.billing.iter_account_invoices("1", start=invoices.position)
        assert next(rest).invoice_number == "3"
        with pytest.raises(errors.PagingError, match="leads back"):
            next(rest)
        assert rest.position["skip"] == 1  # it stays after the last item


def test_missing_items_are_also_counted_after_resuming(server: Server) -> None:
    server.respond_with(page(1, 2, total=5))
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        next(invoices)
        server.respond_with(page(1, 2, total=5), page(3, total=5), page(total=5))
        rest = bridge.billing.iter_account_invoices("1", start=invoices.position)
        assert [next(rest).invoice_number, next(rest).invoice_number] == ["2", "3"]
        with pytest.raises(errors.IncompleteError, match="after 3 of 5 items"):
            next(rest)


def test_a_page_that_shrank_before_resuming_is_rejected(server: Server) -> None:
    server.respond_with(*THREE)
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1", max_items=2)
        next(invoices)
        position = {**invoices.position, "skip": 3}
        server.respond_with(*THREE)
        with pytest.raises(errors.PagingError, match="a page has items of an earlier page"):
            next(bridge.billing.iter_account_invoices("1", start=position))


def of_a_call_with(other: str) -> str:
    return f"^start is the position of a call with {other}: repeat that call to continue it[.]$"


def test_a_position_of_another_call_is_rejected(server: Server, elsewhere: Server) -> None:
    server.respond_with(*THREE)
    with BridgeClient(server.url) as bridge, BridgeClient(elsewhere.url) as other:
        position = bridge.billing.iter_account_invoices("1", per_page=2).position
        bridge.billing.iter_account_invoices("1", per_page=2, start=position)
        with pytest.raises(errors.ArgumentError, match=of_a_call_with("another bridge")):
            other.billing.iter_account_invoices("1", per_page=2, start=position)
        with pytest.raises(errors.ArgumentError, match=of_a_call_with("another operation")):
            bridge.billing.iter_account_invoices("1", per_page=2, start={**position, "operation": "x"})
        for account, per_page in (("2", 2), ("1", None), ("1", 3)):
            with pytest.raises(errors.ArgumentError, match=of_a_call_with("other arguments")):
                bridge.billing.iter_account_invoices(account, per_page=per_page, start=position)
    assert server.seen == elsewhere.seen == []


NO_POSITION = "^start must be the position of an earlier iterator[.]$"


@pytest.mark.parametrize(
    "wrong",
    [{}, {"step": None}, {"step": 1.5}, {"step": True}, {"step": 2}, {"skip": -1}, {"received": "1"}, {"seen": None}, {"seen": 5}, {"total": 1.5}, {"last": None}, {"seen": [5]}, {"marks": None}, {"marks": 1}],
)  # fmt: skip
def test_an_invalid_position_is_rejected(server: Server, wrong: dict[str, object]) -> None:
    with BridgeClient(server.url) as bridge:
        position = bridge.billing.iter_account_invoices("1").position
        start = {**position, **wrong} if wrong and wrong != {"step": None} else wrong
        with pytest.raises(errors.ArgumentError, match=NO_POSITION):
            bridge.billing.iter_account_invoices("1", start=start)
        for other in (5, "text"):
            with pytest.raises(errors.ArgumentError, match=NO_POSITION):
                bridge.billing.iter_account_invoices("1", start=other)  # type: ignore[arg-type] # the mistake under test


@pytest.mark.parametrize("step", ["http://127.0.0.1:1/x", "https://user@bridge.example/", "http://[", "\ud83d"])
def test_a_position_that_leads_elsewhere_gets_no_request(server: Server, step: str) -> None:
    with BridgeClient(server.url, auth=KEY) as bridge:
        position = {**bridge.billing.iter_account_invoices("1").position, "step": step}
        with pytest.raises(errors.ArgumentError, match="start must be the position of an earlier iterator"):
            next(bridge.billing.iter_account_invoices("1", start=position))
    assert server.seen == []


def test_more_items_than_announced_are_a_deviation(server: Server, listing: Listing) -> None:
    deviations: list[Deviation] = []
    server.respond_with(page(1, 2, total=3, following="?c=2"), page(3, 4, total=3))
    assert len(listing(server.url, options={"on_deviation": deviations.append})) == 4
    (one,) = deviations
    assert (one.operation, one.place, one.count) == ("get_account_invoices", "$.total", 1)
    assert (one.documented, one.seen) == ("number of all items", "smaller number")
    server.respond_with(page(1, 2, total=3, following="?c=2"), page(3, 4, total=4))
    listing(server.url, options={"on_deviation": deviations.append})
    assert len(deviations) == 1
    server.respond_with(page(1, 2, total=1))
    with BridgeClient(server.url, strict=True) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        assert [next(invoices).invoice_number, next(invoices).invoice_number] == ["1", "2"]
        with pytest.raises(errors.ContractError, match=r"\$\.total"):
            next(invoices)


@pytest.mark.parametrize("whole_pages", [False, True])
def test_a_hook_that_raises_loses_no_item(server: Server, whole_pages: bool) -> None:
    server.respond_with(page(1, 2, total=3, following="?c=2"), page(3, 4, total=3))
    faults = [KeyError("of the hook")]

    def hook(_: Deviation) -> None:
        if faults:
            raise faults.pop()

    got: list[str | None] = []
    with BridgeClient(server.url, on_deviation=hook) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        bodies = invoices.pages() if whole_pages else None

        def go_on() -> None:
            if bodies:
                got.extend(
                    one.invoice_number for body in bodies for one in (body.embedded and body.embedded.invoices) or []
                )
            else:
                got.extend(one.invoice_number for one in invoices)

        with pytest.raises(KeyError, match="of the hook"):
            go_on()
        go_on()
    assert got == ["1", "2", "3", "4"]


def test_a_body_that_is_not_a_page_is_also_rejected_without_paging(server: Server) -> None:
    server.respond_with({"errorCode": "X", "userMessage": "no"})
    with (
        BridgeClient(server.url) as bridge,
        pytest.raises(errors.ContractError, match="an error that was sent as a success"),
    ):
        bridge.billing.get_account_invoices("1")


class Page:
    FIELDS: ClassVar = {"_embedded": "embedded"}


UNDECLARED = ListOperation[Any, Any](
    operation_id="op", method="GET", path="/x", request=lambda: {"method": "GET", "url": "/x"},
    bodies=(Body(200, 200, "json", anything),), items=lambda body: body["_embedded"]["things"], page=Page, item=Any, shape=ListShape("things", ("_embedded", "things")),
)  # fmt: skip
"""A list whose contract says nothing about `total`."""


@pytest.mark.parametrize(
    ("total", "seen"), [("many", "string"), ("", "string"), (1.5, "number"), (True, "boolean"), ([], "array")]
)  # fmt: skip
def test_an_undeclared_total_also_counts(server: Server, total: object, seen: str) -> None:
    with BridgeClient(server.url) as bridge:

        def read() -> list[object]:
            return list(bridge._caller.paginate(UNDECLARED, {}, start=None, max_pages=None, max_items=None))

        server.respond_with({"_embedded": {"things": [1]}, "total": total})
        with pytest.raises(errors.ContractError) as caught:
            read()
        error = caught.value
        assert str(error) == "op: the total of a page is not an integer."
        assert (error.json_path, error.expected, error.seen) == ("$.total", "integer", seen)
        for readable in (2, "2", 2.0):
            server.respond_with({"_embedded": {"things": [1]}, "total": readable})
            with pytest.raises(errors.IncompleteError, match="1 of 2 items"):
                read()


def test_an_iterator_is_for_one_thread_at_a_time(server: Server) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def script(method: str, target: str) -> Scripted:
        entered.set()
        go_on.wait(5)
        return as_json(page(1))

    server.script = script
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        found: list[object] = []
        thread = threading.Thread(target=lambda: found.append(next(invoices).invoice_number))
        thread.start()
        entered.wait(5)
        with pytest.raises(errors.ArgumentError) as caught:
            next(invoices)
        message = "This iterator is already in use by another thread or task."
        assert str(caught.value) == message
        go_on.set()
        thread.join()
        assert (found, list(invoices)) == (["1"], [])
    assert len(server.seen) == 1


def test_numbering_is_checked_once_for_a_client(server: Server) -> None:
    def numbered(_: str, target: str) -> Scripted:
        number = int(re.search(r"page=(\d)", target)[1]) if "page=" in target else 1  # type: ignore[index] # it matches
        return as_json(page(*([number] if number < 3 else []), total=None))

    server.script = numbered
    with BridgeClient(server.url, on_deviation=lambda _: None) as bridge:
        for client, account in ((bridge, "1"), (bridge.with_options(strict=False), "2")):
            assert [one.invoice_number for one in client.billing.iter_account_invoices(account)] == ["1", "2"]
    queries = [target.partition("?")[2] for target in targets(server)]
    assert queries == ["", "page=1", "page=2", "page=3", "", "page=2", "page=3"]


def test_a_bridge_that_ignores_page_numbers_is_asked_once(server: Server) -> None:
    server.script = lambda _, target: as_json(page(*range(3 if invoices_of("1") in target else 2), total=None))
    with BridgeClient(server.url) as bridge:
        assert len([*bridge.billing.iter_account_invoices("1")]) == 3
        for account in ("2", "3"):
            assert len([*bridge.billing.iter_account_invoices(account)]) == 2
            assert len([*bridge.billing.iter_account_invoices(account).pages()]) == 1
    assert [target.partition("?")[2] for target in targets(server)] == ["", "page=1", "page=2", "page=1", *[""] * 4]


@pytest.mark.parametrize("accounts", ["135", "315", "1133553311", "2345", "1224", "42"])
def test_a_bridge_that_repeats_its_last_page_still_counts_pages(server: Server, accounts: str) -> None:
    """Accounts of 1 to 5 invoices, two a page: one with a single page does not end the others early."""
    server.script = clamped
    with BridgeClient(server.url, on_deviation=lambda _: None) as bridge:
        found = [len([*bridge.billing.iter_account_invoices(account)]) for account in accounts]
    assert found == [int(account) for account in accounts]


def clamped(_: str, target: str) -> Scripted:
    """The last page for all pages after it; accounts have as many invoices as their number says, two a page."""
    count = int(target.partition("?")[0].rpartition("/")[2])
    size = int(match[1]) if (match := re.search(r"per_page=(\d)", target)) else 2
    asked = int(match[1]) if (match := re.search(r"\bpage=(\d)", target)) else 1
    last = min(asked, (count + size - 1) // size)
    return as_json(page(*range(1, count + 1)[last * size - size : last * size], total=None))


def test_a_bridge_that_counts_from_0_and_repeats_its_last_page(server: Server) -> None:
    """A list with one page looks as if the bridge counted from 1."""
    server.script = lambda method, target: clamped(
        method, re.sub(r"\bpage=(\d)", lambda found: f"page={int(found[1]) + 1}", target)
    )
    with BridgeClient(server.url, on_deviation=lambda _: None) as bridge:
        assert len([*bridge.billing.iter_account_invoices("1")]) == 1
        with pytest.raises(errors.PagingError, match="does not count pages from 1"):
            list(bridge.billing.iter_account_invoices("7"))


def test_a_list_of_one_item_does_not_show_what_an_offset_counts(server: Server) -> None:
    """Item 1 and page 1 are both behind its end."""

    def by_offset(account_number: str, offset: int | None = None) -> dict[str, Any]:
        return {"method": "GET", "url": f"/{account_number}", "params": {} if offset is None else {"offset": offset}}

    def counts_pages(_: str, target: str) -> Scripted:
        count, _, query = target.removeprefix("/").partition("?offset=")
        start = 2 * int(query or 0)
        return as_json(page(*range(int(count))[start : start + 2], total=None))

    shape = evolve(LISTED.shape, begin="offset", first=0, by_items=True, size=None)
    operation: Any = evolve(LISTED, path="/{account_number}", request=by_offset, shape=shape)
    limits: Any = {"start": None, "max_pages": None, "max_items": None}
    server.script = counts_pages
    with BridgeClient(server.url, on_deviation=lambda _: None) as bridge:
        assert len([*bridge._caller.paginate(operation, {"account_number": "1"}, **limits)]) == 1
        with pytest.raises(errors.PagingError, match="does not count items in `offset` from 0"):
            list(bridge._caller.paginate(operation, {"account_number": "7"}, **limits))


def test_a_bridge_that_repeats_its_last_page_counts_smaller_pages_too(server: Server) -> None:
    server.script = clamped
    with BridgeClient(server.url, on_deviation=lambda _: None) as bridge:
        assert len([*bridge.billing.iter_account_invoices("5", per_page=9)]) == 5
        assert len([*bridge.billing.iter_account_invoices("7", per_page=3)]) == 7


def test_resuming_a_list_of_unknown_length(server: Server) -> None:
    server.respond_with(page(1, total=None))
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        next(invoices)
        position = json.loads(json.dumps(invoices.position))
    server.respond_with(page(1, total=None), page(2, total=None), page(total=None))
    with BridgeClient(server.url) as bridge:
        rest = bridge.billing.iter_account_invoices("1", start=position)
        assert [one.invoice_number for one in rest] == ["2"]
    server.respond_with(page(1, total=None))
    with BridgeClient(server.url) as bridge:
        assert [*bridge.billing.iter_account_invoices("1", start=position)] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("linked", 1), ("linked", None), ("page", "2"), ("page", 0), ("page", -1), ("seen", 5), ("seen", None), ("step", []),
        ("total", ""), ("total", False), ("total", []), ("total", 2.5), ("marks", -1), ("marks", True), ("seen", "text"),
    ],
)  # fmt: skip
def test_a_damaged_position(server: Server, name: str, value: object) -> None:
    server.respond_with(page(1, total=2))
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        next(invoices)
        with pytest.raises(errors.ArgumentError, match="start must be the position"):
            bridge.billing.iter_account_invoices("1", start=invoices.position | {name: value})
        with pytest.raises(errors.ArgumentError, match="start must be the position"):
            bridge.billing.iter_account_invoices("1", start=5)  # type: ignore[arg-type]


def test_resuming_a_list_with_a_negative_total(server: Server) -> None:
    server.respond_with(page(1, 2, total=-1, following="?c=2"), page(3, total=-1))
    with BridgeClient(server.url, on_deviation=lambda _: None) as bridge:
        invoices = bridge.billing.iter_account_invoices("1", max_pages=1)
        assert len([*invoices]) == 2
        rest = bridge.billing.iter_account_invoices("1", start=json.loads(json.dumps(invoices.position)))
        assert [one.invoice_number for one in rest] == ["3"]

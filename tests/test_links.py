"""Next links as bridges behind gateways write them: which request each means, and what is refused."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve
from talkdesk_bridge import AsyncBridgeClient, BasicAuth, BridgeClient, OAuth2ClientCredentials, _links, errors
from talkdesk_bridge._links import NextLinks
from talkdesk_bridge._redact import redact
from talkdesk_bridge._urls import origin
from talkdesk_bridge_api.api.billing import _GET_ACCOUNT_INVOICES

from tests.conftest import Listing, Server, as_json, invoices_of, page

PATH = invoices_of("1")
PREFIX = "/ins/v1"


def targets(server: Server) -> list[str]:
    return [target for _, target, _, _ in server.seen]


@pytest.mark.parametrize(
    "link",
    [
        "{url}/ins/v1{path}?page=2",
        "{path}?page=2",
        "/v2{path}?page=2",
        "https://internal.example:8443{path}?page=2",
        "http://10.0.0.1/context/path{path}/?page=2",
        "//internal{path};jsessionid=A1?page=2#top",
        "?page=2",
        "1?page=2",
        "/billinginfoapi/ACCOUNTINVOICES/%31?page=2",
        "ftp://internal{path}?page=2",
    ],
)
def test_the_query_of_a_link_goes_to_the_url_of_the_first_request(server: Server, listing: Listing, link: str) -> None:
    server.respond_with(page(1, total=2, following=link.format(url=server.url, path=PATH)), page(2, total=2))
    assert len(listing(f"{server.url}{PREFIX}", per_page=1)) == 2
    assert targets(server) == [f"{PREFIX}{PATH}?per_page=1", f"{PREFIX}{PATH}?page=2&per_page=1"]


@pytest.mark.parametrize(
    ("link", "sent"),
    [
        ("?page=2", "page=2&per_page=20"),
        ("?page=2&per_page=10", "page=2&per_page=10"),
        ("?page=2&PER_PAGE=10", "page=2&PER_PAGE=10&per_page=20"),
        ("?offset=20", "offset=20&per_page=20"),
        ("?cursor=a%2Bb%FF+c%20d==", "cursor=a%2Bb%FF+c%20d==&per_page=20"),
        ('?cursor={"id":2}&x=\u00fc', "cursor=%7B%22id%22:2%7D&x=%C3%BC&per_page=20"),
        ("?page=2&per_page=", "page=2&per_page="),
    ],
)
def test_arguments_that_a_link_leaves_out_are_kept(server: Server, listing: Listing, link: str, sent: str) -> None:
    server.respond_with(page(1, following=link), page(2))
    assert len(listing(server.url, per_page=20)) == 2
    assert targets(server)[1] == f"{PATH}?{sent}"


def test_a_link_wins_over_the_page_of_the_call_and_keeps_other_arguments() -> None:
    def url(href: str) -> str:
        first = "https://b.example/x/claims?page=1&limit=5&state=Open&tag=a&tag=b"
        operation = evolve(_GET_ACCOUNT_INVOICES, path="/claims")
        with BridgeClient("https://b.example/x") as bridge:
            return NextLinks(bridge._caller, operation, {}, first).url(href, first, 1)

    assert url("?page=2") == "https://b.example/x/claims?page=2&limit=5&state=Open&tag=a&tag=b"
    assert url("?page=2&state=open&limit=3") == "https://b.example/x/claims?page=2&state=open&limit=3&tag=a&tag=b"
    assert url("https://b.example/x/claims") == "https://b.example/x/claims?limit=5&state=Open&tag=a&tag=b"
    for href in ("?page=2&state=Closed", "?state=Open&tag=a"):
        with pytest.raises(errors.PagingError, match="page 1 has another value for the argument"):
            url(href)


@pytest.mark.parametrize(
    ("link", "fault", "shown"),
    [
        ("https://internal/other?page=2&k=v", "leads to another host, scheme or port", "https://internal/other"),
        ("https://u:pw@internal/other?k=v", "cannot be followed", "https://internal/other"),
        ("{url}/ins/v1/BillingInfoAPI/accountinvoices/2?page=2", "leads to a list with other arguments",
         "{url}/ins/v1/BillingInfoAPI/accountinvoices/2"),
        ("https://[", "is not a URL", "https://["),
    ],
)  # fmt: skip
def test_an_error_names_page_request_and_link(server: Server, link: str, fault: str, shown: str) -> None:
    server.respond_with(page(1, total=2, following=link.format(url=server.url)))
    with BridgeClient(f"{server.url}{PREFIX}") as bridge, pytest.raises(errors.PagingError, match=fault) as caught:
        list(bridge.billing.iter_account_invoices("1", per_page=1))
    error = caught.value
    assert (error.page, error.requested) == (1, f"{server.url}{PREFIX}{PATH}")
    assert error.link == shown.format(url=server.url)
    assert "operator" in str(error)
    assert "pw" not in str(vars(error))


def test_a_corrected_origin_or_prefix_is_logged_once(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "talkdesk_bridge")
    server.script = lambda _, target: as_json(
        page(2, total=2) if "page=2" in target else page(1, following=f"http://inner:81/c{PATH}?page=2")
    )
    with BridgeClient(f"{server.url}{PREFIX}") as bridge:
        for client in (bridge, bridge.with_options(strict=True), bridge):
            assert len([*client.billing.iter_account_invoices("1")]) == 2
    message = f"Next links of the bridge begin with http://inner:81/c. The client sends their queries to {server.url}{PREFIX}."
    assert caplog.messages == [message]


def test_a_correction_is_logged_once_by_many_threads(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*arguments: Any) -> str:
        time.sleep(0.05)  # so that all threads find a wrong link before one has warned
        return redact(*arguments)

    monkeypatch.setattr(_links, "redact", slow)
    caplog.set_level(logging.WARNING, "talkdesk_bridge")
    wrong = page(1, total=2, following=f"http://inner{PATH}?page=2")
    server.script = lambda _, target: as_json(page(2, total=2) if "page=2" in target else wrong)
    with BridgeClient(server.url) as bridge:
        for _, invoices in bridge.each(bridge.billing.iter_account_invoices, ["1"] * 8):
            assert not isinstance(invoices, errors.BridgeError)
    assert len(caplog.messages) == 1


def test_a_warning_about_links_has_no_account_number(caplog: pytest.LogCaptureFixture) -> None:
    """Not even if a relative link without a leading slash repeats a part of the path."""
    caplog.set_level(logging.WARNING, "talkdesk_bridge")
    first = "https://b.example/x/accounts/A%201/invoices?page=1"
    with BridgeClient("https://b.example/x") as bridge:
        operation = evolve(_GET_ACCOUNT_INVOICES, path="/accounts/{account_number}/invoices")
        links = NextLinks(bridge._caller, operation, {"account_number": "A 1"}, first)
        assert links.url("accounts/A%201/invoices?page=2", first, 1).endswith("/x/accounts/A%201/invoices?page=2")
    assert "begin with https://b.example/x/accounts/.... The client" in caplog.messages[0]


def test_a_right_link_is_not_logged(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "talkdesk_bridge")
    for link in (f"{server.url.upper()}{PATH}?page=2", f"{PATH}?page=2", "?page=2"):
        server.respond_with(page(1, following=link), page(2, total=2))
        with BridgeClient(server.url) as bridge:
            assert len([*bridge.billing.iter_account_invoices("1")]) == 2
    assert caplog.messages == []


def test_page_numbers_instead_of_wrong_links(server: Server, listing: Listing) -> None:
    server.respond_with(page(1, total=2, following="https://elsewhere.example/"), page(2, total=2, following=5))
    assert len(listing(server.url, options={"paging": "numbers"})) == 2
    assert targets(server)[1] == f"{PATH}?page=2"
    with pytest.raises(errors.ConfigurationError, match='paging must be "links" or "numbers"'):
        BridgeClient(server.url, paging="pages")  # type: ignore[arg-type]


def test_a_missing_page_is_no_missing_account(server: Server, listing: Listing) -> None:
    for status in (404, 410):
        server.respond_with(page(1, total=2), as_json({"userMessage": "No such account"}, status))
        with pytest.raises(errors.PagingError, match=rf"page 2 of the list does not exist \({status}\)") as caught:
            listing(server.url)
        assert isinstance(caught.value.__cause__, errors.StatusError)
        assert caught.value.page == 2
    server.respond_with(as_json({"userMessage": "No such account"}, 404))
    with pytest.raises(errors.NotFoundError, match="No such account"):
        listing(server.url)


def test_going_on_after_an_error_on_a_later_page(server: Server) -> None:
    server.respond_with(page(1, total=2), as_json({}, 404), as_json({}, 400), page(2, total=2))
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        assert next(invoices)
        for kind in (errors.PagingError, errors.BadRequestError):
            with pytest.raises(kind, match="page 2 of the list"):
                next(invoices)
        assert len([*invoices]) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://b\u00fccher.example", "https://xn--bcher-kva.example"),
        ("https://B\u00dcCHER.example.", "https://b\u00fccher.example:443/x"),
        ("https://bridge.example.", "HTTPS://BRIDGE.example"),
        ("http://localhost", "http://LOCALHOST:80/"),
        ("http://[::1]", "http://[::1]:80"),
    ],
)
def test_one_host_in_two_spellings(one: str, other: str) -> None:
    assert origin(one, "URL") == origin(other, "URL")


@pytest.mark.parametrize("client", [BridgeClient, AsyncBridgeClient])
def test_a_host_with_a_closing_dot(tls: tuple[Server, Path], client: type[Any]) -> None:
    """No certificate has the dot."""
    server, certificate = tls
    server.respond_with(page(1, total=2, following=f"{server.url}{PATH}?page=2"), page(2, total=2))
    url = server.url.replace("127.0.0.1", "LOCALHOST.")
    bridge = client(url, verify=ssl.create_default_context(cafile=certificate))

    async def listed() -> list[Any]:
        async with bridge:
            return [one async for one in bridge.billing.iter_account_invoices("1")]

    if client is AsyncBridgeClient:
        assert len(asyncio.run(listed())) == 2
    else:
        with bridge:
            assert len([*bridge.billing.iter_account_invoices("1")]) == 2
    assert bridge.billing.iter_account_invoices("1").position["bridge"] == server.url.replace("127.0.0.1", "localhost")


def test_a_base_url_in_another_spelling_than_the_links() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "b\u00fccher.example"
        cursor = request.url.params.get("c")
        links = {"1": "https://xn--bcher-kva.example:443/cursor/2?c=2", None: "https://B\u00dcCHER.example./cursor?c=1"}
        body: Any = page(cursor or 0, following=links.get(cursor))
        return httpx.Response(200, json=body)

    with BridgeClient("https://b\u00fccher.example", transport=httpx.MockTransport(handle)) as bridge:
        assert [one.invoice_number for one in bridge.billing.iter_account_invoices("1")] == ["0", "1", "2"]


OTHER_ACCOUNT = [
    f"{PATH}/../2?page=2", f"{PATH[:-1]}2/.?page=2", f"{PATH[:-1]}./2?page=2", f"{PATH[:-1]}x/../2?page=2",
    f"{PATH[:-1]}/2?page=2", f"{PATH[:-1]}2/page/2", f"{PATH}/%2e%2e/2?page=2", f"{PATH[:-1]}%252e%252e/2?page=2",
    f"{PATH}/..%2F2?page=2", f"{PATH[:-1]}2;x=1?page=2", "/BillingInfoAPI/x/../accountinvoices/2?page=2",
    f"{PATH[:-2]}%2F2?page=2", f"{PATH[:-2]}%252f2?page=2", f"{PATH[:-2]}\\2?page=2", f"{PATH[:-2]}%5C2/next/2",
    "/BillingInfoAPI%2Faccountinvoices%2F2?page=2", "/BillingInfoAPI;x%2Faccountinvoices/2?page=2",
]  # fmt: skip


@pytest.mark.parametrize("link", OTHER_ACCOUNT)
def test_a_link_to_another_account_gets_no_request(server: Server, listing: Listing, link: str) -> None:
    server.respond_with(page(1, total=2, following=link), page(2, total=2))
    with pytest.raises(
        errors.PagingError, match=r"page 1 (leads to a list with other arguments|is not a URL that can)"
    ):
        listing(server.url)
    assert len(server.seen) == 1


@pytest.mark.parametrize("link", ["{path}?page=2", "{path}/after/2"])
def test_a_link_of_an_account_with_a_slash(server: Server, link: str) -> None:
    path = invoices_of("AB%2F1")
    server.respond_with(page(1, total=2, following=link.format(path=path)), page(2, total=2))
    with BridgeClient(server.url) as bridge:
        assert len([*bridge.billing.iter_account_invoices("AB/1")]) == 2
    assert targets(server)[1] == link.format(path=path)


def test_hosts_are_compared_as_they_are_sent() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        assert request.headers["Host"] == "xn--fa-hia.example"
        return httpx.Response(
            200,
            json=page(2, total=2)
            if request.url.query
            else page(1, total=2, following="https://fa\u00df.example/c?c=2"),
        )

    with BridgeClient("https://fa\u00df.example", transport=httpx.MockTransport(handle)) as bridge:
        assert len([*bridge.billing.iter_account_invoices("1")]) == 2
        position = bridge.billing.iter_account_invoices("1").position
    with BridgeClient("https://fass.example", transport=httpx.MockTransport(handle)) as bridge:
        forged = position | {"bridge": "https://fass.example", "step": "https://fa\u00df.example/c?c=2"}
        with pytest.raises(errors.ArgumentError, match="its step is no URL of this bridge"):
            next(bridge.billing.iter_account_invoices("1", start=forged))


@pytest.mark.parametrize("link", ["?page=2&c=1", "?c=1&page=2", "?page=2&per_page=5"])
def test_a_last_page_that_links_to_itself_in_another_spelling(server: Server, listing: Listing, link: str) -> None:
    server.respond_with(page(1, total=2, following="?page=2"), page(2, total=2, following=link))
    assert [invoice.invoice_number for invoice in listing(server.url)] == ["1", "2"]


def test_a_short_password_is_no_page_number(server: Server, listing: Listing) -> None:
    server.respond_with(page(1, total=2, following="?page=2"), page(2, total=2))
    assert len(listing(server.url, BasicAuth("u", "2"))) == 2
    assert targets(server)[1].endswith("?page=2")


def test_a_token_that_the_bridge_copies_into_its_links_is_not_sent_there(server: Server, listing: Listing) -> None:
    token = {"access_token": "t0ken-of-mine", "token_type": "Bearer", "expires_in": 3600}
    server.respond_with(
        as_json(token), page(1, total=2, following="?page=2&access_token=t0ken-of-mine"), page(2, total=2)
    )
    assert len(listing(server.url, OAuth2ClientCredentials(f"{server.url}/token", "id", "s3cret"))) == 2
    assert targets(server)[2].endswith("?page=2")


def test_a_filter_with_the_name_of_a_cursor_is_kept() -> None:
    first = "https://b.example/claims?from=2023-01-01&start=2023-02-01&page=1"
    with BridgeClient("https://b.example") as bridge:
        links = NextLinks(bridge._caller, evolve(_GET_ACCOUNT_INVOICES, path="/claims"), {}, first)
        assert links.url("?page=2", first, 1) == "https://b.example/claims?page=2&from=2023-01-01&start=2023-02-01"
        with pytest.raises(errors.PagingError, match="another value for the argument from") as caught:
            links.url("?page=2&from=2022-01-01", first, 1)
    assert (caught.value.requested, caught.value.link) == ("https://b.example/claims", "")


def test_a_circle_names_page_request_and_link(server: Server) -> None:
    server.respond_with(page(1, following="?c=2"), page(2, following="?c=2"))
    with BridgeClient(server.url) as bridge, pytest.raises(errors.PagingError, match="page 2 leads back") as caught:
        list(bridge.billing.iter_account_invoices("1"))
    url = f"{server.url}{PATH}"
    assert (caught.value.page, caught.value.requested, caught.value.link) == (2, url, url)


def test_a_position_after_whole_pages(server: Server) -> None:
    server.respond_with(page(1, 2, 3, total=6), page(4, 5, 6, total=6))
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1", max_items=2)
        assert next(invoices.pages())
        rest = bridge.billing.iter_account_invoices("1", start=invoices.position)
        assert [invoice.invoice_number for invoice in rest] == ["4", "5", "6"]

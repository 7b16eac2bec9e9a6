"""The clients against the sandbox, over real sockets: equal results, no needless requests, limits, life cycle."""

from __future__ import annotations

import asyncio
import math
import pickle

import pytest
from talkdesk_bridge import (
    AsyncBridgeClient,
    Auth,
    BasicAuth,
    BearerAuth,
    BridgeClient,
    HeaderAuth,
    OAuth2ClientCredentials,
    OAuth2PrivateKeyJWT,
    errors,
    models,
)
from talkdesk_bridge_sandbox import ACCOUNTS, Credentials, Sandbox

from tests.conftest import Listing, Server, invoices_of, page
from tests.keys import bare


def paths(sandbox: Sandbox) -> list[str]:
    return [seen.target for seen in sandbox.requests if seen.method == "GET"]


@pytest.mark.parametrize("account", ACCOUNTS)
def test_sync_and_async_list_the_same_with_one_request_per_page(
    sandbox: Sandbox, key: HeaderAuth, account: str
) -> None:
    with BridgeClient(sandbox.url, auth=key) as bridge:
        blocking = list(bridge.billing.iter_account_invoices(account))
    asked = len(sandbox.requests)

    async def run() -> list[models.InvoiceDetails]:
        async with AsyncBridgeClient(sandbox.url, auth=key) as bridge:
            return [invoice async for invoice in bridge.billing.iter_account_invoices(account)]

    count = ACCOUNTS[account].count
    assert asyncio.run(run()) == blocking
    assert len({invoice.invoice_number for invoice in blocking}) == count
    assert asked == len(sandbox.requests) / 2 == max(1, math.ceil(count / 50))


def test_unset_parameters_are_not_sent(sandbox: Sandbox, key: HeaderAuth, listing: Listing) -> None:
    listing(sandbox.url, key, "1000000003")
    assert paths(sandbox) == [invoices_of("1000000003")]


@pytest.mark.parametrize(
    ("limits", "items", "requests"),
    [
        ({"per_page": 20}, 137, 7),
        ({"per_page": 200}, 137, 1),
        ({"max_pages": 2}, 100, 2),
        ({"max_pages": 0}, 0, 0),
        ({"max_items": 50}, 50, 1),
        ({"max_items": 51}, 51, 2),
        ({"max_items": 0}, 0, 0),
        ({"max_items": 500}, 137, 3),
        ({"max_items": 30, "max_pages": 3, "per_page": 10}, 30, 3),
    ],
)
def test_the_callers_limits(
    sandbox: Sandbox, key: HeaderAuth, listing: Listing, limits: dict[str, int], items: int, requests: int
) -> None:
    assert len(listing(sandbox.url, key, "1000000001", **limits)) == items
    assert len(sandbox.requests) == requests


@pytest.mark.parametrize("limits", [{"max_pages": -1}, {"max_items": -1}, {"max_items": "5"}])
def test_an_invalid_limit_is_rejected(
    sandbox: Sandbox, key: HeaderAuth, listing: Listing, limits: dict[str, int]
) -> None:
    (name,) = limits
    with pytest.raises(errors.ArgumentError, match=rf"^{name} must be None or an integer of at least 0\.$"):
        listing(sandbox.url, key, "1000000001", **limits)
    assert not sandbox.requests


def test_pages_and_items_are_read_from_one_stream(sandbox: Sandbox, key: HeaderAuth) -> None:
    with BridgeClient(sandbox.url, auth=key) as bridge:
        invoices = bridge.billing.iter_account_invoices("1000000001")
        pages = list(invoices.pages())
        assert [len(page.embedded.invoices or []) for page in pages if page.embedded] == [50, 50, 37]
        assert {page.total for page in pages} == {137}
        assert list(invoices) == []

        invoices = bridge.billing.iter_account_invoices("1000000001")
        assert next(invoices).invoice_number == "1000000001"
        rest = list(invoices.pages())
        assert len(rest) == 2


def test_async_pages(sandbox: Sandbox, key: HeaderAuth) -> None:
    async def run() -> list[int | None]:
        async with AsyncBridgeClient(sandbox.url, auth=key) as bridge:
            pages = bridge.billing.iter_account_invoices("1000000001").pages()
            return [page.total async for page in pages]

    assert asyncio.run(run()) == [137, 137, 137]


def test_a_body_is_typed_and_begins_with_the_documented_invoice(sandbox: Sandbox, key: HeaderAuth) -> None:
    with BridgeClient(sandbox.url, auth=key) as bridge:
        body = bridge.billing.get_account_invoices("1000000001", page=1, per_page=1)
    assert type(body) is models.InvoiceDetailsResponse
    assert paths(sandbox) == [invoices_of("1000000001") + "?page=1&per_page=1"]
    assert body.embedded
    assert body.embedded.invoices
    (invoice,) = body.embedded.invoices
    assert invoice.amount == "3700.00 usd"
    assert str(invoice.invoice_due_date) == "2023-07-22"
    assert invoice.invoice_items_details is None
    assert invoice.to_dict()["custom_fields"] == [{"key": "claim_custom_fields", "value": "000000"}]


ACCEPTED = Credentials()


def oauth(sandbox: Sandbox, secret: str = ACCEPTED.client_secret, scope: str | None = None) -> OAuth2ClientCredentials:
    return OAuth2ClientCredentials(sandbox.token_url, ACCEPTED.client_id, secret, scope=scope)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (BearerAuth(ACCEPTED.bearer_token), BearerAuth("guess")),
        (BasicAuth(ACCEPTED.user, ACCEPTED.password), BasicAuth(ACCEPTED.user, "guess")),
    ],
)
def test_credentials_are_checked(sandbox: Sandbox, listing: Listing, right: Auth, wrong: Auth) -> None:
    assert len(listing(sandbox.url, right, "1000000003")) == 1
    with pytest.raises(errors.StatusError) as caught:
        listing(sandbox.url, wrong, "1000000003")
    assert caught.value.status_code == 401
    assert caught.value.error_info
    assert caught.value.error_info.error_code == "UNAUTHORIZED"


def test_a_key_is_checked(sandbox: Sandbox, key: HeaderAuth, listing: Listing) -> None:
    assert len(listing(sandbox.url, key, "1000000003")) == 1
    with pytest.raises(errors.StatusError, match=r"not accepted \(UNAUTHORIZED\)\.$"):
        listing(sandbox.url, HeaderAuth("sandbox-kex", name=key.name), "1000000003")


def test_a_missing_credential_is_rejected(sandbox: Sandbox, listing: Listing) -> None:
    with pytest.raises(
        errors.StatusError, match=r"401 Unauthorized: .* No credential was sent: pass `auth`, or set a var"
    ):
        listing(sandbox.url, None, "1000000003")


def test_a_key_in_another_header(listing: Listing) -> None:
    with Sandbox(credentials=Credentials(api_key="my-key", api_key_header="X-API-Key")) as sandbox:
        assert len(listing(sandbox.url, HeaderAuth("my-key", name="X-API-Key"), "1000000003")) == 1
        with pytest.raises(errors.StatusError, match="401"):
            listing(sandbox.url, HeaderAuth("my-key"), "1000000003")


def test_oauth_uses_one_token_for_all_pages(sandbox: Sandbox, listing: Listing) -> None:
    assert len(listing(sandbox.url, oauth(sandbox, scope="invoices:read"), "1000000001")) == 137
    assert [seen.method for seen in sandbox.requests] == ["POST", "GET", "GET", "GET"]


def test_oauth_with_a_wrong_secret(sandbox: Sandbox, listing: Listing) -> None:
    message = f"{sandbox.token_url} returned 401: invalid_client: client id or secret is wrong"
    with pytest.raises(errors.AuthenticationError, match=message):
        listing(sandbox.url, oauth(sandbox, "guess"), "1000000001")
    assert [seen.method for seen in sandbox.requests] == ["POST"]


def test_oauth_encodes_id_and_secret(listing: Listing) -> None:
    with Sandbox(credentials=Credentials(client_id="a:b c", client_secret="ü%+/:&=")) as sandbox:
        auth = OAuth2ClientCredentials(sandbox.token_url, "a:b c", "ü%+/:&=")
        assert len(listing(sandbox.url, auth, "1000000003")) == 1


def test_a_documented_error(sandbox: Sandbox, key: HeaderAuth, listing: Listing) -> None:
    with pytest.raises(errors.StatusError) as caught:
        listing(sandbox.url, key, "9999999999")
    error = caught.value
    assert str(error) == (
        f"GET {invoices_of('9999999999')} returned 404 Not Found: There is no account with this number (NOT_FOUND)."
    )
    assert (error.status_code, error.method, error.path) == (404, "GET", invoices_of("9999999999"))
    assert error.error_info
    assert error.error_info.details
    assert error.error_info.details[0].properties
    assert error.error_info.details[0].properties.parameter_name == "account_number"
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 # our own
    assert (str(copy), copy.error_info, copy.path) == (str(error), error.error_info, error.path)


@pytest.mark.parametrize(
    ("kind", "rest"),
    [
        (errors.StatusError, {"status_code": 0, "error_info": None, "body": None, "data": None, "method": "", "path": "", "request_id": None, "retry_after": None}),
        (errors.ContractError, {"json_path": None, "expected": None, "seen": None}),
        (errors.PagingError, {"page": None, "requested": None, "link": None, "changed": False}),
        (errors.IncompleteError, {"page": None, "requested": None, "link": None, "changed": False, "received": 0, "expected": 0}),
    ],
)  # fmt: skip
def test_an_error_can_be_made_with_only_a_message(kind: type[errors.BridgeError], rest: dict[str, object]) -> None:
    error = kind("No.")  # as tests of callers do
    assert (str(error), vars(error)) == ("No.", rest)


@pytest.mark.parametrize("account", ["", ".", "..", None])
def test_an_account_number_that_would_change_the_path_is_rejected(
    sandbox: Sandbox, key: HeaderAuth, account: str
) -> None:
    with BridgeClient(sandbox.url, auth=key) as bridge, pytest.raises(errors.ArgumentError, match="account_number"):
        bridge.billing.get_account_invoices(account)
    assert not sandbox.requests


def test_an_account_number_is_quoted(sandbox: Sandbox, key: HeaderAuth) -> None:
    with BridgeClient(sandbox.url, auth=key) as bridge, pytest.raises(errors.StatusError) as caught:
        bridge.billing.get_account_invoices("a b?c#d")
    assert caught.value.path == invoices_of("a%20b%3Fc%23d")


@pytest.mark.parametrize("base", ["", "/", "/api", "/api/", "/api//"])
def test_the_path_of_a_base_url_is_kept(server: Server, base: str) -> None:
    server.respond_with(page(1))
    with BridgeClient(server.url + base) as bridge:
        bridge.billing.get_account_invoices("1", per_page=50)
    (request,) = server.seen
    assert request[1] == f"{base.removesuffix('/')}{invoices_of('1')}?per_page=50"


def test_a_base_url_may_have_a_path(sandbox: Sandbox, key: HeaderAuth) -> None:
    with BridgeClient(f"{sandbox.url}/prefix/", auth=key) as bridge, pytest.raises(errors.StatusError) as caught:
        bridge.billing.get_account_invoices("1000000001")
    assert caught.value.path == "/prefix" + invoices_of("1000000001")


def test_a_closed_client_raises_a_clear_error(sandbox: Sandbox, key: HeaderAuth) -> None:
    with BridgeClient(sandbox.url, auth=key) as bridge:
        pass
    bridge.close()
    with pytest.raises(
        errors.BridgeError, match=r"^The client is closed: make a new one, or stay inside its `with` block\.$"
    ):
        bridge.billing.get_account_invoices("1000000001")


def test_no_credential_is_shown() -> None:
    client = BridgeClient(
        "https://bridge.example", auth=HeaderAuth("s3cret", name="X-API-Key"), proxy="http://u:s3cret@p"
    )
    assert "s3cret" not in repr(client)
    assert "X-API-Key" in repr(client)
    client.close()
    for auth in (BearerAuth("s3cret"), BasicAuth("u", "s3cret"), OAuth2ClientCredentials("https://t", "id", "s3cret")):
        assert "s3cret" not in repr(auth)
    shown = repr(OAuth2PrivateKeyJWT("https://t?key=s3cret", "id", bare(), key_id="k-1", audience="https://a"))
    assert shown == (
        "OAuth2PrivateKeyJWT(token_url='https://t', client_id='id', scope=None, key_id='k-1', algorithm='ES256', "
        "audience='https://a')"
    )

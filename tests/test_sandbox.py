"""The sandbox over real sockets, asked with plain HTTP: what it serves, what it refuses, that it checks itself."""

from __future__ import annotations

import base64
import copy
import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from talkdesk_bridge.sandbox import ACCOUNTS, Sandbox
from talkdesk_bridge.sandbox._app import read_contract
from talkdesk_bridge.sandbox._data import items_of

PATH = "/BillingInfoAPI/accountinvoices/"
KEY = {"Authorization": "sandbox-key"}


def ask(sandbox: Sandbox, target: str, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content else None
    finally:
        connection.close()


def test_a_page_and_its_links(sandbox: Sandbox) -> None:
    status, first = ask(sandbox, f"{PATH}1000000001", **KEY)
    assert (status, first["total"], len(first["_embedded"]["invoices"])) == (200, 137, 50)
    assert first["_embedded"]["invoices"][0]["custom_fields"] == [{"key": "claim_custom_fields", "value": "000000"}]
    assert first["_links"]["next"] == {"href": f"{sandbox.url}{PATH}1000000001?page=2"}
    status, last = ask(sandbox, f"{PATH}1000000001?page=3&per_page=50", **KEY)
    assert (status, len(last["_embedded"]["invoices"]), "next" in last["_links"]) == (200, 37, False)
    assert ask(sandbox, f"{PATH}1000000001?page=9", **KEY)[1]["_embedded"] == {"invoices": []}


def test_the_data_repeats_and_adds_up() -> None:
    examples = read_contract()["paths"][f"{PATH}{{account_number}}"]["get"]["responses"]["200"]
    examples = examples["content"]["application/json"]["examples"]["invoices"]["value"]["_embedded"]["invoices"]
    for account in ACCOUNTS.values():
        items = items_of(account, examples)
        assert items == items_of(account, examples)
        assert len({item["invoice_number"] for item in items}) == account.count
        for item in items:
            amount, paid, due = (item[name].split() for name in ("amount", "paid_amount", "due_amount"))
            assert round(float(paid[0]) + float(due[0]), 2) == float(amount[0])
            assert amount[1] == paid[1] == due[1]
    currencies = {item["amount"][-3:] for item in items_of(ACCOUNTS["1000000005"], examples)}
    assert currencies == {"usd", "eur", "gbp"}


@pytest.mark.parametrize(
    ("target", "status", "reason"),
    [
        (f"{PATH}1", 404, "no such account"),
        (f"{PATH}1000000001?page=0", 400, "the query parameter page does not fit: $: 0 is less than the minimum of 1"),
        (f"{PATH}1000000001?page=x", 400, "'x' is not of type 'integer'"),
        (f"{PATH}1000000001?pages=1", 400, "the contract declares no query parameter pages"),
    ],
)
def test_a_request_that_does_not_fit(sandbox: Sandbox, target: str, status: int, reason: str) -> None:
    answered, body = ask(sandbox, target, **KEY)
    assert (answered, body["status"]) == (status, status)
    assert reason in body["developerMessage"]


def test_what_the_contract_does_not_have(sandbox: Sandbox) -> None:
    status, body = ask(sandbox, "/BillingInfoAPI/other", **KEY)
    assert status == 404
    assert f"GET {PATH}{{account_number}}" in body["sandbox"]
    assert ask(sandbox, f"{PATH}1000000001", "POST", **KEY)[0] == 405


def basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


@pytest.mark.parametrize(
    "header",
    [{}, {"Authorization": "wrong"}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer "}, {"X-API-Key": "sandbox-key"},
     {"Authorization": "Basic !"}, {"Authorization": basic("sandbox-user", "x")}, {"Authorization": "Basic " + "ab" * 3}],
)  # fmt: skip
def test_no_credential_is_guessed(sandbox: Sandbox, header: dict[str, str]) -> None:
    status, body = ask(sandbox, f"{PATH}1000000001", **header)
    assert (status, body["errorCode"]) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    ("form", "credential", "status", "error"),
    [
        ("grant_type=client_credentials", basic("sandbox-client", "sandbox-secret"), 200, None),
        ("grant_type=client_credentials", basic("sandbox-client", "x"), 401, "invalid_client"),
        ("grant_type=client_credentials", "", 401, "invalid_client"),
        ("grant_type=password", basic("sandbox-client", "sandbox-secret"), 400, "unsupported_grant_type"),
        ("", basic("sandbox-client", "sandbox-secret"), 400, "unsupported_grant_type"),
    ],
)
def test_the_token_endpoint(sandbox: Sandbox, form: str, credential: str, status: int, error: str | None) -> None:
    answered, body = ask(sandbox, "/oauth/token", "POST", form, Authorization=credential)
    assert (answered, body.get("error")) == (status, error)
    if status == 200:
        token = {"Authorization": f"Bearer {body['access_token']}"}
        assert ask(sandbox, f"{PATH}1000000003", **token)[0] == 200


def test_it_refuses_its_own_answer_when_that_breaks_the_contract() -> None:
    contract = copy.deepcopy(read_contract())
    contract["components"]["schemas"]["InvoiceDetails"]["properties"]["amount"] = {"type": "integer"}
    with Sandbox(contract=contract) as sandbox:
        status, body = ask(sandbox, f"{PATH}1000000001", **KEY)
    assert status == 500
    assert "its own answer breaks the contract: $['_embedded'].invoices[0].amount" in body["sandbox"]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_it_listens_on_loopback_only_and_gives_the_port_back(taken: int) -> None:
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=taken)
    with Sandbox() as sandbox:
        port = urlsplit(sandbox.url).port
        assert sandbox.url.startswith("http://127.0.0.1:")
    assert port
    with Sandbox(port=port) as sandbox:
        assert ask(sandbox, f"{PATH}1000000003", **KEY)[0] == 200


def test_the_log_holds_no_credential() -> None:
    lines: list[str] = []
    with Sandbox(log=lines.append) as sandbox:
        ask(sandbox, f"{PATH}1000000003?page=1", **KEY)
        ask(sandbox, "/oauth/token", "POST", "grant_type=client_credentials&client_secret=s3cret")
    assert lines == [f"GET {PATH}1000000003?page=1 200", "POST /oauth/token 401"]

"""The sandbox over real sockets, asked with plain HTTP: what it serves, what it refuses, that it checks itself."""

from __future__ import annotations

import base64
import copy
import http.client
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from talkdesk_bridge.sandbox import ACCOUNTS, Credentials, Sandbox
from talkdesk_bridge.sandbox._app import key_header, read_contract
from talkdesk_bridge.sandbox._data import items_of

from tests.conftest import PATH, invoices_of

HEADER = key_header(read_contract(), Credentials()) or "Authorization"
KEY = {HEADER: "sandbox-key"}


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
    status, first = ask(sandbox, invoices_of("1000000001"), **KEY)
    assert (status, first["total"], len(first["_embedded"]["invoices"])) == (200, 137, 50)
    assert first["_embedded"]["invoices"][0]["custom_fields"] == [{"key": "claim_custom_fields", "value": "000000"}]
    assert first["_links"]["next"] == {"href": f"{sandbox.url}{invoices_of('1000000001')}?page=2"}
    status, last = ask(sandbox, invoices_of("1000000001") + "?page=3&per_page=50", **KEY)
    assert (status, len(last["_embedded"]["invoices"]), "next" in last["_links"]) == (200, 37, False)
    assert ask(sandbox, invoices_of("1000000001") + "?page=9", **KEY)[1]["_embedded"] == {"invoices": []}


def test_the_data_repeats_and_adds_up() -> None:
    examples = read_contract()["paths"][PATH]["get"]["responses"]["200"]
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
        (invoices_of("1"), 404, "no such account"),
        (
            invoices_of("1000000001") + "?page=0",
            400,
            "the query parameter page does not fit: $: 0 is less than the minimum of 1",
        ),
        (invoices_of("1000000001") + "?page=x", 400, "'x' is not of type 'integer'"),
        (invoices_of("1000000001") + "?pages=1", 400, "the contract declares no query parameter pages"),
    ],
)
def test_a_request_that_does_not_fit(sandbox: Sandbox, target: str, status: int, reason: str) -> None:
    answered, body = ask(sandbox, target, **KEY)
    assert (answered, body["status"]) == (status, status)
    assert reason in body["developerMessage"]
    if status == 400:
        assert reason in body["details"][0]["message"]
        assert body["details"][0]["properties"]["parameterName"] in target


def test_what_the_contract_does_not_have(sandbox: Sandbox) -> None:
    status, body = ask(sandbox, "/BillingInfoAPI/other", **KEY)
    assert status == 404
    assert f"GET {PATH}" in body["sandbox"]
    assert ask(sandbox, invoices_of("1000000001"), "POST", **KEY)[0] == 405


def basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


@pytest.mark.parametrize(
    "header",
    [{}, {"Authorization": "wrong"}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer "}, {"X-Other": "sandbox-key"},
     {"Authorization": "Basic !"}, {"Authorization": basic("sandbox-user", "x")}, {"Authorization": "Basic " + "ab" * 3}],
)  # fmt: skip
def test_no_credential_is_guessed(sandbox: Sandbox, header: dict[str, str]) -> None:
    status, body = ask(sandbox, invoices_of("1000000001"), **header)
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
        for sent, wanted in (("Bearer ", 200), ("bearer ", 200), ("", 401), ("Basic ", 401)):
            token = {"Authorization": f"{sent}{body['access_token']}"}
            assert ask(sandbox, invoices_of("1000000003"), **token)[0] == wanted


def test_it_refuses_its_own_answer_when_that_breaks_the_contract() -> None:
    contract = copy.deepcopy(read_contract())
    contract["components"]["schemas"]["InvoiceDetails"]["properties"]["amount"] = {"type": "integer"}
    with Sandbox(contract=contract) as sandbox:
        status, body = ask(sandbox, invoices_of("1000000001"), **KEY)
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
        assert ask(sandbox, invoices_of("1000000003"), **KEY)[0] == 200


def test_the_log_holds_no_credential() -> None:
    lines: list[str] = []
    with Sandbox(log=lines.append) as sandbox:
        ask(sandbox, invoices_of("1000000003") + "?page=1", **KEY)
        ask(sandbox, "/oauth/token", "POST", "grant_type=client_credentials&client_secret=s3cret")
    assert lines == [f"GET {invoices_of('1000000003')}?page=1 200", "POST /oauth/token 401"]


def corrected(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The contract after a correction that the README invites to."""
    contract = copy.deepcopy(read_contract())
    change(contract)
    return contract


def test_it_follows_a_corrected_contract() -> None:
    schemes = corrected(
        lambda contract: contract["components"]["securitySchemes"]["HeaderKey"].update(name="X-Corrected")
    )
    with Sandbox(contract=schemes) as sandbox:
        assert ask(sandbox, invoices_of("1000000003"), **{"X-Corrected": "sandbox-key"})[0] == 200
        assert "export TALKDESK_BRIDGE_API_KEY_HEADER=X-Corrected" in sandbox.describe()

    def only_a_key(contract: dict[str, Any]) -> None:
        del contract["components"]["securitySchemes"]["OAuth2"]
        contract["paths"][PATH]["get"]["security"] = [{"HeaderKey": []}]

    with Sandbox(contract=corrected(only_a_key)) as sandbox:
        assert sandbox.token_url == ""
        assert "OAuth" not in sandbox.describe()

    def without_page(contract: dict[str, Any]) -> None:
        operation = contract["paths"][PATH]["get"]
        operation["parameters"] = [parameter for parameter in operation["parameters"] if parameter["name"] != "page"]

    with Sandbox(contract=corrected(without_page)) as sandbox:
        status, body = ask(sandbox, invoices_of("1000000001"), **KEY)
        assert (status, len(body["_embedded"]["invoices"]), "next" in body["_links"]) == (200, 137, False)


def test_it_serves_what_the_contract_says_of_an_operation_of_another_kind() -> None:
    def more(contract: dict[str, Any]) -> None:
        operation = copy.deepcopy(contract["paths"][PATH]["get"])
        (name,) = re.findall(r"{(.*?)}", PATH)
        operation["parameters"] = [{"name": name, "in": "path", "required": True, "schema": {}, "example": "C-1"}]
        claim = {"schema": {"type": "object"}, "example": {"claim_id": "C-1"}}
        gone = {"schema": {"$ref": "#/components/schemas/ErrorInfo"}, "example": {"status": 410, "errorCode": "GONE"}}
        operation["responses"] = {
            "200": {"description": "OK", "content": {"application/json": claim}},
            "4XX": {"description": "Refused", "content": {"application/json": gone}},
        }
        contract["paths"] = {PATH: {"get": operation}}

    with Sandbox(contract=corrected(more)) as sandbox:
        assert ask(sandbox, invoices_of("C-1"), **KEY) == (200, {"claim_id": "C-1"})
        status, body = ask(sandbox, invoices_of("C-2"), **KEY)
        assert (status, body["status"], body["errorCode"]) == (404, 404, "NOT_FOUND")
        status, body = ask(sandbox, invoices_of("C-1"))
        assert (status, body["userMessage"]) == (401, "Unauthorized")


def test_a_missing_extra_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError('no', name='uvicorn')")
    result = subprocess.run(
        [sys.executable, "-c", "import talkdesk_bridge.sandbox"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = "talkdesk_bridge.sandbox needs more packages: pip install 'talkdesk-bridge[sandbox]'"
    assert result.stderr.splitlines()[-1] == f"ModuleNotFoundError: {told}"

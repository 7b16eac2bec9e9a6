"""The bridge of examples/bridge: both clients, each credential, and gateways as docs/hosting.md configures them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from talkdesk_bridge import AsyncBridgeClient, Auth, BridgeClient, HeaderAuth, OAuth2ClientCredentials, errors

from tests.command import run
from tests.conftest import ROOT, invoices_of
from tests.integration import gateways
from tests.integration.example import CLIENT_ID, EMPTY, FULL, KEY, SECRET, UNKNOWN, example

NUMBERS = [str(number) for number in range(1000000001, 1000000121)]
GUIDE = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
DOCUMENTED = ("documented nginx", "documented haproxy")


@pytest.fixture(scope="module")
def bridge() -> Iterator[str]:
    with example() as address:
        yield address


def auth(bridge: str, kind: str) -> Auth:
    if kind == "key":
        return HeaderAuth(KEY)
    return OAuth2ClientCredentials(f"http://{bridge}/oauth/token", CLIENT_ID, SECRET, auth_method=kind)  # type: ignore[arg-type] # a literal


@pytest.mark.parametrize("kind", ["key", "client_secret_basic", "client_secret_post"])
def test_both_clients_read_all_pages(bridge: str, kind: str) -> None:
    url, credential = f"http://{bridge}", auth(bridge, kind)

    async def awaited() -> list[str | None]:
        async with AsyncBridgeClient(url, credential, strict=True) as client:
            return [one.invoice_number async for one in client.billing.iter_account_invoices(FULL, per_page=25)]

    with BridgeClient(url, credential, strict=True) as client:
        listed = client.billing.iter_account_invoices
        assert [one.invoice_number for one in listed(FULL)] == NUMBERS
        assert [one.invoice_number for one in listed(FULL, per_page=40)] == NUMBERS  # the last page is full
        assert [*listed(EMPTY)] == []
        assert client.billing.get_account_invoices(FULL, page=99).total == 120
    assert asyncio.run(awaited()) == NUMBERS


@pytest.mark.parametrize("kind", ["key", "client_secret_basic", "client_secret_post"])
def test_it_keeps_every_rule_of_check(bridge: str, kind: str) -> None:
    client = {"TOKEN_URL": f"http://{bridge}/oauth/token", "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": SECRET}
    variables = {"API_KEY": KEY} if kind == "key" else {"AUTH_METHOD": kind, **client}
    options = ["--account", FULL, "--account", EMPTY, "--unknown", UNKNOWN, "--assumed", "--rate", "1000"]
    done = run("check", *options, "--format", "json", URL=f"http://{bridge}", **variables)
    assert done.returncode == 0, done.stderr
    assert {rule["verdict"] for rule in json.loads(done.stdout)} == {"kept"}


def get(bridge: str, account: str, query: str = "", method: str = "GET", **headers: str) -> tuple[int, Any]:
    """The status and the body of a response."""
    connection = HTTPConnection(bridge)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, invoices_of(account) + query, headers=named)
    response = connection.getresponse()
    assert response.headers["Content-Type"] == "application/json"
    body = json.load(response)
    connection.close()
    return response.status, body


@pytest.mark.parametrize("query", ["?page=0", "?per_page=x", "?page=", "?per_page=-1", "?page=1.5"])
def test_an_invalid_parameter(bridge: str, query: str) -> None:
    status, body = get(bridge, FULL, query, Authorization=KEY)
    assert (status, body["status"], body["errorCode"]) == (400, 400, "BAD_REQUEST")
    assert body["details"][0]["properties"]["parameterName"] in query
    assert get(bridge, FULL, query)[0] == 401  # the credential comes first


def test_an_unknown_account_path_and_method(bridge: str) -> None:
    found = [
        get(bridge, UNKNOWN, Authorization=KEY),
        get(bridge, "a/b", Authorization=KEY),
        get(bridge, FULL, method="POST"),
    ]
    assert [status for status, _ in found] == [404, 404, 405]
    assert [body["status"] for _, body in found] == [404, 404, 405]
    assert all(body["userMessage"] for _, body in found)


LATER = 4102444800
"""A time far in the future."""
TOKENS = ["", ".", "x", f"{LATER}.", f"{LATER}.{'0' * 64}", "\u0663.x", f"{'9' * 5000}.x"]


@pytest.mark.parametrize(
    "sent", ["", "wrong", f"Bearer {KEY}", f"{KEY}x", *(f"Bearer {token}" for token in TOKENS[:5])]
)
def test_a_wrong_credential(bridge: str, sent: str) -> None:
    status, body = get(bridge, FULL, Authorization=sent)
    assert (status, body["errorCode"]) == (401, "UNAUTHORIZED")


def python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The result of a program with these variables, and none of the example."""
    environ = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), **variables}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def test_a_token_expires_and_belongs_to_a_secret() -> None:
    code = """
from examples.bridge import bridge
now = int(bridge.time.time())
good, late = bridge.signed(now + 5), bridge.signed(now - 1)
assert bridge.is_token(good) and not bridge.is_token(late) and not any(map(bridge.is_token, TOKENS))
bridge.CLIENT_SECRET = "another"
assert not bridge.is_token(good)
bridge.CLIENT_SECRET = ""
assert not bridge.is_token(bridge.signed(now + 5))
"""
    done = python(code.replace("TOKENS", repr(TOKENS)), BRIDGE_CLIENT_ID="a", BRIDGE_CLIENT_SECRET="b")
    assert done.returncode == 0, done.stderr


def test_a_bridge_without_any_credential_does_not_start() -> None:
    done = python("import examples.bridge.bridge", BRIDGE_CLIENT_ID="a")
    assert done.returncode == 1
    assert re.fullmatch("Set BRIDGE_API_KEY, or .*\n", done.stderr)


@pytest.mark.parametrize(("client_id", "secret"), [(CLIENT_ID, "wrong"), ("wrong", SECRET)])
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_wrong_client(bridge: str, client_id: str, secret: str, method: Any) -> None:
    credential = OAuth2ClientCredentials(f"http://{bridge}/oauth/token", client_id, secret, auth_method=method)
    with (
        BridgeClient(f"http://{bridge}", credential) as client,
        pytest.raises(errors.AuthenticationError, match="invalid_client"),
    ):
        client.authenticate()


FORWARDED = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "bridge.example", "X_Forwarded_Prefix": "/v1/"}


def next_link(page: Any) -> str:
    link: str = page["_links"]["next"]["href"]
    return link


def test_only_a_named_proxy_is_believed(bridge: str) -> None:
    query = "?a=%2F+%C3%A9&page=2&per_page=7"
    rest = f"{invoices_of(FULL)}?a=%2F+%C3%A9&per_page=7&page=3"
    _, page = get(bridge, FULL, query, Authorization=KEY, **FORWARDED)
    assert next_link(page) == f"https://bridge.example/v1{rest}"
    _, page = get(bridge, FULL, query, Authorization=KEY)
    assert next_link(page) == f"http://{bridge}{rest}"
    with example(BRIDGE_TRUSTED_PROXIES="10.0.0.0/8, 127.0.0.2") as other:
        _, page = get(other, FULL, query, Authorization=KEY, **FORWARDED)
        assert next_link(page) == f"http://{other}{rest}"


def block(language: str) -> str:
    """The only block of docs/hosting.md in this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.M | re.S)
    return str(found)


@pytest.fixture(scope="module")
def urls(bridge: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], Path]]:
    """The URLs of all gateways in front of the example, and their certificate."""
    folder = tmp_path_factory.mktemp("gateways")
    certificate, pem = gateways.certified(folder)
    documented = {"documented nginx": ("/ins/v1", block("nginx").replace("127.0.0.1:8000", "{bridge}"))}
    (folder / "documented").mkdir()
    with patch.dict(gateways.NGINX, documented), gateways.all_gateways(bridge, pem, folder) as found:
        own = gateways.HAPROXY.replace("  default_backend", block("haproxy") + "  default_backend")
        with patch.object(gateways, "HAPROXY", own), gateways.haproxy(bridge, pem, folder / "documented") as more:
            yield found | {"documented haproxy": more["haproxy"]}, certificate


@pytest.mark.parametrize("name", [*gateways.NGINX, "haproxy", *DOCUMENTED])
def test_the_client_reads_all_pages_behind_a_gateway(urls: tuple[dict[str, str], Path], name: str) -> None:
    found, certificate = urls
    with BridgeClient(found[name], HeaderAuth(KEY), verify=ssl.create_default_context(cafile=certificate)) as client:
        assert [one.invoice_number for one in client.billing.iter_account_invoices(FULL)] == NUMBERS
        link = next_link(client.billing.get_account_invoices(FULL).additional_properties)
    # With the documented configurations, links are right for every caller.
    assert link.startswith(f"{found[name]}/BillingInfoAPI/") or name not in DOCUMENTED


def test_a_gateway_replaces_the_headers_of_its_caller(urls: tuple[dict[str, str], Path]) -> None:
    url = urls[0]["documented nginx"]
    with BridgeClient(
        url, HeaderAuth(KEY), headers={name.replace("_", "-"): value for name, value in FORWARDED.items()}
    ) as client:
        page = client.billing.get_account_invoices(FULL)
    assert next_link(page.additional_properties).startswith(f"{url}/BillingInfoAPI/")

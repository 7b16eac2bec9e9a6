"""All pages of all accounts, through nginx and haproxy with their usual configurations."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, HeaderAuth
from talkdesk_bridge_sandbox import ACCOUNTS, Sandbox

from tests.command import run
from tests.integration.gateways import NGINX, all_gateways, certified

NAMES = [*NGINX, "haproxy"]
NUMBERS = [str(number) for number in ACCOUNTS]


@frozen
class Gateways:
    """The gateways in front of one sandbox."""

    sandbox: Sandbox
    urls: dict[str, str]
    certificate: Path
    expected: dict[str, list[str | None]]
    """The invoice numbers of each account, read without a gateway."""

    @property
    def auth(self) -> HeaderAuth:
        return HeaderAuth(self.sandbox.credentials.api_key, name=self.sandbox.key_header or "Authorization")

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)


@pytest.fixture(scope="module")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateways]:
    folder = tmp_path_factory.mktemp("gateways")
    certificate, pem = certified(folder)
    with (
        Sandbox(allow_hosts=["internal.example"]) as sandbox,
        all_gateways(sandbox.url.removeprefix("http://"), pem, folder) as urls,
    ):
        listed = sandbox.client.billing.iter_account_invoices
        expected = {number: [invoice.invoice_number for invoice in listed(number)] for number in NUMBERS}
        assert max(map(len, expected.values())) > 100
        yield Gateways(sandbox, urls, certificate, expected)


@pytest.mark.parametrize("name", NAMES)
def test_the_client_reads_all_pages(gateways: Gateways, name: str) -> None:
    url, context = gateways.urls[name], gateways.context()

    async def awaited() -> dict[str, list[str | None]]:
        async with AsyncBridgeClient(url, gateways.auth, verify=context) as bridge:
            listed = bridge.billing.iter_account_invoices
            return {number: [invoice.invoice_number async for invoice in listed(number)] for number in NUMBERS}

    with BridgeClient(url, gateways.auth, verify=context) as bridge:
        listed = bridge.billing.iter_account_invoices
        blocking = {number: [invoice.invoice_number for invoice in listed(number)] for number in NUMBERS}
    assert blocking == gateways.expected
    assert asyncio.run(awaited()) == gateways.expected


@pytest.mark.parametrize("name", NAMES)
def test_the_command_reads_all_pages(gateways: Gateways, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(gateways.certificate))
    key = gateways.sandbox.environ["TALKDESK_BRIDGE_API_KEY"]
    result = run("invoices", *NUMBERS, "--format", "jsonl", URL=gateways.urls[name], API_KEY=key)
    assert result.returncode == 0, result.stderr
    found = [json.loads(line)["invoice_number"] for line in result.stdout.splitlines()]
    assert found == [number for numbers in gateways.expected.values() for number in numbers]

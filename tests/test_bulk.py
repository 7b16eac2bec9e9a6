"""The extra `bulk`: what it must not do otherwise than httpx's own connections, and what it refuses."""

from __future__ import annotations

import asyncio
import base64
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, HeaderAuth, errors

from tests.conftest import ONCE, Server, as_json, needs_bulk, page, with_and_without_bulk
from tests.faults import http
from tests.raw import Exchange, Raw

pytestmark = needs_bulk

PLAIN: Any = {**ONCE, "verify": ssl.create_default_context()}


def asked(url: str, *accounts: str, pause: float = 0, **options: Any) -> list[str | None]:
    """The numbers of the invoices of accounts, one after the other over one client."""

    async def run() -> list[str | None]:
        numbers = []
        async with AsyncBridgeClient(url, **PLAIN | options) as bridge:
            for account in accounts:
                numbers += [one.invoice_number async for one in bridge.billing.iter_account_invoices(account)]
                await asyncio.sleep(pause)
        return numbers

    return asyncio.run(run())


@with_and_without_bulk
def test_bytes_that_come_while_a_connection_is_idle_are_never_taken_for_another_accounts(bulk: bool) -> None:
    def twice(exchange: Exchange) -> None:
        exchange.send(http(page(1)))
        time.sleep(0.05)
        exchange.send(http(page(1)))
        exchange.wait()

    with Raw([twice, http(page(2))]) as raw:
        assert asked(f"http://127.0.0.1:{raw.port}", "1", "2", pause=0.15, bulk=bulk) == ["1", "2"]
    assert len(raw.requests) == 2


@with_and_without_bulk
@pytest.mark.parametrize("link", ["?c=%2B%3d%41~%7E+%20&d=a:b,c%2C", "/a%2fb/%7e;c=1/x?e=%C3%BC'()*!&&=;"])
def test_a_link_is_sent_letter_by_letter(server: Server, bulk: bool, link: str) -> None:
    server.answers(page(1, following=link), page(2))
    assert asked(server.url, "1", bulk=bulk) == ["1", "2"]
    assert server.seen[1][1].endswith(link)


@with_and_without_bulk
def test_a_cookie_is_not_sent_back(server: Server, bulk: bool) -> None:
    server.answers(as_json(page(1), Set_Cookie="session=s3cret"), page(2))
    asked(server.url, "1", "2", bulk=bulk)
    assert [headers.get("Cookie") for _, _, headers, _ in server.seen] == [None, None]


def test_the_same_headers_are_sent(server: Server) -> None:
    server.answers(page(1))
    for bulk in (False, True):
        asked(server.url, "1", bulk=bulk, headers={"X-tRACE": "1"}, auth=HeaderAuth("s3cret", name="X-API-Key"))
    (_, _, first, _), (_, _, second, _) = server.seen
    assert first == second


@with_and_without_bulk
def test_an_answer_with_a_long_header(server: Server, bulk: bool) -> None:
    server.answers(as_json(page(1), X_Policy="x" * 60_000))
    assert asked(server.url, "1", bulk=bulk) == ["1"]


@with_and_without_bulk
def test_a_proxy_is_told_who_asks(server: Server, bulk: bool) -> None:
    """Over plain HTTP, which a proxy reads itself; tests/test_secrets.py has CONNECT."""
    server.answers(page(1))
    proxy = server.url.replace("//", f"//us%40er:{quote('p:ä')}@")
    assert asked("http://127.0.0.1:9", "1", proxy=proxy, bulk=bulk) == ["1"]
    ((_, target, headers, _),) = server.seen
    assert target.startswith("http://127.0.0.1:9/")
    assert headers["Proxy-Authorization"] == f"Basic {base64.b64encode('us@er:p:ä'.encode()).decode()}"
    assert "Authorization" not in headers


@with_and_without_bulk
def test_a_proxy_of_the_environment_is_asked_to_connect(
    server: Server, monkeypatch: pytest.MonkeyPatch, bulk: bool
) -> None:
    with Raw([http(b"", 407)]) as raw:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{raw.port}")
        with pytest.raises(errors.NotSentError, match=r"HTTPS_PROXY being set \(407\)"):
            asked("https://bridge.example", "1", bulk=bulk)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with pytest.raises(errors.NotSentError, match=r"no connection to https://127\.0\.0\.1:9"):
            asked("https://127.0.0.1:9", "1", bulk=bulk)
    assert raw.requests == ["CONNECT bridge.example:443 HTTP/1.1"]


@with_and_without_bulk
def test_a_certificate_of_the_client_is_shown(tls: tuple[Server, Path], bulk: bool) -> None:
    server, certificate = tls
    shown = str(certificate), str(certificate.with_name("key.pem"))
    assert server._server.socket.context.verify_mode == ssl.CERT_NONE  # type: ignore[attr-defined]
    server._server.socket.context.load_verify_locations(certificate)  # type: ignore[attr-defined]
    server._server.socket.context.verify_mode = ssl.CERT_REQUIRED  # type: ignore[attr-defined]
    context = ssl.create_default_context(cafile=str(certificate))
    assert asked(server.url, "1", verify=context, cert=shown, bulk=bulk) == ["1"]
    assert asked(server.url, "1", verify=False, cert=shown, bulk=bulk) == ["1"]
    with pytest.raises(errors.NotSentError, match="CERTIFICATE_VERIFY_FAILED"):
        asked(server.url, "1", verify=True, cert=shown, bulk=bulk)


@pytest.mark.parametrize("proxy", ["https://user:s3cret@127.0.0.1:1", "socks5://127.0.0.1:1"])
@pytest.mark.parametrize("given", ["argument", "environment"])
def test_a_proxy_that_it_cannot_use(monkeypatch: pytest.MonkeyPatch, proxy: str, given: str) -> None:
    if given == "environment":
        monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(errors.ConfigurationError, match=r"bulk takes a proxy .* only where its URL begins") as caught:
        AsyncBridgeClient("https://b", bulk=True, proxy=proxy if given == "argument" else None)
    assert "s3cret" not in str(caught.value)


def test_a_client_that_blocks_has_no_use_for_it() -> None:
    with pytest.raises(errors.ConfigurationError, match="AsyncBridgeClient only"):
        BridgeClient("https://b", bulk=True)
    with pytest.raises(errors.ConfigurationError, match="bulk must be True or False"):
        AsyncBridgeClient("https://b", bulk=1)  # type: ignore[arg-type] # the mistake that is refused


@pytest.mark.parametrize("lacking", ["httpx_aiohttp", "aiohttp"])
def test_it_needs_its_extra(monkeypatch: pytest.MonkeyPatch, lacking: str) -> None:
    monkeypatch.delitem(sys.modules, "talkdesk_bridge._bulk", raising=False)
    monkeypatch.setitem(sys.modules, lacking, None)
    with pytest.raises(errors.ConfigurationError, match=r"install talkdesk-bridge\[bulk\], the way"):
        AsyncBridgeClient("https://b", bulk=True)
    AsyncBridgeClient("https://b")


def test_it_is_imported_only_where_it_is_asked_for() -> None:
    code = "import sys; from talkdesk_bridge import AsyncBridgeClient as A; A('https://b'); print('aiohttp' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"

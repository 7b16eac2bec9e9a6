"""Both clients and the command through Squid and tinyproxy: right and wrong logins, and every form of NO_PROXY."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from talkdesk_bridge import BasicAuth, Retry, errors

from tests.command import run
from tests.conftest import Listing, Server, page
from tests.integration.proxies import Proxy, forward_proxy

REJECTED = {"squid": 407, "tinyproxy": 401}
"""The status for a wrong password."""
NO_CONNECTION = {"squid": 503, "tinyproxy": 500}
"""The status if the proxy cannot reach the bridge."""
TWICE = {"retry": Retry(attempts=2, backoff=0.01)}


@frozen
class Bridge:
    """A bridge with one invoice, over https and http."""

    tls: Server
    plain: Server
    certificate: Path

    @property
    def options(self) -> dict[str, Any]:
        return {"verify": ssl.create_default_context(cafile=self.certificate)}


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    folder = tmp_path_factory.mktemp("bridge")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", *names]
    subprocess.run([*command, "-days", "1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Server(context) as tls, Server() as plain:
        for server in (tls, plain):
            server.respond_with(page(1))
        yield Bridge(tls, plain, certificate)


@pytest.fixture(scope="module", params=["squid", "tinyproxy"])
def running_proxy(request: pytest.FixtureRequest) -> Iterator[Proxy]:
    with forward_proxy(request.param) as proxy:
        yield proxy


@pytest.fixture
def proxy(running_proxy: Proxy, bridge: Bridge) -> Proxy:
    bridge.tls.seen.clear()
    bridge.plain.seen.clear()
    return running_proxy


def test_the_right_login(bridge: Bridge, proxy: Proxy, listing: Listing) -> None:
    for server in (bridge.tls, bridge.plain):
        before = proxy.requests()
        assert len(listing(server.url, options=bridge.options | {"proxy": proxy.url()})) == 1
        assert (len(server.seen), proxy.requests(before + 1) - before) == (1, 1)
        assert "Proxy-Authorization" not in server.seen[0][2]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_environment_names_the_proxy(
    bridge: Bridge, proxy: Proxy, listing: Listing, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, proxy.url())
    before = proxy.requests()
    assert len(listing(bridge.tls.url, options=bridge.options)) == 1
    assert proxy.requests(before + 1) - before == 1
    assert len(listing(bridge.plain.url)) == 1
    assert proxy.requests() - before == 1, "http to loopback goes through no proxy of the environment"


@pytest.mark.parametrize("with_login", [True, False])
def test_a_wrong_login_is_named_as_the_proxy_s_and_sent_once(
    bridge: Bridge, proxy: Proxy, listing: Listing, with_login: bool
) -> None:
    status, url = (REJECTED[proxy.name], proxy.url("wrong")) if with_login else (407, f"http://{proxy.address}")
    for server in (bridge.tls, bridge.plain):
        before = proxy.requests()
        says = rf"\(the proxy of the option proxy returned {status}: check its user and password\)\.$"
        with pytest.raises(errors.ProxyError, match=says):
            listing(server.url, options=bridge.options | TWICE | {"proxy": url})
        assert (server.seen, proxy.requests(before + 1) - before) == ([], 1)


def test_an_address_that_the_proxy_does_not_permit(bridge: Bridge, proxy: Proxy, listing: Listing) -> None:
    for server in (bridge.tls, bridge.plain):
        before = proxy.requests()
        url = server.url.replace("127.0.0.1", "localhost")
        with pytest.raises(errors.ProxyError, match=r"returned 403: it does not permit this\)\.$"):
            listing(url, BasicAuth("u", "p"), options=bridge.options | TWICE | {"proxy": proxy.url()})
        assert (server.seen, proxy.requests(before + 1) - before) == ([], 1)


def test_a_bridge_that_the_proxy_cannot_reach_is_tried_again(bridge: Bridge, proxy: Proxy, listing: Listing) -> None:
    before = proxy.requests()
    says = rf"\(the proxy of the option proxy returned {NO_CONNECTION[proxy.name]}\)\. Tried 2 times\.$"
    with pytest.raises(errors.NotSentError, match=says):
        listing("https://127.0.0.1:1", options=TWICE | {"proxy": proxy.url()})
    with pytest.raises(errors.ServerError, match=rf"returned {NO_CONNECTION[proxy.name]} .*Tried 2 times\.$"):
        listing("http://127.0.0.1:1", options=TWICE | {"proxy": proxy.url()})
    assert proxy.requests(before + 4) - before == 4


@pytest.mark.parametrize(
    ("no_proxy", "host", "proxied"),
    [
        ("127.0.0.1", "127.0.0.1", False),
        ("127.0.0.1:{port}", "127.0.0.1", False),
        ("127.0.0.1:1", "127.0.0.1", True),
        ("127.0.0.0/8", "127.0.0.1", False),
        ("10.0.0.0/8", "127.0.0.1", True),
        ("*", "127.0.0.1", False),
        ("localhost", "127.0.0.1", True),
        ("localhost", "localhost", False),
        (".localhost", "localhost", False),
        ("*.localhost", "localhost", True),
        ("localhost:{port}", "localhost", False),
        ("::1, [::1]:{port} b.example,LOCALHOST", "localhost", False),
        ("::1,fd00::/8,b.example", "localhost", True),
    ],
)
def test_no_proxy(
    bridge: Bridge, proxy: Proxy, listing: Listing, no_proxy: str, host: str, proxied: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The password is wrong, so that only requests without the proxy arrive."""
    monkeypatch.setenv("HTTPS_PROXY", proxy.url("wrong"))
    monkeypatch.setenv("NO_PROXY", no_proxy.format(port=bridge.tls.url.rpartition(":")[2]))
    url, before = bridge.tls.url.replace("127.0.0.1", host), proxy.requests()
    if proxied:
        with pytest.raises(errors.ProxyError, match="the proxy in HTTPS_PROXY or ALL_PROXY returned"):
            listing(url, options=bridge.options | TWICE)
    else:
        assert len(listing(url, options=bridge.options)) == 1
    assert (len(bridge.tls.seen), proxy.requests(before + proxied) - before) == (not proxied, proxied)


def test_the_command_ends_at_the_first_account(
    bridge: Bridge, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bridge.certificate))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url("wr0ng-passw0rd"))
    accounts, before = tmp_path / "accounts.txt", proxy.requests()
    accounts.write_text("\n".join(map(str, range(100))), encoding="ascii")
    result = run("invoices", "--accounts-file", str(accounts), URL=bridge.tls.url)
    assert (result.returncode, result.stdout) == (3, "")
    assert f"the proxy in HTTPS_PROXY or ALL_PROXY returned {REJECTED[proxy.name]}: check its user" in result.stderr
    assert "passw0rd" not in result.stderr
    assert proxy.requests(before + 1) - before == 1
    monkeypatch.setenv("HTTPS_PROXY", proxy.url())
    result = run("invoices", "7", "--format", "jsonl", URL=bridge.tls.url)
    assert (result.returncode, len(result.stdout.splitlines())) == (0, 1)

"""Settings and credentials from arguments and from the environment: what is taken, what is refused and how."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from talkdesk_bridge import (
    AsyncBridgeClient,
    Auth,
    BasicAuth,
    BearerAuth,
    BridgeClient,
    HeaderAuth,
    NoAuth,
    OAuth2ClientCredentials,
    errors,
)
from talkdesk_bridge._auth import origin
from talkdesk_bridge._settings import Settings

URL = {"URL": "https://bridge.example"}
OAUTH = {"TOKEN_URL": "https://t.example/token", "CLIENT_ID": "id", "CLIENT_SECRET": "s3cret"}


def environment(**variables: str) -> dict[str, str]:
    return {f"TALKDESK_BRIDGE_{name}": value for name, value in (URL | variables).items()}


@pytest.mark.parametrize(
    ("variables", "auth"),
    [
        ({}, NoAuth()),
        ({"API_KEY": "", "USERNAME": ""}, NoAuth()),
        ({"API_KEY": "k"}, HeaderAuth("k")),
        ({"API_KEY": "k", "API_KEY_HEADER": "X-API-Key"}, HeaderAuth("k", name="X-API-Key")),
        ({"BEARER_TOKEN": "t"}, BearerAuth("t")),
        ({"USERNAME": "u", "PASSWORD": "p"}, BasicAuth("u", "p")),
        (OAUTH, OAuth2ClientCredentials("https://t.example/token", "id", "s3cret")),
        (OAUTH | {"SCOPE": "a b"}, OAuth2ClientCredentials("https://t.example/token", "id", "s3cret", scope="a b")),
        (
            OAUTH | {"AUDIENCE": "b"},
            OAuth2ClientCredentials("https://t.example/token", "id", "s3cret", parameters={"audience": "b"}),
        ),
    ],
)
def test_from_the_environment(variables: dict[str, str], auth: Auth) -> None:
    assert Settings.from_env(environment(**variables)) == Settings(base_url="https://bridge.example", auth=auth)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"URL": ""}, "TALKDESK_BRIDGE_URL is not set"),
        ({"USERNAME": "u"}, "for HTTP Basic, set TALKDESK_BRIDGE_PASSWORD, too"),
        ({"API_KEY_HEADER": "X"}, "set TALKDESK_BRIDGE_API_KEY, too"),
        ({"TOKEN_URL": "https://t"}, "set TALKDESK_BRIDGE_CLIENT_ID, TALKDESK_BRIDGE_CLIENT_SECRET, too"),
        ({"AUDIENCE": "a"}, "for OAuth 2 client credentials, set"),
        ({"SCOPE": "a"}, "for OAuth 2 client credentials, set"),
        (
            {"API_KEY": "s3cret", "BEARER_TOKEN": "s3cret"},
            r"header key \(\w+API_KEY\) and a bearer token",
        ),
        (OAUTH | {"PASSWORD": "s3cret"}, "Two kinds of credential are set"),
        ({"API_KEY": "s3cret\n"}, "cannot be sent in a header"),
        ({"URL": "http://bridge.example"}, "must begin with https://"),
        (OAUTH | {"TOKEN_URL": "http://t.example"}, "The token URL must begin with https://"),
    ],
)
def test_an_environment_that_cannot_be_used(variables: dict[str, str], told: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=told) as caught:
        Settings.from_env(environment(**variables))
    assert "s3cret" not in str(caught.value)


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.ConfigurationError, match="TALKDESK_BRIDGE_URL is not set"):
        BridgeClient.from_env()
    monkeypatch.setenv("TALKDESK_BRIDGE_URL", "https://bridge.example")
    with BridgeClient.from_env(timeout=(1, 2)) as bridge:
        assert "https://bridge.example" in repr(bridge)
        assert "(1, 2)" in repr(bridge)

    async def run() -> None:
        async with AsyncBridgeClient.from_env() as bridge:
            assert "https://bridge.example" in repr(bridge)

    asyncio.run(run())


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://localhost", "http://[::1]:8080", "http://127.9.9.9", "HTTPS://b"]
)
def test_http_on_loopback_and_https(url: str) -> None:
    assert Settings(base_url=url).base_url == url


def test_an_origin_has_a_port_also_where_the_url_names_none() -> None:
    urls = ("https://b", "https://b:444", "http://127.0.0.1", "http://127.0.0.1:81")
    assert [origin(url, "URL")[2] for url in urls] == [443, 444, 80, 81]


@pytest.mark.parametrize(
    "url",
    ["", "bridge.example", "ftp://b", "https://", "https://u:s3cret@b", "https://b?x=1", "https://b#x", "https://b?", "https://b:x",
     "https://b c", "https://b\n", "http://b", "http://127.0.0.1.example", "http://localhost.example", "http://[::2]",
     "https://[", "https://a..b", "https://" + "a" * 300, None],
)  # fmt: skip
def test_a_base_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="URL") as caught:
        BridgeClient(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("timeout", [(0, 1), (1, -1), (1,), (1, 2, 3), ("1", 2), 5, (1, float("inf")), (1, 1e300)])
def test_a_timeout_that_cannot_be_used(timeout: tuple[float, float]) -> None:
    with pytest.raises(errors.ConfigurationError, match="timeout must be two numbers"):
        Settings(base_url="https://b", timeout=timeout)


def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.ConfigurationError, match="proxy") as caught:
        BridgeClient("https://b", proxy="u:s3cret@proxy:1")
    assert "s3cret" not in str(caught.value)
    with pytest.raises(errors.ConfigurationError, match="proxy"):
        BridgeClient("https://b", proxy=5)  # type: ignore[arg-type] # the mistake that is refused
    with pytest.raises(errors.ConfigurationError, match="proxy must be on loopback"):
        BridgeClient("http://127.0.0.1", proxy="http://[")
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://u:s3cret@p")
    with pytest.raises(errors.ConfigurationError, match="proxy"):
        BridgeClient("https://b")
    monkeypatch.setenv("HTTPS_PROXY", "socks5://p:1")
    with pytest.raises(errors.ConfigurationError, match=r"SOCKS proxy .* needs the package socksio"):
        BridgeClient("https://b")


def test_certificates_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for verify in (0, None, "/ca.pem"):
        with pytest.raises(errors.ConfigurationError, match="verify must be"):
            BridgeClient("https://b", verify=verify)  # type: ignore[arg-type] # the mistake that is refused
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    with pytest.raises(errors.ConfigurationError, match="SSL_CERT_FILE"):
        BridgeClient("https://b")
    monkeypatch.setenv("ALL_PROXY", "socks5://p:1")
    with BridgeClient("http://127.0.0.1"):
        pass  # neither concerns loopback over http


def test_a_context_is_taken_for_certificates() -> None:
    with BridgeClient("https://b", verify=ssl.create_default_context()) as bridge:
        assert "SSLContext" in repr(bridge)


@pytest.mark.parametrize("value", ["", " ", "s3cret\n", "s3cret\r\nX: y", "s3crét", "s3cret\x00", " s3cret", None])
def test_a_credential_that_no_header_can_carry(value: str) -> None:
    for make in (HeaderAuth, BearerAuth):
        with pytest.raises(errors.ConfigurationError, match="header") as caught:
            make(value)
        assert "s3cr" not in str(caught.value)


IN_A_HEADER = "cannot be sent in a header: it must be printable ASCII without blanks or line breaks around it."
PARAMETERS = (
    "The parameters of the token request must be text by name, and not grant_type, scope, client_id or client_secret."
)
NOT_A_NAME = "The name of the credential's header is not a header name, such as X-API-Key."


NOT_LIKE = "The token URL must be like https://bridge.example (http is for loopback only)."
HOLDS_A_SECRET = "The token URL must not hold a user or password: give them as credential."
OAUTH_FOR: dict[str, Any] = {"token_url": "https://t", "client_id": "id", "client_secret": "s3cret"}


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        (HeaderAuth, {"value": "s3cret\n"}, f"The value of the credential {IN_A_HEADER}"),
        (HeaderAuth, {"value": "k", "name": "X API"}, NOT_A_NAME),
        (HeaderAuth, {"value": "k", "name": 5}, NOT_A_NAME),
        *((HeaderAuth, {"value": "k", "name": name}, f"The header {name} belongs to HTTP itself and cannot carry a credential.")
          for name in ("Host", "Connection", "Content-Length", "transfer-encoding")),
        (BearerAuth, {"token": "s3cret\n"}, f"The token of the credential {IN_A_HEADER}"),
        (BearerAuth, {"token": "bearer s3cret"}, "The token of the credential begins with the word Bearer: give the token alone."),
        (BasicAuth, {"user": "a:b", "password": "s3cret"}, "The user of HTTP Basic must not hold a colon (RFC 7617)."),
        (BasicAuth, {"user": "", "password": "s3cret"}, "The user of the credential is empty."),
        (BasicAuth, {"user": "u", "password": "s3cret\ud800"}, "The password of the credential is not printable text."),
        (BasicAuth, {"user": "u", "password": None}, "The password of the credential is not printable text."),
        (OAuth2ClientCredentials, OAUTH_FOR | {"client_id": ""}, "The client_id of the credential is empty."),
        (OAuth2ClientCredentials, OAUTH_FOR | {"client_id": "\ud800"}, "The client_id of the credential is not printable text."),
        (OAuth2ClientCredentials, OAUTH_FOR | {"client_secret": ""}, "The client_secret of the credential is empty."),
        (OAuth2ClientCredentials, OAUTH_FOR | {"scope": "\ud800"}, "The scope of the credential is not printable text."),
        *((OAuth2ClientCredentials, OAUTH_FOR | {"parameters": given}, PARAMETERS)
          for given in ({"grant_type": "x"}, {"scope": "x"}, {"client_id": "x"}, {"client_secret": "x"}, {"a": 1}, {1: "a"}, None, "text")),
        *((OAuth2ClientCredentials, OAUTH_FOR | {"token_url": url}, "The token URL is not a URL.") for url in ("https://[", 5)),
        *((OAuth2ClientCredentials, OAUTH_FOR | {"token_url": url}, NOT_LIKE) for url in ("t", "ftp://t", "https://", "https://t/a b", "https://t/\x7f")),
        *((OAuth2ClientCredentials, OAUTH_FOR | {"token_url": url}, HOLDS_A_SECRET) for url in ("https://:s3cret@t", "https://s3cret@t")),
        (OAuth2ClientCredentials, OAUTH_FOR | {"token_url": "http://t"}, "The token URL must begin with https://: http is for loopback only."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_credential(kind: Callable[..., Auth], given: dict[str, Any], told: str) -> None:
    with pytest.raises(errors.ConfigurationError) as caught:
        kind(**given)
    assert str(caught.value) == told


def test_what_is_no_credential() -> None:
    with pytest.raises(errors.ConfigurationError, match="auth must be one of"):
        BridgeClient("https://b", auth="s3cret")  # type: ignore[arg-type] # the mistake that is refused

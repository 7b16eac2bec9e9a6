"""Settings and credentials from arguments and from the environment: valid ones, and the errors for invalid ones."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from talkdesk_bridge import (
    AsyncBridgeClient,
    Auth,
    BasicAuth,
    BearerAuth,
    BridgeClient,
    HeaderAuth,
    NoAuth,
    OAuth2ClientCredentials,
    OAuth2PrivateKeyJWT,
    errors,
)
from talkdesk_bridge._environment import read_environment
from talkdesk_bridge._settings import Settings
from talkdesk_bridge._urls import origin
from talkdesk_bridge_http import AsyncHTTPTransport, HTTPTransport

from tests.keys import bare, pair, pem, public

URL = {"URL": "https://bridge.example"}
OAUTH = {"TOKEN_URL": "https://t.example/token", "CLIENT_ID": "id", "CLIENT_SECRET": "s3cret"}
SHARED = {"TOKEN_URL": "https://t.example/token", "CLIENT_ID": "id"}
SIGNED = {**SHARED, "PRIVATE_KEY": bare()}


V = "TALKDESK_BRIDGE_"


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
        (
            OAUTH | {"AUTH_METHOD": "client_secret_post"},
            OAuth2ClientCredentials("https://t.example/token", "id", "s3cret", auth_method="client_secret_post"),
        ),
        (
            OAUTH | {"AUTH_METHOD": "client_secret_basic"},
            OAuth2ClientCredentials("https://t.example/token", "id", "s3cret"),
        ),
        (SIGNED | {"CLIENT_SECRET": ""}, OAuth2PrivateKeyJWT("https://t.example/token", "id", bare())),
        (
            SIGNED | {"PRIVATE_KEY": pem("RSA"), "KEY_ID": "k-1", "ALGORITHM": "RS256", "AUDIENCE": "a", "SCOPE": "s"},
            OAuth2PrivateKeyJWT(
                "https://t.example/token", "id", pem("RSA"), key_id="k-1", algorithm="RS256", audience="a", scope="s"
            ),
        ),
    ],
)
def test_from_the_environment(variables: dict[str, str], auth: Auth) -> None:
    assert read_environment(environment(**variables)) == ("https://bridge.example", auth)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"URL": ""}, "TALKDESK_BRIDGE_URL is not set"),
        ({"USERNAME": "u"}, "for HTTP Basic, also set TALKDESK_BRIDGE_PASSWORD"),
        ({"API_KEY_HEADER": "X"}, "also set TALKDESK_BRIDGE_API_KEY"),
        ({"TOKEN_URL": "https://t"}, "also set TALKDESK_BRIDGE_CLIENT_ID, TALKDESK_BRIDGE_CLIENT_SECRET"),
        ({"AUDIENCE": "a"}, "for OAuth 2 client credentials, also set"),
        ({"SCOPE": "a"}, "for OAuth 2 client credentials, also set"),
        (
            {"API_KEY": "s3cret", "BEARER_TOKEN": "s3cret"},
            r"header key \(\w+API_KEY\) and a bearer token",
        ),
        (OAUTH | {"PASSWORD": "s3cret"}, "More than one kind of credential is set"),
        ({"API_KEY": "s3cret", "TOKEN_URL": "https://t"}, rf"a header key \({V}API_KEY\) and OAuth 2 client credentials \({V}TOKEN_URL\)\. Unset all but one\.$"),
        (SIGNED | OAUTH, rf"^More than one kind of credential is set: OAuth 2 client credentials \({V}CLIENT_SECRET\) and OAuth 2 with a private key \({V}PRIVATE_KEY\)\. Unset all but one\.$"),
        (OAUTH | {"KEY_ID": "k-1"}, rf"credentials \({V}CLIENT_SECRET\) and OAuth 2 with a private key \({V}KEY_ID\)"),
        (SHARED, f"^The credential is incomplete: for OAuth 2 client credentials, also set {V}CLIENT_SECRET, or for OAuth 2 with a private key, also set {V}PRIVATE_KEY\\.$"),
        ({"TOKEN_URL": "https://t"}, f"or for OAuth 2 with a private key, also set {V}CLIENT_ID, {V}PRIVATE_KEY"),
        (SHARED | {"KEY_ID": "k-1"}, f"incomplete: for OAuth 2 with a private key, also set {V}PRIVATE_KEY\\.$"),
        ({"PRIVATE_KEY": bare()}, f"incomplete: for OAuth 2 with a private key, also set {V}CLIENT_ID, {V}TOKEN_URL\\.$"),
        ({"AUTH_METHOD": "client_secret_post"}, f"incomplete: for OAuth 2 client credentials, also set {V}CLIENT_ID, {V}CLIENT_SECRET, {V}TOKEN_URL\\.$"),
        (OAUTH | {"AUTH_METHOD": "post"}, "^auth_method must be client_secret_basic or client_secret_post[.]$"),
        (SIGNED | {"AUTH_METHOD": "client_secret_post"}, rf"credentials \({V}AUTH_METHOD\) and OAuth 2 with a private key \({V}PRIVATE_KEY\)"),
        ({"CLIENT_SECRET": "s3cret"}, f"incomplete: for OAuth 2 client credentials, also set {V}CLIENT_ID, {V}TOKEN_URL\\.$"),
        (SIGNED | {"ALGORITHM": "HS256"}, "^algorithm must be one of ES256"),
        (SIGNED | {"PRIVATE_KEY": "s3cret"}, "private_key of the credential cannot be read"),
        ({"API_KEY": "s3cret\n"}, "cannot be sent in a header"),
        ({"URL": "http://bridge.example"}, "must begin with https://"),
        (OAUTH | {"TOKEN_URL": "http://t.example"}, "The token URL must begin with https://"),
    ],
)  # fmt: skip
def test_invalid_variables(variables: dict[str, str], message: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=message) as caught:
        BridgeClient.from_env(environment(**variables))
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


def test_an_origin_has_a_port_even_if_the_url_names_none() -> None:
    urls = ("https://b", "https://b:444", "http://127.0.0.1", "http://127.0.0.1:81")
    assert [origin(url, "URL")[2] for url in urls] == [443, 444, 80, 81]


@pytest.mark.parametrize(
    "url",
    ["", "bridge.example", "ftp://b", "https://", "https://u:s3cret@b", "https://b?x=1", "https://b#x", "https://b?", "https://b:x",
     "https://b c", "https://b\n", "http://b", "http://127.0.0.1.example", "http://localhost.example", "http://[::2]",
     "https://[", "https://a..b", "https://" + "a" * 300, None],
)  # fmt: skip
def test_an_invalid_base_url(url: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="URL") as caught:
        BridgeClient(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("timeout", "connect", "read"),
    [(5, 5, 5), (0.5, 0.5, 0.5), (None, None, None), ((1, 2), 1, 2), ((1, None), 1, None)],
)
def test_a_timeout_is_given_as_in_httpx(timeout: Any, connect: float | None, read: float | None) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        assert request.extensions["timeout"] == {"connect": connect, "read": read, "write": read}
        return httpx.Response(200, json={"_embedded": {"invoices": []}})

    with BridgeClient("https://bridge.example", timeout=timeout, transport=httpx.MockTransport(handle)) as bridge:
        assert bridge.billing.get_account_invoices("1")
    with BridgeClient("https://bridge.example", transport=httpx.MockTransport(handle)) as bridge:
        assert bridge.with_options(timeout=timeout).billing.get_account_invoices("1")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("max_retries", "There is no option max_retries: use retry=Retry(attempts=...)."),
        ("token", "There is no option token: use auth=BearerAuth(...)."),
        ("proxies", "There is no option proxies: use proxy."),
        ("timeouts", "There is no option timeouts: use timeout."),
        ("colour", "There is no option colour: use one of auth, cert, clock, deadline, headers, max_bytes, on_deviation, "
                   "on_repeat, paging, proxy, retry, sleep, strict, timeout, transport, verify."),
    ],
)  # fmt: skip
def test_an_unknown_option_gets_a_proposal(name: str, message: str) -> None:
    options: Any = {name: 3}
    makers: list[Callable[..., Any]] = [partial(BridgeClient, "https://b"), partial(AsyncBridgeClient, "https://b")]
    for make in makers:
        with pytest.raises(errors.ConfigurationError) as caught:
            make(**options)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("verify", "verify cannot differ between calls: give it when you make the client."),
        ("auth", "auth cannot differ between calls: give it when you make the client."),
        ("token", "token cannot differ between calls: give it when you make the client."),
        ("max_retries", "There is no option max_retries: use retry=Retry(attempts=...)."),
        ("mounts", "There is no option mounts: use one of deadline, headers, max_bytes, on_deviation, on_repeat, paging, "
                   "retry, strict, timeout."),
    ],
)  # fmt: skip
def test_an_option_that_cannot_differ_between_calls(name: str, message: str) -> None:
    options: Any = {name: 3}
    with pytest.raises(errors.ConfigurationError) as caught:
        BridgeClient("https://b").with_options(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["auth", "base_url", "token"])
def test_an_option_that_the_environment_sets(name: str) -> None:
    options: Any = {name: NoAuth()}
    with pytest.raises(errors.ConfigurationError, match=f"^{name} cannot be given: the environment sets it[.]$"):
        BridgeClient.from_env({"TALKDESK_BRIDGE_URL": "https://b"}, **options)


@pytest.mark.parametrize("auth", ["", "key", 0, {}, b"", HeaderAuth])
def test_only_a_credential_is_a_credential(auth: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match="auth must be a credential, such as"):
        BridgeClient("https://b", auth)


@pytest.mark.parametrize("url", ["https://1.2.3.999", "https://\u2603.example", "https://b/" + "x" * 70_000])
def test_a_url_that_httpx_rejects(url: str) -> None:
    for options in ({"base_url": url}, {"base_url": "https://b", "auth": OAuth2ClientCredentials(url, "id", "s3cret")}):
        made: Any = options
        with pytest.raises(errors.ConfigurationError, match="The base URL, or the token URL, is not a URL"):
            BridgeClient(**made)


def test_a_deadline_that_is_too_long() -> None:
    with pytest.raises(errors.ConfigurationError, match="deadline must be a number of seconds above 0 and below 1e9"):
        BridgeClient("https://b", deadline=1e9)


@pytest.mark.parametrize(
    "timeout", [(0, 1), (1, -1), (1,), (1, 2, 3), ("1", 2), 0, "5", [1, 2], (1, float("inf")), (1, 1e300)]
)
def test_an_invalid_timeout(timeout: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match="timeout must be a number of seconds"):
        Settings(base_url="https://b", timeout=timeout)


def test_an_invalid_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.ConfigurationError, match="proxy") as caught:
        BridgeClient("https://b", proxy="u:s3cret@proxy:1")
    assert "s3cret" not in str(caught.value)
    with pytest.raises(errors.ConfigurationError, match="proxy"):
        BridgeClient("https://b", proxy=5)  # type: ignore[arg-type] # the mistake under test
    with pytest.raises(errors.ConfigurationError, match="proxy must be on loopback"):
        BridgeClient("http://127.0.0.1", proxy="http://[")
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://u:s3cret@p")
    with pytest.raises(errors.ConfigurationError, match="proxy"):
        BridgeClient("https://b")
    monkeypatch.setenv("HTTPS_PROXY", "socks5://p:1")
    with pytest.raises(errors.ConfigurationError, match=r"SOCKS proxy .* needs the package socksio"):
        BridgeClient("https://b")


def test_unreadable_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    for verify in (0, None, "/ca.pem"):
        with pytest.raises(errors.ConfigurationError, match="verify must be"):
            BridgeClient("https://b", verify=verify)  # type: ignore[arg-type] # the mistake under test
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    with pytest.raises(errors.ConfigurationError, match="SSL_CERT_FILE"):
        BridgeClient("https://b")
    monkeypatch.setenv("ALL_PROXY", "socks5://p:1")
    with BridgeClient("http://127.0.0.1"):
        pass  # neither applies to http on loopback


def test_verify_accepts_an_ssl_context() -> None:
    with BridgeClient("https://b", verify=ssl.create_default_context()) as bridge:
        assert "SSLContext" in repr(bridge)


def test_a_certificate_is_never_loaded_into_the_callers_context(tmp_path: Path) -> None:
    """Another client with this context would send it to another host."""
    (tmp_path / "key.pem").write_text(pem())
    context = ssl.create_default_context()
    for cert in ("/nowhere.pem", (str(tmp_path / "key.pem"), str(tmp_path / "key.pem"))):
        for make in (BridgeClient, AsyncBridgeClient):
            with pytest.raises(errors.ConfigurationError) as caught:
                make("https://b", verify=context, cert=cert)
            problem = "With an SSLContext in verify, load the certificate into it with load_cert_chain"
            assert str(caught.value) == f"{problem}: cert would change your SSLContext."
        for transport in (HTTPTransport, AsyncHTTPTransport):
            with pytest.raises(ValueError, match="load the client certificate into it with load_cert_chain"):
                transport(verify=context, cert=cert)


@pytest.mark.parametrize("value", [" ", "s3cret\n", "s3cret\r\nX: y", "s3crét", "s3cret\x00", " s3cret", None])
def test_a_credential_that_no_header_can_carry(value: str) -> None:
    for make in (HeaderAuth, BearerAuth):
        with pytest.raises(errors.ConfigurationError, match="header") as caught:
            make(value)
        assert "s3cr" not in str(caught.value)


def test_an_empty_credential() -> None:
    for make in (HeaderAuth, BearerAuth):
        with pytest.raises(errors.ConfigurationError, match="of the credential is empty"):
            make("")


IN_A_HEADER = (
    "cannot be sent in a header: it must be printable ASCII without leading or trailing spaces or line breaks."
)
PARAMETERS = 'The parameters of the token request must map names to text, and must not hold grant_type, scope, client_id or client_secret. To send the secret in the body, set auth_method="client_secret_post".'
NOT_A_NAME = "The name of the credential's header must be a header name, such as X-API-Key."


NOT_LIKE = "The token URL must look like https://bridge.example (http: on loopback only)."
HOLDS_A_SECRET = "The token URL must not contain a user or password: pass them as the credential."
OAUTH_FOR: dict[str, Any] = {"token_url": "https://t", "client_id": "id", "client_secret": "s3cret"}
JWT_FOR: dict[str, Any] = {"token_url": "https://t", "client_id": "id", "private_key": bare()}
KEY = "The private_key of the credential"
UNREADABLE = f"{KEY} cannot be read: pass the key itself, as PEM or as base64 of PKCS#8."
ENCRYPTED = f"{KEY} is encrypted: pass it decrypted."
ALGORITHMS = "algorithm must be one of ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512, EdDSA."


def unsuitable(algorithm: str, needed: str) -> str:
    return f"{KEY} is of the wrong kind: the algorithm {algorithm} needs {needed}."


FOR_P256, FOR_P384 = (unsuitable(f"ES{bits}", f"an EC key on the curve secp{bits}r1") for bits in (256, 384))
FOR_RSA, FOR_EDDSA = unsuitable("RS256", "an RSA key of 2048 bits or more"), unsuitable("EdDSA", "an Ed25519 key")


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (HeaderAuth, {"value": "s3cret\n"}, f"The value of the credential {IN_A_HEADER}"),
        (HeaderAuth, {"value": "k", "name": "X API"}, NOT_A_NAME),
        (HeaderAuth, {"value": "k", "name": 5}, NOT_A_NAME),
        *((HeaderAuth, {"value": "k", "name": name}, f"HTTP itself uses the header {name}, so it cannot be set here.")
          for name in ("Host", "Connection", "Content-Length", "transfer-encoding")),
        (BearerAuth, {"token": "s3cret\n"}, f"The token of the credential {IN_A_HEADER}"),
        (BearerAuth, {"token": "bearer s3cret"}, 'The token of the credential begins with "Bearer": give the token without it.'),
        (BasicAuth, {"user": "a:b", "password": "s3cret"}, "The user of HTTP Basic must not contain a colon (RFC 7617)."),
        (BasicAuth, {"user": "", "password": "s3cret"}, "The user of the credential is empty."),
        (BasicAuth, {"user": "u", "password": "s3cret\ud800"}, "The password of the credential is not printable text."),
        (BasicAuth, {"user": "u", "password": None}, "The password of the credential is not printable text."),
        (OAuth2ClientCredentials, OAUTH_FOR | {"client_id": ""}, "The client_id of the credential is empty."),
        (OAuth2ClientCredentials, OAUTH_FOR | {"client_id": "\ud800"}, "The client_id of the credential is not printable text."),
        (OAuth2ClientCredentials, OAUTH_FOR | {"client_secret": ""}, "The client_secret of the credential is empty."),
        (OAuth2ClientCredentials, OAUTH_FOR | {"scope": "\ud800"}, "The scope of the credential is not printable text."),
        *((OAuth2ClientCredentials, OAUTH_FOR | {"parameters": given}, PARAMETERS)
          for given in ({"grant_type": "x"}, {"scope": "x"}, {"client_id": "x"}, {"client_secret": "x"}, {"a": 1}, {1: "a"}, {"a": "s3cret\ud800"}, None, "text")),
        *((OAuth2ClientCredentials, OAUTH_FOR | {"auth_method": method}, "auth_method must be client_secret_basic or client_secret_post.")
          for method in ("none", "", None, "CLIENT_SECRET_POST", ["client_secret_post"])),
        *((OAuth2ClientCredentials, OAUTH_FOR | {"token_url": url}, "The token URL is not a URL.") for url in ("https://[", 5)),
        *((OAuth2ClientCredentials, OAUTH_FOR | {"token_url": url}, NOT_LIKE) for url in ("t", "ftp://t", "https://", "https://t/a b", "https://t/\x7f")),
        *((OAuth2ClientCredentials, OAUTH_FOR | {"token_url": url}, HOLDS_A_SECRET) for url in ("https://:s3cret@t", "https://s3cret@t")),
        *((kind, given | {"token_url": "http://t"}, "The token URL must begin with https://: http is allowed on loopback only.")
          for kind, given in ((OAuth2ClientCredentials, OAUTH_FOR), (OAuth2PrivateKeyJWT, JWT_FOR))),
        *((OAuth2PrivateKeyJWT, JWT_FOR | {name: ""}, f"The {name} of the credential is empty.") for name in ("client_id", "key_id", "audience")),
        *((OAuth2PrivateKeyJWT, JWT_FOR | {"private_key": key}, f"{KEY} is empty.") for key in ("", " \n", "\\n")),
        *((OAuth2PrivateKeyJWT, JWT_FOR | {"private_key": key}, UNREADABLE)
          for key in ("s3cret", "s3crét", "s3cret\ud800", "key.pem", bare()[:-8], pem()[:-9], pem()[:60] + pem()[-30:], None, pem().encode())),
        *((OAuth2PrivateKeyJWT, JWT_FOR | {"private_key": key}, ENCRYPTED) for key in
          (pem(password="x"), bare(password="x"), pem(form=PrivateFormat.TraditionalOpenSSL, password="x"))),
        (OAuth2PrivateKeyJWT, JWT_FOR | {"private_key": public()}, f"{KEY} is a public key: pass the private key."),
        *((OAuth2PrivateKeyJWT, JWT_FOR | {"algorithm": name}, ALGORITHMS) for name in ("HS256", "none", "es256", "", None, ["ES256"])),
        *((OAuth2PrivateKeyJWT, JWT_FOR | {"private_key": pem(kind), "algorithm": algorithm}, message) for kind, algorithm, message in (
            ("P-256", "ES384", FOR_P384), ("P-384", "ES256", FOR_P256), ("RSA", "ES256", FOR_P256), ("secp256k1", "ES256", FOR_P256),
            ("P-256", "RS256", FOR_RSA), ("short RSA", "RS256", FOR_RSA), ("X25519", "RS256", FOR_RSA), ("P-256", "EdDSA", FOR_EDDSA))),
    ],
)  # fmt: skip
def test_an_invalid_credential(kind: Callable[..., Auth], given: dict[str, Any], message: str) -> None:
    with pytest.raises(errors.ConfigurationError) as caught:
        kind(**given)
    assert str(caught.value) == message


FORMS: dict[str, Callable[[str], str]] = {
    "PEM": pem,
    "PEM of Windows": lambda kind: pem(kind).replace("\n", "\r\n"),
    "PEM of a variable": lambda kind: pem(kind).replace("\n", "\\n"),
    "PEM of OpenSSL": lambda kind: pem(kind, form=PrivateFormat.TraditionalOpenSSL),
    "base64": bare,
    "base64 in lines": lambda kind: f" {bare(kind)[:64]}\n{bare(kind)[64:]}\n",
}
SIGNING = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519", "RS256": "RSA"}


@pytest.mark.parametrize(
    ("kind", "form", "algorithm"),
    [
        *((kind, form, algorithm) for algorithm, kind in SIGNING.items() for form in FORMS if (kind, form[-7:]) != ("Ed25519", "OpenSSL")),
        *(("RSA", "PEM", algorithm) for algorithm in ("RS384", "RS512", "PS256", "PS384", "PS512")),
    ],
)  # fmt: skip
def test_a_private_key_in_any_form(kind: str, form: str, algorithm: str) -> None:
    auth = OAuth2PrivateKeyJWT("https://t/token", "id", FORMS[form](kind), algorithm=algorithm)
    assertion = auth.proof()[1]["client_assertion"]
    assert jwt.get_unverified_header(assertion) == {"alg": algorithm, "typ": "JWT"}
    claims = jwt.decode(assertion, pair(kind).public_key(), algorithms=[algorithm], audience="https://t/token")
    assert claims["sub"] == "id"


@pytest.mark.parametrize("missing", ["jwt", "cryptography.exceptions"])
def test_a_missing_package(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(errors.ConfigurationError) as caught:
        OAuth2PrivateKeyJWT(**JWT_FOR)
    how = "install talkdesk-bridge[jwt] from where you installed talkdesk-bridge"
    message = f"OAuth2PrivateKeyJWT needs PyJWT and cryptography: {how}."
    assert str(caught.value) == message


def test_an_auth_of_the_wrong_type() -> None:
    with pytest.raises(errors.ConfigurationError, match="auth must be a credential"):
        BridgeClient("https://b", auth="s3cret")  # type: ignore[arg-type] # the mistake under test

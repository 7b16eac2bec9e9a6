"""Single requests against servers that fail: the error, its message, and the requests sent."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from talkdesk_bridge import (
    AsyncBridgeClient,
    Attempt,
    Auth,
    BasicAuth,
    BearerAuth,
    BridgeClient,
    HeaderAuth,
    NoAuth,
    OAuth2ClientCredentials,
    OAuth2PrivateKeyJWT,
    Retry,
    errors,
)
from talkdesk_bridge._received import RawResponse
from talkdesk_bridge._redact import Secret
from talkdesk_bridge._tokens import Tokens
from talkdesk_bridge_api.types import Operation

from tests.conftest import Listing, Scripted, Server, as_json, invoices_of, page
from tests.keys import bare, pair

HTML = {"Content-Type": "text/html"}


def test_a_request_as_sent(server: Server, listing: Listing) -> None:
    server.respond_with(page(1))
    listing(server.url, HeaderAuth("Key abc"))
    ((method, target, headers, body),) = server.seen
    assert (method, target, body) == ("GET", invoices_of("1"), b"")
    assert headers["Authorization"] == "Key abc"
    assert headers["Accept"] == "application/json"
    assert headers["User-Agent"].startswith("talkdesk-bridge/")


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        (NoAuth(), None),
        (HeaderAuth("Key abc"), "Key abc"),
        (BearerAuth("abc"), "Bearer abc"),
        (BasicAuth("ü", "p:w"), "Basic w7w6cDp3"),
        (BasicAuth("u", ""), "Basic dTo="),
    ],
)
def test_the_header_of_each_credential(server: Server, listing: Listing, auth: Auth, sent: str | None) -> None:
    server.respond_with(page(1))
    listing(server.url, auth)
    assert server.seen[0][2].get("Authorization") == sent  # exactly: some gateways accept one spelling only


@pytest.mark.parametrize("status", [400, 403, 409, 429, 499, 500, 503, 520, 561])
@pytest.mark.parametrize("content", [b"<html>down</html>", b"", b"null", b"[]", b"{}", b'{"errorCode": '])
def test_an_error_response_without_the_documented_body(
    server: Server, listing: Listing, status: int, content: bytes
) -> None:
    server.respond_with((status, HTML, content))
    with pytest.raises(errors.StatusError, match=f"returned {status}") as caught:
        listing(server.url)
    assert (caught.value.status_code, caught.value.error_info, caught.value.retry_after) == (status, None, None)
    assert len(server.seen) == 1


def test_the_message_of_an_error_response(server: Server, listing: Listing) -> None:
    body = {"userMessage": "Wait.\x1b[31m", "errorCode": "BUSY", "developerMessage": "stack", "other": 1}
    server.respond_with(as_json(body, 429, Retry_After="7", X_Request_Id="r-1"))
    with pytest.raises(errors.StatusError) as caught:
        listing(server.url)
    error = caught.value
    assert (
        str(error)
        == f"GET {invoices_of('1')} returned 429 Too Many Requests: Wait. [31m (BUSY). Retry after 7 s. Request id r-1."
    )
    assert (error.retry_after, error.request_id) == (7.0, "r-1")
    for name in ("Request_Id", "X_Correlation_Id"):
        server.respond_with(as_json({}, 429, **{name: "r-2"}))
        with pytest.raises(errors.StatusError) as caught:
            listing(server.url, per_page=5)
        assert (caught.value.request_id, caught.value.path) == ("r-2", invoices_of("1"))
    assert error.error_info
    assert error.error_info.additional_properties == {"other": 1}


def test_malformed_details_do_not_hide_the_rest(server: Server, listing: Listing) -> None:
    server.respond_with(as_json({"userMessage": "No", "details": ["text"]}, 400))
    with pytest.raises(errors.StatusError, match="400 Bad Request: No"):
        listing(server.url)


def test_retry_after_as_a_date(server: Server, listing: Listing) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    nowhere = later.replace("GMT", "-0000")  # in RFC 5322, this also means UTC
    elsewhere = format_datetime(datetime.now(timezone(timedelta(hours=2))) + timedelta(seconds=60))
    for value, expected in (
        (later, 60),
        (nowhere, 60),
        (elsewhere, 60),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("soon", None),
        ("-5", None),
    ):
        server.respond_with((503, {"Retry-After": value}, b""))
        with pytest.raises(errors.StatusError) as caught:
            listing(server.url)
        assert caught.value.retry_after == (pytest.approx(expected, abs=2) if expected else expected)


def test_a_long_message_is_cut(server: Server, listing: Listing) -> None:
    server.respond_with(as_json({"userMessage": "y" * 1000}, 400))
    with pytest.raises(errors.BadRequestError) as caught:
        listing(server.url)
    assert str(caught.value).count("y") == 200


def test_a_redirect_is_not_followed(server: Server, elsewhere: Server, listing: Listing) -> None:
    server.respond_with((302, {"Location": elsewhere.url}, b""))
    with pytest.raises(errors.StatusError, match="302 Found: redirects are not followed"):
        listing(server.url, HeaderAuth("s3cret"))
    assert elsewhere.seen == []


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ((200, HTML, b"<html>"), r"a body that is not JSON \(text/html\)"),
        ((200, HTML, b"\xff\xfe"), "a body that is not JSON"),
        ((200, HTML, b'{"a":' * 100_000), "a body that is not JSON"),
        ((200, HTML, b""), "with an empty body"),
        ((201, {}, b"{}"), "which the contract does not declare for get_account_invoices"),
        ((204, {}, b""), "which the contract does not declare"),
    ],
)
def test_a_response_that_breaks_the_contract(
    server: Server, listing: Listing, response: Scripted, message: str
) -> None:
    server.respond_with(response)
    with pytest.raises(errors.ContractError, match=message):
        listing(server.url)


def test_a_refused_connection(listing: Listing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(errors.NotSentError, match=f"no connection to http://127.0.0.1:{port}"):
        listing(f"http://127.0.0.1:{port}")


@pytest.fixture
def raw() -> Iterator[Callable[[bytes], str]]:
    """Starts a server that sends bytes and hangs up, or stays silent without bytes; returns its URL."""
    listening: list[socket.socket] = []

    def serve(content: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def respond() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                if content:
                    connection.sendall(content)
                else:
                    stop.wait(5)

        threading.Thread(target=respond, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    stop = threading.Event()
    yield serve
    stop.set()
    for server in listening:
        server.close()


@pytest.mark.parametrize("content", [b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", b"nonsense\r\n\r\n"])
def test_a_response_that_breaks_off(raw: Callable[[bytes], str], listing: Listing, content: bytes) -> None:
    with pytest.raises(errors.NoResponseError, match="no complete response from http://127"):
        listing(raw(content))


def test_no_response_in_time(raw: Callable[[bytes], str]) -> None:
    with BridgeClient(raw(b""), timeout=(5, 0.2)) as bridge, pytest.raises(errors.NoResponseError, match="in time"):
        bridge.billing.get_account_invoices("1")


@pytest.mark.parametrize("header", ["\u20ac", None, "a\r\nX: y"])
def test_an_argument_that_cannot_be_sent(server: Server, header: object) -> None:
    def request() -> dict[str, object]:
        return {"method": "GET", "url": "/x", "headers": {"X": header}}

    operation = Operation[None](operation_id="op", method="GET", path="/x", request=request, bodies=())
    with BridgeClient(server.url) as bridge, pytest.raises(errors.ArgumentError, match="cannot be sent"):
        bridge._caller.call(operation, {})
    assert not server.seen


def token(value: str = "t-1", **more: object) -> dict[str, object]:
    return {"access_token": value, "token_type": "Bearer", "expires_in": 599, **more}


def test_a_token_that_ends_early_is_renewed_once(server: Server, listing: Listing) -> None:
    tokens = iter(["old", "new"])
    asked: list[str] = []

    def script(method: str, target: str) -> Scripted:
        if method == "POST":
            return as_json(token(next(tokens)))
        asked.append(server.seen[-1][2]["Authorization"])
        return as_json(page(1)) if asked[-1] == "Bearer new" else as_json({}, 401)

    server.script = script
    auth = OAuth2ClientCredentials(f"{server.url}/token", "i/d", "s/e c", scope="a b")
    attempts: list[Attempt] = []
    assert len(listing(server.url, auth, options={"retry": Retry(on_attempt=attempts.append)})) == 1
    assert asked == ["Bearer old", "Bearer new"]
    assert [attempt.operation for attempt in attempts] == ["token", "get_account_invoices"] * 2
    _, target, headers, body = server.seen[0]
    assert (target, body) == ("/token", b"grant_type=client_credentials&scope=a+b")
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"i%2Fd:s%2Fe%20c").decode()
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["Accept"] == "application/json"


def asserted(server: Server, audience: str = "") -> list[dict[str, Any]]:
    """The verified claims of the JWT in each token request, with its header."""
    verified = []
    for method, target, headers, body in server.seen:
        if method == "POST":
            assert "Authorization" not in headers
            assert headers["Content-Type"] == "application/x-www-form-urlencoded"
            (assertion,) = parse_qs(body.decode(), strict_parsing=True)["client_assertion"]
            audience = audience or server.url + target
            claims = jwt.decode(assertion, pair().public_key(), algorithms=["ES256"], audience=audience)
            verified.append({"header": jwt.get_unverified_header(assertion), **claims})
    return verified


@pytest.mark.parametrize(
    ("given", "aud", "kid", "scope"),
    [
        ({}, "", {}, {}),
        ({"key_id": "k-1", "audience": "https://a/", "scope": "a b"}, "https://a/", {"kid": "k-1"}, {"scope": ["a b"]}),
    ],
)
def test_a_private_key_signs_the_token_request(
    server: Server, listing: Listing, given: dict[str, str], aud: str, kid: dict[str, str], scope: dict[str, list[str]]
) -> None:
    server.script = lambda method, target: as_json(token() if method == "POST" else page(1))
    now = int(time.time()) - 30  # because the server's clock may be behind
    auth = OAuth2PrivateKeyJWT(f"{server.url}/token", "i/d", bare(), **given)
    assert len(listing(server.url, auth)) == 1
    (claims,) = asserted(server, aud)
    assert claims.keys() == {"header", "iss", "sub", "aud", "jti", "iat", "exp"}
    assert claims["header"] == {"alg": "ES256", "typ": "JWT", **kid}
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("i/d", "i/d", aud or f"{server.url}/token")
    assert now <= claims["iat"] <= time.time() - 30
    assert claims["exp"] == claims["iat"] + 300
    assert str(uuid.UUID(claims["jti"])) == claims["jti"]
    form = parse_qs(server.seen[0][3].decode(), strict_parsing=True)
    assert form.pop("client_assertion")
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert form == {"grant_type": ["client_credentials"], "client_assertion_type": [kind], **scope}
    assert server.seen[1][2]["Authorization"] == "Bearer t-1"


@pytest.mark.parametrize("trouble", ["503", "lost response"])
def test_every_token_request_has_its_own_jwt(server: Server, listing: Listing, trouble: str) -> None:
    """A token server that accepted a JWT before it failed rejects the same one afterwards."""

    def script(method: str, target: str) -> Scripted:
        if method == "GET":
            return as_json(page(1))
        taken = [claims["jti"] for claims in asserted(server)]
        if len(taken) == 1 and trouble == "lost response":
            raise ConnectionAbortedError
        if len(taken) == 1:
            return as_json({}, 503)
        return as_json({"error": "invalid_client"}, 401) if taken[-1] in taken[:-1] else as_json(token())

    server.script = script
    auth = OAuth2PrivateKeyJWT(f"{server.url}/token", "id", bare())
    assert len(listing(server.url, auth, options={"retry": Retry(attempts=2, backoff=0)})) == 1
    assert [method for method, *_ in server.seen] == ["POST", "POST", "GET"]


KINDS: list[Callable[[str], Auth]] = [
    lambda url: OAuth2ClientCredentials(url, "id", "secret"),
    lambda url: OAuth2PrivateKeyJWT(url, "id", bare()),
]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=["secret", "private key"])


@each_kind
def test_a_rejected_token_is_replaced_once(server: Server, listing: Listing, kind: Callable[[str], Auth]) -> None:
    server.script = lambda method, target: as_json(token()) if method == "POST" else as_json({}, 401)
    with pytest.raises(errors.StatusError, match="the bridge does not accept the credential"):
        listing(server.url, kind(server.url))
    assert [method for method, *_ in server.seen] == ["POST", "GET", "POST", "GET"]
    assert server.seen[0][3] != server.seen[2][3] or isinstance(kind(server.url), OAuth2ClientCredentials)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (as_json({"error": "invalid_scope", "error_description": "no\nsuch"}, 400), "returned 400: invalid_scope: no such"),
        (as_json({"error": 5, "error_description": "no"}, 400), "returned 400: no"),
        (as_json({"error": {"code": "invalid_client", "message": "no\nsuch"}}, 401), "returned 401: invalid_client: no such"),
        (as_json({"errors": [{"code": 7, "message": "no such"}, "at all"]}, 401), "returned 401: no such: at all"),
        (as_json({"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "no such"}, 401, Content_Type="application/problem+json"),
         "returned 401: Unauthorized: no such"),
        (as_json({"fault": {"faultstring": "no such", "detail": {"errorcode": "oauth.v2.InvalidClientIdentifier"}}}, 401),
         "returned 401: no such: oauth.v2.InvalidClientIdentifier"),
        (as_json({"ErrorCode": "invalid_client", "Error": "ClientId is Invalid"}, 401), "returned 401: invalid_client: ClientId is Invalid"),
        (as_json({"errorCode": "E7", "errorSummary": "no such", "errorId": "x", "errorCauses": []}, 403), "returned 403: E7: no such"),
        (as_json({"error": " ", "message": ["1", "2", "3", "4", "5"]}, 400), "returned 400: 1: 2: 3: 4"),
        (as_json({"error": {"error": {"error": {"error": {"error": {"error": "deep"}}}}}}, 400),
         "returned 400 without giving a reason. Check the token URL."),
        ((401, {}, b"\xef\xbb\xbf" + json.dumps({"error": "invalid_client"}).encode()), "returned 401: invalid_client"),
        ((401, {}, b'{"error":' * 900 + b'"x"' + b"}" * 900), "returned 401 without giving a reason. Check the token URL."),
        (as_json("s3cret", 401), "returned 401 without giving a reason. Check the token URL."),
        (as_json({"error": {"message": "s3cret?key=s3cret"}}, 401), "returned 401: [secret]?key=[secret]"),
        (as_json({"error": "invalid_client", "error_description": "no such", "message": "s3cr"}), "returned no usable access_token: invalid_client: no such."),
        (as_json({"error": "s3cret", "code": "authorization"}), "returned no usable access_token: [secret]."),
        ((500, HTML, b"<html>"), "returned 500 without giving a reason"),
        ((302, {"Location": "/"}, b""), "returned 302 without giving a reason. Check the token URL."),
        (as_json(token(), 300), "returned 300 without giving a reason. Check the token URL."),
        ((200, HTML, b"<html>"), "returned no usable access_token."),
        (as_json([]), "returned no usable access_token."),
        (as_json(token("")), "returned no usable access_token."),
        (as_json(token("a\nb")), "returned no usable access_token."),
        (as_json(token("s3cret ")), "returned no usable access_token."),
        (as_json(token("s3crét")), "returned no usable access_token."),
        (as_json(token(token_type="mac")), "returned a token whose token_type is not bearer, but mac."),
        (as_json(token(token_type="DPoP")), "returned a token whose token_type is not bearer, but DPoP."),
        (as_json(token(token_type=5)), "returned a token whose token_type is not bearer, but integer."),
        (as_json(token(token_type=False)), "returned a token whose token_type is not bearer, but boolean."),
        ((200, {}, b'{"access_token": "t", "token_type": ' + b"[" * 600 + b"]" * 600 + b"}"), "returned a token whose token_type is not bearer, but array."),
        (as_json(token("t0ken-of-mine", token_type="t0ken-of-mine\ns3cret")), "returned a token whose token_type is not bearer, but [secret] [secret]."),
    ],
)  # fmt: skip
def test_no_token(server: Server, listing: Listing, response: Scripted, message: str) -> None:
    server.respond_with(response)
    with pytest.raises(errors.AuthenticationError) as caught:
        listing(server.url, OAuth2ClientCredentials(f"{server.url}/token?key=s3cret", "id", "own-s3cr"))
    assert str(caught.value) == f"The token server {server.url}/token {message}"
    assert len(server.seen) == 1


SPELLINGS = (None, "", " ", "bearer", "BEARER", " Bearer ", "BearerToken", "bearer_token", "urn:ietf:params:oauth:token-type:bearer",
             "JWT", "jwt", "access_token", "Access_Token")  # fmt: skip


@pytest.mark.parametrize("more", [{}, *({"token_type": kind} for kind in SPELLINGS)])
def test_the_token_type_may_be_missing_or_in_any_spelling(
    server: Server, listing: Listing, more: dict[str, str]
) -> None:
    server.script = lambda method, target: as_json({"access_token": "t-1", **more} if method == "POST" else page(1))
    assert len(listing(server.url, OAuth2ClientCredentials(server.url, "id", "secret"))) == 1
    assert server.seen[-1][2]["Authorization"] == "Bearer t-1"


@each_kind
def test_tasks_share_their_first_token(server: Server, kind: Callable[[str], Auth]) -> None:
    server.script = lambda method, target: as_json(token() if method == "POST" else page(1))

    async def run() -> None:
        async with AsyncBridgeClient(server.url, auth=kind(f"{server.url}/token")) as bridge:
            await asyncio.gather(*(bridge.billing.get_account_invoices("1") for _ in range(8)))

    asyncio.run(run())
    assert sorted(method for method, *_ in server.seen) == ["GET"] * 8 + ["POST"]


def test_loopback_does_not_use_a_proxy_from_the_environment(
    server: Server, elsewhere: Server, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, elsewhere.url)
    server.respond_with(page(1))
    assert len(listing(server.url, HeaderAuth("s3cret"))) == 1
    assert elsewhere.seen == []
    with BridgeClient(server.url, proxy=elsewhere.url) as bridge, pytest.raises(errors.StatusError, match="404"):
        bridge.billing.get_account_invoices("1")
    assert len(elsewhere.seen) == 1


def test_caught_errors_do_not_hold_the_credential(listing: Listing) -> None:
    with pytest.raises(errors.NotSentError) as caught:
        listing("http://127.0.0.1:1", HeaderAuth("s3cret"))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_defaults_are_safe(server: Server) -> None:
    with BridgeClient(server.url) as bridge:
        request = bridge._caller.http.build(bridge._caller.settings, method="GET", url="/")
        assert request.extensions["timeout"] == {"connect": 5.0, "read": 30.0, "write": 30.0}
        assert request.extensions["deadline"] == 300.0
    settings = bridge._caller.settings
    assert (settings.timeout, settings.verify, settings.proxy) == ((5.0, 30.0), True, None)


def test_loopback_uses_no_proxy_even_if_the_token_server_is_elsewhere(
    server: Server, elsewhere: Server, tls: tuple[Server, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", elsewhere.url)
    tokens, certificate = tls
    tokens.respond_with(token())
    server.respond_with(page(1))
    auth = OAuth2ClientCredentials(tokens.url, "id", "secret")
    with BridgeClient(server.url, auth=auth, verify=ssl.create_default_context(cafile=str(certificate))) as bridge:
        assert bridge.billing.get_account_invoices("1").embedded
    assert elsewhere.seen == []


def test_a_connection_that_is_never_accepted() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for connection in waiting:
                connection.setblocking(False)
                connection.connect_ex(full.getsockname())
            bridge = BridgeClient(f"http://127.0.0.1:{full.getsockname()[1]}", timeout=(0.2, 5))
            with bridge, pytest.raises(errors.NotSentError, match="no connection to"):
                bridge.billing.get_account_invoices("1")
        finally:
            for connection in waiting:
                connection.close()


def test_certificates_are_checked(tls: tuple[Server, Path], listing: Listing) -> None:
    (running, certificate), auth = tls, HeaderAuth("s3cret")
    url = running.url
    attempts: list[Attempt] = []
    with pytest.raises(errors.NotSentError, match="CERTIFICATE_VERIFY_FAILED"):
        listing(url, auth, options={"retry": Retry(on_attempt=attempts.append)})
    assert len(attempts) == 1  # a retry would get the same certificate
    with BridgeClient(url, verify=ssl.create_default_context(cafile=str(certificate))) as bridge:
        assert bridge.billing.get_account_invoices("1").embedded


@each_kind
def test_threads_share_their_first_token(server: Server, kind: Callable[[str], Auth]) -> None:
    server.script = lambda method, target: as_json(token() if method == "POST" else page(1))
    with BridgeClient(server.url, auth=kind(f"{server.url}/token")) as bridge:
        threads = [threading.Thread(target=bridge.billing.get_account_invoices, args=("1",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(method for method, *_ in server.seen) == ["GET"] * 8 + ["POST"]


@pytest.mark.parametrize(
    ("life", "fresh", "used"),
    [(599, 479, 569), (200, 100, 170), (40, 20, 30), (10, 5, 7.5), (7.5, 3.75, 5.625), (1, 0.5, 0.75), ("599", 479, 569),
     ("599.0", 479, 569), (" 599 ", 479, 569), ("7.5", 3.75, 5.625), ("5.99e2", 479, 569),
     *((life, 1e9 - 120, 1e9 - 30) for life in (
         None, 0, -5, "soon", "", "0", "-5", "599 s", "nan", "inf", True, False, [599], float("nan"), 10**400, 1e300))],
)  # fmt: skip
def test_how_long_a_token_is_used(life: object, fresh: float, used: float) -> None:
    now = 100.0
    with BridgeClient("https://b") as bridge:
        cache = Tokens(bridge._caller.http, lambda: now)
    auth = OAuth2ClientCredentials("https://t", "id", "secret")
    response = RawResponse("POST /", "https://t", 200, {}, as_json(token(expires_in=life))[2])
    t1 = Secret("t-1")
    assert cache.get_or_claim_renewal() is cache.fresh(None) is cache.spare(None) is None
    assert cache.store(auth, response) == t1
    now = 100.0 + fresh - 0.1
    assert (
        cache.get_or_claim_renewal() == cache.fresh(None) == cache.spare(None) == cache.fresh(Secret("another")) == t1
    )
    assert cache.fresh(t1) is cache.spare(t1) is None
    now = 100.0 + fresh
    # One caller renews it; the others keep using it for 5 s.
    assert (cache.get_or_claim_renewal(), cache.get_or_claim_renewal(), cache.fresh(None), cache.spare(None)) == (
        None,
        t1,
        None,
        t1,
    )
    now = 100.0 + used - 0.1
    assert cache.spare(None) == t1
    now = 100.0 + used
    assert cache.get_or_claim_renewal() is cache.get_or_claim_renewal() is cache.spare(None) is None
    assert "t-1" not in repr(cache)

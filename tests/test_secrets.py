"""No secret is shown: every credential has a marker, everything fails, and all output is searched for markers."""

from __future__ import annotations

import asyncio
import base64
import copy
import inspect
import json
import logging
import os
import pickle
import pprint
import re
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, unquote_plus

import attrs
import pytest
from rich.pretty import pretty_repr
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
from talkdesk_bridge.models import ErrorDetails, ErrorInfo

from tests.command import call
from tests.conftest import Scripted, Server, as_json, invoices_of, page
from tests.keys import bare, pem

HALVES = ("Mk7Vq2Xn", "Wp9Jh4Rt")


def secret(kind: str) -> str:
    """A secret that names its kind; its middle is written differently in a URL, in JSON and in a Python literal."""
    return f"{HALVES[0]}{kind}/+%\"'\\{kind}{HALVES[1]}"


def in_base64(text: str) -> Iterator[str]:
    """The characters of base64 that show `text`, for each offset at which it may begin."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text.encode()).decode()
        yield encoded[-(-before * 8 // 6) : (before + len(text)) * 8 // 6]


KEY = bare()
# These places hold the private number; the rest of such a key is public, or the same in every key.
IN_KEY = [KEY[at : at + 8] for at in range(48, 84, 4)]
MARKS = [*(mark for half in HALVES for mark in (half, *in_base64(half))), *IN_KEY]


def in_assertion(sent: bytes) -> list[str]:
    """Marks of the JWT in a request: both ends of its header, of its claims and of its signature."""
    (*_, assertion) = ["", *re.findall(r"client_assertion=([\w.-]+)", sent.decode("latin-1"))]
    return [end for part in assertion.split(".") if part for end in (part[:16], part[-16:])]


def found(text: str, marks: list[str] = MARKS) -> list[str]:
    """The places in a text that show a secret, or half of one."""
    return [text[max(0, at - 80) : at + 60] for mark in marks if (at := text.find(mark)) >= 0]


def test_the_search_finds_a_secret_in_every_form() -> None:
    plain = secret("a")
    coded = [base64.b64encode(f"{user}:{plain}".encode()).decode() for user in ("u", "us", "use")]
    for form in (plain, repr(plain), quote(plain), json.dumps(plain), plain[:12], *coded):
        assert found(f"before {form} after")
    for form in (KEY, pem(), repr(pem()), quote(KEY, safe=""), json.dumps(KEY).replace("/", "\\/"), KEY[:64], KEY[64:]):
        assert found(f"before {form} after")
    _, parameters = KINDS["private key"]("https://t.example").proof()  # type: ignore[attr-defined]
    marks = in_assertion(b"a=b&client_assertion=" + parameters["client_assertion"].encode())
    for form in (parameters["client_assertion"], *parameters["client_assertion"].split(".")):
        assert found(f"before {form} after", marks)
    assert not found("Mk7 before Wp9 after")


# Credentials, made with the URL of a token server. Every client also has a secret in `headers`.
KINDS: dict[str, Callable[[str], Auth]] = {
    "key": lambda _: HeaderAuth(secret("key"), name="X-API-Key"),
    "authorization": lambda _: HeaderAuth(f"Key {secret('authorization')}"),
    "bearer": lambda _: BearerAuth(secret("bearer")),
    "basic": lambda _: BasicAuth("user", secret("basic")),
    "oauth": lambda tokens: OAuth2ClientCredentials(
        f"{tokens}/token", "id", secret("client"), parameters={"assertion": secret("parameter")}
    ),
    "private key": lambda tokens: OAuth2PrivateKeyJWT(f"{tokens}/token", "id", KEY, key_id="k-1"),
    "part of another": lambda _: BearerAuth(HALVES[0]),
    "none": lambda _: NoAuth(),
}
TOKEN = {"access_token": secret("token").replace("%", "").replace("'", ""), "expires_in": 3600}
OPTIONS: dict[str, Any] = {"headers": {"X-Tenant-Key": secret("option")}, "timeout": (5, 5), "deadline": 5.0}


class Raw:
    """A server that calls `behave` with each connection and the first bytes received."""

    def __init__(self) -> None:
        self.behave: Callable[[socket.socket, bytes], object] = lambda connection, sent: None
        self.seen: list[bytes] = []
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer.seen.append(self.request.recv(65536))
                outer.behave(self.request, outer.seen[-1])

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.address}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def reset(connection: socket.socket, _: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


# Faults below HTTP. A server may echo the request in a response that cannot be read.
BROKEN: dict[str, Callable[[socket.socket, bytes], object]] = {
    "silence": lambda connection, _: connection.recv(1),
    "reset": reset,
    "hung up": lambda connection, _: None,
    "cut off": lambda connection, sent: connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 9999\r\n\r\n" + sent),
    "echo as status": lambda connection, sent: connection.sendall(sent.replace(b"\r\n", b" ") + b"\r\n\r\n"),
    "echo as header": lambda connection, sent: connection.sendall(b"HTTP/1.1 200 OK\r\n" + sent.replace(b"\r\n", b" ") + b"\r\n\r\n"),
    "echo as chunk": lambda connection, sent: connection.sendall(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b" ".join(sent.split(b"\r\n")[-9:]) + b"\r\n\r\n"
    ),
}  # fmt: skip


def echo(server: Server) -> str:
    """All secrets of the last request, as sent and decoded, as on a debug page."""
    _, _, headers, body = server.seen[-1]
    basic = headers.get("Authorization", "").removeprefix("Basic ")
    clear = base64.b64decode(basic).decode() if "Basic" in headers.get("Authorization", "") else ""
    clear = unquote_plus(clear) + clear if body else clear
    held = [value for name, value in headers.items() if name in ("Authorization", "X-API-Key", "X-Tenant-Key")]
    return " ".join(
        (*held, *(value.rpartition(" ")[2] for value in held), clear, body.decode(), unquote_plus(body.decode()))
    )


def error_response(text: str, status: int, **headers: str) -> Scripted:
    """An error response with the text in every place; short fields show it where long ones are cut."""
    body = {
        "userMessage": "x" * 185 + text, "errorCode": text, "developerMessage": text, "headers": {text: [text]},
        "details": [{"message": text, "stackTrace": text, "properties": {text: text}}],
    }  # fmt: skip
    status, _, content = as_json(body, status)
    # As PHP writes JSON.
    return status, {"Content-Type": "application/json", **headers}, content.replace(b"/", b"\\/")


def shown(text: str) -> dict[str, str]:
    """Headers that show the text."""
    names = ("Set-Cookie", "WWW-Authenticate", "X-API-Key", "Location", "X-Request-Id", "Content-Type", "Retry-After")
    return dict.fromkeys(names, text)


def responding(status: int) -> Callable[[str, str], Scripted]:
    return lambda text, _: error_response(text, status)


ERROR_RESPONSES = {str(status): responding(status) for status in (400, 401, 403, 404, 500)}
RESPONSES: dict[str, Callable[[str, str], Scripted]] = {
    **ERROR_RESPONSES,
    "error with headers": lambda text, _: error_response(text, 429, **shown(text)),
    "HTML": lambda text, _: (200, shown(text), f"<html>{text}".encode()),
    "HTML error": lambda text, _: (503, {"Content-Type": "text/html"}, f"<html>{text}".encode()),
    "malformed JSON": lambda text, _: (200, {}, json.dumps(error_response(text, 200)[2].decode()).encode()[:-1]),
    "not UTF-8": lambda text, _: (200, {}, text.encode() + b"\xff"),
    "undeclared": lambda text, _: error_response(text, 202),
    "error with 200": lambda text, _: error_response(text, 200),
    "contract": lambda text, _: as_json({**page(1), "total": text}),
    "deviation": lambda text, _: as_json({"_embedded": {"invoices": [{"invoice_due_date": text, text: text}]}, "total": 9}),
    "redirect": lambda text, elsewhere: (302, {"Location": elsewhere}, text.encode()),
    "other origin": lambda text, elsewhere: as_json(page(1, total=2, following=f"{elsewhere}/?{quote(text)}")),
    "link with user": lambda text, _: as_json(page(1, following=f"https://u:{quote(text, safe='')}@b")),
    "link that is no URL": lambda text, _: as_json(page(1, following=f"//[{text}")),
    "link to no port": lambda text, _: as_json(page(1, following=f"https://b:{text}")),
    "decompression": lambda text, _: (200, {"Content-Encoding": "gzip"}, text.encode()),
}  # fmt: skip


class Lab:
    """Servers that fail, and all output of clients with secrets."""

    def __init__(self, bridge: Server, tokens: Server, elsewhere: Server, raw: Raw) -> None:
        self.bridge, self.tokens, self.elsewhere, self.raw = bridge, tokens, elsewhere, raw
        self.output: list[object] = []
        self.sent: list[bytes] = []
        self.leaking = False

    def clear(self) -> None:
        for server in (self.bridge, self.tokens, self.elsewhere, self.raw):
            server.seen.clear()
        self.tokens.respond_with(TOKEN)
        self.bridge.respond_with(page(1))
        self.output, self.sent, self.leaking = [], [], False

    def options(self, auth: Auth, **more: Any) -> dict[str, Any]:
        retry = Retry(attempts=2, backoff=0, on_attempt=self.output.append)
        return {**OPTIONS, "verify": CONTEXT, "auth": auth, "retry": retry, "on_deviation": self.output.append, **more}

    def fails(
        self, flavour: str, url: str, auth: Auth, *, account: str = "1", echoed: bool = False, **more: Any
    ) -> errors.BridgeError:
        """List invoices and return the error; keep all output on the way."""
        options = self.options(auth, **more)

        def blocking() -> None:
            with BridgeClient(url, **options) as bridge:
                self.output += describe(bridge)
                invoices = bridge.billing.iter_account_invoices(account)
                self.output.append(json.dumps(invoices.position))
                list(invoices)

        async def awaiting() -> None:
            async with AsyncBridgeClient(url, **options) as bridge:
                self.output += describe(bridge)
                invoices = bridge.billing.iter_account_invoices(account)
                self.output.append(json.dumps(invoices.position))
                [invoice async for invoice in invoices]

        with pytest.raises(errors.BridgeError) as caught:
            blocking() if flavour == "sync" else asyncio.run(awaiting(), debug=True)
        self.output += describe_error(caught.value, echoed=echoed)
        return caught.value


CONTEXT = ssl.create_default_context()


def describe(thing: object) -> list[object]:
    """All printed forms of a client or a credential."""
    settings = getattr(getattr(thing, "_caller", None), "settings", None)
    shown = [thing, settings, getattr(settings, "auth", None), getattr(settings, "retry", None)]
    return [text for one in shown for text in (repr(one), str(one), f"{one}", pprint.pformat(one), pretty_repr(one))]


def locals_of(error: BaseException) -> list[object]:
    """The local variables of the package in an error's traceback, as `pytest -l`, rich and Sentry show them."""
    texts: list[object] = []
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "talkdesk_bridge" in frame.f_code.co_filename or "attrs generated" in frame.f_code.co_filename:
            place = f"{frame.f_code.co_qualname}.{{}} = {{}}"
            for name, value in frame.f_locals.items():
                texts.append(place.format(name, repr(value)))
                with suppress(AttributeError):  # of a model that is not complete yet
                    texts.append(place.format(name, pretty_repr(value, max_string=80)))
    return texts


def describe_error(error: BaseException, *, echoed: bool = False) -> list[object]:
    """All printed and stored forms of an error and its causes.

    Local variables are not among them if a page is `echoed`: the page is the caller's data, and theirs to show.
    """
    texts: list[object] = [*traceback.format_exception(error), repr(vars(copy.deepcopy(error)))]
    texts += [pickle.dumps(error, protocol).decode("latin-1") for protocol in (0, pickle.HIGHEST_PROTOCOL)]
    behind: BaseException | None = error
    while behind:
        texts += [
            str(behind),
            repr(behind),
            repr(behind.args),
            pretty_repr(vars(behind)),
            *getattr(behind, "__notes__", []),
        ]
        texts += [repr(getattr(behind, name, None)) for name in ("doc", "object", "request")]
        texts += [] if echoed else locals_of(behind)
        behind = behind.__cause__ or behind.__context__
    return texts


@pytest.fixture(scope="module")
def servers() -> Iterator[Lab]:
    with Server() as bridge, Server() as tokens, Server() as elsewhere, Raw() as raw:
        yield Lab(bridge, tokens, elsewhere, raw)


@pytest.fixture
def lab(servers: Lab, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[Lab]:
    """The servers. After a test, no output may show a secret, and each server may have seen only its own secrets."""
    servers.clear()
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield servers
    # httpcore's log shows response headers, and so the values that a server echoes: see docs/credentials.md.
    records = [record for record in caplog.get_records("call") if not record.name.startswith("httpcore")]
    logged = [text for record in records for text in (record.getMessage(), repr(vars(record)))]
    texts = [*map(repr, servers.output), *map(str, servers.output), *capfd.readouterr(), *map(str, warned), *logged]
    sent = (*servers.sent, *servers.raw.seen, *(body for *_, body in servers.tokens.seen))
    assertions = [mark for one in sent for mark in in_assertion(one)]
    leaks = [place for text in texts for place in found(text, MARKS + assertions)]
    if servers.leaking:
        assert [leak for leak in LEAKS if not any(leak in place for place in leaks)] == []
        return
    assert leaks[:5] == []
    assert servers.elsewhere.seen == []
    for server, own in (
        (servers.bridge, "key authorization bearer basic token option"),
        (servers.tokens, "client parameter"),
    ):
        ends = [f"{kind}{HALVES[1]}" for kind in OTHERS - {*own.split()}]
        foreign = [*(mark for end in ends for mark in (end, *in_base64(end))), *IN_KEY]
        foreign += assertions if server is servers.bridge else []
        for _, target, headers, body in server.seen:
            assert headers.keys() <= SENT, "an unexpected header"
            assert not found(f"{target} {headers['User-Agent']}")
            assert not found(f"{headers} {body!r}", foreign)


OTHERS = {"key", "authorization", "bearer", "basic", "client", "parameter", "token", "option"}
SENT = {"Host", "Accept", "Accept-Encoding", "Connection", "User-Agent", "Content-Length", "Content-Type",
        "Authorization", "X-API-Key", "X-Tenant-Key"}  # fmt: skip
both = pytest.mark.parametrize("flavour", ["sync", "async"])
each_kind = pytest.mark.parametrize("kind", KINDS)
WITH_TOKENS = ["oauth", "private key"]
with_tokens = pytest.mark.parametrize("kind", WITH_TOKENS)


LEAKS = [f"by {way} {HALVES[0]}" for way in ("log", "argument", "warning", "print", "descriptor", "object", "cause")]


def test_every_kind_of_leak_is_found(lab: Lab) -> None:
    lab.leaking = True
    logging.getLogger("httpx").debug(f"by log {HALVES[0]}")
    logging.getLogger("talkdesk_bridge").debug("%.0s", f"by argument {HALVES[0]}")
    warnings.warn(f"by warning {HALVES[0]}", ResourceWarning, stacklevel=1)
    sys.stdout.write(f"by print {HALVES[0]}")
    os.write(2, f"by descriptor {HALVES[0]}".encode())
    lab.output.append([f"by object {HALVES[0]}"])
    error = errors.BridgeError()
    error.__context__ = ValueError(f"by cause {HALVES[0]}")
    lab.output += describe_error(error)


@both
@each_kind
@pytest.mark.parametrize("response", RESPONSES)
def test_a_response_that_echoes_the_request(lab: Lab, flavour: str, kind: str, response: str) -> None:
    lab.bridge.script = lambda method, target: RESPONSES[response](echo(lab.bridge), lab.elsewhere.url)
    echoed = response in {"contract", "deviation", "error with 200", "other origin"} or response.startswith("link ")
    error = lab.fails(flavour, lab.bridge.url, KINDS[kind](lab.tokens.url), echoed=echoed)
    assert lab.bridge.seen
    assert ("[secret]" in str(error)) == (response in {*ERROR_RESPONSES, "error with headers", "HTML"})


@both
@each_kind
@pytest.mark.parametrize("broken", BROKEN)
def test_a_connection_that_breaks(lab: Lab, flavour: str, kind: str, broken: str) -> None:
    lab.raw.behave = BROKEN[broken]
    timeout = (5, 0.3) if broken == "silence" else (5, 5)
    lab.fails(flavour, lab.raw.url, KINDS[kind](lab.tokens.url), retry=Retry(attempts=1), timeout=timeout)
    assert lab.raw.seen


@both
@each_kind
def test_no_connection(lab: Lab, flavour: str, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    auth = KINDS[kind](lab.tokens.url)
    for unreachable in (url, lab.bridge.url.replace("http:", "https:")):
        assert isinstance(lab.fails(flavour, unreachable, auth), errors.NotSentError)
    if kind not in WITH_TOKENS:
        proxy = f"http://u:{HALVES[0]}@a..b"
        assert isinstance(lab.fails(flavour, "https://bridge.example", auth, proxy=proxy), errors.NotSentError)


@both
def test_which_response_headers_are_shown(lab: Lab, flavour: str) -> None:
    visible = {"X-Request-Id": "r-1", "Retry-After": "0", "Content-Type": "application/json", "Content-Length": "2"}
    hidden = (
        "Set-Cookie",
        "WWW-Authenticate",
        "X-API-Key",
        "Location",
        "Link",
        "Authentication-Info",
        "X-Amz-Security-Token",
    )
    sent = {
        name: value for name, value in visible.items() if name != "Content-Length"
    }  # which the server counts itself
    lab.bridge.respond_with((503, {**sent, **dict.fromkeys(hidden, f"a={secret('key')}")}, b"{}"))
    assert isinstance(lab.fails(flavour, lab.bridge.url, NoAuth()), errors.ServerError)
    for attempt in lab.output:
        if isinstance(attempt, Attempt):
            assert attempt.headers.items() >= visible.items()
            assert attempt.headers.keys() == visible.keys() | {"Date"}


def test_a_response_does_not_show_its_headers(lab: Lab) -> None:
    lab.bridge.respond_with((200, shown(secret("key")), as_json(page(1))[2]))
    with BridgeClient(lab.bridge.url, **lab.options(KINDS["key"](""))) as bridge:
        response = bridge.with_response(bridge.billing.get_account_invoices, "1")
    assert response.headers["Set-Cookie"] == "[secret]"
    lab.output += describe(response)


def test_a_key_in_the_query_of_the_token_url_is_not_shown(server: Server) -> None:
    server.respond_with((403, {}, b"{}"))
    auth = OAuth2ClientCredentials(f"{server.url}/token?code={HALVES[0]}", "id", "secret")
    with BridgeClient(server.url, auth=auth) as bridge, pytest.raises(errors.AuthenticationError) as caught:
        bridge.billing.get_account_invoices("1")
    assert server.seen[0][1] == f"/token?code={HALVES[0]}"
    assert not found(f"{describe(bridge)} {describe_error(caught.value)}")


@both
def test_no_query_is_logged_at_info(
    server: Server, elsewhere: Server, flavour: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The query of the token URL is a secret. No logger has a filter, which would also act on the logs of others."""
    times = [0.0]
    moved = page(1, following=f"http://inner.example{invoices_of('1')}?page=2&cursor={HALVES[1]}")
    auth = OAuth2ClientCredentials(f"{elsewhere.url}/token?code={HALVES[0]}", "id", "secret")
    options: dict[str, Any] = {"clock": lambda: times[-1], "retry": Retry(backoff=0)}

    def blocking() -> None:
        with BridgeClient(server.url, auth, **options) as bridge:
            list(bridge.billing.iter_account_invoices("1"))
            times.append(3600 - 60)
            list(bridge.billing.iter_account_invoices("1"))

    async def awaiting() -> None:
        async with AsyncBridgeClient(server.url, auth, **options) as bridge:
            [invoice async for invoice in bridge.billing.iter_account_invoices("1")]
            times.append(3600 - 60)
            [invoice async for invoice in bridge.billing.iter_account_invoices("1")]

    caplog.set_level(logging.INFO)
    server.respond_with(moved, as_json({}, 503), page(2, total=2), moved, page(2, total=2))
    elsewhere.respond_with(TOKEN, as_json({"error": "code?"}, 401))  # it cannot be renewed
    blocking() if flavour == "sync" else asyncio.run(awaiting(), debug=True)
    assert [seen[1] for seen in elsewhere.seen] == [f"/token?code={HALVES[0]}"] * 2
    assert f"cursor={HALVES[1]}" in server.seen[1][1]
    # asyncio's own say how long a step took.
    messages = [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    assert [message[:10] for message in messages] == ["Next links", "Token rene"]
    assert not found(f"{[vars(record) for record in caplog.records]}")
    for name in ("talkdesk_bridge", "talkdesk_bridge_http", "httpx", "httpcore", "httpcore.http11", "asyncio", "root"):
        assert logging.getLogger(name).filters == []


def closed(connection: socket.socket, sent: bytes) -> None:
    """A proxy that returns 407, and echoes the request."""
    connection.sendall(
        b"HTTP/1.1 407 " + b" ".join(sent.split()) + b"\r\nProxy-Authenticate: " + b" ".join(sent.split())
    )
    connection.sendall(b"\r\nContent-Length: 0\r\n\r\n")


def no_tls(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    connection.sendall(b"no TLS: " + connection.recv(65536))


@both
@pytest.mark.parametrize("given", ["argument", "environment"])
@pytest.mark.parametrize("behaviour", [closed, no_tls, *BROKEN.values()], ids=["refused", "no TLS", *BROKEN])
def test_a_proxy_that_fails(
    lab: Lab,
    flavour: str,
    given: str,
    behaviour: Callable[[socket.socket, bytes], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = f"http://user:{quote(secret('proxy'), safe='')}@{lab.raw.address}"
    lab.raw.behave = behaviour
    more: dict[str, Any] = {"timeout": (1, 0.3) if behaviour is BROKEN["silence"] else (5, 5)}
    if given == "argument":
        more["proxy"] = proxy
    else:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
    lab.fails(flavour, "https://bridge.example", KINDS["key"](""), retry=Retry(attempts=1), **more)
    (sent,) = lab.raw.seen
    assert sent.startswith(b"CONNECT bridge.example:443 ")
    assert b"Proxy-Authorization: Basic " in sent
    assert not found(sent.decode().partition("Proxy-Authorization")[0])
    assert b"key" not in sent
    assert b"X-Tenant" not in sent


TOKEN_RESPONSES: dict[str, Callable[[str], Scripted]] = {
    "refused": lambda text: as_json({"error": text, "error_description": "x" * 185 + text}, 401),
    "unavailable": lambda text: (503, {"Retry-After": "99", **shown(text)}, text.encode()),
    "redirect": lambda text: (302, {"Location": f"/{text}"}, b""),
    "no token": lambda text: (200, shown(text), text.encode()),
    "token of another kind": lambda text: as_json({**TOKEN, "token_type": text.replace("bearer", "mac")}),
    "token with a blank": lambda text: as_json({**TOKEN, "access_token": f"{secret('token')} {text}"}),
}  # fmt: skip


@both
@with_tokens
@pytest.mark.parametrize("response", TOKEN_RESPONSES)
def test_a_token_server_that_returns_an_error(lab: Lab, flavour: str, kind: str, response: str) -> None:
    lab.tokens.script = lambda method, target: TOKEN_RESPONSES[response](echo(lab.tokens))
    error = lab.fails(flavour, lab.bridge.url, KINDS[kind](lab.tokens.url))
    assert isinstance(error, errors.AuthenticationError)
    assert ("[secret]" in str(error)) == (response in ("refused", "token of another kind"))
    assert bool(in_assertion(lab.tokens.seen[0][3])) == (kind == "private key")
    assert lab.bridge.seen == []


@both
@with_tokens
@pytest.mark.parametrize("broken", BROKEN)
def test_a_token_server_that_breaks(lab: Lab, flavour: str, kind: str, broken: str) -> None:
    lab.raw.behave = BROKEN[broken]
    error = lab.fails(flavour, lab.bridge.url, KINDS[kind](lab.raw.url), retry=Retry(attempts=1))
    assert isinstance(error, errors.AuthenticationError)
    assert lab.bridge.seen == []


@with_tokens
def test_a_token_that_cannot_be_renewed(lab: Lab, kind: str) -> None:
    now = 0.0
    with BridgeClient(lab.bridge.url, **lab.options(KINDS[kind](lab.tokens.url), clock=lambda: now)) as bridge:
        bridge.billing.get_account_invoices("1")
        now = 3600 - 60
        lab.tokens.script = lambda method, target: TOKEN_RESPONSES["refused"](echo(lab.tokens))
        bridge.billing.get_account_invoices("1")
    assert len(lab.tokens.seen) == len(lab.bridge.seen) == 2


def test_a_cookie_stays_where_it_came_from(lab: Lab) -> None:
    cookie = {"Set-Cookie": f"session={secret('client').split('/')[0]}"}
    lab.tokens.respond_with((200, cookie, as_json(TOKEN)[2]))
    with BridgeClient(lab.bridge.url, **lab.options(KINDS["oauth"](lab.tokens.url))) as bridge:
        for _ in range(2):
            bridge.billing.get_account_invoices("1")
    assert ["Cookie" in seen[2] for seen in lab.bridge.seen] == [False, False]


@both
@each_kind
def test_a_call_that_is_rejected_before_it_is_sent(lab: Lab, flavour: str, kind: str) -> None:
    auth = KINDS[kind](lab.tokens.url)
    for account, more in (
        ("..", {}),
        ("", {}),
        ("1", {"retry": secret("option")}),
        ("1", {"headers": {"X": secret("option") + "\n"}}),
    ):
        lab.fails(flavour, lab.bridge.url, auth, account=account, **more)

    async def closed() -> None:
        options = lab.options(auth)
        client = (BridgeClient if flavour == "sync" else AsyncBridgeClient)(lab.bridge.url, **options)
        for closing in (client.close, lambda: client.billing.get_account_invoices("1")):
            if inspect.isawaitable(result := closing()):
                await result

    with pytest.raises(errors.ConfigurationError, match="closed") as caught:
        asyncio.run(closed())
    lab.output += describe_error(caught.value)
    assert lab.bridge.seen == lab.tokens.seen == []


BAD, HALF = secret("bad"), HALVES[0]
signed = partial(OAuth2PrivateKeyJWT, "https://t.example", "id")
OAUTH = ("https://t.example", "id", "secret")
INVALID: dict[str, Callable[[], object]] = {
    **{f"{make.__name__} {end!r}": partial(make, BAD + end)
       for make in (HeaderAuth, BearerAuth) for end in ("\n", "\r\nX: y", "\x00", " ", "é", "\udcff")},
    **{f"url {url}": partial(BridgeClient, url) for url in (
        f"https://u:{BAD}@b.example", f"https://{quote(BAD, safe='')}@b.example", f"https://u:{quote(BAD, safe='')}@b.example",
        f"https://u:{BAD}@ho\u2100st", f"https://u:{HALF}@ho\u2100st", f"https://u:{HALF}@[b", f"https://u:{HALF}@b:x",
        f"https://b.example?key={BAD}", f"https://b.example#{BAD}", f"u:{BAD}@b.example", f"ftp://u:{BAD}@b.example",
        f"https://u:{BAD}@b.example\n", f"https://u:{HALF}@a..b")},
    **{f"proxy {url}": partial(BridgeClient, "https://b.example", proxy=url) for url in (
        f"u:{BAD}@p:1", f"http://u:{BAD}@p:1", f"nonsense://u:{BAD}@p", f"socks5://u:{HALF}@p:1", f"http://u:{HALF}@p:x",
        f"http://u:{HALF}\n@p", f"http://u:{HALF}\udcff@p", f"http://u:{HALF}@\u2100")},
    **{f"token URL {url}": partial(OAuth2ClientCredentials, url, "id", "secret") for url in (
        f"https://u:{BAD}@t", f"https://u:{HALF}@t", f"http://u:{HALF}@t:x", f"https://u:{HALF}@[t", f"https://u:{HALF}@ho\u2100st")},
    "key for a token": lambda: BearerAuth(f"Bearer {BAD}"),
    "header name": lambda: HeaderAuth("k", name=f"X: {BAD}"),
    "password": lambda: BasicAuth("u", BAD + "\ud800"),
    "user": lambda: BasicAuth(f"u:{BAD}", "p"),
    "client secret": lambda: OAuth2ClientCredentials(*OAUTH[:2], BAD + "\n"),
    "parameters": lambda: OAuth2ClientCredentials(*OAUTH, parameters={"client_secret": BAD}),
    "parameter": lambda: OAuth2ClientCredentials(*OAUTH, parameters={"assertion": BAD.encode()}),  # type: ignore[dict-item]
    **{f"private key {number}": partial(signed, key) for number, key in enumerate((
        BAD, BAD + "\ud800", KEY + "\ud800", KEY[:-8], KEY[8:], pem()[:-20], pem().replace("PRIVATE", "PUBLIC"), pem().replace("\n", "\\", 1),
        pem(password="x") + pem(), pem().encode(), [KEY]))},
    **{f"private key for {algorithm}": partial(signed, KEY, algorithm=algorithm) for algorithm in ("ES384", "RS256", "HS256", "none", BAD)},
    "private key as another argument": lambda: OAuth2PrivateKeyJWT("https://t.example", pem(), KEY),
    "private key as algorithm": lambda: signed(KEY, algorithm=KEY),
    "private key as URL": lambda: OAuth2PrivateKeyJWT(KEY, "id", KEY),
    "headers": lambda: BridgeClient("https://b", headers={"X-Key": BAD + "\n"}),
    "header": lambda: BridgeClient("https://b", headers=f"X-Key: {BAD}"),  # type: ignore[arg-type]
    "proxy elsewhere": lambda: BridgeClient("http://127.0.0.1:1", proxy=f"http://u:{HALF}@proxy.example"),
    "token URL over a proxy": lambda: BridgeClient(
        "https://b", auth=OAuth2ClientCredentials("http://127.0.0.1:1", "id", BAD), proxy=f"http://u:{HALF}@proxy.example"),
    "auth": lambda: BridgeClient("https://b", auth=BAD),  # type: ignore[arg-type]
    "pair": lambda: BridgeClient("https://b", auth=("user", BAD)),  # type: ignore[arg-type]
    "timeout": lambda: BridgeClient("https://b", timeout=BAD),  # type: ignore[arg-type]
    "certificate": lambda: BridgeClient("https://b", cert=("/nowhere.pem", "/nowhere.key", BAD)),  # type: ignore[arg-type]
    **{f"variables {names}": partial(
        BridgeClient.from_env, {f"TALKDESK_BRIDGE_{name}": BAD for name in names.split()} | {"TALKDESK_BRIDGE_URL": "https://b"})
       for names in ("API_KEY BEARER_TOKEN", "API_KEY PASSWORD", "BEARER_TOKEN CLIENT_SECRET", "PASSWORD", "CLIENT_SECRET",
                     "PRIVATE_KEY", "PRIVATE_KEY CLIENT_SECRET", "PRIVATE_KEY KEY_ID API_KEY")},
}  # fmt: skip


@pytest.mark.parametrize("case", INVALID)
def test_an_invalid_setting(lab: Lab, case: str) -> None:
    with pytest.raises(errors.ConfigurationError) as caught:
        INVALID[case]()
    lab.output += describe_error(caught.value)


HOLDERS: dict[str, Callable[[], object]] = {
    **{kind: partial(KINDS[kind], "https://t.example") for kind in KINDS},
    "client": lambda: BridgeClient("https://b", auth=KINDS["key"]("")),
    "client with headers": lambda: BridgeClient("https://b", **OPTIONS),
    "async client": lambda: AsyncBridgeClient("https://b", **OPTIONS),
    "settings": lambda: BridgeClient("https://b", **OPTIONS)._caller.settings,
    "settings with a proxy": lambda: BridgeClient("https://b", proxy=f"http://u:{HALVES[0]}@p")._caller.settings,
    "settings with a certificate": lambda: attrs.evolve(
        BridgeClient("https://b")._caller.settings, cert=("a", "b", secret("certificate"))),  # type: ignore[arg-type] # httpx accepts a password here
}  # fmt: skip


@pytest.mark.parametrize("holder", HOLDERS)
def test_an_object_with_a_secret_is_neither_printed_nor_pickled(lab: Lab, holder: str) -> None:
    thing = HOLDERS[holder]()
    lab.output += describe(thing)
    attempts: list[Callable[[], object]] = [partial(pickle.dumps, thing, protocol) for protocol in range(6)]
    attempts.append(partial(json.dumps, thing))
    for attempt in attempts:
        with pytest.raises(TypeError) as caught:
            attempt()
        lab.output += describe_error(caught.value)
    if isinstance(thing, Auth):
        assert copy.copy(thing) is copy.deepcopy(thing) is thing


# What pytest shows of failures, with all that it can show. The secrets come from variables, so that no source shows them.
FAILING = """
import os
from functools import partial

import httpx
import pytest
from attrs import define, field
from talkdesk_bridge import (
    Auth, BasicAuth, BearerAuth, BridgeClient, HeaderAuth, OAuth2ClientCredentials, OAuth2PrivateKeyJWT
)
from talkdesk_bridge_sandbox import Credentials


@define(frozen=True)
class Own(Auth):
    key: str = field(repr=False)


URL = "https://bridge.example"
MAKE = {
    "key": lambda secret: HeaderAuth(secret),
    "bearer": lambda secret: BearerAuth(secret),
    "basic": lambda secret: BasicAuth("user", secret),
    "oauth": lambda secret: OAuth2ClientCredentials(f"{URL}?k={secret}", "id", secret, parameters={"a": secret}),
    "own": lambda secret: Own(secret),
}


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_comparison(make):
    one, other = make(os.environ["ONE"]), make(os.environ["OTHER"])
    assert one == other


def test_comparison_of_keys():
    one, other = (OAuth2PrivateKeyJWT(URL, "id", os.environ[name]) for name in ("A_KEY", "ANOTHER_KEY"))
    assert one == other


def test_comparison_of_settings():
    one, other = (BridgeClient(URL, headers={"X": os.environ[name]})._caller.settings for name in ("ONE", "OTHER"))
    assert one == other


def test_comparison_of_the_sandbox():
    one, other = (Credentials(api_key=os.environ[name]) for name in ("ONE", "OTHER"))
    assert one == other


@pytest.mark.parametrize("make", [HeaderAuth, BearerAuth, partial(BasicAuth, "u:")])
def test_constructor(make):
    make(os.environ["ONE"] + chr(10))


@pytest.mark.parametrize("options", ["{'headers': {'X': os.environ['ONE'] + chr(10)}}", "{'proxy': os.environ['ONE']}"])
def test_option(options):
    BridgeClient(URL, **eval(options))


def test_too_many_arguments():
    HeaderAuth(os.environ["ONE"], "X-Key", os.environ["OTHER"])


def test_option_of_a_call():
    BridgeClient(URL).with_options(headers={"X": os.environ["ONE"] + chr(10)})


def test_environment():
    BridgeClient.from_env()


def respond(request):
    if request.method == "POST":
        return httpx.Response(200, json={"access_token": os.environ["OTHER"]})
    return httpx.Response(401)


def test_call():
    auth = OAuth2ClientCredentials(f"{URL}?k={os.environ['ONE']}", "id", os.environ["ONE"])
    with BridgeClient(URL, auth, transport=httpx.MockTransport(respond), headers={"X": os.environ["ONE"]}) as bridge:
        bridge.billing.get_account_invoices("1")


def test_call_whose_hook_fails(monkeypatch):
    def fail(attempt):
        raise ValueError(attempt.operation)

    from talkdesk_bridge import Retry

    auth = OAuth2ClientCredentials(f"{URL}?k={os.environ['ONE']}", "id", os.environ["ONE"], auth_method="client_secret_post")
    retry = Retry(on_attempt=fail)
    with BridgeClient(URL, auth, transport=httpx.MockTransport(respond), retry=retry) as bridge:
        bridge.billing.get_account_invoices("1")
"""


def test_a_failing_test_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / "test_failing.py").write_text(FAILING)
    secrets = {"ONE": "Mk7Vq2Xn-one", "OTHER": "Wp9Jh4Rt-other", "A_KEY": bare(), "ANOTHER_KEY": bare("another")}
    broken = {"TALKDESK_BRIDGE_URL": "https://b", "TALKDESK_BRIDGE_API_KEY": secrets["ONE"] + "\n"}
    command = [sys.executable, "-m", "pytest", "-vv", "--showlocals", "-p", "no:cacheprovider", "test_failing.py"]
    result = subprocess.run(
        command, cwd=tmp_path, env=os.environ | secrets | broken, capture_output=True, text=True, check=False, timeout=120
    )  # fmt: skip
    assert f"{FAILING.count('def test_') + 7} failed" in result.stdout, result.stdout
    assert "BearerAuth() == BearerAuth()" in result.stdout
    assert "OAuth2ClientCredentials(token_url='https://bridge.example', client_id='id'" in result.stdout
    assert found(result.stdout) == []


ERROR_ARGUMENTS: dict[str, Any] = {
    "status_code": 418, "method": "GET", "path": "/x", "request_id": "r-1", "retry_after": 1.5, "json_path": "$.a",
    "error_info": ErrorInfo(user_message="No", details=[ErrorDetails(message="x")]),
    "data": {"userMessage": "No"}, "expected": 3, "seen": "string", "received": 2, "page": 2, "requested": "https://b/x", "link": "/y",
}  # fmt: skip


@pytest.mark.parametrize("name", errors.__all__)
def test_errors_pickle_and_copy(name: str) -> None:
    kind = getattr(errors, name)
    takes = inspect.signature(kind.__init__).parameters.keys()
    error = kind("message", **{argument: value for argument, value in ERROR_ARGUMENTS.items() if argument in takes})
    error.add_note("noted")
    inherited = {"page", "requested", "link"} if kind is errors.IncompleteError else set()
    assert vars(error).keys() - {"__notes__"} == (takes | inherited) - {"self", "message", "args", "kwargs"}
    pickles = [pickle.dumps(error, protocol) for protocol in range(6)]
    for other in (*map(pickle.loads, pickles), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is kind
        assert (other.args, str(other), vars(other)) == (error.args, "message", vars(error))


PROGRAM = """
import logging
logging.basicConfig(level=1)
logging.getLogger("httpcore").setLevel("WARNING")
from talkdesk_bridge_cli.main import main
main()
"""
DEVELOPING = {"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "always", "PYTHONASYNCIODEBUG": "1"}
VARIABLES: list[dict[str, str]] = [
    {"API_KEY": secret("key"), "API_KEY_HEADER": "X-API-Key"},
    {"BEARER_TOKEN": secret("bearer")},
    {"USERNAME": "user", "PASSWORD": secret("basic")},
    {"TOKEN_URL": "{tokens}", "CLIENT_ID": "id", "CLIENT_SECRET": secret("client")},
    {"TOKEN_URL": "{tokens}", "CLIENT_ID": "id", "PRIVATE_KEY": pem().replace("\n", "\\n"), "KEY_ID": "k-1"},
]
# One fault each, with the next kind of credential: starting a process takes long, and it says the same as the clients.
COMMANDS: list[tuple[str, dict[str, str]]] = [
    *((response, VARIABLES[number % len(VARIABLES)]) for number, response in enumerate(RESPONSES)),
    *((response, VARIABLES[number]) for response in ("refused", "no token") for number in (3, 4)),
    *(("400", {**VARIABLES[number], "URL": "http://127.0.0.1:1"}) for number in (0, 3)),
    ("400", {"URL": f"https://u:{BAD}@b"}),
    ("400", {**VARIABLES[3], "TOKEN_URL": f"https://u:{HALVES[0]}@t"}),
    ("400", {**VARIABLES[4], "PRIVATE_KEY": KEY[:-8]}),
    ("400", {**VARIABLES[4], "ALGORITHM": "HS256"}),
    ("400", {"API_KEY": f"{BAD}\n"}),
    ("400", {"API_KEY": BAD, "BEARER_TOKEN": BAD}),
    ("400", {**VARIABLES[0], "URL": "https://bridge.example", "HTTPS_PROXY": f"http://u:{quote(BAD, safe='')}@{{proxy}}"}),
]  # fmt: skip


def test_the_command(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs each fault, and every third one in a program that logs everything, in Python's development mode."""
    monkeypatch.setattr("random.uniform", lambda *_: 0)
    machine = dict(os.environ)  # a copy, because calls in this process change it

    def run(number: int) -> subprocess.CompletedProcess[str]:
        response, variables = COMMANDS[number]
        with Server() as bridge, Server() as tokens:
            bridge.script = lambda method, target: RESPONSES[response](echo(bridge), lab.elsewhere.url)
            tokens.respond_with(TOKEN)
            if response in TOKEN_RESPONSES:
                tokens.script = lambda method, target: TOKEN_RESPONSES[response](echo(tokens))
            named = {"URL": bridge.url, **variables}
            places = {"{tokens}": f"{tokens.url}/token", "{proxy}": lab.raw.address}
            for name, (old, new) in ((name, place) for name in named for place in places.items()):
                named[name] = named[name].replace(old, new)
            prefixes = {"HTTPS_PROXY": ""}
            given = {prefixes.get(name, "TALKDESK_BRIDGE_") + name: value for name, value in named.items()}
            arguments = ["invoices", "1", "--debug"]
            if number % 3:
                result = call(arguments, machine | given)
            else:
                result = subprocess.run(
                    [sys.executable, "-c", PROGRAM, *arguments],
                    env=machine | DEVELOPING | given, capture_output=True, text=True, check=False, timeout=60,
                )  # fmt: skip
            lab.sent += [body for *_, body in tokens.seen]
            assert all(not found(seen[2]["User-Agent"] + seen[1]) for seen in (*bridge.seen, *tokens.seen))
        return result

    lab.raw.behave = closed
    with ThreadPoolExecutor(4) as pool:
        numbers = range(len(COMMANDS))
        processes = {number: pool.submit(run, number) for number in numbers if number % 3 == 0}
        results = {number: run(number) for number in numbers if number % 3}
        results |= {number: process.result() for number, process in processes.items()}
        for number, result in results.items():
            response = COMMANDS[number][0]
            assert (result.returncode > 0, result.stdout) == (True, ""), response
            assert "talkdesk-bridge: " in result.stderr
            assert "Traceback" not in result.stderr
            lab.output.append(f"{response}: {result.stderr}")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_a_credential_echoed_with_json_escapes_is_redacted(
    server: Server, encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    key = "abc+def/ghi&jk<l>=="
    escaped = "".join(f"\\u{ord(character):04X}" for character in key)
    body = f'{{"userMessage": "bad {escaped}", "{escaped}": ["{escaped}"], "errorCode": "{key}"}}'.encode(encoding)
    server.respond_with((400, {"Content-Type": "application/json"}, body))
    with BridgeClient(server.url, auth=HeaderAuth(key)) as bridge, pytest.raises(errors.BadRequestError) as caught:
        bridge.billing.get_account_invoices("1")
    assert key not in f"{caught.value} {caught.value.error_info} {caplog.text}"
    assert "bad [secret]" in str(caught.value)


def test_a_link_with_the_credential_is_followed_but_redacted(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "talkdesk_bridge")
    server.respond_with(page(1, following="/n/s3cret-of-mine/x"), (404, {}, b""))
    with BridgeClient(server.url, auth=HeaderAuth("s3cret-of-mine")) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        next(invoices)
        with pytest.raises(errors.PagingError) as caught:
            next(invoices)
    assert server.seen[1][1] == "/n/s3cret-of-mine/x"
    cause = caught.value.__cause__
    assert isinstance(cause, errors.NotFoundError)
    assert "/n/[secret]/x" in str(cause)
    assert "s3cret" not in f"{caught.value} {vars(caught.value)} {cause} {cause.path} {caplog.text}"


def test_a_token_server_that_echoes_the_query_of_its_url(server: Server) -> None:
    server.respond_with(as_json({"error": "invalid_request", "error_description": "/token?code=QUERYS3CRET"}, 400))
    auth = OAuth2ClientCredentials(f"{server.url}/token?code=QUERYS3CRET", "id", "s3cret-of-mine")
    with BridgeClient(server.url, auth=auth) as bridge, pytest.raises(errors.AuthenticationError) as caught:
        bridge.billing.get_account_invoices("1")
    assert "code=[secret]" in str(caught.value)

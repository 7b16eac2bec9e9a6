"""Fixtures and helpers for several test files: the sandbox, a scripted server, and copies of the contract."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from talkdesk_bridge import VARIABLES, AsyncBridgeClient, Auth, BridgeClient, HeaderAuth, NoAuth, Retry, _json
from talkdesk_bridge.models import InvoiceDetails
from talkdesk_bridge_sandbox import Sandbox

from tools.contract import METHODS, aliases, load

# A process in the background of a shell ignores SIGINT, and so would the commands that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "openapi.yaml"

# The requests in the tests follow the contract: if you correct it, you need not correct them.
OPERATION = load(CONTRACT).operation_named("get_account_invoices")
assert OPERATION, "the contract lacks the documented operation"
PATH = str(OPERATION[1])


def invoices_of(account: str) -> str:
    """The path of an account's invoices."""
    return re.sub(r"{.*?}", account, PATH)


def alone() -> dict[str, Any]:
    """The contract without its other operations, for tests that a contract with more of them must not change."""
    contract = load(CONTRACT)
    assert OPERATION
    data, schemas = contract.data, contract.data["components"]["schemas"]
    reached = {where[2] for where in contract.reached(OPERATION) if where[1] == "schemas"}
    named = reached | {name for name, target in aliases(contract).items() if target in reached}
    data["components"]["schemas"] = {name: schema for name, schema in schemas.items() if name in named}
    item, method = data["paths"][PATH], OPERATION[2]
    data["paths"] = {PATH: {key: part for key, part in item.items() if key == method or key not in METHODS}}
    return data


def merged(*names: str) -> dict[str, Any]:
    """The contract, extended with files of tests/contracts, whose components have names that no page prints."""
    data = load(CONTRACT).data
    for name in names:
        more = yaml.safe_load((ROOT / "tests" / "contracts" / f"{name}.yaml").read_text(encoding="utf-8"))
        data["tags"] += more.get("tags", [])
        data["paths"].update(more.get("paths", {}))
        for kind, components in more.get("components", {}).items():
            existing = data["components"].setdefault(kind, {})
            existing.update((name, node) for name, node in components.items() if name not in existing)
    return data


Scripted = tuple[int, dict[str, str], bytes]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("CI", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["standard", "speed"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Runs a test with each JSON parser: without the extra `speed`, and with it."""
    if request.param == "standard":
        monkeypatch.setitem(sys.modules, "msgspec.json", None)
    else:
        pytest.importorskip("msgspec")
    _json._parser.cache_clear()
    assert (_json._parser() is _json._standard) is (request.param == "standard")
    yield request.param
    _json._parser.cache_clear()


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture
def key(sandbox: Sandbox) -> HeaderAuth:
    return HeaderAuth(sandbox.credentials.api_key, name=sandbox.key_header or "Authorization")


class _HTTPServer(ThreadingHTTPServer):
    """Prints no error if a client gives up, as it does in many tests."""

    def handle_error(self, *arguments: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*arguments)


class Server:
    """A server on a real socket that responds as `script` says; `seen` keeps the requests."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.script: Callable[[str, str], Scripted] = lambda method, target: (404, {}, b"")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.seen.append((self.command, self.path, dict(self.headers.items()), body))
                status, headers, content = outer.script(self.command, self.path)
                # It would add the current date.
                (self.send_response_only if "Date" in headers else self.send_response)(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815 # the base class's names

            def log_message(self, *_: object) -> None:
                pass

        self._server = _HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_address[1]}"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def respond_with(self, *responses: Any) -> None:
        """Send these in turn, then repeat the last one; anything except a triple is sent as JSON with 200."""
        left = list(responses)

        def script(method: str, target: str) -> Scripted:
            response = left.pop(0) if len(left) > 1 else left[0]
            return response if isinstance(response, tuple) else as_json(response)

        self.script = script

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def as_json(body: Any, status: int = 200, **headers: str) -> Scripted:
    """A response with a JSON body; keywords such as `Retry_After` are headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"Content-Type": "application/json", **named}, json.dumps(body).encode()


def page(*numbers: object, total: Any = ..., following: Any = None) -> dict[str, Any]:
    """The body of a page with invoices of these numbers.

    Its total is their number by default, except if there is a link to a following page.
    """
    body: dict[str, Any] = {"_embedded": {"invoices": [{"invoice_number": str(number)} for number in numbers]}}
    if total is ...:
        total = None if following is not None else len(numbers)
    if total is not None:
        body["total"] = total
    if following is not None:
        body["_links"] = {"next": {"href": following}}
    return body


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """A second server, at another origin."""
    with Server() as running:
        yield running


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """A server with a self-signed certificate, and the certificate."""
    certificate = tmp_path / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "1",
    ]
    command += ["-keyout", str(tmp_path / "key.pem"), "-out", str(certificate), "-subj", "/CN=127.0.0.1"]
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "key.pem")
    with Server(context) as running:
        running.respond_with(page(1))
        yield running, certificate


ONCE: Any = {"retry": Retry(attempts=1)}

Listing = Callable[..., list[InvoiceDetails]]


@pytest.fixture(params=["sync", "async"])
def listing(request: pytest.FixtureRequest) -> Listing:
    """Lists an account's invoices, once with each client: `listing(url, auth, account, options, **limits)`.

    Each request is sent once, unless the client's options say otherwise.
    """

    def blocking(
        url: str, auth: Auth | None = None, account: str = "1", options: Any = None, **limits: Any
    ) -> list[InvoiceDetails]:
        with BridgeClient(url, auth=auth or NoAuth(), **ONCE | (options or {})) as bridge:
            return list(bridge.billing.iter_account_invoices(account, **limits))

    def awaiting(
        url: str, auth: Auth | None = None, account: str = "1", options: Any = None, **limits: Any
    ) -> list[InvoiceDetails]:
        async def run() -> list[InvoiceDetails]:
            async with AsyncBridgeClient(url, auth=auth or NoAuth(), **ONCE | (options or {})) as bridge:
                return [invoice async for invoice in bridge.billing.iter_account_invoices(account, **limits)]

        return asyncio.run(run())

    return blocking if request.param == "sync" else awaiting


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Makes a copy of a small, undocumented contract with the first occurrence of a text replaced."""
    monkeypatch.setattr("tools.contract.documented.FRAGMENTS", tmp_path / "none")

    def change(old: str, new: str) -> Path:
        text = (ROOT / "tests" / "contracts" / "things.yaml").read_text(encoding="utf-8")
        assert old in text, f"the contract has no {old!r}"
        file = tmp_path / "things.yaml"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        return file

    return change

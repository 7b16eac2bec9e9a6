"""Runs every case of tests/faults.py over real sockets, with both clients, and compares docs/faults.md with the cases."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, Deviation, errors
from talkdesk_bridge.models import InvoiceDetails

from tests.conftest import ONCE, page
from tests.faults import CASES, PAGE, SECRET, TOKEN, Case, ExpectedDeviation, http, written
from tests.raw import LIMIT, Exchange, Raw, Reply

# One context for all clients without TLS: loading the authorities for each would take most of the time.
CONTEXT = ssl.create_default_context()

WAYS = pytest.mark.parametrize("way", ["blocking", "awaiting"])
EVERY = [(f"{category}: {case.name}"[:90], case) for category, cases in CASES.items() for case in cases]
# Cases that are not about TLS or a proxy.
OVER_TLS = [(name, case) for name, case in EVERY if not (case.tls or case.scheme or case.proxied)]

SAYS_OVER_TLS = {"a link to another host, without a scheme": "another host"}  # it has the scheme of the page

Contexts = dict[str, tuple[ssl.SSLContext, ssl.SSLContext]]


@pytest.fixture(scope="session")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Contexts:
    """The contexts of a server and of a client, by the name of the certificate."""
    folder = tmp_path_factory.mktemp("tls")
    made: Contexts = {}
    for name, host, days in (
        ("good", "127.0.0.1", "1"),
        ("another host", "127.0.0.2", "1"),
        ("expired", "127.0.0.1", "-1"),
    ):
        key, request, certificate, more = (folder / f"{name}.{end}" for end in ("key", "csr", "crt", "ext"))
        more.write_text(f"subjectAltName=IP:{host}\n", encoding="ascii")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        _openssl("req", "-new", *curve, "-keyout", key, "-out", request, "-subj", "/CN=test")
        _openssl("x509", "-req", "-in", request, "-signkey", key, "-days", days, "-extfile", more, "-out", certificate)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate, key)
        made[name] = server, ssl.create_default_context(cafile=certificate)
    return made | {"untrusted": (made["good"][0], CONTEXT)}


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)  # noqa: S607 # openssl, wherever it is


class Listed:
    """The result for a caller: numbers of invoices, deviations, and the error that ended the list."""

    def __init__(self) -> None:
        self.items: list[str | None] = []
        self.deviations: list[ExpectedDeviation] = []
        self.error: errors.BridgeError | None = None

    def note(self, deviation: Deviation) -> None:
        self.deviations.append((deviation.place, deviation.documented, deviation.seen, deviation.count))

    def add(self, invoice: InvoiceDetails) -> None:
        self.items.append(invoice.invoice_number)

    def blocking(self, url: str, account: str, **options: Any) -> None:
        with BridgeClient(url, **options) as bridge:
            try:
                for invoice in bridge.billing.iter_account_invoices(account):
                    self.add(invoice)
            except errors.BridgeError as error:
                self.error = error

    def awaiting(self, url: str, account: str, **options: Any) -> None:
        async def run() -> None:
            async with AsyncBridgeClient(url, **options) as bridge:
                try:
                    async for invoice in bridge.billing.iter_account_invoices(account):
                        self.add(invoice)
                except errors.BridgeError as error:
                    self.error = error

        asyncio.run(run())


def run(case: Case, way: str, contexts: Contexts) -> tuple[Listed, Raw]:
    listed = Listed()
    tls, verify = contexts[case.tls] if case.tls else (None, CONTEXT)
    with Raw(case.replies, connects=case.connects, refused_first=case.refused_first, tls=tls) as raw:
        scheme = case.scheme or ("https" if case.tls else "http")
        url = f"{scheme}://127.0.0.1:{9 if case.proxied else raw.port}"
        options = {
            **ONCE,
            "verify": verify,
            "sleep": lambda _: raw.refused(),
            "on_deviation": listed.note,
            **case.options,
        }
        if case.proxied:
            options["proxy"] = f"http://user:{SECRET}@127.0.0.1:{raw.port}"
        getattr(listed, way)(url, case.account, auth=case.auth(raw), **options)
    return listed, raw


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all errors behind it."""
    if error:
        yield error
        yield from chain(error.__cause__)
        yield from chain(error.__context__)


# Python 3.11.7 leaves a socket to the garbage collector if the reset comes before the handshake: python/cpython#113280.
LEFT = pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning")


@WAYS
@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=name, marks=[LEFT] if "handshake" in name else []) for name, case in EVERY],
)
def test_a_fault(case: Case, way: str, contexts: Contexts) -> None:
    check(case, way, contexts)


@WAYS
@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in OVER_TLS])
def test_a_fault_over_tls(case: Case, way: str, contexts: Contexts) -> None:
    says = SAYS_OVER_TLS.get(case.name, case.says.replace("http://127", "https://127"))
    check(evolve(case, tls="good", says=says), way, contexts)


def check(case: Case, way: str, contexts: Contexts) -> None:
    begun = time.monotonic()
    listed, raw = run(case, way, contexts)
    assert time.monotonic() - begun < LIMIT / 2
    assert type(listed.error) is (case.error or type(None)), listed.error
    assert case.says in str(listed.error or "")
    assert tuple(listed.items) == case.items
    assert tuple(listed.deviations) == case.deviations
    assert len(raw.requests) == case.requests, raw.requests
    # A check against the bytes sent, if they can be read: every invoice sent was listed, whether or not the case says so.
    sent = re.findall(r'"invoice_number": "?([^",}]+)', b"".join(raw.sent).decode("latin-1"))
    assert case.error or not sent or {*sent} == {*listed.items}
    for error in chain(listed.error):
        assert not hasattr(error, "_request"), "an error of the HTTP library holds the request, and so the credential"
        shown = f"{error} {error!r} {vars(error)}"
        assert SECRET not in shown
        assert TOKEN not in shown


def in_two_parts(exchange: Exchange) -> None:
    """The same response twice: over TLS, two records. The second may come a moment after the first."""
    exchange.send(http(page(1)))
    exchange.send(http(page(1)))
    exchange.wait()


def in_one_segment(exchange: Exchange) -> None:
    """Both records come at once, so that the second waits in the TLS layer of the client."""
    if hasattr(socket, "TCP_CORK"):
        exchange.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    exchange.send(http(page(1)))
    exchange.send(http(page(1)))
    if hasattr(socket, "TCP_CORK"):
        exchange.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    exchange.wait()


def of_64_kib(exchange: Exchange) -> None:
    """As much as one read takes, and another response after it."""
    first = http(page(1), X_Pad="x" * (65_536 - len(http(page(1), X_Pad="x")) + 1))
    assert len(first) == 65_536
    exchange.send(first + http(page(1)))
    exchange.wait()


def while_idle(exchange: Exchange) -> None:
    """The second response comes while the connection is idle."""
    exchange.send(http(page(1)))
    time.sleep(0.05)
    exchange.send(http(page(1)))
    exchange.wait()


APART = (in_two_parts, while_idle)
"""If the second response came after the next request, it would look like the response to it: the client waits first."""


@WAYS
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("reply", [http(page(1)) * 2, in_two_parts, in_one_segment, of_64_kib, while_idle])
def test_a_duplicate_response_is_never_read_as_that_of_another_account(
    way: str, tls: bool, reply: Reply, contexts: Contexts
) -> None:
    async def awaiting(url: str) -> list[str | None]:
        numbers = []
        async with AsyncBridgeClient(url, verify=verify) as bridge:
            for account in ("1", "2"):
                numbers += [one.invoice_number async for one in bridge.billing.iter_account_invoices(account)]
                await asyncio.sleep(0.15 if reply in APART else 0)
        return numbers

    def blocking(url: str) -> list[str | None]:
        numbers = []
        with BridgeClient(url, verify=verify) as bridge:
            for account in ("1", "2"):
                numbers += [one.invoice_number for one in bridge.billing.iter_account_invoices(account)]
                time.sleep(0.15 if reply in APART else 0)
        return numbers

    server, verify = contexts["good"]
    with Raw([reply, http(page(2))], tls=server if tls else None) as raw:
        assert (blocking(raw.url) if way == "blocking" else asyncio.run(awaiting(raw.url))) == ["1", "2"]
    assert len(raw.requests) == 2


def test_nothing_is_lost_and_case_names_are_unique() -> None:
    every = [(category, case) for category, cases in CASES.items() for case in cases]
    assert [case.name for _, case in every if case.outcome == "lost"] == []
    assert len({(category, case.name) for category, case in every}) == len(every) >= 90


def test_the_page_matches_the_cases() -> None:
    assert PAGE.read_text(encoding="utf-8") == written(), "run `make docs`"

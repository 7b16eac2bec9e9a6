"""Libraries that replace or watch httpx's transports, with both clients: respx, pytest-httpx, vcrpy, OpenTelemetry."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
import vcr
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, Retry, errors

from tests.conftest import Server, page

URL = "https://bridge.example"
ONCE: Any = {"retry": Retry(attempts=1)}

Way = Callable[..., list[str | None]]


def blocking(url: str = URL, **options: Any) -> list[str | None]:
    with BridgeClient(url, **options) as bridge:
        return [invoice.invoice_number for invoice in bridge.billing.iter_account_invoices("1")]


def awaiting(url: str = URL, **options: Any) -> list[str | None]:
    async def run() -> list[str | None]:
        async with AsyncBridgeClient(url, **options) as bridge:
            return [invoice.invoice_number async for invoice in bridge.billing.iter_account_invoices("1")]

    return asyncio.run(run())


ways = pytest.mark.parametrize("way", [blocking, awaiting])


@ways
def test_respx(way: Way) -> None:
    with respx.mock:
        route = respx.get(url__startswith=URL).mock(return_value=httpx.Response(200, json=page(7)))
        assert way() == ["7"]
        assert route.call_count == 1
        route.mock(side_effect=httpx.ConnectError("no way"))
        with pytest.raises(errors.NotSentError, match="no way"):
            way(**ONCE)


@ways
def test_pytest_httpx(way: Way, httpx_mock: Any) -> None:
    httpx_mock.add_response(json=page(7))
    assert way() == ["7"]
    packed = gzip.compress(json.dumps(page(8)).encode())
    httpx_mock.add_response(content=packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})
    assert way() == ["8"]


@ways
def test_vcrpy(way: Way, server: Server, tmp_path: Path) -> None:
    server.respond_with(page(7))
    for _ in "12":
        with vcr.use_cassette(str(tmp_path / "cassette.yaml"), record_mode="once"):
            assert way(server.url) == ["7"]
    assert len(server.seen) == 1


@ways
def test_opentelemetry(way: Way, server: Server) -> None:
    server.respond_with(page(7))
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    try:
        assert way(server.url) == ["7"]
    finally:
        HTTPXClientInstrumentor().uninstrument()
    assert [span.name for span in exporter.get_finished_spans()] == ["GET"]


def test_an_application_as_transport() -> None:
    content = json.dumps(page(7)).encode()

    def wsgi(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [content]

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    assert blocking(transport=httpx.WSGITransport(app=wsgi)) == ["7"]
    assert awaiting(transport=httpx.ASGITransport(app=asgi)) == ["7"]

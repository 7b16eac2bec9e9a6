"""Never run: code as callers write it, for `make types`. Each line that mypy must reject carries an ignore."""

from __future__ import annotations

import datetime
from typing import Any, assert_type

from talkdesk_bridge import (
    AsyncBridgeClient,
    Attempt,
    BridgeClient,
    Deviation,
    HeaderAuth,
    Money,
    OAuth2ClientCredentials,
    OAuth2PrivateKeyJWT,
    Response,
    Retry,
    errors,
    models,
)


def blocking() -> None:
    with BridgeClient("https://b", auth=HeaderAuth("k", name="X-API-Key"), timeout=(1, 2.5)) as bridge:
        assert_type(bridge, BridgeClient)
        page = bridge.billing.get_account_invoices("1", page=1)
        assert_type(page, models.InvoiceDetailsResponse)
        assert_type(page.total, int | None)
        assert_type(page.embedded, models.InvoiceList | None)
        assert_type(page["_links"], Any)
        invoices = bridge.billing.iter_account_invoices("1", per_page=5, max_pages=None, max_items=1)
        for invoice in invoices:
            assert_type(invoice, models.InvoiceDetails)
            assert_type(invoice.amount, str | None)
            assert_type(invoice.invoice_due_date, datetime.date | None)
        for body in invoices.pages():
            assert_type(body, models.InvoiceDetailsResponse)
        bridge.billing.get_account_invoices(1)  # type: ignore[arg-type]
        bridge.billing.get_account_invoices("1", pages=1)  # type: ignore[call-arg]
        bridge.nothing  # type: ignore[attr-defined]  # noqa: B018
        response = bridge.with_response(bridge.billing.get_account_invoices, "1", page=1)
        assert_type(response, Response[models.InvoiceDetailsResponse])
        assert_type(response.content, bytes)
        bridge.with_response(bridge.billing.get_account_invoices, 1)  # type: ignore[arg-type]
        assert_type(bridge.with_options(timeout=(1, 2), headers={"X-Trace": "1"}), BridgeClient)
        bridge.with_options(verify=False)  # type: ignore[call-arg]
        later = bridge.billing.iter_account_invoices("1", start=invoices.position)
        assert_type(later.position, dict[str, Any])
    BridgeClient("https://b", retries=1)  # type: ignore[call-arg]
    BridgeClient(
        "https://b", retry=Retry(attempts=2, statuses=frozenset({503}), on_attempt=attempted), on_deviation=seen
    )
    assert_type(BridgeClient.from_env({}, verify=False), BridgeClient)
    OAuth2ClientCredentials("https://t", "i", "s", "scope")  # type: ignore[call-arg]
    OAuth2PrivateKeyJWT("https://t", "i", "k", "kid")  # type: ignore[call-arg]
    key = OAuth2PrivateKeyJWT("https://t", "i", "k", key_id="kid", algorithm="RS256", audience="https://t", scope="a b")
    BridgeClient("https://b", auth=key)


def attempted(attempt: Attempt) -> None:
    assert_type(attempt.status, int | None)
    assert_type(attempt.wait, float | None)


def seen(deviation: Deviation) -> None:
    assert_type(deviation.place, str)


def money(invoice: models.InvoiceDetails) -> None:
    assert_type(Money.parse(invoice.amount or "0") + Money.parse(5), Money)
    Money.parse(invoice.amount)  # type: ignore[arg-type]


async def awaiting() -> None:
    async with AsyncBridgeClient.from_env() as bridge:
        assert_type(await bridge.billing.get_account_invoices("1"), models.InvoiceDetailsResponse)
        response = await bridge.with_response(bridge.billing.get_account_invoices, "1")
        assert_type(response.body, models.InvoiceDetailsResponse)
        invoices = bridge.billing.iter_account_invoices("1", start=None)
        async for invoice in invoices:
            assert_type(invoice, models.InvoiceDetails)
        async for body in invoices.pages():
            assert_type(body, models.InvoiceDetailsResponse)
        async for account, listed in bridge.each(bridge.billing.iter_account_invoices, ["1"], at_once=5):
            assert_type(account, str)
            assert_type(listed, list[models.InvoiceDetails] | errors.BridgeError)
        async for _, first in bridge.each(bridge.billing.get_account_invoices, ["1"]):
            assert_type(first, models.InvoiceDetailsResponse | errors.BridgeError)


def failing(error: errors.StatusError) -> None:
    assert_type(error.status_code, int)
    assert_type(error.error_info, models.ErrorInfo | None)
    assert_type(error.retry_after, float | None)
    assert_type(error.request_id, str | None)

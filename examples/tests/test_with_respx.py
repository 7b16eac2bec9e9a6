"""Tests with respx: no request leaves the process."""

from collections.abc import Iterator

import httpx
import pytest
import respx
from statement import owed
from talkdesk_bridge import BridgeClient

INVOICES = "https://bridge.example/BillingInfoAPI/accountinvoices/1"
PAGE = {"_embedded": {"invoices": [{"invoice_number": "7", "due_amount": "0.10 usd"}]}, "total": 1}


@pytest.fixture
def bridge() -> Iterator[BridgeClient]:
    with BridgeClient("https://bridge.example", sleep=lambda _: None) as client:  # retries do not wait
        yield client


@respx.mock
def test_a_503_is_retried(bridge: BridgeClient) -> None:
    route = respx.get(INVOICES).mock(side_effect=[httpx.Response(503), httpx.Response(200, json=PAGE)])
    assert owed(bridge, "1") == "You owe 0.10 USD."
    assert route.call_count == 2


@respx.mock
def test_no_connection(bridge: BridgeClient) -> None:
    respx.get(INVOICES).mock(side_effect=httpx.ConnectError("no network"))
    assert owed(bridge, "1") == "Please ask again later."

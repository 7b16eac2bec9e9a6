"""The same with pytest-httpx."""

from pytest_httpx import HTTPXMock
from statement import owed
from talkdesk_bridge import BridgeClient

INVOICES = "https://bridge.example/BillingInfoAPI/accountinvoices/1"
PAGE = {"_embedded": {"invoices": [{"invoice_number": "7", "due_amount": "0.10 usd"}]}, "total": 1}


def test_a_503_is_retried(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url=INVOICES, status_code=503)
    httpx_mock.add_response(url=INVOICES, json=PAGE)
    with BridgeClient("https://bridge.example", sleep=lambda _: None) as bridge:  # retries do not wait
        assert owed(bridge, "1") == "You owe 0.10 USD."

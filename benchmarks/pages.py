"""Pages of invoices in the documented shape, made from the contract's example. Every run makes the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Any

from benchmarks.process import ROOT

OPERATION = "get_account_invoices"
ITEMS = 5
"""Items of each invoice."""

DATE = re.compile(r"\d{4}-\d\d-\d\d")
CUSTOM = {"custom_fields": [{"key": "claim_custom_fields", "value": "000000"}]}
AMOUNT = re.compile(r"\d+\.\d\d")


@cache
def contract() -> Any:
    """The contract as data, from the package."""
    return json.loads((ROOT / "generated" / "talkdesk_bridge_api" / "openapi.json").read_bytes())


def operation() -> tuple[str, Any]:
    """The path of the operation that lists invoices, and the operation."""
    items = contract()["paths"].items()
    return next((path, item["get"]) for path, item in items if item.get("get", {}).get("operationId") == OPERATION)


@cache
def path() -> str:
    """The path of an account's invoices, without the account's number."""
    return re.sub(r"{\w+}$", "", operation()[0])


@cache
def example() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The invoices in the contract's example and all of their items, with documented fields only."""
    examples = operation()[1]["responses"]["200"]["content"]["application/json"]["examples"]
    invoices = next(iter(examples.values()))["value"]["_embedded"]["invoices"]
    items = [item for invoice in invoices for item in invoice.get("invoice_items_details", [])]
    return _known("InvoiceDetails", invoices), _known("InvoiceItemDetails", items)


def _known(schema: str, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = contract()["components"]["schemas"][schema]["properties"]
    return [{name: value for name, value in one.items() if name in known} for one in objects]


def invoice(number: int) -> dict[str, Any]:
    """One invoice. Its number, dates and items differ from those of other invoices, as in a real account."""
    invoices, items = example()
    billed = date.fromisoformat(invoices[0]["invoice_bill_date"]) + timedelta(days=number)
    return {
        **invoices[number % len(invoices)],
        "invoice_number": str(1_000_000_001 + number),
        "invoice_bill_date": billed.isoformat(),
        "invoice_due_date": (billed + timedelta(days=21)).isoformat(),
        "invoice_items_details": [
            {**items[place % len(items)], "policy_number": f"PA-{number:06}", "installment_number": place + 1}
            for place in range(ITEMS)
        ],
    }


def page(count: int, start: int = 0, total: int | None = None) -> dict[str, Any]:
    """A page of `count` invoices, beginning with number `start`."""
    invoices = [invoice(number) for number in range(start, start + count)]
    return {"_embedded": {"invoices": invoices}, "total": count if total is None else total}


def encoded(body: Any) -> bytes:
    """The body as JSON bytes."""
    return json.dumps(body).encode()


def _scalars(change: Callable[[Any], Any], node: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, list) else change(value) for name, value in node.items()}


def _number(value: Any) -> Any:
    """An amount becomes a number, a date stays, other text becomes its length."""
    if not isinstance(value, str) or DATE.fullmatch(value):
        return value
    amount = value.partition(" ")[0]
    return float(amount) if AMOUNT.fullmatch(amount) else len(value)


DIRT: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "nulls": lambda node: _scalars(lambda _: None, node),
    "extra fields": lambda node: {**node, "branch": "north"} | (CUSTOM if "invoice_number" in node else {}),
    "numbers for strings": lambda node: _scalars(_number, node),
}
"""Deviations of real bridges, applied to each invoice of a page and to each of its items: null for every value except
the items; an unknown field, and for invoices also `custom_fields`; numbers for all text except dates."""


def dirty(kind: str, count: int) -> dict[str, Any]:
    """A page of `count` invoices with a kind of dirt in each."""
    change, body = DIRT[kind], page(count)
    body["_embedded"]["invoices"] = [
        {**change(one), "invoice_items_details": [change(item) for item in one["invoice_items_details"]]}
        for one in body["_embedded"]["invoices"]
    ]
    return body

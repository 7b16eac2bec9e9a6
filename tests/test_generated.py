"""The generated package, as people meet it: one class a schema, None for absent, unknown fields kept, honest docstrings."""

from __future__ import annotations

import copy
import datetime
import inspect
import json
import pickle
from importlib.resources import files

import attrs
import pytest
import talkdesk_bridge_api
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, models
from talkdesk_bridge_api import types
from talkdesk_bridge_api.api import AsyncOperations, Operations

from tests.conftest import CONTRACT
from tools.contract import load

INVOICE = {
    "invoice_number": "1",
    "invoice_due_date": "2023-07-22",
    "amount": "3700.00 usd",
    "invoice_items_details": [{"installment_number": 2, "unknown": [1]}],
    "custom_fields": [{"key": "k", "value": None}],
}


def test_the_documented_name_is_a_second_name_of_one_class() -> None:
    assert models.InvoiceDetailsReponse is models.InvoiceDetailsResponse
    assert {"InvoiceDetailsReponse", "InvoiceDetailsResponse"} <= {*models.__all__}


def test_a_model_round_trips_with_its_unknown_fields() -> None:
    invoice = models.InvoiceDetails.from_dict(INVOICE)
    assert invoice.invoice_due_date == datetime.date(2023, 7, 22)
    assert invoice.additional_properties == {"custom_fields": INVOICE["custom_fields"]}
    assert invoice.invoice_items_details
    assert invoice.invoice_items_details[0]["unknown"] == [1]
    assert invoice.to_dict() == INVOICE


@pytest.mark.parametrize("name", models.__all__)
def test_absent_and_null_read_none(name: str) -> None:
    model = getattr(models, name)
    fields = [field.name for field in attrs.fields(model) if field.name != "additional_properties"]
    schemas = load(CONTRACT).data["components"]["schemas"]
    (wire,) = [schemas[key] for key in schemas if key == model.__name__]
    for empty in ({}, dict.fromkeys(wire["properties"])):
        instance = model.from_dict(empty)
        assert [getattr(instance, field) for field in fields] == [None] * len(fields)
        assert instance.additional_properties == {}
        assert instance.to_dict() == {}
    assert model() == model.from_dict({})


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])  # noqa: S301 # our own
def test_models_copy_and_pickle(again: object) -> None:
    invoice = models.InvoiceDetails.from_dict(INVOICE)
    other = again(invoice)  # type: ignore[operator] # one of three functions
    assert other == invoice
    assert other.to_dict() == INVOICE
    assert other.status is None


def test_embedded_has_no_prefix() -> None:
    body = models.InvoiceDetailsResponse.from_dict({"_embedded": {"invoices": []}, "_links": {"self": {"href": "/"}}})
    assert body.embedded == models.InvoiceList(invoices=[])
    assert body["_links"] == {"self": {"href": "/"}}
    assert (
        json.dumps(body.to_dict(), sort_keys=True)
        == '{"_embedded": {"invoices": []}, "_links": {"self": {"href": "/"}}}'
    )


def test_unset_is_none() -> None:
    assert types.UNSET is None
    assert isinstance(None, types.Unset)


def test_docstrings_tell_what_is_assumed() -> None:
    for client in (BridgeClient("https://b"), AsyncBridgeClient("https://b")):
        for method in (client.billing.get_account_invoices, client.billing.iter_account_invoices):
            told = " ".join((inspect.getdoc(method) or "").split())
            assert "Assumed: method and path, parameter `account_number`" in told
            assert "parameter `per_page`" in told
            assert "Documented: response `200`, response `4XX`." in told
            assert "Sibling pages have one path parameter" in told
    for name in models.__all__:
        assert "Documented: " in " ".join((inspect.getdoc(getattr(models, name)) or "").split())


def test_the_methods_of_both_clients_have_the_same_arguments() -> None:
    groups = vars(Operations(caller=None)), vars(AsyncOperations(caller=None))  # type: ignore[arg-type] # not called
    assert [*groups[0]] == [*groups[1]] == ["billing"]
    for tag, group in groups[0].items():
        for name in (name for name in dir(group) if not name.startswith("_")):
            plain, awaited = getattr(group, name), getattr(groups[1][tag], name)
            assert inspect.signature(plain).parameters == inspect.signature(awaited).parameters
    arguments = [*inspect.signature(groups[0]["billing"].iter_account_invoices).parameters]
    assert arguments == ["account_number", "per_page", "max_pages", "max_items"]


def test_no_signature_shows_the_generators_own_types() -> None:
    for method in (
        BridgeClient("https://b").billing.get_account_invoices,
        BridgeClient("https://b").billing.iter_account_invoices,
    ):
        assert "Unset" not in f"{inspect.signature(method)}{inspect.getdoc(method)}"


def test_the_package_holds_its_contract_and_is_typed() -> None:
    folder = files(talkdesk_bridge_api)
    assert json.loads(folder.joinpath("openapi.json").read_bytes()) == load(CONTRACT).data
    assert folder.joinpath("py.typed").is_file()

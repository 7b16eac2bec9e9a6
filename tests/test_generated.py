"""The generated package for users: one class for each schema, None for absent, unknown fields kept, true docstrings."""

from __future__ import annotations

import copy
import datetime
import inspect
import json
import pickle
from importlib.resources import files

import attrs
import pytest
import talkdesk_bridge
import talkdesk_bridge_api
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, models
from talkdesk_bridge_api.api import AsyncOperations, Operations

from tests.conftest import CONTRACT, PATH
from tools.contract import load

INVOICE = {
    "invoice_number": "1",
    "invoice_due_date": "2023-07-22",
    "amount": "3700.00 usd",
    "invoice_items_details": [{"installment_number": 2, "unknown": [1]}],
    "of_an_insurer": [{"key": "k", "value": None}],
}


def test_the_documented_name_is_an_alias_of_the_class() -> None:
    assert models.InvoiceDetailsReponse is models.InvoiceDetailsResponse
    assert {"InvoiceDetailsReponse", "InvoiceDetailsResponse"} <= {*models.__all__}


def test_a_model_round_trips_with_its_unknown_fields() -> None:
    invoice = models.InvoiceDetails.from_dict(INVOICE)
    assert invoice.invoice_due_date == datetime.date(2023, 7, 22)
    assert invoice.additional_properties == {"of_an_insurer": INVOICE["of_an_insurer"]}
    assert invoice.invoice_items_details
    assert invoice.invoice_items_details[0]["unknown"] == [1]
    assert invoice.to_dict() == INVOICE


CLASSES = [name for name in models.__all__ if attrs.has(getattr(models, name))]
FIELDS = {name: [field for field in attrs.fields(getattr(models, name)) if field.init] for name in CLASSES}
OPTIONAL = [name for name, fields in FIELDS.items() if all(field.default is None for field in fields)]
"""The models without required fields and without defaults."""


@pytest.mark.parametrize("name", OPTIONAL)
def test_absent_and_null_fields_are_none(name: str) -> None:
    model = getattr(models, name)
    fields = [field.name for field in attrs.fields(model) if field.name != "additional_properties"]
    schemas = load(CONTRACT).data["components"]["schemas"]
    # The class of an inline schema has no entry.
    wire = schemas.get(name, {}).get("properties", {})
    for empty in ({}, dict.fromkeys(wire)):
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


def test_docstrings_say_what_is_assumed() -> None:
    elements = list(load(CONTRACT).elements())
    parameters = [element for element in elements if element.kind == "parameter" and element.where[1] == PATH]
    assert len(parameters) >= 3
    for client in (BridgeClient("https://b"), AsyncBridgeClient("https://b")):
        for method in (client.billing.get_account_invoices, client.billing.iter_account_invoices):
            docstring = " ".join((inspect.getdoc(method) or "").split())
            assert f"{str(parameters[0].status).capitalize()}: {(parameters[0].provenance or {})['note']}" in docstring
        docstring = " ".join((inspect.getdoc(client.billing.get_account_invoices) or "").split())
        assert "Documented: response `200`, response `4XX`." in docstring
        for element in [*parameters, *(element for element in elements if element.kind == "security scheme")]:
            sentence = docstring.partition(f"{str(element.status).capitalize()}: ")[2].partition(". ")[0]
            assert f"{element.kind} `{element.name}`" in sentence
    for element in elements:
        if element.kind == "schema" and len(element.where) == 3 and element.name in CLASSES:
            docstring = " ".join((inspect.getdoc(getattr(models, element.name)) or "").split())
            assert f"{str(element.status).capitalize()}: " in docstring


def test_the_methods_of_both_clients_have_the_same_arguments() -> None:
    groups = vars(Operations(caller=None)), vars(AsyncOperations(caller=None))  # type: ignore[arg-type] # not called
    assert groups[0].keys() == groups[1].keys() >= {"billing"}
    for tag, group in groups[0].items():
        for name in (name for name in dir(group) if not name.startswith("_")):
            plain, awaited = getattr(group, name), getattr(groups[1][tag], name)
            assert inspect.signature(plain).parameters == inspect.signature(awaited).parameters
    arguments = [*inspect.signature(groups[0]["billing"].iter_account_invoices).parameters]
    assert [arguments[0], *arguments[-3:]] == ["account_number", "start", "max_pages", "max_items"]
    assert "per_page" in arguments
    assert "page" not in arguments


def test_no_signature_shows_the_generators_own_types() -> None:
    billing = BridgeClient("https://b").billing
    for method in (
        billing.get_account_invoices,
        billing.iter_account_invoices,
        *(getattr(models, name) for name in CLASSES),
    ):
        assert "Unset" not in f"{inspect.signature(method)}{inspect.getdoc(method)}"


def test_the_package_holds_its_contract_and_is_typed() -> None:
    folder = files(talkdesk_bridge_api)
    assert json.loads(folder.joinpath("openapi.json").read_bytes()) == load(CONTRACT).data
    assert folder.joinpath("py.typed").is_file()


def test_the_package_has_the_version_of_the_contract() -> None:
    version = load(CONTRACT).data["info"]["version"]
    assert talkdesk_bridge.__version__ == version


@pytest.mark.parametrize("name", CLASSES)
def test_models_take_keyword_arguments_only(name: str) -> None:
    """Otherwise, adding or moving a field in the contract would change the meaning of arguments."""
    assert all(field.kw_only for field in attrs.fields(getattr(models, name)) if field.init)


def test_repr_shows_fields_with_values_and_three_items_of_a_list() -> None:
    invoice = models.InvoiceDetails(invoice_number="1", amount="3700.00 usd")
    assert repr(invoice) == "InvoiceDetails(amount='3700.00 usd', invoice_number='1')"
    invoice["x-new"] = 2
    assert repr(invoice).endswith(", invoice_number='1', additional_properties={'x-new': 2})")
    assert repr(models.InvoiceList(invoices=[])) == "InvoiceList(invoices=[])"
    page = models.InvoiceList(invoices=[models.InvoiceDetails(status=str(number)) for number in range(12)])
    three = ", ".join(f"InvoiceDetails(status='{number}')" for number in range(3))
    assert repr(page) == f"InvoiceList(invoices=[{three}, ... 9 more])"
    page.invoices = [page]  # type: ignore[list-item] # a circle
    assert repr(page) == "InvoiceList(invoices=[...])"

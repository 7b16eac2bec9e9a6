"""The contract against the documented fragments, element by element, both ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import CONTRACT
from tools.contract import load
from tools.documented import aliases, compare, fragments, signature
from tools.validate import validate

Change = Callable[[str, str], Path]


def documented(file: Path) -> list[str]:
    return [finding.message for finding in compare(load(file))]


def test_the_contract_is_valid() -> None:
    contract, findings = validate(CONTRACT)
    assert findings == []
    assert contract.data["openapi"].startswith("3.1.")


def test_the_fragments_hold_the_seven_documented_schemas() -> None:
    (page,) = fragments()
    assert {name: len(schema["properties"]) for name, schema in page["definitions"].items()} == {
        "invoice_details_reponse": 2,
        "InvoiceList": 1,
        "InvoiceDetails": 8,
        "InvoiceItemDetails": 7,
        "ErrorInfo": 5,
        "ErrorDetails": 3,
        "ErrorDetailsProperties": 3,
    }


def test_every_documented_field_is_there_with_its_type_and_no_other() -> None:
    contract = load(CONTRACT)
    names = aliases(contract)
    assert names == {"invoice_details_reponse": "InvoiceDetailsResponse"}
    (page,) = fragments()
    schemas = contract.data["components"]["schemas"]
    for name, printed in page["definitions"].items():
        given = schemas[names.get(name, name)]
        assert {field: signature(schema, names) for field, schema in given["properties"].items()} == {
            field: signature(schema, names) for field, schema in printed["properties"].items()
        }
    assert schemas.keys() == page["definitions"].keys() | names.values()


def every_field() -> list[tuple[str, str]]:
    (page,) = fragments()
    return [(name, field) for name, schema in page["definitions"].items() for field in schema["properties"]]


@pytest.mark.parametrize(("schema", "field"), every_field())
@pytest.mark.parametrize("change", ["drop", "rename", "retype"])
def test_a_change_to_any_documented_field_is_found_and_named(schema: str, field: str, change: str) -> None:
    contract = load(CONTRACT)
    name = aliases(contract).get(schema, schema)
    properties = contract.data["components"]["schemas"][name]["properties"]
    was = properties.pop(field)
    if change == "rename":
        properties[f"{field}_2"] = was
    if change == "retype":
        properties[field] = {"type": "boolean"}
    messages = [finding.message for finding in compare(contract)]
    told = {
        "drop": [f"`{name}.{field}` is documented ("],
        "rename": [f"`{name}.{field}` is documented (", f"the property `{name}.{field}_2` claims to be documented"],
        "retype": [f"`{name}.{field}` is documented as "],
    }[change]
    assert len(messages) == len(told)
    assert all(any(message.startswith(start) for message in messages) for start in told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "        status:\n          type: string\n    InvoiceItem",
            "        status:\n          type: string\n        extra:\n          type: string\n    InvoiceItem",
            "the property `InvoiceDetails.extra` claims to be documented",
        ),
        ("          format: date\n", "", "`InvoiceDetails.invoice_bill_date` is documented as string (date), but is string"),
        (
            "        total:\n          type: integer",
            "        total:\n          type: [integer, 'null']",
            "`InvoiceDetailsResponse.total` is documented as integer, but is integer or null here",
        ),
        (
            "        errorCode:\n          type: string",
            "        errorCode:\n          type: string\n          enum: [A]",
            "`ErrorInfo.errorCode` is documented as string, but is string with enum here",
        ),
        (
            "    ErrorInfo:\n      type: object",
            "    ErrorInfo:\n      type: object\n      required: [status]",
            "the schema `ErrorInfo` is documented as object, but is object with required here",
        ),
        (
            '            $ref: "#/components/schemas/InvoiceDetails"\n',
            '            $ref: "#/components/schemas/InvoiceItemDetails"\n',
            "`InvoiceList.invoices` is documented as array of InvoiceDetails, but is array of InvoiceItemDetails here",
        ),
        ("    invoice_details_reponse:\n", "    invoice_details_response:\n", "schema `invoice_details_reponse` is missing"),
        ("        4XX:\n", '        "404":\n', "the response `4XX` (printed as 400's) is documented with ErrorInfo"),
        (
            '                $ref: "#/components/schemas/ErrorInfo"',
            '                $ref: "#/components/schemas/ErrorDetails"',
            "the response `4XX` (printed as 400's) is documented with ErrorInfo, but has ErrorDetails here",
        ),
        ("operationId: get_account_invoices", "operationId: get_invoices", "operation `get_account_invoices` is missing"),
        ("amount: 3700.00 usd", "amount: 3700.01 usd", "the documented example of `InvoiceDetails` is not in any example"),
        (
            "            status: assumed\n            source: https://docs.talkdesk.com/docs/paging-results",
            "            status: documented\n            source: https://docs.talkdesk.com/docs/paging-results",
            "the parameter `page` claims to be documented",
        ),
        ("      status: assumed\n      source: https://docs.talkdesk.com/reference/get-account-details",
         "      status: documented\n      source: https://docs.talkdesk.com/reference/get-account-details",
         "the path `/BillingInfoAPI/accountinvoices/{account_number}` claims to be documented"),
        ("        status: assumed\n        source: https://docs.talkdesk.com/reference/get-account-invoices",
         "        status: documented\n        source: https://docs.talkdesk.com/reference/get-account-invoices",
         "the security scheme `HeaderKey` claims to be documented"),
    ],
)  # fmt: skip
def test_other_differences_are_found(changed: Change, old: str, new: str, told: str) -> None:
    assert any(told in message for message in documented(changed(old, new)))


def test_what_is_marked_as_observed_may_be_added(changed: Change) -> None:
    file = changed(
        "        status:\n          type: string\n    InvoiceItem",
        "        status:\n          type: string\n        extra:\n          type: string\n          x-provenance:\n"
        "            {status: observed, source: a bridge, retrieved: '2026-11-22', note: seen}\n    InvoiceItem",
    )
    _, findings = validate(file)
    assert findings == []

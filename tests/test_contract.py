"""The contract and the documented fragments agree, element by element, in both directions."""

from __future__ import annotations

import re

import pytest

from tests.conftest import CONTRACT, PATH
from tools.contract import Where, aliases, check, load, signature
from tools.contract.documented import compare, fragments


def test_the_contract_is_valid() -> None:
    contract = load(CONTRACT)
    assert check(contract) == []
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


def test_the_contract_has_exactly_the_documented_fields_with_their_types() -> None:
    contract = load(CONTRACT)
    names = aliases(contract)
    assert names == {"invoice_details_reponse": "InvoiceDetailsResponse"}
    (page,) = fragments()
    schemas = contract.data["components"]["schemas"]
    for name, printed in page["definitions"].items():
        given = schemas[names.get(name, name)]["properties"]
        # Fields that were added have their own provenance, which says that they are not documented.
        own = {field: schema for field, schema in given.items() if "x-provenance" not in schema}
        assert {field: signature(schema, names) for field, schema in own.items()} == {
            field: signature(schema, names) for field, schema in printed["properties"].items()
        }
    claimed = {name for name, schema in schemas.items() if schema["x-provenance"]["status"] == "documented"}
    assert claimed == page["definitions"].keys() | names.values()


def every_field() -> list[tuple[str, str]]:
    (page,) = fragments()
    return [(name, field) for name, schema in page["definitions"].items() for field in schema["properties"]]


@pytest.mark.parametrize(("schema", "field"), every_field())
@pytest.mark.parametrize("change", ["drop", "rename", "retype"])
def test_a_change_to_any_documented_field_is_reported_by_name(schema: str, field: str, change: str) -> None:
    contract = load(CONTRACT)
    name = aliases(contract).get(schema, schema)
    properties = contract.data["components"]["schemas"][name]["properties"]
    was = properties.pop(field)
    if change == "rename":
        properties[f"{field}_2"] = was
    if change == "retype":
        properties[field] = {"type": "boolean"}
    messages = [finding.message for finding in compare(contract)]
    begin = re.escape(f"`{name}.{field}` is documented as ")
    patterns = {
        "drop": [f"{begin}.+, but is missing here: "],
        "rename": [f"{begin}.+, but is missing here: ", f"the property `{name}.{field}_2` is marked as documented"],
        "retype": [f"{begin}.+, but is boolean here: "],
    }[change]
    assert len(messages) == len(patterns)
    assert all(any(re.match(pattern, message) for message in messages) for pattern in patterns)


OPERATION = ("paths", PATH, "get")
SCHEMAS = ("components", "schemas")
INVOICE = (*SCHEMAS, "InvoiceDetails", "properties")


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ((*INVOICE, "extra"), {"type": "string"}, "the property `InvoiceDetails.extra` is marked as documented"),
        ((*INVOICE, "invoice_due_date"), {"type": "string"}, "is documented as string (date), but is string here"),
        ((*INVOICE, "status", "type"), ["string", "null"], "is documented as string, but is string or null here"),
        ((*INVOICE, "status", "enum"), ["Due"], "is documented as string, but is string with enum here"),
        ((*INVOICE, "status", "properties"), {"a": {}}, "is documented as string, but is string with properties here"),
        (
            (*SCHEMAS, "InvoiceDetailsResponse", "properties", "_embedded", "properties"),
            {"a": {}},
            "with properties here",
        ),
        (
            (*SCHEMAS, "ErrorInfo", "required"),
            ["status"],
            "`ErrorInfo` is documented as object, but is object with required",
        ),
        ((*SCHEMAS, "ErrorInfo", "type"), "array", "the schema `ErrorInfo` is documented as object, but is array"),
        (
            (*SCHEMAS, "InvoiceList", "properties", "invoices", "items", "$ref"),
            "#/components/schemas/InvoiceItemDetails",
            "is documented as array of InvoiceDetails, but is array of InvoiceItemDetails here",
        ),
        ((*SCHEMAS, "ErrorDetails"), None, "the schema `ErrorDetails` is documented as object, but is missing here"),
        (
            (*SCHEMAS, "invoice_details_reponse"),
            None,
            "the schema `invoice_details_reponse` is documented as object, but is missing here",
        ),
        (
            (*SCHEMAS, "invoice_details_reponse", "required"),
            ["total"],
            "`200` (printed as 200) is documented as invoice_details",
        ),
        ((*SCHEMAS, "Extra"), {"x-provenance": {"status": "documented"}}, "the schema `Extra` is marked as documented"),
        (
            (*SCHEMAS, "Extra"),
            {"x-provenance": {"status": "assumed"}, "properties": {"a": {"x-provenance": {"status": "documented"}}}},
            "the property `Extra.a` is marked as documented",
        ),
        (
            (*SCHEMAS, "ErrorInfo", "x-provenance", "source"),
            "https://other.example",
            "which is not in tests/documented/: use one of",
        ),
        ((*OPERATION, "operationId"), "get_invoices", "the documented operation `get_account_invoices` is missing"),
        (
            (*OPERATION, "responses", "4XX"),
            None,
            "the response `4XX` (printed as 400's) is documented as ErrorInfo, but is without a body here",
        ),
        (
            (*OPERATION, "responses", "500"),
            {"x-provenance": {"status": "documented"}},
            "the response `500` is marked as documented",
        ),
        (
            (*OPERATION, "responses", "4XX", "content", "application/json", "schema", "$ref"),
            "#/components/schemas/ErrorDetails",
            "(printed as 400's) is documented as ErrorInfo, but is ErrorDetails here",
        ),
        (
            (*OPERATION, "responses", "200", "content", "application/json", "examples"),
            {},
            "the documented example of `InvoiceDetails` is missing: add it",
        ),
        (
            (*OPERATION, "parameters", 0, "x-provenance", "status"),
            "documented",
            "the parameter `account_number` is marked as documented",
        ),
        (("paths", PATH, "x-provenance", "status"), "documented", f"the path `{PATH}` is marked as documented"),
        (
            ("components", "securitySchemes", "Extra"),
            {"x-provenance": {"status": "documented"}},
            "the security scheme `Extra` is marked as documented",
        ),
    ],
)
def test_other_differences_are_reported(where: Where, value: object, message: str) -> None:
    contract = load(CONTRACT)
    *around, key = where
    holder = contract.at(tuple(around))
    if value is None:
        del holder[key]
    else:
        holder[key] = value
    assert any(message in finding.message for finding in compare(contract))


def test_observed_and_assumed_elements_may_be_added() -> None:
    contract = load(CONTRACT)
    contract.at(INVOICE)["extra"] = {"type": "string", "x-provenance": {"status": "observed"}}
    contract.at(SCHEMAS)["Extra"] = {"type": "object", "x-provenance": {"status": "assumed"}}
    assert list(compare(contract)) == []


def test_a_documented_response_may_be_a_component() -> None:
    contract = load(CONTRACT)
    responses = contract.at((*OPERATION, "responses"))
    contract.data["components"]["responses"] = {"Rejected": responses["4XX"]}
    responses["4XX"] = {"$ref": "#/components/responses/Rejected"}
    assert list(compare(contract)) == []

"""The contract and the documented fragments agree, element by element, in both directions."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import CONTRACT, PATH, ROOT, alone
from tests.growing import with_pages, write_fragments
from tools.contract import Contract, Where, aliases, check, load, mapping, report, signature
from tools.contract.documented import FRAGMENTS, Page, compare
from tools.contract.fragments import FORMAT, read

PAGES = {file.file.stem: Page(load(CONTRACT), file) for file in read(FRAGMENTS)}
INVOICES = PAGES["get-account-invoices"]


def test_the_contract_is_valid() -> None:
    contract = load(CONTRACT)
    assert check(contract) == []
    assert contract.data["openapi"].startswith("3.1.")


def test_the_fragments_hold_the_seven_documented_schemas() -> None:
    assert {name: len(schema["properties"]) for name, schema in INVOICES.definitions.items()} == {
        "invoice_details_reponse": 2,
        "InvoiceList": 1,
        "InvoiceDetails": 8,
        "InvoiceItemDetails": 7,
        "ErrorInfo": 5,
        "ErrorDetails": 3,
        "ErrorDetailsProperties": 3,
    }


@pytest.mark.parametrize("stem", PAGES)
def test_the_contract_has_exactly_the_documented_fields_with_their_types(stem: str) -> None:
    contract, page = load(CONTRACT), PAGES[stem]
    names = page.names
    for name in page.definitions:
        given = mapping(contract.at((*SCHEMAS, names[name], "properties")))
        # Fields that were added have their own provenance, which says that they are not documented.
        own = {field: schema for field, schema in given.items() if "x-provenance" not in schema}
        assert {field: signature(schema, aliases(contract)) for field, schema in own.items()} == {
            field: signature(schema, names) for field, schema in page.fields(name).items()
        }


def test_no_description_of_a_documented_schema_or_field_looks_printed() -> None:
    """The page prints none."""
    contract = load(CONTRACT)
    for name, printed in INVOICES.definitions.items():
        schema = contract.at((*SCHEMAS, INVOICES.names[name]))
        described = [schema, *(schema["properties"][field] for field in printed["properties"])]
        assert all(one.get("description", "").startswith("Assumed: ") for one in described), name


@pytest.mark.parametrize(("status", "example"), [("401", 401), ("404", 404), ("429", 429), ("5XX", 500)])
def test_common_errors_have_responses_of_their_own(status: str, example: int) -> None:
    responses = load(CONTRACT).at((*OPERATION, "responses"))
    assert responses[status]["x-provenance"]["status"] == "assumed"
    body = responses[status]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/ErrorInfo"}
    assert [one["value"]["status"] for one in body["examples"].values()] == [example]


def test_only_printed_schemas_are_marked_as_documented() -> None:
    contract = load(CONTRACT)
    claimed = {one.name for one in contract.elements() if len(one.where) == 3 and one.status == "documented"}
    printed = {here for page in PAGES.values() for here in page.names.values()}
    assert printed <= claimed & {*contract.at(SCHEMAS)} <= printed | aliases(contract).keys()


def every_field() -> list[tuple[str, str, str]]:
    return [
        (stem, name, field) for stem, page in PAGES.items() for name in page.definitions for field in page.fields(name)
    ]


@pytest.mark.parametrize(("stem", "schema", "field"), every_field())
@pytest.mark.parametrize("change", ["drop", "rename", "retype"])
def test_a_change_to_any_documented_field_is_reported_by_name(stem: str, schema: str, field: str, change: str) -> None:
    contract = load(CONTRACT)
    name = PAGES[stem].names[schema]
    properties = contract.data["components"]["schemas"][name]["properties"]
    was = properties.pop(field)
    if change == "rename":
        properties[f"{field}_2"] = was
    if change == "retype":
        properties[field] = {"type": "null"}
    messages = [finding.message for finding in compare(contract)]
    begin, url = re.escape(f"`{name}.{field}` is documented as "), re.escape(PAGES[stem].url)
    patterns = {
        "drop": [f"{begin}.+, but is missing here: .*{url}"],
        "rename": [
            f"{begin}.+, but is missing here: .*{url}",
            rf"the (property|schema) `{re.escape(f'{name}.{field}_2')}[.`]",  # and what is inside of it
        ],
        "retype": [f"{begin}.+, but is null here: .*{url}"],
    }[change]
    assert all(any(re.match(pattern, message) for pattern in patterns) for message in messages)
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
        ((*INVOICE, "status", "enum"), ["Due"], 'is documented as string, but is string with enum ["Due"] here'),
        (
            (*INVOICE, "status", "properties"),
            {"a": {}},
            "is documented as string, but is string with properties (a: anything) here",
        ),
        (
            (*SCHEMAS, "InvoiceDetailsResponse", "properties", "_embedded", "properties"),
            {"a": {}},
            "with properties (a: anything) here",
        ),
        (
            (*SCHEMAS, "ErrorInfo", "required"),
            ["status"],
            '`ErrorInfo` is documented as object, but is object with required ["status"] here',
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
            "has the source https://other.example, which does not print it: use https://docs.talkdesk.com/reference/",
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
    # A response may be a reference to one that operations share.
    if where[0] == "paths" and len(where) > 5 and (shared := contract.follow(contract.at(where[:5]))):
        around = [*shared, *around[5:]]
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


def test_a_documented_response_may_be_a_component(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = Contract(CONTRACT, alone())
    monkeypatch.setattr("tools.contract.documented.FRAGMENTS", tmp_path)
    write_fragments(tmp_path)
    responses = contract.at((*OPERATION, "responses"))
    if "$ref" not in responses["4XX"]:
        contract.data["components"].setdefault("responses", {})["Shared"] = responses["4XX"]
        responses["4XX"] = {"$ref": "#/components/responses/Shared"}
    assert list(compare(contract)) == []


# Pages that contradict each other, on a copy: one page prints `InvoiceDetails` with other fields.
ACCOUNT, SIDE_PANEL = "get-account-details", "get-policy-billing-side-panel-details"


def grown(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> Contract:
    """The contract with more pages, whose fragments are in a folder."""
    write_fragments(folder, *names)
    monkeypatch.setattr("tools.contract.documented.FRAGMENTS", folder)
    file = folder / "openapi"
    file.write_text(yaml.safe_dump(with_pages(*names), sort_keys=False), encoding="utf-8")
    return load(file)


def edit(file: Path, old: str, new: str) -> int:
    """Replace a text in a file, and return its line."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text.count("\n", 0, text.index(old)) + 1


def test_pages_that_print_one_name_with_different_shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = grown(tmp_path, monkeypatch, ACCOUNT, SIDE_PANEL)
    assert check(contract) == []
    claim = contract.at((*SCHEMAS, "AccountInvoiceDetails", "x-provenance"))
    claim["source"] = INVOICES.url
    (finding,) = compare(contract)
    begin = f"the schema `AccountInvoiceDetails` has the source {INVOICES.url}, which does not print it"
    assert finding.message == f"{begin}: use {PAGES_URL}{ACCOUNT}."


def test_a_shape_that_needs_a_name_of_its_own_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = grown(tmp_path, monkeypatch, ACCOUNT)
    edit(tmp_path / f"{ACCOUNT}.yaml", "names:\n  InvoiceDetails: AccountInvoiceDetails\n", "")
    found = [finding for finding in compare(contract) if finding.file]
    message = f"{INVOICES.url} prints `InvoiceDetails`, in another shape than {PAGES_URL}{ACCOUNT}: give one of them "
    message += "another name in the contract, such as with `names: {InvoiceDetails: OtherInvoiceDetails}` in this file."
    assert [finding.message for finding in found] == [message]
    text = (tmp_path / "get-account-invoices.yaml").read_text(encoding="utf-8").splitlines()
    assert found[0].file.endswith("get-account-invoices.yaml")
    assert text[found[0].line - 1] == "  InvoiceDetails:"


def test_names_that_differ_in_case_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = grown(tmp_path, monkeypatch, SIDE_PANEL)
    file = tmp_path / f"{SIDE_PANEL}.yaml"
    text = file.read_text(encoding="utf-8").replace("policy_InvoiceDetails", "InvoiceDETAILS")
    file.write_text(text, encoding="utf-8")
    messages = [finding.message for finding in compare(contract)]
    begin = f"{PAGES_URL}{SIDE_PANEL} prints `InvoiceDETAILS`, which Python calls like `InvoiceDetails` of "
    assert any(message.startswith(begin + INVOICES.url) for message in messages)
    edit(file, "method: GET\n", "method: GET\nnames: {InvoiceDETAILS: policy_InvoiceDetails}\n")
    assert list(compare(contract)) == []


def test_a_schema_of_several_pages_is_reported_once_with_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = grown(tmp_path, monkeypatch, ACCOUNT)
    contract.at((*SCHEMAS, "ErrorInfo", "properties"))["status"] = {"type": "string"}
    (finding,) = compare(contract)
    pages = f"{PAGES_URL}{ACCOUNT} and {INVOICES.url}."
    assert (
        finding.message
        == f"`ErrorInfo.status` is documented as integer, but is string here: change it to match {pages}"
    )


PAGES_URL = "https://docs.talkdesk.com/reference/"
PRINTED = """
parameters:
  - {name: number, in: path, required: true, type: string}
  - {name: detail, in: query, type: string, enum: [full, short]}
request: ChargeDetails
"""
WHOLE = ("paths", "/BillingInfoAPI/accountdetails/{number}")
GET = (*WHOLE, "get")


@pytest.fixture
def printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contract:
    """A contract whose method, path, parameters and request body are documented."""
    contract = grown(tmp_path, monkeypatch, ACCOUNT)
    file = tmp_path / f"{ACCOUNT}.yaml"
    file.write_text(file.read_text(encoding="utf-8") + PRINTED, encoding="utf-8")
    operation = contract.at(GET)
    provenance = contract.at((*WHOLE, "x-provenance"))
    detail = {"name": "detail", "in": "query", "schema": {"type": "string", "enum": ["short", "full"]}}
    operation["parameters"].append(detail)
    for parameter in operation["parameters"]:
        parameter["x-provenance"] = provenance
    schema = {"$ref": "#/components/schemas/ChargeDetails"}
    operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return contract


def test_method_path_parameters_and_request_body_may_be_documented(printed: Contract) -> None:
    assert list(compare(printed)) == []
    documented = {one.kind for one in printed.elements() if one.where[:2] == WHOLE and one.status == "documented"}
    assert documented >= {"path", "operation", "parameter", "schema", "request body", "response"}


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (
            ("paths",),
            lambda paths: {WHOLE[1].replace("account", "Account"): paths[WHOLE[1]]} | {PATH: paths[PATH]},
            "the path of `get_account_details` is documented as /BillingInfoAPI/accountdetails/, but is /BillingInfoAPI/Accountdetails/ here",
        ),
        (WHOLE, lambda item: {"x-provenance": item["x-provenance"], "put": item["get"]}, "the method of `get_account_details` is documented as GET, but is PUT here"),
        ((*GET, "parameters"), lambda given: given[:1], "the query parameter `detail` is documented as optional, but is missing here"),
        ((*GET, "parameters", 1, "in"), lambda _: "header", "the query parameter `detail` is documented as optional, but is missing here"),
        ((*GET, "parameters", 1, "required"), lambda _: True, "the query parameter `detail` is documented as optional, but is required here"),
        ((*GET, "parameters", 1, "schema", "enum"), lambda _: ["full"], 'is documented as string with enum ["full", "short"], but is string with enum ["full"] here'),
        ((*GET, "parameters", 0, "schema", "minLength"), lambda _: 1, "the path parameter `number` is documented as string, but is string with minLength 1 here"),
        ((*GET, "requestBody"), lambda _: None, "the request body is documented as ChargeDetails, but is without a body here"),
        ((*GET, "operationId"), lambda _: "accountDetails", "the documented operation `get_account_details` is missing: add it as"),
    ],
)  # fmt: skip
def test_other_printed_parts_are_compared(
    printed: Contract, where: Where, value: Callable[[Any], Any], message: str
) -> None:
    *around, key = where
    holder = printed.at(tuple(around))
    holder[key] = value(printed.at(where))
    found = [finding.message for finding in compare(printed)]
    assert [one for one in found if message in one and f"{PAGES_URL}{ACCOUNT}" in one], found


def test_the_operation_id_is_free(printed: Contract, tmp_path: Path) -> None:
    printed.at(GET)["operationId"] = "accountDetails"
    edit(tmp_path / f"{ACCOUNT}.yaml", "method: GET\n", "method: GET\noperation: accountDetails\n")
    assert list(compare(printed)) == []


def test_a_path_with_printed_braces_is_compared_with_them(printed: Contract, tmp_path: Path) -> None:
    edit(tmp_path / f"{ACCOUNT}.yaml", "/accountdetails/\n", "/accountdetails/{account}\n")
    (finding,) = compare(printed)
    assert "documented as /BillingInfoAPI/accountdetails/{account}, but is /BillingInfoAPI/acc" in finding.message


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("method: GET\n", "method: [GET\n", "url:", "this is not valid YAML"),
        ("method: GET\n", "method: 5\n", "method:", "5 is not of type 'string'. CONTRIBUTING.md describes the format."),
        ("method: GET\n", "methd: GET\n", "methd:", "`methd` is unknown: did you mean `method`?"),
        ("page: ", "pages: ", "pages:", "'page' is a required property"),
        ("  InvoiceDetails: Acc", "  InvoiceDetail: Acc", "  InvoiceDetail:", "`InvoiceDetail` is unknown in `definitions`: did you mean `InvoiceDetails`?"),
        ("  account_details_reponse:\n    type: object\n", "  account_details_reponse: none\n  more:\n    type: object\n", "  account_details_reponse:", "'none' is not of type 'object'"),
        ("      account_number:\n        type: string\n", "      account_number: string\n", "      account_number:", "'string' is not of type 'object'"),
        ("definitions:\n", "parameters: [{name: a, in: body}]\ndefinitions:\n", "parameters:", "'body' is not one of ['path', 'query', 'header', 'cookie']"),
        ("retrieved: '2026-11-22'", "retrieved: 2026-11-22", "retrieved:", "quote it"),
        ("names:", "page: again\nnames:", "page: again", "the key `page` is also on line 2"),
    ],
)  # fmt: skip
def test_a_broken_fragment_is_reported_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], old: str, new: str, line: str, message: str
) -> None:  # fmt: skip
    contract = grown(tmp_path, monkeypatch, ACCOUNT)
    file = tmp_path / f"{ACCOUNT}.yaml"
    edit(file, old, new)
    findings = check(contract)
    assert [one for one in findings if message in one.message and one.file == str(file)]
    assert all(one.file for one in findings)
    if "'page'" not in message:  # a missing key has no place of its own
        assert file.read_text(encoding="utf-8").splitlines()[findings[0].line - 1].startswith(line)
    report(contract, findings)
    assert capsys.readouterr().out.startswith(f"{file}:{findings[0].line}:")


# What a page prints in Swagger 2, or cannot mean, and its form in the contract.
FORMS = """
  Odd:
    type: object
    additionalProperties: false
    properties:
      day: {type: date}
      whole: {type: Integer}
      part: {type: number, minimum: 0, exclusiveMinimum: true}
      scan: {type: file}
      since: {type: string, format: date, x-nullable: true}
      rank: {type: string, enum: [a, b], nullable: true}
      other: {type: object, nullable: true, $ref: '#/definitions/ChargeDetails'}
      VIN: {type: string}
      vin: {type: string}
      2nd: {type: string}
      to_dict: {type: string}
examples:
  Odd: {whole: "5"}
parameters:
  - {name: kinds, in: query, type: array, items: {type: string}, collectionFormat: multi}
  - {name: codes, in: query, type: array, items: {type: string}, collectionFormat: csv}
request: {type: file}
"""
IN_THE_CONTRACT = {
    "day": {"type": "string", "format": "date"},
    "whole": {"type": "integer"},
    "part": {"type": "number", "exclusiveMinimum": 0},
    "scan": {"type": "string", "format": "binary"},
    "since": {"type": ["string", "null"], "format": "date"},
    "rank": {"type": ["string", "null"], "enum": ["a", "b"]},
    "other": {"oneOf": [{"$ref": "#/components/schemas/ChargeDetails"}, {"type": "null"}]},
    "vin": {"type": "string"},
}


def test_pages_may_print_what_openapi_3_or_python_cannot_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = grown(tmp_path, monkeypatch, ACCOUNT)
    file = tmp_path / f"{ACCOUNT}.yaml"
    file.write_text(file.read_text(encoding="utf-8") + FORMS, encoding="utf-8")
    edit(file, "\n  400's:", "\n  default:")
    printed = contract.at((*WHOLE, "x-provenance"))
    odd = {"type": "object", "x-provenance": printed, "properties": IN_THE_CONTRACT}
    contract.at(SCHEMAS)["Odd"] = odd
    operation = contract.at(GET)
    operation["responses"]["5XX"] = operation["responses"]["4XX"]
    kinds = {"name": "kinds", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}
    codes = kinds | {"name": "codes", "explode": False, "x-provenance": printed}
    operation["parameters"] += [kinds | {"x-provenance": printed}, codes]
    operation["requestBody"] = {"content": {"application/pdf": {}}, "x-provenance": printed}
    assert list(compare(contract)) == []
    del codes["explode"]
    (finding,) = compare(contract)
    assert "items of the query parameter `codes` is documented as ',', but is '' here" in finding.message
    codes["explode"] = False
    del odd["properties"]["vin"]
    assert {finding.message.partition(" is ")[0] for finding in compare(contract)} == {"`Odd.VIN`"}
    odd["properties"]["VIN"] = {"type": "string"}
    edit(file, 'Odd: {whole: "5"}', "Odd: {whole: 5}")
    (finding,) = compare(contract)
    assert "the documented example of `Odd` is missing" in finding.message


def test_the_described_format_is_the_format(tmp_path: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("### The printed text of a page")[2]
    example = text.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "page.yaml").write_text(example, encoding="utf-8")
    (file,) = read(tmp_path)
    names = [finding for finding in file.findings if "`InvoiceDetails` is unknown in `definitions`" in finding.message]
    assert file.findings == names  # the example is shortened
    assert [*file.data] == [*FORMAT["properties"]]

"""The proof names each part of the contract that a generated package lost, with its place."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from talkdesk_bridge_api import __file__ as package

from tests.conftest import CONTRACT, PATH, ROOT, alone
from tools.contract import Contract, Where, load
from tools.generate import PACKAGE, ProbeError, generate, offered
from tools.generate.models import Part
from tools.generate.roundtrip import missing

SCHEMAS = ("components", "schemas")
INVOICE = (*SCHEMAS, "InvoiceDetails")
OPERATION = ("paths", PATH, "get")
API, MODELS = "api/billing", "models"

# The file, a text in it, its replacement, and the place and part of the expected message.
LOSSES = [
    (f"{MODELS}/invoice_details.py", '        model.status = status_', "        model.status = None", INVOICE, "`InvoiceDetails` changes `status`"),
    (f"{MODELS}/invoice_details.py", '            data["status"] = self.status', "            pass", INVOICE, "`InvoiceDetails` changes `status`"),
    (f"{MODELS}/invoice_details.py", 'amount_ = src_dict["amount"]', 'amount_ = src_dict["Amount"]', INVOICE, "fails with RecursionError"),
    (f"{MODELS}/invoice_details.py", "    status: str | None = None\n", "", INVOICE, "is not described by FIELDS"),
    (f"{MODELS}/invoice_details.py", '        "due_amount": "due_amount",\n', "", INVOICE, "`InvoiceDetails` is not described by FIELDS"),
    (f"{MODELS}/invoice_details.py", '"due_amount": "due_amount"', '"due_amount": "amount_due"', INVOICE, "`InvoiceDetails` is not described by FIELDS"),
    (f"{MODELS}/invoice_details.py", "reading.date_or_none(invoice_due_date_", "reading.string(invoice_due_date_", INVOICE, "`InvoiceDetails` does not have its declared types"),
    (f"{MODELS}/invoice_details.py", "len(src_dict) != ", "len(src_dict) > 99 + ", INVOICE, "changes `x-extra`"),
    (f"{MODELS}/invoice_details.py", "base.models(InvoiceItemDetails)", "base.models(InvoiceDetails)", INVOICE, "`InvoiceDetails` lost the property `category`"),
    (f"{MODELS}/invoice_details.py", 'amount_ = src_dict["amount"]', 'amount_ = src_dict["due_amount"]', INVOICE, "`InvoiceDetails` changes `amount`"),
    (f"{MODELS}/invoice_details.py", "required=()", 'required=("status",)', INVOICE, "does not read an object without `status`: expected object with `status`"),
    (f"{MODELS}/invoice_details.py", '        "status": "status",\n', '        "status": "status",\n        "more": "status",\n', INVOICE, "is not described by FIELDS"),
    (f"{MODELS}/__init__.py", "InvoiceDetailsReponse = InvoiceDetailsResponse", "InvoiceDetailsReponse = ErrorInfo", (*SCHEMAS, "invoice_details_reponse"), "is not the class `InvoiceDetailsResponse`"),
    (f"{MODELS}/__init__.py", "from .error_details_properties import ErrorDetailsProperties\n", "", (*SCHEMAS, "ErrorDetailsProperties"), "has no class `ErrorDetailsProperties`"),
    (f"{API}/__init__.py", '_sending.Parameter("per_page", "query", "per_page"),', "", OPERATION, "does not send the query parameter `per_page`"),
    (f"{API}/__init__.py", '("page", "query", "page")', '("page", "query", "other")', OPERATION, "does not send the query parameter `page`"),
    (f"{API}/__init__.py", '("page", "query", "page")', '("per_page", "query", "page")', OPERATION, "does not send the query parameter `page`"),
    (f"{API}/__init__.py", '("account_number", "path", ', '("account_number", "query", ', OPERATION, "fails with KeyError"),
    (f"{API}/__init__.py", f'path="{PATH}",\n        parameters', 'path="/x",\n        parameters', OPERATION, "requests GET /x instead of"),
    (f"{API}/__init__.py", 'RequestMaker(\n        method="GET"', 'RequestMaker(\n        method="POST"', OPERATION, f"requests POST {PATH.partition('{')[0]}"),
    (f"{API}/__init__.py", "base.model(InvoiceDetailsResponse)", "base.model(ErrorInfo)", OPERATION, "does not read the body of `200`"),
    (f"{API}/__init__.py", '200, "json", ', '200, "text", ', OPERATION, "does not read the body of `200`"),
    (f"{API}/__init__.py", "Body(200, 200, ", "Body(201, 299, ", OPERATION, "does not read the body of `200`"),
    (f"{API}/__init__.py", "Body(400, 499, ", "Body(500, 599, ", OPERATION, "does not read the body of `4"),
    (f"{API}/__init__.py", "base.model(ErrorInfo)", "base.model(InvoiceDetails)", OPERATION, "does not read the body of `4"),
    (f"{API}/__init__.py", "_base.model(ErrorInfo)", "lambda value, here, step: value", OPERATION, "does not read the body of `4"),
    (f"{API}/__init__.py", "Body(400, 499, ", "Body(400, 400, ", OPERATION, "does not read the body of `4"),
    (f"{API}/__init__.py", "items=lambda body: body.embedded.invoices", "items=lambda body: []", OPERATION, "does not find the items of `invoices`"),
    (f"{API}/__init__.py", 'keys=("_embedded", "invoices")', 'keys=("_embedded", "invoice")', OPERATION, "does not find the items of `invoices`"),
    (f"{API}/__init__.py", "page=InvoiceDetailsResponse", "page=InvoiceDetails", OPERATION, "does not find the items of `invoices`"),
    (f"{API}/__init__.py", 'begin="page"', 'begin="number"', OPERATION, "or drops an argument in `iter_account_invoices`"),
    (f"{API}/__init__.py", "    def iter_account_invoices(", "    def other(", OPERATION, "a list without an iterator"),
    (f"{API}/__init__.py", '                "page": page,\n', "", OPERATION, "`get_account_invoices` does not pass on all of its arguments"),
    (f"{API}/__init__.py", "    async def get_account_invoices(", "    async def other(", OPERATION, "has no method `billing.get_account_invoices` in `AsyncOperations`"),
    ("api/__init__.py", "self.billing = BillingOperations(caller)", "self.other = BillingOperations(caller)", OPERATION, "has no method `billing.get_account_invoices` in `Operations`"),
]  # fmt: skip


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """The contract without other operations than the invoices, so that a text in the code is its own."""
    file = tmp_path_factory.mktemp("contract") / "openapi.yaml"
    file.write_text(yaml.safe_dump(alone(), sort_keys=False), encoding="utf-8")
    generate(load(file), file.parent / PACKAGE)
    return load(file)


@pytest.fixture
def generated(checked: Contract, tmp_path: Path) -> Path:
    """A copy of the package that is generated from it."""
    return Path(shutil.copytree(checked.file.parent / PACKAGE, tmp_path / PACKAGE))


def test_the_package_covers_the_contract(checked: Contract, generated: Path) -> None:
    assert missing(checked, generated) == []
    assert missing(load(CONTRACT), Path(str(package)).parent) == []


@pytest.mark.parametrize(("file", "old", "new", "where", "message"), LOSSES)
def test_a_loss_is_reported(
    checked: Contract, generated: Path, file: str, old: str, new: str, where: Where, message: str
) -> None:
    text = (generated / file).read_text(encoding="utf-8")
    assert old in text
    (generated / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    lost = missing(checked, generated)
    place = checked.finding("roundtrip", where, "")
    assert {(finding.line, finding.column) for finding in lost} == {(place.line, place.column)}, lost
    assert message in lost[0].message, lost


def test_a_sample_is_blamed_if_it_is_not_valid(checked: Contract) -> None:
    schema = {"required": ["a"], "properties": {"b": {"minLength": 99}}}
    part = Part(checked, ModuleType("generated"), INVOICE)
    assert part.flaws(schema, {"a": 1, "b": "short"}) == []  # generated code ignores the minimum
    (why,) = part.flaws(schema, {"b": "short"})
    assert why == "cannot be verified, as the sample that is made for it is not valid at $: 'a' is a required property"


def test_a_package_that_cannot_be_imported_raises(checked: Contract, generated: Path) -> None:
    file = generated / MODELS / "error_info.py"
    file.write_text(
        file.read_text(encoding="utf-8").replace("class ErrorInfo(", "class ErrorDetail("), encoding="utf-8"
    )
    with pytest.raises(ImportError, match="cannot import name 'ErrorInfo'"):
        missing(checked, generated)


def test_a_set_as_a_default_is_sorted() -> None:
    names = offered(ROOT / "generated", ROOT / "overrides")
    assert names["Retry(statuses)"].endswith(" = frozenset([408, 429, 500, 502, 503, 504])")


def test_names_of_installed_packages_are_not_offered(generated: Path, tmp_path: Path) -> None:
    names = offered(generated.parent)
    assert names["client.billing.get_account_invoices(page)"] == "int | None = None"
    assert names["models.InvoiceDetails.status"] == "str | None = None"
    assert "BridgeClient" not in names
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProbeError, match="talkdesk_bridge_api is not in any of these folders"):
        offered(tmp_path / "empty")
    (generated / "__init__.py").write_text("import os\n\nos._exit(3)\n", encoding="utf-8")
    with pytest.raises(ProbeError, match="Python exited with status 3"):
        offered(generated.parent)

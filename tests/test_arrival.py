"""The proof that a contract arrived: whatever is taken out of a generated package is named, with its place."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from talkdesk_bridge_api import __file__ as package

from tests.conftest import CONTRACT, PATH
from tools import arrival
from tools import generate as tool
from tools.contract import Where, load
from tools.looking import Probe, ProbeError

SCHEMAS = ("components", "schemas")
INVOICE = (*SCHEMAS, "InvoiceDetails")
OPERATION = ("paths", PATH, "get")
API, MODELS = "api/billing", "models"

# The file, a passage of it, what it becomes, and what must be told, where.
LOSSES = [
    (f"{MODELS}/invoice_details.py", '        model.status = _status', "        model.status = None", INVOICE, "`InvoiceDetails` changes `status`"),
    (f"{MODELS}/invoice_details.py", '            data["status"] = self.status', "            pass", INVOICE, "`InvoiceDetails` changes `status`"),
    (f"{MODELS}/invoice_details.py", '_amount = src_dict["amount"]', '_amount = src_dict["Amount"]', INVOICE, "fails with RecursionError"),
    (f"{MODELS}/invoice_details.py", "    status: str | None = None\n", "", INVOICE, "fails with "),
    (f"{MODELS}/invoice_details.py", '        "due_amount": "due_amount",\n', "", INVOICE, "`InvoiceDetails` is not described by FIELDS"),
    (f"{MODELS}/invoice_details.py", '"due_amount": "due_amount"', '"due_amount": "amount_due"', INVOICE, "`InvoiceDetails` is not described by FIELDS"),
    (f"{MODELS}/invoice_details.py", "reading.date_or_none(_invoice_due_date", "reading.string(_invoice_due_date", INVOICE, "`InvoiceDetails` does not have the types that it says"),
    (f"{MODELS}/invoice_details.py", "len(src_dict) != ", "len(src_dict) > 99 + ", INVOICE, "changes `x-extra`"),
    (f"{MODELS}/invoice_details.py", "base.models(InvoiceItemDetails)", "base.models(InvoiceDetails)", INVOICE, "`InvoiceDetails` lost the property `category`"),
    (f"{MODELS}/invoice_details.py", '_amount = src_dict["amount"]', '_amount = src_dict["due_amount"]', INVOICE, "`InvoiceDetails` changes `amount`"),
    (f"{MODELS}/invoice_details.py", "required=()", 'required=("status",)', INVOICE, "fails with MisfitError: object with `status`"),
    (f"{MODELS}/invoice_details.py", '        "status": "status",\n', '        "status": "status",\n        "more": "status",\n', INVOICE, "is not described by FIELDS"),
    (f"{MODELS}/error_info.py", "class ErrorInfo(", "class ErrorDetail(", (), "cannot import name"),
    (f"{MODELS}/__init__.py", "InvoiceDetailsReponse = InvoiceDetailsResponse", "InvoiceDetailsReponse = ErrorInfo", (*SCHEMAS, "invoice_details_reponse"), "is not the class `InvoiceDetailsResponse`"),
    (f"{MODELS}/__init__.py", "from .error_details_properties import ErrorDetailsProperties\n", "", (*SCHEMAS, "ErrorDetailsProperties"), "has no class `ErrorDetailsProperties`"),
    (f"{API}/get_account_invoices.py", 'params["per_page"] = per_page', "pass", OPERATION, "does not send the query parameter `per_page`"),
    (f"{API}/get_account_invoices.py", 'params["page"] = page', 'params["page"] = "other"', OPERATION, "does not send the query parameter `page`"),
    (f"{API}/get_account_invoices.py", 'params["page"] = page', 'params["page"] = per_page', OPERATION, "does not send the query parameter `page`"),
    (f"{API}/get_account_invoices.py", "quote(str(account_number), safe", "quote('{}', safe", OPERATION, "does not send the path parameter `account_number`"),
    (f"{API}/get_account_invoices.py", '"method": "get"', '"method": "post"', OPERATION, f"asks POST {PATH} instead"),
    (f"{API}/__init__.py", "base.model(InvoiceDetailsResponse)", "base.model(ErrorInfo)", OPERATION, "does not read the body of `200`"),
    (f"{API}/__init__.py", '200, "json", base', '200, "text", base', OPERATION, "does not read the body of `200`"),
    (f"{API}/__init__.py", "Body(200, 200, ", "Body(201, 299, ", OPERATION, "does not read the body of `200`"),
    (f"{API}/__init__.py", "Body(400, 499, ", "Body(500, 599, ", OPERATION, "does not read the body of `4XX`"),
    (f"{API}/__init__.py", "base.model(ErrorInfo)", "base.model(InvoiceDetails)", OPERATION, "does not read the body of `4XX`"),
    (f"{API}/__init__.py", "base.model(ErrorInfo)", "lambda value, here, step: value", OPERATION, "does not read the body of `4XX`"),
    (f"{API}/__init__.py", "Body(400, 499, ", "Body(400, 400, ", OPERATION, "does not read the body of `4XX`"),
    (f"{API}/__init__.py", "items=lambda body: body.embedded.invoices", "items=lambda body: []", OPERATION, "does not find the items of `invoices`"),
    (f"{API}/__init__.py", 'list_name="invoices"', 'list_name="invoice"', OPERATION, "does not find the items of `invoice`"),
    (f"{API}/__init__.py", "page=InvoiceDetailsResponse", "page=InvoiceDetails", OPERATION, "does not find the items of `invoices`"),
    (f"{API}/__init__.py", "has_page=True", "has_page=False", OPERATION, "or without an argument, in `iter_account_invoices`"),
    (f"{API}/__init__.py", "    def iter_account_invoices(", "    def other(", OPERATION, "a list without an iterator"),
    (f"{API}/__init__.py", '                "page": page,\n', "", OPERATION, "`get_account_invoices` does not pass on all of its arguments"),
    (f"{API}/__init__.py", "    async def get_account_invoices(", "    async def other(", OPERATION, "has no method `billing.get_account_invoices` in `AsyncOperations`"),
    ("api/__init__.py", "self.billing = BillingOperations(caller)", "self.other = BillingOperations(caller)", OPERATION, "has no method `billing.get_account_invoices` in `Operations`"),
]  # fmt: skip


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """A copy of the generated package."""
    source = Path(str(package)).parent
    return Path(shutil.copytree(source, tmp_path / tool.PACKAGE, ignore=shutil.ignore_patterns("__pycache__")))


def test_the_contract_arrived(generated: Path) -> None:
    assert arrival.missing(load(CONTRACT), Probe(generated.parent)) == []


@pytest.mark.parametrize(("file", "old", "new", "where", "told"), LOSSES)
def test_a_loss_is_named(generated: Path, file: str, old: str, new: str, where: Where, told: str) -> None:
    text = (generated / file).read_text(encoding="utf-8")
    assert old in text
    (generated / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        lost = arrival.missing(load(CONTRACT), Probe(generated.parent))
    except ProbeError as error:
        lost = [((), str(error))]
    assert {place for place, _ in lost} == {where}, lost
    assert told in lost[0][1], lost


def test_another_package_that_is_installed_proves_nothing(tmp_path: Path) -> None:
    probe = Probe(tmp_path)
    with pytest.raises(ProbeError, match="talkdesk_bridge_api is in none of"):
        arrival.missing(load(CONTRACT), probe)


def test_the_package_may_come_after_the_start(generated: Path, tmp_path: Path) -> None:
    (tmp_path / "later").mkdir()
    probe = Probe(tmp_path / "later")
    time.sleep(0.5)  # it has loaded what it needs, and waits
    generated.rename(tmp_path / "later" / generated.name)
    assert arrival.missing(load(CONTRACT), probe) == []

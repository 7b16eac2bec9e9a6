"""`talkdesk_bridge.contract` and `VARIABLES`: the contract and the environment variables as data for programs."""

from __future__ import annotations

import inspect
import json
import re
from typing import get_type_hints

from talkdesk_bridge import VARIABLES, AsyncBridgeClient, BridgeClient, __version__, contract

from tests.conftest import CONTRACT, ROOT
from tools.contract import load


def test_the_document_is_the_contract() -> None:
    assert contract.document() == load(CONTRACT).data
    contract.document().clear()
    assert contract.document()["openapi"]


def test_each_operation_names_methods_that_both_clients_have() -> None:
    declared = {
        operation["operationId"]: (method.upper(), re.sub("{.*?}", "{}", path))
        for path, item in contract.document()["paths"].items()
        for method, operation in item.items()
        if "operationId" in operation
    }
    found = contract.operations()  # whose paths have the names of Python, such as {claim_number}
    assert {info.operation_id: (info.method, re.sub("{.*?}", "{}", info.path)) for info in found} == declared
    for client in (BridgeClient("https://bridge.example"), AsyncBridgeClient("https://bridge.example")):
        for info in contract.operations():
            group = getattr(client, info.group)
            assert getattr(group, info.name).__doc__ == info.function.__doc__
            assert info.iterator is None or callable(getattr(group, info.iterator))
            assert (info.iterator is None) == (info.shape is None) == (info.item is None)
            assert info.identity == ("invoice_number" if info.name == "get_account_invoices" else None)


def test_the_function_of_an_operation_has_the_signature_of_its_method() -> None:
    bridge = BridgeClient("https://bridge.example")
    for info in contract.operations():
        method = getattr(getattr(bridge, info.group), info.name)
        assert [*inspect.signature(info.function).parameters][1:] == [*inspect.signature(method).parameters]
        assert get_type_hints(info.function) == get_type_hints(method)


def test_the_lock_names_the_sources_of_the_client() -> None:
    locked = json.loads((ROOT / "generated" / "talkdesk_bridge_api" / "lock.json").read_text(encoding="utf-8"))
    assert contract.lock() == locked
    assert locked["version"] == __version__


def test_the_docs_list_all_variables() -> None:
    text = (ROOT / "docs" / "credentials.md").read_text(encoding="utf-8")
    assert {*re.findall(r"TALKDESK_BRIDGE_[A-Z_]+", text)} >= {*VARIABLES}
    assert "TALKDESK_BRIDGE_URL" in VARIABLES

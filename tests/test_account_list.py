"""The commands that need the list of an account's invoices, with clients whose contract has it in another form, or not."""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from talkdesk_bridge_sandbox import Sandbox

from tests.command import Run, in_another_process
from tests.conftest import PATH, Server, alone, as_json
from tests.packages import made

Node = dict[str, Any]
DATA = alone()
INVOICE = {"$ref": "#/components/schemas/InvoiceDetails"}
HERE = "this command needs the operation get_account_invoices, and the installed client"
OTHER = "'talkdesk-bridge get --help' lists the operations that it has"
GONE = f"talkdesk-bridge: {HERE} does not have it: {OTHER}.\n"
NO_LIST = f"talkdesk-bridge: {HERE} has it, but not as a list of the invoices of one account: {OTHER}.\n"


def operation(data: Node) -> Node:
    node: Node = data["paths"][PATH]["get"]
    return node


def media(data: Node) -> Node:
    node: Node = operation(data)["responses"]["200"]["content"]["application/json"]
    return node


def invoices(data: Node) -> Any:
    return media(data)["examples"]["invoices"]["value"]["_embedded"]["invoices"]


def gone(data: Node) -> None:
    operation(data)["operationId"] = "get_other"


def single(data: Node) -> None:
    data["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"] = {
        "schema": INVOICE, "example": invoices(data)[0],
    }  # fmt: skip


def texts(data: Node) -> None:
    example = {"_embedded": {"invoices": ["1"]}, "total": 1}
    schemas = data["components"]["schemas"]
    schemas["InvoiceList"]["properties"]["invoices"]["items"] = {"type": "string"}
    del schemas["InvoiceDetails"], schemas["InvoiceItemDetails"]  # the command imports no model by its name
    media(data)["examples"] = {"invoices": {"value": example}}


def two_arguments(data: Node) -> None:
    year = {"name": "year", "in": "query", "required": True, "schema": {"type": "integer"}}
    operation(data)["parameters"].append(year | {"x-provenance": operation(data)["parameters"][0]["x-provenance"]})


def offsets(data: Node) -> None:
    """An array that is paged by offset and limit, under another tag and another name of the account."""
    example, node = invoices(data), operation(data)
    node["responses"]["200"]["content"]["application/json"] = {
        "schema": {"type": "array", "items": INVOICE}, "example": example,
    }  # fmt: skip
    account, page, per_page = node["parameters"]
    page["name"], per_page["name"], node["tags"] = "offset", "limit", ["money"]
    page["schema"]["minimum"] = 0
    account["name"] = "policy"
    data["tags"][0]["name"] = "money"
    data["paths"][PATH.replace("account_number", "policy")] = data["paths"].pop(PATH)


def without_sizes(data: Node) -> None:
    del operation(data)["parameters"][1:]
    fields = data["components"]["schemas"]["InvoiceDetails"]["properties"]
    del fields["paid_amount"], fields["status"]


CHANGES: list[Callable[[Node], None]] = [gone, single, texts, two_arguments, offsets, without_sizes]


@pytest.fixture(scope="module")
def contracts() -> dict[str, Node]:
    found = {}
    for change in CHANGES:
        found[change.__name__] = copy.deepcopy(DATA)
        change(found[change.__name__])
    return found


@pytest.fixture(scope="module")
def commands(contracts: dict[str, Node], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """The command of a client of each contract."""
    folder = tmp_path_factory.mktemp("clients")
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(in_another_process(made(contract, folder / name)))
            for name, contract in contracts.items()
        }


@pytest.mark.parametrize(
    ("name", "message"), [("gone", GONE), ("single", NO_LIST), ("texts", NO_LIST), ("two_arguments", NO_LIST)]
)
def test_the_command_says_that_the_client_does_not_have_the_list(
    commands: dict[str, Run], server: Server, tmp_path: Path, name: str, message: str
) -> None:
    accounts, output = tmp_path / "accounts.txt", tmp_path / "out"
    accounts.write_text("1\n")
    for arguments in (["1"], ["1", "--format", "csv"], ["--accounts-file", str(accounts)]):
        result = commands[name]("invoices", *arguments, "--output", str(output), URL=server.url)
        assert (result.returncode, result.stdout, result.stderr) == (8, "", message)
    assert [*tmp_path.iterdir()] == [accounts]
    assert server.seen == []


def test_doctor_skips_what_needs_the_list(commands: dict[str, Run], server: Server) -> None:
    result = commands["gone"]("doctor", "--account", "1", "--json", URL=server.url)
    checks = {check["check"]: check for check in json.loads(result.stdout)["checks"]}
    assert (result.returncode, checks["bridge"]["status"], checks["response"]["status"]) == (0, "skipped", "skipped")
    assert checks["response"]["found"] == f"Not checked: {HERE} does not have it: {OTHER}."


def test_the_commands_use_the_list_in_another_form(
    commands: dict[str, Run], contracts: dict[str, Node], tmp_path: Path
) -> None:
    accounts = tmp_path / "accounts.txt"
    accounts.write_text("1000000001\n1000000005\n")
    run = commands["offsets"]
    with Sandbox(contract=contracts["offsets"]) as sandbox:
        named = {"URL": sandbox.url, "BEARER_TOKEN": "sandbox-token"}
        table = run("invoices", "1000000001", "--per-page", "100", **named)
        assert (table.returncode, table.stdout.splitlines()[-1]) == (0, "137 invoices")
        assert all("limit=100" in seen.target for seen in sandbox.requests)
        rows = [*csv.DictReader(run("invoices", "1000000001", "--format", "csv", **named).stdout.splitlines())]
        assert ({row["policy"] for row in rows}, len({row["invoice_number"] for row in rows})) == ({"1000000001"}, 137)
        many = run("invoices", "--accounts-file", str(accounts), **named)
        assert (many.returncode, many.stdout.count("\n")) == (0, 197)
        result = run("doctor", "--account", "1000000001", "--json", **named)
        assert (result.returncode, json.loads(result.stdout)["checks"][-1]["status"]) == (0, "good")


def test_what_the_contract_lacks_for_an_option_is_named(commands: dict[str, Run], server: Server) -> None:
    run = commands["without_sizes"]
    server.respond_with(as_json({"_embedded": {"invoices": [{"invoice_number": "1"}]}, "total": 1}))
    result = run("invoices", "1", URL=server.url)
    fields = "the table needs fields that InvoiceDetails lacks (status)"
    assert (result.returncode, result.stdout) == (8, "")
    assert result.stderr == f"talkdesk-bridge: {fields}: use --format json, jsonl or csv.\n"
    result = run("invoices", "1", "--format", "json", "--per-page", "5", URL=server.url)
    assert (result.returncode, result.stdout) == (2, "")
    assert (
        result.stderr
        == "talkdesk-bridge: --per-page: the contract has no parameter for the number of items on a page.\n"
    )
    assert server.seen == []
    result = run("invoices", "1", "--format", "jsonl", URL=server.url)
    assert (result.returncode, json.loads(result.stdout)) == (0, {"account_number": "1", "invoice_number": "1"})

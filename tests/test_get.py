"""`talkdesk-bridge get`: every operation of the contract, without hand-written code."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest
from click import BadParameter
from talkdesk_bridge_cli.values import Value
from talkdesk_bridge_sandbox import Sandbox

from tests.command import Run, environment, in_another_process, on_a_terminal, run
from tests.conftest import Server, as_json, invoices_of, merged, page
from tools import generate as tool
from tools.contract import load

MAIN = [sys.executable, "-c", "from talkdesk_bridge_cli.main import main; main()"]


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    return merged("claims", "things", "shapes")


@pytest.fixture(scope="module")
def package(contract: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the client of that contract."""
    folder = tmp_path_factory.mktemp("client")
    file = folder / "contract.json"
    file.write_text(json.dumps(contract), encoding="utf-8")
    tool.generate(load(file), folder / tool.PACKAGE)
    return folder


@pytest.fixture(scope="module")
def bridge(contract: dict[str, Any]) -> Iterator[Sandbox]:
    """A sandbox of that contract."""
    with Sandbox(contract=contract) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def get(package: Path) -> Iterator[Run]:
    """A function that runs `get` of that client."""
    with in_another_process(package) as run_there:
        yield partial(run_there, "get")


def test_a_response_is_printed_unchanged(server: Server) -> None:
    body = page(1, total=9, following="/next") | {"odd": {"list": [None, True, "\u20ac"]}}
    server.respond_with(body)
    result = run("get", "get_account_invoices", "1", "--page", "2", "--per-page", "3", URL=server.url)
    assert (result.returncode, result.stderr, json.loads(result.stdout)) == (0, "", body)
    assert [target for _, target, *_ in server.seen] == [f"{invoices_of('1')}?page=2&per_page=3"]


@pytest.mark.parametrize("options", [["--all"], ["--format", "jsonl"], ["--all", "--format", "jsonl"]])
def test_all_items_of_all_pages_are_printed(sandbox: Sandbox, options: list[str]) -> None:
    arguments = ["get", "get_account_invoices", "1000000001", "--per-page", "100", *options]
    result = run(*arguments, URL=sandbox.url, BEARER_TOKEN="sandbox-token")
    assert (result.returncode, result.stderr) == (0, "get_account_invoices: 137 items printed.\n")
    lines = "jsonl" in options
    invoices = [*map(json.loads, result.stdout.splitlines())] if lines else json.loads(result.stdout)
    assert [invoice["invoice_number"] for invoice in invoices] == [str(1000000001 + index) for index in range(137)]
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize(("options", "named"), [(["--all"], "--all"), (["--format", "jsonl"], "--format jsonl")])
def test_one_page_and_all_pages_cannot_be_combined(server: Server, options: list[str], named: str) -> None:
    result = run("get", "get_account_invoices", "1", "--page", "2", *options, URL=server.url)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"--page is for one page, but {named} reads all pages" in result.stderr
    assert server.seen == []


def test_a_body_that_deviates_is_printed_unchanged(server: Server) -> None:
    server.respond_with((200, {}, b'[{"invoice_number": "1", "due_amount": null, "n": 1.10}]'))
    result = run("get", "get_account_invoices", "1", URL=server.url)
    assert "".join(result.stdout.split()) == '[{"invoice_number":"1","due_amount":null,"n":1.10}]'


def test_errors_and_deviations_are_reported(server: Server, tmp_path: Path) -> None:
    server.respond_with({"_embedded": {"invoices": [{"due_amount": 7.5}]}})
    result = run("get", "get_account_invoices", "1", URL=server.url)
    assert json.loads(result.stdout) == {"_embedded": {"invoices": [{"due_amount": 7.5}]}}
    place = "$._embedded.invoices[*].due_amount"
    assert result.stderr == f"get_account_invoices: expected string at {place}, got number (1 time).\n"
    for response, status in (
        (as_json({}, 404), 4),
        (as_json({}, 401), 3),
        ((200, {}, b"<html>"), 6),
        (as_json([], 429, Retry_After="99"), 5),
    ):
        server.respond_with(response)
        out = tmp_path / "out"
        result = run("get", "get_account_invoices", "1", "--output", str(out), URL=server.url)
        assert (result.returncode, result.stdout, out.exists()) == (status, "", False)
        assert result.stderr.startswith(f"talkdesk-bridge: GET {invoices_of('1')} returned ")
        assert result.stderr.count("\n") == 1


def test_the_operations_are_listed(get: Run, contract: dict[str, Any]) -> None:
    listed = re.findall(
        r"^  (\w+)(?:  |$)", get("--help").stdout.partition("Commands:\n")[2].partition("\n\n")[0], re.M
    )
    names = [
        operation["operationId"]
        for item in contract["paths"].values()
        for operation in item.values()
        if "operationId" in operation
    ]
    assert len(names) >= 10
    assert listed == sorted(names)
    assert "Find claims" in get("--help").stdout


def test_a_help_page_describes_arguments_and_assumptions(get: Run) -> None:
    shown = " ".join(get("findClaims", "--help").stdout.split())
    for text in (
        "get findClaims [OPTIONS] POLICY NUMBER",
        "GET /policies/{policy}/claims/{number}",
        "Assumed: Made up. See a test",
        "POLICY: The policy. Assumed: Made up.",
        "--limit INTEGER",
        "--since DATE",
        "--open true|false",
        "[required]",
        "--colour light blue|red",
        "Can be given more than once.",
        "--from TEXT",
        "talkdesk-bridge get findClaims 1000000001 1000000001 --limit",
    ):
        assert text in shown, text
    assert "--all " not in shown
    assert "--format " not in shown
    shown = " ".join(run("get", "get_account_invoices", "--help").stdout.split())
    for text in (
        "https://your-url-here.com/BillingInfoAPI/accountdetails/",
        "--all Print every item",
        "--page INTEGER",
    ):
        assert text in shown


def test_the_sandbox_and_its_page_have_every_operation(
    get: Run, bridge: Sandbox, contract: dict[str, Any], tmp_path: Path
) -> None:
    with build_opener(ProxyHandler({})).open(f"{bridge.url}/", timeout=10) as shown:
        html = shown.read().decode()
    assert all(json.dumps(path) in html for path in contract["paths"])
    named = {"URL": bridge.url, "API_KEY": "sandbox-key", "API_KEY_HEADER": "X-Key"}
    account = "1000000001"
    claim = {"claimNumber": "7", "day": "2023-07-22", "colour": "red"}
    body = tmp_path / "body.json"
    body.write_text('{"thing_number": "1", "due": "2023-07-22"}')
    for arguments, expected in (
        (
            ["findClaims", account, "5", "--limit", "1", "--since", "2023-07-01", "--open", "true", "--numbers", "1"],
            claim,
        ),
        (["import", account, "--since", "2026-11-22", "--labels", "a", "--labels", "b"], {"thing_number": "3"}),
        (["patchThing", account, "2"], {"thing_number": "3"}),
        (["patchThing", account, "2", "--body", str(body)], {"thing_number": "3"}),
        (["add_thing", account, "--body", str(body)], None),
    ):
        result = get(*arguments, **named)
        assert (result.returncode, result.stderr) == (0, ""), arguments
        assert result.stdout == "" if expected is None else json.loads(result.stdout) == expected
    listed = json.loads(get("list_days", account, "--all", **named).stdout)
    assert (listed[0], len(listed)) == ("2023-07-22", 137)
    assert get("get_things", account, "--format", "jsonl", **named).stdout.count("\n") == 137


VALUES = {
    "--limit=5": "limit=5",
    "--since=2023-07-22": "since=2023-07-22",
    "--at=2023-07-22T10:00:00Z": "at=2023-07-22T10%3A00%3A00%2B00%3A00",
    "--share=1.5": "share=1.5",
    "--open=false": "open=false",
    "--colour=light blue": "colour=light+blue",
    "--level=30": "level=30",
    "--numbers=1": "numbers=1",
    "--numbers=2": "numbers=2",
    "--word-or-number=07": "word_or_number=07",
    "--parameter-format=x": "format=x",
    "--parameter-all=true": "all=true",
    "--from=5": "from=5",
    "--body=text": "body=text",
}


def test_values_are_sent_as_the_contract_declares_them(get: Run, server: Server) -> None:
    server.respond_with({"claimNumber": "7"})
    result = get("findClaims", "a b", "5", *VALUES, URL=server.url)
    assert (result.returncode, json.loads(result.stdout)) == (0, {"claimNumber": "7"}), result.stderr
    path, _, query = server.seen[0][1].partition("?")
    assert path == "/policies/a%20b/claims/5"
    assert query.replace("%20", "+").split("&") == [*VALUES.values()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'POLICY'."),
        (["p"], "Missing argument 'NUMBER'."),
        (["p", "5"], "Missing option '--limit'."),
        (["p", "5", "--limit", "1", "7"], "Got unexpected extra argument"),
        (["p", "x"], "'NUMBER': expected INTEGER, not 'x'."),
        (["p", "5", "--limit", "1.5"], "'--limit': expected INTEGER, not '1.5'."),
        (["p", "5", "--limit", "true"], "'--limit': expected INTEGER, not 'true'."),
        (["p", "5", "--limit", '"5"'], "'--limit': expected INTEGER, not '\"5\"'."),
        (["p", "5", "--since", "22.7.2023"], "'--since': expected DATE, such as 2023-07-22, not '22.7.2023'."),
        (["p", "5", "--at", "2023-07-22"], "'--at': expected DATE-TIME, such as 2023-07-22T10:00:00Z, not '2023-07-22'."),
        (["p", "5", "--share", "NaN"], "'--share': expected NUMBER, such as 1.5, not 'NaN'."),
        (["p", "5", "--share", "0.12345678901234567890"], "expected NUMBER, such as 1.5, not '0.12345678901234567890'."),
        (["p", "5", "--open", "yes"], "'--open': expected true|false, such as true, not 'yes'."),
        (["p", "5", "--colour", "pink"], "'--colour': expected light blue|red, such as light blue, not 'pink'."),
        (["p", "5", "--level", "2"], "'--level': expected 1|30, such as 1, not '2'."),
        (["p", "5", "--numbers", "1", "--numbers", "x"], "'--numbers': expected INTEGER, not 'x'."),
        (["..", "5", "--limit", "1"], "policy must not be '.' or '..'"),
        (["p", "5", "--nothing"], "No such option '--nothing'."),
    ],
)  # fmt: skip
def test_an_invalid_argument_is_named_with_what_is_expected(
    get: Run, server: Server, arguments: list[str], message: str
) -> None:
    result = get("findClaims", *arguments, URL=server.url)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.startswith("talkdesk-bridge: ")
    assert result.stderr.count("\n") == 1
    assert server.seen == []


def test_the_example_of_a_list_is_a_list() -> None:
    with pytest.raises(BadParameter, match=r"expected JSON, such as \[\], not '5'"):
        Value(list[str]).convert("5", None, None)
    assert Value(list[str]).convert(Value(list[str]).example, None, None) == []


def test_a_body_is_read_from_a_file_or_standard_input(get: Run, server: Server, tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_text('{"claimNumber": "7", "odd": [1]}')
    server.respond_with(as_json({"claimNumber": "7", "colour": "red"}, 201), (204, {}, b""))
    result = get("add_claim", "p", "5", "--body", str(file), URL=server.url)
    assert (result.returncode, json.loads(result.stdout)) == (0, {"claimNumber": "7", "colour": "red"})
    result = get("add_claim", "p", "5", "--body", "-", stdin='{"claimNumber": "8"}', URL=server.url)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert [json.loads(seen[3]) for seen in server.seen] == [{"claimNumber": "7", "odd": [1]}, {"claimNumber": "8"}]
    for arguments, stdin, message in (
        ([], "", "Missing option '--body'."),
        (["--body", str(tmp_path / "none")], "", "none': No such file or directory"),
        (["--body", "-"], "", "- does not match the contract: Expecting value: line 1 column 1"),
        (
            ["--body", "-"],
            '{"claimNumber": "1", "x": 1.00000000000000000001}',
            "cannot be sent with all its digits.",
        ),
        (["--body", "-"], "{}", "expected object with `claimNumber` at $, got object without it."),
        (["--body", "-"], '{"claimNumber": 7}', "expected string at $.claimNumber, got integer."),
    ):
        result = get("add_claim", "p", "5", *arguments, stdin=stdin, URL=server.url)
        assert (result.returncode, result.stdout) == (2, "")
        assert message in result.stderr
    assert len(server.seen) == 2


def test_text_and_bytes_are_printed_unchanged(get: Run, server: Server, package: Path, tmp_path: Path) -> None:
    text, file = "First \u20ac\nsecond, no end", tmp_path / "scan"
    server.respond_with((200, {"Content-Type": "text/plain; charset=utf-8"}, text.encode()))
    assert get("read_note", "p", URL=server.url).stdout == text
    content = bytes(range(256))
    server.respond_with((200, {"Content-Type": "application/octet-stream"}, content))
    source = tmp_path / "source"
    source.write_bytes(content)
    assert get("write_scan", "p", "--body", str(source), "--output", str(file), URL=server.url).returncode == 0
    assert file.read_bytes() == server.seen[-1][3] == content
    server.respond_with((200, {}, b"\x1b[2Jtext\nmore"))
    named = environment(URL=server.url) | {"PYTHONPATH": str(package), "TERM": "xterm"}
    for name in ("read_note", "write_scan"):
        status, shown = on_a_terminal(*MAIN, "get", name, "p", variables=named)
        assert (status, shown) == (0, "\N{REPLACEMENT CHARACTER}[2Jtext\nmore")


@pytest.mark.parametrize(
    "arguments", [("get", "get_account_invoices", "1", "--all"), ("invoices", "1", "--format", "json")]
)
def test_page_numbers_instead_of_wrong_links(server: Server, arguments: tuple[str, ...]) -> None:
    link = "https://elsewhere.example/x"
    server.respond_with(page(1, total=2, following=link), page(2, total=2, following=link))
    result = run(*arguments, URL=server.url)
    assert (result.returncode, result.stdout) == (7, "")
    assert "the next link on page 1 leads to another host" in result.stderr
    server.respond_with(page(1, total=2, following=link), page(2, total=2, following=link))
    result = run(*arguments, "--paging", "numbers", URL=server.url)
    assert (result.returncode, [item["invoice_number"] for item in json.loads(result.stdout)]) == (0, ["1", "2"])

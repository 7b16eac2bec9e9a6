"""`talkdesk-bridge check`: correct bridges keep every rule, and each mistake breaks those that it must."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as Xml

import pytest
from talkdesk_bridge import contract
from talkdesk_bridge_cli.check import rules
from talkdesk_bridge_sandbox import Sandbox

from tests.command import COMMAND, on_a_terminal, run
from tests.conftest import Server, as_json, page
from tests.mistakes import EXAMPLE, MISTAKES, PAGE, SLOW, Bridge, Mistake, served, written

FULL, EMPTY, UNKNOWN = "1000000005", "1000000002", "9"
ACCOUNTS = ("--account", FULL, "--account", EMPTY, "--unknown", UNKNOWN)
KEY = "sandbox-key"
Verdicts = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def _no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback needs none, and reading them would take half of the time."""
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)


def check(*arguments: str, **variables: str) -> tuple[int, Verdicts]:
    """The exit status, and the verdict of each rule."""
    done = run("check", *arguments, "--rate", "1000", "--format", "json", **variables)
    assert done.stdout, done.stderr
    for value in (FULL, EMPTY, "2700.00", "Personal", KEY, "talkdesk-bridge-check"):
        assert value not in done.stdout + done.stderr, "the report shows a value or a credential"
    return done.returncode, {one["rule"]: one for one in json.loads(done.stdout)}


def named(found: Verdicts, *verdicts: str) -> set[str]:
    """The rules with one of these verdicts."""
    return {name for name, one in found.items() if one["verdict"] in verdicts}


def variables(sandbox: Sandbox) -> dict[str, str]:
    return {name.removeprefix("TALKDESK_BRIDGE_"): value for name, value in sandbox.environ.items()}


# Correct bridges.


@pytest.mark.parametrize("paging", ["links", "pages", "all"])
def test_the_sandbox_keeps_every_rule(paging: Any) -> None:
    without = {"next-link", "links-and-numbers"}
    untried = {"links": set[str](), "pages": without, "all": without | {"page-size"}}
    with Sandbox(paging=paging) as sandbox:
        for full in (FULL, "1000000001") if paging == "links" else (FULL,):
            status, found = check("--account", full, *ACCOUNTS[2:], "--assumed", **variables(sandbox))
            assert (status, named(found, "broken", "advice")) == (0, set()), found
            assert named(found, "not tried") == untried[paging]
            assert all(one["untried"] for one in found.values() if one["verdict"] == "not tried")
        assert {seen.method for seen in sandbox.requests} == {"GET"}


@pytest.mark.parametrize("accept", ["key", "basic", "bearer", "oauth2", "none"])
def test_the_sandbox_keeps_every_rule_with_each_credential(accept: Any) -> None:
    with Sandbox(accept=accept) as sandbox:
        status, found = check(*ACCOUNTS, "--assumed", **variables(sandbox))
    assert (status, named(found, "broken", "advice")) == (0, set()), found
    assert named(found, "not tried") == ({"credential"} if accept == "none" else set())


@pytest.mark.parametrize("account", ["1000000003", "1000000004"])
def test_one_item_or_one_page(sandbox: Sandbox, account: str) -> None:
    status, found = check("--account", account, "--assumed", **variables(sandbox))
    assert (status, named(found, "broken", "advice")) == (0, set()), found
    few = {"next-link", "links-and-numbers"} if account == "1000000003" else set()
    assert named(found, "not tried") == {"unknown-account", "empty-account", "own-items"} | few


# Mistakes.


@pytest.fixture(scope="module")
def bridge() -> Iterator[tuple[Bridge, str]]:
    sandbox = Sandbox()
    wrapped = Bridge(sandbox._app, ("Authorization", KEY), FULL)
    with served(wrapped) as url:
        yield wrapped, url
    sandbox.close()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_breaks_these_rules(
    bridge: tuple[Bridge, str], mistake: Mistake, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mistake.name == "slow response":
        monkeypatch.setattr(rules, "SECONDS", SLOW)
    wrapped, url = bridge
    wrapped.make(mistake.change)
    status, found = check(*ACCOUNTS, "--assumed", URL=url, API_KEY=KEY)
    assert (status, named(found, "broken")) == (6, {*mistake.rules}), found
    broken = [one for one in found.values() if one["verdict"] == "broken"]
    for fault in [fault for one in broken for fault in one["evidence"]]:
        assert fault["request"].startswith("GET /BillingInfoAPI/accountinvoices/{account_number}")
        assert re.fullmatch(r"(\$[\w.*\[\]]*)?", fault["path"])
        assert fault["found"]


def test_a_correct_bridge_behind_the_same_app(bridge: tuple[Bridge, str]) -> None:
    wrapped, url = bridge
    wrapped.make(None)
    status, found = check(*ACCOUNTS, "--assumed", URL=url, API_KEY=KEY)
    assert (status, named(found, "kept")) == (0, {*found})


@pytest.mark.parametrize(
    "link", ["?{query}", "/BillingInfoAPI/accountinvoices/{account}?{query}", [{"href": "?{query}"}]]
)
def test_a_link_may_be_relative_or_in_a_list(bridge: tuple[Bridge, str], link: Any) -> None:
    async def relative(call: Any) -> Any:
        reply = await call.reply()

        def changed(href: str) -> Any:
            text = json.dumps(link).replace("{account}", FULL)
            return json.loads(text.replace("{query}", href.partition("?")[2]))

        changed_reply = reply.with_link(changed)
        if isinstance(link, list) and changed_reply is not reply:
            data = changed_reply.data
            return changed_reply.with_data({**data, "_links": {"next": data["_links"]["next"]["href"]}})
        return changed_reply

    wrapped, url = bridge
    wrapped.make(relative)
    status, found = check(*ACCOUNTS, "--assumed", URL=url, API_KEY=KEY)
    assert (status, named(found, "kept")) == (0, {*found}), found


def test_only_documented_rules_fail_unless_assumed_ones_count(bridge: tuple[Bridge, str]) -> None:
    wrapped, url = bridge
    changes = {mistake.name: mistake.change for mistake in MISTAKES}
    wrapped.make(changes["`total` of the page"])
    status, found = check(*ACCOUNTS, URL=url, API_KEY=KEY)
    assert (status, named(found, "advice"), named(found, "broken")) == (0, {"total"}, set())
    for name, rule in (("amount as a number", "contract"), ("wrong error body", "error-body")):
        wrapped.make(changes[name])
        done = run("check", *ACCOUNTS, "--rate", "1000", URL=url, API_KEY=KEY)
        assert done.returncode == 6
        assert done.stderr.splitlines()[-1] == f"talkdesk-bridge: the bridge breaks 1 rule: {rule}."
    documented = {name for name, one in found.items() if one["mark"] == "documented"}
    assert documented == {"error-body", "contract"}


def test_a_bridge_that_cannot_be_judged_fails(sandbox: Sandbox, server: Server) -> None:
    for arguments, named_variables, status in (
        (["--account", EMPTY], variables(sandbox), 4),
        (["--account", UNKNOWN], variables(sandbox), 4),
        (["--account", FULL], variables(sandbox) | {"API_KEY": "wrong"}, 3),
        (["--account", FULL], {"URL": server.url}, 5),
    ):
        server.respond_with(*[(503, {}, b"")] * 9)
        done = run("check", *arguments, "--rate", "1000", **named_variables)
        assert done.returncode == status, done.stderr
        assert "so most rules were not tried" in done.stderr
    for url, status in (("http://127.0.0.1:1", 5), ("", 2)):
        done = run("check", "--account", FULL, URL=url)
        assert (done.returncode, done.stdout) == (status, "")


def test_a_contract_without_lists(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "operations", tuple)
    done = run("check", *ACCOUNTS, **variables(sandbox))
    assert (done.returncode, sandbox.requests) == (8, [])
    assert "the contract has no list of an account" in done.stderr


def test_a_page_that_cannot_be_read_is_named(server: Server) -> None:
    server.respond_with(*[as_json({"_embedded": {"invoices": [{"amount": []}]}, "total": 1})] * 9)
    status, found = check("--account", FULL, URL=server.url)
    assert (status, named(found, "broken")) == (6, {"contract"})
    (fault,) = found["contract"]["evidence"]
    assert (fault["path"], fault["found"]) == ("$._embedded.invoices[0].amount", "expected string, got array")


# Requests.


def test_the_number_of_requests_is_limited(bridge: tuple[Bridge, str]) -> None:
    wrapped, url = bridge
    complete = 17
    for most in (1, 3, 4, 5, 7, 8, 9, 10, 12, 14, 16, complete, complete + 1):
        wrapped.make(None)
        _, found = check(*ACCOUNTS, "--most", str(most), "--assumed", URL=url, API_KEY=KEY)
        assert wrapped.requests == min(most, complete)
        assert named(found, "broken", "advice") == set(), most
    assert named(found, "kept") == {*found}
    done = run("check", *ACCOUNTS, "--most", "3", "--rate", "1000", URL=url, API_KEY=KEY)
    assert done.stderr.startswith("At most 3 requests, 1000 in a second. They only read.\n")
    assert "--most ended the requests" in done.stdout


def test_a_long_list_is_read_to_its_tenth_page(server: Server) -> None:
    targets: list[str] = []

    def respond(_: str, target: str) -> Any:
        targets.append(target)
        query = {"page": "1", "per_page": "50"} | dict(parse_qsl(urlsplit(target).query))
        if not (query["per_page"].isdecimal() and int(query["page"])):
            return as_json({"status": 400, "errorCode": "BAD", "userMessage": "No."}, 400)
        number, size = int(query["page"]), int(query["per_page"])
        numbers = range(size * (number - 1) + 1, min(size * number, 1000) + 1)
        return as_json(page(*numbers, total=1000, following=f"?page={number + 1}&per_page={size}"))

    server.script = respond
    _, found = check("--account", FULL, URL=server.url)
    assert named(found, "broken", "advice") == set(), found
    assert {"links-and-numbers", "last-page", "after-last-page"} <= named(found, "not tried")
    assert len(targets) == 1 + 3 * 10 + 2


def test_requests_are_spread_over_time(sandbox: Sandbox) -> None:
    begun = time.monotonic()
    run("check", *ACCOUNTS, "--most", "8", "--rate", "10", **variables(sandbox))
    assert time.monotonic() - begun >= 0.7
    assert re.search(r"second\.\s+\[default:\s+2[;\]]", run("check", "--help").stdout)


# Formats.


def test_junit_is_what_ci_services_read(bridge: tuple[Bridge, str], tmp_path: Path) -> None:
    """As in the schema of Jenkins (junit-10.xsd of its xUnit plugin), which GitLab reads, too."""
    wrapped, url = bridge
    changes = {mistake.name: mistake.change for mistake in MISTAKES}
    wrapped.make(changes["amount as a number"])
    file = tmp_path / "check.xml"
    arguments = ("--account", FULL, "--rate", "1000", "--format", "junit", "--output", str(file))
    assert run("check", *arguments, URL=url, API_KEY=KEY).returncode == 6
    failed = suite_of(file.read_text("utf-8"))
    assert [case.get("name") for case in failed.iter("testcase") if case.find("failure") is not None] == ["contract"]
    assert [failed.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["18", "1", "0", "3"]
    wrapped.make(changes["`total` of the page"])
    assert run("check", *arguments, URL=url, API_KEY=KEY).returncode == 0
    advised = suite_of(file.read_text("utf-8"))
    assert [case.get("name") for case in advised.iter("testcase") if case.find("system-out") is not None] == ["total"]


def suite_of(text: str) -> Xml.Element:
    """The only suite of a report, after a check of its elements and attributes."""
    allowed = {
        "testsuites": ({"testsuite"}, {"name", "time", "tests", "failures", "errors"}),
        "testsuite": ({"testcase"}, {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"}),
        "testcase": ({"failure", "skipped", "system-out"}, {"name", "classname", "time"}),
        "failure": (set[str](), {"type", "message"}),
        "skipped": (set[str](), {"type", "message"}),
        "system-out": (set[str](), set[str]()),
    }
    required = {"testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name", "classname"}}
    root = Xml.fromstring(text.encode())  # noqa: S314 # our own
    for element in root.iter():
        children, attributes = allowed[element.tag]
        assert {child.tag for child in element} <= children
        assert required.get(element.tag, set()) <= {*element.attrib} <= attributes
        assert element.tag != "testsuite" or all(element.get(name, "").isdecimal() for name in ("tests", "failures"))
    (suite,) = root
    assert root.tag == "testsuites"
    assert len({case.get("name") for case in suite}) == len(suite) == int(suite.get("tests", ""))
    return suite


def test_text_fits_100_columns_or_the_terminal(bridge: tuple[Bridge, str]) -> None:
    wrapped, url = bridge
    wrapped.make({mistake.name: mistake.change for mistake in MISTAKES}[EXAMPLE])
    done = run("check", *ACCOUNTS, "--rate", "1000", URL=url, API_KEY=KEY)
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "\x1b" not in done.stdout
    assert done.stdout in PAGE.read_text("utf-8"), "docs/check.md shows another output"
    variables = {"TALKDESK_BRIDGE_URL": url, "TALKDESK_BRIDGE_API_KEY": KEY}
    status, shown = on_a_terminal(COMMAND, "check", *ACCOUNTS, "--rate", "1000", variables=variables, width=80)
    assert status == 6
    assert "\x1b[1;31mbroken     \x1b[0mcontract" in shown
    assert max(len(re.sub("\x1b.*?m", "", line)) for line in shown.splitlines()) <= 80


def test_the_file_is_checked_before_the_first_request(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run("check", *ACCOUNTS, "--output", str(tmp_path / "no" / "file"), **variables(sandbox))
    assert (done.returncode, sandbox.requests) == (2, [])


def test_the_page_has_the_tables() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == written(text), "run `make docs`"
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES)
    assert {rule.name for rule in rules.RULES} == {name for mistake in MISTAKES for name in mistake.rules}


def test_pages_of_a_server_without_page_numbers(server: Server) -> None:
    server.respond_with(*[as_json(page(1, 2, total=2))] * 30)
    status, found = check("--account", FULL, "--assumed", URL=server.url)
    assert status == 6
    assert {"page-size", "after-last-page", "invalid-arguments"} <= named(found, "broken")

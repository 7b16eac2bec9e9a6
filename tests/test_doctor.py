"""`talkdesk-bridge doctor`: the installation, the settings, and everything that may be wrong on the way to the bridge."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from talkdesk_bridge_cli.checks import REINSTALL
from talkdesk_bridge_cli.connection import PROXIES
from talkdesk_bridge_sandbox import Sandbox

from tests.command import COMMAND, call, on_a_terminal
from tests.conftest import ROOT, Server, as_json, invoices_of, page
from tests.raw import Exchange, Raw

CHECKS = ["package", "Python", "proxies", "certificates", "variables", "bridge", "token", "response"]
KEY = {"API_KEY": "sandbox-key", "API_KEY_HEADER": "Authorization"}


def environ(**variables: str) -> dict[str, str]:
    """The environment with these variables, without proxies and certificates; short names get our prefix."""
    others = (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR")
    kept = {name: value for name, value in os.environ.items() if name not in others}
    ours = {name for name in variables if name not in others and "talk" not in name.lower()}
    return kept | {f"TALKDESK_BRIDGE_{name}" if name in ours else name: value for name, value in variables.items()}


Checks = dict[str, dict[str, Any]]


def run_doctor(*arguments: str, **variables: str) -> tuple[int, Checks]:
    """The exit status, and the checks by name, each with all its fields."""
    result = call(["doctor", *arguments, "--json"], environ(**variables))
    printed = json.loads(result.stdout)
    checks = {each.pop("check"): each for each in printed["checks"]}
    failed = [name for name, each in checks.items() if each["status"] == "bad"]
    assert printed["exit_status"] == result.returncode == (checks[failed[0]]["exit_status"] if failed else 0)
    summary = f"talkdesk-bridge: {len(failed)} of {len(checks)} checks failed: {', '.join(failed)}. See above.\n"
    assert result.stderr == (summary if failed else "")
    for each in checks.values():
        assert each.keys() == {"status", "found", "remedy", "exit_status"}
        assert each["status"] in ("good", "warning", "bad", "skipped")
        assert each["found"]
        assert bool(each["remedy"]) >= (each["status"] in ("warning", "bad"))
        assert bool(each["exit_status"]) == (each["status"] == "bad")
    return result.returncode, checks


def test_every_check_is_good(sandbox: Sandbox) -> None:
    status, checks = run_doctor("--account", "1000000001", URL=sandbox.url, **KEY)
    assert [*checks] == CHECKS
    assert {name: check["status"] for name, check in checks.items()} == dict.fromkeys(CHECKS, "good") | {
        "token": "skipped"
    }
    assert status == 0
    assert checks["package"]["found"].startswith(f"talkdesk-bridge {metadata.version('talkdesk-bridge')} in ")
    assert " cli, jwt, sandbox, speed and tables." in checks["package"]["found"]
    assert f" {sys.version_info.major}.{sys.version_info.minor}." in checks["Python"]["found"]
    assert f"httpx {metadata.version('httpx')}." in checks["Python"]["found"]
    assert checks["variables"]["found"].endswith("Credential: HeaderAuth.")
    assert checks["bridge"]["found"] == "The bridge returned 401 to a request without a credential."
    assert checks["response"]["found"].startswith("Read 2 pages with 100 invoices; everything matches the contract.")


def test_nothing_is_sent_offline(sandbox: Sandbox) -> None:
    status, checks = run_doctor("--offline", "--account", "1000000001", URL=sandbox.url, **KEY)
    assert (status, sandbox.requests) == (0, [])
    assert {checks[name]["found"] for name in CHECKS[5:]} == {"Not checked: --offline was given."}


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = metadata.version

    def version(name: str) -> str:
        if name in ("pyjwt", "httpx"):
            raise metadata.PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(metadata, "version", version)
    status, checks = run_doctor("--offline", URL="https://b", **KEY)
    assert (status, checks["Python"]["status"], checks["Python"]["remedy"]) == (1, "bad", REINSTALL)
    assert checks["Python"]["found"].endswith(" and httpx is missing.")
    assert checks["package"]["status"] == "good"
    assert "jwt (needs pyjwt)" in checks["package"]["found"]

    def distribution(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", distribution)
    assert "is not installed" in run_doctor("--offline", URL="https://b")[1]["package"]["found"]


def test_a_client_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "talkdesk_bridge_cli.connection", None)
    status, checks = run_doctor()
    assert (status, [*checks]) == (1, ["package", "Python", "client"])
    assert checks["client"]["found"] == "talkdesk_bridge_cli.connection cannot be imported."


def test_proxies_and_certificates(tmp_path: Path) -> None:
    checks = run_doctor("--offline", URL="https://b", **KEY)[1]
    assert checks["proxies"]["found"] == "No proxy is set."
    assert checks["certificates"]["found"] == "Trusted certificates come from the package certifi."
    named = {"HTTPS_PROXY": "http://p", "no_proxy": "c", "SSL_CERT_FILE": str(tmp_path / "none")}
    status, checks = run_doctor(URL="https://b", **named)
    assert (status, checks["variables"]["status"]) == (2, "bad")
    assert checks["proxies"]["found"] == "Set: HTTPS_PROXY and no_proxy. Proxies are used for https URLs only."
    assert checks["certificates"]["found"] == "Trusted certificates come from SSL_CERT_FILE."
    assert "the file that SSL_CERT_FILE or SSL_CERT_DIR names, cannot be read." in checks["variables"]["found"]
    assert checks["bridge"]["found"] == "Not checked: the variables are invalid."
    checks = run_doctor(URL="https://b", HTTPS_PROXY="socks5://p:1")[1]
    assert "needs the package socksio" in checks["variables"]["found"]


@pytest.mark.parametrize(
    ("given", "verdict", "text"),
    [
        (
            {},
            "bad",
            "TALKDESK_BRIDGE_URL is not set: set it to the bridge's base URL. None of the client's variables is set.",
        ),
        ({"URL": "b"}, "bad", "The base URL must look like https://bridge.example"),
        ({"URL": "https://b", "API_KEY": "k", "BEARER_TOKEN": "t"}, "bad", "More than one kind of credential is set"),
        ({"URL": "https://b", "USERNAME": "u:", "PASSWORD": "p"}, "bad", "The user of HTTP Basic"),
        ({"URL": "https://b", "SCOPE": ""}, "warning", "Set: TALKDESK_BRIDGE_URL. No credential is set."),
        (
            {"URL": "https://b", "API_KEY": "k", "API_KEYS": "k", "ANYTHING": "a", "TALKDESK_BRIGE_URL": "b"},
            "warning",
            "Set: TALKDESK_BRIDGE_URL and TALKDESK_BRIDGE_API_KEY. Unknown: TALKDESK_BRIDGE_ANYTHING, "
            "TALKDESK_BRIDGE_API_KEYS (TALKDESK_BRIDGE_API_KEY?) and TALKDESK_BRIGE_URL (TALKDESK_BRIDGE_URL?).",
        ),
    ],
)
def test_variables(given: dict[str, str], verdict: str, text: str) -> None:
    status, checks = run_doctor("--offline", **given)
    assert (status, checks["variables"]["status"]) == (2 if verdict == "bad" else 0, verdict)
    assert checks["variables"]["found"].startswith(text)


def hang(exchange: Exchange) -> None:
    exchange.wait()


@pytest.mark.parametrize(
    ("response", "verdict", "text"),
    [
        (b"HTTP/1.1 404 X\r\nContent-Length: 2\r\n\r\n{}", "good", "The bridge returned 404 to a request without a credential."),
        (b"HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n", "warning", "The bridge returned 502"),
        (b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}", "good", "The bridge responded to a request without a credential."),
        (lambda exchange: exchange.send(b"SSH-2.0-x\r\n"), "bad", "no complete response"),
        (hang, "bad", "did not respond in time"),
    ],
    ids=["404", "502", "other", "no HTTP", "silence"],
)  # fmt: skip
def test_the_responses_of_a_server(response: Any, verdict: str, text: str) -> None:
    with Raw([response]) as raw:
        status, checks = run_doctor("--timeout", "0.3", URL=f"http://127.0.0.1:{raw.port}", API_KEY="s3cret-key")
        assert len(raw.requests) == 1
    assert (status, checks["bridge"]["status"]) == (5 if verdict == "bad" else 0, verdict)
    assert text in checks["bridge"]["found"]


def closed_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def resolve_numbers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve no host names, so that nothing leaves this machine."""
    known = socket.getaddrinfo
    numeric = {"flags": socket.AI_NUMERICHOST}
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **named: known(*given, **named | numeric))


def test_a_server_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, tls: tuple[Server, Path]) -> None:
    resolve_numbers_only(monkeypatch)
    check = "Check scheme, host and port in TALKDESK_BRIDGE_URL, and this machine's DNS, proxies and firewall."
    for given, found, remedy in (
        ({"URL": f"https://{closed_address()}/base"}, "refused", check),
        ({"URL": "https://bridge.invalid"}, "no connection to", check),
        ({"URL": "https://bridge.invalid", "HTTPS_PROXY": f"http://u:s3cret@{closed_address()}"}, "; through the proxy in HTTPS_PROXY", check),
        ({"URL": tls[0].url}, "CERTIFICATE_VERIFY_FAILED", "Set SSL_CERT_FILE to the authority"),
    ):  # fmt: skip
        status, checks = run_doctor("--account", "1", **given)
        assert (status, checks["bridge"]["status"]) == (5, "bad")
        assert checks["response"]["found"] == "Not checked: the bridge does not respond."
        assert found in checks["bridge"]["found"]
        assert checks["bridge"]["remedy"].startswith(remedy)
    assert run_doctor(URL=tls[0].url, SSL_CERT_FILE=str(tls[1]))[1]["bridge"]["status"] == "good"


def test_a_token(sandbox: Sandbox, server: Server) -> None:
    oauth = {"URL": sandbox.url, "TOKEN_URL": sandbox.token_url, "CLIENT_ID": "sandbox-client"}
    status, checks = run_doctor("--account", "1000000001", CLIENT_SECRET="sandbox-secret", **oauth)
    assert (status, checks["response"]["status"]) == (0, "good")
    assert checks["token"]["found"] == "The token server issued a token."
    assert [seen.method for seen in sandbox.requests] == ["GET", "POST", "GET", "GET"]
    status, checks = run_doctor("--account", "1000000001", CLIENT_SECRET="s3cret-of-nobody", **oauth)
    assert (status, checks["token"]["status"], checks["response"]["found"]) == (
        3,
        "bad",
        "Not checked: there is no token.",
    )
    assert "returned 401: invalid_client" in checks["token"]["found"]
    assert checks["token"]["remedy"].startswith(
        "Check TALKDESK_BRIDGE_TOKEN_URL, the server there, and the credential."
    )
    server.respond_with((200, {}, b"<html>"))
    for url, text in ((f"{server.url}/t", "no usable access_token."), (f"http://{closed_address()}", "no connection")):
        status, checks = run_doctor(**oauth | {"TOKEN_URL": url, "CLIENT_SECRET": "s3cret"})
        assert (status, checks["token"]["status"]) == (3, "bad")
        assert text in checks["token"]["found"]


INVOICE = {"_embedded": {"invoices": [{"invoice_number": "1", "due_amount": 7.5}]}, "total": "1"}


@pytest.mark.parametrize(
    ("response", "status", "verdict", "text"),
    [
        (page(1), 0, "good", "Read 1 page with 1 invoice; everything matches the contract."),
        (INVOICE, 0, "warning", "Read 1 page with 1 invoice. Deviations from the contract: expected string at $._embedded.invoices[*].due_amount, got number; expected integer at $.total, got string."),
        (as_json({}, 401), 3, "bad", "returned 401 Unauthorized"),
        (as_json({"userMessage": "No."}, 404), 4, "bad", "returned 404 Not Found: No."),
        (as_json({}, 400), 1, "bad", "returned 400 Bad Request"),
        (as_json({}, 503), 5, "bad", "returned 503 Service Unavailable."),
        ((200, {}, b"<html>"), 6, "bad", "a body that is not JSON"),
    ],
)  # fmt: skip
def test_a_response(server: Server, response: Any, status: int, verdict: str, text: str) -> None:
    server.respond_with(response)
    returned, checks = run_doctor("--account", "77", URL=server.url, API_KEY="s3cret-key")
    assert (returned, checks["response"]["status"]) == (status, verdict)
    assert text in checks["response"]["found"]
    assert len(server.seen) == 2  # nothing is retried


@pytest.mark.parametrize(
    ("link", "status", "verdict", "text"),
    [
        (f"{invoices_of('77')}?page=2", 0, "good", "Read 2 pages with 2 invoices; everything matches the contract."),
        (f"http://inner:81{invoices_of('77')}?page=2", 0, "warning", "Read 2 pages with 2 invoices. Next links of the bridge begin with http://inner:81. The client sends their queries to"),
        ("https://elsewhere.example/x", 7, "bad", "the next link on page 1 leads to another host"),
    ],
)  # fmt: skip
def test_the_link_to_the_next_page(server: Server, link: str, status: int, verdict: str, text: str) -> None:
    server.respond_with(page(1, total=9), page(1, total=9, following=link), page(2, total=9))
    returned, checks = run_doctor("--account", "77", URL=server.url, API_KEY="s3cret-key")
    assert (returned, checks["response"]["status"]) == (status, verdict)
    assert text in checks["response"]["found"]
    assert server.url not in checks["response"]["found"]


def test_a_list_that_changes_between_two_pages(server: Server) -> None:
    following = "?page=2"
    changed = [page(1, 2, total=4, following=following), page(2, 3, total=4)]
    server.respond_with(page(1, total=4), *changed, page(1, 2, total=4, following=following), page(3, 4, total=4))
    checks = run_doctor("--account", "77", URL=server.url, API_KEY="s3cret-key")[1]
    assert checks["response"]["found"] == "Read 2 pages with 4 invoices; everything matches the contract."
    server.respond_with(page(1, total=4), *changed, *changed)  # the bridge repeats its numbers
    checks = run_doctor("--account", "77", URL=server.url, API_KEY="s3cret-key")[1]
    assert checks["response"]["status"] == "warning"
    assert "Read 2 pages with 4 invoices. Deviations from the contract" in checks["response"]["found"]
    assert "got value of an earlier page" in checks["response"]["found"]


def test_links_and_deviations_are_reported_together(server: Server) -> None:
    odd = {"_embedded": {"invoices": [{"due_amount": 7.5}, {"amount": "1"}]}, "total": 4}
    link = {"_links": {"next": {"href": f"http://inner{invoices_of('77')}?page=2"}}}
    server.respond_with(page(1, total=9), odd | link, odd | {"_embedded": {"invoices": [{"due_amount": 8.5}]}})
    checks = run_doctor("--account", "77", URL=server.url, API_KEY="s3cret-key")[1]
    found = checks["response"]["found"]
    assert found.count("expected string at $._embedded.invoices[*].due_amount, got number") == 1
    assert "Next links of the bridge begin with http://inner." in found


def test_an_invalid_account_is_not_sent_and_so_says_nothing_about_the_bridge(server: Server) -> None:
    checks = run_doctor("--account", "..", URL=server.url)[1]
    assert (checks["bridge"]["status"], server.seen) == ("skipped", [])


def test_an_invalid_account_and_no_account(server: Server) -> None:
    status, checks = run_doctor("--account", "..", URL=server.url)
    assert (status, checks["response"]["remedy"]) == (2, "Give an existing account with --account.")
    checks = run_doctor(URL=server.url, API_KEY="k")[1]
    assert checks["response"]["remedy"] == "Give one: talkdesk-bridge doctor --account NUMBER"


MARKS = [f"m4rk-{index:02}" for index in range(16)]
KEYED = {
    "API_KEY": f"k-{MARKS[0]}",
    "API_KEY_HEADER": f"X-{MARKS[1]}",
    "SCOPES": MARKS[2],
    "http_proxy": f"http://{MARKS[3]}",
}
OAUTH = {"CLIENT_ID": MARKS[4], "CLIENT_SECRET": MARKS[5], "SCOPE": MARKS[6], "AUDIENCE": MARKS[7]}
PROXY = {"HTTPS_PROXY": f"http://{MARKS[8]}:{MARKS[9]}@127.0.0.1:1", "NO_PROXY": MARKS[10]}
# Every value contains a mark, except those that must be valid.
MARKED: dict[str, dict[str, str]] = {
    "good": {"URL": f"{{}}/{MARKS[11]}", **KEYED},
    "refused": {"URL": f"http://127.0.0.1:1/{MARKS[11]}", **KEYED},
    "unresolved": {"URL": f"https://{MARKS[11]}.invalid/{MARKS[12]}", **KEYED},
    "proxied": {"URL": f"https://{MARKS[11]}.invalid", **KEYED, **PROXY},
    "token": {"URL": "{}", "TOKEN_URL": f"{{}}/{MARKS[12]}?key={MARKS[13]}", **OAUTH},
    "no token": {"URL": "{}", "TOKEN_URL": f"https://{MARKS[11]}.invalid/{MARKS[12]}?key={MARKS[13]}", **OAUTH},
    "half": {"URL": "{}", "USERNAME": MARKS[14], **PROXY},
    "two": {"URL": "{}", **KEYED, **OAUTH},
    "no URL": {"URL": f"https://{MARKS[14]}:{MARKS[15]}@b?{MARKS[0]}#{MARKS[1]}", **KEYED},
    "bad proxy": {"URL": "https://b", "ALL_PROXY": f"{MARKS[8]}://{MARKS[9]}:{MARKS[10]}@p"},
    "no header": {"URL": "{}", "API_KEY": "k", "API_KEY_HEADER": f"{MARKS[0]}:"},
    "no key": {"URL": "{}", "TOKEN_URL": "{}/t", "CLIENT_ID": MARKS[4], "PRIVATE_KEY": MARKS[5], "ALGORITHM": MARKS[6]},
    "file": {"URL": f"https://{MARKS[11]}.invalid", "SSL_CERT_FILE": f"/{MARKS[12]}"},
}


@pytest.mark.parametrize(
    ("name", "status"),
    [*((name, 400) for name in MARKED), *((name, 200) for name in ("good", "token")), ("good", 401)],
)
def test_no_value_of_a_variable_is_shown(
    server: Server, monkeypatch: pytest.MonkeyPatch, name: str, status: int
) -> None:
    resolve_numbers_only(monkeypatch)
    given = {variable: value.replace("{}", server.url) for variable, value in MARKED[name].items()}
    echoed = " ".join(value for value in given.values() if any(mark in value for mark in MARKS))
    body = dict.fromkeys(("userMessage", "error", "error_description", "errorCode"), echoed)
    server.script = lambda method, target: as_json(body, status)
    printed = ""
    for options in ((), ("--json",)):
        result = call(["doctor", "--account", "1", *options], environ(**given))
        assert result.returncode in (1, 2, 3, 5, 6)
        printed += result.stdout + result.stderr
    assert "TALKDESK_BRIDGE_URL" in printed
    assert not [mark for mark in MARKS if mark in printed]
    assert server.url not in printed


def test_the_example_in_the_documentation(sandbox: Sandbox) -> None:
    """The output is the same as in docs/command.md, except for lines that depend on the machine."""
    docs = (
        (ROOT / "docs" / "command.md").read_text(encoding="utf-8").partition("\n## Doctor\n")[2].partition("\n## ")[0]
    )
    (sample,) = re.findall(r"^```text\n(.*?)^```", docs, re.M | re.S)
    oauth = {
        "URL": sandbox.url,
        "TOKEN_URL": sandbox.token_url,
        "CLIENT_ID": "sandbox-client",
        "CLIENT_SECRET": "s3cret",
    }
    status, text = on_a_terminal(COMMAND, "doctor", variables={**environ(**oauth), "TERM": "xterm"})
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert (status, re.findall(r"^\w+ +(\w+) ", plain, re.M)) == (3, CHECKS)
    assert re.findall(r"^\w+ +(\w+) ", sample, re.M) == CHECKS
    assert plain.partition("good    variables")[2] == sample.partition("good    variables")[2]
    assert all(len(line) <= 80 or " " not in line.strip() for line in [*plain.splitlines(), *sample.splitlines()])
    assert re.search(r"^\x1b\[32mgood    \x1b\[0mvariables ", text, re.M)
    assert re.search(r"^\x1b\[1;31mbad     \x1b\[0mtoken ", text, re.M)
    assert "\x1b[1mCheck TALKDESK_BRIDGE_TOKEN_URL" in text
    for name in CHECKS:
        assert re.search(rf"^\| `{name}` \| \w", docs, re.M), name

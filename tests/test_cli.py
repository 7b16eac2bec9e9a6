"""The command: the table, exit statuses, one sentence for each error, and no credential in any output."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from talkdesk_bridge import VARIABLES, __version__, contract
from talkdesk_bridge_cli.serve import serve
from talkdesk_bridge_sandbox import ACCOUNTS, FAULTS, Reply, Sandbox
from talkdesk_bridge_sandbox._credentials import TOKEN_LIFE

from tests.command import COMMAND, as_process, call, environment, on_a_terminal, run, works
from tests.conftest import Scripted, Server, as_json, invoices_of, page


def test_the_table_of_an_account(sandbox: Sandbox) -> None:
    credential = {"API_KEY": "sandbox-key", "API_KEY_HEADER": sandbox.key_header or ""}
    result = as_process("invoices", "1000000001", "--per-page", "50", URL=sandbox.url, **credential)
    assert (result.returncode, result.stderr) == (0, "137 invoices of 1 account printed.\n")
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        "number",
        "bill",
        "date",
        "due",
        "date",
        "status",
        *["amount", "due", "amount", "paid", "amount"],
    ]
    first = ["1000000001", "2023-07-01", "2023-07-22", "Due", "3700.00", "usd", "2700.00", "usd", "1000.00", "usd"]
    assert lines[2].split() == first
    assert [line.split()[0] for line in lines[2:139]] == [str(1000000001 + index) for index in range(137)]
    assert lines[-2].split() == ["total", "USD", "571448.65", "379348.65", "192100.00"]
    assert lines[-1] == "137 invoices"
    assert [seen.method for seen in sandbox.requests] == ["GET", "GET", "GET"]


def test_each_currency_has_its_own_total(sandbox: Sandbox) -> None:
    result = run("invoices", "1000000005", URL=sandbox.url, BEARER_TOKEN="sandbox-token")
    totals = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("total")]
    assert totals == ["EUR", "GBP", "USD"]


@pytest.mark.parametrize(("account", "count"), [("1000000002", "0 invoices"), ("1000000003", "1 invoice")])
def test_the_table_ends_with_the_number_of_invoices(sandbox: Sandbox, account: str, count: str) -> None:
    result = run("invoices", account, URL=sandbox.url, USERNAME="sandbox-user", PASSWORD="sandbox-password")
    assert result.stdout.splitlines()[-1] == count


def test_a_response_cannot_control_the_terminal(server: Server) -> None:
    invoice = {
        "invoice_number": "[red]1[/red]:x:\x1b[2J",
        "status": "x" * 150 + "\u00a0y\u3000z",
        "amount": "about 5",
        "due_amount": 7.5,
    }
    server.respond_with({"_embedded": {"invoices": [invoice, {"paid_amount": "-1.10"}]}, "total": 2})
    result = run("invoices", "1", URL=server.url)
    assert result.returncode == 0
    assert "[red]1[/red]:x:\N{REPLACEMENT CHARACTER}[2J" in result.stdout
    assert "x" * 150 + " y z" in result.stdout
    assert "\x1b" not in result.stdout
    totals, count, explained = result.stdout.splitlines()[-3:]
    assert totals.split() == ["total,", "no", "currency", "*", "7.5", "-1.10"]
    assert (count, explained) == ("2 invoices", "* not counting 3 missing amounts and 1 unreadable amount")
    message = "account 1: expected string at $._embedded.invoices[*].due_amount, got number (1 time)."
    assert result.stderr.splitlines() == [message, "2 invoices of 1 account printed."]


@pytest.mark.parametrize(
    ("response", "status", "message"),
    [
        (as_json({"userMessage": "No."}, 400), 1, "returned 400 Bad Request: No."),
        (as_json({}, 401), 3, "does not accept the credential"),
        (as_json({}, 403), 3, "does not accept the credential"),
        (as_json({}, 404), 4, "returned 404 Not Found."),
        (as_json({}, 408, Retry_After="99"), 5, "returned 408 Request Timeout. Retry after 99 s."),
        (as_json({}, 429, Retry_After="99"), 5, "returned 429 Too Many Requests. Retry after 99 s."),
        (as_json({}, 503), 5, "returned 503 Service Unavailable. Tried 4 times."),
        ((200, {}, b"<html>"), 6, "not JSON"),
        (as_json({}), 6, "expected array at $._embedded.invoices, got nothing"),
        (as_json(page(1, following="https://elsewhere.example/")), 7, "another host"),
    ],
)
def test_each_error_has_an_exit_status(server: Server, response: Scripted, status: int, message: str) -> None:
    server.respond_with(response)
    result = run("invoices", "1", URL=server.url, API_KEY="s3cret")
    assert (result.returncode, result.stdout) == (status, "")
    assert result.stderr.startswith("talkdesk-bridge: account 1: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert "s3cret" not in result.stderr


def test_an_incomplete_list_prints_nothing(server: Server) -> None:
    server.respond_with(page(1, 2, total=3, following="?c=2"), page(total=3))
    result = run("invoices", "1", URL=server.url)
    assert (result.returncode, result.stdout) == (7, "")
    assert "ended after 2 of 3 items" in result.stderr


def test_errors_of_configuration_and_usage() -> None:
    for arguments, variables, message in (
        (["invoices", "1"], {}, "TALKDESK_BRIDGE_URL is not set"),
        (["invoices", "1"], {"URL": "http://b"}, "must begin with https://"),
        (
            ["invoices", "1"],
            {"URL": "https://b", "API_KEY": "k", "BEARER_TOKEN": "t"},
            "More than one kind of credential",
        ),
        (["invoices", ".."], {"URL": "https://b"}, "account_number must not be"),
        (
            ["invoices"],
            {},
            "Missing argument 'ACCOUNT...': give accounts, or a file with --accounts-file. Try 'talkdesk",
        ),
        (["invoices", "1", "--per-page", "0"], {}, "'--per-page'"),
        (["invoices", "1", "--format", "xml"], {}, "'--format'"),
        (["invoices", "1", "--per-pag", "0"], {}, "--per-pag"),
        (["nothing"], {}, "No such command 'nothing'. Try 'talkdesk-bridge --help'."),
        (["get", "\x1b[2J"], {}, "No such command"),
        (["sandbox", "--port", "70000"], {}, "'--port'"),
    ):
        result = run(*arguments, **variables)
        assert (result.returncode, result.stdout) == (2, ""), arguments
        assert message in result.stderr
        assert result.stderr.startswith("talkdesk-bridge: ")
        assert result.stderr.count("\n") == 1
        assert "\x1b" not in result.stderr


def test_a_token_server_that_rejects_the_secret(sandbox: Sandbox) -> None:
    oauth = {"TOKEN_URL": sandbox.token_url, "CLIENT_ID": "sandbox-client", "CLIENT_SECRET": "s3cret"}
    result = run("invoices", "1000000001", URL=sandbox.url, **oauth)
    assert (result.returncode, result.stdout) == (3, "")
    assert "invalid_client" in result.stderr
    assert "s3cret" not in result.stderr


def test_version_prints_what_the_client_was_generated_from() -> None:
    printed = run("version", "--json")
    assert (printed.returncode, printed.stderr, json.loads(printed.stdout)) == (0, "", contract.lock())
    assert dict(line.split(maxsplit=1) for line in run("version").stdout.splitlines()) == contract.lock()
    printed = run("--version")
    assert (printed.returncode, printed.stdout, printed.stderr) == (0, f"talkdesk-bridge {__version__}\n", "")


def test_help_lists_the_commands() -> None:
    result = run("--help")
    assert result.returncode == 0
    for command in ("doctor", "get", "invoices", "sandbox", "version"):
        assert re.search(rf"^  {command} ", result.stdout, re.M)
    for group in ((), ("get",)):
        bare = run(*group)
        assert (bare.returncode, bare.stdout, bare.stderr) == (2, "", run(*group, "--help").stdout)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["nothing"], ["invoices", "--per-page", "x"]])
def test_nothing_is_imported_before_it_is_needed(arguments: list[str]) -> None:
    code = """
import atexit, sys
heavy = ["attrs", "httpx", "logging", "rich", "talkdesk_bridge", "talkdesk_bridge_sandbox", "uvicorn"]
atexit.register(lambda: print([name for name in heavy if name in sys.modules]))
from talkdesk_bridge_cli.main import main
main()
"""
    result = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert result.returncode in (0, 2)
    assert result.stdout.splitlines()[-1] == "[]"


HELP_PAGES = [(), *((name,) for name in ("check", "doctor", "invoices", "sandbox", "version"))]
HELP_PAGES += [("get", info.operation_id) for info in contract.operations()]


@pytest.mark.parametrize("command", HELP_PAGES, ids=" ".join)
def test_the_examples_of_each_help_page_work(sandbox: Sandbox, tmp_path: Path, command: tuple[str, ...]) -> None:
    page = run(*command, "--help").stdout
    lines = [line.strip() for line in page.partition("Examples:\n")[2].partition("\n\n")[0].splitlines()]
    assert lines
    for line in lines:
        assert line.startswith("talkdesk-bridge ")
        if "body.json" not in line:  # which the caller has to write
            works(line.replace(" check ", " check --rate 1000 "), sandbox.url, tmp_path)


def test_a_help_page_lists_the_environment() -> None:
    for command in (("invoices",), ("doctor",), ("get", contract.operations()[0].operation_id)):
        listed = run(*command, "--help").stdout.partition("\nEnvironment variables, and")[2]
        assert all(name in listed for name in VARIABLES)


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [("click", [], "cli"), ("rich", ["invoices", "1"], "cli"), ("uvicorn", ["sandbox"], "sandbox")],
)
def test_a_missing_extra_is_named_in_one_sentence(
    tmp_path: Path, missing: str, arguments: list[str], extra: str
) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError('no', name='{missing}')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "TALKDESK_BRIDGE_URL": "https://b"}
    command = [sys.executable, COMMAND, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    message = f"packages are missing: install talkdesk-bridge[{extra}] from your package index."
    assert result.stderr == f"talkdesk-bridge: {message}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["invoices", "1"], "raise ModuleNotFoundError('no', name='attrs')", "attrs"),
        (["get", "--help"], "", "attrs"),  # another module with this name
        (["version"], "raise ImportError", "a module"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_in_one_sentence(
    tmp_path: Path, arguments: list[str], code: str, named: str
) -> None:
    (tmp_path / "attrs.py").write_text(code)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "TALKDESK_BRIDGE_URL": "https://b"}
    command = [sys.executable, COMMAND, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    remedy = "run 'talkdesk-bridge doctor', or reinstall talkdesk-bridge"
    assert result.stderr == f"talkdesk-bridge: {named} cannot be imported: {remedy}.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_sandbox_says_how_to_use_it_and_ends_on_signals(number: signal.Signals) -> None:
    command = [COMMAND, "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdout
            printed = ""
            while "any other" not in printed:
                line = started.stdout.readline()
                assert line, started.communicate()[1]
                printed += line
            shells = printed.split("\n\n")[1:-1]
            assert len(shells) == 5
            for shell in shells if number == signal.SIGINT else []:
                exported = dict(re.findall(r"export TALKDESK_BRIDGE_(\w+)=(\S+)", shell))
                assert run("invoices", "1000000003", **exported).returncode == 0, exported
            started.send_signal(number)
            _, errors = started.communicate(timeout=20)
        finally:
            started.kill()
    assert started.returncode == 128 + number
    assert "Traceback" not in errors


def test_the_printed_command_is_quoted_for_the_shell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def slept(_: float) -> None:
        raise SystemExit(0)

    monkeypatch.setattr("talkdesk_bridge_cli.serve.shutil.which", lambda _: None)
    monkeypatch.setattr("talkdesk_bridge_cli.serve.sys.argv", ["my tools/talkdesk-bridge"])
    monkeypatch.setattr("talkdesk_bridge_cli.serve.time.sleep", slept)
    with pytest.raises(SystemExit):
        serve("127.0.0.1", 0)
    assert "\n  'my tools/talkdesk-bridge' invoices 1000000001\n" in capsys.readouterr().out


def test_an_interrupt_of_the_sandbox_is_not_lost_while_it_starts() -> None:
    code = """if True:
        import signal, sys, uvicorn
        from talkdesk_bridge_cli.main import main

        class Destroyed:
            def __del__(self):
                signal.raise_signal(signal.SIGINT)

        begin = uvicorn.Config.get_loop_factory
        uvicorn.Config.get_loop_factory = lambda self: (Destroyed(), begin(self))[1]
        sys.argv = ["talkdesk-bridge", "sandbox", "--port", "0"]
        main()
    """
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=20)
    assert (result.returncode, result.stderr) == (130, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_standard_output_that_cannot_be_written(sandbox: Sandbox) -> None:
    environment = os.environ | {"TALKDESK_BRIDGE_URL": sandbox.url, "TALKDESK_BRIDGE_BEARER_TOKEN": "sandbox-token"}
    command = [COMMAND, "invoices", "1000000001"]
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    message = "talkdesk-bridge: the output cannot be written: No space left on device.\n"
    assert (result.returncode, result.stderr) == (1, message)
    shell = ["/bin/sh", "-c", f"exec '{COMMAND}' invoices 1 >&-"]
    closed = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert (closed.returncode, closed.stderr) == (1, "talkdesk-bridge: standard output is closed.\n")


def test_characters_that_the_encoding_lacks_are_escaped(server: Server) -> None:
    server.respond_with({"_embedded": {"invoices": [{"status": "f\u00e4llig \u20ac"}]}, "total": 1})
    environment = os.environ | {"PYTHONIOENCODING": "latin-1", "TALKDESK_BRIDGE_URL": server.url}
    result = subprocess.run([COMMAND, "invoices", "1"], env=environment, capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (0, b"1 invoice of 1 account printed.\n")
    assert b"\\u20ac" in result.stdout


BEARER = {"TALKDESK_BRIDGE_BEARER_TOKEN": "sandbox-token"}
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_the_table_fits_80_columns_and_is_the_same_on_a_terminal(sandbox: Sandbox) -> None:
    table = run("invoices", "1000000001", URL=sandbox.url, BEARER_TOKEN="sandbox-token").stdout
    variables = {"TALKDESK_BRIDGE_URL": sandbox.url, **BEARER}
    status, text = on_a_terminal(COMMAND, "invoices", "1000000001", variables=variables)
    assert status == 0
    assert "number " + ESCAPES.sub("", text).replace("\r", "").partition("number ")[2] == table
    assert len(table.splitlines()) == 142
    assert max(map(len, table.splitlines())) <= 80


def test_only_a_terminal_that_supports_colours_gets_them(sandbox: Sandbox) -> None:
    plain = run("invoices", "1000000003", URL=sandbox.url, BEARER_TOKEN="sandbox-token").stdout
    # Progress goes to standard error, which is left out here.
    shell = f"'{COMMAND}' invoices 1000000003 2> /dev/null; '{COMMAND}' invoices --nothing"
    for variables in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        named = {"TALKDESK_BRIDGE_URL": sandbox.url, **BEARER, **variables}
        status, text = on_a_terminal("/bin/sh", "-c", shell, width=120, variables=named)
        first, *_, totals, count, failed = text.splitlines()
        assert (status, count) == (2, "1 invoice")
        if variables:
            assert "\x1b" not in text
        else:
            assert first.startswith("\x1b[1m")
            assert totals.startswith("\x1b[1mtotal USD")
            assert failed.startswith("\x1b[1;31mtalkdesk-bridge:\x1b[0m No such option")
        assert ESCAPES.sub("", text).split()[: len(plain.split())] == plain.split()
    for variables in ({"FORCE_COLOR": "1"}, {"CLICOLOR_FORCE": "1"}, {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1"}):
        result = call(["invoices", "1000000003", "--quiet"], environment(URL=sandbox.url) | BEARER | variables)
        assert (result.stdout, result.stderr) == (plain, "")


def test_progress_on_a_terminal_does_not_disturb_the_lines_of_debug(sandbox: Sandbox, tmp_path: Path) -> None:
    named = {"TALKDESK_BRIDGE_URL": sandbox.url, **BEARER}
    out, path = tmp_path / "out", invoices_of("1000000001")
    shell = f"'{COMMAND}' invoices 1000000001 --debug > '{out}'"
    status, shown = on_a_terminal("/bin/sh", "-c", shell, variables=named)
    assert status == 0
    assert "account 1000000001: 100 of 137 invoices" in shown
    assert len(re.findall(rf"GET {sandbox.url}{path} 200 in 0\.\d+ s\n", shown)) == 3
    assert shown.rindex("\x1b[2K") > shown.rindex("of 137 invoices")  # the line is removed at the end
    assert shown.endswith("137 invoices of 1 account printed.\n")
    assert out.read_text().splitlines()[-1] == "137 invoices"
    status, shown = on_a_terminal(
        "/bin/sh", "-c", f"'{COMMAND}' invoices 1000000001 --format json 2> /dev/null | cat", variables=named
    )
    assert (status, json.loads(shown)[-1]["invoice_number"], "\x1b" in shown) == (0, "1000000137", False)
    status, shown = on_a_terminal("/bin/sh", "-c", shell, variables=named | {"TERM": "dumb"})
    assert (status, "\x1b" in shown, shown.count("GET ")) == (0, False, 3)


def test_several_accounts_have_a_table_each_and_common_totals(sandbox: Sandbox) -> None:
    accounts = ["1000000003", "1000000002", "1000000005", "1000000003"]
    result = run("invoices", *accounts, URL=sandbox.url, BEARER_TOKEN="sandbox-token")
    assert (result.returncode, result.stderr) == (0, "61 invoices of 3 accounts printed.\n")
    parts = result.stdout.split("\n\n3 accounts\n")
    assert re.findall(r"^account (\d+)$", parts[0], re.M) == ["1000000003", "1000000002", "1000000005"]
    assert re.findall(r"^(\d+) invoices?$", parts[0], re.M) == ["1", "0", "60"]
    # Each table is the same as for one account; the totals of all come last.
    alone = run("invoices", "1000000003", URL=sandbox.url, BEARER_TOKEN="sandbox-token").stdout
    assert parts[0].startswith(f"account 1000000003\n{alone}\naccount 1000000002\n")
    lines = parts[1].splitlines()
    assert [line.split()[1] for line in lines if line.startswith("total")] == ["EUR", "GBP", "USD"]
    assert lines[0].split() == ["amount", "due", "amount", "paid", "amount"], "no column is empty"
    assert all(len(line.split()) == 5 for line in lines[2:-1])
    assert lines[-1] == "61 invoices"
    assert "2700.00" not in parts[1]
    assert [seen.target for seen in sandbox.requests][:2] == [invoices_of("1000000003"), invoices_of("1000000002")]


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_a_failed_account_is_named_and_nothing_is_printed(sandbox: Sandbox, form: str) -> None:
    accounts = ["1000000003", "77", "1000000001"]
    result = run("invoices", *accounts, "--format", form, URL=sandbox.url, BEARER_TOKEN="sandbox-token")
    assert (result.returncode, result.stdout) == (4, "")
    message = f"talkdesk-bridge: account 77: GET {invoices_of('77')} returned 404 Not Found"
    assert result.stderr.startswith(message)
    assert len(sandbox.requests) == 2


def test_debug_logs_each_request_and_no_credential(server: Server, elsewhere: Server) -> None:
    elsewhere.respond_with({"access_token": "t0ken-of-the-server", "token_type": "Bearer"})
    server.respond_with(
        as_json({}, 503), as_json(page(1, total=2, following="?page=2&key=s3cret-of-the-link")), page(2, total=2)
    )
    oauth = {"TOKEN_URL": f"{elsewhere.url}/token?k=s3cret", "CLIENT_ID": "me", "CLIENT_SECRET": "s3cret-of-mine"}
    result = run("invoices", "1", "--debug", "--format", "jsonl", URL=f"{server.url}/base", **oauth)
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 2
    url = f"{server.url}/base{invoices_of('1')}"
    seconds = r"in \d\.\d{3} s"
    expected = [
        rf"POST {elsewhere.url}/token 200 {seconds}",
        rf"GET {url} 503 {seconds}; retry in \d\.\d\d s",
        rf"GET {url} 200 {seconds} \(attempt 2\)",
        rf"GET {url} 200 {seconds}",
        "2 invoices of 1 account printed\\.",
    ]
    lines = result.stderr.splitlines()
    assert len(lines) == len(expected)
    assert all(re.fullmatch(pattern, line) for pattern, line in zip(expected, lines, strict=True)), lines
    assert "s3cret" not in result.stderr
    assert "t0ken" not in result.stderr


def test_debug_logs_requests_that_were_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    result = run("get", "get_account_invoices", "1", "--debug", URL=url)
    assert (result.returncode, result.stdout) == (5, "")
    *attempts, message = result.stderr.splitlines()
    assert len(attempts) == 4
    assert attempts[-1].startswith(f"GET {url}{invoices_of('1')} NotSentError in ")
    assert attempts[-1].endswith(" s (attempt 4)")
    assert message.startswith("talkdesk-bridge: ")
    assert "no connection to" in message


def test_a_port_that_is_in_use(sandbox: Sandbox) -> None:
    port = sandbox.url.rpartition(":")[2]
    result = run("sandbox", "--port", port)
    assert (result.returncode, result.stdout) == (2, "")
    problem = f"cannot listen on 127.0.0.1, port {port}: Address already in use"
    assert result.stderr == f"talkdesk-bridge: {problem}. Choose another with --port or --host.\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--host", "0.0.0.0"), "0.0.0.0 is not a loopback address: to listen on it, set allow_remote (--"),  # noqa: S104 # not listened on
        (("--allow-host", "http://b.test"), "allow_hosts must be a list of host names or addresses"),
        (("--fault", "fire"), "unknown fault fire: choose one of rate-limited, "),
        (("--host", "192.0.2.1", "--allow-remote"), "cannot listen on 192.0.2.1, port 0: "),
    ],
)
def test_an_invalid_option_of_the_sandbox(options: tuple[str, ...], message: str) -> None:
    result = run("sandbox", "--port", "0", *options)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert message in result.stderr


def test_help_says_how_long_a_token_is_valid() -> None:
    assert f"[default: {TOKEN_LIFE}]" in run("sandbox", "--help").stdout


def test_strict_timeout_and_debug(sandbox: Sandbox) -> None:
    credential = {"URL": sandbox.url, "BEARER_TOKEN": "sandbox-token"}
    result = run("invoices", "2000000008", "--strict", **credential)
    assert (result.returncode, result.stdout) == (6, "")
    sandbox.script(*[Reply(delay=1)] * 4)
    result = run("get", "get_account_invoices", "1000000003", "--timeout", "0.1", **credential)
    assert (result.returncode, result.stdout, "did not respond in time" in result.stderr) == (5, "", True)
    result = run("get", "get_account_invoices", "1000000003", "--page", "0", "--debug", **credential)
    reason = "the query parameter page is invalid: 0 is less than the minimum of 1"
    assert result.stderr.splitlines()[1:3] == [f"  sandbox: {reason}", f"  {reason}"]
    assert result.returncode == 1
    assert run("invoices", "1", "--timeout", "0", **credential).returncode == 2


@pytest.mark.parametrize("command", [["doctor"], ["invoices", "1"], ["get", "get_account_invoices", "1"]])
def test_a_timeout_must_be_a_number(command: list[str]) -> None:
    result = run(*command, "--timeout", "nan", URL="https://b")
    assert (result.returncode, result.stdout) == (2, "")
    assert "Invalid value for '--timeout': 'nan' is not a number of seconds." in result.stderr


def test_the_sandbox_lists_its_accounts_and_faults() -> None:
    printed = run("sandbox", "--accounts")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert [line.split()[0] for line in printed.stdout.splitlines()[1:6]] == [*ACCOUNTS]
    listed = run("sandbox", "--faults").stdout
    assert all(fault.name in listed and fault.account in listed for fault in FAULTS)


def test_help_is_as_wide_as_the_terminal() -> None:
    for command in (
        ["-h"],
        ["invoices", "-h"],
        ["get", "-h"],
        ["get", "get_account_invoices", "-h"],
        ["sandbox", "-h"],
    ):
        widest = []
        for width in (70, 160):
            status, shown = on_a_terminal(COMMAND, *command, variables={}, width=width)
            assert status == 0
            examples = shown.partition("Examples:\n")[2].partition("\n\n")[0]
            lines = [line for line in shown.replace(examples, "").splitlines() if "TALKDESK_BRIDGE_" not in line]
            widest.append(max(map(len, lines)))
        narrow, wide = widest
        assert narrow <= 70, command
        assert 80 < wide <= 160 or command == ["get", "-h"]
    assert run("invoices", "-h").stdout == run("invoices", "--help").stdout


def completed(shell: str, *words: str) -> list[str]:
    """The values that click's completion gives a shell for the last word."""
    protocol = {
        "_TALKDESK_BRIDGE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(["talkdesk-bridge", *words]),
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words)),
    }
    result = call([], environment() | protocol)
    assert (result.returncode, result.stderr) == (0, "")
    if shell == "zsh":
        return result.stdout.split("\n")[1::3]
    return [line.partition(",")[2].partition("\t")[0] for line in result.stdout.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(shell: str) -> None:
    assert completed(shell, "inv") == ["invoices"]
    assert completed(shell, "invoices", "--format", "j") == ["json", "jsonl"]
    assert completed(shell, "get", "get_account_i") == ["get_account_invoices"]
    assert {"--limit", "--quiet", "--per-page"} <= {*completed(shell, "get", "get_account_invoices", "--")}
    assert completed(shell, "sandbox", "--paging", "p") == ["pages"]


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_completion_in_bash(tmp_path: Path) -> None:
    (tmp_path / "accounts.txt").touch()
    script = f"""
PATH="{Path(COMMAND).parent}:$PATH"
eval "$(_TALKDESK_BRIDGE_COMPLETE=bash_source talkdesk-bridge)"
complete -p talkdesk-bridge
COMP_WORDS=(talkdesk-bridge invoices --q) COMP_CWORD=2
_talkdesk_bridge_completion talkdesk-bridge
echo "${{COMPREPLY[@]}}"
"""
    command = [str(shutil.which("bash")), "-c", script]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    registered, found = result.stdout.splitlines()
    assert registered.endswith(" talkdesk-bridge")
    assert found == "--quiet"


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_a_run_that_works_says_so_in_one_line(sandbox: Sandbox, tmp_path: Path, form: str) -> None:
    named = {"URL": sandbox.url, "BEARER_TOKEN": "sandbox-token"}
    arguments = ["invoices", "1000000003", "1000000002", "--format", form]
    assert run(*arguments, **named).stderr == "1 invoice of 2 accounts printed.\n"
    out = str(tmp_path / "out")
    assert run(*arguments, "--output", out, **named).stderr == f"1 invoice of 2 accounts written to {out}.\n"
    assert run(*arguments, "--quiet", **named).stderr == ""
    assert run(*arguments, "--quiet", "--debug", **named).stderr.count(" 200 in ") == 2


def test_a_table_on_a_terminal_does_not_repeat_its_last_line(sandbox: Sandbox) -> None:
    named = {"TALKDESK_BRIDGE_URL": sandbox.url, **BEARER}
    status, shown = on_a_terminal(COMMAND, "invoices", "1000000003", variables=named)
    assert (status, ESCAPES.sub("", shown).splitlines()[-1]) == (0, "1 invoice")
    status, shown = on_a_terminal(COMMAND, "invoices", "1000000003", "--format", "jsonl", variables=named)
    assert (status, shown.splitlines()[-1]) == (0, "1 invoice of 1 account printed.")
    status, shown = on_a_terminal(COMMAND, "invoices", "1000000003", "--format", "jsonl", "--quiet", variables=named)
    assert (status, "\x1b" in shown, shown.count("\n")) == (0, False, 1)


def test_quiet_does_not_report_deviations(server: Server) -> None:
    server.respond_with({"_embedded": {"invoices": [{"due_amount": 7.5}]}, "total": 1})
    for command in (["invoices", "1"], ["get", "get_account_invoices", "1", "--all"]):
        result = run(*command, "--quiet", URL=server.url)
        assert (result.returncode, result.stderr) == (0, "")
        assert run(*command, URL=server.url).stderr.count("\n") == 2
    server.respond_with(as_json({}, 404))
    assert run("invoices", "1", "--quiet", URL=server.url).stderr.count("\n") == 1


def test_a_limit_stops_early_and_is_named(sandbox: Sandbox) -> None:
    named = {"URL": sandbox.url, "BEARER_TOKEN": "sandbox-token"}
    result = run("invoices", "1000000001", "1000000005", "--limit", "60", **named)
    assert re.findall(r"^(\d+ invoices.*)$", result.stdout, re.M) == [
        "60 invoices (--limit 60)",
        "60 invoices (--limit 60)",
        "120 invoices",
    ]
    assert result.stderr == "120 invoices of 2 accounts (--limit 60) printed.\n"
    assert len(sandbox.requests) == 2 + 2
    sandbox.reset()
    result = run("invoices", "1000000001", "--limit", "2", "--format", "json", **named)
    assert [invoice["invoice_number"] for invoice in json.loads(result.stdout)] == ["1000000001", "1000000002"]
    for options, count in ((["--limit", "51"], 51), (["--limit", "3", "--all"], 3), (["--limit", "200"], 137)):
        result = run("get", "get_account_invoices", "1000000001", *options, **named)
        assert len(json.loads(result.stdout)) == count
        assert result.stderr == f"get_account_invoices: {count} items printed.\n"
    result = run("get", "get_account_invoices", "1000000001", "--page", "2", "--limit", "3", **named)
    assert (result.returncode, "--page is for one page, but --limit reads all pages" in result.stderr) == (2, True)
    assert run("invoices", "1", "--limit", "0", **named).returncode == 2


def test_a_summary_without_readable_amounts_has_no_table(server: Server) -> None:
    server.respond_with({"_embedded": {"invoices": []}, "total": 0})
    assert run("invoices", "1", "2", URL=server.url).stdout.endswith("0 invoices\n\n2 accounts\n0 invoices\n")
    server.respond_with({"_embedded": {"invoices": [{"amount": "1.00 usd"}]}, "total": 1})
    lines = run("invoices", "1", "2", URL=server.url).stdout.partition("2 accounts\n")[2].splitlines()
    assert (lines[0].split(), lines[2].split()) == (["amount"], ["total", "USD", "*", "2.00"])
    assert lines[-1] == "* not counting 4 missing amounts"

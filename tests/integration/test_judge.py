"""`make judge`: correct bridges pass, and each mistake of the table in docs/hosting.md fails the runs that it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from talkdesk_bridge_sandbox import Credentials, Sandbox

from tests.conftest import ROOT
from tests.integration.example import CLIENT_ID, EMPTY, FULL, KEY, SECRET, UNKNOWN, example
from tests.mistakes import MISTAKES

PAGE = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
ROWS: list[tuple[str, str, str]] = re.findall(r"^\| ([^|]+) \| `([a-z-]+)` \| (.*) \|$", PAGE, re.M)
"""Each mistake, the rule of `check` that it breaks, and the runs of `make judge` that fail."""
RUNS = {"account": FULL, "empty": EMPTY, "unknown": UNKNOWN}


def command(url: str, **accounts: str) -> list[str]:
    given = [f"--{name}={value}" for name, value in {"url": url, **RUNS, **accounts}.items()]
    return [sys.executable, "-m", "tools.judge", *given]


def judge(url: str, variables: dict[str, str], **accounts: str) -> subprocess.CompletedProcess[str]:
    """The result of `make judge` with these TALKDESK_BRIDGE_ variables."""
    environ = os.environ | {f"TALKDESK_BRIDGE_{name}": value for name, value in variables.items()}
    return subprocess.run(command(url, **accounts), cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def failing(done: subprocess.CompletedProcess[str]) -> str:
    """The runs that failed, as in the table."""
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout.count("Tested: 1") == 3, done.stdout
    last = done.stdout.splitlines()[-1]
    found = re.fullmatch(r"Not passed: (.*)\. See above\.", last)
    assert bool(found) == bool(done.returncode)
    return found[1] if found else "-"


def test_the_table_has_twelve_mistakes_and_the_rules_that_they_break() -> None:
    meant = {one.name: one.rules[0] for one in MISTAKES}
    assert len({mistake for mistake, _, _ in ROWS}) == 12
    assert {mistake: rule for mistake, rule, _ in ROWS} == {mistake: meant[mistake] for mistake, _, _ in ROWS}


def test_mistakes_fail_the_runs_of_the_table() -> None:
    def judged(mistake: str) -> str:
        with example("tests.integration.mistaken:mistaken", MISTAKE=mistake) as address:
            return failing(judge(f"http://{address}", {"API_KEY": KEY}))

    with ThreadPoolExecutor(2) as pool:
        found = pool.map(judged, [mistake for mistake, _, _ in ROWS])
    assert [runs for _, _, runs in ROWS] == [*found]


def test_the_example_passes() -> None:
    with example() as address:
        client = {"TOKEN_URL": f"http://{address}/oauth/token", "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": SECRET}
        done = judge(f"http://{address}", {"AUTH_METHOD": "client_secret_post", **client})
    assert failing(done) == "-", done.stdout


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ({"paging": "links", "accept": "key", "credentials": Credentials(api_key_header="X-Insurer")}, {"API_KEY": "sandbox-key", "API_KEY_HEADER": "X-Insurer"}),
        ({"paging": "all", "accept": "none"}, {}),
    ],
)  # fmt: skip
def test_the_sandbox_passes(options: dict[str, Any], variables: dict[str, str]) -> None:
    with Sandbox(**options) as sandbox:
        done = judge(sandbox.url, variables)
    assert failing(done) == "-", done.stdout
    assert {seen.method for seen in sandbox.requests} == {"GET"}
    assert len(sandbox.requests) < 250


def test_accounts_and_credentials_that_are_not_what_they_should_be() -> None:
    with example() as address:
        url = f"http://{address}"
        done = judge(url, {"API_KEY": KEY}, account="77", empty="78", unknown=FULL)
        assert failing(done) == "ACCOUNT, EMPTY, UNKNOWN"
        assert "Missing test data" in done.stdout
        done = judge(url, {"API_KEY": "wrong"})
        assert failing(done).startswith("ACCOUNT, EMPTY")


def test_the_credential_is_in_no_output_and_no_command_line() -> None:
    key, header = "a-secret-key-of-a-bridge", "X-Insurer"
    settings = {"BRIDGE_API_KEY": key, "BRIDGE_API_KEY_HEADER": header, "MISTAKE": "credential in the error body"}
    variables = {"TALKDESK_BRIDGE_API_KEY": key, "TALKDESK_BRIDGE_API_KEY_HEADER": header}
    with example("tests.integration.mistaken:mistaken", **settings) as address:
        process = subprocess.Popen(
            command(f"http://{address}"), cwd=ROOT, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )  # fmt: skip
        lines = ""
        with ThreadPoolExecutor(1) as pool:
            output = pool.submit(process.communicate)
            while not output.done():
                lines += subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout  # noqa: S607 # ps, wherever it is
    assert "--config-file" in lines
    printed = output.result()[0]
    assert "[Filtered]" in printed
    assert "received" in printed
    assert key not in lines + printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--account=1", "--empty=2"], "UNKNOWN is not set: give the number of an account that does not exist, as in `make judge .*`."),
        (["--account=1", "--empty=2", "--unknown=1"], "ACCOUNT, EMPTY and UNKNOWN must be three different numbers."),
        (["--account=1", "--empty=2", "--unknown=3"], "TALKDESK_BRIDGE_URL is not set: .*"),
        (["--account=1", "--empty=2", "--unknown=3", "--url=http://bridge.example"], "The base URL must begin with https.*"),
        (["--account=1", "--empty=2", "--unknown=3", "tests/contracts/things.yaml"], ".*things.yaml has no .*: remove it from .*"),
    ],
)  # fmt: skip
def test_wrong_arguments(arguments: list[str], message: str) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TALKDESK_BRIDGE_")}
    done = subprocess.run(
        [sys.executable, "-m", "tools.judge", *arguments],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(message + "\n", done.stderr), done.stderr

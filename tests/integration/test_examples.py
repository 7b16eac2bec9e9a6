"""The programs in examples/ and the recipes of the pages that need other packages, run against the sandbox."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest
from talkdesk_bridge_cli import exit as ending
from talkdesk_bridge_sandbox import Reply, Sandbox

from tests.conftest import ROOT
from tests.pages import ELSEWHERE, PAGES, blocks

EXAMPLES = ROOT / "examples"
DIRECT = build_opener(ProxyHandler({}))
SYSTEMD = shutil.which("systemd-analyze") or ""


@pytest.fixture(scope="module")
def started() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started: Sandbox) -> Sandbox:
    started.reset()
    return started


def environment(sandbox: Sandbox, **more: str) -> dict[str, str]:
    paths = os.pathsep.join(str(ROOT / name) for name in ("generated", "overrides", "extras"))
    return {**os.environ, **sandbox.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", **more}


def run(command: list[str], folder: Path, sandbox: Sandbox, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment(sandbox, **more), capture_output=True, text=True, check=False, timeout=120
    )


def run_pytest(folder: Path, sandbox: Sandbox) -> str:
    options = ["-q", "-W", "error", "-p", "talkdesk_bridge_pytest", "-p", "no:cacheprovider"]
    return run([sys.executable, "-m", "pytest", *options], folder, sandbox).stdout


# A service


SERVE = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES / "service"), "app:app", "--port", "0"]


@pytest.fixture(scope="module")
def service(started: Sandbox) -> Iterator[str]:
    """The URL of examples/service."""
    environ, pipe = environment(started), subprocess.PIPE
    with subprocess.Popen(SERVE, env=environ, stderr=pipe, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr
        log = ""
        while not (found := re.search(r"http://[\d.:]+", log)):
            line = process.stderr.readline()
            assert line, log
            log += line
        try:
            yield found[0]
        finally:
            process.terminate()


def fetched(service: str, account: str) -> tuple[int, str]:
    """The status and the text for an account."""
    try:
        with DIRECT.open(f"{service}/accounts/{account}/balance", timeout=30) as response:
            return response.status, json.load(response)["due"]
    except HTTPError as error:
        with error:
            return error.code, json.load(error)["error"]


@pytest.mark.parametrize(
    ("account", "status", "text"),
    [
        ("1000000003", 200, "2700.00 USD"),
        ("9999999999", 404, "There is no such account."),
        ("..%5C1", 422, "This is not an account number."),
        ("2000000003", 503, "The billing system cannot be reached."),  # always 502
        ("2000000005", 504, "The billing system is too slow."),  # 3 seconds for each of two pages
        ("2000000012", 502, "The billing system sent an unexpected response."),  # an error as a success
    ],
)
def test_the_service(service: str, account: str, status: int, text: str) -> None:
    assert fetched(service, account) == (status, text)


def test_the_service_says_when_to_come_back(sandbox: Sandbox, service: str) -> None:
    sandbox.script(Reply(429, headers={"Retry-After": "90"}))
    with pytest.raises(HTTPError) as caught:
        DIRECT.open(f"{service}/accounts/1000000003/balance", timeout=30)
    with caught.value as error:
        assert (error.code, error.headers["Retry-After"]) == (503, "90")


def test_the_service_does_not_start_with_a_wrong_credential(sandbox: Sandbox) -> None:
    wrong = {
        "TOKEN_URL": sandbox.token_url,
        "CLIENT_ID": "sandbox-client",
        "CLIENT_SECRET": "wrong-secret",
        "API_KEY": "",
    }
    named = {f"TALKDESK_BRIDGE_{name}": value for name, value in wrong.items()}
    ended = run(SERVE, ROOT, sandbox, **named)
    assert ended.returncode == 3
    assert "client id or secret is wrong" in ended.stderr
    assert "wrong-secret" not in ended.stderr


# A job


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A folder with the program `talkdesk-bridge` and the accounts."""
    program = tmp_path / "bin" / "talkdesk-bridge"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom talkdesk_bridge_cli.main import main\nmain()\n")
    program.chmod(0o755)
    (tmp_path / "accounts.txt").write_text("1000000001\n1000000003\n")
    return tmp_path


def nightly(job: Path, sandbox: Sandbox) -> subprocess.CompletedProcess[str]:
    path = f"{job / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return run([str(EXAMPLES / "job" / "nightly.sh")], job, sandbox, PATH=path)


def test_the_job_writes_all_invoices_silently(sandbox: Sandbox, job: Path) -> None:
    done = nightly(job, sandbox)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len((job / "invoices.jsonl").read_text().splitlines()) == 138


def test_the_job_goes_on_where_it_stopped(sandbox: Sandbox, job: Path) -> None:
    (job / "accounts.txt").write_text("1000000003\n2000000003\n")
    done = nightly(job, sandbox)
    assert done.returncode == 5
    assert "The next call requests only the accounts that are missing." in done.stderr
    assert not (job / "invoices.jsonl").exists()
    before = len(sandbox.requests)
    assert nightly(job, sandbox).returncode == 5
    assert {seen.target.rpartition("/")[2] for seen in sandbox.requests[before:]} == {"2000000003"}


def test_the_job_does_not_continue_an_old_run(sandbox: Sandbox, job: Path) -> None:
    (job / "accounts.txt").write_text("1000000003\n9999999999\n")
    assert nightly(job, sandbox).returncode == 7
    part = job / "invoices.jsonl.part"
    os.utime(part, (1, 1))
    before = len(sandbox.requests)
    assert nightly(job, sandbox).returncode == 7
    assert len(sandbox.requests[before:]) == 2


def test_the_job_reports_a_wrong_setting(sandbox: Sandbox, job: Path) -> None:
    (job / "accounts.txt").write_text("")
    done = nightly(job, sandbox)
    assert done.returncode == 2
    assert "accounts.txt has no accounts" in done.stderr


def test_systemd_repeats_only_what_may_work_later() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case
    unit.read(EXAMPLES / "job" / "billing.service")
    prevented = {int(status) for status in unit["Service"]["RestartPreventExitStatus"].split()}
    statuses = {int(status) for status in re.findall(r"\b(\d+) [a-z]", (ending.__doc__ or "").partition("\n\n")[2])}
    assert {status for status in statuses if 0 < status < 128} - prevented == {5}
    assert unit["Service"]["ExecStart"].endswith("/nightly.sh")


@pytest.mark.skipif(not SYSTEMD, reason="needs systemd-analyze")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    units = []
    for name in ("billing.service", "billing.timer"):
        text = (EXAMPLES / "job" / name).read_text(encoding="utf-8")
        units.append(tmp_path / name)
        units[-1].write_text(text.replace("/opt/bridge/nightly.sh", "/bin/true").replace("User=billing\n", ""))
    done = subprocess.run([SYSTEMD, "verify", *map(str, units)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# Tests


def test_the_test_suite(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = shutil.copytree(EXAMPLES / "tests", tmp_path / "tests")
    assert re.search(r"^8 passed in", run_pytest(folder, sandbox), re.M)


RECIPES = [
    (f"{file.name}-{number}", code)
    for file in PAGES
    for number, code in enumerate(blocks(file))
    if file.name not in ("pytest.md", "service.md") and ELSEWHERE.search(code)
]


@pytest.mark.parametrize(("name", "code"), RECIPES, ids=[name for name, _ in RECIPES])
def test_a_recipe(sandbox: Sandbox, tmp_path: Path, name: str, code: str) -> None:
    if "def test_" in code:
        (tmp_path / "test_recipe.py").write_text(code, encoding="utf-8")
        output = run_pytest(tmp_path, sandbox)
        assert re.search(rf"^{code.count('def test_')} passed in", output, re.M), output
    else:
        done = run([sys.executable, "-W", "error", "-c", code], tmp_path, sandbox)
        assert done.returncode == 0, done.stderr
        assert '"name": "GET"' in done.stdout  # the span

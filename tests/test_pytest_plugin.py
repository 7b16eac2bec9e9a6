"""The pytest plugin, in runs of its own: what a suite that uses the package meets, and one that does not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def run(folder: Path, code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_statement.py").write_text(code, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--strict-markers", *arguments],
        cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_page_about_testing_is_true(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "pytest.md").read_text(encoding="utf-8")
    code = "\n\n".join(re.findall(r"^```python\n(.*?)^```", page, re.M | re.S))
    result = run(tmp_path, code)
    assert result.returncode == 0, result.stdout
    assert re.search(r"\b12 passed\b", result.stdout), result.stdout


def test_each_test_gets_it_as_new(tmp_path: Path) -> None:
    code = """
from talkdesk_bridge_sandbox import Reply

def test_one(talkdesk_bridge_sandbox):
    talkdesk_bridge_sandbox.script(Reply(500), Reply(500))
    talkdesk_bridge_sandbox.fault = "html-error"
    assert talkdesk_bridge_sandbox.client.billing

def test_two(talkdesk_bridge_sandbox):
    assert not talkdesk_bridge_sandbox.requests
    assert talkdesk_bridge_sandbox.client.billing.get_account_invoices("1000000003").total == 1
    assert len(talkdesk_bridge_sandbox.requests) == 1
"""
    result = run(tmp_path, code)
    assert result.returncode == 0, result.stdout


def test_a_run_that_does_not_use_it_loads_nothing_of_it(tmp_path: Path) -> None:
    code = """
import sys

def test_nothing():
    heavy = {"attrs", "httpx", "starlette", "uvicorn", "jwt", "talkdesk_bridge_api", "talkdesk_bridge_sandbox"}
    assert "talkdesk_bridge_pytest" in sys.modules
    assert not heavy & {*sys.modules}
"""
    result = run(tmp_path, code)
    assert result.returncode == 0, result.stdout


def test_it_is_listed(tmp_path: Path) -> None:
    assert "talkdesk_bridge_sandbox(**options): " in run(tmp_path, "", "--markers").stdout
    assert "A bridge on loopback, as new for each test" in run(tmp_path, "", "--fixtures").stdout


def test_a_missing_extra_and_a_wrong_option_are_told(tmp_path: Path) -> None:
    code = """
import pytest

def test_one(talkdesk_bridge_sandbox):
    pass

@pytest.mark.talkdesk_bridge_sandbox(paging="cursor")
def test_two(talkdesk_bridge_sandbox):
    pass
"""
    result = run(tmp_path, code, "--tb=short", "-k", "two")
    assert (result.returncode, "ValueError: paging must be links, pages or all, not cursor" in result.stdout) == (
        1,
        True,
    )
    without = tmp_path / "without"
    without.mkdir()
    (without / "uvicorn.py").write_text("raise ModuleNotFoundError('no', name='uvicorn')")
    result = run(tmp_path, code, PYTHONPATH=str(without))
    how = "install talkdesk-bridge[sandbox], the way the package was installed (README.md tells it)"
    told = f"talkdesk_bridge_sandbox needs more packages: {how}"
    assert (result.returncode, told in result.stdout, "Traceback" in result.stdout) == (1, True, False)

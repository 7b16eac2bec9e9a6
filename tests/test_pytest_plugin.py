"""The pytest plugin, in separate runs of pytest: one that uses the package, and one without the extra."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def run(folder: Path, **environment: str) -> str:
    """The output of pytest for the tests in a folder."""
    options = [
        "-q",
        "--tb=short",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        "--strict-markers",
    ]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=folder, env=os.environ | environment, capture_output=True, text=True,
        check=False,
    ).stdout  # fmt: skip


RESET = """
import pytest
from talkdesk_bridge_sandbox import Reply

def test_one(talkdesk_bridge_sandbox):
    talkdesk_bridge_sandbox.script(Reply(500), Reply(500))
    talkdesk_bridge_sandbox.fault = "html-error"
    assert talkdesk_bridge_sandbox.client.billing

def test_two(talkdesk_bridge_sandbox):
    assert not talkdesk_bridge_sandbox.requests
    assert talkdesk_bridge_sandbox.client.billing.get_account_invoices("1000000003").total == 1
    assert len(talkdesk_bridge_sandbox.requests) == 1
    talkdesk_bridge_sandbox.close()

def test_after_the_sandbox_was_closed(talkdesk_bridge_sandbox):
    assert talkdesk_bridge_sandbox.client.billing.get_account_invoices("1000000003").total == 1

@pytest.mark.talkdesk_bridge_sandbox(paging="cursor")
def test_wrong_option(talkdesk_bridge_sandbox):
    pass

@pytest.mark.talkdesk_bridge_sandbox("unavailable")
def test_option_without_a_name(talkdesk_bridge_sandbox):
    pass
"""


def test_the_code_in_pytest_md_passes_and_each_test_gets_a_reset_sandbox(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "pytest.md").read_text(encoding="utf-8")
    code = "\n\n".join(re.findall(r"^```python\n(.*?)^```", page, re.M | re.S))
    (tmp_path / "test_statement.py").write_text(code, encoding="utf-8")
    (tmp_path / "test_reset.py").write_text(RESET, encoding="utf-8")
    output = run(tmp_path)
    assert re.search(r"^15 passed, 2 errors in", output, re.M), output
    assert "ValueError: paging must be links, pages or all, not cursor" in output
    assert "the marker talkdesk_bridge_sandbox takes only named options, such as fault=" in output


WITHOUT = """
import sys

def test_the_sandbox_is_not_loaded():
    heavy = {"attrs", "httpx", "starlette", "uvicorn", "jwt", "talkdesk_bridge_api", "talkdesk_bridge_sandbox"}
    assert "talkdesk_bridge_pytest" in sys.modules
    assert not heavy & {*sys.modules}

def test_missing_extra(talkdesk_bridge_sandbox):
    pass
"""


def test_the_sandbox_is_loaded_only_when_used_and_a_missing_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_without.py").write_text(WITHOUT, encoding="utf-8")
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError('no', name='uvicorn')")
    output = run(tmp_path, PYTHONPATH=str(tmp_path))
    remedy = "install talkdesk-bridge[sandbox] from your package index"
    assert f"talkdesk_bridge_sandbox needs more packages: {remedy}" in output
    assert re.search(r"^1 passed, 1 error in", output, re.M), output
    assert "Traceback" not in output
    assert "During handling" not in output

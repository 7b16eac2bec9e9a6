"""The example of CONTRIBUTING.md, followed exactly in a separate repository, with all its `make` commands."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.repository import VERSION, Repository
from tools.changes.sentences import next_version


def test_the_worked_example(tmp_path: Path) -> None:
    """CONTRIBUTING.md, "An example": its patches apply, its commands pass and print what it says."""
    repository = Repository(tmp_path / "repository")
    section = (
        (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("### An example")[2].partition("\n## ")[0]
    )
    following = next_version(VERSION, "minor")
    section = section.replace("0.1.1", following).replace("0.1.0", VERSION)
    # Only the tests of the client run again; the others do not depend on this change.
    tests = " ".join(f"tests/test_{name}.py" for name in ("contract", "client", "generated", "roundtrip", "sandbox"))
    printed, commands = "", []
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```", section, re.M | re.S):
        if language == "diff":
            (repository.folder / "example.diff").write_text(text, encoding="utf-8")
            applied = repository.run("git", "apply", "--whitespace=error", "example.diff")
            (repository.folder / "example.diff").unlink()
            assert applied.returncode == 0, applied.stderr
        elif language == "text":
            assert re.sub(r":\d+ ", ": ", printed) == re.sub(r":\d+ ", ": ", text)
        for command in text.splitlines() if language == "sh" else ():
            done = repository.run(*command.split(), "--old-file=.venv/.set-up", PYTEST_ADDOPTS=tests)
            assert done.returncode == 0, done.stdout + done.stderr
            printed = done.stdout
            commands += command.split()[1:]
    assert commands == [
        *("validate", "generate", "changes", "generate", "check-version", "test", "lint", "types", "check-generated")
    ]
    found = repository.run(sys.executable, "-c", READ)
    assert found.stdout == "CustomField(key='claim_custom_fields', value='000000')\n", found.stderr


READ = """
from talkdesk_bridge import BridgeClient, HeaderAuth
from talkdesk_bridge_sandbox import Sandbox
with Sandbox() as sandbox, BridgeClient(sandbox.url, auth=HeaderAuth("sandbox-key", name=sandbox.key_header)) as bridge:
    print(next(bridge.billing.iter_account_invoices("1000000001")).custom_fields[0])
"""

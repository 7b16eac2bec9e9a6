"""The tests that read the contract hold on a copy of the project whose contract has grown by two pages."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.growing import DOCUMENTED, write
from tests.repository import VERSION, Repository
from tools.changes.sentences import next_version

PAGES = ("get-account-details", "get-policy-billing-side-panel-details")
TESTS = (
    *("account_list", "architecture", "calls", "changes", "cli", "client", "contract", "contract_module", "dead_code"),
    *("decode", "docs", "doctor", "every_operation", "generate", "generated", "get", "hazards", "lists", "page"),
    *("properties", "pytest_plugin", "roundtrip", "sandbox", "sandbox_faults", "sandbox_shapes", "site", "tables"),
    *("tool_packages", "validate"),
)
"""The others pass with any contract: they read its invoices, or nothing of it."""


def test_the_tests_hold_for_a_contract_that_has_grown(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    added = [name for name in PAGES if not (DOCUMENTED / f"{name}.yaml").exists()]
    write(repository.folder, *added)
    for target in ("validate", "generate", "check-generated", "types"):
        done = repository.make(target)
        assert done.returncode == 0, done.stdout + done.stderr
    files = [f"tests/test_{name}.py" for name in TESTS]
    done = repository.run(sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile", *files)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    # The version moves last, because the version of the installed package cannot move with this copy.
    following = next_version(VERSION, "minor")
    repository.edit("openapi.yaml", f"version: {VERSION}", f"version: {following}")
    items = "".join(f"- `{name.replace('-', '_')}`: more about an account.\n" for name in added)
    repository.edit("CHANGELOG.md", f"## {VERSION}", f"## {following}\n\n{items}\n## {VERSION}")
    for target in ("generate", "check-version"):
        done = repository.make(target)
        assert done.returncode == 0, done.stdout + done.stderr

"""Mutation tests: makes small mistakes in a copy of the client, one at a time. The tests must find each of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import certifi
import pytest

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / ".mutate"
MODULES = (
    "_attempts", "_auth", "_caller", "_items", "_links", "_oauth", "_paging", "_progress", "_received",
    "_retry", "_tokens", "errors",
)  # fmt: skip
"""The same modules as in pyproject.toml."""
MUTANTS = tuple(f"talkdesk_bridge.{module}.*" for module in MODULES)
AT_IMPORT = "talkdesk_bridge._retry.x_checked"
"""A function that runs at import, so that mutmut does not see which tests cover it."""
TESTS_OF_AT_IMPORT = ("tests/test_calls.py", "tests/test_retry.py", "tests/test_settings.py")
PRELOADED = ("asyncio", "attrs", "httpx", "pytest", "starlette.applications", "uvicorn", "yaml")
MAX_SURVIVING_SHARE = 0.1

OUTCOMES = {0: "survived", 255: "found by its import"} | dict.fromkeys((1, 2, 3), "found by a failing test")
OUTCOMES |= dict.fromkeys((-24, 24, 36, 152), "found by the time limit")
"""The outcome for a mutant, by the exit status of its tests in mutmut's data."""


FIRST = {
    "_attempts": "retry", "_auth": "settings", "_caller": "transport", "_items": "paging", "_links": "links",
    "_oauth": "transport", "_paging": "paging", "_progress": "paging", "_received": "retry", "_retry": "retry",
    "_tokens": "transport", "errors": "client",
}  # fmt: skip
"""The test file that covers most of a module."""


def pytest_configure() -> None:
    """A pytest hook: trust one certificate authority instead of 140, as loading these takes most of a test's time."""
    one = Path(certifi.where()).read_text(encoding="ascii").partition("-----END CERTIFICATE-----")
    file = Path("one.pem").absolute()
    if not file.exists():
        file.write_text("".join(one[:2]) + "\n", encoding="ascii")
    certifi.where = lambda: str(file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A pytest hook: run the tests that cover most of the mutant's module first."""
    module = os.environ.get("MUTANT_UNDER_TEST", "").partition(".")[2].partition(".")[0]
    first = f"test_{FIRST.get(module)}.py"
    items.sort(key=lambda item: item.path.name != first)


def copy_project() -> None:
    """Copy the project into another layout: mutmut imports only from `src`, and writes next to its sources."""
    shutil.rmtree(COPY, ignore_errors=True)
    left_out = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(ROOT / "overrides", COPY / "src", ignore=left_out)
    for folder in ("docs", "extras", "generated", "tests", "tools"):
        shutil.copytree(ROOT / folder, COPY / folder, ignore=left_out)
    for file in ("openapi.yaml", "pyproject.toml"):
        shutil.copy(ROOT / file, COPY / file)
    (COPY / "preloaded.txt").write_text("\n".join(PRELOADED), encoding="utf-8")


def mutmut(*arguments: str) -> None:
    """Run mutmut in the copy."""
    paths = os.pathsep.join([str(COPY / "generated"), str(COPY / "extras")])
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONHASHSEED": "0"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else each mutant compiles the tests again
    command = [sys.executable, "-c", "from mutmut.__main__ import cli; cli()", *arguments]
    subprocess.run(command, cwd=COPY, env=environment, check=True)


def add_covering_tests() -> None:
    """Add the tests that cover AT_IMPORT to mutmut's data."""
    file = COPY / "mutants" / "mutmut-stats.json"
    stats = json.loads(file.read_bytes())
    tests = [name for name in stats["duration_by_test"] if name.startswith(TESTS_OF_AT_IMPORT)]
    stats["tests_by_mangled_function_name"][AT_IMPORT] = tests
    file.write_text(json.dumps(stats), encoding="utf-8")


def main() -> int:
    """Run the mutants, and show those that survive. Returns 1 if more than a tenth survive, else 0."""
    copy_project()
    children = str(2 * (os.cpu_count() or 1))  # each spends half of its time waiting for its server
    mutmut("run", "--max-children", children, *MUTANTS)
    add_covering_tests()
    mutmut("run", f"{AT_IMPORT}__mutmut_*")
    counts: Counter[str] = Counter()
    for file in sorted((COPY / "mutants" / "src").rglob("*.meta")):
        for name, status in json.loads(file.read_bytes())["exit_code_by_key"].items():
            if status is None:
                continue
            outcome = OUTCOMES.get(status, "survived")
            counts[outcome] += 1
            if outcome == "survived":
                mutmut("show", name)
    print(f"{counts.total()} mutants:", ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()))
    print("docs/tests.md lists the known survivors.")
    return int(counts["survived"] > MAX_SURVIVING_SHARE * counts.total())


if __name__ == "__main__":
    sys.exit(main())

"""Mutation tests: makes small mistakes in a copy of the client, one at a time. The tests must find each of them.

The settings are [tool.mutmut] in pyproject.toml.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import certifi
import pytest

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / ".mutate"
PRELOADED = ("asyncio", "attrs", "httpx", "pytest", "starlette.applications", "uvicorn", "yaml")
MAX_SURVIVING_SHARE = 0.1
FIRST = {
    "_attempts": "retry", "_auth": "settings", "_caller": "transport", "_items": "paging", "_links": "links",
    "_oauth": "transport", "_paging": "paging", "_progress": "paging", "_received": "retry", "_retry": "retry",
    "_tokens": "transport", "errors": "client",
}  # fmt: skip
"""The test file that covers most of a module."""


def prepare() -> None:
    """Arrange the project in the layout that mutmut needs: it imports only from `src`."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir()
    (COPY / "src").symlink_to(ROOT / "overrides")
    for name in ("docs", "extras", "generated", "openapi.yaml", "pyproject.toml", "tests", "tools"):
        (COPY / name).symlink_to(ROOT / name)
    (COPY / "preloaded.txt").write_text("\n".join(PRELOADED), encoding="utf-8")
    first, end, _ = Path(certifi.where()).read_text(encoding="ascii").partition("-----END CERTIFICATE-----")
    (COPY / "one.pem").write_text(f"{first}{end}\n", encoding="ascii")


def pytest_configure() -> None:
    """A pytest hook: trust one certificate authority instead of 140, as loading these takes most of a test's time."""
    certifi.where = lambda: str(ROOT / "one.pem")  # of the copy, in which tests run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A pytest hook: run the tests that cover most of the mutant's module first."""
    module = os.environ.get("MUTANT_UNDER_TEST", "").partition(".")[2].partition(".")[0]
    items.sort(key=lambda item: item.path.name != f"test_{FIRST.get(module)}.py")


def mutmut(*arguments: str) -> None:
    """Run mutmut in the copy."""
    paths = os.pathsep.join([str(COPY / "generated"), str(COPY / "extras")])
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONHASHSEED": "0"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else each mutant compiles the tests again
    command = [sys.executable, "-c", "from mutmut.__main__ import cli; cli()", *arguments]
    subprocess.run(command, cwd=COPY, env=environment, check=True)


def main() -> int:
    """Run the mutants, and list those that survive. Returns 1 if more than a tenth do, else 0."""
    prepare()
    mutmut("run", "--max-children", str(2 * (os.cpu_count() or 1)))  # each spends half of its time waiting
    mutmut("results")
    mutmut("export-cicd-stats")
    counts = json.loads((COPY / "mutants" / "mutmut-cicd-stats.json").read_bytes())
    print(", ".join(f"{count} {name}" for name, count in counts.items() if count))
    print("docs/tests.md names known survivors; `mutmut show NAME` in .mutate/ shows one.")
    survived = sum(counts[name] for name in ("survived", "no_tests", "suspicious"))
    return int(survived > MAX_SURVIVING_SHARE * counts["total"])


if __name__ == "__main__":
    sys.exit(main())

"""A pytest plugin that makes `make mutate` faster. Its settings are [tool.mutmut] in pyproject.toml."""

from __future__ import annotations

import os
from pathlib import Path

import certifi
import pytest

FIRST = {
    "_attempts": "retry", "_auth": "settings", "_caller": "transport", "_items": "paging", "_links": "links",
    "_oauth": "transport", "_paging": "paging", "_progress": "paging", "_received": "retry", "_retry": "retry",
    "_tokens": "transport", "errors": "client",
}  # fmt: skip
"""The test file that covers most of a module."""


def pytest_configure() -> None:
    """Trusts one certificate authority instead of 140, as loading these takes most of a test's time."""
    first, end, _ = Path(certifi.where()).read_text(encoding="ascii").partition("-----END CERTIFICATE-----")
    file = Path("one.pem").absolute()
    if not file.exists():
        file.write_text(f"{first}{end}\n", encoding="ascii")
    certifi.where = lambda: str(file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs the tests that cover most of the mutant's module first."""
    module = os.environ.get("MUTANT_UNDER_TEST", "").partition(".")[2].partition(".")[0]
    items.sort(key=lambda item: item.path.name != f"test_{FIRST.get(module)}.py")

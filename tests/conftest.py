"""What several tests use: copies of the contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "openapi.yaml"


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str], Path]:
    """A copy of the contract in which one passage, the first of its kind, reads otherwise."""

    def change(old: str, new: str) -> Path:
        text = CONTRACT.read_text(encoding="utf-8")
        assert old in text, f"the contract has no {old!r}"
        file = tmp_path / "openapi.yaml"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        return file

    return change

"""Every function of a generated package is called, for any contract: no dead code is shipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, merged
from tests.dead_code import functions
from tests.packages import made

# Modules that are the same for every contract. Our contract uses only some of their types.
SHARED = ("base.py", "places.py", "reading.py", "sending.py", "types.py")


def never_called(folder: Path) -> list[str]:
    paths = os.pathsep.join([str(folder), str(ROOT / "overrides"), str(ROOT / "extras"), str(ROOT)])
    command = [sys.executable, "-m", "tests.dead_code"]
    environment = os.environ | {"PYTHONPATH": paths}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_every_function_of_our_package_is_called() -> None:
    assert [name for name in never_called(ROOT / "generated") if not name.startswith(SHARED)] == []


def test_every_function_of_a_larger_contract_is_called(tmp_path: Path) -> None:
    contract = merged("things", "shapes", "kinds", "names", "claims", "lists", "parameters")
    operations = [node for item in contract["paths"].values() for node in item.values() if "operationId" in node]
    assert len(operations) >= 8
    assert never_called(made(contract, tmp_path / "grown")) == []


def test_functions_lists_every_function_with_code(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("def a():\n    return lambda: 1\nclass B:\n    @property\n    def c(self): ...\n")
    (tmp_path / "rules.py").write_text("class D(Protocol):\n    def e(self): ...\n")
    assert [name for _, name in functions(tmp_path)] == ["code.py a", "code.py a <lambda>", "code.py B c"]

"""Every function of a generated package is called, whatever the contract says: no dead code is shipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, merged
from tests.entered import functions
from tests.packages import made

# What is the same for every contract: of our own it uses the types that our contract has.
SHARED = ("base.py", "places.py", "reading.py", "types.py")


def never_entered(folder: Path) -> list[str]:
    paths = os.pathsep.join([str(folder), str(ROOT / "overrides"), str(ROOT / "extras"), str(ROOT)])
    command = [sys.executable, "-m", "tests.entered"]
    environment = os.environ | {"PYTHONPATH": paths}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_every_function_of_our_package_is_entered() -> None:
    assert [name for name in never_entered(ROOT / "generated") if not name.startswith(SHARED)] == []


def test_more_operations_add_no_function_that_is_never_entered(tmp_path: Path) -> None:
    contract = merged("things", "shapes", "kinds", "names", "claims")
    operations = [node for item in contract["paths"].values() for node in item.values() if "operationId" in node]
    assert len(operations) >= 8
    assert never_entered(made(contract, tmp_path / "grown")) == []


def test_a_function_that_is_not_entered_is_seen(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("def a():\n    return lambda: 1\nclass B:\n    @property\n    def c(self): ...\n")
    (tmp_path / "rules.py").write_text("class D(Protocol):\n    def e(self): ...\n")
    assert [name for _, name in functions(tmp_path)] == ["code.py a", "code.py a <lambda>", "code.py B c"]

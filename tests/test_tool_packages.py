"""The packages of tools/: code outside a package imports only the names in its `__init__`."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

TOOLS = ROOT / "tools"
# These modules need packages that environments that only read a contract do not have.
EXCEPTIONS = {("generate", f"contract.{name}") for name in ("names", "examples", "hazards")}
EXCEPTIONS.add(("pages", "contract.examples"))


def imported(file: Path) -> Iterator[tuple[str, str]]:
    """The names that a file imports from tools/, each with its module (without `tools.`)."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tools."):
            yield from ((str(node.module).removeprefix("tools."), alias.name) for alias in node.names)


@pytest.mark.parametrize("package", ["contract", "generate"])
def test_only_public_names_of_a_package_are_imported(package: str) -> None:
    public = vars(importlib.import_module(f"tools.{package}"))
    files = [file for file in TOOLS.rglob("*.py") if file.relative_to(TOOLS).parts[0] not in (package, "templates")]
    found = False
    for file in files:
        for module, name in imported(file):
            if module.partition(".")[0] == package and (file.relative_to(TOOLS).parts[0], module) not in EXCEPTIONS:
                assert (module, name in public) == (package, True), file
                found = True
    assert found


@pytest.mark.parametrize("package", ["contract", "generate"])
def test_a_package_docstring_names_each_module(package: str) -> None:
    docstring = importlib.import_module(f"tools.{package}").__doc__ or ""
    for file in (TOOLS / package).glob("*.py"):
        assert file.stem == "__init__" or f"`{file.stem}`" in docstring, file

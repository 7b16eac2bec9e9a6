"""The rooms of tools/: what is outside of one imports only what its door names."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

TOOLS = ROOT / "tools"
# What tools/generate/ uses of the other room besides: names and validators, which environments that only read a contract
# cannot import.
BESIDES = {("generate", "contract.names"), ("generate", "contract.examples")}


def imported(file: Path) -> Iterator[tuple[str, str]]:
    """The modules of tools/ that a module imports from, without `tools.`, with the names."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tools."):
            yield from ((str(node.module).removeprefix("tools."), alias.name) for alias in node.names)


@pytest.mark.parametrize("room", ["contract", "generate"])
def test_a_room_is_entered_by_its_door(room: str) -> None:
    door = importlib.import_module(f"tools.{room}")
    visitors = [file for file in TOOLS.rglob("*.py") if file.relative_to(TOOLS).parts[0] not in (room, "templates")]
    entered = False
    for file in visitors:
        for module, name in imported(file):
            if module.partition(".")[0] == room and (file.relative_to(TOOLS).parts[0], module) not in BESIDES:
                assert (module, name in door.__all__) == (room, True), file
                entered = True
    assert entered


@pytest.mark.parametrize("room", ["contract", "generate"])
def test_a_door_says_what_each_module_is(room: str) -> None:
    told = importlib.import_module(f"tools.{room}").__doc__ or ""
    for file in (TOOLS / room).glob("*.py"):
        assert file.stem == "__init__" or f"`{file.stem}`" in told, file

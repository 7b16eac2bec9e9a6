"""Packages generated for a test and imported beside the real one."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from talkdesk_bridge_api import base, places, reading

from tests.conftest import CONTRACT
from tools import generate
from tools.contract import load

__all__ = ["made", "models_of"]


def made(data: dict[str, Any], folder: Path) -> Path:
    """Generate and prove the package of a contract in `folder`; return the folder, to be put on a path."""
    folder.mkdir(exist_ok=True)
    (folder / "contract.yaml").write_text(json.dumps(data), encoding="utf-8")
    generate.generate(load(folder / "contract.yaml"), folder / generate.PACKAGE)
    return folder


def models_of(schemas: dict[str, Any], folder: Path, name: str) -> ModuleType:
    """The models of some schemas, imported as a part of the package `name`; they share the readers of the real one."""
    data = load(CONTRACT).data
    data["components"]["schemas"] |= schemas
    made(data, folder)
    (folder / generate.PACKAGE).rename(folder / name)
    sys.path.insert(0, str(folder))
    sys.modules |= {f"{name}.base": base, f"{name}.places": places, f"{name}.reading": reading}
    try:
        return importlib.import_module(f"{name}.models")
    finally:
        sys.path.remove(str(folder))

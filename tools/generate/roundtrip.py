"""Proves that a generated package covers the contract: uses each part, and reports those that are lost."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

from tools.contract import Contract, Finding, Where, mapping
from tools.generate.models import Schema
from tools.generate.operations import Operation
from tools.generate.samples import NUMBERS

SCHEMAS = ("components", "schemas")
REMEDY = ": the generated code would lose this, so write it in another form."


def missing(contract: Contract, package: Path) -> list[Finding]:
    """The parts of the contract that the package in a folder lacks.

    Each operation is called with every argument, and the body of each status is read. Samples of each schema, with
    every property and every enumeration value, must pass through the models unchanged.

    Raises:
        Exception: the package cannot be imported; the error is its own.

    """
    generated = _imported(package)
    schemas = [Schema(contract, generated, (*SCHEMAS, name)) for name in mapping(contract.at(SCHEMAS))]
    operations = [Operation(contract, generated, where) for where, _ in contract.operations()]
    parts: tuple[Schema | Operation, ...] = (*schemas, *operations)
    lost: list[tuple[Where, str]] = []
    for part in parts:
        try:
            sentences = [*part.missing()]
        except Exception as error:  # noqa: BLE001 # faulty generated code can raise anything
            sentences = [f"fails with {type(error).__name__}: {error}"]
        lost += [(part.where, f"{part} {sentence.rstrip('.')}{REMEDY}") for sentence in dict.fromkeys(sentences)]
    # A loss in a schema shows wherever the schema is used: report it for the schema only.
    used = {where: contract.reached(where) for where, _ in lost}
    schemas_lost = {where for where in used if where[0] == "components"}
    own = [loss for loss in lost if all(loss[0] in used[inner] for inner in used[loss[0]] & schemas_lost)]
    return sorted(contract.finding("roundtrip", *loss) for loss in own)


def _imported(folder: Path) -> ModuleType:
    """Import a package with all its modules, under a new parent to keep it apart from an installed one."""
    parent = ModuleType(f"_new_{next(NUMBERS)}")
    parent.__path__ = [str(folder.parent)]
    sys.modules[parent.__name__] = parent
    package = importlib.import_module(f"{parent.__name__}.{folder.name}")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    return package

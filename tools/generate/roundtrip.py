"""Proof that what the contract says arrived in a generated package: each part is put to use, and its loss is named."""

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


def missing(contract: Contract, package: Path) -> list[Finding]:
    """What of the contract is not in the package in a folder.

    Operations are called with every argument, bodies of every status are read; samples of every schema, with each
    property and each value of an enumeration, go through the models and come back.

    Raises:
        Exception: the package cannot be imported; whatever its code raises then.

    """
    generated = _imported(package)
    schemas = [Schema(contract, generated, (*SCHEMAS, name)) for name in mapping(contract.at(SCHEMAS))]
    operations = [Operation(contract, generated, where) for where, _ in contract.operations()]
    parts: tuple[Schema | Operation, ...] = (*schemas, *operations)
    lost: list[tuple[Where, str]] = []
    for part in parts:
        try:
            sentences = [*part.missing()]
        except Exception as error:  # noqa: BLE001 # whatever generated code does wrong
            sentences = [f"fails with {type(error).__name__}: {error}"]
        lost += [(part.where, f"{part} {sentence}") for sentence in dict.fromkeys(sentences)]
    # What a schema lost is missing wherever it is used: named where it is the schema's own.
    broken = {where for where, _ in lost if where[0] == "components"}
    own = [loss for loss in lost if not (contract.reached(loss[0]) - {loss[0]}) & broken]
    return sorted(contract.finding("roundtrip", *loss) for loss in own)


def _imported(folder: Path) -> ModuleType:
    """A package, imported whole; with a parent of its own, so that it is not taken for one that is installed."""
    parent = ModuleType(f"_new_{next(NUMBERS)}")
    parent.__path__ = [str(folder.parent)]
    sys.modules[parent.__name__] = parent
    package = importlib.import_module(f"{parent.__name__}.{folder.name}")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    return package

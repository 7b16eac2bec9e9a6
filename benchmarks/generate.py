"""`make generate` against the bare generator with its own templates, on the contract and on one with 400 operations."""

from __future__ import annotations

import copy
import json
import shutil
import sys
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.pages import contract
from benchmarks.process import ROOT, timed
from benchmarks.report import Section
from benchmarks.timing import LEAST, Ratio, Target, in_turns

LIMIT, LARGE_LIMIT = 2.0, 1.4
"""The time that `make generate` may take, as a multiple of the bare run: for the contract, and for the large one."""
REASON = "it validates the contract first, and proves the generated code at the end"
OPERATIONS = 400
MADE = {"status": "assumed", "source": "a benchmark", "retrieved": "2026-11-23", "note": "Made up."}


def grown() -> Any:
    """The contract with many copies of its operation, which share its schemas."""
    data = copy.deepcopy(contract())
    item = next(iter(contract()["paths"].values()))
    for number in range(1, OPERATIONS):
        more = copy.deepcopy(item)
        more["get"]["operationId"] = f"get_account_things_{number}"
        for response in more["get"]["responses"].values():
            response["x-provenance"] = MADE
        data["paths"][f"/things/{number}/{{account_number}}"] = more
    return data


def regenerating(folder: str, seconds: float) -> Section:
    """Compare `make generate` with the bare generator; skip the large contract if `seconds` is 0."""
    tree, large, config = Path(folder, "tree"), Path(folder, "large.yaml"), Path(folder, "config.json")
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "__pycache__", "dist"))
    large.write_text(json.dumps(grown()), encoding="utf-8")  # JSON is also YAML
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["openapi-python-client"]
    config.write_text(json.dumps({**settings, "package_name_override": "bare"}), encoding="utf-8")

    contracts = {"the contract": (tree / "openapi.yaml", LIMIT, LEAST, 1)}
    if seconds:
        contracts[f"a contract of {OPERATIONS} operations"] = (large, LARGE_LIMIT, 1, 0)
    targets = []
    for title, (file, limit, least, warm) in contracts.items():
        bare = [sys.executable, "-I", "-m", "openapi_python_client", "generate", "--meta", "none", "--overwrite"]
        bare += ["--path", str(file), "--config", str(config), "--output-path", str(Path(folder, "bare"))]
        make = ["env", "-u", "PYTHONPATH", "make", "--old-file=.venv/.set-up", "generate", f"CONTRACT={file}"]
        samplers = {"bare": partial(timed, bare, folder=tree), "make": partial(timed, make, folder=tree)}
        costs = in_turns(samplers, seconds / 2, least=least, warm=warm)
        ratio = Ratio.of(costs["make"], costs["bare"])
        targets.append(Target(f"make generate, {title}, against the bare generator", limit, ratio, reason=REASON))
    return Section(targets)

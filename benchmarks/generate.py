"""`make generate` beside the bare generator with its formatter, on the contract and on one of 400 operations."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from benchmarks.timing import LEAST, ROOT, Ratio, Target, environment, failed, interleaved
from tools.contract import load

__all__ = ["regenerating", "targets"]

LIMIT = 1.5
"""What `make generate` may take, as a multiple of the bare run."""
OPERATIONS = 400
FAMILY = 4
"""Operations that share a set of schemas."""
AS_IT_IS, GROWN = "the contract", f"a contract of {OPERATIONS} operations"
COPIED = ("InvoiceDetailsResponse", "InvoiceList", "InvoiceDetails", "InvoiceItemDetails")


def grown(contract: dict[str, Any]) -> dict[str, Any]:
    """The contract with copies of its operation, and of its schemas for every fourth one."""
    data = copy.deepcopy(contract)
    made = {"status": "assumed", "source": "a benchmark", "retrieved": "2026-11-23", "note": "Made up."}

    def family(node: Any, number: int) -> Any:
        text = json.dumps(node)
        for name in COPIED:
            text = text.replace(f'schemas/{name}"', f'schemas/{name}{number}"')
        return json.loads(text)

    item = next(iter(contract["paths"].values()))
    for number in range(1, OPERATIONS):
        more = family(item, number // FAMILY)
        more["get"]["operationId"] = f"get_account_things_{number}"
        for response in more["get"]["responses"].values():
            response["x-provenance"] = made
        data["paths"][f"/things/{number}/{{account_number}}"] = more
    for number in range(OPERATIONS // FAMILY):
        for name in COPIED:
            schema = family(contract["components"]["schemas"][name], number)
            data["components"]["schemas"][f"{name}{number}"] = schema | {"x-provenance": made}
    return data


def run(command: list[str], folder: Path) -> float:
    """The seconds that a command takes, with the tools of this environment and of this folder."""
    kept = environment()
    del kept["PYTHONPATH"]
    begun = time.perf_counter()
    result = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)
    if result.returncode:
        raise failed(" ".join(command), result.stdout + result.stderr)
    return time.perf_counter() - begun


def regenerating(seconds: float) -> dict[str, Ratio]:
    """What `make generate` takes, as a ratio to the bare generator; of the large contract only if there is time."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["openapi-python-client"]
    found: dict[str, Ratio] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "copy")
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "dist"))
        config = Path(name, "config.json")
        config.write_text(json.dumps({**settings, "package_name_override": "bare"}), encoding="utf-8")
        large = Path(name, "large.yaml")
        large.write_text(yaml.safe_dump(grown(load(ROOT / "openapi.yaml").data), sort_keys=False), encoding="utf-8")
        contracts = {AS_IT_IS: (folder / "openapi.yaml", LEAST, 1), GROWN: (large, 1, 0)}
        for title, (contract, least, warm) in contracts.items():
            if title == AS_IT_IS or seconds:
                bare = [sys.executable, "-I", "-m", "openapi_python_client", "generate", "--meta", "none"]
                bare += ["--overwrite", "--path", str(contract), "--config", str(config)]
                bare += ["--output-path", str(Path(name, "bare"))]
                bare += ["--custom-template-path", str(ROOT / "tools" / "templates")]
                make = ["make", "--old-file=.venv/.set-up", "generate", f"CONTRACT={contract}"]
                others = {title: partial(run, make, folder)}
                found |= interleaved(partial(run, bare, folder), others, seconds, least=least, warm=warm)
    return found


def targets(generated: Mapping[str, Ratio]) -> list[Target]:
    """What is promised of `make generate`."""
    reason = "it validates beside the generator, which takes a core that is free, and reads all of it again at the end"
    return [
        Target(f"make generate, {title}, beside the bare generator", LIMIT, ratio, reason=reason)
        for title, ratio in generated.items()
    ]

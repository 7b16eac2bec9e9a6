"""`make generate` beside the bare generator with its formatter, on the contract and on one of 400 operations."""

from __future__ import annotations

import copy
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tools.contract import load

ROOT = Path(__file__).resolve().parent.parent
TARGET = 1.5
"""What `make generate` may take, as a multiple of the bare run."""
OPERATIONS = 400
FAMILY = 4
"""Operations that share a set of schemas."""
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


def run(command: list[str], folder: Path) -> None:
    """Run a command with the tools of this environment, and nothing that an outer make says."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    result = subprocess.run(
        command, cwd=folder, env=environment | {"PATH": path}, capture_output=True, text=True, check=False
    )
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}")


def measured(*actions: Callable[[], None], rounds: int) -> list[list[float]]:
    """The seconds of each action, one after the other in each round, after a first round that is not counted."""
    seconds: list[list[float]] = [[] for _ in actions]
    for number in range(rounds + 1):
        for action, times in zip(actions, seconds, strict=True):
            start = time.perf_counter()
            action()
            if number:
                times.append(time.perf_counter() - start)
    return seconds


def main() -> int:
    """Print a line for each contract; 1 where the target is missed."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["openapi-python-client"]
    missed = False
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}; medians in seconds, and the ratio's spread")
    print(f"{'contract':<16}{'bare':>8}{'make generate':>16}{'ratio':>8}  target {TARGET}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "copy")
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "dist"))
        config = Path(name, "config.json")
        config.write_text(json.dumps({**settings, "package_name_override": "bare"}), encoding="utf-8")
        large = Path(name, "large.yaml")
        large.write_text(yaml.safe_dump(grown(load(ROOT / "openapi.yaml").data), sort_keys=False), encoding="utf-8")
        for title, contract, rounds in (("as it is", folder / "openapi.yaml", 9), ("400 operations", large, 3)):
            bare = [sys.executable, "-I", "-m", "openapi_python_client", "generate", "--meta", "none", "--overwrite"]
            bare += ["--path", str(contract), "--config", str(config), "--output-path", str(Path(name, "bare"))]
            bare += ["--custom-template-path", str(ROOT / "tools" / "templates")]
            make = ["make", "--old-file=.venv/.set-up", "generate", f"CONTRACT={contract}"]
            generate = lambda: run(make, folder)  # noqa: B023, E731 # called before they change
            first, second = measured(lambda: run(bare, folder), generate, rounds=rounds)  # noqa: B023 # as above
            ratios = [one / other for one, other in zip(second, first, strict=True)]
            ratio = statistics.median(ratios)
            missed |= ratio > TARGET
            line = f"{title:<16}{statistics.median(first):>8.2f}{statistics.median(second):>16.2f}{ratio:>8.2f}"
            print(f"{line}  ({min(ratios):.2f} to {max(ratios):.2f}) {'missed' if ratio > TARGET else 'holds'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

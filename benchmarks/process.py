"""Processes of their own to measure in: `fresh` runs a function in one, and `main` is what runs there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "MeasuringError", "environment", "failed", "fresh", "main", "run", "timed"]

ROOT = Path(__file__).resolve().parent.parent


class MeasuringError(Exception):
    """Something could not be measured; the message says what."""


def failed(what: str, output: str) -> MeasuringError:
    """The error for a program that failed, with what it printed."""
    return MeasuringError(f"{what} failed:\n{output.strip()}")


def environment() -> dict[str, str]:
    """The variables of every process: this tree, the tools of this environment, and no proxy.

    Settings of Python are left out, too: one that keeps no compiled modules would make each process compile this tree.
    """
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    others = ("MAKE", "MFLAGS", "PYTHON", "TALKDESK_BRIDGE_")
    kept = {name: value for name, value in kept.items() if not name.startswith(others)}
    paths = os.pathsep.join(str(ROOT / name) for name in ("generated", "overrides", "extras", "."))
    return kept | {"PYTHONPATH": paths, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


def run(command: Sequence[str], what: str = "", folder: Path = ROOT) -> str:
    """What a command prints.

    Raises:
        MeasuringError: It failed; the message calls it `what`.

    """
    result = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False,
        start_new_session=True,  # an interrupt is for this process, which then ends the command
    )  # fmt: skip
    if result.returncode:
        raise failed(what or " ".join(command), result.stdout + result.stderr)
    return result.stdout


def timed(command: Sequence[str], folder: Path = ROOT) -> float:
    """The seconds that a command takes."""
    begun = time.perf_counter()
    run(command, folder=folder)
    return time.perf_counter() - begun


def fresh(function: str, *arguments: Any, without: Sequence[str] = ()) -> Any:
    """What a function returns in a new process, which shares neither heap nor imports with anything else.

    Args:
        function: `module:name`.
        arguments: Its arguments, as JSON has them; so is what it returns.
        without: Modules that cannot be imported there, as if they were not installed.

    Raises:
        MeasuringError: The function failed.

    """
    program = "from benchmarks.process import main; main()"
    return json.loads(run([sys.executable, "-c", program, function, json.dumps(arguments), *without], function))


def main() -> None:
    """Print what the function returns."""
    function, arguments, *without = sys.argv[1:]
    blocked: dict[str, Any] = dict.fromkeys(without)
    sys.modules.update(blocked)
    module, _, name = function.partition(":")
    try:
        result = getattr(import_module(module), name)(*json.loads(arguments))
    except MeasuringError as error:
        sys.exit(str(error))
    print(json.dumps(result))

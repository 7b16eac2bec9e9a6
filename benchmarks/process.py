"""Separate processes to measure in: `fresh` runs a function in one; `main` is what that process runs."""

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

ROOT = Path(__file__).resolve().parent.parent


class MeasuringError(Exception):
    """A measurement failed; the message says which."""


def failed(name: str, output: str) -> MeasuringError:
    """The error for a program that failed, with its output."""
    return MeasuringError(f"{name} failed:\n{output.strip()}")


def environment() -> dict[str, str]:
    """The environment variables of every process: this tree, the tools of this environment, and no proxy.

    Python's own settings are also left out: PYTHONDONTWRITEBYTECODE would make each process compile this tree.
    """
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    others = ("MAKE", "MFLAGS", "PYTHON", "TALKDESK_BRIDGE_")
    kept = {name: value for name, value in kept.items() if not name.startswith(others)}
    paths = os.pathsep.join(str(ROOT / name) for name in ("generated", "overrides", "extras", "."))
    return kept | {"PYTHONPATH": paths, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


def run(command: Sequence[str], name: str = "", folder: Path = ROOT) -> str:
    """Run a command and return its output.

    Args:
        command: The program and its arguments.
        name: What error messages call it; by default the command.
        folder: Where it runs.

    Raises:
        MeasuringError: The command failed.

    """
    result = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False,
        start_new_session=True,  # Ctrl-C reaches this process only, which then ends the command
    )  # fmt: skip
    if result.returncode:
        raise failed(name or " ".join(command), result.stdout + result.stderr)
    return result.stdout


def timed(command: Sequence[str], folder: Path = ROOT) -> float:
    """Wall-clock seconds that a command takes."""
    begun = time.perf_counter()
    run(command, folder=folder)
    return time.perf_counter() - begun


def fresh(function: str, *arguments: Any, without: Sequence[str] = ()) -> Any:
    """Run a function in a new process, which shares neither heap nor imports with others, and return its result.

    Args:
        function: `module:name`.
        arguments: Its arguments. These and the result must fit into JSON.
        without: Modules that cannot be imported there, as if they were not installed.

    Raises:
        MeasuringError: The function failed.

    """
    program = "from benchmarks.process import main; main()"
    return json.loads(run([sys.executable, "-c", program, function, json.dumps(arguments), *without], function))


def main() -> None:
    """Print the result of the function as JSON."""
    function, arguments, *without = sys.argv[1:]
    blocked: dict[str, Any] = dict.fromkeys(without)
    sys.modules.update(blocked)
    module, _, name = function.partition(":")
    try:
        result = getattr(import_module(module), name)(*json.loads(arguments))
    except MeasuringError as error:
        sys.exit(str(error))
    print(json.dumps(result))

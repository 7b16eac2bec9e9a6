"""Starts tools/probe.py, the interpreter that looks at generated packages, and asks it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["Probe", "ProbeError", "offered"]

PROBE = Path(__file__).resolve().with_name("probe.py")


class ProbeError(Exception):
    """The package cannot be imported; the message is the last line of what Python said."""


class Probe:
    """The interpreter for the packages in `folders`, which may still be empty when it starts."""

    def __init__(self, *folders: Path) -> None:
        command = [sys.executable, "-I", "-B", str(PROBE), *map(str, folders)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def ask(self, questions: list[dict[str, Any]]) -> dict[str, Any]:
        """The answers to the questions of tools/arrival.py; without any, what the packages offer to callers.

        Raises:
            ProbeError: a package cannot be imported.

        """
        said, complained = self._process.communicate(json.dumps(questions))
        if self._process.returncode:
            raise ProbeError(complained.strip().splitlines()[-1])
        answers: dict[str, Any] = json.loads(said)
        return answers

    def stop(self) -> None:
        """End it, if it was not asked."""
        with self._process:
            self._process.kill()


def offered(*folders: Path) -> dict[str, str]:
    """What the packages in `folders` offer to callers: see tools/probe.py.

    Raises:
        ProbeError: a package cannot be imported.

    """
    found: dict[str, str] = Probe(*folders).ask([])["offered"]
    return found

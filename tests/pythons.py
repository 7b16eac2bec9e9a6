"""The Pythons that the package supports, and where they are on this machine."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.conftest import ROOT

SUPPORTED = re.findall(r'"Programming Language :: Python :: (\d+\.\d+)"', (ROOT / "pyproject.toml").read_text("utf-8"))


def found(version: str) -> str | None:
    """The path of a Python of this version, such as 3.12; None if there is none."""
    try:
        done = subprocess.run(
            [f"python{version}", "-c", "import sys; print(sys.executable)"],
            # pyenv has a program of this name for each of its Pythons, which runs only with this variable.
            env=os.environ | {"PYENV_VERSION": version},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def python(version: str) -> str:
    """The same, but skips the test if there is none."""
    return found(version) or pytest.skip(f"there is no python{version} on this machine")

"""The Pythons that the package supports, and where they are on this machine."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.conftest import ROOT

SUPPORTED = re.findall(r'"Programming Language :: Python :: (\d+\.\d+)"', (ROOT / "pyproject.toml").read_text("utf-8"))


def python(version: str) -> str:
    """The path of a Python of this version, such as 3.12; skips the test where there is none."""
    try:
        done = subprocess.run(
            [f"python{version}", "-c", "import sys; print(sys.executable)"],
            env=os.environ | {"PYENV_VERSION": version},  # where pyenv has put itself before it
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip(f"there is no python{version} on this machine")
    return done.stdout.strip()

"""A copy of the project in a separate git repository, for tests that read or change history."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tools.contract import load

VERSION = str(load(ROOT / "openapi.yaml").data["info"]["version"])
BASE = f"v{VERSION}"


def git(folder: Path, *arguments: str, **variables: str) -> None:
    """Run git with its own user, so that the machine's configuration does not matter."""
    settings = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    command = ["git", *settings, *arguments]
    subprocess.run(command, cwd=folder, env=os.environ | variables, check=True, capture_output=True)


def commit(folder: Path, **variables: str) -> None:
    """Commit all files."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A state", **variables)


class Repository:
    """A committed copy of the working tree, tagged as a release if `released`."""

    def __init__(self, folder: Path, *, released: bool = True) -> None:
        self.folder = folder
        kept = shutil.ignore_patterns(".*", "__pycache__", "dist")
        shutil.copytree(ROOT, folder, ignore=kept)
        shutil.copy(ROOT / ".gitignore", folder)
        shutil.copytree(ROOT / ".github", folder / ".github")  # to which docs/ci.md links
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()
        if released:
            self.git("tag", BASE)

    @classmethod
    def at(cls, folder: Path) -> Repository:
        """A repository that already exists."""
        repository = cls.__new__(cls)
        repository.folder = folder
        return repository

    def git(self, *arguments: str) -> None:
        git(self.folder, *arguments)

    def commit(self) -> None:
        commit(self.folder)

    def release(self) -> None:
        """Remove "Not released yet." from the changelog, and commit."""
        file = self.folder / "CHANGELOG.md"
        file.write_text(file.read_text(encoding="utf-8").replace("Not released yet.", ""), encoding="utf-8")
        self.git("commit", "--quiet", "--all", "--allow-empty", "--message", "A release")

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join(str(self.folder / name) for name in ("generated", "overrides", "extras"))
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = os.environ | {"PYTHONPATH": paths, "PATH": path} | variables
        return subprocess.run(
            arguments, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=1200
        )

    def make(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run make targets with the tools of this environment."""
        return self.run("make", "--no-print-directory", "--old-file=.venv/.set-up", *arguments, **variables)

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.folder / name
        text = file.read_text(encoding="utf-8")
        assert old in text, (name, old)
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def contract(self, old: str, new: str) -> None:
        """Edit the contract, and run `make generate`."""
        self.edit("openapi.yaml", old, new)
        done = self.make("generate")
        assert done.returncode == 0, done.stdout + done.stderr

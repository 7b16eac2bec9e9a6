"""`make setup` installs the package again if the contract's version changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.repository import VERSION, Repository
from tools.changes.sentences import next_version

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")

PRINTED = "import importlib.metadata as m, talkdesk_bridge as t; print(m.version('talkdesk-bridge'), t.__version__)"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A copy of the project with its own .venv, which finds the tools in this environment."""
    repository = Repository(tmp_path / "repository")
    environment = repository.folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "tools.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    (environment / "bin" / "ruff").symlink_to(Path(sys.executable).with_name("ruff"))
    (environment / ".tools").touch()
    return repository


def made(repository: Repository, target: str) -> None:
    done = repository.run("make", "--no-print-directory", target)
    assert done.returncode == 0, done.stdout + done.stderr


def installed(repository: Repository) -> list[str]:
    """The versions in the metadata and in the code, and those that the command prints."""
    folder = repository.folder / ".venv" / "bin"
    outputs = [
        repository.run(str(folder / "python"), "-c", PRINTED).stdout,
        repository.run(str(folder / "talkdesk-bridge"), "--version").stdout.removeprefix("talkdesk-bridge"),
        repository.run(str(folder / "talkdesk-bridge"), "doctor").stdout.partition("talkdesk-bridge ")[2].split(" ")[0],
    ]
    return " ".join(outputs).split()


def test_the_metadata_follows_the_version_of_the_contract(repository: Repository) -> None:
    made(repository, "setup")
    assert installed(repository) == [VERSION] * 4
    following = next_version(VERSION, "patch")
    for version in (following, VERSION):  # also back to a version that was installed before
        was = VERSION if version == following else following
        repository.edit("openapi.yaml", f"  version: {was}", f"  version: {version}")
        made(repository, "generate")
        assert installed(repository) == [version] * 4
    assert repository.run("make", "--question", "setup").returncode == 0  # nothing is left to do


def test_a_version_that_cannot_be_read_is_left_to_validate(repository: Repository) -> None:
    made(repository, "setup")
    repository.edit("openapi.yaml", f"  version: {VERSION}", "  version: one")
    done = repository.run("make", "validate")
    assert "`info.version` is `one`: use three numbers" in done.stdout + done.stderr
    assert installed(repository)[0] == VERSION

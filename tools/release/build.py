"""Writes the wheel and the sdist: the same bytes for the same commit, checked before they come to dist/."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tools.generate import PACKAGE, ROOT
from tools.release.upload import PRIVATE, digest, is_private

__all__ = ["PACKAGES", "BuildError", "build", "write"]

HATCH = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
PACKAGES: list[str] = HATCH["targets"]["wheel"]["packages"]
SOURCES = ("CHANGELOG.md", "LICENSE", "README.md", "openapi.yaml", "pyproject.toml")
"""What the sdist holds besides the packages."""
PROMISED = {f"generated/{PACKAGE}/openapi.json", *(f"{package}/py.typed" for package in PACKAGES)}
"""Callers and their type checkers count on these."""

BIN = Path(sys.executable).parent
CHECKERS = {
    (str(BIN / "twine"), "--no-color", "check", "--strict"): "*",
    (str(BIN / "check-wheel-contents"), "--config", str(ROOT / "pyproject.toml")): "*.whl",
}
"""Commands that refuse a bad file, and the pattern of the files that each gets."""


class BuildError(Exception):
    """There is nothing to hand out, and dist/ is as it was; the message says why and what to do, a reason a line."""


def write(root: Path, target: Path) -> list[Path]:
    """Build and check the wheel and the sdist, and put a folder with these two in the place of another.

    Args:
        root: The project, a git clone.
        target: The folder to replace; it need not exist.

    Returns:
        The two files: the wheel, then the sdist.

    Raises:
        BuildError: they cannot be built, or must not be handed out.

    """
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        new = Path(folder, target.name)
        _hatchling(root, new)
        if faults := [*_wrong(root, next(new.glob("*.whl"))), *_refused(new)]:
            raise BuildError("\n".join(faults))
        if target.exists():
            target.rename(Path(folder, "old"))
        new.rename(target)
    return sorted(target.iterdir())


def _hatchling(root: Path, folder: Path) -> None:
    """Write the two files into a new folder."""
    # hatchling's own variables would leave something out, or write it elsewhere.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HATCH_")}
    if not environment.get("SOURCE_DATE_EPOCH"):
        environment["SOURCE_DATE_EPOCH"] = _git(root, "log", "-1", "--no-show-signature", "--format=%ct").strip()
    command = [sys.executable, "-I", "-m", "hatchling", "build", "--directory", str(folder)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise BuildError(f"hatchling cannot build the package; correct pyproject.toml or SOURCE_DATE_EPOCH: {reason}")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)  # noqa: S607 # git, wherever it is
    if done.returncode:
        raise BuildError(f"git has no commit to build here: {' '.join(os.fsdecode(done.stderr).split())}")
    return os.fsdecode(done.stdout)


def _wrong(root: Path, wheel: Path) -> Iterator[str]:
    """What the wheel holds besides the packages as git tracks them, what it lacks, and what differs by machine."""
    homes = {package.rpartition("/")[2]: package for package in PACKAGES}
    with zipfile.ZipFile(wheel) as archive:
        parts = [name.partition("/") for name in archive.namelist() if ".dist-info/" not in name]
    built = {f"{homes.get(top, top)}/{rest}" for top, _, rest in parts}
    tracked = {*_git(root, "ls-files", "-z", "--", *PACKAGES).split("\0")} - {""}
    for name in sorted(built - tracked):
        yield f"{name}: is in the wheel, but git does not track it: remove it, or `git add` it."
    for name in sorted((tracked | PROMISED) - built):
        yield f"{name}: is not in the wheel: restore it, or see [tool.hatch] in pyproject.toml."
    for name in sorted(built.union(SOURCES)):
        if (root / name).stat().st_mode & 0o100:
            yield f"{name}: may be executed, which differs from machine to machine: `chmod -x` it."
    if not is_private(wheel):
        yield f"pyproject.toml: lacks the classifier `{PRIVATE}`, which keeps the package off public indexes: add it."


def _refused(folder: Path) -> Iterator[str]:
    """What the checkers print about the files that they refuse."""
    for command, pattern in CHECKERS.items():
        # From above, so that they name a file as it will be.
        files = sorted(f"{folder.name}/{file.name}" for file in folder.glob(pattern))
        done = subprocess.run([*command, *files], cwd=folder.parent, capture_output=True, text=True, check=False)
        if done.returncode:
            found = (done.stdout + done.stderr).strip()
            yield f"{Path(command[0]).name} refuses the build; correct what it names:\n{found}"


def build(root: Path = ROOT) -> int:
    """Build into dist/, and print the digests as `sha256sum` does; 1 if there is nothing to hand out."""
    try:
        files = write(root, root / "dist")
    except BuildError as error:
        print(f"{error}\ndist/ is as it was.", file=sys.stderr)
        return 1
    print("\n".join(map(digest, files)))
    return 0

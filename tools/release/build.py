"""Writes the wheel and the sdist, with the same bytes for the same commit, and checks them before replacing dist/."""

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

HATCH = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
PACKAGES: list[str] = HATCH["targets"]["wheel"]["packages"]
HOOK = "tools/release/metadata.py"
SOURCES = ("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "openapi.yaml", "pyproject.toml", HOOK)
"""Files in the sdist apart from the packages and the documentation."""
DOCS = "docs"
REQUIRED = {f"generated/{PACKAGE}/openapi.json", *(f"{package}/py.typed" for package in PACKAGES)}
"""Files that callers and their type checkers rely on."""

BIN = Path(sys.executable).parent
CHECKERS = {
    (str(BIN / "twine"), "--no-color", "check", "--strict"): "*",
    (str(BIN / "check-wheel-contents"), "--config", str(ROOT / "pyproject.toml")): "*.whl",
}
"""Commands that reject a bad file, and the pattern of the files that each checks."""


class BuildError(Exception):
    """The build failed and dist/ was not changed. The message has one line for each reason, with the remedy."""


def write(root: Path, target: Path) -> list[Path]:
    """Build and check the wheel and the sdist, and replace a folder with one that holds these two files.

    Args:
        root: The git clone of the project.
        target: The folder to replace; it need not exist.

    Returns:
        The two files: the wheel, then the sdist.

    Raises:
        BuildError: they cannot be built, or fail a check.

    """
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        new = Path(folder, target.name)
        _hatchling(root, new)
        if faults := [*_wheel_faults(root, next(new.glob("*.whl"))), *_rejected(new)]:
            raise BuildError("\n".join(faults))
        if target.exists():
            target.rename(Path(folder, "old"))
        new.rename(target)
    return sorted(target.iterdir())


def _hatchling(root: Path, folder: Path) -> None:
    """Build the two files into a new folder."""
    # hatchling's own variables could leave files out or write them elsewhere.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HATCH_")}
    if not environment.get("SOURCE_DATE_EPOCH"):
        environment["SOURCE_DATE_EPOCH"] = _git(root, "log", "-1", "--no-show-signature", "--format=%ct").strip()
    command = [sys.executable, "-I", "-m", "hatchling", "build", "--directory", str(folder)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise BuildError(
            f"hatchling cannot build the package: {reason}; correct pyproject.toml, SOURCE_DATE_EPOCH or DOCS_URL."
        )


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)  # noqa: S607 # git is found on PATH
    if done.returncode:
        raise BuildError(f"git failed: {' '.join(os.fsdecode(done.stderr).split())}")
    return os.fsdecode(done.stdout)


def _wheel_faults(root: Path, wheel: Path) -> Iterator[str]:
    """Files that the wheel has but git does not track, files that it lacks, and modes that differ between machines."""
    homes = {package.rpartition("/")[2]: package for package in PACKAGES}
    with zipfile.ZipFile(wheel) as archive:
        parts = [name.partition("/") for name in archive.namelist() if ".dist-info/" not in name]
    built = {f"{homes.get(top, top)}/{rest}" for top, _, rest in parts}
    tracked = {*_git(root, "ls-files", "-z", "--", *PACKAGES).split("\0")} - {""}
    for name in sorted(built - tracked):
        yield f"{name} is in the wheel, but git does not track it: remove it, or `git add` it."
    for name in filter(None, _git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", DOCS).split("\0")):
        yield f"{name} is in the sdist, but git does not track it: remove it, or `git add` it."
    for name in sorted((tracked | REQUIRED) - built):
        yield f"{name} is missing from the wheel: restore it, or correct [tool.hatch] in pyproject.toml."
    for name in sorted(built.union(SOURCES)):
        if (root / name).stat().st_mode & 0o100:
            yield f"{name} is executable, and file modes differ between machines: run `chmod -x` on it."
    if not is_private(wheel):
        yield f"pyproject.toml: the classifier `{PRIVATE}` is missing: add it to keep the package off public indexes."


def _rejected(folder: Path) -> Iterator[str]:
    """The output of the checkers that reject a file."""
    for command, pattern in CHECKERS.items():
        # Paths relative to the parent folder, so that messages say `dist/...`.
        files = sorted(f"{folder.name}/{file.name}" for file in folder.glob(pattern))
        done = subprocess.run([*command, *files], cwd=folder.parent, capture_output=True, text=True, check=False)
        if done.returncode:
            found = (done.stdout + done.stderr).strip()
            yield f"{Path(command[0]).name} rejects the build; correct the faults that it names:\n{found}"


def build(root: Path = ROOT) -> int:
    """Build into dist/, and print the digests as `sha256sum` does. Returns 0, or 1 if the build failed."""
    try:
        files = write(root, root / "dist")
    except BuildError as error:
        print(f"{error}\ndist/ was not changed.", file=sys.stderr)
        return 1
    print("\n".join(map(digest, files)))
    return 0

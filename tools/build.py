"""`make build`: the wheel and the sdist, the same bytes for the same commit, checked before they come to dist/."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.metadata import Metadata
from packaging.version import Version

from tools import lock
from tools.contract import load, mapping
from tools.generate import PACKAGE, ROOT, interruptible, locked, replace, restore
from tools.upload import PRIVATE, PROJECT, digest

__all__ = ["CHECKERS", "BuildError", "build"]

PACKAGES = (
    f"generated/{PACKAGE}",
    "overrides/talkdesk_bridge",
    "extras/talkdesk_bridge_cli",
    "extras/talkdesk_bridge_pytest",
    "extras/talkdesk_bridge_sandbox",
)
RUNTIME = ["attrs", "httpx"]
"""What is installed without an extra."""
LICENSE = "LICENSE"
SOURCES = {LICENSE, "CHANGELOG.md", "README.md", "openapi.yaml", "pyproject.toml"}
"""What the sdist needs besides the packages."""
# The format asks for the first; the second is what hatchling adds to any sdist, and does no harm.
ADDED = {"PKG-INFO", ".gitignore"}

# Callers and their type checkers count on these.
PROMISED = {f"{package}/py.typed" for package in PACKAGES} | {
    f"{PACKAGES[0]}/openapi.json",
    f"{PACKAGES[0]}/{lock.NAME}",
}

Checkers = Mapping[Sequence[str], str]
"""Commands that refuse a bad file, and the pattern of the files that each is given."""

BIN = ROOT / ".venv" / "bin"
CHECKERS: Checkers = {
    (str(BIN / "twine"), "--no-color", "check", "--strict"): "*",
    (str(BIN / "check-wheel-contents"), "--config", str(ROOT / "pyproject.toml")): "*.whl",
}
"""Those of other people."""


class BuildError(Exception):
    """There is nothing to hand out, and nothing was replaced; the message says why and what to do, a reason a line."""


def build(root: Path, target: Path, checkers: Checkers = CHECKERS) -> list[Path]:
    """Build and check the wheel and the sdist, and put a folder with these two in the place of another.

    Args:
        root: The project.
        target: The folder to replace; it need not exist.
        checkers: What must accept the files, besides the checks of this module.

    Returns:
        The two files, in the order of their names: the wheel, then the sdist.

    Raises:
        BuildError: they cannot be built, or must not be handed out.

    """
    with locked(target.parent):
        restore(target)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            new = Path(folder, target.name)
            _hatchling(root, new)
            faults = [*_wrong(root, new), *_refused(new, checkers)]
            if faults:
                raise BuildError("\n".join(faults))
            replace(new, target)
    return sorted(target.iterdir())


def _hatchling(root: Path, folder: Path) -> None:
    """Write the two files into a new folder."""
    # hatchling's own variables would leave something out, or write it elsewhere.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HATCH_")}
    environment.pop("SOURCE_DATE_EPOCH", None)
    if date := _date(root):
        environment["SOURCE_DATE_EPOCH"] = date
    command = [sys.executable, "-I", "-m", "hatchling", "build", "--directory", str(folder)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        *_, told = ["it says nothing.", *done.stderr.strip().splitlines()]
        raise BuildError(f"pyproject.toml: hatchling cannot build from it: {told}")


def _date(root: Path) -> str | None:
    """The date of every file in the archives, in seconds since 1970; None where only hatchling's default is left."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        # As far as the header of gzip goes.
        if not re.fullmatch(r"[0-9]{1,10}", given) or int(given) >= 2**32:
            told = "is no number of seconds since 1970: correct it, or unset it for the date of the commit"
            raise BuildError(f"SOURCE_DATE_EPOCH={given}: {told}.")
        return given
    return _git(root, "log", "-1", "--no-show-signature", "--format=%ct").strip() if _is_clone(root) else None


def _is_clone(root: Path) -> bool:
    # Not a repository further up, in which an sdist was unpacked: it knows nothing of these files.
    return (root / ".git").exists()


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)  # noqa: S607 # git, wherever it is
    except FileNotFoundError:
        raise BuildError("git was not found: install it, since it knows the date and the files of a commit.") from None
    if done.returncode:
        told = " ".join(os.fsdecode(done.stderr).split())
        raise BuildError(f"git cannot tell the date and the files of the commit: {told}")
    return os.fsdecode(done.stdout)


def _wrong(root: Path, folder: Path) -> Iterator[str]:
    """What is wrong with the files in a folder, a sentence each, with its place and what to do."""
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        wheel = {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(next(folder.glob("*.tar.gz"))) as source:
        sdist = {name.partition("/")[2] for name in source.getnames()}
        described = source.extractfile(next(name for name in source.getnames() if name.endswith("/PKG-INFO")))
        pkg_info = described.read() if described else b""
    metadata = next(name for name in wheel if name.endswith(".dist-info/METADATA"))
    info = metadata.removesuffix("METADATA")
    yield from _wrong_files(root, {_home(name) for name in wheel if not name.startswith(info)}, sdist)
    if wheel.get(f"{info}licenses/{LICENSE}") != (root / LICENSE).read_bytes():
        yield f"pyproject.toml: the wheel lacks the licence: name {LICENSE} under `license-files`."
    if pkg_info != wheel[metadata]:
        yield "pyproject.toml: the metadata of wheel and sdist differ: give both the same settings under [tool.hatch]."
    yield from _wrong_metadata(root, wheel[metadata])


def _home(name: str) -> str:
    """Where a file of the wheel is in the tree."""
    home = {package.rpartition("/")[2]: package for package in PACKAGES}
    top, slash, rest = name.partition("/")
    return home.get(top, top) + slash + rest


def _wrong_files(root: Path, wheel: set[str], sdist: set[str]) -> Iterator[str]:
    listed = _git(root, "ls-files", "-z", "--", *PACKAGES).split("\0") if _is_clone(root) else wheel
    tracked = {*listed} - {""}
    for name in sorted(wheel - tracked):
        yield f"{name}: is in the wheel, but git does not track it: remove it, or `git add` it."
    for name in sorted(tracked - wheel):
        yield f"{name}: is tracked by git, but not in the wheel: restore it, or see [tool.hatch] in pyproject.toml."
    for name in sorted(PROMISED - tracked - wheel):
        yield f"{name}: is missing, but callers count on it: restore it."
    wanted = wheel | SOURCES
    for name in sorted(sdist - wanted - ADDED):
        yield f"{name}: is in the sdist, but not needed to build: remove it, or see [tool.hatch] in pyproject.toml."
    for name in sorted(wanted - sdist):
        yield f"{name}: is not in the sdist, but needed to build: restore it, or see [tool.hatch] in pyproject.toml."
    for name in sorted(wanted):
        # Some file systems say so of every file, and the archives would, too.
        if (root / name).exists() and (root / name).stat().st_mode & 0o100:
            yield f"{name}: may be executed, which differs from machine to machine: `chmod -x` it."


def _wrong_metadata(root: Path, text: bytes) -> Iterator[str]:
    found = Metadata.from_email(text)
    if found.name != PROJECT:
        yield f"pyproject.toml: the name is {found.name}: set it to {PROJECT}, which is what people install."
    said = mapping(load(root / "openapi.yaml").data.get("info")).get("version")
    generated = (lock.read(root / PACKAGES[0]) or {}).get("version")
    if not str(found.version) == said == generated:
        told = f"`info.version` is {said}, the version of the wheel {found.version} and that in {lock.NAME} {generated}"
        yield f"openapi.yaml: {told}: set it to three numbers, and run `make generate`."
    classifiers = found.classifiers or []
    if PRIVATE not in classifiers:
        yield f"pyproject.toml: lacks the classifier `{PRIVATE}`, which keeps the package off public indexes: add it."
    supported = re.findall(r"^Programming Language :: Python :: (\d+\.\d+)$", "\n".join(classifiers), re.M)
    lowest = min(map(Version, supported), default=None)
    if str(found.requires_python) != f">={lowest}":
        told = f"`requires-python` is {found.requires_python}, but the lowest Python of the classifiers is {lowest}"
        yield f"pyproject.toml: {told}: let them agree."
    always = sorted(need.name for need in found.requires_dist or [] if "extra" not in str(need.marker))
    if always != RUNTIME:
        told = f"without an extra it depends on {', '.join(always) or 'nothing'}, instead of {' and '.join(RUNTIME)}"
        yield f"pyproject.toml: {told}: put the others in an extra."


def _refused(folder: Path, checkers: Checkers) -> Iterator[str]:
    """What the checkers say, of those that refuse a file."""
    for command, pattern in checkers.items():
        # From above, so that they name a file as it will be.
        files = sorted(f"{folder.name}/{file.name}" for file in folder.glob(pattern))
        try:
            done = subprocess.run([*command, *files], cwd=folder.parent, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise BuildError(f"{command[0]}: was not found: run `make build`, which sets it up.") from None
        if done.returncode:
            said = (done.stdout + done.stderr).strip()
            yield f"{Path(command[0]).name} refuses the build; correct what it names:\n{said}"


def main(root: Path = ROOT, checkers: Checkers = CHECKERS) -> int:
    """Build into dist/, and print the digests as `sha256sum` does; 0, or 1 when refused, 2 when not written."""
    try:
        with interruptible():
            files = build(root, root / "dist", checkers)
    except BuildError as error:
        print(f"{error}\ndist/ is as it was.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or 'dist'}: {error.strerror}; dist/ is as it was.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; dist/ is as it was.", file=sys.stderr)
        return 130
    if not _is_clone(root):
        told = "no git here, so nobody knows whether the files are those of a commit"
        print(f"{root / 'dist'}: {told}: build in a clone what others are to install.", file=sys.stderr)
    for file in files:
        print(digest(file))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Takes the older state of the project from git, and compares the working tree with it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.changes.compare import compare
from tools.changes.sentences import Change, next_version, rating, sentence
from tools.changes.surface import Surface, read
from tools.contract import Contract, load, mapping
from tools.generate import PACKAGE, ROOT, ProbeError, lock, offered

CONTRACT = "openapi.yaml"
SHIPPED = (CONTRACT, "generated", "overrides", "extras", "pyproject.toml")
"""The files that reach callers: the packages, and what their installation needs."""


class ComparisonError(Exception):
    """The two states cannot be compared; the message says why and what to do."""


@dataclass(frozen=True)
class Comparison:
    """The changes for callers since a revision."""

    base: str
    """The revision, as the user named it."""
    versions: tuple[str, str]
    """`info.version` then and now."""
    changes: list[Change]

    @property
    def next(self) -> str:
        """The lowest version that the changes allow."""
        return next_version(self.versions[0], rating(self.changes))


def since(base: str) -> Comparison:
    """Compare the working tree with a revision of the repository.

    Raises:
        ComparisonError: the revision cannot be read, or generated/ does not match the contract.

    """
    now = load(ROOT / CONTRACT)
    with tempfile.TemporaryDirectory() as folder:
        older = Path(folder)
        _extract(base, older)
        then = load(older / CONTRACT)
        if then.findings or not then.data:
            raise ComparisonError(f"The contract at {base} cannot be read: name a later revision.")
        _check_generated(now)
        versions = three_numbers(then, f" at {base}", "name a revision that has three numbers"), three_numbers(now)
        old, new = _surface(then, older, f"at {base}"), _surface(now, ROOT, "here")
        changes = compare(old, new, now)
        if not changes and _code(older) != _code(ROOT):
            changes = [sentence("code", "", "")]
    return Comparison(base, versions, changes)


def three_numbers(contract: Contract, state: str = "", remedy: str = "use three numbers, such as 1.4.0") -> str:
    """The version in a contract.

    Args:
        contract: A contract that may have findings.
        state: Its state for the message, such as ` at v1.4.0`; empty for the working tree.
        remedy: The end of the message.

    Raises:
        ComparisonError: the version is not three numbers.

    """
    version = str(mapping(contract.data.get("info")).get("version"))
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ComparisonError(f"{CONTRACT}{state}: `info.version` is {version}: {remedy}.")
    return version


def last_release(ignoring: str = "") -> str | None:
    """The newest release tag before the working tree; None if there is none.

    Args:
        ignoring: A tag to ignore.

    Raises:
        ComparisonError: this is not a git clone of the project.

    """
    top = git("rev-parse", "--show-toplevel").stdout.strip()
    if not top or Path(top).resolve() != ROOT:
        raise ComparisonError("This is not a git clone of the project: clone it with its tags to compare revisions.")
    found = git("describe", "--tags", "--abbrev=0", "--match=v[0-9]*", "--exclude=v*[!0-9.]*", f"--exclude={ignoring}")
    return found.stdout.strip() if found.returncode == 0 else None


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in the project; a failure does not raise."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607 # git is found on PATH


def _extract(base: str, folder: Path) -> None:
    """Write the shipped files of a revision into a folder."""
    if git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}").returncode:
        remedy = "name a tag, a branch or a commit with BASE=..., and fetch it first in a shallow clone"
        raise ComparisonError(f"`{base}` is not a revision of this repository: {remedy}.")
    names = git("ls-tree", "--name-only", base).stdout.split("\n")
    shipped, archive = [name for name in SHIPPED if name in names], folder / "archive.zip"
    done = git("archive", f"--output={archive}", base, *shipped)
    if not {CONTRACT, "generated"} <= {*shipped} or done.returncode:
        raise ComparisonError(f"`{base}` has no {CONTRACT} or no generated/: name a later revision.")
    shutil.unpack_archive(archive, folder)


def _surface(contract: Contract, folder: Path, state: str) -> Surface:
    packages = [place for name in SHIPPED if (place := folder / name).is_dir()]
    try:
        return read(contract, offered(*packages))
    except ProbeError as error:
        raise ComparisonError(f"The package {state} cannot be imported with the current tools: {error}") from None
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        # The newer contract was checked before generating; the older one may break rules that came later.
        reason = f"{type(error).__name__}: {error}"
        message = f"The contract {state} breaks the current rules ({reason}): name a later revision."
        raise ComparisonError(message) from None


def _check_generated(contract: Contract) -> None:
    """Raise unless generated/ was generated from this contract and is unedited."""
    package = ROOT / "generated" / PACKAGE
    found = lock.read(package) or {}
    is_readable = isinstance(contract.data.get("info"), dict) and not contract.findings
    is_current = is_readable and found.get("contract") == lock.hash_contract(contract)
    if not is_current or found.get("tree") != lock.tree_hash(package):
        raise ComparisonError(f"generated/ does not match {CONTRACT}: run `make validate generate` first.")


def _code(folder: Path) -> list[Any]:
    """The parts that reach callers, except contract and version: the client, generator settings, dependencies."""
    settings = folder / "pyproject.toml"
    project = tomllib.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
    facts = lock.read(folder / "generated" / PACKAGE) or {}
    found = [*(folder / "overrides").rglob("*"), *(folder / "extras").rglob("*")]
    return [
        *(project.get(name) for name in ("project", "build-system")),
        project.get("tool", {}).get("hatch"),
        *(facts.get(name) for name in ("settings", "templates", "openapi-python-client")),
        {file.relative_to(folder): file.read_bytes() for file in found if file.is_file() and file.suffix != ".pyc"},
    ]

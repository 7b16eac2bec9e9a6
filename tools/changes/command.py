"""`make changes` and `make check-version`: what changed for callers since a revision, and whether the version fits."""

from __future__ import annotations

import argparse
import io
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools import lock
from tools.changes.compare import compare, next_version, rating
from tools.changes.ledger import Change, Side
from tools.changes.sentences import RATINGS, SENTENCES
from tools.contract import Contract, load
from tools.generate import GENERATED, PACKAGE, ROOT
from tools.looking import ProbeError, offered

CONTRACT = "openapi.yaml"
# What reaches callers: the packages, and what installing them needs.
SHIPPED = (CONTRACT, "generated", "overrides", "extras", "pyproject.toml")
RELEASE = "v[0-9]*"
"""Tags of releases."""


class ComparisonError(Exception):
    """The two states cannot be compared; the message says why and what to do."""


@dataclass(frozen=True)
class Comparison:
    """What changed for callers since a revision."""

    base: str
    """The revision, as it was named."""
    versions: tuple[str, str]
    """`info.version` then and now."""
    changes: list[Change]

    @property
    def next(self) -> str:
        """The version that the changes ask for."""
        return next_version(self.versions[0], rating(self.changes))


def since(base: str) -> Comparison:
    """Compare the working tree with a revision of the repository.

    Raises:
        ComparisonError: the revision cannot be read, or generated/ is not what the contract gives.

    """
    with tempfile.TemporaryDirectory() as folder:
        then = Path(folder)
        _extract(base, then)
        contract = load(then / CONTRACT)
        if contract.findings or not contract.data:
            raise ComparisonError(f"the contract at {base} cannot be read: name a later revision.")
        try:
            old = Side(contract, _offered(then))
        except ProbeError as error:
            raise ComparisonError(f"the package at {base} cannot be imported with today's tools: {error}") from None
        contract = load(ROOT / CONTRACT)
        _check_generated(contract)
        try:
            new = Side(contract, _offered(ROOT))
        except ProbeError as error:
            raise ComparisonError(f"the package cannot be imported: {error}") from None
        try:
            changes = compare(old, new)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            # The newer contract is generated from, so it keeps the rules; the older one may be from before them.
            told = f"{type(error).__name__}: {error}"
            raise ComparisonError(f"the contract at {base} does not keep today's rules ({told}).") from None
        if not changes and _code(then) != _code(ROOT):
            rated, told = SENTENCES["python-code"]
            changes = [Change(rated, "python-code", "", "", told[:1].upper() + told[1:])]
    versions = tuple(str(side.contract.data["info"].get("version")) for side in (old, new))
    if not re.fullmatch(r"\d+\.\d+\.\d+", versions[0]):
        raise ComparisonError(f"the version at {base} is {versions[0]}, not three numbers: name a later revision.")
    return Comparison(base, (versions[0], versions[1]), changes)


def last_release(besides: str = "") -> str | None:
    """The newest release tag before the working tree; None where there is none.

    Args:
        besides: A tag that does not count.

    Raises:
        ComparisonError: this is no clone of the project.

    """
    top = git("rev-parse", "--show-toplevel").stdout.decode().strip()
    if not top or Path(top).resolve() != ROOT:
        raise ComparisonError(
            "This is no git clone of the project: make one, with its tags, to compare with older states."
        )
    found = git("describe", "--tags", "--abbrev=0", "--match", RELEASE, "--exclude", "v*[!0-9.]*", "--exclude", besides)
    return found.stdout.decode().strip() if found.returncode == 0 else None


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """What git says of the project, whatever its exit status.

    Raises:
        ComparisonError: there is no git.

    """
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)  # noqa: S607 # git, wherever it is
    except FileNotFoundError:
        raise ComparisonError("git was not found: install it, since it knows the older state.") from None


def _extract(base: str, folder: Path) -> None:
    """Write what the revision ships into a folder."""
    if git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}").returncode:
        told = "name a tag, a branch or a commit with BASE=..., and fetch it first if this is a shallow clone"
        raise ComparisonError(f"`{base}` is no revision of this repository: {told}.")
    names = git("ls-tree", "--name-only", base).stdout.decode().split("\n")
    wanted = [name for name in SHIPPED if name in names]
    archive = git("archive", "--format=zip", base, *wanted)
    if not {CONTRACT, "generated"} <= {*wanted} or archive.returncode:
        raise ComparisonError(f"`{base}` has no {CONTRACT} or no generated/: name a later revision.")
    with zipfile.ZipFile(io.BytesIO(archive.stdout)) as held:
        held.extractall(folder)


def _offered(folder: Path) -> dict[str, str]:
    return offered(*(one for name in SHIPPED if (one := folder / name).is_dir()))


def _check_generated(contract: Contract) -> None:
    """What callers get must be what the contract says."""
    found = lock.read(GENERATED / PACKAGE) or {}
    whole = isinstance(contract.data.get("info"), dict) and not contract.findings
    said = whole and lock.hash_contract(contract)
    if found.get("contract") != said or found.get("tree") != lock.tree_hash(GENERATED / PACKAGE):
        raise ComparisonError(f"generated/ is not what {CONTRACT} gives: run `make validate generate` first.")


def _code(folder: Path) -> dict[str, Any]:
    """What reaches callers besides the contract, the version aside: the client, how it was generated, what it needs."""
    settings = folder / "pyproject.toml"
    project = tomllib.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
    facts = lock.read(folder / "generated" / PACKAGE) or {}
    made = {name: facts.get(name) for name in ("settings", "templates", "openapi-python-client")}
    parts = (folder / "overrides", folder / "extras")
    files = [file for part in parts for file in part.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    return {
        "project": [project.get("project"), project.get("build-system"), project.get("tool", {}).get("hatch")],
        "made": made,
        **{file.relative_to(folder).as_posix(): file.read_bytes() for file in files},
    }


# How it is told.


def as_json(comparison: Comparison) -> str:
    """For programs."""
    then, now = comparison.versions
    told: dict[str, Any] = {"base": comparison.base, "rating": rating(comparison.changes)}
    told["version"] = {"base": then, "now": now, "next": comparison.next}
    return json.dumps({**told, "changes": [asdict(change) for change in comparison.changes]}, indent=2)


def as_text(comparison: Comparison) -> str:
    """For people, in a terminal."""
    lines = []
    for rated in reversed(RATINGS):
        for change in (change for change in comparison.changes if change.rating == rated):
            place = f"{CONTRACT}:{change.line}" if change.line else CONTRACT if change.wire else "Python"
            shown = ", ".join(dict.fromkeys(name for name in (change.python, change.wire) if name))
            lines += [f"{rated}  {place}  {shown}".rstrip(), f"       {change.message}", ""]
    return "\n".join([*lines, _summary(comparison)])


def as_markdown(comparison: Comparison) -> str:
    """For a pull request."""
    lines = [f"## Changes for callers since {comparison.base}", "", _summary(comparison)]
    for rated in reversed(RATINGS):
        told = [f"- {change.message}" for change in comparison.changes if change.rating == rated]
        lines += ["", f"### {rated.capitalize()}", "", *told] if told else []
    return "\n".join(lines)


def _summary(comparison: Comparison) -> str:
    then, now = comparison.versions
    count = len(comparison.changes)
    if not count:
        return f"Nothing changed for callers since {comparison.base} ({then})."
    counts = f"{count} change{'s' if count > 1 else ''} for callers since {comparison.base} ({then})"
    asked = f"the next version is {comparison.next}, or a higher one"
    return f"{counts}: {rating(comparison.changes)}; {asked}; {CONTRACT} says {now}."


FORMATS = {"text": as_text, "json": as_json, "markdown": as_markdown}


def wrong(comparison: Comparison, changelog: str) -> list[str]:
    """What version and changelog lack, a sentence each with what to write."""
    then, now = comparison.versions
    if _numbers(now) < _numbers(comparison.next):
        told = f"but what changed since {comparison.base} ({then}) is {rating(comparison.changes)}"
        remedy = f"set it to {comparison.next}, and run `make generate` (`make changes` tells what changed)"
        return [f"{CONTRACT}: `info.version` is {now}, {told}: {remedy}."]
    section = section_of(changelog, now)
    if (comparison.changes or now != then) and section is None:
        told = "\n".join(f"- {change.message}" for change in comparison.changes)
        return [f"CHANGELOG.md: has no section `## {now}`: add it, with what users must know of these:\n{told}"]
    items = re.split(r"^[-*] ", re.sub(r"<!--.*?-->", "", section or "", flags=re.S), flags=re.M)
    untold = [
        change
        for change in comparison.changes
        if change.rating in ("major", "minor") and not any(_names(item, change) for item in items)
    ]
    begin = f"CHANGELOG.md: no item of `## {now}` names"
    return [f"{begin} `{' '.join(_words(change))}`: say there:\n- {change.message}" for change in untold]


def section_of(changelog: str, version: str) -> str | None:
    """What the changelog says of a version; None where it has no section of it."""
    pattern = rf"^##[ \t]+\[?v?{re.escape(version)}\]?(?:[ \t].*?)?$(.*?)(?=^## |\Z)"
    return found[1] if (found := re.search(pattern, changelog, re.M | re.S)) else None


def _names(item: str, change: Change) -> bool:
    return all(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", item) for word in _words(change))


def _words(change: Change) -> list[str]:
    """What a changelog must contain to tell of a change: a method, a class, an argument or a field with its owner."""
    words = re.findall(r"\w+", change.python)
    part = (change.python.startswith("models.") and len(words) > 2) or re.search(r"\(\w+\)", change.python)
    # Of a method, what changed besides it: its path, the status of an answer, a credential.
    besides = change.wire.split()[-1:] if change.kind.startswith(("operation-path", "answer-", "credential-")) else []
    return (words[-2:] if part else words[-1:]) + besides or change.wire.split()[-1:]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def main(arguments: list[str]) -> int:
    """Tell the changes, or check the version; 0 when done or right, 1 when not, 2 when nothing can be compared."""
    parser = argparse.ArgumentParser(prog="tools.changes.command")
    parser.add_argument("--base", default="")
    parser.add_argument("--format", default="text")
    parser.add_argument("--check-version", action="store_true")
    options = parser.parse_args(arguments)
    try:
        if options.format not in FORMATS:
            raise ComparisonError(f"FORMAT={options.format} is not known: use {', '.join(FORMATS)}.")
        base = options.base or last_release()
        if options.check_version and not base:
            print("No release (a tag such as v1.4.0) is in reach, so any version will do; else name one with BASE=...")
            return 0
        comparison = since(base or "HEAD")
        if not options.check_version:
            print(FORMATS[options.format](comparison))
            return 0
        faults = wrong(comparison, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    except (ComparisonError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"pyproject.toml or CHANGELOG.md, here or there, cannot be read: {error}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    good = f"The version {comparison.versions[1]} and the changelog match what changed since {comparison.base}."
    print("\n".join(faults) or good)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

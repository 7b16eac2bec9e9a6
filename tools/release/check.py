"""Checks whether the working tree may be published as the version in its contract."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tools.changes.history import CONTRACT, ComparisonError, git, last_release, since, three_numbers
from tools.changes.report import problems as problems_of_version
from tools.changes.report import section_of
from tools.contract import load
from tools.generate import ROOT


def problems(version: str, before: str | None) -> Iterator[str]:
    """The reasons against publishing the tree as `version`, a message with a remedy for each.

    Args:
        version: The version in the contract.
        before: The tag of the previous release; None if there is none.

    Raises:
        ComparisonError: the tree cannot be compared with that release.

    """
    yield from _uncommitted()
    if git("rev-parse", "--is-shallow-repository").stdout.strip() == "true":
        yield "This clone is shallow and may lack release tags: run `git fetch --unshallow --tags`."
    here = git("tag", "--points-at", "HEAD", "--list", "v*", "[0-9]*.*").stdout.split()
    if other := next((name for name in here if name != f"v{version}"), None):
        yield f"{CONTRACT}: `info.version` is {version}, but this commit is tagged {other}: correct one of them."
    if f"v{version}" not in here and git("tag", "--list", f"v{version}").stdout:
        yield f"{CONTRACT}: another commit is already tagged v{version}: set a higher `info.version` for this one."
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    section = section_of(changelog, version)
    if before:
        yield from problems_of_version(since(before), changelog)
    elif section is None:
        yield f"CHANGELOG.md: the section `## {version}` is missing: add it, and describe the changes for users."
    if "not released yet" in (section or "").lower():
        yield f'CHANGELOG.md: the section `## {version}` says "not released yet": remove that, and commit.'


def _uncommitted() -> Iterator[str]:
    changed = git("status", "--porcelain", "--untracked-files=all").stdout.splitlines()
    if changed:
        names = ", ".join(line[3:] for line in changed[:3]) + (" and others" if len(changed) > 3 else "")
        yield f"There are uncommitted changes ({names}): commit, ignore or remove them."
    for line in git("ls-files", "-v").stdout.splitlines():
        if not line.startswith("H "):  # git status does not show edits of this file
            remedy = f"git update-index --no-assume-unchanged --no-skip-worktree {line[2:]}"
            yield f"{line[2:]}: git is configured to ignore its changes: run `{remedy}`."


def check() -> int:
    """Print the reasons against publishing. Returns 0 if there are none, 1 if there are, 2 if it cannot compare."""
    try:
        version = three_numbers(load(ROOT / CONTRACT))
        before = last_release(ignoring=f"v{version}")
        found = list(problems(version, before))
    except ComparisonError as error:
        print(error, file=sys.stderr)
        return 2
    if found:
        print("\n".join(found), file=sys.stderr)
        return 1
    compared = f"compared with {before}" if before else "no earlier release is tagged to compare it with"
    print(f"This commit may be published as {version} with the tag v{version} ({compared}).")
    return 0

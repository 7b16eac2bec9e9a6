"""`make check-release`: whether the working tree may be published as the version that its contract names."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from tools.changes.history import CONTRACT, ComparisonError, git, last_release, since
from tools.changes.report import faults as wrong
from tools.changes.report import section_of
from tools.contract import load, mapping
from tools.generate import ROOT


def faults(version: str, before: str | None) -> Iterator[str]:
    """What speaks against publishing the tree as `version`, a sentence each with what to do.

    Args:
        version: What the contract says.
        before: The tag of the release before; None where there is none.

    Raises:
        ComparisonError: the tree cannot be compared with that release.

    """
    tag = f"v{version}"
    changed = git("status", "--porcelain", "--untracked-files=all").stdout.decode().splitlines()
    if changed:
        named = ", ".join(line[3:] for line in changed[:3]) + (" and others" if len(changed) > 3 else "")
        yield f"The tree is not what is committed ({named}): commit, ignore or remove what differs."
    # What git is told to take as it was: such an edit shows nowhere else.
    for line in git("ls-files", "-v").stdout.decode().splitlines():
        if not line.startswith("H "):
            remedy = f"git update-index --no-assume-unchanged --no-skip-worktree {line[2:]}"
            yield f"{line[2:]}: git is told not to look at it: `{remedy}`."
    if git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
        yield "This clone is shallow, and may lack tags of releases: `git fetch --unshallow --tags`."
    here = git("tag", "--points-at", "HEAD", "--list", "v*", "[0-9]*.*").stdout.decode().split()
    if others := [name for name in here if name != tag]:
        yield f"{CONTRACT}: `info.version` is {version}, but this commit is tagged {others[0]}: one of them is wrong."
    if tag not in here and _exists(tag):
        yield f"{CONTRACT}: {version} is another commit, tagged {tag}: set a higher `info.version` for this one."
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    section = section_of(changelog, version)
    if before:
        yield from wrong(since(before), changelog)
    elif section is None:
        yield f"CHANGELOG.md: has no section `## {version}`: add it, with what users must know."
    if "not released yet" in (section or "").lower():
        yield f"CHANGELOG.md: says that {version} is not released yet: take that out, and commit."


def _exists(tag: str) -> bool:
    return git("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}").returncode == 0


def main() -> int:
    """Tell the faults; 0 when there are none, 1 when there are, 2 when that cannot be known.

    With --tag, only tell how to tag the commit, where it is not.
    """
    try:
        version = str(mapping(load(ROOT / CONTRACT).data.get("info")).get("version"))
        if not re.fullmatch(r"\d+\.\d+\.\d+", version):
            raise ComparisonError(f"{CONTRACT}: has no version of three numbers: `make validate` tells where.")
        tag = f"v{version}"
        if sys.argv[1:] == ["--tag"]:
            if not _exists(tag):
                print(f"Tag what is published, since the next version is compared with it: git tag {tag}")
            return 0
        before = last_release(besides=tag)
        told = list(faults(version, before))
    except (ComparisonError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if told:
        print("\n".join(told), file=sys.stderr)
        return 1
    against = f"compared with {before}" if before else "with nothing to compare it with: no release before it is tagged"
    print(f"This commit may be published as {version}, {against}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

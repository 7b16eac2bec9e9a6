"""`python -m tools.pages`: puts all pages into .site/, from which Zensical builds the site."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.generate import ROOT
from tools.pages.reference import reference

FILES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "openapi.yaml")
"""Files outside of docs/ to which its pages link. They keep their places, so that the links hold."""
LINK = re.compile(r"\[([^\[\]]*)\]\((?!\w+:|#)([^)#\s]+)(?:#[^)\s]*)?\)")


def stage(root: Path, target: Path) -> None:
    """Replace the folder `target` with one that holds the pages of the site."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root / "docs", target / "docs", ignore=shutil.ignore_patterns("api.html", ".*"))
    for name in FILES:
        shutil.copy(root / name, target / name)
    for name, text in reference(root).items():
        (target / "docs" / "reference" / f"{name}.md").write_text(text, encoding="utf-8")
    for page in target.rglob("*.md"):
        page.write_text(_without_missing_links(page), encoding="utf-8")


def _without_missing_links(page: Path) -> str:
    """The text of a page; a link to a file that is not on the site, such as a workflow, becomes plain text."""

    def shown(link: re.Match[str]) -> str:
        return link[0] if (page.parent / link[2]).exists() else link[1]

    return LINK.sub(shown, page.read_text(encoding="utf-8"))


def faults(navigation: Any, target: Path) -> Iterator[str]:
    """A sentence for each page that the navigation lacks, and for each of its pages that does not exist."""
    listed = [*_leaves(navigation)]
    pages = sorted(page.relative_to(target).as_posix() for page in target.rglob("*.md"))
    for name in sorted({*listed} - {*pages}):
        yield f"mkdocs.yml: the page {name} does not exist: remove it from `nav`, or correct its path."
    for name in sorted({*pages} - {*listed}):
        yield f"mkdocs.yml: `nav` does not list {name}: add it."


def _leaves(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
        return
    for child in node.values() if isinstance(node, dict) else node:
        yield from _leaves(child)


def main() -> int:
    """Returns 0, or 1 if the navigation does not fit the pages."""
    stage(ROOT, ROOT / ".site")
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    found = [*faults(settings["nav"], ROOT / ".site")]
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""The pages of the documentation: their blocks of code, headings, links and words."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(DOCS.glob("*.md")),
    *sorted(ROOT.glob("examples/*/*.md")),
]

ELSEWHERE = re.compile(
    r"^(?:import|from) (?:respx|vcr|fastapi|opentelemetry)\b|^def test_\w+\(.*(?:talkdesk_bridge_sandbox|httpx_mock)",
    re.M,
)
"""Code that tests/integration/test_examples.py runs, because it needs other packages or fixtures."""


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def blocks(file: Path, language: str = "python") -> list[str]:
    """The blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(file), re.M | re.S)


def prose(file: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text_of(file), flags=re.M | re.S)


def anchors(file: Path) -> set[str]:
    """The anchors of the headings, as GitHub and Python-Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", prose(file), re.M)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", heading)).strip().lower().replace(" ", "-")
        for heading in headings
    }


def links(file: Path) -> list[tuple[Path, str]]:
    """The file and the anchor of each link inside the project."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(file))
    parts = [target.partition("#") for target in targets if not re.match(r"[a-z]+:", target)]
    return [((file.parent / name).resolve() if name else file, anchor) for name, _, anchor in parts]


def sentences(file: Path) -> list[str]:
    """The sentences of the paragraphs and lists; a table has none."""
    lines = [line for line in prose(file).splitlines() if not line.startswith(("|", "#"))]
    paragraphs = re.split(r"\n\s*\n|\n(?=- |\d\. )", "\n".join(lines))
    return [
        sentence for paragraph in paragraphs for sentence in re.split(r"(?<=[.!?:;])\s+", " ".join(paragraph.split()))
    ]

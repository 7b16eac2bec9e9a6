"""The site that `make site` built: its links and anchors, a complete reference, and nothing from the network."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from tests.conftest import ROOT
from tests.test_site import public_names

SITE = ROOT / "site"
OTHER_HOSTS = ("http", "https", "mailto")


class Page(HTMLParser):
    """The identifiers, links, loaded files and text of a page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids, self.links, self.loaded, self.text = set[str](), list[str](), list[str](), ""
        self._skipped = 0
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids.add(values.get("id", ""))
        links = self.links if tag == "a" else self.loaded
        links += [values[name] for name in ("href", "src") if name in values]
        self._skipped += tag in ("code", "script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag in ("code", "script", "style")

    def handle_data(self, data: str) -> None:
        self.text += "" if self._skipped else data


@pytest.fixture(scope="module")
def pages() -> dict[Path, Page]:
    found = {file: Page(file) for file in SITE.rglob("*.html")}
    assert len(found) > 20, "run `make site`"
    return found


def test_links_and_anchors_lead_somewhere(pages: dict[Path, Page]) -> None:
    dead = []
    for file, page in pages.items():
        for link in page.links + page.loaded:
            target, fragment = urldefrag(link)
            # The page 404.html is served at any path, so its links begin at the root.
            if urlsplit(link).scheme in OTHER_HOSTS or file.name == "404.html":
                continue
            path = (file.parent / unquote(target)).resolve() if target else file
            path = path / "index.html" if path.is_dir() else path
            if not path.is_file() or (fragment and path in pages and unquote(fragment) not in pages[path].ids):
                dead.append(f"{file.relative_to(SITE)}: {link}")
    assert dead == []


def test_nothing_comes_from_the_network(pages: dict[Path, Page]) -> None:
    assert {link for page in pages.values() for link in page.loaded if urlsplit(link).scheme in OTHER_HOSTS} == set()


def test_every_public_name_can_be_linked_to(pages: dict[Path, Page]) -> None:
    ids = {name for page in pages.values() for name in page.ids}
    assert public_names() - ids == set()


def test_signatures_are_complete(pages: dict[Path, Page]) -> None:
    text = (SITE / "docs" / "reference" / "retries.html").read_text(encoding="utf-8")
    assert "attempts" in text
    assert "frozenset({408" in "".join(Plain(text).parts)
    clients = "".join(Plain((SITE / "docs" / "reference" / "clients.html").read_text(encoding="utf-8")).parts)
    assert "Unpack" not in clients.partition("from_env")[0]
    assert all(f"{name}: " in clients for name in ("on_deviation", "transport", "deadline"))


class Plain(HTMLParser):
    """All text of a page, with its code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def test_no_markdown_is_left(pages: dict[Path, Page]) -> None:
    left = {
        (file.name, mark)
        for file, page in pages.items()
        for mark in ("```", "](", "][", ":::", "| ---", "|---", "\n- ", "**")
        if mark in page.text
    }
    assert left == set()


def test_the_search_knows_the_reference() -> None:
    index = json.loads((SITE / "search.json").read_text(encoding="utf-8"))
    text = json.dumps(index)
    assert all(name in text for name in ("retry_after", "invoice_bill_date", "talkdesk_bridge.BridgeClient"))

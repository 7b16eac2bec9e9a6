"""The site that `make site` built, opened from its folder: search, both widths, dark mode, nothing from the network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Page
from tests.conftest import ROOT

SITE = ROOT / "site"
PAGES = sorted({*SITE.rglob("*.html")} - {SITE / "404.html"})  # servers send that one at any path
HOME = (SITE / "index.html").as_uri()
SHOTS = os.environ.get("SCREENSHOTS")
"""A folder for pictures of all pages, for people."""


def test_the_site_was_built() -> None:
    assert len(PAGES) > 20, "run `make site`"


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_scrolls_sideways_or_reports_an_error(page: Page, width: int) -> None:
    page.resize(width)
    too_wide = []
    for file in PAGES:
        page.open(file.as_uri(), "article h1")
        too_wide += [file.name] if page.is_too_wide() else []
        assert page.problems() == [], file
        assert all(url.startswith("file://") for url in page.requested()), file
        if SHOTS:
            page.driver.save_screenshot(str(Path(SHOTS) / f"{file.stem}-{width}.png"))
    assert too_wide == []


def test_the_search_works_from_a_folder(page: Page) -> None:
    page.resize(1280)
    page.open(HOME, "article h1")
    page.one("[data-md-component=search-button], .md-search__button, .md-search__input").click()
    field = page.driver.switch_to.active_element
    field.send_keys("come back after 429")
    # The results are in a shadow root, whose elements the driver does not find: Enter opens the first of them.
    page.wait(lambda: field.send_keys(Keys.ENTER) or page.driver.current_url.partition("#")[0] != HOME)
    assert "429" in page.one("article").text
    assert page.problems() == []


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_the_colours_follow_the_system(page: Page, scheme: str, *, is_dark: bool) -> None:
    page.resize(1280, scheme)
    page.open(HOME, "article h1")
    colour = page.one("body").value_of_css_property("background-color")
    red = int(colour.partition("(")[2].partition(",")[0])
    assert (red < 100) == is_dark

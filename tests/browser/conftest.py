"""A headless Chromium, and a page in it that tests read and use like a person."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

# First the browser that matches its chromedriver on GitHub's runners.
BROWSERS = ("google-chrome", "google-chrome-stable", "chromium", "chromium-browser")
SECONDS = 10


class Page:
    """The page in the browser."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str, css: str = ".opblock, .opblock-tag-section") -> None:
        """Open `url`, and wait until an element is visible; by default, until the operations are listed."""
        self.driver.get("about:blank")
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.driver.get(url)
        self.wait(lambda: self.all(css))

    def wait(self, condition: Callable[[], Any]) -> Any:
        """The value of `condition`, as soon as it is true."""
        ignored = (NoSuchElementException, StaleElementReferenceException)
        return WebDriverWait(self.driver, SECONDS, 0.05, ignored).until(lambda _: condition())

    def all(self, css: str) -> list[Any]:
        """The visible elements."""
        return [element for element in self.driver.find_elements("css selector", css) if element.is_displayed()]

    def one(self, css: str, text: str = "") -> Any:
        """The first visible element that contains `text`; waits for it."""
        return self.wait(lambda: next((element for element in self.all(css) if text in element.text), None))

    def texts(self, css: str) -> list[str]:
        """The texts of the visible elements."""
        return [element.text for element in self.all(css)]

    def write(self, css: str, text: str) -> None:
        """Replace the text of a field."""
        field = self.one(css)
        field.clear()
        field.send_keys(text)

    def authorize(self, scheme: str, **fields: str) -> None:
        """Enter a credential in the dialog of this scheme."""
        self.one(".btn.authorize").click()
        dialog = self.one(".auth-container", scheme)
        for name, value in fields.items():
            dialog.find_element("css selector", f"input[{name}]").send_keys(value)
        dialog.find_element("css selector", ".btn.authorize").click()
        self.wait(lambda: "Logout" in self.one(".auth-container", scheme).text)
        self.one(".modal-ux .close-modal").click()

    def execute(self) -> tuple[int, Any]:
        """Send the request of the open operation; returns the status and the body that are shown."""
        self.one(".btn.execute").click()
        status = int(self.one(".live-responses-table .response .response-col_status").text.split()[0])
        shown = self.one(".live-responses-table .highlight-code")
        # Not the text as laid out: that is slow for thousands of coloured words.
        return status, json.loads(shown.find_element("css selector", "code").get_property("textContent"))

    def resize(self, width: int, scheme: str = "light") -> None:
        """Show pages in another width, in light or dark mode."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def is_too_wide(self) -> bool:
        """Whether the page scrolls sideways."""
        return bool(self.driver.execute_script("return document.documentElement.scrollWidth > innerWidth"))

    def problems(self) -> list[str]:
        """The errors and warnings in the console."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def requested(self) -> set[str]:
        """The URLs requested since the page was opened, except those that its policy blocked."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls, blocked = dict[str, str](), set[str]()
        for message in messages:
            if message["method"] == "Network.requestWillBeSent":
                urls[message["params"]["requestId"]] = message["params"]["request"]["url"]
            elif message["params"].get("blockedReason") == "csp":
                blocked.add(message["params"]["requestId"])
        sent = {url for key, url in urls.items() if key not in blocked}
        return {url for url in sent if not url.startswith(("data:", "about:"))}


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    chromedriver = shutil.which("chromedriver")
    if not (browser and chromedriver):
        pytest.exit("No browser was found: install the packages chromium and chromium-driver (Debian).", returncode=2)
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Without Chromium's own sandbox, which root cannot use, and without its own network requests.
    for name in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "no-first-run", "disable-quic",
                 "disable-background-networking", "disable-component-update", "disable-sync", "no-proxy-server",
                 "window-size=1200,1000", f"user-data-dir={tmp_path_factory.mktemp('profile')}"):  # fmt: skip
        options.add_argument(f"--{name}")
    with webdriver.Chrome(options, Service(chromedriver)) as running:
        yield running


@pytest.fixture
def page(driver: Any) -> Iterator[Page]:
    yield Page(driver)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

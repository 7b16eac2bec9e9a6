"""The page of the contract as a person uses it: read it, authorize, fill in an account, send, see invoices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from talkdesk_bridge.contract import document
from talkdesk_bridge_sandbox import Reply, Sandbox
from talkdesk_bridge_sandbox._page import page as page_of

from tests.browser.conftest import Page

CREDENTIALS = {
    "HeaderKey": {"type=text": "sandbox-key"},
    "Basic": {"name=username": "sandbox-user", "name=password": "sandbox-password"},
    "Bearer": {"type=text": "sandbox-token"},
    "OAuth2": {},  # filled in already
}
KEY = CREDENTIALS["HeaderKey"]
(PATH,) = document()["paths"]
ASSUMED = {"status": "assumed", "source": "https://docs.talkdesk.com/docs", "retrieved": "2026-11-22"}


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


def requests_of(sandbox: Sandbox) -> list[tuple[str, int]]:
    return [(f"{seen.method} {seen.target}", seen.status) for seen in sandbox.requests][1:]


def account(number: str) -> str:
    return f"GET {PATH.replace('{account_number}', number)}"


@pytest.mark.parametrize("scheme", CREDENTIALS)
def test_each_credential_gets_invoices(page: Page, sandbox: Sandbox, scheme: str) -> None:
    page.open(sandbox.url)
    field = page.one("tr[data-param-name=account_number] input")
    assert field.get_attribute("value") == "1000000001"
    page.authorize(scheme, **CREDENTIALS[scheme])
    page.write("tr[data-param-name=per_page] input", "1")  # many invoices are slow to draw
    status, body = page.execute()
    assert (status, body["total"], body["_embedded"]["invoices"][0]["invoice_number"]) == (200, 137, "1000000001")
    assert requests_of(sandbox)[-1] == (account("1000000001") + "?per_page=1", 200)
    assert page.problems() == []
    assert all(url.startswith(sandbox.url) for url in page.requested())


def test_the_page_sends_the_values_that_are_filled_in(page: Page, sandbox: Sandbox) -> None:
    page.open(sandbox.url)
    status, body = page.execute()
    assert (status, body["errorCode"]) == (401, "UNAUTHORIZED")
    assert page.all(".response-undocumented") == []
    page.authorize("HeaderKey", **KEY)
    page.write("tr[data-param-name=account_number] input", "1000000005")
    page.write("tr[data-param-name=page] input", "2")
    page.write("tr[data-param-name=per_page] input", "2")
    page.one(".btn-clear").click()
    status, body = page.execute()
    assert (status, len(body["_embedded"]["invoices"])) == (200, 2)
    page.write("tr[data-param-name=account_number] input", "1")
    page.one(".btn-clear").click()
    status, body = page.execute()
    assert (status, body["status"], body["errorCode"]) == (404, 404, "NOT_FOUND")
    assert page.all(".response-undocumented") == []
    options = "?page=2&per_page=2"
    assert requests_of(sandbox) == [
        (account("1000000001"), 401), (account("1000000005") + options, 200), (account("1") + options, 404)
    ]  # fmt: skip


def test_the_dialog_shows_that_a_secret_is_wrong(page: Page, sandbox: Sandbox) -> None:
    page.open(sandbox.url)
    page.one(".btn.authorize").click()
    dialog = page.one(".auth-container", "OAuth2")
    assert "This sandbox accepts sandbox-client with sandbox-secret." in dialog.text
    dialog.find_element("css selector", "#client_secret_clientCredentials").send_keys("x")
    dialog.find_element("css selector", ".btn.authorize").click()
    assert "client id or secret is wrong" in page.one(".auth-container .errors").text


@pytest.mark.parametrize("width", [390, 1280])
def test_the_dialog_opens_at_its_beginning(page: Page, sandbox: Sandbox, width: int) -> None:
    page.resize(width)
    page.open(sandbox.url)
    page.one(".btn.authorize").click()
    first = page.one(".modal-ux-content .auth-container input")
    page.wait(lambda: page.driver.switch_to.active_element == first)
    assert page.driver.execute_script("return document.querySelector('.modal-ux-content').scrollTop") == 0


@pytest.mark.parametrize(("status", "is_declared"), [(400, True), (503, True), (299, False)])
def test_a_status_in_a_declared_range_is_not_undocumented(
    page: Page, sandbox: Sandbox, status: int, *, is_declared: bool
) -> None:
    page.open(sandbox.url)
    sandbox.script(Reply(status, json={}))
    assert page.execute() == (status, {})
    assert bool(page.all(".response-undocumented")) != is_declared


def test_an_operation_that_was_added(page: Page) -> None:
    contract = document()
    contract["components"]["schemas"]["Node"] = {
        "type": "object",
        "properties": {"next": {"$ref": "#/components/schemas/Node"}, "name": {"type": "string"}},
    }
    body = {"schema": {"$ref": "#/components/schemas/Node"}, "example": {"name": "a", "next": {"name": "b"}}}
    contract["paths"]["/health"] = {
        "get": {
            "operationId": "get_health",
            "tags": ["billing"],
            "summary": "How it is",
            "description": "It is long. " * 5000,
            "security": [],
            "responses": {"200": {"description": "OK", "content": {"application/json": body}}},
        }
    }
    with Sandbox(contract=contract) as sandbox:
        page.open(sandbox.url)
        assert page.texts(".opblock-summary-path") == [PATH, "/health"]
        page.one(".opblock-summary-control", "/health").click()
        page.one(".model-example .tablinks", "Schema").click()
        assert "next" in page.one(".model-example .json-schema-2020-12").text
        assert page.execute() == (200, body["example"])
        assert page.problems() == []


def test_assumptions_are_highlighted_everywhere(page: Page) -> None:
    contract = document()
    operation, components = contract["paths"][PATH]["get"], contract["components"]
    response = operation["responses"]["200"]
    response["headers"] = {"X-Left": {"schema": {"type": "integer"}}}
    schemas = components["schemas"]
    places = {
        "tag": contract["tags"][0],
        "path": contract["paths"][PATH],
        "operation": operation,
        "parameter": operation["parameters"][0],
        "response": response,
        "scheme": components["securitySchemes"]["Bearer"],
        "schema": schemas["InvoiceList"],
        "property": schemas["InvoiceDetails"]["properties"]["status"],
        "reference": schemas["InvoiceDetailsResponse"]["properties"]["_embedded"],
        "items": schemas["InvoiceDetails"]["properties"]["invoice_items_details"]["items"],
    }
    for kind, node in places.items():
        node["x-provenance"] = ASSUMED | {"note": f"Why *this* <{kind}> is."}
    with Sandbox(contract=contract) as sandbox:
        page.open(sandbox.url)
        for button in page.all(".models .json-schema-2020-12-expand-deep-button"):
            button.click()
        page.one(".btn.authorize").click()
        page.one(".auth-container", "Bearer")
        marked = [mark.find_element("xpath", "..").text for mark in page.all("mark")]
    for kind in places:
        assert any(
            line.startswith("assumed") and f"Why *this* <{kind}> is. (source, 2026-11-22)" in line for line in marked
        ), kind
    background, colour = (page.one("mark").value_of_css_property(name) for name in ("background-color", "color"))
    assert (background, colour) == ("rgba(180, 35, 90, 1)", "rgba(255, 255, 255, 1)")


def test_text_of_the_contract_runs_no_script(page: Page) -> None:
    contract = document()
    bad = (
        "<img src=//127.0.0.1:1/x onerror='window.ran = 1'></script><script>window.ran = 1</script><!-- <script> \u2028"
    )
    contract["info"] |= {"title": bad, "description": bad}
    operation = contract["paths"][PATH]["get"]
    operation |= {"summary": bad, "description": bad}
    parameter = operation["parameters"][0]
    provenance = {"status": "assumed", "note": bad, "source": "javascript:window.ran = 1", "retrieved": bad}
    parameter |= {"description": bad, "x-provenance": provenance}
    contract["components"]["schemas"]["InvoiceList"]["description"] = bad
    with Sandbox(contract=contract) as sandbox:
        page.open(sandbox.url)
        shown = " ".join(bad.split())
        assert shown in page.one(".info .title").text
        # HTML that hides everything after it does not hide the assumption and its reason.
        assert f"assumed {shown}" in page.one("tr[data-param-name=account_number]").text
        assert page.driver.find_elements("css selector", ".parameters-col_description img:not([onerror])")
        assert page.driver.find_elements("css selector", "[onerror], a[href^=javascript]") == []
        assert page.driver.execute_script("return window.ran") is None
        assert page.requested() == {f"{sandbox.url}/"}


def test_the_file_needs_no_network_and_sends_nothing(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "api.html"
    file.write_text(page_of(document()), encoding="utf-8")
    page.open(file.as_uri())
    assert page.one("tr[data-param-name=page] mark").text == "assumed"
    page.one(".model-example .tablinks", "Schema").click()
    assert "the invoices of an account" in page.one(".response .json-schema-2020-12").text
    assert page.all(".try-out, .execute, .btn.authorize, .authorization__btn, .errors-wrapper, .servers") == []
    assert page.problems() == []
    assert page.requested() == {file.as_uri()}
    assert "talkdesk-bridge sandbox" in page.one(".info").text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_in_light_and_dark_mode(page: Page, sandbox: Sandbox, scheme: str) -> None:
    page.resize(390, scheme)
    page.open(sandbox.url)
    page.one(".btn.execute")
    assert not page.is_too_wide()
    background, text = (
        page.one("body").value_of_css_property("background-color"),
        page.one(".info .description p").value_of_css_property("color"),
    )
    brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) / 765 for colour in (background, text)]
    assert (
        (brightness[0] > 0.9 and brightness[1] < 0.4)
        if scheme == "light"
        else (brightness[0] < 0.2 and brightness[1] > 0.7)
    )

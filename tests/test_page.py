"""The contract as a page, without a browser: its content, its policy, and how it is served and written."""

from __future__ import annotations

import base64
import copy
import hashlib
import http.client
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from talkdesk_bridge.contract import document
from talkdesk_bridge_sandbox import ACCOUNTS, Credentials, Sandbox
from talkdesk_bridge_sandbox._page import page

from tests import api_page as command
from tests.conftest import CONTRACT, PATH
from tools.contract import Contract

ASSUMED = {"status": "assumed", "source": "https://docs.talkdesk.com/docs", "retrieved": "2026-11-22", "note": "Why."}


class Parsed(HTMLParser):
    """The attributes and the scripts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.attributes += attrs
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    @property
    def contract(self) -> Any:
        return json.loads(self.scripts[0])

    @property
    def settings(self) -> Any:
        return json.loads(self.scripts[1])


def test_it_sends_nothing_to_other_hosts_and_runs_only_its_own_scripts() -> None:
    for credentials, connect in ((None, "'none'"), (Credentials(), "'self'")):
        parsed = Parsed(page(document(), credentials))
        assert not {name for name, _ in parsed.attributes} & {"src", "srcset", "action", "onload"}
        assert [value for name, value in parsed.attributes if name == "href"] == ["data:,"]
        policy = next(
            value for name, value in parsed.attributes if name == "content" and value and "default-src" in value
        )
        hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in parsed.scripts]
        assert len(hashes) == 4
        assert not re.search(r"<(!--|/?script)", "".join(parsed.scripts), re.IGNORECASE)
        assert re.findall(r"sha256-([^']+)'", policy) == hashes[2:]
        assert policy.startswith("default-src 'none'; ")
        assert f"connect-src {connect};" in policy
        assert "unsafe" not in policy.replace("style-src 'unsafe-inline'", "")
        assert parsed.settings["validatorUrl"] is None


def test_text_of_the_contract_does_not_become_html() -> None:
    contract = document()
    bad = "</script><script>run()</script><!--<script> \u2028 </title>"
    contract["info"] |= {"title": bad, "description": bad}
    contract["tags"][0]["x-provenance"]["note"] = bad
    parsed = Parsed(text := page(contract))
    assert len(parsed.scripts) == 4
    assert text.count("<title>") == text.count("</title>") == 1
    assert "\u2028" not in parsed.scripts[0]
    assert parsed.contract["info"]["title"] == bad
    assert "<" not in parsed.contract["tags"][0]["description"].partition("</mark> ")[2].partition(" (<a")[0]


def test_each_element_shows_its_provenance() -> None:
    contract = document()
    schemas = contract["components"]["schemas"]
    schemas["InvoiceDetails"]["properties"] |= {
        # Names that have a meaning in other places of OpenAPI.
        "example": {"type": "string", "x-provenance": ASSUMED},
        "x-provenance": {"type": "string", "description": "Named so.", "x-provenance": ASSUMED},
    }
    schemas["InvoiceList"]["properties"]["first"] = {
        "$ref": "#/components/schemas/InvoiceItemDetails",
        "x-provenance": ASSUMED,
    }
    example = contract["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"]["examples"]
    example["invoices"]["value"]["x-provenance"] = {"status": "only a value"}
    before = copy.deepcopy(contract)
    shown = Parsed(page(contract)).contract
    assert contract == before
    mark = '<mark>assumed</mark> Why&#46; (<a href="https://docs.talkdesk.com/docs">source</a>, 2026&#45;11&#45;22)'
    properties = shown["components"]["schemas"]["InvoiceDetails"]["properties"]
    assert properties["example"]["description"] == mark
    assert properties["x-provenance"]["description"] == f"{mark}\n\nNamed so."
    amount = contract["components"]["schemas"]["InvoiceDetails"]["properties"]["amount"]
    assert properties["amount"] == amount  # without a mark: it inherits its provenance
    first = shown["components"]["schemas"]["InvoiceList"]["properties"]["first"]
    assert first == {
        "$ref": "#/components/schemas/InvoiceItemDetails",
        "description": f"{mark}\n\nAssumed: one position of an invoice.",
    }
    operation = shown["paths"][PATH]["get"]
    assert operation["description"].startswith("<mark>assumed</mark> method and path: The page prints neither")
    assert operation["parameters"][0]["description"].startswith("<mark>assumed</mark> The pages of siblings")
    description = Contract(CONTRACT, shown).resolve(operation["responses"]["4XX"])["description"]
    assert description.startswith("The request was refused.\n\n<small><b>documented</b> Printed as &#34;400&#39;s&#34;")
    alias = shown["components"]["schemas"]["invoice_details_reponse"]
    assert alias["description"].startswith("The documented name of InvoiceDetailsResponse, with its typo.")
    assert operation["responses"]["200"]["content"]["application/json"]["examples"] == example


def test_the_file_names_no_server_and_sends_nothing() -> None:
    parsed = Parsed(page(document()))
    assert "servers" not in parsed.contract
    assert parsed.settings["supportedSubmitMethods"] == []
    assert not {"tryItOutEnabled", "client"} & parsed.settings.keys()
    listed = parsed.settings["list"]
    assert re.findall(r"^- \*\*(\w+)\*\* \(.*\) <mark>assumed</mark>", listed, re.M) == [
        *document()["components"]["securitySchemes"]
    ]
    assert "sandbox-key" not in parsed.scripts[0]


def test_the_page_of_a_sandbox_says_what_it_accepts() -> None:
    contract = document()
    schemes = contract["components"]["securitySchemes"]
    schemes["OAuth2"]["flows"]["clientCredentials"]["tokenUrl"] = "https://idp.example/tenant/token"
    schemes["Other"] = {"type": "openIdConnect", "openIdConnectUrl": "https://idp.example"}
    contract["servers"] = [{"url": "https://bridge.example"}]
    ours = Credentials(api_key="k*e*y", api_key_header="X-Ours", client_id="me", client_secret="<s>")
    parsed = Parsed(page(contract, ours))
    assert parsed.settings["tryItOutEnabled"] is True
    assert parsed.settings["client"] == {"clientId": "me", "clientSecret": "<s>"}
    assert parsed.contract["servers"] == [{"url": "/", "description": "this sandbox"}]
    shown = parsed.contract["components"]["securitySchemes"]
    assert shown["HeaderKey"]["name"] == "X-Ours"
    assert shown["OAuth2"]["flows"]["clientCredentials"]["tokenUrl"] == "/tenant/token"
    assert "This sandbox accepts <code>k&#42;e&#42;y</code>." in shown["HeaderKey"]["description"]
    assert "This sandbox accepts <code>me</code> with <code>&#60;s&#62;</code>." in shown["OAuth2"]["description"]
    assert shown["Other"]["description"] == "This sandbox does not accept it."
    assert all(number in parsed.settings["list"] for number in ACCOUNTS)


def test_the_page_of_a_minimal_contract() -> None:
    bare = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {"/a": {"get": {"responses": {}}}}}
    assert Parsed(page(bare)).settings["list"] == ""
    assert Parsed(page(bare, Credentials())).contract["servers"] == [{"url": "/", "description": "this sandbox"}]
    two = bare | {"paths": {"/a": {"get": {"responses": {}}, "put": {"responses": {}}}}}
    assert [Parsed(page(each)).settings["docExpansion"] for each in (bare, two)] == ["full", "list"]


def test_the_sandbox_serves_it() -> None:
    lines: list[str] = []
    with Sandbox(log=lines.append) as sandbox:
        connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
        connection.request("GET", "/")
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        assert (response.status, response.getheader("Content-Type")) == (200, "text/html; charset=utf-8")
        assert text == page(document(), sandbox.credentials)
    assert lines == ["GET / 200"]


def test_the_sandbox_serves_the_contract_with_its_provenance() -> None:
    with Sandbox() as sandbox:
        connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
        connection.request("GET", "/openapi.json")
        assert json.load(connection.getresponse()) == document()
        connection.close()
        assert "(/openapi.json)" in Parsed(page(document(), sandbox.credentials)).settings["list"]


def test_each_operation_has_a_call_in_python_that_works(sandbox: Sandbox) -> None:
    contract = document()
    contract["paths"]["/unknown"] = {"get": {"responses": {}}}
    shown = Parsed(page(contract)).contract["paths"]
    assert "description" not in shown["/unknown"]["get"]
    (sample,) = re.findall(r"```python\n(.*?)```", shown[PATH]["get"]["description"], re.S)
    done = subprocess.run([sys.executable, "-c", sample], env=os.environ | sandbox.environ, capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("InvoiceDetails(") == 137


def test_an_operation_at_the_root_replaces_the_page() -> None:
    contract = document()
    body = {"application/json": {"schema": {"type": "object"}, "example": {"up": True}}}
    contract["paths"] = {"/": {"get": {"security": [], "responses": {"200": {"description": "OK", "content": body}}}}}
    with Sandbox(contract=contract) as sandbox:
        connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
        connection.request("GET", "/")
        assert json.load(connection.getresponse()) == {"up": True}
        connection.close()


def test_swagger_ui_is_read_without_importing_flask() -> None:
    assert page(document())
    assert not {"flask", "flask_swagger_ui"} & sys.modules.keys()


def test_make_docs_writes_the_complete_file_or_nothing(tmp_path: Path) -> None:
    file = tmp_path / "api.html"
    assert ": one file of " in command.main(CONTRACT, file)
    html = file.read_text(encoding="utf-8")
    assert Parsed(html).contract == Parsed(page(yaml.safe_load(CONTRACT.read_text(encoding="utf-8")))).contract
    dated = tmp_path / "dated.yaml"
    dated.write_text(CONTRACT.read_text(encoding="utf-8").replace('"2026-11-22"', "2026-11-22"), encoding="utf-8")
    command.main(dated, file)
    assert file.read_text(encoding="utf-8") == html
    with pytest.raises(SystemExit, match=re.escape(f"{tmp_path} cannot be written: ")):
        command.main(CONTRACT, tmp_path)
    assert file.read_text(encoding="utf-8") == html
    assert [*tmp_path.parent.glob(f".{tmp_path.name}*")] == []

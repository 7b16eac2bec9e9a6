"""The contract as one page of HTML that needs no network: drawn by Swagger UI, with the provenance of each element."""

from __future__ import annotations

import base64
import copy
import hashlib
import html
import json
import re
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from talkdesk_bridge_sandbox._contract import METHODS, schemes_of, target_of
from talkdesk_bridge_sandbox._faults import account_rows

if TYPE_CHECKING:
    from talkdesk_bridge_sandbox._credentials import Credentials

__all__ = ["HEADERS", "page"]

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",  # the one part that a page cannot say of itself
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What to send the page with."""

# Read as files: to import that package is to import Flask.
SWAGGER_UI = Path(str(distribution("flask-swagger-ui").locate_file("flask_swagger_ui"))) / "dist"

PROVENANCE = "x-provenance"
# Whose keys are names that the contract gives, and what holds values without a meaning for OpenAPI.
NAMED = (
    *("properties", "patternProperties", "dependentSchemas", "$defs", "schemas", "parameters", "responses", "headers"),
    *("requestBodies", "securitySchemes"),
)
LITERAL = ("example", "examples", "default", "enum", "const")

MARKS = """
What the marks mean, each for all that is inside of its element, up to a mark further in:

- <mark>assumed</mark> printed nowhere that we know of; the note gives the reason
- <b>observed</b> seen on a real bridge
- <small><b>documented</b></small> printed on the page behind the link
"""
OFFLINE = """
This page is a file and sends nothing: to try the operations, run `talkdesk-bridge sandbox` and open the address that it
prints.
"""
TRY = """
This is a sandbox, whose data are made up. To try it, press *Authorize* and give a credential, fill in an account, and
press *Execute*.
"""
STYLE = """
body { margin: 0; background: #fff; color-scheme: light }
html.dark-mode body { background: #1c2022; color-scheme: dark }
.swagger-ui mark { background: #b4235a; color: #fff; border-radius: 3px; padding: 1px 6px; font-weight: 700 }
/* The address that stands for that of a file. */
.swagger-ui .info hgroup.main > a { display: none }
.file .swagger-ui .auth-wrapper, .file .swagger-ui .authorization__btn { display: none }
"""
# References are resolved beside an address, for which Swagger UI accepts no file's.
START = """
const read = id => JSON.parse(document.getElementById(id).textContent);
const {client, ...settings} = read("settings");
const page = document.documentElement.classList;
page.toggle("dark-mode", matchMedia("(prefers-color-scheme: dark)").matches);
page.toggle("file", !client);
const ui = SwaggerUIBundle({spec: read("contract"), dom_id: "#page", ...settings});
if (client) ui.initOAuth(client);
else ui.specActions.updateUrl("http://file.invalid/");
"""


def page(contract: dict[str, Any], credentials: Credentials | None = None) -> str:
    """The page of `contract`; with the credentials of the sandbox that serves it, it can be tried there."""
    original, contract = contract, copy.deepcopy(contract)
    schemes = schemes_of(contract)
    settings: dict[str, Any] = {"deepLinking": True, "displayRequestDuration": True, "validatorUrl": None}
    if len(list(_operations(contract))) == 1:
        settings["docExpansion"] = "full"
    told = [contract["info"].get("description", ""), MARKS]
    if credentials:
        settings["tryItOutEnabled"] = True
        settings["client"] = {"clientId": credentials.client_id, "clientSecret": credentials.client_secret}
        for node in _elements(contract):
            node.pop("servers", None)
        contract["servers"] = [{"url": "/", "description": "this sandbox"}]
        taken = "\n".join(f"- {_text(name)}: {_serve(scheme, credentials)}" for name, scheme in schemes.items())
        accounts = "\n".join(f"- {_code(number)}: {_text(about)}" for number, about in account_rows().items())
        told += [TRY, *(["Credentials that it takes:", taken] if schemes else []), "Accounts:", accounts]
    else:
        settings["supportedSubmitMethods"] = []
        told.append(OFFLINE)
    _mark(contract, original)
    if schemes and not credentials:
        told += ["Credentials:", "\n".join(_listed(name, scheme) for name, scheme in schemes.items())]
    contract["info"]["description"] = "\n\n".join(told)
    # Within a script, these begin what HTML takes for its end or for a comment.
    bundle = re.sub(r"<(?=!--|/?script)", r"\\x3C", _asset("swagger-ui-bundle.js"), flags=re.IGNORECASE)
    policy = (
        f"default-src 'none'; script-src {_hash(bundle)} {_hash(START)}; style-src 'unsafe-inline'; img-src data:; "
        f"connect-src '{'self' if credentials else 'none'}'; base-uri 'none'; form-action 'none'"
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(contract["info"]["title"])}</title>
<link rel="icon" href="data:,">
<style>{_asset("swagger-ui.css")}</style>
<style>{STYLE}</style>
</head>
<body>
<div id="page"></div>
<script type="application/json" id="contract">{_data(contract)}</script>
<script type="application/json" id="settings">{_data(settings)}</script>
<script>{bundle}</script>
<script>{START}</script>
</body>
</html>
"""


def _operations(contract: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every operation, after the path item that holds it."""
    for item in contract.get("paths", {}).values():
        yield from ((item, item[method]) for method in METHODS if method in item)


def _serve(scheme: dict[str, Any], credentials: Credentials) -> str:
    """Let a scheme ask for what the sandbox takes, where it takes it, and tell that."""
    match scheme:
        case {"type": "apiKey", "in": "header"}:
            scheme["name"] = credentials.api_key_header or scheme["name"]
            takes = _code(credentials.api_key)
        case {"type": "http", "scheme": "basic" | "Basic"}:
            takes = f"{_code(credentials.user)} with {_code(credentials.password)}"
        case {"type": "http", "scheme": "bearer"}:
            takes = _code(credentials.bearer_token)
        case {"flows": {"clientCredentials": flow}}:
            flow["tokenUrl"] = urlsplit(flow["tokenUrl"]).path
            takes = f"{_code(credentials.client_id)} with {_code(credentials.client_secret)}"
        case _:
            return "not taken by this sandbox"
    _add(scheme, f"This sandbox takes {takes}.")
    return takes


def _listed(name: str, scheme: dict[str, Any]) -> str:
    """An item of a list that tells of a scheme what is shown where credentials are asked for."""
    kind = " ".join(str(scheme[key]) for key in ("type", "scheme", "in", "name") if key in scheme)
    return f"- **{_text(name)}** ({_text(kind)}) {' '.join(scheme.get('description', '').split())}"


def _mark(contract: dict[str, Any], original: dict[str, Any]) -> None:
    """Tell the provenance of each element in its description, which is the one thing of them all that is shown."""
    for item, operation in _operations(contract):
        # Of a path item nothing is shown.
        if told := _told(item.get(PROVENANCE), "method and path"):
            _add(operation, told)
        if item.get(PROVENANCE, {}).get("status") == "assumed":
            operation["summary"] = f"{operation.get('summary', '')} (path assumed)".strip()
    for name, schema in contract.get("components", {}).get("schemas", {}).items():
        match original["components"]["schemas"][name]:
            case {"allOf": [{"$ref": str(reference)}]}:
                _add(schema, f"Another name of {_code(reference.rpartition('/')[2])}.")
    for node in list(_elements(contract)):
        if told := _told(node.pop(PROVENANCE, None)):
            if "$ref" in node:
                # A description beside a reference takes the place of the target's.
                node.setdefault("description", target_of(original, node["$ref"]).get("description", ""))
            _add(node, told)


def _elements(node: Any, named: bool = False) -> Iterator[dict[str, Any]]:
    """Every mapping whose keys are those of OpenAPI; `named` says that those of `node` are not."""
    if isinstance(node, list):
        for inner in node:
            yield from _elements(inner)
    elif isinstance(node, dict):
        if not named:
            yield node
        for key, inner in node.items():
            if named or key not in LITERAL:
                yield from _elements(inner, not named and key in NAMED)


def _told(provenance: dict[str, Any] | None, of: str = "") -> str:
    """A provenance in a line: assumed so that it stands out, anything else so that it does not."""
    if not provenance:
        return ""
    status, source = provenance["status"], provenance["source"]
    link = f'<a href="{html.escape(source)}">source</a>' if source.startswith("https://") else _text(source)
    where = f"({link}, {html.escape(provenance['retrieved'])})"
    note = " ".join(filter(None, (of and f"{of}:", _text(provenance.get("note", "")), where)))
    if status == "assumed":
        return f"<mark>assumed</mark> {note}"
    return f"<small><b>{html.escape(status)}</b> {note}</small>"


def _add(element: dict[str, Any], told: str) -> None:
    texts = (element.get("description", ""), told)
    # First what stands out: nothing above may hide it, such as a long text or HTML that has no end.
    element["description"] = "\n\n".join(reversed(texts) if told.startswith("<mark>") else texts).strip()


def _text(text: str) -> str:
    """Plain text, so that it is neither Markdown nor HTML."""
    return re.sub(r"[^A-Za-z0-9 ]", lambda found: f"&#{ord(found[0])};", " ".join(text.split()))


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _data(value: Any) -> str:
    """JSON that cannot end the script that it stands in."""
    return json.dumps(value).replace("<", "\\u003c")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return (SWAGGER_UI / name).read_text(encoding="utf-8")

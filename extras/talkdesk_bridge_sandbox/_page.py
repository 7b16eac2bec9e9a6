"""The contract as one page of HTML that needs no network: Swagger UI, with the provenance of each element."""

from __future__ import annotations

import base64
import copy
import hashlib
import html
import json
import re
from importlib.metadata import distribution
from inspect import signature
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from talkdesk_bridge.contract import OperationInfo, operations

from talkdesk_bridge_sandbox._contract import Document, operations_of, schemes_of
from talkdesk_bridge_sandbox._credentials import Credentials, kind_of
from talkdesk_bridge_sandbox._faults import account_rows

# Read as files, because importing that package imports Flask.
SWAGGER_UI = Path(str(distribution("flask-swagger-ui").locate_file("flask_swagger_ui"))) / "dist"

PROVENANCE = "x-provenance"


def page(contract: dict[str, Any], credentials: Credentials | None = None) -> str:
    """A contract as an HTML page; with the credentials of a sandbox, the page can send requests to it."""
    shown = copy.deepcopy(contract)
    methods = {(info.path, info.method.lower()): info for info in operations()}
    for path, method, operation in operations_of(shown):  # Swagger UI shows no description of a path
        if provenance := contract["paths"][path].get(PROVENANCE):
            _add(operation, _mark_of(provenance, "method and path: "))
        if info := methods.get((path, method)):
            _add(operation, _sample(info, operation.get("parameters", [])))
    _mark(shown, Document(contract))
    settings: dict[str, Any] = {"deepLinking": True, "displayRequestDuration": True, "validatorUrl": None}
    settings["docExpansion"] = "full" if len(list(operations_of(contract))) == 1 else "list"
    if credentials:
        settings["client"] = {"clientId": credentials.client_id, "clientSecret": credentials.client_secret}
        settings["list"] = "\n".join(f"- `{number}`: {about}" for number, about in account_rows().items())
        settings["list"] += "\n\n[Download the contract](/openapi.json) with its provenance."
        settings["tryItOutEnabled"] = True
        _serve_here(shown, credentials)
    else:
        settings["list"] = "\n".join(_scheme(name, scheme) for name, scheme in schemes_of(shown).items())
        settings["supportedSubmitMethods"] = []
    template = Path(__file__).with_name("page.html").read_text("utf-8")
    start = template.rpartition("<script>")[2].partition("</script>")[0]
    # Inside a script, HTML reads these as its end or as a comment.
    bundle = re.sub(r"<(?=!--|/?script)", r"\\x3C", _asset("swagger-ui-bundle.js"), flags=re.IGNORECASE)
    policy = (
        f"default-src 'none'; script-src {_hash(bundle)} {_hash(start)}; style-src 'unsafe-inline'; img-src data:; "
        f"connect-src '{'self' if credentials else 'none'}'; base-uri 'none'; form-action 'none'"
    )
    return Template(template).substitute(
        policy=policy,
        title=html.escape(contract["info"]["title"]),
        css=_asset("swagger-ui.css"),
        contract=_json(shown),
        settings=_json(settings),
        bundle=bundle,
    )


def _sample(info: OperationInfo, parameters: list[dict[str, Any]]) -> str:
    """The call of an operation in Python, with the examples of its required parameters."""
    examples = {one["name"]: repr(one["example"]) for one in parameters if "example" in one}
    required = [name for name, one in signature(info.function).parameters.items() if one.default is one.empty]
    arguments = ", ".join(f"{name}={examples.get(name, '...')}" for name in required if name != "self")
    call = f"bridge.{info.group}.{info.iterator or info.name}({arguments})"
    use = f"    for item in {call}:\n        print(item)" if info.iterator else f"    print({call})"
    return f"```python\nfrom talkdesk_bridge import BridgeClient\n\nwith BridgeClient.from_env() as bridge:\n{use}\n```"


def _serve_here(contract: dict[str, Any], credentials: Credentials) -> None:
    """Point the contract at the sandbox, and add the accepted credential to each security scheme."""
    contract["servers"] = [{"url": "/", "description": "this sandbox"}]
    for scheme in schemes_of(contract).values():
        accepted = " with ".join(f"<code>{_text(part)}</code>" for part in credentials.of_kind(kind_of(scheme)))
        _add(scheme, f"This sandbox accepts {accepted}." if accepted else "This sandbox does not accept it.")
        match scheme:
            case {"type": "apiKey", "in": "header"}:
                scheme["name"] = credentials.api_key_header or scheme["name"]
            case {"flows": {"clientCredentials": flow}}:
                flow["tokenUrl"] = urlsplit(flow["tokenUrl"]).path


def _scheme(name: str, scheme: dict[str, Any]) -> str:
    """A security scheme on one line, for a page without the dialog for credentials."""
    kind = " ".join(str(scheme[key]) for key in ("type", "scheme", "in", "name") if key in scheme)
    return f"- **{_text(name)}** ({_text(kind)}) {' '.join(scheme.get('description', '').split())}"


def _mark(node: Any, original: Document) -> None:
    """Add the provenance of each element to its description, the only field that is shown for every element."""
    if isinstance(node, list):
        for inner in node:
            _mark(inner, original)
    elif isinstance(node, dict):
        for inner in node.values():
            _mark(inner, original)
        provenance = node.get(PROVENANCE)
        # A schema may have a property with this name.
        if isinstance(provenance, dict) and {"status", "source", "retrieved"} <= provenance.keys():
            if "$ref" in node:  # its description replaces that of the target
                node.setdefault("description", original.resolve(node).get("description", ""))
            _add(node, _mark_of(node.pop(PROVENANCE)))


def _mark_of(provenance: dict[str, Any], prefix: str = "") -> str:
    """A provenance on one line; an assumption is highlighted."""
    source = provenance["source"]
    link = f'<a href="{html.escape(source)}">source</a>' if source.startswith("https://") else _text(source)
    words = f"{prefix}{_text(provenance.get('note', ''))} ({link}, {_text(str(provenance['retrieved']))})"
    if provenance["status"] == "assumed":
        return f"<mark>assumed</mark> {words}"
    return f"<small><b>{_text(provenance['status'])}</b> {words}</small>"


def _add(element: dict[str, Any], text: str) -> None:
    texts = (element.get("description", ""), text)
    # Assumptions come first, so that neither a long text nor unclosed HTML can hide them.
    element["description"] = "\n\n".join(reversed(texts) if text.startswith("<mark>") else texts).strip()


def _text(text: str) -> str:
    """Text that is neither Markdown nor HTML."""
    return re.sub(r"[^A-Za-z0-9 ]", lambda found: f"&#{ord(found[0])};", " ".join(text.split()))


def _json(value: Any) -> str:
    """JSON that cannot end the script around it; dates from YAML become text."""
    return json.dumps(value, default=str).replace("<", "\\u003c")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return (SWAGGER_UI / name).read_text(encoding="utf-8")

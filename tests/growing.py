"""A contract that has grown: the pages in tests/contracts/pages/ become operations of a copy of the contract."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import CONTRACT, PATH, ROOT, alone
from tools.contract import Contract, load

PAGES = ROOT / "tests" / "contracts" / "pages"
DOCUMENTED = ROOT / "tests" / "documented"
SCHEMAS = "#/components/schemas/"
GUESSED = {"status": "assumed", "source": "a test", "retrieved": "2026-11-22", "note": "Made up."}


def page_of(name: str) -> dict[str, Any]:
    """A page as data, such as `get-account-details`."""
    page: dict[str, Any] = yaml.safe_load((PAGES / f"{name}.yaml").read_text(encoding="utf-8"))
    return page


def with_pages(*names: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    """A contract with the operations of pages: without descriptions, with two tags, and with a shared 4XX.

    Args:
        names: The pages.
        data: The contract to extend; by default the invoices alone.

    """
    data = data or alone()
    data["tags"] = [tag for tag in data["tags"] if tag["name"] != "accounts"]
    data["tags"].append({"name": "accounts", "x-provenance": GUESSED})
    first = data["paths"][PATH]["get"]
    refused = Contract(CONTRACT, data).resolve(first["responses"]["4XX"])
    data["components"].setdefault("responses", {})["Refused"] = refused
    first["responses"]["4XX"] = {"$ref": "#/components/responses/Refused"}
    for name in names:
        page = page_of(name)
        printed = {"status": "documented", "source": page["page"], "retrieved": page["retrieved"]}
        here = page.get("names", {})
        for schema, fragment in page["definitions"].items():
            own = {"x-provenance": printed} | _transcribed(fragment, here)
            data["components"]["schemas"].setdefault(here.get(schema, schema), own)
        body = {"$ref": SCHEMAS + page["responses"]["200"]}
        example = _example(data["components"]["schemas"], body)
        data["paths"][page["url"].removeprefix("https://your-url-here.com") + "{number}"] = {
            "x-provenance": printed,
            page["method"].lower(): {
                "operationId": name.replace("-", "_"),
                "tags": ["billing", "accounts"],
                "security": first["security"],
                "parameters": [
                    {"name": "number", "in": "path", "required": True, "x-provenance": GUESSED, "schema": {"type": "string"}}
                ],
                "responses": {
                    "200": {"description": "OK", "content": {"application/json": {"schema": body, "example": example}}},
                    "4XX": {"$ref": "#/components/responses/Refused"},
                },
            },
        }  # fmt: skip
    return data


def write(folder: Path, *names: str) -> None:
    """Edit a copy of the project as a maintainer does who adds pages: contract, fragments and the list of assumptions.

    The new parts stand before the old ones, where a test may look for the first occurrence of a text.
    """
    data, old = with_pages(*names, data=load(CONTRACT).data), load(CONTRACT).data
    components, text = data["components"], CONTRACT.read_text(encoding="utf-8")
    own = re.search(r"\n        4XX:\n          description:(?:.*\n)+?(?= {0,8}\S)", text)
    if own and "responses" not in old["components"]:
        text = text.replace(own[0], "\n        4XX: {$ref: '#/components/responses/Refused'}\n", 1)
        text = _inserted(
            text, "paths:\n", {path: data["paths"][path] for path in data["paths"].keys() - old["paths"]}, 2
        )
        schemas = components["schemas"].keys() - old["components"]["schemas"]
        text = _inserted(text, "\n  schemas:\n", {name: components["schemas"][name] for name in sorted(schemas)}, 4)
        text = _inserted(text, "components:\n", {"responses": components["responses"]}, 2)
        text = _inserted(text, "tags:\n", data["tags"][-1:], 2)
    else:
        text = yaml.safe_dump(data, sort_keys=False)
    (folder / "openapi.yaml").write_text(text, encoding="utf-8")
    assert load(folder / "openapi.yaml").data["paths"] == data["paths"]
    write_fragments(folder / "tests" / "documented", *names)
    page = folder / "docs" / "assumptions.md"
    row = "| path parameter and second tag of the other operations | `number`, `accounts` | `openapi.yaml` |\n"
    text = page.read_text(encoding="utf-8").replace("| path parameter |", f"{row}| path parameter |", 1)
    page.write_text(text, encoding="utf-8")


def _inserted(text: str, mark: str, part: Any, indent: int) -> str:
    """A contract with a part after the first occurrence of a mark."""
    part = json.loads(json.dumps(part))  # without anchors for what occurs twice
    lines = yaml.safe_dump(part, sort_keys=False, width=100).splitlines()
    block = "".join(f"{' ' * indent}{line}\n" for line in lines)
    return text.replace(mark, mark + block, 1)


def write_fragments(folder: Path, *names: str) -> None:
    """Copy the fragments of the invoices and of pages."""
    for file in (DOCUMENTED / "get-account-invoices.yaml", *(PAGES / f"{name}.yaml" for name in names)):
        shutil.copy(file, folder)


def _transcribed(node: Any, names: dict[str, str]) -> Any:
    """A fragment of Swagger 2 in the form of OpenAPI 3.1."""
    if isinstance(node, list):
        return [_transcribed(item, names) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        name = node["$ref"].rpartition("/")[2]
        return {"$ref": SCHEMAS + names.get(name, name)}
    return {key: _transcribed(value, names) for key, value in node.items()}


def _example(schemas: dict[str, Any], schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _example(schemas, schemas[schema["$ref"].removeprefix(SCHEMAS)])
    if schema["type"] == "object":
        return {name: _example(schemas, part) for name, part in schema["properties"].items()}
    if schema["type"] == "array":
        return [_example(schemas, schema["items"])]
    if schema["type"] == "integer":
        return 2
    return {"date": "2023-07-01", "date-time": "2023-07-01T00:00:00Z"}.get(schema.get("format", ""), "3700.00 usd")

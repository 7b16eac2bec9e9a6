"""A contract that has grown: the pages in tests/contracts/pages/ become operations of a copy of the contract."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import CONTRACT, PATH, ROOT
from tools.contract import load

PAGES = ROOT / "tests" / "contracts" / "pages"
DOCUMENTED = ROOT / "tests" / "documented"
SCHEMAS = "#/components/schemas/"
GUESSED = {"status": "assumed", "source": "a test", "retrieved": "2026-11-22", "note": "Made up."}


def page_of(name: str) -> dict[str, Any]:
    """A page as data, such as `get-account-details`."""
    page: dict[str, Any] = yaml.safe_load((PAGES / f"{name}.yaml").read_text(encoding="utf-8"))
    return page


def with_pages(*names: str) -> dict[str, Any]:
    """The contract with the operations of pages: without descriptions, with two tags, and with a shared 4XX."""
    data = copy.deepcopy(load(CONTRACT).data)
    data["tags"].append({"name": "accounts", "x-provenance": GUESSED})
    first = data["paths"][PATH]["get"]
    data["components"].setdefault("responses", {})["Refused"] = first["responses"]["4XX"]
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
    """Write a contract with pages, and their fragments, into a copy of the project."""
    data = yaml.safe_dump(with_pages(*names), sort_keys=False, allow_unicode=True, width=120)
    (folder / "openapi.yaml").write_text(data, encoding="utf-8")
    write_fragments(folder / "tests" / "documented", *names)


def write_fragments(folder: Path, *names: str) -> None:
    """Copy the fragments of the contract and of pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in (*DOCUMENTED.glob("*.yaml"), *(PAGES / f"{name}.yaml" for name in names)):
        if file.parent != folder:
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

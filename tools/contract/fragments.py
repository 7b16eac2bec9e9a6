"""Reads the files in tests/documented/, in the form of OpenAPI 3.1, and reports what is wrong in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from tools.contract.document import Contract, Finding, load
from tools.contract.messages import did_you_mean, short

FORMAT = yaml.safe_load(Path(__file__).with_name("fragment.schema.yaml").read_text(encoding="utf-8"))

# The keys of the parts that hold schemas.
SCHEMAS = ("parameters", "request", "responses", "definitions")
# Types of Swagger 2, and of pages that confuse types and formats, as types of OpenAPI 3.1.
TYPES = {
    "file": {"type": "string", "format": "binary"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}


def read(folder: Path) -> list[Contract]:
    """The files of the documented pages, with their places; findings name the file."""
    files = [load(file) for file in sorted(folder.glob("*.yaml"))]
    for file in files:
        found = file.findings or _faults(file)
        file.findings = [replace(finding, file=str(file.file)) for finding in found]
        file.data |= {key: modern(file.data[key]) for key in SCHEMAS if key in file.data and not file.findings}
    return files


def _faults(file: Contract) -> Iterator[Finding]:
    for error in Draft202012Validator(FORMAT).iter_errors(file.data):
        message = f"this is not a fragment of a page: {short(error.message)}. CONTRIBUTING.md describes the format."
        yield file.finding("documented", tuple(error.absolute_path), message)
    names, definitions = file.data.get("names"), file.data.get("definitions")
    for place, given, known in (((), file.data, FORMAT["properties"]), (("names",), names, definitions)):
        for key in [key for key in given or () if key not in (known or ())]:
            hint = did_you_mean(key, known or (), "remove it")
            where = " in `definitions`" if place else ""
            yield file.finding("documented", (*place, key), f"`{key}` is unknown{where}: {hint}")


def modern(printed: Any) -> Any:
    """A printed schema as OpenAPI 3.1 writes it, without what the client cannot have: unknown fields are kept."""
    if isinstance(printed, list):
        return [modern(one) for one in printed]
    if not isinstance(printed, dict):
        return printed
    found = {key: modern(value) for key, value in printed.items()}
    if isinstance(kind := found.get("type"), str):
        found |= TYPES.get(kind.lower(), {"type": kind.lower()})
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if found.get(exclusive) is True and limit in found:
            found[exclusive] = found.pop(limit)
    if found.get("additionalProperties") is False:
        del found["additionalProperties"]
    is_nullable = [key for key in ("nullable", "x-nullable") if found.get(key) is True and found.pop(key)]
    if is_nullable and "$ref" in found:
        return {"oneOf": [found, {"type": "null"}]}
    return found | {"type": [found["type"], "null"]} if is_nullable and "type" in found else found

"""Reads the files in tests/documented/, and reports what is wrong in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from tools.contract.document import Contract, Finding, load
from tools.contract.messages import did_you_mean, short

FORMAT = yaml.safe_load(Path(__file__).with_name("fragment.schema.yaml").read_text(encoding="utf-8"))


def read(folder: Path) -> list[Contract]:
    """The files of the documented pages, with their places; findings name the file."""
    files = [load(file) for file in sorted(folder.glob("*.yaml"))]
    for file in files:
        found = file.findings or _faults(file)
        file.findings = [replace(finding, file=str(file.file)) for finding in found]
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

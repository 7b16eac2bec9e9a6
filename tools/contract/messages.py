"""What is printed about a contract, and the phrases that findings are made of."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.contract.document import Contract, Finding, load


def did_you_mean(name: str, names: Iterable[Any], otherwise: str) -> str:
    """The remedy for a name that is not one of `names`: the closest of them, or what to do `otherwise`."""
    close = difflib.get_close_matches(name, map(str, names), 1)
    return f"did you mean `{close[0]}`? Else {otherwise}." if close else f"{otherwise}."


def short(message: str) -> str:
    """The beginning of a message, in one line."""
    text = " ".join(message.split()).rstrip(".")
    return text if len(text) <= 160 else f"{text[:160]}..."


def named(arguments: list[str]) -> Contract | None:
    """The contract that a command line names, by default openapi.yaml; None if it cannot be read, which is printed."""
    file = Path(next((argument for argument in arguments if not argument.startswith("-")), "openapi.yaml"))
    try:
        return load(file)
    except OSError as error:
        print(f"{file}: cannot be read: {error.strerror}. Name a contract with CONTRACT=path.", file=sys.stderr)
        return None


def report(contract: Contract, findings: list[Finding]) -> None:
    """Print the findings: for people, and with CI=true also as annotations in GitHub's form."""
    for finding in findings:
        message = " ".join(finding.message.split())
        print(f"{contract.file}:{finding.line}:{finding.column}: {message} [{finding.rule}]")
        if os.environ.get("CI") == "true":
            file = str(contract.file).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
            place = f"file={file},line={finding.line},col={finding.column},title={finding.rule}"
            print(f"::error {place}::{message.replace('%', '%25')}")
    if findings:
        print(f"{contract.file}: {len(findings)} finding{'s' if len(findings) > 1 else ''}.", file=sys.stderr)

"""Prints findings, and builds phrases that they share."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tools.contract.document import Contract, Finding, load


def did_you_mean(name: str, names: Iterable[Any], otherwise: str) -> str:
    """The remedy for a name that is not in `names`: the closest match if there is one, and `otherwise`."""
    close = difflib.get_close_matches(name, map(str, names), 1)
    return f"did you mean `{close[0]}`? If not, {otherwise}." if close else f"{otherwise}."


def short(message: str) -> str:
    """The first 160 characters of a message, on one line."""
    text = " ".join(message.split()).rstrip(".")
    return text if len(text) <= 160 else f"{text[:160]}..."


def command_parser(module: str) -> argparse.ArgumentParser:
    """A parser for `python -m module`, with the path of a contract as `file`."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("file", nargs="?", type=Path, default="openapi.yaml", help="default: openapi.yaml")
    return parser


def load_named(file: Path) -> Contract:
    """The contract named on the command line. If it cannot be read, prints why and exits with status 2."""
    try:
        return load(file)
    except OSError as error:
        print(f"{file}: cannot be read: {error.strerror}. Name a contract with CONTRACT=path.", file=sys.stderr)
        sys.exit(2)


def printable(text: str) -> str:
    """The text with escapes, as in Python, for characters except line breaks that are not printable."""
    return re.sub(r"[^\n -~]", lambda one: one[0] if one[0].isprintable() else ascii(one[0])[1:-1], text)


def report(contract: Contract, findings: Sequence[Finding]) -> None:
    """Print the findings, at most LIMIT (100; 0 for all); with CI=true also as GitHub annotations."""
    given = os.environ.get("LIMIT", "")
    limit = (int(given) if given.isdecimal() else 100) or len(findings)
    for finding in findings[:limit]:
        message, named = printable(" ".join(finding.message.split())), finding.file or str(contract.file)
        print(f"{named}:{finding.line}:{finding.column}: {message} [{finding.rule}]")
        if os.environ.get("CI") == "true":
            file = named.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
            place = f"file={file},line={finding.line},col={finding.column},title={finding.rule}"
            print(f"::error {place}::{message.replace('%', '%25')}")
    if len(findings) > limit:
        rules = Counter(finding.rule for finding in findings).most_common()
        print(f"The first {limit} are shown; LIMIT=0 shows all: {', '.join(f'{n} {rule}' for rule, n in rules)}.")
    if findings:
        print(f"{contract.file}: {len(findings)} finding{'s' if len(findings) > 1 else ''}.", file=sys.stderr)

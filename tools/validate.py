"""`make validate`: every finding about a contract in one run, each with its place and a sentence."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tools import documented, gate, hazards, rules
from tools.contract import STATUSES, Contract, Finding, load

RULES: tuple[Callable[[Contract], Iterator[Finding]], ...] = (
    rules.references,
    gate.openapi,
    rules.version,
    rules.operations,
    rules.names,
    rules.media_types,
    hazards.hazards,
    rules.examples,
    rules.provenance,
    documented.compare,
)


def validate(file: Path) -> tuple[Contract, list[Finding]]:
    """The contract in `file` and all that is wrong with it, in the order of the file.

    Raises:
        OSError: the file cannot be read.

    """
    contract = load(file)
    return contract, check(contract)


def check(contract: Contract) -> list[Finding]:
    """All that is wrong with a contract, in the order of its file."""
    findings = set(contract.findings)
    if contract.data:
        for rule in RULES:
            findings.update(rule(contract))
    return sorted(findings)


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


def main(arguments: list[str]) -> int:
    """Check the contract that is named; 0 when nothing was found, 1 with findings, 2 when it cannot be read."""
    file = Path(arguments[0] if arguments else "openapi.yaml")
    try:
        contract, findings = validate(file)
    except OSError as error:
        print(f"{file}: cannot be read: {error.strerror}. Name a contract with CONTRACT=path.", file=sys.stderr)
        return 2
    report(contract, findings)
    if findings:
        return 1
    statuses = Counter(element.status for element in contract.elements())
    counts = ", ".join(f"{statuses[status]} {status}" for status in STATUSES)
    print(f"{file}: valid. {len(list(contract.operations()))} operation(s); elements: {counts}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

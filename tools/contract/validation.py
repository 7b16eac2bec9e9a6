"""The list of all rules, in reading order."""

from __future__ import annotations

from tools.contract.document import Contract, Finding
from tools.contract.documented import compare
from tools.contract.examples import examples
from tools.contract.hazards import hazards
from tools.contract.names import names
from tools.contract.openapi import older, openapi, references
from tools.contract.provenance import provenance
from tools.contract.rules import rules

RULES = (references, openapi, rules, names, hazards, examples, provenance, compare)


def check(contract: Contract) -> list[Finding]:
    """The findings in a contract, in the order of its file."""
    if old := [*older(contract)]:
        return old
    findings = {*contract.findings}
    if contract.data:
        for rule in RULES:
            findings.update(rule(contract))
    return sorted(findings)

"""`python -m tools.contract openapi.yaml`: what `make validate` runs."""

from __future__ import annotations

import sys
from collections import Counter

from tools.contract import STATUSES, check, command_parser, load_named, report


def main(arguments: list[str]) -> int:
    """Check the named contract. Returns 0 or, with findings, 1. Exits with status 2 if the file cannot be read."""
    contract = load_named(command_parser("tools.contract").parse_args(arguments).file)
    findings = check(contract)
    report(contract, findings)
    if findings:
        return 1
    statuses = Counter(element.status for element in contract.elements())
    counts = ", ".join(f"{statuses[status]} {status}" for status in STATUSES)
    print(f"{contract.file}: valid. {len(list(contract.operations()))} operation(s); elements: {counts}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

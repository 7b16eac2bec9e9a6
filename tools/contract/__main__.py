"""`python -m tools.contract openapi.yaml`: what `make validate` runs."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tools.contract import STATUSES, command_parser, load_named
from tools.generate import PACKAGE, GenerationError, check_and_generate


def main(arguments: list[str]) -> int:
    """Check the named contract. Returns 0 or, with findings, 1. Exits with status 2 if the file cannot be read."""
    contract = load_named(command_parser("tools.contract").parse_args(arguments).file)
    try:
        # What `make generate` would reject is a finding too, so the contract is generated, and the result thrown away.
        with tempfile.TemporaryDirectory() as folder:
            if not check_and_generate(contract, Path(folder, PACKAGE)):
                return 1
    except (GenerationError, OSError) as error:
        print(f"{contract.file}: {error}", file=sys.stderr)
        return 1 if isinstance(error, GenerationError) else 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    statuses = Counter(element.status for element in contract.elements())
    counts = ", ".join(f"{statuses[status]} {status}" for status in STATUSES)
    print(f"{contract.file}: valid. {len(list(contract.operations()))} operation(s); elements: {counts}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

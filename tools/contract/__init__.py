"""`make validate`: reads a contract and reports findings, each with its line and column.

Other tools import from here: `load` reads a file into a `Contract` (for commands: `command_parser`, `load_named`),
`check` applies the rules, `report` prints the findings, and the rest are helpers to read a contract. tools/generate/
also imports `names`, `examples` and `hazards`, which need the generator and the validators. In reading order:

- `elements`: the parts of a contract that have a provenance. `document`: YAML data with the place of every value.
  `forms`: the one form for what OpenAPI allows in several.
- `rules`: the list of rules, and what every operation needs. `openapi`: valid OpenAPI and references. `names`: names in
  Python. `hazards`: shapes that the generator silently misreads. `examples`. `provenance`. `documented`: compares the
  contract with the fragments of pages in tests/documented/, which `fragments` reads. `signatures`: schemas in words
  that can be compared.
- `messages`: prints findings. `__main__`: the command.
"""

from __future__ import annotations

from tools.contract.document import Contract, Finding, load
from tools.contract.elements import (
    CARRIERS,
    METHODS,
    PROVENANCE,
    STATUSES,
    Element,
    Where,
    is_reference,
    mapping,
    separator,
    sequence,
)
from tools.contract.messages import command_parser, load_named, printable, report, short
from tools.contract.signatures import aliases, signature


def check(contract: Contract) -> list[Finding]:
    """The findings in a contract, in the order of its file."""
    from tools.contract import rules  # here, because environments that only read a contract lack validators

    return rules.check(contract)

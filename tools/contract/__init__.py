"""The room of `make validate`: reads a contract, and says what is wrong with it, each finding with its place.

Others use what is named here: `load` reads a file into a `Contract` (`named` the one of a command line), `check`
applies the rules, `report` prints what they found; the rest are the words in which a contract is read. tools/generate/
also uses `names` and `examples`, which need the generator and the validators. The modules, in the order of reading:

- `elements`: the parts of a contract that have a provenance; `document`: YAML with the place of every value.
- `validation`: the list of rules. `openapi`: valid OpenAPI, references included; `rules`: what an operation needs;
  `names`: what things are called in Python; `hazards`: what the generator would misread without a word; `examples`;
  `provenance`; `documented`: the contract against the printed fragments in tests/documented/.
- `messages`: what is printed. `__main__`: the command.
"""

from __future__ import annotations

from tools.contract.document import Contract, Finding, load
from tools.contract.documented import aliases, signature
from tools.contract.elements import METHODS, PROVENANCE, STATUSES, Element, Where, is_reference, mapping, sequence
from tools.contract.messages import named, report

__all__ = [
    "METHODS",
    "PROVENANCE",
    "STATUSES",
    "Contract",
    "Element",
    "Finding",
    "Where",
    "aliases",
    "check",
    "is_reference",
    "load",
    "mapping",
    "named",
    "report",
    "sequence",
    "signature",
]


def check(contract: Contract) -> list[Finding]:
    """All that is wrong with a contract, in the order of its file."""
    from tools.contract import validation  # here: environments that only read a contract have no validators

    return validation.check(contract)

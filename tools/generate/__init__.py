"""The room of `make generate`: writes generated/ from a contract, and proves that all of the contract arrived there.

Others use what is named here: `generate` writes a package; `lock` says what a package was written from; `offered` says
what packages offer to callers; the names that the generator gives. The modules, in the order of reading:

- `__main__`: the command, which compares and replaces. `generator`: runs openapi-python-client, and completes its work.
- `annotations`: the contract as the generator reads it. `lock`: the facts that decide a package.
- `roundtrip`: the proof. `models` and `operations` are its two halves, `samples` what they put through the generated
  code, `comparison` what came of a sample.
- `introspect`: what packages offer, for `make changes`.
"""

from __future__ import annotations

from tools.contract.names import class_name, iterator_name, python_name
from tools.generate import lock
from tools.generate.generator import GENERATED, PACKAGE, ROOT, GenerationError, generate
from tools.generate.introspect import ProbeError, offered

__all__ = [
    "GENERATED",
    "PACKAGE",
    "ROOT",
    "GenerationError",
    "ProbeError",
    "class_name",
    "generate",
    "iterator_name",
    "lock",
    "offered",
    "python_name",
]

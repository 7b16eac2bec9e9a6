"""`make generate`: writes generated/ from a contract, and proves that the generated code covers the whole contract.

Other tools import from here: `generate` writes a package, `lock` records its inputs, `offered` lists the public names
of packages, and the naming functions return the names that the generator chooses. The modules, in reading order:

- `__main__`: the command, which compares and replaces. `generator`: runs openapi-python-client, and completes its work.
- `annotations`: prepares the contract for the generator. `lists`: finds the lists, and how they are paged.
- `rejections`: what the generator rejects in the contract. `lock`: the inputs that decide the generated files.
- `roundtrip`: the proof. `models` and `operations` are its two halves. `samples` makes the values that they put through
  the generated code.
- `introspect`: lists the public names of packages, for `make changes`.
"""

from __future__ import annotations

from tools.contract.names import class_name, iterator_name, python_name
from tools.generate import lock
from tools.generate.generator import GENERATED, PACKAGE, ROOT, GenerationError, check_and_generate, generate
from tools.generate.introspect import ProbeError, offered

"""Findings for the parts of a contract that openapi-python-client rejects, each with its place and a remedy."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from openapi_python_client.parser.errors import GeneratorError

from tools.contract import Contract, Finding, Where, short
from tools.contract.names import class_name

RULE = "generator"
FOLLOWING = "Could not find reference"  # the header of an error that only follows from another one


def rejections(contract: Contract, errors: Iterable[GeneratorError]) -> list[Finding]:
    """The findings for the errors and warnings of the generator."""
    given = [(error.header, error.detail or "") for error in errors]
    causes = [pair for pair in given if FOLLOWING not in pair[1]] or given
    return sorted({_rejection(contract, header.strip(), detail) for header, detail in causes})


def _rejection(contract: Contract, header: str, detail: str) -> Finding:
    # The second sentence lists what the first one removes; the generator also prints objects instead of their text.
    why = re.sub(r"<[\w.]+ object at 0x\w+> ?", "", detail.partition("\n\nFailure to")[0] or header.rstrip(":"))
    if same := re.search(r'(?:conflicting enums named |duplicate models with name ")(\w+)', detail):
        message = f"two parts of the contract become the Python class `{same[1]}`: rename one of them."
        return contract.finding(RULE, _place_of_class(contract, same[1]), message)
    where: Where = ()
    if operation := re.search(r"\b([A-Z]+) (/\S*) within ", header):
        where = ("paths", operation[2], operation[1].lower())
    elif component := re.search(r"/components/(\w+)/([\w.-]+)", header):
        where = ("components", component[1], component[2])
    message = f"the generator rejects this: {short(why)}. Write it in another form, or remove it."
    return contract.finding(RULE, where, message)


def shared_modules(contract: Contract, models: Path) -> Iterator[Finding]:
    """A finding for each module of models that two classes need, of which the generator keeps one."""
    classes = defaultdict(list)
    for module, name in re.findall(r"(?m)^from \.(\w+) import (\w+)$", models.read_text(encoding="utf-8")):
        classes[module].append(name)
    for module, (first, *others) in classes.items():
        for other in others:
            message = f"the classes `{first}` and `{other}` both become the module `{module}`: rename one of them."
            yield contract.finding(RULE, _place_of_class(contract, other), message)


def _place_of_class(contract: Contract, name: str) -> Where:
    """The place of the schema or property that becomes a class, or that contains it."""
    found: dict[str, Where] = {}
    for element in contract.elements("schema", "property"):
        found.setdefault(class_name(element.name), element.where)
    longest = max((key for key in found if name.startswith(key)), key=len, default="")
    return found.get(longest, ())

"""The rule `name`: each name in the contract becomes a Python name that is valid, not reserved, and unique."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from openapi_python_client.strings import ClassName, PythonIdentifier

from tools.contract.document import Contract, Finding
from tools.contract.elements import Where, mapping, sequence

# Reserved names: attributes of the client, members of generated models, and classes beside them.
TAGS = {"auth", "authenticate", "base_url", "close", "each", "from_env", "with_options", "with_response"}
PROPERTIES = {"additional_properties", "additional_keys", "to_dict", "from_dict", "to_multipart"}
CLASSES = {"AMOUNTS", "FIELDS", "OPERATIONS", "AsyncOperations", "ClassVar", "IntEnum", "Operations", "StrEnum", "UUID"}


@dataclass
class Scope:
    """A set of names that must be unique. Each finding ends with `remedy`."""

    contract: Contract
    remedy: str = "rename it"
    reserved: set[str] = field(default_factory=set)
    taken: dict[str, str] = field(default_factory=dict)
    """The name in the contract, by Python name."""

    def check(self, where: Where, kind: str, written: str, python: str) -> Iterator[Finding]:
        """A finding if the name is invalid, reserved or taken in this scope."""
        message = ""
        if not python.isidentifier() or python.startswith("_"):
            message = f"the {kind} `{written}` becomes `{python}`, which is not a valid Python name"
        elif python in self.reserved:
            message = f"the {kind} `{written}` becomes `{python}`, which the client reserves"
        elif (other := self.taken.setdefault(python, written)) != written:
            message = f"the {kind} `{written}` becomes `{python}`, which `{other}` already uses"
        if message:
            yield self.contract.finding("name", where, f"{message}: {self.remedy}.")


def names(contract: Contract) -> Iterator[Finding]:
    """Every tag, operation, parameter, schema and property gets a valid, unique Python name."""
    classes = Scope(contract, reserved=CLASSES)
    yield from _operations(contract, classes)
    for name in mapping(contract.at(("components", "schemas"))):
        yield from classes.check(("components", "schemas", name), "schema", name, class_name(name))
    for element in contract.elements("schema", "property"):
        fields = Scope(contract, "remove it; its values stay in `additional_properties`", PROPERTIES)
        for name in mapping(element.node.get("properties")):
            yield from fields.check((*element.where, "properties", name), "property", name, python_name(name))


def _operations(contract: Contract, classes: Scope) -> Iterator[Finding]:
    tags = Scope(contract, reserved=TAGS)
    methods: dict[str, Scope] = {}
    for where, operation in contract.operations():
        tag, name = str((sequence(operation.get("tags")) or ["default"])[0]), str(operation.get("operationId", "none"))
        yield from tags.check((*where, "tags", 0), "tag", tag, python_name(tag))
        for group in (class_name(python_name(tag)), f"Async{class_name(python_name(tag))}"):
            yield from classes.check((*where, "tags", 0), "tag", tag, f"{group}Operations")
        scope = methods.setdefault(python_name(tag), Scope(contract))
        for method in (python_name(name), iterator_name(python_name(name))):
            yield from scope.check((*where, "operationId"), "operationId", name, method)
        body = {"body"} if "requestBody" in operation else set()
        arguments = Scope(contract, "rename it if the bridge allows that", body)
        for place, parameter in contract.parameters(where):
            written = str(parameter.get("name"))
            yield from arguments.check(place, "parameter", written, python_name(written))


def class_name(name: str) -> str:
    """The name of the class that the generator makes from a schema."""
    return str(ClassName(name, ""))


def python_name(name: str) -> str:
    """The Python name that the generator gives a property, a parameter, an operation or a tag."""
    return str(PythonIdentifier(name, ""))


def iterator_name(method: str) -> str:
    """The name of the iterator over all items of an operation, as in tools/templates/endpoint_init.py.jinja."""
    verb, _, plural = method.partition("_")
    return f"iter_{plural}" if verb in ("get", "list") and plural else f"iter_{method}"

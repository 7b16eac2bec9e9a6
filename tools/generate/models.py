"""The proof for schemas: samples must pass through the generated models unchanged."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

from tools.contract import aliases, mapping
from tools.contract.examples import errors_of
from tools.contract.names import class_name, python_name
from tools.generate.comparison import Part, attributes, differences, fits
from tools.generate.samples import EXTRA, hints_of, samples


class Schema(Part):
    """A schema in the contract's components, with the generated package to compare."""

    def __str__(self) -> str:
        return f"the schema `{self.where[-1]}`"

    def missing(self) -> Iterator[str]:
        """The faults of the schema's class, each as the end of a sentence about the schema."""
        name, schema = str(self.where[-1]), self.contract.at(self.where)
        other = aliases(self.contract).get(name)
        expected = samples(self.contract, schema)
        if not expected and not self._has_file():
            yield "has no finite value, as each contains another one (make a property optional or nullable)"
        if not self._is_class(self.contract.resolve(schema["allOf"][0]) if other else schema, expected):
            return
        model = getattr(self.generated.models, class_name(name), None)
        if model is None:
            yield f"has no class `{class_name(name)}`"
        elif other and model is not getattr(self.generated.models, class_name(other), None):
            yield f"is not the class `{class_name(other)}`"
        elif issubclass(model, enum.Enum):
            if {member.value for member in model} != {*expected}:
                yield f"does not have exactly the values {', '.join(map(str, expected))}"
        else:
            for sample in expected:
                yield from self._changed(model, schema, sample)

    def _has_file(self) -> bool:
        """Whether a value can contain a file, for which there are no samples."""
        nodes = [self.contract.at(where) for where in (self.where, *self.contract.reached(self.where))]
        return "'format': 'binary'" in str(nodes)

    def _is_class(self, schema: Any, expected: list[Any]) -> bool:
        """Whether the generator makes a class for a component, instead of inlining its type."""
        schema = mapping(self.contract.resolve(schema))
        if "enum" in schema:
            return not all(isinstance(value, bool) for value in expected)
        is_union = schema.keys() & {"oneOf", "anyOf"} or isinstance(schema.get("type"), list)
        return not is_union and any(isinstance(sample, dict) for sample in expected)

    def _changed(self, model: Any, schema: Any, sample: dict[str, Any]) -> Iterator[str]:
        """The faults of a model that samples show.

        A model must read the complete sample unchanged, and the same sample with one field absent or null only if the
        contract allows that.
        """
        fields = {name: python_name(name) for name in sample if name != EXTRA}
        if hints_of(model).get("additional_properties") == dict[str, Any]:
            sample = {**sample, EXTRA: "kept"}
        # `fields` lacks fields without a sample, such as files.
        if not fields.items() <= model.FIELDS.items() or sorted(model.FIELDS.values()) != sorted(attributes(model)):
            yield "is not described by FIELDS"
            return
        wrong = self._unread(model, sample, "with every property")
        if wrong:
            wrong = self.flaws(schema, sample) or wrong
        for name in fields if not wrong else ():
            others = {key: value for key, value in sample.items() if key != name}
            for given, what in ((others, f"without `{name}`"), ({**others, name: None}, f"with null as `{name}`")):
                wrong += self._unread(model, given, what, is_allowed=self._is_allowed(schema, given, name))
        yield from wrong

    def _is_allowed(self, schema: Any, given: dict[str, Any], name: str) -> bool:
        """Whether the field may be absent or null as in `given`. Other faults of the sample are ignored."""
        errors = errors_of(self.contract.data.get("components"), schema, given)
        places = {(*error.absolute_path, error.message)[0] for error in errors}
        return not places & {name, f"{name!r} is a required property"}

    def _unread(self, model: Any, given: dict[str, Any], what: str, *, is_allowed: bool = True) -> list[str]:
        try:
            read = model.from_dict(given, self.generated.places.Place(strict=True))
        except ValueError as error:
            return [f"does not read an object {what}: {error}"] if is_allowed else []
        if not is_allowed:
            return [f"reads an object {what}, which is not allowed"]
        wrong = differences(self.generated, read, {name: value for name, value in given.items() if value is not None})
        return wrong or ([] if fits(read, model) else ["does not have its declared types"])

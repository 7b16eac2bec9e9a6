"""The proof for schemas: samples must pass through the generated models unchanged.

Here is also what both halves of the proof share: `Part`, `differences` and `fits`.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tools.contract import Contract, Where, aliases, mapping, short
from tools.contract.examples import errors_of
from tools.contract.names import class_name, python_name
from tools.generate.samples import EXTRA, hints_of, samples

# Limits on values, which samples may exceed because generated code does not know them.
LIMITS = {"pattern", "format", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
LIMITS |= {"multipleOf"}


@dataclass
class Part:
    """A part of the contract, with the generated package to compare."""

    contract: Contract
    generated: ModuleType
    where: Where
    """Its place in the contract."""

    def flaws(self, schema: Any, sample: Any) -> list[str]:
        """Why a sample cannot prove anything: at most one fault, if the sample is not valid against its schema."""
        for error in errors_of(self.contract.data.get("components"), schema, sample):
            # A sample for one alternative of `oneOf` may fit others too; the generated code must choose the right one.
            if error.validator not in LIMITS and "is valid under each of" not in error.message:
                why = f"the sample that is made for it is not valid at {error.json_path}: {short(error.message)}"
                return [f"cannot be verified, as {why}"]
        return []


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


def differences(generated: ModuleType, value: Any, sample: Any) -> list[str]:
    """The differences between a value and the sample that it was read from, one message each."""
    unknown = [f"lost the property `{name}`: it is read as `{kind}`, which has none" for name, kind in _unknown(value)]
    back = generated.base.to_json(value)
    if unknown or back == sample:
        return unknown
    if not isinstance(back, dict) or not isinstance(sample, dict):
        return ["changes the value"]
    return [f"changes `{name}`" for name in {**sample, **back} if back.get(name) != sample.get(name)]


def _unknown(value: Any) -> Iterator[tuple[str, str]]:
    """The fields that a model, or a model inside it, read as unknown, each with the name of that model."""
    unknown = getattr(value, "additional_properties", {})
    yield from ((name, type(value).__name__) for name in unknown if name != EXTRA)
    inner = value if isinstance(value, list) else [getattr(value, name) for name in attributes(value)]
    for item in (*inner, *unknown.values()):
        yield from _unknown(item)


def attributes(value: Any) -> list[str]:
    """The attributes of a model class or instance that are fields of the contract."""
    return [field.name for field in getattr(value, "__attrs_attrs__", ()) if field.name != "additional_properties"]


def fits(value: Any, hint: Any) -> bool:
    """Whether a value, including nested values, has a type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if origin is list:
        return isinstance(value, list) and all(fits(item, inner[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(item, inner[1]) for item in value.values())
    if origin is typing.Literal or hint is None:
        return value in inner or value is hint
    if not hasattr(hint, "from_dict"):
        return hint is Any or isinstance(value, (int, float) if hint is float else hint)
    hints = hints_of(hint)
    names = [*attributes(value), *(["additional_properties"] if hasattr(value, "additional_properties") else [])]
    return type(value) is hint and all(fits(getattr(value, name), hints[name]) for name in names)

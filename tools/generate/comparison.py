"""Compares a sample with the value that generated code read from it, and with the declared types."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tools.contract import Contract, Where, short
from tools.contract.examples import errors_of
from tools.generate.samples import EXTRA, hints_of

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

# Generated from openapi.yaml by `make generate`: edits are lost.
"""Code that all models share: unknown fields, readers of models, and helpers of `from_dict` and `to_dict`."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from enum import Enum
from reprlib import recursive_repr
from typing import Any, Generic, TypeVar
from uuid import UUID

from .places import MisfitError, Place, kind_of, member
from .reading import ABSENT, Reader, unreadable

__all__ = ["OpenModel", "as_dict", "completed", "model", "models", "new", "read_others", "short_repr", "to_json"]

ItemT = TypeVar("ItemT")
new = object.__new__


class OpenModel(Generic[ItemT]):
    """A model that keeps unknown fields: `model["name"]` is one of them, `additional_properties` has all."""

    __slots__ = ()
    additional_properties: dict[str, ItemT]

    @property
    def additional_keys(self) -> list[str]:
        """The names of the unknown fields."""
        return [*self.additional_properties]

    def __getitem__(self, key: str) -> ItemT:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: ItemT) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


@recursive_repr()
def short_repr(model: Any) -> str:
    """The `repr` of a model: its fields that have a value; of a field that is a list, at most three items."""
    values = {name: getattr(model, name) for name in model.FIELDS.values()}
    values["additional_properties"] = getattr(model, "additional_properties", None) or None
    shown = [f"{name}={_shortened(value)}" for name, value in values.items() if value is not None]
    return f"{type(model).__name__}({', '.join(shown)})"


def _shortened(value: Any) -> str:
    if not isinstance(value, list) or len(value) <= 3:
        return repr(value)
    return f"[{', '.join(map(repr, value[:3]))}, ... {len(value) - 3} more]"


def as_dict(value: Any) -> dict[str, Any]:
    """A plain dict with the content of a mapping.

    Raises:
        MisfitError: the value is not a mapping.

    """
    if isinstance(value, Mapping):
        return dict(value)
    raise MisfitError("object", kind_of(value))


def completed(data: dict[str, Any], names: Iterable[str], required: Iterable[str]) -> dict[str, Any]:
    """The object with ABSENT for each missing field.

    Raises:
        MisfitError: A required field is missing.

    """
    for name in required:
        if name not in data:
            raise MisfitError(f"object with `{name}`", "object without it")
    return dict.fromkeys(names, ABSENT) | data


def read_others(others: dict[str, Any], reader: Reader, here: Place) -> None:
    """Read the unknown fields in place, if the contract gives their type."""
    for name, value in others.items():
        try:
            others[name] = reader(value, here, ".*")
        except MisfitError as misfit:
            misfit.place = member(name) + misfit.place.removeprefix(".*")
            raise


def model(kind: Any) -> Reader:
    """A reader of a model, made from its class."""

    def read(value: Any, here: Place, step: str) -> Any:
        if value is ABSENT:
            return None
        try:
            return kind.from_dict(value, here.inside[step])
        except MisfitError as misfit:
            misfit.place = step + misfit.place
            raise

    return read


def models(kind: Any) -> Reader:
    """A reader of a list of models: like `reading.array(model(kind))`, but with one call less for each item."""
    from_dict = kind.from_dict

    def read(value: Any, here: Place, step: str) -> Any:
        if value.__class__ is not list:
            return unreadable("array", value, step)
        inside = here.inside[f"{step}[*]"]
        items: list[Any] = []
        try:
            for item in value:
                items.append(from_dict(item, inside))
        except MisfitError as misfit:
            misfit.place = f"{step}[{len(items)}]{misfit.place}"
            raise
        return items

    return read


def to_json(value: Any) -> Any:
    """The JSON value of a model's field."""
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return str(value)
    return value.to_dict() if hasattr(value, "to_dict") else value

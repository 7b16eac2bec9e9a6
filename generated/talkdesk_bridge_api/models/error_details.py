# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

import typing as _typing
from collections import abc as _abc
from typing import ClassVar

import attrs as _attrs

from .. import base as _base
from .. import places as _places
from .. import reading as _reading


@_attrs.define(kw_only=True)
class ErrorDetails(_base.OpenModel[_typing.Any]):
    """Assumed: one fault of a request. Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    FIELDS: ClassVar[dict[str, str]] = {
        "message": "message",
        "properties": "properties",
        "stackTrace": "stack_trace",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: ClassVar[tuple[str, ...]] = ()
    """The attributes that are amounts of money: `x-money` in the contract."""

    message: str | None = None
    """ Assumed: the fault, such as "must be an integer of at least 1". """
    properties: ErrorDetailsProperties | None = None
    """ Assumed: the place of a fault in a request. Documented: https://docs.talkdesk.com/reference/get-account-invoices """
    stack_trace: str | None = None
    """ Assumed: the stack trace of the bridge; it belongs in logs. """
    additional_properties: dict[str, _typing.Any] = _attrs.field(init=False, factory=dict)

    __repr__ = _base.short_repr

    @classmethod
    def from_dict(cls, src_dict: _abc.Mapping[str, _typing.Any], here: _places.Place | None = None) -> _typing.Self:
        """Read a JSON object, as `json.loads` returns it, leniently.

        Args:
            src_dict: The object. Numbers keep all digits if they were parsed with `parse_float=reading.Number`.
            here: Counts deviations, or raises the first one if it is strict.

        Raises:
            MisfitError: A value cannot be read, or deviates and `here` is strict. It is a ValueError.

        """
        if here is None:
            here = _places.Place()
        if src_dict.__class__ is not dict:
            src_dict = _base.as_dict(src_dict)
        try:
            message_ = src_dict["message"]
            properties_ = src_dict["properties"]
            stack_trace_ = src_dict["stackTrace"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(_base.completed(src_dict, cls.FIELDS, required=()), here)
        model = _base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if message_.__class__ is not str:
            if message_ is None:
                here.counts["string | null"][".message"] += 1
            else:
                message_ = _reading.string(message_, here, ".message")
        model.message = message_
        if properties_ is None:
            here.counts["object | null"][".properties"] += 1
        else:
            properties_ = _READ_properties(properties_, here, ".properties")
        model.properties = properties_
        if stack_trace_.__class__ is not str:
            if stack_trace_ is None:
                here.counts["string | null"][".stackTrace"] += 1
            else:
                stack_trace_ = _reading.string(stack_trace_, here, ".stackTrace")
        model.stack_trace = stack_trace_
        others: dict[str, _typing.Any] = {}
        if len(src_dict) != 3:
            others = src_dict.copy()
            del others["message"], others["properties"], others["stackTrace"]
        model.additional_properties = others
        return model

    def to_dict(self) -> dict[str, _typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, _typing.Any] = {**self.additional_properties}
        if self.message is not None:
            data["message"] = self.message
        if self.properties is not None:
            data["properties"] = _base.to_json(self.properties)
        if self.stack_trace is not None:
            data["stackTrace"] = self.stack_trace
        return data


# Below the class, because models may refer to each other, and so do the readers of their fields.
from ..models.error_details_properties import ErrorDetailsProperties

_READ_properties = _base.model(ErrorDetailsProperties)

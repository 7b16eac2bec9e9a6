# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

import typing
from collections import abc

import attrs as _attrs

from .. import base, places, reading


@_attrs.define(kw_only=True)
class ErrorDetails(base.OpenModel[typing.Any]):
    """Assumed: one fault of a request. Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    FIELDS: typing.ClassVar[dict[str, str]] = {
        "message": "message",
        "properties": "properties",
        "stackTrace": "stack_trace",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: typing.ClassVar[tuple[str, ...]] = ()
    """The attributes that are amounts of money: `x-money` in the contract."""

    message: str | None = None
    """ Assumed: the fault, such as "must be an integer of at least 1". """
    properties: ErrorDetailsProperties | None = None
    """ Assumed: the place of a fault in a request. Documented: https://docs.talkdesk.com/reference/get-account-invoices """
    stack_trace: str | None = None
    """ Assumed: the stack trace of the bridge; it belongs in logs. """
    additional_properties: dict[str, typing.Any] = _attrs.field(init=False, factory=dict)

    __repr__ = base.short_repr

    @classmethod
    def from_dict(cls, src_dict: abc.Mapping[str, typing.Any], here: places.Place | None = None) -> typing.Self:
        """Read a JSON object, as `json.loads` returns it, leniently.

        Args:
            src_dict: The object. Numbers keep all digits if they were parsed with `parse_float=reading.Number`.
            here: Counts deviations, or raises the first one if it is strict.

        Raises:
            MisfitError: A value cannot be read, or deviates and `here` is strict. It is a ValueError.

        """
        if here is None:
            here = places.Place()
        if src_dict.__class__ is not dict:
            src_dict = base.as_dict(src_dict)
        try:
            _message = src_dict["message"]
            _properties = src_dict["properties"]
            _stack_trace = src_dict["stackTrace"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(base.completed(src_dict, cls.FIELDS, required=()), here)
        model = base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if _message.__class__ is not str:
            if _message is None:
                here.counts["string | null"][".message"] += 1
            else:
                _message = reading.string(_message, here, ".message")
        model.message = _message
        if _properties is None:
            here.counts["object | null"][".properties"] += 1
        else:
            _properties = _READ_properties(_properties, here, ".properties")
        model.properties = _properties
        if _stack_trace.__class__ is not str:
            if _stack_trace is None:
                here.counts["string | null"][".stackTrace"] += 1
            else:
                _stack_trace = reading.string(_stack_trace, here, ".stackTrace")
        model.stack_trace = _stack_trace
        others: dict[str, typing.Any] = {}
        if len(src_dict) != 3:
            others = src_dict.copy()
            del others["message"], others["properties"], others["stackTrace"]
        model.additional_properties = others
        return model

    def to_dict(self) -> dict[str, typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, typing.Any] = {**self.additional_properties}
        if self.message is not None:
            data["message"] = self.message
        if self.properties is not None:
            data["properties"] = base.to_json(self.properties)
        if self.stack_trace is not None:
            data["stackTrace"] = self.stack_trace
        return data


# Below the class, because models may refer to each other, and so do the readers of their fields.
from ..models.error_details_properties import ErrorDetailsProperties

_READ_properties = base.model(ErrorDetailsProperties)

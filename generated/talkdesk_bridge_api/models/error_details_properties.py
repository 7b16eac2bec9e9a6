# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

import typing
from collections import abc

import attrs as _attrs

from .. import base, places, reading


@_attrs.define(kw_only=True)
class ErrorDetailsProperties(base.OpenModel[typing.Any]):
    """Assumed: the place of a fault in a request. Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    FIELDS: typing.ClassVar[dict[str, str]] = {
        "lineNumber": "line_number",
        "parameterLocation": "parameter_location",
        "parameterName": "parameter_name",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: typing.ClassVar[tuple[str, ...]] = ()
    """The attributes that are amounts of money: `x-money` in the contract."""

    line_number: int | None = None
    """ Assumed: the line of the request body, counted from 1, such as 2. """
    parameter_location: str | None = None
    """ Assumed: the part of the request that has the parameter, such as "query". """
    parameter_name: str | None = None
    """ Assumed: the name of the parameter, such as "page". """
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
            _line_number = src_dict["lineNumber"]
            _parameter_location = src_dict["parameterLocation"]
            _parameter_name = src_dict["parameterName"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(base.completed(src_dict, cls.FIELDS, required=()), here)
        model = base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if _line_number.__class__ is not int:
            if _line_number is None:
                here.counts["integer | null"][".lineNumber"] += 1
            else:
                _line_number = reading.integer(_line_number, here, ".lineNumber")
        model.line_number = _line_number
        if _parameter_location.__class__ is not str:
            if _parameter_location is None:
                here.counts["string | null"][".parameterLocation"] += 1
            else:
                _parameter_location = reading.string(_parameter_location, here, ".parameterLocation")
        model.parameter_location = _parameter_location
        if _parameter_name.__class__ is not str:
            if _parameter_name is None:
                here.counts["string | null"][".parameterName"] += 1
            else:
                _parameter_name = reading.string(_parameter_name, here, ".parameterName")
        model.parameter_name = _parameter_name
        others: dict[str, typing.Any] = {}
        if len(src_dict) != 3:
            others = src_dict.copy()
            del others["lineNumber"], others["parameterLocation"], others["parameterName"]
        model.additional_properties = others
        return model

    def to_dict(self) -> dict[str, typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, typing.Any] = {**self.additional_properties}
        if self.line_number is not None:
            data["lineNumber"] = self.line_number
        if self.parameter_location is not None:
            data["parameterLocation"] = self.parameter_location
        if self.parameter_name is not None:
            data["parameterName"] = self.parameter_name
        return data

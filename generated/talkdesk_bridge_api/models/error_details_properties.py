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
class ErrorDetailsProperties(_base.OpenModel[_typing.Any]):
    """Assumed: the place of a fault in a request. Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    FIELDS: ClassVar[dict[str, str]] = {
        "lineNumber": "line_number",
        "parameterLocation": "parameter_location",
        "parameterName": "parameter_name",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: ClassVar[tuple[str, ...]] = ()
    """The attributes that are amounts of money: `x-money` in the contract."""

    line_number: int | None = None
    """ Assumed: the line of the request body, counted from 1, such as 2. """
    parameter_location: str | None = None
    """ Assumed: the part of the request that has the parameter, such as "query". """
    parameter_name: str | None = None
    """ Assumed: the name of the parameter, such as "page". """
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
            line_number_ = src_dict["lineNumber"]
            parameter_location_ = src_dict["parameterLocation"]
            parameter_name_ = src_dict["parameterName"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(_base.completed(src_dict, cls.FIELDS, required=()), here)
        model = _base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if line_number_.__class__ is not int:
            if line_number_ is None:
                here.counts["integer | null"][".lineNumber"] += 1
            else:
                line_number_ = _reading.integer(line_number_, here, ".lineNumber")
        model.line_number = line_number_
        if parameter_location_.__class__ is not str:
            if parameter_location_ is None:
                here.counts["string | null"][".parameterLocation"] += 1
            else:
                parameter_location_ = _reading.string(parameter_location_, here, ".parameterLocation")
        model.parameter_location = parameter_location_
        if parameter_name_.__class__ is not str:
            if parameter_name_ is None:
                here.counts["string | null"][".parameterName"] += 1
            else:
                parameter_name_ = _reading.string(parameter_name_, here, ".parameterName")
        model.parameter_name = parameter_name_
        others: dict[str, _typing.Any] = {}
        if len(src_dict) != 3:
            others = src_dict.copy()
            del others["lineNumber"], others["parameterLocation"], others["parameterName"]
        model.additional_properties = others
        return model

    def to_dict(self) -> dict[str, _typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, _typing.Any] = {**self.additional_properties}
        if self.line_number is not None:
            data["lineNumber"] = self.line_number
        if self.parameter_location is not None:
            data["parameterLocation"] = self.parameter_location
        if self.parameter_name is not None:
            data["parameterName"] = self.parameter_name
        return data

# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

import typing
from collections import abc

import attrs as _attrs

from .. import base, places, reading


@_attrs.define(kw_only=True)
class ErrorInfo(base.OpenModel[typing.Any]):
    """Assumed: why a request was refused. Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    FIELDS: typing.ClassVar[dict[str, str]] = {
        "details": "details",
        "developerMessage": "developer_message",
        "errorCode": "error_code",
        "status": "status",
        "userMessage": "user_message",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: typing.ClassVar[tuple[str, ...]] = ()
    """The attributes that are amounts of money: `x-money` in the contract."""

    details: list[ErrorDetails] | None = None
    """ Assumed: the single faults of the request, if there are several or if they have a place. """
    developer_message: str | None = None
    """ Assumed: the reason in the words of developers; it belongs in logs. """
    error_code: str | None = None
    """ Assumed: a code for programs, such as "NOT_FOUND". """
    status: int | None = None
    """ Assumed: the HTTP status of the response, such as 404. """
    user_message: str | None = None
    """ Assumed: the reason in words that users may read. """
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
            _details = src_dict["details"]
            _developer_message = src_dict["developerMessage"]
            _error_code = src_dict["errorCode"]
            _status = src_dict["status"]
            _user_message = src_dict["userMessage"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(base.completed(src_dict, cls.FIELDS, required=()), here)
        model = base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if _details is None:
            here.counts["array | null"][".details"] += 1
        else:
            _details = _READ_details(_details, here, ".details")
        model.details = _details
        if _developer_message.__class__ is not str:
            if _developer_message is None:
                here.counts["string | null"][".developerMessage"] += 1
            else:
                _developer_message = reading.string(_developer_message, here, ".developerMessage")
        model.developer_message = _developer_message
        if _error_code.__class__ is not str:
            if _error_code is None:
                here.counts["string | null"][".errorCode"] += 1
            else:
                _error_code = reading.string(_error_code, here, ".errorCode")
        model.error_code = _error_code
        if _status.__class__ is not int:
            if _status is None:
                here.counts["integer | null"][".status"] += 1
            else:
                _status = reading.integer(_status, here, ".status")
        model.status = _status
        if _user_message.__class__ is not str:
            if _user_message is None:
                here.counts["string | null"][".userMessage"] += 1
            else:
                _user_message = reading.string(_user_message, here, ".userMessage")
        model.user_message = _user_message
        others: dict[str, typing.Any] = {}
        if len(src_dict) != 5:
            others = src_dict.copy()
            del (
                others["details"],
                others["developerMessage"],
                others["errorCode"],
                others["status"],
                others["userMessage"],
            )
        model.additional_properties = others
        return model

    def to_dict(self) -> dict[str, typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, typing.Any] = {**self.additional_properties}
        if self.details is not None:
            data["details"] = base.to_json(self.details)
        if self.developer_message is not None:
            data["developerMessage"] = self.developer_message
        if self.error_code is not None:
            data["errorCode"] = self.error_code
        if self.status is not None:
            data["status"] = self.status
        if self.user_message is not None:
            data["userMessage"] = self.user_message
        return data


# Below the class, because models may refer to each other, and so do the readers of their fields.
from ..models.error_details import ErrorDetails

_READ_details = base.models(ErrorDetails)

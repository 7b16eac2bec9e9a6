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
class ErrorInfo(_base.OpenModel[_typing.Any]):
    """Assumed: why a request was refused. Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    FIELDS: ClassVar[dict[str, str]] = {
        "details": "details",
        "developerMessage": "developer_message",
        "errorCode": "error_code",
        "status": "status",
        "userMessage": "user_message",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: ClassVar[tuple[str, ...]] = ()
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
            details_ = src_dict["details"]
            developer_message_ = src_dict["developerMessage"]
            error_code_ = src_dict["errorCode"]
            status_ = src_dict["status"]
            user_message_ = src_dict["userMessage"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(_base.completed(src_dict, cls.FIELDS, required=()), here)
        model = _base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if details_ is None:
            here.counts["array | null"][".details"] += 1
        else:
            details_ = _READ_details(details_, here, ".details")
        model.details = details_
        if developer_message_.__class__ is not str:
            if developer_message_ is None:
                here.counts["string | null"][".developerMessage"] += 1
            else:
                developer_message_ = _reading.string(developer_message_, here, ".developerMessage")
        model.developer_message = developer_message_
        if error_code_.__class__ is not str:
            if error_code_ is None:
                here.counts["string | null"][".errorCode"] += 1
            else:
                error_code_ = _reading.string(error_code_, here, ".errorCode")
        model.error_code = error_code_
        if status_.__class__ is not int:
            if status_ is None:
                here.counts["integer | null"][".status"] += 1
            else:
                status_ = _reading.integer(status_, here, ".status")
        model.status = status_
        if user_message_.__class__ is not str:
            if user_message_ is None:
                here.counts["string | null"][".userMessage"] += 1
            else:
                user_message_ = _reading.string(user_message_, here, ".userMessage")
        model.user_message = user_message_
        others: dict[str, _typing.Any] = {}
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

    def to_dict(self) -> dict[str, _typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, _typing.Any] = {**self.additional_properties}
        if self.details is not None:
            data["details"] = _base.to_json(self.details)
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

_READ_details = _base.models(ErrorDetails)

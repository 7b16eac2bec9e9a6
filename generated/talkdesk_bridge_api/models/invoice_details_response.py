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
class InvoiceDetailsResponse(_base.OpenModel[_typing.Any]):
    """Assumed: the invoices of an account, or one page of them. Documented: Printed as invoice_details_reponse. See
    https://docs.talkdesk.com/reference/get-account-invoices
    """

    FIELDS: ClassVar[dict[str, str]] = {
        "_embedded": "embedded",
        "total": "total",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: ClassVar[tuple[str, ...]] = ()
    """The attributes that are amounts of money: `x-money` in the contract."""

    embedded: InvoiceList | None = None
    """ Assumed: the list of the invoices on a page. Documented: https://docs.talkdesk.com/reference/get-account-
    invoices """
    total: int | None = None
    """ Assumed: the number of all invoices of the account, on all pages, such as 137. """
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
            embedded_ = src_dict["_embedded"]
            total_ = src_dict["total"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(_base.completed(src_dict, cls.FIELDS, required=()), here)
        model = _base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if embedded_ is None:
            here.counts["object | null"]["._embedded"] += 1
        else:
            embedded_ = _READ_embedded(embedded_, here, "._embedded")
        model.embedded = embedded_
        if total_.__class__ is not int:
            if total_ is None:
                here.counts["integer | null"][".total"] += 1
            else:
                total_ = _reading.integer(total_, here, ".total")
        model.total = total_
        others: dict[str, _typing.Any] = {}
        if len(src_dict) != 2:
            others = src_dict.copy()
            del others["_embedded"], others["total"]
        model.additional_properties = others
        return model

    def to_dict(self) -> dict[str, _typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, _typing.Any] = {**self.additional_properties}
        if self.embedded is not None:
            data["_embedded"] = _base.to_json(self.embedded)
        if self.total is not None:
            data["total"] = self.total
        return data


# Below the class, because models may refer to each other, and so do the readers of their fields.
from ..models.invoice_list import InvoiceList

_READ_embedded = _base.model(InvoiceList)

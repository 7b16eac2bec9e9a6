# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

import typing as _typing
from collections import abc as _abc
from typing import ClassVar

import attrs as _attrs

from .. import base as _base
from .. import places as _places


@_attrs.define(kw_only=True)
class InvoiceList(_base.OpenModel[_typing.Any]):
    """Assumed: the list of the invoices on a page. Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    FIELDS: ClassVar[dict[str, str]] = {
        "invoices": "invoices",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: ClassVar[tuple[str, ...]] = ()
    """The attributes that are amounts of money: `x-money` in the contract."""

    invoices: list[InvoiceDetails] | None = None
    """ Assumed: the invoices on this page, in the order of the bridge. """
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
            invoices_ = src_dict["invoices"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(_base.completed(src_dict, cls.FIELDS, required=()), here)
        model = _base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if invoices_ is None:
            here.counts["array | null"][".invoices"] += 1
        else:
            invoices_ = _READ_invoices(invoices_, here, ".invoices")
        model.invoices = invoices_
        others: dict[str, _typing.Any] = {}
        if len(src_dict) != 1:
            others = src_dict.copy()
            del others["invoices"]
        model.additional_properties = others
        return model

    def to_dict(self) -> dict[str, _typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, _typing.Any] = {**self.additional_properties}
        if self.invoices is not None:
            data["invoices"] = _base.to_json(self.invoices)
        return data


# Below the class, because models may refer to each other, and so do the readers of their fields.
from ..models.invoice_details import InvoiceDetails

_READ_invoices = _base.models(InvoiceDetails)

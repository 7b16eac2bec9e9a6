# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

import typing
from collections import abc

import attrs as _attrs

from .. import base, places


@_attrs.define(kw_only=True)
class InvoiceList(base.OpenModel[typing.Any]):
    """Assumed: the list of the invoices on a page. Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    FIELDS: typing.ClassVar[dict[str, str]] = {
        "invoices": "invoices",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: typing.ClassVar[tuple[str, ...]] = ()
    """The attributes that are amounts of money: `x-money` in the contract."""

    invoices: list[InvoiceDetails] | None = None
    """ Assumed: the invoices on this page, in the order of the bridge. """
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
            _invoices = src_dict["invoices"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(base.completed(src_dict, cls.FIELDS, required=()), here)
        model = base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if _invoices is None:
            here.counts["array | null"][".invoices"] += 1
        else:
            _invoices = _READ_invoices(_invoices, here, ".invoices")
        model.invoices = _invoices
        others: dict[str, typing.Any] = {}
        if len(src_dict) != 1:
            others = src_dict.copy()
            del others["invoices"]
        model.additional_properties = others
        return model

    def to_dict(self) -> dict[str, typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, typing.Any] = {**self.additional_properties}
        if self.invoices is not None:
            data["invoices"] = base.to_json(self.invoices)
        return data


# Below the class, because models may refer to each other, and so do the readers of their fields.
from ..models.invoice_details import InvoiceDetails

_READ_invoices = base.models(InvoiceDetails)

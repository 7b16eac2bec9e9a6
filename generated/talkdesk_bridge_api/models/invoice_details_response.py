# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

import typing
from collections import abc

import attrs as _attrs

from .. import base, places, reading


@_attrs.define(kw_only=True)
class InvoiceDetailsResponse(base.OpenModel[typing.Any]):
    """Assumed: the invoices of an account, or one page of them. Documented: Printed as invoice_details_reponse. See
    https://docs.talkdesk.com/reference/get-account-invoices
    """

    FIELDS: typing.ClassVar[dict[str, str]] = {
        "_embedded": "embedded",
        "total": "total",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: typing.ClassVar[tuple[str, ...]] = ()
    """The attributes that are amounts of money: `x-money` in the contract."""

    embedded: InvoiceList | None = None
    """ Assumed: the list of the invoices on a page. Documented: https://docs.talkdesk.com/reference/get-account-
    invoices """
    total: int | None = None
    """ Assumed: the number of all invoices of the account, on all pages, such as 137. """
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
            _embedded = src_dict["_embedded"]
            _total = src_dict["total"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(base.completed(src_dict, cls.FIELDS, required=()), here)
        model = base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if _embedded is None:
            here.counts["object | null"]["._embedded"] += 1
        else:
            _embedded = _READ_embedded(_embedded, here, "._embedded")
        model.embedded = _embedded
        if _total.__class__ is not int:
            if _total is None:
                here.counts["integer | null"][".total"] += 1
            else:
                _total = reading.integer(_total, here, ".total")
        model.total = _total
        others: dict[str, typing.Any] = {}
        if len(src_dict) != 2:
            others = src_dict.copy()
            del others["_embedded"], others["total"]
        model.additional_properties = others
        return model

    def to_dict(self) -> dict[str, typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, typing.Any] = {**self.additional_properties}
        if self.embedded is not None:
            data["_embedded"] = base.to_json(self.embedded)
        if self.total is not None:
            data["total"] = self.total
        return data


# Below the class, because models may refer to each other, and so do the readers of their fields.
from ..models.invoice_list import InvoiceList

_READ_embedded = base.model(InvoiceList)

# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

import datetime
import typing as _typing
from collections import abc as _abc
from typing import ClassVar

import attrs as _attrs

from .. import base as _base
from .. import places as _places
from .. import reading as _reading


@_attrs.define(kw_only=True)
class InvoiceDetails(_base.OpenModel[_typing.Any]):
    """Assumed: one invoice. Amounts are strings whose format is not documented; the page's example is "3700.00 usd".
    Documented: https://docs.talkdesk.com/reference/get-account-invoices
    """

    FIELDS: ClassVar[dict[str, str]] = {
        "amount": "amount",
        "due_amount": "due_amount",
        "invoice_bill_date": "invoice_bill_date",
        "invoice_due_date": "invoice_due_date",
        "invoice_items_details": "invoice_items_details",
        "invoice_number": "invoice_number",
        "paid_amount": "paid_amount",
        "status": "status",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: ClassVar[tuple[str, ...]] = (
        "amount",
        "due_amount",
        "paid_amount",
    )
    """The attributes that are amounts of money: `x-money` in the contract."""

    amount: str | None = None
    """ Assumed: the amount of the invoice, a decimal number with its currency, such as "3700.00 usd". """
    due_amount: str | None = None
    """ Assumed: the part of the amount that is not paid yet, with its currency, such as "2700.00 usd". """
    invoice_bill_date: datetime.date | None = None
    """ Assumed: the day on which the invoice was issued, such as "2023-07-01". """
    invoice_due_date: datetime.date | None = None
    """ Assumed: the day by which it must be paid, such as "2023-07-22". """
    invoice_items_details: list[InvoiceItemDetails] | None = None
    """ Assumed: the positions of the invoice. """
    invoice_number: str | None = None
    """ Assumed: the number of the invoice, unique in its account, such as "1000000001". """
    paid_amount: str | None = None
    """ Assumed: the part of the amount that is paid, with its currency, such as "1000.00 usd". """
    status: str | None = None
    """ Assumed: the name of its state, for people, such as "Due". No list of the names is printed. """
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
            amount_ = src_dict["amount"]
            due_amount_ = src_dict["due_amount"]
            invoice_bill_date_ = src_dict["invoice_bill_date"]
            invoice_due_date_ = src_dict["invoice_due_date"]
            invoice_items_details_ = src_dict["invoice_items_details"]
            invoice_number_ = src_dict["invoice_number"]
            paid_amount_ = src_dict["paid_amount"]
            status_ = src_dict["status"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(_base.completed(src_dict, cls.FIELDS, required=()), here)
        model = _base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if amount_.__class__ is not str:
            if amount_ is None:
                here.counts["string | null"][".amount"] += 1
            else:
                amount_ = _reading.string(amount_, here, ".amount")
        model.amount = amount_
        if due_amount_.__class__ is not str:
            if due_amount_ is None:
                here.counts["string | null"][".due_amount"] += 1
            else:
                due_amount_ = _reading.string(due_amount_, here, ".due_amount")
        model.due_amount = due_amount_
        if invoice_bill_date_ is None:
            here.counts["date | null"][".invoice_bill_date"] += 1
        else:
            invoice_bill_date_ = _reading.date_or_none(invoice_bill_date_, here, ".invoice_bill_date")
        model.invoice_bill_date = invoice_bill_date_
        if invoice_due_date_ is None:
            here.counts["date | null"][".invoice_due_date"] += 1
        else:
            invoice_due_date_ = _reading.date_or_none(invoice_due_date_, here, ".invoice_due_date")
        model.invoice_due_date = invoice_due_date_
        if invoice_items_details_ is None:
            here.counts["array | null"][".invoice_items_details"] += 1
        else:
            invoice_items_details_ = _READ_invoice_items_details(invoice_items_details_, here, ".invoice_items_details")
        model.invoice_items_details = invoice_items_details_
        if invoice_number_.__class__ is not str:
            if invoice_number_ is None:
                here.counts["string | null"][".invoice_number"] += 1
            else:
                invoice_number_ = _reading.string(invoice_number_, here, ".invoice_number")
        model.invoice_number = invoice_number_
        if paid_amount_.__class__ is not str:
            if paid_amount_ is None:
                here.counts["string | null"][".paid_amount"] += 1
            else:
                paid_amount_ = _reading.string(paid_amount_, here, ".paid_amount")
        model.paid_amount = paid_amount_
        if status_.__class__ is not str:
            if status_ is None:
                here.counts["string | null"][".status"] += 1
            else:
                status_ = _reading.string(status_, here, ".status")
        model.status = status_
        others: dict[str, _typing.Any] = {}
        if len(src_dict) != 8:
            others = src_dict.copy()
            del (
                others["amount"],
                others["due_amount"],
                others["invoice_bill_date"],
                others["invoice_due_date"],
                others["invoice_items_details"],
                others["invoice_number"],
                others["paid_amount"],
                others["status"],
            )
        model.additional_properties = others
        return model

    def to_dict(self) -> dict[str, _typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, _typing.Any] = {**self.additional_properties}
        if self.amount is not None:
            data["amount"] = self.amount
        if self.due_amount is not None:
            data["due_amount"] = self.due_amount
        if self.invoice_bill_date is not None:
            data["invoice_bill_date"] = _base.to_json(self.invoice_bill_date)
        if self.invoice_due_date is not None:
            data["invoice_due_date"] = _base.to_json(self.invoice_due_date)
        if self.invoice_items_details is not None:
            data["invoice_items_details"] = _base.to_json(self.invoice_items_details)
        if self.invoice_number is not None:
            data["invoice_number"] = self.invoice_number
        if self.paid_amount is not None:
            data["paid_amount"] = self.paid_amount
        if self.status is not None:
            data["status"] = self.status
        return data


# Below the class, because models may refer to each other, and so do the readers of their fields.
from ..models.invoice_item_details import InvoiceItemDetails

_READ_invoice_items_details = _base.models(InvoiceItemDetails)

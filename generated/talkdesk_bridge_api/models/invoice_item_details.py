# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

import typing
from collections import abc

import attrs as _attrs

from .. import base, places, reading


@_attrs.define(kw_only=True)
class InvoiceItemDetails(base.OpenModel[typing.Any]):
    """Assumed: one position of an invoice. Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    FIELDS: typing.ClassVar[dict[str, str]] = {
        "amount": "amount",
        "category": "category",
        "description": "description",
        "installment_number": "installment_number",
        "paid_amount": "paid_amount",
        "policy_number": "policy_number",
        "product": "product",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: typing.ClassVar[tuple[str, ...]] = (
        "amount",
        "paid_amount",
    )
    """The attributes that are amounts of money: `x-money` in the contract."""

    amount: str | None = None
    """ Assumed: the amount of the position, a decimal number with its currency, such as "400.00 usd". """
    category: str | None = None
    """ Assumed: the kind of the position, such as "Premium" or "Fee". """
    description: str | None = None
    """ Assumed: a text for people, such as "Monthly premium". """
    installment_number: int | None = None
    """ Assumed: the number of the installment, counted from 1, such as 2. """
    paid_amount: str | None = None
    """ Assumed: the part of the amount that is paid, with its currency, such as "400.00 usd". """
    policy_number: str | None = None
    """ Assumed: the number of the insurance policy, such as "PA-000123". """
    product: str | None = None
    """ Assumed: the name of the insurance product, such as "Personal Auto". """
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
            _amount = src_dict["amount"]
            _category = src_dict["category"]
            _description = src_dict["description"]
            _installment_number = src_dict["installment_number"]
            _paid_amount = src_dict["paid_amount"]
            _policy_number = src_dict["policy_number"]
            _product = src_dict["product"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(base.completed(src_dict, cls.FIELDS, required=()), here)
        model = base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if _amount.__class__ is not str:
            if _amount is None:
                here.counts["string | null"][".amount"] += 1
            else:
                _amount = reading.string(_amount, here, ".amount")
        model.amount = _amount
        if _category.__class__ is not str:
            if _category is None:
                here.counts["string | null"][".category"] += 1
            else:
                _category = reading.string(_category, here, ".category")
        model.category = _category
        if _description.__class__ is not str:
            if _description is None:
                here.counts["string | null"][".description"] += 1
            else:
                _description = reading.string(_description, here, ".description")
        model.description = _description
        if _installment_number.__class__ is not int:
            if _installment_number is None:
                here.counts["integer | null"][".installment_number"] += 1
            else:
                _installment_number = reading.integer(_installment_number, here, ".installment_number")
        model.installment_number = _installment_number
        if _paid_amount.__class__ is not str:
            if _paid_amount is None:
                here.counts["string | null"][".paid_amount"] += 1
            else:
                _paid_amount = reading.string(_paid_amount, here, ".paid_amount")
        model.paid_amount = _paid_amount
        if _policy_number.__class__ is not str:
            if _policy_number is None:
                here.counts["string | null"][".policy_number"] += 1
            else:
                _policy_number = reading.string(_policy_number, here, ".policy_number")
        model.policy_number = _policy_number
        if _product.__class__ is not str:
            if _product is None:
                here.counts["string | null"][".product"] += 1
            else:
                _product = reading.string(_product, here, ".product")
        model.product = _product
        others: dict[str, typing.Any] = {}
        if len(src_dict) != 7:
            others = src_dict.copy()
            del (
                others["amount"],
                others["category"],
                others["description"],
                others["installment_number"],
                others["paid_amount"],
                others["policy_number"],
                others["product"],
            )
        model.additional_properties = others
        return model

    def to_dict(self) -> dict[str, typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, typing.Any] = {**self.additional_properties}
        if self.amount is not None:
            data["amount"] = self.amount
        if self.category is not None:
            data["category"] = self.category
        if self.description is not None:
            data["description"] = self.description
        if self.installment_number is not None:
            data["installment_number"] = self.installment_number
        if self.paid_amount is not None:
            data["paid_amount"] = self.paid_amount
        if self.policy_number is not None:
            data["policy_number"] = self.policy_number
        if self.product is not None:
            data["product"] = self.product
        return data

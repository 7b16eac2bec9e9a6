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
class InvoiceItemDetails(_base.OpenModel[_typing.Any]):
    """Assumed: one position of an invoice. Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    FIELDS: ClassVar[dict[str, str]] = {
        "amount": "amount",
        "category": "category",
        "description": "description",
        "installment_number": "installment_number",
        "paid_amount": "paid_amount",
        "policy_number": "policy_number",
        "product": "product",
    }
    """The attribute of each field in the contract, by the name that is sent. Required fields come first."""
    AMOUNTS: ClassVar[tuple[str, ...]] = (
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
            category_ = src_dict["category"]
            description_ = src_dict["description"]
            installment_number_ = src_dict["installment_number"]
            paid_amount_ = src_dict["paid_amount"]
            policy_number_ = src_dict["policy_number"]
            product_ = src_dict["product"]
        except KeyError:  # a field is missing: fill all missing ones in, or raise if one is required
            return cls.from_dict(_base.completed(src_dict, cls.FIELDS, required=()), here)
        model = _base.new(cls)  # skips `__init__`, which would double the time: docs/speed.md
        if amount_.__class__ is not str:
            if amount_ is None:
                here.counts["string | null"][".amount"] += 1
            else:
                amount_ = _reading.string(amount_, here, ".amount")
        model.amount = amount_
        if category_.__class__ is not str:
            if category_ is None:
                here.counts["string | null"][".category"] += 1
            else:
                category_ = _reading.string(category_, here, ".category")
        model.category = category_
        if description_.__class__ is not str:
            if description_ is None:
                here.counts["string | null"][".description"] += 1
            else:
                description_ = _reading.string(description_, here, ".description")
        model.description = description_
        if installment_number_.__class__ is not int:
            if installment_number_ is None:
                here.counts["integer | null"][".installment_number"] += 1
            else:
                installment_number_ = _reading.integer(installment_number_, here, ".installment_number")
        model.installment_number = installment_number_
        if paid_amount_.__class__ is not str:
            if paid_amount_ is None:
                here.counts["string | null"][".paid_amount"] += 1
            else:
                paid_amount_ = _reading.string(paid_amount_, here, ".paid_amount")
        model.paid_amount = paid_amount_
        if policy_number_.__class__ is not str:
            if policy_number_ is None:
                here.counts["string | null"][".policy_number"] += 1
            else:
                policy_number_ = _reading.string(policy_number_, here, ".policy_number")
        model.policy_number = policy_number_
        if product_.__class__ is not str:
            if product_ is None:
                here.counts["string | null"][".product"] += 1
            else:
                product_ = _reading.string(product_, here, ".product")
        model.product = product_
        others: dict[str, _typing.Any] = {}
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

    def to_dict(self) -> dict[str, _typing.Any]:
        """The JSON object, without optional fields that are None."""
        data: dict[str, _typing.Any] = {**self.additional_properties}
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

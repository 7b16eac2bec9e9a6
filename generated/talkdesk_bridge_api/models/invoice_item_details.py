# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="InvoiceItemDetails")


@_attrs_define(kw_only=True)
class InvoiceItemDetails:
    """One position of an invoice. Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    amount: str | None = UNSET
    category: str | None = UNSET
    description: str | None = UNSET
    installment_number: int | None = UNSET
    paid_amount: str | None = UNSET
    policy_number: str | None = UNSET
    product: str | None = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        amount = self.amount

        category = self.category

        description = self.description

        installment_number = self.installment_number

        paid_amount = self.paid_amount

        policy_number = self.policy_number

        product = self.product

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if amount is not UNSET:
            field_dict["amount"] = amount
        if category is not UNSET:
            field_dict["category"] = category
        if description is not UNSET:
            field_dict["description"] = description
        if installment_number is not UNSET:
            field_dict["installment_number"] = installment_number
        if paid_amount is not UNSET:
            field_dict["paid_amount"] = paid_amount
        if policy_number is not UNSET:
            field_dict["policy_number"] = policy_number
        if product is not UNSET:
            field_dict["product"] = product

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        amount = d.pop("amount", UNSET)

        category = d.pop("category", UNSET)

        description = d.pop("description", UNSET)

        installment_number = d.pop("installment_number", UNSET)

        paid_amount = d.pop("paid_amount", UNSET)

        policy_number = d.pop("policy_number", UNSET)

        product = d.pop("product", UNSET)

        invoice_item_details = cls(
            amount=amount,
            category=category,
            description=description,
            installment_number=installment_number,
            paid_amount=paid_amount,
            policy_number=policy_number,
            product=product,
        )

        invoice_item_details.additional_properties = d
        return invoice_item_details

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties

# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.invoice_item_details import InvoiceItemDetails


T = TypeVar("T", bound="InvoiceDetails")


@_attrs_define(kw_only=True)
class InvoiceDetails:
    """One invoice. Amounts are strings whose format is not documented; the page's example is "3700.00 usd". Documented:
    https://docs.talkdesk.com/reference/get-account-invoices

    """

    amount: str | None = UNSET
    due_amount: str | None = UNSET
    invoice_bill_date: datetime.date | None = UNSET
    invoice_due_date: datetime.date | None = UNSET
    invoice_items_details: list[InvoiceItemDetails] | None = UNSET
    invoice_number: str | None = UNSET
    paid_amount: str | None = UNSET
    status: str | None = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        amount = self.amount

        due_amount = self.due_amount

        invoice_bill_date: str | None = UNSET
        if not isinstance(self.invoice_bill_date, Unset):
            invoice_bill_date = self.invoice_bill_date.isoformat()

        invoice_due_date: str | None = UNSET
        if not isinstance(self.invoice_due_date, Unset):
            invoice_due_date = self.invoice_due_date.isoformat()

        invoice_items_details: list[dict[str, Any]] | None = UNSET
        if not isinstance(self.invoice_items_details, Unset):
            invoice_items_details = []
            for invoice_items_details_item_data in self.invoice_items_details:
                invoice_items_details_item = invoice_items_details_item_data.to_dict()
                invoice_items_details.append(invoice_items_details_item)

        invoice_number = self.invoice_number

        paid_amount = self.paid_amount

        status = self.status

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if amount is not UNSET:
            field_dict["amount"] = amount
        if due_amount is not UNSET:
            field_dict["due_amount"] = due_amount
        if invoice_bill_date is not UNSET:
            field_dict["invoice_bill_date"] = invoice_bill_date
        if invoice_due_date is not UNSET:
            field_dict["invoice_due_date"] = invoice_due_date
        if invoice_items_details is not UNSET:
            field_dict["invoice_items_details"] = invoice_items_details
        if invoice_number is not UNSET:
            field_dict["invoice_number"] = invoice_number
        if paid_amount is not UNSET:
            field_dict["paid_amount"] = paid_amount
        if status is not UNSET:
            field_dict["status"] = status

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.invoice_item_details import InvoiceItemDetails  # noqa: PLC0415

        d = dict(src_dict)
        amount = d.pop("amount", UNSET)

        due_amount = d.pop("due_amount", UNSET)

        _invoice_bill_date = d.pop("invoice_bill_date", UNSET)
        invoice_bill_date: datetime.date | None
        if isinstance(_invoice_bill_date, Unset):
            invoice_bill_date = UNSET
        else:
            invoice_bill_date = datetime.date.fromisoformat(_invoice_bill_date)

        _invoice_due_date = d.pop("invoice_due_date", UNSET)
        invoice_due_date: datetime.date | None
        if isinstance(_invoice_due_date, Unset):
            invoice_due_date = UNSET
        else:
            invoice_due_date = datetime.date.fromisoformat(_invoice_due_date)

        _invoice_items_details = d.pop("invoice_items_details", UNSET)
        invoice_items_details: list[InvoiceItemDetails] | None = UNSET
        if _invoice_items_details is not UNSET:
            invoice_items_details = []
            for invoice_items_details_item_data in _invoice_items_details:
                invoice_items_details_item = InvoiceItemDetails.from_dict(invoice_items_details_item_data)

                invoice_items_details.append(invoice_items_details_item)

        invoice_number = d.pop("invoice_number", UNSET)

        paid_amount = d.pop("paid_amount", UNSET)

        status = d.pop("status", UNSET)

        invoice_details = cls(
            amount=amount,
            due_amount=due_amount,
            invoice_bill_date=invoice_bill_date,
            invoice_due_date=invoice_due_date,
            invoice_items_details=invoice_items_details,
            invoice_number=invoice_number,
            paid_amount=paid_amount,
            status=status,
        )

        invoice_details.additional_properties = d
        return invoice_details

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

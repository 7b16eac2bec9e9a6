# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.invoice_list import InvoiceList


T = TypeVar("T", bound="InvoiceDetailsResponse")


@_attrs_define(kw_only=True)
class InvoiceDetailsResponse:
    """The invoices of an account, or one page of them. Documented: Printed as invoice_details_reponse. See
    https://docs.talkdesk.com/reference/get-account-invoices

    """

    embedded: InvoiceList | None = UNSET
    """ Documented: https://docs.talkdesk.com/reference/get-account-invoices """
    total: int | None = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        embedded: dict[str, Any] | None = UNSET
        if not isinstance(self.embedded, Unset):
            embedded = self.embedded.to_dict()

        total = self.total

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if embedded is not UNSET:
            field_dict["_embedded"] = embedded
        if total is not UNSET:
            field_dict["total"] = total

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.invoice_list import InvoiceList  # noqa: PLC0415

        d = dict(src_dict)
        _embedded = d.pop("_embedded", UNSET)
        embedded: InvoiceList | None
        if isinstance(_embedded, Unset):
            embedded = UNSET
        else:
            embedded = InvoiceList.from_dict(_embedded)

        total = d.pop("total", UNSET)

        invoice_details_response = cls(
            embedded=embedded,
            total=total,
        )

        invoice_details_response.additional_properties = d
        return invoice_details_response

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

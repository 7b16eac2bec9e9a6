# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.error_details import ErrorDetails


T = TypeVar("T", bound="ErrorInfo")


@_attrs_define(kw_only=True)
class ErrorInfo:
    """Why a request was refused. Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    details: list[ErrorDetails] | None = UNSET
    developer_message: str | None = UNSET
    error_code: str | None = UNSET
    status: int | None = UNSET
    user_message: str | None = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        details: list[dict[str, Any]] | None = UNSET
        if not isinstance(self.details, Unset):
            details = []
            for details_item_data in self.details:
                details_item = details_item_data.to_dict()
                details.append(details_item)

        developer_message = self.developer_message

        error_code = self.error_code

        status = self.status

        user_message = self.user_message

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if details is not UNSET:
            field_dict["details"] = details
        if developer_message is not UNSET:
            field_dict["developerMessage"] = developer_message
        if error_code is not UNSET:
            field_dict["errorCode"] = error_code
        if status is not UNSET:
            field_dict["status"] = status
        if user_message is not UNSET:
            field_dict["userMessage"] = user_message

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.error_details import ErrorDetails  # noqa: PLC0415

        d = dict(src_dict)
        _details = d.pop("details", UNSET)
        details: list[ErrorDetails] | None = UNSET
        if _details is not UNSET:
            details = []
            for details_item_data in _details:
                details_item = ErrorDetails.from_dict(details_item_data)

                details.append(details_item)

        developer_message = d.pop("developerMessage", UNSET)

        error_code = d.pop("errorCode", UNSET)

        status = d.pop("status", UNSET)

        user_message = d.pop("userMessage", UNSET)

        error_info = cls(
            details=details,
            developer_message=developer_message,
            error_code=error_code,
            status=status,
            user_message=user_message,
        )

        error_info.additional_properties = d
        return error_info

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

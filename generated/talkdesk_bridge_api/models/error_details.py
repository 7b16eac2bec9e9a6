# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.error_details_properties import ErrorDetailsProperties


T = TypeVar("T", bound="ErrorDetails")


@_attrs_define(kw_only=True)
class ErrorDetails:
    """Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    message: str | None = UNSET
    properties: ErrorDetailsProperties | None = UNSET
    """ Documented: https://docs.talkdesk.com/reference/get-account-invoices """
    stack_trace: str | None = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        message = self.message

        properties: dict[str, Any] | None = UNSET
        if not isinstance(self.properties, Unset):
            properties = self.properties.to_dict()

        stack_trace = self.stack_trace

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if message is not UNSET:
            field_dict["message"] = message
        if properties is not UNSET:
            field_dict["properties"] = properties
        if stack_trace is not UNSET:
            field_dict["stackTrace"] = stack_trace

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.error_details_properties import ErrorDetailsProperties  # noqa: PLC0415

        d = dict(src_dict)
        message = d.pop("message", UNSET)

        _properties = d.pop("properties", UNSET)
        properties: ErrorDetailsProperties | None
        if isinstance(_properties, Unset):
            properties = UNSET
        else:
            properties = ErrorDetailsProperties.from_dict(_properties)

        stack_trace = d.pop("stackTrace", UNSET)

        error_details = cls(
            message=message,
            properties=properties,
            stack_trace=stack_trace,
        )

        error_details.additional_properties = d
        return error_details

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

# Generated from openapi.yaml by `make generate`: edits are lost.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="ErrorDetailsProperties")


@_attrs_define(kw_only=True)
class ErrorDetailsProperties:
    """Documented: https://docs.talkdesk.com/reference/get-account-invoices"""

    line_number: int | None = UNSET
    parameter_location: str | None = UNSET
    parameter_name: str | None = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        line_number = self.line_number

        parameter_location = self.parameter_location

        parameter_name = self.parameter_name

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if line_number is not UNSET:
            field_dict["lineNumber"] = line_number
        if parameter_location is not UNSET:
            field_dict["parameterLocation"] = parameter_location
        if parameter_name is not UNSET:
            field_dict["parameterName"] = parameter_name

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        line_number = d.pop("lineNumber", UNSET)

        parameter_location = d.pop("parameterLocation", UNSET)

        parameter_name = d.pop("parameterName", UNSET)

        error_details_properties = cls(
            line_number=line_number,
            parameter_location=parameter_location,
            parameter_name=parameter_name,
        )

        error_details_properties.additional_properties = d
        return error_details_properties

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

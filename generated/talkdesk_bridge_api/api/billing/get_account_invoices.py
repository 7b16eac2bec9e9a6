# Generated from openapi.yaml by `make generate`: edits are lost.
"""Makes a request from the arguments of `get_account_invoices`."""

from __future__ import annotations

import typing
from typing import Any
from urllib.parse import quote

from ...types import UNSET


def _get_kwargs(
    account_number: str,
    *,
    page: int | None = None,
    per_page: int | None = None,
) -> dict[str, typing.Any]:

    params: dict[str, Any] = {}

    params["page"] = page

    params["per_page"] = per_page

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, typing.Any] = {
        "method": "get",
        "url": "/BillingInfoAPI/accountinvoices/{account_number}".format(
            account_number=quote(str(account_number), safe=""),
        ),
        "params": params,
    }
    return _kwargs

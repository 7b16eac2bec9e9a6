# Generated from openapi.yaml by `make generate`: edits are lost.
"""The operations tagged `billing`."""

from __future__ import annotations

import typing as _typing
from collections import abc as _abc

from ... import base as _base
from ... import reading as _reading
from ... import sending as _sending
from ... import types as _types
from ...models.error_info import ErrorInfo
from ...models.invoice_details import InvoiceDetails
from ...models.invoice_details_response import InvoiceDetailsResponse

_GET_ACCOUNT_INVOICES: _types.ListOperation[InvoiceDetailsResponse, InvoiceDetails] = _types.ListOperation(
    operation_id="get_account_invoices",
    method="GET",
    path="/BillingInfoAPI/accountinvoices/{account_number}",
    request=_sending.RequestMaker(
        method="GET",
        path="/BillingInfoAPI/accountinvoices/{account_number}",
        parameters=(
            _sending.Parameter("account_number", "path", "account_number"),
            _sending.Parameter("page", "query", "page"),
            _sending.Parameter("per_page", "query", "per_page"),
        ),
    ),
    bodies=(
        _types.Body(200, 200, "json", _base.model(InvoiceDetailsResponse)),
        _types.Body(401, 401, "json", _base.model(ErrorInfo)),
        _types.Body(404, 404, "json", _base.model(ErrorInfo)),
        _types.Body(429, 429, "json", _base.model(ErrorInfo)),
        _types.Body(400, 499, "json", _base.model(ErrorInfo)),
        _types.Body(500, 599, "json", _base.model(ErrorInfo)),
    ),
    items=lambda body: body.embedded.invoices if body.embedded else None,
    page=InvoiceDetailsResponse,
    item=InvoiceDetails,
    shape=_types.ListShape(
        name="invoices",
        keys=("_embedded", "invoices"),
        total=("total",),
        begin="page",
        first=1,
        by_items=False,
        size="per_page",
    ),
    identity="invoice_number",
)


class BillingOperations:
    """The operations tagged `billing`."""

    def __init__(self, caller: _types.Caller) -> None:
        self._caller = caller

    def get_account_invoices(
        self,
        account_number: str,
        *,
        page: int | None = None,
        per_page: int | None = None,
    ) -> InvoiceDetailsResponse:
        """Get Account Invoices

        Returns invoices list for a given account.

        Documented: response `200`, response `4XX`.

        Assumed: method and path, parameter `account_number`, parameter `page`, parameter `per_page`, response `401`,
        response `404`, response `429`, response `5XX`, security scheme `HeaderKey`, security scheme `Basic`, security
        scheme `Bearer`, security scheme `OAuth2`.

        Assumed: The page prints neither method nor path. The page of a sibling, get-account-details, prints GET
        https://your-url-here.com/BillingInfoAPI/accountdetails/ without its path parameter. See
        https://docs.talkdesk.com/reference/get-account-details

        Args:
            account_number: The insurance account whose invoices are asked for. Assumed: The pages of siblings have one path
                parameter, but do not print its name. See https://docs.talkdesk.com/reference/get-account-details
            page: Number of the page, counted from 1. If it is not given, the bridge decides. Assumed: A convention of
                Talkdesk's own APIs, not promised for the bridge. See https://docs.talkdesk.com/docs/paging-results
            per_page: Number of invoices on a page. If it is not given, the bridge decides. Assumed: A convention of
                Talkdesk's own APIs (50 by default there), not promised for the bridge. See
                https://docs.talkdesk.com/docs/paging-results

        Raises:
            BridgeError: the base class of all errors; StatusError if the status is not 2XX.

        """
        return self._caller.call(
            _GET_ACCOUNT_INVOICES,
            {
                "account_number": account_number,
                "page": page,
                "per_page": per_page,
            },
        )

    def iter_account_invoices(
        self,
        account_number: str,
        *,
        per_page: int | None = None,
        start: _abc.Mapping[str, _typing.Any] | None = None,
        max_pages: int | None = None,
        max_items: int | None = None,
    ) -> _types.Items[InvoiceDetailsResponse, InvoiceDetails]:
        """Get Account Invoices: the items of all pages

        Pages are fetched as needed. The docstring of `get_account_invoices` says what is assumed.

        Args:
            account_number: The insurance account whose invoices are asked for. Assumed: The pages of siblings have one path
                parameter, but do not print its name. See https://docs.talkdesk.com/reference/get-account-details
            per_page: Number of invoices on a page. If it is not given, the bridge decides. Assumed: A convention of
                Talkdesk's own APIs (50 by default there), not promised for the bridge. See
                https://docs.talkdesk.com/docs/paging-results
            start: The `position` of an earlier iterator to continue from; None for the first item.
            max_pages: The maximum number of pages; None for all.
            max_items: The maximum number of items; None for all.

        Raises:
            BridgeError: the base class of all errors; StatusError if the status is not 2XX.

        """
        return self._caller.paginate(
            _GET_ACCOUNT_INVOICES,
            {
                "account_number": account_number,
                "per_page": per_page,
            },
            start=start,
            max_pages=max_pages,
            max_items=max_items,
        )


class AsyncBillingOperations:
    """The operations tagged `billing`, asynchronous."""

    def __init__(self, caller: _types.AsyncCaller) -> None:
        self._caller = caller

    async def get_account_invoices(
        self,
        account_number: str,
        *,
        page: int | None = None,
        per_page: int | None = None,
    ) -> InvoiceDetailsResponse:
        """Get Account Invoices

        Returns invoices list for a given account.

        Documented: response `200`, response `4XX`.

        Assumed: method and path, parameter `account_number`, parameter `page`, parameter `per_page`, response `401`,
        response `404`, response `429`, response `5XX`, security scheme `HeaderKey`, security scheme `Basic`, security
        scheme `Bearer`, security scheme `OAuth2`.

        Assumed: The page prints neither method nor path. The page of a sibling, get-account-details, prints GET
        https://your-url-here.com/BillingInfoAPI/accountdetails/ without its path parameter. See
        https://docs.talkdesk.com/reference/get-account-details

        Args:
            account_number: The insurance account whose invoices are asked for. Assumed: The pages of siblings have one path
                parameter, but do not print its name. See https://docs.talkdesk.com/reference/get-account-details
            page: Number of the page, counted from 1. If it is not given, the bridge decides. Assumed: A convention of
                Talkdesk's own APIs, not promised for the bridge. See https://docs.talkdesk.com/docs/paging-results
            per_page: Number of invoices on a page. If it is not given, the bridge decides. Assumed: A convention of
                Talkdesk's own APIs (50 by default there), not promised for the bridge. See
                https://docs.talkdesk.com/docs/paging-results

        Raises:
            BridgeError: the base class of all errors; StatusError if the status is not 2XX.

        """
        return await self._caller.call(
            _GET_ACCOUNT_INVOICES,
            {
                "account_number": account_number,
                "page": page,
                "per_page": per_page,
            },
        )

    def iter_account_invoices(
        self,
        account_number: str,
        *,
        per_page: int | None = None,
        start: _abc.Mapping[str, _typing.Any] | None = None,
        max_pages: int | None = None,
        max_items: int | None = None,
    ) -> _types.AsyncItems[InvoiceDetailsResponse, InvoiceDetails]:
        """Get Account Invoices: the items of all pages

        Pages are fetched as needed. The docstring of `get_account_invoices` says what is assumed.

        Args:
            account_number: The insurance account whose invoices are asked for. Assumed: The pages of siblings have one path
                parameter, but do not print its name. See https://docs.talkdesk.com/reference/get-account-details
            per_page: Number of invoices on a page. If it is not given, the bridge decides. Assumed: A convention of
                Talkdesk's own APIs (50 by default there), not promised for the bridge. See
                https://docs.talkdesk.com/docs/paging-results
            start: The `position` of an earlier iterator to continue from; None for the first item.
            max_pages: The maximum number of pages; None for all.
            max_items: The maximum number of items; None for all.

        Raises:
            BridgeError: the base class of all errors; StatusError if the status is not 2XX.

        """
        return self._caller.paginate(
            _GET_ACCOUNT_INVOICES,
            {
                "account_number": account_number,
                "per_page": per_page,
            },
            start=start,
            max_pages=max_pages,
            max_items=max_items,
        )


OPERATIONS = (
    _types.OperationInfo(
        operation_id="get_account_invoices",
        method="GET",
        path="/BillingInfoAPI/accountinvoices/{account_number}",
        group="billing",
        name="get_account_invoices",
        function=BillingOperations.get_account_invoices,
        has_body=False,
        iterator="iter_account_invoices",
        shape=_GET_ACCOUNT_INVOICES.shape,
        item=InvoiceDetails,
        identity=_GET_ACCOUNT_INVOICES.identity,
    ),
)

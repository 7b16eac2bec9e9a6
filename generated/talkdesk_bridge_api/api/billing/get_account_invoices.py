# Generated from openapi.yaml by `make generate`: edits are lost.
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error_info import ErrorInfo
from ...models.invoice_details_response import InvoiceDetailsResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    account_number: str,
    *,
    page: int | Unset = UNSET,
    per_page: int | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["page"] = page

    params["per_page"] = per_page

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/BillingInfoAPI/accountinvoices/{account_number}".format(
            account_number=quote(str(account_number), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorInfo | InvoiceDetailsResponse | None:
    if response.status_code == 200:
        response_200 = InvoiceDetailsResponse.from_dict(response.json())

        return response_200

    if 400 <= response.status_code <= 499:
        response_4xx = ErrorInfo.from_dict(response.json())

        return response_4xx

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorInfo | InvoiceDetailsResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    account_number: str,
    *,
    client: AuthenticatedClient,
    page: int | Unset = UNSET,
    per_page: int | Unset = UNSET,
) -> Response[ErrorInfo | InvoiceDetailsResponse]:
    """Get Account Invoices

     Returns invoices list for a given account.

    Documented: response `200`, response `4XX`.

    Assumed: method and path, parameter `account_number`, parameter `page`, parameter `per_page`,
    security scheme `HeaderKey`, security scheme `Basic`, security scheme `Bearer`, security scheme
    `OAuth2`.

    Assumed: The page of this operation prints neither method nor path. That of its sibling prints GET
    https://your-url-here.com/BillingInfoAPI/accountdetails/, and the path parameter is dropped from its
    text. See https://docs.talkdesk.com/reference/get-account-details

    Args:
        account_number (str): The insurance account whose invoices are asked for. Assumed: Sibling
            pages have one path parameter, whose name is not in their text. See
            https://docs.talkdesk.com/reference/get-account-details
        page (int | Unset): Number of the page, counted from 1. Left to the bridge where not
            given. Assumed: A convention of Talkdesk's own APIs, not promised for the bridge. See
            https://docs.talkdesk.com/docs/paging-results
        per_page (int | Unset): Invoices a page. Left to the bridge where not given. Assumed: A
            convention of Talkdesk's own APIs (50 by default there), not promised for the bridge. See
            https://docs.talkdesk.com/docs/paging-results

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorInfo | InvoiceDetailsResponse]
    """

    kwargs = _get_kwargs(
        account_number=account_number,
        page=page,
        per_page=per_page,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    account_number: str,
    *,
    client: AuthenticatedClient,
    page: int | Unset = UNSET,
    per_page: int | Unset = UNSET,
) -> ErrorInfo | InvoiceDetailsResponse | None:
    """Get Account Invoices

     Returns invoices list for a given account.

    Documented: response `200`, response `4XX`.

    Assumed: method and path, parameter `account_number`, parameter `page`, parameter `per_page`,
    security scheme `HeaderKey`, security scheme `Basic`, security scheme `Bearer`, security scheme
    `OAuth2`.

    Assumed: The page of this operation prints neither method nor path. That of its sibling prints GET
    https://your-url-here.com/BillingInfoAPI/accountdetails/, and the path parameter is dropped from its
    text. See https://docs.talkdesk.com/reference/get-account-details

    Args:
        account_number (str): The insurance account whose invoices are asked for. Assumed: Sibling
            pages have one path parameter, whose name is not in their text. See
            https://docs.talkdesk.com/reference/get-account-details
        page (int | Unset): Number of the page, counted from 1. Left to the bridge where not
            given. Assumed: A convention of Talkdesk's own APIs, not promised for the bridge. See
            https://docs.talkdesk.com/docs/paging-results
        per_page (int | Unset): Invoices a page. Left to the bridge where not given. Assumed: A
            convention of Talkdesk's own APIs (50 by default there), not promised for the bridge. See
            https://docs.talkdesk.com/docs/paging-results

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorInfo | InvoiceDetailsResponse
    """

    return sync_detailed(
        account_number=account_number,
        client=client,
        page=page,
        per_page=per_page,
    ).parsed


async def asyncio_detailed(
    account_number: str,
    *,
    client: AuthenticatedClient,
    page: int | Unset = UNSET,
    per_page: int | Unset = UNSET,
) -> Response[ErrorInfo | InvoiceDetailsResponse]:
    """Get Account Invoices

     Returns invoices list for a given account.

    Documented: response `200`, response `4XX`.

    Assumed: method and path, parameter `account_number`, parameter `page`, parameter `per_page`,
    security scheme `HeaderKey`, security scheme `Basic`, security scheme `Bearer`, security scheme
    `OAuth2`.

    Assumed: The page of this operation prints neither method nor path. That of its sibling prints GET
    https://your-url-here.com/BillingInfoAPI/accountdetails/, and the path parameter is dropped from its
    text. See https://docs.talkdesk.com/reference/get-account-details

    Args:
        account_number (str): The insurance account whose invoices are asked for. Assumed: Sibling
            pages have one path parameter, whose name is not in their text. See
            https://docs.talkdesk.com/reference/get-account-details
        page (int | Unset): Number of the page, counted from 1. Left to the bridge where not
            given. Assumed: A convention of Talkdesk's own APIs, not promised for the bridge. See
            https://docs.talkdesk.com/docs/paging-results
        per_page (int | Unset): Invoices a page. Left to the bridge where not given. Assumed: A
            convention of Talkdesk's own APIs (50 by default there), not promised for the bridge. See
            https://docs.talkdesk.com/docs/paging-results

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorInfo | InvoiceDetailsResponse]
    """

    kwargs = _get_kwargs(
        account_number=account_number,
        page=page,
        per_page=per_page,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    account_number: str,
    *,
    client: AuthenticatedClient,
    page: int | Unset = UNSET,
    per_page: int | Unset = UNSET,
) -> ErrorInfo | InvoiceDetailsResponse | None:
    """Get Account Invoices

     Returns invoices list for a given account.

    Documented: response `200`, response `4XX`.

    Assumed: method and path, parameter `account_number`, parameter `page`, parameter `per_page`,
    security scheme `HeaderKey`, security scheme `Basic`, security scheme `Bearer`, security scheme
    `OAuth2`.

    Assumed: The page of this operation prints neither method nor path. That of its sibling prints GET
    https://your-url-here.com/BillingInfoAPI/accountdetails/, and the path parameter is dropped from its
    text. See https://docs.talkdesk.com/reference/get-account-details

    Args:
        account_number (str): The insurance account whose invoices are asked for. Assumed: Sibling
            pages have one path parameter, whose name is not in their text. See
            https://docs.talkdesk.com/reference/get-account-details
        page (int | Unset): Number of the page, counted from 1. Left to the bridge where not
            given. Assumed: A convention of Talkdesk's own APIs, not promised for the bridge. See
            https://docs.talkdesk.com/docs/paging-results
        per_page (int | Unset): Invoices a page. Left to the bridge where not given. Assumed: A
            convention of Talkdesk's own APIs (50 by default there), not promised for the bridge. See
            https://docs.talkdesk.com/docs/paging-results

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorInfo | InvoiceDetailsResponse
    """

    return (
        await asyncio_detailed(
            account_number=account_number,
            client=client,
            page=page,
            per_page=per_page,
        )
    ).parsed

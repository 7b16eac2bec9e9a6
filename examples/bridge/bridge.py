"""A bridge to copy: "Get Account Invoices" with an API key or OAuth 2. Replace `invoices_of` with your own data."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote_plus, urlencode

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer
from starlette.exceptions import HTTPException as AnyHTTPException

API_KEY = os.environ.get("BRIDGE_API_KEY", "")
API_KEY_HEADER = os.environ.get("BRIDGE_API_KEY_HEADER", "Authorization")
CLIENT_ID = os.environ.get("BRIDGE_CLIENT_ID", "")
CLIENT_SECRET = os.environ.get("BRIDGE_CLIENT_SECRET", "")
PROXIES = [ip_network(text.strip()) for text in os.environ.get("BRIDGE_TRUSTED_PROXIES", "").split(",") if text.strip()]
TOKEN_LIFE = 600  # seconds

if not API_KEY and not (CLIENT_ID and CLIENT_SECRET):
    raise SystemExit(
        "Set BRIDGE_API_KEY, or BRIDGE_CLIENT_ID and BRIDGE_CLIENT_SECRET: without them, nobody is let in."
    )


# The data -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Invoice:
    """An invoice as you may have it in your system: with dates and decimal numbers, never floats."""

    number: str
    billed: date
    due: date
    amount: Decimal
    paid: Decimal
    currency: str


def invoices_of(account_number: str) -> list[Invoice] | None:
    """All invoices of an account; None if there is no such account.

    The order must be the same in each call. Otherwise, an invoice comes on two pages, and another one on none.
    """
    count = {"1000000001": 120, "1000000002": 0}.get(account_number)
    if count is None:
        return None
    invoices = []
    for index in range(count):
        billed = date(2023, 7, 1) + timedelta(days=8 * index)
        amount, paid = Decimal(index + 1) * Decimal("412.50"), Decimal(index % 3 * 100)
        invoice = Invoice(str(1000000001 + index), billed, billed + timedelta(days=21), amount, paid, "usd")
        invoices.append(invoice)
    return invoices


def documented(invoice: Invoice) -> dict[str, Any]:
    """The invoice as the contract has it: amounts are text, such as "3700.00 usd", and dates have no time."""
    return {
        "invoice_number": invoice.number,
        "invoice_bill_date": invoice.billed.isoformat(),
        "invoice_due_date": invoice.due.isoformat(),
        "status": "Paid" if invoice.paid >= invoice.amount else "Due",
        "amount": f"{invoice.amount:.2f} {invoice.currency}",
        "paid_amount": f"{invoice.paid:.2f} {invoice.currency}",
        "due_amount": f"{invoice.amount - invoice.paid:.2f} {invoice.currency}",
    }


# Errors: each one has the body that the page documents, ErrorInfo, instead of FastAPI's own ---------------------------

# No page at /docs or /openapi.json: it would differ from the contract, and be open to all.
app = FastAPI(openapi_url=None)


def error_info(status: int, message: str, headers: Any = None, **more: Any) -> JSONResponse:
    """An error response."""
    code = HTTPStatus(status).name
    body = {"status": status, "errorCode": code, "userMessage": message, **more}
    return JSONResponse(body, status, headers)


@app.exception_handler(AnyHTTPException)
async def refused(_: Request, error: AnyHTTPException) -> JSONResponse:
    """The response to an HTTPException, including FastAPI's own for an unknown path or method."""
    return error_info(error.status_code, error.detail, error.headers)


@app.exception_handler(RequestValidationError)
async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    """The response to `page=0` or `per_page=x`: 400, because 422 has no meaning in the contract."""
    details = [
        {
            "message": fault["msg"],
            "properties": {"parameterLocation": fault["loc"][0], "parameterName": fault["loc"][-1]},
        }
        for fault in error.errors()
    ]
    return error_info(400, "A parameter of the request is not valid.", details=details)


@app.exception_handler(Exception)
async def failed(_: Request, __: Exception) -> JSONResponse:
    """The response to an error in this program, which the server logs. It says nothing about the inside."""
    return error_info(500, "The request could not be processed. Try again later.")


# Credentials ----------------------------------------------------------------------------------------------------------


def same(sent: str, expected: str) -> bool:
    """Whether a secret is right. Nobody can guess it from the time that this takes; an empty one is never right."""
    return bool(expected) and hmac.compare_digest(sent.encode(), expected.encode())


def signed(expires: int) -> str:
    """A token that ends at this time. All processes of the server accept it, and it needs no database."""
    signature = hmac.new(CLIENT_SECRET.encode(), f"token {CLIENT_ID} {expires}".encode(), hashlib.sha256)
    return f"{expires}.{signature.hexdigest()}"


def is_token(sent: str) -> bool:
    """Whether this is a token of ours that has not expired."""
    expires = sent.partition(".")[0]
    known = expires.isascii() and expires.isdigit() and len(expires) < 12 and bool(CLIENT_SECRET)
    return known and same(sent, signed(int(expires))) and int(expires) > time.time()


Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]
Basic = Annotated[HTTPBasicCredentials | None, Depends(HTTPBasic(auto_error=False))]


async def credential(request: Request, bearer: Bearer) -> None:
    """Let a request through that has the API key or a token. FastAPI calls this before it looks at the parameters."""
    if bearer and is_token(bearer.credentials):
        return
    if not same(request.headers.get(API_KEY_HEADER, ""), API_KEY):
        raise HTTPException(401, "The credential is missing or not accepted.", {"WWW-Authenticate": "Bearer"})


@app.post("/oauth/token")
async def token(request: Request, basic: Basic) -> JSONResponse:
    """Issue a token (RFC 6749, 4.4). If you have a token server, use that one, and check its tokens in `credential`."""
    form = {name: values[-1] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
    if basic and "client_secret" in form:
        return JSONResponse({"error": "invalid_request"}, 400)  # RFC 6749, 2.3: one way to authenticate, not two
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if basic:
        # RFC 6749, 2.3.1: both are form-url-encoded before base64.
        client_id, secret = unquote_plus(basic.username), unquote_plus(basic.password)
    if not same(client_id, CLIENT_ID) or not same(secret, CLIENT_SECRET):
        return JSONResponse({"error": "invalid_client"}, 401, {"WWW-Authenticate": "Basic"})
    if form.get("grant_type") != "client_credentials":
        return JSONResponse({"error": "unsupported_grant_type"}, 400)
    body = {"access_token": signed(int(time.time()) + TOKEN_LIFE), "token_type": "Bearer", "expires_in": TOKEN_LIFE}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


# The operation --------------------------------------------------------------------------------------------------------


def link(request: Request, page: int) -> str:
    """The public address of another page, with all arguments of this request.

    Behind a gateway, this server sees another scheme, host and path than its callers. The gateway names theirs in three
    headers. Anybody can send these, so only a proxy in BRIDGE_TRUSTED_PROXIES is believed.
    """
    seen = {"Proto": request.url.scheme, "Host": request.url.netloc, "Prefix": ""}
    if request.client and any(ip_address(request.client.host) in network for network in PROXIES):
        for name, value in seen.items():
            # If there are several proxies in a row, the first value is that of the outermost one.
            seen[name] = request.headers.get(f"X-Forwarded-{name}", "").partition(",")[0].strip() or value
    scheme, host, prefix = seen.values()
    path = prefix.rstrip("/") + request.scope["raw_path"].decode("ascii")
    arguments = [(name, value) for name, value in request.query_params.multi_items() if name != "page"]
    return f"{scheme}://{host}{path}?{urlencode([*arguments, ('page', page)])}"


@app.get("/BillingInfoAPI/accountinvoices/{account_number}", dependencies=[Depends(credential)])
def get_account_invoices(
    request: Request,
    account_number: str,
    page: Annotated[int, Query(ge=1)] = 1,
    per_page: Annotated[int, Query(ge=1)] = 50,
) -> JSONResponse:
    """A page of the account's invoices. `total` counts those of all pages; a page after the last one is empty."""
    invoices = invoices_of(account_number)
    if invoices is None:
        raise HTTPException(404, "There is no account with this number.")
    start = (page - 1) * per_page
    shown = [documented(invoice) for invoice in invoices[start : start + per_page]]
    body: dict[str, Any] = {"_embedded": {"invoices": shown}, "total": len(invoices)}
    if start + per_page < len(invoices):  # never on the last page: callers follow the links until there is none
        body["_links"] = {"next": {"href": link(request, page + 1)}}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})  # personal data

"""A service that says what an account owes: FastAPI in front of a bridge."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from talkdesk_bridge import AsyncBridgeClient, Money, Retry, errors

LOG = logging.getLogger("uvicorn.error")

SECONDS = 5
"""How long a caller of this service waits, with all pages and retries."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One client for all requests. A wrong setting or OAuth 2 credential ends the start-up."""
    async with AsyncBridgeClient.from_env(timeout=(1, 4), retry=Retry(attempts=2)) as bridge:
        await bridge.authenticate()
        app.state.bridge = bridge
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/accounts/{account}/balance")
async def balance(account: str, request: Request) -> dict[str, str]:
    """The due amounts of an account, added up by currency."""
    bridge: AsyncBridgeClient = request.app.state.bridge
    async with asyncio.timeout(SECONDS):
        invoices = [invoice async for invoice in bridge.billing.iter_account_invoices(account)]
    return {"account": account, "due": str(Money.totals(invoice.due_amount for invoice in invoices))}


def problem(status: int, text: str, **headers: str) -> JSONResponse:
    """An error response."""
    return JSONResponse({"error": text}, status_code=status, headers=headers)


@app.exception_handler(TimeoutError)
async def too_slow(_: Request, __: TimeoutError) -> JSONResponse:
    """`asyncio.timeout` has ended the call."""
    return problem(504, "The billing system is too slow.")


@app.exception_handler(errors.BridgeError)
async def failed(_: Request, error: errors.BridgeError) -> JSONResponse:
    """Callers learn whether to come back; the log has the reason, without any secret."""
    if isinstance(error, errors.NotFoundError):
        return problem(404, "There is no such account.")
    if isinstance(error, errors.ArgumentError):
        return problem(422, "This is not an account number.")
    LOG.error("%s: %s", type(error).__name__, error)
    if isinstance(error, errors.TooManyRequestsError):
        return problem(503, "The billing system is busy.", **{"Retry-After": f"{error.retry_after or 10:.0f}"})
    if isinstance(error, errors.NotSentError | errors.NoResponseError | errors.ServerError):
        return problem(503, "The billing system cannot be reached.", **{"Retry-After": "10"})
    return problem(502, "The billing system sent an unexpected response.")

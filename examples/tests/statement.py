"""The code under test: what an account owes, in words for a customer."""

from talkdesk_bridge import AsyncBridgeClient, BridgeClient, Money, errors


def owed(bridge: BridgeClient, account: str) -> str:
    """The sentence for one account."""
    try:
        invoices = list(bridge.billing.iter_account_invoices(account))
    except errors.NotFoundError:
        return "We do not know this account."
    except (errors.ServerError, errors.NoResponseError, errors.NotSentError):
        return "Please ask again later."
    return f"You owe {Money.totals(invoice.due_amount for invoice in invoices)}."


async def owed_async(bridge: AsyncBridgeClient, account: str) -> str:
    """The same in asyncio, without the errors."""
    invoices = [invoice async for invoice in bridge.billing.iter_account_invoices(account)]
    return f"You owe {Money.totals(invoice.due_amount for invoice in invoices)}."

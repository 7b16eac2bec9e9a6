"""The made-up accounts and their items: the contract's examples, varied the same way in each run."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from attrs import frozen

__all__ = ["ACCOUNTS", "Account", "items_of"]


@frozen
class Account:
    """The data of an account."""

    count: int
    """The number of its items."""
    currencies: tuple[str, ...]
    """ISO 4217 codes, lower case as in the documented example, used by the items in turn."""
    about: str


ACCOUNTS = {
    "1000000001": Account(137, ("usd",), "137 invoices: three pages of 50"),
    "1000000002": Account(0, ("usd",), "no invoices"),
    "1000000003": Account(1, ("usd",), "one invoice"),
    "1000000004": Account(50, ("usd",), "50 invoices: exactly one page"),
    "1000000005": Account(60, ("usd", "eur", "gbp"), "60 invoices in three currencies"),
}
"""The accounts by number. Each fault has its own account; any other number returns 404."""


def items_of(account: Account | None, examples: list[Any], *, varied: bool) -> list[Any]:
    """The items of an account: the examples, followed by variations of them.

    Without an account, just the examples.
    """
    if account is None or not examples:
        return examples
    items = []
    for index in range(account.count):
        turn, position = divmod(index, len(examples))
        currency = account.currencies[(index + turn) % len(account.currencies)]
        item = examples[position]
        items.append(_vary(item, turn, turn * len(examples), currency) if varied else item)
    return items


def _vary(value: Any, turn: int, offset: int, currency: str) -> Any:
    """A variation of a value: numbers and dates go up, and all amounts of an item grow by the same factor."""
    if isinstance(value, dict):
        return {key: _vary(inner, turn, offset, currency) for key, inner in value.items()}
    if isinstance(value, list):
        return [_vary(inner, turn, offset, currency) for inner in value]
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"[0-9]{8,}", value):
        return f"{int(value) + offset:0{len(value)}}"
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        with suppress(ValueError, OverflowError):  # not a date, or later than the last one
            return (date.fromisoformat(value) + timedelta(days=24 * turn)).isoformat()
    if amount := re.fullmatch(r"([0-9]+\.[0-9]{2}) [a-z]{3}", value):
        return f"{Decimal(amount[1]) * (1 + turn % 5)} {currency}"
    return value

"""The made-up accounts and their items: the contract's examples, varied in the same way in each run."""

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
    """What an account holds."""

    count: int
    """The number of its items."""
    currencies: tuple[str, ...]
    """ISO 4217 codes, lower case as in the documented example; the items take turns."""
    about: str


ACCOUNTS = {
    "1000000001": Account(137, ("usd",), "137 invoices: three pages of 50"),
    "1000000002": Account(0, ("usd",), "no invoices"),
    "1000000003": Account(1, ("usd",), "one invoice"),
    "1000000004": Account(50, ("usd",), "50 invoices: exactly one page"),
    "1000000005": Account(60, ("usd", "eur", "gbp"), "60 invoices in three currencies"),
}
"""The accounts by number. The faults have accounts of their own; any other number is unknown: 404."""


def items_of(account: Account | None, examples: list[Any], *, varied: bool) -> list[Any]:
    """The items of an account: the examples in turn, varied from the second turn on.

    Without an account, the examples alone.
    """
    if account is None or not examples:
        return examples
    items = []
    for index in range(account.count):
        turn, which = divmod(index, len(examples))
        currency = account.currencies[(index + turn) % len(account.currencies)]
        item = examples[which]
        items.append(_vary(item, turn, turn * len(examples), currency) if varied else item)
    return items


def _vary(value: Any, turn: int, offset: int, currency: str) -> Any:
    """Another value of the same form: numbers count on, dates move on, all amounts of an item grow by one factor."""
    if isinstance(value, dict):
        return {key: _vary(inner, turn, offset, currency) for key, inner in value.items()}
    if isinstance(value, list):
        return [_vary(inner, turn, offset, currency) for inner in value]
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"[0-9]{8,}", value):
        return f"{int(value) + offset:0{len(value)}}"
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        with suppress(ValueError, OverflowError):  # no date, or one after the last
            return (date.fromisoformat(value) + timedelta(days=24 * turn)).isoformat()
    if amount := re.fullmatch(r"([0-9]+\.[0-9]{2}) [a-z]{3}", value):
        return f"{Decimal(amount[1]) * (1 + turn % 5)} {currency}"
    return value

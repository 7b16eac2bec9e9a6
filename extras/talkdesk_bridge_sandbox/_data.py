"""The made-up accounts and their items: the contract's examples, varied the same way in each run."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from attrs import frozen


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


def items_of(account: Account | None, examples: list[Any], *, varied: bool, identity: str | None = None) -> list[Any]:
    """The items of an account: the examples, followed by variations of them, each with another `identity`.

    Without an account, just the examples.
    """
    if account is None or not examples:
        return examples
    items: list[Any] = []
    known: set[str] = set()
    for index in range(account.count):
        turn, position = divmod(index, len(examples))
        currency = account.currencies[(index + turn) % len(account.currencies)]
        item = examples[position]
        if varied:
            item = _vary(item, turn, turn * len(examples), currency)
            item = _with_other_identity(item, identity or _identity(item), known) if turn else item
            known.add(_value(item, identity or _identity(item)))
        items.append(item)
    return items


def _identity(item: Any) -> str | None:
    """The field that probably identifies an item: one that is named so, else the first that can be counted up."""
    fields = [str(name) for name in item if _next(item[name]) != item[name]] if isinstance(item, dict) else []
    named = [name for name in fields if re.search(r"(^|_)(id|number|key|code)$|(Id|ID|Number)$", name)]
    return next(iter([*named, *fields]), None)


def _value(item: Any, identity: str | None) -> str:
    return str(item.get(identity) if isinstance(item, dict) and identity else item)


def _with_other_identity(item: Any, identity: str | None, known: set[str]) -> Any:
    """The item, with its identity counted up until no other item has it."""
    while _value(item, identity) in known:
        before = item
        if not isinstance(item, dict):
            item = _next(item)
        elif identity in item:
            item = {**item, identity: _next(item[identity])}
        if item == before:
            return item
    return item


def _next(value: Any) -> Any:
    """The value that follows a number, or a text with a number at its end; others, such as dates, stay as they are."""
    if type(value) is int:
        return value + 1
    if not isinstance(value, str) or re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*", value):
        return value
    with suppress(ValueError):
        return str(UUID(int=UUID(value).int + 1))
    start, number = re.fullmatch(r"(.*?)([0-9]*)", value, re.DOTALL).groups()  # type: ignore[union-attr] # it matches
    return f"{start}{int(number) + 1:0{len(number)}}" if number else f"{value}-2"


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

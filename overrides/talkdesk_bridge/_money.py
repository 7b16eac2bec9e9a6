"""Amounts as the bridge writes them, read exactly and without guessing."""

from __future__ import annotations

import re
from decimal import Decimal

__all__ = ["read_amount"]

# The only documented amount is "3700.00 usd"; bare numbers occur, too.
_AMOUNT = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)(?: +([A-Za-z]{3}))?")


def read_amount(text: object) -> tuple[Decimal, str | None] | None:
    """The number and the ISO 4217 code (upper case; None where there is none) of an amount; None if unreadable."""
    match = _AMOUNT.fullmatch(str(text).strip())
    return (Decimal(match[1]), match[2].upper() if match[2] else None) if match else None

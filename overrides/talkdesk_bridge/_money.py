"""Money: the bridge's amounts, read exactly and without guessing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import total_ordering
from typing import Any

from attrs import field, frozen

from talkdesk_bridge.errors import ArgumentError

# The only documented amount is "3700.00 usd". Bare numbers are accepted, too.
_AMOUNT = re.compile(r"(-?[0-9]{1,999}(?:\.[0-9]{1,999})?(?:[eE][+-]?[0-9]{1,2})?)(?:[ \u00a0\u202f]+([A-Za-z]{3}))?")
# Alignment, sign, width, and the format of the number.
_FORMAT = re.compile(r"(.?[<^>])?([-+ ]?)([0-9]*)(,?)(?:((?:\.[0-9]+)?)f)?s?", re.DOTALL)
# Enough digits for any sum of such amounts. With more digits, it raises instead of rounding.
_EXACT = Context(prec=5000, traps=[Inexact, InvalidOperation])


def _finite(_: object, __: object, amount: Any) -> None:
    if not isinstance(amount, Decimal) or not amount.is_finite() or abs(amount.adjusted()) > 2000:
        raise ArgumentError("The amount of Money must be a finite Decimal, with an exponent of at most 2000.")


def _code(_: object, __: object, currency: Any) -> None:
    if currency is not None and not (isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency)):
        raise ArgumentError("The currency of Money must be None or a code of three capital letters, such as USD.")


@total_ordering
@frozen
class Money:
    """An exact amount. Only amounts in the same currency can be added or compared; None matches only None.

    Examples:
        >>> print(Money.parse("3700.00 usd") - Money.parse("1000.00 usd"))
        2700.00 USD

    Args:
        amount: The number.
        currency: The ISO 4217 code in capital letters; None if the bridge sent none.

    Raises:
        ArgumentError: a value cannot be used, or two currencies meet in an operation.

    """

    amount: Decimal = field(validator=_finite)
    currency: str | None = field(default=None, validator=_code)

    @classmethod
    def parse(cls, value: str | float | Decimal) -> Money:
        """Read an amount: a number, or a number, blanks (perhaps no-break spaces) and a code of three letters.

        The format of amounts is not documented; anything else is rejected, never guessed.

        Examples:
            >>> Money.parse("3700.00 usd")
            Money(amount=Decimal('3700.00'), currency='USD')

        Raises:
            ArgumentError: it is not an amount; the message does not show it.

        """
        readable = isinstance(value, str | int | float | Decimal) and not isinstance(value, bool)
        huge = isinstance(value, int) and value.bit_length() > 3000
        match = _AMOUNT.fullmatch(str(value).strip()) if readable and not huge else None
        if match is None:
            raise ArgumentError('This amount cannot be read: it must look like "3700.00 usd" or "20000".')
        return cls(Decimal(match[1]), match[2].upper() if match[2] else None)

    @classmethod
    def totals(cls, amounts: Iterable[str | float | Decimal | None]) -> Totals:
        """The sums of amounts as a bridge sends them, which may be absent (None) or unreadable. It never raises.

        Examples:
            >>> str(Money.totals(["3700.00 usd", "0.10 usd", "5 eur", None, "about 5"]))
            '5 EUR, 3700.10 USD (1 absent, 1 unreadable)'

        """
        sums: dict[str | None, Money] = {}
        absent = unreadable = 0
        for amount in amounts:
            if amount is None:
                absent += 1
                continue
            try:
                money = cls.parse(amount)
            except ArgumentError:
                unreadable += 1
            else:
                code = money.currency
                sums[code] = sums[code] + money if code in sums else money
        return Totals(dict(sorted(sums.items(), key=lambda item: item[0] or "")), absent, unreadable)

    def __add__(self, other: Money) -> Money:
        return Money(_EXACT.add(self.amount, self._same(other)), self.currency)

    def __radd__(self, other: int) -> Money:
        """Makes `sum` work, which begins with 0."""
        return self if type(other) is int and other == 0 else NotImplemented

    def __sub__(self, other: Money) -> Money:
        return Money(_EXACT.subtract(self.amount, self._same(other)), self.currency)

    def __neg__(self) -> Money:
        return Money(self.amount.copy_negate(), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __bool__(self) -> bool:
        """False for an amount of 0, as for a number."""
        return bool(self.amount)

    def __format__(self, specification: str) -> str:
        """As text: `f"{money:>12}"`; or with a format for the number, which may round it: `f"{money:,.2f}"`.

        Raises:
            ArgumentError: it is neither. In particular, nothing cuts off digits.

        """
        match = _FORMAT.fullmatch(specification)
        if match is None:
            raise ArgumentError('This format does not suit Money: use one such as ",.2f" or ">12".')
        align, sign, width, comma, precision = match.groups("")
        number = format(self.amount, f"{sign}{comma}{precision}f")
        text = f"{number} {self.currency}" if self.currency else number
        is_for_numbers = comma or specification.endswith("f")  # these are aligned to the right
        return format(text, f"{align or ('>' if is_for_numbers else '')}{width}")

    def __str__(self) -> str:
        return format(self)

    def _same(self, other: object) -> Decimal:
        """The amount of `other`, which must have the same currency."""
        if not isinstance(other, Money):
            raise ArgumentError("Money can only be added to, subtracted from or compared with Money.")
        if other.currency != self.currency:
            names = sorted(money.currency or "no currency" for money in (self, other))
            raise ArgumentError(f"Amounts of two currencies cannot be combined: {' and '.join(names)}.")
        return other.amount


@frozen
class Totals:
    """Sums of amounts, and how many amounts are not in them."""

    sums: Mapping[str | None, Money]
    """By currency, in alphabetical order; None for amounts without one."""
    absent: int
    """How many were None."""
    unreadable: int
    """How many were something that `Money.parse` rejects."""

    def __str__(self) -> str:
        counts = {"absent": self.absent, "unreadable": self.unreadable}
        left_out = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        sums = ", ".join(map(str, self.sums.values())) or "no amounts"
        return f"{sums} ({left_out})" if left_out else sums

"""Amounts: exact, in one currency, never guessed."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal

import pytest
from talkdesk_bridge import Money, errors


@pytest.mark.parametrize(
    ("value", "amount", "currency"),
    [
        ("3700.00 usd", "3700.00", "USD"),
        ("3700.00  EUR", "3700.00", "EUR"),
        (" -0.10 gbp ", "-0.10", "GBP"),
        ("3700.00\u00a0usd", "3700.00", "USD"),
        ("\u00a03700.00\u202fusd\u202f", "3700.00", "USD"),
        ("20000", "20000", None),
        ("1e3", "1E+3", None),
        (20000, "20000", None),
        (0.1, "0.1", None),
        (Decimal("1.230"), "1.230", None),
        ("9" * 60 + ".01", "9" * 60 + ".01", None),
    ],
)  # fmt: skip
def test_valid_amounts(value: str, amount: str, currency: str | None) -> None:
    money = Money.parse(value)
    assert (str(money.amount), money.currency) == (amount, currency)


@pytest.mark.parametrize(
    "value",
    ["", "usd", "$75,000.00", "75,000.00", "1.000,00", "5 usd usd", "5usd", "5 us", "5 dollars", "+5", ".5", "5.", "0x1",
     "1_000", "\u0667", "NaN", "Infinity", "1e999", "--5", "5\u20ac", "5 \u0443\u0441\u0434", "3\u00a0700.00 usd", "3\u202f700,00 usd", "5\nusd", "5\u200busd", None, True, [], float("nan"), float("inf"), b"5"],
)  # fmt: skip
def test_ambiguous_amounts_are_rejected(value: str) -> None:
    with pytest.raises(errors.ArgumentError, match=r'must look like "3700\.00 usd"') as caught:
        Money.parse(value)
    assert isinstance(caught.value, ValueError)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("amount", "currency"), [(5, None), ("5", None), (Decimal("NaN"), None), (Decimal("Infinity"), None)])  # fmt: skip
def test_an_amount_is_a_finite_decimal(amount: Decimal, currency: str | None) -> None:
    with pytest.raises(errors.ArgumentError, match="finite Decimal"):
        Money(amount, currency)


@pytest.mark.parametrize("currency", ["usd", "", "USDT", 5, "U$D"])
def test_a_currency_is_a_code(currency: str) -> None:
    with pytest.raises(errors.ArgumentError, match="three capital letters"):
        Money(Decimal(1), currency)


def test_sums_are_exact() -> None:
    assert sum([Money.parse(0.1)] * 10) == Money(Decimal("1.0"))
    parts = [Money.parse("99999999999999999999999999999.99 usd"), Money.parse("0.01 usd"), Money.parse("-1 usd")]
    assert str(sum(parts)) == "99999999999999999999999999999.00 USD"
    assert parts[1] - parts[2] == Money(Decimal("1.01"), "USD")
    assert -parts[2] == Money(Decimal(1), "USD")
    assert Money.parse("1e99") + Money.parse("1e-99") == Money(Decimal("1E+99") + 0) + Money.parse("1e-99")


def test_order_is_by_amount() -> None:
    one, two = Money.parse("1.00 usd"), Money.parse("2 usd")
    assert one < two
    assert one <= two
    assert two > one
    assert two >= one
    assert one <= Money.parse("1 usd")
    assert one >= Money.parse("1 usd")
    assert one == Money.parse("1 usd")
    assert hash(one) == hash(Money.parse("1 usd"))
    assert not one < Money.parse("1 usd")
    assert not one > Money.parse("1 usd")
    assert max(one, two) is two


@pytest.mark.parametrize("combine", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
@pytest.mark.parametrize(("currency", "message"), [("EUR", "EUR and USD"), (None, "USD and no currency")])
def test_two_currencies_cannot_be_combined(combine: str, currency: str | None, message: str) -> None:
    with pytest.raises(errors.ArgumentError, match=message):
        getattr(Money(Decimal(1), "USD"), combine)(Money(Decimal(1), currency))
    assert Money(Decimal(1), "USD") != Money(Decimal(1), currency)


@pytest.mark.parametrize("other", [1, Decimal(1), "1 usd", None])
def test_money_is_not_a_number(other: object) -> None:
    money = Money(Decimal(1), "USD")
    assert money != other
    with pytest.raises((errors.ArgumentError, TypeError)):
        money + other  # type: ignore[operator] # the mistake under test
    with pytest.raises((errors.ArgumentError, TypeError)):
        other + money  # type: ignore[operator] # as above
    with pytest.raises(errors.ArgumentError):
        money < other  # type: ignore[operator] # noqa: B015 # as above


def test_money_is_a_value() -> None:
    money = Money.parse("3700.00 usd")
    assert str(money) == "3700.00 USD"
    assert f"{money:>12}" == " 3700.00 USD"
    assert money
    assert not Money.parse("0.00 usd")
    assert str(Money.parse("1e3")) == "1000"
    assert repr(money) == "Money(amount=Decimal('3700.00'), currency='USD')"
    assert pickle.loads(pickle.dumps(money)) == copy.deepcopy(money) == money  # noqa: S301 # our own
    with pytest.raises(AttributeError):
        money.amount = Decimal(0)  # type: ignore[misc] # the mistake under test


@pytest.mark.parametrize(
    ("specification", "text"),
    [
        ("", "-1234.50 USD"), ("s", "-1234.50 USD"), ("14", "-1234.50 USD  "), (">14", "  -1234.50 USD"), ("*^14s", "*-1234.50 USD*"),
        (",.2f", "-1,234.50 USD"), (",", "-1,234.50 USD"), (".0f", "-1234 USD"), (",.3f", "-1,234.500 USD"), ("f", "-1234.50 USD"),
        ("15,.2f", "  -1,234.50 USD"), ("<15,.2f", "-1,234.50 USD  "), ("+,.2f", "-1,234.50 USD"), ("015.2f", "000-1234.50 USD"),
    ],
)  # fmt: skip
def test_a_format_is_of_text_or_of_the_number(specification: str, text: str) -> None:
    assert format(Money.parse("-1234.50 usd"), specification) == text


def test_a_format_without_a_currency() -> None:
    assert (f"{Money.parse('1234.5'):,.2f}", f"{Money.parse('1234.5'):+,.2f}") == ("1,234.50", "+1,234.50")
    digits = "9" * 40
    assert f"{Money.parse(f'{digits}.25 usd'):.2f}" == f"{digits}.25 USD"


@pytest.mark.parametrize("specification", [".2", "5.2", ".2s", "d", "x", "e", "%", "n", "_.2f", "=12", "nonsense"])
def test_a_format_that_would_show_another_amount_is_rejected(specification: str) -> None:
    with pytest.raises(errors.ArgumentError, match=r'use one such as ",\.2f" or ">12"'):
        format(Money.parse("1234.50 usd"), specification)


def test_totals_of_what_a_bridge_sends() -> None:
    totals = Money.totals(iter(["3700.00 usd", "5 eur", None, "0.10\u00a0USD", "", "about 5", 7, "1", None, None]))
    assert {code: str(money) for code, money in totals.sums.items()} == {
        None: "8",
        "EUR": "5 EUR",
        "USD": "3700.10 USD",
    }
    assert (totals.absent, totals.unreadable) == (3, 2)
    assert str(totals) == "8, 5 EUR, 3700.10 USD (3 absent, 2 unreadable)"
    assert [*totals.sums] == [None, "EUR", "USD"]


@pytest.mark.parametrize(
    ("amounts", "text"),
    [([], "no amounts"), ([None], "no amounts (1 absent)"), (["1 usd"], "1 USD"), (["0.00 usd", "-0 usd", "5 usd"], "5.00 USD"), ([True, [], "x"], "no amounts (3 unreadable)")],
)  # fmt: skip
def test_totals_as_text(amounts: list[str | None], text: str) -> None:
    assert str(Money.totals(amounts)) == text


def test_totals_of_the_largest_amounts_are_exact() -> None:
    parts = ["9" * 999 + "e99 usd", "0." + "9" * 999 + "e-99 usd"] * 50
    (total,) = Money.totals(parts).sums.values()
    assert total == sum(map(Money.parse, parts))

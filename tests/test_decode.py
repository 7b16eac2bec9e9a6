"""Reading JSON: what is read leniently and told, what is refused and where, and that nothing is lost on the way."""

from __future__ import annotations

import datetime
import json
import logging
import pickle
import uuid
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Literal

import pytest
from talkdesk_bridge import BridgeClient, Deviation, errors, models
from talkdesk_bridge._decode import Findings, MisfitError, decoder, read_json
from talkdesk_bridge_api.models import FIELDS

from tests.conftest import Listing, Server, page

pytestmark = pytest.mark.usefixtures("parser")

DATE, MOMENT = datetime.date(2023, 7, 1), datetime.datetime(2023, 7, 1, 10, tzinfo=datetime.UTC)
KEY = "12345678-1234-5678-1234-567812345678"


class Shade(StrEnum):
    DARK = "dark"


class Level(IntEnum):
    LOW = 1


def read(kind: Any, text: str, *, optional: bool = False, strict: bool = False) -> tuple[Any, list[tuple[str, ...]]]:
    findings = Findings(strict=strict)
    value = decoder(kind, optional=optional)(read_json(text.encode()), findings)
    return value, [(place, documented, seen) for place, documented, seen, _ in findings]


# The documented type, JSON, and what it reads as, without a deviation.
EXACT = [
    (str, '"3700.00 usd"', "3700.00 usd"),
    (str, '""', ""),
    (int, "7", 7),
    (int, "7.0", 7),
    (int, "7e1", 70),
    (int, "9007199254740992.0", 2**53),
    (float, "7", 7),
    (float, "7.25", 7.25),
    (bool, "true", True),
    (datetime.date, '"2023-07-01"', DATE),
    (datetime.datetime, '"2023-07-01T10:00:00Z"', MOMENT),
    (datetime.datetime, '"2023-07-01t12:00:00.000+02:00"', MOMENT),
    (uuid.UUID, f'"{KEY}"', uuid.UUID(KEY)),
    (Shade, '"dark"', Shade.DARK),
    (Level, "1", Level.LOW),
    (Literal["a", 2], "2", 2),
    (Any, '{"a": [1.5, null]}', {"a": [1.5, None]}),
    (None | str, "null", None),
    (None | str, '"a"', "a"),
    (list[int], "[1, 2]", [1, 2]),
    (list[list[str]], '[["a"], []]', [["a"], []]),
    (Shade | str, '"light"', "light"),
    (Shade | str, '"dark"', Shade.DARK),
    (int | str, '"7"', "7"),
    (str | int, "7", 7),
    (list[datetime.date] | datetime.date, '"2023-07-01"', DATE),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "expected"), EXACT)
def test_what_is_documented_is_read_as_it_is(kind: Any, text: str, expected: object) -> None:
    value, deviations = read(kind, text)
    assert (value, type(value), deviations) == (expected, type(expected), [])
    assert read(kind, text, strict=True) == (value, [])


# The documented type, JSON, what it reads as where it is optional, and what is told of it.
LENIENT = [
    (str, "3700.00", "3700.00", ("string", "number")),
    (str, "1e3", "1e3", ("string", "number")),
    (str, "20000", "20000", ("string", "integer")),
    (str, "12345678901234567890123.45678901234567890", "12345678901234567890123.45678901234567890", ("string", "number")),
    (str, "123456789012345678901234567890", "123456789012345678901234567890", ("string", "integer")),
    (int, '"137"', 137, ("integer", "string")),
    (int, '"-12345678901234567890123"', -12345678901234567890123, ("integer", "string")),
    (float, '"0.10"', 0.1, ("number", "string")),
    (float, '"5"', 5, ("number", "string")),
    (datetime.date, '"2023-07-01T23:30:00-05:00"', DATE, ("date", "date-time")),
    (datetime.date, '"2023-07-01T00:00:00.000Z"', DATE, ("date", "date-time")),
    (datetime.date, '"20230701"', DATE, ("date", "date of another form")),
    (datetime.date, "20230701", DATE, ("date", "date of another form")),
    (datetime.date, '"2023-07-01 00:00"', DATE, ("date", "date of another form")),
    (datetime.datetime, '"2023-07-01T10:00:00"', MOMENT.replace(tzinfo=None), ("date-time", "date of another form")),
    (str, "null", None, ("string", "null")),
    (int, "null", None, ("integer", "null")),
    (list[int], "null", None, ("array", "null")),
    (models.InvoiceList, "null", None, ("object", "null")),
    (datetime.date, "null", None, ("date", "null")),
    (datetime.date, '""', None, ("date", "empty string")),
    (datetime.date, '"22.07.2023"', None, ("date", "text that is no date")),
    (datetime.date, '"0000-00-00"', None, ("date", "text that is no date")),
    (datetime.date, "1.5", None, ("date", "text that is no date")),
    (Shade | int, '"7"', 7, ("integer", "string")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "expected", "told"), LENIENT)
def test_what_differs_is_read_where_nothing_is_lost_and_told(
    kind: Any, text: str, expected: object, told: tuple[str, str]
) -> None:
    value, deviations = read(kind, text, optional=True)
    assert (value, type(value), deviations) == (expected, type(expected), [("$", *told)])
    with pytest.raises(MisfitError) as caught:
        read(kind, text, optional=True, strict=True)
    if " | " not in str(kind):
        assert (caught.value.documented, caught.value.seen) == told
    if expected is None:  # nothing stands for it where it is required
        with pytest.raises(MisfitError):
            read(kind, text)


# The documented type, JSON, and what is told: what is documented, what came, and where.
REFUSED = [
    (str, "true", "string", "boolean", ""),
    (str, "{}", "string", "object", ""),
    (int, "true", "integer", "boolean", ""),
    (int, "1.5", "integer", "number", ""),
    (int, '"1.5"', "integer", "string", ""),
    (int, '" 7"', "integer", "string", ""),
    (int, '"\u0667"', "integer", "string", ""),
    (int, "1e400", "integer", "number", ""),
    (float, "1e400", "number", "number", ""),
    (float, '"0.1234567890123456789"', "number", "string with more digits than a number holds", ""),
    (float, '"1e400"', "number", "string with more digits than a number holds", ""),
    (float, '"x"', "number", "string", ""),
    (float, '"1e-400"', "number", "string with more digits than a number holds", ""),
    (float, '"1e-99999999999999999999"', "number", "string with more digits than a number holds", ""),
    (int, "1e-400", "integer", "number", ""),
    (int, "1e-99999999999999999999", "integer", "number", ""),
    (int, "9007199254740993.5", "integer", "number", ""),
    (bool, '"true"', "boolean", "string", ""),
    (bool, "1", "boolean", "integer", ""),
    (datetime.date, "false", "date", "boolean", ""),
    (datetime.date, "[]", "date", "array", ""),
    (uuid.UUID, '"x"', "uuid", "string", ""),
    (uuid.UUID, "5", "uuid", "integer", ""),
    (Shade, '"light"', "one of the 1 documented values", "another string", ""),
    (Level, "true", "one of the 1 documented values", "another boolean", ""),
    (Literal["a"], "[]", "one of the 1 documented values", "another array", ""),
    (list[int], "{}", "array", "object", ""),
    (list[int], '"12"', "array", "string", ""),
    (list[int], "[1, null]", "integer", "null", "[1]"),
    (list[list[int]], "[[1], [2, {}]]", "integer", "object", "[1][1]"),
    (models.InvoiceDetails, "[]", "object", "array", ""),
    (models.InvoiceDetails, '{"invoice_items_details": [{}, {"amount": []}]}', "string", "array", ".invoice_items_details[1].amount"),
    (models.InvoiceDetails, '{"invoice_items_details": [null]}', "object", "null", ".invoice_items_details[0]"),
    (Shade | int, '"light"', "other value or integer", "string", ""),
    (None | int, '"x"', "integer", "string", ""),
]  # fmt: skip


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("kind", "text", "documented", "seen", "place"), REFUSED)
def test_what_cannot_be_read_is_refused_with_its_place(
    kind: Any, text: str, documented: str, seen: str, place: str, strict: bool
) -> None:
    with pytest.raises(MisfitError) as caught:
        read(kind, text, optional=True, strict=strict)
    assert (caught.value.documented, caught.value.seen) == (documented, seen)
    assert "".join(reversed(caught.value.path)) == place


@pytest.mark.parametrize(
    "text", ["NaN", "-Infinity", "[Infinity]", "", "{", "1 2", '"\xff"', "[" * 100_000, "1" * 5000, "'a'", "[1,]"]
)
def test_what_is_no_json(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_json(text.encode("latin-1"))


def test_json_of_every_unicode_encoding() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert read_json('{"ä": "€"}'.encode(encoding)) == {"ä": "€"}


def test_unknown_fields_are_kept_as_they_are_and_of_equal_names_the_last_counts() -> None:
    text = '{"amount": "1", "b": {"c": [1, 2.50, null]}, "amount": "2", "b c": {}}'
    invoice, deviations = read(models.InvoiceDetails, text)
    assert (invoice.amount, invoice.additional_properties) == ("2", {"b": {"c": [1, 2.5, None]}, "b c": {}})
    assert deviations == []
    assert json.loads(json.dumps(invoice.to_dict())) == json.loads(text)
    assert pickle.loads(pickle.dumps(invoice)) == invoice  # noqa: S301 # our own


def test_deviations_are_counted_by_place(server: Server) -> None:
    invoices = [{"amount": 1.50, "paid_amount": 2, "invoice_due_date": "", "status": None} for _ in range(3)]
    server.answers({"_embedded": {"invoices": [*invoices, {"amount": "3", "total": 5}]}, "total": "4"})
    told: list[Deviation] = []
    with BridgeClient(server.url, on_deviation=told.append) as bridge:
        body = bridge.billing.get_account_invoices("1")
    at = "$._embedded.invoices[*]"
    assert [(one.place, one.documented, one.seen, one.count) for one in told] == [
        (f"{at}.amount", "string", "number", 3),
        (f"{at}.paid_amount", "string", "integer", 3),
        (f"{at}.invoice_due_date", "date", "empty string", 3),
        (f"{at}.status", "string", "null", 3),
        ("$.total", "integer", "string", 1),
    ]
    assert {one.operation for one in told} == {"get_account_invoices"}
    assert body.total == 4
    assert body.embedded
    assert [invoice.amount for invoice in body.embedded.invoices or []] == ["1.5", "1.5", "1.5", "3"]


def test_deviations_are_logged_without_a_value(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.answers({"_embedded": {"invoices": [{"amount": 123.45}]}})
    with caplog.at_level(logging.WARNING, "talkdesk_bridge"), BridgeClient(server.url) as bridge:
        bridge.billing.get_account_invoices("1")
    (record,) = caplog.records
    assert "place='$._embedded.invoices[*].amount', documented='string', seen='number', count=1" in record.getMessage()
    assert "123" not in caplog.text


def test_what_a_hook_raises_is_raised(server: Server) -> None:
    def refuse(deviation: Deviation) -> None:
        raise KeyError(deviation.place)

    server.answers({**page(1), "total": "1"})
    with BridgeClient(server.url, on_deviation=refuse) as bridge, pytest.raises(KeyError, match=r"\$\.total"):
        bridge.billing.get_account_invoices("1")


def test_strict_refuses_what_lenient_tells(server: Server, listing: Listing) -> None:
    server.answers({"_embedded": {"invoices": [{"amount": "1"}, {"amount": 3700.5}]}})
    assert len(listing(server.url)) == 2
    with pytest.raises(errors.ContractError) as caught:
        listing(server.url, options={"strict": True})
    error = caught.value
    assert (error.json_path, error.expected, error.seen) == ("$._embedded.invoices[1].amount", "string", "number")
    assert str(error).endswith("string is documented at $._embedded.invoices[1].amount, and number came.")
    assert "3700" not in str(error)


@pytest.mark.parametrize(
    ("body", "numbers", "told"),
    [
        ([], [], [("$", "object", "array")]),
        ([{"invoice_number": "1"}, {"invoice_number": "2"}], ["1", "2"], [("$", "object", "array")]),
        ([{"invoice_number": 1}], ["1"], [("$", "object", "array"), ("$[*].invoice_number", "string", "integer")]),
        ({"invoice_number": "1", "custom_fields": []}, ["1"], [("$", "object with a list", "single item")]),
        ({"amount": 5}, [None], [("$", "object with a list", "single item"), ("$.amount", "string", "integer")]),
    ],
)  # fmt: skip
def test_a_bare_list_and_a_bare_item_are_a_page(
    server: Server, listing: Listing, body: object, numbers: list[str], told: list[tuple[str, str, str]]
) -> None:
    server.answers((200, {}, json.dumps(body).encode()))
    seen: list[Deviation] = []
    found = listing(server.url, options={"on_deviation": seen.append})
    assert [invoice.invoice_number for invoice in found] == numbers
    assert [(one.place, one.documented, one.seen) for one in seen] == told
    with pytest.raises(errors.ContractError):
        listing(server.url, options={"strict": True})


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ([{}, {"amount": {}}], "$[1].amount"),
        ([{"amount": "1"}, None], "$[1]"),
        ({"amount": {}}, "$.amount"),
        ({"_embedded": {"invoices": [{}, None]}}, "$._embedded.invoices[1]"),
        ({"_embedded": None}, "$._embedded.invoices"),
        ({"errorCode": "X", "status": 500}, "$"),
    ],
)
def test_the_place_is_the_one_in_what_was_sent(server: Server, listing: Listing, body: object, place: str) -> None:
    server.answers((200, {}, json.dumps(body).encode()))
    with pytest.raises(errors.ContractError) as caught:
        listing(server.url)
    assert caught.value.json_path == place


def test_the_table_of_fields_is_the_models_own() -> None:
    for model, fields in FIELDS.items():
        assert {model.__name__} <= {*models.__all__}
        named = {attribute for attribute, _ in fields.known.values()}
        assert {field.name for field in model.__attrs_attrs__} == named | {"additional_properties"}  # type: ignore[attr-defined] # attrs


def test_no_digit_of_a_sum_is_lost(server: Server, listing: Listing) -> None:
    content = b'{"_embedded": {"invoices": [{"amount": 0.1}, {"amount": 3700.00}, {"amount": 12345678901234567.89}]}}'
    server.answers((200, {}, content))
    amounts = [invoice.amount for invoice in listing(server.url)]
    assert amounts == ["0.1", "3700.00", "12345678901234567.89"]
    assert sum(Decimal(str(amount)) for amount in amounts) == Decimal("12345678901238267.99")

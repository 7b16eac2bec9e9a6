"""Reading JSON: values that are read with a deviation, errors with their place, and no loss of information."""

from __future__ import annotations

import datetime
import json
import logging
import pickle
import uuid
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import pytest
from talkdesk_bridge import BearerAuth, BridgeClient, Deviation, _response, errors, models
from talkdesk_bridge._json import read_json
from talkdesk_bridge._received import RawResponse
from talkdesk_bridge._settings import Settings
from talkdesk_bridge_api.base import model
from talkdesk_bridge_api.base import models as models_reader
from talkdesk_bridge_api.places import MisfitError, Place
from talkdesk_bridge_api.types import Body, Operation

from tests.conftest import Listing, Server, page
from tests.packages import models_of

pytestmark = pytest.mark.usefixtures("parser")

DATE, MOMENT = datetime.date(2023, 7, 1), datetime.datetime(2023, 7, 1, 10, tzinfo=datetime.UTC)
KEY = "12345678-1234-5678-1234-567812345678"

TEXT, INTEGER, NUMBER, FLAG = ({"type": kind} for kind in ("string", "integer", "number", "boolean"))
DAY, TIME, UNIQUE = ({"type": "string", "format": kind} for kind in ("date", "date-time", "uuid"))
SHADE, LEVEL = {"$ref": "#/components/schemas/Shade"}, {"$ref": "#/components/schemas/Level"}

# Schemas of each kind by a short name. For each, there are models with one optional and one required field.
KINDS: dict[str, dict[str, Any]] = {
    "str": TEXT,
    "int": INTEGER,
    "float": NUMBER,
    "bool": FLAG,
    "date": DAY,
    "datetime": TIME,
    "uuid": UNIQUE,
    "shade": SHADE,
    "level": LEVEL,
    "const": {"const": "a"},
    "any": {},
    "null_or_str": {"type": ["string", "null"]},
    "null_or_int": {"type": ["integer", "null"]},
    "ints": {"type": "array", "items": INTEGER},
    "int_lists": {"type": "array", "items": {"type": "array", "items": INTEGER}},
    "str_lists": {"type": "array", "items": {"type": "array", "items": TEXT}},
    "shade_or_str": {"anyOf": [SHADE, TEXT]},
    "shade_or_int": {"anyOf": [SHADE, INTEGER]},
    "int_or_str": {"anyOf": [INTEGER, TEXT]},
    "str_or_int": {"anyOf": [TEXT, INTEGER]},
    "date_time_or_int": {"anyOf": [TIME, INTEGER]},
    "any_or_str": {"anyOf": [{}, TEXT]},
    "dates_or_date": {"anyOf": [{"type": "array", "items": DAY}, DAY]},
    "invoice": {"$ref": "#/components/schemas/Invoice"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Generated models with one field `value`: `StrOptional`, `StrRequired`, and the same for each kind."""
    item = {"type": "object", "properties": {"amount": TEXT}}
    schemas: dict[str, Any] = {
        "Shade": {"type": "string", "enum": ["dark"]},
        "Level": {"type": "integer", "enum": [1]},
        "Item": item,
        "Invoice": {
            "type": "object",
            "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}},
        },
    }
    node = {"anyOf": [{"$ref": "#/components/schemas/Node"}, INTEGER]}
    schemas["Node"] = {"type": "object", "required": ["child"], "properties": {"child": node}}
    for name, schema in KINDS.items():
        field = {"type": "object", "properties": {"value": schema}}
        schemas |= {f"{name}_optional": field, f"{name}_required": {**field, "required": ["value"]}}
    return models_of(schemas, tmp_path_factory.mktemp("kinds"), "kinds_api")


def test_a_model_names_its_amounts(tmp_path: Path) -> None:
    """Only by `x-money`: not by their names, and also in the parts that a schema is made of."""
    money = {"type": "string", "x-money": True}
    schemas: dict[str, Any] = {
        "Fee": {
            "type": "object",
            "properties": {"amount": TEXT, "dueTotal": {"type": ["number", "null"], "x-money": True}},
        },
        "Named": {"type": "object", "properties": {"amount": TEXT, "due_amount": NUMBER}},
        "Part": {"allOf": [{"$ref": "#/components/schemas/Fee"}, {"type": "object", "properties": {"name": TEXT}}]},
        "Whole": {
            "allOf": [
                {"$ref": "#/components/schemas/Part"},
                {"type": "object", "required": ["premium"], "properties": {"premium": money, "page": INTEGER}},
            ]
        },
    }
    made = models_of(schemas, tmp_path, "amounts_api")
    found = {name: {*getattr(made, name).AMOUNTS} for name in schemas}
    assert found == {"Fee": {"due_total"}, "Named": set(), "Part": {"due_total"}, "Whole": {"premium", "due_total"}}


def read(
    made: ModuleType, kind: str, text: str, *, optional: bool = True, strict: bool = False
) -> tuple[Any, list[tuple[str, ...]]]:
    """The value that a field of a kind is read as, and the deviations."""
    name = f"{kind}_{'optional' if optional else 'required'}".title().replace("_", "")
    place = Place(strict=strict)
    model = getattr(made, name).from_dict(read_json(f'{{"value": {text}}}'.encode()), place)
    return model.value, [(path, documented, seen) for path, documented, seen, _ in place.deviations()]


# The kind, the JSON, and the value that it is read as without a deviation.
EXACT = [
    ("str", '"3700.00 usd"', "3700.00 usd"),
    ("str", '""', ""),
    ("int", "7", 7),
    ("int", "7.0", 7),
    ("int", "7e1", 70),
    ("int", "9007199254740992.0", 2**53),
    ("float", "7", 7),
    ("float", "7.25", 7.25),
    ("bool", "true", True),
    ("date", '"2023-07-01"', DATE),
    ("datetime", '"2023-07-01T10:00:00Z"', MOMENT),
    ("datetime", '"2023-07-01t12:00:00.000+02:00"', MOMENT),
    ("uuid", f'"{KEY}"', uuid.UUID(KEY)),
    ("shade", '"dark"', "dark"),
    ("level", "1", 1),
    ("const", '"a"', "a"),
    ("any", '{"a": [1.5, null]}', {"a": [1.5, None]}),
    ("any", "null", None),
    ("any_or_str", "null", None),
    ("null_or_str", "null", None),
    ("null_or_str", '"a"', "a"),
    ("ints", "[1, 2]", [1, 2]),
    ("str_lists", '[["a"], []]', [["a"], []]),
    ("shade_or_str", '"light"', "light"),
    ("shade_or_str", '"dark"', "dark"),
    ("int_or_str", '"7"', "7"),
    ("str_or_int", "7", 7),
    ("dates_or_date", '"2023-07-01"', DATE),
]  # fmt: skip


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize(("kind", "text", "expected"), EXACT)
def test_documented_values_are_read_without_deviations(
    made: ModuleType, kind: str, text: str, expected: object, optional: bool
) -> None:
    value, deviations = read(made, kind, text, optional=optional)
    assert (value, deviations) == (expected, [])
    assert type(value) is type(expected) or (isinstance(value, Enum) and value.name in ("DARK", "VALUE_1"))
    assert read(made, kind, text, optional=optional, strict=True) == (value, [])


# The kind, the JSON, the value of an optional field, and the deviation: documented and seen type.
LENIENT = [
    ("str", "3700.00", "3700.00", ("string", "number")),
    ("str", "1e3", "1e3", ("string", "number")),
    ("str", "20000", "20000", ("string", "integer")),
    ("str", "12345678901234567890123.45678901234567890", "12345678901234567890123.45678901234567890", ("string", "number")),
    ("str", "123456789012345678901234567890", "123456789012345678901234567890", ("string", "integer")),
    ("int", '"137"', 137, ("integer", "string")),
    ("int", '"-12345678901234567890123"', -12345678901234567890123, ("integer", "string")),
    ("float", '"0.10"', 0.1, ("number", "string")),
    ("float", '"5"', 5, ("number", "string")),
    ("float", f'"{"9" * 400}"', int("9" * 400), ("number", "string")),
    ("date_time_or_int", '"5"', 5, ("integer", "string")),
    ("date_time_or_int", '"x"', None, ("date-time", "text that is not a date")),
    ("date", '"2023-07-01T23:30:00-05:00"', DATE, ("date", "date-time")),
    ("date", '"2023-07-01T00:00:00.000Z"', DATE, ("date", "date-time")),
    ("date", '"20230701"', DATE, ("date", "date of another form")),
    ("date", '"2023-W26-6"', DATE, ("date", "date of another form")),
    ("date", '"2023W266T10"', DATE, ("date", "date of another form")),
    ("date", "20230701", DATE, ("date", "date of another form")),
    ("date", '"2023-07-01 00:00"', DATE, ("date", "date of another form")),
    ("datetime", '"2023-07-01T10:00:00"', MOMENT.replace(tzinfo=None), ("date-time", "date of another form")),
    ("datetime", '"20230701T100000Z"', MOMENT, ("date-time", "date of another form")),
    ("uuid", f'"{{{KEY}}}"', uuid.UUID(KEY), ("uuid", "uuid of another form")),
    ("uuid", f'"URN:UUID:{KEY.upper()}"', uuid.UUID(KEY), ("uuid", "uuid of another form")),
    ("uuid", f'"urn:uuid:{KEY}"', uuid.UUID(KEY), ("uuid", "uuid of another form")),
    ("uuid", f'"{KEY.replace("-", "")}"', uuid.UUID(KEY), ("uuid", "uuid of another form")),
    ("str", "null", None, ("string", "null")),
    ("int", "null", None, ("integer", "null")),
    ("ints", "null", None, ("array", "null")),
    ("invoice", "null", None, ("object", "null")),
    ("date", "null", None, ("date", "null")),
    ("date", '""', None, ("date", "empty string")),
    ("date", '"22.07.2023"', None, ("date", "text that is not a date")),
    ("date", '"0000-00-00"', None, ("date", "text that is not a date")),
    ("date", "1.5", None, ("date", "text that is not a date")),
    # Python's parser reads these as dates, because it ignores some characters.
    ("date", '"1710101512"', None, ("date", "text that is not a date")),
    ("date", "1710101512", None, ("date", "text that is not a date")),
    ("date", '"1710101512000"', None, ("date", "text that is not a date")),
    ("date", '"2023070199"', None, ("date", "text that is not a date")),
    ("date", '"20230701T"', None, ("date", "text that is not a date")),
    ("date", '"2023W26699"', None, ("date", "text that is not a date")),
    ("date", '"2023-07-01310"', None, ("date", "text that is not a date")),
    ("date", '"2023-07-01:12:00"', None, ("date", "text that is not a date")),
    ("datetime", '"2023-07-01T10:000Z"', None, ("date-time", "text that is not a date")),
    ("datetime", '"2023-07-01T10:00:00.Z"', None, ("date-time", "text that is not a date")),
    ("datetime", '"2023-07-01T10:00WZ"', None, ("date-time", "text that is not a date")),
    ("datetime", '"1710101512"', None, ("date-time", "text that is not a date")),
    ("shade_or_int", '"7"', 7, ("integer", "string")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "expected", "deviation"), LENIENT)
def test_deviating_values_are_read_if_nothing_is_lost(
    made: ModuleType, kind: str, text: str, expected: object, deviation: tuple[str, str]
) -> None:
    value, deviations = read(made, kind, text)
    assert (value, type(value), deviations) == (expected, type(expected), [("$.value", *deviation)])
    with pytest.raises(MisfitError) as caught:
        read(made, kind, text, strict=True)
    if "_or_" not in kind:
        assert (caught.value.documented, caught.value.seen, caught.value.place) == (*deviation, ".value")
    if expected is None:  # a required field cannot be None
        with pytest.raises(MisfitError):
            read(made, kind, text, optional=False)
    else:
        assert read(made, kind, text, optional=False) == (value, deviations)


# The kind, the JSON, and the error: documented type, seen type, and place.
UNREADABLE = [
    ("str", "true", "string", "boolean", ""),
    ("str", "{}", "string", "object", ""),
    ("int", "true", "integer", "boolean", ""),
    ("int", "1.5", "integer", "number", ""),
    ("int", '"1.5"', "integer", "string", ""),
    ("int", '" 7"', "integer", "string", ""),
    ("int", '"1_0"', "integer", "string", ""),
    ("int", '"\u0667"', "integer", "string", ""),
    ("int", "1e400", "integer", "number", ""),
    ("float", "1e400", "number", "number", ""),
    ("float", '"0.1234567890123456789"', "number", "string with more digits than a number holds", ""),
    ("float", '"1e400"', "number", "string with more digits than a number holds", ""),
    ("float", '"x"', "number", "string", ""),
    ("uuid", f'"urn:uu\u0131d:{KEY}"', "uuid", "string", ""),
    ("float", '"1_0.5"', "number", "string", ""),
    ("float", '"Infinity"', "number", "string", ""),
    ("float", '"1e-400"', "number", "string with more digits than a number holds", ""),
    ("float", '"1e-99999999999999999999"', "number", "string with more digits than a number holds", ""),
    ("int", "1e-400", "integer", "number", ""),
    ("int", "1e-99999999999999999999", "integer", "number", ""),
    ("int", "9007199254740993.5", "integer", "number", ""),
    ("bool", '"true"', "boolean", "string", ""),
    ("bool", "1", "boolean", "integer", ""),
    ("date", "false", "date", "boolean", ""),
    ("date", "[]", "date", "array", ""),
    ("uuid", '"x"', "uuid", "string", ""),
    ("uuid", f'"1-{KEY[1:]}"', "uuid", "string", ""),
    ("uuid", "5", "uuid", "integer", ""),
    ("shade", '"light"', "one of the 1 documented values", "another string", ""),
    ("level", "true", "one of the 1 documented values", "another boolean", ""),
    ("const", "[]", "one of the 1 documented values", "another array", ""),
    ("ints", "{}", "array", "object", ""),
    ("ints", '"12"', "array", "string", ""),
    ("ints", "[1, null]", "integer", "null", "[1]"),
    ("int_lists", "[[1], [2, {}]]", "integer", "object", "[1][1]"),
    ("invoice", "[]", "object", "array", ""),
    ("invoice", '{"items": [{}, {"amount": []}]}', "string", "array", ".items[1].amount"),
    ("invoice", '{"items": [null]}', "object", "null", ".items[0]"),
    ("shade_or_int", '"light"', "other value or integer", "string", ""),
    ("null_or_int", '"x"', "integer", "string", ""),
]  # fmt: skip


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("kind", "text", "documented", "seen", "place"), UNREADABLE)
def test_an_unreadable_value_raises_with_its_place(
    made: ModuleType, kind: str, text: str, documented: str, seen: str, place: str, strict: bool
) -> None:
    for optional in (False, True):
        with pytest.raises(MisfitError) as caught:
            read(made, kind, text, optional=optional, strict=strict)
        assert (caught.value.documented, caught.value.seen) == (documented, seen)
        assert caught.value.place == f".value{place}"
        assert str(caught.value) == f"expected {documented} at $.value{place}, got {seen}."


@pytest.mark.parametrize("kind", KINDS)
def test_an_absent_field_is_none_unless_it_is_required(made: ModuleType, kind: str) -> None:
    name = kind.title().replace("_", "")
    optional, required = getattr(made, f"{name}Optional"), getattr(made, f"{name}Required")
    assert optional.from_dict({"other": 1}, Place(strict=True)).value is None
    assert optional.from_dict({"other": 1}).to_dict() == {"other": 1}
    with pytest.raises(MisfitError, match=r"^expected object with `value` at \$, got object without it\.$"):
        required.from_dict({"other": 1})


def test_a_model_reads_any_mapping_leniently_and_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It may come from `json.loads`, whose numbers differ from our parser's, and need not be a dict."""
    data = {"amount": 3700.5, "paid_amount": 5, "invoice_due_date": "1710101512", "status": None, "more": {"a": 1}}
    for mapping in (data, MappingProxyType(data)):
        invoice = models.InvoiceDetails.from_dict(mapping)
        assert (invoice.amount, invoice.paid_amount, invoice.invoice_due_date) == ("3700.5", "5", None)
        assert invoice.to_dict() == {"more": {"a": 1}, "amount": "3700.5", "paid_amount": "5"}
    with pytest.raises(MisfitError, match=r"expected object at [$], got date"):
        models.InvoiceDetails.from_dict(DATE)  # type: ignore[arg-type] # on purpose
    with pytest.raises(MisfitError, match=r"expected string at [$].amount, got number"):
        models.InvoiceDetails.from_dict({"amount": float("inf")})
    assert not caplog.records


@pytest.mark.parametrize(
    "text", ["NaN", "-Infinity", "[Infinity]", "", "{", "1 2", '"\xff"', "[" * 100_000, "1" * 5000, "'a'", "[1,]"]
)
def test_invalid_json_raises(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_json(text.encode("latin-1"))


def test_json_is_read_in_every_unicode_encoding() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert read_json('{"ä": "€"}'.encode(encoding)) == {"ä": "€"}


def test_unknown_fields_are_kept_and_the_last_value_of_a_repeated_key_wins() -> None:
    text = '{"amount": "1", "b": {"c": [1, 2.50, null]}, "amount": "2", "b c": {}}'
    invoice = models.InvoiceDetails.from_dict(read_json(text.encode()), Place(strict=True))
    assert (invoice.amount, invoice.additional_properties) == ("2", {"b": {"c": [1, 2.5, None]}, "b c": {}})
    assert json.loads(json.dumps(invoice.to_dict())) == json.loads(text)
    assert pickle.loads(pickle.dumps(invoice)) == invoice  # noqa: S301 # our own


def test_deviations_are_counted_by_place(server: Server) -> None:
    invoices = [{"amount": 1.50, "paid_amount": 2, "invoice_due_date": "", "status": None} for _ in range(3)]
    server.respond_with({"_embedded": {"invoices": [*invoices, {"amount": "3", "total": 5}]}, "total": "4"})
    deviations: list[Deviation] = []
    with BridgeClient(server.url, on_deviation=deviations.append) as bridge:
        body = bridge.billing.get_account_invoices("1")
    at = "$._embedded.invoices[*]"
    assert [(one.place, one.documented, one.seen, one.count) for one in deviations] == [
        (f"{at}.amount", "string", "number", 3),
        (f"{at}.paid_amount", "string", "integer", 3),
        (f"{at}.invoice_due_date", "date", "empty string", 3),
        (f"{at}.status", "string", "null", 3),
        ("$.total", "integer", "string", 1),
    ]
    assert {one.operation for one in deviations} == {"get_account_invoices"}
    assert body.total == 4
    assert body.embedded
    assert [invoice.amount for invoice in body.embedded.invoices or []] == ["1.5", "1.5", "1.5", "3"]


def test_deviations_are_logged_without_a_value(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.respond_with({"_embedded": {"invoices": [{"amount": 123.45}]}})
    with caplog.at_level(logging.WARNING, "talkdesk_bridge"), BridgeClient(server.url) as bridge:
        bridge.billing.get_account_invoices("1")
    (record,) = caplog.records
    assert "place='$._embedded.invoices[*].amount', documented='string', seen='number', count=1" in record.getMessage()
    assert "123" not in caplog.text


def test_an_error_of_the_hook_is_raised(server: Server) -> None:
    def fail(deviation: Deviation) -> None:
        raise KeyError(deviation.place)

    server.respond_with({**page(1), "total": "1"})
    with BridgeClient(server.url, on_deviation=fail) as bridge, pytest.raises(KeyError, match=r"\$\.total"):
        bridge.billing.get_account_invoices("1")


def test_strict_raises_for_a_deviation(server: Server, listing: Listing) -> None:
    server.respond_with({"_embedded": {"invoices": [{"amount": "1"}, {"amount": 3700.5}]}})
    assert len(listing(server.url)) == 2
    with pytest.raises(errors.ContractError) as caught:
        listing(server.url, options={"strict": True})
    error = caught.value
    assert (error.json_path, error.expected, error.seen) == ("$._embedded.invoices[1].amount", "string", "number")
    assert str(error).endswith("expected string at $._embedded.invoices[1].amount, got number.")
    assert "3700" not in str(error)


@pytest.mark.parametrize(
    ("body", "numbers", "deviations"),
    [
        ([], [], [("$", "object", "array")]),
        ([{"invoice_number": "1"}, {"invoice_number": "2"}], ["1", "2"], [("$", "object", "array")]),
        ([{"invoice_number": 1}], ["1"], [("$", "object", "array"), ("$[*].invoice_number", "string", "integer")]),
        ({"invoice_number": "1", "custom_fields": []}, ["1"], [("$", "object with a list", "single item")]),
        ({"amount": 5}, [None], [("$", "object with a list", "single item"), ("$.amount", "string", "integer")]),
    ],
)  # fmt: skip
def test_a_bare_list_or_item_is_read_as_a_page(
    server: Server, listing: Listing, body: object, numbers: list[str], deviations: list[tuple[str, str, str]]
) -> None:
    server.respond_with((200, {}, json.dumps(body).encode()))
    seen: list[Deviation] = []
    found = listing(server.url, options={"on_deviation": seen.append}, max_pages=1)
    assert [invoice.invoice_number for invoice in found] == numbers
    without_length = [("$.total", "number of all items, or a next link", "nothing")] if numbers else []
    assert [(one.place, one.documented, one.seen) for one in seen] == deviations + without_length
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
def test_the_place_is_that_in_the_sent_body(server: Server, listing: Listing, body: object, place: str) -> None:
    server.respond_with((200, {}, json.dumps(body).encode()))
    with pytest.raises(errors.ContractError) as caught:
        listing(server.url)
    assert caught.value.json_path == place


def test_a_union_in_a_union_is_not_read_twice_at_each_level(made: ModuleType) -> None:
    """Otherwise each level would double the time, and a few bytes could keep a client busy forever."""
    text = '"5"'
    for _ in range(60):
        text = f'{{"child": {text}}}'
    place = Place()
    made.Node.from_dict(read_json(text.encode()), place)
    assert [(documented, seen, count) for _, documented, seen, count in place.deviations()] == [
        ("integer", "string", 1)
    ]


@pytest.mark.parametrize(
    ("status", "content", "body", "info"),
    [
        (409, b'[{"amount": "1"}]', [models.InvoiceItemDetails(amount="1")], None),
        (409, b'{"userMessage": "No."}', models.ErrorInfo(user_message="No."), "No."),
        (410, b'{"category": "a", "amount": 1}', models.InvoiceItemDetails(category="a", amount="1"), None),
        (410, b'{"userMessage": "No."}', models.ErrorInfo(user_message="No."), "No."),
        (500, b'{"userMessage": "No."}', models.ErrorInfo(user_message="No."), "No."),
        (
            500,
            b'{"userMessage": "No.", "status": "BAD", "errorCode": true, "details": "x"}',
            models.ErrorInfo(user_message="No."),
            "No.",
        ),
        (500, b'{"other": 1}', None, None),
        (409, b"gone", None, None),
    ],
)
def test_an_error_body_is_read_as_declared_or_as_error_info(
    status: int, content: bytes, body: object, info: str | None
) -> None:
    bodies = (
        Body(409, 409, "json", models_reader(models.InvoiceItemDetails)),
        Body(410, 410, "json", model(models.InvoiceItemDetails)),
    )
    operation = Operation[Any](operation_id="op", method="GET", path="/x", request=dict, bodies=bodies)
    response = RawResponse("GET /x", "https://bridge.example/x", status, {}, content)
    with pytest.raises(errors.StatusError) as caught:
        _response.read(operation, response, Settings(base_url="https://bridge.example", auth=BearerAuth("token")))
    assert caught.value.body == body
    assert (caught.value.error_info and caught.value.error_info.user_message) == info
    assert caught.value.data == (None if content == b"gone" else json.loads(content))


def test_fields_lists_the_attribute_of_each_sent_name() -> None:
    for name in models.__all__:
        model = getattr(models, name)
        attributes = {field.name for field in getattr(model, "__attrs_attrs__", ())}  # an enumeration has none
        assert attributes - {"additional_properties"} == {*getattr(model, "FIELDS", {}).values()}
    assert models.ErrorInfo.FIELDS["errorCode"] == "error_code"
    assert [*models.InvoiceList.FIELDS] == ["invoices"]


def test_amounts_keep_every_digit(server: Server, listing: Listing) -> None:
    content = b'{"_embedded": {"invoices": [{"amount": 0.1}, {"amount": 3700.00}, {"amount": 12345678901234567.89}]}}'
    server.respond_with((200, {}, content))
    amounts = [invoice.amount for invoice in listing(server.url)]
    assert amounts == ["0.1", "3700.00", "12345678901234567.89"]
    assert sum(Decimal(str(amount)) for amount in amounts) == Decimal("12345678901238267.99")

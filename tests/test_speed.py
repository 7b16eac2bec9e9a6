"""Reading JSON is fast, and the fast ways read the same: parsers, models, and counts of instructions."""

from __future__ import annotations

import copy
import gc
import importlib
import json
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType, FrameType
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from attrs import NOTHING, fields
from hypothesis import example, given
from hypothesis import strategies as st
from talkdesk_bridge import BridgeClient, _json, models
from talkdesk_bridge._json import read_json
from talkdesk_bridge_api import reading
from talkdesk_bridge_api.base import OpenModel
from talkdesk_bridge_api.places import MisfitError, Place

from tests.conftest import CONTRACT, invoices_of
from tests.keepalive import KeepAlive, http_response
from tests.strategies import ANY, TALLY, TOKENS, Bodies, as_tree, examples, mangled, mutated, written
from tools.contract import load

PAGES = Bodies(load(CONTRACT).data).named("InvoiceDetailsResponse")


def page(count: int) -> Any:
    """A page of the documented shape, with five items for each invoice."""
    item: dict[str, Any] = {
        "amount": "740.00 usd",
        "category": "Premium",
        "description": "Home",
        "installment_number": 1,
    }
    item |= {"paid_amount": "200.00 usd", "policy_number": "POL-1", "product": "Home insurance"}
    invoice: dict[str, Any] = {"amount": "3700.00 usd", "due_amount": "2700.00 usd", "invoice_bill_date": "2023-07-01"}
    invoice |= {"invoice_due_date": "2023-07-22", "invoice_items_details": [item] * 5, "invoice_number": "1000000001"}
    invoice |= {"paid_amount": "1000.00 usd", "status": "Due"}
    return json.loads(json.dumps({"_embedded": {"invoices": [invoice] * count}, "total": count}))


# The parsers.

TEXTS = [
    b"", b" ", b"1", b" 1\n", b"1 2", b"-0", b"-0.0", b"01", b"1.", b".5", b"+1", b"1e5", b"1E+05", b"1e", b"1e400", b"1_0",
    b"0." + b"1" * 5000, b"1e" + b"9" * 50, b"9" * 19, b"9" * 20, b"-" + b"9" * 25, b"18446744073709551616", b"7" * 4300,
    b"7" * 4301, b"9223372036854775808", b"-9223372036854775809", b"NaN", b"-Infinity", b"nul", b"true", b"'a'", b"[1,]",
    b'{"a": 1,}', b'{"a": 1, "b": 2, "a": 3.50}', b'{"": null}', b"{1: 2}", b"/**/1", b'"a', b'"\t"', b'"\x00"', b'"\x7f"',
    b'"\\/\\b"', b'"\\x"', b'"\\u00zz"', b'"\\u+123"', b'"\\ud83d\\ude00"', b'"\\ude00\\ud83d"', b'"\\ud800"', b'"\xff"',
    b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\xc3\xa4"', b"\xa01", b"\x0c1", b"1\x00", b"\xef\xbb\xbf1", b"\xff\xfe1\x00",
    "{\"ä\": 1.50}".encode("utf-16"), "[1.50]".encode("utf-32-be"), b"[" * 100_000, b'{"a": ' * 100_000,
]  # fmt: skip


def outcome(parse: Callable[[bytes], Any], content: bytes) -> str:
    """The result of a parser as text: each value with its type, numbers as they were written, members in order."""

    def shown(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{name!r}: {shown(item)}" for name, item in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(shown, value)) + "]"
        return f"{type(value).__name__} {float(value) if isinstance(value, float) else ''} {str(value)!r}"

    try:
        return shown(parse(content))
    except (ValueError, RecursionError) as error:
        return f"{type(error)} {error}"


def parsers_agree(content: bytes) -> None:
    assert outcome(read_json, content) == outcome(_json._standard, content)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:20]))
def test_both_parsers_read_the_same(text: bytes) -> None:
    pytest.importorskip("msgspec")
    parsers_agree(text)


@examples(150)
@given(
    st.one_of(mutated(PAGES), mangled(PAGES), ANY.map(lambda body: written(as_tree(body)).encode()), st.binary(max_size=8))
)  # fmt: skip
def test_both_parsers_read_faulty_bodies_the_same(content: bytes) -> None:
    pytest.importorskip("msgspec")
    TALLY["examples"] += 1
    parsers_agree(content)


@examples(50)
@given(TOKENS)
@example("12345678901234567890.12345678901234567890")
def test_each_parser_keeps_every_digit(token: str) -> None:
    TALLY["examples"] += 1
    for parse in (read_json, _json._standard):
        assert str(parse(token.encode())) == (token if token != "-0" else "0")
        assert isinstance(parse(token.encode()), int) is token.lstrip("-").isdigit()


def test_importing_the_package_does_not_load_the_parser() -> None:
    code = """if True:
        import sys
        from talkdesk_bridge import *
        from talkdesk_bridge._json import read_json
        assert "msgspec" not in sys.modules
        read_json(b"1")
        assert "msgspec" in sys.modules
    """
    pytest.importorskip("msgspec")
    subprocess.run([sys.executable, "-c", code], check=True)


# The models.

MODELS = [getattr(models, name) for name in models.__all__]


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_needs_nothing_that_setting_its_fields_skips(kind: Any) -> None:
    """`from_dict` skips `__init__`. If this test fails, it must call `__init__` again."""
    assert kind.__bases__ == (OpenModel,)
    assert kind.__setattr__ is object.__setattr__
    assert not any(hasattr(kind, f"__attrs_{hook}_init__") for hook in ("pre", "post"))
    for one in fields(kind):
        assert (one.validator, one.converter, one.on_setattr) == (None, None, None)
        if one.name == "additional_properties":
            assert one.default.factory is dict
        else:
            assert one.default is None or one.default is NOTHING
    assert kind.from_dict({}) == kind()


def test_deviations_are_in_the_order_of_the_body() -> None:
    details = [{"product": 1, "amount": 2}, {"category": None, "amount": 3}]
    body: dict[str, Any] = {
        "total": "1",
        "_embedded": {"invoices": [{"status": None, "invoice_items_details": details, "amount": 5}]},
    }
    root = Place()
    models.InvoiceDetailsResponse.from_dict(body, root)
    at = "$._embedded.invoices[*]"
    assert root.in_order(body) == [
        ("$.total", "integer", "string", 1),
        (f"{at}.status", "string", "null", 1),
        (f"{at}.invoice_items_details[*].product", "string", "integer", 1),
        (f"{at}.invoice_items_details[*].amount", "string", "integer", 2),
        (f"{at}.invoice_items_details[*].category", "string", "null", 1),
        (f"{at}.amount", "string", "integer", 1),
    ]
    # The first field that cannot be read, in the order of the contract, ends the reading.
    body["_embedded"]["invoices"].append({"status": {}, "paid_amount": [], "amount": {}})
    for strict, place in ((False, "._embedded.invoices[1].amount"), (True, "._embedded.invoices[0].amount")):
        with pytest.raises(MisfitError) as caught:
            models.InvoiceDetailsResponse.from_dict(body, Place(strict=strict))
        assert caught.value.place == place


@examples(200)
@given(st.one_of(st.dates().map(str), st.from_regex(r"(19|20)[0-9W-]{4,9}", fullmatch=True), st.text(max_size=10)))
@example("2023-W26-6")
@example("2023-W26")
@example("20230701")
@example("2023-07-01T")
@example("1710101512")
@example("2023070199")
@example("2023W26-66")
def test_the_fast_path_for_dates_reads_the_same(text: str) -> None:
    TALLY["examples"] += 1
    quick, slow = Place(), Place()
    other = reading._date_time_of(text, slow, ".a", "date", reading.FULL_DATE)
    assert reading.date_or_none(text, quick, ".a") == (other and other.date())
    assert quick.counts == slow.counts


def test_decoding_does_not_change_the_body() -> None:
    body = {**page(2), "more": {"a": [1]}}
    body["_embedded"]["invoices"][0] |= {"amount": 5, "x": []}
    before = copy.deepcopy(body)
    embedded = models.InvoiceDetailsResponse.from_dict(body).embedded
    assert embedded
    invoices = embedded.invoices or []
    invoices[0]["y"] = invoices[1]["z"] = 1
    assert body == before
    assert (invoices[0].additional_properties, invoices[1].additional_properties) == ({"x": [], "y": 1}, {"z": 1})


# The cost in Python instructions, which is the same on every machine, however busy it is. Work in C is not counted, so
# the limits are wider than the times in docs/speed.md.


def instructions(function: Callable[[], object]) -> int:
    """The number of Python instructions that a call executes."""
    function()  # without the cost of the first call
    total, thread = 0, threading.get_ident()
    if sys.version_info >= (3, 12):

        def executed(_code: CodeType, _offset: int) -> None:
            nonlocal total
            total += threading.get_ident() == thread

        watch, tool = sys.monitoring, sys.monitoring.PROFILER_ID
        watch.use_tool_id(tool, "instructions")
        watch.register_callback(tool, watch.events.INSTRUCTION, executed)
        watch.set_events(tool, watch.events.INSTRUCTION)
        try:
            function()
        finally:
            watch.set_events(tool, 0)
            watch.free_tool_id(tool)
        return total

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal total
        frame.f_trace_opcodes = True
        total += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return total


def test_the_overhead_of_a_request_is_few_instructions() -> None:
    """Listing an account costs at most a tenth more than the same loop with httpx and the same decoder."""
    pages, size = 3, 50

    def numbered(target: str) -> bytes:
        number = int(parse_qs(target.partition("?")[2]).get("page", ["1"])[0])
        body = page(size) | {"total": pages * size}
        for at, invoice in enumerate(body["_embedded"]["invoices"]):
            invoice["invoice_number"] = str(size * number + at)
        return http_response(json.dumps(body).encode())

    decode = models.InvoiceDetailsResponse.from_dict

    def by_hand(client: httpx.Client) -> list[Any]:
        invoices: list[Any] = []
        for number in range(1, pages + 1):
            response = client.get(invoices_of("1"), params={"page": number, "per_page": size})
            response.raise_for_status()
            embedded = decode(read_json(response.content)).embedded
            invoices += (embedded and embedded.invoices) or []
        return invoices

    with KeepAlive(numbered) as server, BridgeClient(server.url) as bridge, httpx.Client(base_url=server.url) as client:
        listed = partial(bridge.billing.iter_account_invoices, "1", per_page=size)
        assert by_hand(client) == list(listed())
        ours, theirs = instructions(lambda: list(listed())), instructions(lambda: by_hand(client))
    assert ours < 1.1 * theirs, f"{ours} instructions, but {theirs} for the loop by hand"


def decoding(body: Any) -> int:
    return instructions(lambda: models.InvoiceDetailsResponse.from_dict(body, Place()))


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The model of a page from the generator without our templates."""
    folder = tmp_path_factory.mktemp("stock")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--path", str(CONTRACT)]
    subprocess.run([*command, "--output-path", str(folder / "stock")], check=True, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        return importlib.import_module("stock.models").InvoiceDetailsResponse


def test_decoding_takes_few_instructions(stock: Any) -> None:
    """from_dict takes at most 1.5 times as many instructions as the stock one, which checks nothing."""
    body = page(20)
    ours, theirs = decoding(body), instructions(lambda: stock.from_dict(body))
    assert 5_000 < theirs < 50_000
    assert ours < 1.5 * theirs, f"{ours} instructions, but {theirs} for the stock from_dict"


def objects(body: Any) -> Iterator[dict[str, Any]]:
    for invoice in body["_embedded"]["invoices"]:
        yield invoice
        yield from invoice["invoice_items_details"]


@pytest.mark.parametrize("change", [{"amount": None}, {"amount": 3700}, {"extra": "x"}, {"amount": None, "extra": "x"}])
def test_a_deviation_in_every_object_costs_little_more(change: dict[str, Any]) -> None:
    """A slow path that reads deviating objects again would fail here."""
    clean, dirty = page(20), page(20)
    for one in objects(dirty):
        one |= change
    assert decoding(dirty) < 1.5 * decoding(clean)


def test_an_absent_field_in_every_object_costs_little_more() -> None:
    clean, sparse = page(20), page(20)
    for one in objects(sparse):
        del one["amount"]
    assert decoding(sparse) < 1.5 * decoding(clean)


def test_models_take_no_more_memory_than_the_stock_models(stock: Any) -> None:
    """Memory of the models alone. A model without unknown fields must not keep the larger dict that was emptied."""

    def kept(read: Callable[[Any], object]) -> int:
        read(page(1))
        gc.collect()
        tracemalloc.start()
        try:
            body = page(100)
            result = read(body)
            del body
            return tracemalloc.get_traced_memory()[0] + 0 * id(result)
        finally:
            tracemalloc.stop()

    ours, theirs = kept(models.InvoiceDetailsResponse.from_dict), kept(stock.from_dict)
    assert ours < 1.05 * theirs

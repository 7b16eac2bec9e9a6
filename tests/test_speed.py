"""What keeps reading JSON fast, and that fast is not different: parsers, compiled decoders, counts of instructions."""

from __future__ import annotations

import copy
import gc
import inspect
import json
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from types import CodeType, FrameType
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from attrs import NOTHING, define, field, fields
from hypothesis import example, given
from hypothesis import strategies as st
from talkdesk_bridge import BridgeClient, _decode, models
from talkdesk_bridge._decode import Filler, Findings, MisfitError, decoder, read_json
from talkdesk_bridge_api.models import FIELDS
from talkdesk_bridge_api.types import Fields

from tests.conftest import CONTRACT, invoices_of
from tests.drawing import ANY, TALLY, TOKENS, Bodies, as_tree, examples, mangled, mutated, written
from tests.keepalive import KeepAlive, answer
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
    """What a parser makes of a text: each value with its type, numbers as they were written, members in their order."""

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
    assert outcome(read_json, content) == outcome(_decode._standard, content)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:20]))
def test_both_parsers_read_the_same(text: bytes) -> None:
    pytest.importorskip("msgspec")
    parsers_agree(text)


@examples(150)
@given(
    st.one_of(mutated(PAGES), mangled(PAGES), ANY.map(lambda body: written(as_tree(body)).encode()), st.binary(max_size=8))
)  # fmt: skip
def test_both_parsers_read_the_same_of_whatever_is_sent(content: bytes) -> None:
    pytest.importorskip("msgspec")
    TALLY["examples"] += 1
    parsers_agree(content)


@examples(50)
@given(TOKENS)
@example("12345678901234567890.12345678901234567890")
def test_each_parser_keeps_every_digit(token: str) -> None:
    TALLY["examples"] += 1
    for parse in (read_json, _decode._standard):
        assert str(parse(token.encode())) == (token if token != "-0" else "0")
        assert isinstance(parse(token.encode()), int) is token.lstrip("-").isdigit()


def test_importing_the_package_does_not_load_the_parser() -> None:
    code = """if True:
        import sys
        from talkdesk_bridge import *
        from talkdesk_bridge._decode import read_json
        assert "msgspec" not in sys.modules
        read_json(b"1")
        assert "msgspec" in sys.modules
    """
    pytest.importorskip("msgspec")
    subprocess.run([sys.executable, "-c", code], check=True)


# The compiled decoders.


@pytest.mark.parametrize("kind", FIELDS)
def test_a_model_has_nothing_that_filling_its_fields_leaves_out(kind: Any) -> None:
    """The decoders make models without their `__init__`: whoever fails here has to call it again."""
    assert kind.__bases__ == (object,)
    assert kind.__setattr__ is object.__setattr__
    assert not any(hasattr(kind, f"__attrs_{hook}_init__") for hook in ("pre", "post"))
    named = {attribute for attribute, _ in FIELDS[kind].known.values()}
    for one in fields(kind):
        assert (one.validator, one.converter, one.on_setattr) == (None, None, None)
        if one.name == "additional_properties":
            assert (one.default.factory, FIELDS[kind].unknown is None) == (dict, False)
        else:
            named.remove(one.name)
            assert one.default is None or one.default is NOTHING
    assert not named


def plain_models(kind: Any, place: str) -> Filler:
    """As the compiled decoder of a model, but field by field, in the order in which they were sent."""
    known, needed = FIELDS[kind].known, _decode._needed(kind)

    def fill(made: list[Any], values: list[Any], findings: Findings) -> None:
        for value in values:
            if not isinstance(value, dict):
                raise MisfitError("object", _decode.kind_of(value))
            model, unknown = kind(**dict.fromkeys(attribute for attribute, _ in known.values())), {}
            for name, item in value.items():
                try:
                    if name in known:
                        inner = decoder(known[name][1], place + _decode.member(name), optional=name not in needed)
                        setattr(model, known[name][0], inner(item, findings))
                    else:
                        unknown[name] = decoder(FIELDS[kind].unknown, f"{place}.*")(item, findings)
                except MisfitError as misfit:
                    misfit.path.append(_decode.member(name))
                    raise
            if lacking := [name for name in known if name in needed and name not in value]:
                raise MisfitError(f"object with `{lacking[0]}`", "object without it")
            model.additional_properties = unknown
            made.append(model)

    return fill


def reading(body: Any, *, strict: bool, kind: Any = models.InvoiceDetailsResponse) -> Any:
    """What becomes of a body: the model and the deviations, as they are told; or what does not fit, and where."""
    decoder.cache_clear()  # a decoder holds those of its fields
    findings = Findings(strict=strict)
    try:
        model = decoder(kind)(body, findings)
    except MisfitError as misfit:
        return misfit.documented, misfit.seen, misfit.path
    except RecursionError:
        return RecursionError
    return model, repr(model), [*findings]


Reading = Callable[..., Any]


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reading]:
    def read(body: Any, **options: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(_decode, "_models", plain_models)
            return reading(body, **options)

    yield read
    decoder.cache_clear()


@examples(200)
@given(content=mutated(PAGES.flatmap(lambda body: st.permutations([*body.items()]).map(dict))), data=st.data())
def test_a_compiled_decoder_finds_what_a_plain_one_finds(plain: Reading, content: bytes, data: st.DataObject) -> None:
    TALLY["examples"] += 1

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            order = data.draw(st.permutations([*value])) if len(value) < 12 else [*value]
            return {name: shuffled(value[name]) for name in order}
        return [*map(shuffled, value)] if isinstance(value, list) else value

    body = shuffled(read_json(content))
    for strict in (False, True):
        assert reading(copy.deepcopy(body), strict=strict) == plain(body, strict=strict)


def test_deviations_and_misfits_are_told_in_the_order_in_which_they_were_sent(
    plain: Reading,
) -> None:
    details = [{"product": 1, "amount": 2}, {"category": None, "amount": 3}]
    body = {"total": "1", "_embedded": {"invoices": [{"status": None, "invoice_items_details": details, "amount": 5}]}}
    _, _, told = reading(body, strict=False)
    at = "$._embedded.invoices[*]"
    assert [place for place, *_ in told] == [
        "$.total",
        f"{at}.status",
        f"{at}.invoice_items_details[*].product",
        f"{at}.invoice_items_details[*].amount",
        f"{at}.invoice_items_details[*].category",
        f"{at}.amount",
    ]
    body["_embedded"]["invoices"].append({"status": {}, "paid_amount": [], "amount": {}})  # type: ignore[index] # a list
    assert reading(body, strict=False) == ("string", "object", [".status", "[1]", ".invoices", "._embedded"])
    assert reading(body, strict=True) == plain(body, strict=True) == ("integer", "string", [".total"])


@define(kw_only=True)
class Tree:
    """A model with what the contract has none of: fields that are required, a null that is allowed, typed other fields."""

    key: str
    size: int
    day: date
    note: str | None = None
    more: list[Tree] | None = None
    additional_properties: dict[str, Any] = field(init=False, factory=dict)


TREE = Fields(
    known={
        "k-1": ("key", str),
        "size": ("size", int),
        "day": ("day", date),
        "note": ("note", str | None),
        "more": ("more", list[Tree]),
    },
    unknown=int,
)
VALID: dict[str, st.SearchStrategy[Any]] = {
    "k-1": st.just("a"),
    "size": st.just(5),
    "day": st.just("2023-07-01"),
    "note": st.just("b"),
    "x": st.just(1),
    "y.z": st.just("7"),
}
BRANCHES: st.SearchStrategy[Any] = st.deferred(
    lambda: st.permutations(["k-1", "size", "day", "note", "more", "x", "y.z"]).flatmap(
        lambda names: st.fixed_dictionaries(
            {},
            optional={
                name: st.one_of(
                    st.sampled_from([1, "1", "a", None, {}]),
                    st.lists(BRANCHES, max_size=2) if name == "more" else VALID[name],
                )
                for name in names
            },
        )
    )
)


@examples(150)
@given(body=BRANCHES)
@example({"size": 1})
@example({"size": 1, "k-1": "a", "day": "22.07.2023"})
@example({"y.z": "7", "k-1": 5, "x": {}, "size": 1, "note": 2})
def test_so_it_does_with_fields_that_are_required_and_others_that_are_typed(
    plain: Reading, monkeypatch: pytest.MonkeyPatch, body: Any
) -> None:
    TALLY["examples"] += 1
    monkeypatch.setitem(FIELDS, Tree, TREE)
    for strict in (False, True):
        ours, theirs = (read(body, strict=strict, kind=Tree) for read in (reading, plain))
        if ours != theirs:
            # Deviations of other fields have one place, which stands where the first other field does.
            assert (*ours[:2], {*ours[2]}) == (*theirs[:2], {*theirs[2]})
            assert any(place.endswith(".*") for place, *_ in ours[2])


@examples(50)
@given(st.one_of(st.dates().map(str), st.from_regex(r"(19|20)[0-9W-]{4,9}", fullmatch=True), st.text(max_size=10)))
@example("2023-W26-6")
@example("2023-W26")
@example("20230701")
@example("2023-07-01T")
def test_most_dates_are_read_faster_and_not_otherwise(text: str) -> None:
    TALLY["examples"] += 1
    told = Findings(), Findings()
    reads = _decode._day("$", optional=True), _decode._date(date, "$", optional=True)
    assert reads[0](text, told[0]) == reads[1](text, told[1])
    assert told[0].counts == told[1].counts


def test_what_was_decoded_is_as_it_was() -> None:
    body = {**page(2), "more": {"a": [1]}}
    body["_embedded"]["invoices"][0] |= {"amount": 5, "x": []}
    before = copy.deepcopy(body)
    invoices = decoder(models.InvoiceDetailsResponse)(body, Findings()).embedded.invoices
    invoices[0]["y"] = invoices[1]["z"] = 1
    assert body == before
    assert (invoices[0].additional_properties, invoices[1].additional_properties) == ({"x": [], "y": 1}, {"z": 1})


# What it costs, in instructions of Python's own: these are the same on every machine, and however busy it is. They do
# not count what C does, so that the bounds are wider than the times that docs/speed.md measures.


def instructions(function: Callable[[], object]) -> int:
    """How many a call executes, in all Python functions."""
    function()  # what is made at first use
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


def test_what_is_done_round_a_request_takes_few_instructions() -> None:
    """All pages of an account, beside the same loop with httpx and the same decoder: at most a tenth more."""
    pages, size = 3, 50

    def numbered(target: str) -> bytes:
        number = int(parse_qs(target.partition("?")[2]).get("page", ["1"])[0])
        body = page(size) | {"total": pages * size}
        for at, invoice in enumerate(body["_embedded"]["invoices"]):
            invoice["invoice_number"] = str(size * number + at)
        return answer(json.dumps(body).encode())

    decode = decoder(models.InvoiceDetailsResponse)

    def by_hand(client: httpx.Client) -> list[Any]:
        invoices: list[Any] = []
        for number in range(1, pages + 1):
            response = client.get(invoices_of("1"), params={"page": number, "per_page": size})
            response.raise_for_status()
            invoices += decode(read_json(response.content), Findings()).embedded.invoices
        return invoices

    with KeepAlive(numbered) as server, BridgeClient(server.url) as bridge, httpx.Client(base_url=server.url) as client:
        listed = partial(bridge.billing.iter_account_invoices, "1", per_page=size)
        assert by_hand(client) == list(listed())
        ours, theirs = instructions(lambda: list(listed())), instructions(lambda: by_hand(client))
    assert ours < 1.1 * theirs, f"{ours} instructions, and {theirs} of the loop by hand"


def decoding(body: Any) -> int:
    decode = decoder(models.InvoiceDetailsResponse)
    return instructions(lambda: decode(body, Findings()))


def test_decoding_takes_few_instructions() -> None:
    """At most half as many again as the generated `from_dict`, which checks nothing and costs more for each."""
    body = page(20)
    ours = decoding(body)
    generated = instructions(lambda: models.InvoiceDetailsResponse.from_dict(body))
    assert 5_000 < generated < 50_000
    assert ours < 1.5 * generated, f"{ours} instructions, and {generated} of from_dict"


def objects(body: Any) -> Iterator[dict[str, Any]]:
    for invoice in body["_embedded"]["invoices"]:
        yield invoice
        yield from invoice["invoice_items_details"]


@pytest.mark.parametrize("change", [{"amount": None}, {"amount": 3700}, {"extra": "x"}, {"amount": None, "extra": "x"}])
def test_what_deviates_in_every_object_costs_little_more(change: dict[str, Any]) -> None:
    """A second way to read, slower and taken where something differs, would show here."""
    clean, dirty = page(20), page(20)
    for one in objects(dirty):
        one |= change
    assert decoding(dirty) < 1.5 * decoding(clean)


def test_an_absent_field_in_every_object_costs_little_more() -> None:
    clean, sparse = page(20), page(20)
    for one in objects(sparse):
        del one["amount"]
    assert decoding(sparse) < 1.5 * decoding(clean)


def test_what_was_decoded_takes_no_more_memory_than_the_generated_models() -> None:
    """Of what is kept, with the JSON gone; a model without unknown fields has an empty dict for them, not an emptied one."""

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

    decode = decoder(models.InvoiceDetailsResponse)
    ours, generated = kept(lambda body: decode(body, Findings())), kept(models.InvoiceDetailsResponse.from_dict)
    assert ours < 1.05 * generated


def test_nothing_of_the_interpreter_is_changed_for_speed() -> None:
    assert "gc." not in inspect.getsource(_decode)

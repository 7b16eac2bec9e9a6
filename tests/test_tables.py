"""Arrow tables: the schema, each value, batches of whole accounts, early close, and memory."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from talkdesk_bridge import BridgeClient, HeaderAuth, Money, Number, errors
from talkdesk_bridge.models import InvoiceDetails
from talkdesk_bridge_sandbox import Sandbox
from talkdesk_bridge_tables import SCHEMA, parquet, read, schema
from talkdesk_bridge_tables._columns import columns_of
from talkdesk_bridge_tables._fields import struct_fields
from talkdesk_bridge_tables._schema import batches

from tests.command import environment, run
from tests.conftest import CONTRACT, ONCE, page
from tests.conftest import merged as contract_with
from tests.keepalive import KeepAlive, http_response
from tests.packages import models_of
from tests.strategies import TALLY, Bodies, examples
from tools.contract import load

GOLDEN = """\
account_number: string
amount: string
amount_decimal: decimal128(38, 9)
amount_currency: string
due_amount: string
due_amount_decimal: decimal128(38, 9)
due_amount_currency: string
invoice_bill_date: date32[day]
invoice_due_date: date32[day]
invoice_items_details: list<item: struct<{items}>>
invoice_number: string
paid_amount: string
paid_amount_decimal: decimal128(38, 9)
paid_amount_currency: string
status: string
other_fields: string
error: struct<type: string, message: string, status_code: int64>"""
ITEMS = """\
amount: string, amount_decimal: decimal128(38, 9), amount_currency: string, category: string, description: string, \
installment_number: int64, paid_amount: string, paid_amount_decimal: decimal128(38, 9), paid_amount_currency: string, \
policy_number: string, product: string, other_fields: string"""


def test_the_schema() -> None:
    assert [f"{field.name}: {field.type}" for field in SCHEMA] == GOLDEN.format(items=ITEMS).splitlines()
    assert schema("get_account_invoices") == SCHEMA
    with pytest.raises(errors.ArgumentError, match="nothing is not a list operation"):
        schema("nothing")


def invoice(text: str) -> InvoiceDetails:
    return InvoiceDetails.from_dict(json.loads(text, parse_float=Number))


def rows_of(model: Any, models: list[Any]) -> list[dict[str, Any]]:
    """The columns of some models as Python values."""
    array = pa.StructArray.from_arrays(columns_of(model, models), fields=struct_fields(model))
    array.validate(full=True)
    found: list[dict[str, Any]] = array.to_pylist()
    return found


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ('{"amount": "3700.00 usd"}', {"amount": "3700.00 usd", "amount_decimal": Decimal("3700"), "amount_currency": "USD"}),
        ('{"amount": "-0.5"}', {"amount": "-0.5", "amount_decimal": Decimal("-0.5")}),
        ('{"amount": "12\u00a0EUR"}', {"amount": "12\u00a0EUR", "amount_decimal": Decimal(12), "amount_currency": "EUR"}),
        ('{"amount": "-0.123456789012 usd"}', {"amount": "-0.123456789012 usd"}),
        ('{"amount": "1e3 usd"}', {"amount": "1e3 usd"}),
        ('{"amount": "1.234,50 EUR"}', {"amount": "1.234,50 EUR"}),
        ('{"amount": "a hundred"}', {"amount": "a hundred"}),
        ('{"amount": 1.10}', {"amount": "1.10", "amount_decimal": Decimal("1.1")}),
        ('{"amount": "%s"}' % ("9" * 29), {"amount": "9" * 29, "amount_decimal": Decimal("9" * 29)}),
        ('{"amount": "%s"}' % ("9" * 30), {"amount": "9" * 30}),
        ('{"invoice_number": "0000000042"}', {"invoice_number": "0000000042"}),
        ('{"invoice_bill_date": "2023-07-22"}', {"invoice_bill_date": date(2023, 7, 22)}),
        ('{"code": 1.10, "more": [{"a": null}]}', {"other_fields": '{"code": 1.10, "more": [{"a": null}]}'}),
        ('{"status": "\\ud83d"}', {"other_fields": '{"status": "\\ud83d"}'}),
        ('{"\\ud83d": "\u00fc"}', {"other_fields": '{"\\ud83d": "\\u00fc"}'}),
        ('{"invoice_items_details": []}', {"invoice_items_details": []}),
        ("{}", {}),
    ],
)  # fmt: skip
def test_each_value(sent: str, expected: dict[str, Any]) -> None:
    (row,) = rows_of(InvoiceDetails, [invoice(sent)])
    assert {name: value for name, value in row.items() if value is not None} == expected


def test_an_integer_of_thirty_digits_stays_in_its_item() -> None:
    many = "1" * 30
    (row,) = rows_of(
        InvoiceDetails,
        [
            invoice(
                json.dumps({"invoice_items_details": [{"installment_number": int(many)}, {"installment_number": 2}]})
            )
        ],
    )
    assert [(one["installment_number"], one["other_fields"]) for one in row["invoice_items_details"]] == [
        (None, f'{{"installment_number": {many}}}'),
        (2, None),
    ]
    assert row["other_fields"] is None


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The models of a contract with every kind of schema."""
    schemas = contract_with("things", "kinds")["components"]["schemas"]
    return models_of(schemas, tmp_path_factory.mktemp("tables"), "tables_kinds")


def test_each_kind_of_schema(grown: Any) -> None:
    data = {
        "id": "11111111-2222-3333-4444-555555555555", "when": "2023-07-22T10:00:00+02:00", "must": 2**70, "nothing": None,
        "flag": True, "share": 0.5, "days": ["2023-07-22"], "table": [[1.5], []], "words": ["a", None], "colour": "red",
        "level": 30, "fixed": "fixed", "seven": 7, "mixed": 5, "listed": [1, 2**70], "counted": {"kind": "counted", "more": 5},
        "anything": {"a": [1]}, "name": "11111111-2222-3333-4444-555555555555", "lists": [1],
    }  # fmt: skip
    types = {field.name: str(field.type) for field in struct_fields(grown.Kinds)}
    (row,) = rows_of(grown.Kinds, [grown.Kinds.from_dict(data)])
    expected = {
        "id": ("string", data["id"]),
        "when": ("timestamp[us, tz=UTC]", datetime(2023, 7, 22, 8, tzinfo=UTC)),
        "must": ("int64", None),
        "nothing": ("string", None),
        "flag": ("bool", True),
        "share": ("double", 0.5),
        "days": ("list<item: date32[day]>", [date(2023, 7, 22)]),
        "table": ("list<item: list<item: double>>", [[1.5], []]),
        "words": ("list<item: string>", ["a", None]),
        "colour": ("string", "red"),
        "level": ("int64", 30),
        "fixed": ("string", "fixed"),
        "seven": ("int64", 7),
        "mixed": ("string", "5"),
        "listed": ("list<item: int64>", None),
        "counted": ("struct<kind: string, other_fields: string>", {"kind": "counted", "other_fields": '{"more": 5}'}),
        "anything": ("string", '{"a": [1]}'),
        "name": ("string", data["name"]),
        "lists": ("string", "[1]"),
    }
    assert {name: (types[name], row[name]) for name in expected} == expected
    assert json.loads(row["other_fields"]) == {"must": 2**70, "listed": [1, 2**70]}


def test_a_schema_inside_of_itself_is_json_text(grown: Any) -> None:
    (row,) = rows_of(grown.Closed, [grown.Closed.from_dict({"name": "a", "inner": {"name": "b"}})])
    assert row == {"name": "a", "inner": '{"name": "b"}', "other_fields": None}


def test_a_time_without_a_zone_is_not_taken_for_utc(grown: Any) -> None:
    part = grown.Part.from_dict({})
    part.at = datetime(2023, 7, 22, 10)  # that is the case
    (row,) = rows_of(grown.Part, [part])
    assert (row["at"], row["other_fields"]) == (None, '{"at": "2023-07-22T10:00:00"}')


INVOICES = Bodies(load(CONTRACT).data).named("InvoiceDetails")


@examples(200)
@given(st.lists(INVOICES, min_size=1, max_size=3))
def test_a_batch_has_all_of_drawn_invoices(drawn: list[dict[str, Any]]) -> None:
    TALLY["examples"] += 1
    models = [invoice(json.dumps(one)) for one in drawn]
    for model, row in zip(models, rows_of(InvoiceDetails, models), strict=True):
        check(model, row)


def check(model: Any, row: dict[str, Any]) -> None:
    """Every value stands in its column, or in `other_fields`."""
    others = json.loads(row["other_fields"] or "{}", parse_float=Number)
    for name, attribute in model.FIELDS.items():
        value, shown = getattr(model, attribute), row[name]
        if isinstance(value, list) and shown is not None:
            for inner, inner_row in zip(value, shown, strict=True):
                check(inner, inner_row)
        elif value is not None and shown is None:
            assert json.dumps(others.pop(name)) == json.dumps(model.to_dict()[name])
        else:
            assert shown == value
        if attribute in model.AMOUNTS:
            check_amount(shown, row[f"{name}_decimal"], row[f"{name}_currency"])
    assert json.dumps(others) == json.dumps(model.additional_properties)


def check_amount(text: str | None, number: Decimal | None, currency: str | None) -> None:
    try:
        money = Money.parse(text or "")
    except errors.ArgumentError:
        assert (number, currency) == (None, None)
        return
    assert number is not None or "e" in str(text).lower() or len(str(text)) > 10
    assert number is None or (number, currency) == (money.amount, money.currency)


# Many accounts.


def listed(account: str, count: int = 2) -> bytes:
    return http_response(json.dumps(page(*(f"{account}-{number}" for number in range(count)))).encode())


@pytest.fixture
def served() -> Iterator[KeepAlive]:
    """Two invoices for each account; `missing...` does not exist, `empty...` has none."""

    def respond(target: str) -> bytes:
        account = target.rpartition("/")[2].partition("?")[0]
        if account.startswith("missing"):
            return http_response(b"{}", 404)
        return listed(account, 0 if account.startswith("empty") else 2)

    with KeepAlive(respond) as server:
        yield server


def making(url: str, **options: Any) -> Callable[[], BridgeClient]:
    return lambda: BridgeClient(url, **ONCE | options)


def test_batches_are_of_whole_accounts(served: KeepAlive) -> None:
    accounts = [*map(str, range(30)), "empty"]
    with read(accounts, make=making(served.url), rows=5) as reader:
        found = list(reader)
    assert {batch.num_rows for batch in found[:-1]} == {6}
    table = pa.Table.from_batches(found)
    assert table.schema == SCHEMA
    assert sorted(table["account_number"].to_pylist()) == sorted([*map(str, range(30))] * 2)
    assert table["error"].null_count == 60


def test_the_first_failed_account_raises_its_error(served: KeepAlive) -> None:
    reader = read(["1", "missing", "2"], make=making(served.url))
    with pytest.raises(errors.NotFoundError):
        reader.read_all()


def test_permissive_gives_a_row_for_a_failed_account(served: KeepAlive) -> None:
    table = read(["1", "missing", "2"], make=making(served.url), permissive=True).read_all()
    rows = {row["account_number"]: row for row in table.to_pylist()}
    assert table.num_rows == 5
    assert {name for name, value in rows["missing"].items() if value is not None} == {"account_number", "error"}
    error = rows["missing"]["error"]
    assert (error["type"], error["status_code"]) == ("NotFoundError", 404)
    assert "returned 404" in error["message"]


def test_a_wrong_credential_or_setting_always_raises(served: KeepAlive, monkeypatch: pytest.MonkeyPatch) -> None:
    served.respond = lambda _: http_response(b"{}", 401)
    make = making(served.url, auth=HeaderAuth("s3cret"))
    with pytest.raises(errors.UnauthorizedError):
        read(["1"], make=make, permissive=True).read_all()
    with pytest.raises(errors.ConfigurationError):
        read(["1"], permissive=True)
    monkeypatch.setenv("TALKDESK_BRIDGE_URL", served.url)
    with pytest.raises(errors.ArgumentError, match="rows must be an integer of at least 1"):
        read(["1"], rows=0)
    with pytest.raises(errors.ArgumentError, match="at_once"):
        read(["1"], at_once=0)


def test_no_account_gives_a_table_without_rows(served: KeepAlive) -> None:
    assert read([], make=making(served.url)).read_all() == SCHEMA.empty_table()
    assert read(["empty"], make=making(served.url)).read_all().num_rows == 0


def test_an_item_that_is_nested_too_deep() -> None:
    deep: Any = []
    for _ in range(700):
        deep = [deep]
    one = InvoiceDetails()
    one["deep"] = deep
    with pytest.raises(errors.ContractError, match="nested too deep for a table"):
        list(batches([("1", [one])], 10))


def test_closing_early_starts_no_more_requests() -> None:
    """Accounts without end, each of many pages."""
    asked: list[float] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(time.monotonic())
        time.sleep(0.01)
        account, number = request.url.path.rpartition("/")[2], request.url.params.get("page", "1")
        return httpx.Response(200, json=page(f"{account}-{number}", total=200 if int(account) > 20 else 1))

    make = making("https://bridge.example", transport=httpx.MockTransport(handle))
    reader = read(map(str, itertools.count()), make=make, rows=3)
    assert reader.read_next_batch().num_rows == 3
    reader.close()
    closed = time.monotonic()
    time.sleep(2.5)
    assert max(asked) - closed < 2
    del reader
    assert wait_for(lambda: threading.active_count() < 5)


def wait_for(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 2
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_leaving_a_reader_aborts_the_requests_in_flight(served: KeepAlive) -> None:
    """With a server that is silent about one account."""
    go_on = threading.Event()

    def respond(target: str) -> bytes:
        if target.endswith("/silent"):
            go_on.wait(10)
        return listed("1")

    served.respond = respond
    before = threading.active_count()
    reader = read(["1", "silent"], make=making(served.url), rows=1)
    assert reader.read_next_batch().num_rows == 2
    begun = time.monotonic()
    del reader
    assert wait_for(lambda: threading.active_count() <= before + 2)  # the server's two connections
    assert time.monotonic() - begun < 2
    go_on.set()


def test_a_slow_consumer_gets_everything(served: KeepAlive) -> None:
    """The client's time-outs do not run while it takes its time."""
    found = 0
    with read(map(str, range(6)), make=making(served.url, timeout=0.5, deadline=1), rows=2, at_once=2) as reader:
        for batch in reader:
            time.sleep(0.7)
            found += batch.num_rows
    assert found == 12


def test_memory_does_not_grow_with_the_number_of_invoices() -> None:
    """100,000 invoices."""
    content = json.dumps(page(*range(500))).encode()
    headers = {"Content-Type": "application/json"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content, headers=headers))
    peaks = []
    with read(map(str, range(200)), make=making("https://bridge.example", transport=transport)) as reader:
        tracemalloc.start()
        for _ in reader:
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.reset_peak()
        tracemalloc.stop()
    assert len(peaks) > 15
    # How many results wait, and when garbage is collected, differ; a leak would make it several times as much.
    assert max(peaks[-5:]) < 2 * max(peaks[:5])


def test_a_parquet_file_has_all_types(tmp_path: Path) -> None:
    invoices = [invoice('{"amount": "1.50 usd", "invoice_due_date": "2023-07-22", "invoice_number": "0001"}')] * 400
    parts = [*parquet((f"{account:04}", invoices) for account in range(200))]
    assert len(parts) == 4
    file = pq.ParquetFile(pa.BufferReader(b"".join(parts)))
    assert file.schema_arrow == SCHEMA
    assert (file.metadata.num_row_groups, file.metadata.num_rows) == (3, 80_000)
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    first = file.read_row_group(0).slice(0, 1).to_pylist()[0]
    assert (first["account_number"], first["invoice_number"], first["amount_decimal"]) == (
        "0000",
        "0001",
        Decimal("1.5"),
    )
    assert pq.ParquetFile(pa.BufferReader(b"".join(parquet([])))).metadata.num_rows == 0


def test_the_client_does_not_import_pyarrow() -> None:
    code = "import sys, talkdesk_bridge, talkdesk_bridge_cli.main, talkdesk_bridge_sandbox; print('pyarrow' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


# The command.


def test_the_command_writes_parquet(sandbox: Sandbox, tmp_path: Path) -> None:
    output = str(tmp_path / "invoices.parquet")
    named = {"URL": sandbox.url, "BEARER_TOKEN": "sandbox-token"}
    result = run("invoices", "1000000001", "1000000002", "--format", "parquet", "--output", output, **named)
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    table = pq.read_table(output)
    assert table.schema == SCHEMA
    (tmp_path / "accounts").write_text("1000000001\n1000000002\n")
    again = str(tmp_path / "again.parquet")
    result = run(
        "invoices", "--accounts-file", str(tmp_path / "accounts"), "--format", "parquet", "--output", again, **named
    )
    assert result.returncode == 0, result.stderr
    assert pq.read_table(again) == table
    rows = run("invoices", "1000000001", "--format", "jsonl", **named).stdout.splitlines()
    assert [json.loads(row)["invoice_number"] for row in rows] == table["invoice_number"].to_pylist()
    assert table["other_fields"].null_count < table.num_rows  # custom fields, without the account
    assert not any("account_number" in text for text in table["other_fields"].to_pylist() if text)


def test_parquet_goes_on_after_an_interruption(
    tmp_path: Path, served: KeepAlive, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "accounts").write_text("1\nmissing\n2\n")
    arguments = ["invoices", "--accounts-file", str(tmp_path / "accounts"), "--format", "parquet"]
    arguments += ["--output", str(tmp_path / "out.parquet")]
    first = run(*arguments, URL=served.url)
    assert first.returncode == 7
    assert not (tmp_path / "out.parquet").exists()
    before = served.requests
    served.respond = lambda target: listed(target.rpartition("/")[2])
    assert run(*arguments, URL=served.url).returncode == 0
    assert served.requests == before + 1
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["account_number"].to_pylist() == ["1", "1", "missing", "missing", "2", "2"]


COMMITS_EACH_ACCOUNT = """if True:
    import sys
    from talkdesk_bridge_cli import store
    from talkdesk_bridge_cli.main import main

    store.COMMIT_INTERVAL = 0
    sys.argv[0] = "talkdesk-bridge"
    main()
"""
"""The command, which saves each account at once instead of once a second."""

STOPPED_AMID_WRITING = """if True:
    import sys, time
    from talkdesk_bridge_cli import many
    from talkdesk_bridge_cli.main import main
    from talkdesk_bridge_tables import _parquet

    def parts(*arguments):
        for part in all_parts(*arguments):
            yield part
            print("a row group", flush=True)
            time.sleep(60)

    all_parts, many._parts, _parquet.ROW_GROUP = many._parts, parts, 50
    sys.argv[0] = "talkdesk-bridge"
    main()
"""
"""The command, which stops when the first row group is written."""


def test_parquet_goes_on_after_kill_9(tmp_path: Path, sandbox: Sandbox) -> None:
    """First amid the requests, then amid writing the file."""
    count = {"1000000003": 1, "1000000004": 50, "1000000001": 137, "1000000005": 60}
    source, output = tmp_path / "accounts", tmp_path / "out.parquet"
    source.write_text("\n".join(count))
    arguments = ["invoices", "--accounts-file", str(source), "--format", "parquet", "--output", str(output)]
    arguments += ["--per-page", "1", "--at-once", "1"]
    named = environment(URL=sandbox.url, BEARER_TOKEN="sandbox-token")
    command = [sys.executable, "-c", COMMITS_EACH_ACCOUNT, *arguments]
    with subprocess.Popen(command, env=named, stderr=subprocess.DEVNULL) as process:
        while len(sandbox.requests) < 70 and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert {file.name for file in tmp_path.iterdir()} >= {"accounts", "out.parquet.part"}
    before = len(sandbox.requests)
    command = [sys.executable, "-c", STOPPED_AMID_WRITING, *arguments]
    with subprocess.Popen(command, env=named, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        assert process.stdout.readline() == b"a row group\n"
        process.send_signal(signal.SIGKILL)
    assert len(sandbox.requests) < before + sum(count.values()), "the complete accounts were not requested again"
    left = {file.name for file in tmp_path.iterdir()}
    assert any(name.startswith(".talkdesk-bridge-") for name in left)
    assert "out.parquet" not in left
    done = run(*arguments, URL=sandbox.url, BEARER_TOKEN="sandbox-token")
    assert done.returncode == 0, done.stderr
    table = pq.read_table(output)
    assert table["account_number"].to_pylist() == [account for account in count for _ in range(count[account])]
    assert len({*zip(table["account_number"].to_pylist(), table["invoice_number"].to_pylist(), strict=True)}) == 248
    assert {file.name for file in tmp_path.iterdir()} == {"accounts", "out.parquet"}


def test_parquet_needs_a_file_and_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("invoices", "1", "--format", "parquet", URL="http://127.0.0.1:1")
    assert result.returncode == 2
    assert "--format parquet needs --output FILE." in result.stderr
    monkeypatch.setattr("talkdesk_bridge_cli.commands.find_spec", lambda _: None)
    result = run("invoices", "1", "--format", "parquet", "--output", "x", URL="http://127.0.0.1:1")
    assert result.returncode == 2
    assert "install talkdesk-bridge[tables]" in result.stderr

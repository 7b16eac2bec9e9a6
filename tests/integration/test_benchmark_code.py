"""The benchmarks themselves, in small: what is compared does the same work, ratios are those of neighbours, misses are told.

What needs the environment of `make bench` is in test_benchmarks.py.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Any

import pytest
from talkdesk_bridge import BridgeClient, Deviation
from talkdesk_bridge_api.models import InvoiceDetails, InvoiceItemDetails

from benchmarks import account, accounts, decode, peers, server, startup
from benchmarks.__main__ import main
from benchmarks.pages import DIRT, ITEMS, dirty, encoded, page
from benchmarks.peers import OURS, OURS_SPEED, PEERS, STOCK, Peer
from benchmarks.report import BLOCK, PAGE, Found, blocks, replaced, table
from benchmarks.timing import MeasuringError, Ratio, Target, Worker, interleaved
from tests.conftest import invoices_of
from tests.keepalive import KeepAlive, answer

HERE = [STOCK, OURS, OURS_SPEED, "json.loads"]
"""The peers that the environment of the tests has."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("peers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peers, "PEERS", {name: PEERS[name] for name in HERE})
        assert peers.generate(folder) == {}
    return folder


def test_pages_have_the_documented_shape_and_the_same_bytes() -> None:
    invoices = page(7)["_embedded"]["invoices"]
    assert len({invoice["invoice_number"] for invoice in invoices}) == len(invoices) == 7
    for invoice in invoices:
        assert invoice.keys() == InvoiceDetails.FIELDS.keys()
        assert len(invoice["invoice_items_details"]) == ITEMS
        assert all(item.keys() == InvoiceItemDetails.FIELDS.keys() for item in invoice["invoice_items_details"])
    assert encoded(page(7)) == encoded(page(7))
    assert page(2, start=5)["_embedded"]["invoices"] == invoices[5:]


def dirtied(kind: str, _: str) -> bytes:
    return answer(encoded(dirty(kind, 4)))


def test_dirty_pages_are_dirty_everywhere_and_readable() -> None:
    assert {*DIRT} == {"nulls", "extra fields", "numbers for strings"}
    places = {"nulls": 14, "extra fields": 0, "numbers for strings": 11}
    for kind, number in places.items():
        found: list[Deviation] = []
        with (
            KeepAlive(partial(dirtied, kind)) as serving,
            BridgeClient(serving.url, on_deviation=found.append) as bridge,
        ):
            [first, *_] = bridge.billing.iter_account_invoices("1")
        assert len({one.place for one in found}) == number, kind
        assert {one.count for one in found} <= {4, 4 * ITEMS}
        assert (first.additional_properties.keys() == {"custom_fields", "branch"}) == (kind == "extra fields")


@pytest.mark.parametrize("name", HERE)
def test_each_peer_decodes_what_the_page_holds(folder: Path, name: str) -> None:
    peers.agree(name, folder)


def test_a_peer_that_does_other_work_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = page(50)
    seen["_embedded"]["invoices"][-1]["invoice_items_details"].pop()

    class Lying:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def __enter__(self) -> Any:
            return lambda _: [seen, False]

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(peers, "started", Lying)
    with pytest.raises(MeasuringError, match=f"{STOCK} decodes other data"):
        peers.agree(STOCK, folder)


def test_what_is_not_there_is_left_out_with_a_word(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = Peer(PEERS[STOCK].load, "", command=("no-such-generator",), needs="no-such-java")
    monkeypatch.setattr(peers, "PEERS", {"java": java, OURS: PEERS[OURS]})
    assert peers.runnable(folder) == ([OURS], {"java": "no-such-java is not installed"})


def test_a_generator_that_fails_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = ("openapi-python-client", "generate", "--path", "{folder}/none.yaml")
    monkeypatch.setattr(peers, "PEERS", {"broken": Peer(PEERS[STOCK].load, "", command=broken)})
    with pytest.raises(MeasuringError, match=r"(?s)openapi-python-client failed:\n.*none\.yaml"):
        peers.generate(folder)


def test_a_worker_finds_no_module_that_it_must_not_find() -> None:
    for without, found in ([], 1), (["msgspec"], None):
        with Worker("tests.integration.test_benchmark_code:importing", without=without) as worker:
            assert worker("msgspec") == found


def test_a_worker_that_fails_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with (
        Worker("tests.integration.test_benchmark_code:importing") as worker,
        pytest.raises(MeasuringError, match=r"benchmarks\.worker .*importing failed"),
    ):
        worker(5)
    assert "TypeError" in capfd.readouterr().err


def importing() -> Any:
    def attempt(name: str) -> int | None:
        try:
            __import__(name)
        except ImportError:
            return None
        return 1

    return attempt


def test_samples_stand_beside_those_of_the_reference() -> None:
    order: list[str] = []
    # The machine becomes slower and slower, and the ratio stays.
    slower = count(1000)

    def sample(name: str, factor: float, speeds: Iterator[int]) -> float:
        order.append(name)
        return factor * next(speeds)

    ratios = interleaved(
        partial(sample, "reference", 2, slower),
        {"one": partial(sample, "one", 3, slower), "other": partial(sample, "other", 1, slower)},
        0.001,
    )
    assert order[:8] == ["one", "reference", "other", "reference", "reference", "one", "reference", "other"]
    assert ratios["one"].pairs == ratios["other"].pairs >= 5
    assert ratios["one"].median == pytest.approx(1.5, rel=0.01)
    assert ratios["other"].median == pytest.approx(0.5, rel=0.01)


def test_no_seconds_are_one_round() -> None:
    costs = cycle([6.0])
    assert interleaved(lambda: 4.0, {"one": lambda: next(costs)}, 0) == {"one": Ratio(1.5, 1.5, 1.5, 6.0, 4.0, 1)}


def test_ratios_have_their_quartiles() -> None:
    ratio = Ratio.of([(1, 1), (4, 2), (9, 3), (16, 4), (25, 5)])
    assert (ratio.low, ratio.median, ratio.high, ratio.cost, ratio.expected) == (2, 3, 4, 9, 3)
    assert str(ratio.inverse()) == "0.33 (0.25 to 0.50)"
    assert ratio.over(Ratio.of([(2, 1)])).median == 1.5


def test_targets_say_whether_they_hold() -> None:
    ratio = Ratio.of([(1.2, 1)])
    assert Target("a", 1.2, ratio).cells() == ("a", "at most 1.2", "1.20 (1.20 to 1.20)", "holds")
    assert Target("a", 1.0, ratio, reason="slow").cells()[3] == "missed by 20 %: slow"
    assert Target("a", 1.0, ratio, least=True).cells()[1:] == ("at least 1", "1.20 (1.20 to 1.20)", "holds")
    assert Target("a", 2.4, ratio, least=True).cells()[3] == "missed by 50 %"
    assert Target("a", 1.0, None, reason="gone").cells()[2:] == ("-", "not measured: gone")
    assert not Target("a", 1.0, None).holds


def test_decoding_is_measured(folder: Path) -> None:
    decoded = decode.decoding(HERE, folder, 5, 0)
    assert decoded.keys() == {OURS, OURS_SPEED, "json.loads"}
    assert all(0 < ratio.cost < decode.SAMPLE for ratio in decoded.values())
    ours = (OURS, OURS_SPEED)
    assert decode.steps(folder, 5, 0).keys() == {*ours}
    expected = {(name, size, kind) for name in ours for size in decode.SIZES for kind in DIRT}
    assert decode.dirt(folder, 0).keys() == expected


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured on Linux only")
def test_memory_is_that_of_the_objects(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MANY", 3000)
    memory = decode.memory(HERE, folder, 0)
    assert memory
    size = len(encoded(page(3000)))
    assert size < memory["json.loads"].cost < memory["json.loads"].expected < 50 * size


def test_all_pages_of_an_account_are_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = invoices_of("")
    assert server.path() == prefix

    def pages(target: str) -> bytes:
        account_number, _, query = target.removeprefix(prefix).partition("?")
        scope: Any = type("Scope", (), {"path": prefix + account_number, "query_string": query})
        sent: list[bytes] = []
        protocol: Any = type("Protocol", (), {"response_bytes": lambda _, status, headers, body: sent.append(body)})()
        with pytest.raises(StopIteration):
            server.app(scope, protocol).send(None)
        return answer(sent[0])

    with KeepAlive(pages) as serving:
        for size, total in account.INVOICES.items():
            with Worker("benchmarks.account:sampler", str(folder), serving.url, prefix, str(size)) as sample:
                for name in (account.BY_HAND, account.BYTES, *HERE):
                    before = serving.requests
                    assert sample(name, "perf_counter") > 0
                    assert serving.requests - before == total // size, name
        monkeypatch.setattr(account, "INVOICES", {50: 70})
        monkeypatch.setitem(account.LISTINGS, OURS, lambda *_: lambda: [None] * 69)
        with pytest.raises(MeasuringError, match="lists 69 of 70"):
            account.sampler(str(folder), serving.url, prefix, "50")(OURS, "perf_counter")


def test_starting_is_measured_in_fresh_processes() -> None:
    assert 0 < startup.inside("pass") < startup.inside("import httpx")
    assert startup.whole("-c", "pass") > 0
    with pytest.raises(MeasuringError, match="no_such_module"):
        startup.inside("import no_such_module")
    with pytest.raises(MeasuringError, match="failed"):
        startup.whole("-c", "raise SystemExit(1)")


def test_tables_line_up() -> None:
    assert table(("a", "b"), [("long", "1")]) == "| a    | b |\n| ---- | - |\n| long | 1 |\n"


def figures() -> Found:
    one = Ratio.of([(2.0, 1.0)])
    ours = {OURS: one, OURS_SPEED: one}
    clocks = {**ours, account.BYTES: one, accounts.BULK: one, accounts.OVER_AIOHTTP: one}
    both = dict.fromkeys(account.CLOCKS, clocks)
    return Found(
        left_out={name: "of a reason" for name in PEERS if name not in (*HERE, "openapi-generator")},
        decoded={size: {**ours, "json.loads": one, "openapi-generator": one} for size in decode.SIZES},
        steps={size: dict.fromkeys(ours, (one, one, one)) for size in decode.SIZES},
        dirty={(name, size, kind): one for name in ours for size in decode.SIZES for kind in DIRT},
        memory=ours,
        account=dict.fromkeys(account.INVOICES, both),
        accounts=both,
        started=dict.fromkeys((startup.PACKAGE, startup.CLIENT, startup.MADE, startup.HELP), one),
        generated={"the contract": one},
    )


def test_the_page_has_a_place_for_each_table_and_keeps_its_words() -> None:
    before = PAGE.read_text(encoding="utf-8")
    written = blocks(figures())
    after = replaced(before, written)
    assert BLOCK.sub("", after) == BLOCK.sub("", before)
    assert all(text in after for text in written.values())
    assert replaced(after, written) == after
    with pytest.raises(MeasuringError, match="expected are machine"):
        replaced(before.replace("<!-- machine -->", ""), written)


def test_every_target_of_the_page_is_one_that_is_measured() -> None:
    told = [re.sub(r" \(.*\)$", "", one.name) for one in figures().targets()]
    assert len(told) == len({*told})
    text = next(text for text in PAGE.read_text(encoding="utf-8").split("<!-- /") if "<!-- targets -->" in text)
    rows = [line.strip("| ").split(" | ")[0].strip() for line in text.splitlines() if line.startswith("| ")][2:]
    assert {re.sub(r" \(.*\)$", "", row) for row in rows} >= {*told}


def test_what_cannot_be_measured_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench"])
    broken = ("openapi-python-client", "generate", "--path", "{folder}/none.yaml")
    monkeypatch.setattr(peers, "PEERS", {"broken": Peer(PEERS[STOCK].load, "", command=broken)})
    assert main() == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "make bench: openapi-python-client failed:" in printed.err
    assert json.dumps(str(Path.cwd())) not in printed.err

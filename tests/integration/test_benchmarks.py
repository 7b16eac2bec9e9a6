"""The benchmarks: one round of each in their own environment, and the rules that make their figures comparable."""

from __future__ import annotations

import json
import re
from itertools import count
from typing import Any

import pytest
from talkdesk_bridge_api.models import InvoiceDetailsResponse
from talkdesk_bridge_api.places import Place
from talkdesk_bridge_api.reading import Number

from benchmarks import peers
from benchmarks.pages import DIRT, dirty, encoded, page
from benchmarks.peers import PEERS, PYDANTIC
from benchmarks.process import MeasuringError, fresh, run
from benchmarks.report import BLOCK, PAGE, Section, blocks, compared, replaced
from benchmarks.timing import Ratio, Target, in_turns
from tests.conftest import ROOT

PYTHON = ROOT / ".venv-bench" / "bin" / "python"


def rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:1] == "|"]


def test_a_quick_run_measures_everything_on_the_page() -> None:
    before = PAGE.read_text(encoding="utf-8")
    printed = run([str(PYTHON), "-m", "benchmarks", "--quick"])
    names = [name for _, name, _ in BLOCK.findall(before)]
    parts = re.split(rf"^({'|'.join(names)})\n\n", printed, flags=re.M)[1:]
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    assert found.keys() == {*names}
    assert {row[0] for row in rows(found["decode"])} > PEERS.keys()
    assert {row[0] for row in rows(found["accounts"])} > {"httpx async by hand", "AsyncBridgeClient.each"}
    targets = rows(found["targets"])[2:]
    assert len(targets) > 20
    assert all(re.match(r"met$|missed by \d", row[3]) for row in targets)
    assert PAGE.read_text(encoding="utf-8") == before


def test_a_peer_that_reads_other_data_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {name: page(50) for name in PEERS}
    seen[PYDANTIC]["_embedded"]["invoices"][-1]["invoice_items_details"].pop()
    monkeypatch.setattr(peers, "run", lambda *_: "")
    monkeypatch.setattr(peers, "fresh", lambda *_: seen)
    with pytest.raises(MeasuringError, match=f"{PYDANTIC} does not read exactly the data"):
        peers.prepare("")


def test_dirty_pages_are_dirty_everywhere() -> None:
    places = {}
    for kind in DIRT:
        root = Place()
        body = InvoiceDetailsResponse.from_dict(json.loads(encoded(dirty(kind, 4)), parse_float=Number), root)
        places[kind] = len([*root.deviations()])
        [first, *_] = (body.embedded and body.embedded.invoices) or []
        assert bool(first.additional_properties) == (kind == "extra fields")
    [invoice] = page(1)["_embedded"]["invoices"]
    assert places["nulls"] == len(invoice) - 1 + len(invoice["invoice_items_details"][0])
    assert places["extra fields"] == 0 < places["numbers for strings"] < places["nulls"]


def test_a_process_cannot_import_excluded_modules() -> None:
    assert fresh("msgspec.json:decode", "1") == 1
    with pytest.raises(MeasuringError, match="No module named 'msgspec"):
        fresh("msgspec.json:decode", "1", without=["msgspec"])


def test_a_failed_measurement_is_reported_in_a_sentence() -> None:
    with pytest.raises(MeasuringError) as caught:
        fresh("benchmarks.report:replaced", "", {"decode": ""})
    assert str(caught.value).startswith("benchmarks.report:replaced failed:\ndocs/speed.md has the blocks")


def test_turns_alternate_and_ratios_compare_the_same_round() -> None:
    order: list[str] = []
    slower = count(1000)  # the machine gets slower and slower, but the ratio stays

    def sample(name: str, factor: float) -> Any:
        def taken() -> float:
            order.append(name)
            return factor * next(slower)

        return taken

    costs = in_turns({"one": sample("one", 3), "other": sample("other", 2)}, 0.001)
    assert order[:4] == ["one", "other", "other", "one"]
    assert len(costs["one"]) == len(costs["other"]) >= 5
    assert Ratio.of(costs["one"], costs["other"]).median == pytest.approx(1.5, rel=0.01)


def test_the_page_gets_new_figures_and_keeps_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.report.version", lambda _: "1.0")  # not all measured packages are installed here
    costs = {"one": [1.0, 4, 9, 16, 25], "other": [1.0, 2, 3, 4, 5]}
    ratio = Ratio.of(costs["one"], costs["other"])
    targets = [Target("kept", 3, ratio), Target("fast", 6, ratio, least=True, reason="slow")]
    written = blocks(
        {"decode": Section(targets, compared(("a", "x", "s"), costs, "other", "{:.1f}".format)), "dirt": Section([])}
    )
    assert rows(written["decode"])[2:] == [["other", "1", "3.0"], ["one", "3.00 (2.00 to 4.00)", "9.0"]]
    assert rows(written["targets"])[2:] == [
        ["kept", "at most 3", "3.00 (2.00 to 4.00)", "met"],
        ["fast", "at least 6", "3.00 (2.00 to 4.00)", "missed by 50.0 %: slow"],
    ]
    text = "".join(f"Words.\n<!-- {name} -->\nold\n<!-- /{name} -->\n" for name in written)
    after = replaced(text, written)
    assert BLOCK.sub("", after) == BLOCK.sub("", text)
    assert all(block in after for block in written.values())
    with pytest.raises(MeasuringError, match="instead of machine, decode, targets"):
        replaced(text.replace("<!-- machine -->", ""), written)

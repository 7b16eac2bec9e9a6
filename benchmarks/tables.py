"""Invoices as tables: Arrow and Parquet beside typed models and what people write by hand; reading both in pandas."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pandas
import pyarrow as pa
from talkdesk_bridge import BridgeClient
from talkdesk_bridge_tables import parquet, read

from benchmarks.pages import encoded, page
from benchmarks.process import fresh
from benchmarks.report import Section, compared
from benchmarks.timing import Costs, Ratio, Target, in_turns, settle

INVOICES, ACCOUNTS = 100, 60
MODELS, BY_HAND, PARQUET, LINES = "typed models", "to_dict, then pandas", "Parquet", "JSON lines"
DICTS = "pyarrow.Table from dicts"
LIMITS = {"Arrow": 1.61, PARQUET: 1.82}
"""The prototype's figures, against the models of then."""
CHEAPER_MODELS = "the models became faster since, and the columns not by the same factor"
COLUMNS = 1.54
"""The same for the columns alone: the prototype's against DICTS, when both were measured in one process with ours."""
READING = 0.091
"""The prototype's figure: 11 times less."""


def _client() -> BridgeClient:
    content, headers = encoded(page(INVOICES, 0, INVOICES)), {"Content-Type": "application/json"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content, headers=headers))
    return BridgeClient("https://bridge.example", transport=transport)


def _models() -> Iterator[tuple[str, list[Any]]]:
    with _client() as bridge:
        for number in range(ACCOUNTS):
            yield str(number), list(bridge.billing.iter_account_invoices(str(number)))


def _frame() -> pandas.DataFrame:
    return pandas.DataFrame([one.to_dict() for _, invoices in _models() for one in invoices])


def _cpu(way: Callable[[], object]) -> float:
    """CPU time in microseconds per invoice."""
    settle()
    begun = time.process_time()
    way()
    return 1e6 * (time.process_time() - begun) / INVOICES / ACCOUNTS


def written(seconds: float) -> Costs:
    """Measure the ways to get invoices from the client."""
    dicts = [one.to_dict() for _, invoices in _models() for one in invoices]
    ways: dict[str, Callable[[], object]] = {
        MODELS: lambda: list(_models()),
        BY_HAND: _frame,
        DICTS: lambda: pa.Table.from_pylist(dicts),
        "Arrow": lambda: read(map(str, range(ACCOUNTS)), make=_client, at_once=1).read_all(),
        PARQUET: lambda: list(parquet(_models())),
    }
    return in_turns({name: partial(_cpu, way) for name, way in ways.items()}, seconds)


def read_back(seconds: float) -> Costs:
    """Measure reading the same invoices in pandas.

    From files: a Python file that Arrow's threads let go of while the process ends aborts it (apache/arrow#34314).
    """
    with TemporaryDirectory() as folder:
        file, lines = Path(folder, "invoices.parquet"), Path(folder, "invoices.jsonl")
        file.write_bytes(b"".join(parquet(_models())))
        lines.write_text("".join(f"{json.dumps(one.to_dict())}\n" for _, invoices in _models() for one in invoices))
        ways: dict[str, Callable[[], object]] = {
            LINES: lambda: pandas.read_json(lines, lines=True, dtype=False),
            PARQUET: lambda: pandas.read_parquet(file, dtype_backend="pyarrow"),
        }
        return in_turns({name: partial(_cpu, way) for name, way in ways.items()}, seconds)


def writing(seconds: float) -> Section:
    """Compare Arrow and Parquet with typed models."""
    costs = fresh("benchmarks.tables:written", seconds)
    head = ("from the client", "times models", "us an invoice")
    targets = [
        Target(f"{name}, against {MODELS}", limit, Ratio.of(costs[name], costs[MODELS]), reason=CHEAPER_MODELS)
        for name, limit in LIMITS.items()
    ]
    columns = [arrow - models for arrow, models in zip(costs["Arrow"], costs[MODELS], strict=True)]
    targets.append(Target(f"Arrow without {MODELS}, against {DICTS}", COLUMNS, Ratio.of(columns, costs[DICTS])))
    return Section(targets, compared(head, costs, MODELS, "{:.1f}".format))


def reading(seconds: float) -> Section:
    """Compare reading Parquet with reading JSON lines."""
    costs = fresh("benchmarks.tables:read_back", seconds)
    head = ("pandas reads", "times JSON lines", "us an invoice")
    target = Target(f"pandas reads {PARQUET}, against {LINES}", READING, Ratio.of(costs[PARQUET], costs[LINES]))
    return Section([target], compared(head, costs, LINES, "{:.1f}".format))

"""The recipes of docs/tables.md, each run with its library against the sandbox; test_spark.py runs those for Spark."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from talkdesk_bridge_sandbox import Sandbox

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
BLOCKS = [code for code in re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S) if "pyspark" not in code]
RECIPES = {re.findall(r"^(?:import|from) (\S+)", code, re.M)[0]: code for code in BLOCKS}
"""By the library that they import first."""
PRINTED = {
    "pandas": r"USD +\d+\.\d{9}",
    "polars": r"│ 100000000[13] +┆ 10000000",
    "duckdb": r"│ 100000000[13]",
    "pyarrow.parquet": r"^138$",
    "talkdesk_bridge_tables": r"^138 \['account_number', 'amount', 'amount_decimal'\]$",
    "dlt": r"LOADED and contains no failed jobs",
}
"""What the recipes print."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as served:
        yield served


def run(code: str, sandbox: Sandbox, folder: Path) -> str:
    """What a program prints."""
    environment = {**os.environ, "TALKDESK_BRIDGE_URL": sandbox.url, "TALKDESK_BRIDGE_BEARER_TOKEN": "sandbox-token"}
    environment |= {"DLT_DATA_DIR": str(folder), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    environment["PYTHONPATH"] = os.pathsep.join(str(ROOT / name) for name in ("generated", "overrides", "extras"))
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("library", PRINTED)
def test_a_recipe(library: str, sandbox: Sandbox, tmp_path: Path) -> None:
    assert re.search(PRINTED[library], run(RECIPES[library], sandbox, tmp_path), re.M)


def test_every_recipe_is_run() -> None:
    assert RECIPES.keys() == PRINTED.keys()
    assert len(RECIPES) == len(BLOCKS)


def test_dlt_requests_a_failed_account_again(sandbox: Sandbox, tmp_path: Path) -> None:
    run(RECIPES["dlt"], sandbox, tmp_path)
    before = len(sandbox.requests)
    run(RECIPES["dlt"], sandbox, tmp_path)
    assert [seen.target.rpartition("/")[2] for seen in sandbox.requests[before:]] == ["missing"]


def test_pandas_reads_a_number_from_json_lines(sandbox: Sandbox, tmp_path: Path) -> None:
    """The trap that docs/tables.md names."""
    line = '{"account_number": "0000000042"}\n'
    (tmp_path / "x.jsonl").write_text(line)
    code = "import pandas; f = pandas.read_json('x.jsonl', lines=True{}); print(repr(f['account_number'][0]))"
    assert "42" in run(code.format(""), sandbox, tmp_path)
    assert "0000000042" not in run(code.format(""), sandbox, tmp_path)
    assert "'0000000042'" in run(code.format(", dtype=False"), sandbox, tmp_path)

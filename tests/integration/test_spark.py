"""Spark on two executors of a local cluster: every invoice once, also if one of them is killed; bounded requests."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from talkdesk_bridge import errors

from tests.conftest import ROOT, page
from tests.integration.gateways import require
from tests.keepalive import KeepAlive, http_response

KEY = "spark-s3cret-0123456789"
ACCOUNTS = [f"{number:010}" for number in range(58)]
PAGE = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
RECIPES = [code for code in re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S) if "pyspark" in code]


class Bridge(KeepAlive):
    """Sends each account in two pages of two invoices after a pause, and counts the requests that are open."""

    def __init__(self) -> None:
        super().__init__(self.page)
        self.open = self.most = self.total = 0
        self._lock = threading.Lock()

    def page(self, target: str) -> bytes:
        account, _, query = target.rpartition("/")[2].partition("?")
        with self._lock:
            self.total += 1
            self.open += 1
            self.most = max(self.most, self.open)
        time.sleep(0.1)
        with self._lock:
            self.open -= 1
        if account == "missing":
            return http_response(b"{}", 404)
        if account == "broken":
            return http_response(b"no JSON")
        if account == "1000000002":
            return http_response(json.dumps(page(total=0)).encode())
        first = 3 if "page=2" in query.split("&") else 1
        return http_response(json.dumps(page(f"{account}-{first}", f"{account}-{first + 1}", total=4)).encode())


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    served = Bridge()
    with served:
        yield served


@pytest.fixture(scope="module")
def session(bridge: Bridge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Spark session with two executor processes on loopback."""
    require("java")
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    (folder / "events").mkdir()
    paths = os.pathsep.join(str(ROOT / name) for name in ("generated", "overrides", "extras"))
    os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": paths}
    os.environ.pop("SPARK_HOME", None)
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": str(folder / "events"),
        "spark.executor.memory": "700m",
        "spark.executorEnv.PYTHONPATH": paths,
        "spark.executorEnv.TALKDESK_BRIDGE_URL": bridge.url,
        "spark.executorEnv.TALKDESK_BRIDGE_API_KEY": KEY,
    }
    builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("invoices")
    for name, value in settings.items():
        builder = builder.config(name, value)
    made = builder.getOrCreate()
    made.sparkContext.setLogLevel("ERROR")
    yield made
    made.stop()


def executors() -> list[int]:
    """The process ids of the executors that this process started."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout  # noqa: S607 # of the system
    driver = "--driver-url spark://CoarseGrainedScheduler@127.0.0.1"
    return [
        int(line.split()[0])
        for line in listed.splitlines()
        if driver in line and "CoarseGrainedExecutorBackend" in line
    ]


def read(folder: Path) -> list[dict[str, Any]]:
    import pyarrow.dataset

    columns = ["account_number", "invoice_number", "error"]
    rows: list[dict[str, Any]] = pyarrow.dataset.dataset(folder).to_table(columns=columns).to_pylist()
    return rows


def test_a_killed_executor_loses_and_doubles_nothing(session: Any, bridge: Bridge, tmp_path: Path) -> None:
    from talkdesk_bridge_tables.spark import invoices

    named = [(account,) for account in [*ACCOUNTS, "missing", "broken", ACCOUNTS[0], None]]
    frame = session.createDataFrame(named, "account string")
    killed: list[int] = []

    def kill() -> None:
        end = time.monotonic() + 600
        while bridge.total < 30 and time.monotonic() < end:
            time.sleep(0.02)
        if bridge.total >= 30:
            killed.extend(executors()[:1])
            os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    result = invoices(frame, tasks=4, requests=8, per_page=2)
    result.write.parquet(str(tmp_path / "invoices"))
    thread.join()
    rows = read(tmp_path / "invoices")
    assert killed
    failed = {row["account_number"]: row["error"]["type"] for row in rows if row["error"]}
    assert failed == {"missing": "NotFoundError", "broken": "ContractError"}
    found = sorted((row["account_number"], row["invoice_number"]) for row in rows if not row["error"])
    assert found == sorted((account, f"{account}-{number}") for account in ACCOUNTS for number in range(1, 5))
    assert bridge.total > 2 * len(ACCOUNTS) + 2, "accounts of the killed executor were requested again"
    assert bridge.most <= 8
    assert KEY not in result._jdf.queryExecution().toString()


def test_without_permissive_the_job_fails_with_the_error(session: Any, bridge: Bridge) -> None:
    from talkdesk_bridge_tables.spark import invoices

    frame = session.createDataFrame([("missing",)], "account string")
    with pytest.raises(Exception, match="returned 404"):
        invoices(frame, tasks=1, requests=1, permissive=False).collect()


def test_fewer_requests_than_tasks_are_rejected(session: Any) -> None:
    from talkdesk_bridge_tables.spark import invoices

    with pytest.raises(errors.ArgumentError, match="tasks must be from 1 to the number of requests, 2"):
        invoices(session.createDataFrame([("1",)], "account string"), tasks=3, requests=2)


def run_recipe(recipe: str, folder: Path) -> None:
    """Run Python of docs/tables.md with this folder instead of /lake."""
    # Spark sends classes of `__main__` to its workers, which cannot import them.
    exec(recipe.replace("/lake", str(folder)), {"__name__": "__main__"})  # noqa: S102


@pytest.mark.usefixtures("session")
def test_the_recipe_that_writes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str], bridge: Bridge) -> None:
    recipe, _ = RECIPES
    before = bridge.total
    run_recipe(recipe, tmp_path)
    assert bridge.total == before + 4, "a page of each account, and the second page of 1000000001"
    printed = capsys.readouterr().out
    assert re.search(r"^\|missing +\|.* returned 404", printed, re.M)
    assert re.findall(r"^\| *(\d+) *\|$", printed, re.M) == ["1000000002"]


@pytest.mark.usefixtures("session")
def test_the_recipe_of_a_data_source(tmp_path: Path) -> None:
    _, recipe = RECIPES
    (tmp_path / "accounts.txt").write_text("\n".join([*ACCOUNTS[:5], "missing", ACCOUNTS[0]]), encoding="ascii")
    run_recipe(recipe, tmp_path)
    rows = read(tmp_path / "invoices")
    found = sorted((row["account_number"], row["invoice_number"]) for row in rows if not row["error"])
    assert found == [(account, f"{account}-{number}") for account in ACCOUNTS[:5] for number in range(1, 5)]
    assert [row["account_number"] for row in rows if row["error"]] == ["missing"]


def test_the_event_log_holds_no_credential(session: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = Path(session.conf.get("spark.eventLog.dir"))
    session.stop()
    written = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    assert written
    assert not any(KEY.encode() in content for content in written)

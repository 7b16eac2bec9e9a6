"""The benchmarks with all peers, in their own environment: one sample of each, to see that it works, and the plots."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from benchmarks.peers import PEERS
from benchmarks.report import PAGE
from tests.conftest import ROOT

PYTHON = ROOT / ".venv-bench" / "bin" / "python"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(ROOT / name) for name in ("generated", "overrides"))
    command = [str(PYTHON), *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )


def test_every_peer_and_every_target_has_its_figure() -> None:
    before = PAGE.read_bytes()
    result = run("-m", "benchmarks", "--quick")
    assert result.returncode == 0, result.stderr
    left_out = {*re.findall(r"^Not measured: (\S+),", result.stdout, re.M)}
    assert left_out == {*(() if shutil.which("java") else ("openapi-generator",))}
    decoded = result.stdout.partition("\ndecode\n")[2].partition("\ndirty\n")[0]
    assert {row.split(" | ")[0].strip("| ") for row in decoded.splitlines() if row.startswith("| ")} >= {
        *PEERS
    } - left_out
    targets = [row for row in result.stdout.partition("\ntargets\n")[2].splitlines() if " | at " in row]
    assert len(targets) > 20
    assert all(re.search(r"\| (holds +|missed by \d.*: .*)\|$", row) for row in targets)
    assert PAGE.read_bytes() == before


def test_the_same_figures_give_the_same_plots(tmp_path: Path) -> None:
    (tmp_path / "soak.csv").write_text(
        "seconds,run,resident_mib,written_mib\n0.5,1,50.0,1.0\n1.0,1,51.0,2.0\n1.5,2,50.0,2.0\n"
    )
    code = """
import sys
from pathlib import Path
from benchmarks import drawing
from benchmarks.timing import Ratio
folder = Path(sys.argv[1])
drawing.bars(folder / sys.argv[2], {50: {"msgspec": Ratio.of([(1, 2), (1, 3)]), "talkdesk-bridge": Ratio.of([(2, 3)])}})
drawing.growth(folder / f"soak-{sys.argv[2]}", folder / "soak.csv")
"""
    for name in ("one.svg", "two.svg"):
        result = run("-c", code, str(tmp_path), name)
        assert result.returncode == 0, result.stderr
    for prefix in ("", "soak-"):
        one, two = ((tmp_path / f"{prefix}{name}").read_bytes() for name in ("one.svg", "two.svg"))
        assert one == two
        assert one.startswith(b"<?xml")
    assert b"talkdesk-bridge" in (tmp_path / "one.svg").read_bytes()

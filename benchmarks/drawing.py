"""The plots of docs/speed.md: the same bytes from the same figures."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.peers import OURS, OURS_SPEED
from benchmarks.timing import Ratio

__all__ = ["bars", "growth"]

STYLE = {
    "font.size": 9,
    "svg.fonttype": "none",  # text that can be read and searched
    "svg.hashsalt": "talkdesk-bridge",  # else every run has other ids
}
# Without these the date of the run, and the library's address, would stand in the file.
METADATA = {"Date": None, "Creator": None}
MINE, THEIRS = "#1f6f8b", "#b8b8b8"


def _figure(rows: int, height: float) -> tuple[Any, Any]:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update(STYLE)
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(rows, 1, figsize=(7.5, height), layout="constrained", squeeze=False)
    return figure, axes


def bars(file: Path, decoded: Mapping[int, Mapping[str, Ratio]]) -> None:
    """What each peer needs for a page, beside the stock client, with the quartiles."""
    figure, axes = _figure(len(decoded), 2.8 * len(decoded))
    for (size, ratios), (axis,) in zip(decoded.items(), axes, strict=True):
        names = sorted(ratios, key=lambda name: ratios[name].median, reverse=True)
        medians = [ratios[name].median for name in names]
        spread = [
            [ratios[name].median - ratios[name].low for name in names],
            [ratios[name].high - ratios[name].median for name in names],
        ]
        colors = [MINE if name in (OURS, OURS_SPEED) else THEIRS for name in names]
        axis.barh(names, medians, xerr=spread, color=colors, error_kw={"linewidth": 0.8})
        axis.axvline(1, color="black", linewidth=0.8)
        axis.set_title(f"a page of {size:,} invoices: CPU time, as multiples of the stock client's")
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata=METADATA)


def growth(file: Path, measured: Path) -> None:
    """What a command takes of memory that is killed and resumed; `measured` is what `make soak-accounts` writes."""
    with measured.open(encoding="utf-8", newline="") as lines:
        runs = [[*rows] for _, rows in groupby(csv.DictReader(lines), lambda row: row["run"])]
    figure, ((axis,),) = _figure(1, 2.8)
    for rows in runs:
        axis.plot(*([float(row[name]) for row in rows] for name in ("seconds", "resident_mib")), color=MINE)
    for rows in runs[1:]:
        axis.axvline(float(rows[0]["seconds"]), color="black", linewidth=0.6, linestyle=":")
    axis.set_ylim(0, 1.2 * max(float(row["resident_mib"]) for rows in runs for row in rows))
    axis.set_xlabel("seconds; dotted: killed, and resumed")
    axis.set_ylabel("MiB resident")
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata=METADATA)

"""The results of a run as tables: for standard output, and for the blocks in docs/speed.md."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

from benchmarks.process import ROOT, MeasuringError
from benchmarks.timing import Costs, Ratio, Target

PAGE = ROOT / "docs" / "speed.md"
BLOCK = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- /\2 -->\n)", re.S)
MEASURED = "aiohttp attrs httpx httpx-aiohttp msgspec openapi-python-client pydantic"
"""The packages whose versions matter."""


@dataclass(frozen=True)
class Section:
    """The results of one benchmark."""

    targets: list[Target]
    table: str = ""
    """A table with more than the targets; may be empty."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown whose columns also line up in plain text."""
    rows = [head, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "".join(f"| {line} |\n" for line in lines)


def compared(
    head: tuple[str, str, str], costs: Costs, reference: str, shown: Callable[[float], str], *, faster: bool = False
) -> str:
    """A table with a row for each way, the cheapest first: its ratio to the reference, and its median cost.

    With `faster`, the ratio says how many times as fast it is, instead of how much it costs.
    """
    rows = []
    for name in sorted(costs, key=lambda name: median(costs[name])):
        pair = (costs[reference], costs[name]) if faster else (costs[name], costs[reference])
        ratio = "1" if name == reference else str(Ratio.of(*pair))
        rows.append((name, ratio, shown(median(costs[name]))))
    return table(head, rows)


def blocks(sections: Mapping[str, Section]) -> dict[str, str]:
    """The text of each block of docs/speed.md, by its name."""
    rows = [target.cells() for section in sections.values() for target in section.targets]
    tables = {name: section.table for name, section in sections.items() if section.table}
    targets = table(("target", "limit", "median (quartiles)", "result"), rows)
    return {"machine": _machine(), **tables, "targets": targets}


def _machine() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in MEASURED.split())
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python {platform.python_version()}. "
        f"The load average over the last five minutes of the run was {os.getloadavg()[1]:.1f}; the benchmarks "
        f"themselves account for 1 to 2 of it.\n\n{versions}.\n"
    )


def replaced(text: str, blocks: Mapping[str, str]) -> str:
    """The page with new text in its blocks.

    Raises:
        MeasuringError: The page has other blocks.

    """
    present = [name for _, name, _ in BLOCK.findall(text)]
    if sorted(present) != sorted(blocks):
        raise MeasuringError(f"docs/speed.md has the blocks {', '.join(present)} instead of {', '.join(blocks)}.")
    return BLOCK.sub(lambda match: f"{match[1]}\n{blocks[match[2]]}\n{match[3]}", text)

"""What a run found, as tables: on standard output, and in the blocks of docs/speed.md that it may write."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks import account, accounts, decode, generate, startup
from benchmarks.peers import OURS, OURS_SPEED, PEERS, STOCK, versions
from benchmarks.timing import ROOT, MeasuringError, Ratio, Target

__all__ = ["PAGE", "SOAK", "Found", "blocks", "replaced", "table"]

PAGE = ROOT / "docs" / "speed.md"
SOAK = PAGE.with_name("soak-accounts.csv")
"""What `make soak-accounts` writes; without it there is no plot."""
BLOCK = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- /\2 -->\n)", re.S)


@dataclass
class Found:
    """The figures of a run; `left_out` says why a peer has none."""

    left_out: dict[str, str] = field(default_factory=dict)
    decoded: dict[int, dict[str, Ratio]] = field(default_factory=dict)
    steps: dict[int, dict[str, decode.Steps]] = field(default_factory=dict)
    dirty: dict[tuple[str, int, str], Ratio] = field(default_factory=dict)
    memory: dict[str, Ratio] | None = None
    account: dict[int, dict[str, dict[str, Ratio]]] = field(default_factory=dict)
    accounts: dict[str, dict[str, Ratio]] = field(default_factory=dict)
    started: dict[str, Ratio] = field(default_factory=dict)
    generated: dict[str, Ratio] = field(default_factory=dict)

    def targets(self) -> list[Target]:
        """Everything that is promised."""
        return [
            *decode.targets(self.decoded, self.steps),
            *decode.targets_of_dirt(self.dirty),
            *decode.targets_of_memory(self.memory),
            *account.targets(self.account),
            *accounts.targets(self.accounts),
            *startup.targets(self.started),
            *generate.targets(self.generated),
        ]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, whose columns line up in plain text, too."""
    rows = [head, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "".join(f"| {line} |\n" for line in lines)


def blocks(found: Found) -> dict[str, str]:
    """The tables, by the name of the block of docs/speed.md that each stands in."""
    makers: dict[str, Callable[[Found], str]] = {
        "machine": _machine,
        "targets": lambda found: table(
            ("target", "limit", "median (quartiles)", ""), (one.cells() for one in found.targets())
        ),
        "decode": _decoded,
        "dirty": _dirty,
        "memory": _memory,
        "account": _account,
        "accounts": _accounts,
        "soak": _soak,
        "start": _start,
        "generate": _generate,
        "steps": _steps,
    }
    return {name: make(found) for name, make in makers.items()}


def _machine(found: Found) -> str:
    info = Path("/proc/cpuinfo")
    models = re.findall(r"^model name\s*: (.*)$", info.read_text(encoding="utf-8"), re.M) if info.exists() else []
    pins = ", ".join(f"{name} {version}" for name, version in versions().items())
    left_out = "".join(f"\nNot measured: {name}, since {reason}.\n" for name, reason in found.left_out.items())
    return (
        f"{os.cpu_count()} cores ({(models or [platform.machine()])[0]}), {platform.system()}, "
        f"{platform.python_implementation()} {platform.python_version()}. In the last five minutes of the run "
        f"{os.getloadavg()[1]:.1f} processes at a time wanted a core; the benchmarks themselves are 1 or 2 of them.\n\n"
        f"{pins}.\n{left_out}"
    )


def _decoded(found: Found) -> str:
    rows = {name: [name, PEERS[name].gives] for name in PEERS if name not in found.left_out}
    for ratios in found.decoded.values():
        for name, ratio in ratios.items():
            rows[name] += [str(ratio), f"{ratio.cost / 1e6:.3f}"]
        rows[STOCK] += ["1", f"{ratio.expected / 1e6:.3f}"]
    head = ["peer", "gives"]
    for size in found.decoded:
        head += [f"{size:,} a page: x stock", "ms"]
    return table(head, sorted(rows.values(), key=lambda row: float(row[2].split()[0])))


def _dirty(found: Found) -> str:
    rows = ((name, kind, f"{size:,}", str(ratio)) for (name, size, kind), ratio in found.dirty.items())
    return table(("client", "page", "invoices", "x a clean one"), rows)


def _listed(
    head: Sequence[str], ratios: Mapping[str, Ratio], shown: Callable[[float], str], reference: str = ""
) -> str:
    """A table of ratios, and of what each costs; with its reference, if that has a name."""
    rows = [(name, str(ratio), shown(ratio.cost)) for name, ratio in sorted(ratios.items(), key=_median)]
    rows += [(reference, "1", shown(ratio.expected)) for ratio in [*ratios.values()][:1] if reference]
    return table(head, rows)


def _median(named: tuple[str, Ratio]) -> float:
    return named[1].median


def _memory(found: Found) -> str:
    shown: Callable[[float], str] = lambda cost: f"{cost / 1e6:.1f}"  # noqa: E731
    return _listed(("client", "x stock", "MB"), found.memory or {}, shown, STOCK)


def _clocks(
    head: Sequence[str], clocks: Mapping[str, Mapping[str, Ratio]], shown: Callable[[float], str], reference: str
) -> str:
    """A table of ratios by both clocks."""
    time, cpu = (clocks[name] for name in account.CLOCKS)
    rows = [(reference, "1", "1", shown(ratio.expected)) for ratio in [*time.values()][:1]]
    for name in time:
        if name == OURS_SPEED:  # which has a reference of its own
            rows.append((f"{reference} with the extra `speed`", "1", "1", shown(time[name].expected)))
        rows.append((name, str(time[name]), str(cpu[name]), shown(time[name].cost)))
    return table(head, rows)


def _account(found: Found) -> str:
    tables = []
    for size, clocks in found.account.items():
        scale = 1000 * size / account.INVOICES[size]
        head = (f"{size:,} a page", "time, x by hand", "CPU, x by hand", "ms a page")
        tables.append(_clocks(head, clocks, partial(_scaled, scale), account.BY_HAND))
    return "\n".join(tables)


def _scaled(scale: float, cost: float) -> str:
    return f"{scale * cost:.2f}"


def _accounts(found: Found) -> str:
    head = ("client", "time, x by hand", "CPU, x by hand", "typed invoices a second")
    return _clocks(head, found.accounts, lambda cost: f"{accounts.rate(cost):,.0f}", accounts.BY_HAND)


def _soak(_: Found) -> str:
    if not SOAK.exists():
        return "`make soak-accounts` was not run yet: there is no plot of what a million invoices take of memory.\n"
    return "![What the command takes of memory while it lists the invoices of 10,000 accounts](soak-accounts.svg)\n"


def _start(found: Found) -> str:
    return _listed(("start", "x the libraries", "ms of CPU"), found.started, lambda cost: f"{cost * 1000:.0f}")


def _generate(found: Found) -> str:
    head = ("make generate", "x the bare generator", "seconds")
    return _listed(head, found.generated, lambda cost: f"{cost:.1f}")


def _steps(found: Found) -> str:
    """Shares of the CPU time of a page, decoded or listed."""
    rows = []
    for size, steps in found.steps.items():
        for name, (parser, plain, without) in steps.items():
            rows.append((f"{name}, to decode {size:,}", "the parser", f"{100 * (parser.median):.0f} %"))
            rows.append(("", "(json.loads alone would take)", f"({100 * (plain.median):.0f} %)"))
            rows.append(("", "models, and the look for deviations", f"{100 * (1 - parser.median):.0f} %"))
            rows.append(("", "(of both, Python's garbage collection)", f"({100 * (1 - without.median):.0f} %)"))
    for size, clocks in found.account.items():
        # Both as multiples of the loop by hand.
        request, ours = (clocks["process_time"][name].median for name in (account.BYTES, OURS))
        rows.append((f"{OURS}, to list {size:,} a page", "httpx", f"{100 * (request / ours):.0f} %"))
        rows.append(("", "bytes to models", f"{100 * ((1 - request) / ours):.0f} %"))
        rows.append(("", "everything round it", f"{100 * (1 - 1 / ours):.0f} %"))
    return table(("work", "step", "share"), rows)


def replaced(text: str, blocks: Mapping[str, str]) -> str:
    """A page with other tables in its blocks.

    Raises:
        MeasuringError: it has other blocks than these.

    """
    there = [name for _, name, _ in BLOCK.findall(text)]
    if sorted(there) != sorted(blocks):
        raise MeasuringError(f"docs/speed.md has the blocks {', '.join(there)}; expected are {', '.join(blocks)}.")
    return BLOCK.sub(lambda match: f"{match[1]}\n{blocks[match[2]]}\n{match[3]}", text)

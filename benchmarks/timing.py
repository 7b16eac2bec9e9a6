"""Samples taken side by side, and what is made of them: ratios with their spread, targets met or missed.

A sample of what is measured is always taken right beside a sample of its reference, and only their ratio counts: what
else the machine does at that moment slows both.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

__all__ = ["ROOT", "Ratio", "Target", "Worker", "environment", "failed", "interleaved", "settle", "told"]

ROOT = Path(__file__).resolve().parent.parent
LEAST = 5
"""Pairs of samples that count, however little time is left."""

Sampler = Callable[[], float]
"""Takes one sample: what it cost, in a unit that it shares with its reference."""


@dataclass(frozen=True)
class Ratio:
    """How many times as much as its reference something costs."""

    median: float
    low: float
    high: float
    """The quartiles."""
    cost: float
    """The median of its own samples."""
    expected: float
    """The median of the reference's."""
    pairs: int
    samples: tuple[tuple[float, float], ...] = field(default=(), repr=False, compare=False)
    """What it is made of, each beside its reference."""

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]]) -> Self:
        """The ratio of each pair's first to its second, the reference."""
        pairs = list(pairs)
        ratios = sorted(one / reference for one, reference in pairs)
        low, median, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
        cost, expected = (statistics.median(one) for one in zip(*pairs, strict=True))
        return cls(median, low, high, cost, expected, len(pairs), tuple(pairs))

    @classmethod
    def joined(cls, ratios: Iterable[Ratio]) -> Self:
        """One of the samples of several, such as those that were taken in other processes."""
        return cls.of(pair for ratio in ratios for pair in ratio.samples)

    def inverse(self) -> Ratio:
        """The same as how many times as fast."""
        return replace(self, median=1 / self.median, low=1 / self.high, high=1 / self.low)

    def over(self, other: Ratio) -> Ratio:
        """How many times as much as something else that had the same reference, in the same rounds."""
        return replace(
            self, median=self.median / other.median, low=self.low / other.median, high=self.high / other.median
        )

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Target:
    """What is promised of one ratio, and what was measured."""

    name: str
    limit: float
    ratio: Ratio | None
    """None where it could not be measured."""
    least: bool = False
    """Whether the ratio must reach the limit, not stay below it."""
    reason: str = ""
    """Why it is missed, or could not be measured."""

    @property
    def holds(self) -> bool:
        """Whether the median keeps the limit."""
        if not self.ratio:
            return False
        return self.ratio.median >= self.limit if self.least else self.ratio.median <= self.limit

    def cells(self) -> tuple[str, str, str, str]:
        """Its name, its limit, its figure, and whether it holds or else how far it is, and why."""
        limit = f"at {'least' if self.least else 'most'} {self.limit:g}"
        if not self.ratio:
            return self.name, limit, "-", f"not measured: {self.reason}"
        if self.holds:
            return self.name, limit, str(self.ratio), "holds"
        far = abs(self.ratio.median / self.limit - 1) * 100
        missed = f"missed by {far:.0f} %" if far >= 1 else f"missed by {far:.1f} %"
        return self.name, limit, str(self.ratio), f"{missed}: {self.reason}" if self.reason else missed


def interleaved(
    reference: Sampler, others: Mapping[str, Sampler], seconds: float, *, least: int = LEAST, warm: int = 1
) -> dict[str, Ratio]:
    """The ratio of each to the reference, from as many rounds as the seconds allow, and from `least` in any case.

    In each round a sample of the reference is taken next to each of the others, first in one round and second in the
    next. The first rounds, as many as `warm`, fill caches and do not count. With no seconds, one round does: to see
    that it works.
    """
    least, warm = (least, warm) if seconds else (1, 0)
    pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in others}
    end, number = time.monotonic() + seconds, 0
    while number < warm + least or time.monotonic() < end:
        for name, sampler in others.items():
            if number % 2:
                expected, taken = reference(), sampler()
            else:
                taken, expected = sampler(), reference()
            if number >= warm:
                pairs[name].append((taken, expected))
        number += 1
    return {name: Ratio.of(taken) for name, taken in pairs.items()}


def settle() -> None:
    """Have the garbage collector walk only what is made from now on.

    Else each full collection walks all that a process has imported, in one sample and not in the next, and what is
    measured is the size of the libraries.
    """
    gc.collect()
    gc.freeze()


class MeasuringError(Exception):
    """Something could not be measured; its text says what, in a sentence."""


def failed(what: str, output: str) -> MeasuringError:
    """What is raised where a program that was started failed."""
    return MeasuringError(f"{what} failed:\n{output.strip()}")


def environment() -> dict[str, str]:
    """What each process gets: this tree, the tools of this environment, and no proxy before loopback.

    No setting of Python's, either: one that keeps no compiled modules would have each process compile this tree anew.
    """
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    others = ("MAKE", "MFLAGS", "PYTHON", "TALKDESK_BRIDGE_")
    kept = {name: value for name, value in kept.items() if not name.startswith(others)}
    paths = os.pathsep.join(str(ROOT / name) for name in ("generated", "overrides", "extras", "."))
    return kept | {"PYTHONPATH": paths, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


class Worker:
    """A process of its own that takes samples when it is called: benchmarks/worker.py.

    What is measured in it shares neither heap nor imports with anything else.
    """

    def __init__(self, factory: str, *arguments: str, without: Iterable[str] = ()) -> None:
        self._command = [sys.executable, "-m", "benchmarks.worker", ",".join(without), factory, *arguments]
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,  # an interrupt is for whoever drives it
        )  # fmt: skip

    def __call__(self, *arguments: Any) -> Any:
        """What the worker's function gives for the arguments.

        Raises:
            MeasuringError: the process ended; what it had to say is on standard error.

        """
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps(arguments) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        if line := self._process.stdout.readline():
            return json.loads(line)
        raise failed(" ".join(self._command[2:]), "see above")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            assert self._process.stdin
            self._process.stdin.close()


def told(line: str) -> None:
    """Say on standard error what is going on, at once."""
    print(line, file=sys.stderr, flush=True)

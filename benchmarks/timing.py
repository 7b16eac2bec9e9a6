"""Costs that are measured in alternating turns, and the ratios and targets that are made of them.

Only ratios of costs from the same round count: whatever else the machine does at that moment slows both.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

__all__ = ["Costs", "Ratio", "Target", "in_turns", "joined", "settle"]

LEAST = 5
"""Rounds that are measured, however little time is left."""

Costs = dict[str, list[float]]
"""What each way cost in each round."""


def in_turns(
    samplers: Mapping[str, Callable[[], float]], seconds: float, *, least: int = LEAST, warm: int = 1
) -> Costs:
    """Take samples in rounds: one of each way a round, every other round in reverse order.

    Args:
        samplers: Each takes a sample and returns its cost, all in the same unit.
        seconds: No round begins later than this. With 0, one round is made, to see that it works.
        least: Rounds to make, however long they take.
        warm: Rounds before those, which fill caches and do not count.

    """
    if not seconds:
        least, warm = 1, 0
    costs: Costs = {name: [] for name in samplers}
    order, end, number = [*samplers], time.monotonic() + seconds, 0
    while number < warm + least or time.monotonic() < end:
        for name in order:
            costs[name].append(samplers[name]())
        order.reverse()
        number += 1
    return {name: taken[warm:] for name, taken in costs.items()}


def joined(measured: Iterable[Costs]) -> Costs:
    """The rounds of several processes as one."""
    measured = list(measured)
    return {name: [cost for costs in measured for cost in costs[name]] for name in measured[0]}


def settle() -> None:
    """Let the garbage collector walk only objects made from now on.

    Otherwise each full collection would walk all that a process has imported, in one sample and not in the next: that
    would measure the size of the libraries.
    """
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Ratio:
    """How many times as much as its reference something costs: the median and the quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, costs: Sequence[float], reference: Sequence[float]) -> Self:
        """The ratio of costs to those of the reference in the same rounds."""
        ratios = [cost / expected for cost, expected in zip(costs, reference, strict=True)]
        if len(ratios) == 1:
            ratios *= 2
        low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return cls(median, low, high)

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Target:
    """What is promised of a ratio, and what was measured."""

    name: str
    limit: float
    ratio: Ratio
    least: bool = False
    """Whether the ratio must reach the limit, instead of staying below it."""
    reason: str = ""
    """Why it is missed, if it is."""

    @property
    def holds(self) -> bool:
        """Whether the median keeps the limit."""
        return self.ratio.median >= self.limit if self.least else self.ratio.median <= self.limit

    def cells(self) -> tuple[str, str, str, str]:
        """Its name, its limit, the figure, and whether it holds: if not, by how much it is missed, and why."""
        verdict = "holds"
        if not self.holds:
            verdict = f"missed by {abs(self.ratio.median / self.limit - 1) * 100:.1f} %"
            verdict += f": {self.reason}" if self.reason else ""
        return self.name, f"at {'least' if self.least else 'most'} {self.limit:g}", str(self.ratio), verdict

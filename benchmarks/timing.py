"""Costs measured in alternating turns, and the ratios and targets computed from them.

Only ratios of costs from the same round count: other load on the machine slows both.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

LEAST = 5
"""The minimum number of rounds, even if the time is up."""

Costs = dict[str, list[float]]
"""The cost of each way in each round."""


def in_turns(
    samplers: Mapping[str, Callable[[], float]], seconds: float, *, least: int = LEAST, warm: int = 1
) -> Costs:
    """Take samples in rounds: one of each way a round, every other round in reverse order.

    Args:
        samplers: Each takes a sample and returns its cost, all in the same unit.
        seconds: No round begins later than this. With 0 there is one round, to check that it works.
        least: The minimum number of rounds, even if the time is up.
        warm: Rounds before these, which fill caches and do not count.

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
    """Let the garbage collector walk only objects made after this call.

    Otherwise a full collection in some of the samples would walk everything that the process has imported, and measure
    the size of the libraries.
    """
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Ratio:
    """A cost as a multiple of its reference: the median and the quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, costs: Sequence[float], reference: Sequence[float]) -> Self:
        """The ratio of `costs` to `reference`, round by round."""
        ratios = [cost / expected for cost, expected in zip(costs, reference, strict=True)]
        if len(ratios) == 1:
            ratios *= 2
        low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return cls(median, low, high)

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Target:
    """A limit for a ratio, and the measured ratio."""

    name: str
    limit: float
    ratio: Ratio
    least: bool = False
    """Whether the ratio must reach the limit, instead of staying below it."""
    reason: str = ""
    """Why the target is missed, if it is."""

    @property
    def met(self) -> bool:
        """Whether the median is within the limit."""
        return self.ratio.median >= self.limit if self.least else self.ratio.median <= self.limit

    def cells(self) -> tuple[str, str, str, str]:
        """Its row in the table: name, limit, ratio, and `met`, or by how much it is missed and why."""
        verdict = "met"
        if not self.met:
            verdict = f"missed by {abs(self.ratio.median / self.limit - 1) * 100:.1f} %"
            verdict += f": {self.reason}" if self.reason else ""
        return self.name, f"at {'least' if self.least else 'most'} {self.limit:g}", str(self.ratio), verdict

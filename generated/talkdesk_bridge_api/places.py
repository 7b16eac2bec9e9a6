# Generated from openapi.yaml by `make generate`: edits are lost.
"""Places in a response, and the deviations that were counted there. All readers and models use this module."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

__all__ = ["MisfitError", "Place", "kind_of", "member"]

JSON_TYPES: dict[type, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object", type(None): "null",
}  # fmt: skip


class MisfitError(ValueError):
    """A value cannot be read as its documented type without losing information.

    Attributes:
        documented: The documented type.
        seen: The type or form of the value, never the value itself.
        place: Its place, as a JSON path from the value that was read: `.invoices[3].amount`.

    """

    def __init__(self, documented: str, seen: str, place: str = "") -> None:
        super().__init__(documented, seen, place)
        self.documented = documented
        self.seen = seen
        self.place = place

    def __str__(self) -> str:
        return f"expected {self.documented} at ${self.place}, got {self.seen}."


class Place:
    """The deviations at one place in a response and inside it. All items of a list share one place."""

    __slots__ = ("counts", "inside", "strict")

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        """Whether the first deviation raises MisfitError."""
        self.counts: dict[str, dict[str, int]] = _Strict() if strict else defaultdict(_new_counts)
        """The count of each deviation, by `documented | seen`, then by step."""
        self.inside: dict[str, Place] = defaultdict(partial(Place, strict=strict))
        """The places of the objects inside, by step."""

    def deviations(self, path: str = "$") -> Iterator[tuple[str, str, str, int]]:
        """JSON path, documented type, seen type and count of each deviation."""
        for kind, steps in self.counts.items():
            documented, seen = kind.split(" | ")
            yield from ((path + step, documented, seen, count) for step, count in steps.items())
        for step, inner in self.inside.items():
            yield from inner.deviations(path + step)

    def in_order(self, data: Any) -> list[tuple[str, str, str, int]]:
        """Like `deviations`, in the order in which their places first occur in the JSON data.

        Deviations of unknown fields, `.*`, come last.
        """
        found = [*self.deviations()]
        if len(found) < 2:
            return found
        unseen = {path for path, *_ in found}
        order: list[str] = []

        def walk(value: Any, path: str) -> None:
            if path in unseen:
                unseen.remove(path)
                order.append(path)
            if not isinstance(value, dict | list) or not any(one.startswith(path) for one in unseen):
                return
            for step, inner in _steps(value):
                if not unseen:
                    return
                walk(inner, path + step)

        walk(data, "$")
        ranks = {path: rank for rank, path in enumerate(order)}
        return sorted(found, key=lambda deviation: ranks.get(deviation[0], len(ranks)))

    def add(self, other: Place) -> None:
        """Add the deviations that were counted separately for the same place."""
        for kind, steps in other.counts.items():
            for step, count in steps.items():
                self.counts[kind][step] += count
        for step, inner in other.inside.items():
            self.inside[step].add(inner)


def _new_counts() -> dict[str, int]:
    return defaultdict(int)


class _Strict(dict[str, Any]):
    """The counts of a strict place: counting a deviation raises it as MisfitError."""

    def __init__(self, kind: str = "") -> None:
        super().__init__()
        self._kind = kind

    def __missing__(self, key: str) -> Any:
        if not self._kind:
            return _Strict(key)
        documented, seen = self._kind.split(" | ")
        raise MisfitError(documented, seen, key)


def _steps(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((member(name), inner) for name, inner in value.items())
    else:
        yield from (("[*]", inner) for inner in value)


def kind_of(value: Any) -> str:
    """The JSON type of a value, or the name of its Python type if JSON has no such type."""
    return "number" if isinstance(value, float) else JSON_TYPES.get(type(value), type(value).__name__)


@lru_cache(1000)
def member(name: str) -> str:
    """The step to a field in a JSON path.

    >>> member("amount"), member("k-1")
    ('.amount', '["k-1"]')

    """
    return f".{name}" if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) else f"[{json.dumps(name)}]"

"""Prints changes, and checks whether the version and the changelog match them."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

from tools.changes.history import CONTRACT, Comparison
from tools.changes.sentences import RATINGS, Change, rating


def as_json(comparison: Comparison) -> str:
    """The changes for programs."""
    then, now = comparison.versions
    found: dict[str, Any] = {"base": comparison.base, "rating": rating(comparison.changes)}
    found["version"] = {"base": then, "now": now, "next": comparison.next}
    return json.dumps({**found, "changes": [asdict(change) for change in comparison.changes]}, indent=2)


def as_text(comparison: Comparison) -> str:
    """The changes for a terminal."""
    lines = []
    for change in comparison.changes:
        place = CONTRACT if change.wire else "Python"
        place = f"{CONTRACT}:{change.line}" if change.line else place
        names = ", ".join(dict.fromkeys(name for name in (change.python, change.wire) if name))
        lines += [f"{change.rating}  {place}  {names}".rstrip(), f"       {change.message}", ""]
    return "\n".join([*lines, _summary(comparison)])


def as_markdown(comparison: Comparison) -> str:
    """The changes for a pull request."""
    lines = [f"## Changes for callers since {comparison.base}", "", _summary(comparison)]
    for rated in reversed(RATINGS):
        items = [f"- {change.message}" for change in comparison.changes if change.rating == rated]
        lines += ["", f"### {rated.capitalize()}", "", *items] if items else []
    return "\n".join(lines)


def _summary(comparison: Comparison) -> str:
    then, now = comparison.versions
    count = len(comparison.changes)
    if not count:
        return f"Nothing changed for callers since {comparison.base} ({then})."
    counts = f"{count} change{'s' if count > 1 else ''} for callers since {comparison.base} ({then})"
    next_one = f"The next version is {comparison.next} or higher"
    return f"{counts}, rated {rating(comparison.changes)}. {next_one}; {CONTRACT} says {now}."


FORMATS = {"text": as_text, "json": as_json, "markdown": as_markdown}


def problems(comparison: Comparison, changelog: str) -> list[str]:
    """The problems of the version and the changelog, one message with a remedy for each."""
    then, now = comparison.versions
    if [*map(int, now.split("."))] < [*map(int, comparison.next.split("."))]:
        found = f"but the changes since {comparison.base} ({then}) are rated {rating(comparison.changes)}"
        remedy = f"set it to {comparison.next} and run `make generate` (`make changes` lists the changes)"
        return [f"{CONTRACT}: `info.version` is {now}, {found}: {remedy}."]
    section = section_of(changelog, now)
    if (comparison.changes or now != then) and section is None:
        messages = "\n".join(f"- {change.message}" for change in comparison.changes)
        return [f"CHANGELOG.md: the section `## {now}` is missing: add it, and describe these changes:\n{messages}"]
    items = re.split(r"^[-*] ", re.sub(r"<!--.*?-->", "", section or "", flags=re.S), flags=re.M)
    return [
        f"CHANGELOG.md: no item of `## {now}` names `{' '.join(_words(change))}`: add one for:\n- {change.message}"
        for change in comparison.changes
        if change.rating in ("major", "minor") and not any(_names(item, change) for item in items)
    ]


def section_of(changelog: str, version: str) -> str | None:
    """The section of a version in the changelog; None if there is none."""
    pattern = rf"^##[ \t]+\[?v?{re.escape(version)}\]?(?:[ \t].*?)?$(.*?)(?=^## |\Z)"
    return found[1] if (found := re.search(pattern, changelog, re.M | re.S)) else None


def _names(item: str, change: Change) -> bool:
    return all(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", item) for word in _words(change))


def _words(change: Change) -> list[str]:
    """The words that an item about a change must contain: a method or a class, or a part with its owner."""
    words = re.findall(r"\w+", change.python)
    is_part = (change.python.startswith("models.") and len(words) > 2) or re.search(r"\(\w+\)", change.python)
    return words[-2:] if is_part else (words[-1:] or change.wire.split()[-1:])

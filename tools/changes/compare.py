"""Compares two states of the project whole, and proposes the version that follows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tools.arrival import class_name
from tools.changes import operations, schemas
from tools.changes.ledger import At, Change, Ledger, Side, members
from tools.changes.sentences import RATINGS
from tools.contract import PROVENANCE, mapping

__all__ = ["compare", "next_version", "rating"]


def compare(old: Side, new: Side) -> list[Change]:
    """Every change for callers from `old` to `new`, the gravest first."""
    ledger = Ledger(old, new)
    schemas.renamed(ledger)
    operations.compare(ledger)
    schemas.compare(ledger)
    _rest(ledger)
    _python(ledger)
    return sorted(ledger.changes, key=lambda change: -RATINGS.index(change.rating))


def rating(changes: Iterable[Change]) -> str:
    """The gravest rating of some changes; `none` without any."""
    return max((change.rating for change in changes), key=RATINGS.index, default="none")


def next_version(version: str, rated: str) -> str:
    """The version that follows after changes of a rating.

    Below 1.0.0 the second number stands for what breaks and the third for the rest, which is how `~=0.1.0` reads them.
    """
    major, minor, patch = map(int, version.split("."))
    if rated == "none":
        return version
    if rated == "patch" or (rated == "minor" and not major):
        return f"{major}.{minor}.{patch + 1}"
    return f"{major + 1}.0.0" if rated == "major" and major else f"{major}.{minor + 1}.0"


def _rest(ledger: Ledger) -> None:
    """Provenance, documentation, examples, servers."""
    olds, news = ({_identity(one): one for one in side.contract.elements()} for side in (ledger.old, ledger.new))
    for key, new in news.items():
        old = olds.get(key)
        if old and PROVENANCE in old.node and PROVENANCE in new.node and old.status != new.status:
            at, words = At(f"{new.kind} {new.name}", new.where), {"now": new.status, "was": old.status}
            ledger.say("provenance", at, what=new.kind, name=new.name, **words)
        if old and new.kind in ("tag", "security scheme"):
            ledger.talk(old.node, new.node)
    old_data, new_data = (side.contract.data for side in (ledger.old, ledger.new))
    ledger.talk(old_data.get("info"), new_data.get("info"))
    if old_data.get("servers") != new_data.get("servers"):
        ledger.say("servers", At("servers", ("servers",)))
    for kind, count in ledger.talked.items():
        if count:
            ledger.say(kind, At(kind), count=f"{count} element{'s' if count > 1 else ''}")


def _identity(element: Any) -> tuple[Any, ...]:
    """What an element is known by, wherever it stands in a list."""
    return (element.kind, element.name, *(key for key in element.where if not isinstance(key, int)))


def _python(ledger: Ledger) -> None:
    """What Python offers otherwise, where no change of the contract told it."""
    olds, news = ledger.old.offered, ledger.new.offered
    named = [mapping(side.contract.at(("components", "schemas"))) for side in (ledger.old, ledger.new)]
    components = {f"models.{class_name(name)}" for names in named for name in names}
    come_or_gone = {name for name in olds.keys() ^ news.keys() if not name.endswith(")")}
    for name in dict.fromkeys((*olds, *news)):
        was, now = ledger.current(olds.get(name, "")), news.get(name, "")
        both, owner = name in olds and name in news, _owner(name)
        if _normal(was) == _normal(now) or any(_is_part(name, known) for known in ledger.covered):
            continue
        if any(_is_part(owner, known) for known in come_or_gone):
            continue  # told of the owner
        if not both and re.fullmatch(r"models\.\w+", name) and name not in components:
            continue  # the class of what is written inside another schema, where its change was told
        if both and name.endswith("()"):
            ledger.say("returns", At("", (), [name]), call=f"`{name}`", was=was, now=now)
            continue
        if both and name.endswith("(*)"):
            ledger.say("argument-order", At("", (), [name]), call=f"`{name.replace('(*)', '()')}`", now=now)
            continue
        kind = "python-changed" if both else "python-gone" if name in olds else "python-new"
        if kind == "python-new" and name.endswith(")") and not re.search(r"\(\*?\)$| = ", name + now):
            kind = "python-new-required"
        ledger.say(kind, At("", (), [name]), shown=name, was=was, now=now)


def _owner(name: str) -> str:
    """The method of an argument, the class of a field or a method; empty where there is none."""
    return name.rpartition("(")[0] if name.endswith(")") else name.rpartition(".")[0]


def _is_part(name: str, known: str) -> bool:
    return name == known or name.startswith((f"{known}(", f"{known}."))


def _normal(text: str) -> tuple[set[str], str]:
    """A type and a default, for comparing: the order in a union means nothing."""
    type_, _, default = text.partition(" = ")
    return members(type_), default

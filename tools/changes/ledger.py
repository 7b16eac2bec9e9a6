"""Where a comparison of two states writes down what changed for callers, and what both halves of it need."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tools.changes.sentences import SENTENCES
from tools.contract import Contract, Where, mapping

__all__ = ["At", "Change", "Ledger", "Node", "Side", "either", "members", "spoken"]

Node = dict[str, Any]

# Keywords that limit values without being seen in Python.
LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
LIMITS = (*LEAST, *MOST, "pattern", "multipleOf", "uniqueItems", "format", "const")

# What only people read. Below the keys in NAMED stand names, which are no keywords.
TALK = ("description", "summary", "title", "externalDocs")
EXAMPLES = ("example", "examples")
IMPLIED = {"required": False, "additionalProperties": True, "uniqueItems": False, "allowEmptyValue": False}
NAMED = ("properties", "schemas", "responses", "securitySchemes", "headers", "content")


@dataclass(frozen=True)
class Side:
    """A state of the project: its contract, and what its packages offer to callers (from tools/arrival.py)."""

    contract: Contract
    offered: dict[str, str]

    def text(self, name: str) -> str:
        """What is offered under a name; empty where there is no such name."""
        return self.offered.get(name, "")

    def type(self, name: str) -> str:
        """The type of an argument or a field, without its default."""
        return self.text(name).partition(" = ")[0]


@dataclass(frozen=True)
class Change:
    """One change for callers."""

    rating: str
    """major: code that worked may fail. minor: more is offered. patch: nothing that code can see."""
    kind: str
    """Which of tools/changes/sentences.py."""
    python: str
    """What changed, as a caller writes it: `models.InvoiceDetails.status`. Empty where Python shows nothing of it."""
    wire: str
    """What changed in the contract. Empty where the contract did not change."""
    message: str
    """What changed, and what a caller must do."""
    line: int | None = None
    """In the newer contract; None where it stands no more."""


@dataclass(frozen=True)
class At:
    """Where something changed: in the contract, in words and by its place, and in Python."""

    wire: str
    where: Where = ()
    names: list[str] = field(default_factory=list)


@dataclass
class Ledger:
    """The changes from `old` to `new`, so far."""

    old: Side
    new: Side
    changes: list[Change] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)
    """Names of the Python side whose change was told."""
    schemas: dict[str, str] = field(default_factory=dict)
    """Schemas that only have another name now."""
    classes: dict[str, str] = field(default_factory=dict)
    """Their classes."""
    talked: Counter[str] = field(default_factory=Counter)
    """How many elements have other documentation, or other examples."""

    def say(self, kind: str, at: At, /, **words: Any) -> None:
        """Write down a change that shows in Python: which sentence, and what it needs."""
        self.note(kind, at, **words)
        self.covered.update(at.names)

    def note(self, kind: str, at: At, /, **words: Any) -> None:
        """Write down a change that leaves the Python as it is."""
        rating, sentence = SENTENCES[kind]
        line = self.new.contract.places.get(at.where, (None,))[0] if at.where else None
        told = sentence.format(**words)
        self.changes.append(Change(rating, kind, next(iter(at.names), ""), at.wire, told[:1].upper() + told[1:], line))

    def is_sent(self, where: Where) -> bool:
        """Whether a schema of the newer contract is part of a request."""
        return where in self._sent or any(where[: len(place)] == place for place in self._requests)

    @cached_property
    def _requests(self) -> list[Where]:
        """Where the bodies and parameters of all operations stand."""
        contract = self.new.contract
        places: list[Where] = [
            place
            for at, _ in contract.operations()
            for place in ((*at, "requestBody"), (*at, "parameters"), (*at[:2], "parameters"))
        ]
        return [place for place in places if contract.at(place) is not None]

    @cached_property
    def _sent(self) -> set[Where]:
        return {where for place in self._requests for where in self.new.contract.reached(place)}

    def current(self, text: str) -> str:
        """A type of the older side in the names of the newer one."""
        return re.sub(r"\w+", lambda match: self.classes.get(match[0], match[0]), text)

    def same(self, old: Any, new: Any, *but: str) -> bool:
        """Whether two parts of the contracts have the same meaning, some keywords at their top aside."""
        texts = [json.dumps(_without(spoken(node), but), sort_keys=True) for node in (old, new)]
        names = self.schemas
        return re.sub(r'(?<=schemas/)([^"]+)(?=")', lambda match: names.get(match[0], match[0]), texts[0]) == texts[1]

    def limits(self, shown: str, at: At, old: Node, new: Node, *, sent: bool) -> None:
        """Limits that values have, or have no more; they matter to a caller where they are sent."""
        for key in LIMITS:
            was, is_ = (None if node.get(key) is False else node.get(key) for node in (old, new))
            if was == is_ or (key in LEAST[2:] and not was and not is_):
                continue
            tighter = is_ is not None and (key not in (*LEAST, *MOST) or was is None or (is_ > was) == (key in LEAST))
            now = f"no `{key}` any more" if is_ is None else f"`{key}` {json.dumps(is_)} now"
            now += f" (it was {json.dumps(was)})" if None not in (was, is_) else ""
            kind = "field-limit" if not sent else "argument-limit" if tighter else "argument-limit-wider"
            self.note(kind, at, shown=shown, now=now)

    def default(self, kind: str, shown: str, at: At, old: Any, new: Any) -> None:
        """Another default."""
        was, is_ = (mapping(node).get("default") for node in (old, new))
        if was != is_:
            now = "has no default any more" if is_ is None else f"has the default {json.dumps(is_)} now"
            now += f" (it was {json.dumps(was)})" if None not in (was, is_) else ""
            keep = f"give {json.dumps(was)} to keep what was" if was is not None else "give what you mean, if not that"
            self.say(kind, at, shown=shown, now=now, keep=keep)

    def deprecated(self, kind: str, at: At, old: Any, new: Any, **words: str) -> None:
        """Something that is going to go."""
        if mapping(new).get("deprecated") and not mapping(old).get("deprecated"):
            self.note(kind, at, **words)

    def talk(self, old: Any, new: Any) -> None:
        """Count what people read of an element otherwise."""
        for kind, keys in (("documentation", TALK), ("examples", EXAMPLES)):
            self.talked[kind] += any(mapping(old).get(key) != mapping(new).get(key) for key in keys)

    def enumeration(self, was: str, now: str) -> str:
        """The enumeration in a type that had none, as a caller writes it."""
        before, after = (
            [name for name in re.findall(r"\w+", type_) if side.text(f"models.{name}").startswith("enumeration")]
            for side, type_ in ((self.old, was), (self.new, now))
        )
        return f"models.{after[0]}" if after and not before else ""

    def values(self, enumeration: str) -> str:
        """The values of an enumeration."""
        found = (text for name, text in self.new.offered.items() if name.startswith(f"{enumeration}."))
        return ", ".join(found) if enumeration else ""


def spoken(node: Any, named: bool = False) -> Any:
    """A part of a contract without what only people read; `named` says that its keys are names."""
    if isinstance(node, list):
        return [spoken(item) for item in node]
    if not isinstance(node, dict):
        return node
    # Style and explode can only be the usual ones, which tools/hazards.py sees to.
    silent = (*TALK, *EXAMPLES, "deprecated", "style", "explode")
    if not named and node.keys() == {"allOf"} and len(node["allOf"]) == 1:
        return spoken(node["allOf"][0])
    kept = {
        key: sorted(value, key=str) if key in ("enum", "type") and isinstance(value, list) and not named else value
        for key, value in node.items()
        if named or not (key in silent or key.startswith("x-") or value == IMPLIED.get(key, ...))
    }
    found = {key: spoken(value, not named and key in NAMED) for key, value in kept.items()}
    required = found.get("required")
    return found | ({"required": sorted(required)} if isinstance(required, list) and not named else {})


def _without(node: Any, keys: Iterable[str]) -> Any:
    return {key: value for key, value in node.items() if key not in keys} if isinstance(node, dict) else node


def members(type_: str) -> set[str]:
    """The members of a union; what is inside brackets stays together."""
    return {*re.split(r" \| (?![^\[]*\])", type_)} - {""}


def either(names: Iterable[str]) -> str:
    """A choice of names, in words."""
    return " or ".join(names) or "nothing"

"""What changed in the schemas of a contract, for those who read and make models."""

from __future__ import annotations

import json
import re
from typing import Any

from tools.arrival import class_name, python_name
from tools.changes.ledger import LIMITS, At, Ledger, members, spoken
from tools.contract import Contract, Where, is_reference, mapping, sequence
from tools.documented import aliases

__all__ = ["compare", "inside", "renamed"]

SCHEMAS: Where = ("components", "schemas")


def renamed(ledger: Ledger) -> None:
    """Write down which schemas came, went, or have another name now: what else is compared needs the names."""
    olds, news = (mapping(side.contract.at(SCHEMAS)) for side in (ledger.old, ledger.new))
    second = aliases(ledger.old.contract)
    come = [name for name in news if name not in olds]
    for name in (name for name in olds if name not in news):
        was, at = f"models.{class_name(name)}", At(f"schema {name}", (*SCHEMAS, name), [f"models.{class_name(name)}"])
        same = [other for other in come if _nameless(olds[name], name) == _nameless(news[other], other)]
        if was not in ledger.old.offered:
            continue
        if name in second:
            ledger.say("model-alias-gone", at, was=was, now=f"models.{class_name(second[name])}")
        elif same:
            come.remove(same[0])
            ledger.schemas[name] = same[0]
            now = f"models.{class_name(same[0])}"
            if was != now:
                ledger.classes[was[7:]] = now[7:]
                ledger.say("model-renamed", At(f"schema {same[0]}", (*SCHEMAS, same[0]), [now, was]), was=was, now=now)
        else:
            ledger.say("model-gone", at, was=was)
    for name in come:
        if (now := f"models.{class_name(name)}") in ledger.new.offered:
            ledger.say("model-new", At(f"schema {name}", (*SCHEMAS, name), [now]), now=now)


def compare(ledger: Ledger) -> None:
    """Write down what changed in the schemas that both contracts have."""
    olds, news = (mapping(side.contract.at(SCHEMAS)) for side in (ledger.old, ledger.new))
    for name in (name for name in olds if name in news):
        where = (*SCHEMAS, name)
        _schema(ledger, name, class_name(name), where, where)
        # What no sentence tells: of a class, all but its fields; of another type, all but its limits.
        told = ("properties", "required", "allOf", "type", "additionalProperties", "enum", "default", *LIMITS)
        kept = told if ledger.new.text(f"models.{class_name(name)}") else ("enum", "default", *LIMITS)
        if not ledger.same(olds[name], news[name], *kept):
            at = At(f"schema {name}", where, [f"models.{class_name(name)}"])
            ledger.note("unknown", at, shown=f"the schema `{name}`")


def _schema(ledger: Ledger, label: str, name: str, before: Where, after: Where) -> None:
    """A schema before and after; `name` is its class, if it has one."""
    old, new = ledger.old.contract.at(before), ledger.new.contract.at(after)
    python = f"models.{name}"
    at = At(label, after, [python] if python in ledger.new.offered else [])
    was, now = (side.text(python) for side in (ledger.old, ledger.new))
    if was and now and was != now:
        ledger.say("model-kind", at, shown=python, was=_a(was), now=_a(now))
        return
    sent = ledger.is_sent(after)
    if was.startswith("enumeration"):
        _values(ledger, python, label, after)
    elif was == "class":
        _fields(ledger, label, name, before, after, sent)
    ledger.limits(f"`{label}`", at, mapping(old), mapping(new), sent=sent)
    ledger.deprecated("model-deprecated", at, old, new, shown=python)
    ledger.talk(old, new)


def _fields(ledger: Ledger, label: str, name: str, before: Where, after: Where, sent: bool) -> None:
    olds, news = _properties(ledger.old.contract, before), _properties(ledger.new.contract, after)
    come = [prop for prop in news if prop not in olds]
    python = {python_name(prop): prop for prop in come}
    for prop, (where, node, _) in olds.items():
        attribute = f"{name}.{python_name(prop)}"
        now = prop if prop in news else python.get(python_name(prop))
        if now:
            if now != prop:
                come.remove(now)
                at = At(f"{label}.{now}", news[now][0], [f"models.{attribute}"])
                ledger.note("field-wire-name", at, shown=f"`{attribute}`", was=prop, now=now)
            _field(ledger, f"{label}.{now}", attribute, olds[prop], news[now], sent)
            continue
        alike = [other for other in come if ledger.same(node, news[other][1])]
        more = f" If the bridge still sends it, it is in {_unknown(prop)}."
        more = f" If it was renamed, it is `{name}.{python_name(alike[0])}` now." if len(alike) == 1 else more
        at = At(f"{label}.{prop}", where, [f"models.{attribute}"])
        ledger.say("field-gone", at, shown=f"`{attribute}`", more=more)
    for prop in come:
        where, _, required = news[prop]
        attribute = f"{name}.{python_name(prop)}"
        at = At(f"{label}.{prop}", where, [f"models.{attribute}"])
        kind = "field-new-required" if required else "field-new"
        ledger.say(kind, at, shown=f"`{attribute}`", unknown=_unknown(prop))
    at = At(label, after, [f"models.{name}.additional_properties"])
    was, now = ledger.current(ledger.old.type(at.names[0])), ledger.new.type(at.names[0])
    if was != now:
        ledger.say("model-unknown-fields", at, shown=f"{name}.additional_properties", was=was, now=now)


Property = tuple[Where, Any, bool]
"""Where a property stands, its node, and whether it is required."""


def _field(ledger: Ledger, label: str, attribute: str, before: Property, after: Property, sent: bool) -> None:
    (_, old, needed), (where, new, needs) = before, after
    at, shown = At(label, where, [f"models.{attribute}"]), f"`{attribute}`"
    was, now = ledger.current(ledger.old.type(at.names[0])), ledger.new.type(at.names[0])
    if members(was) - {"None"} != members(now) - {"None"}:
        enumeration = ledger.enumeration(was, now)
        other = "stays a plain one" if "str" in members(now) else "is a ContractError"
        words = {"was": was, "now": enumeration or now, "values": ledger.values(enumeration), "other": other}
        ledger.say("field-enumeration" if enumeration else "field-type", at, shown=shown, **words)
    elif needed != needs and (needs or "None" not in members(was)):
        ledger.say("field-required" if needs else "field-optional", at, shown=shown)
    elif needed != needs:
        ledger.say("field-written", at, shown=shown)  # it might be null, and may be left out now
    elif members(was) != members(now):
        ledger.say("field-optional" if "None" in members(now) else "field-never-none", at, shown=shown)
    else:
        if not inside(ledger, label, now, (old, new), where, before[0]):
            _otherwise(ledger, label, at, shown, old, new, sent)
        if not is_reference(new) and not is_reference(old):
            ledger.limits(shown, at, mapping(old), mapping(new), sent=sent)
    ledger.default("field-default", shown, at, old, new)
    ledger.deprecated("field-deprecated", at, old, new, shown=shown)
    ledger.talk(old, new)


def inside(
    ledger: Ledger, label: str, type_: str, both: tuple[Any, Any], where: Where, before: Where | None = None
) -> bool:
    """Compare what is written in place: an object or an enumeration of a class of its own, or a list of them.

    Returns:
        Whether it is one; what is referred to, in an `anyOf` for example, has its own place.

    """
    old, new = both
    place = before or where
    while mapping(old).get("type") == mapping(new).get("type") == "array":
        old, new = mapping(old.get("items")), mapping(new.get("items"))
        place, where = (*place, "items"), (*where, "items")
    own = [name for name in re.findall(r"\w+", type_) if f"models.{name}" in ledger.new.offered]
    keys = [mapping(node).keys() & {"properties", "additionalProperties", "enum"} for node in (old, new)]
    if len(own) != 1 or not all(keys) or f"models.{own[0]}" not in ledger.old.offered:
        return False
    if ledger.old.contract.at(place) is not None and ledger.new.contract.at(where) is not None:
        _schema(ledger, label, own[0], place, where)
    return True


def _otherwise(ledger: Ledger, label: str, at: At, shown: str, old: Any, new: Any, sent: bool) -> None:
    """A field of the same Python type that is written otherwise."""
    if ledger.same(old, new, *LIMITS, "default"):
        return
    limits = () if sent else LIMITS
    if ledger.same(_nullable(old, limits), _nullable(new, limits)):
        ledger.note("field-written", at, shown=f"`{label}`")
    else:
        ledger.note("unknown", at, shown=shown)


def _nullable(node: Any, limits: tuple[str, ...]) -> Any:
    """A schema without what says that it may be null, which reads as absent, and without some limits."""
    if isinstance(node, list):
        return [_nullable(item, limits) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _nullable(value, limits) for key, value in node.items() if key not in limits}
    if isinstance(kinds := found.get("type"), list):
        rest = [kind for kind in kinds if kind != "null"]
        found["type"] = rest[0] if len(rest) == 1 else rest
    for key in ("oneOf", "anyOf"):
        rest = [member for member in sequence(found.get(key)) if member != {"type": "null"}]
        if len(rest) == 1 and isinstance(rest[0], dict):
            del found[key]
            found |= rest[0]
    return found


def _values(ledger: Ledger, python: str, label: str, where: Where) -> None:
    """The members of an enumeration, by their values."""
    olds, news = (
        {value: name for name, value in side.offered.items() if name.startswith(f"{python}.")}
        for side in (ledger.old, ledger.new)
    )
    for value, was in olds.items():
        if value not in news:
            ledger.say("value-gone", At(label, where, [was]), was=was, value=value)
        elif news[value] != was:
            ledger.say("value-renamed", At(label, where, [news[value], was]), was=was, now=news[value])
    for value, now in news.items():
        if value not in olds:
            ledger.say("value-new", At(label, where, [now]), now=now, value=value)


def _properties(contract: Contract, where: Where) -> dict[str, Property]:
    """The properties of a schema and of the members of its `allOf`."""
    found: dict[str, tuple[Where, Any]] = {}
    required: set[str] = set()
    left, seen = [where], {where}
    while left:
        at = left.pop()
        node = mapping(contract.at(at))
        found |= {name: ((*at, "properties", name), inner) for name, inner in mapping(node.get("properties")).items()}
        required |= {*sequence(node.get("required"))}
        for index, member in enumerate(sequence(node.get("allOf"))):
            place = contract.follow(member) or (*at, "allOf", index)
            left += [place] if place not in seen else []
            seen.add(place)
    return {name: (*place, name in required) for name, place in found.items()}


def _unknown(prop: str) -> str:
    return f"`additional_properties[{json.dumps(prop)}]`"


def _nameless(schema: Any, name: str) -> str:
    """A schema as a text that the same one of another name has, too."""
    return json.dumps(spoken(schema), sort_keys=True).replace(f'schemas/{name}"', 'schemas/itself"')


def _a(kind: str) -> str:
    return kind if kind.startswith("another") else f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"

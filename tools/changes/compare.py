"""Compares two surfaces, name by name: what was added, removed or changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate
from typing import Any

from tools.changes.sentences import ENUMERATIONS, RATINGS, Change, form_of, sentence
from tools.changes.surface import FREE, LIST, Name, Surface, owners
from tools.contract import PROVENANCE, Contract, Where

LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
LIMITS = (*LEAST, *MOST, "pattern", "multipleOf", "uniqueItems", "format", "const")
"""Constraints on values. Python shows none of them, except a `format` that has its own type."""
DOCUMENTATION = (
    *("description", "summary", "title", "externalDocs", "license", "contact", "termsOfService", "servers"),
    *("headers", "links", "flows", "bearerFormat", "openIdConnectUrl", PROVENANCE),
)
"""Only for people; the client uses none of them."""
NEW_TYPE = ("kind", "returns", "type", "wider")
"""Kinds of change after which a name has another type."""
NOTHING = Name()


def compare(old: Surface, new: Surface, contract: Contract) -> list[Change]:
    """The changes for callers from `old` to `new`, most severe first. `contract` is the newer one, for line numbers."""
    comparison = _Comparison(old, new, contract)
    comparison.renames()
    for name in dict.fromkeys((*comparison.old, *new)):
        comparison.name(name)
    for kind, names in comparison.read_by_people.items():
        if names:
            count = f"{len(names)} element{'s' if len(names) > 1 else ''}"
            comparison.changes.append(sentence(kind, "", kind, count=count))
    return folded(comparison.changes, new, contract)


def folded(changes: Iterable[Change], new: Surface, contract: Contract) -> list[Change]:
    """The changes, most severe first; of the same rating, new operations first, each folded with its new models."""
    left = [*dict.fromkeys(changes)]
    for change in [change for change in left if change.kind == "new-operation"]:
        where = new[change.python].where
        around = {where, *contract.reached(where)}
        models = [one for one in left if one.kind == "new" and one.python.startswith("models.")]
        models = [one for one in models if not around.isdisjoint(accumulate((key,) for key in new[one.python].where))]
        names = "".join(f", `{one.python.removeprefix('models.')}`" for one in models)
        message = change.message.replace(" was added:", f" was added, with{names[1:]}:") if names else change.message
        left = [replace(one, message=message) if one is change else one for one in left if one not in models]
    return sorted(left, key=lambda one: (-RATINGS.index(one.rating), one.kind not in ("new-operation", "new-iterator")))


class _Comparison:
    def __init__(self, old: Surface, new: Surface, contract: Contract) -> None:
        self.old, self.new, self.contract = old, new, contract
        self.gone = {*old} - {*new}
        self.changes: list[Change] = []
        self.read_by_people: dict[str, set[str]] = {"documentation": set(), "examples": set()}
        self.special = {"error": self._error, "response": self._response, "security": self._security}

    def report(self, kind: str, name: str, **words: Any) -> None:
        """Record a change of a name. `kind` selects the sentence, and `words` are its placeholders."""
        known = self.new.get(name) or self.old[name]
        line = self.contract.places.get(known.where, (None,))[0] if name in self.new and known.where else None
        python = name if known.python else ""
        self.changes.append(sentence(kind, python, known.wire, line, shown=self._shown(name), **words))

    def _shown(self, name: str) -> str:
        """A name as a caller writes it, or else as the contract does."""
        known = self.new.get(name) or self.old[name]
        call, _, argument = name.rstrip("()*").partition("(")
        if argument:
            return f"`{argument}` of `{call}()`"
        if name.endswith(")") or known.python == "callable":
            return f"`{call}()`"
        if self._is_field(name):
            return f"`{name.removeprefix('models.')}`"
        return f"`{name}`" if known.python else f"the {name}"

    def _owner(self, name: str) -> str:
        """The description of the class that a name belongs to: `class` or `enumeration of ...`."""
        owner = name.rpartition(".")[0]
        return (self.new.get(owner) or self.old.get(owner) or NOTHING).python if name.startswith("models.") else ""

    def _is_field(self, name: str) -> bool:
        return self._owner(name) == "class"

    # Names.

    def renames(self) -> None:
        """Report renames, owners first, and apply them to the older surface."""
        for has_owner in (False, True):
            removed = [name for name, known in self.old.items() if name not in self.new and known.identity]
            for was in [name for name in removed if (next(owners(name)) in self.old) == has_owner]:
                identity, owner = self.old[was].identity, next(owners(was))
                alike = [name for name in self.new if name not in self.old and self.new[name].identity == identity]
                successors = [name for name in alike if not has_owner or next(owners(name)) == owner]
                if successors:
                    self._rename(was, successors[0])

    def _rename(self, was: str, successor: str) -> None:
        shown = self._shown(was)
        self.old = _renamed(self.old, was, successor)
        kind = "argument-renamed" if successor.endswith(")") else "renamed"
        self.report(kind, successor, was=shown, now=successor.rstrip(")").rpartition("(")[2])

    def name(self, name: str) -> None:
        """Report what changed in a name, unless its owner was added, removed or replaced by one of another kind."""
        old, new = self.old.get(name), self.new.get(name)
        if any(self._is_another(owner) for owner in owners(name)):
            return
        if old and new:
            self._both(name, old, new)
        elif not name.endswith(("()", "(*)")):
            self._added_or_removed(name, old or new or NOTHING)

    def _both(self, name: str, old: Name, new: Name) -> None:
        kind = self._kind(name, old, new)
        if kind == "default":
            self.report(kind, name, was=old.default, now=new.default)
        elif kind == "type":
            self._type(name, old, new)
        elif kind:
            self.report(kind, name, was=old.type, now=new.type)
        if old.wire != new.wire and old.identity != new.identity:
            self.report("wire", name, was=old.wire, now=new.wire)
        if kind in NEW_TYPE:
            return  # keywords of different types cannot be compared
        for key in dict.fromkeys((*old.keywords, *new.keywords)):
            was, now = old.keywords.get(key), new.keywords.get(key)
            if was != now:
                self._keyword(name, key, was, now)

    def _type(self, name: str, old: Name, new: Name) -> None:
        """Report another type of an argument or a field."""
        place = "field" if self._is_field(name) else "argument"
        was, now = (" | ".join(sorted(_bare(one))) for one in (old, new))
        if ENUMERATIONS.get(self.new.get(f"models.{now}", NOTHING).python) == was:
            self.report(f"{place}-enumeration", name, was=was, now=now)
            return
        form = "it is read as before" if _bare(old) < _bare(new) else form_of(now, required=not new.default)
        self.report(f"{place}-type", name, was=old.type, now=new.type, form=form)

    def _is_another(self, name: str) -> bool:
        old, new = self.old.get(name, NOTHING), self.new.get(name, NOTHING)
        return old.python.split()[:1] != new.python.split()[:1]

    def _added_or_removed(self, name: str, known: Name) -> None:
        kind = "new" if name in self.new else "gone"
        if kind == "new" and not known.default and (name.endswith(")") or self._is_field(name)):
            kind = "new-required"
        if self._owner(name).startswith("enumeration"):
            self.report(f"value-{kind}", name, was=known.python, now=known.python)
        elif self._is_field(name):
            self.report(f"field-{kind}", name, unknown=f"`additional_properties[{json.dumps(known.identity)}]`")
        elif known.python == "command" and kind == "gone":
            self.report("command-gone", name, list=LIST)
        elif known.python:
            if kind == "new" and name.startswith("client.") and not name.endswith(")"):
                kind = "new-operation" if ("security",) in known.keywords else "new-iterator"
            self.report(kind, name)

    def _kind(self, name: str, old: Name, new: Name) -> str:
        """The kind of change in the Python interface; empty if there is none."""
        if name.endswith("(*)"):
            # The remaining positional arguments must still be the first ones.
            was, now = (known.python.split(", ") if known.python else [] for known in (old, new))
            kept = [one for one in was if name.replace("*", one) in self.new]
            return "order" if now[: len(kept)] != kept else ""
        if name.endswith("()"):
            return _kind_of_return(old, new)
        if name.endswith(")") or self._is_field(name):
            return _kind_of_value(old, new, is_field=self._is_field(name))
        return "kind" if old.python != new.python else ""

    # Keywords of the contract.

    def _keyword(self, name: str, key: Where, was: Any, now: Any) -> None:
        """Report a keyword whose value changed; None means that it is absent."""
        keyword = str(key[-1])
        if keyword in DOCUMENTATION:
            self.read_by_people["documentation"].add(name)
        elif keyword in ("example", "examples"):
            self.read_by_people["examples"].add(name)
        elif keyword == "deprecated":
            if now:
                self.report("deprecated", name)
        elif keyword == "default":
            if name.endswith(")"):  # for a field, the default in Python is compared
                self.report("default", name, was=repr(was), now=repr(now))
        elif keyword == "media types":
            self.report("media-type", name, was=" or ".join(was), now=" or ".join(now))
        elif keyword in self.special:
            self.special[keyword](name, str(key[0]), was, now)
        elif keyword in LIMITS:
            self._limit(name, keyword, was, now)
        else:
            self.report("unknown", name, keyword="/".join(map(str, key)))

    def _limit(self, name: str, keyword: str, was: Any, now: Any) -> None:
        kind = "limit" if self.new[name].sent and _is_tighter(keyword, was, now) else "limit-unchecked"
        texts = [f"no `{keyword}`" if value is None else f"`{keyword}` {json.dumps(value)}" for value in (was, now)]
        self.report(kind, name, was=texts[0], now=texts[1])

    def _response(self, name: str, status: str, was: Any, now: Any) -> None:
        """Report a change in a success status, unless its range covers it."""
        family = (f"{status[0]}XX", "response")
        is_same_type = self.old[f"{name}()"].python == self.new[f"{name}()"].python
        if was and now:
            self.report("response-media-type", name, status=status, was=" or ".join(was), now=" or ".join(now))
        elif was and family not in self.new[name].keywords:
            self.report("response-gone", name, status=status)
        elif now and is_same_type and family not in self.old[name].keywords:
            self.report("response-new", name, status=status)

    def _error(self, name: str, status: str, was: Any, now: Any) -> None:
        """Report a changed body of an error status.

        An undeclared status has the body of its range, or else ErrorInfo.
        """
        family = (f"{status[0]}XX", "error")
        was = was or self.old[name].keywords.get(family, "ErrorInfo")
        now = now or self.new[name].keywords.get(family, "ErrorInfo")
        if was != now:
            self.report("error-body", name, status=status, was=was, now=now)

    def _security(self, name: str, _: str, was: list[str], now: list[str]) -> None:
        removed, added = [way for way in was if way not in now], [way for way in now if way not in was]
        if removed and FREE not in now:
            # A class that goes in the same change is no replacement.
            kept = [way for way in now if self.gone.isdisjoint(re.findall(r"`(\w+)", way))]
            self.report("credential-gone", name, was=" or ".join(removed), now=" or ".join(kept) or "another one")
        if added:
            self.report("credential-new", name, now=" or ".join(added))


def _renamed(surface: Surface, was: str, now: str) -> Surface:
    """The surface with `was` renamed to `now`: the name, its parts, and uses of a class as a type."""
    word, other = was.rpartition(".")[2], now.rpartition(".")[2]
    found: Surface = {}
    for name, known in surface.items():
        if name == was or name.startswith((f"{was}(", f"{was}.")):
            name = now + name.removeprefix(was)
        if re.fullmatch(r"models\.\w+", was):
            known = replace(known, python=re.sub(rf"\b{word}\b", other, known.python), keywords=dict(known.keywords))
            known.keywords |= {
                key: other for key, value in known.keywords.items() if key[-1:] == ("$ref",) and value == word
            }
        found[name] = known
    return found


def _is_tighter(keyword: str, was: Any, now: Any) -> bool:
    """Whether a constraint may reject values that it accepted before. None means that it is absent."""
    if was is None or now is None or keyword not in (*LEAST, *MOST):
        return now is not None
    return bool(now > was if keyword in LEAST else now < was)


def _kind_of_return(old: Name, new: Name) -> str:
    was, now = _members(old), _members(new)
    if now == was:
        return ""
    return "returns-less" if now < was else "returns"


def _kind_of_value(old: Name, new: Name, *, is_field: bool) -> str:
    """The kind of change of an argument or a field; null in a field is a state of its own."""
    needed = old.default and not new.default
    if _bare(old) != _bare(new):
        return "wider" if not is_field and not needed and _bare(old) < _bare(new) else "type"
    if needed:
        return "field-required" if is_field else "required"
    if is_field and _members(old) != _members(new):
        return "field-optional" if _members(old) < _members(new) else "field-never-none"
    if new.default and not old.default:
        return "optional"
    if _members(old) != _members(new):
        return "wider" if _members(old) < _members(new) else "type"
    return "default" if old.default != new.default else ""


def _members(known: Name) -> set[str]:
    """The members of a union type, split outside brackets only."""
    return {*re.split(r" \| (?![^\[]*\])", known.type)} - {""}


def _bare(known: Name) -> set[str]:
    return _members(known) - {"None"}

"""What changed in the operations of a contract, for those who call them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.arrival import python_name
from tools.changes import schemas
from tools.changes.ledger import LIMITS, At, Ledger, Node, Side, either, members, spoken
from tools.contract import Where, is_reference, mapping, sequence
from tools.documented import aliases, signature
from tools.rules import iterator_name

__all__ = ["compare"]

# The classes of the client for the kinds of security schemes.
CREDENTIALS = {
    "apikey": "HeaderAuth",
    "basic": "BasicAuth",
    "bearer": "BearerAuth",
    "oauth2": "OAuth2ClientCredentials",
}


def compare(ledger: Ledger) -> None:
    """Write down what changed in operations and credentials."""
    olds, news = (
        {str(node["operationId"]): _Operation(side, where) for where, node in side.contract.operations()}
        for side in (ledger.old, ledger.new)
    )
    gone = {old.line: name for name, old in olds.items() if name not in news}
    come = {new.line: name for name, new in news.items() if name not in olds}
    pairs = {name: name for name in olds if name in news} | {gone[one]: come[one] for one in gone.keys() & come.keys()}
    for name, old in olds.items():
        if name in pairs:
            _Pair(ledger, old, news[pairs[name]]).compare()
        else:
            ledger.say("operation-gone", At(old.request, old.where, old.calls), calls=_calls(old.calls))
    for name, new in news.items():
        if name not in pairs.values():
            ledger.say("operation-new", At(new.request, new.where, new.calls), calls=_calls(new.calls))
    _credentials(ledger)


class _Operation:
    """An operation of one side, with its parts where they stand, references followed."""

    def __init__(self, side: Side, where: Where) -> None:
        contract = side.contract
        self.side, self.where, self.node = side, where, contract.at(where)
        self.line = str(where[2]), re.sub("{.*?}", "{}", str(where[1]))
        self.request = f"{str(where[2]).upper()} {where[1]}"
        self.name = str(self.node["operationId"])
        tag, method = python_name(str(self.node["tags"][0])), python_name(self.name)
        named = [f"client.{tag}.{name}" for name in (method, iterator_name(method))]
        self.calls = [name for name in named if name in side.offered]
        self.call = f"`{named[0]}()`"
        self.path = re.findall("{(.*?)}", str(where[1]))
        self.parameters: dict[tuple[str, str], tuple[Where, Node]] = {}
        for holder in (where[:2], where):
            for index, node in enumerate(sequence(contract.at((*holder, "parameters")))):
                place = contract.follow(node) or (*holder, "parameters", index)
                parameter = contract.at(place)
                self.parameters[str(parameter["in"]), str(parameter["name"])] = place, parameter
        self.body: Node = mapping(contract.resolve(self.node.get("requestBody")))
        answers = mapping(self.node.get("responses")).items()
        self.answers = {str(status): mapping(contract.resolve(node)) for status, node in answers}
        self.needs = {frozenset(need) for need in sequence(self.node.get("security"))}
        self.schemes = {name for need in self.needs for name in need}

    @property
    def returns(self) -> str:
        return self.side.text(f"{self.calls[0]}()")


@dataclass
class _Pair:
    """An operation before and after."""

    ledger: Ledger
    old: _Operation
    new: _Operation

    def compare(self) -> None:
        ledger, old, new = self.ledger, self.old, self.new
        here = At(new.name, new.where, new.calls)
        if old.call != new.call:
            moved = " and ".join(f"`{was}()` is now `{now}()`" for was, now in zip(old.calls, new.calls, strict=False))
            ledger.say("operation-renamed", At(new.name, new.where, [*new.calls, *old.calls]), moved=moved)
        if old.line != new.line:
            at = At(new.request, new.where, new.calls)
            ledger.note("operation-path", at, call=new.call, now=new.request, was=old.request)
        for kind, one, other in (("iterator-gone", old, new), ("iterator-new", new, old)):
            if one.calls[1:] and not other.calls[1:]:
                at = At(new.name, (*new.where, "responses"), one.calls[1:])
                ledger.say(kind, at, iterator=f"`{one.calls[1]}()`", call=new.call)
        self._parameters()
        self._body()
        self._answers()
        self._security()
        ledger.deprecated("operation-deprecated", here, old.node, new.node, call=new.call)
        ledger.talk(old.node, new.node)

    def _parameters(self) -> None:
        ledger, old, new, call = self.ledger, self.old, self.new, self.new.call
        # Parameters of a path that are called otherwise are known by their positions.
        gone = [name for name in old.path if name not in new.path]
        come = [name for name in new.path if name not in old.path]
        renamed = dict(zip(gone, come, strict=True)) if len(old.path) == len(new.path) else {}
        left = dict(new.parameters)
        python = {(place, python_name(name)): (place, name) for place, name in left}
        for (place, name), (where, node) in old.parameters.items():
            now = place, renamed.get(name, name) if place == "path" else name
            now = now if now in left else python.get((place, python_name(name)), now)
            moved = next((key for key in left if key[1] == name and key not in old.parameters), None)
            at = At(f"{place} {name}", where, [f"{method}({python_name(name)})" for method in old.calls])
            if now in left:
                self._parameter(where, node, *left.pop(now))
            elif moved:
                at, name = At(at.wire, left[moved][0], at.names), python_name(name)
                ledger.note("argument-moved", at, call=call, name=name, was=place, now=moved[0])
                self._parameter(where, node, *left.pop(moved))
            else:
                come = [key for key, other in left.items() if ledger.same(node, other[1], "name")]
                alike = next((python_name(key[1]) for key in come if key not in old.parameters), None)
                more = f" If it was renamed, it is `{alike}` now." if alike else ""
                more += self._paging(at.wire, "follows links only")
                ledger.say("argument-gone", at, call=call, name=python_name(name), more=more)
        for (place, name), (where, node) in left.items():
            at = At(f"{place} {name}", where, [f"{method}({python_name(name)})" for method in new.calls])
            kind = "argument-new-required" if node.get("required") else "argument-new"
            more = self._paging(at.wire, "can go on by page numbers")
            ledger.say(kind, at, call=call, name=python_name(name), more=more)
        orders = [one.side.text(f"{one.calls[0]}(*)").split(", ") for one in (old, new)]
        if orders[0] != orders[1]:
            at = At("path", new.where, [f"{method}(*)" for method in (*new.calls, *old.calls)])
            ledger.covered.update(at.names)
            if sorted(orders[0]) == sorted(orders[1]) or self._moved():
                ledger.say("argument-order", at, call=call, now=", ".join(orders[1]))

    def _moved(self) -> bool:
        """Whether a parameter of the path is sent elsewhere now, or one from elsewhere in the path."""
        olds, news = ({name: place for place, name in one.parameters} for one in (self.old, self.new))
        return any(
            "path" in {olds[name], news[name]} and olds[name] != news[name] for name in olds.keys() & news.keys()
        )

    def _paging(self, wire: str, told: str) -> str:
        """What follows for the iterator where the number of a page comes or goes."""
        iterators = self.new.calls[1:] or self.old.calls[1:]
        return f" `{iterators[0]}()` {told}." if iterators and wire == "query page" else ""

    def _parameter(self, place: Where, before: Node, where: Where, after: Node) -> None:
        ledger, old, new = self.ledger, self.old, self.new
        was, name = (python_name(str(node["name"])) for node in (before, after))
        olds, news = [f"{method}({was})" for method in old.calls], [f"{method}({name})" for method in new.calls]
        at, shown = At(f"{after['in']} {after['name']}", where, news), f"`{name}` of {new.call}"
        if was != name:
            named = At(at.wire, where, [*news, *olds])
            ledger.say("argument-renamed", named, call=new.call, name=name, was=was)
        elif before["name"] != after["name"] and not _same_header(before, after):
            words = {"name": name, "was": before["name"], "now": after["name"]}
            ledger.note("argument-wire-name", at, call=new.call, **words)
        self._required(name, before, after, at)
        written = before.get("schema"), after.get("schema")
        inside = old.side.contract.resolve(written[0]), new.side.contract.resolve(written[1])
        referred = is_reference(written[0]) and ledger.same(*written)  # told where the schema has its place
        if not self._type(name, olds[0], at) and not referred:
            ledger.limits(shown, at, *map(mapping, inside), sent=True)
            places = (*where, "schema"), (*place, "schema")
            told = schemas.inside(ledger, f"{new.call[1:-1]} {name}", ledger.new.type(news[0]), written, *places)
            if not told and not ledger.same(*inside, *LIMITS, "default", "enum"):
                ledger.note("unknown", at, shown=shown)
        if not ledger.same(before, after, "schema", "required", "name", "in"):
            ledger.note("unknown", at, shown=shown)
        ledger.default("argument-default", shown, at, *inside)
        ledger.deprecated("argument-deprecated", at, before, after, shown=shown)
        ledger.talk(before, after)

    def _type(self, name: str, argument: str, at: At) -> bool:
        """Whether an argument has another type, which is told then."""
        ledger, none = self.ledger, {"None"}
        was, now = ledger.current(ledger.old.type(argument)), ledger.new.type(at.names[0])
        if members(was) - none == members(now) - none:
            ledger.covered.update(at.names)  # where None came or went, the argument is required or not
            return False
        kind = "argument-wider" if members(was) - none < members(now) else "argument-type"
        if enumeration := ledger.enumeration(was, now):
            kind, now = "argument-enumeration", enumeration
        values = ledger.values(enumeration)
        ledger.say(kind, at, call=self.new.call, name=name, was=was, now=now, values=values)
        return True

    def _required(self, name: str, old: Node, new: Node, at: At) -> None:
        if bool(old.get("required")) != bool(new.get("required")):
            kind = "argument-required" if new.get("required") else "argument-optional"
            self.ledger.say(kind, at, call=self.new.call, name=name)

    def _body(self) -> None:
        old, new, call = self.old.body, self.new.body, self.new.call
        at = At("request body", (*self.new.where, "requestBody"), [f"{self.new.calls[0]}(body)"])
        if old and new:
            self._required("body", old, new, at)
            if not self._type("body", f"{self.old.calls[0]}(body)", at):
                self._inside("body", at, self.new.side.type(at.names[0]), old, new, "requestBody")
            was, now = (either(mapping(body.get("content"))) for body in (old, new))
            if was != now:
                self.ledger.note("body-media-type", at, call=call, was=was, now=now)
            self.ledger.talk(old, new)
        elif old or new:
            kind = "argument-new-required" if new.get("required") else "argument-new" if new else "argument-gone"
            self.ledger.say(kind, at, call=call, name="body", more="")

    def _inside(self, shown: str, at: At, type_: str, old: Node, new: Node, *keys: str) -> None:
        """The schema of a body, where it is written in place; what is referred to has its own place."""
        olds, news = (mapping(body.get("content")) for body in (old, new))
        for media_type in olds.keys() & news.keys():
            both = mapping(olds[media_type]).get("schema"), mapping(news[media_type]).get("schema")
            places = [self._place(one, *keys, "content", media_type, "schema") for one in (self.new, self.old)]
            told = schemas.inside(self.ledger, f"{self.new.call[1:-1]} {shown}", type_, both, *places)
            if not told and not self.ledger.same(*both):
                self.ledger.note("unknown", at, shown=f"the {shown} of {self.new.call}")

    @staticmethod
    def _place(operation: _Operation, *keys: str) -> Where:
        """Where a part of an operation stands, references followed."""
        where = operation.where
        for key in keys:
            where = (*where, key)
            where = operation.side.contract.follow(operation.side.contract.at(where)) or where
        return where

    def _answers(self) -> None:
        ledger, call, where = self.ledger, self.new.call, (*self.new.where, "responses")
        was, now = ledger.current(self.old.returns), self.new.returns
        if was != now:
            kind = "returns-less" if members(now) < members(was) else "returns"
            names = [f"{method}()" for method in self.new.calls]
            ledger.say(kind, At("response", where, names), call=call, was=was, now=now)
        for status in dict.fromkeys((*self.old.answers, *self.new.answers)):
            at, words = At(f"response {status}", (*where, status), self.new.calls), {"call": call, "status": status}
            success = status.startswith("2")
            family = f"{status[0]}XX"
            if status in self.old.answers and status in self.new.answers:
                self._answer(at, self.old.answers[status], self.new.answers[status], success and was == now, **words)
            elif not success:
                described = "described now" if status in self.new.answers else "not described any more"
                ledger.note("refusal-described", at, now=described, **words)
            elif status not in self.new.answers:
                if family not in self.new.answers:
                    ledger.note("answer-gone", at, **words)
            elif was == now and family not in self.old.answers:
                ledger.note("answer-new", at, **words)

    def _answer(self, at: At, old: Node, new: Node, read_the_same: bool, **words: str) -> None:
        ledger = self.ledger
        olds, news = (mapping(answer.get("content")) for answer in (old, new))
        bodies = [
            either(dict.fromkeys(self._named(side, media) for media in content.values()))
            for side, content in ((ledger.old, olds), (ledger.new, news))
        ]
        success = words["status"].startswith("2")
        if not success and ledger.current(bodies[0]) != bodies[1]:
            kind = "refusal-described" if bodies[1] == "ErrorInfo" else "refusal-body"
            told = {"now": "described as ErrorInfo"} if bodies[1] == "ErrorInfo" else {"now": bodies[1]}
            ledger.note(kind, at, was=bodies[0], **told, **words)
        elif read_the_same and [*olds] != [*news]:
            ledger.note("answer-media-type", at, was=either(olds), now=either(news), **words)
        if spoken(old.get("headers")) != spoken(new.get("headers")):
            ledger.note("answer-headers", at, **words)
        ledger.talk(old, new)
        if success and self.new.returns == ledger.current(self.old.returns):
            self._inside(f"answer {words['status']}", at, self.new.returns, old, new, "responses", words["status"])
        for media_type in olds.keys() & news.keys():
            ledger.talk(olds[media_type], news[media_type])

    @staticmethod
    def _named(side: Side, media: Node) -> str:
        return signature(spoken(mapping(media).get("schema")), aliases(side.contract))

    def _security(self) -> None:
        ledger, old, new = self.ledger, self.old.schemes, self.new.schemes
        where, words = (*self.new.where, "security"), {"call": self.new.call}
        now = either(_class(ledger, name) for name in sorted(new))
        free = [not one.needs or frozenset() in one.needs for one in (self.old, self.new)]
        if free[0] != free[1]:
            kind = "credential-needed" if free[0] else "credential-not-needed"
            ledger.note(kind, At("security", where, self.new.calls), now=now, **words)
            return
        kinds = {name: _identity(ledger, name) for name in old | new}
        if not all(any(need <= had for need in self.new.needs) for had in self.old.needs) and old <= new:
            ledger.note("unknown", At("security", where, self.new.calls), shown=f"what {self.new.call} needs together")
        for name in sorted(old ^ new):
            if any(kinds[name] == kinds[other] for other in (new if name in old else old)):
                continue  # the same credential under another name, which callers never see
            at, this = At(f"security {name}", where, self.new.calls), _class(ledger, name)
            if name in old:
                ledger.note("credential-gone", at, was=this, now=now, **words)
            else:
                ledger.note("credential-new", at, now=this, **words)


def _same_header(old: Node, new: Node) -> bool:
    return old["in"] == new["in"] == "header" and bool(old["name"].lower() == new["name"].lower())


def _identity(ledger: Ledger, name: str) -> tuple[str, str]:
    """What a credential is for callers: the class of the client, and the header that it is sent in."""
    return _class(ledger, name), str(_scheme(ledger, name).get("name")).lower()


def _class(ledger: Ledger, name: str) -> str:
    """The class of the client for a security scheme."""
    scheme = _scheme(ledger, name)
    if scheme.get("type") == "oauth2" and "clientCredentials" not in mapping(scheme.get("flows")):
        return "`BearerAuth`, with a token from elsewhere"
    return f"`{CREDENTIALS.get(str(scheme.get('scheme') or scheme.get('type')).lower(), name)}`"


def _scheme(ledger: Ledger, name: str) -> Node:
    where = ("components", "securitySchemes", name)
    return mapping(ledger.new.contract.at(where) or ledger.old.contract.at(where))


def _credentials(ledger: Ledger) -> None:
    olds, news = (mapping(side.contract.at(("components", "securitySchemes"))) for side in (ledger.old, ledger.new))
    for name in olds.keys() & news.keys():
        old, new = (_lowered(spoken(one[name])) for one in (olds, news))
        at = At(f"security {name}", ("components", "securitySchemes", name))
        flows = [{*mapping(node.get("flows"))} for node in (old, new)]
        if (old.get("type"), old.get("scheme")) != (new.get("type"), new.get("scheme")) or flows[0] - flows[1]:
            ledger.say("credential-kind", at, name=name, now=_class(ledger, name))
        elif old != new and new.get("type") == "apiKey":
            was, now = (f"{one[name].get('in')} `{one[name].get('name')}`" for one in (olds, news))
            remedy = f'make it with `HeaderAuth(value, name="{news[name].get("name")}")`'
            remedy = remedy if new.get("in") == "header" else "no class of the client sends it there"
            ledger.say("credential-header", at, name=name, was=was, now=now, remedy=remedy)
        elif old != new:
            ledger.say("credential-described", at, name=name)


def _lowered(scheme: Node) -> Node:
    """A security scheme, with what is written in any case in one."""
    any_case = ("scheme", "name") if scheme.get("in") == "header" else ("scheme",)
    return {key: str(value).lower() if key in any_case else value for key, value in scheme.items()}


def _calls(names: list[str]) -> str:
    return f"{' and '.join(f'`{name}()`' for name in names)} {'are' if names[1:] else 'is'}"

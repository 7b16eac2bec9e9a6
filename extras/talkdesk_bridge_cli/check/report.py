"""The verdicts of the rules, and the report as text, as JSON, and as JUnit's XML for CI services."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import groupby
from operator import attrgetter, getitem
from typing import Any
from xml.etree import ElementTree as Xml

from attrs import frozen
from talkdesk_bridge.contract import OperationInfo

from talkdesk_bridge_cli.check.rules import RULES, Evidence, Rule, UntriedError
from talkdesk_bridge_cli.check.survey import Survey, declared
from talkdesk_bridge_cli.exit import printable
from talkdesk_bridge_cli.rows import paragraph

TAGS = {"broken": "failure", "not tried": "skipped", "advice": "system-out"}


@frozen
class Verdict:
    """What a rule says about an operation."""

    operation: str
    rule: Rule
    mark: str
    """`documented` or `assumed`."""
    verdict: str
    """`kept`, `broken`, `advice` (the rule is broken, but only assumed) or `not tried`."""
    evidence: list[Evidence]
    """One for each fault."""
    untried: str
    """Why it was not tried; empty if it was."""

    @property
    def sentences(self) -> list[str]:
        """The faults: request, JSON path, and what is there."""
        return [printable(": ".join(filter(None, (one.request, path, text)))) for one, path, text in self.evidence]


def verdicts(seen: Survey, *, assumed: bool) -> Iterator[Verdict]:
    """The verdict of each rule.

    Args:
        seen: What was seen.
        assumed: Whether assumed rules count as much as documented ones.

    """
    for rule in RULES:
        mark = "documented" if is_documented(seen.info, rule.status) else "assumed"
        verdict, untried, found = "kept", "", dict[Any, Evidence]()
        try:
            for one, path, text in rule.check(seen):
                found.setdefault((path, text), (one, path, text))  # the first request for each fault is enough
        except UntriedError as error:
            verdict, untried = "not tried", "--most ended the requests" if seen.sender.is_spent else str(error)
        if found:
            verdict = "broken" if assumed or mark == "documented" else "advice"
        yield Verdict(seen.info.operation_id, rule, mark, verdict, [*found.values()], untried)


def is_documented(info: OperationInfo, status: str) -> bool:
    """Whether a page of the documentation prints the response for a status, or for a range such as `4XX`."""
    document, path, operation = declared(info)
    response = operation["responses"].get(status, {})
    response = reduce(getitem, response["$ref"].split("/")[1:], document) if "$ref" in response else response
    marks = [one["x-provenance"]["status"] for one in (response, operation, path) if "x-provenance" in one]
    return status in operation["responses"] and marks[:1] == ["documented"]


def as_text(found: Sequence[Verdict], width: int, *, colour: bool) -> str:
    """A heading for each operation, and a paragraph for each rule."""
    parts = []
    for operation, group in groupby(found, attrgetter("operation")):
        parts.append(f"{operation}\n")
        for one in group:
            words, faults = [(one.verdict, 11), (one.rule.name, 19)], one.sentences
            about = [f"{one.mark}: {one.rule.reason}", *faults] if faults else [one.untried or one.mark]
            parts.append(paragraph(words, about, one.rule.remedy if faults else "", width=width, colour=colour))
    return "\n".join([*parts, ""])


def as_json(found: Sequence[Verdict]) -> str:
    """A list with an object for each rule."""
    rules = [
        {
            "operation": one.operation, "rule": one.rule.name, "mark": one.mark, "verdict": one.verdict,
            "reason": one.rule.reason, "untried": one.untried, "remedy": one.rule.remedy,
            "evidence": [{"request": at.request, "path": path, "found": text} for at, path, text in one.evidence],
        }
        for one in found
    ]  # fmt: skip
    return json.dumps(rules, indent=2) + "\n"


def as_junit(found: Sequence[Verdict]) -> str:
    """A suite for each operation, and a case for each rule; advice is the output of a case that succeeds."""
    root = Xml.Element("testsuites", name="talkdesk-bridge check")
    for operation, group in groupby(found, attrgetter("operation")):
        suite = Xml.SubElement(root, "testsuite", name=operation, errors="0")
        for one in group:
            case = Xml.SubElement(suite, "testcase", classname=f"check.{operation}", name=one.rule.name)
            if one.verdict != "kept":
                note = {} if one.verdict == "advice" else {"message": one.untried or one.rule.remedy}
                text = one.untried or "\n".join([one.rule.reason, *one.sentences, one.rule.remedy])
                Xml.SubElement(case, TAGS[one.verdict], note).text = text
        for name, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
            suite.set(name, str(len([*suite.iter(tag)])))
    Xml.indent(root)
    return f"{Xml.tostring(root, 'utf-8', xml_declaration=True).decode()}\n"

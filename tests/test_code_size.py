"""Size and shape of the code: budgets in code lines, and expressions that are too nested. `pytest -s` prints the table."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from talkdesk_bridge import BridgeClient, HeaderAuth
from talkdesk_bridge_sandbox import Sandbox

from tests.conftest import ROOT

PARTS = {
    "overrides/talkdesk_bridge": (1450, 2351),
    "overrides/talkdesk_bridge_http": (600, 599),
    "extras/talkdesk_bridge_cli": (1600, 1600),
    "extras/talkdesk_bridge_cli/check": (450, 446),
    "extras/talkdesk_bridge_sandbox": (1100, 1057),
    "extras/talkdesk_bridge_tables": (350, 329),
    "tools": (3100, 3663),
    "benchmarks": (850, 833),
}
"""Code lines of each part: the goal, and the limit."""
TEMPLATES = 650
"""The decoder in tools/templates: code lines of its Python modules, all lines of Jinja."""
DECODER = ("base.py", "places.py", "reading.py", "macros.jinja", "model.py.jinja", "models_init.py.jinja")
LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
"""Code lines. The limit for branches is a setting of ruff."""

NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip


def rows_of_code(text: str, tree: ast.AST) -> set[int]:
    """The numbers of the lines that hold code: neither blank nor a comment nor a docstring."""
    rows: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            rows.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        for statement in getattr(node, "body", []) if isinstance(getattr(node, "body", None), list) else []:
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                rows -= {*range(statement.lineno, (statement.end_lineno or 0) + 1)}
    return rows


def code_lines(file: Path) -> int:
    text = file.read_text(encoding="utf-8")
    return len(rows_of_code(text, ast.parse(text)))


def modules(part: str) -> list[Path]:
    """The Python files of a part, without those that are counted separately: templates, and parts inside it."""
    files = sorted((ROOT / part).rglob("*.py"))
    inner = [ROOT / other for other in PARTS if other.startswith(f"{part}/")]
    files = [file for file in files if not any(file.is_relative_to(folder) for folder in inner)]
    return [file for file in files if "templates" not in file.relative_to(ROOT).parts]


def functions(file: Path) -> Iterator[tuple[str, int]]:
    """Each function, and its code lines."""
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    rows = rows_of_code(text, tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = {*range(node.body[0].lineno, (node.end_lineno or 0) + 1)}
            yield f"{file.relative_to(ROOT)}: {node.name}", len(rows & inner)


def test_code_lines_of_each_part() -> None:
    counted = {part: sum(map(code_lines, modules(part))) for part in PARTS}
    print("\ncode lines".ljust(36), "wanted  at most  now", sep="")
    for part, (wanted, most) in PARTS.items():
        print(f"{part:35}{wanted:6}{most:9}{counted[part]:5}")
    assert {part: lines for part, lines in counted.items() if lines > PARTS[part][1]} == {}


def test_lines_of_the_decoder() -> None:
    files = [ROOT / "tools" / "templates" / name for name in DECODER]
    lines = [
        code_lines(file) if file.suffix == ".py" else len(file.read_text(encoding="utf-8").splitlines())
        for file in files
    ]
    assert sum(lines) <= TEMPLATES


@pytest.mark.parametrize("part", PARTS)
def test_no_module_and_no_function_is_long(part: str) -> None:
    files = modules(part)
    assert files
    long = {file.name: lines for file in files if (lines := len(file.read_text("utf-8").splitlines())) > LONGEST_MODULE}
    assert long == {}
    assert {name: lines for file in files for name, lines in functions(file) if lines > LONGEST_FUNCTION} == {}


COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
KNOTS: dict[str, list[Any]] = {
    "a conditional inside a conditional": [ast.IfExp, ast.IfExp],
    "an assignment inside an assignment expression": [ast.NamedExpr, ast.NamedExpr],
    "a conditional inside an f-string inside a comprehension": [COMPREHENSIONS, ast.JoinedStr, ast.IfExp],
}
"""Expressions that one cannot read without going back: the nodes, from the outside in."""


def knots(text: str) -> list[tuple[int, str]]:
    """The line and the name of each knot."""
    found: list[tuple[int, str]] = []

    def walk(node: ast.AST, outer: list[ast.AST]) -> None:
        inside = [*outer, node] if isinstance(node, ast.expr | ast.FormattedValue | ast.comprehension) else []
        for name, kinds in KNOTS.items():
            remaining = iter(inside)
            if (
                inside
                and isinstance(node, kinds[-1])
                and all(any(isinstance(one, kind) for one in remaining) for kind in kinds)
            ):
                found.append((node.lineno, name))
        for child in ast.iter_child_nodes(node):
            walk(child, inside)

    walk(ast.parse(text), [])
    return found


def test_no_expression_is_a_knot() -> None:
    found = {file.name: lines for part in PARTS for file in modules(part) if (lines := knots(file.read_text("utf-8")))}
    assert found == {}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x = 1 if a else 2 if b else 3", [1]),
        ("if (a := f(b := 1)): ...", [1]),
        ("x = [\n    f\"{'a' if b else 'c'}\" for b in d]", [2]),
        ("x = [1 if a else 2 for a in b]\ny = f\"{'a' if b else 'c'}\"", []),
        ("x = 1 if a else 2\ny = 1 if a else 2", []),
    ],
)
def test_a_knot_is_found(text: str, lines: list[int]) -> None:
    assert [line for line, _ in knots(text)] == lines


def test_a_request_makes_no_more_calls_than_documented(sandbox: Sandbox, key: HeaderAuth) -> None:
    parts = ("overrides/talkdesk_bridge", "overrides/talkdesk_bridge_http", "generated/talkdesk_bridge_api")
    calls: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            calls.append(frame.f_code.co_filename)

    fewest = dict.fromkeys(parts, 1000)
    with BridgeClient(sandbox.url, auth=key) as bridge:
        bridge.billing.get_account_invoices("1000000003")  # imports and connects
        for _ in range(5):  # a response that arrives in several parts needs more
            calls.clear()
            sys.setprofile(note)
            bridge.billing.get_account_invoices("1000000003")
            sys.setprofile(None)
            for part in parts:
                now = sum(Path(file).is_relative_to(ROOT / part) for file in calls)
                fewest[part] = min(fewest[part], now)
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    documented = re.search(r"makes (\d+) calls:\s+(\d+) in the client,\s+(\d+) in\s+its\s+transport and\s+(\d+)", text)
    assert documented
    most, *each = map(int, documented.groups())
    assert most == sum(each)
    # Python 3.12 and later make no call for a comprehension.
    assert all(now <= limit for now, limit in zip(fewest.values(), each, strict=True)), fewest

"""Finds dead code: functions of a generated package that are never called while all of it is used.

`python -m tests.dead_code` checks the package on PYTHONPATH, and prints one function on a line.
"""

from __future__ import annotations

import ast
import logging
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

__all__ = ["functions"]

Function = tuple[str, int]
"""The file, and the line of the first decorator, or of the definition."""


def functions(package: Path) -> Iterator[tuple[Function, str]]:
    """The functions of a package, except those of protocols, which have no code."""

    def walk(file: Path, node: ast.AST, path: str) -> Iterator[tuple[Function, str]]:
        for inner in ast.iter_child_nodes(node):
            name = getattr(inner, "name", "<lambda>" if isinstance(inner, ast.Lambda) else "")
            within = f"{path} {name}" if name else path
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                decorated = [one.lineno for one in getattr(inner, "decorator_list", [])]
                yield (str(file), min([inner.lineno, *decorated])), within
            if not (isinstance(inner, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in inner.bases)):
                yield from walk(file, inner, within)

    for file in sorted(package.rglob("*.py")):
        yield from walk(file, ast.parse(file.read_text(encoding="utf-8")), str(file.relative_to(package)))


def main() -> None:
    """Import and use the package, and print the functions that were not called."""
    called: set[Function] = set()

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    logging.disable(logging.CRITICAL)
    spec = find_spec("talkdesk_bridge_api")
    assert spec
    assert spec.origin
    sys.setprofile(profile)
    try:
        from tests.using import use  # imported here, because functions that run at import count too

        use()
    finally:
        sys.setprofile(None)
    for place, name in functions(Path(spec.origin).parent):
        if place not in called:
            sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()

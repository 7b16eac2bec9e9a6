"""The forms of the output, as bytes: JSON, JSON lines, CSV, a table. Nothing in them plays with a terminal."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any

from talkdesk_bridge.errors import ContractError
from talkdesk_bridge_api.reading import Number

from talkdesk_bridge_cli.exit import coloured, printable
from talkdesk_bridge_cli.output import Destination

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = [
    "as_data",
    "as_json",
    "as_line",
    "as_table",
    "cell",
    "columns_of",
    "csv_lines",
    "new_table",
    "without_controls",
]

# Also what turns or breaks a line unseen.
CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|\r(?!\n)"
)
# What a spreadsheet takes for a formula when it opens a CSV file; the wide forms count in some countries.
FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
QUICK = json.JSONEncoder(ensure_ascii=False).encode
# Where that may read otherwise than it came: what is escaped, and what looks like a number with a fraction.
UNLIKE = re.compile(r"\\|(^|[\[,:] ?)-?([0-9]+[.eE]|Infinity)")
AMOUNT = re.compile(r"[+-][0-9][0-9.,]*( [A-Za-z]{3})?")


def as_json(value: Any) -> bytes:
    """JSON in UTF-8, indented.

    Raises:
        ContractError: it is nested too deep.

    """
    return f"{_json(value)}\n".encode()


def as_data(form: str, values: Sequence[Any], rows: Sequence[Mapping[str, Any]], documented: Iterable[str]) -> bytes:
    """Values for programs: one array of `json`, a line of JSON for each as `jsonl`, or their rows as `csv`, in UTF-8.

    In CSV, the documented columns come first, then those of all other fields; lists and objects are JSON text in their
    cell; absent and null are empty.

    Raises:
        ContractError: a value is nested too deep.

    """
    if form == "json":
        return as_json(values)
    if form == "jsonl":
        return b"".join(map(as_line, values))
    return b"".join(csv_lines(rows, columns_of(rows, documented)))


def as_line(value: Any) -> bytes:
    """A line of JSON lines.

    Raises:
        ContractError: it is nested too deep.

    """
    return f"{_json(value, None)}\n".encode()


def csv_lines(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[bytes]:
    """The header, and a line for each row."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    for cells in chain([columns], ([row.get(column) for column in columns] for row in rows)):
        writer.writerow(map(_csv_cell, cells))
        yield file.getvalue().encode()
        file.seek(0)
        file.truncate()


def columns_of(rows: Iterable[Mapping[str, Any]], documented: Iterable[str]) -> list[str]:
    """The documented columns, then those of all other fields, as they come."""
    return [*dict.fromkeys([*documented, *(name for row in rows for name in row)])]


def without_controls(text: str) -> str:
    """Text of the bridge, of several lines, without what a terminal would follow."""
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def new_table(columns: Iterable[str], right: Iterable[str] = ()) -> Table:
    """An empty table; the columns named by `right` have their text at the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0)
    for column in columns:
        table.add_column(cell(column), justify="right" if column in right else "left", no_wrap=True)
    return table


def cell(value: Any) -> Text:
    """A value of the bridge in a table: no control characters, no markup."""
    from rich.text import Text

    return Text(printable(value.isoformat() if isinstance(value, date) else _cell(value)))


def as_table(table: Table, under: Iterable[str], output: Destination) -> bytes:
    """The table, and lines under it, fit for where it goes; no line is cut or wrapped.

    A file has no width, and a terminal wraps a long line itself.
    """
    from rich.console import Console

    colours = output.stream is not None and coloured(output.stream)
    console = Console(
        file=output.stream or io.StringIO(), width=10**7, force_terminal=colours, force_jupyter=False, highlight=False,
        color_system="standard" if colours else None,
    )  # fmt: skip
    with console.capture() as captured:
        console.print(table, soft_wrap=True)
    text = re.sub(" +\n", "\n", captured.get()) + "".join(f"{line}\n" for line in under)
    return text.encode((output.stream and output.stream.encoding) or "utf-8", "backslashreplace")


def _json(value: Any, margin: str | None = "\n") -> str:
    """JSON text; None as `margin` keeps it on one line.

    The standard library's encoder gives numbers with a fraction other digits than they came with, and lets pass the
    control characters above ASCII, which some terminals follow. It is several times as quick where there is neither.
    """
    try:
        text = QUICK(value) if margin is None else ""
        if text.isprintable() and not UNLIKE.search(text or "\\"):
            return text
        return _encoded(value, margin)
    except RecursionError:
        pass
    raise ContractError("The answer is nested too deep to be written.")


def _encoded(value: Any, margin: str | None) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=not value.isprintable())
    if isinstance(value, Number):
        return str(value)
    if not isinstance(value, dict | list):
        return json.dumps(value)
    inner = None if margin is None else f"{margin}  "
    if isinstance(value, dict):
        (start, end), parts = "{}", [f"{_encoded(name, None)}: {_encoded(value[name], inner)}" for name in value]
    else:
        (start, end), parts = "[]", [_encoded(item, inner) for item in value]
    if inner is None or not parts:
        return f"{start}{', '.join(parts)}{end}"
    return f"{start}{inner}{f',{inner}'.join(parts)}{margin}{end}"


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return _json(value, None)


def _csv_cell(value: Any) -> str:
    text = without_controls(_cell(value))
    return f"'{text}" if isinstance(value, str) and FORMULA.match(text) and not AMOUNT.fullmatch(text) else text

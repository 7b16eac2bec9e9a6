"""JSON, JSON Lines and CSV as bytes, safe to show on a terminal."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from talkdesk_bridge import Number
from talkdesk_bridge.errors import ContractError

# Control characters, and invisible characters that reverse text, break lines, or vanish at the start of a file.
CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]|\r(?!\n)"
)
# A character that makes a cell a formula in a spreadsheet; in some locales, also a full-width one.
SIGN = "[=+\\-@\uff1d\uff0b\uff0d\uff20]"
# What may precede it at the start of a cell. Possessive, so that a long run is not scanned twice.
BLANKS = r'(?:"|[^\S\t\r\n])*+'
# The start of a cell, or a place inside it where a spreadsheet starts another one: its separator may be `;` or a tab,
# and then it does not see the quotes around a line break. A leading tab or line break may be stripped, so it counts.
FORMULA = re.compile(f"(^(?=[\r\n])|(?:^|[;\r\n]){BLANKS}(?=\t)|(?:^|[;\t\r\n]){BLANKS}(?={SIGN}))({SIGN}?)")
AMOUNT = re.compile(r"[+-][0-9][0-9.,]*( [A-Za-z]{3})?")
LINE_BREAK = "\n"
TOO_DEEP = "The response is nested too deeply to be written."
FAST = json.JSONEncoder(ensure_ascii=False).encode
# Text from FAST that may differ from that of `_encoded` in digits or escapes.
INEXACT = re.compile(r"\\|(^|[\[,:] ?)-?([0-9]+[.eE]|Infinity)")


def as_data(output_format: str, values: Any) -> bytes:
    """A value in UTF-8: indented `json`, or `jsonl` with one line for each value of a list.

    Raises:
        ContractError: the value is nested too deeply.

    """
    if output_format == "jsonl":
        return "".join(f"{_json(value)}\n" for value in values).encode()
    return f"{_json(values, LINE_BREAK)}\n".encode()


def from_json(content: bytes) -> Any:
    """The value of a JSON text, with all digits of its numbers.

    Raises:
        ContractError: the value is nested too deeply.

    """
    try:
        return json.loads(content, parse_float=Number)
    except RecursionError:
        pass  # raised below, so that the error does not keep this one and its traceback
    raise ContractError(TOO_DEEP)


def csv_lines(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[bytes]:
    """The header and a line for each row; see `as_text` for the cells."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    for first, *cells in chain([columns], ([row.get(column) for column in columns] for row in rows)):
        # The first cell is no amount: if the separator is `;`, the rest of the line belongs to it.
        writer.writerow([_without_formulas(first), *map(_csv_cell, cells)])
        yield file.getvalue().encode()
        file.seek(0)
        file.truncate()


def parquet_parts(model: Any, pages: Iterable[tuple[str, Iterable[dict[str, Any]]]]) -> Iterator[bytes]:
    """A Parquet file with the invoices of accounts, read as `model`; the extra `tables` must be installed."""
    from talkdesk_bridge_tables import parquet

    return parquet((account, [*map(model.from_dict, page)]) for account, page in pages)


def as_text(value: Any) -> str:
    """The text of a cell: text unchanged, lists and objects as JSON, empty for absent and null."""
    if value is None or isinstance(value, str):
        return value or ""
    return _json(value)


def columns_of(rows: Iterable[Mapping[str, Any]], documented: Iterable[str]) -> list[str]:
    """The documented columns, then all other fields of the rows in the order of their first use."""
    return [*dict.fromkeys(chain(documented, (name for row in rows for name in row)))]


def without_controls(text: str) -> str:
    """Text of several lines, without the characters that a terminal would act on."""
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def _json(value: Any, margin: str | None = None) -> str:
    """JSON text on one line, or indented if `margin` is given: a line break and the current indentation.

    The standard library's encoder is several times as fast as `_encoded`, so it comes first. But it may change the
    digits of a Number, and it does not escape control characters above ASCII. If its text shows that either could
    matter, it is discarded.
    """
    try:
        if margin is None:
            text = FAST(value)
            if text.isprintable() and not INEXACT.search(text):
                return text
        return _encoded(value, margin)
    except RecursionError:
        pass
    raise ContractError(TOO_DEEP)


def _encoded(value: Any, margin: str | None) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=not value.isprintable())
    if isinstance(value, Number):
        return str(value)
    if not isinstance(value, dict | list):
        return json.dumps(value)
    inner = None if margin is None else f"{margin}  "
    if isinstance(value, dict):
        start, end = "{}"
        parts = [f"{_encoded(name, None)}: {_encoded(value[name], inner)}" for name in value]
    else:
        start, end = "[]"
        parts = [_encoded(item, inner) for item in value]
    if inner is None or not parts:
        return f"{start}{', '.join(parts)}{end}"
    return f"{start}{inner}{f',{inner}'.join(parts)}{margin}{end}"


def _csv_cell(value: Any) -> str:
    is_number = isinstance(value, int | float) or (isinstance(value, str) and AMOUNT.fullmatch(value))
    return as_text(value) if is_number else _without_formulas(value)


def _without_formulas(value: Any) -> str:
    """The text of a cell, with an apostrophe before each formula, or with an escape if the text is JSON."""

    def harmless(found: re.Match[str]) -> str:
        escaped = "".join(f"\\u{ord(sign):04x}" for sign in found[2])
        return found[1] + (escaped if isinstance(value, dict | list) else f"'{found[2]}")

    return FORMULA.sub(harmless, without_controls(as_text(value)))

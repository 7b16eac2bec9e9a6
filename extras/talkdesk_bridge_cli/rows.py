"""Paragraphs of a report on a terminal: a word, a name, and sentences beside them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from talkdesk_bridge_cli.exit import printable

UNWRAPPED = 10**7
COLOURS = {
    "good": "32", "warning": "33", "bad": "1;31", "skipped": "2",
    "kept": "32", "advice": "33", "broken": "1;31", "not tried": "2",
}  # fmt: skip


def paragraph(words: Sequence[tuple[str, int]], found: Sequence[str], remedy: str, *, width: int, colour: bool) -> str:
    """A paragraph.

    Args:
        words: The words at its left, each with the width of its column; the first one has a colour.
        found: Sentences, each on a new line.
        remedy: The last sentence, in bold; empty for none.
        width: The width of the terminal, or UNWRAPPED.
        colour: Whether to use colours.

    """
    indent = sum(size for _, size in words)
    wrapped = textwrap.TextWrapper(max(width - indent, 40), break_long_words=False, break_on_hyphens=False)
    lines = [line for text in found for line in wrapped.wrap(printable(text))]
    bold = wrapped.wrap(printable(remedy))
    start = [f"{word:{size}}" for word, size in words]
    if colour:
        start[0] = f"\x1b[{COLOURS[words[0][0]]}m{start[0]}\x1b[0m"
        bold = [f"\x1b[1m{line}\x1b[0m" for line in bold]
    return "".join(start) + f"\n{'':{indent}}".join([*lines, *bold])

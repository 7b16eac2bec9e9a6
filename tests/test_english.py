"""Words that must not come back into code, messages or docs, and the words to use instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_architecture import tracked

WORDS = {
    r"told|tells?(?!\()": "a message says, a function returns, raises or logs",
    "answer(?:s|ed|ing)?": "response; a server responds, or returns a status",
    "refusals?": "error response",
    "whoever": "anyone who, you, the caller",
    "whatever": "any, all",
    "but for": "except",
    "besides": "except; in addition",
    "so many": "the name of the number",
    "(?:is|are|was|already) at it": "in use",
    "(?:is|are|says?|exists?) no more(?! than)": "no longer",
    "(?:come|comes|came) of it": "the result",
    "serves on": "stays in use",
}
"""Patterns of whole words, each with its replacement. A part of a name such as `is_told` counts as a word; `tell(` is a
method of Python's files."""

FOREIGN = ("LICENSE", "generated/talkdesk_bridge_api/lock.json", "requirements/", "tests/documented/")
"""Files in the words of others, or written by tools."""


def unwanted(text: str) -> Iterator[tuple[int, str, str]]:
    """The line, the words and the replacement of each match."""
    for words, instead in WORDS.items():
        spaced = words.replace(" ", r"\s+(?:# )?")
        for match in re.finditer(rf"(?<![a-z])(?:{spaced})(?![a-z])", text, re.IGNORECASE):
            yield text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), instead


def test_no_file_has_an_unwanted_word() -> None:
    found = []
    for file in tracked():
        name = file.relative_to(ROOT).as_posix()
        if file != Path(__file__).resolve() and not name.startswith(FOREIGN):
            matches = unwanted(file.read_text(encoding="utf-8"))
            found += [f"{name}:{line}: {words!r}: write {instead!r}" for line, words, instead in matches]
    assert not found, "\n".join(["", *sorted(found)])


@pytest.mark.parametrize("text", ["is_told = 1", "Whoever asks", "a\n# so\n# many", "the answers", "all but\nfor one"])
def test_an_unwanted_word_is_found(text: str) -> None:
    assert [line for line, *_ in unwanted(f"first\n{text}")]


@pytest.mark.parametrize("text", ["untold", "a storyteller", "no more than 5", "so that many", "look at its"])
def test_other_words_are_not_found(text: str) -> None:
    assert not [*unwanted(text)]

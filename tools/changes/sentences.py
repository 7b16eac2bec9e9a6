"""What callers read about each kind of change: its rating, and a sentence with the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["RATINGS", "SENTENCES", "Change", "next_version", "rating", "sentence"]

RATINGS = ("none", "patch", "minor", "major")

BRIDGE = "nothing to change in code, but the bridge must accept it"
FIELD = "a response without it is a ContractError, and code that makes the model must pass it"

# In braces: `shown` is what changed, as a caller writes it; `was` and `now` are its state before and after.
SENTENCES = {
    # any name
    "new": ("minor", "{shown} is new: nothing to do."),
    "new-required": ("major", "{shown} is new and required: pass it."),
    "gone": ("major", "{shown} is gone: remove its uses."),
    "renamed": ("major", "{was} was renamed to {shown}: update its uses."),
    "kind": ("major", "{shown} was `{was}` and is now `{now}`: adapt its uses."),
    "deprecated": ("minor", "{shown} is deprecated: stop using it before it goes."),
    "wire": ("major", f"{{shown}} is now `{{now}}` on the wire, it was `{{was}}`: {BRIDGE}."),
    # methods
    "order": ("major", "{shown} now takes ({now}) as positional arguments, it took ({was}): check each call, or pass them by name."),
    "returns": ("major", "{shown} now returns `{now}` instead of `{was}`: adapt code that uses it."),
    "returns-less": ("minor", "{shown} now returns `{now}` instead of `{was}`: nothing to do."),
    "media-type": ("major", f"{{shown}} is now sent as {{now}} instead of {{was}}: {BRIDGE}."),
    "response-new": ("minor", "{shown} now reads a response {status}, which was a ContractError: nothing to do."),
    "response-gone": ("major", "{shown} now raises ContractError for a response {status}: handle it if the bridge still sends one."),
    "response-media-type": ("major", "{shown} is now returned {status} with {now} instead of {was}: nothing to change in code, but the bridge must still accept `Accept: application/json`."),
    "error-body": ("major", "{shown} now reads an error response {status} as {now} instead of {was}: adapt code that uses `error.body` or `error.error_info`."),
    "credential-new": ("minor", "{shown} now also accepts {now}: nothing to do."),
    "credential-gone": ("major", "{shown} no longer accepts {was}: give the client {now}."),
    # values: arguments and fields
    "argument-renamed": ("major", "{was} was renamed to `{now}`: update keyword arguments."),
    "required": ("major", "{shown} is now required: pass it."),
    "optional": ("minor", "{shown} is now optional: nothing to do."),
    "type": ("major", "{shown} is now `{now}`, it was `{was}`: adapt code that passes or reads it."),
    "wider": ("minor", "{shown} is now `{now}`, it was `{was}`: nothing to do."),
    "default": ("major", "{shown} now has {now} as default, it had {was}: pass a value if the difference matters."),
    "limit": ("major", "{shown} now has {now}, it had {was}: the bridge may reject values that it accepted; check what you pass."),
    "limit-unchecked": ("patch", "{shown} now has {now}, it had {was}: nothing to do, the client does not check it."),
    "field-new": ("minor", "{shown} is new; it is None if the bridge does not send it. Code that read it from {unknown} must read the attribute."),
    "field-new-required": ("major", f"{{shown}} is new and required: {FIELD}. Code that read it from {{unknown}} must read the attribute."),
    "field-gone": ("major", "{shown} is gone: remove its uses. If the bridge still sends it, it is in {unknown}."),
    "field-required": ("major", f"{{shown}} is now required: {FIELD}."),
    "field-optional": ("major", "{shown} may now be None: handle that."),
    "field-never-none": ("major", "{shown} is now never None: a response with null there may be a ContractError."),
    "value-new": ("minor", "{shown}, {now}, is new: handle it where all values are handled."),
    "value-gone": ("major", "{shown}, {was}, is gone: remove its uses. A response with it may be a ContractError."),
    # what only people read
    "documentation": ("patch", "the documentation of {count} changed: nothing to do."),
    "examples": ("patch", "the examples of {count} changed, and with them what the sandbox sends: nothing to do."),
    "code": ("patch", "the client's own code changed: nothing to do."),
    "unknown": ("major", "{shown} changed in a way that has no sentence (`{keyword}`): look at the contract, and decide."),
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One change for callers."""

    rating: str
    """major: code that worked may fail. minor: more is offered. patch: nothing that code can see."""
    kind: str
    """Which of the sentences."""
    python: str
    """What changed, as a caller writes it: `models.InvoiceDetails.status`. Empty if Python does not show it."""
    wire: str
    """What changed in the contract. Empty if the contract did not change."""
    message: str
    """What changed, and what a caller must do."""
    line: int | None = None
    """In the newer contract; None if it is no longer there."""


def sentence(kind: str, python: str, wire: str, line: int | None = None, **words: Any) -> Change:
    """A change of a kind, with the words that its sentence needs."""
    rated, template = SENTENCES[kind]
    message = template.format(**words)
    return Change(rated, kind, python, wire, message[:1].upper() + message[1:], line)


def rating(changes: Iterable[Change]) -> str:
    """The gravest rating of some changes; `none` without any."""
    return max((change.rating for change in changes), key=RATINGS.index, default="none")


def next_version(version: str, rated: str) -> str:
    """The version that follows after changes of a rating.

    Below 1.0.0 the second number stands for what breaks and the third for the rest, which is how `~=0.1.0` reads them.
    """
    major, minor, patch = map(int, version.split("."))
    if rated == "none":
        return version
    if rated == "patch" or (rated == "minor" and not major):
        return f"{major}.{minor}.{patch + 1}"
    return f"{major + 1}.0.0" if rated == "major" and major else f"{major}.{minor + 1}.0"

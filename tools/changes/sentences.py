"""The rating of each kind of change, and the sentence with the remedy that callers read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

RATINGS = ("none", "patch", "minor", "major")

BRIDGE = "no code change needed, but the bridge must accept it"
FIELD = "a response without it raises ContractError, and code that creates the model must pass it"
ENUMERATIONS = {"enumeration of StrEnum": "str", "enumeration of IntEnum": "int"}
"""The type of the values of each kind of enumeration, whose members equal them."""
# What the client does with a value of another form, by the new type. See tools/templates/reading.py.
ELSE_FAILS = "and anything else raises ContractError"
FORMS = {
    "str": f"a number becomes its text, text stays as it is, {ELSE_FAILS}",
    "int": f'a whole number is read, also from text such as "5", {ELSE_FAILS}',
    "float": f'a number is read, also from text such as "5.5", {ELSE_FAILS}',
    "bool": f"true and false are read, {ELSE_FAILS}",
    "UUID": f"a UUID is read, {ELSE_FAILS}",
    "datetime.date": "a date in ISO 8601 is read, and other text becomes None with a deviation",
    "datetime.datetime": "a date in ISO 8601 is read, and other text becomes None with a deviation",
}
OTHER_FORM = "it is read if the new type allows it, and raises ContractError if not"
READ = "If you read it from {unknown}, read the attribute instead"

# `shown` is the name that changed, as a caller writes it; `was` and `now` are its states before and after.
SENTENCES = {
    # any name
    "new": ("minor", "{shown} was added: no action needed."),
    "new-operation": ("minor", "{shown} was added: no action needed."),
    "new-iterator": ("minor", "{shown} was added: no action needed."),
    "new-required": ("major", "{shown} was added and is required: pass it."),
    "gone": ("major", "{shown} was removed: stop using it."),
    "renamed": ("major", "{was} was renamed to {shown}: update its uses."),
    "kind": ("major", "{shown} changed from `{was}` to `{now}`: update its uses."),
    "deprecated": ("minor", "{shown} is deprecated: stop using it before it is removed."),
    "wire": ("major", f"{{shown}} changed from `{{was}}` to `{{now}}` on the wire: {BRIDGE}."),
    # methods
    "order": ("major", "the positional arguments of {shown} changed from ({was}) to ({now}): check each call, or pass arguments by name."),
    "returns": ("major", "{shown} now returns `{now}` instead of `{was}`: update code that uses the result."),
    "returns-less": ("minor", "{shown} now returns `{now}` instead of `{was}`: no action needed."),
    "media-type": ("major", f"{{shown}} is now sent as {{now}} instead of {{was}}: {BRIDGE}."),
    "response-new": ("minor", "{shown} now reads a {status} response, which raised ContractError before: no action needed."),
    "response-gone": ("major", "{shown} now raises ContractError for a {status} response: handle it if the bridge still sends one."),
    "response-media-type": ("major", "the {status} response of {shown} is now {now} instead of {was}: no code change needed, but the bridge must still accept `Accept: application/json`."),
    "error-body": ("major", "{shown} now reads the body of a {status} response as {now} instead of {was}: update code that uses `error.body` or `error.error_info`."),
    "credential-new": ("minor", "{shown} now also accepts {now}: no action needed."),
    "credential-gone": ("major", "{shown} no longer accepts {was}: use {now}."),
    # values: arguments and fields
    "argument-renamed": ("major", "{was} was renamed to `{now}`: update keyword arguments."),
    "required": ("major", "{shown} is now required: pass it."),
    "optional": ("minor", "{shown} is now optional: no action needed."),
    "argument-type": ("major", "the type of {shown} changed from `{was}` to `{now}`: update code that passes it."),
    "argument-enumeration": ("major", "{shown} is now one of `{now}` instead of any `{was}`: pass a member. Another value is sent unchecked, and the bridge may reject it."),
    "field-type": ("major", "the type of {shown} changed from `{was}` to `{now}`: update code that sets or reads it. If the bridge still sends the old form: {form}."),
    "field-enumeration": ("major", "{shown} is now one of `{now}` instead of any `{was}`: set a member. to_dict() writes another value unchecked, but a response with one raises ContractError. A member equals its value, so code that only reads it works as before."),
    "wider": ("minor", "the type of {shown} was widened from `{was}` to `{now}`: no action needed."),
    "default": ("major", "the default of {shown} changed from {was} to {now}: pass a value if you relied on the old default."),
    "limit": ("major", "the constraint on {shown} changed from {was} to {now}: check the values that you pass, as the bridge may reject some that it accepted before."),
    "limit-unchecked": ("patch", "the constraint on {shown} changed from {was} to {now}: no action needed, as the client does not check it."),
    "field-new": ("minor", f"{{shown}} was added; it is None if the bridge does not send it. {READ}."),
    "field-new-required": ("major", f"{{shown}} was added and is required: {FIELD}. {READ}."),
    "field-gone": ("major", "{shown} was removed: stop using it. If the bridge still sends it, read {unknown}."),
    "field-required": ("major", f"{{shown}} is now required: {FIELD}."),
    "field-optional": ("major", "{shown} may now be None: handle None."),
    "field-never-none": ("major", "{shown} can no longer be None: a response with null there may raise ContractError."),
    "value-new": ("minor", "the value {now} ({shown}) was added: handle it if your code handles each value."),
    "value-gone": ("major", "the value {was} ({shown}) was removed: stop using it. A response with it may raise ContractError."),
    # commands
    "command-gone": ("major", "the command {shown} fails with exit status 8, as it needs `{list}` with one account: use `talkdesk-bridge get`."),
    # changes without a name
    "documentation": ("patch", "the documentation of {count} changed: no action needed."),
    "examples": ("patch", "the examples of {count} changed, and so did the sandbox's responses: no action needed."),
    "code": ("patch", "the client's own code changed: no action needed."),
    "unknown": ("major", "{shown} changed in a way that `make changes` cannot rate (`{keyword}`): check the contract."),
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One change for callers."""

    rating: str
    """major: working code may fail. minor: something was added. patch: code cannot see the change."""
    kind: str
    """The key of its sentence."""
    python: str
    """The name that changed, as a caller writes it: `models.InvoiceDetails.status`. Empty if Python does not show it."""
    wire: str
    """The part of the contract that changed. Empty if the contract did not change."""
    message: str
    """What changed, and what a caller must do."""
    line: int | None = None
    """The line in the newer contract; None if the part was removed."""


def sentence(kind: str, python: str, wire: str, line: int | None = None, **words: Any) -> Change:
    """A change of a kind; `words` fill the placeholders of its sentence."""
    rated, template = SENTENCES[kind]
    message = template.format(**words)
    return Change(rated, kind, python, wire, message[:1].upper() + message[1:], line)


def form_of(kind: str, *, required: bool) -> str:
    """What becomes of the old form of a field that has another type, after a colon.

    Args:
        kind: The new type in Python, without None.
        required: Whether the field is required, so that it cannot become None.

    """
    form = FORMS.get(re.sub(r"^(list\[)+|\]+$", "", kind), OTHER_FORM)
    return form.replace("becomes None with a deviation", "raises ContractError") if required else form


def rating(changes: Iterable[Change]) -> str:
    """The most severe rating of some changes; `none` if there are no changes."""
    return max((change.rating for change in changes), key=RATINGS.index, default="none")


def next_version(version: str, rated: str) -> str:
    """The next version after changes of a rating.

    Below 1.0.0 a major change raises the second number and any other change the third, as `~=0.1.0` expects.
    """
    major, minor, patch = map(int, version.split("."))
    if rated == "none":
        return version
    if rated == "patch" or (rated == "minor" and not major):
        return f"{major}.{minor}.{patch + 1}"
    return f"{major + 1}.0.0" if rated == "major" and major else f"{major}.{minor + 1}.0"

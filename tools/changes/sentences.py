"""What a caller is told of each kind of change: its rating, and the sentence with the remedy."""

from __future__ import annotations

__all__ = ["RATINGS", "SENTENCES"]

RATINGS = ("none", "patch", "minor", "major")

ON_THE_WIRE = "nothing to change in code, but the bridge must expect it"
CHECKS_NOT = "nothing to do, the client does not check it"

# In braces: what the comparison knows. `call` and `calls` are the methods of an operation, `shown` what changed, as a
# caller writes it, `was` and `now` its state before and after.
SENTENCES = {
    # operations
    "operation-new": ("minor", "{calls} new: nothing to do."),
    "operation-gone": ("major", "{calls} gone: remove the calls."),
    "operation-renamed": ("major", "{moved}: rename the calls."),
    "operation-deprecated": ("minor", "{call} is deprecated: stop calling it before it goes."),
    "operation-path": ("major", f"{{call}} asks `{{now}}` instead of `{{was}}`: {ON_THE_WIRE}."),
    "iterator-new": ("minor", "{iterator} is new: nothing to do."),
    "iterator-gone": ("major", "{iterator} is gone: read the body of {call} instead."),
    # arguments
    "argument-new": ("minor", "{call} takes `{name}`: nothing to do.{more}"),
    "argument-new-required": ("major", "{call} needs `{name}`: pass it.{more}"),
    "argument-gone": ("major", "{call} does not take `{name}` any more: remove the argument.{more}"),
    "argument-renamed": ("major", "{call} calls its argument `{was}` now `{name}`: whoever passes it by name renames it."),
    "argument-required": ("major", "{call} needs `{name}` now: pass it."),
    "argument-optional": ("minor", "{call} can do without `{name}`: nothing to do."),
    "argument-order": ("major", "{call} takes its arguments in another order, ({now}): pass them by name, or check each call."),
    "argument-wire-name": ("major", f"{{call}} sends `{{name}}` as `{{now}}`, it was `{{was}}`: {ON_THE_WIRE}."),
    "argument-moved": ("major", f"{{call}} sends `{{name}}` in the {{now}} instead of the {{was}}: {ON_THE_WIRE}."),
    "argument-type": ("major", "{call} takes `{name}` as `{now}`, it was `{was}`: adapt what passes it."),
    "argument-wider": ("minor", "{call} takes `{name}` as `{now}`, it was `{was}`: nothing to do."),
    "argument-enumeration": ("major", "{call} takes `{name}` as `{now}` ({values}), it was `{was}`: pass a member; a plain value fails."),
    "argument-limit": ("major", "{shown} has {now}: the bridge may refuse what it took; check what you pass."),
    "argument-limit-wider": ("patch", f"{{shown}} has {{now}}: {CHECKS_NOT}."),
    "argument-default": ("major", "{shown} {now}: where it is not given, the bridge may do otherwise; {keep}."),
    "argument-deprecated": ("minor", "{shown} is deprecated: stop passing it before it goes."),
    # bodies of requests
    "body-media-type": ("major", f"{{call}} sends its body as {{now}} instead of {{was}}: {ON_THE_WIRE}."),
    # answers
    "returns": ("major", "{call} returns `{now}`, it was `{was}`: adapt what uses it."),
    "returns-less": ("minor", "{call} returns `{now}`, it was `{was}`: nothing to do."),
    "answer-new": ("minor", "an answer {status} to {call} is read, it was a ContractError: nothing to do."),
    "answer-gone": ("major", "an answer {status} to {call} is a ContractError now: handle that, if the bridge still sends it."),
    "answer-media-type": ("major", "the answer {status} to {call} is {now} instead of {was}: it is read as before, but the client asks for application/json, which the bridge must accept."),
    "answer-headers": ("patch", "the headers of the answer {status} to {call} changed: nothing to do, the client does not read them."),
    "refusal-described": ("patch", "refusals {status} of {call} are {now}: nothing to do, they are raised as StatusError as before."),
    "refusal-body": ("major", "refusals {status} of {call} carry {now} instead of {was}: `error.error_info` may be None; handle that."),
    # credentials
    "credential-new": ("minor", "{call} accepts {now}: nothing to do."),
    "credential-gone": ("major", "{call} does not accept {was} any more: give the client {now}."),
    "credential-needed": ("major", "{call} needs a credential now: give the client {now}."),
    "credential-not-needed": ("minor", "{call} needs no credential any more: nothing to do."),
    "credential-kind": ("major", "the credential {name} is of another kind now: give the client {now}."),
    "credential-header": ("major", "the credential {name} is sent in the {now} instead of the {was}: {remedy}."),
    "credential-described": ("patch", "the credential {name} is described otherwise: nothing to do, a client is given URLs and scopes."),
    # models
    "model-new": ("minor", "`{now}` is new: nothing to do."),
    "model-gone": ("major", "`{was}` is gone: remove its uses."),
    "model-renamed": ("major", "`{was}` is now `{now}`: rename its uses."),
    "model-alias-gone": ("major", "`{was}` is gone: use `{now}`, the same class."),
    "model-kind": ("major", "`{shown}` is {now}, it was {was}: adapt its uses."),
    "model-unknown-fields": ("major", "`{shown}` is `{now}`, it was `{was}`: adapt what reads it."),
    "model-deprecated": ("minor", "`{shown}` is deprecated: stop using it before it goes."),
    # fields
    "field-new": ("minor", "{shown} is new, and None where it is not sent. Code that read it from {unknown} must read the attribute."),
    "field-new-required": ("major", "{shown} is new and required: an answer without it is a ContractError, and whoever makes the model gives it. Code that read it from {unknown} must read the attribute."),
    "field-wire-name": ("major", "{shown} is `{now}` on the wire, it was `{was}`: nothing to change in code, but the bridge must use it."),
    "field-gone": ("major", "{shown} is gone: remove its uses.{more}"),
    "field-required": ("major", "{shown} is required now: an answer without it is a ContractError, and whoever makes the model gives it."),
    "field-optional": ("major", "{shown} may be None now: handle that."),
    "field-never-none": ("major", "{shown} is never None now: an answer with null there may be a ContractError."),
    "field-type": ("major", "{shown} is `{now}`, it was `{was}`: adapt what reads or sets it."),
    "field-enumeration": ("major", "{shown} is now an enumeration, `{now}` ({values}), it was `{was}`: comparing it with a plain value still works; another value {other}."),
    "field-written": ("patch", "{shown} is written otherwise in the contract: nothing to do, it reads as before."),
    "field-limit": ("patch", f"{{shown}} has {{now}}: {CHECKS_NOT}."),
    "field-default": ("major", "{shown} {now}: a model made without it differs; {keep}."),
    "field-deprecated": ("minor", "{shown} is deprecated: stop using it before it goes."),
    "value-new": ("minor", "`{now}`, {value}, is new: handle it where every value is handled."),
    "value-gone": ("major", "`{was}`, {value}, is gone: remove its uses; where only these values are allowed, an answer with it is a ContractError now."),
    "value-renamed": ("major", "`{was}` is now `{now}`: rename its uses."),
    # the rest of the contract
    "provenance": ("patch", "the {what} `{name}` is {now}, it was {was}: nothing to do."),
    "documentation": ("patch", "the documentation of {count} changed: nothing to do."),
    "examples": ("patch", "the examples of {count} changed, and so what the sandbox answers: nothing to do."),
    "servers": ("patch", "the servers changed: nothing to do, a client is given its base URL."),
    "unknown": ("major", "{shown} changed in a way that has no sentence: look at the contract, and decide."),
    # Python, where the contract did not change
    "python-new": ("minor", "`{shown}` is new: nothing to do."),
    "python-new-required": ("major", "`{shown}` is new and must be given: pass it."),
    "python-gone": ("major", "`{shown}` is gone: remove its uses."),
    "python-changed": ("major", "`{shown}` is `{now}`, it was `{was}`: adapt its uses."),
    "python-code": ("patch", "the client's own code changed: nothing to do."),
}  # fmt: skip

"""Faults of real bridges and gateways, each with a name and an account, to rehearse how a caller handles them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen
from starlette.requests import Request

from talkdesk_bridge_sandbox._contract import replaced, value_at
from talkdesk_bridge_sandbox._credentials import CredentialChecker
from talkdesk_bridge_sandbox._data import ACCOUNTS, Account
from talkdesk_bridge_sandbox._operations import Operation
from talkdesk_bridge_sandbox._reply import Reply, RequestError

FAULTY = Account(60, ("usd",), "60 invoices: two pages")
"""The data in the account of each fault."""

SLOW = 3.0
"""Seconds."""

DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
NUMBER = re.compile(r'"(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)(?: [a-z]{3})?"(?!:)')
"""A JSON string that is a number, or an amount with its currency; not the name of a field."""


@frozen
class Call:
    """A request that gets a faulty response."""

    request: Request
    operation: Operation
    checker: CredentialChecker
    first: bool
    """Whether it is the first of two attempts; the second one gets the good response."""


Change = Callable[[Reply, Call], Reply]
"""Makes the faulty response from the good one."""


@frozen
class Fault:
    """Something that goes wrong, in the same way for every operation."""

    name: str
    account: str
    """The account that always has this fault."""
    about: str
    outcome: str
    """How the client handles it."""
    change: Change
    unpaged: bool = False
    """Whether the good response has all items at once."""


_faults: list[Fault] = []


def _fault(name: str, outcome: str, *, unpaged: bool = False) -> Callable[[Change], Change]:
    """Register a fault; the docstring says what the sandbox does, and the position gives the account number."""

    def add(change: Change) -> Change:
        about = (change.__doc__ or "").rstrip(".")
        _faults.append(Fault(name, f"20000000{len(_faults) + 1:02}", about, outcome, change, unpaged))
        return change

    return add


@_fault("rate-limited", "waits a second and retries")
def _limited(good: Reply, call: Call) -> Reply:
    """429 with Retry-After: 1, before each good response."""
    limited = call.operation.error_response(RequestError(429, "too many requests"))
    return evolve(limited, headers={**limited.headers, "Retry-After": "1"}) if call.first else good


@_fault("unavailable", "retries")
def _unavailable(good: Reply, call: Call) -> Reply:
    """503, before each good response."""
    return Reply(503, content="no healthy upstream") if call.first else good


@_fault("html-error", "raises ServerError (exit 5) after four attempts")
def _html_error(good: Reply, call: Call) -> Reply:
    """502 with an HTML page, always."""
    return _html(502, "502 Bad Gateway")


@_fault("expired-token", "OAuth 2: gets a new token and retries; else raises UnauthorizedError (exit 3)")
def _expired(good: Reply, call: Call) -> Reply:
    """401 with an expired OAuth 2 token, before each good response; always 401 with another credential."""
    if call.checker.issued(call.request) and not call.first:
        return good
    call.checker.revoke(call.request)
    return call.operation.error_response(RequestError(401, "the token or key has expired"))


@_fault("slow", "waits; with a shorter `timeout`, raises NoResponseError (exit 5)")
def _slow(good: Reply, call: Call) -> Reply:
    """3 seconds before each response."""
    return evolve(good, delay=SLOW)


@_fault("cut-off", "retries")
def _cut(good: Reply, call: Call) -> Reply:
    """The connection breaks in the middle of the body, before each good response."""
    return evolve(good, cut=call.first)


@_fault("null-fields", "returns None and reports the deviation")
def _nulls(good: Reply, call: Call) -> Reply:
    """Null for every second field."""
    return _each(good, call, lambda item: {name: None if index % 2 else item[name] for index, name in enumerate(item)})


@_fault("numbers", "returns the digits as text and reports the deviation")
def _numbers(good: Reply, call: Call) -> Reply:
    """Numbers instead of text; amounts without their currency."""
    return _each(good, call, lambda item: json.loads(NUMBER.sub(r"\1", json.dumps(item))))


@_fault("bad-dates", "returns None and reports the deviation")
def _dates(good: Reply, call: Call) -> Reply:
    """Empty text and 22/07/2023 instead of dates."""

    def change(item: dict[str, Any]) -> dict[str, Any]:
        dates = [name for name, value in item.items() if isinstance(value, str) and DATE.fullmatch(value)]
        reordered = {name: DATE.sub(r"\3/\2/\1", item[name]) for name in dates}
        return {**item, **reordered, **dict.fromkeys(dates[:1], "")}

    return _each(good, call, change)


@_fault("unknown-fields", "keeps it in `additional_properties`, even if strict")
def _unknown(good: Reply, call: Call) -> Reply:
    """An unknown field in each item."""
    return _each(good, call, lambda item: {**item, "x_of_this_bridge": {"since": "2023-07-01"}})


@_fault("bare-list", "reads it as a page, looks for a second one, and reports the deviation", unpaged=True)
def _bare(good: Reply, call: Call) -> Reply:
    """Only the list, without the documented object around it."""
    return evolve(good, json=value_at(good.json, call.operation.keys or ()))


@_fault("error-as-success", "raises ContractError (exit 6)")
def _error_as_success(good: Reply, call: Call) -> Reply:
    """200 with the documented body of an error."""
    return evolve(call.operation.error_response(RequestError(400, "an error that is sent with status 200")), status=200)


@_fault("login-page", "raises ContractError (exit 6)")
def _login(good: Reply, call: Call) -> Reply:
    """200 with an HTML page, such as a login form."""
    return _html(200, "Please sign in")


@_fault("link-loop", "raises PagingError (exit 7)")
def _loop(good: Reply, call: Call) -> Reply:
    """The next link of each page points to the same page."""
    return _with(good, "_links", lambda links: {"next": {"href": str(call.request.url)}})


@_fault("link-elsewhere", "raises PagingError (exit 7); sends nothing there")
def _elsewhere(good: Reply, call: Call) -> Reply:
    """The next link points to another host."""
    return _with(good, "_links", lambda links: {"next": {"href": "https://elsewhere.example/"}})


@_fault("total-too-large", "raises IncompleteError (exit 7)")
def _too_large(good: Reply, call: Call) -> Reply:
    """`total` is 3 more than the number of items."""
    return _with(good, "total", lambda total: (total or 0) + 3)


@_fault("total-too-small", "returns all items and reports the deviation")
def _too_small(good: Reply, call: Call) -> Reply:
    """`total` is 3 less than the number of items."""
    return _with(good, "total", lambda total: max(0, (total or 0) - 3))


FAULTS = tuple(_faults)
"""All faults."""


def _html(status: int, title: str) -> Reply:
    page = f"<!DOCTYPE html><title>{title}</title><h1>{title}</h1>"
    return Reply(status, content=page, headers={"Content-Type": "text/html; charset=utf-8"})


def _each(good: Reply, call: Call, change: Callable[[dict[str, Any]], Any]) -> Reply:
    """Change each item of a list, or the body if it has no list."""

    def changed(value: Any) -> Any:
        return change(value) if isinstance(value, dict) else value

    keys = call.operation.keys
    if keys is None:
        return evolve(good, json=changed(good.json))
    return evolve(good, json=replaced(good.json, keys, [changed(item) for item in value_at(good.json, keys)]))


def _with(good: Reply, name: str, change: Callable[[Any], Any]) -> Reply:
    """Change one field of the body."""
    if not isinstance(good.json, dict):
        return good
    return evolve(good, json={**good.json, name: change(good.json.get(name))})


def account_rows() -> dict[str, str]:
    """The description of each account number, or range of numbers."""
    rows = {number: account.about for number, account in ACCOUNTS.items()}
    faulty = f"{FAULTS[0].account} to {FAULTS[-1].account[-2:]}"
    return {**rows, faulty: f"one fault each, from {FAULTS[0].name} to {FAULTS[-1].name}", "any other": "returns 404"}

"""The faults that real bridges and gateways show, each by its name and its account, to rehearse what a caller does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen

from talkdesk_bridge_sandbox._contract import lists_of
from talkdesk_bridge_sandbox._data import ACCOUNTS, Account
from talkdesk_bridge_sandbox._reply import Refusal, Reply

__all__ = ["FAULTS", "FAULTY", "Call", "Fault", "account_rows"]

FAULTY = Account(60, ("usd",), "60 invoices: two pages")
"""What the account of each fault holds."""

SLOW = 3.0
"""Seconds."""

PAGE = "<!DOCTYPE html><title>{0}</title><h1>{0}</h1>"


@frozen
class Call:
    """A request that a fault befalls."""

    url: str
    first: bool
    """Whether it is the first of a pair; the second is the attempt after it."""
    with_token: bool
    """Whether it came with an OAuth 2 token."""
    refuse: Callable[[Refusal], Reply]
    revoke: Callable[[], bool]
    """Ends the OAuth 2 token that the request came with, if it did."""


@frozen
class Fault:
    """One thing that goes wrong, whatever the operation is."""

    name: str
    account: str
    """The account that always shows it."""
    about: str
    outcome: str
    """What the client makes of it."""
    befall: Callable[[Reply, Call], Reply]
    """The answer instead of a good one."""
    whole: bool = False
    """Whether the good one has all items at once."""


def _first(make: Callable[[Call], Reply]) -> Callable[[Reply, Call], Reply]:
    """An answer in front of each good one."""
    return lambda good, call: make(call) if call.first else good


def _html(status: int, title: str, **headers: str) -> Reply:
    return Reply(status, content=PAGE.format(title), headers={"Content-Type": "text/html; charset=utf-8", **headers})


def _expired(good: Reply, call: Call) -> Reply:
    # What the token server did not give is not renewed, and so stays expired.
    if not call.with_token or (call.first and call.revoke()):
        return call.refuse(Refusal(401, "the token or key has expired"))
    return good


def _limited(call: Call) -> Reply:
    refused = call.refuse(Refusal(429, "too many requests"))
    return evolve(refused, headers={**refused.headers, "Retry-After": "1"})


def _items(change: Callable[[Any], Any]) -> Callable[[Reply, Call], Reply]:
    """Another form of each item of a list, or of the body where it is no list."""

    def befall(good: Reply, _: Call) -> Reply:
        lists = lists_of(good.json)
        if not lists:
            return evolve(good, json=change(good.json))
        changed = {name: [change(item) for item in items] for name, items in lists.items()}
        return evolve(good, json=good.json | {"_embedded": good.json["_embedded"] | changed})

    return befall


def _bare(good: Reply, _: Call) -> Reply:
    return evolve(good, json=next(iter(lists_of(good.json).values()), good.json))


def _with(**members: Callable[[Any, Call], Any]) -> Callable[[Reply, Call], Reply]:
    """Other members of the body: each is made from what the body has of it."""

    def befall(good: Reply, call: Call) -> Reply:
        if not isinstance(good.json, dict):
            return good
        return evolve(good, json=good.json | {name: make(good.json.get(name), call) for name, make in members.items()})

    return befall


def _leads(url: Callable[[Call], str]) -> Callable[[Reply, Call], Reply]:
    return _with(_links=lambda links, call: {**(links or {}), "next": {"href": url(call)}})


def _nulls(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {name: None if index % 2 else value for index, (name, value) in enumerate(item.items())}


def _numbers(value: Any) -> Any:
    """Numbers for all texts that begin with one; a currency goes."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        numbered = {key: _numbers(inner) for key, inner in pairs}
        return numbered if isinstance(value, dict) else [*numbered.values()]
    if isinstance(value, str) and (found := re.fullmatch(r"(-?[0-9]+)(\.[0-9]+)?( [a-z]{3})?", value)):
        return float(found[1] + found[2]) if found[2] else int(found[1])
    return value


def _dates(item: Any) -> Any:
    """Empty text for the first date of an item, and the form of another country for the others."""
    if not isinstance(item, dict):
        return item
    day = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
    dated = [name for name, value in item.items() if isinstance(value, str) and day.fullmatch(value)]
    forms = {name: day.sub(r"\3/\2/\1", item[name]) if name != dated[0] else "" for name in dated}
    return {**item, **forms}


FAULTS = (
    Fault(
        "rate-limited", "2000000001", "429 with Retry-After: 1, in front of each answer",
        "waits a second and goes on", _first(_limited),
    ),
    Fault(
        "unavailable", "2000000002", "503 in front of each answer", "tries again",
        _first(lambda _: Reply(503, content="no healthy upstream", headers={"Content-Type": "text/plain"})),
    ),
    Fault(
        "html-error", "2000000003", "502 with an HTML page, always", "tries four times, then ServerError (exit 5)",
        lambda _, __: _html(502, "502 Bad Gateway"),
    ),
    Fault(
        "expired-token", "2000000004", "401: in front of each answer, where an OAuth 2 token ends with it; else always",
        "OAuth 2: gets a new token and goes on; else UnauthorizedError (exit 3)",
        _expired,
    ),
    Fault(
        "slow", "2000000005", f"{SLOW:g} seconds before each answer",
        "waits; with a shorter `timeout` NoAnswerError (exit 5)", lambda good, _: evolve(good, delay=SLOW),
    ),
    Fault(
        "cut-off", "2000000006", "the connection breaks within the body, in front of each answer", "tries again",
        lambda good, call: evolve(good, cut=call.first),
    ),
    Fault(
        "null-fields", "2000000007", "null for every second field", "reads None, and tells the deviation",
        _items(_nulls),
    ),
    Fault(
        "numbers", "2000000008", "numbers where text is documented; amounts lose their currency",
        "reads the digits as text, and tells the deviation", _items(_numbers),
    ),
    Fault(
        "bad-dates", "2000000009", "empty text and 22/07/2023 for dates", "reads None, and tells the deviation",
        _items(_dates),
    ),
    Fault(
        "unknown-fields", "2000000010", "a field that the contract does not have, in each object",
        "keeps it in `additional_properties`, also if strict",
        _items(lambda item: {**item, "x_of_this_bridge": {"since": "2023-07-01"}} if isinstance(item, dict) else item),
    ),
    Fault(
        "bare-list", "2000000011", "the list alone, without what is documented around it",
        "reads it as the only page, and tells the deviation", _bare, whole=True,
    ),
    Fault(
        "error-as-success", "2000000012", "200 with the documented form of an error", "ContractError (exit 6)",
        lambda _, call: evolve(call.refuse(Refusal(400, "an error that is sent with status 200")), status=200),
    ),
    Fault(
        "login-page", "2000000013", "200 with an HTML page, as of a login", "ContractError (exit 6)",
        lambda _, __: _html(200, "Please sign in"),
    ),
    Fault(
        "link-loop", "2000000014", "the next link of each page leads to that page", "PagingError (exit 7)",
        _leads(lambda call: call.url),
    ),
    Fault(
        "link-elsewhere", "2000000015", "the next link leads to another host",
        "PagingError (exit 7); asks nothing there",
        _leads(lambda _: "https://elsewhere.example/"),
    ),
    Fault(
        "total-too-large", "2000000016", "`total` counts 3 items more than there are", "IncompleteError (exit 7)",
        _with(total=lambda total, _: (total or 0) + 3),
    ),
    Fault(
        "total-too-small", "2000000017", "`total` counts 3 items fewer than there are",
        "reads all of them, and tells the deviation", _with(total=lambda total, _: max(0, (total or 0) - 3)),
    ),
)  # fmt: skip
"""All of them; `docs/sandbox.md` has the same table."""


def account_rows() -> dict[str, str]:
    """What each account number, or range of them, stands for."""
    rows = {number: account.about for number, account in ACCOUNTS.items()}
    faulty = f"{FAULTS[0].account} to {FAULTS[-1].account[-2:]}"
    return {**rows, faulty: f"a fault each, from {FAULTS[0].name} to {FAULTS[-1].name}", "any other": "404, not found"}

"""The rules for a list operation: each is a function that yields what breaks it, and whose docstring is its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urljoin, urlsplit

from attrs import frozen
from talkdesk_bridge import Money, Place, errors

from talkdesk_bridge_cli.check.survey import Exchange, Survey, next_link

SECONDS = 10.0
"""Talkdesk's documentation of custom connections demands a response in less time."""
Evidence = tuple[Exchange, str, str]
"""A request that shows that a rule is broken, the JSON path (perhaps empty), and what is there: never a value."""
Found = TypeVar("Found")
Check = Callable[[Survey], Iterator[Evidence]]


class UntriedError(Exception):
    """A rule that cannot be tried, and why."""


@frozen
class Rule:
    """A rule for all list operations."""

    name: str
    reason: str
    remedy: str
    status: str
    """The status in the contract whose provenance is that of the rule; empty if no page prints the rule."""
    check: Check


RULES: list[Rule] = []


def _rule(name: str, remedy: str, *, status: str = "") -> Callable[[Check], Check]:
    def add(check: Check) -> Check:
        RULES.append(Rule(name, " ".join(str(check.__doc__).split()), remedy, status, check))
        return check

    return add


@_rule("credential", "Return 401 to a request without a credential, and to one with a wrong one.", status="401")
def _credential(seen: Survey) -> Iterator[Evidence]:
    """Without this, anyone who finds the address can read the accounts."""
    return _with_another_status(seen.strangers, 401, "no credential is set to leave out, or none is needed")


@_rule("unknown-account", "Return 404 for an account that does not exist.", status="404")
def _unknown_account(seen: Survey) -> Iterator[Evidence]:
    """Users must see that a number is wrong, and not that of an account without invoices."""
    return _with_another_status(seen.unknown, 404, "no --unknown was given")


@_rule("error-body", "Send ErrorInfo, as JSON, with each status from 400 to 499.", status="4XX")
def _error_body(seen: Survey) -> Iterator[Evidence]:
    """Talkdesk documents one body for these responses, and can read no other."""
    refused = [one for one in seen.exchanges if isinstance(one.error, errors.StatusError) and 400 <= one.status < 500]
    for one in refused:
        body, info = one.error.body, one.error.error_info
        if body is None or (info and not (info.error_code or info.user_message)):
            yield one, "$", f"{one.status} without errorCode and userMessage"
            continue
        try:
            type(body).from_dict(one.error.data, Place(strict=True))
        except ValueError as misfit:
            yield one, "", f"{one.status}: {str(misfit).rstrip('.')}"


@_rule("contract", "Send each field with its documented type and format, such as 2023-07-22 for a date.", status="200")
def _contract(seen: Survey) -> Iterator[Evidence]:
    """The documentation prints type and format of each field, and readers rely on them."""
    _tried([one for one in seen.firsts if one.status == 200], "no --account could be read")
    # The client reads pages by links as a list: what it reports of readable ones concerns other rules.
    for one in [*seen.firsts, *seen.numbered, *seen.after, *seen.again, *(one for one in seen.linked if one.error)]:
        yield from ((one, path, f"expected {documented}, got {found}") for path, documented, found in one.deviations)


@_rule("amounts", 'Write an amount as in "3700.00 usd": a decimal number, a space, and the currency.')
def _amounts(seen: Survey) -> Iterator[Evidence]:
    """Other text cannot be added up, nor shown in another form."""
    for one in _pages(seen):
        for path, value in _amounts_in("$", one.response.body):
            if Money.totals([value]).unreadable:
                yield one, path, "text that is not an amount"


@_rule("media-type", "Send the Content-Type application/json with each body, also with errors.")
def _media_type(seen: Survey) -> Iterator[Evidence]:
    """Gateways and clients read a body as its Content-Type says."""
    for one in seen.exchanges:
        kind = one.attempt.headers.get("Content-Type", "none").partition(";")[0].strip()
        if one.status and not re.fullmatch(r"application/(.+\+)?json", kind, re.IGNORECASE):
            yield one, "", f"{one.status} with the Content-Type {kind}"


@_rule("total", "Send the number of all items of the list as the total, the same on each page.")
def _total(seen: Survey) -> Iterator[Evidence]:
    """Only the total shows a reader that a page is missing."""
    _tried(seen.shape.total, "the contract has no total")
    path, pages = seen.shape.total_path, _pages(seen)
    for one in [*seen.firsts, *pages]:
        if one.response and (seen.total(one) or 0) < len(seen.items(one)[:1]):
            yield one, path, "no number of all items"
    totals = {seen.total(one) for one in pages}
    if len(totals) > 1:
        yield pages[-1], path, "not the same number on each page"
    elif seen.is_whole and totals - {None, len(seen.items(*pages))}:
        yield pages[-1], path, f"{seen.total(pages[-1])}, with {len(seen.items(*pages))} items on all pages"


@_rule("page-size", "Send as many items as the request asks for, and fewer on the last page only.")
def _page_size(seen: Survey) -> Iterator[Evidence]:
    """Readers that ask for small pages have little memory or time."""
    pages = _tried([one for one in seen.pages if one is not seen.full] or seen.after, "no such page was requested")
    first = len(seen.items(pages[0]))
    # A bridge without pages looks like this: always the same page, with more items than usual.
    is_all = len(pages) == 1 and first > 50 and first in [len(seen.items(one)) for one in seen.firsts]
    _tried(seen.shape.size and not is_all, "the bridge sends the whole list on one page")
    for one in pages:
        count = len(seen.items(one))
        if count > seen.size or (count < seen.size and one is not seen.pages[-1]):
            yield one, seen.shape.path, f"{one.status} with {count} items"


@_rule("no-repeats", "Sort the list by a field that is unique, before it is cut into pages.")
def _no_repeats(seen: Survey) -> Iterator[Evidence]:
    """If an item comes twice, its amount is counted twice, and often another item is missing."""
    before = set[str]()
    for one in _pages(seen):
        keys = seen.keys(one)
        if before & {*keys} or len({*keys}) < len(keys):
            yield one, f"{seen.shape.path}[*]", "an item that came before"
        before |= {*keys}


@_rule("stable", "Sort the list, always in the same way.")
def _stable(seen: Survey) -> Iterator[Evidence]:
    """Pages fit together only if the order of the list does not change between requests."""
    for first, second in zip(_pages(seen), seen.again, strict=False):
        if seen.items(first) != seen.items(second):
            yield second, seen.shape.path, "other items, or another order, than before"


@_rule("last-page", "Leave out the next link on the last page.")
def _last_page(seen: Survey) -> Iterator[Evidence]:
    """Readers follow next links until there is none, so they would request pages without end."""
    for one in [*(one for one in seen.firsts if not seen.items(one)), *_whole(seen)[-1:]]:
        if next_link(one.data):
            yield one, "$._links.next", "a link after the last item"


@_rule("next-link", "Link to the next page at the address that the caller used (X-Forwarded-Host), with its arguments.")
def _next_link(seen: Survey) -> Iterator[Evidence]:
    """Readers cannot reach an address that only the bridge sees, behind a gateway."""
    linked = _tried(seen.linked, "pages have no next links, or no account has several pages")
    for one in [*seen.firsts, *_pages(seen), *linked]:
        if fault := _fault_of_link(seen, one):
            yield one, "$._links.next", fault


@_rule("links-and-numbers", "Let the next link of a page lead to what the next page number returns.")
def _links_and_numbers(seen: Survey) -> Iterator[Evidence]:
    """Some readers follow links, and others count pages."""
    linked = _tried(seen.linked if seen.numbered else [], "pages have no next links, or no numbers")
    _tried(not (_is_lost(linked[-1]) or seen.sender.is_spent), "the next links do not lead to the end")
    if seen.items(*linked) != seen.items(*_whole(seen)):
        yield linked[-1], seen.shape.path, "other items than by page numbers"


@_rule("after-last-page", "Return an empty page, or a status from 400 to 499, after the last page.")
def _after_last_page(seen: Survey) -> Iterator[Evidence]:
    """Readers that count pages end at the first empty one."""
    for one in _tried(seen.after, "pages have no numbers, or the list was not read to its end"):
        if seen.items(one) or not 200 <= one.status < 500:
            yield one, seen.shape.path, f"{one.status or 'no complete response'}, or items of an earlier page"


@_rule("invalid-arguments", "Return 400 if a parameter has a value that the contract does not allow.")
def _invalid_arguments(seen: Survey) -> Iterator[Evidence]:
    """If a wrong value is ignored, the caller reads another page than it wanted."""
    return _with_another_status(seen.invalid, 400, "no account has items, or the list has no pages")


@_rule("empty-account", "Return 200 with an empty list for an account without items; 404 if --account is mistyped.")
def _empty_account(seen: Survey) -> Iterator[Evidence]:
    """An account without invoices is not an error, and `null` is not a list."""
    empty = [one for one in seen.firsts if one.status == 404 or (one.response and not seen.items(one))]
    for one in _tried(empty, "no --account is without items"):
        if seen.shape.found(one.data) != []:
            yield one, seen.shape.path, f"{one.status} without an empty list"


@_rule("own-items", "Send the items of the requested account only.")
def _own_items(seen: Survey) -> Iterator[Evidence]:
    """Items of another customer are a leak of personal data."""
    for place, one in enumerate(_tried(seen.firsts[1:], "only one --account was given"), 1):
        if seen.items(one) and seen.items(one) in map(seen.items, seen.firsts[:place]):
            yield one, seen.shape.path, "the same items as in another account"


@_rule("in-time", f"Respond in less than {SECONDS:g} s, for example with fewer items on a page.")
def _in_time(seen: Survey) -> Iterator[Evidence]:
    """Talkdesk documents this limit for custom connections; somebody on the phone waits for the response."""
    return ((one, "", f"{one.attempt.seconds:.1f} s") for one in seen.exchanges if one.attempt.seconds >= SECONDS)


def _tried(found: Found, otherwise: str) -> Found:
    """What the rule needs; if there is none of it, the rule is not tried."""
    if not found:
        raise UntriedError(otherwise)
    return found


def _pages(seen: Survey) -> list[Exchange]:
    return _tried(seen.pages, "no --account has items that can be read")


def _whole(seen: Survey) -> list[Exchange]:
    """The pages, if they are the whole list."""
    _tried(seen.is_whole, "no list was read to its end: give an account with items, but not too many")
    return seen.pages


def _with_another_status(exchanges: list[Exchange], wanted: int, otherwise: str) -> Iterator[Evidence]:
    for one in _tried(exchanges, otherwise):
        if one.status != wanted:
            yield one, "", f"expected {wanted}, got {one.status or 'no complete response'}"


def _amounts_in(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """JSON path and text of the amounts in a model."""
    for item in value if isinstance(value, list) else []:
        yield from _amounts_in(f"{path}[*]", item)
    for name, attribute in getattr(value, "FIELDS", {}).items():
        if attribute in value.AMOUNTS:
            yield f"{path}.{name}", getattr(value, attribute)
        else:
            yield from _amounts_in(f"{path}.{name}", getattr(value, attribute))


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _is_lost(page: Exchange) -> bool:
    """Whether the next link of the page before leads to no page of the list; it may just be missing too early."""
    return bool(page.error) and not isinstance(page.error, errors.IncompleteError)


def _fault_of_link(seen: Survey, page: Exchange) -> str:
    """What is wrong with the next link of a page; empty if nothing is."""
    if page in seen.linked and _is_lost(page):
        return "a link that cannot be followed, or leads back"
    if not (href := next_link(page.data)):
        return ""
    try:
        asked, link = urlsplit(page.response.url), urlsplit(urljoin(page.response.url, str(href)))
        is_public = _origin(asked) == _origin(link)
    except ValueError:
        return "an href that is not a URL"
    if not is_public or unquote(asked.path) != unquote(link.path):
        return f"a link to {link.scheme}://{link.hostname}, or to another path there"
    lost = [name for name, value in parse_qsl(asked.query) if (name, value) not in parse_qsl(link.query)]
    lost = [name for name in lost if re.sub("[^a-z]", "", name.lower()) != str(seen.shape.begin).replace("_", "")]
    return f"a link without {', '.join(lost)} of the request" if lost and page not in seen.linked[1:] else ""

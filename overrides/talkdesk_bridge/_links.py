"""Next links: turns the `_links.next` of a page into the URL to request.

A next link leads to the same list with another query. A bridge behind a gateway may write its own origin and path,
which clients cannot reach. So the client takes only the query of the link, and sends it to the URL of the first
request. No request goes to another origin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qs, parse_qsl, quote, unquote, unquote_plus, urlencode, urljoin, urlsplit

from talkdesk_bridge_api.types import Operation

from talkdesk_bridge._caller import Caller
from talkdesk_bridge._http import normalized
from talkdesk_bridge._received import LOG, one_line
from talkdesk_bridge._redact import SHORTEST, redact
from talkdesk_bridge._urls import origin
from talkdesk_bridge.errors import ConfigurationError, PagingError

# Names of query parameters, in lower case and without punctuation. Which page it is: never kept for another page.
PAGES = {"offset", "p", "page", "pageindex", "pageno", "pagenumber", "skip", "startat", "startindex"}
# Where a page begins, and how many items it has: a link may change them.
CURSORS = {"after", "continuation", "continuationtoken", "cursor", "marker", "nexttoken", "pagetoken", "start"}
SIZES = {"count", "limit", "maxresults", "pagesize", "perpage", "size", "top"}

SLASH = re.compile(r"/|\\|%(?:25)*(?:2f|5c)", re.IGNORECASE)
"""What a server that decodes a path may read as a slash."""
QUERY = "%!$&'()*+,;=:@/?-._~"
"""Characters that are sent as they are in a query."""


def next_href(name: str, data: Any, **place: Any) -> str | None:
    """The href of a page's next link, or of the only one in a list (HAL); None if it is missing or empty.

    Args:
        name: The operation that returned the page.
        data: The page.
        place: Attributes of an error: the page and its request.

    Raises:
        PagingError: there are several links, or the link is a template or not text.

    """
    links = data.get("_links") if isinstance(data, dict) else None
    if not links:
        return None
    if not isinstance(links, dict):
        raise PagingError(f"{name}: `_links` is not an object, so the next link cannot be read.", **place)
    link = links.get("next")
    if isinstance(link, list):
        if len(link) > 1:
            raise PagingError(f"{name}: there are {len(link)} next links, so it is unclear which to follow.", **place)
        link = link[0] if link else None
    href = link.get("href") if isinstance(link, dict) else link
    if not href:
        return None
    if not isinstance(href, str):
        raise PagingError(f"{name}: the href of the next link is not text.", **place)
    if re.search(r"\{[?&]", href) or (isinstance(link, dict) and link.get("templated") is True):
        raise PagingError(f"{name}: the next link is a template, which cannot be followed.", **place)
    return href


class NextLinks:
    """Turns the next links of one list into URLs to request.

    Args:
        caller: The caller that sends the requests.
        operation: The operation that returns the list.
        arguments: The arguments of the call, by name.
        first: The URL of the first request.

    """

    def __init__(self, caller: Caller, operation: Operation[Any], arguments: Mapping[str, Any], first: str) -> None:
        self._caller, self._name = caller, operation.operation_id
        self._url, _, query = first.partition("?")
        self._query = parse_qsl(query, keep_blank_values=True)
        self._base_url = caller.http.base_url
        self._origin = origin(self._base_url, "base URL")
        # For each segment of the path: its text (fixed text in lower case), and whether it has an argument.
        self._segments = [
            (segment.format_map(arguments) if "{" in segment else segment.lower(), "{" in segment)
            for segment in operation.path.strip("/").split("/")
        ]

    def url(self, href: str, requested: str, page: int) -> str:
        """The URL to request for a link on `page`, which came from the URL `requested`.

        Raises:
            PagingError: the link does not lead to a page of this list.

        """
        try:
            link = urlsplit(normalized(urljoin(requested, href)))
            link = link._replace(query=quote(link.query, safe=QUERY), fragment="")
            segments = [segment for segment in link.path.split("/") if segment]
            # A server that decodes the path again could read a dot as a step to another folder.
            decoded = re.split(r"[/\\]", unquote(unquote(link.path)))
            if not href.isprintable() or {".", ".."} & {*decoded}:
                raise ValueError
            if self._matches(segments[-len(self._segments) :], with_arguments=True):
                self._warn_if_corrected(link, segments)
                query = self._merged(link.query, requested, href, page)
                return self._sendable(f"{self._url}?{query}" if query else self._url)
            is_ours = origin(link.geturl(), "next link") == self._origin
        except ConfigurationError as error:
            raise self._error(page, requested, href, f"cannot be followed. {error}") from None
        except ValueError:
            raise self._error(page, requested, href, "is not a URL that can be followed") from None
        if not is_ours:
            raise self._error(page, requested, href, "leads to another host, scheme or port")
        if self._names_other_arguments(segments, [segment for segment in SLASH.split(link.path) if segment]):
            raise self._error(page, requested, href, "leads to a list with other arguments")
        return self._sendable(urlsplit(self._url)._replace(path=link.path, query=link.query).geturl())

    def _error(self, page: int, requested: str, href: str, fault: str) -> PagingError:
        remedy = "Ask the bridge's operator to write links with the address that clients use"
        return PagingError(
            f'{self._name}: the next link on page {page} {fault.rstrip(".")}. {remedy}, or use paging="numbers".',
            page=page,
            requested=requested.partition("?")[0],
            link=self._shown(re.sub(r"//[^/?#]*@", "//", href).partition("?")[0]),
        )

    def _matches(self, segments: list[str], *, with_arguments: bool) -> bool:
        """Whether these segments are the path of the operation: with the arguments of this call, or with any."""
        return len(segments) == len(self._segments) and all(
            (is_argument and not with_arguments) or expected in _readings(segment, lower=not is_argument)
            for segment, (expected, is_argument) in zip(segments, self._segments, strict=True)
        )

    def _names_other_arguments(self, *paths: list[str]) -> bool:
        """Whether a path has the path of the operation anywhere, and only with arguments other than this call's.

        All `paths` are the segments of the same one, split in different ways.
        """
        parts = [path[start : start + len(self._segments)] for path in paths for start in range(len(path))]
        any_list = any(self._matches(part, with_arguments=False) for part in parts)
        return any_list and not any(self._matches(part, with_arguments=True) for part in parts)

    def _merged(self, query: str, requested: str, href: str, page: int) -> str:
        """The query of a link, plus the arguments of the first request that the link leaves out."""
        found = parse_qs(query, keep_blank_values=True)
        kept = []
        for name, value in self._query:
            kind = re.sub("[^a-z]", "", name.lower())
            values = [other.strip().lower() for other in found.get(name, [])]
            if not values and kind not in PAGES:
                kept.append((name, value))
            elif values and kind not in PAGES | CURSORS | SIZES and value.strip().lower() not in values:
                raise self._error(page, requested, href, f"has another value for the argument {name}")
        return "&".join(part for part in (query, urlencode(kept)) if part)

    def _warn_if_corrected(self, link: SplitResult, segments: list[str]) -> None:
        prefix = "/".join(["", *segments[: -len(self._segments)]])
        start = f"{link.scheme}://{link.netloc.rpartition('@')[2]}{prefix}"
        if start != self._base_url.rstrip("/") and next(self._caller.unwarned, False):  # one is enough for a client
            message = "Next links of the bridge begin with %s. The client sends their queries to %s."
            arguments = {text for text, is_argument in self._segments if is_argument}
            start = re.sub("[^/]+", lambda found: "..." if unquote(found[0]) in arguments else found[0], start)
            LOG.warning(message, self._shown(start), self._base_url)

    def _shown(self, url: str) -> str:
        """A URL from the bridge, redacted for messages."""
        return one_line(redact(url, (*self._caller.settings.secrets, self._caller.tokens.current)))

    def _sendable(self, url: str) -> str:
        """A URL as it is sent, without query parameters into which the bridge has copied the credential.

        Raises:
            ValueError: it is not a URL.

        """
        start, _, query = normalized(url).partition("?")
        copied = {*self._caller.settings.auth.secrets(), self._caller.tokens.current}
        secrets = {one for one in copied if len(one) >= SHORTEST}
        kept = [part for part in query.split("&") if part and unquote_plus(part.partition("=")[2]) not in secrets]
        return f"{start}?{'&'.join(kept)}" if kept else start


def _readings(segment: str, *, lower: bool) -> set[str]:
    """The texts that a path segment may stand for: decoded, with and without `;` parameters."""
    readings = {unquote(segment), unquote(segment.partition(";")[0])}
    return {reading.lower() for reading in readings} if lower else readings

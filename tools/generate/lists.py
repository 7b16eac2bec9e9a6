"""Finds the list in the response of each operation, and how it is paged, or says why it gets no iterator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tools.contract import Contract, Finding, Where, mapping, sequence
from tools.contract.names import iterator_name, python_name
from tools.generate.samples import alternatives

# Names in lower case and without punctuation, as `_kind` writes them.
PAGES = {"page", "pageno", "pagenumber"}
"""Parameters that count pages."""
ITEMS = {"offset", "skip"}
"""Parameters that count items."""
OTHER_BEGINS = {"p", "from", "pageindex", "start", "startat", "startindex"}
"""Parameters that say where a page begins, but not in which unit or from which number."""
SIZES = {"limit", "maxresults", "pagesize", "perpage", "size", "top"}
CURSORS = re.compile(".*cursor|(next|page|nextpage|continuation|skip)token|(starting)?after|(next)?marker|scrollid")
TOTALS = {"total", "totalcount", "totalelements", "totalitems", "totalrecords", "totalresults"}
LINKS = {"first", "last", "links", "next", "nextlink", "nextpage", "prev", "previous", "self"}
ABOUT_PAGES = {"meta", "metadata", "page", "pageinfo", "paging", "pagination"}
"""Objects with the fields of a page, such as its total."""
COUNTS = PAGES | ITEMS | SIZES | TOTALS | {
    *("count", "currentpage", "lastpage", "number", "pagecount", "pages", "start", "totalpages"),
}  # fmt: skip
"""Integers beside a list that make an object a page of that list."""
BESIDE = LINKS | ABOUT_PAGES | {
    *("code", "errors", "hasmore", "hasnext", "hasprevious", "included", "jsonapi", "kind", "message"),
    *("messages", "object", "status", "success", "timestamp", "version", "warnings"),
}  # fmt: skip
"""Fields of any type that do the same."""
ENVELOPES = {"body", "content", "data", "embedded", "payload", "response", "result", "results"}
"""Objects that may hold a page."""
LISTS = {"data", "entries", "items", "records", "results", "rows", "values"}
"""Names of lists that say nothing about the items."""
HAL = "_embedded"
LIMITS = {"start", "max_pages", "max_items"}
"""The arguments that every iterator has."""
DEEPEST = 3
"""Envelopes around a list, at most; a recursive schema has no end."""


@dataclass(frozen=True)
class Shape:
    """Where a list is, and its parameters, as for `ListShape` in tools/templates/types.py."""

    name: str
    keys: tuple[str, ...]
    total: tuple[str, ...] = ()
    begin: str = ""
    begin_on_wire: str = ""
    required: bool = False
    """Whether `begin` must be sent."""
    first: int = 1
    by_items: bool = False
    size: str = ""


class NoIteratorError(Exception):
    """A list gets no iterator; the message says why, as the end of a sentence."""


def lists(contract: Contract) -> tuple[dict[str, Shape], list[Finding]]:
    """The lists of a contract by the operation's name in Python, and a finding for each that gets no iterator."""
    shapes, left_out = {}, []
    for where, operation in contract.operations():
        name = python_name(str(operation["operationId"]))
        try:
            if shape := _Operation(contract, where, operation).shape(name):
                shapes[name] = shape
        except NoIteratorError as why:
            message = f"the list of `{operation['operationId']}` gets no iterator: {why}."
            left_out.append(contract.finding("list", where, message))
    return shapes, sorted(left_out)


class _Operation:
    def __init__(self, contract: Contract, where: Where, operation: dict[str, Any]) -> None:
        self.contract, self.method = contract, str(where[2])
        statuses = mapping(operation.get("responses")).items()
        self.responses = [mapping(contract.resolve(node)) for status, node in statuses if str(status).startswith("2")]
        self.taken = LIMITS & {python_name(str(parameter["name"])) for _, parameter in contract.parameters(where)}
        parameters = [parameter for _, parameter in contract.parameters(where) if parameter.get("in") == "query"]
        self.required = [str(one["name"]) for one in parameters if one.get("required") is True]
        self.query = {str(one["name"]): self.plain(one.get("schema")) for one in parameters}
        self.counts = [name for name, schema in self.query.items() if schema.get("type") == "integer"]
        contents = [content for one in self.responses for content in mapping(one.get("content")).items()]
        schemas = [mapping(media).get("schema") for media_type, media in contents if "json" in str(media_type)]
        self.body = schemas[0] if schemas else {}

    def plain(self, schema: Any, around: frozenset[int] = frozenset()) -> dict[str, Any]:
        """A schema without references and null, with the properties of all members of its `allOf`."""
        found = mapping(self.contract.resolve(schema))
        if id(found) in around:
            return {}
        node, inside = dict(found), around | {id(found)}
        options = [one for one in alternatives(node) if mapping(one).get("type") != "null"]
        if len(options) == 1:
            node |= self.plain(options[0], inside)
        for member in [self.plain(one, inside) for one in sequence(node.get("allOf"))]:
            node = {**member, **node, "properties": mapping(member.get("properties")) | mapping(node.get("properties"))}
        return node

    def properties(self, schema: Any) -> dict[str, dict[str, Any]]:
        """The properties of an object, each without references and null."""
        return {str(name): self.plain(node) for name, node in mapping(self.plain(schema).get("properties")).items()}

    def shape(self, name: str) -> Shape | None:
        """The list; None if there is none.

        Raises:
            NoIteratorError: there is a list, but its pages cannot be read one after the other.

        """
        begin = next((one for one in self.counts if _kind(one) in PAGES), "")
        begin = begin or next((one for one in self.counts if _kind(one) in ITEMS), "")
        size = next((one for one in self.counts if _kind(one) in SIZES), "")
        total = next(self._totals(), ())
        has_pages = self.method == "get" and bool(begin or size or total)
        keys = self._keys(self.body, DEEPEST, has_total=bool(total), has_pages=has_pages)
        if keys is None:
            return None
        if self.method != "get":
            raise NoIteratorError("only GET requests are sent again for further pages")
        if self.taken:
            raise NoIteratorError(f"its parameter `{min(self.taken)}` has the name of an argument of every iterator")
        if len(self.responses) > 1:
            raise NoIteratorError("the operation has several 2XX responses")
        named = [key for key in keys[-1:] if keys[0] == HAL or _kind(key) not in LISTS]
        title = named[0] if named else iterator_name(name).removeprefix("iter_")
        shape = Shape(title, keys, total, size=python_name(size) if size else "")
        if not begin:
            self._check_links(keys)
            return shape
        by_items, schema = _kind(begin) in ITEMS, self.query[begin]
        first = 0 if by_items or schema.get("default", schema.get("minimum", 1)) == 0 else 1
        shape = replace(shape, begin=python_name(begin), begin_on_wire=begin, first=first, by_items=by_items)
        return replace(shape, required=begin in self.required)

    def _keys(self, schema: Any, deepest: int, *, has_total: bool, has_pages: bool) -> tuple[str, ...] | None:
        """The fields that lead to the list; None if there is none."""
        if self.plain(schema).get("type") == "array":
            return ()
        properties = self.properties(schema)
        if HAL in properties:
            found = _arrays(self.properties(properties[HAL]))
            if len(found) > 1:
                raise NoIteratorError(f"`{HAL}` has several arrays, {_quoted(found)}")
            return (HAL, *found) if found else None
        found = [name for name in _arrays(properties) if _kind(name) not in BESIDE]
        others = [name for name, node in properties.items() if name not in found and not _is_beside(name, node)]
        if len(found) > 1 and has_pages:
            raise NoIteratorError(f"its body has several arrays, {_quoted(found)}")
        has_generic_name = self.method == "get" and _kind(found[0] if found else "") in LISTS
        if len(found) == 1 and others and not has_total and (has_pages or has_generic_name):
            reason = f"its body has no total, and `{found[0]}` is not alone, but beside {_quoted(others)}"
            raise NoIteratorError(reason)
        if len(found) == 1 and (has_total or not others):
            return (found[0],)
        if found or len(others) != 1 or _kind(others[0]) not in ENVELOPES or not deepest:
            return None
        inner = self._keys(properties[others[0]], deepest - 1, has_total=has_total, has_pages=has_pages)
        return None if inner is None else (others[0], *inner)

    def _holders(self, schema: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
        """The objects of a page that may say something about it, outer ones first: their keys and properties."""
        properties = self.properties(schema)
        yield keys, properties
        for name in properties if len(keys) < 2 else ():
            if _kind(name) in ENVELOPES | ABOUT_PAGES | {"links"}:
                yield from self._holders(properties[name], (*keys, name))

    def _totals(self) -> Iterator[tuple[str, ...]]:
        """The fields that lead to the number of all items."""
        for keys, properties in self._holders(self.body):
            counts = [name for name, node in properties.items() if node.get("type") == "integer"]
            yield from ((*keys, name) for name in counts if _kind(name) in TOTALS)

    def _fields(self) -> list[str]:
        return [name for keys, found in self._holders(self.body) if "_links" not in keys for name in found]

    def _cursors(self) -> list[str]:
        """The fields and query parameters that hold a cursor."""
        dates = [name for name, schema in self.query.items() if "date" in str(schema.get("format"))]
        return [one for one in [*self._fields(), *self.query] if CURSORS.fullmatch(_kind(one)) and one not in dates]

    def _check_links(self, keys: tuple[str, ...]) -> None:
        """Raise NoIteratorError if the next page must be requested in a way that the client does not have."""
        fields, cursors = self._fields(), self._cursors()
        if "_links" in fields or (keys[:1] == (HAL,) and not {*cursors} & {*fields}):
            return
        if cursors:
            reason = f"the next page is requested with a cursor, {_quoted(cursors)}, and the client reads no cursors"
            raise NoIteratorError(reason)
        begins = [name for name in self.counts if _kind(name) in OTHER_BEGINS]
        begins += [name for name in self.query if _kind(name) in PAGES | ITEMS]
        if begins:
            known = "the client counts only pages in `page`, and items in `offset` or `skip`, as integers"
            raise NoIteratorError(f"{_quoted(begins)} says where a page begins, and {known}")
        links = [name for name in fields if _kind(name) in ("next", "nextlink", "nextpage")]
        links += [name for one in self.responses for name in mapping(one.get("headers")) if _kind(str(name)) == "link"]
        if links:
            raise NoIteratorError(f"the next page is linked by {_quoted(links)}, and the client follows only `_links`")


def _kind(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower())


def _arrays(properties: dict[str, dict[str, Any]]) -> list[str]:
    return [name for name, node in properties.items() if node.get("type") == "array"]


def _is_beside(name: str, node: dict[str, Any]) -> bool:
    is_count = node.get("type") == "integer" and _kind(name) in COUNTS
    return is_count or _kind(name) in BESIDE or bool(CURSORS.fullmatch(_kind(name)))


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))

# Generated from openapi.yaml by `make generate`: edits are lost.
"""The protocol between operations and clients, and the types that arguments and bodies share."""

# Replaces the stock types.py.jinja of openapi-python-client 0.29.1.
# Why: the stock UNSET is visible to users, does not survive copy and pickle, and fails together with `null` (upstream
#   issues 679, 791, 1371). Here None stands for both absent and `null`.
# Test: tests/test_generated.py, tests/test_generate.py.
# Remove when: the generator can use None for optional fields, and writes methods that a client can use.

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from io import BytesIO
from typing import IO, Any, BinaryIO, Generic, Protocol, Self, TypeVar

from attrs import define

from .places import Place, member
from .reading import Reader

__all__ = [
    "AsyncCaller", "AsyncItems", "Body", "Caller", "File", "FileTypes", "Items", "ListOperation", "ListShape",
    "Operation", "OperationInfo", "RequestFiles", "read_file", "read_nothing", "read_text",
]  # fmt: skip

FileContent = IO[bytes] | bytes | str
FileTypes = tuple[str | None, FileContent, str | None] | tuple[str | None, FileContent, str | None, Mapping[str, str]]
RequestFiles = list[tuple[str, FileTypes]]


@define
class File:
    """A file to upload."""

    payload: BinaryIO
    file_name: str | None = None
    mime_type: str | None = None

    def to_tuple(self) -> FileTypes:
        """The tuple to send as a part of multipart/form-data."""
        return self.file_name, self.payload, self.mime_type


BodyT = TypeVar("BodyT")
ItemT = TypeVar("ItemT")
BodyT_co = TypeVar("BodyT_co", covariant=True)
ItemT_co = TypeVar("ItemT_co", covariant=True)


@define(frozen=True)
class Body:
    """The body that the contract declares for a status or a range of statuses."""

    first: int
    last: int
    source: str
    """The input of `read`: the parsed JSON for `json`; the bytes of the body for `text`, `bytes` and `nothing`."""
    read: Reader
    """Converts this input to the documented type."""


def read_text(content: bytes, _here: Place, _step: str) -> str:
    """Decode a text body; raises ValueError if it is not UTF-8."""
    return content.decode()


def read_file(content: bytes, _here: Place, _step: str) -> File:
    """Wrap a body of bytes in a File."""
    return File(BytesIO(content))


def read_nothing(_content: bytes, _here: Place, _step: str) -> None:
    """Ignore the body."""


@define(frozen=True)
class Operation(Generic[BodyT]):
    """An operation of the contract: makes a request from arguments, and a body from a response."""

    operation_id: str
    method: str
    path: str
    """The path, with its parameters in braces."""
    request: Callable[..., dict[str, Any]]
    """Makes method, url, params, headers and body of a request from arguments."""
    bodies: tuple[Body, ...]
    """The bodies of the declared statuses: exact statuses before ranges."""

    def body(self, status: int) -> Body | None:
        """The declared body of a status; None if the status is not declared."""
        for body in self.bodies:
            if body.first <= status <= body.last:
                return body
        return None


TOTAL = ("total",)
"""Where a page announces the number of all items, if the contract does not declare it."""


@define(frozen=True)
class ListShape:
    """Where the list of an operation is in the JSON of a page, and the arguments that say which page it is."""

    name: str
    """What messages and files call the items."""
    keys: tuple[str, ...] = ()
    """The fields that lead to the list; empty if the page itself is the list."""
    total: tuple[str, ...] = ()
    """The fields that lead to the number of all items; empty if the contract declares none."""
    begin: str | None = None
    """The argument that says where a page begins, such as `page` or `offset`; None if there is none."""
    first: int = 1
    """Its value for the first page."""
    by_items: bool = False
    """Whether it counts items, not pages."""
    size: str | None = None
    """The argument for the number of items on a page, such as `per_page` or `limit`; None if there is none."""

    @property
    def path(self) -> str:
        """The JSON path of the list."""
        return f"${''.join(map(member, self.keys))}"

    @property
    def total_path(self) -> str:
        """The JSON path of the total, also if the contract declares none."""
        return f"${''.join(map(member, self.total or TOTAL))}"

    def found(self, data: Any) -> Any:
        """The list in the JSON of a page; None if it is missing."""
        return _at(data, self.keys)

    def total_in(self, data: Any) -> Any:
        """The total in the JSON of a page, also if the contract declares none; None if it is missing."""
        return _at(data, self.total or TOTAL)

    def wrapped(self, items: list[Any]) -> Any:
        """The JSON of a page with these items and nothing else."""
        page: Any = items
        for key in reversed(self.keys):
            page = {key: page}
        return page


def _at(data: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


@define(frozen=True)
class ListOperation(Operation[BodyT], Generic[BodyT, ItemT]):
    """An operation whose body is a list, or has one."""

    items: Callable[[BodyT], list[ItemT] | None]
    page: Any
    """The model of a page; `list` if the page itself is the list."""
    item: Any
    """The type of an item."""
    shape: ListShape
    identity: str | None = None
    """The field that identifies an item, as sent (`x-identity` in the contract); None if the contract names none."""


@define(frozen=True)
class OperationInfo:
    """An operation of the contract, and the methods of the client that call it."""

    operation_id: str
    """As the contract spells it."""
    method: str
    """The HTTP method."""
    path: str
    """The path, with its parameters in braces."""
    group: str
    """The attribute of the client that holds its methods, such as `billing`."""
    name: str
    """The method that sends one request."""
    function: Callable[..., Any]
    """The function behind that method, for its signature, type hints and docstring."""
    has_body: bool
    """Whether its argument `body` is the body of the request."""
    iterator: str | None = None
    """The method that yields the items of all pages; None if the operation returns no list."""
    shape: ListShape | None = None
    """Where the list is, and the arguments of its pages; None if the operation returns no list."""
    item: Any = None
    """The type of an item; None if the operation returns no list."""
    identity: str | None = None
    """The field that identifies an item, as sent (`x-identity`); None if the contract names none."""


class Items(Protocol[BodyT_co, ItemT_co]):
    """The items of all pages; `pages()` gives the pages instead."""

    def __iter__(self) -> Self: ...

    def __next__(self) -> ItemT_co: ...

    def pages(self, *, restart: Callable[[], object] | None = None) -> Iterator[BodyT_co]:
        """The bodies of complete pages, beginning with the next one; `restart` discards those of a changed list."""
        ...

    @property
    def response(self) -> Any:
        """The `Response` of the last fetched page; None before the first."""
        ...

    @property
    def position(self) -> dict[str, Any]:
        """The position of the next item as JSON data: pass it as `start` to continue later."""
        ...


class AsyncItems(Protocol[BodyT_co, ItemT_co]):
    """The items of all pages; `pages()` gives the pages instead."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> ItemT_co: ...

    def pages(self, *, restart: Callable[[], object] | None = None) -> AsyncIterator[BodyT_co]:
        """The bodies of complete pages, beginning with the next one; `restart` discards those of a changed list."""
        ...

    @property
    def response(self) -> Any:
        """The `Response` of the last fetched page; None before the first."""
        ...

    @property
    def position(self) -> dict[str, Any]:
        """The position of the next item as JSON data: pass it as `start` to continue later."""
        ...


class Caller(Protocol):
    """The methods of a synchronous client that operation groups call."""

    def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """Send the request and read the response's body."""
        ...

    def paginate(
        self,
        operation: ListOperation[BodyT, ItemT],
        arguments: dict[str, Any],
        *,
        start: Mapping[str, Any] | None,
        max_pages: int | None,
        max_items: int | None,
    ) -> Items[BodyT, ItemT]:
        """Iterate over all pages."""
        ...


class AsyncCaller(Protocol):
    """The methods of an asynchronous client that operation groups call."""

    async def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """Send the request and read the response's body."""
        ...

    def paginate(
        self,
        operation: ListOperation[BodyT, ItemT],
        arguments: dict[str, Any],
        *,
        start: Mapping[str, Any] | None,
        max_pages: int | None,
        max_items: int | None,
    ) -> AsyncItems[BodyT, ItemT]:
        """Iterate over all pages."""
        ...

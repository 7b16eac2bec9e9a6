# Generated from openapi.yaml by `make generate`: edits are lost.
"""What the operations of the contract need of a client, and the types that arguments and bodies share."""

# Replaces the stock types.py.jinja of openapi-python-client 0.29.1.
# Why: the stock UNSET is a value that users meet, that breaks under copy and pickle, and beside which `null` fails
#   (upstream issues 679, 791, 1371). With None in its place, absent and `null` read the same.
# Test: tests/test_generated.py, tests/test_generate.py.
# Remove when: the generator can leave optional fields None, and writes methods that a client can carry.

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from io import BytesIO
from typing import IO, Any, BinaryIO, Generic, Protocol, Self, TypeVar

from attrs import define

from .places import Place
from .reading import Reader

__all__ = [
    "UNSET", "AsyncCaller", "AsyncItems", "Body", "Caller", "File", "FileTypes", "Items", "ListOperation", "Operation",
    "OperationInfo", "RequestFiles", "Unset", "read_file", "read_nothing", "read_text",
]  # fmt: skip

# The generator's templates for requests ask for these.
Unset = type(None)
UNSET = None

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
        """The form that multipart/form-data is sent from."""
        return self.file_name, self.payload, self.mime_type


BodyT = TypeVar("BodyT")
ItemT = TypeVar("ItemT")
BodyT_co = TypeVar("BodyT_co", covariant=True)
ItemT_co = TypeVar("ItemT_co", covariant=True)


@define(frozen=True)
class Body:
    """The body that the contract declares for a status, or for a range of them."""

    first: int
    last: int
    source: str
    """What `read` takes: the value of the body's JSON for `json`; its bytes for `text`, `bytes` and `nothing`."""
    read: Reader
    """Turns it into the documented type."""


def read_text(content: bytes, _here: Place, _step: str) -> str:
    """A body of text; raises ValueError if it is not UTF-8."""
    return content.decode()


def read_file(content: bytes, _here: Place, _step: str) -> File:
    """A body of bytes."""
    return File(BytesIO(content))


def read_nothing(_content: bytes, _here: Place, _step: str) -> None:
    """No body."""


@define(frozen=True)
class Operation(Generic[BodyT]):
    """One operation of the contract: arguments to request, response to body."""

    operation_id: str
    method: str
    path: str
    """The path, with its parameters in braces."""
    request: Callable[..., dict[str, Any]]
    """Turns arguments into method, url, params, headers and body of a request."""
    bodies: tuple[Body, ...]
    """The bodies of the declared statuses: exact statuses before ranges."""

    def body(self, status: int) -> Body | None:
        """The body that is declared for a status; None if the status is not declared."""
        return next((body for body in self.bodies if body.first <= status <= body.last), None)


@define(frozen=True)
class ListOperation(Operation[BodyT], Generic[BodyT, ItemT]):
    """An operation whose body holds one list under `_embedded`."""

    items: Callable[[BodyT], list[ItemT] | None]
    page: Any
    """The model of a page."""
    item: Any
    """The type of an item."""
    list_name: str
    """The list's name under `_embedded`, as sent."""
    has_page: bool
    """Whether the operation declares the query parameter `page`."""


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
    list_name: str | None = None
    """The list's name under `_embedded`, as sent; None if the operation returns no list."""
    item: Any = None
    """The type of an item; None if the operation returns no list."""


class Items(Protocol[BodyT_co, ItemT_co]):
    """The items of all pages; `pages()` gives the pages instead."""

    def __iter__(self) -> Self: ...

    def __next__(self) -> ItemT_co: ...

    def pages(self) -> Iterator[BodyT_co]:
        """The page bodies, as far as they are not consumed yet."""
        ...

    @property
    def response(self) -> Any:
        """The `Response` that the page fetched last came in; None before the first."""
        ...

    @property
    def position(self) -> dict[str, Any]:
        """What is still to come, as JSON: give it as `start` to go on later."""
        ...


class AsyncItems(Protocol[BodyT_co, ItemT_co]):
    """The items of all pages; `pages()` gives the pages instead."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> ItemT_co: ...

    def pages(self) -> AsyncIterator[BodyT_co]:
        """The page bodies, as far as they are not consumed yet."""
        ...

    @property
    def response(self) -> Any:
        """The `Response` that the page fetched last came in; None before the first."""
        ...

    @property
    def position(self) -> dict[str, Any]:
        """What is still to come, as JSON: give it as `start` to go on later."""
        ...


class Caller(Protocol):
    """What the operation groups need of a synchronous client."""

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
        """Go through all pages."""
        ...


class AsyncCaller(Protocol):
    """What the operation groups need of an asynchronous client."""

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
        """Go through all pages."""
        ...

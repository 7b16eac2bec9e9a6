# Generated from openapi.yaml by `make generate`: edits are lost.
"""Shared types: what stands for an absent value, and what the operations need of a client."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, MutableMapping
from http import HTTPStatus
from typing import IO, Any, BinaryIO, Generic, Protocol, Self, TypeVar

from attrs import define

VERSION = "0.1.0"
"""The version of the contract, and so of the client."""

# Absent and null both read None.
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


T = TypeVar("T")


@define
class Response(Generic[T]):
    """An answer of the stock call functions, which the operation groups do not use."""

    status_code: HTTPStatus
    content: bytes
    headers: MutableMapping[str, str]
    parsed: T | None


BodyT = TypeVar("BodyT")
ItemT = TypeVar("ItemT")
BodyT_co = TypeVar("BodyT_co", covariant=True)
ItemT_co = TypeVar("ItemT_co", covariant=True)


@define(frozen=True)
class Fields:
    """The fields of a model."""

    known: dict[str, tuple[str, Any]]
    """By the name that is sent: the attribute, and its type; None is part of the type where null is allowed."""
    unknown: Any
    """The type of all other fields; None where they are not kept."""


@define(frozen=True)
class Body:
    """The body that the contract declares for a status, or for a range of them."""

    first: int
    last: int
    source: str
    """What it is read from: `json`, `text`, `bytes`, or `nothing`."""
    type: Any


@define(frozen=True)
class Operation(Generic[BodyT]):
    """One operation of the contract: arguments to request, answer to body."""

    operation_id: str
    method: str
    path: str
    """The path, with its parameters in braces."""
    request: Callable[..., dict[str, Any]]
    """Turns arguments into method, url, params, headers and body of a request."""
    bodies: tuple[Body, ...]
    """What it answers where it succeeds: exact statuses before ranges."""


@define(frozen=True)
class ListOperation(Operation[BodyT], Generic[BodyT, ItemT]):
    """An operation whose body holds one list under `_embedded`."""

    items: Callable[[BodyT], list[ItemT] | None]
    item: Any
    """The type of an item."""
    list_name: str
    """The list's name under `_embedded`, as sent."""
    has_page: bool
    """Whether the operation declares the query parameter `page`."""


class Items(Protocol[BodyT_co, ItemT_co]):
    """The items of all pages; `pages()` gives the pages instead."""

    def __iter__(self) -> Self: ...

    def __next__(self) -> ItemT_co: ...

    def pages(self) -> Iterator[BodyT_co]:
        """The page bodies, as far as they are not consumed yet."""
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
    def position(self) -> dict[str, Any]:
        """What is still to come, as JSON: give it as `start` to go on later."""
        ...


class Caller(Protocol):
    """What the operation groups need of a synchronous client."""

    def call(self, operation: Operation[BodyT], arguments: dict[str, Any]) -> BodyT:
        """Send the request and read the answer's body."""
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
        """Send the request and read the answer's body."""
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


__all__ = [
    "UNSET",
    "VERSION",
    "AsyncCaller",
    "AsyncItems",
    "Body",
    "Caller",
    "Fields",
    "File",
    "FileTypes",
    "Items",
    "ListOperation",
    "Operation",
    "RequestFiles",
    "Response",
    "Unset",
]

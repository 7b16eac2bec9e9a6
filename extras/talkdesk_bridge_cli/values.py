"""Readers for the values of arguments on the command line, found by their Python type."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from talkdesk_bridge_api import base, reading

__all__ = ["is_union", "reader"]

SIMPLE: dict[Any, reading.Reader] = {
    Any: reading.anything,
    NoneType: reading.null,
    str: reading.string,
    int: reading.integer,
    float: reading.number,
    bool: reading.boolean,
    date: reading.date,
    datetime: reading.date_time,
    UUID: reading.uuid,
}


@cache
def reader(kind: Any) -> reading.Reader:
    """What reads a value of a type that the methods of the client take."""
    inner = get_args(kind)
    if kind in SIMPLE:
        return SIMPLE[kind]
    if is_union(kind):
        kinds = [one for one in inner if one is not NoneType]
        read = reading.union(" or ".join(getattr(one, "__name__", str(one)) for one in kinds), *map(reader, kinds))
        return reading.nullable(read) if NoneType in inner else read
    if get_origin(kind) is list:
        return reading.array(reader(inner[0]))
    if get_origin(kind) is Literal:
        return reading.one_of(inner)
    return reading.one_of(kind) if issubclass(kind, Enum) else base.model(kind)


def is_union(kind: Any) -> bool:
    """Whether a type is one of several."""
    return isinstance(kind, UnionType) or get_origin(kind) is Union

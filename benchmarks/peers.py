"""The peers turn the bytes of a page into objects. If one reads other data than the rest, nothing is measured."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from operator import methodcaller
from typing import Any

from talkdesk_bridge.models import InvoiceDetailsResponse
from talkdesk_bridge_api.reading import Number

from benchmarks.pages import contract, encoded, page
from benchmarks.process import ROOT, MeasuringError, fresh, run

STOCK, PYDANTIC, MSGSPEC, DICTS = "openapi-python-client", "pydantic", "msgspec", "json.loads"
OURS, OURS_SPEED = "talkdesk-bridge", "talkdesk-bridge[speed]"

Decode = Callable[[bytes], Any]
Back = Callable[[Any], Any]
"""Turns the objects back into JSON, to compare them."""
Make = Callable[[str, dict[str, Any]], Any]
"""Makes a class from a name and its fields with their types."""


def _stock() -> tuple[Decode, Back]:
    kind = import_module("stock.models").InvoiceDetailsResponse
    return lambda content: kind.from_dict(json.loads(content)), methodcaller("to_dict")


def _pydantic() -> tuple[Decode, Back]:
    from pydantic import Field, create_model

    def make(name: str, fields: dict[str, Any]) -> Any:
        # pydantic allows no attribute that begins with an underscore, such as `_embedded`.
        typed: dict[str, Any] = {
            field.lstrip("_"): (kind | None, Field(default=None, alias=field)) for field, kind in fields.items()
        }
        return create_model(name, **typed)

    kind = documented("InvoiceDetailsResponse", make)
    return kind.model_validate_json, lambda decoded: decoded.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _msgspec() -> tuple[Decode, Back]:
    import msgspec

    def make(name: str, fields: dict[str, Any]) -> Any:
        typed = [(field, kind | msgspec.UnsetType, msgspec.UNSET) for field, kind in fields.items()]
        return msgspec.defstruct(name, typed)

    return msgspec.json.Decoder(documented("InvoiceDetailsResponse", make)).decode, msgspec.to_builtins


def documented(schema: str, make: Make) -> Any:
    """A class for a schema of the contract and, inside it, for the schemas that it uses."""

    def typed(node: dict[str, Any]) -> Any:
        if reference := node.get("$ref"):
            return documented(reference.rpartition("/")[2], make)
        if node.get("type") == "array":
            return list[typed(node["items"])]  # type: ignore[misc] # known only at run time
        kinds: dict[Any, Any] = {("string", None): str, ("integer", None): int, ("string", "date"): datetime.date}
        return kinds.get((node.get("type"), node.get("format")), Any)

    properties = contract()["components"]["schemas"][schema]["properties"]
    return make(schema, {name: typed(node) for name, node in properties.items()})


def _read_by(parse: Decode) -> tuple[Decode, Back]:
    return lambda content: InvoiceDetailsResponse.from_dict(parse(content)), methodcaller("to_dict")


def _ours() -> tuple[Decode, Back]:
    return _read_by(partial(json.loads, parse_float=Number))


def _ours_speed() -> tuple[Decode, Back]:
    from msgspec.json import Decoder

    return _read_by(Decoder(float_hook=Number).decode)


PEERS: dict[str, Callable[[], tuple[Decode, Back]]] = {
    STOCK: _stock,
    PYDANTIC: _pydantic,
    MSGSPEC: _msgspec,
    DICTS: lambda: (json.loads, lambda decoded: decoded),
    OURS: _ours,
    OURS_SPEED: _ours_speed,
}


def decoder(name: str, folder: str = "") -> Decode:
    """The function that turns bytes into a peer's objects; the stock client is imported from the folder."""
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
    return PEERS[name]()[0]


def prepare(folder: str) -> None:
    """Generate the stock client into a folder, and check that all peers read the same data.

    Raises:
        MeasuringError: The generator failed, or a peer reads data that is not in the page.

    """
    command = ["openapi-python-client", "generate", "--meta", "none", "--path", str(ROOT / "openapi.yaml")]
    run([*command, "--output-path", f"{folder}/stock"], "openapi-python-client")
    for name, body in fresh("benchmarks.peers:read", folder).items():
        if body != page(50):
            message = f"{name} does not read exactly the data of the page, so its figures cannot be compared."
            raise MeasuringError(message)


def read(folder: str) -> dict[str, Any]:
    """The data that each peer reads from a page, as JSON."""
    sys.path.insert(0, folder)
    found = {}
    for name, load in PEERS.items():
        decode, back = load()
        found[name] = back(decode(encoded(page(50))))
    return found

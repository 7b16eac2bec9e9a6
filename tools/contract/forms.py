"""Brings what OpenAPI allows in several forms into the one form that the tools, the generator and the sandbox read."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from tools.contract.elements import Where, mapping

if TYPE_CHECKING:
    from tools.contract.document import Contract

PATH_ITEMS = ("components", "pathItems")


def normalise(contract: Contract) -> None:
    """Copy path items to the paths that refer to them, and `default` responses to the missing ones of 4XX and 5XX."""
    paths = mapping(contract.data.get("paths"))
    for path, item in paths.items():
        where = contract.follow(item)
        if where is not None and where[:-1] == PATH_ITEMS:
            own = {key: value for key, value in item.items() if key != "$ref"}
            paths[path] = {**copy.deepcopy(mapping(contract.at(where))), **own}
            _copy_places(contract, where, ("paths", path))
    for where, operation in contract.operations():
        responses: dict[str, Any] = mapping(operation.get("responses"))
        if "default" in responses:
            default, place = responses.pop("default"), (*where, "responses", "default")
            for status in {"4XX", "5XX"} - responses.keys():
                responses[status] = copy.deepcopy(default)
                _copy_places(contract, place, (*place[:-1], status))
            for moved in [known for known in contract.places if known[: len(place)] == place]:
                del contract.places[moved]


def _copy_places(contract: Contract, source: Where, target: Where) -> None:
    for known, place in [*contract.places.items()]:
        if known[: len(source)] == source:
            contract.places.setdefault((*target, *known[len(source) :]), place)

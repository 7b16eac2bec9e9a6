"""Brings what OpenAPI allows in several forms into the one form that the tools, the generator and the sandbox read."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tools.contract.elements import PROVENANCE, Where, mapping

if TYPE_CHECKING:
    from tools.contract.document import Contract

PATH_ITEMS = ("components", "pathItems")
KINDS = ("parameters", "responses", "headers", "requestBodies", "securitySchemes", "schemas", "pathItems")


def normalise(contract: Contract) -> None:
    """Bring a contract into the one form.

    `x-provenance` of a group goes to each member that has none, path items by reference are copied to their paths, and
    a `default` response to the missing ones of 4XX and 5XX.
    """
    _share_provenance(contract, ("components",), KINDS)
    for group in (("paths",), *(("components", kind) for kind in KINDS)):
        _share_provenance(contract, group, mapping(contract.at(group)))
    paths, copies, moves = mapping(contract.data.get("paths")), defaultdict[Where, list[Where]](list), {}
    for path, item in paths.items():
        where = contract.follow(item)
        if where is not None and where[:-1] == PATH_ITEMS:
            own = {key: value for key, value in item.items() if key != "$ref"}
            paths[path] = {**copy.deepcopy(mapping(contract.at(where))), **own}
            copies[where].append(("paths", path))
    _spread(contract, copies, keep=True)
    for where, operation in contract.operations():
        responses: dict[str, Any] = mapping(operation.get("responses"))
        if "default" in responses:
            default, missing = responses.pop("default"), {"4XX", "5XX"} - responses.keys()
            responses |= {status: copy.deepcopy(default) for status in sorted(missing)}
            place = (*where, "responses")
            moves[*place, "default"] = [(*place, status) for status in missing]
    _spread(contract, moves)


def _share_provenance(contract: Contract, group: Where, names: Iterable[str]) -> None:
    members = mapping(contract.at(group))
    if PROVENANCE in members:
        given = members.pop(PROVENANCE)
        own = {PROVENANCE, "$ref"}
        bare = [name for name in names if isinstance(members.get(name), dict) and not members[name].keys() & own]
        for name in bare:
            members[name][PROVENANCE] = given
        _spread(contract, {(*group, PROVENANCE): [(*group, name, PROVENANCE) for name in bare]})


def _spread(contract: Contract, moves: Mapping[Where, list[Where]], *, keep: bool = False) -> None:
    """Give what is at the targets of each source the places of what was there."""
    sizes = {len(source) for source in moves}
    for known, place in [*contract.places.items()] if moves else ():
        for size in sizes:
            for target in moves.get(known[:size], ()):
                contract.places.setdefault((*target, *known[size:]), place)
            if known[:size] in moves and not keep:
                del contract.places[known]

"""Brings what OpenAPI allows in several forms into the one form that the tools, the generator and the sandbox read."""

from __future__ import annotations

import copy
from collections.abc import Iterable
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
    paths = mapping(contract.data.get("paths"))
    for path, item in paths.items():
        where = contract.follow(item)
        if where is not None and where[:-1] == PATH_ITEMS:
            own = {key: value for key, value in item.items() if key != "$ref"}
            paths[path] = {**copy.deepcopy(mapping(contract.at(where))), **own}
            _spread(contract, where, [("paths", path)], keep=True)
    for where, operation in contract.operations():
        responses: dict[str, Any] = mapping(operation.get("responses"))
        if "default" in responses:
            default, missing = responses.pop("default"), {"4XX", "5XX"} - responses.keys()
            responses |= {status: copy.deepcopy(default) for status in sorted(missing)}
            place = (*where, "responses")
            _spread(contract, (*place, "default"), [(*place, status) for status in missing])


def _share_provenance(contract: Contract, group: Where, names: Iterable[str]) -> None:
    members = mapping(contract.at(group))
    if PROVENANCE in members:
        given = members.pop(PROVENANCE)
        own = {PROVENANCE, "$ref"}
        bare = [name for name in names if isinstance(members.get(name), dict) and not members[name].keys() & own]
        for name in bare:
            members[name][PROVENANCE] = given
        _spread(contract, (*group, PROVENANCE), [(*group, name, PROVENANCE) for name in bare])


def _spread(contract: Contract, source: Where, targets: Iterable[Where], *, keep: bool = False) -> None:
    """Give what is at the targets the places of what was at the source."""
    for known, place in [*contract.places.items()]:
        if known[: len(source)] == source:
            for target in targets:
                contract.places.setdefault((*target, *known[len(source) :]), place)
            if not keep:
                del contract.places[known]

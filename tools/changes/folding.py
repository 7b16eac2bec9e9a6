"""Folds the new models of a new operation into one change, which the changelog can describe in one item."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate

from tools.changes.sentences import RATINGS, Change
from tools.changes.surface import Surface
from tools.contract import Contract


def folded(changes: Iterable[Change], new: Surface, contract: Contract) -> list[Change]:
    """The changes, most severe first; of the same rating, new operations first, each with its new models."""
    left = [*dict.fromkeys(changes)]
    for change in [change for change in left if change.kind == "new-operation"]:
        where = new[change.python].where
        around = {where, *contract.reached(where)}
        models = [one for one in left if one.kind == "new" and one.python.startswith("models.")]
        models = [one for one in models if not around.isdisjoint(accumulate((key,) for key in new[one.python].where))]
        names = "".join(f", `{one.python.removeprefix('models.')}`" for one in models)
        message = change.message.replace(" was added:", f" was added, with{names[1:]}:") if names else change.message
        left = [replace(one, message=message) if one is change else one for one in left if one not in models]
    return sorted(left, key=lambda one: (-RATINGS.index(one.rating), one.kind not in ("new-operation", "new-iterator")))

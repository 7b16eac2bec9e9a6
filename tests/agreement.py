"""Checks that bodies of every schema pass the generated models unchanged and without deviations.

`python -m tests.agreement` checks the package on PYTHONPATH.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import talkdesk_bridge_api
from hypothesis import given
from hypothesis import strategies as st
from talkdesk_bridge._json import read_json
from talkdesk_bridge_api import models
from talkdesk_bridge_api.places import Place

from tests.strategies import TALLY, Bodies, examples
from tools.generate import class_name

__all__ = ["agree", "same"]


def agree(kind: Any, body: Any) -> None:
    """Check one body of a model."""
    TALLY["examples"] += 1
    read = _read(kind, body)
    given_back = read.to_dict()
    assert same(given_back, body), given_back
    assert _read(kind, given_back) == read


def _read(kind: Any, body: Any) -> Any:
    value = read_json(json.dumps(body).encode())
    read = kind.from_dict(value, Place(strict=True))
    assert kind.from_dict(value) == read
    return read


def same(read: Any, sent: Any) -> bool:
    """Whether nothing was lost. Missing and null count as equal, and so do two texts for one time."""
    if isinstance(sent, dict) and isinstance(read, dict):
        return all(same(read.get(name), sent.get(name)) for name in {*read, *sent})
    if isinstance(sent, list) and isinstance(read, list):
        return len(read) == len(sent) and all(map(same, read, sent))
    if isinstance(read, Enum | UUID):
        return same(read.value if isinstance(read, Enum) else str(read), sent)
    if isinstance(read, bool) is isinstance(sent, bool) and read == sent:
        return True
    try:
        return datetime.fromisoformat(read) == datetime.fromisoformat(sent)
    except (TypeError, ValueError):
        return False


def main() -> None:
    """Print the number of examples, and the names of the schemas checked."""
    root = json.loads(Path(str(talkdesk_bridge_api.__file__)).with_name("openapi.json").read_bytes())
    bodies = Bodies(root)
    kinds = {name: getattr(models, class_name(name), None) for name in root["components"]["schemas"]}
    drawn = {name: kind for name, kind in kinds.items() if hasattr(kind, "from_dict")}
    for name, kind in drawn.items():
        check = examples(int(sys.argv[1]))(given(st.just(kind), bodies.named(name))(agree))
        try:
            check()
        except Exception as error:
            error.add_note(f"The schema is {name}.")
            raise
    sys.stdout.write(json.dumps({"examples": TALLY["examples"], "schemas": [*drawn]}) + "\n")


if __name__ == "__main__":
    main()

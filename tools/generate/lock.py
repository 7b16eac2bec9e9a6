"""The lock of the generated tree: a file in the tree that records its inputs and tools."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.contract import Contract

NAME = "lock.json"

# The message for a difference in each fact.
MEANINGS = {
    "version": "`info.version` is {now}, but generated/ was written for {was}.",
    "contract": "the contract changed after generated/ was written.",
    "settings": "the generator's settings in pyproject.toml changed.",
    "templates": "tools/templates/ changed.",
    "openapi-python-client": "openapi-python-client is {now}, but generated/ was written by {was}.",
    "ruff": "ruff, the formatter, is {now}, but generated/ was formatted by {was}.",
}


def facts(contract: Contract, settings: dict[str, Any], templates: Path, tools: dict[str, str]) -> dict[str, str]:
    """The facts that decide the generated tree: hashes of the inputs, and the versions of generator and formatter."""
    return {
        "version": contract.data["info"]["version"],
        "contract": hash_contract(contract),
        "settings": _hash(settings),
        "templates": _hash({file.name: file.read_text("utf-8") for file in templates.iterdir() if file.is_file()}),
        **tools,
    }


def hash_contract(contract: Contract) -> str:
    """The hash of a contract's data without `info.version`. Comments and formatting do not count.

    The order of keys counts, because generated code keeps the order of fields.
    """
    info = {key: value for key, value in contract.data["info"].items() if key != "version"}
    return _hash(json.dumps({**contract.data, "info": info}))


def write(package: Path, facts: dict[str, str]) -> None:
    """Write the lock of the tree in `package`."""
    text = json.dumps({**facts, "tree": tree_hash(package)}, indent=2)
    (package / NAME).write_text(text + "\n", encoding="utf-8")


def read(package: Path) -> dict[str, str] | None:
    """The lock of the tree in `package`; None if it is missing or cannot be read."""
    try:
        lock = json.loads((package / NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return lock if isinstance(lock, dict) else None


def reasons_for_difference(package: Path, facts: dict[str, str]) -> Iterator[str]:
    """The reasons why the tree in `package` does not have these facts, one sentence each."""
    lock = read(package)
    if lock is None:
        yield f"{NAME} is missing or cannot be read, so the inputs of generated/ are unknown."
        return
    reasons = [name for name in MEANINGS if lock.get(name) != facts.get(name)]
    yield from (MEANINGS[name].format(now=facts.get(name), was=lock.get(name, "unknown")) for name in reasons)
    if lock.get("tree") != tree_hash(package):
        yield "generated/ was edited by hand; `make generate` discards such edits."
    elif not reasons:
        yield "tools/generate/ changed and writes other files."


def tree_hash(package: Path) -> str:
    """The hash of the names and contents of all files in `package`, except the lock."""
    return _hash({name: hashlib.sha256(data).hexdigest() for name, data in files(package).items() if name != NAME})


def files(folder: Path) -> dict[str, bytes]:
    """The contents of the files in a tree by name, without `__pycache__`."""
    names = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    return {name: file.read_bytes() for name, file in names.items() if "__pycache__" not in name.split("/")}


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

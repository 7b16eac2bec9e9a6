"""The lock of the generated tree: what it was written from and by what, in one file of the tree itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.contract import Contract

__all__ = ["NAME", "facts", "hash_contract", "moved", "read", "tree_hash", "write"]

NAME = "lock.json"

# What a difference in each fact means.
MEANINGS = {
    "version": "`info.version` is {now}; generated/ was written with {was}.",
    "contract": "the contract says something else than when generated/ was written.",
    "settings": "the generator's settings in pyproject.toml have changed.",
    "templates": "tools/templates/ has changed.",
    "openapi-python-client": "openapi-python-client is {now}; generated/ was written by {was}.",
    "ruff": "ruff, the formatter, is {now}; generated/ was written with {was}.",
}


def facts(contract: Contract, settings: dict[str, Any], templates: Path, tools: dict[str, str]) -> dict[str, str]:
    """What decides the generated tree: `tools` are the versions of generator and formatter, the rest is hashed."""
    texts = {file.name: file.read_text(encoding="utf-8") for file in templates.iterdir() if file.is_file()}
    return {
        "version": contract.data["info"]["version"],
        "contract": hash_contract(contract),
        "settings": _hash(settings),
        "templates": _hash(texts),
        **tools,
    }


def hash_contract(contract: Contract) -> str:
    """The hash of what a contract says, `info.version` aside: comments and formatting do not count.

    The order of keys does, since fields stand in generated code as they do in the contract.
    """
    info = {key: value for key, value in contract.data["info"].items() if key != "version"}
    return _hash(json.dumps({**contract.data, "info": info}))


def write(package: Path, decided: dict[str, str]) -> None:
    """Lock the tree in `package`, with what decided it."""
    text = json.dumps({**decided, "tree": tree_hash(package)}, indent=2)
    (package / NAME).write_text(text + "\n", encoding="utf-8")


def read(package: Path) -> dict[str, str] | None:
    """The lock of the tree in `package`; None where there is none that can be read."""
    try:
        lock = json.loads((package / NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return lock if isinstance(lock, dict) else None


def moved(package: Path, decided: dict[str, str]) -> Iterator[str]:
    """Why the tree in `package` is not the one whose lock is `decided`, a sentence for each fact that moved."""
    lock = read(package)
    if lock is None:
        yield f"{NAME} is missing or cannot be read, so nothing is known of how generated/ was written."
        return
    reasons = [name for name in MEANINGS if lock.get(name) != decided.get(name)]
    for name in reasons:
        yield MEANINGS[name].format(now=decided.get(name), was=lock.get(name, "something unknown"))
    tree, locked = tree_hash(package), lock.get("tree")
    if tree == decided.get("tree") and (locked != tree or lock.keys() != decided.keys()):
        yield f"{NAME} was edited by hand."
    elif locked != tree:
        yield "files of generated/ were edited, added or removed by hand, which the next `make generate` undoes."
    elif not reasons:
        yield "tools/generate.py writes other files than it did."


def tree_hash(package: Path) -> str:
    """The hash of all files in `package`, names and bytes, except of the lock and of what Python leaves there."""
    names = {file.relative_to(package).as_posix(): file for file in package.rglob("*") if file.is_file()}
    kept = sorted(name for name in names if name != NAME and "__pycache__" not in name.split("/"))
    return _hash({name: hashlib.sha256(names[name].read_bytes()).hexdigest() for name in kept})


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

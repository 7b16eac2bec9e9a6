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
    return {
        "version": contract.data["info"]["version"],
        "contract": hash_contract(contract),
        "settings": _hash(settings),
        "templates": _hash({file.name: file.read_text("utf-8") for file in templates.iterdir() if file.is_file()}),
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
    yield from (MEANINGS[name].format(now=decided.get(name), was=lock.get(name, "unknown")) for name in reasons)
    if lock.get("tree") != tree_hash(package):
        yield f"files of generated/, or its {NAME}, were edited by hand, which the next `make generate` undoes."
    elif not reasons:
        yield "tools/generate/ writes other files than it did."


def tree_hash(package: Path) -> str:
    """The hash of all files in `package`, names and bytes, except of the lock."""
    found = {name: hashlib.sha256(data).hexdigest() for name, data in files(package).items() if name != NAME}
    return _hash(found)


def files(folder: Path) -> dict[str, bytes]:
    """The files of a tree by their names, without what Python leaves there."""
    names = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    return {name: file.read_bytes() for name, file in names.items() if "__pycache__" not in name.split("/")}


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

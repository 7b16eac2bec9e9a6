"""What a check of `doctor` finds, and the checks of the installation; nothing here imports the client."""

from __future__ import annotations

import platform
import re
from importlib import metadata
from typing import NamedTuple

__all__ = ["AGAIN", "Finding", "listed", "package", "python"]

NAME = "talkdesk-bridge"
AGAIN = f"Install it again, the way {NAME} was installed: README.md says how."


class Finding(NamedTuple):
    """What a check has found."""

    status: str
    """`good`, `warning` (it works, but may not be what is meant), `bad` or `skipped`."""
    found: str
    remedy: str = ""
    """What to do about it; empty if there is nothing to do."""
    exit_status: int = 0
    """That of the command, if this is the first finding that is bad."""


def listed(names: list[str]) -> str:
    """Names in a sentence."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else "".join(names)


def package() -> Finding:
    """What is installed and where, and the extras of which all packages are there."""
    try:
        found = metadata.distribution(NAME)
    except metadata.PackageNotFoundError:
        text = f"{NAME} is not installed, though Python finds its modules."
        return Finding("bad", text, "Install it: README.md says how.", 1)
    missing: dict[str, list[str]] = {}
    for requirement in found.requires or []:
        if extra := re.search(r"""extra == ["']([\w.-]+)""", requirement):
            name = re.split(r"[^\w.-]", requirement)[0]
            missing.setdefault(extra[1], []).extend([] if _version(name) else [name])
    extras = listed([extra for extra, names in missing.items() if not names]) or "none"
    lacking = [f"{extra} needs {listed(names)}" for extra, names in missing.items() if names]
    more = f" Not there: {'; '.join(lacking)}." if lacking else ""
    return Finding("good", f"{NAME} {found.version} in {found.locate_file('')}. Extras: {extras}.{more}")


def python() -> Finding:
    """Python, and what the client needs."""
    versions = {name: _version(name) for name in ("attrs", "httpx")}
    libraries = listed([f"{name} {version or 'is missing'}" for name, version in versions.items()])
    text = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}, {libraries}."
    return Finding("good", text) if all(versions.values()) else Finding("bad", text, AGAIN, 1)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""

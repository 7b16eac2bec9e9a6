"""`CheckResult`, and doctor's checks of the installation, which work even if the client cannot be imported."""

from __future__ import annotations

import platform
import re
from importlib import metadata
from typing import NamedTuple

NAME = "talkdesk-bridge"
REINSTALL = f"Reinstall {NAME} from your package index."


class CheckResult(NamedTuple):
    """The result of a check; the names of the fields are those of the JSON output."""

    status: str
    """`good`, `warning` (works, but perhaps not as intended), `bad` or `skipped`."""
    found: str
    remedy: str = ""
    """The fix; empty if there is nothing to do."""
    exit_status: int = 0
    """The exit status of the command if this is the first bad result."""


def in_words(names: list[str]) -> str:
    """The names in words: `a, b and c`."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else "".join(names)


def package() -> CheckResult:
    """The installed version, its folder, and the extras whose packages are all installed."""
    try:
        dist = metadata.distribution(NAME)
    except metadata.PackageNotFoundError:
        text = f"Python finds the modules of {NAME}, but the package is not installed."
        return CheckResult("bad", text, f"Install {NAME} from your package index.", 1)
    missing: dict[str, list[str]] = {}
    for requirement in dist.requires or []:
        if extra := re.search(r"""extra == ["']([\w.-]+)""", requirement):
            name = re.split(r"[^\w.-]", requirement)[0]
            missing.setdefault(extra[1], []).extend([] if _version(name) else [name])
    extras = in_words([extra for extra, names in missing.items() if not names]) or "none"
    incomplete = [f"{extra} (needs {in_words(names)})" for extra, names in missing.items() if names]
    others = f" Not installed: {in_words(incomplete)}." if incomplete else ""
    return CheckResult("good", f"{NAME} {dist.version} in {dist.locate_file('')}. Installed extras: {extras}.{others}")


def python() -> CheckResult:
    """The versions of Python and of the packages that the client needs."""
    versions = {name: _version(name) for name in ("attrs", "httpx")}
    libraries = in_words([f"{name} {version or 'is missing'}" for name, version in versions.items()])
    text = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}, {libraries}."
    return CheckResult("good", text) if all(versions.values()) else CheckResult("bad", text, REINSTALL, 1)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""

"""What `doctor` finds of the installation; nothing here imports the client, which may be the thing that is broken."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import platform
import re
import shlex
import site
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

__all__ = ["NAME", "PACKAGES", "Finding", "Installation", "bad", "good", "listed", "skipped", "tree_hash", "warning"]

NAME = "talkdesk-bridge"
PACKAGES = ("talkdesk_bridge", "talkdesk_bridge_api")
LOCK = "lock.json"


class Finding(NamedTuple):
    """What a check has found."""

    status: str
    """`good`, `warning`, `bad` or `skipped`."""
    found: str
    remedy: str = ""
    """What to do about it; empty where nothing needs to be done."""
    command: str = ""
    """What to type in a shell, where that is the remedy."""
    exit_status: int = 0
    """That of the command where this is the first finding that is bad."""


def good(found: str) -> Finding:
    """Nothing needs to be done."""
    return Finding("good", found)


def warning(found: str, remedy: str, command: str = "") -> Finding:
    """It works, and may not be what is meant."""
    return Finding("warning", found, remedy, command)


def bad(found: str, remedy: str, command: str = "", *, status: int = 1) -> Finding:
    """It does not work."""
    return Finding("bad", found, remedy, command, status)


def skipped(why: str, remedy: str = "", command: str = "", *, found: str = "") -> Finding:
    """It was not looked at, or not at all of it."""
    return Finding("skipped", f"{found} Not tried: {why}.".lstrip(), remedy, command)


def listed(names: list[str], most: int = 3) -> str:
    """Names in a sentence: the first few, and how many more there are."""
    more = [f"{len(names) - most} more"] if len(names) > most else []
    *first, last = [*names[:most], *more]
    return f"{', '.join(first)} and {last}" if first else last


def tree_hash(package: Path) -> str:
    """The hash of a generated package, as its lock has it.

    Written a second time, since no wheel holds tools/lock.py: tests/integration/test_doctor.py keeps the two alike.
    """
    names = {file.relative_to(package).as_posix(): file for file in package.rglob("*") if file.is_file()}
    kept = sorted(name for name in names if name != LOCK and "__pycache__" not in name.split("/"))
    hashes = {name: hashlib.sha256(names[name].read_bytes()).hexdigest() for name in kept}
    text = json.dumps(hashes, sort_keys=True, ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class Installation:
    """The distribution as it lies on this machine."""

    def __init__(self) -> None:
        self._all = [*metadata.distributions(name=NAME)]
        self._distribution = self._all[0] if self._all else None

    def checks(self) -> dict[str, Callable[[], Finding]]:
        """The checks, by name, in their order."""
        return {
            "package": self.package,
            "record": self.record,
            "lock": self.lock,
            "contract": self.contract,
            "Python": self.python,
        }

    def package(self) -> Finding:
        """What is installed, from where, and whether it is what Python imports."""
        if not self._distribution:
            told = f"{NAME} is not installed: Python imports it from {self._folder(PACKAGES[0]).parent}."
            return bad(told, "Install it: README.md tells how.")
        for package in PACKAGES:
            used, own = self._folder(package), self._location / package
            if not self._editable and used.resolve() != own.resolve():
                told = f"Python imports {package} from {used.parent}, and it is installed in {self._location}."
                return bad(told, "Take the former out of PYTHONPATH, or of what else puts it on Python's path.")
        by = f", installed by {self._installer}" if self._installer else ""
        told = f"{NAME} {self._version}{by} from {self._source} in {self._location}."
        if others := self._others():
            return warning(f"{told} Not used: another copy in {listed(others)}.", "Remove the other copy.")
        if self._editable:
            return warning(
                f"{told} It is editable: what changes in that folder changes the client.",
                "Unless you work on the client itself, install a wheel: see README.md.",
            )
        return good(told)

    def record(self) -> Finding:
        """Whether the files are those that were installed."""
        if not self._distribution:
            return skipped(f"{NAME} is not installed")
        if self._editable:
            return skipped("RECORD has no hashes of the modules of an editable installation")
        if (record := self._read("RECORD")) is None:
            remedy = "Make a new environment: no installer replaces what it has no RECORD of."
            return bad("RECORD is missing, and with it what was installed.", remedy)
        wrong: dict[str, list[str]] = {"differs": [], "is missing": [], "is unknown": []}
        known, compared = set(), 0
        for row in csv.reader(record.splitlines()):
            name, digest = (*row, "", "")[:2]
            known.add(name)
            # Scripts are left out: they lie elsewhere, and are written anew for where they lie.
            if digest and name.split("/")[0].endswith((*PACKAGES, ".dist-info")):
                compared += 1
                if told := _differs(self._location / name, digest):
                    wrong[told].append(name)
        for file in (file for package in PACKAGES for file in (self._location / package).rglob("*")):
            name = file.relative_to(self._location).as_posix()
            if file.is_file() and "__pycache__" not in file.parts and name not in known:
                wrong["is unknown"].append(name)
        if not any(wrong.values()):
            return good(f"All {compared} files are as they were installed.")
        told = "; ".join(f"{told}: {listed(names)}" for told, names in wrong.items() if names)
        told = f"Of {compared} files that RECORD lists, not all are as they were installed: {told}."
        if not wrong["differs"] + wrong["is missing"]:
            return bad(told, "Remove what is unknown, which RECORD does not list.")
        first = "Remove what is unknown, and install it again" if wrong["is unknown"] else "Install it again"
        return bad(told, *self._installing(first))

    def lock(self) -> Finding:
        """Whether the generated modules are those that the generator wrote."""
        lock = self._lock
        if tree_hash(self._folder(PACKAGES[1])) != lock["tree"]:
            told = f"The modules of {PACKAGES[1]} are not those that {LOCK} tells of."
            if self._editable:
                return bad(told, "Write them anew, in the source tree:", "make generate")
            return bad(told, *self._installing("Install it again"))
        if self._distribution and lock["version"] != self._version:
            told = f"{PACKAGES[1]} is of version {lock['version']}, and what is installed is {NAME} {self._version}."
            return bad(told, *self._installing("Install it again"))
        return good(f"The generated modules are those that the generator wrote for version {lock['version']}.")

    def contract(self) -> Finding:
        """What the client was generated from."""
        counted: Counter[str] = Counter()
        operations: list[str] = []

        def look(node: dict[str, Any]) -> dict[str, Any]:
            if isinstance(provenance := node.get("x-provenance"), dict):
                counted[provenance["status"]] += 1
            if "operationId" in node and "responses" in node:
                operations.append(node["operationId"])
            return node

        content = (self._folder(PACKAGES[1]) / "openapi.json").read_bytes()
        info = json.loads(content, object_hook=look)["info"]
        marks = listed([f"{count} as {status}" for status, count in sorted(counted.items())])
        told = f"{info['title']} {info['version']}: {listed(operations)}. It marks elements, {marks}."
        return good(f"{told} Generated by openapi-python-client {self._lock['openapi-python-client']}.")

    def python(self) -> Finding:
        """Python, what the client needs, and the extras that are there."""
        told = f"{platform.python_implementation()} {platform.python_version()}"
        told += f" on {platform.system()} {platform.machine()}."
        if not self._distribution:
            return good(told)
        needs, lacking, outside = [], [], []
        for requirement in metadata.requires(NAME) or []:
            name, _, limits, extras = _parsed(requirement)
            if not extras:
                if (version := _version_of(name)) is None:
                    lacking.append(requirement)
                elif not _within(version, limits):
                    outside.append(requirement)
                needs.append(f"{name} {version or 'is missing'} ({limits} is needed)")
        told += f" {listed(needs)}."
        there, partly = [], []
        for extra in self._distribution.metadata.get_all("Provides-Extra") or []:
            missing = [*_lacking(NAME, extra)]
            there += [] if missing else [extra]
            partly += [f"{extra}, which needs {listed(missing)}"] if missing else []
        told += f" Extras: {listed(there, len(there))}." if there else " No extra is there."
        told += f" Not there: {'; '.join(partly)}." if partly else ""
        if lacking:
            return bad(told, *self._installing("Install what is missing", *lacking))
        if outside:
            told = f"{told} Another version is needed: {listed(outside)}."
            return warning(told, *self._installing("Install what is needed", *outside))
        classifiers = self._distribution.metadata.get_all("Classifier") or []
        tested = [found[1] for each in classifiers if (found := re.fullmatch(r"Programming .* :: (3\.\d+)", each))]
        if f"{sys.version_info.major}.{sys.version_info.minor}" not in tested:
            return warning(
                f"{told} The client was not tested with this Python.",
                f"If something fails, use one of these: {', '.join(tested)}.",
            )
        return good(told)

    @cached_property
    def _editable(self) -> bool:
        return bool(self._direct.get("dir_info", {}).get("editable"))

    @cached_property
    def _direct(self) -> dict[str, Any]:
        """Where it was installed from, where that was no index (PEP 610)."""
        direct: dict[str, Any] = json.loads(self._read("direct_url.json") or "{}")
        return direct

    @property
    def _location(self) -> Path:
        assert self._distribution  # noqa: S101 # for mypy: whoever asks has looked
        return Path(str(self._distribution.locate_file("")))

    @property
    def _version(self) -> str:
        # As text: how importlib.metadata tells that the file is missing depends on Python's version.
        found = re.search(r"^Version: (\S+)", self._read("METADATA") or "", re.MULTILINE)
        return found[1] if found else "of an unknown version"

    @cached_property
    def _lock(self) -> dict[str, str]:
        lock: dict[str, str] = json.loads((self._folder(PACKAGES[1]) / LOCK).read_bytes())
        return lock

    @property
    def _source(self) -> str:
        return self._from[0] or "a package index"

    @property
    def _from(self) -> tuple[str, str]:
        """Where it came from, in words and for an installer; both empty where it was an index."""
        parts = urlsplit(self._direct.get("url", ""))
        if parts.scheme == "file":
            path = url2pathname(parts.path)
            return path, path
        if not parts.scheme:
            return "", ""
        # Some indexes want a token as user, or in the query.
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
        vcs = self._direct.get("vcs_info", {})
        return url, f"{vcs['vcs']}+{url}@{vcs['commit_id']}" if vcs else url

    @property
    def _installer(self) -> str:
        return (self._read("INSTALLER") or "").strip()

    def _installing(self, first: str, *needs: str) -> tuple[str, str]:
        """How to install the same once more, at the same place, or what it needs: in words, and what to type.

        Nothing is to be typed that might ask another index than the package's own, on which anybody may have put one
        of this name.
        """
        if self._installer == "uv":
            names = [_parsed(need)[0] for need in needs] or [NAME]
            again = [word for name in names for word in ("--reinstall-package", name)]
            return f"{first}, in the folder of your project:", shlex.join(["uv", "sync", *again])
        if self._installer != "pip" or not find_spec("pip") or not (self._names_index or (self._from[1] and not needs)):
            return f"{first}, the way {NAME} was installed: see README.md.", ""
        # Isolated from the variables of this shell and the files of this user: what they name goes before or beside.
        how = [sys.executable, "-m", "pip", "--isolated", "install"]
        if str(self._location) == site.getusersitepackages():
            how += ["--user"]
        elif str(self._location) not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
            how += ["--upgrade", "--target", str(self._location)]
        if needs:
            return f"{first}:", shlex.join([*how, *needs])
        what = self._from[1] or (NAME if " " in self._version else f"{NAME}=={self._version}")
        how += ["--no-deps", "--editable"] if self._editable else ["--force-reinstall", "--no-deps"]
        return f"{first}:", shlex.join([*how, what])

    @property
    def _names_index(self) -> bool:
        """Whether pip asks one index here, whatever the machine or the user says, as README.md has it."""
        file = Path(sys.prefix, "pip.ini" if os.name == "nt" else "pip.conf")
        text = file.read_text(errors="replace") if file.is_file() else ""
        return bool(re.search(r"^index[-_]url *[=:]", text, re.MULTILINE))

    def _read(self, name: str) -> str | None:
        return self._distribution.read_text(name) if self._distribution else None

    def _folder(self, package: str) -> Path:
        """Where Python imports a package from."""
        spec = find_spec(package)
        if not spec or not spec.submodule_search_locations:
            raise FileNotFoundError(package)
        return Path(spec.submodule_search_locations[0])

    def _others(self) -> list[str]:
        """Where else on Python's path there is one."""
        used = {self._folder(package).parent.resolve() for package in PACKAGES} | {self._location.resolve()}
        entries = [Path(entry).resolve() for entry in sys.path]
        found = [entry for entry in entries if any((entry / package / "__init__.py").is_file() for package in PACKAGES)]
        found += [Path(str(one.locate_file(""))).resolve() for one in self._all]
        return [str(path) for path in dict.fromkeys(found) if path not in used]


def _differs(file: Path, digest: str) -> str:
    """How a file differs from its hash in RECORD; empty where it does not."""
    algorithm, _, wanted = digest.partition("=")
    try:
        found = hashlib.new(algorithm, file.read_bytes()).digest()
    except FileNotFoundError:
        return "is missing"
    except (OSError, ValueError):
        return "differs"
    return "" if base64.urlsafe_b64encode(found).decode().rstrip("=") == wanted else "differs"


def _parsed(requirement: str) -> tuple[str, list[str], str, list[str]]:
    """Of a requirement: its name, its extras, its versions, and the extras that it belongs to."""
    what, _, marker = requirement.partition(";")
    name, _, extras, limits = re.fullmatch(r"([\w.-]+) *(\[([^]]*)\])? *(.*?) *", what).groups()  # type: ignore[union-attr] # of PEP 508
    return name, re.findall(r"[\w.-]+", extras or ""), limits, re.findall(r"""extra == ["']([\w.-]+)""", marker)


def _within(version: str, limits: str) -> bool:
    """Whether a version keeps the limits of what the client needs, which are `>=` and `<`, of numbers."""
    bounds = re.findall(r"(>=|<)([\d.]+)", limits)
    return all((_numbers(version) >= _numbers(bound)) == (sign == ">=") for sign, bound in bounds)


def _numbers(version: str) -> list[int]:
    """The numbers that a version begins with, as many for any."""
    found = re.match(r"[\d.]*", version)
    return [*map(int, re.findall(r"\d+", found[0] if found else "")), 0, 0, 0, 0][:4]


def _lacking(name: str, extra: str) -> Iterator[str]:
    """What an extra needs, and is not installed."""
    for requirement in metadata.requires(name) or []:
        needed, extras, _, of = _parsed(requirement)
        if extra in of:
            if _version_of(needed) is None:
                yield needed
            else:
                for inner in extras:
                    yield from _lacking(needed, inner)


def _version_of(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None

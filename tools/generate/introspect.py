"""Lists the public names of packages, each with a text that describes it. Runs in a separate interpreter.

- `client.billing.get_x` is a method. `(page)` adds an argument, `()` the return type, `(*)` the positional arguments.
- `models.Invoice` and `models.Status` are classes or aliases. `.amount` adds a field, `.DUE` an enumeration member.
- `BridgeClient` and `errors.PathError` are names of the hand-written package.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import json
import re
import subprocess
import sys
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

API = "talkdesk_bridge_api"
CLIENT = "talkdesk_bridge"


class ProbeError(Exception):
    """The package cannot be imported; the message is the last line of Python's error output."""


def offered(*folders: Path) -> dict[str, str]:
    """The public names of the packages in folders, each with a text that describes it.

    Raises:
        ProbeError: a package cannot be imported.

    """
    command = [sys.executable, "-I", "-B", str(Path(__file__).resolve()), *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise ProbeError(lines[-1] if lines else f"Python exited with status {done.returncode}")
    return dict(json.loads(done.stdout))


def main(folders: list[str]) -> None:
    """Print the public names of the packages in folders as JSON."""
    sys.path[:0] = folders
    api = importlib.import_module(f"{API}.api")
    if not any(Path(str(api.__file__)).is_relative_to(folder) for folder in folders):
        sys.exit(f"{API} is not in any of these folders: {', '.join(folders)}")
    found = _described("models", importlib.import_module(f"{API}.models"), API)
    for tag, group in vars(api.Operations(None)).items():
        for name, method in inspect.getmembers(group, inspect.ismethod):
            if not name.startswith("_"):
                found |= _signature(f"client.{tag}.{name}", method)
    if any(Path(folder, CLIENT).is_dir() for folder in folders):  # an installed client belongs to another state
        client = importlib.import_module(CLIENT)
        for name in sorted({*client.__all__} - {"models"}):
            found |= _described(name, getattr(client, name), CLIENT)
    json.dump(found, sys.stdout)


def _described(name: str, value: Any, package: str) -> dict[str, str]:
    """Describe a module and its names, a mapping, a class, an enumeration, an alias, or a function."""
    if inspect.ismodule(value):
        parts = [_described(f"{name}.{part}", getattr(value, part), package) for part in value.__all__]
        return {inner: text for part in parts for inner, text in part.items()}
    if isinstance(value, Mapping):
        return {name: f"mapping of {', '.join(sorted(value))}"}
    if not inspect.isclass(value):
        return _signature(name, value)
    if name.rpartition(".")[2] != value.__name__:
        return {name: f"alias of {value.__name__}"}
    if isinstance(value, enum.EnumMeta):
        members: dict[str, str] = {f"{name}.{one}": repr(value[one].value) for one in value.__members__}
        return {name: f"enumeration of {value.__mro__[1].__name__}", **members}
    if package == API:
        return _model(name, value)
    bases = [base.__name__ for base in value.__mro__[1:-1] if base.__module__.split(".")[0] == CLIENT]
    found = {name: f"class from {', '.join(bases)}" if bases else "class"}
    if inspect.isfunction(value.__init__):
        found |= _signature(name, value) | found
    for member_name, member in inspect.getmembers(value, inspect.isroutine):
        if not member_name.startswith("_") and str(getattr(member, "__module__", "")).split(".")[0] == package:
            found |= _signature(f"{name}.{member_name}", member)
    return found


def _model(name: str, value: Any) -> dict[str, str]:
    fields = vars(value)["__attrs_attrs__"]
    positional = [field.name for field in fields if field.init and not field.kw_only]
    found = {name: "class", f"{name}(*)": ", ".join(positional)}
    for field in fields:
        default = repr(field.default) if field.init and "NOTHING" not in repr(field.default) else ""
        found[f"{name}.{field.name}"] = f"{_text(field.type)} = {default}" if default else _text(field.type)
    return found


def _signature(name: str, value: Any) -> dict[str, str]:
    signature = inspect.signature(value)
    given = [one for one in signature.parameters.values() if one.name != "self"]
    found = {name: "callable", f"{name}()": _text(signature.return_annotation)}
    found[f"{name}(*)"] = ", ".join(one.name for one in given if one.kind is one.POSITIONAL_OR_KEYWORD)
    for one in given:
        if options := re.fullmatch(r"Unpack\[(\w+)\]", _text(one.annotation)):
            known = vars(sys.modules[inspect.unwrap(value).__module__])[options[1]]
            for option, kind in inspect.get_annotations(known).items():
                found[f"{name}({option})"] = f"{_text(kind)} = ..."
        else:
            default = "" if one.default is one.empty else f" = {_value(one.default)}"
            found[f"{name}({one.name})"] = f"{_text(one.annotation)}{default}"
    return found


def _value(default: Any) -> str:
    # The order of a set differs between a module that was just compiled and a cached one.
    return f"frozenset({sorted(default)})" if isinstance(default, frozenset) else repr(default)


def _text(annotation: Any) -> str:
    """A type as it is written in code."""
    if annotation is inspect.Parameter.empty:
        return ""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return re.sub(r"\b_?(typing|types|abc)\.", "", text)


if __name__ == "__main__":
    main(sys.argv[1:])

"""What packages offer to callers, as text by the name that a caller writes. Runs in an interpreter of its own.

- `client.billing.get_x` is the method; with `(page)` an argument, with `()` what comes back, with `(*)` the positions.
- `models.Invoice`, `models.Status` is the class, or what it stands for; with `.amount` a field, with `.DUE` a member.
- `BridgeClient`, `errors.PathError` is the same of the hand-written package.
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
    """The package cannot be imported; the message is the last line of what Python said."""


def offered(*folders: Path) -> dict[str, str]:
    """What the packages in folders offer to callers.

    Raises:
        ProbeError: a package cannot be imported.

    """
    command = [sys.executable, "-I", "-B", str(Path(__file__).resolve()), *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ProbeError(said[-1] if said else f"Python ended with status {done.returncode}")
    return dict(json.loads(done.stdout))


def main(folders: list[str]) -> None:
    """Print what the packages in folders offer, as JSON."""
    sys.path[:0] = folders
    api = importlib.import_module(f"{API}.api")
    if not any(Path(str(api.__file__)).is_relative_to(folder) for folder in folders):
        sys.exit(f"{API} is in none of {', '.join(folders)}")
    found = _described("models", importlib.import_module(f"{API}.models"), API)
    for tag, group in vars(api.Operations(None)).items():
        for name, method in inspect.getmembers(group, inspect.ismethod):
            found |= {} if name.startswith("_") else _signature(f"client.{tag}.{name}", method)
    if any(Path(folder, CLIENT).is_dir() for folder in folders):  # one that is installed belongs to another state
        client = importlib.import_module(CLIENT)
        for name in sorted({*client.__all__} - {"models"}):
            found |= _described(name, getattr(client, name), CLIENT)
    json.dump(found, sys.stdout)


def _described(name: str, value: Any, package: str) -> dict[str, str]:
    """A module with what it names, a mapping, a class, an enumeration, a second name of one, or a function."""
    if inspect.ismodule(value):
        parts = [_described(f"{name}.{part}", getattr(value, part), package) for part in value.__all__]
        return {inner: text for part in parts for inner, text in part.items()}
    if isinstance(value, Mapping):
        return {name: f"mapping of {', '.join(sorted(value))}"}
    if not inspect.isclass(value):
        return _signature(name, value)
    if name.rpartition(".")[2] != value.__name__:
        return {name: f"another name of {value.__name__}"}
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
            default = "" if one.default is one.empty else f" = {one.default!r}"
            found[f"{name}({one.name})"] = f"{_text(one.annotation)}{default}"
    return found


def _text(annotation: Any) -> str:
    """A type as it is written."""
    if annotation is inspect.Parameter.empty:
        return ""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return re.sub(r"\b(typing|types|abc)\.", "", text)


if __name__ == "__main__":
    main(sys.argv[1:])

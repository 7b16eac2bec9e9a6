"""Looks at a generated package in an interpreter of its own: imports it whole, puts it to use, says what it offers.

`python -I probe.py FOLDER... < questions`: the packages are in the folders. The questions, which tools/arrival.py asks,
and the answers are JSON.
"""

from __future__ import annotations

import datetime
import enum
import importlib
import inspect
import json
import pkgutil
import re
import sys
import types
import typing
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

# What generated code needs: loaded while the generator is still at work.
import attrs  # noqa: F401
import httpx  # noqa: F401

API = "talkdesk_bridge_api"
CLIENT = "talkdesk_bridge"
EXTRA = "x-extra"  # the field of samples that the contract does not know
DEPTH = 3  # of the objects that are made as arguments


def main() -> None:
    """Answer the questions on standard input: what is missing, and what the packages offer."""
    questions = json.load(sys.stdin)
    sys.path[:0] = sys.argv[1:]  # now, when the packages are there: what is missing is remembered
    sys.dont_write_bytecode = True
    package = importlib.import_module(API)
    if not any(Path(str(package.__file__)).is_relative_to(folder) for folder in sys.argv[1:]):
        sys.exit(f"{API} is in none of {', '.join(sys.argv[1:])}")
    for module in pkgutil.walk_packages(package.__path__, f"{API}."):
        importlib.import_module(module.name)
    missing = [told for question in questions for told in _ask(question)]
    json.dump({"missing": missing, "offered": _offered() if not questions else {}}, sys.stdout)


# What is missing: each answer is the number of the question and a sentence.


def _ask(question: dict[str, Any]) -> list[tuple[int, str]]:
    check = {"class": _class, "alias": _alias, "operation": _operation}[question["kind"]]
    try:
        return [(question["number"], told) for told in check(question)]
    except Exception as error:  # noqa: BLE001 # whatever generated code does wrong is an answer
        return [(question["number"], f"fails with {type(error).__name__}: {error}")]


def _models() -> Any:
    return importlib.import_module(f"{API}.models")


def _class(question: dict[str, Any]) -> list[str]:
    """Samples of a schema go through its class and come back the same, no field of them left over as unknown."""
    model = getattr(_models(), question["name"], None)
    if model is None:
        return [f"has no class `{question['name']}`"]
    told = []
    for sample in question["samples"]:
        if not isinstance(model, enum.EnumMeta):
            if typing.get_type_hints(model).get("additional_properties") == dict[str, Any]:
                sample = {**sample, EXTRA: "kept"}
            read = model.from_dict(sample, _strict())
            told += _lost(read, sample) or _undescribed(read, sample)
        elif sample not in _members(model).values():
            told.append(f"lost the value {sample!r}")
    return list(dict.fromkeys(told))


def _members(model: Any) -> dict[str, Any]:
    return {name: member.value for name, member in model.__members__.items()}


def _lost(value: Any, sample: Any) -> list[str]:
    """What of `sample` is not known to what was read from it, or does not come back."""
    unknown = [f"lost the property `{name}`" for name in _unknown(value)]
    return unknown or [f"changes `{place.lstrip('.')}`" for place in _differences(_plain(value), sample)]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    return value.to_dict() if hasattr(value, "to_dict") else value


def _unknown(value: Any) -> Iterator[str]:
    """The fields that a model, or one inside it, took for unknown ones."""
    unknown = getattr(value, "additional_properties", {})
    yield from (name for name in unknown if name != EXTRA)
    inner = value if isinstance(value, list) else [getattr(value, name) for name in _fields(value)]
    for item in (*inner, *unknown.values()):
        yield from _unknown(item)


def _fields(value: Any) -> list[str]:
    return [field.name for field in getattr(value, "__attrs_attrs__", ()) if field.name != "additional_properties"]


def _differences(given: Any, wanted: Any, place: str = "") -> Iterator[str]:
    if isinstance(given, dict) and isinstance(wanted, dict) and given.keys() == wanted.keys():
        for key in wanted:
            yield from _differences(given[key], wanted[key], f"{place}.{key}")
    elif isinstance(given, list) and isinstance(wanted, list) and len(given) == len(wanted):
        for index, pair in enumerate(zip(given, wanted, strict=True)):
            yield from _differences(*pair, f"{place}[{index}]")
    elif given != wanted:
        missing = wanted.keys() - given.keys() if isinstance(wanted, dict) and isinstance(given, dict) else ()
        yield from (f"{place}.{key}" for key in sorted(missing)) if missing else (place or "the value",)


def _undescribed(value: Any, sample: dict[str, Any]) -> list[str]:
    """How FIELDS and the types of a model differ from what was read from `sample`."""
    model = type(value)
    if any(getattr(value, model.FIELDS.get(name, ""), None) is None for name in sample if name != EXTRA):
        return ["is not described by FIELDS"]
    return [] if _fits(value, model) else ["does not have the types that it says"]


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value, with all that is inside, is of a type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, inner[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(item, inner[1]) for item in value.values())
    if origin is typing.Literal:
        return value in inner
    if not hasattr(hint, "from_dict"):
        return hint is Any or isinstance(value, (int, float) if hint is float else hint)
    hints = typing.get_type_hints(hint)
    names = [*_fields(value), *(["additional_properties"] if hasattr(value, "additional_properties") else [])]
    return type(value) is hint and all(_fits(getattr(value, name), hints[name]) for name in names)


def _strict() -> Any:
    """Where a deviation is an error, as it is for a sample of the contract itself."""
    return importlib.import_module(f"{API}.reading").Place(strict=True)


def _alias(question: dict[str, Any]) -> list[str]:
    one, other = (getattr(_models(), name, None) for name in (question["name"], question["of"]))
    return [] if one is not None and one is other else [f"is not the class `{question['of']}`"]


def _operation(question: dict[str, Any]) -> list[str]:
    api = importlib.import_module(f"{API}.api")
    told = []
    for groups in (api.Operations, api.AsyncOperations):
        group = getattr(groups(_Caller()), question["tag"], None)
        if getattr(group, question["method"], None) is None:
            told.append(f"has no method `{question['tag']}.{question['method']}` in `{groups.__name__}`")
    if told:
        return told
    method = getattr(getattr(api.Operations(_Caller()), question["tag"]), question["method"])
    hints = typing.get_type_hints(method)
    operation, arguments = method(**{name: _made(hints[name]) for name in inspect.signature(method).parameters})
    request = operation.request(**arguments)
    paths = [re.sub("{.*?}", "{}", path) for path in (operation.path, question["path"])]
    if request["method"] != question["verb"] or paths[0] != paths[1]:
        told.append(f"asks {request['method'].upper()} {operation.path} instead")
    given = {text for value in arguments.values() for text in _wire(value)}
    names = re.findall("{(.*?)}", question["path"])
    filled = re.fullmatch(re.sub(r"\\{.*?\\}", "(.+)", re.escape(question["path"])), request["url"])
    for name, value in zip(names, filled.groups() if filled else [""] * len(names), strict=True):
        if unquote(value).lower() not in given:
            told.append(f"does not send the path parameter `{name}`")
    for place, name in question["parameters"]:
        sent = request.get({"query": "params", "header": "headers", "cookie": "cookies"}[place], {})
        if name not in sent or not given.issuperset(_wire(sent[name])):
            told.append(f"does not send the {place} parameter `{name}`")
    for media_type in question["bodies"]:
        if not any(key in request for key in ("json", "data", "files", "content")):
            told.append(f"does not send the body ({media_type})")
    exact = {status for status, _, _ in question["answers"]}
    for status, kind, sample in question["answers"]:
        # Of a range, a status that has no answer of its own.
        codes = (status.replace("XX", f"{number:02}") for number in range(100))
        code = next((code for code in codes if code not in exact), status) if "XX" in status else status
        hint = hints["return"] if code.startswith("2") else Any
        try:
            why = "" if _reads(operation.body(int(code)), kind, sample, hint) else "it has lost a part, or its type"
        except ValueError as error:
            why = str(error)
        if why:
            told.append(f"does not read the body of `{status}`: {why}")
    return told


def _reads(declared: Any, kind: str, sample: Any, hint: Any) -> bool:
    """Whether the client's way of reading makes of a sample what it says, and loses nothing."""
    if declared is None or declared.source != {"none": "nothing", "binary": "bytes"}.get(kind, kind):
        return False
    body = declared.read(sample if kind == "json" else sample.encode(), _strict(), "")
    return _fits(body, hint) and (kind in ("binary", "none") or not _lost(body, sample))


def _wire(value: Any) -> Iterator[str]:
    """The texts that a value may be sent as."""
    plain = _plain(value.value if isinstance(value, enum.Enum) else value)
    for inner in plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else ():
        yield from _wire(inner)
    if not isinstance(plain, dict | list):
        yield str(plain).lower()


def _made(hint: Any, depth: int = 0) -> Any:
    """A value of a type that a method takes; every field of an object is filled, as far as it is not endless."""
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _made(options[0], depth)
    if origin is list:
        return [_made(options[0], depth)]
    if origin is typing.Literal:
        return options[0]
    if hint is Any:
        return "any"
    if isinstance(hint, enum.EnumMeta):
        return next(iter(hint))
    made = {
        **{str: "text", int: 7, float: 1.5, bool: True, uuid.UUID: uuid.UUID(int=7), datetime.date: datetime.date.max},
        datetime.datetime: datetime.datetime.max.replace(tzinfo=datetime.UTC),
    }.get(hint)
    if made is not None:
        return made
    hints = typing.get_type_hints(hint)
    parameters = inspect.signature(hint).parameters.values()
    wanted = [one.name for one in parameters if depth < DEPTH or one.default is one.empty]
    return hint(**{name: _made(hints[name], depth + 1) for name in wanted})


class _Caller:
    def call(self, operation: Any, arguments: dict[str, Any]) -> Any:
        return operation, arguments


# What is offered, as text by the name that a caller writes:
#   client.billing.get_x            the method; with (page) an argument, with () what comes back, with (*) the positions
#   models.Invoice, models.Status   the class, or what it stands for; with .amount a field, with .DUE a member
#   BridgeClient, errors.PathError  the same of the hand-written package


def _offered() -> dict[str, str]:
    api = importlib.import_module(f"{API}.api")
    found: dict[str, str] = {}
    for tag, group in vars(api.Operations(_Caller())).items():
        for name, method in inspect.getmembers(group, inspect.ismethod):
            if not name.startswith("_"):
                found |= _signature(f"client.{tag}.{name}", method)
    for name in _models().__all__:
        found |= _described(f"models.{name}", getattr(_models(), name), API)
    if not any(Path(folder, CLIENT).is_dir() for folder in sys.argv[1:]):
        return found  # one that is installed belongs to another state
    client = importlib.import_module(CLIENT)
    for name in sorted({*client.__all__} - {"models"}):
        value = getattr(client, name)
        if inspect.ismodule(value):
            for inner in value.__all__:
                found |= _described(f"{name}.{inner}", getattr(value, inner), CLIENT)
        else:
            found |= _described(name, value, CLIENT)
    return found


def _described(name: str, value: Any, package: str) -> dict[str, str]:
    """A class, an enumeration, a second name of one, or a function."""
    if not inspect.isclass(value):
        return _signature(name, value)
    if name.rpartition(".")[2] != value.__name__:
        return {name: f"another name of {value.__name__}"}
    if isinstance(value, enum.EnumMeta):
        members = {f"{name}.{member}": repr(text) for member, text in _members(value).items()}
        return {name: f"enumeration of {value.__mro__[1].__name__}", **members}
    bases = [base.__name__ for base in value.__mro__[1:-1] if base.__module__.split(".")[0] == package == CLIENT]
    found = {name: f"class from {', '.join(bases)}" if bases else "class"}
    if package == API:
        positional = [field.name for field in vars(value)["__attrs_attrs__"] if field.init and not field.kw_only]
        found[f"{name}(*)"] = ", ".join(positional)
        for field in vars(value)["__attrs_attrs__"]:
            default = repr(field.default) if field.init and "NOTHING" not in repr(field.default) else ""
            found[f"{name}.{field.name}"] = f"{_text(field.type)} = {default}" if default else _text(field.type)
        return found
    if inspect.isfunction(value.__init__):
        found |= _signature(name, value) | found
    for member_name, member in inspect.getmembers(value, inspect.isroutine):
        if not member_name.startswith("_") and str(getattr(member, "__module__", "")).split(".")[0] == package:
            found |= _signature(f"{name}.{member_name}", member)
    return found


def _signature(name: str, value: Any) -> dict[str, str]:
    signature = inspect.signature(value)
    given = [one for one in signature.parameters.values() if one.name != "self"]
    found = {name: "callable", f"{name}()": _text(signature.return_annotation)}
    found[f"{name}(*)"] = ", ".join(one.name for one in given if one.kind is one.POSITIONAL_OR_KEYWORD)
    for one in given:
        default = "" if one.default is one.empty else f" = {one.default!r}"
        found[f"{name}({one.name})"] = f"{_text(one.annotation)}{default}"
        if options := re.fullmatch(r"Unpack\[(\w+)\]", _text(one.annotation)):
            del found[f"{name}({one.name})"]
            known = vars(sys.modules[inspect.unwrap(value).__module__])[options[1]]
            found |= {
                f"{name}({option})": f"{_text(kind)} = ..." for option, kind in inspect.get_annotations(known).items()
            }
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
    main()

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
            read = model.from_dict(sample)
            told += _lost(read, sample) or ([] if _fits(read, model, sample) else ["is not described by FIELDS"])
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


def _fits(value: Any, kind: Any, sample: Any) -> bool:
    """Whether a value is of a type, and its fields are where FIELDS says."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind in (Any, None):
        return kind is Any or value is None
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one, sample) for one in inner)
    if origin is list:
        return isinstance(value, list) and all(map(_fits, value, inner * len(value), sample))
    if origin is typing.Literal:
        return value in inner
    fields = _models().FIELDS.get(kind)
    if fields is None or type(value) is not kind:
        return fields is None and isinstance(value, (int, float) if kind is float else kind)
    known = {name: (getattr(value, attribute), kind) for name, (attribute, kind) in fields.known.items()}
    extra = {name: (inner, fields.unknown) for name, inner in getattr(value, "additional_properties", {}).items()}
    described = known | extra
    return all(name in described and _fits(*described[name], part) for name, part in sample.items() if part is not None)


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
        parse = sys.modules[operation.request.__module__]._parse_response
        body = parse(client=_Client(), response=_Answer(int(code), sample))
        if body is None if kind == "binary" else kind != "none" and _lost(body, sample):
            told.append(f"does not read the body of `{status}`")
        elif code.startswith("2"):
            source = {"none": "nothing", "binary": "bytes"}.get(kind, kind)
            declared = [one for one in operation.bodies if one.first <= int(code) <= one.last][:1]
            if not any(one.source == source and _fits(body, one.type, sample) for one in declared):
                told.append(f"does not say what the body of `{status}` is")
    return told


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
    hints = typing.get_type_hints(hint, vars(sys.modules[hint.__module__]) | vars(_models()))
    parameters = inspect.signature(hint).parameters.values()
    wanted = [one.name for one in parameters if depth < DEPTH or one.default is one.empty]
    return hint(**{name: _made(hints[name], depth + 1) for name in wanted})


class _Caller:
    def call(self, operation: Any, arguments: dict[str, Any]) -> Any:
        return operation, arguments


class _Client:
    raise_on_unexpected_status = True


class _Answer:
    def __init__(self, status_code: int, sample: Any) -> None:
        self.status_code = status_code
        self.text = sample if isinstance(sample, str) else json.dumps(sample)
        self.content = self.text.encode()
        self.headers: dict[str, str] = {}
        self._sample = sample

    def json(self) -> Any:
        return self._sample


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
    bases = [base.__name__ for base in value.__mro__[1:-1] if base.__module__.split(".")[0] == package]
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
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


if __name__ == "__main__":
    main()

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
from typing import Any
from urllib.parse import unquote

API = "talkdesk_bridge_api"
CLIENT = "talkdesk_bridge"
EXTRA = "x-extra"  # the field of samples that the contract does not know
DEPTH = 3  # of the objects that are made as arguments


def main() -> None:
    """Answer the questions on standard input: what is missing, and what the packages offer."""
    sys.path[:0] = sys.argv[1:]
    sys.dont_write_bytecode = True
    package = importlib.import_module(API)
    for module in pkgutil.walk_packages(package.__path__, f"{API}."):
        importlib.import_module(module.name)
    questions = json.load(sys.stdin)
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
            told += _lost(model.from_dict(sample), sample)
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
    for status, kind, sample in question["answers"]:
        body = operation.parse(client=_Client(), response=_Answer(int(status.replace("XX", "00")), sample))
        if body is None if kind == "binary" else kind != "none" and _lost(body, sample):
            told.append(f"does not read the body of `{status}`")
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


# What is offered: every public name, with what a caller sees of it.


def _offered() -> dict[str, Any]:
    """The methods of each tag, the models, and the hand-written package, by the names that callers use."""
    found: dict[str, Any] = {}
    api = importlib.import_module(f"{API}.api")
    for tag, group in vars(api.Operations(_Caller())).items():
        for name, method in inspect.getmembers(group, inspect.ismethod):
            if not name.startswith("_"):
                found[f"client.{tag}.{name}"] = {"kind": "method", **_signature(method)}
    for name in _models().__all__:
        found[f"models.{name}"] = _described(getattr(_models(), name), name)
    try:
        client = importlib.import_module(CLIENT)
    except ModuleNotFoundError as error:
        if error.name != CLIENT:
            raise
        return found
    for name in sorted({*client.__all__} - {"models"}):
        value = getattr(client, name)
        if inspect.ismodule(value):
            found |= {f"{name}.{inner}": _described(getattr(value, inner), inner) for inner in value.__all__}
        else:
            found[name] = _described(value, name)
    return found


def _described(value: Any, name: str) -> dict[str, Any]:
    if not inspect.isclass(value):
        return {"kind": "function", **_signature(value)} if callable(value) else {"kind": "value", "type": repr(value)}
    if name != value.__name__:
        return {"kind": "alias", "type": value.__name__}
    if isinstance(value, enum.EnumMeta):
        return {"kind": "enum", "members": _members(value)}
    fields = {
        field.name: {"type": _text(field.type), "required": field.init and field.default is _nothing(field)}
        for field in getattr(value, "__attrs_attrs__", ())
        if not field.name.startswith("_")
    }
    methods = {
        name: _signature(member)
        for name, member in inspect.getmembers(value, callable)
        if not name.startswith("_") and not member.__module__.startswith(API)
    }
    bases = [base.__name__ for base in value.__mro__[1:-1] if base.__module__.startswith(CLIENT)]
    made = {} if fields else {"made": _signature(value)}
    return {"kind": "class", "fields": fields, "methods": methods, "bases": bases, **made}


def _nothing(field: Any) -> Any:
    return importlib.import_module("attrs").NOTHING


def _signature(value: Any) -> dict[str, Any]:
    signature = inspect.signature(value)
    parameters = [
        {
            "name": parameter.name,
            "type": _text(parameter.annotation),
            "required": parameter.default is parameter.empty and parameter.kind not in (2, 4),
            "keyword": parameter.kind is parameter.KEYWORD_ONLY,
            "default": "" if parameter.default is parameter.empty else repr(parameter.default),
        }
        for parameter in signature.parameters.values()
    ]
    return {"parameters": parameters, "returns": _text(signature.return_annotation)}


def _text(annotation: Any) -> str:
    """A type as it is written."""
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


if __name__ == "__main__":
    main()

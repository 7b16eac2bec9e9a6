"""Looks at a generated package in an interpreter of its own: imports it whole, puts it to use, says what it offers.

`python -I probe.py FOLDER... < questions`: the packages are in the folders. The questions, which tools/arrival.py asks,
and the answers are JSON.
"""

from __future__ import annotations

import asyncio
import datetime
import enum
import importlib
import inspect
import itertools
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
NUMBERS = itertools.count(7)  # every argument is another one, so that two cannot change places unseen


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
    if isinstance(model, enum.EnumMeta):
        values = _members(model).values()
        told = [f"lost the value {sample!r}" for sample in question["samples"] if sample not in values]
        return told or ([] if len(values) == len(question["samples"]) else ["has more values than the contract"])
    told = []
    for sample in question["samples"]:
        if typing.get_type_hints(model).get("additional_properties") == dict[str, Any]:
            sample[EXTRA] = "kept"
        read = model.from_dict(sample, _strict())
        told += _lost(read, sample) or _undescribed(read, sample, question["fields"])
        told += [] if told else _present(model, sample, question)
    return list(dict.fromkeys(told))


def _present(model: Any, sample: dict[str, Any], question: dict[str, Any]) -> Iterator[str]:
    """What goes wrong with fields that are left out, or null."""
    required = {name: sample[name] for name in question["required"] if name in sample}
    bare = model.from_dict(required, _strict())
    if _plain(bare) != required or any(
        getattr(bare, model.FIELDS[name]) is not None for name in model.FIELDS.keys() - required.keys()
    ):
        yield "reads fields that were not sent"
    for name in question["fields"].keys() & required.keys():
        try:
            model.from_dict({key: value for key, value in required.items() if key != name})
        except ValueError:
            continue
        yield f"does not require `{name}`"
    for name in question["nullable"]:
        if getattr(model.from_dict({**sample, name: None}, _strict()), model.FIELDS[name]) is not None:
            yield f"does not read null of `{name}`"


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
    if isinstance(value, enum.Enum):
        return value.value
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


def _undescribed(value: Any, sample: dict[str, Any], fields: dict[str, str]) -> list[str]:
    """How FIELDS and the types of a model differ from the contract, and from what was read from `sample`."""
    read = {name: _plain(getattr(value, attribute, None)) for name, attribute in type(value).FIELDS.items()}
    if fields != type(value).FIELDS or any(read[name] != sample[name] for name in fields.keys() & sample.keys()):
        return ["is not described by FIELDS"]
    return [] if _fits(value, type(value)) else ["does not have the types that it says"]


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
    """A place that raises on the first deviation: a sample of the contract has none."""
    return importlib.import_module(f"{API}.places").Place(strict=True)


def _alias(question: dict[str, Any]) -> list[str]:
    one, other = (getattr(_models(), name, None) for name in (question["name"], question["of"]))
    return [] if one is not None and one is other else [f"is not the class `{question['of']}`"]


def _operation(question: dict[str, Any]) -> list[str]:
    """Both clients send each argument to its place, and the bodies of all statuses are read."""
    api = importlib.import_module(f"{API}.api")
    told: list[str] = []
    for groups, caller in ((api.Operations, _Caller()), (api.AsyncOperations, _AsyncCaller())):
        group = getattr(groups(caller), question["tag"], None)
        method = getattr(group, question["method"], None)
        if method is None:
            told.append(f"has no method `{question['tag']}.{question['method']}` in `{groups.__name__}`")
            continue
        operation, arguments = _called(method)
        hint = typing.get_type_hints(method)["return"]
        told += _sends(question, operation, arguments)
        told += [*_answers(question, operation, hint)] or _iterates(group, method, question, operation)
    return list(dict.fromkeys(told))


def _called(method: Any) -> tuple[Any, dict[str, Any]]:
    """The operation that a method calls, and the arguments, which must reach it all."""
    hints = typing.get_type_hints(method)
    limits = {"start", "max_pages", "max_items"} if method.__name__.startswith("iter_") else set()
    arguments = {name: made(hints[name]) for name in inspect.signature(method).parameters.keys() - limits}
    called = method(**arguments)
    operation, passed = asyncio.run(called) if inspect.iscoroutine(called) else called
    if passed != arguments:
        raise ValueError(f"`{method.__name__}` does not pass on all of its arguments")
    return operation, arguments


def _sends(question: dict[str, Any], operation: Any, arguments: dict[str, Any]) -> Iterator[str]:
    request = operation.request(**arguments)
    paths = [re.sub("{.*?}", "{}", path) for path in (operation.path, question["path"])]
    if request["method"] != question["verb"] or paths[0] != paths[1]:
        yield f"asks {request['method'].upper()} {operation.path} instead"
    names = re.findall("{(.*?)}", question["path"])
    filled = re.fullmatch(re.sub(r"\\{.*?\\}", "(.+)", re.escape(question["path"])), request["url"])
    in_path = dict(zip(names, map(unquote, filled.groups() if filled else [""] * len(names)), strict=True))
    keys = {"query": "params", "header": "headers", "cookie": "cookies"}
    for place, name, python in question["parameters"]:
        values = in_path if place == "path" else request.get(keys[place], {})
        given = arguments.get(python, [*arguments.values()])  # two of one name, in two places, have other names
        if name not in values or not {*_wire(values[name])} <= {*_wire(given)}:
            yield f"does not send the {place} parameter `{name}`"
    for media_type in question["bodies"]:
        if not _is_body(request, arguments["body"]) or not request["headers"]["Content-Type"].startswith(media_type):
            yield f"does not send the body ({media_type})"


def _is_body(request: dict[str, Any], body: Any) -> bool:
    if "files" in request:
        fields = {name for name, attribute in body.FIELDS.items() if getattr(body, attribute) is not None}
        return {name for name, _ in request["files"]} == fields
    if "content" in request:
        return request["content"] is body.payload
    return any(request.get(key) == _plain(body) for key in ("json", "data"))


def _answers(question: dict[str, Any], operation: Any, hint: Any) -> Iterator[str]:
    exact = {status for status, *_ in question["answers"]}
    for status, kind, sample, name in question["answers"]:
        # Of a range, the first and the last status that have no answer of their own.
        codes = [status.replace("XX", f"{number:02}") for number in range(100)] if "XX" in status else [status]
        left = [code for code in codes if code == status or code not in exact]
        expected = getattr(_models(), name, None) or (hint if status.startswith("2") else Any)
        for code in {*left[:1], *left[-1:]}:
            try:
                why = "" if _reads(operation.body(int(code)), kind, sample, expected) else "a part is lost, or its type"
            except ValueError as error:
                why = str(error)
            if why:
                yield f"does not read the body of `{status}`: {why}"


def _reads(declared: Any, kind: str, sample: Any, hint: Any) -> bool:
    """Whether the declared reader keeps all of a sample and returns the declared type."""
    if declared is None or declared.source != {"none": "nothing", "binary": "bytes"}.get(kind, kind):
        return False
    body = declared.read(sample if kind == "json" else sample.encode(), _strict(), "")
    return _fits(body, hint) and (kind in ("binary", "none") or not _lost(body, sample))


def _iterates(group: Any, method: Any, question: dict[str, Any], operation: Any) -> Iterator[str]:
    """Whether the iterator over a list belongs to the operation, and takes the items from where they are."""
    first, _, rest = method.__name__.partition("_")
    iterator = getattr(group, f"iter_{rest if first in ('get', 'list') and rest else method.__name__}", None)
    if (iterator is not None) != hasattr(operation, "items"):
        yield "has an iterator without a list, or a list without an iterator"
    if iterator is None or not hasattr(operation, "items"):
        return
    same, _ = _called(iterator)
    parameters, own = ({*inspect.signature(one).parameters} for one in (method, iterator))
    left_out = {"page"} if operation.has_page else set()
    if same is not operation or parameters - own != left_out:
        yield f"goes through pages of another operation, or without an argument, in `{iterator.__name__}`"
    for status, _, sample, _ in question["answers"]:
        if status.startswith("2"):
            body = operation.body(int(status.replace("X", "0"))).read(sample, _strict(), "")
            items = operation.items(body)
            sent = sample.get("_embedded", {}).get(operation.list_name)
            if _plain(items) != sent or not _fits(items, list[operation.item]) or type(body) is not operation.page:
                yield f"does not find the items of `{operation.list_name}`"


def _wire(value: Any) -> Iterator[str]:
    """The texts that a value may be sent as."""
    plain = _plain(value)
    for inner in plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else ():
        yield from _wire(inner)
    if not isinstance(plain, dict | list):
        yield str(plain).lower()


def made(hint: Any, depth: int = 0) -> Any:
    """A value of a type that a method takes; every field of an object is filled, as far as it is not endless."""
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return made(options[0], depth)
    if origin is list:
        return [made(options[0], depth)]
    if origin is typing.Literal:
        return options[0]
    if hint is Any:
        return "any"
    if isinstance(hint, enum.EnumMeta):
        return next(iter(hint))
    number = next(NUMBERS)
    moment = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(days=number)
    simple = {str: f"text {number}", int: number, float: number + 0.5, bool: True, uuid.UUID: uuid.UUID(int=number)}
    simple |= {datetime.date: moment.date(), datetime.datetime: moment}
    if hint in simple:
        return simple[hint]
    hints = typing.get_type_hints(hint)
    parameters = inspect.signature(hint).parameters.values()
    wanted = [one.name for one in parameters if depth < DEPTH or one.default is one.empty]
    return hint(**{name: made(hints[name], depth + 1) for name in wanted})


class _Caller:
    def call(self, operation: Any, arguments: dict[str, Any]) -> Any:
        return operation, arguments

    def paginate(self, operation: Any, arguments: dict[str, Any], **_: Any) -> Any:
        return operation, arguments


class _AsyncCaller(_Caller):
    async def call(self, operation: Any, arguments: dict[str, Any]) -> Any:
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

"""The command `get`: a command for each operation of the installed client, read from its methods and docstrings."""

from __future__ import annotations

import inspect
import json
import re
import shlex
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import click
from attrs import frozen
from talkdesk_bridge._answer import Response
from talkdesk_bridge._json import read_json
from talkdesk_bridge_api.api import Operations
from talkdesk_bridge_api.places import MisfitError, Place
from talkdesk_bridge_api.reading import Number
from talkdesk_bridge_api.types import File, ListOperation, Operation

from talkdesk_bridge_cli.formats import (
    as_data,
    as_json,
    as_table,
    cell,
    columns_of,
    new_table,
    without_controls,
)
from talkdesk_bridge_cli.options import FORMATS, Command, asking_options
from talkdesk_bridge_cli.output import Destination
from talkdesk_bridge_cli.run import asking
from talkdesk_bridge_cli.values import is_union, reader

__all__ = ["commands"]

# Of each type: its name on a help page, what is wanted where something else came, and an example.
KINDS: dict[Any, tuple[str, str, str]] = {
    str: ("TEXT", "text", "1000000001"),  # an account of the sandbox
    int: ("INTEGER", "an integer", "1000000001"),
    float: ("NUMBER", "a number", "1.5"),
    bool: ("true|false", "true or false", "true"),
    date: ("DATE", "a date such as 2023-07-22", "2023-07-22"),
    datetime: ("DATE-TIME", "a date and time such as 2023-07-22T10:00:00Z", "2023-07-22T10:00:00Z"),
    UUID: ("UUID", "a UUID", "00000000-0000-4000-8000-000000000001"),
}
OURS = ("--all", "--debug", "--format", "--help", "--output", "--strict", "--timeout")


class Recorder:
    """Stands in for a client, to learn from a method which operation it calls, and whether it goes through pages."""

    def call(self, operation: Operation[Any], _: object) -> Any:
        """One request."""
        return operation, False

    def paginate(self, operation: ListOperation[Any, Any], _: object, **__: object) -> Any:
        """All pages."""
        return operation, True


@frozen
class Method:
    """A method of the client."""

    tag: str
    name: str
    parameters: Mapping[str, inspect.Parameter]
    hints: Mapping[str, Any]
    doc: str

    def of(self, client: Any) -> Callable[..., Any]:
        """The method, of a client."""
        method: Callable[..., Any] = getattr(getattr(client, self.tag), self.name)
        return method


def _methods() -> Iterator[tuple[Operation[Any], bool, Method]]:
    """Each method, with its operation and whether it goes through pages."""
    recorder: Any = Recorder()
    for tag, group in vars(Operations(recorder)).items():
        for name, method in inspect.getmembers(group, inspect.ismethod):
            if not name.startswith("_"):
                parameters = inspect.signature(method).parameters
                operation, paged = method(**dict.fromkeys(parameters))
                hints = {name: _without_none(kind) for name, kind in get_type_hints(method).items()}
                yield operation, paged, Method(tag, name, parameters, hints, inspect.getdoc(method) or "")


@cache
def commands() -> dict[str, Command]:
    """The commands, by the operationId of the contract."""
    found = [*_methods()]
    twins = {_place(operation.method, operation.path): method for operation, paged, method in found if paged}
    made = {}
    declared = _declared()
    for operation, paged, method in found:
        if not paged:
            place = _place(operation.method, operation.path)
            name = declared[place]["operationId"]
            made[name] = _command(name, operation, method, twins.get(place), "requestBody" in declared[place])
    return dict(sorted(made.items()))


def _declared() -> dict[tuple[str, str], dict[str, Any]]:
    """The operations as the contract has them: the client has other names, and not whether `body` is a body."""
    contract = json.loads(files("talkdesk_bridge_api").joinpath("openapi.json").read_bytes())
    return {
        _place(method, path): operation
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    }


def _place(method: str, path: str) -> tuple[str, str]:
    """What tells an operation from all others, whatever the names of its parameters."""
    return method.upper(), re.sub("{.*?}", "{}", path)


def _command(called: str, operation: Operation[Any], method: Method, twin: Method | None, with_body: bool) -> Command:
    summary, text, about = _read(method.doc)
    names = [name for name, parameter in method.parameters.items() if parameter.kind is not parameter.KEYWORD_ONLY]
    flags: dict[str, str] = {}
    for name in method.parameters:
        if name not in names:
            flag = f"--{_shown(name).lower().replace('_', '-')}"
            while flag in (*OURS, *flags.values()):
                flag = f"--parameter{flag[1:]}"
            flags[name] = flag
    parameters: list[click.Parameter] = []
    example = ["talkdesk-bridge", "get", called]
    for name, parameter in method.parameters.items():
        kind, dest = method.hints[name], f"of_{name}"
        if name in names:
            parameters.append(click.Argument([dest], type=Value(kind), metavar=_shown(name)))
            example.append(_kind(kind)[2])
            continue
        as_body = name == "body" and with_body
        option = _option([flags[name], dest], kind, about.get(name, ""), parameter.default is parameter.empty, as_body)
        parameters.append(option)
        example += [flags[name], "body.json" if as_body else _kind(kind)[2]] if option.required else []
    lines = [shlex.join(example)]
    callback = partial(_call, operation, method)
    if twin and isinstance(operation, ListOperation):
        callback = partial(_call_list, operation, method, twin, flags)
        every = click.Option(
            ["--all", "everything"], is_flag=True, help="Print every item of all pages, not one answer."
        )
        told = "json (the default), or jsonl, csv or table, which print every item of all pages."
        form = click.Option(
            ["--format", "form"], type=click.Choice(FORMATS), default="json", metavar="FORMAT", help=told
        )
        parameters += [every, form]
        lines += [f"{lines[0]} --all", f"{lines[0]} --format csv --output {shlex.quote(operation.list_name)}.csv"]
    # As click wraps it, but for hyphens, which URLs have.
    paragraphs = [textwrap.fill(" ".join(part.split()), 76, break_on_hyphens=False) for part in text.split("\n\n")]
    told = "\n\n".join([summary, *(f"\b\n{part}" for part in [f"{operation.method} {operation.path}", *paragraphs])])
    return click.command(
        called, Command, params=parameters, help=told, short_help=summary, examples=lines,
        about={_shown(name): about.get(name, "") for name in names},
    )(asking_options(callback))  # fmt: skip


def _option(declared: list[str], kind: Any, about: str, required: bool, as_body: bool) -> click.Option:
    if as_body:
        about = f"The file that holds the body, or - for standard input. {about}"
        return click.Option(declared, type=BodyFile(kind), metavar="FILE", help=about, required=required)
    if many := get_origin(kind) is list:
        kind = get_args(kind)[0]
        about += " Can be given more than once."
    metavar, wanted, _ = _kind(kind)
    about += f" {wanted.capitalize()}." if wanted.startswith("one of") else ""
    return click.Option(declared, type=Value(kind), metavar=metavar, help=about, required=required, multiple=many)


def _call(operation: Operation[Any], method: Method, **options: Any) -> None:
    given, how = _parted(options)
    with asking(**how) as run:
        with run.at(operation.operation_id):
            response = run.bridge.with_response(method.of(run.bridge), **given)
        run.output.write([_answer(operation, response, run.output)])


def _call_list(
    operation: ListOperation[Any, Any], method: Method, twin: Method, flags: Mapping[str, str], *,
    everything: bool, form: str, **options: Any,
) -> None:  # fmt: skip
    if not everything and form == "json":
        _call(operation, method, **options)
        return
    arguments, how = _parted(options)
    if one := [flags[name] for name in arguments if name not in twin.parameters]:
        told = "--all" if everything else f"--format {form}"
        click.get_current_context().fail(f"{one[0]} asks for one page, and {told} for all: leave out one of them.")
    with asking(**how) as run:
        name = operation.list_name
        _, values = run.collect(operation.operation_id, name, twin.of(run.bridge)(**arguments), operation.items)
        rows = [value if isinstance(value, dict) else {name: value} for value in values]
        documented = [*getattr(operation.item, "FIELDS", [name])]
        if form == "table":
            table = new_table(columns := columns_of(rows, documented))
            for row in rows:
                table.add_row(*(cell(row.get(column)) for column in columns))
            run.output.write([as_table(table, [f"{name}: {len(rows)}"], run.output)])
        else:
            run.output.write([as_data(form, values, rows, documented)])


def _parted(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments that were given, by the names of the method, and the options of `asking`."""
    given = {name.removeprefix("of_"): value for name, value in options.items() if name.startswith("of_")}
    given = {name: value for name, value in given.items() if value not in (None, ())}
    how = {name: value for name, value in options.items() if not name.startswith("of_")}
    return {name: [*value] if isinstance(value, tuple) else value for name, value in given.items()}, how


def _answer(operation: Operation[Any], response: Response[Any], output: Destination) -> bytes:
    source = next(body.source for body in operation.bodies if body.first <= response.status_code <= body.last)
    if source == "json":
        return as_json(read_json(response.content))
    if source == "nothing":
        return b""
    if output.terminal:
        return without_controls(response.content.decode(errors="replace")).encode()
    return response.content


class Value(click.ParamType):  # type: ignore[type-arg,unused-ignore] # has one in newer versions of click
    """Text of the command line, as a value of a type of the contract."""

    name = "value"

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What the text stands for: as JSON, else as it is."""
        if self._kind is str or not isinstance(value, str):
            return value
        candidates: list[Any] = [value]
        with suppress(ValueError, RecursionError):
            candidates.insert(0, read_json(value.encode()))
        for candidate in candidates:
            with suppress(MisfitError):
                read = reader(self._kind)(candidate, Place(strict=True), "")
                if isinstance(read, float) and not _can_be_sent(candidate):
                    raise click.BadParameter(f"{value!r} has more digits than can be sent.", ctx, param)
                return read
        raise click.BadParameter(f"{value!r} is not {_kind(self._kind)[1]}.", ctx, param)


def _standard_input() -> bytes:
    return sys.stdin.buffer.read() if sys.stdin else b""


class BodyFile(click.ParamType):  # type: ignore[type-arg,unused-ignore] # as above
    """The name of a file, as the body that it holds."""

    name = "file"

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The body."""
        try:
            content = _standard_input() if value == "-" else Path(value).read_bytes()
        except OSError as error:
            raise click.BadParameter(f"{value} cannot be read: {error.strerror}.", ctx, param) from None
        if File in (self._kind, *get_args(self._kind)):
            return File(BytesIO(content))
        try:
            data = read_json(content)
            if not _can_be_sent(data):
                raise click.BadParameter("a number in it has more digits than can be sent.", ctx, param)
            return reader(self._kind)(data, Place(strict=True), "")
        except MisfitError as misfit:
            told = str(misfit).rstrip(".")
        except (ValueError, RecursionError):
            told = "it is not JSON"
        where = "standard input" if value == "-" else value
        raise click.BadParameter(f"{where} does not fit the contract: {told}.", ctx, param)


def _can_be_sent(data: Any) -> bool:
    """Whether each number is the one that JSON's encoder will write of it."""
    if isinstance(data, dict | list):
        return all(map(_can_be_sent, data.values() if isinstance(data, dict) else data))
    return not isinstance(data, Number) or Decimal(str(data)) == Decimal(repr(float(data)))


def _shown(name: str) -> str:
    """The name of an argument on a help page; Python's keywords have an underscore more."""
    return name.rstrip("_").upper()


def _without_none(kind: Any) -> Any:
    """The type of an argument that is given."""
    if not is_union(kind):
        return kind
    return Union[tuple(one for one in get_args(kind) if one is not NoneType)]  # noqa: UP007 # of a tuple


def _kind(kind: Any) -> tuple[str, str, str]:
    """As in KINDS, of any type."""
    if kind in KINDS:
        return KINDS[kind]
    values: list[str] = []
    if get_origin(kind) is Literal:
        values = [str(value) for value in get_args(kind)]
    elif isinstance(kind, type) and issubclass(kind, Enum):
        values = [str(one.value) for one in kind]
    if values:
        return "VALUE", f"one of {', '.join(values)}", values[0]
    if is_union(kind):
        names, wanted, samples = zip(*map(_kind, get_args(kind)), strict=True)
        return "|".join(names), " or ".join(wanted), samples[0]
    if get_origin(kind) is list:
        return "LIST", "a list in JSON", _kind(get_args(kind)[0])[2]
    if hasattr(kind, "from_dict"):
        return "OBJECT", "a fitting object in JSON", "{}"
    return "JSON", "a value in JSON", "1"


def _read(doc: str) -> tuple[str, str, dict[str, str]]:
    """The summary of a method's docstring, its other paragraphs, and what it tells of each argument."""
    head, _, rest = doc.rpartition("\nArgs:\n")
    summary, _, text = head.partition("\n\n")
    entries = re.split(r"^ {4}(?=\S)", rest.rpartition("\nRaises:\n")[0], flags=re.MULTILINE)
    pairs = (entry.partition(": ") for entry in entries if entry.strip())
    # Without the pages that a fact comes from, which have no room in a column; the docstring has them.
    about = {name: re.sub(r" See https?://\S+", "", " ".join(told.split())) for name, _, told in pairs}
    return " ".join(summary.split()), text.strip(), about

"""The command `get`: a command for each operation of the contract, made from the client's methods and docstrings."""

from __future__ import annotations

import inspect
import re
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from types import NoneType
from typing import Any, Union, get_args, get_origin, get_type_hints

import click
from talkdesk_bridge import Response, contract
from talkdesk_bridge.contract import OperationInfo

from talkdesk_bridge_cli.formats import as_data, from_json, without_controls
from talkdesk_bridge_cli.options import AskingCommand, asking_options
from talkdesk_bridge_cli.output import Output
from talkdesk_bridge_cli.run import asking
from talkdesk_bridge_cli.values import Body, Value, is_union

__all__ = ["commands"]

OWN_OPTIONS = ("--all", "--debug", "--format", "--help", "--output", "--strict", "--timeout")
ARGUMENT = "of_"
"""What the names of an operation's arguments begin with, to tell them from the command's own options."""


@cache
def commands() -> dict[str, click.Command]:
    """The commands, by the operationId of the contract."""
    return {info.operation_id: _command(info) for info in contract.operations()}


def _command(info: OperationInfo) -> click.Command:
    summary, paragraphs, about = _read(inspect.getdoc(info.function) or "")
    parameters = [*_parameters(info, about)]
    for parameter in parameters:
        described = about.get(str(parameter.name).removeprefix(ARGUMENT))
        if isinstance(parameter, click.Argument) and described:
            paragraphs.append(f"{parameter.metavar}: {described}")
    lines = [_example(info.operation_id, parameters)]
    if info.iterator:
        parameters += [
            click.Option(["--all", "everything"], is_flag=True, help="Print every item of all pages."),
            click.Option(
                ["--format", "form"], type=click.Choice(["json", "jsonl"]), default="json", metavar="FORMAT",
                help="json (the default), or jsonl, which prints every item of all pages, a line each.",
            ),
        ]  # fmt: skip
        lines += [f"{lines[0]} --all", f"{lines[0]} --format jsonl --output {shlex.quote(f'{info.list_name}.jsonl')}"]
    examples = "\n  ".join(["Examples:", *lines])
    # Wrapped here, because click would break URLs at their hyphens.
    wrapped = [textwrap.fill(" ".join(part.split()), 76, break_on_hyphens=False) for part in paragraphs]
    text = "\n\n".join([summary, *(f"\b\n{part}" for part in [f"{info.method} {info.path}", *wrapped, examples])])
    declare = click.command(info.operation_id, AskingCommand, params=parameters, help=text, short_help=summary)
    return declare(asking_options(partial(_call, info)))


def _parameters(info: OperationInfo, about: Mapping[str, str]) -> Iterator[click.Parameter]:
    """Path parameters are arguments, all others options."""
    hints, taken = get_type_hints(info.function), [*OWN_OPTIONS]
    for name, parameter in [*inspect.signature(info.function).parameters.items()][1:]:  # without `self`
        kind, shown = _without_none(hints[name]), name.rstrip("_")  # Python's keywords have an underscore more
        if parameter.kind is not parameter.KEYWORD_ONLY:
            yield click.Argument([ARGUMENT + name], type=Value(kind), metavar=shown.upper())
            continue
        flag = f"--{shown.lower().replace('_', '-')}"
        while flag in taken:
            flag = f"--parameter{flag[1:]}"
        taken.append(flag)
        yield _option([flag, ARGUMENT + name], kind, about.get(name, ""), parameter, as_body=info.has_body)


def _option(
    declared: Sequence[str], kind: Any, about: str, parameter: inspect.Parameter, *, as_body: bool
) -> click.Option:
    required = parameter.default is parameter.empty
    if as_body and parameter.name == "body":
        text = f"The file that holds the body, or - for standard input. {about}"
        return click.Option(declared, type=Body(kind), metavar="FILE", help=text, required=required)
    many = get_origin(kind) is list
    value = Value(get_args(kind)[0] if many else kind)
    text = " ".join(filter(None, [about, "Can be given more than once." if many else ""]))
    return click.Option(declared, type=value, metavar=value.name, help=text, required=required, multiple=many)


def _example(operation: str, parameters: Sequence[click.Parameter]) -> str:
    """A call with all that is required."""
    words = ["talkdesk-bridge", "get", operation]
    for parameter in parameters:
        example = parameter.type.example if isinstance(parameter.type, Value) else "body.json"
        if isinstance(parameter, click.Argument):
            words.append(example)
        elif parameter.required:
            words += [parameter.opts[0], example]
    return shlex.join(words)


def _call(info: OperationInfo, *, everything: bool = False, form: str = "json", **options: Any) -> None:
    given = {}
    for name in [name for name in options if name.startswith(ARGUMENT)]:
        value = options.pop(name)
        if value not in (None, ()):
            given[name.removeprefix(ARGUMENT)] = [*value] if isinstance(value, tuple) else value
    with asking(**options) as run:
        group = getattr(run.client, info.group)
        if not everything and form == "json":
            with run.at(info.operation_id):
                response = run.client.with_response(getattr(group, info.name), **given)
            run.output.write([_body(response, run.output)])
            return
        iterate = getattr(group, str(info.iterator))
        if extra := given.keys() - inspect.signature(iterate).parameters.keys():
            flag, asked = min(extra).replace("_", "-"), "--all" if everything else f"--format {form}"
            raise click.UsageError(f"--{flag} asks for one page, and {asked} for all: leave out one of them.")
        items = run.collect(info.operation_id, iterate(**given), str(info.list_name))
        run.output.write([as_data(form, items)])


def _body(response: Response[Any], output: Output) -> bytes:
    if response.data is not None:
        return as_data("json", from_json(response.content))
    if output.is_terminal():
        return without_controls(response.content.decode(errors="replace")).encode()
    return response.content


def _without_none(kind: Any) -> Any:
    """The type of an argument that is given."""
    if not is_union(kind):
        return kind
    return Union[tuple(one for one in get_args(kind) if one is not NoneType)]  # noqa: UP007 # of a tuple


def _read(doc: str) -> tuple[str, list[str], dict[str, str]]:
    """The summary of a method's docstring, its other paragraphs, and what it says of each argument."""
    head, _, rest = doc.rpartition("\nArgs:\n")
    summary, *paragraphs = head.strip().split("\n\n")
    entries = re.split(r"^ {4}(?=\S)", rest.rpartition("\nRaises:\n")[0], flags=re.MULTILINE)
    pairs = (entry.partition(": ") for entry in entries if entry.strip())
    # Without the addresses that a fact comes from: a column has no room for them, and the docstring has them.
    about = {name: re.sub(r" See https?://\S+", "", " ".join(text.split())) for name, _, text in pairs}
    return " ".join(summary.split()), paragraphs, about

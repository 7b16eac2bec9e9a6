"""The command `get`: one subcommand for each operation, made from the client's methods and docstrings."""

from __future__ import annotations

import inspect
import re
import shlex
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from types import NoneType
from typing import Any, Union, get_args, get_origin, get_type_hints

import click
from talkdesk_bridge import Response, contract
from talkdesk_bridge.contract import OperationInfo

from talkdesk_bridge_cli.account import required_arguments
from talkdesk_bridge_cli.exit import counted
from talkdesk_bridge_cli.formats import as_data, columns_of, csv_lines, from_json, without_controls
from talkdesk_bridge_cli.options import LIMIT, RequestCommand, request_options
from talkdesk_bridge_cli.output import Output
from talkdesk_bridge_cli.run import connected_run
from talkdesk_bridge_cli.values import Body, Value, is_union

OWN_OPTIONS = ("--all", "--debug", "--format", "--help", "--output", "--paging", "--quiet", "--strict", "--timeout")
ARGUMENT = "argument_"
"""Marks an operation's arguments, to keep them apart from the command's own options."""


@cache
def commands() -> dict[str, click.Command]:
    """The subcommands, by operationId."""
    return {info.operation_id: _command(info) for info in contract.operations()}


def _command(info: OperationInfo) -> click.Command:
    summary, paragraphs, descriptions = _parsed_docstring(inspect.getdoc(info.function) or "")
    parameters = [*_parameters(info, descriptions)]
    for parameter in parameters:
        description = descriptions.get(str(parameter.name).removeprefix(ARGUMENT))
        if isinstance(parameter, click.Argument) and description:
            paragraphs.append(f"{parameter.metavar}: {description}")
    lines = [_example(info.operation_id, parameters)]
    if info.shape:
        parameters += [
            click.Option(["--all", "everything"], is_flag=True, help="Print every item of all pages."),
            click.Option(["--limit"], type=LIMIT, metavar="N", help="Print only the first N items of all pages."),
            click.Option(
                ["--format", "output_format"], type=click.Choice(["json", "jsonl", "csv"]), default="json",
                metavar="FORMAT", help="json (the default), or every item of all pages: jsonl, one per line, or csv.",
            ),
        ]  # fmt: skip
        lines += [f"{lines[0]} --all", f"{lines[0]} --format csv --output {shlex.quote(f'{info.shape.name}.csv')}"]
    examples = "\n  ".join(["Examples:", *lines])
    # Wrapped here, as wide as click does it, because click would break URLs at their hyphens.
    width = max(shutil.get_terminal_size().columns - 2, 50) - 2
    wrapper = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    wrapped = [wrapper.fill(" ".join(part.split())) for part in paragraphs]
    text = "\n\n".join([summary, *(f"\b\n{part}" for part in [f"{info.method} {info.path}", *wrapped, examples])])
    declare = click.command(info.operation_id, RequestCommand, params=parameters, help=text, short_help=summary)
    return declare(request_options(partial(_call, info)))


def _parameters(info: OperationInfo, descriptions: Mapping[str, str]) -> Iterator[click.Parameter]:
    """Path parameters become arguments, all others options."""
    hints, flags = get_type_hints(info.function), [*OWN_OPTIONS, *(["--limit"] if info.shape else [])]
    for name, parameter in [*inspect.signature(info.function).parameters.items()][1:]:  # without `self`
        kind, shown = _without_none(hints[name]), name.rstrip("_")  # such as `from_`
        if parameter.kind is not parameter.KEYWORD_ONLY:
            yield click.Argument([ARGUMENT + name], type=Value(kind), metavar=shown.upper())
            continue
        flag = f"--{shown.lower().replace('_', '-')}"
        while flag in flags:
            flag = f"--parameter{flag[1:]}"
        flags.append(flag)
        required = parameter.default is parameter.empty and name not in _first_page(info)
        description = descriptions.get(name, "")
        yield _option(
            [flag, ARGUMENT + name], kind, description, required=required, is_body=info.has_body and name == "body"
        )


def _option(names: Sequence[str], kind: Any, description: str, *, required: bool, is_body: bool) -> click.Option:
    if is_body:
        text = f"The file with the body, or - for standard input. {description}"
        return click.Option(names, type=Body(kind), metavar="FILE", help=text, required=required)
    is_list = get_origin(kind) is list
    value = Value(get_args(kind)[0] if is_list else kind)
    text = " ".join(filter(None, [description, "Can be given more than once." if is_list else ""]))
    return click.Option(names, type=value, metavar=value.name, help=text, required=required, multiple=is_list)


def _example(operation: str, parameters: Sequence[click.Parameter]) -> str:
    """A call with the required parameters only."""
    words = ["talkdesk-bridge", "get", operation]
    for parameter in parameters:
        example = parameter.type.example if isinstance(parameter.type, Value) else "body.json"
        if isinstance(parameter, click.Argument):
            words.append(example)
        elif parameter.required:
            words += [parameter.opts[0], example]
    return shlex.join(words)


def _call(
    info: OperationInfo,
    *,
    everything: bool = False,
    limit: int | None = None,
    output_format: str = "json",
    **options: Any,
) -> None:
    given = {name.removeprefix(ARGUMENT): options.pop(name) for name in [*options] if name.startswith(ARGUMENT)}
    given = {name: value for name, value in given.items() if value not in (None, ())}
    arguments = {name: [*value] if isinstance(value, tuple) else value for name, value in given.items()}
    with connected_run(**options) as run:
        group = getattr(run.client, info.group)
        if not info.shape or not (everything or limit or output_format != "json"):
            with run.at(info.operation_id):
                response = run.client.with_response(getattr(group, info.name), **(_first_page(info) | arguments))
            run.output.write([_body(response, run.output)])
            return
        iterate = getattr(group, str(info.iterator))
        if one_page_only := arguments.keys() - inspect.signature(iterate).parameters.keys():
            chosen = {"--all": everything, "--limit": limit, f"--format {output_format}": True}
            flag, other = min(one_page_only).replace("_", "-"), next(name for name in chosen if chosen[name])
            raise click.UsageError(f"--{flag} is for one page, but {other} reads all pages: leave out one of them.")
        items = run.collect(info.operation_id, iterate(**arguments, max_items=limit), info.shape, limit)
        run.output.write(_csv(info, items) if output_format == "csv" else [as_data(output_format, items)])
        run.done = f"{info.operation_id}: {counted(len(items), 'item')}"


def _first_page(info: OperationInfo) -> dict[str, Any]:
    """The argument that requests the first page, if one must be given."""
    if not info.shape or info.shape.begin not in required_arguments(info):
        return {}
    return {str(info.shape.begin): info.shape.first}


def _csv(info: OperationInfo, items: Sequence[Any]) -> Iterator[bytes]:
    """A row for each item; items that are not objects have one column, named after the list."""
    name = info.shape.name if info.shape else ""
    rows = [item if isinstance(item, dict) else {name: item} for item in items]
    return csv_lines(rows, columns_of(rows, getattr(info.item, "FIELDS", ())) or [name])


def _body(response: Response[Any], output: Output) -> bytes:
    if response.data is not None:
        return as_data("json", from_json(response.content))
    if output.is_terminal():
        return without_controls(response.content.decode(errors="replace")).encode()
    return response.content


def _without_none(kind: Any) -> Any:
    """A type without the None of an optional argument."""
    if not is_union(kind):
        return kind
    return Union[tuple(one for one in get_args(kind) if one is not NoneType)]  # noqa: UP007 # of a tuple


def _parsed_docstring(doc: str) -> tuple[str, list[str], dict[str, str]]:
    """The summary of a method's docstring, its other paragraphs, and the description of each argument."""
    head, _, rest = doc.rpartition("\nArgs:\n")
    summary, *paragraphs = head.strip().split("\n\n")
    entries = re.split(r"^ {4}(?=\S)", rest.rpartition("\nRaises:\n")[0], flags=re.MULTILINE)
    pairs = (entry.partition(": ") for entry in entries if entry.strip())
    # Without the links to sources: they do not fit the column, and the docstring has them.
    descriptions = {name: re.sub(r" See https?://\S+", "", " ".join(text.split())) for name, _, text in pairs}
    return " ".join(summary.split()), paragraphs, descriptions

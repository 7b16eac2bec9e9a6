"""How commands are declared: help pages that end with examples, and the options that several commands have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

__all__ = ["FORMATS", "Command", "Group", "asking_options"]

FORMATS = ("table", "json", "jsonl", "csv")


class _Page(click.Command):
    """A help page with all that we want to have on it."""

    def __init__(
        self,
        *arguments: Any,
        examples: Sequence[str] = (),
        about: Mapping[str, str] | None = None,
        asks: bool = True,
        **named: Any,
    ) -> None:
        super().__init__(*arguments, **named)
        self._examples = examples
        self._about = about or {}
        self._asks = asks

    def examples(self) -> Sequence[str]:
        """Lines to type in a shell."""
        return self._examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self._about:  # of arguments; click 8.1 has no place for it
            with formatter.section("Arguments"):
                formatter.write_dl([*self._about.items()])
        super().format_options(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        if self._asks:
            with formatter.section("Environment"):
                formatter.write_dl(_environment())
        with formatter.section("Examples"):
            for line in self.examples():
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")  # never wrapped, to be copied


def _environment() -> list[tuple[str, str]]:
    # Only here, since it comes with the generated package and its HTTP library.
    from talkdesk_bridge._settings import KINDS, PREFIX

    rows = [(f"{PREFIX}URL", "The bridge's base URL.")]
    for kind in KINDS:
        optional = f" (and {' '.join(PREFIX + name for name in kind.optional)})" if kind.optional else ""
        rows.append((kind.name, " ".join(PREFIX + name for name in kind.needed) + optional))
    return rows


class Command(_Page):
    """A command; `about` tells of its arguments, and one that `asks` the bridge also tells its environment."""


class Group(_Page, click.Group):
    """A command that has others."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show the help page if nothing was given, with the status of a wrong call."""
        if not args:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)


def asking_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `run.asking`: what it prints where, and how it asks the bridge."""
    options = (
        click.option(
            "--output",
            metavar="FILE",
            help="Write there instead of to standard output: all of it, or nothing where anything fails.",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True, max=86_400),
            metavar="SECONDS",
            help="How long to wait for a connection, and for each read of an answer; 5 and 30 by default.",
        ),
        click.option("--strict", is_flag=True, help="Fail where an answer differs from the contract."),
        click.option(
            "--debug",
            is_flag=True,
            help="Tell each request on standard error: method, URL, status, seconds, whether it is sent again; and "
            "what a refusal says to developers.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function

"""What the commands that ask the bridge have in common: their options, and the environment on their help pages."""

from __future__ import annotations

from collections.abc import Callable

import click

__all__ = ["SECONDS", "AskingCommand", "asking_options"]

SECONDS = click.FloatRange(min=0, min_open=True, max=86_400)


class AskingCommand(click.Command):
    """A command that asks the bridge; its help page lists the environment."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: D102 # of click
        super().format_epilog(ctx, formatter)
        from talkdesk_bridge import VARIABLES  # here, because it imports the whole client

        with formatter.section("Environment"):
            formatter.write_dl([*VARIABLES.items()])


def asking_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `run.asking`."""
    options = (
        click.option(
            "--output",
            metavar="FILE",
            help="Write to this file instead of standard output: everything, or nothing if anything fails.",
        ),
        click.option(
            "--timeout",
            type=SECONDS,
            metavar="SECONDS",
            help="How long to wait for a connection, and for each read of a response; 5 and 30 by default.",
        ),
        click.option("--strict", is_flag=True, help="Fail if a response deviates from the contract."),
        click.option(
            "--debug",
            is_flag=True,
            help="Show each request on standard error (method, URL, status, seconds, retries), and what an error "
            "response says to developers.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function

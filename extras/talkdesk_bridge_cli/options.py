"""The shared options of commands that send requests, and the environment variables on their help pages."""

from __future__ import annotations

from collections.abc import Callable

import click

__all__ = ["SECONDS", "RequestCommand", "request_options"]

SECONDS = click.FloatRange(min=0, min_open=True, max=86_400)


class RequestCommand(click.Command):
    """A command that sends requests; its help page lists the environment variables."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: D102 # of click
        super().format_epilog(ctx, formatter)
        from talkdesk_bridge import VARIABLES  # here, because it imports the whole client

        with formatter.section("Environment"):
            formatter.write_dl([*VARIABLES.items()])


def request_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options of `run.connected_run` to a command."""
    options = (
        click.option(
            "--output",
            metavar="FILE",
            help="Write to this file instead of standard output; if anything fails, the file is not changed.",
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
            help="Log requests (method, URL, status, seconds, retries) and developer messages on standard error.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function

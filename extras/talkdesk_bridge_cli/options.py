"""The shared options of commands that send requests, and the environment variables on their help pages."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from typing import Any

import click


class _Seconds(click.FloatRange):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = super().convert(value, param, ctx)
        if isnan(seconds):  # passes the check of the range
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return seconds


SECONDS = _Seconds(min=0, min_open=True, max=86_400)
LIMIT = click.IntRange(min=1)


class RequestCommand(click.Command):
    """A command that sends requests; its help page lists the environment variables."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: D102 # of click
        super().format_epilog(ctx, formatter)
        from talkdesk_bridge import VARIABLES  # here, because it imports the whole client

        with formatter.section("Environment variables, and the credential that each is for"):
            formatter.write_dl([*VARIABLES.items()])


def request_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that become arguments of `run.connected_run` to a command."""
    options = (
        click.option(
            "--output", type=click.Path(readable=False), metavar="FILE",
            help="Write to this file instead of standard output; if anything fails, the file is not changed.",
        ),
        click.option(
            "--timeout", type=SECONDS, metavar="SECONDS",
            help="How long to wait for a connection, and for each read of a response; 5 and 30 by default.",
        ),
        click.option(
            "--paging", type=click.Choice(["links", "numbers"]), default="links",
            help="Follow the bridge's next links (default), or count pages: for bridges whose links are wrong.",
        ),
        click.option("--quiet", is_flag=True, help="On standard error, print errors only."),
        click.option("--strict", is_flag=True, help="Fail if a response deviates from the contract."),
        click.option(
            "--debug", is_flag=True,
            help="Log requests (method, URL, status, seconds, retries) and developer messages on standard error.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function

"""The command `sandbox`: the sandbox in the foreground, until Ctrl-C. Needs the extra `sandbox`."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from typing import Any

from talkdesk_bridge_cli.exit import fail, needs_extra, tell

try:
    from talkdesk_bridge_sandbox import Sandbox, accounts_table, faults_table
except ModuleNotFoundError:
    raise needs_extra("sandbox") from None

__all__ = ["print_tables", "serve"]


def print_tables(*, accounts: bool, faults: bool) -> None:
    """Print the tables that are asked for."""
    print("\n\n".join([accounts_table()] * accounts + [faults_table()] * faults))


def serve(host: str, port: int, **options: Any) -> None:
    """Serve until the process is interrupted; the options are those of Sandbox."""
    try:
        server = Sandbox(host=host, port=port, log=tell, **options)
    except ValueError as error:
        raise fail(f"{error}. Try 'talkdesk-bridge sandbox --help'.", 2) from None
    except OSError as error:
        # Of a name that cannot be found, the number is not the system's.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        told = f"port {port} of {host} cannot be used ({reason})"
        raise fail(f"{told}: name another one with --port or --host.", 2) from None

    def end(*_: object) -> None:
        server.stop()

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # What that raises is dropped where it comes in the middle of an import, of which uvicorn has some as it begins.
        signal.signal(signal.SIGINT, end)
    command = "talkdesk-bridge" if shutil.which("talkdesk-bridge") else os.path.relpath(sys.argv[0])
    print(server.describe(command), flush=True)
    server.serve()
    # Only Ctrl-C ends it.
    raise SystemExit(130)

"""The command `sandbox`: runs the sandbox in the foreground until a signal ends it. Needs the extra `sandbox`."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from typing import Any

from talkdesk_bridge_cli.exit import CommandError, needs_extra, report

try:
    from talkdesk_bridge_sandbox import Sandbox, accounts_table, faults_table
except ModuleNotFoundError:
    raise needs_extra("sandbox") from None

__all__ = ["accounts_table", "faults_table", "serve"]


def serve(host: str, port: int, **options: Any) -> None:
    """Serve until a signal arrives; the options are those of Sandbox."""
    try:
        server = Sandbox(host=host, port=port, log=report, **options)
    except ValueError as error:
        raise CommandError(f"{error}. Try 'talkdesk-bridge sandbox --help'.", 2) from None
    except OSError as error:
        # If the host name cannot be resolved, the number is not an errno.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        remedy = "Choose another with --port or --host"
        raise CommandError(f"cannot listen on {host}, port {port}: {reason}. {remedy}.", 2) from None
    command = "talkdesk-bridge" if shutil.which("talkdesk-bridge") else shlex.quote(sys.argv[0])
    with server:
        print(server.describe(command), flush=True)
        # The server runs in another thread, because an event loop could lose the exception that a signal raises.
        # Short sleeps, because the signal may reach the other thread.
        while True:
            time.sleep(0.2)

"""`make demo`: starts a sandbox on loopback, runs the real command against it, and leaves nothing behind."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

IN_PYTHON = """
from talkdesk_bridge import BridgeClient, errors
with BridgeClient.from_env() as bridge:
    try:
        bridge.billing.get_account_invoices("9999999999")
    except errors.NotFoundError as error:
        print(error.status_code, error.error_info.user_message)
"""
STEPS = {
    "The client gets a token and reads all pages": "talkdesk-bridge invoices 1000000001 --per-page 50",
    "An error response: the account does not exist": "talkdesk-bridge invoices 9999999999",
    "The same error in Python": f"python -c '{IN_PYTHON.strip()}'",
}
"""The command of each step, by its title."""
FIRST, LAST = 5, 6
"""The numbers of lines of a long output that are shown, so that the demo fits on one screen."""
VARIABLES = ("URL", "TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET")


def main() -> int:
    """Run the demo. Returns 0 if every step had the expected exit status, else 1."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TALKDESK_BRIDGE_")}
    clean["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        command = "talkdesk-bridge sandbox --port 0"
        sandbox = subprocess.Popen(command.split(), env=clean, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            variables = _environment(sandbox)
            announce("A bridge on loopback", command)
            print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))
            statuses = [step(title, command, clean | variables) for title, command in STEPS.items()]
        finally:
            sandbox.terminate()
            sandbox.communicate()
            log.seek(0)
            announce("The requests that the bridge received, each once")
            print("".join(dict.fromkeys(log)), end="")
    if statuses != [0, 4, 0]:
        print(f"The demo failed: the exit statuses are {statuses} instead of [0, 4, 0].", file=sys.stderr)
        return 1
    print("\nDone. Nothing is left running. Continue with README.md.")
    return 0


def _environment(sandbox: subprocess.Popen[str]) -> dict[str, str]:
    """The variables for OAuth 2 that the sandbox prints for export."""
    variables: dict[str, str] = {}
    assert sandbox.stdout is not None  # noqa: S101 # for the type checker
    for line in sandbox.stdout:
        name, _, value = line.strip().removeprefix("export TALKDESK_BRIDGE_").partition("=")
        if name in VARIABLES:
            variables[f"TALKDESK_BRIDGE_{name}"] = shlex.split(value)[0]
        if len(variables) == len(VARIABLES):
            return variables
    raise SystemExit("The sandbox did not start: see its message below.")


def announce(title: str, command: str = "") -> None:
    """Print a headline, and the command that a user would type."""
    print(f"\n=== {title}" + (f"\n$ {command}" if command else ""), flush=True)


def step(title: str, command: str, environment: dict[str, str]) -> int:
    """Announce and run a command, and return its exit status."""
    announce(title, command)
    in_order = ["sh", "-c", f"{command} 2>&1"]  # one stream, so that piped output keeps its order
    done = subprocess.run(in_order, env=environment, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    if len(lines) > FIRST + LAST + 1:
        lines[FIRST:-LAST] = [f"... {len(lines) - FIRST - LAST} more lines ..."]
    print("\n".join(lines))
    if done.returncode:
        print(f"(exit status {done.returncode})")
    return done.returncode


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the sandbox is terminated too
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

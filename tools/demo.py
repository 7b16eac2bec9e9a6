"""`make demo`: starts a sandbox on loopback, runs the real command against it, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("talkdesk-bridge"))
IN_PYTHON = """
from talkdesk_bridge import BridgeClient, errors
with BridgeClient.from_env() as bridge:
    try:
        bridge.billing.get_account_invoices("9999999999")
    except errors.StatusError as error:
        print(error.status_code, error.error_info)
"""
VARIABLES = ("URL", "TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET")


def main() -> int:
    """Run the demo. Returns 0 if every step had the expected exit status, else 1."""
    listed = failed = caught = None
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TALKDESK_BRIDGE_")}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        sandbox = subprocess.Popen([COMMAND, "sandbox", "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            variables = _environment(sandbox)
            step("A bridge on loopback", "talkdesk-bridge sandbox --port 0")
            print("\n".join(f"export {name}={value}" for name, value in variables.items()))
            step("The client gets a token and reads all pages", "talkdesk-bridge invoices 1000000001 --per-page 50")
            listed = run("invoices", "1000000001", "--per-page", "50", environment=clean | variables)
            step("An error response: the account does not exist", "talkdesk-bridge invoices 9999999999")
            failed = run("invoices", "9999999999", environment=clean | variables)
            print(f"(exit status {failed})")
            step("The same error in Python", f"python -c '{IN_PYTHON.strip()}'")
            caught = subprocess.run([sys.executable, "-c", IN_PYTHON], env=clean | variables, check=False).returncode
        finally:
            sandbox.terminate()
            sandbox.communicate()
            log.seek(0)
            step("The requests that the bridge received", "")
            print(log.read(), end="")
    if (listed, failed, caught) != (0, 4, 0):
        print(f"The demo failed: exit status {listed}, {failed}, {caught} instead of 0, 4, 0.", file=sys.stderr)
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
            variables[f"TALKDESK_BRIDGE_{name}"] = value
        if len(variables) == len(VARIABLES):
            return variables
    raise SystemExit("The sandbox did not start: see its message below.")


def step(title: str, command: str) -> None:
    """Print a headline, and the command that a user would type."""
    print(f"\n=== {title}" + (f"\n$ {command}" if command else ""), flush=True)


def run(*arguments: str, environment: dict[str, str]) -> int:
    """Run the command with its output on the terminal, and return its exit status."""
    # One stream, so that piped output keeps its order.
    return subprocess.run([COMMAND, *arguments], env=environment, stderr=subprocess.STDOUT, check=False).returncode


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the sandbox is terminated too
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

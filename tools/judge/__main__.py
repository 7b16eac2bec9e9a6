"""`make judge`: schemathesis against a bridge, in three runs: an account with invoices, an empty and an unknown one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import yaml

from tools.contract import command_parser, load_named, mapping

HERE = Path(__file__).parent
SCHEMATHESIS = HERE.parents[1] / ".venv-judge" / "bin" / "schemathesis"
RUNS = {
    "account": ("an account with invoices", "schemathesis.toml", []),
    "empty": ("an account without invoices", "schemathesis.toml", ["--mode=positive", "--max-examples=10"]),
    "unknown": ("an account that does not exist", "unknown.toml", []),
}
"""What each argument is, and the configuration and options of its run."""
LONGEST = 300
"""Seconds for one run."""
USAGE = "make judge URL=https://bridge.example ACCOUNT=1 EMPTY=2 UNKNOWN=3"

# The client reads the TALKDESK_BRIDGE_ variables, and knows every kind of token request.
IN_CLIENT = """
import json, sys, httpx
from talkdesk_bridge import BridgeClient, errors
try:
    with BridgeClient.from_env() as bridge:
        bridge.authenticate()
except errors.BridgeError as error:
    sys.exit(str(error))
headers = bridge.auth.headers()
if hasattr(bridge.auth, "token_request"):
    sent, body = bridge.auth.token_request()
    token = httpx.post(bridge.auth.token_url, headers=sent, content=body).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
print(json.dumps([bridge.base_url, headers]))
"""


class UnusableError(Exception):
    """Why a bridge cannot be judged, in a sentence for the user."""


def main() -> int:
    """Judge a bridge. Returns 0 if it passed all runs, 1 if it did not, 2 if it could not be judged."""
    parser = command_parser("tools.judge")
    for name in ("url", *RUNS):
        parser.add_argument(f"--{name}", default="")
    arguments = vars(parser.parse_args())
    try:
        for name, (what, *_) in RUNS.items():
            if not arguments[name]:
                raise UnusableError(f"{name.upper()} is not set: give the number of {what}, as in `{USAGE}`.")
        if len({arguments[name] for name in RUNS}) < len(RUNS):
            raise UnusableError("ACCOUNT, EMPTY and UNKNOWN must be three different numbers.")
        contract = strict(arguments["file"], HERE / "strict.overlay.yaml")
        failed = [name.upper() for name in RUNS if not passes(name, arguments, contract)]
    except UnusableError as reason:
        print(reason, file=sys.stderr)
        return 2
    if failed:
        print(f"\nNot passed: {', '.join(failed)}. See above.")
        return 1
    print("\nAll three runs passed.")
    return 0


def strict(file: Path, overlay: Path) -> dict[str, Any]:
    """The contract with the lists of an overlay added to its own. Targets must be paths of plain names."""
    contract = load_named(file)
    if contract.findings:
        raise UnusableError(f"{file} is not valid: run `make validate`.")
    for action in yaml.safe_load(overlay.read_text(encoding="utf-8"))["actions"]:
        target = contract.at(tuple(action["target"].split(".")[1:]))
        if target is None:
            raise UnusableError(f"{file} has no {action['target']}: remove it from {overlay}.")
        for name, added in action["update"].items():
            target[name] = [*target.get(name, []), *added]
    return contract.data


def set_credential(contract: dict[str, Any], header: str) -> None:
    """Let every operation that needs a credential need the one in this header; none if there is no header."""
    schemes = {"Credential": {"type": "apiKey", "in": "header", "name": header}} if header else {}
    contract["components"]["securitySchemes"] = schemes
    for item in contract["paths"].values():
        for operation in item.values():
            if "responses" in mapping(operation) and operation.get("security") != []:
                operation["security"] = [{name: []} for name in schemes]


def passes(name: str, arguments: dict[str, str], contract: dict[str, Any]) -> bool:
    """Whether the bridge passes one run of schemathesis, whose output is printed without the credential."""
    what, configuration, options = RUNS[name]
    url, header, value = credential(arguments["url"])
    set_credential(contract, header)
    print(f"\n{name.upper()}: {what}" + ("" if header else "; no credential is set, so none is sent"), flush=True)
    environ = os.environ | {"JUDGE_ACCOUNT": arguments[name], "JUDGE_CREDENTIAL": value, "PYTHONUTF8": "1"}
    environ.setdefault("REQUESTS_CA_BUNDLE", environ.get("SSL_CERT_FILE", ""))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "strict.json"
        file.write_text(json.dumps(contract), encoding="utf-8")
        program = [str(SCHEMATHESIS), "--config-file", str(HERE / configuration), "run", str(file)]
        with subprocess.Popen([*program, "--url", url, *options], env=environ, stdout=subprocess.PIPE) as process:
            timer = threading.Timer(LONGEST, process.kill)
            timer.start()
            show(process, value.rpartition(" ")[2].encode())
            timer.cancel()
    if process.returncode < 0:
        print(f"Stopped after {LONGEST} s: the bridge is too slow to be judged.")
    return process.returncode == 0


def show(process: subprocess.Popen[bytes], secret: bytes) -> None:
    """Print the output of a process as it comes, without the secret, which a bridge may repeat in its responses."""
    for line in process.stdout or ():
        sys.stdout.buffer.write(line.replace(secret, b"[Filtered]") if secret else line)
        sys.stdout.buffer.flush()


def credential(url: str) -> tuple[str, str, str]:
    """The URL of the bridge, and the header that carries the credential, with its value; a token is new each time."""
    environ = os.environ | ({"TALKDESK_BRIDGE_URL": url} if url else {})
    done = subprocess.run([sys.executable, "-c", IN_CLIENT], env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnusableError(done.stderr.strip().splitlines()[-1])
    url, headers = json.loads(done.stdout)
    header, value = next(iter(headers.items()), ("", ""))
    return url, header, value


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

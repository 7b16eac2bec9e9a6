"""`make docs`: the contract as one page of HTML, a file that needs no network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tools.contract import load

# In an interpreter of its own: the tools do not depend on the package that they make.
MAKE = """
import json, sys
from talkdesk_bridge_sandbox._page import page
sys.stdout.buffer.write(page(json.load(sys.stdin)).encode())
"""


def main(arguments: list[str]) -> int:
    """Write the page of a contract, which is valid, to a file; 0 when it is written, else 2."""
    source, target = Path(arguments[0]), Path(arguments[1])
    contract = json.dumps(load(source).data).encode()
    made = subprocess.run([sys.executable, "-c", MAKE], input=contract, capture_output=True, check=False)
    if made.returncode:
        print(f"{target} was not written: {made.stderr.decode().strip().splitlines()[-1]}", file=sys.stderr)
        return 2
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_bytes(made.stdout)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        print(f"{target} cannot be written: {error.strerror}.", file=sys.stderr)
        return 2
    print(f"{target}: written from {source}. It is one file of {len(made.stdout) / 1e6:.1f} MB; open it in a browser.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

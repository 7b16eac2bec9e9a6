"""Commands that must do what they should: pip, and what it installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
HASHED = ["--require-hashes", "--only-binary", ":all:", "-r"]


def run(*command: str, **variables: str) -> str:
    """What a command prints that does what it should."""
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """The address of a sandbox in a process of its own."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        told = re.search(r"http://\S+", process.stdout.readline())
        assert told
        try:
            yield told[0]
        finally:
            process.kill()


def ready(url: str) -> dict[str, str]:
    return {"TALKDESK_BRIDGE_URL": url, "TALKDESK_BRIDGE_API_KEY": "sandbox-key"}

"""Runs commands that must succeed: pip, and programs that it installed."""

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
    """The output of a command, which must succeed."""
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """The URL of a sandbox in another process."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        url = re.search(r"http://\S+", process.stdout.readline())
        assert url
        try:
            yield url[0]
        finally:
            process.kill()


def ready(url: str) -> dict[str, str]:
    return {"TALKDESK_BRIDGE_URL": url, "TALKDESK_BRIDGE_API_KEY": "sandbox-key"}

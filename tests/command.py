"""The command as a process of its own, for the tests: in a pipe, and on a terminal."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("talkdesk-bridge"))


def environment(**variables: str) -> dict[str, str]:
    """The environment, with these TALKDESK_BRIDGE_ variables; narrow, since a pipe has no width."""
    named = {f"TALKDESK_BRIDGE_{name}": value for name, value in variables.items()}
    return os.environ | {"COLUMNS": "40", "LINES": "5"} | named


def run(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """What the command does with its output in pipes."""
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment(**variables), input=stdin, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def on_a_terminal(*command: str, variables: dict[str, str], width: int = 80) -> tuple[int, str]:
    """The exit status of a program on a terminal of this width, and all that the terminal got."""
    terminal, inside = os.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    named = {"TERM": "xterm", "PATH": os.environ["PATH"]} | variables
    process = subprocess.Popen(command, env=named, stdin=inside, stdout=inside, stderr=inside, start_new_session=True)
    os.close(inside)
    got = b""
    with suppress(OSError):  # as Linux tells its end
        while part := os.read(terminal, 65536):
            got += part
    os.close(terminal)
    return process.wait(timeout=60), got.decode().replace("\r\n", "\n")


def works(line: str, url: str, folder: Path) -> None:
    """Run a line of a shell, in a folder of its own; it must do what it is an example of."""
    named = {"TALKDESK_BRIDGE_URL": url, "TALKDESK_BRIDGE_BEARER_TOKEN": "sandbox-token"}
    if " accounts.txt" in line:
        (folder / "accounts.txt").write_text("1000000001\n1000000005\n", encoding="ascii")
    path = f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        ["/bin/sh", "-c", f"exec {line}"],
        env=os.environ | named | {"PATH": path}, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        serves = "sandbox" in line and not re.search("--(help|accounts|faults)", line)
        if serves:  # until it is interrupted
            assert process.stdout.readline()
            process.send_signal(signal.SIGINT)
        try:
            out, told = process.communicate(timeout=60)
        finally:
            process.kill()  # what was not ended must not be waited for
        assert process.returncode == (130 if serves else 0), told
        assert out or "--output" in line or serves
        assert all(" 200 in " in told_line for told_line in told.splitlines()) or "sandbox" in line
    for name in re.findall(r"--output (\S+)", line):
        assert (folder / name).stat().st_size

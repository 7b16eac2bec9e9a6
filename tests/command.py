"""Runs the command for tests: in this process, in another process, and on a terminal."""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from unittest.mock import patch

from talkdesk_bridge_cli.main import main

COMMAND = str(Path(sys.executable).with_name("talkdesk-bridge"))
Run = Callable[..., subprocess.CompletedProcess[str]]


def environment(**variables: str) -> dict[str, str]:
    """The environment with these TALKDESK_BRIDGE_ variables, and a narrow width, which a pipe must ignore."""
    named = {f"TALKDESK_BRIDGE_{name}": value for name, value in variables.items()}
    return os.environ | {"COLUMNS": "40", "LINES": "5"} | named


def run(
    *arguments: str, stdin: str = "", encoding: str = "utf-8", **variables: str
) -> subprocess.CompletedProcess[str]:
    """The result of the command, run in this process with these TALKDESK_BRIDGE_ variables."""
    return call([*arguments], environment(**variables), stdin, encoding=encoding)


def call(
    arguments: list[str], environ: dict[str, str], stdin: str = "", *, encoding: str = "utf-8", interrupt: bool = False
) -> subprocess.CompletedProcess[str]:
    """The result of the command, run in this process with its output in files.

    With `interrupt`, it gets SIGINT after its first output. Signal handlers are restored at the end.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    status: object = "no exit"
    with stream(stdin) as given, stream("", encoding) as out, stream() as err:
        if interrupt:
            threading.Thread(target=_interrupt, args=(out,)).start()
        streams: dict[str, Any] = {
            "stdin": given,
            "stdout": out,
            "stderr": err,
            "argv": ["talkdesk-bridge", *arguments],
        }
        try:
            with patch.multiple(sys, **streams), patch.dict(os.environ, environ, clear=True):
                main()
        except SystemExit as ended:
            status = ended.code
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        assert isinstance(status, int), status
        return subprocess.CompletedProcess(arguments, status, written(out), written(err))


def _interrupt(out: io.TextIOWrapper) -> None:
    for _ in range(3000):
        if os.fstat(out.fileno()).st_size:
            os.kill(os.getpid(), signal.SIGINT)
            return
        time.sleep(0.01)


@contextmanager
def stream(text: str = "", encoding: str = "utf-8") -> Iterator[io.TextIOWrapper]:
    """A file as a standard stream."""
    with NamedTemporaryFile() as file, io.TextIOWrapper(file, encoding) as wrapped:
        file.write(text.encode())
        file.seek(0)
        yield wrapped


def written(out: io.TextIOWrapper) -> str:
    """The text written to a standard stream."""
    out.flush()
    return Path(out.name).read_text("utf-8")


def as_process(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """The result of the command, run in another process with its output in pipes."""
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment(**variables), input=stdin, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def on_a_terminal(*command: str, variables: dict[str, str], width: int = 80) -> tuple[int, str]:
    """The exit status of a program on a terminal of this width, and everything that it printed."""
    terminal, inside = os.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    named = {"TERM": "xterm", "PATH": os.environ["PATH"]} | variables
    process = subprocess.Popen(command, env=named, stdin=inside, stdout=inside, stderr=inside, start_new_session=True)
    os.close(inside)
    printed = b""
    with suppress(OSError):  # Linux's end of a terminal
        while part := os.read(terminal, 65536):
            printed += part
    os.close(terminal)
    return process.wait(timeout=60), printed.decode().replace("\r\n", "\n")


def works(line: str, url: str, folder: Path) -> None:
    """Run an example line of a shell in this folder; it must succeed."""
    named = environment(URL=url, BEARER_TOKEN="sandbox-token")  # made up
    if " accounts.txt" in line:
        (folder / "accounts.txt").write_text("1000000001\n1000000005\n", encoding="ascii")
    program, *arguments = shlex.split(line)
    assert program == "talkdesk-bridge"
    serves = arguments[0] == "sandbox" and not re.search("--(help|accounts|faults)", line)
    with chdir(folder):
        done = call(arguments, named, interrupt=serves)
    assert done.returncode == (130 if serves else 0), done.stderr
    assert done.stdout or "--output" in line or arguments[0] == "get"  # an operation may respond without a body
    expected = r" 20\d in | (printed|written to \S+|kept)\.$|^At most |^\d+ rules: "
    assert all(re.search(expected, logged) for logged in done.stderr.splitlines())
    for name in re.findall(r"--output (\S+)", line):
        assert (folder / name).stat().st_size


@contextmanager
def other_process(code: str, *folders: Path) -> Iterator[Callable[[Any], Any]]:
    """A function that sends JSON to a program, and returns the JSON that it prints on one line.

    Args:
        code: The program, in Python; it reads a line of JSON for each call.
        folders: Where it imports packages from first.

    """
    paths = {"PYTHONPATH": os.pathsep.join([*map(str, folders), str(Path(__file__).parent.parent)])}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | paths, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        requests, results = process.stdin, process.stdout

        def ask(request: Any) -> Any:
            requests.write(json.dumps(request) + "\n")
            requests.flush()
            return json.loads(results.readline())

        yield ask
        requests.close()


@contextmanager
def in_another_process(*folders: Path) -> Iterator[Run]:
    """A function that runs the command in another process, which imports packages from these folders first."""
    with other_process("from tests.command import run_requests; run_requests()", *folders) as ask:

        def run_there(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
            return subprocess.CompletedProcess(arguments, *ask([arguments, environment(**variables), stdin]))

        yield run_there


def run_requests() -> None:
    """Run the command for each line of standard input: arguments, environment and standard input, as JSON."""
    results = sys.stdout
    for line in sys.stdin:
        done = call(*json.loads(line))
        print(json.dumps([done.returncode, done.stdout, done.stderr]), file=results, flush=True)

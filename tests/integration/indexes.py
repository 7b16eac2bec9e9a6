"""Package indexes on loopback: pypiserver in a separate process, and a proxy that cuts uploads off."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.conftest import ROOT

BIN = ROOT / ".venv-integration" / "bin"
USER, PASSWORD = "ci", "s3cret/+%@:"
"""The user who may upload to an index and read it. In a URL, this password must be quoted."""


class Index:
    """A running index, and the folder with its files."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}/"
        self.simple = f"{self.url}simple/"

    def variables(self, **changed: str) -> dict[str, str]:
        """The variables for `make upload`."""
        named = {"URL": self.url, "CHECK_URL": self.simple, "USERNAME": USER, "PASSWORD": PASSWORD} | changed
        return {f"UV_PUBLISH_{name}": value for name, value in named.items()}

    def holds(self) -> list[str]:
        """The names of our project's files in the index."""
        return sorted(file.name for file in self.folder.glob("talkdesk_bridge*"))


# pypiserver's default server passes on a body that was cut off; waitress does not.
WAITRESS = """
import sys, pypiserver, waitress
port, folder, passwords, fallback, *actions = sys.argv[1:]
options = {"password_file": passwords, "authenticate": actions, "disable_fallback": not fallback, "fallback_url": fallback}
waitress.serve(pypiserver.app(roots=[folder], **options), host="127.0.0.1", port=int(port))
"""


@contextmanager
def serving(
    folder: Path,
    *,
    actions: str = "update download list",
    buffered: bool = True,
    credential: tuple[str, str] = (USER, PASSWORD),
    fallback: str = "",
) -> Iterator[Index]:
    """Run an index of the files in a folder, which requires a credential for some actions.

    Args:
        folder: The parent of the folder `packages`, which is created if it is missing.
        actions: The actions that require a credential; `.` for none.
        buffered: Whether it receives an upload completely before it processes it.
        credential: The user name and the password that it requires.
        fallback: The URL that it redirects to for packages that it lacks; it responds with 404 by default.

    """
    if not BIN.exists():
        pytest.fail("there is no .venv-integration: run `make integration`")
    packages, passwords = folder / "packages", folder / f"passwords-{credential[0]}"
    packages.mkdir(parents=True, exist_ok=True)
    code = "import sys; from passlib.apache import HtpasswdFile; file = HtpasswdFile(sys.argv[1], new=True); "
    code += "file.set_password(*sys.argv[2:]); file.save()"
    isolated = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([BIN / "python", "-c", code, passwords, *credential], env=isolated, check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(BIN / "python"), "-c", WAITRESS, str(port), str(packages), str(passwords), fallback]
    command += actions.split()
    if not buffered:
        command = [str(BIN / "pypi-server"), "run", "-i", "127.0.0.1", "-p", str(port), "--disable-fallback"]
        command += ["--server", "wsgiref", "-P", str(passwords), "-a", ",".join(actions.split()), str(packages)]
    process = subprocess.Popen(command, env=isolated, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert process.poll() is None, "pypiserver did not start"
            time.sleep(0.1)
        yield Index(port, packages)
    finally:
        process.kill()
        process.wait()


@contextmanager
def cutting(index: Index, name: bytes) -> Iterator[str]:
    """The URL of a proxy to an index that cuts off each upload of the file `name` halfway."""
    server = socket.create_server(("127.0.0.1", 0))

    def carry(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", index.port)) as upstream:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (part := client.recv(65536)):
                    return
                head += part
            begin, _, body = head.partition(b"\r\n\r\n")
            found = re.search(rb"(?i)content-length: (\d+)", begin)
            left = int(found[1]) if found else 0
            while len(body) < left // 2:
                body += client.recv(65536)
            # Else both ends would keep an idle connection.
            upstream.sendall(begin + b"\r\nConnection: close\r\n\r\n" + body)
            if name in body:
                return
            while len(body) < left:
                body += (part := client.recv(65536))
                upstream.sendall(part)
            while part := upstream.recv(65536):
                client.sendall(part)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                threading.Thread(target=carry, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"

"""From the built wheel to a table of invoices: the README's three commands, in a fresh environment."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that the extra `sandbox` needs, each file checked against its hash."""
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:",
         "-d", str(folder), "-r", str(ROOT / "requirements" / "dev.txt")],
        check=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def fresh(tmp_path: Path, wheels: Path) -> dict[str, str]:
    """The variables of a shell in a new virtual environment, whose pip knows only those files."""
    venv.create(tmp_path / "new", with_pip=True)
    return {
        "PATH": f"{tmp_path / 'new' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
    }


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
        return number


def commands(port: int) -> list[str]:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Three commands")[2].partition("\n## ")[0]
    lines = "".join(re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)).splitlines()
    assert len(lines) == 3
    return [lines[0], f"{lines[1]} --port {port}", lines[2].replace("8080", str(port))]


@pytest.fixture
def running(fresh: dict[str, str], port: int, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The sandbox, from the wheel that is installed as the README says."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    install, serve, _ = commands(port)
    subprocess.run(["/bin/sh", "-c", install], cwd=tmp_path, env=fresh, check=True)
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        shlex.split(serve), cwd=tmp_path, env=fresh | {"PYTHONUNBUFFERED": "1"}, stdout=pipe, stderr=pipe, text=True
    )
    yield process
    process.kill()
    process.communicate()


def test_three_commands_lead_to_a_table(
    running: subprocess.Popen[str], fresh: dict[str, str], port: int, tmp_path: Path
) -> None:
    assert running.stdout
    assert running.stdout.readline().startswith(f"Sandbox of the bridge: http://127.0.0.1:{port} ")
    shown = subprocess.run(
        ["/bin/sh", "-c", commands(port)[2]], cwd=tmp_path, env=fresh, capture_output=True, text=True, check=False
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines()[-1] == "137 invoices"
    with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/", timeout=10) as page:
        assert b"Get Account Invoices" in page.read()
    running.send_signal(signal.SIGINT)
    _, log = running.communicate(timeout=20)
    assert running.returncode == 130
    assert len(re.findall(r"^GET /BillingInfoAPI/accountinvoices/1000000001(\?page=[23])? 200$", log, re.M)) == 3

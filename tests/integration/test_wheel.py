"""The built wheel in new environments: each supported Python, oldest and newest dependencies, and without extras."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import Distribution, distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import ProxyHandler, build_opener

import pytest
from packaging.requirements import Requirement
from talkdesk_bridge_sandbox import Sandbox

from tests.conftest import ROOT
from tests.integration.commands import HASHED, PIP, ready, run, serving
from tests.pages import DOCS, blocks
from tests.pythons import SUPPORTED, found, python

SETS = ("lowest", "highest")
MAX_BYTES = 6_000_000


@pytest.fixture(scope="module")
def wheel(dist: Path) -> str:
    return str(next(dist.glob("*.whl")))


# From the wheel to a table of invoices: the commands of docs/start.md.


@pytest.fixture
def fresh(tmp_path: Path, wheels: Path) -> dict[str, str]:
    """The variables of a shell with the new environment first in its path; its pip finds only these wheels."""
    folders = (str(tmp_path / "bridge" / "bin"), str(Path(sys.executable).parent), os.environ["PATH"])
    return {
        "PATH": os.pathsep.join(folders),
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


def commands(port: int) -> tuple[str, str, str]:
    """The commands that install the wheel, the one that runs the sandbox, and those for another shell."""
    install, serve, ask, *_ = blocks(DOCS / "start.md", "sh")
    return install, f"{serve.strip()} --port {port}", ask.replace("8080", str(port))


@pytest.fixture
def running(dist: Path, fresh: dict[str, str], port: int, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The sandbox from the wheel, installed as docs/start.md says."""
    shutil.copytree(dist, tmp_path / "dist")
    install, serve, _ = commands(port)
    subprocess.run(["/bin/sh", "-ec", install], cwd=tmp_path, env=fresh, check=True)
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        shlex.split(serve), cwd=tmp_path, env=fresh | {"PYTHONUNBUFFERED": "1"}, stdout=pipe, stderr=pipe, text=True
    )
    yield process
    process.kill()
    process.communicate()


def test_the_commands_of_the_first_page_print_a_table(
    running: subprocess.Popen[str], fresh: dict[str, str], port: int, tmp_path: Path
) -> None:
    assert running.stdout
    assert running.stdout.readline().startswith(f"The sandbox runs at http://127.0.0.1:{port} ")
    shown = subprocess.run(
        ["/bin/sh", "-ec", commands(port)[2]], cwd=tmp_path, env=fresh, capture_output=True, text=True, check=False
    )
    assert (shown.returncode, shown.stderr) == (0, "137 invoices of 1 account printed.\n")
    assert shown.stdout.splitlines()[-1] == "137 invoices"
    with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/", timeout=10) as page:
        assert b"Get Account Invoices" in page.read()
    running.send_signal(signal.SIGINT)
    _, log = running.communicate(timeout=20)
    assert running.returncode == 130
    assert len(re.findall(r"^GET /BillingInfoAPI/accountinvoices/1000000001(\?page=[23])? 200$", log, re.M)) == 3


# Each supported Python, with the oldest and with the newest dependencies.


def new(with_python: str, folder: Path) -> Path:
    """The Python of a new environment without any packages, even without pip."""
    run(with_python, "-m", "venv", "--without-pip", str(folder))
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def environments(wheel: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], Future[Path]]]:
    """The Python of each environment; the next ones are made while the first are tested."""
    folder = tmp_path_factory.mktemp("environments")

    def installed(with_python: str, version: str, pins: str) -> Path:
        inside = new(with_python, folder / f"{version}-{pins}")
        run(*PIP, "--python", str(inside), "install", "-qq", *HASHED, str(ROOT / "requirements" / f"{pins}.txt"))
        run(*PIP, "--python", str(inside), "install", "-qq", "--no-deps", "--no-index", wheel)
        return inside

    with ThreadPoolExecutor(2) as pool:
        yield {
            (version, pins): pool.submit(installed, path, version, pins)
            for version in SUPPORTED
            if (path := found(version))
            for pins in SETS
        }
        pool.shutdown(cancel_futures=True)


@pytest.fixture(params=[(version, pins) for version in SUPPORTED for pins in SETS], ids="-".join)
def inside(request: pytest.FixtureRequest, environments: dict[tuple[str, str], Future[Path]]) -> Path:
    """The Python of an environment with the wheel and the packages of its extras."""
    python(request.param[0])
    return environments[request.param].result()


IMPORTS = """
import json, pkgutil, sys, talkdesk_bridge, talkdesk_bridge_api
from importlib import import_module
from importlib.resources import files
for package in (talkdesk_bridge, talkdesk_bridge_api):
    assert package.__file__.startswith(sys.prefix), package.__file__
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name != "talkdesk_bridge_pytest":  # which needs pytest
            import_module(module.name)
contract = json.loads((files("talkdesk_bridge_api") / "openapi.json").read_bytes())
assert contract["info"]["version"] == talkdesk_bridge.__version__
print(*contract["paths"])
"""


def test_it_works_with_each_python_and_set_of_dependencies(inside: Path, tmp_path: Path) -> None:
    assert run(*PIP, "--python", str(inside), "check") == "No broken requirements found.\n"
    paths = run(str(inside), "-I", "-W", "error", "-c", IMPORTS)
    assert paths == "/BillingInfoAPI/accountinvoices/{account_number}\n"
    command = str(inside.with_name("talkdesk-bridge"))
    with serving(command, "sandbox", "--port", "0") as url:
        listed = run(command, "invoices", "1000000001", **ready(url))
    assert listed.splitlines()[-1] == "137 invoices"


# Without an extra.


REQUEST = """
from talkdesk_bridge import BridgeClient
with BridgeClient.from_env() as bridge:
    print(bridge.billing.get_account_invoices("1000000001").total)
"""


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder with a short path, as people have: each .pyc contains the path of its module."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("version", SUPPORTED)
def test_without_an_extra_it_is_small_and_complete(
    sandbox: Sandbox, wheel: str, wheels: Path, short_path: Path, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = new(python(version), short_path / "new")
    run(*PIP, "--python", str(inside), "install", "-qq", "--no-index", "--find-links", str(wheels), wheel)
    site = short_path / "new" / "lib" / f"python{version}" / "site-packages"
    there = {each.name: each for each in distributions(path=[str(site)])}
    assert {*there} == {"talkdesk-bridge"} | closure({"attrs", "httpx"}, there, version)
    sizes = {file: file.stat().st_size for file in site.rglob("*") if file.is_file()}
    bare = sum(size for file, size in sizes.items() if file.suffix != ".pyc")
    with capsys.disabled():
        print(f"\nPython {version}, without an extra: {sum(sizes.values())} bytes, {bare} without .pyc")  # noqa: T201 # a figure
    assert sum(sizes.values()) < MAX_BYTES
    assert run(str(inside), "-I", "-W", "error", "-c", REQUEST, **ready(sandbox.url)) == "137\n"
    for arguments, extra in ((["invoices", "1"], "cli"), (["sandbox"], "sandbox")):
        result = subprocess.run(
            [inside.with_name("talkdesk-bridge"), *arguments], capture_output=True, text=True, check=False
        )
        message = f"talkdesk-bridge: packages are missing: install talkdesk-bridge[{extra}] from your package index.\n"
        assert (result.returncode, result.stdout, result.stderr) == (2, "", message)


def closure(names: set[str], there: dict[str, Distribution], version: str) -> set[str]:
    """The distributions of these names, and all their dependencies without extras."""
    variables = {"extra": "", "python_version": version, "python_full_version": f"{version}.0"}
    required = [Requirement(text) for name in names for text in there[name].requires or []]
    more = {each.name for each in required if not each.marker or each.marker.evaluate(variables)} - names
    return closure(names | more, there, version) if more else names

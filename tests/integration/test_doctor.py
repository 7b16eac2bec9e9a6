"""`talkdesk-bridge doctor`: real installations that are whole and that are not, and all that may be wrong on the way."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from talkdesk_bridge_cli import connection
from talkdesk_bridge_cli.installation import _within, tree_hash
from talkdesk_bridge_sandbox import Sandbox

from tests.command import COMMAND, on_a_terminal, works
from tests.conftest import ROOT, Server, as_json, page
from tests.raw import Exchange, Raw
from tools import lock

CHECKS = [
    "package", "record", "lock", "contract", "Python", "proxies", "CA bundle", "variables", "bridge", "token", "answer",
]  # fmt: skip
PACKAGE = ROOT / "generated" / "talkdesk_bridge_api"
KEY = {"API_KEY": "sandbox-key", "API_KEY_HEADER": "Authorization"}


def environment(**variables: str) -> dict[str, str]:
    """The environment without certificates of the machine; what is in upper case, but for these few, is ours."""
    others = (*connection.PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in others}
    return kept | {
        name if name in others or "talk" in name.lower() else f"TALKDESK_BRIDGE_{name}": value
        for name, value in variables.items()
    }


def run(*arguments: str, command: tuple[str, ...] = (COMMAND,), **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, "doctor", *arguments],
        env=environment(**variables), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def diagnosed(*arguments: str, **how: Any) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit status, and the checks by name, which are whole whatever is wrong."""
    result = run(*arguments, "--json", **how)
    told = json.loads(result.stdout)
    assert [each["check"] for each in told["checks"]] == CHECKS
    checks = {each.pop("check"): each for each in told["checks"]}
    wrong = [name for name, each in checks.items() if each["status"] == "bad"]
    assert told["exit_status"] == result.returncode == (checks[wrong[0]]["exit_status"] if wrong else 0)
    said = f"talkdesk-bridge: bad: {', '.join(wrong)}; what to do about it is printed there.\n"
    assert result.stderr == (said if wrong else "")
    for each in checks.values():
        assert each.keys() == {"status", "found", "remedy", "command", "exit_status"}
        assert each["status"] in ("good", "warning", "bad", "skipped")
        assert each["found"]
        assert bool(each["remedy"]) >= (each["status"] in ("warning", "bad"))
        assert not (each["remedy"] and each["status"] == "good")
        assert bool(each["exit_status"]) == (each["status"] == "bad")
    return result.returncode, checks


def statuses(checks: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: each["status"] for name, each in checks.items()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that is installed here, pip included, but for the package itself."""
    folder = tmp_path_factory.mktemp("others")
    for found in Path(os.__file__).parent.glob("site-packages/pip*"):
        (folder / found.name).symlink_to(found)
    for found in Path(pytest.__file__).parent.parent.iterdir():
        if "talkdesk" not in found.name and found.suffix != ".pth" and not (folder / found.name).exists():
            (folder / found.name).symlink_to(found)
    return folder


Installed = tuple[str, Path]
"""A Python, and the folder where the package lies."""


@pytest.fixture
def installed(wheel: Path, others: Path, tmp_path: Path) -> Installed:
    """The wheel, installed by pip in an environment of its own."""
    venv.create(tmp_path / "new", symlinks=True)
    python = str(tmp_path / "new" / "bin" / "python")
    (folder,) = (tmp_path / "new").glob("lib/*/site-packages")
    (folder / "others.pth").write_text(str(others), encoding="utf-8")
    install(python, str(wheel))
    return python, folder


def install(python: str, *arguments: str) -> None:
    options = ["-qq", "--disable-pip-version-check", "--no-index", "--no-deps"]
    subprocess.run([python, "-m", "pip", "install", *options, *arguments], env=environment(), check=True)


def command_of(installed: Installed) -> tuple[str, ...]:
    return (str(Path(installed[0]).with_name("talkdesk-bridge")),)


def repaired(finding: dict[str, Any], folder: Path) -> None:
    """Do what a finding says, whatever the variables of the shell add to where pip looks."""
    (folder / "offline.conf").write_text("[global]\nno-index = true\n", encoding="utf-8")
    variables = {"PIP_CONFIG_FILE": str(folder / "offline.conf"), "PIP_REQUIREMENT": "no-such-file"}
    command = ["/bin/sh", "-c", finding["command"]]
    subprocess.run(command, env=environment() | variables, check=True, capture_output=True)


def test_an_installation_that_is_whole(installed: Installed, wheel: Path, sandbox: Sandbox) -> None:
    given = {"URL": sandbox.url, **KEY}
    status, checks = diagnosed("--account", "1000000001", command=command_of(installed), **given)
    assert status == 0
    assert statuses(checks) == dict.fromkeys(CHECKS, "good") | {"token": "skipped"}
    version = lock.read(PACKAGE)["version"]  # type: ignore[index] # it is there
    assert checks["package"]["found"] == f"talkdesk-bridge {version}, installed by pip from {wheel} in {installed[1]}."
    assert re.fullmatch(r"All \d\d files are as they were installed\.", checks["record"]["found"])
    assert f"version {version}." in checks["lock"]["found"]
    contract = json.loads((PACKAGE / "openapi.json").read_bytes())
    assert contract["info"]["title"] in checks["contract"]["found"]
    assert "get_account_invoices" in checks["contract"]["found"]
    text = (PACKAGE / "openapi.json").read_text(encoding="utf-8")
    for told in ("assumed", "documented"):
        count = text.count(f'"status": "{told}"')
        assert count
        assert f"{count} as {told}" in checks["contract"]["found"]
    assert f"{sys.version_info.major}.{sys.version_info.minor}." in checks["Python"]["found"]
    assert re.search(r"attrs \d+\.\d+\.\d+ \(>=23\.2 is needed\)", checks["Python"]["found"])
    assert re.search(r"httpx 0\.28\.\d+ ", checks["Python"]["found"])
    assert "Extras: bulk, cli, jwt, sandbox and speed." in checks["Python"]["found"]
    assert checks["answer"]["found"] == "An answer of get_account_invoices, with 50 invoices, keeps the contract."


def test_files_that_are_not_as_they_were_installed(installed: Installed, tmp_path: Path) -> None:
    command, (_, folder) = command_of(installed), installed
    with (folder / "talkdesk_bridge_api" / "types.py").open("a", encoding="utf-8") as changed:
        changed.write("# a line more\n")
    (folder / "talkdesk_bridge" / "_wire.py").unlink()
    (folder / "talkdesk_bridge" / "sandbox" / "_new.py").touch()
    status, checks = diagnosed("--offline", command=command)
    assert status == 1
    record = checks["record"]
    for told in (
        "differs: talkdesk_bridge_api/types.py",
        "is missing: talkdesk_bridge/_wire.py",
        "is unknown: talkdesk_bridge/sandbox/_new.py",
    ):
        assert told in record["found"]
    # What needs no client is looked at nevertheless.
    assert statuses(checks) == dict.fromkeys(CHECKS, "skipped") | {
        "package": "good", "record": "bad", "lock": "bad", "contract": "good", "Python": "good", "proxies": "bad",
    }  # fmt: skip
    assert "ModuleNotFoundError" in checks["proxies"]["found"]
    asked = [*command, "invoices", "1"]
    refused = subprocess.run(asked, env=environment(URL="https://b"), capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert refused.stderr.startswith(
        "talkdesk-bridge: talkdesk_bridge._wire cannot be imported: run 'talkdesk-bridge doctor'"
    )
    repaired(record, tmp_path)
    _, checks = diagnosed("--offline", command=command)
    assert "differs" not in checks["record"]["found"]
    assert (checks["record"]["status"], checks["lock"]["status"], checks["proxies"]["status"]) == (
        "bad",
        "good",
        "good",
    )
    assert checks["record"]["remedy"] == "Remove what is unknown, which RECORD does not list."
    (folder / "talkdesk_bridge" / "sandbox" / "_new.py").unlink()
    assert diagnosed("--offline", command=command)[1]["record"]["status"] == "good"


def test_a_generated_module_that_changed_with_its_record(installed: Installed) -> None:
    """As where somebody edits the modules and builds a wheel."""
    (information,) = installed[1].glob("*.dist-info")
    module = installed[1] / "talkdesk_bridge_api" / "reading.py"
    module.write_bytes(module.read_bytes() + b"\n")
    lines = (information / "RECORD").read_text(encoding="utf-8").splitlines()
    kept = [
        line if "talkdesk_bridge_api/reading.py" not in line else "talkdesk_bridge_api/reading.py,," for line in lines
    ]
    (information / "RECORD").write_text("\n".join(kept), encoding="utf-8")
    checks = diagnosed("--offline", command=command_of(installed))[1]
    assert (checks["record"]["status"], checks["lock"]["status"]) == ("good", "bad")
    assert "-m pip --isolated install --force-reinstall --no-deps" in checks["lock"]["command"]


def test_a_version_that_is_not_the_lock_s(installed: Installed) -> None:
    (information,) = installed[1].glob("*.dist-info")
    text = (information / "METADATA").read_text(encoding="utf-8")
    (information / "METADATA").write_text(re.sub("(?m)^Version: .*", "Version: 99.0.1", text), encoding="utf-8")
    finding = diagnosed("--offline", command=command_of(installed))[1]["lock"]
    assert (finding["status"], finding["exit_status"]) == ("bad", 1)
    assert "99.0.1" in finding["found"]


def test_a_python_that_was_not_tested(installed: Installed) -> None:
    (information,) = installed[1].glob("*.dist-info")
    text = (information / "METADATA").read_text(encoding="utf-8")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    (information / "METADATA").write_text(text.replace(f":: {version}\n", ":: 3.99\n"), encoding="utf-8")
    finding = diagnosed("--offline", command=command_of(installed))[1]["Python"]
    assert finding["status"] == "warning"
    assert finding["found"].endswith("The client was not tested with this Python.")
    assert re.fullmatch(r"If something fails, use one of these: (3\.\d+, )*3\.\d+\.", finding["remedy"])
    assert "3.99" in finding["remedy"]


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("METADATA", {"record": "is missing: talkdesk_bridge-{}.dist-info/METADATA"}),
        ("RECORD", {"record": "RECORD is missing"}),
        ("../talkdesk_bridge_api/lock.json", {"record": "is missing: talkdesk_bridge_api/lock.json", "lock": "FileNotFound"}),
        ("../talkdesk_bridge_api/openapi.json", {"record": "openapi.json", "lock": "are not those", "contract": "FileNotFound"}),
        ("../talkdesk_bridge_api/__init__.py", {"record": "__init__.py", "lock": "are not those"}),
    ],
)  # fmt: skip
def test_a_file_of_the_installation_that_is_missing(installed: Installed, name: str, named: dict[str, str]) -> None:
    (information,) = installed[1].glob("*.dist-info")
    version = information.name.split("-")[1].removesuffix(".dist")
    (information / name).resolve().unlink()
    status, checks = diagnosed("--offline", command=command_of(installed))
    assert status == 1
    for check, told in named.items():
        assert checks[check]["status"] == "bad"
        assert told.format(version) in checks[check]["found"]


def test_where_it_came_from_without_what_is_secret_there(installed: Installed) -> None:
    (information,) = installed[1].glob("*.dist-info")
    (installed[1].parents[2] / "pip.conf").write_text("[global]\nindex-url = https://p\n", encoding="utf-8")
    vcs = {
        "url": "https://user:s3cret@git.example/bridge?token=t0ken#f",
        "vcs_info": {"vcs": "git", "commit_id": "abc"},
    }
    for direct, source, again in (
        (vcs, "https://git.example/bridge", "git+https://git.example/bridge@abc"),
        ({"url": "https://s3cret@files.example/b.whl", "archive_info": {}}, "https://files.example/b.whl", "https://files.example/b.whl"),
        (None, "a package index", "talkdesk-bridge=="),
    ):  # fmt: skip
        if direct:
            (information / "direct_url.json").write_text(json.dumps(direct), encoding="utf-8")
        else:
            (information / "direct_url.json").unlink()
        result = run("--offline", "--json", command=command_of(installed))
        assert "s3cret" not in result.stdout + result.stderr
        assert "t0ken" not in result.stdout + result.stderr
        package, record, *_ = json.loads(result.stdout)["checks"]
        assert f"installed by pip from {source} in " in package["found"]
        pip = f"{installed[0]} -m pip --isolated install --force-reinstall --no-deps"
        assert record["command"].startswith(f"{pip} {again}")


WORDS = "Install it again, the way talkdesk-bridge was installed: see README.md."


@pytest.mark.parametrize(
    ("installer", "config", "remedy", "command"),
    [
        ("pip", "index-url = https://p\nextra-index-url =", "Install it again:", r".* -m pip --isolated install .* talkdesk-bridge==\S+"),
        # Else pip asks the public index, or what this machine adds to it.
        ("pip", "extra-index-url = https://p", WORDS, ""),
        ("pip", None, WORDS, ""),
        ("uv", "index-url = https://p", "Install it again, in the folder of your project:", "uv sync --reinstall-package talkdesk-bridge"),
        ("Poetry 2.5.1", "index-url = https://p", WORDS, ""),
        ("", "index-url = https://p", WORDS, ""),
    ],
)  # fmt: skip
def test_no_remedy_asks_an_index_that_is_not_the_package_s_own(
    installed: Installed, installer: str, config: str | None, remedy: str, command: str
) -> None:
    (information,) = installed[1].glob("*.dist-info")
    (information / "direct_url.json").unlink()
    (information / "INSTALLER").write_text(installer, encoding="utf-8")
    if config:
        (installed[1].parents[2] / "pip.conf").write_text(f"[global]\n{config}\n", encoding="utf-8")
    finding = diagnosed("--offline", command=command_of(installed))[1]["record"]
    assert finding["remedy"] == remedy
    assert re.fullmatch(command, finding["command"])


def test_no_remedy_names_pip_where_there_is_none(installed: Installed, others: Path, tmp_path: Path) -> None:
    """As in an environment of uv that another environment's pip has installed into."""
    fewer = tmp_path / "fewer"
    shutil.copytree(others, fewer, symlinks=True)
    (fewer / "pip").unlink()
    (installed[1] / "others.pth").write_text(str(fewer), encoding="utf-8")
    (installed[1] / "talkdesk_bridge" / "py.typed").unlink()
    finding = diagnosed("--offline", command=command_of(installed))[1]["record"]
    assert (finding["status"], finding["remedy"], finding["command"]) == ("bad", WORDS, "")


def test_a_folder_that_pip_filled(wheel: Path, others: Path, tmp_path: Path) -> None:
    folder = tmp_path / "target"
    install(sys.executable, "--target", str(folder), str(wheel))
    program = (sys.executable, "-S", "-c", "from talkdesk_bridge_cli.main import main; main()")
    paths = {"PYTHONPATH": os.pathsep.join([str(folder), str(others)])}
    checks = diagnosed("--offline", command=program, **paths)[1]
    assert (checks["package"]["status"], checks["record"]["status"]) == ("good", "good")
    (folder / "talkdesk_bridge" / "py.typed").unlink()
    finding = diagnosed("--offline", command=program, **paths)[1]["record"]
    assert finding["found"].endswith("is missing: talkdesk_bridge/py.typed.")
    repaired(finding, tmp_path)
    assert diagnosed("--offline", command=program, **paths)[1]["record"]["status"] == "good"


def test_another_copy(installed: Installed, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "overrides", tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    status, checks = diagnosed("--offline", command=command_of(installed), PYTHONPATH=str(tmp_path / "copy"))
    assert (status, checks["package"]["status"]) == (1, "bad")
    assert f"imports talkdesk_bridge from {tmp_path / 'copy'}" in checks["package"]["found"]
    with (installed[1] / "others.pth").open("a", encoding="utf-8") as paths:
        paths.write(f"\n{tmp_path / 'copy'}\n")
    checks = diagnosed("--offline", command=command_of(installed))[1]
    assert checks["package"]["status"] == "warning"
    assert checks["package"]["found"].endswith(f"another copy in {tmp_path / 'copy'}.")


def test_an_extra_and_a_dependency_that_are_missing(installed: Installed, others: Path, tmp_path: Path) -> None:
    fewer = tmp_path / "fewer"
    shutil.copytree(others, fewer, symlinks=True)
    for found in [*fewer.glob("cryptography-*"), *fewer.glob("starlette-*")]:
        found.unlink()
    (installed[1] / "others.pth").write_text(str(fewer), encoding="utf-8")
    told = diagnosed("--offline", command=command_of(installed))[1]["Python"]
    assert told["status"] == "good"
    missing = "Not there: jwt, which needs cryptography; sandbox, which needs cryptography and starlette."
    assert told["found"].endswith(f"Extras: bulk, cli and speed. {missing}")
    for found in fewer.glob("attrs-*"):
        found.unlink()
    checks = diagnosed("--offline", command=command_of(installed))[1]
    told = checks["Python"]
    assert (told["status"], told["exit_status"]) == ("bad", 1)
    assert checks["proxies"]["status"] == "good"
    (fewer / "certifi").unlink()
    finding = diagnosed("--offline", command=command_of(installed))[1]["proxies"]
    assert (finding["status"], finding["found"], finding["remedy"]) == ("bad", "certifi cannot be imported.", WORDS)
    assert told["remedy"] == "Install what is missing, the way talkdesk-bridge was installed: see README.md."
    (installed[1].parents[2] / "pip.conf").write_text("[install]\nindex_url: https://p\n", encoding="utf-8")
    told = diagnosed("--offline", command=command_of(installed))[1]["Python"]
    assert told["command"] == f"{installed[0]} -m pip --isolated install 'attrs>=23.2'"
    (information,) = installed[1].glob("*.dist-info")
    (information / "INSTALLER").write_text("uv", encoding="utf-8")
    told = diagnosed("--offline", command=command_of(installed))[1]["Python"]
    assert told["command"] == "uv sync --reinstall-package attrs"


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("attrs>=23.2", "attrs>=9", True),
        ("attrs>=23.2", "attrs>=9999.1", False),
        ("<0.29,>=0.28", "<0.28,>=0.2", False),
        ("<0.29,>=0.28", "<0.100,>=0.28.0", True),
    ],
)
def test_a_dependency_of_another_version(installed: Installed, old: str, new: str, kept: bool) -> None:
    (information,) = installed[1].glob("*.dist-info")
    text = (information / "METADATA").read_text(encoding="utf-8")
    assert f"{old}\n" in text
    (information / "METADATA").write_text(text.replace(f"{old}\n", f"{new}\n"), encoding="utf-8")
    finding = diagnosed("--offline", command=command_of(installed))[1]["Python"]
    assert finding["status"] == ("good" if kept else "warning")
    assert finding["remedy"].startswith("" if kept else "Install what is needed, ")
    assert finding["found"].endswith(f"Another version is needed: {new if 'attrs' in new else 'httpx' + new}.") != kept


def test_versions() -> None:
    for version, limits in (("23.2", ">=23.2.0"), ("23.2.0", ">=23.2"), ("0.28.1", "<0.29,>=0.28"), ("0.9", "<0.29")):
        assert _within(version, limits)
    for version, limits in (("0.29", "<0.29"), ("0.29rc1", "<0.29"), ("9.2", ">=23.2"), ("0.30.dev2", "<0.29,>=0.28")):
        assert not _within(version, limits)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for need in project["dependencies"]:
        assert re.fullmatch(r"[\w-]+(>=|<)\d+(\.\d+){0,3}(,(>=|<)\d+(\.\d+){0,3})*", need)


def test_an_editable_installation() -> None:
    status, checks = diagnosed("--offline", URL="https://b")
    assert (status, checks["package"]["status"], checks["record"]["status"]) == (0, "warning", "skipped")
    assert f"from {ROOT} in " in checks["package"]["found"]
    assert checks["lock"]["status"] == "good"


def test_a_source_tree_that_is_not_installed(others: Path) -> None:
    paths = os.pathsep.join([str(ROOT / "overrides"), str(ROOT / "extras"), str(ROOT / "generated"), str(others)])
    program = (sys.executable, "-S", "-c", "from talkdesk_bridge_cli.main import main; main()")
    status, checks = diagnosed("--offline", command=program, PYTHONPATH=paths, URL="https://b", **KEY)
    assert status == 1
    assert "is not installed" in checks["package"]["found"]
    assert checks["package"]["command"] == ""
    assert statuses(checks) | {"package": "", "record": ""} == {
        **dict.fromkeys(CHECKS[:8], "good"), **dict.fromkeys(CHECKS[8:], "skipped"), "package": "", "record": "",
    }  # fmt: skip


def test_the_hash_of_a_tree_is_that_of_the_lock(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(PACKAGE, tree)
    (tree / "__pycache__").mkdir(exist_ok=True)
    (tree / "__pycache__" / "x.pyc").touch()
    seen = {tree_hash(PACKAGE)}
    assert seen == {lock.tree_hash(PACKAGE), (lock.read(PACKAGE) or {})["tree"], tree_hash(tree)}
    for change in (
        lambda: (tree / "lock.json").unlink(),
        lambda: (tree / "types.py").write_bytes(b""),
        lambda: (tree / "models" / "\u20ac.py").touch(),
        lambda: (tree / "py.typed").unlink(),
    ):
        change()
        assert tree_hash(tree) == lock.tree_hash(tree)
        seen.add(tree_hash(tree))
    assert len(seen) == 4  # the lock itself does not count


def test_variables(sandbox: Sandbox) -> None:
    status, checks = diagnosed("--offline")
    assert (status, checks["variables"]["status"]) == (2, "bad")
    assert checks["variables"]["found"] == "TALKDESK_BRIDGE_URL is not set: set it to the bridge's base URL."
    remedy = "Set TALKDESK_BRIDGE_URL to the bridge's base URL, such as https://bridge.example."
    assert (checks["variables"]["remedy"], checks["variables"]["command"]) == (remedy, "")
    strange = {
        "API_KEYS": "k",
        "ANYTHING": "a",
        "TALKDESK_BRIGE_URL": "b",
        "talkdesk_bridge_password": "c",
        "SCOPE": "",
    }
    status, checks = diagnosed("--offline", URL=sandbox.url, BEARER_TOKEN="t", **strange)
    found = (
        "Set: TALKDESK_BRIDGE_URL and TALKDESK_BRIDGE_BEARER_TOKEN. Empty, and so as if not set: TALKDESK_BRIDGE_SCOPE. "
        "Unknown: TALKDESK_BRIDGE_ANYTHING, TALKDESK_BRIDGE_API_KEYS (TALKDESK_BRIDGE_API_KEY?), "
        "TALKDESK_BRIGE_URL (TALKDESK_BRIDGE_URL?) and talkdesk_bridge_password (TALKDESK_BRIDGE_PASSWORD?)."
    )
    assert (status, checks["variables"]["status"], checks["variables"]["found"]) == (0, "warning", found)
    status, checks = diagnosed("--offline", URL=sandbox.url, API_KEY="k", BEARER_TOKEN="t")
    assert status == 2
    assert checks["variables"]["found"].startswith("Two kinds of credential are set")
    works(checks["variables"]["command"], sandbox.url, ROOT)
    assert not sandbox.requests


@pytest.mark.parametrize(
    ("given", "name", "told"),
    [
        ({"URL": "b"}, "URL", "The base URL must be like https://bridge.example"),
        ({"URL": "https://b:x"}, "URL", "The base URL is not a URL."),
        ({"API_KEY": "k\n"}, "API_KEY", "The value of the credential cannot be sent"),
        ({"API_KEY": "k", "API_KEY_HEADER": "a b"}, "API_KEY_HEADER", "The name of the credential's header"),
        ({"API_KEY": "k", "API_KEY_HEADER": "Host"}, "API_KEY_HEADER", "The header "),
        ({"BEARER_TOKEN": "Bearer t"}, "BEARER_TOKEN", "The token of the credential begins"),
        ({"USERNAME": "u:", "PASSWORD": "p"}, "USERNAME", "The user of HTTP Basic"),
        ({"TOKEN_URL": "t", "CLIENT_ID": "i", "CLIENT_SECRET": "s"}, "TOKEN_URL", "The token URL must be like"),
        ({"TOKEN_URL": "https://t", "CLIENT_ID": "i", "CLIENT_SECRET": "s\n"}, "CLIENT_SECRET", "The client_secret "),
        ({"TOKEN_URL": "https://t", "CLIENT_ID": "i", "PRIVATE_KEY": "k"}, "PRIVATE_KEY", "The private_key "),
    ],
)
def test_the_variable_that_is_wrong_is_named(given: dict[str, str], name: str, told: str) -> None:
    status, checks = diagnosed("--offline", **{"URL": "https://b"} | given)
    finding = checks["variables"]
    assert (status, finding["status"]) == (2, "bad")
    assert finding["found"].startswith(f"TALKDESK_BRIDGE_{name}: {told}")
    assert (finding["remedy"] == "See what each credential needs:") == bool(finding["command"]) == (name != "URL")


def test_no_credential(server: Server) -> None:
    status, checks = diagnosed(URL=server.url)
    finding = checks["variables"]
    assert (status, finding["status"], finding["remedy"]) == (0, "warning", "See what each credential needs:")
    assert finding["found"] == "Set: TALKDESK_BRIDGE_URL. No credential is set, and the contract asks for one."
    assert checks["answer"]["found"].endswith(
        "so that nobody has asked whether the bridge answers without a credential."
    )
    finding = diagnosed("--offline", URL=server.url, API_KEYS="k")[1]["variables"]
    assert finding["remedy"].startswith("Rename or unset what is unknown: nobody reads it. See what")
    ways: tuple[tuple[list[Any], bool], ...] = (([], False), ([{}, {"Basic": []}], False), ([{"Basic": []}], True))
    for security, wanted in ways:
        operation: dict[str, Any] = {"responses": {}}
        contract = {"paths": {"/a": {"parameters": [], "get": operation}}, "security": security}
        assert connection._wants_credential(contract) == wanted
        operation["security"] = []
        assert not connection._wants_credential(contract)


@pytest.mark.parametrize(
    ("given", "status", "told"),
    [
        ({"URL": "https://b"}, "good", "No variable names one. Requests go to the bridge directly."),
        ({"URL": "https://b", "HTTPS_PROXY": "http://p"}, "good", "Set: HTTPS_PROXY. Requests go to the bridge through a proxy."),
        ({"URL": "https://b", "all_proxy": "http://p", "NO_PROXY": "b"}, "good", "Set: all_proxy and NO_PROXY. Requests go to the bridge directly."),
        ({"URL": "http://127.0.0.1", "HTTP_PROXY": "http://p"}, "good", "Set: HTTP_PROXY. Requests go to the bridge directly. What is http goes through none, since it is for this machine alone."),
        ({"URL": "http://127.0.0.1", "NO_PROXY": "b"}, "good", "Set: NO_PROXY. Requests go to the bridge directly."),
        (
            {"URL": "https://b", "TOKEN_URL": "https://t/", "CLIENT_ID": "i", "CLIENT_SECRET": "s", "https_proxy": "http://p", "no_proxy": "t"},
            "good",
            "Set: https_proxy and no_proxy. Requests go to the bridge through a proxy and to the token server directly.",
        ),
        ({"HTTPS_PROXY": "http://p"}, "skipped", "Set: HTTPS_PROXY. Not tried: whether one is used, since there is no client."),
        ({"URL": "https://b", "ALL_PROXY": "socks5://p:1"}, "bad", "A SOCKS proxy, as in ALL_PROXY, needs the package socksio. Set: ALL_PROXY."),
        ({"URL": "https://b", "HTTPS_PROXY": "p:1", "http_proxy": "ftp://p"}, "bad", "http_proxy cannot be used. Set: HTTPS_PROXY and http_proxy."),
        ({"URL": "https://b", "HTTPS_PROXY": "http://p", "NO_PROXY": "a,[::1"}, "bad", "NO_PROXY cannot be used. Set: HTTPS_PROXY and NO_PROXY."),
    ],
)  # fmt: skip
def test_proxies(given: dict[str, str], status: str, told: str) -> None:
    returned, checks = diagnosed("--offline", **given)
    assert (checks["proxies"]["status"], checks["proxies"]["found"]) == (status, told)
    assert returned == (2 if status == "bad" or "URL" not in given else 0)
    if status == "bad":
        name = told.split()[told.startswith("A SOCKS") * 5].rstrip(",")
        assert f"orrect or unset {name}" in checks["proxies"]["remedy"]
        assert ("Install socksio" in checks["proxies"]["remedy"]) == told.startswith("A SOCKS")
    why = {"bad": "the proxies cannot be used", "skipped": "the variables of the client cannot be used"}
    if status in why:
        assert diagnosed(**given)[1]["bridge"]["found"] == f"Not tried: {why[status]}."


def test_certificates(tls: tuple[Server, Path], tmp_path: Path) -> None:
    server, certificate = tls
    prepared, empty = tmp_path / "prepared", tmp_path / "empty"
    prepared.mkdir()
    empty.touch()
    ask = ["openssl", "x509", "-hash", "-noout", "-in", str(certificate)]
    name = subprocess.run(ask, capture_output=True, text=True, check=True)
    shutil.copy(certificate, prepared / f"{name.stdout.strip()}.0")
    for given, told, trusted in (
        ({"SSL_CERT_FILE": str(certificate)}, "The file that SSL_CERT_FILE names; certificates: 1.", True),
        ({"SSL_CERT_DIR": str(prepared)}, "The folder that SSL_CERT_DIR names; certificates: 1.", True),
        ({}, "That of certifi ", False),
    ):
        status, checks = diagnosed(URL=server.url, **given)
        assert checks["CA bundle"]["found"].startswith(told)
        assert (checks["CA bundle"]["status"], checks["bridge"]["status"], status) == (
            "good",
            *(("good", 0) if trusted else ("bad", 5)),
        )
    assert checks["bridge"]["found"].startswith("TLS failed ([SSL: CERTIFICATE_VERIFY_FAILED] ")
    assert "SSL_CERT_FILE" in checks["bridge"]["remedy"]
    for given, told in (
        ({"SSL_CERT_FILE": str(tmp_path / "no")}, "The file that SSL_CERT_FILE names cannot be read: No such file or directory."),
        ({"SSL_CERT_FILE": str(empty)}, "The file that SSL_CERT_FILE names cannot be read: there is no certificate in it."),
        ({"SSL_CERT_DIR": str(tmp_path / "no")}, "The folder that SSL_CERT_DIR names has no certificate that can be found."),
    ):  # fmt: skip
        status, checks = diagnosed(URL=server.url, HTTPS_PROXY="http://p", **given)
        assert (status, checks["CA bundle"]["status"], checks["CA bundle"]["found"]) == (2, "bad", told)
        assert str(tmp_path) not in json.dumps([checks[name] for name in CHECKS[5:]])
        if "SSL_CERT_FILE" in given:
            assert {checks[name]["status"] for name in ("proxies", "bridge", "answer")} == {"skipped"}
            assert checks["bridge"]["found"] == "Not tried: the CA bundle cannot be used."


def hang(exchange: Exchange) -> None:
    exchange.wait()


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (b"HTTP/1.1 404 X\r\nContent-Length: 4\r\n\r\nbody", "It answers: 404 to HEAD of the base URL, without the credential."),
        (lambda exchange: exchange.send(b"SSH-2.0-x\r\n"), "no whole answer from"),
        (hang, "did not answer in time"),
        (lambda exchange: exchange.reset(), "no whole answer from"),
    ],
    ids=["404", "no HTTP", "silence", "reset"],
)  # fmt: skip
def test_a_server_that_answers_somehow(reply: Any, told: str) -> None:
    with Raw([reply]) as raw:
        status, checks = diagnosed(
            "--timeout", "0.3", "--account", "1", URL=f"http://127.0.0.1:{raw.port}", API_KEY="s3cret-key"
        )
        assert told in checks["bridge"]["found"]
        assert checks["bridge"]["status"] == ("good" if "404" in told else "bad")
        assert status == (4 if "404" in told else 5)
        assert [line.split()[0] for line in raw.requests] == ["HEAD", "GET"][: 2 if "404" in told else 1]
        if "404" not in told:
            assert checks["answer"]["found"] == "Not tried: the bridge cannot be reached."


def refused() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_a_server_that_cannot_be_reached(tmp_path: Path, server: Server) -> None:
    # A resolver that knows numbers only, so that nothing leaves this machine.
    (tmp_path / "sitecustomize.py").write_text(
        "import socket\n"
        "known = socket.getaddrinfo\n"
        "socket.getaddrinfo = lambda *given, **named: known(*given, **named | {'flags': socket.AI_NUMERICHOST})\n"
    )
    for given, found, remedy in (
        ({"URL": f"https://{refused()}/base"}, "No connection could be made ([Errno ", "Check the host and the port in TALKDESK_BRIDGE_URL"),
        ({"URL": "https://bridge.invalid"}, "The name of the host was not found ([Errno ", "Check the host in TALKDESK_BRIDGE_URL"),
        ({"URL": server.url.replace("http:", "https:")}, "TLS failed ([SSL", "Check the scheme and the port in TALKDESK_BRIDGE_URL"),
        ({"URL": "https://bridge.invalid", "HTTPS_PROXY": f"http://u:s3cret@{refused()}"}, "The proxy could not be reached", "or let NO_PROXY name"),
    ):  # fmt: skip
        status, checks = diagnosed("--account", "1", PYTHONPATH=str(tmp_path), **given)
        assert (status, checks["bridge"]["status"], checks["answer"]["status"]) == (5, "bad", "skipped")
        assert checks["bridge"]["found"].startswith(found)
        assert remedy in checks["bridge"]["remedy"]


def test_a_gateway_before_nothing(server: Server) -> None:
    server.answers((503, {}, b""))
    server.script = lambda method, target: (503, {}, b"")
    with Raw([b"HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n"]) as raw:
        status, checks = diagnosed(URL=f"http://127.0.0.1:{raw.port}")
    assert (status, checks["bridge"]["status"]) == (0, "warning")
    assert "502" in checks["bridge"]["found"]


def test_a_token(sandbox: Sandbox, server: Server) -> None:
    oauth = {"URL": sandbox.url, "TOKEN_URL": sandbox.token_url, "CLIENT_ID": "sandbox-client"}
    status, checks = diagnosed("--account", "1000000001", CLIENT_SECRET="sandbox-secret", **oauth)
    assert (status, checks["token"]["found"], checks["answer"]["status"]) == (
        0,
        "The token server gives a token.",
        "good",
    )
    assert [seen.method for seen in sandbox.requests if seen.method != "HEAD"] == ["POST", "GET"]
    status, checks = diagnosed("--account", "1000000001", CLIENT_SECRET="s3cret-of-nobody", **oauth)
    assert (status, checks["token"]["status"], checks["answer"]["found"]) == (3, "bad", "Not tried: there is no token.")
    assert "refused with 401: invalid_client" in checks["token"]["found"]
    assert checks["token"]["remedy"] == "Check TALKDESK_BRIDGE_TOKEN_URL, and the variables of the credential."
    server.answers((200, {}, b"<html>"))
    elsewhere = oauth | {"CLIENT_SECRET": "s3cret"}
    for url, told in (
        (f"{server.url}/t", "answered without a usable access_token."),
        (f"http://{refused()}", "No connection"),
    ):
        status, checks = diagnosed(**elsewhere | {"TOKEN_URL": url})
        assert (status, checks["token"]["status"]) == (3, "bad")
        assert told in checks["token"]["found"]


INVOICE = {"_embedded": {"invoices": [{"invoice_number": "1", "due_amount": 7.5}]}, "total": "1"}


@pytest.mark.parametrize(
    ("answer", "status", "verdict", "told"),
    [
        (page(), 0, "good", "An answer of get_account_invoices, with 0 invoices, keeps the contract."),
        (page(1), 0, "good", "An answer of get_account_invoices, with 1 invoice, keeps the contract."),
        (INVOICE, 0, "warning", "differs from the contract: string is documented at $._embedded.invoices[*].due_amount, number came; integer is documented at $.total, string came."),
        (as_json({}, 401), 3, "bad", "answered 401 Unauthorized"),
        (as_json({}, 403), 3, "bad", "answered 403 Forbidden"),
        (as_json({"userMessage": "No."}, 404), 4, "bad", "answered 404 Not Found: No."),
        (as_json({}, 400), 1, "bad", "answered 400 Bad Request"),
        (as_json({}, 503), 5, "bad", "answered 503 Service Unavailable."),
        ((200, {}, b"<html>"), 6, "bad", "a body that is not JSON"),
        ({"_embedded": {"invoices": [{"status": {}}]}}, 6, "bad", "string is documented at $._embedded.invoices[0].status, and object came."),
    ],
)  # fmt: skip
def test_an_answer(server: Server, answer: Any, status: int, verdict: str, told: str) -> None:
    server.answers(answer)
    returned, checks = diagnosed("--account", "77", URL=server.url, API_KEY="s3cret-key")
    assert (returned, checks["answer"]["status"]) == (status, verdict)
    assert told in checks["answer"]["found"]
    assert len(server.seen) == 1  # nothing is tried twice; it does not know HEAD


def test_an_account_that_is_none(server: Server) -> None:
    status, checks = diagnosed("--account", "..", URL=server.url)
    assert (status, checks["answer"]["remedy"]) == (2, "Name an account that exists, with --account.")


def test_no_account(server: Server) -> None:
    status, checks = diagnosed(URL=server.url, API_KEY="k")
    assert (status, checks["answer"]["status"]) == (0, "skipped")
    assert checks["answer"]["found"].endswith("so that nobody has asked whether the bridge takes the credential.")
    assert checks["answer"]["command"] == "talkdesk-bridge doctor --account NUMBER"


MARKS = [f"m4rk-{index:02}" for index in range(16)]


def marked() -> dict[str, Callable[[str], dict[str, str]]]:
    """Environments by what becomes of them; every value of each holds a mark, but for what has to be right."""
    key = {
        "API_KEY": f"k-{MARKS[0]}",
        "API_KEY_HEADER": f"X-{MARKS[1]}",
        "SCOPES": MARKS[2],
        "http_proxy": f"http://{MARKS[3]}",
    }
    oauth = {"CLIENT_ID": MARKS[4], "CLIENT_SECRET": MARKS[5], "SCOPE": MARKS[6], "AUDIENCE": MARKS[7]}
    proxy = {"HTTPS_PROXY": f"http://{MARKS[8]}:{MARKS[9]}@127.0.0.1:1", "NO_PROXY": MARKS[10]}
    return {
        "good": lambda url: {"URL": f"{url}/{MARKS[11]}", **key},
        "refused": lambda url: {"URL": f"http://127.0.0.1:1/{MARKS[11]}", **key},
        "unresolved": lambda url: {"URL": f"https://{MARKS[11]}.invalid/{MARKS[12]}", **key},
        "proxied": lambda url: {"URL": f"https://{MARKS[11]}.invalid", **key, **proxy},
        "token": lambda url: {"URL": url, "TOKEN_URL": f"{url}/{MARKS[12]}?key={MARKS[13]}", **oauth},
        "no token": lambda url: {"URL": url, "TOKEN_URL": f"https://{MARKS[11]}.invalid/{MARKS[12]}?key={MARKS[13]}", **oauth},
        "half": lambda url: {"URL": url, "USERNAME": MARKS[14], **proxy},
        "two": lambda url: {"URL": url, **key, **oauth},
        "no URL": lambda url: {"URL": f"https://{MARKS[14]}:{MARKS[15]}@b?{MARKS[0]}#{MARKS[1]}", **key},
        "bad proxy": lambda url: {"URL": "https://b", "ALL_PROXY": f"{MARKS[8]}://{MARKS[9]}:{MARKS[10]}@p"},
        "no header": lambda url: {"URL": url, "API_KEY": "k", "API_KEY_HEADER": f"{MARKS[0]}:"},
        "no key": lambda url: {"URL": url, "TOKEN_URL": f"{url}/t", "CLIENT_ID": MARKS[4], "PRIVATE_KEY": MARKS[5], "ALGORITHM": MARKS[6]},
        "file": lambda url: {"URL": f"https://{MARKS[11]}.invalid", "SSL_CERT_FILE": f"/{MARKS[12]}"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "status"),
    [*((name, 400) for name in marked()), *((name, 200) for name in ("good", "token")), ("good", 401)],
)
def test_no_value_of_a_variable_is_told(server: Server, tmp_path: Path, name: str, status: int) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import socket\n"
        "known = socket.getaddrinfo\n"
        "socket.getaddrinfo = lambda *given, **named: known(*given, **named | {'flags': socket.AI_NUMERICHOST})\n"
    )
    given: dict[str, Any] = marked()[name](server.url) | {"PYTHONPATH": str(tmp_path)}
    echoed = " ".join(value for value in given.values() if any(mark in value for mark in MARKS))
    server.script = lambda method, target: as_json(
        {"userMessage": echoed, "error": echoed, "error_description": echoed, "errorCode": echoed}, status
    )
    told = ""
    for form in ((), ("--json",)):
        result = run("--account", "1", *form, **given)
        assert "Traceback" not in result.stderr
        assert result.returncode in (1, 2, 3, 5, 6)
        told += result.stdout + result.stderr
    assert "TALKDESK_BRIDGE_URL" in told
    assert not [mark for mark in MARKS if mark in told]
    assert server.url not in told


def test_a_value_that_a_message_would_show() -> None:
    """The few that the client's own messages show."""
    for given, told in (
        (
            {"API_KEY": "k1", "API_KEY_HEADER": "Connection"},
            "The header [TALKDESK_BRIDGE_API_KEY_HEADER] belongs to HTTP",
        ),
        (
            {"API_KEY": "k1", "BEARER_TOKEN": "TALK"},
            "Two kinds of credential are set: a header key (TALKDESK_BRIDGE_API_KEY) and a bearer",
        ),
    ):
        found = diagnosed("--offline", URL="https://b", **given)[1]["variables"]["found"]
        assert told in found


def test_what_a_person_sees(installed: Installed, sandbox: Sandbox) -> None:
    """The text in docs/command.md, which tells of the same."""
    docs = (
        (ROOT / "docs" / "command.md").read_text(encoding="utf-8").partition("\n## Doctor\n")[2].partition("\n## ")[0]
    )
    (sample,) = re.findall(r"^```text\n(.*?)^```", docs, re.M | re.S)
    oauth = {
        "URL": sandbox.url,
        "TOKEN_URL": sandbox.token_url,
        "CLIENT_ID": "sandbox-client",
        "CLIENT_SECRET": "s3cret-of-nobody",
    }
    named = environment(**oauth)
    for variables in ({"NO_COLOR": "1"}, {}):
        status, text = on_a_terminal(
            *command_of(installed), "doctor", variables={**named, "TERM": "xterm", **variables}
        )
        assert status == 3
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
        assert (text == plain) == bool(variables)
        told, documented = blocks(plain), blocks(sample)
        assert [*told] == [*documented] == [*CHECKS, "talkdesk-bridge:"]
        assert all(told[name][0][:8] == documented[name][0][:8] for name in CHECKS)
        # The others tell of the machine, or of this version.
        for name in (*CHECKS[CHECKS.index("variables") :], "proxies", "talkdesk-bridge:"):
            assert told[name] == documented[name]
        # But for paths, which are not cut.
        assert all(len(line) <= 80 or " " not in line.strip() for line in [*plain.splitlines(), *sample.splitlines()])
    assert re.search(r"^\x1b\[32mgood    \x1b\[0mlock ", text, re.M)
    assert re.search(r"^\x1b\[1;31mbad     \x1b\[0mtoken ", text, re.M)
    assert "\x1b[1mCheck TALKDESK_BRIDGE_TOKEN_URL" in text
    piped = run(command=command_of(installed), **oauth)
    assert {name: " ".join(lines) for name, lines in blocks(piped.stdout).items()} == {
        name: " ".join(lines) for name, lines in told.items() if name != "talkdesk-bridge:"
    }
    assert piped.stderr == "talkdesk-bridge: bad: token; what to do about it is printed there.\n"
    for name in CHECKS:
        assert re.search(rf"^\| `{name}` \| \w", docs, re.M), name


def blocks(text: str) -> dict[str, list[str]]:
    """Of each check, its lines."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("talkdesk-bridge:"):
            found["talkdesk-bridge:"] = [line]
        elif line[:1].strip():
            assert line[:8].strip() in ("good", "warning", "bad", "skipped")
            found[line[8:18].strip()] = lines = [f"{line[:8]}{line[18:]}"]
        else:
            lines.append(line[18:])
    return found

"""Rules of the code base: the direction of imports, one module for HTTP, public names, nothing machine-specific."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import talkdesk_bridge
from talkdesk_bridge import errors

from tests.conftest import ROOT

FOLDERS = {
    "talkdesk_bridge": ROOT / "overrides" / "talkdesk_bridge",
    "talkdesk_bridge_api": ROOT / "generated" / "talkdesk_bridge_api",
    "talkdesk_bridge_http": ROOT / "overrides" / "talkdesk_bridge_http",
    "talkdesk_bridge_cli": ROOT / "extras" / "talkdesk_bridge_cli",
    "talkdesk_bridge_pytest": ROOT / "extras" / "talkdesk_bridge_pytest",
    "talkdesk_bridge_sandbox": ROOT / "extras" / "talkdesk_bridge_sandbox",
    "talkdesk_bridge_tables": ROOT / "extras" / "talkdesk_bridge_tables",
    "tools": ROOT / "tools",
    "tests": ROOT / "tests",
}

# The other packages that each package may import.
ARROWS = {
    "talkdesk_bridge_api": set[str](),
    "talkdesk_bridge": {"talkdesk_bridge_api", "talkdesk_bridge_http"},
    "talkdesk_bridge_http": set[str](),
    "talkdesk_bridge_cli": {"talkdesk_bridge", "talkdesk_bridge_sandbox", "talkdesk_bridge_tables"},
    "talkdesk_bridge_pytest": {"talkdesk_bridge_sandbox"},
    "talkdesk_bridge_sandbox": {"talkdesk_bridge"},
    "talkdesk_bridge_tables": {"talkdesk_bridge"},
    "tools": set[str](),
}
ARROWS["tests"] = {*ARROWS}


def imports(file: Path) -> Iterator[str]:
    """The first part of every absolute import of a module, local ones included."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("package", FOLDERS)
def test_imports_go_one_way(package: str) -> None:
    files = list(FOLDERS[package].rglob("*.py"))
    assert files
    for file in files:
        assert {*imports(file)} & (FOLDERS.keys() - {package}) <= ARROWS[package], file


@pytest.mark.parametrize("package", ["talkdesk_bridge_cli", "talkdesk_bridge_sandbox", "talkdesk_bridge_tables"])
def test_an_extra_uses_only_public_names_of_the_client(package: str) -> None:
    for file in FOLDERS[package].rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "talkdesk_bridge":
                names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
                assert not [name for name in names if name.startswith("_")], file


def test_one_module_imports_httpx() -> None:
    files = [*FOLDERS["talkdesk_bridge"].rglob("*.py")]
    for library in ("httpx", "talkdesk_bridge_http"):
        assert [file.name for file in files if library in imports(file)] == ["_http.py"]


def test_every_module_has_a_docstring() -> None:
    for package in FOLDERS.keys() - {"talkdesk_bridge_api"}:
        for file in FOLDERS[package].rglob("*.py"):
            doc = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
            assert doc, file
            assert re.fullmatch(r"[A-Z`].*[.:]", doc.splitlines()[0]) or doc.splitlines()[0].endswith(","), file


def test_the_public_names() -> None:
    assert talkdesk_bridge.__all__ == sorted(
        talkdesk_bridge.__all__, key=lambda name: (name.islower(), not name.isupper(), name)
    )
    assert talkdesk_bridge.__all__ == [
        "VARIABLES",
        "AsyncBridgeClient",
        "Attempt",
        "Auth",
        "BasicAuth",
        "BearerAuth",
        "BridgeClient",
        "Deviation",
        "File",
        "HeaderAuth",
        "Money",
        "NoAuth",
        "Number",
        "OAuth2ClientCredentials",
        "OAuth2PrivateKeyJWT",
        "Place",
        "Response",
        "Retry",
        "Totals",
        "contract",
        "errors",
        "models",
    ]
    assert all(hasattr(talkdesk_bridge, name) for name in talkdesk_bridge.__all__)
    assert talkdesk_bridge.__version__


def test_the_help_and_the_plugin_do_not_import_the_client() -> None:
    code = "import sys, talkdesk_bridge_cli.main, talkdesk_bridge_pytest; print({*sys.modules} & {*sys.argv[1:]})"
    parts = ["attrs", "httpx", "talkdesk_bridge", "talkdesk_bridge_api", "talkdesk_bridge_sandbox"]
    result = subprocess.run([sys.executable, "-c", code, *parts], capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"


def test_the_documented_tree_of_errors_is_complete() -> None:
    drawn = re.findall(r"(\w+Error)\b", (errors.__doc__ or "").partition("(also")[0] + (errors.__doc__ or ""))
    assert {*drawn} - {"ValueError"} == {*errors.__all__}
    assert all(issubclass(getattr(errors, name), errors.BridgeError) for name in errors.__all__)
    assert issubclass(errors.IncompleteError, errors.PagingError)


def test_importing_the_package_loads_no_extra() -> None:
    code = "import sys; from talkdesk_bridge import *; print([m for m in sys.argv[1:] if m in sys.modules])"
    # Not click and rich: httpx imports them if they are installed, for its own command.
    extras = ["jwt", "cryptography", "flask", "starlette", "uvicorn", "yaml", "jsonschema", "openapi_schema_validator"]
    result = subprocess.run([sys.executable, "-c", code, *extras], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout.decode()  # noqa: S607 # git, wherever it is
    if not names:
        pytest.skip("not a git checkout")
    return [path for name in names.rstrip("\0").split("\0") if (path := ROOT / name).is_file()]


def test_no_committed_file_names_a_package_index_or_a_local_path() -> None:
    index = re.compile(r"pypi\.(?:org|python)|pythonhosted|--(?:extra-)?index-url|registry\.npmjs")
    machine = re.compile(r"(?:^|[\s\"'=:(])/(?:home|root|work|Users)/")
    for file in tracked():
        if file != Path(__file__).resolve():
            text = file.read_text(encoding="utf-8")
            assert not index.search(text), file
            assert not machine.search(text), file


def test_requirements_are_pinned_and_hashed() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    pinned = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    exact = [pin for pin in groups["generator"] + groups["dev"] if isinstance(pin, str) and "==" in pin]
    assert exact
    assert all(f"{pin} " in pinned for pin in exact), "run `make lock`"
    for file in (ROOT / "requirements").iterdir():
        blocks = re.split(r"\n(?=\S)", file.read_text(encoding="utf-8").strip())
        assert blocks
        assert all(re.match(r"[a-z0-9-]+==\S+.*\\\n +--hash=sha256:", block) for block in blocks), file

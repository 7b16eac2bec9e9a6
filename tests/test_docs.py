"""The documentation is right: its Python runs against the sandbox, and its lists are complete."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import talkdesk_bridge
from talkdesk_bridge import HeaderAuth, Money, Retry, errors
from talkdesk_bridge._environment import KINDS, PREFIX
from talkdesk_bridge_cli import exit as ending
from talkdesk_bridge_sandbox import ACCOUNTS, Credentials, Sandbox

from tests.command import works
from tests.conftest import CONTRACT, ROOT, invoices_of
from tests.pages import DOCS, ELSEWHERE, PAGES, blocks, text_of
from tools.changes.sentences import SENTENCES
from tools.contract import STATUSES, load
from tools.demo import VARIABLES, _environment


def runnable() -> list[tuple[str, str]]:
    # tests/test_pytest_plugin.py and tests/integration/test_table_recipes.py run the code of these pages.
    files = [page for page in PAGES if page.name not in ("pytest.md", "tables.md")]
    named = [(f"{file.name}-{index}", code) for file in files for index, code in enumerate(blocks(file))]
    return [(name, code) for name, code in named if not ELSEWHERE.search(code)]


@pytest.fixture(scope="module")
def keyed() -> Iterator[Sandbox]:
    with Sandbox(credentials=Credentials(api_key="my-key", api_key_header="X-API-Key")) as sandbox:
        yield sandbox


@pytest.mark.parametrize(("name", "code"), runnable())
def test_the_python_in_the_documentation_runs(keyed: Sandbox, name: str, code: str) -> None:
    code = code.replace("https://bridge.example", keyed.url)
    key = {"TALKDESK_BRIDGE_API_KEY": "my-key", "TALKDESK_BRIDGE_API_KEY_HEADER": "X-API-Key"}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | key | {"TALKDESK_BRIDGE_URL": keyed.url}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    if name == "README.md-0":
        assert result.stdout.splitlines()[0] == "1000000001 2700.00 usd"
        assert len(result.stdout.splitlines()) == 137


@pytest.mark.parametrize("folder", ["overrides", "extras", "generated", "tools"])
def test_the_examples_in_docstrings_are_right(folder: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in sandbox.environ.items():
        monkeypatch.setenv(variable, value)
    for file in sorted((ROOT / folder).rglob("*.py")):
        if "templates" not in file.parts and ">>> " in file.read_text(encoding="utf-8"):
            name = ".".join(file.relative_to(ROOT if folder == "tools" else ROOT / folder).with_suffix("").parts)
            failed, tried = doctest.testmod(import_module(name))
            assert tried
            assert not failed, name


def test_the_names_that_people_meet_first_have_examples() -> None:
    docs = [talkdesk_bridge.__doc__, Money.__doc__, Money.parse.__doc__, Retry.__doc__, HeaderAuth.__doc__]
    assert all(">>> " in (doc or "") for doc in docs)
    assert all(
        f"bridge.{name}(" in (talkdesk_bridge.__doc__ or "") for name in ("billing.iter_account_invoices", "each")
    )


def test_the_page_of_assumptions_is_complete() -> None:
    page = text_of(DOCS / "assumptions.md")
    for element in load(CONTRACT).elements():
        if element.kind == "path" and element.status != "assumed":
            assert element.name not in page, "docs/assumptions.md lists a path that is no longer assumed"
        if element.status == "assumed" and element.kind in ("path", "parameter", "security scheme", "tag"):
            assert element.name in page, f"docs/assumptions.md lacks the {element.kind} {element.name}"


def test_the_lists_in_the_documentation_are_complete() -> None:
    credentials = text_of(DOCS / "credentials.md")
    for kind in KINDS:
        assert all(PREFIX + name in credentials for name in (*kind.needed, *kind.optional))
    assert (errors.__doc__ or "").partition("\n\n")[2].strip() in text_of(DOCS / "errors.md")
    sandbox = text_of(DOCS / "sandbox.md")
    for number, account in ACCOUNTS.items():
        assert f"| `{number}` | {account.about} |" in sandbox
    modules = [file for part in ("contract", "generate") for file in (ROOT / "tools" / part).glob("*.py")]
    source = "".join(module.read_text(encoding="utf-8") for module in modules)
    rules = {*re.findall(r'(?:finding|_report)\(\s*"([a-z-]+)"', source), "documented"}
    # `make generate` prints the findings of `list`, but they are no faults.
    assert rules - {"list"} == {*re.findall(r"^\| `([a-z-]+)` \|", text_of(DOCS / "generator.md"), re.M)}
    assert tuple(re.findall(r"^- \*\*(\w+)\*\*", text_of(DOCS / "contract.md"), re.M)) == STATUSES


def test_every_sentence_about_changes_is_listed() -> None:
    page = text_of(DOCS / "changes.md")
    rows = [f"| `{kind}` | {rated} | {text[:1].upper()}{text[1:]} |" for kind, (rated, text) in SENTENCES.items()]
    assert [line for line in page.splitlines() if line.startswith("| `")] == rows


COMMANDS = re.findall(r"^talkdesk-bridge .*$", text_of(DOCS / "command.md"), re.M)


@pytest.mark.parametrize("line", COMMANDS)
def test_the_documented_commands_work(sandbox: Sandbox, tmp_path: Path, line: str) -> None:
    works(line, sandbox.url, tmp_path)


def test_every_exit_status_is_listed() -> None:
    page = text_of(DOCS / "command.md")
    statuses = re.findall(r"\b(\d+) [a-z]", (ending.__doc__ or "").partition("\n\n")[2])
    assert statuses
    assert re.findall(r"^\| (\d+) \| \w", page, re.M) == statuses
    given = {ending.status_of(errors.StatusError("", status_code=code)) for code in (400, 401, 404, 503)}
    given |= {ending.status_of(kind("")) for kind in (errors.ArgumentError, errors.ContractError, errors.PagingError)}
    assert {str(status) for status in given} == {*statuses} - {"0", "8", "129", "130", "143"}


def test_make_lists_its_targets_on_one_screen() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert phony
    result = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607 # make, wherever it is
    lines = result.stdout.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ")]
    # The two halves of `publish` are for release workflows.
    assert listed == [name for name in phony[1].split() if name not in ("help", "check-release", "upload")]
    assert all(len(line.split()) > 2 for line in lines if line.startswith("  "))
    assert listed[:5] == ["demo", "test", "validate", "generate", "changes"]
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 101


def test_clean_removes_the_files_that_git_ignores() -> None:
    clean = ["make", "--dry-run", "clean"]
    removed = subprocess.run(clean, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()[2:]
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = {line.rstrip("/") for line in lines if not line.startswith("#")}
    # Python's caches, and folders that only a killed process leaves behind.
    assert {name.replace("-*", "*") for name in removed} >= ignored - {"__pycache__", ".dist.*", "generated/.*"}
    assert "docs/.faults.md" in ignored


def test_the_versions_agree() -> None:
    version = load(CONTRACT).data["info"]["version"]
    assert f"\n## {version}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_demo_reads_quoted_values() -> None:
    values = ["https://b", "https://b/token", "the client", "a'b"]
    lines = [
        f"  export TALKDESK_BRIDGE_{name}={shlex.quote(value)}\n" for name, value in zip(VARIABLES, values, strict=True)
    ]
    sandbox: Any = SimpleNamespace(stdout=["It's at https://b\n", *lines])
    assert [*_environment(sandbox).values()] == values


def test_the_demo(tmp_path: Path) -> None:
    result = subprocess.run([sys.executable, "-m", "tools.demo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    on_screen = sum(1 + len(line) // 100 for line in lines)
    assert on_screen <= 48  # `make demo` also prints the two lines of `make validate generate`
    rows = [line.split()[0] for line in lines if re.match(r"10000\d+ ", line)]
    assert (rows[0], rows[-1]) == ("1000000001", "1000000137")
    assert "137 invoices" in lines
    assert "(exit status 4)" in lines
    assert "404 There is no account with this number." in lines
    path = invoices_of("1000000001") + "?per_page=50"
    at = lines.index("=== The requests that the bridge received, each once")
    asked = ["POST /oauth/token 200", f"GET {path} 200", f"GET {path}&page=2 200", f"GET {path}&page=3 200"]
    assert lines[at + 1 : at + 5] == asked

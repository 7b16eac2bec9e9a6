"""`make changes` and `make check-version` in a separate repository: their output, and the errors that they report."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.repository import BASE, VERSION, Repository
from tools.changes.sentences import next_version


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


BEGIN = re.search(
    r"\n    InvoiceDetails:\n(?:.*\n)+?      properties:\n", (ROOT / "openapi.yaml").read_text(encoding="utf-8")
)
assert BEGIN
NOTE = BEGIN[0]
NOTED = NOTE + (
    "        note:\n          type: string\n          x-provenance: {status: assumed, source: a test, retrieved: "
    '"2026-11-23", note: Made up.}\n'
)


def test_changes_are_printed_in_three_formats(repository: Repository) -> None:
    text = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
    line = (text.partition(NOTE)[0] + NOTE).count("\n") + 1
    repository.contract(NOTE, NOTED)
    following = next_version(VERSION, "minor")
    message = "`InvoiceDetails.note` was added; it is None if the bridge does not send it. If you read it from "
    message += '`additional_properties["note"]`, read the attribute instead.'
    summary = f"1 change for callers since {BASE} ({VERSION}), rated minor. The next version is {following} or higher;"
    summary += f" openapi.yaml says {VERSION}."
    printed_text = repository.make("changes")
    assert (printed_text.returncode, printed_text.stderr) == (0, "")
    assert printed_text.stdout.splitlines() == [
        f"minor  openapi.yaml:{line}  models.InvoiceDetails.note, InvoiceDetails.note",
        f"       {message}",
        "",
        summary,
    ]
    markdown = repository.make("changes", "FORMAT=markdown", f"BASE={BASE}").stdout
    assert markdown == f"## Changes for callers since {BASE}\n\n{summary}\n\n### Minor\n\n- {message}\n"
    printed = json.loads(repository.make("changes", "FORMAT=json", "BASE=HEAD").stdout)
    assert printed["version"] == {"base": VERSION, "now": VERSION, "next": following}
    assert [printed["base"], printed["rating"]] == ["HEAD", "minor"]
    assert printed["changes"] == [
        {"rating": "minor", "kind": "field-new", "python": "models.InvoiceDetails.note", "message": message,
         "wire": "InvoiceDetails.note", "line": line}
    ]  # fmt: skip


def test_check_version(repository: Repository) -> None:
    passed = repository.make("check-version")
    assert (passed.returncode, passed.stderr) == (0, "")
    assert passed.stdout == f"Version {VERSION} and CHANGELOG.md match the changes since {BASE}.\n"
    renamed(repository)
    failed = repository.make("check-version", f"BASE={BASE}")
    assert failed.returncode == 2
    message = f"`info.version` is {VERSION}, but the changes since {BASE} ({VERSION}) are rated major: set it to "
    assert failed.stdout.startswith(f"openapi.yaml: {message}{next_version(VERSION, 'major')}")
    repository.edit("openapi.yaml", f"version: {VERSION}", "version: 9.2.0-rc1")
    failed = repository.make("check-version", f"BASE={BASE}")
    assert failed.returncode == 2
    assert failed.stderr.startswith("openapi.yaml: `info.version` is 9.2.0-rc1: use three numbers, such as 1.4.0.\n")
    repository.edit("openapi.yaml", "version: 9.2.0-rc1", f"version: {VERSION}")
    repository.git("tag", "--delete", BASE)
    result = repository.make("check-version")
    assert (result.returncode, result.stdout[:10]) == (0, "No release")
    assert f"changes for callers since HEAD ({VERSION}), rated major" in repository.make("changes").stdout


def code(repository: Repository) -> None:
    repository.edit("overrides/talkdesk_bridge/_money.py", '"""', '"""How money is read: ')


def renamed(repository: Repository) -> None:
    auth = "overrides/talkdesk_bridge/_auth.py"
    repository.edit(auth, "    token: str = field(", "    bearer: str = field(")
    repository.edit(auth, "Bearer {self.token}", "Bearer {self.bearer}")


def needs(repository: Repository) -> None:
    repository.edit("pyproject.toml", '"attrs>=23.2"', '"attrs>=24.1"')


def tool(repository: Repository) -> None:
    repository.edit("tools/contract/messages.py", '"""Prints findings', '"""Prints all findings')


def comment(repository: Repository) -> None:
    repository.contract("openapi: 3.1.0", "# Only a comment.\nopenapi: 3.1.0")


@pytest.mark.parametrize(
    ("change", "rated", "message"),
    [(code, "patch", "The client's own code changed"), (needs, "patch", "The client's own code changed"),
     (renamed, "major", "`token` of `BearerAuth()` was removed: stop using it."), (tool, "none", ""), (comment, "none", "")],
)  # fmt: skip
def test_a_change_of_the_client_alone(
    repository: Repository, change: Callable[[Repository], None], rated: str, message: str
) -> None:
    change(repository)
    result = json.loads(repository.make("changes", "FORMAT=json").stdout)
    assert result["rating"] == rated
    assert result["version"]["next"] == next_version(VERSION, rated)
    assert not message or any(message in change["message"] for change in result["changes"])


def test_states_that_cannot_be_compared(repository: Repository) -> None:
    def error(*arguments: str) -> str:
        result = repository.make("changes", *arguments)
        assert (result.returncode, result.stdout) == (2, "")
        return result.stderr.splitlines()[0]

    assert error("BASE=nothing").startswith("`nothing` is not a revision of this repository: name a tag, a branch or")
    assert error("BASE=--help").startswith("`--help` is not a revision")
    assert (
        "invalid choice: 'xml' (choose from 'text', 'json', 'markdown')"
        in repository.make("changes", "FORMAT=xml").stderr
    )
    repository.git("checkout", "--quiet", "--orphan", "empty")
    repository.git("rm", "-r", "--quiet", "--cached", "generated")
    repository.git("commit", "--quiet", "--message", "No client")
    assert error("BASE=HEAD") == "`HEAD` has no openapi.yaml or no generated/: name a later revision."
    repository.git("checkout", "--quiet", "--force", "main")
    repository.edit("openapi.yaml", "description: OK", "description: Fine")
    stale = "generated/ does not match openapi.yaml: run `make validate generate` first."
    assert error() == stale
    repository.edit("openapi.yaml", "description: Fine", "description: OK")
    (repository.folder / "generated" / "talkdesk_bridge_api" / "extra.py").touch()
    assert error() == stale
    (repository.folder / "generated" / "talkdesk_bridge_api" / "extra.py").unlink()
    repository.edit("openapi.yaml", "info:\n", "infos:\n")
    assert error() == stale
    repository.git("checkout", "--quiet", "--force", "main")
    repository.edit("openapi.yaml", "      tags: [billing]\n", "")
    repository.commit()
    repository.git("checkout", "--quiet", BASE, "--", "openapi.yaml")
    assert (
        error("BASE=HEAD") == "The contract at HEAD breaks the current rules (KeyError: 'tags'): name a later revision."
    )
    repository.edit("openapi.yaml", "info:\n", "infos:\n")
    repository.commit()
    repository.git("checkout", "--quiet", BASE, "--", "openapi.yaml")
    assert error("BASE=HEAD") == "openapi.yaml at HEAD: `info.version` is None: name a revision that has three numbers."
    shutil.rmtree(repository.folder / ".git")
    no_clone = "This is not a git clone of the project: clone it with its tags to compare revisions."
    assert error() == no_clone
    checked = repository.make("check-version")
    assert (checked.returncode, checked.stderr.splitlines()[0]) == (2, no_clone)


def test_an_older_package_that_cannot_be_imported(repository: Repository) -> None:
    types = "generated/talkdesk_bridge_api/types.py"
    repository.edit(types, "from typing import", "import nothing_of_this_name\nfrom typing import")
    repository.commit()
    repository.git("checkout", "--quiet", BASE, "--", "generated")
    result = repository.make("changes", "BASE=HEAD")
    assert result.returncode == 2
    assert re.match("The package at HEAD cannot be imported with the current tools: ModuleNotFoundError", result.stderr)

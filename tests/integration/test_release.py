"""`make check-release` in a separate repository: what may be published, and the reasons against it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.repository import BASE, VERSION, Repository
from tools.changes.sentences import next_version

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")

FOLLOWING = next_version(VERSION, "patch")


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The committed project, without "Not released yet." in its changelog."""
    repository = Repository(tmp_path_factory.mktemp("release") / "repository", released=False)
    repository.release()
    return repository


@pytest.fixture
def repository(committed: Repository, tmp_path: Path) -> Repository:
    shutil.copytree(committed.folder, tmp_path / "copy")
    return committed.at(tmp_path / "copy")


def faults(repository: Repository) -> list[str]:
    """The reasons against publishing, one message for each."""
    result = repository.make("check-release")
    assert (result.returncode != 0) == bool(result.stderr), result.stdout + result.stderr
    return [line for line in result.stderr.splitlines() if not line.startswith("make: ")]


def test_a_commit_may_be_published_with_and_without_its_tag(repository: Repository) -> None:
    assert faults(repository) == []
    repository.git("tag", BASE)
    result = repository.make("check-release")
    compared = "no earlier release is tagged to compare it with"
    message = f"This commit may be published as {VERSION} with the tag {BASE} ({compared}).\n"
    assert (result.returncode, result.stdout) == (0, message)


def test_uncommitted_changes(repository: Repository) -> None:
    repository.edit("README.md", "# talkdesk-bridge", "# Another")
    (repository.folder / "overrides" / "talkdesk_bridge" / "left.py").touch()
    assert faults(repository) == [
        "There are uncommitted changes (README.md, overrides/talkdesk_bridge/left.py): commit, ignore or remove them."
    ]


def test_changes_that_git_ignores(repository: Repository) -> None:
    repository.git("update-index", "--assume-unchanged", "README.md")
    repository.edit("README.md", "# talkdesk-bridge", "# Another")
    (fault,) = faults(repository)
    assert fault.startswith("README.md: git is configured to ignore its changes: run ")
    subprocess.run(shlex.split(fault.split("`")[1]), cwd=repository.folder, check=True)
    assert "There are uncommitted changes (README.md)" in faults(repository)[0]


def test_a_shallow_clone(repository: Repository, tmp_path: Path) -> None:
    repository.git("commit", "--quiet", "--allow-empty", "--message", "Another")
    repository.git("clone", "--quiet", "--depth", "1", repository.folder.as_uri(), str(tmp_path / "shallow"))
    (fault,) = faults(repository.at(tmp_path / "shallow"))
    assert fault == "This clone is shallow and may lack release tags: run `git fetch --unshallow --tags`."


def test_a_version_whose_tag_is_at_another_commit(repository: Repository) -> None:
    repository.git("tag", BASE)
    repository.edit("README.md", "# talkdesk-bridge", "# Another")
    repository.commit()
    assert faults(repository) == [
        f"openapi.yaml: another commit is already tagged {BASE}: set a higher `info.version` for this one."
    ]
    repository.git("tag", "v9.0.0")
    assert f"{VERSION}, but this commit is tagged v9.0.0" in faults(repository)[0]
    repository.git("tag", "--delete", "v9.0.0")
    repository.git("tag", VERSION)
    assert f"{VERSION}, but this commit is tagged {VERSION}" in faults(repository)[0]


def test_a_changelog_that_does_not_match(repository: Repository) -> None:
    repository.edit("CHANGELOG.md", f"## {VERSION}\n", f"## {VERSION}\n\nNot released yet.\n")
    repository.commit()
    assert faults(repository) == [
        f'CHANGELOG.md: the section `## {VERSION}` says "not released yet": remove that, and commit.'
    ]
    repository.edit("CHANGELOG.md", f"## {VERSION}\n", "## Next\n")
    repository.commit()
    assert faults(repository) == [
        f"CHANGELOG.md: the section `## {VERSION}` is missing: add it, and describe the changes for users."
    ]


def test_a_version_that_is_too_low_for_the_changes_since_the_previous_release(repository: Repository) -> None:
    repository.git("tag", BASE)
    repository.edit("openapi.yaml", f"version: {VERSION}", f"version: {FOLLOWING}")
    repository.edit("openapi.yaml", "name: per_page", "name: page_size")
    assert repository.make("generate").returncode == 0
    repository.edit(
        "CHANGELOG.md", f"## {VERSION}\n", f"## {FOLLOWING}\n\n- `get_account_invoices`: `page_size`.\n\n## {VERSION}\n"
    )
    repository.commit()
    # With its own tag: the commit must be compared with the previous release, not with itself.
    repository.git("tag", f"v{FOLLOWING}")
    (fault,) = faults(repository)
    assert fault.startswith(f"openapi.yaml: `info.version` is {FOLLOWING}, but the changes since {BASE} ({VERSION})")


def test_a_folder_without_git_and_a_contract_without_a_version(repository: Repository) -> None:
    repository.edit("openapi.yaml", f"version: {VERSION}", "version: one")
    assert faults(repository) == ["openapi.yaml: `info.version` is one: use three numbers, such as 1.4.0."]
    shutil.rmtree(repository.folder / ".git")
    repository.edit("openapi.yaml", "version: one", f"version: {VERSION}")
    assert faults(repository)[0].startswith("This is not a git clone of the project:")

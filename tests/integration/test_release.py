"""`make check-release` in a repository of its own: what may be published, and what speaks against it."""

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
    """The project as it is, and nothing in it says that it is not released."""
    repository = Repository(tmp_path_factory.mktemp("release") / "repository", released=False)
    repository.release()
    return repository


@pytest.fixture
def repository(committed: Repository, tmp_path: Path) -> Repository:
    shutil.copytree(committed.folder, tmp_path / "copy")
    return committed.at(tmp_path / "copy")


def told(repository: Repository) -> list[str]:
    """What speaks against publishing, a sentence each."""
    result = repository.make("check-release")
    assert (result.returncode != 0) == bool(result.stderr), result.stdout + result.stderr
    return [line for line in result.stderr.splitlines() if not line.startswith("make: ")]


def test_a_commit_may_be_published_with_its_tag_or_before_it_gets_one(repository: Repository) -> None:
    assert told(repository) == []
    repository.git("tag", BASE)
    result = repository.make("check-release")
    nothing = "with nothing to compare it with: no release before it is tagged"
    may = f"This commit may be published as {VERSION}, with the tag {BASE}, {nothing}.\n"
    assert (result.returncode, result.stdout) == (0, may)


def test_a_tree_that_is_not_what_is_committed(repository: Repository) -> None:
    repository.edit("README.md", "# talkdesk-bridge", "# Another")
    (repository.folder / "overrides" / "talkdesk_bridge" / "left.py").touch()
    assert told(repository) == [
        "The tree is not what is committed (README.md, overrides/talkdesk_bridge/left.py): "
        "commit, ignore or remove what differs."
    ]


def test_a_tree_that_git_does_not_look_at(repository: Repository) -> None:
    repository.git("update-index", "--assume-unchanged", "README.md")
    repository.edit("README.md", "# talkdesk-bridge", "# Another")
    (fault,) = told(repository)
    assert fault.startswith("README.md: git is configured not to look at it: ")
    subprocess.run(shlex.split(fault.split("`")[1]), cwd=repository.folder, check=True)
    assert "The tree is not what is committed (README.md)" in told(repository)[0]


def test_a_shallow_clone(repository: Repository, tmp_path: Path) -> None:
    repository.git("commit", "--quiet", "--allow-empty", "--message", "Another")
    repository.git("clone", "--quiet", "--depth", "1", repository.folder.as_uri(), str(tmp_path / "shallow"))
    (fault,) = told(repository.at(tmp_path / "shallow"))
    assert fault == "This clone is shallow, and may lack tags of releases: `git fetch --unshallow --tags`."


def test_a_version_that_another_commit_has(repository: Repository) -> None:
    repository.git("tag", BASE)
    repository.edit("README.md", "# talkdesk-bridge", "# Another")
    repository.commit()
    assert told(repository) == [
        f"openapi.yaml: {VERSION} is another commit, tagged {BASE}: set a higher `info.version` for this one."
    ]
    repository.git("tag", "v9.0.0")
    assert f"{VERSION}, but this commit is tagged v9.0.0" in told(repository)[0]
    repository.git("tag", "--delete", "v9.0.0")
    repository.git("tag", VERSION)
    assert f"{VERSION}, but this commit is tagged {VERSION}" in told(repository)[0]


def test_a_changelog_that_tells_otherwise(repository: Repository) -> None:
    repository.edit("CHANGELOG.md", f"## {VERSION}\n", f"## {VERSION}\n\nNot released yet.\n")
    repository.commit()
    assert told(repository) == [f"CHANGELOG.md: says that {VERSION} is not released yet: take that out, and commit."]
    repository.edit("CHANGELOG.md", f"## {VERSION}\n", "## Next\n")
    repository.commit()
    assert told(repository) == [f"CHANGELOG.md: has no section `## {VERSION}`: add it, with what users must know."]


def test_a_version_that_does_not_fit_what_changed_since_the_release_before(repository: Repository) -> None:
    repository.git("tag", BASE)
    repository.edit("openapi.yaml", f"version: {VERSION}", f"version: {FOLLOWING}")
    repository.edit("openapi.yaml", "name: per_page", "name: page_size")
    assert repository.make("generate").returncode == 0
    repository.edit(
        "CHANGELOG.md", f"## {VERSION}\n", f"## {FOLLOWING}\n\n- `get_account_invoices`: `page_size`.\n\n## {VERSION}\n"
    )
    repository.commit()
    # As a tagged commit is checked, too: it is no change against itself.
    repository.git("tag", f"v{FOLLOWING}")
    (fault,) = told(repository)
    assert fault.startswith(f"openapi.yaml: `info.version` is {FOLLOWING}, but the changes since {BASE} ({VERSION})")


def test_what_is_no_clone_or_has_no_version(repository: Repository) -> None:
    repository.edit("openapi.yaml", f"version: {VERSION}", "version: one")
    assert told(repository) == ["openapi.yaml: has no version of three numbers: `make validate` says where."]
    shutil.rmtree(repository.folder / ".git")
    repository.edit("openapi.yaml", "version: one", f"version: {VERSION}")
    assert told(repository)[0].startswith("This is no git clone of the project: make one, with its tags")

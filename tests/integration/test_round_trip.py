"""To a package index and back: publish, install as docs/install.md says, publish a later version, upgrade."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, merged
from tests.integration.commands import ready, run
from tests.integration.commands import serving as sandbox_of
from tests.integration.indexes import BIN, PASSWORD, USER, Index, serving
from tests.pages import DOCS, blocks
from tests.repository import BASE, VERSION, Repository
from tools.changes.sentences import next_version

UV = str(ROOT / ".venv-uv" / "bin" / "uv")
FOLLOWING = next_version(VERSION, "minor")
URL = "https://packages.example/simple/"
PAGE = DOCS / "install.md"
FILES = [*blocks(PAGE, "ini"), *blocks(PAGE, "toml")]
"""The files of docs/install.md: for pip, for uv, for Poetry."""
COMMANDS = [shlex.split(line.replace("[cli]", "[sandbox]"))[1:] for line in blocks(PAGE, "sh")]
"""The arguments of its commands, with the extra that these tests need."""


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Iterator[Index]:
    """The index of a team, which mirrors the dependencies of the package."""
    folder = tmp_path_factory.mktemp("private")
    shutil.copytree(wheels, folder / "packages")
    with serving(folder) as index:
        yield index


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Iterator[Index]:
    """An index that anyone can upload to; it has another package with our name and a higher version."""
    folder = tmp_path_factory.mktemp("public")
    shutil.copytree(wheels, folder / "packages")
    project = folder / "project"
    (project / "talkdesk_bridge").mkdir(parents=True)
    (project / "talkdesk_bridge" / "__init__.py").write_text("__version__ = 'not ours'\n")
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "talkdesk-bridge"\nversion = "99.0"\n'
        "[project.optional-dependencies]\ncli = []\nsandbox = []\n"
        '[tool.hatch.build.targets.wheel]\npackages = ["talkdesk_bridge"]\n'
    )
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "packages")]
    subprocess.run(build, cwd=project, check=True, capture_output=True)
    with serving(folder, actions=".") as index:
        yield index


class Team(Repository):
    """A repository of the project, from which a team publishes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, released=False)
        for environment in ROOT.glob(".venv*"):
            (folder / environment.name).symlink_to(environment)
        with (folder / ".git" / "info" / "exclude").open("a") as excluded:
            excluded.write("/.venv*\n")
        self.release()

    def publish(self, index: Index) -> list[str]:
        """What uv says of each of the two files: `Uploading`, or `File` if it exists already."""
        done = self.make("publish", **index.variables())
        assert done.returncode == 0, done.stdout + done.stderr
        return re.findall(r"^(Uploading|File) talkdesk_bridge-", done.stdout, re.M)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return Team(tmp_path_factory.mktemp("team") / "repository")


@pytest.fixture(scope="module")
def published(team: Team, private: Index) -> list[list[str]]:
    """The output of `make publish`, the first time and the second."""
    return [team.publish(private), team.publish(private)]


@pytest.fixture
def home(tmp_path: Path, private: Index, public: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder whose pip also uses the public index, as do the variables of the machine."""
    for name in [*os.environ]:
        if name.startswith(("PIP_", "UV_", "POETRY_", "XDG_", "VIRTUAL_ENV", "PYTHONPATH")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(f"[global]\nextra-index-url = {public.simple}\n")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", public.simple)
    monkeypatch.setenv("PIP_FIND_LINKS", str(public.folder))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    return tmp_path


def written(number: int, file: Path, private: Index, *more: str) -> Path:
    """Write a file of docs/install.md for this index, followed by more lines."""
    text = FILES[number]
    assert URL in text
    file.write_text("\n".join([text.replace(URL, private.simple), *more]))
    return file


VERSIONS = "import talkdesk_bridge; print(talkdesk_bridge.__version__)"


def works(command: Path, version: str) -> None:
    """The installed package has this version, and its command lists an account of its own sandbox."""
    assert run(str(command.with_name("python")), "-c", VERSIONS) == f"{version}\n"
    if command.exists():
        with sandbox_of(str(command), "sandbox", "--port", "0") as url:
            assert run(str(command), "invoices", "1000000001", **ready(url)).splitlines()[-1] == "137 invoices"


def test_publishing_twice_uploads_once(published: list[list[str]], private: Index) -> None:
    assert published == [["Uploading"] * 2, ["File"] * 2]  # already exists, skipping
    assert private.holds() == [f"talkdesk_bridge-{VERSION}-py3-none-any.whl", f"talkdesk_bridge-{VERSION}.tar.gz"]


@pytest.mark.usefixtures("published")
def test_pip_installs_from_the_private_index_only(home: Path, private: Index) -> None:
    new = home / "new"
    venv.create(new, with_pip=True)
    pip, python = str(new / "bin" / "pip"), str(new / "bin" / "python")
    written(0, new / "pip.conf", private)
    # Without the options or the file of docs/install.md, the other index wins.
    install = [part for part in COMMANDS[0] if part != "--isolated"]
    run(pip, *install)
    assert run(python, "-c", VERSIONS) == "not ours\n"
    run(pip, "uninstall", "--yes", "--quiet", "talkdesk-bridge")
    run(pip, *COMMANDS[0])
    works(new / "bin" / "talkdesk-bridge", VERSION)
    (home / "new" / "pip.conf").write_text(f"[global]\nindex-url = {private.simple}\n")
    run(pip, *install, PIP_EXTRA_INDEX_URL="", PIP_FIND_LINKS="")
    assert run(python, "-c", VERSIONS) == "not ours\n"


@pytest.mark.usefixtures("published")
def test_uv_installs_the_package_from_the_private_index(home: Path, private: Index, public: Index) -> None:
    named = {"UV_INDEX_INSURER_USERNAME": USER, "UV_INDEX_INSURER_PASSWORD": PASSWORD, "NETRC": os.devnull}
    named |= {"UV_DEFAULT_INDEX": public.simple, "UV_PYTHON": sys.executable, "UV_CACHE_DIR": str(home / "cache")}
    service = home / "service"
    service.mkdir()
    file = written(1, service / "pyproject.toml", private)
    file.write_text(file.read_text().replace("[cli]", "[sandbox]"))
    run(UV, *COMMANDS[1], "--quiet", "--project", str(service), **named)
    works(service / ".venv" / "bin" / "talkdesk-bridge", VERSION)
    assert PASSWORD not in (service / "uv.lock").read_text()
    # Without the source in docs/install.md, the other index wins.
    file.write_text(file.read_text().partition("[tool.uv.sources]")[0])
    run(UV, "sync", "--quiet", "--upgrade", "--project", str(service), **named)
    assert run(str(service / ".venv" / "bin" / "python"), "-c", VERSIONS) == "not ours\n"


@pytest.mark.usefixtures("published")
def test_uv_installs_everything_from_the_private_index(home: Path, private: Index) -> None:
    run(UV, "venv", "--quiet", "--python", sys.executable, str(home / "new"))
    inside = home / "new" / "bin" / "python"
    named = {"UV_DEFAULT_INDEX": private.simple, "UV_CACHE_DIR": str(home / "cache")}
    run(UV, "pip", "install", "--quiet", "--python", str(inside), "talkdesk-bridge[sandbox]", **named)
    works(inside.with_name("talkdesk-bridge"), VERSION)


@pytest.mark.usefixtures("published")
def test_poetry_installs_the_package_from_the_private_index(home: Path, private: Index, public: Index) -> None:
    named = {"POETRY_HTTP_BASIC_INSURER_USERNAME": USER, "POETRY_HTTP_BASIC_INSURER_PASSWORD": PASSWORD}
    named |= {"POETRY_VIRTUALENVS_IN_PROJECT": "true", "POETRY_CACHE_DIR": str(home / "cache"), "NETRC": os.devnull}
    service = home / "service"
    service.mkdir()
    # Replaces the public index, which Poetry uses if no other source is primary.
    other = f'[[tool.poetry.source]]\nname = "other"\nurl = "{public.simple}"\npriority = "primary"\n'
    file = written(2, service / "pyproject.toml", private, other)
    file.write_text(file.read_text().replace("[cli]", "[sandbox]"))
    poetry = [str(BIN / "poetry"), "--no-interaction", "--quiet", "--project", str(service)]
    run(*poetry, *COMMANDS[2], **named)
    works(service / ".venv" / "bin" / "talkdesk-bridge", VERSION)
    file.write_text(file.read_text().replace('talkdesk-bridge = { source = "insurer" }\n', ""))
    run(*poetry, "update", **named)
    assert run(str(service / ".venv" / "bin" / "python"), "-c", VERSIONS) == "not ours\n"


@pytest.mark.usefixtures("published")
def test_publishing_and_upgrading_to_a_version_with_more_operations(home: Path, private: Index, team: Team) -> None:
    new = home / "new"
    venv.create(new, with_pip=True)
    written(0, new / "pip.conf", private)
    pip = str(new / "bin" / "pip")
    run(pip, "--isolated", "install", "--quiet", f"talkdesk-bridge[sandbox]=={VERSION}")
    team.git("tag", BASE)

    data = merged("claims")
    data["info"]["version"] = FOLLOWING
    (team.folder / "openapi.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    generated = team.make("generate")
    assert generated.returncode == 0, generated.stdout + generated.stderr
    changed = team.make("changes", f"BASE={BASE}", "FORMAT=markdown").stdout
    items = "\n".join(re.findall(r"^- .*", changed, re.M))
    team.edit("CHANGELOG.md", f"## {VERSION}\n", f"## {FOLLOWING}\n\n{items}\n\n## {VERSION}\n")
    team.commit()
    assert team.publish(private) == ["Uploading"] * 2

    run(pip, *COMMANDS[0])
    command = str(new / "bin" / "talkdesk-bridge")
    works(Path(command), FOLLOWING)
    with sandbox_of(command, "sandbox", "--port", "0") as url:
        assert run(command, "get", "read_note", "1000000001", **ready(url)) == "Noted."

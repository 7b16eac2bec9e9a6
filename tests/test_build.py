"""`make build` in a separate clone: the same bytes on every machine, and no faulty file in dist/."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from email.parser import HeaderParser
from pathlib import Path

import hatchling
import pytest

from tests import repository
from tests.conftest import ROOT
from tests.pythons import SUPPORTED, python
from tests.repository import VERSION, git
from tools.release import __main__ as command
from tools.release import build as tool
from tools.release import upload
from tools.release.upload import PRIVATE

COMMITTED = 1_700_000_000
WHEEL, SDIST = f"talkdesk_bridge-{VERSION}-py3-none-any.whl", f"talkdesk_bridge-{VERSION}.tar.gz"
CLIENT = next(package for package in tool.PACKAGES if package.endswith("/talkdesk_bridge"))


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the files that a build reads, committed at a fixed time."""
    folder = tmp_path_factory.mktemp("origin") / "project"
    folder.mkdir()
    for name in (*tool.SOURCES, ".gitignore", ".gitattributes"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name in (*tool.PACKAGES, tool.DOCS):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "api.html"))
    git(folder, "init", "--quiet", "--initial-branch=main")
    repository.commit(folder, GIT_COMMITTER_DATE=f"{COMMITTED} +0300")
    return folder


@pytest.fixture(autouse=True)
def checkers(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No date from the environment, and no checkers, which take a second; one test below runs them all."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.delenv("DOCS_URL", raising=False)
    monkeypatch.setattr(tool, "CHECKERS", {})
    return monkeypatch


@pytest.fixture(scope="module")
def expected(origin: Path) -> dict[str, bytes]:
    """The two files of one build."""
    return held(tool.write(origin, origin / "dist"))


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Path:
    git(origin, "clone", "--quiet", str(origin), str(tmp_path / "clone"))
    return tmp_path / "clone"


def held(files: list[Path]) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in files}


# Reproducible builds.


@pytest.fixture
def _far_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {"TZ": "Pacific/Apia", "LC_ALL": "C", "LANG": "de_DE.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "hatchling.py").write_text("raise SystemExit('not this one')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    # Variables that users of hatchling set.
    monkeypatch.setenv("HATCH_BUILD_HOOKS_ONLY", "1")
    monkeypatch.setenv("HATCH_BUILD_LOCATION", "elsewhere")
    time.tzset()
    before = os.umask(0o077)
    yield
    os.umask(before)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_far_from_here")
def test_another_machine_gives_the_same_bytes(origin: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    # A path that .gitignore matches, git settings that convert line ends, and files that tools leave behind.
    away = tmp_path / "dist" / "a clöne"
    away.parent.mkdir()
    git(origin, "-c", "core.autocrlf=true", "-c", "core.eol=crlf", "clone", "--quiet", str(origin), str(away))
    for number, file in enumerate(away.rglob("*")):
        os.utime(file, (number, number))
    assert {file.stat().st_mode & 0o777 for file in away.rglob("*.py")} == {0o600}
    for name in ("__pycache__/some.pyc", ".mypy_cache/some.py", ".ruff_cache/some.py"):
        (away / CLIENT / name).parent.mkdir()
        (away / CLIENT / name).touch()
    (away / "generated" / ".half").mkdir()
    assert held(tool.write(away, away / "dist")) == expected
    # Once more, with files in dist/.
    assert held(tool.write(away, away / "dist")) == expected


def hatched(folder: Path, with_python: str, *options: str) -> dict[str, bytes]:
    """The files that hatchling alone builds from a folder with a given Python."""
    variables = {
        "SOURCE_DATE_EPOCH": str(COMMITTED),
        "PYTHONPATH": str(Path(hatchling.__file__).parent.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [with_python, "-m", "hatchling", "build", *options]
    subprocess.run(command, cwd=folder, env=os.environ | variables, check=True, capture_output=True)
    return held([*(folder / "dist").iterdir()])


@pytest.mark.parametrize("version", SUPPORTED)
def test_each_python_gives_the_same_bytes(clone: Path, expected: dict[str, bytes], version: str) -> None:
    assert hatched(clone, python(version)) == expected


def test_the_sdist_holds_exactly_the_files_that_a_build_needs(expected: dict[str, bytes], tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")  # an outer repository, with its own .gitignore
    (tmp_path / ".gitignore").write_text("*\n")
    (tmp_path / "sdist").write_bytes(expected[SDIST])
    with tarfile.open(tmp_path / "sdist") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        archive.extractall(tmp_path, filter="data")
        assert {entry.mtime for entry in archive} == {COMMITTED}
    # hatchling adds the last two.
    others = {name for name in names if not name.startswith(("generated/", "overrides/", "extras/", "docs/"))}
    pages = {page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").rglob("*.md")}
    assert pages <= names
    assert "docs/api.html" not in names
    assert others == {*tool.SOURCES, "PKG-INFO", ".gitignore"}
    unpacked = tmp_path / SDIST.removesuffix(".tar.gz")
    assert hatched(unpacked, sys.executable, "-t", "wheel") == {WHEEL: expected[WHEEL]}


def test_the_metadata_of_the_wheel(expected: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / WHEEL).write_bytes(expected[WHEEL])
    (tmp_path / SDIST).write_bytes(expected[SDIST])
    with zipfile.ZipFile(tmp_path / WHEEL) as archive:
        info = f"talkdesk_bridge-{VERSION}.dist-info"
        text = archive.read(f"{info}/METADATA").decode()
        assert archive.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert {entry.date_time for entry in archive.infolist()} == {
            (*time.gmtime(COMMITTED)[:5], COMMITTED % 60 // 2 * 2)
        }
    with tarfile.open(tmp_path / SDIST) as archive_:
        described = archive_.extractfile(f"talkdesk_bridge-{VERSION}/PKG-INFO")
        assert described
        assert described.read().decode() == text
    found = HeaderParser().parsestr(text)
    assert (found["Name"], found["Version"]) == ("talkdesk-bridge", VERSION)
    assert PRIVATE in found.get_all("Classifier", [])
    assert found["Requires-Python"] == f">={SUPPORTED[0]}"
    always = [need for need in found.get_all("Requires-Dist", []) if "extra ==" not in need]
    assert sorted(re.findall(r"^[a-z]+", "\n".join(always), re.M)) == ["attrs", "httpx"]


@pytest.mark.parametrize("site", ["", "https://docs.example/bridge"])
def test_the_description_has_no_relative_link(clone: Path, monkeypatch: pytest.MonkeyPatch, site: str) -> None:
    monkeypatch.setenv("DOCS_URL", site)
    wheel, _ = tool.write(clone, clone / "dist")
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"talkdesk_bridge-{VERSION}.dist-info/METADATA").decode()
    links = re.findall(r"\]\(([^)\s]*)\)", text)
    assert [link for link in links if not re.match("https?://", link)] == []
    pages = {f"{site}/{file.relative_to(ROOT).with_suffix('.html')}" for file in (ROOT / "docs").glob("*.md")}
    assert bool(pages & {*links}) == bool(site)
    assert "](](" not in text
    urls = HeaderParser().parsestr(text).get_all("Project-URL", [])
    expected = [f"Documentation, {site}/", f"Changelog, {site}/CHANGELOG.html"]
    assert sorted(urls) == (sorted(expected) if site else [])


@pytest.mark.parametrize(("given", "dated"), [("", COMMITTED), ("1600000000", 1_600_000_000)])
def test_the_date_is_that_of_the_commit_unless_it_is_given(
    clone: Path, monkeypatch: pytest.MonkeyPatch, given: str, dated: int
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", given)
    _, sdist = tool.write(clone, clone / "dist")
    with tarfile.open(sdist) as archive:
        assert {entry.mtime for entry in archive} == {dated}


# Faults.


def stray(clone: Path) -> None:
    (clone / CLIENT / "new.py").touch()


def stray_page(clone: Path) -> None:
    (clone / "docs" / "reference" / "new.md").touch()


def wrongly_addressed(clone: Path) -> None:
    os.environ["DOCS_URL"] = "docs.example"  # the fixture restores it


def ignored(clone: Path) -> None:
    (clone / ".git" / "info" / "exclude").write_text("*.swp\n")
    (clone / CLIENT / ".errors.py.swp").touch()


def deleted(clone: Path) -> None:
    (clone / CLIENT / "errors.py").unlink()


def untyped(clone: Path) -> None:
    git(clone, "rm", "--quiet", f"{CLIENT}/py.typed")


def executable(clone: Path) -> None:
    (clone / "README.md").chmod(0o755)


def without_git(clone: Path) -> None:
    (clone / ".git").rename(clone.parent / "moved")


def undated(clone: Path) -> None:
    os.environ["SOURCE_DATE_EPOCH"] = "now"  # the fixture restores it


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(clone: Path) -> None:
        text = (clone / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old)
        (clone / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (stray, f"{CLIENT}/new.py is in the wheel, but git does not track it: remove it, or `git add` it."),
        (ignored, f"{CLIENT}/.errors.py.swp is in the wheel, but git does not track it: remove it, or `git add` it."),
        (deleted, f"{CLIENT}/errors.py is missing from the wheel: restore it, or correct [tool.hatch] in pyproject.toml."),
        (untyped, f"{CLIENT}/py.typed is missing from the wheel: restore it, or correct [tool.hatch] in pyproject.toml."),
        (executable, "README.md is executable, and file modes differ between machines: run `chmod -x` on it."),
        (edit("pyproject.toml", f'  "{PRIVATE}",\n', ""), f"pyproject.toml: the classifier `{PRIVATE}` is missing: add it to keep the package off public indexes."),
        (edit("pyproject.toml", '"Typing :: Typed"', '"Typing :: Tpyed"'), "hatchling cannot build the package: ValueError: Unknown classifier in field `project.classifiers`: Typing :: Tpyed; correct pyproject.toml, SOURCE_DATE_EPOCH or DOCS_URL."),
        (undated, "hatchling cannot build the package: ValueError: invalid literal for int() with base 10: 'now'; correct pyproject.toml, SOURCE_DATE_EPOCH or DOCS_URL."),
        (stray_page, "docs/reference/new.md is in the sdist, but git does not track it: remove it, or `git add` it."),
        (wrongly_addressed, "hatchling cannot build the package: ValueError: DOCS_URL must begin with https:// or http://; correct pyproject.toml, SOURCE_DATE_EPOCH or DOCS_URL."),
        (without_git, "git failed: fatal: not a git repository (or any of the parent directories): .git"),
    ],
)  # fmt: skip
def test_a_faulty_build_is_rejected_and_leaves_dist_unchanged(
    clone: Path, capsys: pytest.CaptureFixture[str], checkers: pytest.MonkeyPatch, change: Callable[[Path], None], message: str
) -> None:  # fmt: skip
    (clone / "dist").mkdir()
    (clone / "dist" / "earlier").write_text("unchanged")
    checkers.setenv("SOURCE_DATE_EPOCH", "")
    checkers.setenv("DOCS_URL", "")
    checkers.setenv("GIT_CEILING_DIRECTORIES", str(clone.parent))
    change(clone)
    assert tool.build(clone) == 1
    output = capsys.readouterr()
    assert output.err.splitlines() == [message, "dist/ was not changed."]
    assert output.out == ""
    assert [file.name for file in clone.glob("*dist*")] == ["dist"]
    assert [(file.name, file.read_text()) for file in (clone / "dist").iterdir()] == [("earlier", "unchanged")]


def test_digests_of_the_files_in_dist_are_printed(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clone / "dist").mkdir()
    (clone / "dist" / "talkdesk_bridge-0.0.9.tar.gz").touch()
    assert tool.build(clone) == 0
    output = capsys.readouterr()
    assert output.err == ""
    files = [line.split()[1] for line in output.out.splitlines()]
    assert files == [WHEEL, SDIST] == sorted(file.name for file in (clone / "dist").iterdir())
    summed = ["sha256sum", "--check", "--strict", "--quiet"]
    subprocess.run(summed, input=output.out, cwd=clone / "dist", text=True, check=True)


def test_faults_that_other_tools_find(
    clone: Path, capsys: pytest.CaptureFixture[str], checkers: pytest.MonkeyPatch
) -> None:
    checkers.undo()
    assert [Path(name).name for name, *_ in tool.CHECKERS] == ["twine", "check-wheel-contents"]
    assert tool.build(clone) == 0
    capsys.readouterr()
    edit(tool.HOOK, '"text/markdown"', '"text/x-rst"')(clone)
    (clone / CLIENT / "twice.py").write_bytes((clone / CLIENT / "errors.py").read_bytes())
    git(clone, "add", "--all")
    assert tool.build(clone) == 1
    error = capsys.readouterr().err
    assert "twine rejects the build; correct the faults that it names:\n" in error
    assert "check-wheel-contents rejects the build; correct the faults that it names:\n" in error
    assert f"dist/{WHEEL}: W002: Wheel contains duplicate files" in error


def test_an_interrupted_build_leaves_dist_unchanged(clone: Path, checkers: pytest.MonkeyPatch) -> None:
    interrupt = "import os, signal; os.kill(os.getppid(), signal.SIGINT)"
    checkers.setattr(tool, "CHECKERS", {(sys.executable, "-c", interrupt): "*"})
    with pytest.raises(KeyboardInterrupt):
        tool.build(clone)
    assert not [*clone.glob("*dist*")]


@pytest.mark.parametrize(
    ("arguments", "fails", "status", "message"),
    [
        (["build"], KeyboardInterrupt(), 130, "Interrupted.\n"),
        (["build"], PermissionError(13, "Permission denied", "dist"), 2, "dist: Permission denied.\n"),
    ],
)
def test_the_messages_of_the_command(
    checkers: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], fails: BaseException | None, status: int, message: str,
) -> None:  # fmt: skip
    def build() -> int:
        raise fails or AssertionError

    checkers.setattr(tool, "build", build)
    assert command.main(arguments) == status
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize("arguments", [[], ["publish"], ["build", "x"], ["build", "--check"], ["upload", "--chek"]])
def test_an_unknown_argument_of_a_release_is_rejected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setattr(tool, "build", pytest.fail)
    monkeypatch.setattr(upload, "upload", pytest.fail)
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m tools.release ")


def test_only_upload_can_check_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "upload", lambda *, check: 7 if check else 0)
    assert [command.main(["upload"]), command.main(["upload", "--check"])] == [0, 7]

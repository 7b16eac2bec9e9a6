"""`make build` in a clone of its own: the same bytes wherever it runs, and nothing in dist/ that must not be there."""

from __future__ import annotations

import compileall
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hatchling
import pytest

from tests import repository
from tests.conftest import ROOT
from tests.pythons import SUPPORTED, python
from tests.repository import VERSION, git
from tools import build as tool
from tools.build import BuildError, build

COMMITTED = 1_700_000_000
WHEEL, SDIST = f"talkdesk_bridge-{VERSION}-py3-none-any.whl", f"talkdesk_bridge-{VERSION}.tar.gz"
API, CLIENT = tool.PACKAGES[:2]
NOT_OURS: tool.Checkers = {}
"""`make test` does without them; tests/integration/test_wheel.py tries what is there."""


def copied(folder: Path) -> Path:
    """What a build reads, as it is in the working tree, committed at a certain time."""
    folder.mkdir()
    for name in (*tool.SOURCES, ".gitignore", ".gitattributes"):
        shutil.copy(ROOT / name, folder / name)
    for name in tool.PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    repository.commit(folder, GIT_COMMITTER_DATE=f"{COMMITTED} +0300")


@pytest.fixture(autouse=True)
def _no_date_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("origin") / "project")


@pytest.fixture(scope="module")
def wanted(origin: Path) -> dict[str, bytes]:
    """The two files, as one build wrote them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SOURCE_DATE_EPOCH", raising=False)
        return held(build(origin, origin / "dist", NOT_OURS))


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Path:
    return cloned(origin, tmp_path / "clone")


def cloned(origin: Path, folder: Path, *options: str) -> Path:
    git(origin, *options, "clone", "--quiet", str(origin), str(folder))
    return folder


def held(files: list[Path]) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in files}


# The same commit.


@pytest.fixture
def _far_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {"TZ": "Pacific/Apia", "LC_ALL": "C", "LANG": "de_DE.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "hatchling.py").write_text("raise SystemExit('not this one')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    # What users of hatchling set.
    monkeypatch.setenv("HATCH_BUILD_HOOKS_ONLY", "1")
    monkeypatch.setenv("HATCH_BUILD_LOCATION", "elsewhere")
    time.tzset()
    before = os.umask(0o077)
    yield
    os.umask(before)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_far_from_here")
def test_another_machine_gives_the_same_bytes(origin: Path, wanted: dict[str, bytes], tmp_path: Path) -> None:
    # A path that .gitignore names, and settings of git that convert what it checks out.
    (tmp_path / "dist").mkdir()
    away = cloned(origin, tmp_path / "dist" / "a clöne", "-c", "core.autocrlf=true", "-c", "core.eol=crlf")
    for number, file in enumerate(away.rglob("*")):
        os.utime(file, (number, number))
    assert {file.stat().st_mode & 0o777 for file in away.rglob("*.py")} == {0o600}
    assert held(build(away, away / "dist", NOT_OURS)) == wanted


def test_what_tools_leave_in_the_packages_is_not_built(clone: Path, wanted: dict[str, bytes]) -> None:
    for package in tool.PACKAGES:
        assert compileall.compile_dir(clone / package, quiet=1)
        for name in (".mypy_cache", ".ruff_cache", ".pytest_cache"):
            (clone / package / name).mkdir()
            (clone / package / name / "some.py").touch()
    (clone / "generated" / ".half").mkdir()
    (clone / "generated" / ".half" / "written.py").touch()
    assert held(build(clone, clone / "dist", NOT_OURS)) == wanted
    # Once more, over what is there.
    assert held(build(clone, clone / "dist", NOT_OURS)) == wanted


def hatched(folder: Path, with_python: str, *options: str) -> dict[str, bytes]:
    """What hatchling alone builds of a folder, with this Python."""
    variables = {
        "SOURCE_DATE_EPOCH": str(COMMITTED),
        "PYTHONPATH": str(Path(hatchling.__file__).parent.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [with_python, "-m", "hatchling", "build", *options]
    subprocess.run(command, cwd=folder, env=os.environ | variables, check=True, capture_output=True)
    return held([*(folder / "dist").iterdir()])


@pytest.mark.parametrize("version", SUPPORTED)
def test_each_python_gives_the_same_bytes(clone: Path, wanted: dict[str, bytes], version: str) -> None:
    assert hatched(clone, python(version)) == wanted


def test_the_wheel_of_the_sdist_is_the_same(wanted: dict[str, bytes], tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")  # of whoever builds it
    (tmp_path / ".gitignore").write_text("*\n")
    (tmp_path / "sdist").write_bytes(wanted[SDIST])
    with tarfile.open(tmp_path / "sdist") as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / SDIST.removesuffix(".tar.gz")
    assert hatched(unpacked, sys.executable, "-t", "wheel") == {WHEEL: wanted[WHEEL]}


@pytest.mark.parametrize(
    ("given", "dated"),
    [(None, COMMITTED), ("", COMMITTED), ("1600000000", 1_600_000_000), ("4294967295", 4_294_967_295)],
)
def test_the_date_is_that_of_the_commit_unless_one_is_given(
    clone: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, dated: int
) -> None:
    if given is not None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", given)
    wheel, sdist = build(clone, clone / "dist", NOT_OURS)
    with zipfile.ZipFile(wheel) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(*time.gmtime(dated)[:5], dated % 60 // 2 * 2)}
    with tarfile.open(sdist) as archive:
        assert {entry.mtime for entry in archive} == {dated}


def test_without_git_the_date_is_that_of_hatchling_and_it_is_told(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (clone / ".git").rename(clone.parent / ".git")  # another repository, further up
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")
    assert tool.main(clone, NOT_OURS) == 0
    told = "no git here, so nobody knows whether the files are those of a commit"
    assert capsys.readouterr().err == f"{clone / 'dist'}: {told}: build in a clone what others are to install.\n"
    wheel = clone / "dist" / WHEEL
    with zipfile.ZipFile(wheel) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2020, 2, 2, 0, 0, 0)}


# What is refused.


def stray(clone: Path) -> None:
    (clone / CLIENT / "new.py").touch()


def ignored(clone: Path) -> None:
    (clone / ".git" / "info" / "exclude").write_text("*.swp\n")
    (clone / CLIENT / ".errors.py.swp").touch()


def deleted(clone: Path) -> None:
    (clone / CLIENT / "_money.py").unlink()


def untyped(clone: Path) -> None:
    git(clone, "rm", "--quiet", f"{CLIENT}/py.typed", f"{API}/openapi.json")


def executable(clone: Path) -> None:
    (clone / "README.md").chmod(0o755)


def ignoring(clone: Path) -> None:
    (clone.parent / ".hgignore").write_text("syntax: glob\n*.py\n")


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(clone: Path) -> None:
        text = (clone / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old)
        (clone / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


def project(old: str, new: str) -> Callable[[Path], None]:
    return edit("pyproject.toml", old, new)


HATCH = "[tool.hatch] in pyproject.toml."


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (stray, [f"{CLIENT}/new.py: is in the wheel, but git does not track it: remove it, or `git add` it."]),
        (ignored, [f"{CLIENT}/.errors.py.swp: is in the wheel, but git does not track it: remove it, or `git add` it."]),
        (deleted, [f"{CLIENT}/_money.py: is tracked by git, but not in the wheel: restore it, or see {HATCH}"]),
        (untyped, [
            f"{API}/openapi.json: is missing, but callers count on it: restore it.",
            f"{CLIENT}/py.typed: is missing, but callers count on it: restore it.",
        ]),
        (project(', "/CHANGELOG.md"', ', "/.gitattributes"'), [
            f".gitattributes: is in the sdist, but not needed to build: remove it, or see {HATCH}",
            f"CHANGELOG.md: is not in the sdist, but needed to build: restore it, or see {HATCH}",
        ]),
        (ignoring, [f".hgignore: is in the sdist, but not needed to build: remove it, or see {HATCH}"]),
        (executable, ["README.md: may be executed, which differs from machine to machine: `chmod -x` it."]),
        (project('license-files = ["LICENSE"]', "license-files = []"), [
            f"LICENSE: is not in the sdist, but needed to build: restore it, or see {HATCH}",
            "pyproject.toml: the wheel lacks the licence: name LICENSE under `license-files`.",
        ]),
        (project('core-metadata-version = "2.4" # as the wheel', ""), [
            "pyproject.toml: the metadata of wheel and sdist differ: give both the same settings under [tool.hatch].",
        ]),
        (project('name = "talkdesk-bridge"', 'name = "bridge"'), [
            "pyproject.toml: the name is bridge: set it to talkdesk-bridge, which is what people install.",
        ]),
        (edit("openapi.yaml", f"  version: {VERSION}\n", "  version: 99.0.0\n"), [
            f"openapi.yaml: `info.version` is 99.0.0, the version of the wheel 99.0.0 and that in lock.json {VERSION}: set it to three numbers, and run `make generate`.",
        ]),
        (edit("openapi.yaml", f"  version: {VERSION}\n", f"  version: v{VERSION}\n"), [
            f"openapi.yaml: `info.version` is v{VERSION}, the version of the wheel {VERSION} and that in lock.json {VERSION}: set it to three numbers, and run `make generate`.",
        ]),
        (edit(f"{API}/lock.json", "{\n", "\n"), [
            f"openapi.yaml: `info.version` is {VERSION}, the version of the wheel {VERSION} and that in lock.json None: set it to three numbers, and run `make generate`.",
        ]),
        (project('  "Private :: Do Not Upload",\n', ""), [
            "pyproject.toml: lacks the classifier `Private :: Do Not Upload`, which keeps the package off public indexes: add it.",
        ]),
        (project('requires-python = ">=3.11"', 'requires-python = ">=3.10"'), [
            "pyproject.toml: `requires-python` is >=3.10, but the lowest Python of the classifiers is 3.11: let them agree.",
        ]),
        (project('requires-python = ">=3.11"\n', ""), [
            "pyproject.toml: `requires-python` is None, but the lowest Python of the classifiers is 3.11: let them agree.",
        ]),
        (project('dependencies = ["attrs>=23.2", ', "dependencies = [\"attrs>=23.2\", \"anyio; sys_platform == 'win32'\", "), [
            "pyproject.toml: without an extra it depends on anyio, attrs, httpx, instead of attrs and httpx: put the others in an extra.",
        ]),
        (project('dependencies = ["attrs>=23.2", "httpx>=0.28,<0.29"]', "dependencies = []"), [
            "pyproject.toml: without an extra it depends on nothing, instead of attrs and httpx: put the others in an extra.",
        ]),
        (project('"Typing :: Typed"', '"Typing :: Tpyed"'), [
            "pyproject.toml: hatchling cannot build from it: ValueError: Unknown classifier in field `project.classifiers`: Typing :: Tpyed",
        ]),
    ],
)  # fmt: skip
def test_what_must_not_be_handed_out_is_refused(
    clone: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], None], told: list[str]
) -> None:
    (clone / "dist").mkdir()
    (clone / "dist" / "earlier").write_text("as it was")
    change(clone)
    assert tool.main(clone, NOT_OURS) == 1
    output = capsys.readouterr()
    assert output.err.splitlines() == [*told, "dist/ is as it was."]
    assert output.out == ""
    assert [file.name for file in clone.glob("*dist*")] == ["dist"]
    assert [(file.name, file.read_text()) for file in (clone / "dist").iterdir()] == [("earlier", "as it was")]


@pytest.mark.parametrize("given", ["now", "-1", "1.5", "4294967296", "9" * 5000])
def test_a_date_that_is_none_is_refused(clone: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", given)
    with pytest.raises(BuildError) as refused:
        build(clone, clone / "dist", NOT_OURS)
    told = "is no number of seconds since 1970: correct it, or unset it for the date of the commit."
    assert str(refused.value) == f"SOURCE_DATE_EPOCH={given}: {told}"


def test_a_clone_that_git_cannot_read_is_refused(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As another user's clone is, in a container.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    with pytest.raises(BuildError, match=r"^git cannot tell the date and the files of the commit: fatal: .*ownership"):
        build(clone, clone / "dist", NOT_OURS)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BuildError, match=r"^git was not found: install it, since it knows the date and the files"):
        build(clone, clone / "dist", NOT_OURS)


# What other people's tools say, and what is left in dist/.


def test_digests_are_printed_of_what_is_there(clone: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (clone / "dist").mkdir()
    (clone / "dist" / "talkdesk_bridge-0.0.9.tar.gz").touch()
    seen = tmp_path / "seen"
    note = "import sys; open(sys.argv[1], 'a').write('\\n'.join(sys.argv[2:]) + '\\n'); print('fine')"
    checkers: tool.Checkers = {
        (sys.executable, "-c", note, str(seen)): "*",
        (sys.executable, "-c", note, str(seen), ""): "*.whl",
    }
    assert tool.main(clone, checkers) == 0
    output = capsys.readouterr()
    assert output.err == ""
    files = [line.split()[1] for line in output.out.splitlines()]
    assert files == [WHEEL, SDIST]
    assert sorted(file.name for file in (clone / "dist").iterdir()) == files
    summed = ["sha256sum", "--check", "--strict", "--quiet"]
    subprocess.run(summed, input=output.out, cwd=clone / "dist", text=True, check=True)
    checked = [Path(line).name for line in seen.read_text().splitlines()]
    assert checked == [*files, "", files[0]]


def test_a_tool_that_refuses_is_heard(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refuse = "import sys; print(f'{sys.argv[1]}: is bad'); sys.exit('That is all.')"
    good, bad, gone = (sys.executable, "-c", ""), (sys.executable, "-c", refuse), (str(clone / "none"),)
    assert tool.main(clone, {good: "*", bad: "*.gz"}) == 1
    told = f"{Path(sys.executable).name} refuses the build; correct what it names:\n"
    told += f"dist/{SDIST}: is bad\nThat is all.\ndist/ is as it was.\n"
    assert capsys.readouterr() == ("", told)
    assert tool.main(clone, {gone: "*"}) == 1
    told = f"{clone / 'none'}: was not found: run `make build`, which sets it up.\ndist/ is as it was.\n"
    assert capsys.readouterr() == ("", told)
    assert not (clone / "dist").exists()


def test_an_interrupted_build_leaves_dist_as_it_was(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    interrupt = "import os, signal; os.kill(os.getppid(), signal.SIGINT)"
    assert tool.main(clone, {(sys.executable, "-c", interrupt): "*"}) == 130
    assert capsys.readouterr() == ("", "Interrupted; dist/ is as it was.\n")
    assert not [*clone.glob("*dist*")]
    # Killed, when the old one was moved aside already.
    (clone / ".dist.old").mkdir()
    (clone / ".dist.old" / "earlier").touch()
    (clone / ".dist.half").mkdir()
    stray(clone)
    assert tool.main(clone, NOT_OURS) == 1
    assert "dist: an earlier run was interrupted; the tree from before it is back.\n" in capsys.readouterr().err
    assert [file.name for file in clone.glob("*dist*/*")] == ["earlier"]
    assert [file.name for file in clone.glob("*dist*")] == ["dist"]


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(tmp_path / "none", NOT_OURS) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'none'}: No such file or directory; dist/ is as it was.\n"

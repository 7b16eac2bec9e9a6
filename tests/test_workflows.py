"""The workflows, docs/ci.md and docs/releases.md: `make lint` rejects unsafe ones; they run the project's gates and release safely."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.repository import git

WORKFLOWS = ROOT / ".github" / "workflows"
CI: dict[Any, Any] = yaml.safe_load((WORKFLOWS / "ci.yml").read_text(encoding="utf-8"))
JOBS: dict[str, Any] = CI["jobs"]
RELEASE: dict[Any, Any] = yaml.safe_load((WORKFLOWS / "release.yml").read_text(encoding="utf-8"))
SITE: dict[Any, Any] = yaml.safe_load((WORKFLOWS / "site.yml").read_text(encoding="utf-8"))
BUILD, PUBLISH = RELEASE["jobs"]["build"], RELEASE["jobs"]["publish"]
GUIDE = "\n".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("ci.md", "releases.md"))
GATES = {*re.findall(r"^make ([a-z-]+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.M)}

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job.get("steps", []) if "run" in step]


def block(language: str, number: int = 0) -> str:
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.M | re.S)
    return found[number]


GITLAB: dict[str, Any] = yaml.safe_load(block("yaml", 1))


def targets(text: str) -> set[str]:
    return {name for found in re.findall(r"\bmake((?: [a-z][a-z-]*)+)", text) for name in found.split()}


# check-jsonschema and zizmor find the faults; one sample of each kind shows that `make lint` runs them.


def lint(file: Path) -> subprocess.CompletedProcess[str]:
    """Run only the part of `make lint` that checks workflows."""
    make = ["make", "--old-file=.venv/.set-up", "--dry-run", "lint", f"WORKFLOWS={file}"]
    dry = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True)
    linters = "\n".join(line for line in dry.stdout.splitlines() if str(file) in line)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-e", "-c", linters],  # noqa: S607 # sh is found on PATH, as by make
        cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "pattern", "changed", "message"),
    [
        ("ci", r"runs-on:", "run-on:", "run-on"),
        ("ci", r"jobs:", "jobs: [", "ailed to parse"),
        ("ci", r"@[0-9a-f]{40} # ", "@", "unpinned-uses"),
        ("ci", r"^permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("release", r"^    environment: .*\n", "", "secrets-outside-env"),
    ],
)
def test_an_unsafe_or_misspelt_workflow_is_rejected(
    tmp_path: Path, name: str, pattern: str, changed: str, message: str
) -> None:
    file = tmp_path / f"{name}.yml"
    text, count = re.subn(pattern, changed, (WORKFLOWS / file.name).read_text(encoding="utf-8"), count=1, flags=re.M)
    assert count == 1
    file.write_text(text, encoding="utf-8")
    result = lint(file)
    assert result.returncode != 0
    assert message in result.stdout + result.stderr


def test_good_workflows_pass_and_a_missing_one_is_named(tmp_path: Path) -> None:
    for name in ("ci.yml", "release.yml", "site.yml"):
        result = lint(Path(shutil.copy(WORKFLOWS / name, tmp_path)))
        assert (result.returncode, result.stderr) == (0, ""), result.stdout
    result = lint(tmp_path / "other.yml")
    assert result.returncode != 0
    assert "other.yml" in result.stderr
    assert "Traceback" not in result.stderr


# The script that runs all gates.


@pytest.mark.parametrize(("gate", "status"), [("", 0), ("soak", 2)])
def test_the_summary_of_the_tests_is_printed_last_without_colours(tmp_path: Path, gate: str, status: int) -> None:
    """`gate` fails; the exit status is still that of make."""
    folder, commands = tmp_path / "project", tmp_path / "commands"
    for path in (folder / ".ci", commands, tmp_path / "temporary"):
        path.mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
    summary = r"\033[32m======= \033[1m3 passed\033[0m\033[32m in 61.05s (0:01:01)\033[0m\033[32m =======\033[0m\n"
    scripts = {"make": f'printf \'{summary}\'; [ "$1" != "{gate}" ] || exit 2'}
    for name, script in (
        scripts | dict.fromkeys(["chromedriver", "nginx", "haproxy", "squid", "tinyproxy"], "exit 1")
    ).items():
        (commands / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (commands / name).chmod(0o755)
    git(folder, "init", "--quiet")
    variables = {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(tmp_path / "temporary")}
    done = subprocess.run([folder / ".ci" / "run"], env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, "")
    assert done.stdout.endswith("\n======= 3 passed in 61.05s (0:01:01) =======\n")
    assert [*(tmp_path / "temporary").iterdir()] == []


# The commands of the jobs, and their order.


def test_a_job_has_read_access_only_and_a_timeout() -> None:
    assert {file.name for file in WORKFLOWS.iterdir()} == {"ci.yml", "release.yml", "site.yml"}
    for job in (*JOBS.values(), *RELEASE["jobs"].values(), *SITE["jobs"].values()):
        if job is not SITE["jobs"]["publish"]:
            assert job["permissions"] == {"contents": "read"}
        if "uses" not in job:
            assert job["timeout-minutes"] <= 60
            assert re.fullmatch(r"ubuntu-\d+\.\d+", job["runs-on"])


def test_the_contract_comes_first_and_then_every_gate() -> None:
    assert commands(JOBS["contract"]) == ["make validate"]
    assert all(job.get("needs") == "contract" for name, job in JOBS.items() if name != "contract")
    assert commands(JOBS["gates"]) == [".ci/run"]
    assert JOBS["gates"]["steps"][0]["with"]["fetch-depth"] == 0
    assert targets("\n".join(commands(JOBS["test"]))) | {"validate"} <= GATES


def test_a_release_is_published_after_all_gates_and_an_approval() -> None:
    assert RELEASE[True] == {"push": {"tags": ["v*"]}}  # YAML reads `on` as true
    assert RELEASE["concurrency"] == {"group": "${{ github.workflow }}", "cancel-in-progress": False, "queue": "max"}
    assert RELEASE["jobs"]["gates"]["uses"] == "$/.github/workflows/ci.yml"
    assert "workflow_call" in CI[True]
    assert sorted(PUBLISH["needs"]) == sorted(RELEASE["jobs"].keys() - {"publish"})
    assert PUBLISH["environment"] == "package-index"
    assert not re.search(r"'(if|continue-on-error|ref)':", str(RELEASE))
    assert "cache" not in str(RELEASE)


def test_a_release_is_built_without_secrets_and_uploaded_without_building() -> None:
    assert commands(PUBLISH) == ["make upload PYTHON=python"]
    sent = PUBLISH["steps"][-1]["env"]
    secret = {name for name, value in sent.items() if "secrets" in value}
    assert secret == {f"UV_PUBLISH_{kind}{name}" for kind in ("", "CHECK_") for name in ("USERNAME", "PASSWORD")}
    others = {**RELEASE, "jobs": {**RELEASE["jobs"], "publish": {**PUBLISH, "steps": PUBLISH["steps"][:-1]}}}
    assert not re.search(r"\bsecrets\b|\bgithub\.token\b|\bid-token\b", str(others))
    # The files and their digests take different ways.
    artifacts = [
        step["with"] for job in (BUILD, PUBLISH) for step in job["steps"] if "artifact" in step.get("uses", "")
    ]
    assert [(step["name"], step["path"]) for step in artifacts] == [("dist", "dist/")] * 2
    assert BUILD["outputs"] == {"digests": "${{ steps.digests.outputs.digests }}"}
    assert [step.get("id") for step in BUILD["steps"] if "sha256sum" in step.get("run", "")] == ["digests"]
    assert sent["DIGESTS"] == "${{ needs.build.outputs.digests }}"


def test_the_site_of_a_release_is_built_without_and_published_with_write_access() -> None:
    build, publish = SITE["jobs"]["build"], SITE["jobs"]["publish"]
    assert SITE[True] == {"push": {"tags": ["v*"]}}  # YAML reads `on` as true
    assert commands(build) == ["make site PYTHON=python"]
    assert build["steps"][-1]["with"] == {"path": "site/"}
    assert (publish["needs"], publish["permissions"]) == ("build", {"pages": "write", "id-token": "write"})
    assert [step["uses"].partition("@")[0] for step in publish["steps"]] == ["actions/deploy-pages"]
    assert "secrets" not in str(SITE)
    pages = yaml.safe_load(block("yaml", 2))["pages"]
    assert pages["artifacts"]["paths"] == ["public"]
    assert targets("\n".join(pages["script"])) == {"site"}


def test_the_release_on_gitlab_is_as_safe() -> None:
    build, publish = GITLAB["build"], GITLAB["publish"]
    assert "environment" not in build
    assert publish["environment"] == PUBLISH["environment"]
    assert publish["dependencies"] == ["build"]
    assert build["artifacts"]["paths"] == ["dist/"]
    assert build["script"][0] == commands(BUILD)[0]
    for job in (build, publish):
        assert job["cache"] == []
        assert [rule["if"] for rule in job["rules"]] == ["$CI_COMMIT_TAG =~ /^v/"]
    assert publish["rules"][0]["when"] == "manual"


# The lines that pass the digests on are run here.


@pytest.fixture
def built(tmp_path: Path) -> str:
    """The digests of two files in dist/, as sha256sum prints them."""
    (tmp_path / "dist").mkdir()
    lines = []
    for name in ("talkdesk_bridge-0.1.0-py3-none-any.whl", "talkdesk_bridge-0.1.0.tar.gz"):
        (tmp_path / "dist" / name).write_text(name, encoding="utf-8")
        lines.append(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}")
    return "\n".join(lines)


def shell(command: str, folder: Path, **variables: str) -> str:
    result = subprocess.run(
        ["sh", "-e", "-c", command],  # noqa: S607 # sh is found on PATH, as on a runner
        cwd=folder, env={"PATH": os.environ["PATH"]} | variables, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return result.stdout


def test_the_digests_reach_the_upload(tmp_path: Path, built: str) -> None:
    *_, command = commands(BUILD)
    output = tmp_path / "output"
    shell(command, tmp_path, GITHUB_OUTPUT=str(output))
    # The format of an output with several lines on GitHub: its name, a delimiter, the lines, the delimiter.
    found = re.fullmatch(r"(\w+)<<(\w+)\n(.*)\n\2\n", output.read_text(encoding="utf-8"), re.S)
    assert found
    assert found.group(1, 3) == ("digests", built)
    shutil.rmtree(tmp_path / "dist")
    with pytest.raises(subprocess.CalledProcessError):
        shell(command, tmp_path, GITHUB_OUTPUT=str(output))


def test_the_digests_reach_the_upload_on_gitlab(tmp_path: Path, built: str) -> None:
    _, *keep = GITLAB["build"]["script"]
    shell("\n".join(keep), tmp_path)
    report = (tmp_path / GITLAB["build"]["artifacts"]["reports"]["dotenv"]).read_text(encoding="utf-8")
    # A variable on one line, without characters that GitLab strips, quotes or expands.
    found = re.fullmatch(r"(\w+)=([A-Za-z0-9+/=]+)\n", report)
    assert found
    restore, upload = GITLAB["publish"]["script"]
    assert upload == "make upload PYTHON=python"
    assert shell(f"{restore}\nprintenv DIGESTS", tmp_path, **{found[1]: found[2]}) == f"{built}\n"


# The guide matches this project.


def test_workflows_and_guide_use_existing_targets() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert phony
    workflow = targets("\n".join(command for job in JOBS.values() for command in commands(job)))
    assert workflow == {"validate", "test", "types", "check-generated"} == targets(block("yaml"))
    assert yaml.safe_load(block("yaml"))["gates"]["script"] == ".ci/run"
    assert targets(block("groovy")) == GATES
    release = targets("\n".join([*commands(BUILD), *commands(PUBLISH)]))
    assert release == {"check-release", "check-generated", "build", "upload"} == targets(block("yaml", 1))
    inline = "\n".join(re.findall(r"`([^`\n]+)`", GUIDE))
    assert workflow | release < targets(inline) <= {*phony[1].split()}
    assert {*phony[1].split()} >= GATES


def test_the_python_versions_match_the_classifiers_of_the_package() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    named = [found[1] for name in classifiers if (found := re.search(r":: (3\.\d+)$", name))]
    assert JOBS["test"]["strategy"]["matrix"]["python"] == named
    assert yaml.safe_load(block("yaml"))["test"]["parallel"]["matrix"] == [{"VERSION": named}]
    jenkins = re.search(r"values (.*)", block("groovy"))
    assert jenkins
    assert re.findall(r"'(.*?)'", jenkins[1]) == named


def test_the_file_for_gitlab_matches_its_schema(tmp_path: Path) -> None:
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(block("yaml") + block("yaml", 1), encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout

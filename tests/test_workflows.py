"""The workflows and docs/ci.md: unsafe or misspelt ones are refused, and they run the project's gates and no others."""

from __future__ import annotations

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

from tests.conftest import CONTRACT, ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
JOBS: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
GUIDE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
GATES = {*re.findall(r"^make ([a-z-]+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.M)}
MAKE = ["make", "--old-file=.venv/.set-up"]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", GUIDE, re.M | re.S)
    assert found
    return found[1]


def targets(text: str) -> set[str]:
    return {name for found in re.findall(r"\bmake((?: [a-z][a-z-]*)+)", text) for name in found.split()}


def lint(file: Path) -> subprocess.CompletedProcess[str]:
    """Run what `make lint` runs on workflows, and only that."""
    dry = subprocess.run(
        [*MAKE, "--dry-run", "lint", f"WORKFLOWS={file}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    linters = dry.stdout[dry.stdout.index("for file in ") :]
    assert str(file) in linters
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", linters],  # noqa: S607 # the shell that make runs, wherever it is
        cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_good_workflow_passes_without_a_word(tmp_path: Path) -> None:
    result = lint(Path(shutil.copy(WORKFLOW, tmp_path)))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    result = lint(tmp_path / "other.yml")
    told = f"{tmp_path / 'other.yml'}: is no file: name workflows with WORKFLOWS=path.\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", told)


@pytest.mark.parametrize(
    ("pattern", "changed", "told"),
    [
        (r"@[0-9a-f]{40} # ", "@", "unpinned-uses"),
        (r"^permissions: {}", "permissions: write-all", "excessive-permissions"),
        (r"^permissions: {}\n", "", "excessive-permissions"),
        (r"persist-credentials: false", "persist-credentials: true", "artipacked"),
        (r"run: make validate", "run: echo ${{ github.head_ref }}", "template-injection"),
        (r"pull_request:", "pull_request_target:", "dangerous-triggers"),
        (r"runs-on:", "run-on:", "run-on"),
        (r"timeout-minutes:", "timeout-minute:", "timeout-minute"),
        (r"jobs:", "jobs: [", "ailed to parse"),
    ],
)
def test_a_workflow_that_is_unsafe_or_misspelt_is_refused(
    tmp_path: Path, pattern: str, changed: str, told: str
) -> None:
    text, count = re.subn(pattern, lambda _: changed, WORKFLOW.read_text(encoding="utf-8"), count=1, flags=re.M)
    assert count == 1
    file = tmp_path / "ci.yml"
    file.write_text(text, encoding="utf-8")
    result = lint(file)
    assert result.returncode != 0
    assert told in result.stdout + result.stderr


def test_a_job_may_only_read_and_ends_by_itself() -> None:
    assert [file.name for file in WORKFLOW.parent.iterdir()] == [WORKFLOW.name]
    for job in JOBS.values():
        assert job["permissions"] == {"contents": "read"}
        assert job["timeout-minutes"] <= 60
        assert re.fullmatch(r"ubuntu-\d+\.\d+", job["runs-on"])
    for pin in re.findall(r"uses: (.*)", WORKFLOW.read_text(encoding="utf-8")):
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", pin)


def test_the_contract_comes_first_and_then_every_gate() -> None:
    assert commands(JOBS["contract"]) == ["make validate"]
    assert all(job.get("needs") == "contract" for name, job in JOBS.items() if name != "contract")
    assert commands(JOBS["gates"]) == [".ci/run"]
    checkout, *_ = JOBS["gates"]["steps"]
    assert checkout["with"]["fetch-depth"] == 0
    assert targets("\n".join(commands(JOBS["test"]))) | {"validate"} <= GATES


def test_every_target_in_them_exists() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert phony
    workflow = targets("\n".join(command for job in JOBS.values() for command in commands(job)))
    assert workflow == {"validate", "test", "types", "check-generated"}
    assert targets(block("yaml")) == workflow
    assert yaml.safe_load(block("yaml"))["gates"]["script"] == ".ci/run"
    assert targets(block("groovy")) == GATES - {"browser"}
    inline = "\n".join(re.findall(r"`([^`\n]+)`", GUIDE))
    assert workflow < targets(inline) <= {*phony[1].split()}


def test_the_versions_of_python_are_those_that_the_package_names() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    named = [found[1] for name in classifiers if (found := re.search(r":: (3\.\d+)$", name))]
    assert JOBS["test"]["strategy"]["matrix"]["python"] == named
    assert yaml.safe_load(block("yaml"))["test"]["parallel"]["matrix"] == [{"VERSION": named}]
    jenkins = re.search(r"values (.*)", block("groovy"))
    assert jenkins
    assert re.findall(r"'(.*?)'", jenkins[1]) == named


def test_the_file_for_gitlab_fits_its_schema(tmp_path: Path) -> None:
    def check(text: str) -> int:
        file = tmp_path / ".gitlab-ci.yml"
        file.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(file)]
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert check(block("yaml")) == 0
    assert check(block("yaml").replace("parallel:", "paralel:")) == 1


def test_a_finding_is_told_at_its_line_of_the_contract(tmp_path: Path) -> None:
    for name in ("tools", "tests/documented"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    lines = CONTRACT.read_text(encoding="utf-8").splitlines()
    (at,) = [number for number, line in enumerate(lines, 1) if line.startswith("  version: ")]
    lines[at - 1] = "  version: one"
    (tmp_path / "openapi.yaml").write_text("\n".join(lines), encoding="utf-8")
    (command,) = commands(JOBS["contract"])
    result = subprocess.run(
        [*MAKE, *command.split()[1:]],
        cwd=tmp_path, env=os.environ | {"CI": "true"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    told, annotation, *others = result.stdout.splitlines()
    assert not others
    assert told.startswith(f"openapi.yaml:{at}:")
    assert annotation.startswith(f"::error file=openapi.yaml,line={at},")

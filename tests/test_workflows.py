"""The workflows and docs/ci.md: unsafe or misspelt ones are refused; they run the project's gates, and release safely."""

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

from tests.conftest import CONTRACT, ROOT

WORKFLOWS = ROOT / ".github" / "workflows"
CI: dict[Any, Any] = yaml.safe_load((WORKFLOWS / "ci.yml").read_text(encoding="utf-8"))
JOBS: dict[str, Any] = CI["jobs"]
RELEASE = (WORKFLOWS / "release.yml").read_text(encoding="utf-8")
RELEASE_JOBS: dict[str, Any] = yaml.safe_load(RELEASE)["jobs"]
GUIDE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
GATES = {*re.findall(r"^make ([a-z-]+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.M)}
MAKE = ["make", "--old-file=.venv/.set-up"]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job.get("steps", []) if "run" in step]


def block(language: str, number: int = 0) -> str:
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.M | re.S)
    return found[number]


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


def mutated(text: str, pattern: str, changed: str) -> str:
    text, count = re.subn(pattern, lambda _: changed, text, count=1, flags=re.M)
    assert count == 1
    return text


def test_a_good_workflow_passes_without_a_word(tmp_path: Path) -> None:
    for name in ("ci.yml", "release.yml"):
        result = lint(Path(shutil.copy(WORKFLOWS / name, tmp_path)))
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    result = lint(tmp_path / "other.yml")
    told = f"{tmp_path / 'other.yml'}: is no file: name workflows with WORKFLOWS=path.\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", told)


@pytest.mark.parametrize(
    ("name", "pattern", "changed", "told"),
    [
        ("ci", r"@[0-9a-f]{40} # ", "@", "unpinned-uses"),
        ("ci", r"^permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("ci", r"^permissions: {}\n", "", "excessive-permissions"),
        ("ci", r"persist-credentials: false", "persist-credentials: true", "artipacked"),
        ("ci", r"run: make validate", "run: echo ${{ github.head_ref }}", "template-injection"),
        ("ci", r"pull_request:", "pull_request_target:", "dangerous-triggers"),
        ("ci", r"runs-on:", "run-on:", "run-on"),
        ("ci", r"timeout-minutes:", "timeout-minute:", "timeout-minute"),
        ("ci", r"jobs:", "jobs: [", "ailed to parse"),
        ("release", r"upload-artifact@[0-9a-f]{40} # ", "upload-artifact@", "unpinned-uses"),
        ("release", r"^    outputs:", "    env: { KEY: '${{ secrets.KEY }}' }\n    outputs:", "secrets-outside-env"),
        ("release", r"^    environment: .*\n", "", "secrets-outside-env"),
        ("release", r"ci.yml$", "ci.yml\n    secrets: inherit", "secrets-inherit"),
        ("release", r'python-version: "3.11"', 'python-version: "3.11"\n          cache: pip', "cache-poisoning"),
    ],
)
def test_a_workflow_that_is_unsafe_or_misspelt_is_refused(
    tmp_path: Path, name: str, pattern: str, changed: str, told: str
) -> None:
    file = tmp_path / f"{name}.yml"
    file.write_text(mutated((WORKFLOWS / file.name).read_text(encoding="utf-8"), pattern, changed), encoding="utf-8")
    result = lint(file)
    assert result.returncode != 0
    assert told in result.stdout + result.stderr


def test_a_job_may_only_read_and_ends_by_itself() -> None:
    assert {file.name for file in WORKFLOWS.iterdir()} == {"ci.yml", "release.yml"}
    for job in (*JOBS.values(), *RELEASE_JOBS.values()):
        assert job["permissions"] == {"contents": "read"}
        if "uses" not in job:
            assert job["timeout-minutes"] <= 60
            assert re.fullmatch(r"ubuntu-\d+\.\d+", job["runs-on"])
    for file in WORKFLOWS.iterdir():
        for pin in re.findall(r"uses: (.*)", file.read_text(encoding="utf-8")):
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\$/\.github/workflows/ci\.yml", pin)


def wrong(text: str) -> set[str]:
    """What a release workflow of this text does that it must not; nothing for a safe one."""
    release = yaml.safe_load(text)
    jobs = release["jobs"]
    build, publish = jobs["build"], jobs["publish"]
    sent = publish["steps"][-1].pop("env")
    artifacts = [
        (step["with"]["name"], step["with"]["path"])
        for job in (build, publish)
        for step in job["steps"]
        if "artifact" in step.get("uses", "")
    ]
    holds = {
        "it starts by something else than a tag": release[True] == {"push": {"tags": ["v*"]}},  # YAML reads `on` as true
        "it can be stopped, or stop another": release["concurrency"]
        == {"group": "${{ github.workflow }}", "cancel-in-progress": False, "queue": "max"},
        "a job may write": not release["permissions"]
        and all(job["permissions"] == {"contents": "read"} for job in jobs.values()),
        "the gates are not ours": jobs["gates"].get("uses") == "$/.github/workflows/ci.yml" and "workflow_call" in CI[True],
        "it publishes what the gates may refuse": sorted(publish["needs"]) == sorted(jobs.keys() - {"publish"})
        and not re.search(r"'(if|continue-on-error)':", str(release)),
        "another commit's tools run": "'ref':" not in str(release),
        "nobody is asked": publish.get("environment") == "package-index",
        "more than the upload runs beside the secrets": commands(publish) == ["make upload PYTHON=python"]
        and len(publish["steps"]) == 4,
        "a secret is seen elsewhere": not re.search(r"\bsecrets\b|\bgithub\.token\b|\bid-token\b", str(release)),
        "the upload has another secret": {name for name, value in sent.items() if "secrets" in value}
        == {"UV_PUBLISH_USERNAME", "UV_PUBLISH_PASSWORD"},
        "the digests do not arrive": build["outputs"] == {"digests": "${{ steps.digests.outputs.digests }}"}
        and [step.get("id") for step in build["steps"] if "sha256sum" in step.get("run", "")] == ["digests"]
        and sent.get("DIGESTS") == "${{ needs.build.outputs.digests }}",
        "the files do not arrive": artifacts == [("dist", "dist/")] * 2,
        "a cache is restored": "cache" not in str(release),
    }  # fmt: skip
    return {told for told, held in holds.items() if not held}


def test_a_release_is_built_without_rights_and_uploaded_without_building() -> None:
    assert wrong(RELEASE) == set()


@pytest.mark.parametrize(
    ("pattern", "changed", "told"),
    [
        (r"^on:", "on:\n  workflow_dispatch:", "it starts by something else than a tag"),
        (r'tags: \["v\*"\]', "branches: [main]", "it starts by something else than a tag"),
        (r"cancel-in-progress: false", "cancel-in-progress: true", "it can be stopped, or stop another"),
        (r"^  queue: max\n", "", "it can be stopped, or stop another"),
        (r"contents: read", "contents: write", "a job may write"),
        (r"^permissions: {}", "permissions: { packages: write }", "a job may write"),
        (r"uses: \$/.*", "runs-on: ubuntu-24.04", "the gates are not ours"),
        (r"needs: \[gates, build\]", "needs: [build]", "it publishes what the gates may refuse"),
        (
            r"needs: \[gates, build\]",
            "needs: [gates, build]\n    if: always()",
            "it publishes what the gates may refuse",
        ),
        (r"persist-credentials: false", "ref: main", "another commit's tools run"),
        (r"environment: package-index", "environment: other", "nobody is asked"),
        (r"run: make upload", "run: make build upload", "more than the upload runs beside the secrets"),
        (r"^    needs:", "    env: { KEY: '${{ secrets.KEY }}' }\n    needs:", "a secret is seen elsewhere"),
        (r"^    outputs:", "    env: { KEY: '${{ secrets.KEY }}' }\n    outputs:", "a secret is seen elsewhere"),
        (r"^    outputs:", "    env: { KEY: '${{ github.token }}' }\n    outputs:", "a secret is seen elsewhere"),
        (r"DIGESTS: .*", "DIGESTS: '${{ secrets.DIGESTS }}'", "the upload has another secret"),
        (r"DIGESTS:", "DIGEST:", "the digests do not arrive"),
        (r"- id: digests", "- id: digest", "the digests do not arrive"),
        (r"steps\.digests", "steps.digest", "the digests do not arrive"),
        (r"name: dist$", "name: other", "the files do not arrive"),
        (r'python-version: "3.11"', 'python-version: "3.11"\n          cache: pip', "a cache is restored"),
    ],
)
def test_a_release_that_could_leak_or_publish_something_else_is_noticed(pattern: str, changed: str, told: str) -> None:
    assert told in wrong(mutated(RELEASE, pattern, changed))


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
    environment = {"PATH": os.environ["PATH"]} | variables
    result = subprocess.run(
        ["sh", "-e", "-c", command],  # noqa: S607 # the shell that runs a step, wherever it is
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return result.stdout


def test_the_digests_reach_the_upload(tmp_path: Path, built: str) -> None:
    *_, command = commands(RELEASE_JOBS["build"])
    output = tmp_path / "output"
    shell(command, tmp_path, GITHUB_OUTPUT=str(output))
    # How GitHub reads an output of several lines: its name, a delimiter, the lines, the delimiter.
    found = re.fullmatch(r"(\w+)<<(\w+)\n(.*)\n\2\n", output.read_text(encoding="utf-8"), re.S)
    assert found
    assert found.group(1, 3) == ("digests", built)
    shutil.rmtree(tmp_path / "dist")
    with pytest.raises(subprocess.CalledProcessError):
        shell(command, tmp_path, GITHUB_OUTPUT=str(output))


def test_the_digests_reach_the_upload_at_gitlab(tmp_path: Path, built: str) -> None:
    jobs = yaml.safe_load(block("yaml", 1))
    _, *keep = jobs["build"]["script"]
    shell("\n".join(keep), tmp_path)
    told = (tmp_path / jobs["build"]["artifacts"]["reports"]["dotenv"]).read_text(encoding="utf-8")
    # A variable of one line, without what GitLab strips, quotes or expands.
    found = re.fullmatch(r"(\w+)=([A-Za-z0-9+/=]+)\n", told)
    assert found
    restore, upload = jobs["publish"]["script"]
    assert upload == "make upload PYTHON=python"
    assert shell(f"{restore}\nprintenv DIGESTS", tmp_path, **{found[1]: found[2]}) == f"{built}\n"
    shutil.rmtree(tmp_path / "dist")
    with pytest.raises(subprocess.CalledProcessError):
        shell("\n".join(keep), tmp_path)


def test_the_release_at_gitlab_builds_without_the_secrets_and_uploads_without_building() -> None:
    jobs = yaml.safe_load(block("yaml", 1))
    build, publish = jobs["build"], jobs["publish"]
    assert "environment" not in build
    assert publish["environment"] == RELEASE_JOBS["publish"]["environment"]
    assert publish["dependencies"] == ["build"]
    assert build["artifacts"]["paths"] == ["dist/"]
    assert build["script"][0] == commands(RELEASE_JOBS["build"])[0]
    for job in (build, publish):
        assert job["cache"] == []
        assert [rule["if"] for rule in job["rules"]] == ["$CI_COMMIT_TAG =~ /^v/"]
    assert publish["rules"][0]["when"] == "manual"


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
    release = targets("\n".join(command for job in RELEASE_JOBS.values() for command in commands(job)))
    assert release == {"check-release", "check-generated", "build", "upload"}
    assert targets(block("yaml", 1)) == release
    inline = "\n".join(re.findall(r"`([^`\n]+)`", GUIDE))
    assert workflow | release < targets(inline) <= {*phony[1].split()}


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
    assert check(block("yaml") + block("yaml", 1)) == 0
    assert check(block("yaml") + block("yaml", 1).replace("dependencies:", "dependency:")) == 1


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

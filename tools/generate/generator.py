"""Runs openapi-python-client on a contract, completes the package, and proves that it covers the contract."""

from __future__ import annotations

import io
import json
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.properties.protocol import PropertyProtocol

from tools.contract import Contract, Finding, check, printable, report
from tools.contract.names import python_name
from tools.generate import lock, roundtrip
from tools.generate.annotations import annotate, file_bodies
from tools.generate.lists import lists
from tools.generate.operations import separators
from tools.generate.rejections import rejections, shared_modules

ROOT = Path(__file__).resolve().parent.parent.parent
GENERATED = ROOT / "generated"
PACKAGE = "talkdesk_bridge_api"
TEMPLATES = ROOT / "tools" / "templates"
MARKER = "# Generated from openapi.yaml by `make generate`: edits are lost.\n"

# The generator (0.29.1) rejects types that its own code cannot send in a header or a cookie, but sending.py can.
# Test: tests/test_sending.py, which fails if this has no effect. Remove when the generator accepts each type there.
PropertyProtocol.validate_location = lambda _self, _location: None  # type: ignore[assignment,method-assign]


class GenerationError(Exception):
    """The client cannot be generated; the message says why and what to do. Nothing was replaced.

    Attributes:
        findings: The parts of the contract that are the cause; empty if the contract is not the cause.

    """

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        lines = [f"  {one.line}:{one.column}: {one.message}" for one in findings]
        super().__init__("\n".join([message, *lines]))
        self.findings = findings


def check_and_generate(contract: Contract, target: Path) -> bool:
    """Check a contract, and generate its package into a new folder; print findings. Returns whether there are none.

    Raises:
        GenerationError: the package cannot be generated, and the contract is not the cause.

    """
    findings: Sequence[Finding] = check(contract)
    try:
        if not findings:
            generate(contract, target)
    except GenerationError as error:
        if not error.findings:
            raise
        findings = error.findings
    report(contract, findings)
    return not findings


def generate(contract: Contract, target: Path) -> None:
    """Write the package of a contract without findings into a new folder, and prove that it is complete.

    Raises:
        GenerationError: the tools are not the pinned versions, or the generator rejects or loses part of the contract.

    """
    settings, tools = _settings()
    _run(contract, target, settings)
    _complete(contract, target)
    try:
        lost = roundtrip.missing(contract, target)
    except Exception as error:
        raise GenerationError(f"the generated code cannot be imported: {type(error).__name__}: {error}") from error
    for traces in [*target.rglob("__pycache__")]:
        shutil.rmtree(traces)
    if lost:
        raise GenerationError("the generator silently lost these parts of the contract; write them differently:", lost)
    lock.write(target, lock.facts(contract, settings, TEMPLATES, tools))


def _settings() -> tuple[dict[str, Any], dict[str, str]]:
    """The generator's settings, and the versions of generator and formatter, which must be the pinned ones."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pinned = dict(pin.split("==") for pin in pyproject["dependency-groups"]["generator"])
    for name, version in pinned.items():
        found = next((one.version for one in distributions(name=name)), "not installed")
        if found != version:
            raise GenerationError(f"{name} must be {version}, but is {found}: run `make clean setup`.")
    return pyproject["tool"]["openapi-python-client"], pinned


def _run(contract: Contract, target: Path, settings: dict[str, Any]) -> None:
    """Run the generator and then the formatter, whose commands are among the settings."""
    # The generator turns an operationId into a name of Python before a template sees it.
    operation_ids = [str(operation["operationId"]) for _, operation in contract.operations()]
    spelled = {python_name(one): one for one in operation_ids}
    shared = {"lists": lists(contract)[0], "separators": separators(contract), "spelled": spelled}
    files = {media_type: "application/octet-stream" for media_type, _ in file_bodies(contract)}
    own = {"package_name_override": PACKAGE, "post_hooks": [], "content_type_overrides": files}
    given = ConfigFile(**settings | own)
    # The path of the document is for the generator's command; here, the document is given as data.
    config = Config.from_sources(given, MetaType.NONE, contract.file, "utf-8", overwrite=False, output_path=target)
    try:
        parsed = GeneratorData.from_dict(annotate(contract), config=config)
        errors = [] if isinstance(parsed, GeneratorData) else [parsed]
        if isinstance(parsed, GeneratorData):
            project = Project(openapi=parsed, config=config, custom_template_path=TEMPLATES)
            project.env.globals |= shared
            with redirect_stdout(io.StringIO()):
                errors += project.build()
    except Exception as error:
        raise GenerationError(f"the generator crashed: {type(error).__name__}: {error}") from error
    rejected = rejections(contract, errors) or [*shared_modules(contract, target / "models" / "__init__.py")]
    if rejected:
        raise GenerationError("the generator rejects the contract; correct these parts:", rejected)
    for hook in settings["post_hooks"]:
        tool, *arguments = shlex.split(hook)
        command = [str(Path(sys.executable).with_name(tool)), *arguments]  # from the same environment as this Python
        done = subprocess.run(command, cwd=target, capture_output=True, text=True, check=False)
        if done.returncode:
            raise GenerationError(f"{tool} exited with status {done.returncode}:\n{done.stderr.strip()}")


def _complete(contract: Contract, target: Path) -> None:
    """Remove files that the client does not need, and add files that are the same for every contract."""
    # The generator always writes its own client, a second way to the API without our checks. Remove this code when
    # the generator can omit its client. Test: tests/test_generate.py.
    # The modules of operations are empty: endpoint_module.py.jinja.
    for file in (target / "client.py", target / "errors.py", *target.glob("api/*/[!_]*.py")):
        file.unlink()
    for file in TEMPLATES.glob("*.py"):
        shutil.copy(file, target)
    for file in target.rglob("*.py"):
        file.write_text(MARKER + printable(file.read_text(encoding="utf-8")), encoding="utf-8")
    (target / "py.typed").touch()
    # The contract as data, for the sandbox, and for users through importlib.resources.
    text = json.dumps(contract.data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    (target / "openapi.json").write_text(text + "\n", encoding="utf-8")

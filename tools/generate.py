"""`make generate` and `make check-generated`: the contract becomes generated/talkdesk_bridge_api/."""

from __future__ import annotations

import copy
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tools.contract import PROVENANCE, Contract, Element, Where, mapping, sequence
from tools.documented import aliases
from tools.rules import STATUSES
from tools.validate import report, validate

ROOT = Path(__file__).resolve().parent.parent
GENERATED = ROOT / "generated"
PACKAGE = "talkdesk_bridge_api"
TEMPLATES = ROOT / "tools" / "templates"
MARKER = "# Generated from openapi.yaml by `make generate`: edits are lost.\n"


class GenerationError(Exception):
    """The client cannot be generated; the message says why and what to do. Nothing was replaced."""


def generate(contract: Contract, target: Path) -> None:
    """Write the package into the empty folder `target`.

    Raises:
        GenerationError: the generator or the formatter is not the pinned one, or the generator refuses the contract.

    """
    settings = _settings()
    with tempfile.TemporaryDirectory() as folder:
        source, config = Path(folder, "contract.json"), Path(folder, "config.json")
        source.write_text(json.dumps(annotate(contract)), encoding="utf-8")
        config.write_text(json.dumps(settings), encoding="utf-8")
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
        command += ["--path", str(source), "--config", str(config), "--custom-template-path", str(TEMPLATES)]
        command += ["--output-path", str(target), "--overwrite"]
        # The hooks call `ruff`: the one beside this Python, whatever else is on the machine.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        environment = os.environ | {"PATH": path}
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        said = (result.stdout + result.stderr).replace(f"Generating {target}", "").strip()
        if "Traceback" in said:  # a crash: its last paragraph says what happened
            raise GenerationError(f"the generator crashed: {' '.join(said.rpartition('╯')[2].split()) or said}")
        said = said.partition("If you believe this was a mistake")[0].strip()
        raise GenerationError(f"the generator refuses the contract; change what it names:\n{said}")
    _try_import(target)
    for file in (target / "models").glob("*.py"):
        # What people see in signatures. The generator writes `| Unset` in its own code, out of reach of a template;
        # `Unset` is the type of None (types.py.jinja). Remove it when the generator can leave optional fields None.
        file.write_text(re.sub(r"\| Unset\b", "| None", file.read_text(encoding="utf-8")), encoding="utf-8")
    for file in target.rglob("*.py"):
        file.write_text(MARKER + file.read_text(encoding="utf-8"), encoding="utf-8")
    (target / "py.typed").touch()
    # The contract as data, for what reads it at run time: the sandbox, and users through importlib.resources.
    text = json.dumps(contract.data, indent=1, sort_keys=True, ensure_ascii=False)
    (target / "openapi.json").write_text(text + "\n", encoding="utf-8")


def _try_import(target: Path) -> None:
    """Import every module of the new package, so that code that cannot run never replaces code that does."""
    names = [".".join(file.relative_to(target.parent).with_suffix("").parts) for file in sorted(target.rglob("*.py"))]
    code = "import importlib, sys; sys.path.insert(0, sys.argv.pop(1)); [*map(importlib.import_module, sys.argv[1:])]"
    command = [sys.executable, "-B", "-I", "-c", code, str(target.parent), *names]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise GenerationError(f"the generated code cannot be imported: {result.stderr.strip().splitlines()[-1]}")


def annotate(contract: Contract) -> dict[str, Any]:
    """The contract as the generator reads it: the descriptions say what is assumed, schemas know their second names.

    The generator shows its templates the descriptions of operations and parameters, but not their extensions.
    """
    data = copy.deepcopy(contract.data)
    annotated = Contract(contract.file, data)
    elements = {element.where: element for element in annotated.elements()}
    for element in elements.values():
        if element.kind == "operation":
            added = list(_assumptions(annotated, element, elements))
        elif PROVENANCE in element.node and element.kind in ("parameter", "property", "schema"):
            added = [_origin(element)]
        else:
            continue
        # The generator reads a parameter's description from its schema.
        node = mapping(element.node.get("schema")) if element.kind == "parameter" else element.node
        described = [element.node["description"]] if "description" in element.node else []
        node["description"] = ("\n\n" if element.kind == "operation" else " ").join(described + added)
    for alias, name in aliases(annotated).items():
        data["components"]["schemas"][name].setdefault("x-aliases", []).append(alias)
    return data


def _assumptions(contract: Contract, operation: Element, elements: dict[Where, Element]) -> Iterator[str]:
    """What is documented of an operation and what is not, a sentence each."""
    node, item = operation.node, operation.where[:2]
    wheres: list[Where | None] = [item]
    for around, holder in ((operation.where, node), (item, elements[item].node)):
        for index, parameter in enumerate(sequence(holder.get("parameters"))):
            wheres.append(contract.follow(parameter) or (*around, "parameters", index))
    for status, response in mapping(node.get("responses")).items():
        wheres.append(contract.follow(response) or (*operation.where, "responses", status))
    for requirement in sequence(node.get("security")):
        wheres += [("components", "securitySchemes", name) for name in requirement]
    parts = [elements[where] for where in dict.fromkeys(wheres) if where in elements]
    for status in STATUSES:
        names = [
            "method and path" if part.kind == "path" else f"{part.kind} `{part.name}`"
            for part in parts
            if part.status == status
        ]
        if names:
            yield f"{status.capitalize()}: {', '.join(names)}."
    yield from (_origin(part) for part in parts if part.kind == "path" and part.status != "documented")


def _origin(element: Element) -> str:
    """Where an element comes from, in a sentence."""
    provenance = element.provenance or {}
    status, source = str(element.status).capitalize(), provenance.get("source")
    return f"{status}: {provenance['note']} See {source}" if provenance.get("note") else f"{status}: {source}"


def _settings() -> dict[str, Any]:
    """The generator's settings, once it is certain that it and its formatter are the pinned ones."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for pin in pyproject["dependency-groups"]["generator"]:
        name, _, wanted = pin.partition("==")
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "not installed"
        if found != wanted:
            raise GenerationError(f"{name} must be {wanted}, but is {found}: run `make clean setup`.")
    return {**pyproject["tool"]["openapi-python-client"], "package_name_override": PACKAGE}


def compare(expected: Path, found: Path) -> list[str]:
    """How the tree `found` differs from `expected`: a line for each file, in the order of their names."""
    wanted, given = _files(expected), _files(found)
    return [
        f"{name}: {'is missing' if name not in given else 'was added' if name not in wanted else 'differs'}"
        + ("" if name.startswith(f"{PACKAGE}/") else ", and is not generated: remove it")
        for name in sorted(wanted.keys() | given.keys())
        if wanted.get(name) != given.get(name)
    ]


def _files(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and not file.relative_to(folder).parts[0].startswith(".")
    }


def replace(new: Path, target: Path) -> None:
    """Put the folder `new` in the place of `target`."""
    old = target.with_name(f".{target.name}.old")
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def restore(target: Path) -> None:
    """Bring back the folder that a killed run had moved aside, and remove what it left."""
    old = target.with_name(f".{target.name}.old")
    if old.exists() and not target.exists():
        old.rename(target)
        print(f"{target.name}: an earlier run was interrupted; the tree from before it is back.", file=sys.stderr)
    for leftover in target.parent.glob(f".{target.name}.*"):
        shutil.rmtree(leftover, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Generate, or with --check compare; 0 when done or equal, 1 when not, 2 when the contract cannot be read."""
    check = "--check" in arguments
    file = Path(next((argument for argument in arguments if not argument.startswith("-")), "openapi.yaml"))
    try:
        contract, findings = validate(file)
    except OSError as error:
        print(f"{file}: cannot be read: {error.strerror}. Name a contract with CONTRACT=path.", file=sys.stderr)
        return 2
    if findings:
        report(contract, findings)
        print("Nothing was generated: correct the contract first.", file=sys.stderr)
        return 1
    GENERATED.mkdir(exist_ok=True)
    handle = os.open(GENERATED, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # until the end of the run: two would clear away each other's work
        return _run(contract, check=check)
    except GenerationError as error:
        print(f"{file}: {error}", file=sys.stderr)
        return 1
    finally:
        os.close(handle)


def _run(contract: Contract, *, check: bool) -> int:
    file, target = contract.file, GENERATED / PACKAGE
    restore(target)
    with tempfile.TemporaryDirectory(prefix=f".{PACKAGE}.", dir=GENERATED) as folder:
        new = Path(folder, PACKAGE)
        new.mkdir()
        generate(contract, new)
        differences = compare(Path(folder), GENERATED)
        changed = [line for line in differences if line.startswith(f"{PACKAGE}/")]
        if changed and not check:
            replace(new, target)
    if not check:
        count = f"{len(changed)} changed" if changed else "nothing changed"
        print(f"generated/{PACKAGE}: {len(_files(target))} files from {file}, {count}.")
        return 0
    for difference in differences:
        print(f"generated/{difference}")
    if changed:
        option = "" if file == Path("openapi.yaml") else f" CONTRACT={file}"
        print(f"generated/ is not what {file} gives: run `make generate{option}`, and commit it.", file=sys.stderr)
    if not differences:
        print(f"generated/ is what {file} gives.")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

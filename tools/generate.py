"""`make generate` and `make check-generated`: the contract becomes generated/talkdesk_bridge_api/."""

from __future__ import annotations

import copy
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tools import lock
from tools.contract import PROVENANCE, STATUSES, Contract, Element, Where, load, mapping, sequence
from tools.documented import aliases
from tools.looking import Probe, ProbeError

ROOT = Path(__file__).resolve().parent.parent
GENERATED = ROOT / "generated"
PACKAGE = "talkdesk_bridge_api"
TEMPLATES = ROOT / "tools" / "templates"
# The generator always writes a client of its own, a second way to the API that knows none of our checks. Remove this
# constant when the generator can omit its client. Test: tests/test_generate.py.
STOCK_CLIENT = ("client.py", "errors.py")
MARKER = "# Generated from openapi.yaml by `make generate`: edits are lost.\n"


class GenerationError(Exception):
    """The client cannot be generated; the message says why and what to do. Nothing was replaced."""


class Generator:
    """The generator, at work on a contract in the background, from the start of the `with` block on."""

    def __init__(self, contract: Contract, target: Path, handle: int | None = None) -> None:
        """Start it.

        Args:
            contract: What to generate from; it may still turn out to have findings.
            target: The folder to make, named like the package.
            handle: A lock that must be held for as long as the generator runs, even without us.

        Raises:
            GenerationError: the generator or the formatter is not the pinned one.

        """
        self._contract, self._target = contract, target
        settings, tools = _settings()
        self._decided = lock.facts(contract, settings, TEMPLATES, tools)
        self._inputs = source, config = target.with_name("contract.json"), target.with_name("config.json")
        source.write_text(json.dumps(annotate(contract)), encoding="utf-8")
        config.write_text(json.dumps({**settings, "package_name_override": PACKAGE}), encoding="utf-8")
        command = [sys.executable, "-I", "-m", "openapi_python_client", "generate", "--meta", "none"]
        command += ["--fail-on-warning", "--path", str(source), "--config", str(config)]
        command += ["--custom-template-path", str(TEMPLATES), "--output-path", str(target)]
        # The hooks call `ruff`: the one beside this Python, whatever else is on the machine.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        self._process = subprocess.Popen(
            command,
            start_new_session=True,  # so that its formatter ends with it
            env=os.environ | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=() if handle is None else (handle,),
        )
        self._probe = Probe(target.parent)

    def __enter__(self) -> Generator:
        return self

    def __exit__(self, *_: object) -> None:
        self._probe.stop()
        with self._process:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def finish(self) -> None:
        """Wait for the generator, complete what it wrote, and prove that the contract arrived in it.

        Raises:
            GenerationError: the generator refuses the contract, or lost something of it.

        """
        said, _ = self._process.communicate()
        for file in self._inputs:
            file.unlink()
        if self._process.returncode:
            raise GenerationError(_refusal(said.replace(f"Generating {self._target}", "").strip()))
        for name in STOCK_CLIENT:
            (self._target / name).unlink()
        for file in TEMPLATES.glob("*.py"):  # what is the same whatever the contract says
            shutil.copy(file, self._target)
        for file in self._target.rglob("*.py"):
            file.write_text(MARKER + file.read_text(encoding="utf-8"), encoding="utf-8")
        (self._target / "py.typed").touch()
        # The contract as data, for what reads it at run time: the sandbox, and users through importlib.resources.
        text = json.dumps(self._contract.data, indent=1, sort_keys=True, ensure_ascii=False)
        (self._target / "openapi.json").write_text(text + "\n", encoding="utf-8")
        self._prove()
        lock.write(self._target, self._decided)

    def _prove(self) -> None:
        # Imported here and not above: it loads the generator, which is at work beside us until now.
        from tools import arrival

        try:
            lost = arrival.missing(self._contract, self._probe)
        except ProbeError as error:
            raise GenerationError(f"the generated code cannot be imported: {error}") from None
        if lost:
            findings = [self._contract.finding("arrival", where, told) for where, told in lost]
            lines = [f"  {finding.line}:{finding.column}: {finding.message}" for finding in sorted(findings)]
            told = "the generator lost parts of the contract without a word; write them in another way:"
            raise GenerationError("\n".join([told, *lines]))


def generate(contract: Contract, target: Path) -> None:
    """Write the package of a contract without findings into the new folder `target`.

    Raises:
        GenerationError: see `Generator`.

    """
    with Generator(contract, target) as generator:
        generator.finish()


def _refusal(said: str) -> str:
    """Why the generator failed, from what it printed."""
    if "Traceback" in said:  # a crash: its last paragraph says what happened
        return f"the generator crashed: {' '.join(said.rpartition('╯')[2].split()) or said}"
    said = said.partition("If you believe this was a mistake")[0].strip()
    return f"the generator refuses the contract; change what it names:\n{said}"


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
    schemas = mapping(mapping(data.get("components")).get("schemas"))
    for alias, name in aliases(annotated).items():
        schemas[name].setdefault("x-aliases", []).append(alias)
    for schema in schemas.values():
        schema.pop("title", None)  # the generator would name the class after it, and not as the contract does
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


def _settings() -> tuple[dict[str, Any], dict[str, str]]:
    """The generator's settings, and the versions of it and its formatter: certainly the pinned ones."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pinned = dict(pin.split("==") for pin in pyproject["dependency-groups"]["generator"])
    for name, wanted in pinned.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "not installed"
        if found != wanted:
            raise GenerationError(f"{name} must be {wanted}, but is {found}: run `make clean setup`.")
    return pyproject["tool"]["openapi-python-client"], pinned


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
    _remove(old)


def restore(target: Path) -> None:
    """Bring back the folder that a killed run had moved aside, and remove what it left."""
    old = target.with_name(f".{target.name}.old")
    if old.exists() and not target.exists():
        old.rename(target)
        print(f"{target.name}: an earlier run was interrupted; the tree from before it is back.", file=sys.stderr)
    for leftover in target.parent.glob(f".{target.name}.*"):
        _remove(leftover)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def main(arguments: list[str]) -> int:
    """Generate, or with --check compare; 0 when done or equal, 1 when not, 2 when the contract cannot be read."""
    file = Path(next((argument for argument in arguments if not argument.startswith("-")), "openapi.yaml"))
    try:
        contract = load(file)
    except OSError as error:
        print(f"{file}: cannot be read: {error.strerror}. Name a contract with CONTRACT=path.", file=sys.stderr)
        return 2
    try:
        GENERATED.mkdir(exist_ok=True)
        with interruptible() as heed, locked(GENERATED) as handle:
            return _run(contract, handle, heed, check="--check" in arguments)
    except GenerationError as error:
        print(f"{file}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        told = f"{error.filename or GENERATED}: {error.strerror}; generated/ is as it was."
        print(told, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; generated/ is as it was.", file=sys.stderr)
        return 130


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Raise KeyboardInterrupt for what an interrupt leads to: libraries make another error of it while they load.

    What is given raises it for one that was dropped, as Python does while it destroys an object.
    """
    came: list[int] = []

    def heed() -> None:
        if came:
            raise KeyboardInterrupt

    def interrupt(number: int, _: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    before, hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
    if before is not signal.SIG_IGN:  # as nohup and the like mean it
        signal.signal(signal.SIGINT, interrupt)
        sys.unraisablehook = lambda dropped: None if came else hook(dropped)
    try:
        yield heed
    except Exception as error:
        if came:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = hook


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold the folder until the end of the run: two runs would clear away each other's work."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _run(contract: Contract, handle: int, heed: Callable[[], None], *, check: bool) -> int:
    target = GENERATED / PACKAGE
    restore(target)
    with tempfile.TemporaryDirectory(prefix=f".{PACKAGE}.", dir=GENERATED) as folder:
        new = Path(folder, PACKAGE)
        try:
            generator = Generator(contract, new, handle)
        except (AttributeError, KeyError, TypeError):
            if _refused(contract):  # a contract of no known shape: the rules tell what is wrong with it
                return 1
            raise
        with generator:
            # The rules need about as long as the generator, which works meanwhile.
            if _refused(contract):
                return 1
            generator.finish()

        differences = compare(Path(folder), GENERATED)
        heed()
        changed = [line for line in differences if line.startswith(f"{PACKAGE}/")]
        if check:
            return _report(contract, differences, [*lock.moved(target, lock.read(new) or {})] if changed else [])
        if changed:
            replace(new, target)
    count = f"{len(changed)} changed" if changed else "nothing changed"
    print(f"generated/{PACKAGE}: {len(_files(target))} files from {contract.file}, {count}.")
    return 0


def _refused(contract: Contract) -> bool:
    """Whether the contract has findings, which are told then."""
    from tools import validate  # here, since it takes long to load

    if findings := validate.check(contract):
        validate.report(contract, findings)
        print("Nothing was generated: correct the contract first.", file=sys.stderr)
    return bool(findings)


def _report(contract: Contract, differences: list[str], reasons: list[str]) -> int:
    for difference in differences:
        print(f"generated/{difference}")
    for reason in reasons:
        print(f"Why: {reason}")
    if not differences:
        print(f"generated/ is what {contract.file} gives.")
    elif any(difference.startswith(f"{PACKAGE}/") for difference in differences):
        option = "" if contract.file.resolve() == ROOT / "openapi.yaml" else f" CONTRACT={contract.file}"
        told = f"generated/ is not what {contract.file} gives: run `make generate{option}`, and commit it."
        print(told, file=sys.stderr)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

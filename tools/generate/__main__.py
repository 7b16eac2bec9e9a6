"""`python -m tools.generate openapi.yaml [--check]`: what `make generate` and `make check-generated` run."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.contract import Contract, command_parser, load_named
from tools.generate import lock
from tools.generate.generator import GENERATED, PACKAGE, ROOT, GenerationError, check_and_generate
from tools.generate.lists import lists


def main(arguments: list[str], generated: Path = GENERATED) -> int:
    """Generate, or with --check compare.

    Returns 0 if generated/ was written or matches, 1 if it was not or does not, 2 if a file cannot be read or written.

    Args:
        arguments: The contract (default: openapi.yaml), and `--check`.
        generated: The folder that contains the package.

    """
    parser = command_parser("tools.generate")
    parser.add_argument("--check", action="store_true", help="compare generated/ with the contract, and write nothing")
    options = parser.parse_args(arguments)
    contract = load_named(options.file)
    try:
        return _run(contract, generated, compare_only=options.check)
    except GenerationError as error:
        print(f"{contract.file}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or generated}: {error.strerror}. generated/ was not changed.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted. generated/ was not changed.", file=sys.stderr)
        return 130


def _run(contract: Contract, generated: Path, *, compare_only: bool) -> int:
    target = generated / PACKAGE
    generated.mkdir(exist_ok=True)
    # Inside generated/, so that one rename replaces the whole tree. The old tree is deleted with this folder.
    with tempfile.TemporaryDirectory(prefix=f".{PACKAGE}.", dir=generated) as folder:
        new = Path(folder, PACKAGE)
        if not check_and_generate(contract, new):
            print("Nothing was generated. Correct the contract first.", file=sys.stderr)
            return 1
        differences = compare(new.parent, generated)
        changed = [line for line in differences if line.startswith(f"{PACKAGE}/")]
        reasons = [*lock.reasons_for_difference(target, lock.read(new) or {})] if changed else []
        if changed and not compare_only:
            _replace(target, new)
    if compare_only:
        return _report(contract, [*differences, *_tracked_bytecode(generated)], reasons)
    for finding in lists(contract)[1]:
        print(f"{contract.file}:{finding.line}:{finding.column}: {finding.message}")
    print(f"generated/{PACKAGE}: {len(lock.files(target))} files from {contract.file}, {len(changed)} changed.")
    return 0


def _replace(target: Path, new: Path) -> None:
    old = new.with_name("old")
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise


def _report(contract: Contract, differences: list[str], reasons: list[str]) -> int:
    lines = [f"generated/{difference}" for difference in differences] + [f"Why: {reason}" for reason in reasons]
    print("\n".join(lines or [f"generated/ matches {contract.file}."]))
    if reasons:
        option = "" if contract.file.resolve() == ROOT / "openapi.yaml" else f" CONTRACT={contract.file}"
        message = f"generated/ does not match {contract.file}: run `make generate{option}` and commit the result."
        print(message, file=sys.stderr)
    return 1 if differences else 0


def compare(expected: Path, tree: Path) -> list[str]:
    """The differences of a tree from `expected`: one line for each file, sorted by name."""
    needed = lock.files(expected)
    # A name that starts with a dot is a tree that is still being generated.
    given = {name: data for name, data in lock.files(tree).items() if not name.startswith(".")}
    found = {name: "differs" for name in needed.keys() & given.keys() if needed[name] != given[name]}
    found |= dict.fromkeys(needed.keys() - given.keys(), "is missing")
    for name in given.keys() - needed.keys():
        found[name] = "was added" if name.startswith(f"{PACKAGE}/") else "was added and is not generated: remove it"
    return [f"{name}: {found[name]}" for name in sorted(found)]


def _tracked_bytecode(generated: Path) -> list[str]:
    """One line for each folder of bytecode in a tree that git tracks; none if the tree is not in a git clone."""
    command = ["git", "ls-files", "-z", "--", ":(glob)**/__pycache__/**"]
    if not shutil.which(command[0]):
        return []
    names = subprocess.run(command, cwd=generated, capture_output=True, text=True, check=False).stdout.split("\0")
    folders = {name.rpartition("/")[0] for name in names} - {""}
    return [f"{name}: git tracks this bytecode: run `git rm -r --cached generated/{name}`" for name in sorted(folders)]


if __name__ == "__main__":
    gc.disable()  # the collector would walk a large contract again and again, and find next to nothing to free
    sys.exit(main(sys.argv[1:]))

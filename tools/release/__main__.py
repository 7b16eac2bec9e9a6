"""`python -m tools.release build|check|upload`: the steps of a release; see docs/publishing.md."""

from __future__ import annotations

import argparse
import importlib
import sys

STEPS = ("build", "check", "upload")
"""Each is a function in the module of the same name. Only that module is imported, as `upload` has no other tools."""


def main(arguments: list[str]) -> int:
    """Run a step. Returns 0 if it succeeded, 130 if it was interrupted, else another status."""
    parser = argparse.ArgumentParser(prog="python -m tools.release")
    steps = parser.add_subparsers(dest="step", required=True)
    parsers = {name: steps.add_parser(name) for name in STEPS}
    parsers["upload"].add_argument("--check", action="store_true", help="only check the variables")
    options = vars(parser.parse_args(arguments))
    step = options.pop("step")
    try:
        status: int = getattr(importlib.import_module(f"tools.release.{step}"), step)(**options)
    except OSError as error:
        print(f"{error.filename or step}: {error.strerror}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

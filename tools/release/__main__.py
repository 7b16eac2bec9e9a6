"""`python -m tools.release build|check|upload`: the steps of a release; see docs/publishing.md."""

from __future__ import annotations

import importlib
import sys

STEPS = ("build", "check", "upload")
"""Each is a function in the module of the same name. Only that module is imported, as `upload` has no other tools."""


def main(arguments: list[str]) -> int:
    """Run a step. Returns 0 if it succeeded, 130 if it was interrupted, else another status."""
    step, *options = arguments or [""]
    if step not in STEPS:
        print(f"usage: python -m tools.release {'|'.join(STEPS)}", file=sys.stderr)
        return 2
    try:
        status: int = getattr(importlib.import_module(f"tools.release.{step}"), step)(*options)
    except OSError as error:
        print(f"{error.filename or step}: {error.strerror}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

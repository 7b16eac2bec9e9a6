"""`python -m tools.changes`: list what changed for callers, or check the version and the changelog against it."""

from __future__ import annotations

import argparse
import sys

from tools.changes.history import ComparisonError, last_release, since
from tools.changes.report import FORMATS, problems
from tools.contract import printable
from tools.generate import ROOT


def main(arguments: list[str]) -> int:
    """List the changes, or check the version.

    Returns 0 if the list was printed or the version is right, 1 if it is wrong, 2 if the states cannot be compared.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.changes")
    parser.add_argument("--base", default="", help="the revision to compare with; default: the last release, or HEAD")
    parser.add_argument("--format", default="text", choices=FORMATS, help="the form of the list; default: text")
    parser.add_argument("--check-version", action="store_true", help="check the version and the changelog instead")
    options = parser.parse_args(arguments)
    try:
        base = options.base or last_release()
        if options.check_version and not base:
            print("No release tag (such as v1.4.0) was found, so any version is valid. Name a revision with BASE=...")
            return 0
        comparison = since(base or "HEAD")
        if not options.check_version:
            print(printable(FORMATS[options.format](comparison)))
            return 0
        found = problems(comparison, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    except ComparisonError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename}: {error.strerror}.", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"pyproject.toml or CHANGELOG.md cannot be read, here or in the older state: {error}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    good = f"Version {comparison.versions[1]} and CHANGELOG.md match the changes since {comparison.base}."
    print(printable("\n".join(found)) or good)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

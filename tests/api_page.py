"""Write a contract as a page: `python -m tests.api_page openapi.yaml api.html`, for `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from talkdesk_bridge_sandbox._page import page


def main(source: Path, target: Path) -> str:
    """Write the page of a contract in YAML or JSON to a file, completely or not at all; return a message about it."""
    text = page(yaml.safe_load(source.read_text("utf-8")))
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SystemExit(f"{target} cannot be written: {error.strerror}.") from None
    return f"{target} was written from {source}: one file of {len(text) / 1e6:.1f} MB. Open it in a browser.\n"


if __name__ == "__main__":
    sys.stdout.write(main(*map(Path, sys.argv[1:])))

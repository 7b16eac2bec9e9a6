"""A process that measures: `python -m benchmarks.worker WITHOUT MODULE:FACTORY ARGUMENT...`, driven by timing.Worker.

What the factory makes of the arguments is called for each line of standard input, a JSON array of arguments, and what
it gives is printed as a line of JSON. The modules named in WITHOUT cannot be imported, as if they were not installed.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Serve until standard input ends."""
    without, factory, *arguments = sys.argv[1:]
    blocked: dict[str, Any] = dict.fromkeys(filter(None, without.split(",")))
    sys.modules.update(blocked)
    module, _, name = factory.partition(":")
    call = getattr(import_module(module), name)(*arguments)
    for line in sys.stdin:
        print(json.dumps(call(*json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

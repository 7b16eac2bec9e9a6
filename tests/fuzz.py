"""`make fuzz`: the properties of tests/test_properties.py on many more examples, with what came of them."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import pytest

PROPERTIES = Path(__file__).with_name("test_properties.py")


def main() -> int:
    """Print the figures, and the seed that gives the same examples again; what pytest says of the properties is returned."""
    seed = os.environ.get("SEED") or str(random.SystemRandom().randrange(2**32))
    begun = time.perf_counter()
    status = pytest.main(["-q", "-p", "no:cacheprovider", f"--hypothesis-seed={seed}", str(PROPERTIES)])
    seconds = time.perf_counter() - begun
    # Not above: what it holds follows EXAMPLES.
    from tests.drawing import TALLY

    print(f"{TALLY.pop('examples', 0)} examples in {seconds:.0f} s, {TALLY.pop('items', 0)} items; SEED={seed}")  # noqa: T201 # what `make fuzz` shows
    for name, count in TALLY.most_common():
        print(f"{count:>8} {name}")  # noqa: T201 # as above
    return int(status)


if __name__ == "__main__":
    sys.exit(main())

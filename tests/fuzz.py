"""`make fuzz`: runs the properties of tests/test_properties.py on many more examples, and counts the results."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import pytest

PROPERTIES = Path(__file__).with_name("test_properties.py")


def main() -> int:
    """Print the counts, and the seed that repeats the same examples. Returns pytest's exit status."""
    seed = os.environ.get("SEED") or str(random.SystemRandom().randrange(2**32))
    begun = time.perf_counter()
    status = pytest.main(["-q", "-p", "no:cacheprovider", f"--hypothesis-seed={seed}", str(PROPERTIES)])
    seconds = time.perf_counter() - begun
    # Imported after the run, because the tests fill it.
    from tests.strategies import TALLY

    print(f"{TALLY.pop('examples', 0)} examples in {seconds:.0f} s, {TALLY.pop('items', 0)} items; SEED={seed}")  # noqa: T201 # the output of `make fuzz`
    for name, count in TALLY.most_common():
        print(f"{count:>8} {name}")  # noqa: T201 # as above
    return int(status)


if __name__ == "__main__":
    sys.exit(main())

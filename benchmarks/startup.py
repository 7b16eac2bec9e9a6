"""The time that the package adds to the start of a program, and the time for the command to print its help."""

from __future__ import annotations

import sys
import tomllib
from functools import partial

from benchmarks.process import ROOT, run, timed
from benchmarks.report import Section
from benchmarks.timing import Ratio, Target, in_turns

LIBRARIES = "import httpx, attrs"
CLIENT = "from talkdesk_bridge import BridgeClient"
CASES = {
    "import talkdesk_bridge": (LIBRARIES, f"{LIBRARIES}; import talkdesk_bridge"),
    "import BridgeClient": (LIBRARIES, CLIENT),
    "make a BridgeClient": (f"{LIBRARIES}; httpx.Client()", f"{CLIENT}; BridgeClient('https://bridge.example')"),
}
"""For each case, a line of Python with the libraries alone, and one with the package."""
HELP = "talkdesk-bridge --help"
LIMIT, HELP_LIMIT = 1.2, 1

# Measured inside the process: the start of the interpreter would hide the difference.
TIMED = "import time; begun = time.process_time(); {}; print(time.process_time() - begun)"


def inside(code: str) -> float:
    """CPU seconds that a fresh process spends on a line of Python, without the start of the interpreter."""
    return float(run([sys.executable, "-c", TIMED.format(code)], code))


def command() -> str:
    """The code of the script `talkdesk-bridge`, which is not installed in this environment."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, function = project["scripts"]["talkdesk-bridge"].partition(":")
    return f"from {module} import {function}; {function}()"


def starting(seconds: float) -> Section:
    """Compare each start with that of the libraries alone."""
    pairs = {name: (partial(inside, libraries), partial(inside, code)) for name, (libraries, code) in CASES.items()}
    pairs[HELP] = (
        partial(timed, [sys.executable, "-c", LIBRARIES]),
        partial(timed, [sys.executable, "-c", command(), "--help"]),
    )
    targets = []
    for name, (libraries, ours) in pairs.items():
        costs = in_turns({"libraries": libraries, "ours": ours}, seconds / len(pairs))
        ratio = Ratio.of(costs["ours"], costs["libraries"])
        limit = HELP_LIMIT if name == HELP else LIMIT
        targets.append(Target(f"{name}, against the libraries", limit, ratio))
    return Section(targets)

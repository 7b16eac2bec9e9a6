"""What the package adds to the start of a program, and what the command needs until its help is printed."""

from __future__ import annotations

import sys
import tomllib
from functools import partial

from benchmarks.process import ROOT, run, timed
from benchmarks.report import Section
from benchmarks.timing import Ratio, Target, in_turns

__all__ = ["starting"]

LIBRARIES = "import httpx, attrs"
CLIENT = "from talkdesk_bridge import BridgeClient"
CASES = {
    "import talkdesk_bridge": (LIBRARIES, f"{LIBRARIES}; import talkdesk_bridge"),
    "import BridgeClient": (LIBRARIES, CLIENT),
    "make a BridgeClient": (f"{LIBRARIES}; httpx.Client()", f"{CLIENT}; BridgeClient('https://bridge.example')"),
}
"""Each as a line of Python, beside what it needs of libraries."""
HELP = "talkdesk-bridge --help"
LIMIT, HELP_LIMIT = 1.2, 1

# Measured in the process, so that the start of the interpreter does not hide what is added.
TIMED = "import time; begun = time.process_time(); {}; print(time.process_time() - begun)"


def inside(code: str) -> float:
    """The seconds of CPU that a fresh process spends on a line of Python, without its own start."""
    return float(run([sys.executable, "-c", TIMED.format(code)], code))


def command() -> str:
    """What the script `talkdesk-bridge` does, which this environment does not have."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, function = project["scripts"]["talkdesk-bridge"].partition(":")
    return f"from {module} import {function}; {function}()"


def starting(seconds: float) -> Section:
    """What each start takes beside that of the libraries."""
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
        targets.append(Target(f"{name}, beside the libraries", limit, ratio))
    return Section(targets)

"""What the package adds to the start of a program, and how long the command needs until its help is printed."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

from benchmarks.timing import ROOT, Ratio, Target, environment, failed, interleaved

__all__ = ["starting", "targets"]

PACKAGE, CLIENT, MADE, HELP = (
    "import talkdesk_bridge",
    "import BridgeClient",
    "import and make a BridgeClient",
    "talkdesk-bridge --help",
)

LIBRARIES = "import httpx, attrs"
# In the process, so that the start of the interpreter does not hide what is added.
TIMED = "import time; begun = time.process_time(); {}; print(time.process_time() - begun)"
COMMAND = "from talkdesk_bridge_cli.main import main; main()"


def inside(code: str) -> float:
    """The seconds of CPU that a fresh process spends on a line of Python, without its own start."""
    command = [sys.executable, "-c", TIMED.format(code)]
    result = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if result.returncode:
        raise failed(code, result.stderr)
    return float(result.stdout)


def whole(*arguments: str) -> float:
    """The seconds of CPU of a whole process of Python with these arguments."""
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, start_new_session=True
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise failed(" ".join(arguments), "see above")
    return usage.ru_utime + usage.ru_stime


def starting(seconds: float) -> dict[str, Ratio]:
    """What each takes beside the libraries that it needs, in fresh processes."""
    libraries, made = partial(inside, LIBRARIES), partial(inside, f"{LIBRARIES}; httpx.Client()")
    ours = "from talkdesk_bridge import BridgeClient"
    pairs = {
        PACKAGE: (libraries, partial(inside, f"{LIBRARIES}; import talkdesk_bridge")),
        CLIENT: (libraries, partial(inside, ours)),
        MADE: (made, partial(inside, f"{ours}; BridgeClient('https://bridge.example')")),
        HELP: (partial(whole, "-c", LIBRARIES), partial(whole, "-c", COMMAND, "--help")),
    }
    return {
        name: interleaved(reference, {name: sampler}, seconds / len(pairs))[name]
        for name, (reference, sampler) in pairs.items()
    }


def targets(started: dict[str, Ratio]) -> list[Target]:
    """What is promised of starting."""
    titles = {
        PACKAGE: ("beside import httpx, attrs", 1.20),
        # The package itself loads neither; what a program needs is held to the same.
        CLIENT: ("beside import httpx, attrs", 1.20),
        MADE: ("beside those and an httpx.Client", 1.20),
        HELP: ("beside python -c 'import httpx, attrs'", 1.5),
    }
    found = []
    for name, (beside, limit) in titles.items():
        ratio = started[name]
        own = (ratio.cost - ratio.expected) * 1000
        reason = f"{own:.0f} ms are this package's: most for attrs, which compiles the methods of its classes"
        found.append(Target(f"{name}, {beside}", limit, ratio, reason=reason))
    return found

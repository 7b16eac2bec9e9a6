"""From the bytes of a page to objects: each peer beside the stock client, dirty pages beside clean ones, memory."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path

from benchmarks.pages import DIRT, dirty, encoded, page
from benchmarks.peers import OURS, OURS_SPEED, PEERS, STOCK, load, started
from benchmarks.timing import Ratio, Target, interleaved, settle

__all__ = ["SIZES", "Steps", "decoding", "dirt", "memory", "steps", "targets", "targets_of_dirt", "targets_of_memory"]

SIZES = (50, 1000)
"""Invoices of a page."""
MANY = 10_000
"""Invoices in memory."""
SAMPLE = 20_000_000
"""Nanoseconds that a sample takes at least, so that the clock's own steps do not count."""
TIMES = 5
"""Pages that a sample takes at least: Python collects garbage in one, and not in the next."""

PROCESSES = 5
"""Processes of each peer, one after the other: in each, memory is laid out otherwise, which makes a tenth and more."""

DIRTY = {
    "nulls": "each place that differs is told to the log, page by page",
    "extra fields": "each object has a dict of its own for them",
    "numbers for strings": "each number is made text and counted, and text is taken as it is",
}
Steps = tuple[Ratio, Ratio, Ratio]
LIMITS = {OURS: 0.75, OURS_SPEED: 0.50}


def sampling(decode: Callable[[bytes], object]) -> Callable[[str], float]:
    """Decodes a file for a while; the nanoseconds of this process's CPU that one time took."""
    content = cache(lambda file: Path(file).read_bytes())

    def sample(file: str) -> float:
        body = content(file)
        settle()
        times, begun = 0, time.process_time_ns()
        while (taken := time.process_time_ns() - begun) < SAMPLE or times < TIMES:
            decode(body)
            times += 1
        return taken / times

    return sample


def sampler(name: str, folder: str) -> Callable[[str], float]:
    """In a worker: samples of a peer."""
    return sampling(load(name, folder)[0])


def parsing(name: str, folder: str) -> Callable[[str], float]:
    """In a worker: samples of our parser alone."""
    load(name, folder)
    from talkdesk_bridge._json import read_json

    return sampling(read_json)


def uncollected(name: str, folder: str) -> Callable[[str], float]:
    """In a worker: as `sampler`, with no garbage collection."""
    gc.disable()
    return sampler(name, folder)


def written(folder: Path, name: str, content: bytes) -> str:
    """The path of a file with this content."""
    file = folder / f"{name}.json"
    file.write_bytes(content)
    return str(file)


def decoding(names: list[str], folder: Path, size: int, seconds: float) -> dict[str, Ratio]:
    """What a page of so many invoices costs each peer, as a ratio to the stock client."""
    file = written(folder, str(size), encoded(page(size)))
    rounds = []
    for _ in range(PROCESSES):
        with ExitStack() as stack:
            workers = {name: stack.enter_context(started("benchmarks.decode:sampler", name, folder)) for name in names}
            others = {name: partial(worker, file) for name, worker in workers.items() if name != STOCK}
            rounds.append(interleaved(partial(workers[STOCK], file), others, seconds / PROCESSES))
    return {name: Ratio.joined(one[name] for one in rounds) for name in rounds[0]}


def targets(decoded: Mapping[int, Mapping[str, Ratio]], steps: Mapping[int, Mapping[str, Steps]]) -> list[Target]:
    """What is promised of decoding."""
    found = []
    for size, ratios in decoded.items():
        why = {
            name: f"the parser takes {100 * parser.median:.0f} % of it, models and the look for deviations the rest"
            for name, (parser, _, _) in steps[size].items()
        }
        for name, limit in LIMITS.items():
            title = f"{name}, a page of {size:,}, beside the stock client"
            found.append(Target(title, limit, ratios[name], reason=why[name]))
        # All stand beside the same reference in the same rounds.
        typed = {name: ratio for name, ratio in ratios.items() if PEERS[name].typed and name not in LIMITS}
        quickest = min(typed, key=lambda name: typed[name].median)
        beside = ratios[OURS_SPEED].over(typed[quickest])
        title = f"{OURS_SPEED}, a page of {size:,}, beside the quickest typed peer ({quickest})"
        found.append(Target(title, 1.0, beside, reason=why[OURS_SPEED]))
    return found


def targets_of_dirt(dirt: Mapping[tuple[str, int, str], Ratio]) -> list[Target]:
    """What is promised of dirty pages."""
    return [
        Target(f"{name}, {kind} in a page of {size:,}, beside a clean one", 1.5, ratio, reason=DIRTY[kind])
        for (name, size, kind), ratio in dirt.items()
    ]


def targets_of_memory(memory: Mapping[str, Ratio] | None) -> list[Target]:
    """What is promised of memory."""
    off = "memory is measured on Linux only" if memory is None else ""
    titles = {name: f"{name}, memory for {MANY:,} invoices, beside the stock client" for name in LIMITS}
    return [Target(title, 1.05, (memory or {}).get(name), reason=off) for name, title in titles.items()]


def dirt(folder: Path, seconds: float) -> dict[tuple[str, int, str], Ratio]:
    """What dirty pages cost ours, by peer, size and kind of dirt, as a ratio to the clean page."""
    found: dict[tuple[str, int, str], Ratio] = {}
    for name in LIMITS:
        with started("benchmarks.decode:sampler", name, folder) as worker:
            for size in SIZES:
                clean = written(folder, str(size), encoded(page(size)))
                others = {
                    kind: partial(worker, written(folder, f"{kind} {size}", encoded(dirty(kind, size))))
                    for kind in DIRT
                }
                ratios = interleaved(partial(worker, clean), others, seconds / len(LIMITS) / len(SIZES))
                found |= {(name, size, kind): ratio for kind, ratio in ratios.items()}
    return found


def steps(folder: Path, size: int, seconds: float) -> dict[str, Steps]:
    """What the parser of each of ours takes of all, what json.loads would, and what all takes uncollected."""
    found = {}
    file = written(folder, str(size), encoded(page(size)))
    for name in LIMITS:
        with (
            started("benchmarks.decode:sampler", name, folder) as whole,
            started("benchmarks.decode:parsing", name, folder) as parser,
            started("benchmarks.decode:sampler", "json.loads", folder) as plain,
            started("benchmarks.decode:uncollected", name, folder) as without,
        ):
            others = {"parser": partial(parser, file), "plain": partial(plain, file), "without": partial(without, file)}
            ratios = interleaved(partial(whole, file), others, seconds / len(LIMITS))
            found[name] = (ratios["parser"], ratios["plain"], ratios["without"])
    return found


def resident(field: str) -> int:
    """Bytes that this process takes up (VmRSS), or took at most since it was last asked to forget (VmHWM)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{field}:"))) * 1024


def peak(name: str, folder: str) -> Callable[[str, str], int]:
    """In a worker: by how many bytes the process grows at most while a file is decoded, its bytes not counted."""
    decode, _ = load(name, folder)

    def measure(small: str, large: str) -> int:
        decode(Path(small).read_bytes())  # what is made once, such as decoders
        content = Path(large).read_bytes()
        gc.collect()
        before = resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        result = decode(content)
        most = resident("VmHWM")
        del result
        return most - before

    return measure


def memory(names: list[str], folder: Path, seconds: float) -> dict[str, Ratio] | None:
    """What 10,000 decoded invoices take in a fresh process, as a ratio to the stock client; None off Linux."""
    if not Path("/proc/self/clear_refs").exists():
        return None
    small = written(folder, str(SIZES[0]), encoded(page(SIZES[0])))
    large = written(folder, str(MANY), encoded(page(MANY)))

    def fresh(name: str) -> float:
        with started("benchmarks.decode:peak", name, folder) as worker:
            return float(worker(small, large))

    others = {name: partial(fresh, name) for name in names if name != STOCK}
    # A fresh process is never warm, and takes the same at each run.
    return interleaved(partial(fresh, STOCK), others, seconds, least=3, warm=0)

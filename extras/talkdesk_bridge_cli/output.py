"""Where the output goes: to standard output, or into a file that is whole or as it was."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO

from talkdesk_bridge_cli.exit import fail

__all__ = ["Destination", "destination", "file_of"]

DESCRIPTOR = re.compile(r"(?:/dev/fd/|/proc/self/fd/)([0-9]+)|/dev/stderr")


class Destination:
    """Takes the whole output, once, in parts."""

    def __init__(
        self, write: Callable[[Iterable[bytes]], None], stream: TextIO | None = None, *, terminal: bool = False
    ) -> None:
        self.write = write
        self.stream = stream
        """Standard output, if it goes there."""
        self.terminal = stream.isatty() if stream else terminal
        """Whether a person reads it as it comes."""


@contextmanager
def destination(name: str | None, *, part: str | None = None) -> Iterator[Destination]:
    """The file of this name, or standard output for None and `-`; a name that cannot be used ends the command.

    A file is written as `part` before it takes its name; by default as one that nobody else can have.
    """
    if name is None or name == "-":
        yield Destination(_to_standard_output, sys.stdout)
        return
    if not name:
        raise fail("--output: the name is empty: give that of a file, or - for standard output.", 2)
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(_opened(name, part))
        except OSError as error:
            raise fail(f"--output: {name} cannot be written: {error.strerror}.", 2) from None
        yield opened


def file_of(name: str | None) -> Path | None:
    """The file that an output of this name replaces; None where it goes to standard output, a pipe or a device."""
    if not name or name == "-":
        return None
    path = Path(os.path.realpath(name))
    with suppress(OSError):
        there = path.stat()
        if DESCRIPTOR.fullmatch(name) or not stat.S_ISREG(there.st_mode) or _is_standard_output(there):
            return None
    return path


def _is_standard_output(there: os.stat_result) -> bool:  # /dev/stdout, whatever it leads to
    return os.path.samestat(there, os.fstat(sys.stdout.fileno()))


def _to_standard_output(parts: Iterable[bytes]) -> None:
    # With PYTHONUNBUFFERED, the stream's own buffer is none, and may write a part without a word.
    with os.fdopen(sys.stdout.fileno(), "wb", closefd=False) as stream:
        stream.writelines(parts)


@contextmanager
def _opened(name: str, part_name: str | None) -> Iterator[Destination]:
    path = Path(name)
    try:
        there = path.stat()
    except FileNotFoundError:
        there = None
    if there and _is_standard_output(there):
        yield Destination(_to_standard_output, sys.stdout)
    elif there and (opened := DESCRIPTOR.fullmatch(name) or not stat.S_ISREG(there.st_mode)):
        # A descriptor leads to a file that others write, too, and is at its place in it.
        at = path if opened is True else os.dup(int(opened[1] or 2))
        with open(at, "wb") as special:  # noqa: PTH123 # a path has no place for a descriptor

            def pass_on(parts: Iterable[bytes]) -> None:
                special.writelines(parts)
                special.flush()

            yield Destination(pass_on, terminal=special.isatty())
    else:
        # A link stays, and what it leads to is written. Replacing a file needs no right to write it, but should.
        path = Path(os.path.realpath(path))
        if name.endswith(os.sep) or (there and not os.access(path, os.W_OK)):
            code = errno.EACCES if there else errno.EISDIR
            raise OSError(code, os.strerror(code))
        part = path.with_name(part_name or f".talkdesk-bridge-{os.urandom(8).hex()}")
        try:
            with part.open("wb" if part_name else "xb") as file:
                if there:
                    part.chmod(stat.S_IMODE(there.st_mode))

                def replace(parts: Iterable[bytes]) -> None:
                    file.writelines(parts)
                    file.flush()
                    os.fsync(file.fileno())  # else a machine that fails now could leave the new name with nothing in it
                    file.close()
                    part.replace(path)

                yield Destination(replace)
        finally:
            part.unlink(missing_ok=True)

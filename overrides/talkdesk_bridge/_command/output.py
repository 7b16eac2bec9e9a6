"""Where the output goes: to standard output, or into a file that is whole or as it was."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from talkdesk_bridge._command.exit import fail

__all__ = ["Destination", "destination"]

DESCRIPTOR = re.compile(r"(?:/dev/fd/|/proc/self/fd/)([0-9]+)|/dev/stderr")


class Destination:
    """Takes the whole output, once."""

    def __init__(self, write: Callable[[bytes], None], stream: TextIO | None = None, *, terminal: bool = False) -> None:
        self.write = write
        self.stream = stream
        """Standard output, if it goes there."""
        self.terminal = stream.isatty() if stream else terminal
        """Whether a person reads it as it comes."""


@contextmanager
def destination(name: str | None) -> Iterator[Destination]:
    """The file of this name, or standard output for None and `-`; a name that cannot be used ends the command."""
    if name is None or name == "-":
        yield Destination(_to_standard_output, sys.stdout)
        return
    if not name:
        raise fail("--output: the name is empty: give that of a file, or - for standard output.", 2)
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(_opened(name))
        except OSError as error:
            raise fail(f"--output: {name} cannot be written: {error.strerror}.", 2) from None
        yield opened


def _to_standard_output(content: bytes) -> None:
    # With PYTHONUNBUFFERED, the stream's own buffer is none, and may write a part without a word.
    with os.fdopen(sys.stdout.fileno(), "wb", closefd=False) as stream:
        stream.write(content)


@contextmanager
def _opened(name: str) -> Iterator[Destination]:
    path = Path(name)
    try:
        there = path.stat()
    except FileNotFoundError:
        there = None
    if there and os.path.samestat(there, os.fstat(sys.stdout.fileno())):  # /dev/stdout, whatever it leads to
        yield Destination(_to_standard_output, sys.stdout)
    elif there and (opened := DESCRIPTOR.fullmatch(name) or not stat.S_ISREG(there.st_mode)):
        # A descriptor leads to a file that others write, too, and is at its place in it.
        at = path if opened is True else os.dup(int(opened[1] or 2))
        with open(at, "wb") as special:  # noqa: PTH123 # a path has no place for a descriptor

            def pass_on(content: bytes) -> None:
                special.write(content)
                special.flush()

            yield Destination(pass_on, terminal=special.isatty())
    else:
        # A link stays, and what it leads to is written. Replacing a file needs no right to write it, but should.
        path = Path(os.path.realpath(path))
        if name.endswith(os.sep) or (there and not os.access(path, os.W_OK)):
            code = errno.EACCES if there else errno.EISDIR
            raise OSError(code, os.strerror(code))
        part = path.with_name(f".talkdesk-bridge-{os.urandom(8).hex()}")
        try:
            with part.open("xb") as file:
                if there:
                    part.chmod(stat.S_IMODE(there.st_mode))

                def replace(content: bytes) -> None:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())  # else a machine that fails now could leave the new name with nothing in it
                    file.close()
                    part.replace(path)

                yield Destination(replace)
        finally:
            part.unlink(missing_ok=True)

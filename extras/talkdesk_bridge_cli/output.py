"""The output of a command: standard output, or a file that is written completely or not at all."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from talkdesk_bridge_cli.exit import CommandError

NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
"""Makes `os.open` fail if the file is a symbolic link; 0 on systems without it."""


def create(path: Path, mode: int | None, content: Iterable[bytes]) -> None:
    """Write a new file, down to the disk.

    Args:
        path: The file; it must not exist, not even as a symbolic link.
        mode: Its permissions; None for those of any new file.
        content: What to write.

    Raises:
        OSError: the file exists, or cannot be written.

    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o666 if mode is None else 0o600), "wb") as file:
        try:
            if mode is not None and hasattr(os, "fchmod"):  # not on Windows
                os.fchmod(file.fileno(), mode)
            file.writelines(content)
            file.flush()
            if os.fstat(file.fileno()).st_size:
                os.fsync(file.fileno())  # otherwise the file could be empty after a crash of the machine
        except BaseException:
            path.unlink(missing_ok=True)
            raise


class Output:
    """Standard output, or a file that is replaced when the output is complete.

    Args:
        name: The name of the file; None or `-` for standard output.

    Raises:
        CommandError: the file cannot be written.

    """

    def __init__(self, name: str | None) -> None:
        self.path: Path | None = None
        """The file, with links followed; None for standard output."""
        self.temporary = f".talkdesk-bridge-{os.urandom(8).hex()}"
        """The file's name until it is complete, in the same folder."""
        self.name = name or "-"
        """The name, as given."""
        if name in (None, "-", "/dev/stdout"):
            return
        if not name:
            raise CommandError("--output must not be empty: give the name of a file, or - for standard output.", 2)
        try:
            self.path = Path(os.path.realpath(name))  # fails if the current folder was deleted
            mode = self.path.stat().st_mode if self.path.exists() else stat.S_IFREG
            # A file behind a descriptor must not be replaced: its writers would keep writing to the old one.
            if re.match(r"/dev/(fd/|std)|/proc/", name) or not stat.S_ISREG(mode) or name.endswith(os.sep):
                raise CommandError(f"--output: {name} is not a regular file: name one, or redirect standard output.", 2)
            if self.path.exists():
                self.path.open("r+b").close()  # replacing needs no write permission, so check it here
            part = self.path.with_name(self.temporary)
            create(part, None, [])
            part.unlink()
        except OSError as error:
            raise CommandError(f"--output: {name} cannot be written: {error.strerror}.", 2) from None

    @property
    def mode(self) -> int | None:
        """The permissions of the file; None if it does not exist, or for standard output."""
        return stat.S_IMODE(self.path.stat().st_mode) if self.path and self.path.exists() else None

    def is_same(self, file: BinaryIO) -> bool:
        """Whether an open file is the output, perhaps by another name."""
        if not self.path or not self.path.exists():
            return False
        return os.path.samestat(os.fstat(file.fileno()), self.path.stat())

    def is_terminal(self) -> bool:
        """Whether the output goes to a terminal."""
        return not self.path and sys.stdout.isatty()

    def write(self, parts: Iterable[bytes]) -> None:
        """Write the complete output; call this once."""
        try:
            if self.path:
                self._replace(self.path, parts)
            else:
                # Not through sys.stdout.buffer: with PYTHONUNBUFFERED it has no buffer, and may write only a part.
                with os.fdopen(sys.stdout.fileno(), "wb", closefd=False) as stream:
                    stream.writelines(parts)
        except BrokenPipeError:
            raise
        except OSError as error:
            file = f"{self.name}: " if self.path else ""
            raise CommandError(f"the output cannot be written: {file}{error.strerror}.", 1) from None

    def _replace(self, path: Path, parts: Iterable[bytes]) -> None:
        part = path.with_name(self.temporary)
        try:
            part.unlink(missing_ok=True)  # a killed process may have left it
            create(part, self.mode, parts)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

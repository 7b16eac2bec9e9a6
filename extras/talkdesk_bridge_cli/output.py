"""The output of a command: standard output, or a file that is written completely or not at all."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from talkdesk_bridge_cli.exit import CommandError

__all__ = ["Output"]


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
        if name in (None, "-", "/dev/stdout"):
            return
        if not name:
            raise CommandError("--output must not be empty: give the name of a file, or - for standard output.", 2)
        self.path = Path(os.path.realpath(name))
        try:
            mode = self.path.stat().st_mode if self.path.exists() else stat.S_IFREG
            # A file behind a descriptor must not be replaced: its writers would keep writing to the old one.
            if re.match(r"/dev/(fd/|std)|/proc/", name) or not stat.S_ISREG(mode) or name.endswith(os.sep):
                raise CommandError(f"--output: {name} is not a regular file: name one, or redirect standard output.", 2)
            if self.path.exists():
                self.path.open("r+b").close()  # replacing needs no write permission, so check it here
            part = self.path.with_name(self.temporary)
            part.touch()
            part.unlink()
        except OSError as error:
            raise CommandError(f"--output: {name} cannot be written: {error.strerror}.", 2) from None

    def is_terminal(self) -> bool:
        """Whether the output goes to a terminal."""
        return not self.path and sys.stdout.isatty()

    def write(self, parts: Iterable[bytes]) -> None:
        """Write the complete output; call this once."""
        if not self.path:
            # Not through sys.stdout.buffer: with PYTHONUNBUFFERED it has no buffer, and may write only a part.
            with os.fdopen(sys.stdout.fileno(), "wb", closefd=False) as stream:
                stream.writelines(parts)
            return
        part = self.path.with_name(self.temporary)
        try:
            with part.open("wb") as file:
                if self.path.exists():
                    part.chmod(stat.S_IMODE(self.path.stat().st_mode))
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())  # otherwise the file could be empty after a crash of the machine
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)

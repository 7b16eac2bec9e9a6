"""Gzip with limits: httpx 0.28 limits neither the size of a decompressed body nor the time that it takes.

Test: tests/test_faults.py, "compression". Remove it when httpx has both limits.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

STEP = 16 * 1024
"""Bytes fed to zlib at a time. It copies what it does not use, so larger pieces are slow if there are many members."""

PADDING = re.compile(rb"\0*")


def decompressed(content: bytes, encoding: str, max_bytes: int, in_time: Callable[[], bool] = lambda: True) -> bytes:
    """A decompressed body.

    Args:
        content: The body as it was received.
        encoding: The response's Content-Encoding. If it is not gzip, the body is returned as it is: some servers send
            a value that is no coding, such as UTF-8.
        max_bytes: The size limit. A larger body is cut off after one byte more than that.
        in_time: Called for each member; if it returns False, the body is cut off there.

    Raises:
        zlib.error: the body is corrupt or incomplete.

    """
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        return content
    parts: list[bytes] = []
    size = at = 0
    while at < len(content) and size <= max_bytes and in_time():
        member = zlib.decompressobj(31)
        while not member.eof and size <= max_bytes:
            if at >= len(content):
                raise zlib.error("the body is incomplete")
            parts.append(member.decompress(content[at : at + STEP], max_bytes + 1 - size))
            at, size = at + STEP, size + len(parts[-1])
        at = min(at, len(content)) - len(member.unused_data)
        padding = PADDING.match(content, at)
        at = padding.end() if padding else at
    return b"".join(parts)

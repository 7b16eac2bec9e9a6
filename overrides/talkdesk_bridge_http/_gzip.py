"""Gzip with a bound: httpx 0.28 decompresses whatever comes, however much it becomes and however long it takes.

Test: tests/test_faults.py, "compression". Remove it when httpx can be told a bound and a deadline.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

STEP = 16 * 1024
"""Bytes that are given to a member at once. What it leaves over is copied, and a body may have millions of members."""

PADDING = re.compile(rb"\0*")


def decompressed(content: bytes, encoding: str, max_bytes: int, in_time: Callable[[], bool] = lambda: True) -> bytes:
    """A body as it was before it was compressed.

    Args:
        content: The body as it was received.
        encoding: The response's Content-Encoding. If it is not gzip, the body is returned as it is: some servers name
            what is no coding, such as UTF-8.
        max_bytes: The most that may come out. If there is more, the result has one byte more than that.
        in_time: Is asked after each step; False ends it, with what came out so far.

    Raises:
        zlib.error: the body is corrupt, or not whole.

    """
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        return content
    parts: list[bytes] = []
    size = at = 0
    while at < len(content) and size <= max_bytes and in_time():
        member = zlib.decompressobj(31)
        while not member.eof and size <= max_bytes:
            if at >= len(content):
                raise zlib.error("the body is not whole")
            parts.append(member.decompress(content[at : at + STEP], max_bytes + 1 - size))
            at, size = at + STEP, size + len(parts[-1])
        at = min(at, len(content)) - len(member.unused_data)
        padding = PADDING.match(content, at)
        at = padding.end() if padding else at
    return b"".join(parts)

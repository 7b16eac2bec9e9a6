"""A fast server of the same contract, in a separate process, which caches its responses.

The number of an account says how many invoices it has: `1000`, or `100-7` for one of many equal ones. Below the path
`/slow`, each response takes 50 ms. The server understands GET requests only.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from urllib.parse import parse_qs, urlsplit

from benchmarks.pages import encoded, page
from benchmarks.process import ROOT, environment, failed

SLOW = "/slow"
DELAY = 0.05
"""Seconds before each response on that path."""


@cache
def response(target: str) -> bytes:
    """The response with one page of an account."""
    url = urlsplit(target)
    query = parse_qs(url.query)
    total = int(url.path.rpartition("/")[2].partition("-")[0])
    number, size = int(query.get("page", "1")[0]), int(query["per_page"][0])
    start = (number - 1) * size
    body = encoded(page(max(0, min(size, total - start)), start, total))
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Respond to requests one after the other, until the client closes."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            target = request.split(b" ", 2)[1].decode("ascii")
            if target.startswith(f"{SLOW}/"):
                await asyncio.sleep(DELAY)
            writer.write(response(target))
    writer.close()


async def main() -> None:
    """Print the port, then serve until the process ends."""
    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def serving() -> Iterator[str]:
    """Run the server during the block, and give it the URL.

    Raises:
        MeasuringError: The server does not start.

    """
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server"], cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True,
        start_new_session=True,  # Ctrl-C reaches this process only, which then ends the server
    ) as server:  # fmt: skip
        assert server.stdout
        try:
            if not (port := server.stdout.readline().strip()):
                raise failed("the server", "see above")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


if __name__ == "__main__":
    asyncio.run(main())

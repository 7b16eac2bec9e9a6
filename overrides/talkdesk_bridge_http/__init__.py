"""Transports for any httpx client, blocking and asyncio, without the holes that httpx 0.28 and httpcore 1.0 leave open.

A request may carry `extensions={"deadline": seconds}`, a limit for the whole exchange. What is closed, and where:

- `_connections`: bytes after a response are never taken for the next one; all steps of an exchange share one deadline.
- `_blocking`, `_asyncio`: pools that keep no place for a cancelled task, and whose work for a request does not grow
  with the number of those that wait. The asyncio streams replace anyio's, which hide bytes.
- `_proxies`: `NO_PROXY` as in curl and Go, with addresses and networks.
- `_gzip`: `decompressed`, with a bound on what comes out and a look at the clock.

The transports log nothing themselves; httpcore's own log, at DEBUG, shows what is sent. The one private name of a
library is `_pool` of httpx's transports, assigned in two constructors (test: tests/test_http.py).
"""

from talkdesk_bridge_http._asyncio import AsyncHTTPTransport
from talkdesk_bridge_http._blocking import HTTPTransport
from talkdesk_bridge_http._gzip import decompressed
from talkdesk_bridge_http._proxies import Proxies

__all__ = ["AsyncHTTPTransport", "HTTPTransport", "Proxies", "decompressed"]

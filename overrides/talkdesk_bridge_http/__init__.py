"""Transports for any httpx client, blocking and asyncio, that close gaps of httpx 0.28 and httpcore 1.0.

A request may carry `extensions={"deadline": seconds}`, a limit for the complete exchange. The modules:

- `_connections`: bytes after a response are never read as the next one; all steps of an exchange share one deadline.
- `_blocking`, `_asyncio`: pools that free the place of a cancelled task, and whose cost for each request does not
  depend on how many wait. The asyncio streams replace anyio's, which hide received bytes.
- `_proxies`: `NO_PROXY` as in curl and Go, with addresses and networks.
- `_gzip`: decompression with limits on size and time.

The transports log nothing. httpcore's own log, at DEBUG, shows requests with their headers. The only private name
used is `_pool` of httpx's transports, which two constructors assign (test: tests/test_http.py).
"""

from talkdesk_bridge_http._asyncio import AsyncHTTPTransport
from talkdesk_bridge_http._blocking import HTTPTransport
from talkdesk_bridge_http._gzip import decompressed
from talkdesk_bridge_http._proxies import Proxies

__all__ = ["AsyncHTTPTransport", "HTTPTransport", "Proxies", "decompressed"]

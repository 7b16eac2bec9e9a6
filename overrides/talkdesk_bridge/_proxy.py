"""Requests that a proxy rejects, instead of passing them on to the bridge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec

from talkdesk_bridge import errors

REMEDIES = {
    401: ": check its user and password",
    403: ": it does not permit this",
    407: ": check its user and password",
}
"""By status. tinyproxy 1.11 sends 401 instead of 407 if the password is wrong."""
# httpcore lets it through if a proxy does not speak SOCKS. Without the package socksio, there is no SOCKS.
SocksError: type[Exception] = import_module("socksio").ProtocolError if find_spec("socksio") else errors.ProxyError


def is_of_a_proxy(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a response is a proxy's own.

    Only a proxy sends 407. Squid and tinyproxy put their name into `Server` only if the response is their own.
    """
    return status == 407 or (status in REMEDIES and bool(re.match("squid|tinyproxy", headers.get("Server", ""), re.I)))


def rejection(reason: str, retried: frozenset[int]) -> tuple[type[errors.NotSentError], str, bool]:
    """The error of a request that a proxy did not pass on, what the proxy did, and whether a retry can help.

    Args:
        reason: The status that the proxy sent, or what it said in SOCKS.
        retried: The statuses after which a request is sent again.

    """
    status = int(reason) if reason.isdecimal() else 0
    fault = f" returned {status}{REMEDIES.get(status, '')}" if status else f": {reason}"
    # In SOCKS, the proxy has accepted the request by then.
    cannot_connect = "could not connect" in reason and "not allowed" not in reason
    retryable = status in retried or cannot_connect
    return errors.NotSentError if retryable else errors.ProxyError, fault, retryable

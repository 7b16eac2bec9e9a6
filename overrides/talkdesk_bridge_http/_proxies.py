"""Proxies: finds the proxy for a URL, from an argument or from HTTPS_PROXY, ALL_PROXY and NO_PROXY.

Replaces httpx's reading of NO_PROXY (0.28), which treats networks as host names and fails on IPv6 addresses. Test:
tests/test_proxies.py. Remove it when httpx reads the forms that are tested there.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from importlib import import_module
from ipaddress import ip_address, ip_network
from urllib.request import getproxies

import httpcore
import httpx

LOG = logging.getLogger("talkdesk_bridge_http")

Rule = Callable[[str, int], bool]
"""Whether an entry of NO_PROXY covers a host and port."""

PORTS = {"http": 80, "https": 443}
NAME = re.compile(r"(?P<dot>\*?\.)?(?P<name>[a-z0-9_-]+(\.[a-z0-9_-]+)*)\.?(:(?P<port>[0-9]{1,5}))?")
ADDRESS = re.compile(r"(?P<address>[0-9a-f:.]+|\[[0-9a-f:.]+\])(?P<prefix>/[0-9]{1,3})?")
ADDRESS_AND_PORT = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<v4>[0-9.]+)):(?P<port>[0-9]{1,5})")


class Proxies:
    """The proxies of a transport. The environment's are used for https only, since a proxy could read plain http.

    Args:
        given: URL of the proxy for all requests; None for the environment's.
        trust_env: Whether to read the environment.

    Raises:
        ValueError: a proxy's URL cannot be used (httpx.InvalidURL for some). The message may show its password.
        ImportError: it is a SOCKS proxy, and the package socksio is not installed.

    """

    def __init__(self, given: str | None = None, *, trust_env: bool = True) -> None:
        self._given = _proxy(given) if given is not None else None
        self._environment: httpcore.Proxy | None = None
        self._exceptions: list[Rule] = []
        found = getproxies() if trust_env and given is None else {}
        if url := found.get("https") or found.get("all"):
            self._environment = _proxy(url if "://" in url else f"http://{url}")
            self._exceptions = _rules(found.get("no", ""))

    def of(self, scheme: str, host: str, port: int | None) -> httpcore.Proxy | None:
        """The proxy for a scheme, host and port; None for a direct connection."""
        if self._given or scheme == "http" or not self._environment:
            return self._given
        host, port = host.lower().strip("[]").rstrip("."), port or PORTS.get(scheme, 0)
        return None if any(covers(host, port) for covers in self._exceptions) else self._environment


def _proxy(url: str) -> httpcore.Proxy:
    proxy = httpx.Proxy(url)
    if proxy.url.scheme.startswith("socks"):
        import_module("socksio")  # fails here, instead of with the first request
    return httpcore.Proxy(str(proxy.url), auth=proxy.raw_auth, ssl_context=proxy.ssl_context)


def _rules(text: str) -> list[Rule]:
    entries = [entry for entry in re.split(r"[,\s]+", text.lower()) if entry]
    rules = [rule for entry in entries if (rule := _rule(entry))]
    if len(rules) < len(entries):
        LOG.warning("NO_PROXY: an entry is not a host, host:port, address, network or *. It is ignored; correct it.")
    return rules


def _rule(entry: str) -> Rule | None:
    """The rule of an entry; None if curl and Go do not know its form."""
    if entry == "*":
        return lambda _, __: True
    if found := ADDRESS_AND_PORT.fullmatch(entry):
        return _network(found["v6"] or found["v4"], int(found["port"]))
    found = ADDRESS.fullmatch(entry)
    if found and (rule := _network(found["address"].strip("[]") + (found["prefix"] or ""), None)):
        return rule
    if found := NAME.fullmatch(entry):
        return _domain(found["name"], found["port"], only_below=found["dot"] == "*.")
    return None


def _network(text: str, port: int | None) -> Rule | None:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None

    def covers(host: str, actual_port: int) -> bool:
        try:
            return ip_address(host) in network and port in (None, actual_port)
        except ValueError:
            return False  # `host` is a name

    return covers


def _domain(name: str, port: str | None, *, only_below: bool) -> Rule:
    def covers(host: str, actual_port: int) -> bool:
        below = host.endswith(f".{name}") and not host[-1].isdigit()  # an IP address has no parent domain
        return (below or (host == name and not only_below)) and (port is None or int(port) == actual_port)

    return covers

"""Checks of URLs: their origin, whether a host is this machine, whether a path argument stays in its segment."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, unquote, urlsplit

from talkdesk_bridge.errors import ConfigurationError


def origin(url: str, what: str) -> tuple[str, str, int]:
    """Scheme, host and port of `url`. It must be https, or http on loopback, without user and password.

    Raises:
        ConfigurationError: it is anything else. The message calls the URL `what`, and does not show it.

    """
    if not (parts := _split(url)):
        raise ConfigurationError(f"The {what} is not a URL.")
    if parts.scheme not in ("https", "http") or not parts.hostname or not url.isprintable() or " " in url:
        raise ConfigurationError(f"The {what} must look like https://bridge.example (http: on loopback only).")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"The {what} must not contain a user or password: pass them as the credential.")
    if parts.scheme == "http" and not is_loopback(url):
        raise ConfigurationError(f"The {what} must begin with https://: http is allowed on loopback only.")
    host = parts.hostname.rstrip(".").encode("idna").decode()  # one spelling of each host
    default = 443 if parts.scheme == "https" else 80
    return parts.scheme, host, default if parts.port is None else parts.port


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None if it is not one, because an error would show the password."""
    try:
        parts = urlsplit(url)
        # Fails here if the port or the host is invalid. Otherwise connecting would raise a bare UnicodeError.
        _ = parts.port, (parts.hostname or "").encode("idna")
        return parts
    except (ValueError, AttributeError):
        return None


def is_loopback(url: str) -> bool:
    """Whether the host of a URL is this machine."""
    parts = _split(url)
    host = parts.hostname if parts and parts.hostname else ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def stays_in_its_segment(text: str) -> bool:
    """Whether a path argument stays in its path segment, even if servers percent-decode it two more times.

    >>> stays_in_its_segment("AB-1 2"), stays_in_its_segment(".."), stays_in_its_segment("1%252F2")
    (True, False, False)
    """
    decoded = unquote(unquote(unquote(text)))  # which keeps each slash and each control character
    if decoded != text and re.search(r"[/\\]", decoded):
        return False
    return not re.search(r"[\x00-\x1f\x7f-\x9f]", decoded) and not {*re.split(r"[/\\]", decoded)} & {"", ".", ".."}

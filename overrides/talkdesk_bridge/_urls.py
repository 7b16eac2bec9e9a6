"""Checks of URLs: their origin, whether a host is this machine, whether a path argument stays in its segment."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, unquote, urlsplit

from talkdesk_bridge.errors import ConfigurationError


def origin(url: str, what: str) -> tuple[str, str, int]:
    """Scheme, host and port of `url`, which must be https, or http on loopback, and hold no user.

    Raises:
        ConfigurationError: it is not; the message says what is wrong, and does not show a password.

    """
    if not (parts := _split(url)):
        raise ConfigurationError(f"The {what} is not a URL.")
    if parts.scheme not in ("https", "http") or not parts.hostname or not url.isprintable() or " " in url:
        raise ConfigurationError(f"The {what} must be like https://bridge.example (http is for loopback only).")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"The {what} must not hold a user or password: give them as credential.")
    if parts.scheme == "http" and not is_loopback(url):
        raise ConfigurationError(f"The {what} must begin with https://: http is for loopback only.")
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None where it is none. The error would hold the password."""
    try:
        parts = urlsplit(url)
        # What will be done with them; the resolver's own error would come as a bare UnicodeError while connecting.
        return parts if (parts.port, (parts.hostname or "").encode("idna")) else None
    except (ValueError, AttributeError):
        return None


def is_loopback(url: str) -> bool:
    """Whether the host of a URL is this machine."""
    host = (parts.hostname if (parts := _split(url)) else "") or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def stays_in_its_segment(text: str) -> bool:
    """Whether a path argument stays in its segment even if a server decodes it once more, or twice."""
    for _ in range(3):
        if re.search(r"[\x00-\x1f\x7f-\x9f]", text) or {*re.split(r"[/\\]", text)} & {"", ".", ".."}:
            return False
        text, encoded = unquote(text), text
        if text != encoded and re.search(r"[/\\]", text):
            return False
    return True

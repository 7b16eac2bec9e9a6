"""Redaction: replaces the secrets of a request in texts, headers and error bodies, however a server encodes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache, wraps
from html import escape
from typing import Any, ParamSpec, TypeVar
from urllib.parse import parse_qs, quote, quote_plus

from attrs import field, frozen

from talkdesk_bridge.errors import ConfigurationError

P = ParamSpec("P")
T = TypeVar("T")

REDACTED = "[secret]"

SHORTEST = 6
"""Characters; a shorter secret would redact parts of other words."""


@frozen
class Secret:
    """A text that `repr` does not show, for variables that a traceback with local variables would show."""

    text: str = field(repr=False)


def hiding_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """A function that shows its arguments in no frame of a ConfigurationError, since tools show local variables."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except ConfigurationError as error:
            problem = error.with_traceback(None)
            problem.__context__ = None  # it has a traceback, too
        finally:
            del args, kwargs
        raise problem

    return call


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """The text without the secrets."""
    for form in forms(secrets):
        text = text.replace(form, REDACTED)
    return text


def redact_content(content: bytes, secrets: tuple[str, ...]) -> bytes:
    """An error body without the secrets."""
    content = redact(content.decode("utf-8", "surrogateescape"), secrets).encode("utf-8", "surrogateescape")
    # JSON can escape any character, in several ways and encodings, so it is decoded first.
    try:
        data = json.loads(content)
        redacted = _redacted(data, secrets)
        return content if redacted == data else json.dumps(redacted).encode()
    except ValueError:
        return content
    except RecursionError:
        return b""  # nested too deeply to be searched


@lru_cache(maxsize=64)  # the same for each request of a client
def forms(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """The ways to write the secrets, the longest first, since one may contain another."""
    found: set[str] = set()
    for secret in secrets:
        if len(secret) >= SHORTEST:
            as_json = json.dumps(secret)[1:-1]
            for form in (secret, quote(secret, safe=""), quote_plus(secret), as_json, escape(secret)):
                lower = re.sub("%..", lambda escaped: escaped[0].lower(), form)
                found |= {form, lower, form.replace("/", "\\/")}
    return tuple(sorted(found, key=len, reverse=True))


def _redacted(value: Any, secrets: tuple[str, ...]) -> Any:
    """A value of JSON without the secrets."""
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, dict):
        return {redact(name, secrets): _redacted(inner, secrets) for name, inner in value.items()}
    if isinstance(value, list):
        return [_redacted(inner, secrets) for inner in value]
    return value


def path_of(request: Any, secrets: tuple[str, ...]) -> str:
    """The path as sent, without the query, and without secrets that a link may contain."""
    return redact(request.url.raw_path.decode("ascii").partition("?")[0], secrets)


def secrets_of(request: Any) -> tuple[str, ...]:
    """Secrets to redact from messages about a request: those of the client, and the token or JWT in the request."""
    token = request.headers.get("Authorization", "").partition(" ")[2]
    form = request.headers.get("Content-Type") == "application/x-www-form-urlencoded"
    assertions = parse_qs(request.content.decode()).get("client_assertion", []) if form else []
    secrets: tuple[str, ...] = request.extensions["secrets"]
    return (*secrets, token, *assertions)

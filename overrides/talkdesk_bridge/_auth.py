"""The credentials, as plain values: which headers each sends, and which URLs they may be sent to."""

from __future__ import annotations

import base64
import re
from typing import Any, NoReturn, Self

from attrs import define, field, fields

from talkdesk_bridge.errors import ConfigurationError


@define(frozen=True)
class Auth:
    """A way to authenticate: one of the classes below. It is never pickled: a pickle would hold the secret."""

    def headers(self) -> dict[str, str]:
        """The headers that carry the credential, on every request to the bridge."""
        return {}

    def secrets(self) -> list[str]:
        """Values to redact when a server echoes them: all that `repr` does not show."""
        hidden = [getattr(self, field.name) for field in fields(type(self)) if field.init and not field.repr]
        return [text for value in hidden for text in ([value] if isinstance(value, str) else value.values())]

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is not pickled, since that would show it: make it where it is used.")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self


@define(frozen=True)
class NoAuth(Auth):
    """No credential."""


def _header_text(_: object, attribute: Any, value: Any) -> None:
    """Refuse what a header cannot carry, without showing it: the HTTP library would print the value."""
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]([ -~]*[!-~])?", value):
        remedy = "it must be printable ASCII without blanks or line breaks around it"
        raise ConfigurationError(f"The {attribute.name} of the credential cannot be sent in a header: {remedy}.")


def _header_name(_: object, attribute: Any, value: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value):
        raise ConfigurationError("The name of the credential's header is not a header name, such as X-API-Key.")
    if value.lower() in ("connection", "content-length", "host", "transfer-encoding"):
        raise ConfigurationError(f"The header {value} belongs to HTTP itself and cannot carry a credential.")


def check_text(_: object, attribute: Any, value: Any) -> None:
    """Refuse what cannot be encoded, without showing it."""
    if not isinstance(value, str) or not value.isprintable():
        raise ConfigurationError(f"The {attribute.name} of the credential is not printable text.")


def check_not_empty(_: object, attribute: Any, value: str) -> None:
    check_text(_, attribute, value)
    if not value:
        raise ConfigurationError(f"The {attribute.name} of the credential is empty.")


def _token(_: object, attribute: Any, value: str) -> None:
    _header_text(_, attribute, value)
    if value.lower().startswith("bearer "):
        raise ConfigurationError("The token of the credential begins with the word Bearer: give the token alone.")


@define(frozen=True)
class HeaderAuth(Auth):
    """A key that is sent in a header; which header, and in which form, the bridge's host says.

    Args:
        value: The whole value of the header.
        name: The header; the documented page prints only "Authorization: Header".

    Raises:
        ConfigurationError: a header cannot carry the value or the name.

    """

    value: str = field(repr=False, validator=_header_text)
    name: str = field(default="Authorization", validator=_header_name)

    def headers(self) -> dict[str, str]:
        """The key, in its header."""
        return {self.name: self.value}


@define(frozen=True)
class BearerAuth(Auth):
    """A token that was obtained elsewhere.

    Raises:
        ConfigurationError: a header cannot carry the token.

    """

    token: str = field(repr=False, validator=_token)

    def headers(self) -> dict[str, str]:
        """The token, as RFC 6750 has it."""
        return {"Authorization": f"Bearer {self.token}"}


@define(frozen=True)
class BasicAuth(Auth):
    """HTTP Basic.

    Raises:
        ConfigurationError: the user is empty or holds a colon, or either is not printable text.

    """

    user: str = field(validator=check_not_empty)
    password: str = field(repr=False, validator=check_text)

    def __attrs_post_init__(self) -> None:
        if ":" in self.user:
            raise ConfigurationError("The user of HTTP Basic must not hold a colon (RFC 7617).")

    def headers(self) -> dict[str, str]:
        """User and password, in UTF-8."""
        return {"Authorization": basic(self.user, self.password)}


def basic(user: str, password: str) -> str:
    """The value of the header Authorization for HTTP Basic."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

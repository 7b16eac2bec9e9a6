"""The credentials, as plain values: what each adds to a request to the bridge."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, NoReturn, Self

from attrs import define, field, fields

from talkdesk_bridge._redact import hiding_arguments
from talkdesk_bridge.errors import ConfigurationError


@define(frozen=True)
class Auth:
    """A credential: one of the classes below, or an attrs class of your own.

    A subclass overrides `headers`, or `apply` if headers are not enough, and declares secrets as fields with
    `repr=False`. A credential cannot be pickled: a pickle would hold the secret.
    """

    def __init_subclass__(cls) -> None:
        # Those that attrs writes: pytest shows the fields of two credentials if they are compared by such an __eq__.
        for name in {"__init__", "__eq__"} & vars(cls).keys():
            setattr(cls, name, hiding_arguments(vars(cls)[name]))

    def headers(self) -> dict[str, str]:
        """The headers that carry the credential on every request to the bridge."""
        return {}

    def apply(self, request: Any) -> None:
        """Put the credential on an httpx.Request to the bridge, before each call: by default, its headers."""
        request.headers.update(self.headers())

    def secrets(self) -> list[str]:
        """Values to redact when a server echoes them: the headers, and the fields that `repr` does not show."""
        values: list[Any] = []
        for value in self.headers().values():
            values += [value, value.partition(" ")[2]]  # with and without a word such as Basic
        for attribute in fields(type(self)):
            if attribute.init and not attribute.repr:
                hidden = getattr(self, attribute.name)
                values += hidden.values() if isinstance(hidden, Mapping) else [hidden]
        return [value for value in values if isinstance(value, str) and value]

    def __reduce__(self) -> NoReturn:
        reason = "because a pickle would hold its secret: create it where it is used"
        raise TypeError(f"{type(self).__name__} cannot be pickled, {reason}.")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self


@define(frozen=True)
class NoAuth(Auth):
    """No credential."""


def _header_text(_: object, attribute: Any, value: Any) -> None:
    """Reject what a header cannot carry, without showing it; the HTTP library would print the value."""
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]*|[!-~][ -~]*[!-~]", value):
        rule = "it must be printable ASCII without leading or trailing spaces or line breaks"
        raise ConfigurationError(f"The {attribute.name} of the credential cannot be sent in a header: {rule}.")


def _header_name(_: object, attribute: Any, value: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value):
        raise ConfigurationError("The name of the credential's header must be a header name, such as X-API-Key.")
    if value.lower() in ("connection", "content-length", "host", "transfer-encoding"):
        raise ConfigurationError(f"HTTP itself uses the header {value}, so it cannot be set here.")


def check_text(_: object, attribute: Any, value: Any) -> None:
    """Reject text that is not printable, without showing it."""
    if not isinstance(value, str) or not value.isprintable():
        raise ConfigurationError(f"The {attribute.name} of the credential is not printable text.")


def check_not_empty(_: object, attribute: Any, value: str) -> None:
    check_text(_, attribute, value)
    if not value:
        raise ConfigurationError(f"The {attribute.name} of the credential is empty.")


def _no_scheme(_: object, __: object, value: str) -> None:
    if value.lower().startswith("bearer "):
        raise ConfigurationError('The token of the credential begins with "Bearer": give the token without it.')


@define(frozen=True)
class HeaderAuth(Auth):
    """A key that is sent in a header. Ask the bridge's host for the header's name and the value's form.

    Examples:
        >>> HeaderAuth("my-key", name="X-API-Key")
        HeaderAuth(name='X-API-Key')

    Args:
        value: The complete value of the header.
        name: The header. The documented page prints only "Authorization: Header".

    Raises:
        ConfigurationError: a header cannot carry the value or the name.

    """

    value: str = field(repr=False, validator=[_header_text, check_not_empty])
    name: str = field(default="Authorization", validator=_header_name)

    def headers(self) -> dict[str, str]:
        """The header with the key."""
        return {self.name: self.value}


@define(frozen=True)
class BearerAuth(Auth):
    """A bearer token (RFC 6750) that you got elsewhere; it is never renewed.

    Raises:
        ConfigurationError: a header cannot carry the token.

    """

    token: str = field(repr=False, validator=[_header_text, check_not_empty, _no_scheme])

    def headers(self) -> dict[str, str]:
        """The header with the token."""
        return {"Authorization": f"Bearer {self.token}"}


@define(frozen=True)
class BasicAuth(Auth):
    """User and password as HTTP Basic (RFC 7617), in UTF-8.

    Raises:
        ConfigurationError: the user is empty or contains a colon, or one of them is not printable text.

    """

    user: str = field(validator=check_not_empty)
    password: str = field(repr=False, validator=check_text)

    def __attrs_post_init__(self) -> None:
        if ":" in self.user:
            raise ConfigurationError("The user of HTTP Basic must not contain a colon (RFC 7617).")

    def headers(self) -> dict[str, str]:
        """The header with user and password."""
        return {"Authorization": basic(self.user, self.password)}


def basic(user: str, password: str) -> str:
    """The value of an Authorization header for HTTP Basic."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

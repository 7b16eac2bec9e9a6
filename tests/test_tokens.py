"""Tokens: how a client proves who it is, and this machine's clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
from attrs import define, field
from talkdesk_bridge import (
    Auth,
    BasicAuth,
    BearerAuth,
    BridgeClient,
    HeaderAuth,
    OAuth2ClientCredentials,
    OAuth2PrivateKeyJWT,
    errors,
)
from talkdesk_bridge_sandbox import Sandbox

from tests.conftest import Listing, Server, as_json, page
from tests.keys import bare

TOKEN = {"access_token": "t0ken-of-mine", "token_type": "Bearer", "expires_in": 599}
ODD = "s/e c+%41&=ü"


def test_the_secret_in_the_body(server: Server, listing: Listing) -> None:
    server.script = lambda method, target: as_json(TOKEN if method == "POST" else page(1))
    auth = OAuth2ClientCredentials(
        f"{server.url}/token", "i/d", ODD, scope="a b", parameters={"audience": "x"}, auth_method="client_secret_post"
    )
    assert len(listing(server.url, auth)) == 1
    _, _, headers, body = server.seen[0]
    assert "Authorization" not in headers
    assert parse_qs(body.decode(), strict_parsing=True) == {
        "grant_type": ["client_credentials"], "scope": ["a b"], "audience": ["x"], "client_id": ["i/d"], "client_secret": [ODD],
    }  # fmt: skip
    assert server.seen[1][2]["Authorization"] == "Bearer t0ken-of-mine"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_the_sandbox_takes_the_secret_in_both_ways(sandbox: Sandbox, method: Any, listing: Listing) -> None:
    made_up = sandbox.credentials
    right, wrong = (
        OAuth2ClientCredentials(sandbox.token_url, made_up.client_id, secret, auth_method=method)
        for secret in (made_up.client_secret, "s3cret")
    )
    assert len(listing(sandbox.url, right, "1000000003")) == 1
    with pytest.raises(errors.AuthenticationError, match="client id or secret is wrong"):
        listing(sandbox.url, wrong, "1000000003")
    assert [seen.status for seen in sandbox.requests] == [200, 200, 401]


def test_the_sandbox_takes_the_variable(sandbox: Sandbox) -> None:
    variables = {
        "URL": sandbox.url, "TOKEN_URL": sandbox.token_url, "CLIENT_ID": "sandbox-client", "CLIENT_SECRET": "sandbox-secret",
        "AUTH_METHOD": "client_secret_post",
    }  # fmt: skip
    with BridgeClient.from_env({f"TALKDESK_BRIDGE_{name}": value for name, value in variables.items()}) as bridge:
        assert "auth_method='client_secret_post'" in repr(bridge)
        assert bridge.billing.get_account_invoices("1000000003").total == 1


def dated(seconds: float, response: Any, status: int = 401) -> Any:
    """A response from a server whose clock is ahead by this many seconds."""
    return as_json(response, status, Date=format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True))


def note(seconds: float) -> str:
    """A pattern of the sentence about the clock; Date has no fractions, and a response takes its time."""
    shown = "|".join(f"{abs(seconds) + more:.0f}" for more in (-1, 0, 1))
    return rf" This machine's clock is ({shown}) s {'behind' if seconds > 0 else 'ahead of'} the server's: correct"


def signed(url: str) -> OAuth2PrivateKeyJWT:
    return OAuth2PrivateKeyJWT(f"{url}/token", "id", bare())


@pytest.mark.parametrize("seconds", [-3600, -300, -62, 62, 300, 86_400])
@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_wrong_clock_is_named_if_a_jwt_is_rejected(
    server: Server, listing: Listing, seconds: float, status: int
) -> None:
    server.script = lambda *_: dated(seconds, {"error": "invalid_client"}, status)
    with pytest.raises(errors.AuthenticationError, match=rf"returned {status}: invalid_client\.{note(seconds)}"):
        listing(server.url, signed(server.url))


@pytest.mark.parametrize("seconds", [-300, 300])
@pytest.mark.parametrize("kind", [BearerAuth, "oauth", "jwt"])
def test_a_wrong_clock_is_named_if_a_token_is_rejected(
    server: Server, listing: Listing, seconds: float, kind: Any
) -> None:
    auths: dict[Any, Callable[[], Auth]] = {
        BearerAuth: lambda: BearerAuth("t0ken-of-mine"),
        "oauth": lambda: OAuth2ClientCredentials(f"{server.url}/token", "id", "secret"),
        "jwt": lambda: signed(server.url),
    }
    server.script = lambda method, _: dated(seconds, TOKEN, 200) if method == "POST" else dated(seconds, {})
    with pytest.raises(errors.UnauthorizedError, match=rf"does not accept the credential\.{note(seconds)}"):
        listing(server.url, auths[kind]())


@pytest.mark.parametrize("seconds", [-58, 0, 58])
def test_a_right_clock_is_not_named(server: Server, listing: Listing, seconds: float) -> None:
    server.script = lambda *_: dated(seconds, {"error": "invalid_client"})
    for auth in (signed(server.url), BearerAuth("t0ken-of-mine")):
        with pytest.raises(errors.BridgeError) as caught:
            listing(server.url, auth)
        assert "clock" not in str(caught.value)


DATES = ["", "soon", "Mon, 30 Feb 2026 99:99:99 GMT", "Mon, 01 Jan 99999999999 00:00:00 GMT", "1764000000"]


@pytest.mark.parametrize("date", DATES)
def test_an_unreadable_date_is_ignored(server: Server, listing: Listing, date: str) -> None:
    server.respond_with(as_json({"error": "invalid_client"}, 401, Date=date))
    for auth in (signed(server.url), BearerAuth("t0ken-of-mine")):
        with pytest.raises(errors.BridgeError) as caught:
            listing(server.url, auth)
        assert "clock" not in str(caught.value)


@pytest.mark.parametrize("status", [404, 429, 500])
def test_the_clock_is_not_named_for_other_errors(server: Server, listing: Listing, status: int) -> None:
    server.script = lambda *_: dated(300, {"error": "invalid_client"}, status)
    for auth in (signed(server.url), BearerAuth("t0ken-of-mine")):
        with pytest.raises(errors.BridgeError) as caught:
            listing(server.url, auth)
        assert "clock" not in str(caught.value)


def test_the_clock_is_not_named_if_a_key_or_a_secret_is_rejected(server: Server, listing: Listing) -> None:
    server.script = lambda *_: dated(300, {"error": "invalid_client"})
    for auth in (HeaderAuth("k"), BasicAuth("u", "p"), OAuth2ClientCredentials(server.url, "id", "secret"), None):
        with pytest.raises(errors.BridgeError) as caught:
            listing(server.url, auth)
        assert "clock" not in str(caught.value)


@define(frozen=True)
class Signed(Auth):
    """A credential of one's own that goes by the time."""

    key: str = field(repr=False)

    def headers(self) -> dict[str, str]:
        return {"X-Signature": self.key}


def test_a_wrong_clock_is_named_for_a_credential_of_ones_own(server: Server, listing: Listing) -> None:
    server.script = lambda *_: dated(300, {}, 403)
    with pytest.raises(errors.ForbiddenError, match=note(300)):
        listing(server.url, Signed("s3cret"))

"""Tokens: how a client proves who it is."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest
from talkdesk_bridge import BridgeClient, OAuth2ClientCredentials, errors
from talkdesk_bridge_sandbox import Sandbox

from tests.conftest import Listing, Server, as_json, page

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

"""OAuth 2 with oidc-provider, a token server of another maker, and with a bridge that accepts only its tokens."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from jwt.algorithms import ECAlgorithm
from talkdesk_bridge import BearerAuth, OAuth2ClientCredentials, OAuth2PrivateKeyJWT, errors

from tests.conftest import ROOT, Listing
from tests.integration.conftest import TokenServer, running
from tests.integration.gateways import require
from tests.integration.serving import PAGE
from tests.keys import bare, pair

SOURCE, INSTALLED = ROOT / "tests" / "integration" / "oidc", ROOT / ".venv-oidc"
METHODS: Any = ["client_secret_basic", "client_secret_post"]
SECRET = 's3cr:et +/%41&=~"\\'  # read wrongly by a server that decodes it once too often, or not at all
GOOD = ["token 200", "bridge 200"]


def installed() -> None:
    """Install the packages of the lock file, each checked against its hash, unless they are installed already."""
    marker = INSTALLED / "node_modules" / ".set-up"
    lock = (SOURCE / "package-lock.json").read_text()
    if not marker.exists() or marker.read_text() != lock:
        shutil.copytree(SOURCE, INSTALLED, dirs_exist_ok=True)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(INSTALLED / ".npm")]
        done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        marker.write_text(lock)
    shutil.copy(SOURCE / "server.mjs", INSTALLED)


@pytest.fixture(scope="module")
def provider() -> Iterator[TokenServer]:
    for program in ("node", "npm"):
        require(program)
    installed()
    key = {**json.loads(ECAlgorithm.to_jwk(pair().public_key())), "kid": "ec", "use": "sig"}
    clients: list[dict[str, Any]] = [
        {"client_id": f"{method}:+%", "client_secret": SECRET, "token_endpoint_auth_method": method}
        for method in METHODS
    ]
    clients.append({"client_id": "signer", "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key]}})
    environ = os.environ | {"OIDC": json.dumps({"clients": clients, "page": PAGE})}
    yield from running(["node", "server.mjs"], "resource", cwd=INSTALLED, env=environ)


@pytest.fixture
def oidc(provider: TokenServer) -> TokenServer:
    provider.seen()
    return provider


def secret(oidc: TokenServer, method: Any, value: str = SECRET, **more: Any) -> OAuth2ClientCredentials:
    return OAuth2ClientCredentials(f"{oidc.url}/token", f"{method}:+%", value, auth_method=method, **more)


def signed(oidc: TokenServer, key: str | None = None, **more: Any) -> OAuth2PrivateKeyJWT:
    return OAuth2PrivateKeyJWT(f"{oidc.url}/token", "signer", key or bare(), **{"key_id": "ec", **more})


@pytest.mark.parametrize("method", METHODS)
def test_the_right_secret(oidc: TokenServer, listing: Listing, method: str) -> None:
    assert [invoice.invoice_number for invoice in listing(oidc.bridge, secret(oidc, method))] == ["1"]
    assert oidc.seen() == GOOD


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_secret(oidc: TokenServer, listing: Listing, method: str) -> None:
    with pytest.raises(errors.AuthenticationError, match="/token returned 401: invalid_client: client auth") as caught:
        listing(oidc.bridge, secret(oidc, method, SECRET.replace("%41", "A")))
    assert "s3cr" not in str(caught.value)
    assert oidc.seen() == ["token 401"]


@pytest.mark.parametrize("method", METHODS)
def test_the_audience_of_a_token(oidc: TokenServer, listing: Listing, method: str) -> None:
    assert len(listing(oidc.bridge, secret(oidc, method, parameters={"resource": oidc.bridge}))) == 1
    assert oidc.seen() == GOOD
    with pytest.raises(errors.UnauthorizedError):
        listing(oidc.bridge, secret(oidc, method, parameters={"resource": "https://another.example/?a=1&b=+"}))
    assert oidc.seen() == ["token 200", "bridge 401"] * 2


@pytest.mark.parametrize("more", [{}, {"key_id": None}, {"audience": "issuer"}])
def test_a_private_key(oidc: TokenServer, listing: Listing, more: dict[str, Any]) -> None:
    more = more | ({"audience": oidc.url} if more.get("audience") else {})
    assert len(listing(oidc.bridge, signed(oidc, **more))) == 1
    assert oidc.seen() == GOOD


@pytest.mark.parametrize(
    ("key", "more"),
    [("another", {}), (None, {"audience": "https://elsewhere.example/token"}), (None, {"key_id": "unknown"})],
)
def test_a_wrong_key_or_audience(oidc: TokenServer, listing: Listing, key: str | None, more: dict[str, Any]) -> None:
    with pytest.raises(errors.AuthenticationError, match="/token returned 401: invalid_client"):
        listing(oidc.bridge, signed(oidc, bare(key) if key else None, **more))
    assert oidc.seen() == ["token 401"]


def test_the_bridge_accepts_no_other_token(oidc: TokenServer, listing: Listing) -> None:
    for auth in (None, BearerAuth("t-1")):
        with pytest.raises(errors.UnauthorizedError):
            listing(oidc.bridge, auth)

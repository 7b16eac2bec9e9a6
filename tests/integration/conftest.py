"""Fixtures of the integration tests: a build, the wheels that it needs, and token servers in other processes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest
from attrs import frozen
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from talkdesk_bridge import OAuth2ClientCredentials, OAuth2PrivateKeyJWT

from tests.conftest import ROOT
from tests.integration.commands import HASHED, PIP, run
from tests.integration.serving import CLIENTS, SIGNER, SIGNERS_KEYS
from tests.keys import bare, pair

PYTHON = ROOT / ".venv-integration" / "bin" / "python"
DIRECT = build_opener(ProxyHandler({}))

LONGEST = ("test_grown_contract.py", "test_wheel.py")
"""They begin first, so that several processes end at about the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


@frozen
class TokenServer:
    """A running token server with a bridge; a token request names `bridge` in the parameter `audience`."""

    url: str
    audience: str

    @property
    def bridge(self) -> str:
        return f"{self.url}/bridge"

    def auth(self, client_id: str = "client", secret: str | None = None, **more: Any) -> OAuth2ClientCredentials:
        """The credential of a client; with its known secret by default."""
        secret = CLIENTS[client_id][0] if secret is None else secret
        return OAuth2ClientCredentials(f"{self.url}/token", client_id, secret, **more)

    def signing(self, private_key: str | None = None, **more: Any) -> OAuth2PrivateKeyJWT:
        """The credential of a client with a private key; with its known key by default."""
        return OAuth2PrivateKeyJWT(f"{self.url}/token", SIGNER, private_key or bare(), **{"key_id": "ec", **more})

    def seen(self) -> list[str]:
        """The requests since the last call, such as `token 200` and `bridge 401`."""
        with DIRECT.open(f"{self.url}/seen", timeout=10) as response:
            return [f"{path.split('/')[1]} {status}" for _, path, status in json.load(response)]

    def revoke(self) -> None:
        """Revoke all tokens at the server; clients do not notice."""
        DIRECT.open(f"{self.url}/revoke", timeout=10).close()

    def lose_next_token(self) -> None:
        """Make the server issue the next token but respond with 503."""
        DIRECT.open(f"{self.url}/lose", timeout=10).close()


def running(command: list[str], audience: str, **options: Any) -> Iterator[TokenServer]:
    """A token server in a process of its own, which prints its port and stops when its standard input ends."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options) as process:
        # Leaving the block closes the server's standard input, which stops it.
        assert process.stdout
        port = process.stdout.readline().strip()
        assert port, f"{command} did not start: see above"
        yield TokenServer(f"http://127.0.0.1:{port}", audience)


def _running(module: str, audience: str) -> Iterator[TokenServer]:
    if not PYTHON.exists():
        pytest.fail("there is no .venv-integration: run `make integration`")
    jwks = {"ec": ECAlgorithm.to_jwk(pair().public_key()), "rsa": RSAAlgorithm.to_jwk(pair("RSA").public_key())}
    keys = json.dumps({"keys": [{**json.loads(jwk), "kid": key_id} for key_id, jwk in jwks.items()]})
    command = [str(PYTHON), "-m", f"tests.integration.{module}"]
    yield from running(command, audience, cwd=ROOT, env=os.environ | {SIGNERS_KEYS: keys})


@pytest.fixture(scope="session")
def running_authlib() -> Iterator[TokenServer]:
    yield from _running("authlib_server", "audience")


@pytest.fixture(scope="session")
def running_django() -> Iterator[TokenServer]:
    yield from _running("django_server", "resource")  # RFC 8707


@pytest.fixture
def authlib(running_authlib: TokenServer) -> TokenServer:
    running_authlib.seen()
    return running_authlib


@pytest.fixture
def strict(running_django: TokenServer) -> TokenServer:
    """The server that accepts client id and secret only form-url-encoded."""
    running_django.seen()
    return running_django


@pytest.fixture(params=["authlib", "strict"])
def tokens(request: pytest.FixtureRequest) -> TokenServer:
    server: TokenServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the output of `make build`."""
    from tools.release.build import write  # here: some environments that run these tests have no generator

    target = tmp_path_factory.mktemp("built") / "dist"
    write(ROOT, target)
    return target


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels that the extra `sandbox` needs, each checked against its hash."""
    folder = tmp_path_factory.mktemp("wheels")
    run(*PIP, "download", "-qq", "-d", str(folder), *HASHED, str(ROOT / "requirements" / "highest.txt"))
    return folder

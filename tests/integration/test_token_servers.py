"""OAuth 2 with independent token servers, and with bridges that accept only their tokens."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Callable
from functools import partial
from urllib.error import HTTPError
from urllib.parse import quote, quote_plus
from urllib.request import Request

import pytest
from talkdesk_bridge import AsyncBridgeClient, BearerAuth, BridgeClient, OAuth2PrivateKeyJWT, Retry, errors

from tests.conftest import Listing
from tests.integration.conftest import DIRECT, TokenServer
from tests.integration.serving import CLIENTS, ODD, READ, WRITE
from tests.keys import bare, pem

percent = partial(quote, safe="")


def test_the_right_secret(tokens: TokenServer, listing: Listing) -> None:
    assert [invoice.invoice_number for invoice in listing(tokens.bridge, tokens.auth())] == ["1"]
    assert tokens.seen() == ["token 200", "bridge 200"]


def test_the_bridge_accepts_no_other_token(tokens: TokenServer, listing: Listing) -> None:
    for auth in (None, BearerAuth("t-1")):
        with pytest.raises(errors.UnauthorizedError):
            listing(tokens.bridge, auth)


def test_a_wrong_secret(tokens: TokenServer, listing: Listing) -> None:
    with pytest.raises(errors.AuthenticationError, match="/token returned 401: invalid_client") as caught:
        listing(tokens.bridge, tokens.auth(secret="s3cret"))
    assert "s3cret" not in str(caught.value)
    assert tokens.seen() == ["token 401"]


@pytest.mark.parametrize("odd", ODD)
def test_odd_characters_in_id_and_secret(tokens: TokenServer, listing: Listing, odd: str) -> None:
    assert len(listing(tokens.bridge, tokens.auth(f"i{odd}d"))) == 1
    assert tokens.seen() == ["token 200", "bridge 200"]


def test_odd_characters_in_a_wrong_secret(tokens: TokenServer, listing: Listing) -> None:
    with pytest.raises(errors.AuthenticationError, match="invalid_client"):
        listing(tokens.bridge, tokens.auth("i%41d", CLIENTS["i%41d"][0].replace("%41", "A")))


def status_of_request(tokens: TokenServer, client_id: str, encode: Callable[[str], str]) -> int:
    """The status of a token request with id and secret encoded this way."""
    credential = base64.b64encode(f"{encode(client_id)}:{encode(CLIENTS[client_id][0])}".encode()).decode()
    headers = {"Authorization": f"Basic {credential}"}
    request = Request(f"{tokens.url}/token", b"grant_type=client_credentials", headers)  # noqa: S310 # on loopback
    try:
        with DIRECT.open(request, timeout=10) as response:
            return int(response.status)
    except HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("odd", [":", "+", "%41", ODD[-1]])
def test_the_strict_server_rejects_unencoded_credentials(strict: TokenServer, odd: str) -> None:
    assert [status_of_request(strict, f"i{odd}d", encode) for encode in (str, quote_plus, percent)] == [401, 200, 200]


def test_not_every_server_reads_a_plus_as_a_space(authlib: TokenServer, strict: TokenServer) -> None:
    assert [status_of_request(server, "i d", quote_plus) for server in (authlib, strict)] == [401, 200]
    assert [status_of_request(server, "i d", percent) for server in (authlib, strict)] == [200, 200]


def test_scopes_arrive(tokens: TokenServer, listing: Listing) -> None:
    assert len(listing(tokens.bridge, tokens.auth(scope=f"{WRITE} {READ}"))) == 1
    with pytest.raises(errors.ForbiddenError):
        listing(tokens.bridge, tokens.auth(scope=WRITE))
    assert tokens.seen() == ["token 200", "bridge 200", "token 200", "bridge 403"]


def test_a_scope_that_is_not_allowed(tokens: TokenServer, listing: Listing) -> None:
    with pytest.raises(errors.AuthenticationError, match=r"returned 40\d: invalid_scope"):
        listing(tokens.bridge, tokens.auth(scope=f"{READ} everything"))
    assert len(tokens.seen()) == 1


def test_the_audience_arrives(tokens: TokenServer, listing: Listing) -> None:
    assert len(listing(tokens.bridge, tokens.auth(parameters={tokens.audience: tokens.bridge}))) == 1
    assert tokens.seen() == ["token 200", "bridge 200"]
    with pytest.raises(errors.UnauthorizedError):
        listing(tokens.bridge, tokens.auth(parameters={tokens.audience: "https://another.example/?a=1&b=+"}))
    assert tokens.seen() == ["token 200", "bridge 401"] * 2


def test_tokens_of_two_seconds_are_renewed_before_they_end(tokens: TokenServer) -> None:
    async def run() -> None:
        auth = tokens.auth("brief")
        with BridgeClient(tokens.bridge, auth=auth) as bridge:
            async with AsyncBridgeClient(tokens.bridge, auth=auth) as other:
                for pause in (0, 1.1, 1.1):
                    await asyncio.sleep(pause)
                    for _ in range(2):
                        assert bridge.billing.get_account_invoices("1").total == 1
                        assert (await other.billing.get_account_invoices("1")).total == 1

    asyncio.run(run())
    assert tokens.seen() == (["token 200", "bridge 200"] * 2 + ["bridge 200"] * 2) * 3


RENEWED = ["token 200", "bridge 200", "bridge 401", "token 200", "bridge 200"]


def test_a_revoked_token_costs_one_renewal_and_one_retry(tokens: TokenServer) -> None:
    with BridgeClient(tokens.bridge, auth=tokens.auth()) as bridge:
        bridge.billing.get_account_invoices("1")
        tokens.revoke()
        assert bridge.billing.get_account_invoices("1").total == 1
    assert tokens.seen() == RENEWED

    async def run() -> None:
        async with AsyncBridgeClient(tokens.bridge, auth=tokens.auth()) as bridge:
            await bridge.billing.get_account_invoices("1")
            tokens.revoke()
            assert (await bridge.billing.get_account_invoices("1")).total == 1

    asyncio.run(run())
    assert tokens.seen() == RENEWED


def in_threads(number: int, call: Callable[[], object]) -> None:
    """Call it in this number of threads at once."""
    ready = threading.Barrier(number)

    def run() -> None:
        ready.wait(10)
        call()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_twenty_threads_share_a_token(tokens: TokenServer) -> None:
    with BridgeClient(tokens.bridge, auth=tokens.auth()) as bridge:
        ask = partial(bridge.billing.get_account_invoices, "1")
        in_threads(20, ask)
        assert tokens.seen() == ["token 200"] + ["bridge 200"] * 20
        tokens.revoke()
        in_threads(20, ask)
    seen = tokens.seen()
    assert (seen.count("token 200"), seen.count("bridge 200")) == (1, 20)


def test_twenty_tasks_share_a_token(tokens: TokenServer) -> None:
    async def run() -> None:
        async with AsyncBridgeClient(tokens.bridge, auth=tokens.auth()) as bridge:
            await asyncio.gather(*(bridge.billing.get_account_invoices("1") for _ in range(20)))
            assert tokens.seen() == ["token 200"] + ["bridge 200"] * 20
            tokens.revoke()
            await asyncio.gather(*(bridge.billing.get_account_invoices("1") for _ in range(20)))

    asyncio.run(run())
    seen = tokens.seen()
    assert (seen.count("token 200"), seen.count("bridge 200")) == (1, 20)


SIGNING: dict[str, Callable[[TokenServer], OAuth2PrivateKeyJWT]] = {
    "ES256": lambda tokens: tokens.signing(),
    "RS256": lambda tokens: tokens.signing(pem("RSA"), algorithm="RS256", key_id="rsa"),
    "another audience": lambda tokens: tokens.signing(audience=f"{tokens.url}/issuer"),
    "a scope": lambda tokens: tokens.signing(scope=f"{WRITE} {READ}"),
}


@pytest.mark.parametrize("signing", SIGNING)
def test_a_private_key_is_verified(authlib: TokenServer, listing: Listing, signing: str) -> None:
    assert len(listing(authlib.bridge, SIGNING[signing](authlib))) == 1
    assert authlib.seen() == ["token 200", "bridge 200"]


WRONG: dict[str, Callable[[TokenServer], OAuth2PrivateKeyJWT]] = {
    "another key of the same kind": lambda tokens: tokens.signing(bare("another")),
    "a key under another id": lambda tokens: tokens.signing(key_id="rsa"),
    "an audience elsewhere": lambda tokens: tokens.signing(audience="https://elsewhere.example/token"),
    "an unknown client": lambda tokens: OAuth2PrivateKeyJWT(f"{tokens.url}/token", "nobody", bare(), key_id="ec"),
    "a client with a secret": lambda tokens: OAuth2PrivateKeyJWT(f"{tokens.url}/token", "client", bare(), key_id="ec"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_private_key_is_rejected(authlib: TokenServer, listing: Listing, wrong: str) -> None:
    with pytest.raises(errors.AuthenticationError, match=r"returned 40[01]: invalid_client"):
        listing(authlib.bridge, WRONG[wrong](authlib))
    (seen,) = authlib.seen()
    assert seen in ("token 400", "token 401")


def test_a_private_key_works_after_a_lost_token_response(authlib: TokenServer, listing: Listing) -> None:
    """The server has accepted the first JWT, and accepts none twice."""
    authlib.lose_next_token()
    assert len(listing(authlib.bridge, authlib.signing(), options={"retry": Retry(attempts=2, backoff=0)})) == 1
    assert authlib.seen() == ["token 503", "token 200", "bridge 200"]

    headers, content = authlib.signing().token_request()
    request = Request(f"{authlib.url}/token", content, headers)  # noqa: S310 # on loopback
    DIRECT.open(request, timeout=10).close()
    with pytest.raises(HTTPError) as caught:
        DIRECT.open(request, timeout=10)
    with caught.value as response:
        assert b"JWT ID is used before" in response.read()


def test_a_private_key_renews_a_revoked_token(authlib: TokenServer) -> None:
    with BridgeClient(authlib.bridge, auth=authlib.signing()) as bridge:
        bridge.billing.get_account_invoices("1")
        authlib.revoke()
        assert bridge.billing.get_account_invoices("1").total == 1
    assert authlib.seen() == RENEWED

"""Options of a single call, its complete response, and the life of a client."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
import ssl
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve, field, frozen
from talkdesk_bridge import (
    AsyncBridgeClient,
    Attempt,
    Auth,
    BearerAuth,
    BridgeClient,
    HeaderAuth,
    OAuth2ClientCredentials,
    Retry,
    errors,
)
from talkdesk_bridge_api.api.billing import _GET_ACCOUNT_INVOICES
from talkdesk_bridge_sandbox import Sandbox

from tests.conftest import ONCE, Server, as_json, invoices_of, page

KEY = HeaderAuth("s3cret", name="X-API-Key")


def test_the_complete_response(server: Server) -> None:
    server.respond_with(as_json(page(1), X_Request_Id="r-1"))
    with BridgeClient(server.url) as bridge:
        response = bridge.with_response(bridge.billing.get_account_invoices, "1", per_page=5)
        again = bridge.billing.get_account_invoices("1", per_page=5)
    assert (response.status_code, response.headers["x-request-id"]) == (200, "r-1")
    assert response.url == f"{server.url}{invoices_of('1')}?per_page=5"
    assert response.content == as_json(page(1))[2]
    assert response.data == page(1)
    assert response.body == again
    assert "r-1" not in repr(response)


def test_the_complete_response_async(server: Server) -> None:
    async def run() -> None:
        async with AsyncBridgeClient(server.url) as bridge:
            calls = (bridge.with_response(bridge.billing.get_account_invoices, account) for account in "123")
            responses = await asyncio.gather(*calls)
            assert [response.url for response in responses] == [server.url + invoices_of(account) for account in "123"]
            with pytest.raises(errors.ArgumentError, match="one request"):
                await bridge.with_response(bridge.billing.iter_account_invoices, "1")  # type: ignore[arg-type] # the mistake under test

    server.respond_with(page(1))
    asyncio.run(run())


def test_only_a_method_that_sends_one_request_has_a_response(server: Server) -> None:
    with BridgeClient(server.url) as bridge:
        for method in (bridge.billing.iter_account_invoices, len):
            with pytest.raises(errors.ArgumentError, match="sends one request"):
                bridge.with_response(method, "1")
        server.respond_with(as_json({}, 404))
        with pytest.raises(errors.NotFoundError):
            bridge.with_response(bridge.billing.get_account_invoices, "1")


def test_options_of_one_call_leave_the_client_as_it_was(server: Server) -> None:
    server.respond_with(page(1))
    with BridgeClient(server.url, auth=KEY, headers={"X-Team": "billing"}) as bridge:
        other = bridge.with_options(headers={"X-Trace": "1", "X-API-Key": "other"}, timeout=(1, 2))
        other.billing.get_account_invoices("1")
        bridge.billing.get_account_invoices("1")
        assert list(other.billing.iter_account_invoices("1"))
    sent = [
        {name: headers.get(name) for name in ("X-Team", "X-Trace", "X-API-Key")} for _, _, headers, _ in server.seen
    ]
    changed = {"X-Team": "billing", "X-Trace": "1", "X-API-Key": "s3cret"}
    assert sent == [changed, {"X-Team": "billing", "X-Trace": None, "X-API-Key": "s3cret"}, changed]


def test_options_share_connections_and_token(server: Server) -> None:
    token = {"access_token": "t", "token_type": "Bearer", "expires_in": 599}
    server.script = lambda method, target: as_json(token if method == "POST" else page(1))
    auth = OAuth2ClientCredentials(f"{server.url}/token", "id", "secret", parameters={"audience": "https://b"})
    with BridgeClient(server.url, auth=auth, headers={"X-Team": "billing"}) as bridge:
        for _ in range(3):
            bridge.with_options(strict=True).billing.get_account_invoices("1")
        assert bridge.with_options(strict=True)._caller.http is bridge._caller.http
        server.respond_with(as_json({**page(1), "total": "1"}))
        with pytest.raises(errors.ContractError):
            bridge.with_options(strict=True).billing.get_account_invoices("1")
        assert bridge.billing.get_account_invoices("1").total == 1
        other = bridge.with_options(retry=Retry(attempts=1))
    assert [method for method, *_ in server.seen] == ["POST"] + ["GET"] * 5
    assert server.seen[0][3] == b"grant_type=client_credentials&audience=https%3A%2F%2Fb"
    assert "X-Team" not in server.seen[0][2]  # it is for the bridge only
    with pytest.raises(errors.ConfigurationError, match="closed"):
        other.billing.get_account_invoices("1")


@pytest.mark.parametrize("option", ["verify", "proxy", "cert", "clock", "base_url", "auth", "nonsense"])
def test_settings_of_the_client_cannot_be_changed_for_a_call(option: str) -> None:
    different: Any = {option: None}
    with BridgeClient("https://bridge.example") as bridge, pytest.raises(errors.ConfigurationError, match=option):
        bridge.with_options(**different)


def test_a_timeout_of_one_call(server: Server) -> None:
    def slow(method: str, target: str) -> Any:
        stop.wait(2)
        return as_json(page(1))

    stop = threading.Event()
    server.script = slow
    with BridgeClient(server.url, **ONCE) as bridge:
        with pytest.raises(errors.NoResponseError, match="in time"):
            bridge.with_options(timeout=(1, 0.1)).billing.get_account_invoices("1")
        stop.set()
        assert bridge.billing.get_account_invoices("1")


@pytest.mark.parametrize(
    "options",
    [{"timeout": -5}, {"headers": {"X": "a\nb"}}, {"headers": {"Host": "x"}}, {"headers": {"X": 5}}, {"headers": ["X"]},
     {"headers": {"X Y": "1"}}, {"retry": 3}, {"strict": 1}, {"on_deviation": "print"}, {"max_bytes": 0},
     {"deadline": 0}, {"deadline": "5"}],
)  # fmt: skip
def test_an_invalid_option(options: dict[str, Any]) -> None:
    with BridgeClient("https://bridge.example") as bridge:
        for use in (bridge.with_options, lambda **given: BridgeClient("https://bridge.example", **given)):
            with pytest.raises(errors.ConfigurationError) as caught:
                use(**options)
            assert "\n" not in str(caught.value)


def test_more_invalid_settings(tmp_path: Path) -> None:
    for options in ({"clock": 5}, {"sleep": "1"}, {"cert": str(tmp_path / "none.pem")}, {"cert": (1, 2, 3, 4)}):
        with pytest.raises(errors.ConfigurationError):
            BridgeClient("https://bridge.example", **options)


def test_a_body_over_the_limit(server: Server) -> None:
    server.respond_with(page(*range(1000)))
    with BridgeClient(server.url, max_bytes=1000) as bridge:
        with pytest.raises(errors.ContractError, match="more than 1000 bytes: raise max_bytes"):
            bridge.billing.get_account_invoices("1")
        assert bridge.with_options(max_bytes=10**6).billing.get_account_invoices("1").embedded
        server.respond_with((500, {}, b"x" * 5000))
        with pytest.raises(errors.ServerError, match="returned 500"):
            bridge.with_options(**ONCE).billing.get_account_invoices("1")


def test_a_client_certificate(tls: tuple[Server, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running, certificate = tls
    key = certificate.with_name("key.pem")
    trusted = ssl.create_default_context(cafile=str(certificate))
    both = tmp_path / "both.pem"
    both.write_text(certificate.read_text() + key.read_text())
    trusted.load_cert_chain(both)
    with BridgeClient(running.url, verify=trusted) as bridge:
        assert bridge.billing.get_account_invoices("1").embedded
    for cert in (str(both), (str(certificate), str(key))):
        with monkeypatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(certificate))
            bridge = BridgeClient(running.url, cert=cert)
        with bridge:
            assert bridge.billing.get_account_invoices("1").embedded
    with BridgeClient(running.url, cert=str(both), **ONCE) as bridge, pytest.raises(errors.NotSentError):
        bridge.billing.get_account_invoices("1")  # a client certificate does not make the server's trusted


def test_credentials_and_clients_cannot_be_pickled() -> None:
    with BridgeClient("https://bridge.example", auth=KEY) as bridge:
        for value in (KEY, bridge, bridge._caller.settings):
            with pytest.raises(TypeError) as caught:
                pickle.dumps(value)
            assert "s3cret" not in str(caught.value)
    message = "^HeaderAuth cannot be pickled, because a pickle would hold its secret: create it where it is used[.]$"
    with pytest.raises(TypeError, match=message):
        pickle.dumps(KEY)
    assert copy.copy(KEY) is copy.deepcopy(KEY) is KEY


@frozen
class QueryKey(Auth):
    """A credential of the user's own: a key in the query."""

    value: str = field(repr=False)

    def apply(self, request: httpx.Request) -> None:
        request.url = request.url.copy_set_param("api_key", self.value)


def test_a_credential_of_your_own_can_change_all_of_a_request(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.respond_with(
        page(1, total=2, following=f"{invoices_of('1')}?cursor=c"),
        page(2, total=2),
        (403, {}, b"s3cret-key"),
    )
    attempts: list[Attempt] = []
    caplog.set_level("DEBUG", "talkdesk_bridge")
    with BridgeClient(server.url, auth=QueryKey("s3cret-key"), retry=Retry(on_attempt=attempts.append)) as bridge:
        invoices = bridge.billing.iter_account_invoices("1", per_page=1)
        assert len([*invoices]) == 2
        assert invoices.response.url.endswith("?cursor=c&per_page=1")
        with pytest.raises(errors.ForbiddenError) as caught:
            bridge.billing.get_account_invoices("1")
    targets = [target.partition("?")[2] for _, target, *_ in server.seen]
    assert targets == ["per_page=1&api_key=s3cret-key", "cursor=c&per_page=1&api_key=s3cret-key", "api_key=s3cret-key"]
    assert "s3cret" not in f"{attempts}{caught.value!r}{caught.value.body}{caplog.text}{bridge!r}"


def test_a_credential_that_the_bridge_copies_into_its_links_is_not_kept(server: Server) -> None:
    path = invoices_of("1")
    links = [f"{path}?page=2&api_key=s3cret-key", f"{path}/after/2?api_key=s3cret-key&c=1"]
    server.respond_with(page(1, following=links[0]), page(2, following=links[1]), page(3))
    with BridgeClient(server.url, QueryKey("s3cret-key")) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        kept = []
        for _ in invoices:
            kept += [invoices.position, invoices.response.url]
    assert len(kept) == 6
    assert "s3cret" not in str(kept)
    assert [target.partition("?")[2] for _, target, *_ in server.seen] == [
        "api_key=s3cret-key", "page=2&api_key=s3cret-key", "c=1&api_key=s3cret-key"
    ]  # fmt: skip


def test_secrets_of_a_credential_of_your_own() -> None:
    @frozen
    class Signed(Auth):
        key: bytes = field(repr=False)
        realm: str | None = field(default=None, repr=False)

        def headers(self) -> dict[str, str]:
            return {"X-Signature": f"v1 {self.key.hex()}"}

    assert Signed(b"ab").secrets() == ["v1 6162", "6162"]
    assert BearerAuth("abc").secrets() == ["Bearer abc", "abc", "abc"]


def test_headers_of_a_client_and_of_a_call(server: Server) -> None:
    server.respond_with(
        (400, {"Content-Type": "application/json"}, b'{"userMessage": "application/json, en, acme-corp"}')
    )
    options: Any = {"headers": {"X-Tenant": "other-corp", "Accept": "application/json", "accept-language": "en-US"}}
    with BridgeClient(server.url, **options) as bridge, pytest.raises(errors.BadRequestError) as caught:
        bridge.with_options(headers={"x-tenant": "acme-corp"}).billing.get_account_invoices("1")
    sent = {name.lower(): value for name, value in server.seen[0][2].items()}
    assert (sent["x-tenant"], sent["accept"]) == ("acme-corp", "application/json")
    assert len([name for name in server.seen[0][2] if name.lower() == "x-tenant"]) == 1
    assert "application/json, en, [secret]" in str(caught.value)


def test_an_operation_called_token_is_not_repeated_like_a_request_for_a_token(server: Server) -> None:
    server.respond_with(as_json({}, 503))
    operation = evolve(
        _GET_ACCOUNT_INVOICES, operation_id="token", method="POST", request=lambda **_: {"method": "POST", "url": "/x"}
    )
    with BridgeClient(server.url, retry=Retry(backoff=0)) as bridge, pytest.raises(errors.ServerError):
        bridge._caller.call(operation, {"account_number": "1"})
    assert len(server.seen) == 1


@pytest.mark.parametrize("kind", [BridgeClient, AsyncBridgeClient])
def test_an_argument_of_an_operation_may_have_any_name(kind: type[BridgeClient]) -> None:
    first, second, *_ = inspect.signature(kind.with_response).parameters.values()
    assert first.kind is second.kind is inspect.Parameter.POSITIONAL_ONLY


def test_an_iterator_has_the_response_of_the_page_fetched_last(server: Server) -> None:
    server.respond_with(
        as_json(page(1, 2, following="?page=2"), X_Request_Id="r-1"), as_json(page(3, 4), X_Request_Id="r-2")
    )
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        assert [invoices.response] == [None]
        for at, _ in enumerate(invoices):
            assert invoices.response.headers["x-request-id"] == f"r-{1 + at // 2}"
    assert invoices.response.data == page(3, 4)


def test_the_json_of_a_page_is_freed_before_the_next_one_is_fetched(server: Server) -> None:
    """It takes so much memory that keeping it made long lists slower by a tenth."""
    server.respond_with(as_json(page(1, 2, total=4)), as_json({}, status=400), as_json(page(3, 4)))
    with BridgeClient(server.url) as bridge:
        invoices = bridge.billing.iter_account_invoices("1")
        assert [next(invoices).invoice_number, next(invoices).invoice_number] == ["1", "2"]
        position = invoices.position
        with pytest.raises(errors.BadRequestError):
            next(invoices)
        assert (invoices.response, invoices.position) == (None, position)
        assert [invoice.invoice_number for invoice in invoices] == ["3", "4"]


def test_a_token_can_be_fetched_at_start_up(sandbox: Sandbox) -> None:
    made_up = sandbox.credentials
    auth = OAuth2ClientCredentials(sandbox.token_url, made_up.client_id, made_up.client_secret)
    with BridgeClient(sandbox.url, auth=auth) as bridge:
        for _ in "12":
            bridge.authenticate()
        assert [seen.method for seen in sandbox.requests] == ["POST"]
        bridge.billing.get_account_invoices("1000000001")
        assert [seen.method for seen in sandbox.requests] == ["POST", "GET"]
    with BridgeClient(sandbox.url, auth=KEY) as bridge:
        bridge.authenticate()
    assert len(sandbox.requests) == 2

    async def run() -> None:
        wrong = OAuth2ClientCredentials(sandbox.token_url, "nobody", "nothing")
        async with AsyncBridgeClient(sandbox.url, auth=wrong) as bridge:
            with pytest.raises(errors.AuthenticationError):
                await bridge.authenticate()

    asyncio.run(run())


def test_a_client_has_its_base_url_and_credential_as_attributes() -> None:
    with BridgeClient("https://bridge.example/insurer", auth=KEY) as bridge:
        assert (bridge.base_url, bridge.auth) == ("https://bridge.example/insurer", KEY)

"""The sandbox over real sockets and plain HTTP: its responses, its errors, and the checks of its own responses."""

from __future__ import annotations

import base64
import copy
import http.client
import importlib.metadata
import json
import logging
import re
import secrets
import shlex
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import pytest
from talkdesk_bridge import BridgeClient, OAuth2PrivateKeyJWT, Retry, errors
from talkdesk_bridge.contract import document
from talkdesk_bridge_sandbox import ACCOUNTS, Credentials, Reply, Sandbox
from talkdesk_bridge_sandbox._contract import schemes_of
from talkdesk_bridge_sandbox._data import items_of

from tests.conftest import PATH, invoices_of
from tests.keys import bare, pair, public

HEADER = next(scheme["name"] for scheme in schemes_of(document()).values() if scheme["type"] == "apiKey")
KEY = {HEADER: "sandbox-key"}


def ask(sandbox: Sandbox, target: str, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
    try:
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None
    finally:
        connection.close()


def test_a_page_and_its_links(sandbox: Sandbox) -> None:
    status, first = ask(sandbox, invoices_of("1000000001"), **KEY)
    assert (status, first["total"], len(first["_embedded"]["invoices"])) == (200, 137, 50)
    assert first["_embedded"]["invoices"][0]["custom_fields"] == [{"key": "claim_custom_fields", "value": "000000"}]
    assert first["_links"]["next"] == {"href": f"{sandbox.url}{invoices_of('1000000001')}?page=2"}
    status, last = ask(sandbox, invoices_of("1000000001") + "?page=3&per_page=50", **KEY)
    assert (status, len(last["_embedded"]["invoices"]), "next" in last["_links"]) == (200, 37, False)
    assert ask(sandbox, invoices_of("1000000001") + "?page=9", **KEY)[1]["_embedded"] == {"invoices": []}


def test_the_data_is_the_same_each_time_and_adds_up() -> None:
    examples = document()["paths"][PATH]["get"]["responses"]["200"]
    examples = examples["content"]["application/json"]["examples"]["invoices"]["value"]["_embedded"]["invoices"]
    for account in ACCOUNTS.values():
        items = items_of(account, examples, varied=True)
        assert items == items_of(account, examples, varied=True)
        assert len({item["invoice_number"] for item in items}) == account.count
        for item in items:
            amount, paid, due = (item[name].split() for name in ("amount", "paid_amount", "due_amount"))
            assert round(float(paid[0]) + float(due[0]), 2) == float(amount[0])
            assert amount[1] == paid[1] == due[1]
    currencies = {item["amount"][-3:] for item in items_of(ACCOUNTS["1000000005"], examples, varied=True)}
    assert currencies == {"usd", "eur", "gbp"}


@pytest.mark.parametrize(
    ("target", "status", "reason"),
    [
        (invoices_of("1"), 404, "no such account"),
        (
            invoices_of("1000000001") + "?page=0",
            400,
            "the query parameter page is invalid: 0 is less than the minimum of 1",
        ),
        (invoices_of("1000000001") + "?page=x", 400, "'x' is not of type 'integer'"),
        (invoices_of("1000000001") + "?pages=1", 400, "unknown query parameter pages"),
    ],
)
def test_an_invalid_request(sandbox: Sandbox, target: str, status: int, reason: str) -> None:
    returned, body = ask(sandbox, target, **KEY)
    assert (returned, body["status"]) == (status, status)
    assert reason in body["developerMessage"]
    if status == 400:
        assert reason in body["details"][0]["message"]


def test_an_invalid_body_and_a_parameter_that_an_operation_overrides() -> None:
    def more(contract: dict[str, Any]) -> None:
        item = contract["paths"][PATH]
        low = next(each for each in item["get"]["parameters"] if each["name"] == "page")
        item["parameters"] = [{**low, "schema": {"type": "integer", "maximum": 1}}]
        item["post"] = {**item["get"], "parameters": item["get"]["parameters"][:1]}
        item["post"]["requestBody"] = {"required": True, "content": {"application/json": {"schema": {"type": "array"}}}}

    with Sandbox(contract=corrected(more)) as sandbox:
        assert ask(sandbox, invoices_of("1000000001") + "?page=2", **KEY)[0] == 200
        for body, reason in (("", "not JSON"), ("[" * 100_000, "nested too deeply"), ("{}", "invalid"), ("[]", None)):
            status, response = ask(sandbox, invoices_of("1000000003"), "POST", body, **KEY)
            assert status == (400 if reason else 200)
            assert reason is None or reason in response["developerMessage"]
        assert len(sandbox.requests) == 5


def test_an_unknown_operation(sandbox: Sandbox) -> None:
    status, body = ask(sandbox, "/BillingInfoAPI/other", **KEY)
    assert status == 404
    assert f"GET {PATH}" in body["sandbox"]
    assert ask(sandbox, invoices_of("1000000001"), "POST", **KEY)[0] == 404


def basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


@pytest.mark.parametrize(
    "header",
    [{}, {"Authorization": "wrong"}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer "}, {"X-Other": "sandbox-key"},
     {"Authorization": "Basic !"}, {"Authorization": basic("sandbox-user", "x")}, {"Authorization": "Basic " + "ab" * 3}, {"Authorization": "Basic é"}, {"Authorization": "Bearer é"}],
)  # fmt: skip
def test_a_missing_or_wrong_credential_gets_401(sandbox: Sandbox, header: dict[str, str]) -> None:
    status, body = ask(sandbox, invoices_of("1000000001"), **header)
    assert (status, body["errorCode"]) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    ("form", "credential", "status", "error"),
    [
        ("grant_type=client_credentials", basic("sandbox-client", "sandbox-secret"), 200, None),
        ("grant_type=client_credentials", basic("sandbox-client", "x"), 401, "invalid_client"),
        ("grant_type=client_credentials", "", 401, "invalid_client"),
        ("grant_type=password", basic("sandbox-client", "sandbox-secret"), 400, "unsupported_grant_type"),
        ("", basic("sandbox-client", "sandbox-secret"), 400, "unsupported_grant_type"),
        *(
            (f"grant_type=client_credentials&{sent}", credential, status, error)
            for sent, credential, status, error in (
                ("client_id=sandbox-client&client_secret=sandbox-secret", None, 200, None),
                ("client_id=sandbox-client&client_secret=x", None, 401, "invalid_client"),
                ("client_secret=sandbox-secret", None, 401, "invalid_client"),
                ("client_id=sandbox-client", None, 401, "invalid_client"),
                ("client_id=sandbox-client", basic("sandbox-client", "sandbox-secret"), 200, None),
                (
                    "client_id=sandbox-client&client_secret=sandbox-secret",
                    basic("sandbox-client", "sandbox-secret"),
                    400,
                    "invalid_request",
                ),
                ("client_secret=sandbox-secret&client_assertion=x", None, 400, "invalid_request"),
                ("client_assertion=x", basic("sandbox-client", "sandbox-secret"), 400, "invalid_request"),
            )
        ),
    ],
)
def test_the_token_endpoint(
    sandbox: Sandbox, form: str, credential: str | None, status: int, error: str | None
) -> None:
    header = {} if credential is None else {"Authorization": credential}
    returned, body = ask(sandbox, "/oauth/token", "POST", form, **header)
    assert (returned, body.get("error")) == (status, error)
    if status == 200:
        for sent, expected in (("Bearer ", 200), ("bearer ", 200), ("", 401), ("Basic ", 401)):
            token = {"Authorization": f"{sent}{body['access_token']}"}
            assert ask(sandbox, invoices_of("1000000003"), **token)[0] == expected


def test_its_own_response_is_checked_too() -> None:
    contract = document()
    contract["components"]["schemas"]["InvoiceDetails"]["properties"]["amount"] = {"type": "integer"}
    with Sandbox(contract=contract) as sandbox:
        status, body = ask(sandbox, invoices_of("1000000001"), **KEY)
    assert status == 500
    assert "this response would deviate from the contract: $['_embedded'].invoices[0].amount" in body["sandbox"]


@pytest.fixture
def used_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_it_listens_only_on_loopback_and_releases_the_port(used_port: int) -> None:
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=used_port)
    with Sandbox() as sandbox:
        port = urlsplit(sandbox.url).port
        assert sandbox.url.startswith("http://127.0.0.1:")
    assert port
    with Sandbox(port=port) as sandbox:
        assert ask(sandbox, invoices_of("1000000003"), **KEY)[0] == 200


def test_the_log_contains_no_credential() -> None:
    lines: list[str] = []
    with Sandbox(log=lines.append) as sandbox:
        ask(sandbox, invoices_of("1000000003") + "?page=1", **KEY)
        ask(sandbox, "/oauth/token", "POST", "grant_type=client_credentials&client_secret=s3cret")
        ask(sandbox, invoices_of("1000000003") + "?page=1&api_key=s3cret", **KEY)
        ask(sandbox, "/other?s3cret", **KEY)
    assert lines == [
        f"GET {invoices_of('1000000003')}?page=1 200",
        "POST /oauth/token 401",
        f"GET {invoices_of('1000000003')}?... 400",
        "GET /other?... 404",
    ]


def test_it_listens_on_other_addresses_only_if_allowed() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "bridge.example"):  # noqa: S104 # rejected
        with pytest.raises(ValueError, match="not a loopback address"):
            Sandbox(host=host)
    with Sandbox(host="0.0.0.0", allow_remote=True) as sandbox:  # noqa: S104 # under test
        assert sandbox.url.startswith("http://127.0.0.1:")
        assert ask(sandbox, invoices_of("1000000003"), **KEY)[0] == 200


def ask_as(sandbox: Sandbox, host: str | None, target: str = invoices_of("1000000003")) -> tuple[int, str]:
    """Status and reason of a request with this Host header; with None, of HTTP/1.0 without one."""
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
    if host is None:
        connection._http_vsn_str, connection._http_vsn = "HTTP/1.0", 10  # type: ignore[attr-defined]
    connection.putrequest("GET", target, skip_host=True)
    for name, value in (KEY if host is None else KEY | {"Host": host}).items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    content = json.loads(response.read()) if response.getheader("Content-Type") == "application/json" else {}
    connection.close()
    return response.status, content.get("sandbox", "")


OURS = ["127.0.0.1", "127.0.0.1:1", "127.9.9.9", "localhost", "LOCALHOST:8080", "[::1]", "[::1]:8080"]
OTHERS = ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "192.0.2.1", "[fd00::1]",
          "127.1", "2130706433", "", "[::1", "bridge.test", None]  # fmt: skip


def test_it_responds_only_to_requests_for_its_own_host(sandbox: Sandbox) -> None:
    """Otherwise a page of the internet could read its responses, after its name has been resolved to this machine."""
    assert {host: ask_as(sandbox, host)[0] for host in OURS} == dict.fromkeys(OURS, 200)
    assert {host: ask_as(sandbox, host)[0] for host in OTHERS} == dict.fromkeys(OTHERS, 403)
    # The page shows the credentials, and the token server issues tokens.
    assert [ask_as(sandbox, "evil.example", target)[0] for target in ("/", "/oauth/token", "/other")] == [403] * 3
    reason = "the request is for another host, 'evil.example': to accept it, set allow_hosts (--allow-host)"
    assert ask_as(sandbox, "evil.example:8080")[1] == reason


def test_it_responds_to_hosts_that_it_was_given() -> None:
    with Sandbox(allow_hosts=["Bridge.test", "gateway.test:8080", "192.0.2.1", "fd00::1", "[fd00::2]:80"]) as sandbox:
        given = ["bridge.test", "BRIDGE.test:1", "gateway.test", "192.0.2.1:1", "[fd00::1]:1", "[fd00::2]", *OURS]
        assert {host: ask_as(sandbox, host)[0] for host in given} == dict.fromkeys(given, 200)
        for host in ("other.test", "sub.bridge.test", "192.0.2.2", "[fd00::3]"):
            assert ask_as(sandbox, host)[0] == 403
    for hosts in ("bridge.test", [""], ["http://bridge.test"], ["/x"], ["[::1"]):
        with pytest.raises(ValueError, match="allow_hosts must be a list of host names or addresses"):
            Sandbox(allow_hosts=hosts)


def test_an_address_of_this_machine_is_its_own_host() -> None:
    with Sandbox(host="0.0.0.0", allow_remote=True) as sandbox:  # noqa: S104 # under test
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unconnected:
            with suppress(OSError):  # no network
                unconnected.connect(("192.0.2.1", 9))  # sends nothing
            address = unconnected.getsockname()[0]
        port = urlsplit(sandbox.url).port
        if address != "0.0.0.0":  # noqa: S104 # compared
            connection = http.client.HTTPConnection(address, port, timeout=10)
            connection.request("GET", invoices_of("1000000003"), headers=KEY)
            assert connection.getresponse().status == 200
            connection.close()
        assert ask_as(sandbox, "evil.example")[0] == 403
        assert "for a name, set --allow-host." in sandbox.describe()


def test_it_leaves_the_loggers_of_other_servers_alone(caplog: pytest.LogCaptureFixture) -> None:
    access, error = logging.getLogger("uvicorn.access"), logging.getLogger("uvicorn.error")
    before = [(logger.filters[:], logger.handlers[:], logger.propagate, logger.level) for logger in (access, error)]
    assert before[1][0] == []
    caplog.set_level(logging.INFO)
    with Sandbox(fault="cut-off") as sandbox:
        assert before == [
            (logger.filters, logger.handlers, logger.propagate, logger.level) for logger in (access, error)
        ]
        with pytest.raises(http.client.IncompleteRead):
            ask(sandbox, invoices_of("1000000003") + "?page=1", **KEY)
        ask(sandbox, "/oauth/token?code=s3cret", "POST", "grant_type=client_credentials")
    logged = [f"{record.getMessage()} {vars(record)}" for record in caplog.records if record.levelno >= logging.INFO]
    assert [text for text in logged if "?" in text or "s3cret" in text or "without completing" in text] == []


@pytest.mark.skipif(not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists(), reason="needs IPv6")
def test_it_listens_on_the_ipv6_loopback_address() -> None:
    with Sandbox(host="::1") as sandbox:
        assert sandbox.url.startswith("http://[::1]:")
        assert len(list(sandbox.client.billing.iter_account_invoices("1000000003"))) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"accept": "digest"},
            "accept must be one of any, none, basic, bearer, key, oauth2, not digest",
        ),
        ({"fault": "fire"}, "unknown fault fire: choose one of rate-limited, unavailable"),
        ({"token_life": 0}, "the lifetime of a token must be more than 0"),
        ({"paging": "cursor"}, "paging must be links, pages or all, not cursor"),
        ({"credentials": Credentials(public_key="none")}, "the public key is invalid, or not one for ES256"),
        ({"credentials": Credentials(algorithm="RS256")}, "the public key is invalid, or not one for RS256"),
        ({"credentials": Credentials(algorithm="XY")}, "the public key is invalid, or not one for XY"),
    ],
)
def test_an_invalid_option(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Sandbox(**options)


BASIC = {"Authorization": basic("sandbox-user", "sandbox-password")}
BEARER = {"Authorization": "Bearer sandbox-token"}


@pytest.mark.parametrize(
    ("accept", "statuses"),
    [
        ("any", (401, 200, 200, 200)),
        ("none", (200, 200, 200, 200)),
        ("key", (401, 200, 401, 401)),
        ("basic", (401, 401, 200, 401)),
        ("bearer", (401, 401, 401, 200)),
        ("oauth2", (401, 401, 401, 401)),
    ],
)
def test_accept_sets_the_credential_that_requests_need(accept: Any, statuses: tuple[int, ...]) -> None:
    with Sandbox(accept=accept) as sandbox:
        returned = (ask(sandbox, invoices_of("1000000003"), **headers)[0] for headers in ({}, KEY, BASIC, BEARER))
        assert tuple(returned) == statuses
        # The sandbox's own client has the right credential.
        assert len(list(sandbox.client.billing.iter_account_invoices("1000000003"))) == 1


def test_every_credential_that_it_prints_works() -> None:
    with Sandbox() as sandbox:
        blocks = sandbox.describe().partition("\nAccounts")[0].split("\n\n")[1:]
        kinds = []
        for block in blocks:
            exported = dict(re.findall(r"export (\w+)=(\S+)", block))
            assert exported.pop("TALKDESK_BRIDGE_URL") == sandbox.url
            with BridgeClient.from_env(exported | {"TALKDESK_BRIDGE_URL": sandbox.url}) as bridge:
                assert bridge.billing.get_account_invoices("1000000003").total == 1
                kinds.append(repr(bridge).partition("auth=")[2].partition("(")[0])
    assert kinds == ["HeaderAuth", "OAuth2ClientCredentials", "OAuth2PrivateKeyJWT", "BasicAuth", "BearerAuth"]


def test_printed_values_are_quoted_for_the_shell() -> None:
    with Sandbox(credentials=Credentials(api_key="a b'$(c)")) as sandbox:
        exported = dict(line.split("=", 1) for line in sandbox.describe().splitlines() if "API_KEY=" in line)
    assert [shlex.split(value) for value in exported.values()] == [["a b'$(c)"]]


def test_a_public_key_and_an_audience_can_be_set() -> None:
    known = Credentials(public_key=public("RSA"), algorithm="RS256", audience="https://audience.example")
    with Sandbox(credentials=known) as sandbox:
        for audience, status in ((known.audience, 200), (None, 401)):
            proof = OAuth2PrivateKeyJWT(
                sandbox.token_url, "sandbox-client", bare("RSA"), algorithm="RS256", audience=audience
            )
            with BridgeClient(sandbox.url, auth=proof) as bridge, suppress(errors.AuthenticationError):
                bridge.billing.get_account_invoices("1000000003")
            assert [*sandbox.requests][0 if status == 200 else -1].status == status


def test_the_key_of_another_sandbox_is_rejected() -> None:
    with Sandbox(accept="oauth2") as one, Sandbox(accept="oauth2") as other:
        keys = [_exports(sandbox)["TALKDESK_BRIDGE_PRIVATE_KEY"] for sandbox in (one, other)]
        assert keys[0] != keys[1]
        wrong = OAuth2PrivateKeyJWT(one.token_url, "sandbox-client", keys[1], key_id="sandbox-key-id")
        with BridgeClient(one.url, auth=wrong) as bridge, pytest.raises(errors.AuthenticationError, match="Signature"):
            bridge.billing.get_account_invoices("1000000003")


def _exports(sandbox: Sandbox) -> dict[str, str]:
    return dict(re.findall(r"export (\w+)=(\S+)", sandbox.describe()))


def test_a_token_expires_after_token_life() -> None:
    with Sandbox(token_life=0.4) as sandbox:
        form, credential = "grant_type=client_credentials", basic("sandbox-client", "sandbox-secret")
        _, body = ask(sandbox, sandbox.token_url.removeprefix(sandbox.url), "POST", form, Authorization=credential)
        assert body["expires_in"] == 0.4
        token = {"Authorization": f"Bearer {body['access_token']}"}
        assert ask(sandbox, invoices_of("1000000003"), **token)[0] == 200
        time.sleep(0.45)
        assert ask(sandbox, invoices_of("1000000003"), **token)[0] == 401


ASSERTED = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def asserted() -> Iterator[Sandbox]:
    with Sandbox(credentials=Credentials(public_key=public(), key_id="k1")) as sandbox:
        yield sandbox


def assertion(url: str, key: Any = None, algorithm: str = "ES256", kid: str | None = "k1", **claims: Any) -> str:
    now = int(time.time())
    every = {"iss": "sandbox-client", "sub": "sandbox-client", "aud": url, "jti": secrets.token_hex(), "iat": now}
    every |= {"exp": now + 300} | claims
    present = {name: value for name, value in every.items() if value is not None}
    return jwt.encode(present, key or pair(), algorithm, headers={"kid": kid} if kid else {})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"kid": None}, None),
        ({"key": pair("another")}, "Signature verification failed"),
        ({"key": "s" * 64, "algorithm": "HS256"}, "alg value is not allowed"),
        ({"aud": "https://elsewhere.example/token"}, "Audience doesn't match"),
        ({"exp": 1}, "Signature has expired"),
        ({"iss": "another"}, "Invalid issuer"),
        ({"sub": "another"}, "Invalid subject"),
        ({"kid": "k2"}, "its kid is unknown"),
        ({"jti": None}, 'missing the "jti" claim'),
        ({"exp": None}, 'missing the "exp" claim'),
    ],
)
def test_an_assertion_is_verified(asserted: Sandbox, changed: dict[str, Any], reason: str | None) -> None:
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTED}
    form["client_assertion"] = assertion(asserted.token_url, **changed)
    path = asserted.token_url.removeprefix(asserted.url)
    status, body = ask(asserted, path, "POST", urlencode(form))
    if reason is None:
        assert status == 200
        token = {"Authorization": f"Bearer {body['access_token']}"}
        assert ask(asserted, invoices_of("1000000003"), **token)[0] == 200
        status, body = ask(asserted, path, "POST", urlencode(form))
        reason = "its jti was used before"
    assert (status, body["error"]) == (401, "invalid_client")
    assert reason in body["error_description"]
    status, body = ask(asserted, path, "POST", urlencode(form | {"client_assertion_type": "other"}))
    assert (status, "client_assertion_type must be" in body["error_description"]) == (401, True)


def test_scripted_responses_come_first_and_once(sandbox: Sandbox) -> None:
    sandbox.script(Reply(418, content="no"), Reply(json={"_embedded": {"invoices": []}}, headers={"X-Of": "mine"}))
    bridge = sandbox.client.with_options(retry=Retry(attempts=1))
    with pytest.raises(errors.StatusError) as caught:
        bridge.billing.get_account_invoices("1000000003")
    assert caught.value.status_code == 418
    response = bridge.with_response(bridge.billing.get_account_invoices, "1000000003")
    assert (response.headers["x-of"], response.headers["content-type"]) == ("mine", "application/json")
    assert response.body.embedded
    assert response.body.embedded.invoices == []
    assert bridge.billing.get_account_invoices("1000000003").total == 1
    assert [seen.status for seen in sandbox.requests] == [418, 200, 200]


@pytest.mark.parametrize(
    "header", [{"X-Of": "\u20ac"}, {"X-\u20ac": "a"}, {"X Of": "a"}, {"X-Of": "a\r\nb"}, {"X-Of": " a"}, {"": "a"}]
)
def test_a_header_that_cannot_be_sent_is_rejected(header: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"the header '.*' of a Reply cannot be sent: "):
        Reply(headers=header)


def test_every_other_header_is_sent(sandbox: Sandbox) -> None:
    sandbox.script(
        Reply(
            json={"_embedded": {"invoices": []}},
            headers={"X-Empty": "", "X-Of_1": "\xe4 \t\xff", "x!#$%&'*+.^`|~": "a"},
        )
    )
    response = sandbox.client.with_response(sandbox.client.billing.get_account_invoices, "1000000003")
    assert [response.headers[name] for name in ("x-empty", "x-of_1", "x!#$%&'*+.^`|~")] == ["", "\xe4 \t\xff", "a"]


def test_reset_clears_everything() -> None:
    lines: list[str] = []
    with Sandbox(log=lines.append, accept="oauth2", fault="unavailable") as sandbox:
        client, token = sandbox.client, ask(
            sandbox, "/oauth/token", "POST", "grant_type=client_credentials",
            Authorization=basic("sandbox-client", "sandbox-secret"),
        )[1]["access_token"]  # fmt: skip
        sandbox.fault = "slow"
        sandbox.script(Reply(500))
        sandbox.reset()
        assert sandbox.fault == "unavailable"
        assert not sandbox.requests
        assert ask(sandbox, invoices_of("1000000003"), Authorization=f"Bearer {token}")[0] == 401
        with pytest.raises(errors.ConfigurationError, match="closed"):
            client.billing.get_account_invoices("1000000003")
        assert sandbox.client.billing.get_account_invoices("1000000003").total == 1
    assert lines[-2:] == [
        f"GET {invoices_of('1000000003')} 503 (unavailable)", f"GET {invoices_of('1000000003')} 200 (unavailable)"
    ]  # fmt: skip


def corrected(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The contract after a correction that the README asks users to make."""
    contract = document()
    change(contract)
    return contract


def test_it_follows_a_corrected_contract() -> None:
    schemes = corrected(
        lambda contract: contract["components"]["securitySchemes"]["HeaderKey"].update(name="X-Corrected")
    )
    with Sandbox(contract=schemes) as sandbox:
        assert ask(sandbox, invoices_of("1000000003"), **{"X-Corrected": "sandbox-key"})[0] == 200
        assert "export TALKDESK_BRIDGE_API_KEY_HEADER=X-Corrected" in sandbox.describe()

    def only_a_key(contract: dict[str, Any]) -> None:
        del contract["components"]["securitySchemes"]["OAuth2"]
        contract["paths"][PATH]["get"]["security"] = [{"HeaderKey": []}]

    with Sandbox(contract=corrected(only_a_key)) as sandbox:
        assert sandbox.token_url == ""
        assert "OAuth" not in sandbox.describe()

    def without_page(contract: dict[str, Any]) -> None:
        operation = contract["paths"][PATH]["get"]
        operation["parameters"] = [parameter for parameter in operation["parameters"] if parameter["name"] != "page"]

    with Sandbox(contract=corrected(without_page)) as sandbox:
        assert len(list(sandbox.client.billing.iter_account_invoices("1000000001"))) == 137
        assert [seen.target.partition("?")[2] for seen in sandbox.requests] == [
            "",
            "cursor=2",
            "cursor=3",
        ]
        assert ask(sandbox, invoices_of("1000000001") + "?cursor=x", **KEY)[0] == 400
    with Sandbox(contract=corrected(without_page), paging="pages") as sandbox:
        _, body = ask(sandbox, invoices_of("1000000001"), **KEY)
        assert (len(body["_embedded"]["invoices"]), "_links" in body) == (137, False)


@pytest.mark.parametrize(("paging", "requests", "linked"), [("links", 3, True), ("pages", 3, False), ("all", 1, False)])
def test_the_three_ways_of_paging(paging: Any, requests: int, linked: bool) -> None:
    with Sandbox(paging=paging) as sandbox:
        assert len(list(sandbox.client.billing.iter_account_invoices("1000000001"))) == 137
        assert len(sandbox.requests) == requests
        assert ("_links" in ask(sandbox, invoices_of("1000000001"), **KEY)[1]) is linked


def test_it_serves_an_operation_without_a_list() -> None:
    def more(contract: dict[str, Any]) -> None:
        operation = copy.deepcopy(contract["paths"][PATH]["get"])
        (name,) = re.findall(r"{(.*?)}", PATH)
        operation["parameters"] = [{"name": name, "in": "path", "required": True, "schema": {}, "example": "C-1"}]
        claim = {"schema": {"type": "object"}, "example": {"claim_id": "C-1"}}
        gone = {"schema": {"$ref": "#/components/schemas/ErrorInfo"}, "example": {"status": 410, "errorCode": "GONE"}}
        operation["responses"] = {
            "200": {"description": "OK", "content": {"application/json": claim}},
            "4XX": {"description": "Error", "content": {"application/json": gone}},
        }
        contract["paths"] = {PATH: {"get": operation}}

    with Sandbox(contract=corrected(more)) as sandbox:
        assert ask(sandbox, invoices_of("C-1"), **KEY) == (200, {"claim_id": "C-1"})
        status, body = ask(sandbox, invoices_of("C-2"), **KEY)
        assert (status, body) == (404, {"status": 404, "errorCode": "NOT_FOUND"})
        status, body = ask(sandbox, invoices_of("C-1"))
        assert (status, body) == (401, {"status": 401, "errorCode": "UNAUTHORIZED"})


def no_swagger_ui(name: str) -> Any:
    raise importlib.metadata.PackageNotFoundError(name)


@pytest.mark.parametrize("missing", ["uvicorn", "flask-swagger-ui"])
def test_a_missing_extra_is_named_in_one_sentence(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("talkdesk_bridge_sandbox")]:
        monkeypatch.delitem(sys.modules, module)
    if missing == "uvicorn":
        monkeypatch.setitem(sys.modules, missing, None)
    else:
        monkeypatch.setattr(importlib.metadata, "distribution", no_swagger_ui)
    message = "talkdesk_bridge_sandbox needs more packages: install talkdesk-bridge[sandbox] from your package index"
    with pytest.raises(ModuleNotFoundError, match=re.escape(message)):
        importlib.import_module("talkdesk_bridge_sandbox")

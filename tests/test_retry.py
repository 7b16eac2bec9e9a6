"""Retries: the policy by itself, and against servers that fail for a while."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from talkdesk_bridge import AsyncBridgeClient, Attempt, BridgeClient, OAuth2ClientCredentials, Retry, errors
from talkdesk_bridge_api.types import Body, Operation, read_nothing

from tests.conftest import Listing, Scripted, Server, as_json, invoices_of, page

GOOD = as_json(page(1))
TOKEN = as_json({"access_token": "t", "token_type": "Bearer", "expires_in": 599})


class Time:
    """A clock that moves only by sleeping; `slept` keeps the waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def options(self, **policy: Any) -> dict[str, Any]:
        return {"clock": lambda: self.now, "sleep": self.sleep, "retry": Retry(**policy)}


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(autouse=True)
def _longest_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each wait as long as its limit."""
    monkeypatch.setattr(random, "uniform", lambda low, high: high)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_status_that_is_retried(server: Server, listing: Listing, time: Time, status: int) -> None:
    server.respond_with(as_json({}, status), as_json({}, status), as_json({}, status), GOOD)
    assert len(listing(server.url, options=time.options())) == 1
    assert len(server.seen) == 4
    assert time.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 499, 501, 505, 520])
def test_a_status_that_is_not_retried(server: Server, listing: Listing, time: Time, status: int) -> None:
    server.respond_with(as_json({}, status), GOOD)
    with pytest.raises(errors.StatusError, match=f"returned {status}") as caught:
        listing(server.url, options=time.options())
    assert "Tried" not in str(caught.value)
    assert (len(server.seen), time.slept) == (1, [])


def test_it_gives_up_after_four_attempts_and_says_so(server: Server, listing: Listing, time: Time) -> None:
    server.respond_with(as_json({"userMessage": "Later."}, 503))
    with pytest.raises(errors.ServerError, match=r"503 Service Unavailable: Later\. Tried 4 times\.$"):
        listing(server.url, options=time.options())
    assert len(server.seen) == 4


def test_no_attempt_begins_after_the_time_is_over(server: Server, listing: Listing, time: Time) -> None:
    server.respond_with(as_json({}, 503))
    with pytest.raises(errors.ServerError, match="Tried 4 times"):
        listing(server.url, options=time.options(attempts=10, backoff=2.0, backoff_max=5.0, seconds=11.0))
    assert time.slept == [2.0, 4.0, 5.0]
    with pytest.raises(errors.ServerError, match=r"503 Service Unavailable\.$"):
        listing(server.url, options=time.options(seconds=0.4))


@pytest.mark.parametrize(
    ("asked", "slept"),
    [("7", 7.0), ("0", 0.5), ("30", 30.0), ("1.5", 1.5), ("7.0", 7.0), (".75", 0.75), ("soon", 0.5), ("-3", 0.5), ("1,5", 0.5), ("1e9", 0.5)],
)  # fmt: skip
def test_retry_after_in_seconds(server: Server, listing: Listing, time: Time, asked: str, slept: float) -> None:
    server.respond_with(as_json({}, 429, Retry_After=asked), GOOD)
    assert len(listing(server.url, options=time.options())) == 1
    assert time.slept == [slept]


MOMENTS: dict[str, Callable[[float], str]] = {
    "a date": lambda at: format_datetime(datetime.fromtimestamp(at, UTC), usegmt=True),
    "a date with an offset": lambda at: format_datetime(datetime.fromtimestamp(at, timezone(timedelta(hours=2)))),
    "a date without a zone": lambda at: format(datetime.fromtimestamp(at, UTC), "%a, %d %b %Y %H:%M:%S"),
    "a date in an unknown zone": lambda at: format(datetime.fromtimestamp(at, UTC), "%a, %d %b %Y %H:%M:%S XYZ"),
    "a date as asctime writes it": lambda at: format(datetime.fromtimestamp(at, UTC), "%a %b %d %H:%M:%S %Y"),
    "seconds since 1970": lambda at: f"{at:.0f}",
    "seconds since 1970 with a fraction": lambda at: f"{at:.3f}",
    "milliseconds since 1970": lambda at: f"{at * 1000:.0f}",
}
"""Ways to write a moment, which is given in seconds since 1970."""


@pytest.mark.parametrize("form", MOMENTS)
def test_retry_after_as_a_moment(server: Server, listing: Listing, time: Time, form: str) -> None:
    asked = MOMENTS[form](datetime.now(UTC).timestamp() + 20)
    server.respond_with(as_json({}, 503, Retry_After=asked), GOOD)
    assert len(listing(server.url, options=time.options())) == 1
    assert time.slept == [pytest.approx(20, abs=2)]


NO_DELAYS = [
    *((form, after) for form in [*MOMENTS][2:] for after in (40, 7200, 10**9)),  # the first two are certain
    *((form, after) for form in MOMENTS for after in (-1, -7200, 10**8)),
]


@pytest.mark.parametrize(("form", "after"), NO_DELAYS)
def test_what_can_be_no_delay_is_ignored(server: Server, listing: Listing, time: Time, form: str, after: int) -> None:
    asked = MOMENTS[form](datetime.now(UTC).timestamp() + after)
    server.respond_with(as_json({}, 429, Retry_After=asked), GOOD)
    assert len(listing(server.url, options=time.options())) == 1
    assert time.slept == [0.5]


@pytest.mark.parametrize("asked", ["1000000000", "99999999999", "9" * 400, "31622401", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_more_than_a_year_is_no_delay(server: Server, listing: Listing, time: Time, asked: str) -> None:
    server.respond_with(as_json({}, 429, Retry_After=asked))
    with pytest.raises(errors.TooManyRequestsError, match=r"Tried 2 times\.$") as caught:
        listing(server.url, options=time.options(attempts=2))
    assert caught.value.retry_after is None


def test_a_longer_ceiling_reaches_later_moments(server: Server, listing: Listing, time: Time) -> None:
    at = datetime.now(UTC).timestamp() + 300
    server.respond_with(as_json({}, 429, Retry_After=MOMENTS["seconds since 1970"](at)), GOOD)
    listing(server.url, options=time.options(seconds=1000.0, retry_after_max=400.0))
    assert time.slept == [pytest.approx(300, abs=2)]


@pytest.mark.parametrize("form", ["a date", "a date with an offset"])
def test_a_date_above_the_ceiling_fails_at_once(server: Server, listing: Listing, time: Time, form: str) -> None:
    asked = MOMENTS[form](datetime.now(UTC).timestamp() + 7200)
    server.respond_with(as_json({}, 429, Retry_After=asked), GOOD)
    with pytest.raises(errors.TooManyRequestsError, match=r"Retry after 7(200|19\d) s\.$"):
        listing(server.url, options=time.options())
    assert time.slept == []


@pytest.mark.parametrize(("asked", "says"), [("31", "31"), ("30.2", "31"), ("31622400", "31622400")])
def test_retry_after_above_the_ceiling_fails_at_once(
    server: Server, listing: Listing, time: Time, asked: str, says: str
) -> None:
    server.respond_with(as_json({}, 429, Retry_After=asked), GOOD)
    with pytest.raises(errors.TooManyRequestsError, match=rf"Retry after {says} s\.$") as caught:
        listing(server.url, options=time.options())
    assert caught.value.retry_after == float(asked)
    assert (len(server.seen), time.slept) == (1, [])


def test_no_account_is_lost_by_a_moment_that_is_taken_for_a_delay(server: Server) -> None:
    """12 accounts, of which one is asked once to come back in 1,000,000,000 seconds."""
    left = [as_json({}, 429, Retry_After="1000000000"), GOOD, GOOD]
    server.script = lambda method, target: left.pop() if left else GOOD
    with BridgeClient(server.url, retry=Retry(backoff=0.01)) as bridge:
        results = dict(bridge.each(bridge.billing.get_account_invoices, map(str, range(12)), at_once=2))
    assert len(results) == 12
    assert not [one for one in results.values() if isinstance(one, Exception)]


def test_retry_after_beyond_the_remaining_time(server: Server, listing: Listing, time: Time) -> None:
    server.respond_with(as_json({}, 503, Retry_After="20"))
    with pytest.raises(errors.ServerError, match=r"Tried 2 times\. Retry after 20 s"):
        listing(server.url, options=time.options())
    assert time.slept == [20.0]


def test_a_refused_connection_is_retried(listing: Listing, time: Time) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(errors.NotSentError, match="Tried 4 times"):
        listing(f"http://127.0.0.1:{port}", options=time.options())
    assert time.slept == [0.5, 1.0, 2.0]


@pytest.fixture
def dropping(server: Server) -> list[str]:
    """Makes the server hang up once for each entry of the list."""
    drops = ["drop"]

    def script(method: str, target: str) -> Scripted:
        if drops:
            drops.pop()
            raise ConnectionAbortedError
        return GOOD

    server.script = script
    return drops


def test_a_lost_connection_is_retried(server: Server, dropping: list[str], listing: Listing, time: Time) -> None:
    assert len(listing(server.url, options=time.options())) == 1
    assert len(server.seen) == 2
    dropping[:] = ["drop"] * 4
    with pytest.raises(errors.NoResponseError, match=r"no complete response .* Tried 4 times"):
        listing(server.url, options=time.options())


@pytest.mark.parametrize(
    ("method", "requests"),
    [("GET", 4), ("PUT", 4), ("DELETE", 4), ("HEAD", 4), ("OPTIONS", 4), ("POST", 1), ("PATCH", 1)],
)
def test_only_idempotent_methods_are_retried(server: Server, time: Time, method: str, requests: int) -> None:
    operation = Operation[None](
        operation_id="op", method=method, path="/x", request=lambda: {"method": method, "url": "/x"},
        bodies=(Body(204, 204, "nothing", read_nothing),),
    )  # fmt: skip
    handler: Any = server._server.RequestHandlerClass
    for name in ("do_PUT", "do_DELETE", "do_HEAD", "do_OPTIONS", "do_PATCH"):
        setattr(handler, name, handler.do_GET)
    server.respond_with((503, {}, b""))
    with BridgeClient(server.url, **time.options()) as bridge, pytest.raises(errors.ServerError):
        bridge._caller.call(operation, {})
    assert [asked for asked, *_ in server.seen] == [method] * requests


def test_a_hook_and_the_log_see_every_attempt(
    server: Server, listing: Listing, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Set_Cookie": "s3cret", "X_Request_Id": "r-1", "Retry_After": "1"}
    server.respond_with(as_json({}, 503, **headers), GOOD)
    seen: list[Attempt] = []
    with caplog.at_level(logging.DEBUG, "talkdesk_bridge"):
        listing(server.url, per_page=5, options=time.options(on_attempt=seen.append))
    first, second = seen
    assert (first.operation, first.method, first.path) == ("get_account_invoices", "GET", invoices_of("1"))
    assert (first.number, first.status, first.error, first.wait, first.seconds) == (1, 503, None, 1.0, 0.0)
    assert {*first.headers} == {"Content-Type", "Content-Length", "Date", "Retry-After", "X-Request-Id"}
    assert (second.number, second.status, second.wait) == (2, 200, None)
    logged = [record.getMessage() for record in caplog.records if record.name == "talkdesk_bridge"]
    assert logged == [str(first), str(second)]
    assert "s3cret" not in caplog.text

    seen.clear()
    with pytest.raises(errors.NotSentError, match=r"no connection to http://127\.0\.0\.1:1 \([^)]+\)\.$"):
        listing("http://127.0.0.1:1", options=time.options(attempts=1, on_attempt=seen.append))
    assert [(one.status, one.error, dict(one.headers)) for one in seen] == [(None, "NotSentError", {})]


def test_pages_already_read_are_not_requested_again(server: Server, listing: Listing, time: Time) -> None:
    server.respond_with(
        page(1, following="?c=2"), as_json({}, 503), page(2, following="?c=3"), as_json({}, 429), page(3)
    )
    assert [invoice.invoice_number for invoice in listing(server.url, options=time.options())] == ["1", "2", "3"]
    assert len(server.seen) == 5


def test_a_token_server_that_fails_for_a_while(server: Server, listing: Listing, time: Time) -> None:
    auth = OAuth2ClientCredentials(f"{server.url}/token", "id", "secret")
    server.respond_with(as_json({}, 503), TOKEN, GOOD)
    assert len(listing(server.url, auth, options=time.options())) == 1
    assert [method for method, *_ in server.seen] == ["POST", "POST", "GET"]
    server.respond_with(as_json({"error": "temporarily_unavailable"}, 503))
    with pytest.raises(errors.AuthenticationError, match="503: temporarily_unavailable"):
        listing(server.url, auth, options=time.options())


def test_a_token_server_that_cannot_be_reached(server: Server, listing: Listing, time: Time) -> None:
    auth = OAuth2ClientCredentials("http://127.0.0.1:1/token", "id", "secret")
    with pytest.raises(
        errors.AuthenticationError, match=r"No token could be fetched\. POST /token: no connection to"
    ) as caught:
        listing(server.url, auth, options=time.options())
    assert isinstance(caught.value.__cause__, errors.NotSentError)
    assert server.seen == []


@pytest.mark.parametrize(
    ("failing", "why"),
    [
        (as_json({"error": "down"}, 503), "returned 503: down"),
        ((200, {}, b"<html>"), "returned no usable access_token."),
    ],
)
def test_a_token_stays_in_use_if_it_cannot_be_renewed(
    server: Server, time: Time, failing: Scripted, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A token for 599 s is renewed from second 479 on, and used until second 569."""
    tokens = [TOKEN]
    server.script = lambda method, target: tokens[0] if method == "POST" else GOOD
    auth = OAuth2ClientCredentials(f"{server.url}/token", "id", "secret")

    def asked() -> list[str]:
        methods = [method for method, *_ in server.seen]
        server.seen.clear()
        return methods

    with BridgeClient(server.url, auth=auth, **time.options()) as bridge:
        bridge.billing.get_account_invoices("1")
        assert asked() == ["POST", "GET"]
        tokens[0] = failing
        time.now += 479
        bridge.billing.get_account_invoices("1")
        assert asked() == ["POST", "GET"]  # one attempt, without a wait
        assert time.slept == []
        message = f"Token renewal failed; the current token stays in use until it expires: The token server {server.url}/token {why}"
        assert caplog.messages == [message]
        bridge.billing.get_account_invoices("1")
        assert asked() == ["GET"]
        time.now += 5
        bridge.billing.get_account_invoices("1")
        assert asked() == ["POST", "GET"]
        time.now += 85
        with pytest.raises(errors.AuthenticationError):
            bridge.billing.get_account_invoices("1")
        assert "GET" not in asked()
        tokens[0] = TOKEN
        bridge.billing.get_account_invoices("1")
        assert asked() == ["POST", "GET"]


def test_the_async_client_awaits_its_sleep(server: Server) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def run() -> None:
        async with AsyncBridgeClient(server.url, sleep=sleep) as bridge:
            await bridge.billing.get_account_invoices("1")

    server.respond_with(as_json({}, 503), GOOD)
    asyncio.run(run())
    assert slept == [0.5]


@pytest.mark.parametrize("blocking", [True, False])
def test_the_default_sleep_really_waits(server: Server, blocking: bool) -> None:
    server.respond_with(as_json({}, 503), GOOD)
    policy = Retry(backoff=0.05)
    seen: list[Attempt] = []
    if blocking:
        with BridgeClient(server.url, retry=Retry(backoff=0.05, on_attempt=seen.append)) as bridge:
            bridge.billing.get_account_invoices("1")
    else:

        async def run() -> None:
            async with AsyncBridgeClient(server.url, retry=Retry(backoff=0.05, on_attempt=seen.append)) as bridge:
                await bridge.billing.get_account_invoices("1")

        asyncio.run(run())
    assert [one.wait for one in seen] == [policy.backoff, None]


def test_waits_are_random(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    policy = Retry()
    for number, bound in ((1, 0.5), (2, 1.0), (3, 2.0)):
        waits = [policy.wait(number, 0.0, None) for _ in range(200)]
        assert all(wait is not None and 0 <= wait <= bound for wait in waits)
        assert max(filter(None, waits)) > bound * 0.8
        assert min(filter(None, waits)) < bound * 0.2
    assert policy.wait(4, 0.0, None) is None
    assert Retry(attempts=1).wait(1, 0.0, None) is None


def test_a_wait_may_end_exactly_at_the_limit() -> None:
    policy = Retry(attempts=10**6)
    assert (policy.wait(1, 29.5, None), policy.wait(1, 29.6, None)) == (0.5, None)
    assert (policy.wait(1, 0.0, 30.0), policy.wait(1, 0.1, 30.0)) == (30.0, None)
    assert policy.wait(10**5, 0.0, None) == 8.0
    patient = Retry(seconds=1000.0)
    assert (patient.wait(1, 0.0, 30.0), patient.wait(1, 0.0, 31.0)) == (30.0, None)


@pytest.mark.parametrize(
    "wrong",
    [{"attempts": 0}, {"attempts": 1.5}, {"seconds": -1}, {"backoff": "1"}, {"backoff_max": None}, {"retry_after_max": -1},
     {"statuses": {503}}, {"statuses": frozenset({"503"})}, {"statuses": frozenset({299})}, {"statuses": frozenset({1000})}, {"on_attempt": 5}],
)  # fmt: skip
def test_an_invalid_policy(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(errors.ConfigurationError, match=f"^{name} must be "):
        Retry(**wrong)


def test_a_policy_is_a_value() -> None:
    assert Retry(statuses=frozenset({300, 999})) != Retry()
    assert Retry() == Retry(statuses=frozenset({408, 429, 500, 502, 503, 504}))
    assert hash(Retry()) == hash(Retry(attempts=4))
    assert Retry(attempts=2) != Retry()

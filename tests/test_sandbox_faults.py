"""The sandbox's faults against the real client: the client does what the list of faults says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import frozen
from talkdesk_bridge import BridgeClient, Deviation, Retry, errors
from talkdesk_bridge.models import InvoiceDetails
from talkdesk_bridge_cli.exit import status_of
from talkdesk_bridge_sandbox import ACCOUNTS, FAULTS, Fault, Sandbox, _faults

from tests.conftest import ROOT

NAMES = [fault.name for fault in FAULTS]


@frozen
class Expected:
    """The expected result of a fault."""

    requests: int
    """The number of requests for the 60 invoices of two pages."""
    items: int = 60
    error: type[errors.BridgeError] | None = None
    deviations: tuple[str, ...] = ()
    """The places of the deviations."""


ITEM = "$._embedded.invoices[*]"
EXPECTED = {
    "rate-limited": Expected(4),
    "unavailable": Expected(4),
    "html-error": Expected(4, 0, errors.ServerError),
    "expired-token": Expected(4),
    "slow": Expected(2),
    "cut-off": Expected(4),
    "null-fields": Expected(2, deviations=(f"{ITEM}.invoice_bill_date", f"{ITEM}.paid_amount", f"{ITEM}.status")),
    "numbers": Expected(2, deviations=(f"{ITEM}.amount", f"{ITEM}.invoice_number", f"{ITEM}.paid_amount")),
    "bad-dates": Expected(2, deviations=(f"{ITEM}.invoice_bill_date", f"{ITEM}.invoice_due_date")),
    "unknown-fields": Expected(2),
    "bare-list": Expected(3, deviations=("$", "$.total")),
    "error-as-success": Expected(1, 0, errors.ContractError),
    "login-page": Expected(1, 0, errors.ContractError),
    "link-loop": Expected(1, 50, errors.PagingError),
    "link-elsewhere": Expected(1, 50, errors.PagingError),
    "total-too-large": Expected(2, 60, errors.IncompleteError),
    "total-too-small": Expected(2, deviations=("$.total",)),
}


@pytest.fixture(autouse=True)
def _shorter_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_faults, "SLOW", 0.3)


def listed(sandbox: Sandbox, account: str, **options: Any) -> tuple[list[InvoiceDetails], Any, list[Deviation]]:
    """The items of an account, the error that ended the list, and the deviations."""
    items: list[InvoiceDetails] = []
    deviations: list[Deviation] = []
    defaults: dict[str, Any] = {"retry": Retry(backoff=0.0), "on_deviation": deviations.append}
    with BridgeClient.from_env(sandbox.environ, **defaults | options) as bridge:
        try:
            for item in bridge.billing.iter_account_invoices(account):
                items.append(item)
        except errors.BridgeError as error:
            return items, error, deviations
    return items, None, deviations


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(accept="oauth2") as sandbox:
        yield sandbox


@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_the_account_of_a_fault(running: Sandbox, fault: Fault) -> None:
    running.reset()
    check(running, fault, fault.account)


# A fault does the same for every account, so one fault of each form is enough.
@pytest.mark.parametrize("name", ["unavailable", "null-fields", "bare-list", "total-too-large"])
def test_a_fault_of_all_accounts(running: Sandbox, name: str) -> None:
    running.reset()
    running.fault = name
    check(running, next(fault for fault in FAULTS if fault.name == name), "1000000005")


def check(sandbox: Sandbox, fault: Fault, account: str) -> None:
    expected = EXPECTED[fault.name]
    items, error, deviations = listed(sandbox, account)
    paths = [seen for seen in sandbox.requests if not seen.target.startswith("/oauth")]
    assert (len(items), type(error), len(paths)) == (expected.items, expected.error or type(None), expected.requests)
    assert {*expected.deviations} <= {deviation.place for deviation in deviations}
    assert bool(deviations) == bool(expected.deviations)
    # The list of faults says the same.
    named = re.search(r"(\w+Error) \(exit (\d)\)", fault.outcome.rpartition("else")[2] if error else "")
    assert bool(named) == bool(error)
    if named:
        assert (named[1], int(named[2])) == (type(error).__name__, status_of(error))
    assert ("deviation" in fault.outcome) == bool(deviations)


def test_an_expired_key_and_a_short_timeout(sandbox: Sandbox) -> None:
    for _ in range(2):  # an expired key stays expired
        _, error, _ = listed(sandbox, "2000000004")
        assert (type(error), status_of(error)) == (errors.UnauthorizedError, 3)
    _, error, _ = listed(sandbox, "2000000005", timeout=(5, 0.1), retry=Retry(attempts=1))
    assert (type(error), status_of(error)) == (errors.NoResponseError, 5)


def test_an_expired_token_is_renewed(running: Sandbox) -> None:
    running.reset()
    list(running.client.billing.iter_account_invoices("2000000004"))
    tokens = [seen.target for seen in running.requests if seen.target.startswith("/oauth")]
    assert len(tokens) == 3  # the first one, and a new one for each page


def test_unknown_fields_are_kept_and_no_request_goes_to_another_host(sandbox: Sandbox) -> None:
    items, _, _ = listed(sandbox, "2000000010")
    assert all(item["x_of_this_bridge"] == {"since": "2023-07-01"} for item in items)
    _, error, _ = listed(sandbox, "2000000015")
    assert "another host" in str(error)


def test_a_fault_leaves_error_responses_and_other_faults_unchanged(sandbox: Sandbox) -> None:
    """An account with its own fault keeps that fault; error responses stay the same."""
    sandbox.fault = "html-error"
    items, error, _ = listed(sandbox, "2000000002")
    assert (len(items), error) == (60, None)
    _, error, _ = listed(sandbox, "9999999999")
    assert isinstance(error, errors.NotFoundError)


def test_every_fault_is_tested_and_has_its_own_account() -> None:
    assert EXPECTED.keys() == {*NAMES}
    numbers = [*ACCOUNTS, *(fault.account for fault in FAULTS)]
    assert len({*numbers}) == len(numbers)
    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    rows = [f"| `{fault.name}` | `{fault.account}` | {fault.about} | {fault.outcome} |" for fault in FAULTS]
    assert [line for line in page.splitlines() if re.match(r"\| `[a-z-]+` \| `2", line)] == rows

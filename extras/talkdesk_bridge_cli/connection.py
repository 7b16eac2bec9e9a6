"""The checks of settings and connection for `doctor`: proxies, certificates, variables, bridge, token, response."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from logging.handlers import BufferingHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from talkdesk_bridge import VARIABLES, BridgeClient, Deviation, NoAuth, Retry, errors

from talkdesk_bridge_cli.account import account_invoices
from talkdesk_bridge_cli.checks import CheckResult, in_words
from talkdesk_bridge_cli.exit import CommandError, counted, status_of

PROXIES = [each for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "HTTP_PROXY") for each in (name, name.lower())]
MOST_WARNINGS = 10_000
"""More than reading two pages logs."""
HELP = "'talkdesk-bridge invoices --help' lists the variables of each credential."
REMEDIES = {
    2: "Give an existing account with --account.",
    3: "Check the credential, and ask the bridge's operator what it may access.",
    4: "Check the account number, and the path in TALKDESK_BRIDGE_URL.",
    5: "Try again later. If it still fails, ask the bridge's operator.",
    6: "Ask the bridge's operator why the response differs from openapi.json in the package talkdesk_bridge_api.",
    7: "If the bridge's next links are wrong, --paging numbers reads lists without them.",
}
"""How to fix an error, by its exit status."""


def connection_checks(account: str | None, timeout: float, *, offline: bool) -> Iterator[tuple[str, CheckResult]]:
    """The name and the result of each check.

    Args:
        account: The account to check a response with; None to skip that check.
        timeout: Seconds to wait for a connection, and for each read of a response.
        offline: Whether to send no requests.

    """
    names = [name for name in PROXIES if os.environ.get(name)]
    text = f"Set: {in_words(names)}. Proxies are used for https URLs only." if names else "No proxy is set."
    yield "proxies", CheckResult("good", text)
    source = next((name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)), "the package certifi")
    yield "certificates", CheckResult("good", f"Trusted certificates come from {source}.")
    deviations: list[Deviation] = []
    options: Any = {"timeout": (timeout, timeout), "deadline": 4 * timeout, "retry": Retry(attempts=1)}
    try:
        client = BridgeClient.from_env(on_deviation=deviations.append, **options)
    except errors.ConfigurationError as error:
        yield "variables", _variables(None, _redacted(str(error)))
        yield from ((name, _skipped("the variables are invalid")) for name in ("bridge", "token", "response"))
        return
    with client, BridgeClient(client.base_url, **options) as anonymous:
        yield "variables", _variables(client, "")
        if offline:
            yield from ((name, _skipped("--offline was given")) for name in ("bridge", "token", "response"))
            return
        bridge, token = _bridge(anonymous, account), _token(client)
        yield from (("bridge", bridge), ("token", token))
        if account is None:
            yield "response", _skipped("no account was given", "Give one: talkdesk-bridge doctor --account NUMBER")
        elif "bad" in (bridge.status, token.status):
            yield "response", _skipped("there is no token" if token.status == "bad" else "the bridge does not respond")
        else:
            yield "response", _response(client, account, deviations)


def _skipped(reason: str, remedy: str = "") -> CheckResult:
    return CheckResult("skipped", f"Not checked: {reason}.", remedy)


def _variables(client: BridgeClient | None, error: str) -> CheckResult:
    """The variables that are set, and whether they are valid; if not, `client` is None and `error` says why."""
    names = [name for name in VARIABLES if os.environ.get(name)]
    found = f"Set: {in_words(names)}." if names else "None of the client's variables is set."
    text = f"{error} {found}".lstrip()
    unknown = []
    for name in sorted(name for name in os.environ if _is_ours(name) and name not in VARIABLES):
        near = get_close_matches(name.upper(), VARIABLES, 1, 0.9)
        unknown.append(f"{name} ({near[0]}?)" if near else name)
    if unknown:
        text = f"{text} Unknown: {in_words(unknown)}."
    if not client:
        return CheckResult("bad", text, f"Set, correct or unset the variables that this names. {HELP}", 2)
    if unknown:
        return CheckResult("warning", text, "Rename or unset the unknown variables: the client ignores them.")
    if isinstance(client.auth, NoAuth):
        return CheckResult("warning", f"{text} No credential is set.", f"Set one, unless the bridge needs none. {HELP}")
    return CheckResult("good", f"{text} Credential: {type(client.auth).__name__}.")


def _bridge(anonymous: BridgeClient, account: str | None) -> CheckResult:
    """Whether the bridge responds to a request without a credential."""
    try:
        next(account_invoices().items(anonymous, account or "0", max_pages=1), None)
    except CommandError as error:
        return _skipped(str(error).rstrip("."))
    except (errors.NotSentError, errors.NoResponseError) as error:
        return _failed(error, "TALKDESK_BRIDGE_URL")
    except errors.StatusError as error:
        text = f"The bridge returned {error.status_code} to a request without a credential."
        if error.status_code in (502, 503, 504):
            return CheckResult("warning", f"{text} A gateway returns this if the bridge is down.", REMEDIES[5])
        return CheckResult("good", text)
    except errors.ArgumentError:
        return _skipped("the account number is invalid")
    except errors.BridgeError:
        pass  # the check `response` reports it
    return CheckResult("good", "The bridge responded to a request without a credential.")


def _token(client: BridgeClient) -> CheckResult:
    """Whether the token server issues a token, if the credential needs one."""
    if not hasattr(client.auth, "token_url"):
        return _skipped(f"{type(client.auth).__name__} needs no token")
    try:
        client.authenticate()
    except errors.BridgeError as error:
        return _failed(error, "TALKDESK_BRIDGE_TOKEN_URL")
    return CheckResult("good", "The token server issued a token.")


def _response(client: BridgeClient, account: str, deviations: list[Deviation]) -> CheckResult:
    """Whether the bridge's response matches the contract, and leads to the next page if there is one."""
    counts: list[int] = []
    warnings = BufferingHandler(MOST_WARNINGS)
    logging.getLogger("talkdesk_bridge").addHandler(warnings)
    try:
        wanted = account_invoices()
        items = wanted.items(client, account, max_pages=2)
        for _ in items.pages(restart=counts.clear):
            counts.append(len(wanted.shape.found(items.response.data) or []))
    except CommandError as error:
        return _skipped(str(error).rstrip("."))
    except errors.BridgeError as error:
        status = status_of(error)
        return CheckResult("bad", _redacted(str(error)), REMEDIES.get(status, "Ask the bridge's operator."), status)
    finally:
        logging.getLogger("talkdesk_bridge").removeHandler(warnings)
    text = f"Read {counted(len(counts), 'page')} with {counted(sum(counts), 'invoice')}"
    messages = [record.getMessage() for record in warnings.buffer]
    faults, remedies = [_redacted(text) for text in messages if text.startswith("Next links ")], []
    if faults:
        remedies.append("Ask the bridge's operator to write links with the address that clients use.")
    if deviations:
        places = dict.fromkeys(f"expected {one.documented} at {one.place}, got {one.seen}" for one in deviations)
        faults.append(f"Deviations from the contract: {'; '.join(places)}.")
        remedies.append("Report them to the bridge's operator. Without --strict, the client accepts such responses.")
    if faults:
        return CheckResult("warning", f"{text}. {' '.join(faults)}", " ".join(remedies))
    return CheckResult("good", f"{text}; everything matches the contract.")


def _failed(error: errors.BridgeError, variable: str) -> CheckResult:
    """The failed check for an error of the connection or of the token server."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        remedy = f"Set SSL_CERT_FILE to the authority that signed the certificate, and check the host in {variable}."
    elif "no connection" in text:
        remedy = f"Check scheme, host and port in {variable}, and this machine's DNS, proxies and firewall."
    else:
        remedy = f"Check {variable}, the server there, and the credential. {HELP}"
    return CheckResult("bad", _redacted(text), remedy, status_of(error))


def _is_ours(name: str) -> bool:
    return name.upper().startswith("TALKDESK_BRI")  # shorter than our prefix, to find misspelt names too


def _redacted(text: str) -> str:
    """The message, with each value of our variables, and each part of a URL in one, replaced by the variable's name."""
    names: dict[str, str] = {}
    for name, value in os.environ.items():
        if _is_ours(name) or name in PROXIES:
            names |= dict.fromkeys(_parts(value), name)
    # Longest first, because one part may contain another; whole words only, because a short part may occur in a word.
    parts = sorted(filter(None, names), key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w)({re.escape(part)})(?!\w)" for part in parts) or "(?!)"
    return re.sub(pattern, lambda found: f"[{names[parts[(found.lastindex or 0) - 1]]}]", text, flags=re.IGNORECASE)


def _parts(value: str) -> list[str]:
    """A value and, if it is a URL, the parts of it that a message might show."""
    try:
        url = urlsplit(value)
        user = [url.username or "", url.password or "", url.hostname or "", url.netloc, f"{url.scheme}://{url.netloc}"]
    except ValueError:
        return [value]
    path = url.path.strip("/") if url.scheme else ""
    return [value, *user, path, url.query, *(text for _, text in parse_qsl(url.query))]

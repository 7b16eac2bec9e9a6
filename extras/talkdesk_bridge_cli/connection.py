"""What `doctor` finds of the settings and the connection: proxies, certificates, variables, bridge, token, response."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from talkdesk_bridge import VARIABLES, BridgeClient, Deviation, NoAuth, Retry, errors

from talkdesk_bridge_cli.exit import status_of
from talkdesk_bridge_cli.findings import Finding, listed

__all__ = ["connection"]

PROXIES = [form for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "HTTP_PROXY") for form in (name, name.lower())]
HELP = "'talkdesk-bridge invoices --help' lists the variables of each credential."
REMEDIES = {
    2: "Name an account that exists, with --account.",
    3: "Check the credential, and ask the bridge's host what it may do.",
    4: "Check the account, and the path in TALKDESK_BRIDGE_URL.",
    5: "Try again later; if it stays, ask the bridge's host.",
    6: "Ask the bridge's host: openapi.json, in the folder of the generated package, says what must come.",
}
"""What to do about an error, by its exit status."""


def connection(account: str | None, timeout: float, *, offline: bool) -> Iterator[tuple[str, Finding]]:
    """The findings, by the names of the checks.

    Args:
        account: The number of an account to ask for; None for none.
        timeout: Seconds to wait for a connection, and for each read of a response.
        offline: Whether to send nothing.

    """
    names = [name for name in PROXIES if os.environ.get(name)]
    yield "proxies", Finding("good", f"Set: {listed(names)}; for https only." if names else "No variable names one.")
    names = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)][:1]
    yield "certificates", Finding("good", f"Those that {names[0]} names." if names else "Those of the package certifi.")
    deviations: list[Deviation] = []
    options: Any = {"timeout": (timeout, timeout), "deadline": 4 * timeout, "retry": Retry(attempts=1)}
    try:
        client = BridgeClient.from_env(on_deviation=deviations.append, **options)
    except errors.ConfigurationError as error:
        yield "variables", _variables(None, _redacted(str(error)))
        yield from ((name, _skipped("the variables make no client")) for name in ("bridge", "token", "response"))
        return
    with client, BridgeClient(client.base_url, **options) as anonymous:
        yield "variables", _variables(client, "")
        if offline:
            yield from ((name, _skipped("--offline was given")) for name in ("bridge", "token", "response"))
            return
        bridge, token = _bridge(anonymous, account), _token(client)
        yield from (("bridge", bridge), ("token", token))
        if account is None:
            yield "response", _skipped("no account is named", "Name one: talkdesk-bridge doctor --account NUMBER")
        elif "bad" in (bridge.status, token.status):
            yield "response", _skipped("there is no token" if token.status == "bad" else "the bridge does not respond")
        else:
            yield "response", _response(client, account, deviations)


def _skipped(why: str, remedy: str = "") -> Finding:
    return Finding("skipped", f"Not tried: {why}.", remedy)


def _variables(client: BridgeClient | None, error: str) -> Finding:
    """Which variables are set, and whether they make a client; `error` says why not."""
    names = [name for name in VARIABLES if os.environ.get(name)]
    text = f"{error} Set: {listed(names) or 'none'}.".lstrip()
    unknown = []
    for name in sorted(name for name in os.environ if _is_ours(name) and name not in VARIABLES):
        near = get_close_matches(name.upper(), VARIABLES, 1, 0.9)
        unknown.append(f"{name} ({near[0]}?)" if near else name)
    if unknown:
        text = f"{text} Unknown: {listed(unknown)}."
    if not client:
        return Finding("bad", text, f"Correct or unset what it names. {HELP}", 2)
    if unknown:
        return Finding("warning", text, "Rename or unset what is unknown: nothing reads it.")
    if isinstance(client.auth, NoAuth):
        return Finding("warning", f"{text} No credential is set.", f"Unless the bridge wants none, set one: {HELP}")
    return Finding("good", f"{text} The credential is {type(client.auth).__name__}.")


def _bridge(anonymous: BridgeClient, account: str | None) -> Finding:
    """Whether the bridge responds at all, to a client without a credential."""
    try:
        anonymous.billing.get_account_invoices(account or "0")
    except (errors.NotSentError, errors.NoResponseError) as error:
        return _failed(error, "TALKDESK_BRIDGE_URL")
    except errors.StatusError as error:
        text = f"It responds: {error.status_code} to a request without the credential."
        if error.status_code in (502, 503, 504):
            return Finding("warning", f"{text} Gateways do so if nothing is behind them.", REMEDIES[5])
        return Finding("good", text)
    except errors.BridgeError:
        pass  # the last check says more
    return Finding("good", "It responds to a request without the credential.")


def _token(client: BridgeClient) -> Finding:
    """Whether the token server gives a token, if the credential needs one."""
    if not hasattr(client.auth, "token_url"):
        return _skipped(f"the credential, {type(client.auth).__name__}, needs no token")
    try:
        client.authenticate()
    except errors.BridgeError as error:
        return _failed(error, "TALKDESK_BRIDGE_TOKEN_URL")
    return Finding("good", "The token server gives a token.")


def _response(client: BridgeClient, account: str, deviations: list[Deviation]) -> Finding:
    """Whether a response of the bridge keeps the contract."""
    try:
        body = client.billing.get_account_invoices(account)
    except errors.BridgeError as error:
        status = status_of(error)
        return Finding("bad", _redacted(str(error)), REMEDIES.get(status, "Ask the bridge's host."), status)
    count = len(body.embedded.invoices or []) if body.embedded else 0
    text = f"A response of get_account_invoices, with {count} invoice{'' if count == 1 else 's'},"
    if not deviations:
        return Finding("good", f"{text} keeps the contract.")
    places = [f"expected {one.documented} at {one.place}, got {one.seen}" for one in deviations]
    remedy = "Tell the bridge's host. The client reads it nevertheless, except with --strict."
    return Finding("warning", f"{text} deviates from the contract: {'; '.join(places)}.", remedy)


def _failed(error: errors.BridgeError, variable: str) -> Finding:
    """What to do if there is no connection, or no token."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        remedy = f"Let SSL_CERT_FILE name the authority that signed the certificate, and check the host in {variable}."
    elif "no connection" in text:
        remedy = f"Check scheme, host and port in {variable}, this machine's DNS, proxies and firewall."
    else:
        remedy = f"Check {variable}, what listens there, and the credential. {HELP}"
    return Finding("bad", _redacted(text), remedy, status_of(error))


def _is_ours(name: str) -> bool:
    return name.upper().startswith("TALKDESK_BRI")


def _redacted(text: str) -> str:
    """A message with the names of variables instead of their values, and of parts of URLs in these."""
    names: dict[str, str] = {}
    for name, value in os.environ.items():
        if _is_ours(name) or name in PROXIES:
            names |= dict.fromkeys(map(str.lower, _parts(value)), name)
    # The longest first, because one may hold another; not in the middle of a word, because one may be short.
    parts = sorted(filter(None, names), key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(part)}(?!\w)" for part in parts) or "(?!)"
    return re.sub(pattern, lambda found: f"[{names[found[0].lower()]}]", text, flags=re.IGNORECASE)


def _parts(value: str) -> list[str]:
    """A value, and the parts of it that a message may show if it is a URL."""
    try:
        url = urlsplit(value)
        user = [url.username or "", url.password or "", url.hostname or "", url.netloc, f"{url.scheme}://{url.netloc}"]
    except ValueError:
        return [value]
    path = url.path.strip("/") if url.scheme else ""
    return [value, *user, path, url.query, *(text for _, text in parse_qsl(url.query))]

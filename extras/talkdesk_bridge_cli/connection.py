"""What `doctor` finds on the way to the bridge: proxies, authorities, variables, the bridge, a token, one answer."""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Callable
from difflib import get_close_matches
from functools import cached_property
from importlib import metadata
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import certifi
from talkdesk_bridge import BridgeClient, Deviation, Retry, errors
from talkdesk_bridge._auth import NoAuth, OAuth2
from talkdesk_bridge._settings import KINDS, PREFIX, Settings

from talkdesk_bridge_cli.exit import status_of
from talkdesk_bridge_cli.installation import NAME, Finding, bad, good, listed, skipped, warning

__all__ = ["Connection"]

NAMES = list(dict.fromkeys(["URL", *(name for kind in KINDS for name in kind.needed | kind.optional)]))
KNOWN = [PREFIX + name for name in NAMES]
PROXIES = [form for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "HTTP_PROXY") for form in (name, name.lower())]
EXCEPTED = ("NO_PROXY", "no_proxy")
# What a message about a setting calls it, and the variable that gives it.
CALLED = {"base URL": "URL", "token URL": "TOKEN_URL", "header": "API_KEY_HEADER"} | {
    argument: name for kind in KINDS for name, argument in (kind.needed | kind.optional).items()
}
BASE_URL, TOKEN_URL = f"{PREFIX}URL", f"{PREFIX}TOKEN_URL"

# What the reason for which no connection could be made says of the step that failed, and what to do about it.
STEPS = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "TLS failed",
        "Let SSL_CERT_FILE name a file with the authority that signed the certificate, and check the host in {}.",
    ),
    (r"\[SSL|_ssl\.c", "TLS failed", "Check the scheme and the port in {}: what listens there may not speak TLS."),
    (
        r"Errno -|getaddrinfo|nodename|name resolution|not known",
        "The name of the host was not found",
        "Check the host in {}, and this machine's DNS.",
    ),
    (
        "",
        "No connection could be made",
        "Check the host and the port in {}, and whether a firewall, or a proxy that is not set, is in between.",
    ),
)

REMEDIES = {
    2: "Name an account that exists, with --account.",
    3: "Check the credential, and ask the bridge's host what it may do.",
    4: "Check the account, and the path in TALKDESK_BRIDGE_URL.",
    5: "Try again later; if it stays, ask the bridge's host.",
    6: "Ask the bridge's host: openapi.json, in the folder of talkdesk_bridge_api, says what must come.",
}


class Connection:
    """A client from the environment, and how far it gets.

    Args:
        account: The number of an account to ask for; None for none.
        timeout: Seconds to wait for a connection, and for each read of an answer.
        offline: Whether nothing is to be sent.

    """

    def __init__(self, account: str | None, timeout: float, *, offline: bool) -> None:
        self._account = account
        self._offline = offline
        self._deviations: list[Deviation] = []
        self._settings: Settings | None = None
        self._bridge: BridgeClient | None = None
        self._unset = self._unusable = self._unreached = self._tokenless = ""
        try:
            self._settings = Settings.from_env()
        except errors.ConfigurationError as error:
            named = re.match(rf"The ({'|'.join(CALLED)})\b", told := str(error))
            self._unset = (f"{PREFIX}{CALLED[named[1]]}: " if named else "") + _without_values(told)
            return
        try:
            self._bridge = BridgeClient(
                self._settings.base_url, auth=self._settings.auth, timeout=(timeout, timeout), deadline=4 * timeout,
                retry=Retry(attempts=1), on_deviation=self._deviations.append,
            )  # fmt: skip
        except errors.ConfigurationError as error:
            self._unusable = _without_values(str(error))

    def close(self) -> None:
        """Close the client."""
        if self._bridge:
            self._bridge.close()

    def checks(self) -> dict[str, Callable[[], Finding]]:
        """The checks, by name, in their order."""
        return {
            "proxies": self.proxies,
            "CA bundle": self.authorities,
            "variables": self.variables,
            "bridge": self.reach,
            "token": self.token,
            "answer": self.answer,
        }

    def proxies(self) -> Finding:
        """Which variables name proxies, and whether requests go through one."""
        names = [name for name in PROXIES if os.environ.get(name)]
        told = f"Set: {listed(names, len(PROXIES))}." if names else "No variable names one."
        if not self._settings or (self._unusable and self._authorities.status == "bad"):
            return skipped("whether one is used, since there is no client", found=told) if names else good(told)
        if not self._bridge:
            return self._wrong_proxy(names, told)
        urls = {"the bridge": self._settings.base_url}
        if isinstance(self._settings.auth, OAuth2):
            urls["the token server"] = self._settings.auth.token_url
        wire = self._bridge._transport._wire
        ways = [f"to {name} {'through a proxy' if wire.proxied(url) else 'directly'}" for name, url in urls.items()]
        local = any(url.lower().startswith("http:") for url in urls.values()) and {*names} - {*EXCEPTED}
        why = " What is http goes through none, since it is for this machine alone." if local else ""
        return good(f"{told} Requests go {listed(ways)}.{why}")

    def _wrong_proxy(self, names: list[str], told: str) -> Finding:
        wrong = [name for name in names if name not in EXCEPTED and not _usable(os.environ[name])]
        what = "a proxy is like http://proxy.example:3128"
        if not wrong:
            # One of the hosts that are listed there, else a proxy that the system names.
            wrong, what = [name for name in names if name in EXCEPTED], "it lists hosts, separated by commas"
        if not wrong:
            return bad(f"{self._unusable} {told}", f"Correct this machine's proxy, or {BASE_URL}.", status=2)
        if "socksio" in self._unusable:
            remedy = f"Install socksio, the way {NAME} was installed; or correct or unset {listed(wrong)}."
            return bad(f"A SOCKS proxy, as in {listed(wrong)}, needs the package socksio. {told}", remedy, status=2)
        return bad(f"{listed(wrong)} cannot be used. {told}", f"Correct or unset {listed(wrong)}: {what}.", status=2)

    def authorities(self) -> Finding:
        """Which certificates the client trusts, and whether they can be read; the same order as in httpx 0.28."""
        return self._authorities

    @cached_property
    def _authorities(self) -> Finding:
        # Read once: what cannot be tried asks whether they are the reason.
        if file := os.environ.get("SSL_CERT_FILE"):
            told = "The file that SSL_CERT_FILE names"
            remedy = "Let SSL_CERT_FILE name a file of certificates in PEM, or unset it."
        elif folder := os.environ.get("SSL_CERT_DIR"):
            try:
                hashed = [one for one in os.listdir(folder) if re.fullmatch(r"[0-9a-f]{8}\.[0-9]+", one)]  # noqa: PTH208 # names
            except OSError:
                hashed = []
            if hashed:
                return good(f"The folder that SSL_CERT_DIR names; certificates: {len(hashed)}.")
            remedy = "Let SSL_CERT_DIR name a folder that 'openssl rehash' has prepared, or unset it."
            return bad("The folder that SSL_CERT_DIR names has no certificate that can be found.", remedy, status=2)
        else:
            file = certifi.where()
            told, remedy = f"That of certifi {metadata.version('certifi')}, {file}", "Install certifi again."
        try:
            count = len(ssl.create_default_context(cafile=file).get_ca_certs())
        except OSError as error:
            reason = "there is no certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
            return bad(f"{told} cannot be read: {reason}.", remedy, status=2)
        return good(f"{told}; certificates: {count}.")

    def variables(self) -> Finding:
        """Which variables of the client are set, and whether they make sense."""
        names = [name for name in KNOWN if os.environ.get(name)]
        told = f"Set: {listed(names, len(KNOWN))}." if names else ""
        if empty := [name for name in KNOWN if name in os.environ and name not in names]:
            told += f" Empty, and so as if not set: {listed(empty)}."
        strange = {name: near for name in sorted(os.environ) if (near := _nearest(name)) is not None}
        if strange:
            unknown = [f"{name} ({near}?)" if near else name for name, near in strange.items()]
            told += f" Unknown: {listed(unknown, 9)}."
        needs = ("See what each credential needs:", "talkdesk-bridge invoices --help")
        if self._unset:
            found = f"{self._unset} {told}".rstrip()
            if self._unset.startswith(BASE_URL):
                return bad(found, f"Set {BASE_URL} to the bridge's base URL, such as https://bridge.example.", status=2)
            return bad(found, *needs, status=2)
        contract = json.loads((files("talkdesk_bridge_api") / "openapi.json").read_bytes())
        rename = "Rename or unset what is unknown: nobody reads it."
        assert self._settings  # noqa: S101 # for mypy: else self._unset says why
        if isinstance(self._settings.auth, NoAuth) and _wants_credential(contract):
            told += " No credential is set, and the contract asks for one."
            return warning(told, f"{rename} {needs[0]}" if strange else needs[0], needs[1])
        if strange:
            return warning(told, rename)
        return good(f"{told} The credential is {type(self._settings.auth).__name__}.")

    def reach(self) -> Finding:
        """Whether the base URL answers at all, whatever; without the credential."""
        if not (bridge := self._ready()):
            self._unreached = "there is no answer from the bridge"
            return self._not_tried()
        transport = bridge._transport
        # Some servers send a body where none may come, which must not be taken for the next answer.
        request = transport._wire.build(
            transport.settings, method="HEAD", url=transport.settings.base_url, headers={"Connection": "close"}
        )
        try:
            answer = transport._run(transport._attempts("doctor", lambda: request))
        except errors.BridgeError as error:
            self._unreached = "the bridge cannot be reached"
            return self._failed(error, BASE_URL, transport.settings.base_url)
        if answer.status_code in (502, 503, 504):
            told = f"It answers {answer.status_code}, as gateways do that get no answer from what is behind them."
            return warning(told, REMEDIES[5])
        return good(f"It answers: {answer.status_code} to HEAD of the base URL, without the credential.")

    def token(self) -> Finding:
        """Whether the token server gives a token."""
        bridge, auth = self._ready(), self._settings.auth if self._settings else None
        if auth and not isinstance(auth, OAuth2):
            return skipped(f"the credential, {type(auth).__name__}, needs no token")
        if not bridge or not isinstance(auth, OAuth2):
            self._tokenless = "there is no token"
            return self._not_tried()
        try:
            bridge._transport._run(bridge._transport._renew(auth, None, 0))
        except errors.BridgeError as error:
            self._tokenless = "there is no token"
            return self._failed(error, TOKEN_URL, auth.token_url)
        return good("The token server gives a token.")

    def answer(self) -> Finding:
        """Whether one answer of the bridge keeps the contract."""
        if not (bridge := self._ready()):
            return self._not_tried()
        if self._account is None:
            auth = bridge._transport.settings.auth
            asked = "answers without a credential" if isinstance(auth, NoAuth) else "takes the credential"
            why = f"no account is named, so that nobody has asked whether the bridge {asked}"
            return skipped(why, "Ask, with the number of an account:", "talkdesk-bridge doctor --account NUMBER")
        if why := self._unreached or self._tokenless:
            return skipped(why)
        try:
            body = bridge.billing.get_account_invoices(self._account)
        except errors.BridgeError as error:
            status = status_of(error)
            remedy = REMEDIES.get(status, "Ask the bridge's host what it refuses.")
            return bad(_without_values(str(error)), remedy, status=status)
        count = len(body.embedded.invoices or []) if body.embedded else 0
        told = f"An answer of get_account_invoices, with {count} invoice{'' if count == 1 else 's'},"
        if not self._deviations:
            return good(f"{told} keeps the contract.")
        places = [f"{one.documented} is documented at {one.place}, {one.seen} came" for one in self._deviations]
        remedy = "Tell the bridge's host; the client reads it nevertheless, but with --strict."
        return warning(f"{told} differs from the contract: {'; '.join(places)}.", remedy)

    def _ready(self) -> BridgeClient | None:
        return None if self._offline else self._bridge

    def _not_tried(self) -> Finding:
        if self._offline:
            return skipped("--offline is given")
        if self._unset:
            return skipped("the variables of the client cannot be used")
        return skipped(f"the {'CA bundle' if self._authorities.status == 'bad' else 'proxies'} cannot be used")

    def _failed(self, error: errors.BridgeError, variable: str, url: str) -> Finding:
        told, status = _without_values(str(error)), status_of(error)
        if not (reason := re.search(r": no connection to .*?( \(.*\)\.)", told)):
            refused = isinstance(error, errors.AuthenticationError) and "There is no token." not in told
            remedy = "and the variables of the credential" if refused else "and what listens there"
            return bad(told, f"Check {variable}, {remedy}.", status=status)
        assert self._bridge  # noqa: S101 # for mypy: it has just failed
        what, remedy = next((what, remedy) for pattern, what, remedy in STEPS if re.search(pattern, reason[1]))
        if self._bridge._transport._wire.proxied(url) and what != "TLS failed":
            what = "The proxy could not be reached, or did not reach the host"
            remedy = "Check what the variables say of proxies, or let NO_PROXY name the host in {}."
        return bad(f"{what}{reason[1]}", remedy.format(variable), status=status)


def _usable(proxy: str) -> bool:
    try:
        BridgeClient("https://bridge.example", proxy=proxy if "://" in proxy else f"http://{proxy}").close()
    except errors.ConfigurationError:
        return False
    return True


def _wants_credential(contract: dict[str, Any]) -> bool:
    """Whether the contract has an operation that is not to be asked for without one."""
    operations = [one for path in contract["paths"].values() for one in path.values() if "responses" in one]
    asked = [one.get("security", contract.get("security", [])) for one in operations]
    return any(ways and {} not in ways for ways in asked)


def _nearest(name: str) -> str | None:
    """The known variable that an unknown one may mean, empty where there is none; None for one that is not ours."""
    if name in KNOWN:
        return None
    if name.upper().startswith(PREFIX):
        near = get_close_matches(name.upper().removeprefix(PREFIX), NAMES, 1)
        return f"{PREFIX}{near[0]}" if near else ""
    return next(iter(get_close_matches(name.upper(), KNOWN, 1, 0.9)), None)


def _without_values(text: str) -> str:
    """A message in which names stand for what the variables hold, and for the parts of URLs in that."""
    forms: dict[str, str] = {}
    for name, value in os.environ.items():
        if name.upper().startswith(PREFIX) or name in PROXIES:
            forms |= dict.fromkeys(_parts(value), f"part of {name}") | {value: name}
    # A short one may be a part of a word. The longest come first, since one may hold another.
    patterns = [
        re.escape(form) if len(form) > 5 else rf"(?<!\w){re.escape(form)}(?!\w)"
        for form in sorted(filter(None, forms), key=len, reverse=True)
    ]
    told = {form.lower(): name for form, name in forms.items()}
    return re.sub("|".join(patterns) or "(?!)", lambda found: f"[{told[found[0].lower()]}]", text, flags=re.IGNORECASE)


def _parts(url: str) -> list[str]:
    """What a message may show of a URL: its origin, host, path, user and query; nothing of what is none."""
    try:
        parts = urlsplit(url)
        hosts = [parts.netloc, host := parts.hostname or "", host.encode("idna").decode()]
    except ValueError:
        return []
    if not parts.scheme:
        return []
    path = parts.path.rstrip("/")
    secrets = [parts.username or "", parts.password or "", parts.query, *(value for _, value in parse_qsl(parts.query))]
    return [*(f"{parts.scheme}://{host}" for host in hosts if host), *hosts, path, quote(path), *secrets]

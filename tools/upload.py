"""`make upload`: what dist/ holds goes to a package index, all of it or with a sentence that says why not.

Runs with nothing but the standard library and uv, since it holds the credential: uv uploads, and compares with what the
index has already.
"""

from __future__ import annotations

import base64
import hashlib
import html
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "talkdesk-bridge"
PRIVATE = "Private :: Do Not Upload"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
UV = Path(sys.executable).with_name("uv")

CONFIGURATION, CREDENTIAL, CONTENT, INDEX = 2, 3, 4, 5
"""Exit statuses, besides 0 for done or already there, and 130 for interrupted."""

REFUSALS = {
    401: ("the index refuses the credential for {name}: check user name and password, or the token", CREDENTIAL),
    403: (
        "the index refuses {name}: the credential is wrong, or may not upload, or the index is read-only",
        CREDENTIAL,
    ),
    **dict.fromkeys(
        (404, 405, 501),
        ("UV_PUBLISH_URL takes no uploads: the index is read-only, or its URL for uploads is another one", INDEX),
    ),
    409: ("the index has {name} already, but UV_PUBLISH_CHECK_URL does not list it: correct that URL", CONFIGURATION),
}
"""What an index means by a status, and the exit status then."""

# An index may need a moment until it lists what it took.
SECONDS_UNTIL_LISTED = 60


class UploadError(Exception):
    """Nothing more was uploaded; the message says why and what to do."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Index:
    """Where to upload, as the environment says."""

    url: str
    check_url: str
    user: str
    password: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Index:
        """The index that uv's own variables name.

        Raises:
            UploadError: a variable is missing, or would show the credential to others.

        """
        urls = [_url(name, environ.get(name, "")) for name in ("UV_PUBLISH_URL", "UV_PUBLISH_CHECK_URL")]
        token, user, password = (environ.get(f"UV_PUBLISH_{name}") for name in ("TOKEN", "USERNAME", "PASSWORD"))
        if token and (user or password):
            told = "UV_PUBLISH_TOKEN and UV_PUBLISH_USERNAME or UV_PUBLISH_PASSWORD are both set: unset one of the two."
            raise UploadError(told, CONFIGURATION)
        if not token and not (user and password):
            told = "There is no credential: set UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD, or UV_PUBLISH_TOKEN."
            raise UploadError(told, CONFIGURATION)
        for name, value in (("TOKEN", token), ("USERNAME", user), ("PASSWORD", password)):
            if value and not value.isprintable():
                told = f"UV_PUBLISH_{name} has a line break or another character that cannot be sent: take it out."
                raise UploadError(told, CONFIGURATION)
        # As indexes that know tokens take them.
        return cls(urls[0], urls[1], user or "__token__", token or password or "")

    @property
    def direct(self) -> str:
        """Hosts that no proxy is asked for: what is http is on loopback, and a proxy would read the credential."""
        return ",".join({urlsplit(url).hostname or "" for url in (self.url, self.check_url) if url.startswith("http:")})

    @property
    def sends_credential_to_check(self) -> bool:
        """Whether reading needs the credential, too: it goes to no other server than the one to upload to."""
        return urlsplit(self.url)[:2] == urlsplit(self.check_url)[:2]

    def hidden(self, text: str) -> str:
        """Text of others, without what they may repeat of the credential."""
        written = {
            form(self.password) for form in (str, quote, quote_plus, html.escape, lambda text: quote(text, safe=""))
        }
        written |= {json.dumps(self.password)[1:-1], self.basic}
        written |= {re.sub("%..", lambda found: found[0].lower(), form) for form in written}
        for secret in sorted(written | {form.replace("/", r"\/") for form in written}, key=len, reverse=True):
            text = text.replace(secret, "****")
        return text

    @property
    def basic(self) -> str:
        """User and password as a header sends them."""
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def _url(name: str, value: str) -> str:
    try:
        parts = urlsplit(value)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
    if not value.isascii() or not host or parts.scheme not in ("http", "https"):
        what = "upload to" if name == "UV_PUBLISH_URL" else "install from, which often ends in /simple/"
        said = "is no URL" if value else "is not set"
        raise UploadError(f"{name} {said}: set it to the URL of your index to {what}.", CONFIGURATION)
    if parts.username is not None or parts.password is not None:
        told = "holds a credential: take it out, and set UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD."
        raise UploadError(f"{name} {told}", CONFIGURATION)
    if parts.scheme == "http" and host not in LOOPBACK:
        raise UploadError(f"{name} is http, which shows the credential to others: use https.", CONFIGURATION)
    return value


def digest(file: Path) -> str:
    """The line that sha256sum prints for a file in its folder."""
    return f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}"


def built(folder: Path, digests: str | None) -> list[Path]:
    """The wheel and the sdist in a folder: one release, and nothing else.

    Args:
        folder: Where they are.
        digests: Lines as sha256sum prints them, which the files must match; None where that is not asked.

    Raises:
        UploadError: something else is there, or one of them is not what it should be.

    """
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    names = [file.name for file in files]
    told = f"{folder.name}/ holds {', '.join(names) or 'nothing'}"
    wheels = [name for name in names if re.fullmatch(r"talkdesk_bridge-\d+\.\d+\.\d+-py3-none-any\.whl", name)]
    if (
        not all(file.is_file() for file in files)
        or len(wheels) != 1
        or names != [wheels[0], wheels[0].replace("-py3-none-any.whl", ".tar.gz")]
    ):
        told += ", and not a wheel and an sdist of one version: run `make build`."
        raise UploadError(told, CONFIGURATION)
    if digests is not None:
        wanted = sorted(line.strip().replace(" *", "  ") for line in digests.splitlines() if line.strip())
        if wanted != sorted(map(digest, files)):
            told = f"The files in {folder.name}/ are not those of DIGESTS: upload none of them, and find out why."
            raise UploadError(told, CONTENT)
    try:
        with zipfile.ZipFile(files[0]) as wheel:
            version = wheels[0].split("-")[1]
            text = wheel.read(f"talkdesk_bridge-{version}.dist-info/METADATA").decode()
    except (KeyError, ValueError, zipfile.BadZipFile):
        raise UploadError(f"{folder.name}/{wheels[0]} is no wheel: run `make build`.", CONTENT) from None
    if PRIVATE not in HeaderParser().parsestr(text).get_all("Classifier", []):
        told = f"lacks the classifier `{PRIVATE}`, which keeps it off public indexes: put it into pyproject.toml again."
        raise UploadError(f"{folder.name}/{wheels[0]} {told}", CONTENT)
    return files


class _NoRedirects(HTTPRedirectHandler):
    """Follows none: urllib would show the credential to whoever is next."""

    def redirect_request(self, *_: Any) -> None:
        return None


def ask(index: Index) -> None:
    """Ask for the list of the project's files, whether there are any or not; uv takes any refusal for a `no`.

    Raises:
        UploadError: the index cannot be reached, or does not let the credential read.

    """
    request = Request(f"{index.check_url.rstrip('/')}/{PROJECT}/")  # noqa: S310 # http or https, as `_url` sees to
    if index.sends_credential_to_check:
        request.add_header("Authorization", f"Basic {index.basic}")
    try:
        proxies = ProxyHandler({} if index.check_url.startswith("http:") else None)
        build_opener(_NoRedirects, proxies).open(request, timeout=30).close()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (401, 403):
            told = "refuses the credential: check user name and password, or the token"
            if not index.sends_credential_to_check:
                told = (
                    "gets no credential, since it is not at the server of UV_PUBLISH_URL: let both name the same host"
                )
            told = f"Status {error.code}: UV_PUBLISH_CHECK_URL {told}."
            raise UploadError(told, CREDENTIAL) from None
        if error.code >= 500 or error.code == 429:
            told = f"UV_PUBLISH_CHECK_URL answers {error.code}: repeat when the index is well."
            raise UploadError(told, INDEX) from None
    except (OSError, http.client.HTTPException) as error:
        reason = index.hidden(" ".join(str(getattr(error, "reason", error)).split()))
        told = f"UV_PUBLISH_CHECK_URL cannot be reached ({reason}): check it, the network, and the proxy, if one is set"
        raise UploadError(f"{told}, and repeat.", INDEX) from None


def present(index: Index, files: list[Path]) -> set[str]:
    """The names of those files that the index has already, with the same content.

    Raises:
        UploadError: it has one with other content, or cannot be asked.

    """
    status, said = _uv(index, files, "--dry-run")
    if other := re.findall(r"do not match for `([^`]+)`", said):
        told = f"The index has {' and '.join(other)} already, with other content: set a higher `info.version`, or, "
        told += "if what the index has is broken, delete it there and repeat."
        raise UploadError(told, CONTENT)
    if status:
        raise UploadError(
            f"The index cannot be compared with what is to be uploaded: {index.hidden(_last(said))}.", INDEX
        )
    return {*re.findall(r"^File (\S+) already exists, skipping$", said, re.M)}


def upload(index: Index, files: list[Path]) -> None:
    """Upload those files that the index has not.

    Raises:
        UploadError: the index took not all of them.

    """
    status, said = _uv(index, files)
    if not status:
        return
    name = Path(found[1]).name if (found := re.search(r"Failed to publish:? `?([^`\s]+)", said)) else "a file"
    repeat = "a repeat sends what the index has not got"
    # As uv tells of a 405.
    said = said.replace("POST requests are not supported by the endpoint", "status code 405")
    if not (found := re.search(r"status code (\d{3})", said)):
        raise UploadError(f"{name} was not uploaded, {index.hidden(_last(said))}: {repeat}.", INDEX)
    code = int(found[1])
    reason = re.sub(r"<[^>]*>", " ", index.hidden(said.partition("Server says:")[2]))
    reason = " ".join(reason.split())[:200] or "no reason is given"
    told, exit_status = REFUSALS.get(code, (f"the index refuses {name}: {reason}; {repeat}", INDEX))
    raise UploadError(f"Status {code}: {told.replace('{name}', name)}.", exit_status)


def _uv(index: Index, files: list[Path], *options: str) -> tuple[int, str]:
    """Exit status and messages of `uv publish`, which knows nothing but what it is told here.

    What servers say stands in the messages, to be hidden where it is told: the password may be one of uv's own words.
    """
    parts = urlsplit(index.check_url)
    named = f"{quote(index.user, safe='')}:{quote(index.password, safe='')}@" if index.sends_credential_to_check else ""
    others = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    direct = ",".join(filter(None, (os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), index.direct)))
    settings = {
        "COLUMNS": "10000",  # else it breaks lines where the variable says
        "NETRC": os.devnull,
        "UV_CREDENTIALS_DIR": os.devnull,
        "NO_PROXY": direct,
        "no_proxy": direct,
        "UV_PUBLISH_URL": index.url,
        # Not as an option, which other users of the machine could read.
        "UV_PUBLISH_CHECK_URL": parts._replace(netloc=f"{named}{parts.netloc}").geturl(),
        "UV_PUBLISH_USERNAME": index.user,
        "UV_PUBLISH_PASSWORD": index.password,
    }
    command = [str(UV), "--no-config", "--no-cache", "--no-progress", "--color=never", "publish", "--no-attestations"]
    command += ["--trusted-publishing=never", "--keyring-provider=disabled", *options, *map(str, files)]
    ran = subprocess.run(command, env=others | settings, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stderr


def _last(said: str) -> str:
    """The innermost cause that uv tells, without what the server says to it."""
    causes = re.findall(r"^\s*(?:cause|error): (.*)", said, re.M) or ["uv gives no reason"]
    return str(causes[-1]).partition(" Server says:")[0].rstrip(".")


def main() -> int:
    """Upload dist/ to the index of the environment, and see that the index lists it; statuses are above.

    With --check, only see whether the environment names an index and a credential.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # else uv would go on without us
    try:
        index = Index.from_env(os.environ)
        if sys.argv[1:] == ["--check"]:
            return 0
        files = built(ROOT / "dist", os.environ.get("DIGESTS"))
        names = {file.name for file in files}
        ask(index)
        if missing := names - present(index, files):
            upload(index, files)
            until = time.monotonic() + SECONDS_UNTIL_LISTED
            while (unlisted := names - present(index, files)) and time.monotonic() < until:
                time.sleep(2)
            if unlisted:
                told = f"The index took {' and '.join(sorted(unlisted))}, but UV_PUBLISH_CHECK_URL does not list it: "
                raise UploadError(told + "correct that URL, or repeat this later.", CONFIGURATION)
    except UploadError as error:
        print(error, file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        print("Interrupted: a repeat sends what the index has not got.", file=sys.stderr)
        return 130
    for name in sorted(names):
        print(f"{name}: {'uploaded' if name in missing else 'is on the index already, with this content'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

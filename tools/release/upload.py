"""Runs `uv publish` on dist/: checks the files and the index first, and redacts the credentials in the output.

Uses only the standard library and uv, because it sees the credential.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote, quote_plus, urljoin, urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

ROOT = Path(__file__).resolve().parent.parent.parent
UV = Path(sys.executable).with_name("uv")
PRIVATE = "Private :: Do Not Upload"
"""A classifier that the public index rejects, so that the package cannot get there by mistake."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class UploadError(Exception):
    """Nothing was uploaded; the message says why and what to do."""


def digest(file: Path) -> str:
    """The line that sha256sum prints for a file in its folder."""
    return f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}"


def is_private(wheel: Path) -> bool:
    """Whether a wheel has the classifier that keeps it off the public index."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            headers = archive.read(name).partition(b"\n\n")[0]
    except (StopIteration, zipfile.BadZipFile):
        return False
    return f"Classifier: {PRIVATE}".encode() in headers.splitlines()


def built(folder: Path, digests: str | None) -> list[Path]:
    """The wheel and the sdist in a folder: one release, and nothing else.

    Args:
        folder: The folder that holds them.
        digests: Lines from sha256sum that the files must match; None to skip this check.

    Raises:
        UploadError: there are other files, or one of the two fails a check.

    """
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    names = " ".join(file.name for file in files)
    if not re.fullmatch(r"talkdesk_bridge-(\d+\.\d+\.\d+)-py3-none-any\.whl talkdesk_bridge-\1\.tar\.gz", names):
        raise UploadError(f"{folder.name}/ must hold a wheel and an sdist of one version: run `make build`.")
    if digests is not None:
        expected = sorted(line.strip().replace(" *", "  ") for line in digests.splitlines() if line.strip())
        if expected != sorted(map(digest, files)):
            raise UploadError(f"The files in {folder.name}/ do not match DIGESTS: find out why before you upload.")
    if not is_private(files[0]):
        reason = f"lacks the classifier `{PRIVATE}`, which keeps it off public indexes"
        raise UploadError(f"{files[0].name} {reason}: add it to pyproject.toml, and run `make build`.")
    return files


def _url(name: str, environ: Mapping[str, str]) -> str:
    """The URL in a variable.

    Raises:
        UploadError: it is missing, or would expose the credential.

    """
    try:
        parts = urlsplit(environ.get(name, ""))
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise UploadError(f"{name} is not a URL: set it to the URL of your index (docs/publishing.md).")
    if "@" in parts.netloc:
        prefix = name.removesuffix("URL")
        raise UploadError(f"{name} contains a credential: use {prefix}USERNAME and {prefix}PASSWORD instead.")
    if parts.scheme != "https" and host not in LOOPBACK:
        raise UploadError(f"{name} does not use https, so others could read the credential: use https.")
    return parts.geturl()


def _server(url: str) -> str:
    """Scheme, host and port of a URL, the same for all spellings."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{(parts.hostname or '').removesuffix('.')}:{port}"


def settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for uv, which make it use no configuration file, no keyring and no other index.

    Raises:
        UploadError: a variable is missing, or would expose the credential.

    """
    url, read = _url("UV_PUBLISH_URL", environ), _url("UV_PUBLISH_CHECK_URL", environ)
    user = environ.get("UV_PUBLISH_USERNAME") or "__token__"
    password = environ.get("UV_PUBLISH_PASSWORD") or environ.get("UV_PUBLISH_TOKEN")
    if not password:
        raise UploadError("No credential: set UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD, or UV_PUBLISH_TOKEN.")
    reader, read_password = (environ.get(f"UV_PUBLISH_CHECK_{name}", "") for name in ("USERNAME", "PASSWORD"))
    if bool(reader) != bool(read_password):
        raise UploadError("Set both UV_PUBLISH_CHECK_USERNAME and UV_PUBLISH_CHECK_PASSWORD, or neither.")
    if not reader and _server(read) == _server(url):  # no other server may get this credential
        reader, read_password = user, password
    if reader:
        read = read.replace("//", f"//{quote(reader, safe='')}:{quote(read_password, safe='')}@", 1)
    return {
        "COLUMNS": "10000",  # so that uv does not wrap a line inside the password, where `redacted` would miss it
        "NETRC": os.devnull,
        "UV_CREDENTIALS_DIR": os.devnull,
        "UV_PUBLISH_URL": url,
        "UV_PUBLISH_CHECK_URL": read,
        "UV_PUBLISH_CHECK_USERNAME": reader,
        "UV_PUBLISH_CHECK_PASSWORD": read_password,
        "UV_PUBLISH_USERNAME": user,
        "UV_PUBLISH_PASSWORD": password,
    }


def _header(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def redacted(text: str, user: str, password: str) -> str:
    """Text without the password in any spelling, and without the value of the header that sends it.

    A user name of 16 or more characters is redacted, too, because some indexes take a token as the user name.
    """
    text = text.replace(_header(user, password), "****")
    for secret in (password, user if len(user) >= 16 else ""):
        text = re.sub("".join(map(_spelt, secret)), "****", text) if secret else text
    return text


def _spelt(character: str) -> str:
    """A pattern for a character: plain, or as written in a URL, HTML or JSON."""
    in_url = {quote(character, safe=""), quote(character, safe="").lower(), quote_plus(character)}
    spellings = {character, f"\\{character}", json.dumps(character)[1:-1], html.escape(character)} | in_url
    longest_first = sorted(spellings, key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, longest_first))}|&#0*{ord(character)};)"


def arrival(url: str, user: str, password: str, method: str = "GET") -> str:
    """The URL at which a request arrives after redirects. A redirect to another server is returned, not followed.

    Returns `url` itself if it cannot be requested: uv then reports the reason.
    """
    opener = OpenerDirector()  # unlike urlopen, it returns redirects and error responses
    for handler in (ProxyHandler({} if _server(url).startswith("http:") else None), HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    headers = {"Accept": "application/vnd.pypi.simple.v1+html, text/html"}  # else an index may take us for a browser
    if user:
        headers["Authorization"] = f"Basic {_header(user, password)}"
    here = url
    with suppress(HTTPException, OSError, ValueError):
        for _ in range(10):
            request = Request(here, b"" if method == "POST" else None, headers, method=method)  # noqa: S310 # http or https
            with opener.open(request, timeout=30) as response:
                location: str | None = response.headers.get("Location")
            if location is None or response.status not in (301, 302, 303, 307, 308):
                return here
            here = urljoin(here, location)
            if _server(here) != _server(url):
                return here
    return url


def _publish(files: list[Path], given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    # http is allowed for loopback only, and a proxy could read the credential.
    urls = given["UV_PUBLISH_URL"], given.get("UV_PUBLISH_CHECK_URL", "")
    dropped = ("UV_", "HTTP_PROXY", "ALL_PROXY") if any(url.startswith("http:") for url in urls) else ("UV_",)
    others = {name: value for name, value in os.environ.items() if not name.upper().startswith(dropped)}
    command = [str(UV), "--no-config", "--no-cache", "--no-progress", "--color=never", "publish", "--no-attestations"]
    command += ["--trusted-publishing=never", "--keyring-provider=disabled", *map(str, files)]
    return subprocess.run(command, env=others | given, capture_output=True, text=True, check=False)


def upload(*, check: bool = False) -> int:
    """Upload dist/ to the index in the environment, or only check its variables. Returns uv's status, or 1."""
    try:
        given = settings(os.environ)
        if check:
            return 0
        files = built(ROOT / "dist", os.environ.get("DIGESTS"))
    except UploadError as error:
        print(error, file=sys.stderr)
        return 1
    credential = given["UV_PUBLISH_USERNAME"], given["UV_PUBLISH_PASSWORD"]
    reading = given["UV_PUBLISH_CHECK_USERNAME"], given["UV_PUBLISH_CHECK_PASSWORD"]
    listed = f"{os.environ['UV_PUBLISH_CHECK_URL'].rstrip('/')}/talkdesk-bridge/"
    output = ""
    asked, end = _server(listed), _server(arrival(listed, *reading))
    if end != asked:
        # What another server lists says nothing about this index, so uv must not ask it.
        del given["UV_PUBLISH_CHECK_URL"]
        output = f"{asked} does not list talkdesk-bridge: it redirects to {end!r}, which was not asked.\n"
    done = _publish(files, given)
    if "location header is not a URL" in done.stderr:  # uv does not follow a relative one
        url = arrival(given["UV_PUBLISH_URL"], *credential, "POST")
        if _server(url) == _server(given["UV_PUBLISH_URL"]):
            done = _publish(files, given | {"UV_PUBLISH_URL": url})
    output = redacted(redacted(output + done.stderr, *credential), *reading)
    if done.returncode:
        output += "It is safe to repeat the upload: uv skips files that the index already has."
    print(output.strip(), file=sys.stderr if done.returncode else sys.stdout)
    return done.returncode

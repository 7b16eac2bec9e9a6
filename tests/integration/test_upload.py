"""`make upload` to package indexes on loopback: its own errors, those of uv, and no secret in the output."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.conftest import ROOT, Server
from tests.integration.indexes import PASSWORD, USER, Index, cutting, serving
from tools.release import upload as tool

Upload = Callable[..., tuple[int, str]]
READER = ("reader-4f1d0c7a9b2e", "another/s3cret")
"""The credential of an index that only lists. Its user name is as long as a token."""
REPEAT = "It is safe to repeat the upload: uv skips files that the index already has.\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with serving(tmp_path_factory.mktemp("index")) as index:
        yield index


@pytest.fixture
def index(running: Index) -> Index:
    for file in running.folder.iterdir():
        file.unlink()
    return running


@pytest.fixture
def ready(dist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder to upload."""
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "UV", ROOT / ".venv-uv" / "bin" / "uv")
    monkeypatch.setenv("COLUMNS", "40")  # as in a narrow terminal
    settings = tool.settings
    monkeypatch.setattr(tool, "settings", lambda environ: settings(environ) | {"UV_HTTP_RETRIES": "0"})
    return Path(shutil.copytree(dist, tmp_path / "dist"))


@pytest.fixture
def upload(ready: Path, index: Index, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Upload:
    def run(at: Index = index, **variables: str) -> tuple[int, str]:
        """The exit status and the output, which must not contain the secret."""
        digests = variables.pop("DIGESTS", None)
        for name, value in at.variables(**variables).items():
            monkeypatch.setenv(name, value)
        if digests is not None:
            monkeypatch.setenv("DIGESTS", digests)
        status = tool.upload()
        out, err = capfd.readouterr()
        assert not [secret for secret in (PASSWORD, *READER) if secret in out + err]
        assert (not err) is (status == 0), out + err
        return status, out + err

    return run


def rebuilt(wheel: Path, old: str, new: str) -> None:
    """Replace a text in a wheel's files and metadata."""
    with zipfile.ZipFile(wheel) as held:
        files = {name: held.read(name) for name in held.namelist()}
    with zipfile.ZipFile(wheel, "w") as held:
        for name, data in files.items():
            held.writestr(name, data.replace(old.encode(), new.encode()))


# Responses of an index, as uv reports them.


def test_uploaded_files_are_not_uploaded_again(upload: Upload, index: Index, ready: Path) -> None:
    wheel, sdist = sorted(file.name for file in ready.iterdir())
    status, output = upload()
    assert status == 0
    assert re.findall(r"^Uploading (\S+)", output, re.M) == [wheel, sdist] == index.holds()
    for file in ready.iterdir():
        assert (index.folder / file.name).read_bytes() == file.read_bytes()
    status, output = upload()
    assert status == 0
    assert re.findall(r"^File (\S+) already exists, skipping$", output, re.M) == [wheel, sdist]
    assert "Uploading" not in output


def test_a_version_that_exists_with_other_content(upload: Upload, index: Index, ready: Path) -> None:
    upload()
    wheel, sdist = sorted(ready.iterdir())
    (index.folder / sdist.name).unlink()
    rebuilt(wheel, "# Generated", "# Degenerated")
    status, output = upload()
    assert status == 2, output
    assert f"error: Local file and index file do not match for `{wheel.name}`" in output
    assert index.holds() == [wheel.name]


def test_an_upload_that_was_cut_off_can_be_repeated(upload: Upload, index: Index, ready: Path) -> None:
    wheel, sdist = sorted(file.name for file in ready.iterdir())
    with cutting(index, sdist.encode()) as url:
        status, output = upload(URL=url, CHECK_URL=f"{url}simple/")
    assert status == 2, output
    assert f"error: Failed to publish `{ready / sdist}`" in output
    assert output.endswith(REPEAT)
    assert index.holds() == [wheel]
    status, output = upload()
    assert status == 0
    assert f"File {wheel} already exists, skipping" in output
    assert index.holds() == [wheel, sdist]


def test_an_index_that_keeps_an_incomplete_file(upload: Upload, ready: Path, tmp_path: Path) -> None:
    wheel, sdist = sorted(file.name for file in ready.iterdir())
    with serving(tmp_path / "hasty", buffered=False) as index:
        with cutting(index, sdist.encode()) as url:
            assert upload(index, URL=url, CHECK_URL=f"{url}simple/")[0] == 2
        kept = index.folder / sdist
        end = time.monotonic() + 10
        # The index writes it after the connection was cut.
        while not (kept.exists() and kept.stat().st_size) and time.monotonic() < end:
            time.sleep(0.05)
        assert 0 < kept.stat().st_size < (ready / sdist).stat().st_size
        status, output = upload(index)
        assert status == 2, output
        assert f"do not match for `{sdist}`" in output
        kept.unlink()
        assert upload(index)[0] == 0
        assert index.holds() == [wheel, sdist]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"PASSWORD": "another"}, "Server returned status code 403 Forbidden"),
        ({"USERNAME": "", "PASSWORD": "", "TOKEN": "another"}, "Server returned status code 403 Forbidden"),
        ({"URL": "{index}simple/"}, "are you using the simple index URL instead of the upload URL?"),
        ({"URL": "http://127.0.0.1:1/", "CHECK_URL": "http://127.0.0.1:1/simple/"}, "Failed to query check URL"),
    ],
)
def test_errors_of_the_index_are_reported_by_uv(
    upload: Upload, index: Index, variables: dict[str, str], message: str
) -> None:
    status, output = upload(**{name: value.replace("{index}", index.url) for name, value in variables.items()})
    assert status == 2, output
    assert message in output
    assert output.endswith(REPEAT)
    assert index.holds() == []


# Two servers, each with its own credential.


def test_an_index_that_lists_on_another_host_with_another_credential(upload: Upload, index: Index, ready: Path) -> None:
    wheel, sdist = sorted(file.name for file in ready.iterdir())
    named = {"CHECK_USERNAME": READER[0], "CHECK_PASSWORD": READER[1]}
    with serving(index.folder.parent, credential=READER) as lists:
        assert upload(CHECK_URL=lists.simple, **named)[0] == 0
        status, output = upload(CHECK_URL=lists.simple, **named)
        assert status == 0
        assert re.findall(r"^File (\S+) already exists, skipping$", output, re.M) == [wheel, sdist]
        # Without its own credential, the list cannot be read.
        status, output = upload(CHECK_URL=lists.simple, CHECK_USERNAME="", CHECK_PASSWORD="")
        assert (status, "409 Conflict" in output) == (2, True)
    # On one server, too, the credential for reading is the one that reads.
    status, output = upload(CHECK_USERNAME=READER[0], CHECK_PASSWORD=READER[1])
    assert (status, "409 Conflict" in output) == (2, True)


@pytest.mark.parametrize(
    ("url", "check_url", "same"),
    [
        ("https://packages.example/", "https://packages.example:443/simple/", True),
        ("https://packages.example:443", "https://packages.example/simple/", True),
        ("https://packages.example/", "HTTPS://Packages.Example/simple/", True),
        ("https://packages.example/", "https://packages.example./simple/", True),
        ("https://PACKAGES.example.:443/", "https://packages.example/simple/", True),
        ("http://127.0.0.1/", "http://127.0.0.1:80/simple/", True),
        ("https://[::1]/", "https://[::1]:443/simple/", True),
        ("https://packages.example/", "https://packages.example:8443/simple/", False),
        ("https://packages.example/", "https://packages.example:80/simple/", False),
        ("https://packages.example/", "https://packages.example.org/simple/", False),
        ("https://upload.packages.example/", "https://packages.example/simple/", False),
        ("https://localhost/", "http://localhost/simple/", False),
        ("https://localhost:8080/", "http://localhost:8080/simple/", False),
    ],
)
def test_the_servers_of_two_urls_are_compared_by_meaning(url: str, check_url: str, same: bool) -> None:
    given = tool.settings(Index(1, Path()).variables(URL=url, CHECK_URL=check_url))
    assert (f"{USER}:{quote(PASSWORD, safe='')}@" in given["UV_PUBLISH_CHECK_URL"]) == same
    reading = {"CHECK_USERNAME": "reader", "CHECK_PASSWORD": "a:b@c"}
    given = tool.settings(Index(1, Path()).variables(URL=url, CHECK_URL=check_url, **reading))
    assert "://reader:a%3Ab%40c@" in given["UV_PUBLISH_CHECK_URL"]
    assert quote(PASSWORD, safe="") not in given["UV_PUBLISH_CHECK_URL"]


def test_a_server_in_another_spelling_gets_the_credential(upload: Upload, index: Index) -> None:
    named = {"URL": f"http://LOCALHOST:{index.port}/", "CHECK_URL": f"http://localhost:{index.port}/simple/"}
    assert upload(**named)[0] == 0
    status, output = upload(**named)
    assert (status, output.count("already exists, skipping")) == (0, 2)


# Redirects.


@pytest.mark.parametrize("reachable", [True, False])
def test_a_redirect_to_another_server_says_nothing_about_the_index(
    upload: Upload, elsewhere: Server, ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reachable: bool
) -> None:
    wheel, sdist = sorted(file.name for file in ready.iterdir())
    elsewhere.script = lambda *_: (200, {"Content-Type": "text/html"}, links({wheel: "0" * 64, sdist: "0" * 64}))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # no proxy may read the credential
    fallback = elsewhere.url if reachable else "http://localhost:1"
    with serving(tmp_path / "falls-back", fallback=f"{fallback}/simple/") as index:
        status, output = upload(index, CHECK_URL=index.simple.replace("http", "HTTP"))
        note = f"{index.url[:-1]} does not list talkdesk-bridge: it redirects to '{fallback}', which was not asked."
        assert (status, output.splitlines()[0]) == (0, note), output
        assert index.holds() == [wheel, sdist]
        status, output = upload(index)
        assert (status, output.count("already exists, skipping"), "redirects" in output) == (0, 2, False)
        (index.folder / sdist).write_bytes(b"another")
        assert "do not match" in upload(index)[1]
    assert elsewhere.seen == []


def test_an_index_with_tls_that_redirects(
    upload: Upload, tls: tuple[Server, Path], elsewhere: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect on the same server is followed, with the credential; one to another server is not."""
    server, certificate = tls
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    responses = {
        "/simple/talkdesk-bridge/": (301, {"Location": "/list/talkdesk-bridge/"}, b""),
        "/list/talkdesk-bridge/": (302, {"Location": f"{elsewhere.url}/simple/"}, b""),
    }
    server.script = lambda _, target: responses[target]
    output = upload(URL=server.url, CHECK_URL=f"{server.url}/simple")[1]
    note = f"{server.url} does not list talkdesk-bridge: it redirects to '{elsewhere.url}', which was not asked.\n"
    assert output.startswith(note)
    # uv does not query the list. It rejects this certificate, because that is its own authority.
    assert [(target, "Authorization" in headers) for _, target, headers, _ in server.seen] == [
        ("/simple/talkdesk-bridge/", True),
        ("/list/talkdesk-bridge/", True),
    ]
    assert elsewhere.seen == []


def links(digests: dict[str, str]) -> bytes:
    """The page of an index for a package."""
    return "".join(f'<a href="/{name}#sha256={digest}">{name}</a>\n' for name, digest in digests.items()).encode()


@pytest.mark.parametrize(
    "location", ["/list/talkdesk-bridge/", "../../list/talkdesk-bridge/", "{url}/list/talkdesk-bridge/"]
)
def test_a_list_that_the_same_server_redirects_to(upload: Upload, server: Server, ready: Path, location: str) -> None:
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in ready.iterdir()}
    responses = {
        "/simple/talkdesk-bridge/": (302, {"Location": location.replace("{url}", server.url)}, b""),
        "/list/talkdesk-bridge/": (200, {"Content-Type": "text/html"}, links(digests)),
    }
    server.script = lambda method, target: responses[target]
    status, output = upload(URL=f"{server.url}/", CHECK_URL=f"{server.url}/simple/")
    assert (status, output.count("already exists, skipping")) == (0, 2)
    assert all("Authorization" in headers for _, _, headers, _ in server.seen)


@pytest.mark.parametrize("location", ["/legacy/", "legacy/", "{url}/legacy/"])
def test_uploads_that_the_same_server_redirects(upload: Upload, server: Server, ready: Path, location: str) -> None:
    responses = {"/legacy": (308, {"Location": location.replace("{url}", server.url)}, b""), "/legacy/": (200, {}, b"")}
    server.script = lambda method, target: responses[target] if method == "POST" else (404, {}, b"")
    assert upload(URL=f"{server.url}/legacy", CHECK_URL=f"{server.url}/simple/")[0] == 0
    received = [body for method, target, _, body in server.seen if (method, target) == ("POST", "/legacy/") and body]
    for file, body in zip(sorted(ready.iterdir()), received, strict=True):
        assert file.read_bytes() in body


@pytest.mark.parametrize("paths", [["/"], ["/", "/next"]])
def test_no_upload_goes_to_another_server(upload: Upload, server: Server, elsewhere: Server, paths: list[str]) -> None:
    locations = dict(zip(paths, [*paths[1:], elsewhere.url], strict=True))
    server.script = lambda method, target: (
        (308, {"Location": locations[target]}, b"") if method == "POST" else (404, {}, b"")
    )
    status, output = upload(URL=f"{server.url}/", CHECK_URL=f"{server.url}/simple/")
    assert (status, output.splitlines()[0]) == (2, f"Publishing 2 files to {server.url}/")
    assert elsewhere.seen == []


def test_redirects_without_end(upload: Upload, server: Server) -> None:
    server.script = lambda method, target: (302, {"Location": target}, b"") if method == "GET" else (401, {}, b"")
    assert upload(URL=f"{server.url}/", CHECK_URL=f"{server.url}/simple/")[0] == 2


# Errors before uv starts.


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"URL": ""}, "UV_PUBLISH_URL is not a URL: set it to the URL of your index (docs/publishing.md).\n"),
        ({"CHECK_URL": ""}, "UV_PUBLISH_CHECK_URL is not a URL: set it to the URL of your index (docs/publishing.md).\n"),
        ({"URL": "index.example"}, "UV_PUBLISH_URL is not a URL: set it to the URL of your index (docs/publishing.md).\n"),
        ({"URL": "https://[x/"}, "UV_PUBLISH_URL is not a URL: set it to the URL of your index (docs/publishing.md).\n"),
        ({"URL": "https://index.example:65536/"}, "UV_PUBLISH_URL is not a URL: set it to the URL of your index (docs/publishing.md).\n"),
        ({"URL": f"https://{USER}:hidden@index.example/"}, "UV_PUBLISH_URL contains a credential: use UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD instead.\n"),
        ({"CHECK_URL": f"https://{USER}:hidden@index.example/"}, "UV_PUBLISH_CHECK_URL contains a credential: use UV_PUBLISH_CHECK_USERNAME and UV_PUBLISH_CHECK_PASSWORD instead.\n"),
        ({"CHECK_USERNAME": "reader"}, "Set both UV_PUBLISH_CHECK_USERNAME and UV_PUBLISH_CHECK_PASSWORD, or neither.\n"),
        ({"CHECK_PASSWORD": "hidden"}, "Set both UV_PUBLISH_CHECK_USERNAME and UV_PUBLISH_CHECK_PASSWORD, or neither.\n"),
        ({"URL": "http://index.example/"}, "UV_PUBLISH_URL does not use https, so others could read the credential: use https.\n"),
        ({"PASSWORD": ""}, "No credential: set UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD, or UV_PUBLISH_TOKEN.\n"),
    ],
)  # fmt: skip
def test_invalid_variables(upload: Upload, index: Index, variables: dict[str, str], message: str) -> None:
    assert upload(**variables) == (1, message)
    assert index.holds() == []


def test_only_the_built_files_are_uploaded(upload: Upload, index: Index, ready: Path) -> None:
    wheel, sdist = sorted(ready.iterdir())
    lines = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in (wheel, sdist))
    others = "The files in dist/ do not match DIGESTS: find out why before you upload.\n"
    for wrong in ("", "\n", lines.splitlines()[0], lines.replace("a", "b")):
        assert upload(DIGESTS=wrong) == (1, others)
    rebuilt(wheel, "Private :: Do Not Upload", "Topic :: Internet")
    assert upload(DIGESTS=lines) == (1, others)
    now = lines.replace(lines[:64], hashlib.sha256(wheel.read_bytes()).hexdigest())
    status, output = upload(DIGESTS=now)
    assert (status, output.partition(",")[0]) == (1, f"{wheel.name} lacks the classifier `Private :: Do Not Upload`")
    wheel.write_bytes(b"not a wheel")
    (ready.parent / "dist" / "more.txt").touch()
    assert upload(DIGESTS=now) == (1, "dist/ must hold a wheel and an sdist of one version: run `make build`.\n")
    assert index.holds() == []


def test_the_digests_as_sha256sum_prints_them(upload: Upload, ready: Path) -> None:
    for command in ("sha256sum *", "sha256sum -b *"):
        printed = subprocess.run(["/bin/sh", "-c", command], cwd=ready, check=True, capture_output=True, text=True)
        assert upload(DIGESTS=printed.stdout.rstrip("\n"))[0] == 0


# The secret.


def echoes() -> Iterator[str]:
    """The forms in which a server may repeat the credential."""
    yield base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    yield re.sub(r"[^a-z0-9]", lambda found: f"&#0{ord(found[0])};", PASSWORD)
    for text in (PASSWORD, json.dumps(PASSWORD)[1:-1], quote(PASSWORD), quote(PASSWORD, safe=""), quote_plus(PASSWORD)):
        yield from (text, text.replace("/", r"\/"), html.escape(text))
        yield re.sub("%..", lambda found: found[0].lower(), text)


@pytest.mark.parametrize(("to_get", "to_post"), [(503, 200), (404, 400), (404, 401), (404, 405)])
def test_an_index_that_repeats_the_credential(
    upload: Upload, index: Index, server: Server, monkeypatch: pytest.MonkeyPatch, to_get: int, to_post: int
) -> None:
    # Also in the status line.
    phrases = dict.fromkeys((to_get, to_post), (f"Wrong {PASSWORD}", ""))
    monkeypatch.setattr(server._server.RequestHandlerClass, "responses", phrases)
    body = " ".join(["<b>Wrong.</b>", *echoes()]).encode()
    server.script = lambda method, _: (to_get if method == "GET" else to_post, {}, body)
    status, output = upload(Index(int(server.url.rpartition(":")[2]), index.folder))
    assert status == 2, output
    assert "Wrong" in output
    assert "****" in output
    assert not [form for form in echoes() if form in output]


def test_a_password_of_any_characters_is_redacted() -> None:
    password = "a b&<\"'\\ü+.*"
    forms = (password, quote(password), quote_plus(password), html.escape(password), json.dumps(password)[1:-1])
    for form in forms:
        assert tool.redacted(f"It says {form}!", USER, password) == "It says ****!"


def test_a_token_in_place_of_a_user_name_is_redacted(upload: Upload, server: Server) -> None:
    server.script = lambda method, _: (404, {}, b"") if method == "GET" else (403, {}, " ".join(READER).encode())
    named = {"URL": f"{server.url}/", "CHECK_URL": f"{server.url}/simple/"}
    for prefix in ("", "CHECK_"):
        status, output = upload(**named, **{f"{prefix}USERNAME": READER[0], f"{prefix}PASSWORD": READER[1]})
        assert (status, "Server says: **** ****" in output) == (2, True)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_no_proxy_reads_the_credential(
    upload: Upload, index: Index, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert upload()[0] == 0
    assert len(index.holds()) == 2


def test_no_credential_goes_to_another_server(
    upload: Upload, server: Server, elsewhere: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes neither to the server of CHECK_URL nor to one that it redirects to, and none is read from .netrc."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert upload(CHECK_URL=f"{server.url}/simple/")[0] == 0
    assert len(server.seen) >= 2
    assert not [headers for _, _, headers, _ in server.seen if "Authorization" in headers]
    server.seen.clear()
    # The same server gets the credential, but not the one that it redirects to.
    server.script = lambda *_: (302, {"Location": elsewhere.url}, b"")
    upload(Index(int(server.url.rpartition(":")[2]), tmp_path))
    assert [headers for _, _, headers, _ in server.seen if "Authorization" in headers]
    assert elsewhere.seen == []

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
        assert PASSWORD not in out + err
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
    assert status == 2
    assert f"error: Local file and index file do not match for `{wheel.name}`" in output
    assert index.holds() == [wheel.name]


def test_an_upload_that_was_cut_off_can_be_repeated(upload: Upload, index: Index, ready: Path) -> None:
    wheel, sdist = sorted(file.name for file in ready.iterdir())
    with cutting(index, sdist.encode()) as url:
        status, output = upload(URL=url, CHECK_URL=f"{url}simple/")
    assert status == 2
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
        while not kept.exists() and time.monotonic() < end:  # the index writes it after the connection was cut
            time.sleep(0.05)
        assert 0 < kept.stat().st_size < (ready / sdist).stat().st_size
        status, output = upload(index)
        assert status == 2
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
    assert status == 2
    assert message in output
    assert output.endswith(REPEAT)
    assert index.holds() == []


# Errors before uv starts.


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"URL": ""}, "UV_PUBLISH_URL is not a URL: set it to the URL of your index (docs/publishing.md).\n"),
        ({"CHECK_URL": ""}, "UV_PUBLISH_CHECK_URL is not a URL: set it to the URL of your index (docs/publishing.md).\n"),
        ({"URL": "index.example"}, "UV_PUBLISH_URL is not a URL: set it to the URL of your index (docs/publishing.md).\n"),
        ({"URL": "https://[x/"}, "UV_PUBLISH_URL is not a URL: set it to the URL of your index (docs/publishing.md).\n"),
        ({"URL": f"https://{USER}:hidden@index.example/"}, "UV_PUBLISH_URL contains a credential: use UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD instead.\n"),
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
    assert status == 2
    assert "Wrong" in output
    assert "****" in output
    assert not [form for form in echoes() if form in output]


def test_a_password_of_any_characters_is_redacted() -> None:
    password = "a b&<\"'\\ü+.*"
    forms = (password, quote(password), quote_plus(password), html.escape(password), json.dumps(password)[1:-1])
    for form in forms:
        assert tool.redacted(f"It says {form}!", USER, password) == "It says ****!"


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
    server.script = lambda *_: (302, {"Location": elsewhere.url}, b"")
    assert upload(CHECK_URL=f"{server.url}/simple/")[0] == 0
    assert len(server.seen) >= 2
    assert not [headers for _, _, headers, _ in server.seen if "Authorization" in headers]
    server.seen.clear()
    # The same server gets the credential, but not the one that it redirects to.
    upload(Index(int(server.url.rpartition(":")[2]), tmp_path))
    assert [headers for _, _, headers, _ in server.seen if "Authorization" in headers]
    assert len(elsewhere.seen) >= 2
    assert not [headers for _, _, headers, _ in elsewhere.seen if "Authorization" in headers]

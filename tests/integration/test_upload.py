"""`make upload` against package indexes on loopback: what it refuses, what it tells, and that a repeat heals it."""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
import re
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.conftest import ROOT, Server
from tests.integration.indexes import PASSWORD, USER, Index, cutting, serving
from tools import upload as tool

Upload = Callable[..., tuple[int, str]]


class Files(SimpleHTTPRequestHandler):
    """A server of files, which takes none."""

    def log_message(self, *_: object) -> None:
        pass


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
    """What is to be uploaded."""
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "UV", ROOT / ".venv-uv" / "bin" / "uv")
    monkeypatch.setattr(tool, "SECONDS_UNTIL_LISTED", 0)
    monkeypatch.setenv("COLUMNS", "40")  # as a terminal has it, or what knows of one
    return Path(shutil.copytree(dist, tmp_path / "dist"))


@pytest.fixture
def upload(ready: Path, index: Index, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Upload:
    def run(at: Index = index, **variables: str) -> tuple[int, str]:
        """Exit status, and the one line that is told; the secret is in none."""
        digests = variables.pop("DIGESTS", None)
        for name, value in at.variables(**variables).items():
            monkeypatch.setenv(name, value)
        if digests is not None:
            monkeypatch.setenv("DIGESTS", digests)
        status = tool.main()
        out, err = capfd.readouterr()
        assert PASSWORD not in out + err
        if status:
            assert (out, err.count("\n")) == ("", 1)
        else:
            assert err == ""
        return status, out + err

    return run


def rebuilt(wheel: Path, old: str, new: str) -> None:
    """Change the text of a file, or of the metadata, in a wheel."""
    with zipfile.ZipFile(wheel) as held:
        files = {name: held.read(name) for name in held.namelist()}
    with zipfile.ZipFile(wheel, "w") as held:
        for name, data in files.items():
            held.writestr(name, data.replace(old.encode(), new.encode()))


def test_what_is_uploaded_once_is_not_uploaded_again(upload: Upload, index: Index, ready: Path) -> None:
    wheel, sdist = sorted(file.name for file in ready.iterdir())
    assert upload() == (0, f"{wheel}: uploaded.\n{sdist}: uploaded.\n")
    for file in ready.iterdir():
        assert (index.folder / file.name).read_bytes() == file.read_bytes()
    times = [(index.folder / name).stat().st_mtime_ns for name in (wheel, sdist)]
    there = "is on the index already, with this content"
    assert upload() == (0, f"{wheel}: {there}.\n{sdist}: {there}.\n")
    assert times == [(index.folder / name).stat().st_mtime_ns for name in (wheel, sdist)]


def test_a_version_that_is_there_with_other_content(upload: Upload, index: Index, ready: Path) -> None:
    upload()
    wheel, sdist = sorted(ready.iterdir())
    (index.folder / sdist.name).unlink()
    rebuilt(wheel, "# Generated", "# Degenerated")
    status, told = upload()
    assert status == tool.CONTENT
    assert told.startswith(f"The index has {wheel.name} already, with other content: set a higher `info.version`")
    assert index.holds() == [wheel.name]


def test_a_credential_that_the_index_refuses(upload: Upload, index: Index) -> None:
    wrong = "UV_PUBLISH_CHECK_URL refuses the credential: check user name and password, or the token.\n"
    assert upload(PASSWORD="another") == (tool.CREDENTIAL, f"Status 403: {wrong}")
    assert upload(USERNAME="", PASSWORD="", TOKEN="another") == (tool.CREDENTIAL, f"Status 403: {wrong}")
    assert index.holds() == []


def test_a_credential_that_may_read_but_not_upload(upload: Upload, ready: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "open", actions="update") as index:
        status, told = upload(index, PASSWORD="another")
    assert status == tool.CREDENTIAL
    told_of = sorted(file.name for file in ready.iterdir())[0]
    assert (
        told
        == f"Status 403: the index refuses {told_of}: the credential is wrong, or may not upload, or the index is read-only.\n"
    )


def test_an_index_of_files_alone(upload: Upload, tmp_path: Path) -> None:
    (tmp_path / "files" / "simple").mkdir(parents=True)
    handler = functools.partial(Files, directory=str(tmp_path / "files"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        status, told = upload(Index(server.server_port, tmp_path))
        server.shutdown()
    assert status == tool.INDEX
    assert told.startswith("Status 501: UV_PUBLISH_URL takes no uploads: the index is read-only, or")


def test_where_people_install_from_takes_no_uploads(upload: Upload, index: Index) -> None:
    status, told = upload(URL=index.simple)
    assert status == tool.INDEX
    assert told.startswith(
        "Status 405: UV_PUBLISH_URL takes no uploads: the index is read-only, or its URL for uploads"
    )


def test_an_index_that_cannot_be_reached(upload: Upload, index: Index) -> None:
    nobody = "http://127.0.0.1:1/"
    assert upload(URL=nobody, CHECK_URL=f"{nobody}simple/") == (
        tool.INDEX,
        "UV_PUBLISH_CHECK_URL cannot be reached ([Errno 111] Connection refused): check it, the network, and the proxy, if one is set, and repeat.\n",
    )
    assert index.holds() == []


def test_an_upload_that_is_cut_off_is_healed_by_a_repeat(upload: Upload, index: Index, ready: Path) -> None:
    wheel, sdist = sorted(file.name for file in ready.iterdir())
    with cutting(index, sdist.encode()) as url:
        status, told = upload(URL=url, CHECK_URL=f"{url}simple/")
    assert status == tool.INDEX
    assert told.startswith(f"{sdist} was not uploaded, ")
    assert told.endswith(": a repeat sends what the index has not got.\n")
    assert index.holds() == [wheel]
    assert upload() == (0, f"{wheel}: is on the index already, with this content.\n{sdist}: uploaded.\n")


def test_an_index_that_keeps_half_a_file(upload: Upload, ready: Path, tmp_path: Path) -> None:
    wheel, sdist = sorted(file.name for file in ready.iterdir())
    with serving(tmp_path / "hasty", buffered=False) as index:
        with cutting(index, sdist.encode()) as url:
            assert upload(index, URL=url, CHECK_URL=f"{url}simple/")[0] == tool.INDEX
        kept = index.folder / sdist
        assert 0 < kept.stat().st_size < (ready / sdist).stat().st_size
        status, told = upload(index)
        assert status == tool.CONTENT
        assert told.endswith("or, if what the index has is broken, delete it there and repeat.\n")
        kept.unlink()
        assert upload(index)[0] == 0
        assert index.holds() == [wheel, sdist]


def test_an_index_that_does_not_list_what_it_took(upload: Upload, index: Index) -> None:
    status, told = upload(CHECK_URL=f"{index.url}other/")
    assert status == tool.CONFIGURATION
    assert "UV_PUBLISH_CHECK_URL does not list" in told
    status, told = upload(CHECK_URL=f"{index.url}other/")
    assert status == tool.CONFIGURATION
    assert told.startswith("Status 409: the index has ")


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"URL": ""}, "UV_PUBLISH_URL is not set: set it to the URL of your index to upload to."),
        ({"CHECK_URL": ""}, "UV_PUBLISH_CHECK_URL is not set: set it to the URL of your index to install from, which often ends in /simple/."),
        ({"URL": "index.example"}, "UV_PUBLISH_URL is no URL: "),
        ({"URL": "https://[x/"}, "UV_PUBLISH_URL is no URL: "),
        ({"CHECK_URL": "https://ïndex.example/"}, "UV_PUBLISH_CHECK_URL is no URL: "),
        ({"URL": f"https://{USER}:hidden@index.example/"}, "UV_PUBLISH_URL holds a credential: take it out"),
        ({"URL": "http://index.example/"}, "UV_PUBLISH_URL is http, which shows the credential to others: use https."),
        ({"USERNAME": ""}, "There is no credential: set UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD, or UV_PUBLISH_TOKEN."),
        ({"USERNAME": f"{USER}\n"}, "UV_PUBLISH_USERNAME has a line break or another character that cannot be sent: take it out."),
        ({"TOKEN": "t"}, "UV_PUBLISH_TOKEN and UV_PUBLISH_USERNAME or UV_PUBLISH_PASSWORD are both set: unset one of the two."),
    ],
)  # fmt: skip
def test_variables_that_cannot_be_used(upload: Upload, index: Index, variables: dict[str, str], told: str) -> None:
    status, said = upload(**variables)
    assert status == tool.CONFIGURATION
    assert said.startswith(told)
    assert "hidden" not in said
    assert index.holds() == []


def test_only_what_was_built_is_uploaded(upload: Upload, index: Index, ready: Path) -> None:
    wheel, sdist = sorted(ready.iterdir())
    lines = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in (wheel, sdist))
    for wrong in ("", "\n", lines.splitlines()[0], lines.replace("a", "b")):
        status, told = upload(DIGESTS=wrong)
        assert (status, told) == (
            tool.CONTENT,
            "The files in dist/ are not those of DIGESTS: upload none of them, and find out why.\n",
        )
    rebuilt(wheel, "Private :: Do Not Upload", "Topic :: Internet")
    status, told = upload(DIGESTS=lines)
    assert status == tool.CONTENT
    status, told = upload(DIGESTS=lines.replace(lines[:64], hashlib.sha256(wheel.read_bytes()).hexdigest()))
    assert told.startswith(f"dist/{wheel.name} lacks the classifier `Private :: Do Not Upload`")
    (ready / "more.txt").touch()
    status, told = upload()
    assert told == (
        f"dist/ holds more.txt, {wheel.name}, {sdist.name}, and not a wheel and an sdist of one version: "
        "run `make build`.\n"
    )
    assert index.holds() == []


def test_the_digests_as_sha256sum_prints_them(upload: Upload, ready: Path) -> None:
    for command in ("sha256sum *", "sha256sum -b *"):
        printed = subprocess.run(["/bin/sh", "-c", command], cwd=ready, check=True, capture_output=True, text=True)
        assert upload(DIGESTS=printed.stdout.rstrip("\n"))[0] == 0


def echoes(index: Index) -> Iterator[str]:
    """The credential as a server may repeat it."""
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    for text in (
        PASSWORD,
        basic,
        json.dumps(PASSWORD),
        quote(PASSWORD),
        quote(PASSWORD, safe=""),
        quote_plus(PASSWORD),
    ):
        yield from (
            text,
            text.replace("/", r"\/"),
            re.sub("%..", lambda found: found[0].lower(), text),
            html.escape(text),
        )


@pytest.mark.parametrize(
    ("to_get", "to_post", "exit_status", "told"),
    [
        (401, 200, tool.CREDENTIAL, "Status 401: UV_PUBLISH_CHECK_URL refuses the credential"),
        (429, 200, tool.INDEX, "UV_PUBLISH_CHECK_URL answers 429: repeat when the index is well."),
        (503, 200, tool.INDEX, "UV_PUBLISH_CHECK_URL answers 503: repeat when the index is well."),
        (404, 400, tool.INDEX, "Status 400: the index refuses talkdesk_bridge-"),
        (404, 401, tool.CREDENTIAL, "Status 401: the index refuses the credential for talkdesk_bridge-"),
        (404, 404, tool.INDEX, "Status 404: UV_PUBLISH_URL takes no uploads"),
        (404, 405, tool.INDEX, "Status 405: UV_PUBLISH_URL takes no uploads"),
        (404, 200, tool.CONFIGURATION, "The index took talkdesk_bridge-"),
        (302, 400, tool.INDEX, "Status 400: the index refuses talkdesk_bridge-"),
    ],
)
def test_an_index_that_repeats_the_credential(
    upload: Upload, index: Index, server: Server, elsewhere: Server, monkeypatch: pytest.MonkeyPatch,
    to_get: int, to_post: int, exit_status: int, told: str,
) -> None:  # fmt: skip
    # In the line of the status, too.
    phrases = dict.fromkeys((to_get, to_post), (f"Wrong {PASSWORD}", ""))
    monkeypatch.setattr(server._server.RequestHandlerClass, "responses", phrases)
    body = " ".join(["<b>Wrong.</b>", *echoes(index)]).encode()
    server.script = lambda method, _: (
        to_get if method == "GET" else to_post,
        {"Location": elsewhere.url},
        body,
    )
    status, said = upload(Index(int(server.url.rpartition(":")[2]), index.folder))
    assert status == exit_status, said
    assert said.startswith(told)
    assert not [form for form in echoes(index) if form in said]
    assert not [headers for _, _, headers, _ in elsewhere.seen if "Authorization" in headers]
    if to_post == 400:
        assert ": Wrong. ****" in said


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_no_proxy_reads_the_credential(
    upload: Upload, index: Index, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "index.example")
    assert upload()[0] == 0
    assert len(index.holds()) == 2


def test_no_credential_goes_to_another_server(
    upload: Upload, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither to where the list of files is, nor to where it redirects, nor from what the machine knows."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    status, told = upload(CHECK_URL=f"{server.url}/simple/")
    assert status == tool.CONFIGURATION, told
    assert len(server.seen) >= 3
    assert not [headers for _, _, headers, _ in server.seen if "Authorization" in headers]

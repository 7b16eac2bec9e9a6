"""`invoices --accounts-file`: all accounts or an error, resuming after any interruption, and the figures of the soak."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from talkdesk_bridge_cli.signals import ended_by_signals
from talkdesk_bridge_cli.store import Store
from talkdesk_bridge_sandbox import Sandbox

from tests.command import COMMAND, environment, on_a_terminal, run
from tests.conftest import ROOT, page
from tests.keepalive import KeepAlive, http_response
from tests.soak_accounts import Sample, Soak, pages, soak

ACCOUNTS = [str(1000 + number) for number in range(60)]


class Bridge(KeepAlive):
    """Has two pages with one invoice each for every account; `asked` keeps the accounts requested."""

    def __init__(self) -> None:
        super().__init__(self.page)
        self.asked: list[str] = []
        self.instead: Callable[[str], bytes | None] = lambda account: None
        self.pause = 0.0

    def page(self, target: str) -> bytes:
        account, _, query = target.rpartition("/")[2].partition("?")
        self.asked.append(account)
        time.sleep(self.pause)
        number = 2 if "page=2" in query else 1
        return self.instead(account) or http_response(json.dumps(page(f"{account}-{number}", total=2)).encode())


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    served = Bridge()
    with served:
        yield served


Listing = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def listing(bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listing:
    """Runs the command in this process: `listing(accounts, *options)`, with `out.jsonl` as output by default."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("random.uniform", lambda *_: 0)

    def listed(
        accounts: str | list[str] = ACCOUNTS, *options: str, url: str = "", output: str = "out.jsonl"
    ) -> subprocess.CompletedProcess[str]:
        text = accounts if isinstance(accounts, str) else "\n".join(accounts)
        Path("accounts.txt").write_text(text, encoding="utf-8")
        arguments = ["invoices", "--accounts-file", "accounts.txt", "--output", output, *options]
        return run(*arguments, URL=url or bridge.url)

    return listed


def numbers(text: str) -> list[str]:
    return sorted(json.loads(line)["invoice_number"] for line in text.splitlines())


def every(*accounts: str) -> list[str]:
    return sorted(f"{account}-{number}" for account in accounts or ACCOUNTS for number in (1, 2))


def written() -> str:
    return Path("out.jsonl").read_text(encoding="utf-8")


def files() -> set[str]:
    return {file.name for file in Path().iterdir()} - {"accounts.txt"}


def test_a_small_soak(tmp_path: Path) -> None:
    done = soak(tmp_path, accounts=80, invoices=100, kills=2, pause=0.01)
    assert done.holds(), done
    assert done.statuses == [-signal.SIGKILL] * 2 + [0]
    assert len({sample.run for sample in done.samples}) == 3


def test_the_soak_detects_growth_and_loss() -> None:
    def grown(*mib: int, found: int = 100, statuses: tuple[int, ...] = (0,), faults: tuple[str, ...] = ()) -> bool:
        samples = [Sample(seconds, 1, one * 2**20, 0) for seconds, one in enumerate(mib)]
        return not Soak(10, 10, 1.0, samples, [*statuses], found, [*faults]).holds()

    assert not grown(10, 40, 60, 60, 66)
    assert grown(10, 40, 60, 60, 69)
    assert grown(60, found=99)
    assert grown(60, statuses=(-9,))
    assert grown(60, faults=("an account is lost",))


def test_the_pages_of_the_soak_match_the_contract(listing: Listing, bridge: Bridge) -> None:
    bodies = [http_response(body) for body in pages(60)]
    bridge.respond = lambda target: bodies["page=2" in target]
    result = listing(["9876543210"], "--strict")
    assert (result.returncode, result.stderr) == (0, "60 invoices of 1 account written to out.jsonl.\n")
    assert len(written().splitlines()) == 60


def test_all_invoices_are_written_and_no_other_file_is_left(listing: Listing, bridge: Bridge) -> None:
    result = listing("\ufeff# all\r\n1000\r\n\r\n  1001  # the second\n1000\n#1003\n1002", output="out.jsonl")
    message = "6 invoices of 3 accounts written to out.jsonl.\n"
    assert (result.returncode, result.stdout, result.stderr) == (0, "", message)
    assert numbers(written()) == every("1000", "1001", "1002")
    assert sorted(bridge.asked) == sorted(["1000", "1001", "1002"] * 2)
    assert files() == {"out.jsonl"}
    accounts = [json.loads(line)["account_number"] for line in written().splitlines()]
    assert accounts == ["1000", "1000", "1001", "1001", "1002", "1002"], "in the order of the file"


def test_the_output_is_the_same_as_for_accounts_on_the_command_line(sandbox: Sandbox) -> None:
    accounts = ["1000000001", "1000000003", "1000000005", "1000000002"]
    named = {"URL": sandbox.url, "BEARER_TOKEN": sandbox.credentials.bearer_token}
    for form in ("jsonl", "csv"):
        one_by_one = run("invoices", *accounts, "--format", form, **named)
        result = run("invoices", "--accounts-file", "-", "--format", form, stdin="\n".join(accounts), **named)
        assert (result.returncode, result.stderr) == (0, one_by_one.stderr)
        assert result.stdout == one_by_one.stdout


def test_csv_has_the_columns_of_all_accounts(listing: Listing, bridge: Bridge) -> None:
    def more(account: str) -> bytes | None:
        body = page("=1", total=1)
        body["_embedded"]["invoices"][0] |= {f"more_{account}": 1, "amount": 3700.00, "exact": "#"}
        return http_response(json.dumps(body).replace('"#"', "1.10").encode())

    bridge.instead = more
    assert listing(["1000", "1001"], "--format", "csv", output="out.csv").returncode == 0
    header, first, second = Path("out.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("account_number,amount,due_amount,")
    assert header.endswith(",more_1000,exact,more_1001")
    assert first.startswith("1000,3700.0,")
    assert ",'=1," in first
    assert first.endswith(",1,1.10,")
    assert second.endswith(",,1.10,1")


def test_failed_accounts_are_reported_and_requested_again(listing: Listing, bridge: Bridge) -> None:
    bodies = {"1003": http_response(b"{}", 404), "1004": http_response(b"<html>"), "1005": http_response(b"{}", 400)}
    bridge.instead = bodies.get
    result = listing([*ACCOUNTS, "a//b"])
    assert (result.returncode, result.stdout) == (7, "")
    lines = result.stderr.splitlines()
    assert sorted(line[:13] for line in lines[:4]) == [
        "account 1003:",
        "account 1004:",
        "account 1005:",
        "account a//b:",
    ]
    assert any("returned 404 Not Found" in line for line in lines[:4])
    assert lines[4].startswith("57 of 61 accounts are saved in ")
    assert (
        lines[5]
        == "talkdesk-bridge: 4 of 61 accounts failed, so nothing was written. Use --skip-failed to write the other accounts."
    )
    assert files() == {"out.jsonl.part"}

    bodies.pop("1003")
    bridge.asked.clear()
    result = listing()
    assert result.returncode == 7
    assert "out.jsonl.part, started 20" in result.stderr
    assert ": 57 of 60 accounts are complete." in result.stderr
    assert {*bridge.asked} == {"1003", "1004", "1005"}
    assert "account 1003" not in result.stderr

    bodies["1004"] = http_response(b"{}", 503)
    result = listing(ACCOUNTS, "--skip-failed")
    assert result.returncode == 5, "the same command may work later"
    assert numbers(written()) == every(*(account for account in ACCOUNTS if account not in ("1004", "1005")))
    assert result.stderr.endswith("2 of 60 accounts failed and are not in the output.\n")
    assert files() == {"out.jsonl"}


def test_without_a_file_failures_leave_standard_output_empty(listing: Listing, bridge: Bridge) -> None:
    bodies = {"1003": http_response(b"{}", 404)}
    bridge.instead = bodies.get
    result = listing(output="-")
    assert (result.returncode, result.stdout) == (7, "")
    assert "or --output FILE to save them for the next call." in result.stderr
    result = listing(ACCOUNTS, "--skip-failed", output="-")
    assert result.returncode == 7
    assert len(result.stdout.splitlines()) == 118
    bodies.clear()
    result = listing(output="/dev/stdout")
    assert (result.returncode, result.stderr) == (0, "120 invoices of 60 accounts printed.\n")
    assert numbers(result.stdout) == every()
    assert files() == set()


@pytest.mark.parametrize(
    ("error", "status", "requests", "message"),
    [
        (http_response(b"{}", 401), 3, 20, "401 Unauthorized"),
        (http_response(b"{}", 407), 3, 20, "a proxy returned 407"),
        (http_response(b"{}", 503), 5, 4 * 40, "503 Service Unavailable"),
        (http_response(b"{}", 429, ["Retry-After: 3600"]), 5, 20, "Retry after 3600 s"),
    ],
)
def test_an_error_that_affects_all_accounts_ends_the_run(
    listing: Listing, bridge: Bridge, error: bytes, status: int, requests: int, message: str
) -> None:
    served = {"1000", "1001", "1002"}
    bridge.instead = lambda account: None if account in served else error
    result = listing()
    assert result.returncode == status
    assert message in result.stderr.splitlines()[-1]
    assert len(bridge.asked) <= requests + 10, "pages of the three, and requests sent while results are taken"
    # If no account was complete by then, nothing is left.
    assert files() in ({"out.jsonl.part"}, set())
    bridge.instead = lambda _: None
    assert listing().returncode == 0
    assert numbers(written()) == every()


@pytest.mark.parametrize("status", [401, 407])
def test_a_wrong_password_is_sent_once(listing: Listing, bridge: Bridge, status: int) -> None:
    bridge.instead = lambda _: http_response(b"{}", status)
    assert (listing().returncode, len(bridge.asked)) == (3, 1)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_signal_ends_the_run_and_the_next_run_resumes_it(
    bridge: Bridge, tmp_path: Path, number: int, status: int
) -> None:
    bridge.pause = 0.02
    source, output = tmp_path / "accounts.txt", tmp_path / "out.jsonl"
    source.write_text("\n".join(ACCOUNTS), encoding="ascii")
    command = [COMMAND, "invoices", "--accounts-file", str(source), "--output", str(output), "--at-once", "2"]
    with subprocess.Popen(command, env=environment(URL=bridge.url), stderr=subprocess.PIPE, text=True) as process:
        while len(bridge.asked) < 30:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(number)
        _, message = process.communicate(timeout=10)
    assert process.returncode == status
    kept = rf"\d+ of 60 accounts are saved in {re.escape(str(output))}.part. Run the same command again to resume.\n"
    assert re.fullmatch("" if number == signal.SIGKILL else kept, message)
    assert not output.exists()
    bridge.pause = 0
    bridge.asked.clear()
    done = run(*command[1:], URL=bridge.url)
    assert done.returncode == 0, done.stderr
    assert "Resuming " in done.stderr or number == signal.SIGKILL
    assert numbers(output.read_text(encoding="utf-8")) == every()
    assert len({*bridge.asked}) < 60 or number == signal.SIGKILL
    assert {file.name for file in tmp_path.iterdir()} == {"accounts.txt", "out.jsonl"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_while_saving_lose_nothing(
    listing: Listing, bridge: Bridge, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    commit, at = Store.commit, 30

    def interrupted_commit(store: Store) -> None:
        for _ in range(2 if len(bridge.asked) >= at else 0):
            signal.raise_signal(number)  # twice, as `timeout` and people do
        commit(store)

    with monkeypatch.context() as patched:
        patched.setattr("talkdesk_bridge_cli.store.COMMIT_INTERVAL", 0)
        patched.setattr("talkdesk_bridge_cli.signals.ECHO_SECONDS", 60)  # which a busy machine needs
        patched.setattr(Store, "commit", interrupted_commit)
        result = listing(ACCOUNTS, "--at-once", "2")
    assert result.returncode == 128 + number
    kept = int(result.stderr.split()[0])
    assert result.stderr.startswith(f"{kept} of 60 accounts are saved in ")
    assert kept > 0
    bridge.asked.clear()
    assert listing().returncode == 0
    assert numbers(written()) == every()
    assert len({*bridge.asked}) == 60 - kept


@pytest.mark.parametrize("pause", [0.0, 5.0])
def test_a_second_signal_ends_at_once_unless_it_comes_within_a_second(
    monkeypatch: pytest.MonkeyPatch, pause: float
) -> None:
    ended: list[int] = []
    now = 100.0
    monkeypatch.setattr("talkdesk_bridge_cli.signals.time", SimpleNamespace(monotonic=lambda: now))
    before = {
        number: signal.signal(number, lambda number, _: ended.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with ended_by_signals():
            with pytest.raises(SystemExit) as first:
                signal.raise_signal(signal.SIGTERM)
            now += pause
            monkeypatch.setattr("talkdesk_bridge_cli.signals.signal.SIG_DFL", lambda number, _: ended.append(number))
            signal.raise_signal(signal.SIGINT)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert first.value.code == 143
    assert ended == ([signal.SIGINT] if pause else [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_repeated_signal_ends_the_wait_for_a_name_server(tmp_path: Path, number: int) -> None:
    code = """if True:
        import socket, sys, time
        from talkdesk_bridge_cli.main import main

        def getaddrinfo(*_, **__):
            print("asked", flush=True)
            time.sleep(60)

        socket.getaddrinfo = getaddrinfo
        sys.argv = ["talkdesk-bridge", "invoices", "--accounts-file", "accounts.txt", "--output", "out.jsonl"]
        main()
    """
    (tmp_path / "accounts.txt").write_text("1000", encoding="ascii")
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(URL="https://bridge.example"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdout.readline() == "asked\n"
        begun = time.monotonic()
        while process.poll() is None and time.monotonic() - begun < 20:
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(1.2)
        ended = process.poll()
        process.kill()
    assert ended in (128 + number, -number)
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("at_once", ["1", "20"])
def test_a_full_disk_loses_nothing_already_written(
    listing: Listing, bridge: Bridge, monkeypatch: pytest.MonkeyPatch, at_once: str
) -> None:
    bridge.instead = lambda account: http_response(json.dumps(page("x" * 2000, total=1)).encode())
    monkeypatch.setattr("talkdesk_bridge_cli.store.COMMIT_INTERVAL", 0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        result = listing(ACCOUNTS, "--at-once", at_once)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (result.returncode, result.stdout) == (1, "")
    *kept, message = result.stderr.splitlines()
    assert message.startswith("talkdesk-bridge: the output cannot be written: out.jsonl.part: ")
    asked = len(bridge.asked)
    assert listing().returncode == 0
    if at_once == "1":  # otherwise some requests are still on their way
        assert 10 < int(kept[0].split()[0]) == 60 - (len(bridge.asked) - asked)
    accounts = [json.loads(line)["account_number"] for line in written().splitlines()]
    assert accounts == ACCOUNTS


NOT_OURS = "was not made by this command, or is damaged: move or delete it, or choose another file."


def interrupted(listing: Listing, bridge: Bridge) -> None:
    """Leave an output that has all accounts except one."""
    bridge.instead = lambda account: http_response(b"{}", 404) if account == "1059" else None
    assert listing().returncode == 7
    bridge.instead = lambda _: None
    bridge.asked.clear()


def test_resuming_with_other_options_is_rejected(listing: Listing, bridge: Bridge) -> None:
    interrupted(listing, bridge)
    for accounts, options, url, message in (
        (ACCOUNTS[1:], [], "", "out.jsonl.part was started with account 1000, which is no longer requested: "),
        (ACCOUNTS, ["--format", "csv"], "", "out.jsonl.part was started with another --format"),
        (ACCOUNTS, ["--strict"], "", "out.jsonl.part was started with another --strict"),
        (ACCOUNTS, ["--limit", "1"], "", "out.jsonl.part was started with another --limit"),
        (ACCOUNTS, [], "http://127.0.0.1:9", "out.jsonl.part was started with another base URL"),
    ):
        result = listing(accounts, *options, url=url)
        assert (result.returncode, result.stdout) == (2, "")
        assert message in result.stderr
        assert "run the command as before, or delete the file to start over" in result.stderr
    assert not bridge.asked
    assert listing(url=bridge.url).returncode == 0
    assert numbers(written()) == every()


def test_nothing_can_be_skipped_if_every_account_failed(listing: Listing, bridge: Bridge) -> None:
    bridge.instead = lambda _: http_response(b"{}", 404)
    result = listing(ACCOUNTS[:2])
    assert result.returncode == 7
    assert result.stderr.endswith("2 of 2 accounts failed, so nothing was written.\n")


def test_only_corrected_or_added_accounts_are_requested(listing: Listing, bridge: Bridge) -> None:
    interrupted(listing, bridge)
    corrected = ["2000", *reversed(ACCOUNTS[:-1]), "2001"]
    result = listing(corrected)
    assert (result.returncode, result.stdout) == (0, "")
    assert ": 59 of 61 accounts are complete." in result.stderr
    assert {*bridge.asked} == {"2000", "2001"}
    assert numbers(written()) == every(*corrected)


def test_a_run_that_saved_nothing_is_started_again_silently(listing: Listing, bridge: Bridge) -> None:
    assert listing(ACCOUNTS, "--at-once", "1", url="http://127.0.0.1:9").returncode == 5
    assert files() == set()
    result = listing("1000", "--quiet", url=bridge.url)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("harm", [lambda part: part.write_bytes(b"x" * 5000), lambda part: os.truncate(part, 5000)])
def test_a_damaged_file_is_rejected(listing: Listing, bridge: Bridge, harm: Callable[[Path], object]) -> None:
    interrupted(listing, bridge)
    part = Path("out.jsonl.part")
    harm(part)
    before = part.read_bytes()
    result = listing()
    assert result.returncode == 2
    assert re.search(
        r"out\.jsonl\.part (cannot be used \(|was not made by this command, or is damaged: )", result.stderr
    )
    assert "delete it" in result.stderr
    assert not bridge.asked
    assert (part.read_bytes(), files()) == (before, {"out.jsonl.part"})
    part.unlink()
    assert listing().returncode == 0
    assert numbers(written()) == every()


def test_two_processes_do_not_write_the_same_output(listing: Listing, bridge: Bridge) -> None:
    interrupted(listing, bridge)
    with closing(sqlite3.connect("out.jsonl.part", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = listing()
    assert result.returncode == 2
    assert "cannot be used (database is locked). If no other process is writing it" in result.stderr
    assert not bridge.asked
    assert listing().returncode == 0
    assert numbers(written()) == every()


def test_files_of_others_beside_the_output_are_left_alone(listing: Listing, bridge: Bridge) -> None:
    for name in ("out.jsonl.whole", ".out.jsonl.talkdesk-bridge", "out.jsonl.tmp"):
        Path(name).write_text("of the user", encoding="ascii")
    assert listing().returncode == 0
    assert {file.read_text() for file in Path().glob("*out.jsonl.*")} == {"of the user"}

    Path("out.jsonl").unlink()
    with closing(sqlite3.connect("out.jsonl.part")) as other, other:
        other.execute("CREATE TABLE requested (text TEXT)")
        other.execute("INSERT INTO requested VALUES ('of the user')")
    before = Path("out.jsonl.part").read_bytes()
    bridge.asked.clear()
    result = listing()
    assert (result.returncode, result.stdout, bridge.asked) == (2, "", [])
    assert result.stderr.endswith(f"out.jsonl.part {NOT_OURS}\n")
    assert Path("out.jsonl.part").read_bytes() == before


@pytest.mark.parametrize("is_saved", [False, True])
@pytest.mark.parametrize("linked", [False, True])
def test_the_output_that_a_killed_process_left_incomplete_is_replaced(
    listing: Listing, bridge: Bridge, linked: bool, is_saved: bool
) -> None:
    interrupted(listing, bridge)
    with closing(sqlite3.connect("out.jsonl.part")) as saved, saved:
        ((name,),) = saved.execute("SELECT value FROM settings WHERE name = 'temporary'")
        if not is_saved:  # all accounts were complete within a second, so none was committed yet
            saved.execute("DELETE FROM complete")
    if linked:
        Path(name).symlink_to("accounts.txt")
    else:
        Path(name).write_text("incomplete", encoding="ascii")
    assert listing().returncode == 0
    assert Path("accounts.txt").read_text(encoding="ascii").split() == ACCOUNTS
    assert numbers(written()) == every()
    assert files() == {"out.jsonl"}


def test_a_file_beside_the_output_that_cannot_be_created(listing: Listing, bridge: Bridge) -> None:
    result = listing(output="x" * 251)
    assert (result.returncode, bridge.asked, files()) == (2, [], set())
    assert result.stderr.endswith("x.part cannot be used (File name too long). Choose another file.\n")


OTHERS: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("of the user"),
    "empty": lambda path: path.touch(),
    "folder": lambda path: path.mkdir(),
    "pipe": lambda path: os.mkfifo(path),
    "link": lambda path: path.symlink_to("accounts.txt"),
    "link to nothing": lambda path: path.symlink_to("nothing"),
}


@pytest.mark.parametrize("name", ["out.jsonl.part", "out.jsonl.part-journal", "out.jsonl.part-wal"])
@pytest.mark.parametrize("kind", OTHERS)
def test_a_file_without_our_mark_is_not_taken_for_ours(listing: Listing, bridge: Bridge, name: str, kind: str) -> None:
    OTHERS[kind](Path(name))
    before = os.lstat(name)
    result = listing()
    assert (result.returncode, result.stdout, bridge.asked) == (2, "", [])
    assert result.stderr.endswith(f"{name} {NOT_OURS}\n")
    assert result.stderr.count("\n") == 1
    assert (os.lstat(name).st_ino, os.lstat(name).st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert files() == {name}


@pytest.mark.parametrize("name", ["out.jsonl.part-journal", "out.jsonl.part-wal"])
@pytest.mark.parametrize("kind", ["text", "link", "pipe"])
def test_a_journal_of_others_beside_our_file_is_left_alone(
    listing: Listing, bridge: Bridge, name: str, kind: str
) -> None:
    interrupted(listing, bridge)
    OTHERS[kind](Path(name))
    result = listing()
    assert (result.returncode, bridge.asked) == (2, [])
    assert result.stderr.endswith(f"{name} {NOT_OURS}\n")
    Path(name).unlink()
    assert listing().returncode == 0
    assert numbers(written()) == every()


def test_a_file_that_names_another_file_as_ours_is_rejected(listing: Listing, bridge: Bridge) -> None:
    interrupted(listing, bridge)
    with closing(sqlite3.connect("out.jsonl.part")) as saved, saved:
        saved.execute("UPDATE settings SET value = 'accounts.txt' WHERE name = 'temporary'")
    result = listing()
    assert (result.returncode, bridge.asked) == (2, [])
    assert result.stderr.endswith(f"out.jsonl.part {NOT_OURS}\n")
    assert Path("accounts.txt").exists()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, None])
def test_files_beside_the_output_have_its_mode(listing: Listing, bridge: Bridge, mode: int | None) -> None:
    if mode is not None:
        Path("out.jsonl").touch()
        Path("out.jsonl").chmod(mode)
    seen: dict[str, int] = {}

    def look(_: str) -> None:
        seen.update({name: Path(name).stat().st_mode & 0o777 for name in files()})

    bridge.instead = look
    before = os.umask(0o027)
    try:
        assert listing().returncode == 0
    finally:
        os.umask(before)
    expected = 0o640 if mode is None else mode
    assert seen == dict.fromkeys(seen, expected)
    assert {"out.jsonl.part", "out.jsonl.part-journal"} <= seen.keys()
    assert Path("out.jsonl").stat().st_mode & 0o777 == expected


@pytest.mark.parametrize("way", ["name", "link", "hard link", "standard input"])
def test_an_output_that_is_the_accounts_file_is_rejected(listing: Listing, bridge: Bridge, way: str) -> None:
    Path("accounts.txt").write_text("1000\n", encoding="ascii")
    if way == "link":
        Path("other").symlink_to("accounts.txt")
    if way == "hard link":
        os.link("accounts.txt", "other")
    output = "other" if "link" in way else f"../{Path.cwd().name}/accounts.txt"
    if way == "standard input":
        shell = f"exec '{COMMAND}' invoices --accounts-file - --output accounts.txt < accounts.txt"
        command = ["/bin/sh", "-c", shell]
        result = subprocess.run(command, env=environment(URL=bridge.url), capture_output=True, text=True, check=False)
        output = "accounts.txt"
    else:
        result = listing("1000\n", output=output)
    message = f"talkdesk-bridge: --output: {output} is the file of --accounts-file: choose another one.\n"
    assert (result.returncode, result.stdout, result.stderr, bridge.asked) == (2, "", message, [])
    assert Path("accounts.txt").read_text(encoding="ascii") == "1000\n"
    assert not [name for name in files() if name.endswith(("part", "journal"))]


def test_an_unwritable_output_is_reported_before_any_request(listing: Listing, bridge: Bridge) -> None:
    Path("folder").mkdir()
    for output, message in (
        ("missing/out.jsonl", "missing/out.jsonl cannot be written: No such file or directory"),
        ("folder-to-be/", "folder-to-be/ is not a regular file"),
        ("folder/", "folder/ is not a regular file"),
        ("", "--output must not be empty"),
    ):
        result = listing(output=output)
        assert result.returncode == 2
        assert message in result.stderr
    assert not bridge.asked
    assert files() == {"folder"}


def test_the_output_keeps_the_mode_of_a_file_and_follows_a_link(listing: Listing) -> None:
    Path("real.jsonl").write_text("old", encoding="ascii")
    Path("real.jsonl").chmod(0o640)
    Path("out.jsonl").symlink_to("real.jsonl")
    assert listing().returncode == 0
    assert Path("out.jsonl").is_symlink()
    assert Path("real.jsonl").stat().st_mode & 0o777 == 0o640
    assert numbers(written()) == every()
    assert files() == {"out.jsonl", "real.jsonl"}


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        ("", "accounts.txt has no accounts"),
        ("# none\n\n", "accounts.txt has no accounts"),
        ("1000\n1\t2\n", "accounts.txt, line 2 is too long or has a control character"),
        ("1" * 2000, "accounts.txt, line 1 is too long or has"),
    ],
)
def test_an_invalid_accounts_file(listing: Listing, bridge: Bridge, accounts: str, message: str) -> None:
    result = listing(accounts)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"talkdesk-bridge: --accounts-file: {message}" in result.stderr
    assert not bridge.asked
    assert files() == set()


def test_an_unreadable_accounts_file(listing: Listing) -> None:
    for name, message in (("missing", "'missing': No such file"), (".", "'.': Is a directory")):
        result = run("invoices", "--accounts-file", name)
        assert (result.returncode, message in result.stderr) == (2, True)
    Path("latin.txt").write_bytes(b"1000\n\xe4\n")
    assert "latin.txt, line 2 is not UTF-8 text" in listing([], "--accounts-file", "latin.txt").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--accounts-file", "-", "1"], "cannot be combined with ACCOUNT..."),
        (
            ["--accounts-file", "-", "--format", "table"],
            "cannot be combined with --format table: use jsonl, csv or parquet",
        ),
        (
            ["--accounts-file", "-", "--format", "json"],
            "cannot be combined with --format json: use jsonl, csv or parquet",
        ),
        (["--accounts-file", "-", "--at-once", "0"], "'--at-once'"),
        (["1", "--at-once", "2"], "--at-once and --skip-failed need --accounts-file"),
        (["1", "--skip-failed"], "--at-once and --skip-failed need --accounts-file"),
        ([], "or a file with --accounts-file"),
    ],
)
def test_usage_errors(arguments: list[str], message: str) -> None:
    result = run("invoices", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr


def test_deviations_are_counted_over_all_accounts(listing: Listing, bridge: Bridge) -> None:
    bridge.instead = lambda account: http_response(b'{"_embedded": {"invoices": [{"amount": 1.10}]}, "total": 1}')
    result = listing()
    assert result.returncode == 0
    deviation, done = result.stderr.splitlines()
    named = re.fullmatch(
        r"expected string at \$\._embedded\.invoices\[\*\]\.amount, got number \(60 times: (.*) and others\)\.",
        deviation,
    )
    assert named
    accounts = [name.removeprefix("account ") for name in named[1].split(", ")]
    assert len({*accounts} & {*ACCOUNTS}) == len(accounts) == 10
    assert done == "60 invoices of 60 accounts written to out.jsonl."
    assert '"amount": 1.10}' in written()


def test_deviations_name_their_account(listing: Listing, bridge: Bridge) -> None:
    odd = {"1001": b'{"amount": 1.10}', "1002": b'{"amount": 1, "status": 5}'}

    def respond(account: str) -> bytes | None:
        items = odd.get(account)
        return items and http_response(b'{"_embedded": {"invoices": [%b]}, "total": 1}' % items)

    bridge.instead = respond
    expected = [
        "account 1001: expected string at $._embedded.invoices[*].amount, got number (1 time).",
        "account 1002: expected string at $._embedded.invoices[*].amount, got integer (1 time).",
        "account 1002: expected string at $._embedded.invoices[*].status, got integer (1 time).",
    ]
    assert sorted(listing().stderr.splitlines())[1:] == expected
    bridge.instead = lambda account: http_response(b"{}", 404) if account == "1003" else respond(account)
    lines = listing(ACCOUNTS, "--skip-failed").stderr.splitlines()
    assert sorted(line for line in lines if " expected " in line) == expected, "also of a run with failed accounts"


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("depth", [1, 100, 480, 900, 970, 990, 5000])
def test_odd_data_of_one_account_does_not_end_the_run(listing: Listing, bridge: Bridge, form: str, depth: int) -> None:
    items = [
        '{"\\ud800": "\\udfff", "x": {"\\ud83d": ["\\ude00"]}, "": null, "account_number": {"a": 1}}',
        f'{{"x": {"[" * depth}1.10{"]" * depth}, "y": 1e999999, "z": {"9" * 4000}}}',
    ]
    body = f'{{"_embedded": {{"invoices": [{", ".join(items)}]}}, "total": 2}}'.encode()
    bridge.instead = lambda account: http_response(body) if account == "1001" else None
    result = listing(["1000", "1001", "1002"], "--format", form, "--skip-failed")
    assert result.returncode == 0 or (result.returncode == 7 and "account 1001: " in result.stderr)
    assert "Traceback" not in result.stderr
    assert ("1000-1" in written(), "1002-2" in written()) == (True, True)
    assert ("\\ud800" in written() or "\N{REPLACEMENT CHARACTER}" in written()) is (result.returncode == 0)


def test_a_limit_applies_to_each_account(listing: Listing, bridge: Bridge) -> None:
    result = listing(["1000", "1001"], "--limit", "1")
    assert (result.returncode, result.stderr) == (0, "2 invoices of 2 accounts (--limit 1) written to out.jsonl.\n")
    assert numbers(written()) == ["1000-1", "1001-1"]
    assert sorted(bridge.asked) == ["1000", "1001"], "one page each"
    assert listing(["1000", "1001"], "--limit", "3").returncode == 0
    assert numbers(written()) == every("1000", "1001")


def test_quiet_reports_errors_only(listing: Listing, bridge: Bridge) -> None:
    interrupted(listing, bridge)
    bridge.instead = lambda account: http_response(b'{"_embedded": {"invoices": [{"amount": 1.10}]}, "total": 1}')
    result = listing(ACCOUNTS, "--quiet")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    bridge.instead = lambda _: http_response(b"{}", 404)
    result = listing(["1000"], "--quiet")
    assert (result.returncode, len(result.stderr.splitlines())) == (7, 2)


def test_progress_is_shown_on_a_terminal(bridge: Bridge, tmp_path: Path) -> None:
    bridge.pause = 0.05
    source = tmp_path / "accounts.txt"
    source.write_text("\n".join(ACCOUNTS), encoding="ascii")
    command = [COMMAND, "invoices", "--accounts-file", str(source), "--output", str(tmp_path / "out.jsonl")]
    status, shown = on_a_terminal(*command, variables={"TALKDESK_BRIDGE_URL": bridge.url})
    assert status == 0
    assert " of 60 accounts, " in shown


def test_the_recorded_figures_are_of_a_full_soak() -> None:
    header, *rows = (ROOT / "docs" / "soak-accounts.csv").read_text(encoding="utf-8").splitlines()
    assert header == "seconds,run,resident_mib,written_mib"
    assert {row.split(",")[1] for row in rows} == {"1", "2", "3", "4", "5", "6"}

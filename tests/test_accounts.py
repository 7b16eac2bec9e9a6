"""`invoices --accounts-file`: all accounts or what is wrong, going on after whatever ended it, and the figures of the soak."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from talkdesk_bridge_cli.exit import held
from talkdesk_bridge_cli.many import list_many
from talkdesk_bridge_sandbox import Sandbox

from tests.command import COMMAND, environment, on_a_terminal, run
from tests.conftest import ROOT, page
from tests.keepalive import KeepAlive, answer
from tests.soak_accounts import Sample, Soak, pages, soak

ACCOUNTS = [str(1000 + number) for number in range(60)]


class Bridge(KeepAlive):
    """Has two pages of an invoice each for every account; knows which accounts were asked for."""

    def __init__(self) -> None:
        super().__init__(self.answer)
        self.asked: list[str] = []
        self.instead: Callable[[str], bytes | None] = lambda account: None
        self.pause = 0.0

    def answer(self, target: str) -> bytes:
        account, _, query = target.rpartition("/")[2].partition("?")
        self.asked.append(account)
        time.sleep(self.pause)
        number = 2 if "page=2" in query else 1
        return self.instead(account) or answer(json.dumps(page(f"{account}-{number}", total=2)).encode())


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    served = Bridge()
    with served:
        yield served


class Result:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


Listing = Callable[..., Result]


@pytest.fixture
def listing(
    bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Listing:
    """Runs the command in this process: `listing(accounts, **options)`, with `out.jsonl` as output by default."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALKDESK_BRIDGE_URL", bridge.url)
    monkeypatch.setattr("talkdesk_bridge._retry.random.uniform", lambda *_: 0)

    def listed(accounts: str | list[str] = ACCOUNTS, *, url: str = "", **options: Any) -> Result:
        if url:
            monkeypatch.setenv("TALKDESK_BRIDGE_URL", url)
        Path("accounts.txt").write_text(
            accounts if isinstance(accounts, str) else "\n".join(accounts), encoding="utf-8"
        )
        given: dict[str, Any] = {"per_page": None, "form": "jsonl", "at_once": 20, "skip_failed": False}
        given |= {"output": "out.jsonl", "timeout": None, "strict": False, "debug": False, **options}
        status = 0
        try:
            list_many(given.pop("source", "accounts.txt"), **given)
        except SystemExit as ended:
            status = int(ended.code or 0)
        except KeyboardInterrupt:  # as for `main`
            status = 130
        sys.stdout.flush()
        return Result(status, *capfd.readouterr())

    return listed


def numbers(text: str) -> list[str]:
    return sorted(json.loads(line)["invoice_number"] for line in text.splitlines())


def every(*accounts: str) -> list[str]:
    return sorted(f"{account}-{number}" for account in accounts or ACCOUNTS for number in (1, 2))


def written() -> str:
    return Path("out.jsonl").read_text(encoding="utf-8")


def files() -> set[str]:
    return {file.name for file in Path().iterdir()} - {"accounts.txt"}


def test_a_soak_in_small(tmp_path: Path) -> None:
    done = soak(tmp_path, accounts=120, invoices=100, kills=2, pause=0.01)
    assert done.holds(), done
    assert done.statuses == [-signal.SIGKILL] * 2 + [0]
    assert len({sample.run for sample in done.samples}) == 3


def test_what_the_soak_counts_as_growth() -> None:
    def grown(*mib: int, found: int = 100, statuses: tuple[int, ...] = (0,), faults: tuple[str, ...] = ()) -> bool:
        samples = [Sample(seconds, 1, one * 2**20, 0) for seconds, one in enumerate(mib)]
        return not Soak(10, 10, 1.0, samples, [*statuses], found, [*faults]).holds()

    assert not grown(10, 40, 60, 60, 66)
    assert grown(10, 40, 60, 60, 69)
    assert grown(60, found=99)
    assert grown(60, statuses=(-9,))
    assert grown(60, faults=("an account is lost",))


def test_the_soaks_pages_keep_the_contract(listing: Listing, bridge: Bridge) -> None:
    bodies = [answer(body) for body in pages(60)]
    bridge.answers = lambda target: bodies["page=2" in target]
    result = listing(["9876543210"], strict=True)
    assert (result.status, result.err) == (0, "")
    assert len(written().splitlines()) == 60


def test_all_are_there_and_nothing_else_is_left(listing: Listing, bridge: Bridge) -> None:
    result = listing("\ufeff# all\r\n1000\r\n\r\n  1001  # the second\n1000\n#1003\n1002", output="out.jsonl")
    assert (result.status, result.out, result.err) == (0, "", "")
    assert numbers(written()) == every("1000", "1001", "1002")
    assert sorted(bridge.asked) == sorted(["1000", "1001", "1002"] * 2)
    assert files() == {"out.jsonl"}
    accounts = [json.loads(line)["account_number"] for line in written().splitlines()]
    assert all(accounts[at] == accounts[at + 1] for at in (0, 2, 4)), "an account's invoices are together"


def test_the_same_comes_out_as_for_accounts_that_are_named(sandbox: Sandbox, tmp_path: Path) -> None:
    accounts = ["1000000001", "1000000003", "1000000005", "1000000002"]
    named = {"URL": sandbox.url, "BEARER_TOKEN": sandbox.credentials.bearer_token}
    for form in ("jsonl", "csv"):
        one_by_one = run("invoices", *accounts, "--format", form, **named)
        result = run("invoices", "--accounts-file", "-", "--format", form, stdin="\n".join(accounts), **named)
        assert (result.returncode, result.stderr) == (0, one_by_one.stderr)
        assert sorted(result.stdout.splitlines()) == sorted(one_by_one.stdout.splitlines())


def test_csv_has_the_columns_of_all(listing: Listing, bridge: Bridge) -> None:
    def more(account: str) -> bytes | None:
        body = page("=1", total=1)
        body["_embedded"]["invoices"][0] |= {f"more_{account}": 1, "amount": 3700.00, "exact": "#"}
        return answer(json.dumps(body).replace('"#"', "1.10").encode())

    bridge.instead = more
    assert listing(["1000", "1001"], form="csv", output="out.csv", at_once=1).status == 0
    header, first, second = Path("out.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("account_number,amount,due_amount,")
    assert header.endswith(",more_1000,exact,more_1001")
    assert first.startswith("1000,3700.0,")
    assert ",'=1," in first
    assert first.endswith(",1,1.10,")
    assert second.endswith(",,1.10,1")


def test_an_account_that_does_not_fit_into_memory(
    listing: Listing, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("talkdesk_bridge_cli.many.IN_MEMORY", 100)
    bridge.instead = lambda account: answer(json.dumps(page(*range(500), total=500)).encode())
    assert listing(["1000", "1001"]).status == 0
    assert len(written().splitlines()) == 1000


def test_failures_are_told_and_asked_for_again(listing: Listing, bridge: Bridge) -> None:
    bodies = {"1003": answer(b"{}", 404), "1004": answer(b"<html>"), "1005": answer(b"{}", 400)}
    bridge.instead = bodies.get
    result = listing()
    assert (result.status, result.out) == (7, "")
    told = result.err.splitlines()
    assert sorted(line[:13] for line in told[:3]) == ["account 1003:", "account 1004:", "account 1005:"]
    assert any("answered 404 Not Found" in line for line in told[:3])
    assert told[3].startswith("57 of 60 accounts are kept in ")
    assert told[4] == (
        "talkdesk-bridge: 3 of 60 accounts failed, and so nothing is written; --skip-failed writes the others."
    )
    assert files() == {"out.jsonl.part", "out.jsonl.journal"}

    bodies.pop("1003")
    bridge.asked.clear()
    result = listing()
    assert result.status == 7
    assert "was begun at 20" in result.err
    assert "has 57 of 60 accounts: going on." in result.err
    assert {*bridge.asked} == {"1003", "1004", "1005"}
    assert "account 1003" not in result.err

    bodies["1004"] = answer(b"{}", 503)
    result = listing(skip_failed=True)
    assert result.status == 5, "a later try may be answered"
    assert numbers(written()) == every(*(account for account in ACCOUNTS if account not in ("1004", "1005")))
    assert result.err.endswith("2 of 60 accounts failed, and are not in the output.\n")
    assert files() == {"out.jsonl"}


def test_without_a_file_failures_print_nothing(listing: Listing, bridge: Bridge) -> None:
    bodies = {"1003": answer(b"{}", 404)}
    bridge.instead = bodies.get
    result = listing(output=None)
    assert (result.status, result.out) == (7, "")
    assert "With --output FILE, the others are kept." in result.err
    result = listing(output="-", skip_failed=True)
    assert result.status == 7
    assert len(result.out.splitlines()) == 118
    bodies.clear()
    result = listing(output="/dev/stdout")
    assert (result.status, result.err) == (0, "")
    assert numbers(result.out) == every()
    assert files() == set()


@pytest.mark.parametrize(
    ("refusal", "status", "requests", "told"),
    [
        (answer(b"{}", 401), 3, 20, "401 Unauthorized"),
        (answer(b"{}", 503), 5, 4 * 40, "503 Service Unavailable"),
        (answer(b"{}", 429, ["Retry-After: 3600"]), 5, 20, "Come back in 3600 s"),
    ],
)
def test_what_would_fail_for_all_ends_it(
    listing: Listing, bridge: Bridge, refusal: bytes, status: int, requests: int, told: str
) -> None:
    served = {"1000", "1001", "1002"}
    bridge.instead = lambda account: None if account in served else refusal
    result = listing(at_once=20)
    assert result.status == status
    assert told in result.err.splitlines()[-1]
    assert len(bridge.asked) <= requests + 10, "pages of the three, and what is sent while results are taken"
    # Where none was whole by then, nothing is left.
    assert files() in ({"out.jsonl.part", "out.jsonl.journal"}, set())
    bridge.instead = lambda _: None
    assert listing().status == 0
    assert numbers(written()) == every()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_signal_ends_it_and_it_goes_on(bridge: Bridge, tmp_path: Path, number: int, status: int) -> None:
    bridge.pause = 0.02
    source, output = tmp_path / "accounts.txt", tmp_path / "out.jsonl"
    source.write_text("\n".join(ACCOUNTS), encoding="ascii")
    command = [COMMAND, "invoices", "--accounts-file", str(source), "--output", str(output), "--at-once", "2"]
    with subprocess.Popen(command, env=environment(URL=bridge.url), stderr=subprocess.PIPE, text=True) as process:
        while len(bridge.asked) < 30:
            time.sleep(0.005)
        process.send_signal(number)
        _, told = process.communicate(timeout=10)
    assert process.returncode == status
    kept = rf"\d+ of 60 accounts are kept in {re.escape(str(output))}.part, where the same command goes on.\n"
    assert re.fullmatch("" if number == signal.SIGKILL else kept, told)
    assert not output.exists()
    with output.with_name("out.jsonl.part").open("ab") as part:
        part.write(b'{"account_number": "10')  # as a machine that fails in the middle of a write leaves it
    bridge.pause = 0
    bridge.asked.clear()
    done = run(*command[1:], URL=bridge.url)
    assert done.returncode == 0, done.stderr
    assert "going on" in done.stderr or number == signal.SIGKILL
    assert numbers(output.read_text(encoding="utf-8")) == every()
    assert len({*bridge.asked}) < 60 or number == signal.SIGKILL
    assert {file.name for file in tmp_path.iterdir()} == {"accounts.txt", "out.jsonl"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_in_the_middle_of_saving_cost_nothing(
    listing: Listing, bridge: Bridge, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    synced = os.fsync

    def interrupted_sync(file: int) -> None:
        synced(file)
        if len(bridge.asked) >= 30:
            signal.raise_signal(number)  # again and again, as some supervisors do, and people

    with monkeypatch.context() as patched:
        patched.setattr("talkdesk_bridge_cli.growing.RHYTHM", 0)
        patched.setattr("talkdesk_bridge_cli.exit.IMPATIENCE", 60)  # which a busy machine needs
        patched.setattr("talkdesk_bridge_cli.growing.os.fsync", interrupted_sync)
        result = listing(at_once=2)
    kept = Path("out.jsonl.part").read_text(encoding="utf-8")
    assert result.status == 128 + number
    assert result.err.startswith(f"{len(kept.splitlines()) // 2} of 60 accounts are kept in ")
    bridge.asked.clear()
    assert listing().status == 0
    assert numbers(written()) == every()
    assert not {*bridge.asked} & {json.loads(line)["account_number"] for line in kept.splitlines()}


def test_signals_wait_for_what_is_held_unless_one_is_repeated_later(monkeypatch: pytest.MonkeyPatch) -> None:
    reached, now = [], 0.0
    monkeypatch.setattr("talkdesk_bridge_cli.exit.time", SimpleNamespace(monotonic=lambda: now))

    def interrupted(pause: float) -> None:
        nonlocal now
        with held(lambda: reached.append("first")):
            for _ in range(3):
                signal.raise_signal(signal.SIGINT)
            now += pause
            signal.raise_signal(signal.SIGINT)
            reached.append("through")

    for pause in (0.5, 1.5):
        with pytest.raises(KeyboardInterrupt):
            interrupted(pause)
    assert reached == ["first", "through", "first"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_is_repeated_ends_the_wait_for_a_name_server(tmp_path: Path, number: int) -> None:
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
    assert {file.name for file in tmp_path.iterdir()} == {"accounts.txt"}


def test_a_disk_that_is_full_costs_nothing_that_was_there(bridge: Bridge, tmp_path: Path) -> None:
    bridge.instead = lambda account: answer(json.dumps(page("x" * 2000, total=1)).encode())
    (tmp_path / "accounts.txt").write_text("\n".join(ACCOUNTS), encoding="ascii")
    line = f"'{COMMAND}' invoices --accounts-file accounts.txt --at-once 1 --output out.jsonl"
    limited = ["/bin/sh", "-c", f"ulimit -f 100; exec {line}"]  # blocks of 512 bytes or 1 KiB, of any one file
    options: dict[str, Any] = {
        "cwd": tmp_path,
        "env": environment(URL=bridge.url),
        "capture_output": True,
        "text": True,
    }
    result = subprocess.run(limited, **options, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    kept, told = result.stderr.splitlines()
    assert "of 60 accounts are kept in " in kept
    assert told == "talkdesk-bridge: the output cannot be written: File too large."
    assert not (tmp_path / "out.jsonl").exists()
    asked = len(bridge.asked)
    assert 20 < asked < 60
    result = subprocess.run(["/bin/sh", "-c", f"exec {line}"], **options, check=False)
    assert result.returncode == 0, result.stderr
    assert len(bridge.asked) - asked <= 60 - 20
    accounts = [json.loads(line)["account_number"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert sorted(accounts) == ACCOUNTS


def interrupted(listing: Listing, bridge: Bridge) -> None:
    """Leave an output that has all accounts but one."""
    bridge.instead = lambda account: answer(b"{}", 404) if account == "1059" else None
    assert listing().status == 7
    bridge.instead = lambda _: None
    bridge.asked.clear()


def test_what_differs_is_refused(listing: Listing, bridge: Bridge) -> None:
    interrupted(listing, bridge)
    for accounts, options, told in (
        (ACCOUNTS[1:], {}, "out.jsonl.part was begun with an account that is not named now, 1000: "),
        (ACCOUNTS, {"form": "csv"}, "out.jsonl.part was begun with another --format"),
        (ACCOUNTS, {"strict": True}, "out.jsonl.part was begun with another --strict"),
        (ACCOUNTS, {"url": "http://127.0.0.1:9"}, "out.jsonl.part was begun with another base URL"),
    ):
        result = listing(accounts, **options)
        assert (result.status, result.out) == (2, "")
        assert told in result.err
        assert "make this call as that one was made, or delete it to begin anew" in result.err
    assert not bridge.asked
    assert listing(url=bridge.url).status == 0
    assert numbers(written()) == every()


def test_accounts_that_are_corrected_or_added_are_asked_for_and_no_other(listing: Listing, bridge: Bridge) -> None:
    interrupted(listing, bridge)
    corrected = ["2000", *reversed(ACCOUNTS[:-1]), "2001"]
    result = listing(corrected)
    assert (result.status, result.out) == (0, "")
    assert "has 59 of 61 accounts: going on." in result.err
    assert {*bridge.asked} == {"2000", "2001"}
    assert numbers(written()) == every(*corrected)


def test_what_has_nothing_yet_is_begun_anew_without_a_word(listing: Listing, bridge: Bridge) -> None:
    assert listing(url="http://127.0.0.1:9", at_once=1).status == 5
    assert files() == set()
    result = listing(url=bridge.url)
    assert (result.status, result.err) == (0, "")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda part, journal: journal.unlink(), "is there without out.jsonl.journal"),
        (lambda part, journal: journal.write_bytes(b"x" * 5000), "is no journal of this command"),
        (lambda part, journal: os.truncate(part, 100), "lacks what was written to it"),
    ],
)
def test_what_was_harmed_is_refused(
    listing: Listing, bridge: Bridge, harm: Callable[[Path, Path], object], told: str
) -> None:
    interrupted(listing, bridge)
    harm(Path("out.jsonl.part"), Path("out.jsonl.journal"))
    before = {name: Path(name).read_bytes() for name in files()}
    result = listing()
    assert result.status == 2
    assert told in result.err
    assert not bridge.asked
    assert {name: Path(name).read_bytes() for name in files()} == before
    Path("out.jsonl.part").unlink()
    Path("out.jsonl.journal").unlink(missing_ok=True)
    assert listing().status == 0
    assert numbers(written()) == every()


def test_whoever_deletes_the_part_begins_anew(listing: Listing, bridge: Bridge) -> None:
    interrupted(listing, bridge)
    Path("out.jsonl.part").unlink()
    assert listing(ACCOUNTS[:5], form="jsonl").status == 0
    assert numbers(written()) == every(*ACCOUNTS[:5])
    assert files() == {"out.jsonl"}


def test_two_at_a_time_are_refused(listing: Listing, bridge: Bridge) -> None:
    interrupted(listing, bridge)
    other = sqlite3.connect("out.jsonl.journal", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    result = listing()
    other.close()
    assert (result.status, "another process is at it" in result.err) == (2, True)
    assert listing().status == 0


def test_an_output_that_cannot_be_written_costs_no_request(listing: Listing, bridge: Bridge) -> None:
    Path("folder").mkdir()
    for output, told in (
        ("missing/out.jsonl", "missing/out.jsonl cannot be written: No such file or directory"),
        ("folder-to-be/", "folder-to-be/ cannot be written: Is a directory"),
        ("folder/", "folder/ cannot be written: Is a directory"),
        ("", "--output: the name is empty"),
    ):
        result = listing(output=output)
        assert result.status == 2
        assert told in result.err
    assert not bridge.asked
    assert files() == {"folder"}


def test_a_file_keeps_its_mode_and_a_link_its_place(listing: Listing) -> None:
    Path("real.jsonl").write_text("old", encoding="ascii")
    Path("real.jsonl").chmod(0o640)
    Path("out.jsonl").symlink_to("real.jsonl")
    Path("real.jsonl.whole").write_text("of a process that was killed", encoding="ascii")
    assert listing().status == 0
    assert Path("out.jsonl").is_symlink()
    assert Path("real.jsonl").stat().st_mode & 0o777 == 0o640
    assert numbers(written()) == every()
    assert files() == {"out.jsonl", "real.jsonl"}


@pytest.mark.parametrize(
    ("accounts", "told"),
    [
        ("", "accounts.txt names no account"),
        ("# none\n\n", "accounts.txt names no account"),
        ("1000\na//b\n", "accounts.txt, line 2: no account number"),
        ("1000\n1\t2\n", "accounts.txt, line 2: no account number"),
        ("1000\n\n..", "accounts.txt, line 3: no account number"),
        ("1" * 2000, "accounts.txt, line 1: too long for an account number"),
    ],
)
def test_an_accounts_file_that_cannot_be_used(listing: Listing, bridge: Bridge, accounts: str, told: str) -> None:
    result = listing(accounts)
    assert (result.status, result.out) == (2, "")
    assert f"talkdesk-bridge: --accounts-file: {told}" in result.err
    assert not bridge.asked
    assert files() == set()


def test_an_accounts_file_that_cannot_be_read(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "missing cannot be read: No such file" in listing(source="missing").err
    assert ". cannot be read: Is a directory" in listing(source=".").err
    Path("latin.txt").write_bytes(b"1000\n\xe4\n")
    assert "latin.txt, line 2: not UTF-8 text" in listing(source="latin.txt").err
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1000\n")))
    assert listing(source="-").status == 0
    assert numbers(written()) == every("1000")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--accounts-file", "a", "1"], "does not go with ACCOUNT..."),
        (["--accounts-file", "a", "--format", "table"], "does not go with --format table: use jsonl or csv"),
        (["--accounts-file", "a", "--format", "json"], "does not go with --format json: use jsonl or csv"),
        (["--accounts-file", "a", "--at-once", "0"], "'--at-once'"),
        (["1", "--at-once", "2"], "are of --accounts-file"),
        (["1", "--skip-failed"], "are of --accounts-file"),
        ([], "or their file with --accounts-file"),
    ],
)
def test_usage(arguments: list[str], told: str) -> None:
    result = run("invoices", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert told in result.stderr


def test_without_the_extra_it_is_slower_and_says_so(bridge: Bridge, tmp_path: Path) -> None:
    (tmp_path / "httpx_aiohttp.py").write_text("raise ImportError\n", encoding="ascii")
    env = environment(URL=bridge.url) | {"PYTHONPATH": str(tmp_path)}
    command = [COMMAND, "invoices", "--accounts-file", "-"]
    result = subprocess.run(command, env=env, input="\n".join(ACCOUNTS), capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert numbers(result.stdout) == every()
    how = "install talkdesk-bridge[bulk], the way the package was installed (README.md tells it)"
    assert result.stderr == f"Slower than it could be: bulk needs more packages: {how}.\n"


def test_deviations_are_counted_for_all_together(listing: Listing, bridge: Bridge) -> None:
    bridge.instead = lambda account: answer(b'{"_embedded": {"invoices": [{"amount": 1.10}]}}')
    result = listing()
    assert (result.status, len(result.err.splitlines())) == (0, 1)
    assert result.err.startswith("$._embedded.invoices[*].amount: ")
    assert result.err.endswith("string is documented, and number came, 60 times.\n")
    assert '"amount": 1.10}' in written()


def test_progress_is_shown_on_a_terminal(bridge: Bridge, tmp_path: Path) -> None:
    bridge.pause = 0.05
    source = tmp_path / "accounts.txt"
    source.write_text("\n".join(ACCOUNTS), encoding="ascii")
    command = [COMMAND, "invoices", "--accounts-file", str(source), "--output", str(tmp_path / "out.jsonl")]
    status, shown = on_a_terminal(*command, variables={"TALKDESK_BRIDGE_URL": bridge.url})
    assert status == 0
    assert " of 60 accounts, " in shown


def test_the_figures_are_of_the_full_size() -> None:
    header, *rows = (ROOT / "docs" / "soak-accounts.csv").read_text(encoding="utf-8").splitlines()
    assert header == "seconds,run,resident_mib,written_mib"
    assert {row.split(",")[1] for row in rows} == {"1", "2", "3", "4", "5", "6"}

"""The output of the command: formats that lose nothing, and files that are complete or unchanged."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import lists, text
from talkdesk_bridge_cli.formats import AMOUNT, csv_lines

from tests.command import COMMAND, environment, run
from tests.conftest import Scripted, Server, as_json, page

INVOICE = """{"invoice_number": "=1+1", "status": "a,\\"b\\"\\n c", "amount": "-1.10 usd", "due_amount": 7.50,
  "invoice_bill_date": "2023-07-01", "invoice_items_details": [{"installment_number": 2, "weight": 0.10}],
  "@odd": 1234567890123456789.10, "flag": true, "word": "\\u001b[2J\\u009b\\ud800 \\u20ac", "none": null}"""
OTHER = '{"account_number": "its own", "status": "+49 30", "word": "-"}'
RESPONSE: Scripted = (200, {}, f'{{"_embedded": {{"invoices": [{INVOICE}, {OTHER}]}}}}'.encode())


@pytest.fixture
def two(server: Server) -> Server:
    """A server with two invoices that are hard to write."""
    server.respond_with(RESPONSE)
    return server


def written(server: Server, output_format: str, *accounts: str) -> str:
    # The data is in UTF-8, even if the terminal is not.
    result = run("invoices", "--format", output_format, "--", *(accounts or ["1"]), encoding="ascii", URL=server.url)
    assert result.returncode == 0, result.stderr
    assert not {"\x1b", "\x9b"} & {*result.stdout}
    return result.stdout


def test_json_and_json_lines(two: Server) -> None:
    text = written(two, "json")
    assert json.loads(text) == [json.loads(line) for line in written(two, "jsonl").splitlines()]
    first, second = json.loads(text, parse_float=str)
    sent = json.loads(INVOICE, parse_float=str)
    assert first == {"account_number": "1", **sent}
    assert second == {"account_number": "its own", "status": "+49 30", "word": "-"}
    assert next(iter(first)) == next(iter(second)) == "account_number"
    for digits in ("1234567890123456789.10", '"due_amount": 7.50', '"weight": 0.10'):
        assert digits in text
    assert text.startswith('[\n  {\n    "account_number": "1",\n')


def test_csv(two: Server) -> None:
    text = written(two, "csv", "1", "-2")
    assert "\r" not in text
    header, *rows = csv.reader(io.StringIO(text))
    assert header == [
        *("account_number", "amount", "due_amount", "invoice_bill_date", "invoice_due_date", "invoice_items_details"),
        *("invoice_number", "paid_amount", "status", "'@odd", "flag", "word", "none"),
    ]
    assert rows[0] == [
        *("1", "-1.10 usd", "7.50", "2023-07-01", "", '[{"installment_number": 2, "weight": 0.10}]', "'=1+1", ""),
        *('a,"b"\n c', "1234567890123456789.10", "true", "\N{REPLACEMENT CHARACTER}[2J" + 2 * "\N{REPLACEMENT CHARACTER}" + " \u20ac", ""),
    ]  # fmt: skip
    assert rows[1][header.index("status")] == "'+49 30"
    assert [row[0] for row in rows] == ["1", "its own", "'-2", "its own"]


def test_no_invoices(server: Server) -> None:
    server.respond_with({"_embedded": {"invoices": []}, "total": 0})
    assert written(server, "json") == "[]\n"
    assert written(server, "jsonl") == ""
    assert written(server, "csv").count("\n") == 1
    assert written(server, "csv").startswith("account_number,amount,due_amount,")


@pytest.mark.parametrize("depth", [700, 2000])  # interpreters differ in how deeply nested JSON may be
def test_a_response_that_is_nested_too_deeply(server: Server, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    server.respond_with((200, {}, f'{{"total": 0, "odd": {deep}}}'.encode()))
    result = run("get", "get_account_invoices", "1", URL=server.url)
    assert (result.returncode, result.stdout.count("[")) in [(6, 0), *([(0, depth)] if depth == 700 else [])]
    assert "Traceback" not in result.stderr
    server.respond_with((200, {}, f'{{"_embedded": {{"invoices": [{{"odd": {deep}}}]}}}}'.encode()))
    result = run("invoices", "1", "--format", "csv", URL=server.url)
    assert (result.returncode, result.stdout.count("[")) in [(6, 0), *([(0, depth)] if depth == 700 else [])]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("output_format", ["table", "json", "jsonl", "csv"])
def test_a_file_gets_the_same_bytes_as_a_pipe(server: Server, tmp_path: Path, output_format: str) -> None:
    server.respond_with(page(1, 2))
    file = tmp_path / "out"
    arguments = ["invoices", "1", "--format", output_format]
    result = run(*arguments, "--output", str(file), URL=server.url)
    message = f"2 invoices of 1 account written to {file}.\n"
    assert (result.returncode, result.stdout, result.stderr) == (0, "", message)
    assert (
        file.read_text()
        == run(*arguments, URL=server.url).stdout
        == run(*arguments, "--output", "-", URL=server.url).stdout
    )
    assert [*tmp_path.iterdir()] == [file]


def test_a_file_that_exists_keeps_its_mode_and_its_links(two: Server, tmp_path: Path) -> None:
    file, link = tmp_path / "real", tmp_path / "links" / "link"
    link.parent.mkdir()
    link.symlink_to(file)
    umask = os.umask(0o027)
    try:
        for mode, target in ((0o640, file), (0o600, link), (0o604, file)):
            if mode != 0o640:
                file.write_text("earlier")
                file.chmod(mode)
            else:
                file.unlink(missing_ok=True)
            assert run("invoices", "1", "--format", "csv", "--output", str(target), URL=two.url).returncode == 0
            assert file.read_text().startswith("account_number,")
            assert stat.S_IMODE(file.stat().st_mode) == mode
    finally:
        os.umask(umask)
    file.unlink()
    assert run("invoices", "1", "--output", str(link), URL=two.url).returncode == 0  # a link to a missing file
    assert link.is_symlink()
    assert file.read_text().startswith("number")
    assert {*tmp_path.iterdir()} == {file, link.parent}
    assert [*link.parent.iterdir()] == [link]


def test_no_request_is_sent_if_the_output_cannot_be_written(two: Server, tmp_path: Path) -> None:
    for name, message in (
        (str(tmp_path), "is not a regular file: name one, or redirect standard output"),
        ("/dev/null", "is not a regular file: name one, or redirect standard output"),
        (str(tmp_path / "none" / "out"), "cannot be written: No such file or directory"),
        (str(tmp_path / "none") + "/", "is not a regular file: name one, or redirect standard output"),
        (str(tmp_path / ("x" * 300)), "cannot be written: File name too long"),
    ):
        result = run("invoices", "1", "--output", name, URL=two.url)
        assert (result.returncode, result.stdout) == (2, ""), name
        assert result.stderr == f"talkdesk-bridge: --output: {name} {message}.\n"
    result = run("invoices", "1", "--output", "", URL=two.url)
    assert (result.returncode, "--output must not be empty: " in result.stderr) == (2, True)
    assert two.seen == []
    assert [*tmp_path.iterdir()] == []


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="needs /dev/shm")  # noqa: S108 # not a fixed name
def test_a_regular_file_under_dev_is_written(two: Server) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        file = Path(folder) / "out"
        assert run("invoices", "1", "--output", str(file), URL=two.url).returncode == 0
        assert file.read_text().startswith("number")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write any file")
def test_a_file_without_write_permission_is_not_replaced(two: Server, tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_text("earlier")
    file.chmod(0o400)
    assert run("invoices", "1", "--output", str(file), URL=two.url).returncode == 2
    assert file.read_text() == "earlier"
    assert two.seen == []


@pytest.mark.parametrize("response", [as_json({}, 404), as_json({}), as_json(page(1, total=2))])
def test_an_error_leaves_the_file_unchanged(server: Server, tmp_path: Path, response: Scripted) -> None:
    file = tmp_path / "out"
    file.write_text("earlier")
    server.respond_with(response)
    assert run("invoices", "1", "--output", str(file), URL=server.url).returncode in (4, 6, 7)
    assert file.read_text() == "earlier"
    assert [*tmp_path.iterdir()] == [file]


@pytest.mark.parametrize("name", ["out", "new"])
def test_a_full_disk_leaves_the_file_unchanged(server: Server, tmp_path: Path, name: str) -> None:
    file = tmp_path / "out"
    file.write_text("earlier")
    server.respond_with(page(*range(5000)))
    shell = f"ulimit -f 8; exec '{COMMAND}' invoices 1 --format json --output '{tmp_path / name}'"
    command = ["/bin/sh", "-c", shell]
    result = subprocess.run(command, env=environment(URL=server.url), capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"talkdesk-bridge: the output cannot be written: {tmp_path / name}: File too large.\n"
    assert file.read_text() == "earlier"
    assert [*tmp_path.iterdir()] == [file]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_leaves_the_file_unchanged(server: Server, tmp_path: Path, number: signal.Signals) -> None:
    file, requested, ended = tmp_path / "out", threading.Event(), threading.Event()
    file.write_text("earlier")

    def script(method: str, target: str) -> Scripted:
        requested.set()
        ended.wait(30)
        return as_json(page(1))

    server.script = script
    command = [COMMAND, "invoices", "1", "--output", str(file)]
    with subprocess.Popen(
        command, env=environment(URL=server.url), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert requested.wait(30)
        process.send_signal(number)
        printed = process.communicate(timeout=30)
    ended.set()
    assert (process.returncode, *printed) == (128 + number, b"", b"")
    assert file.read_text() == "earlier"
    assert [*tmp_path.iterdir()] == [file]


def test_an_interrupt_while_writing_leaves_the_file_unchanged(
    two: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "out"
    file.write_text("earlier")

    def interrupted_sync(_: int) -> None:
        assert len([*tmp_path.iterdir()]) == 2
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("talkdesk_bridge_cli.output.os.fsync", interrupted_sync)
    result = run("invoices", "1", "--output", str(file), URL=two.url)
    assert (result.returncode, result.stdout, result.stderr) == (143, "", "")
    assert file.read_text() == "earlier"
    assert [*tmp_path.iterdir()] == [file]


def test_dev_stdout_is_not_replaced(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("earlier\n")
    server.respond_with(page(1))
    command = ["/bin/sh", "-c", f"exec '{COMMAND}' invoices 1 --format jsonl --output /dev/stdout >> '{file}'"]
    assert subprocess.run(command, env=environment(URL=server.url), check=False).returncode == 0
    assert file.read_text() == 'earlier\n{"account_number": "1", "invoice_number": "1"}\n'


def test_descriptors_and_pipes_are_rejected_and_not_replaced(two: Server, tmp_path: Path) -> None:
    pipe, log = tmp_path / "pipe", tmp_path / "log"
    os.mkfifo(pipe)
    log.write_text("kept\n")
    with log.open("a") as opened:
        for name in (str(pipe), f"/dev/fd/{opened.fileno()}", f"/proc/self/fd/{opened.fileno()}"):
            result = run("invoices", "1", "--output", name, URL=two.url)
            assert (result.returncode, result.stdout) == (2, "")
            assert "is not a regular file: name one, or redirect standard output" in result.stderr
    assert (pipe.is_fifo(), log.read_text(), two.seen) == (True, "kept\n", [])
    assert {*tmp_path.iterdir()} == {pipe, log}


@pytest.mark.parametrize(("output_format", "unbuffered"), [("table", ""), ("jsonl", "1")])
def test_a_closed_pipe_ends_the_command_silently(server: Server, output_format: str, unbuffered: str) -> None:
    server.respond_with(page(*(f"{number:0200}" for number in range(500))))  # more than a pipe holds
    command = [COMMAND, "invoices", "1", "--format", output_format]
    named = environment(URL=server.url) | {"PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(command, env=named, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_messages_do_not_get_into_the_data_if_standard_error_is_closed(server: Server) -> None:
    server.respond_with({"_embedded": {"invoices": [{"due_amount": 7.5}]}})
    command = ["/bin/sh", "-c", f"exec '{COMMAND}' invoices 1 --format jsonl --debug 2>&-"]
    result = subprocess.run(command, env=environment(URL=server.url), capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, '{"account_number": "1", "due_amount": 7.5}\n')


def test_the_command_works_if_standard_error_cannot_be_written(server: Server, tmp_path: Path) -> None:
    server.respond_with({"_embedded": {"invoices": [{"due_amount": 7.5}]}})
    shell = f"exec '{COMMAND}' invoices 1 --format jsonl --debug --output '{tmp_path / 'out'}' 2>/dev/full"
    done = subprocess.run(["/bin/sh", "-c", shell], env=environment(URL=server.url), capture_output=True, check=False)
    assert (done.returncode, (tmp_path / "out").read_text()) == (0, '{"account_number": "1", "due_amount": 7.5}\n')


def test_a_list_without_amounts_has_no_totals(server: Server) -> None:
    server.respond_with({"_embedded": {"invoices": [{"invoice_number": "1", "amount": "abc"}]}})
    shown = run("invoices", "1", URL=server.url).stdout.splitlines()
    assert shown[-2:] == ["1 invoice", "no totals, because of 2 missing amounts and 1 unreadable amount"]


def test_only_the_table_cuts_long_values(server: Server) -> None:
    texts = {"invoice_number": "N" * 200, "status": "S" * 201, "amount": "1" * 300}
    server.respond_with({"_embedded": {"invoices": [texts]}, "total": 1})
    shown = run("invoices", "1", URL=server.url).stdout
    row = shown.splitlines()[2].split()
    assert row == ["N" * 200, "S" * 199 + "\N{HORIZONTAL ELLIPSIS}", "1" * 199 + "\N{HORIZONTAL ELLIPSIS}"]
    for output_format in ("json", "jsonl", "csv"):
        assert all(text in written(server, output_format) for text in texts.values())


INVOICE_AMOUNTS = dict.fromkeys(("amount", "paid_amount", "due_amount"), "1.00 usd")
SHAPES: dict[str, Callable[[int], list[dict[str, str]]]] = {
    "rows": lambda size: [INVOICE_AMOUNTS | {"status": "Due"} for _ in range(size)],
    "long cell": lambda size: [INVOICE_AMOUNTS | {"status": "x" * 5 * size}, *[INVOICE_AMOUNTS] * 300],
    "blanks": lambda size: [INVOICE_AMOUNTS | {"status": " " * 5 * size + "x"}, *[INVOICE_AMOUNTS] * 300],
    "blank lines": lambda size: [INVOICE_AMOUNTS | {"status": "\n\t;" * 50 * size}],
}


@pytest.mark.parametrize("output_format", ["table", "csv"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_time_is_proportional_to_the_size(server: Server, output_format: str, shape: str) -> None:
    def seconds(size: int) -> float:
        invoices = SHAPES[shape](size)
        content = json.dumps({"_embedded": {"invoices": invoices}, "total": len(invoices)}).encode()
        server.respond_with((200, {}, content))
        before = time.process_time()
        assert run("invoices", "1", "--format", output_format, URL=server.url).returncode == 0
        return time.process_time() - before

    # On a busy machine, a run may take much more CPU time than it needs, so the quickest ones count.
    single, double = [seconds(800) for _ in range(3)], [seconds(1600) for _ in range(3)]
    while min(double) > 2.5 * min(single):
        assert len(single) < 20
        single.append(seconds(800))
        double.append(seconds(1600))


SIGNS = "=+-@\t\uff1d"


def begins_a_formula(cell: str) -> bool:
    return cell.lstrip(' "\u00a0').startswith(tuple(SIGNS))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@given(
    names=lists(text('=+-@;,\t\r\n" \u00a0a', min_size=1, max_size=6), max_size=3, unique=True),
    texts=lists(text("=+-@;,\t\r\n\" '\\\u00a0\uff1d1a", max_size=8), min_size=6, max_size=6),
)
@settings(max_examples=300)
def test_no_cell_begins_a_formula(delimiter: str, names: list[str], texts: list[str]) -> None:
    first, second, third, *more = texts
    row = {"account_number": first, "a": second, "b": [third, {third: -1.5}], "c": "-1.10 usd", "d": -2.50}
    row |= dict(zip((f"{name}~" for name in names), more, strict=False))
    content = b"".join(csv_lines([row, {"account_number": -2}], [*row])).decode()
    for cells in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter):
        assert [cell for cell in cells if begins_a_formula(cell) and not AMOUNT.fullmatch(cell)] == []
    (_, cells, _) = csv.reader(io.StringIO(content, newline=""))
    controls = re.compile("\r(?!\n)")
    assert json.loads(cells[2]) == row["b"]
    assert cells[1].replace("'", "") == controls.sub("\N{REPLACEMENT CHARACTER}", second).replace("'", "")
    assert cells[3:5] == ["-1.10 usd", "-2.5"]


def test_text_that_could_become_a_formula_is_marked_in_place(server: Server) -> None:
    names = {"x;=1": 'Pay;=1+1\t@a\n-2;"=3', "plain": "a=b; c - d, -1\n* x", "deep": ["a;=1", -1]}
    server.respond_with({"_embedded": {"invoices": [names]}, "total": 1})
    header, row = csv.reader(io.StringIO(written(server, "csv")))
    assert header[-3:] == ["x;'=1", "plain", "deep"]
    assert row[-3:] == ["Pay;'=1+1\t'@a\n'-2;\"'=3", "a=b; c - d, -1\n* x", '["a;\\u003d1", -1]']


def test_an_error_of_the_system_says_what_it_concerns(two: Server, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.txt"
    accounts.write_text("1")
    messages = []
    for limit in range(4, 10):
        # Without the script that pip wrote, which needs the shell and its descriptors if the path has a blank.
        program = "'from talkdesk_bridge_cli.main import main; main()'"
        shell = f"ulimit -n {limit}; exec '{sys.executable}' -c {program} invoices --accounts-file '{accounts}'"
        command = ["/bin/sh", "-c", shell]
        result = subprocess.run(command, env=environment(URL=two.url), capture_output=True, text=True, check=False)
        messages += re.findall(r"^talkdesk-bridge: (.*): Too many open files\.$", result.stderr, re.M)
    assert messages
    assert all(message.startswith(("the requests ended early", "--accounts-file: ")) for message in messages)
    folder = tmp_path / "folder"
    folder.mkdir()

    def script(method: str, target: str) -> Scripted:
        shutil.rmtree(folder, ignore_errors=True)
        return as_json(page(1))

    two.script = script
    result = run("invoices", "1", "--output", str(folder / "out"), URL=two.url)
    message = f"the output cannot be written: {folder / 'out'}: No such file or directory"
    assert (result.returncode, result.stderr) == (1, f"talkdesk-bridge: {message}.\n")


def test_no_byte_order_mark_hides_a_formula() -> None:
    """Programs strip it from the start of a file, and the first column may be named by the bridge."""
    (header,) = csv_lines([], ["\ufeff=1+1", "\ufeff@a"])
    assert not any(begins_a_formula(cell) for cell in next(csv.reader([header.decode("utf-8-sig")])))


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be deleted")
def test_the_current_folder_was_deleted(two: Server, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    shell = f"mkdir '{folder}' && cd '{folder}' && rmdir '{folder}' && exec '{COMMAND}' invoices 1 --output out"
    result = subprocess.run(
        ["/bin/sh", "-c", shell], env=environment(URL=two.url), capture_output=True, text=True, check=False
    )
    message = "--output: out cannot be written: No such file or directory"
    # The last line, because the script is run by a shell, which complains too, if the path of the environment has a blank.
    assert (result.returncode, result.stderr.splitlines()[-1], two.seen) == (2, f"talkdesk-bridge: {message}.", [])


def test_the_temporary_file_is_new_and_has_the_mode_of_the_output(
    two: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, seen = tmp_path / "out", []
    file.touch()
    file.chmod(0o604)
    opened = os.open

    def watched(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        descriptor = opened(path, flags, *rest, **named)
        if ".talkdesk-bridge-" in str(path):
            seen.append((flags & os.O_EXCL, flags & os.O_NOFOLLOW, stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077))
        return descriptor

    monkeypatch.setattr("talkdesk_bridge_cli.output.os.open", watched)
    assert run("invoices", "1", "--output", str(file), URL=two.url).returncode == 0
    assert seen[-1] == (os.O_EXCL, os.O_NOFOLLOW, 0), "others cannot read it before it has the mode of the output"
    assert stat.S_IMODE(file.stat().st_mode) == 0o604

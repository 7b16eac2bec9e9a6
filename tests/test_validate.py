"""`make validate`: each fault has its place and a sentence, all in one run, never a traceback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import CONTRACT, ROOT
from tools.validate import main, validate

Change = Callable[[str, str], Path]

INVOICE_REF = '          $ref: "#/components/schemas/InvoiceList"'


@pytest.mark.parametrize(
    ("old", "new", "rule", "at", "told"),
    [
        ("paths:\n", "paths: [\n", "yaml", None, "this is not YAML"),
        ("  title:", "\ttitle:", "yaml", "\ttitle:", "this is not YAML"),
        (
            "      operationId: get_account_invoices\n",
            "      operationId: get_account_invoices\n      operationId: again\n",
            "duplicate-key",
            "operationId: again",
            "the key `operationId` stands here a second time, after line",
        ),
        ('invoice_due_date: "2023-07-30"', "invoice_due_date: 2023-07-30", "yaml", "2023-07-30", "quote it"),
        ('        "200":', "        200:", "yaml", "200:", "the key `200` is not text: quote it."),
        (INVOICE_REF, INVOICE_REF.replace("List", "Lst"), "reference", "$ref", "did you mean `InvoiceList`?"),
        (INVOICE_REF, '          $ref: "other.yaml#/X"', "reference", "$ref", "leads out of this file"),
        (
            "        total:\n          type: integer",
            "        total:\n          type: intger",
            "openapi",
            "type: intger",
            "`type` must be one of array, boolean, integer, null, number, object, string (or a list of them)",
        ),
        (
            "          schema:\n            type: integer\n            minimum: 1",
            "          schema:\n            type: integer\n            minimum: one",
            "openapi",
            "minimum: one",
            "`minimum` must be a number, not a string.",
        ),
        ("operationId:", "operationID:", "openapi", "operationID:", "did you mean `operationId`?"),
        ("operationId:", "operationID:", "operation", "get:", "the operation has no `operationId`"),
        ("      tags: [billing]\n", "", "operation", "get:", "the operation has no `tags`"),
        ("- name: account_number", "- name: account", "openapi", "parameters:", "no path parameter of this name"),
        ("- name: account_number", "- name: account", "openapi", "parameters:", "the path has no `{account}`"),
        ("in: path", "in: pth", "openapi", "in: pth", "`in` must be one of query, header, path, cookie, not `pth`."),
        ("info:\n", "infos:\n", "openapi", "openapi:", "the contract lacks `info`: add it."),
        ("openapi: 3.1.0", "openapi: 2.0.0", "openapi", "openapi:", "`openapi` is `2.0.0`, which is not of the form"),
        ("paths:\n", "paths: []\nx-paths:\n", "openapi", "paths:", "`paths` must be an object, not an array."),
        ("          description: OK\n", "", "openapi", '"200":', "`200` lacks `description`: add it."),
        ('        "200":', '        "300":', "response", "responses:", "no response of success"),
        ("        4XX:\n", "        5XX:\n", "response", "responses:", "no response of refusal (`4XX`)"),
        ("      responses:\n", "      x-responses:\n", "response", "get:", "no response of success"),
        (
            "paid_amount: 412.50 usd",
            "paid_amount: 412.50",
            "example",
            "paid_amount: 412.50",
            "at `_embedded.invoices[1].paid_amount`: 412.5 is not of type 'string'.",
        ),
        ('invoice_due_date: "2023-07-30"', 'invoice_due_date: "30.07.2023"', "example", "invoice_due", "is not a 'date'"),
        ("              examples:\n                inv", "              x-examples:\n                inv", "example",
         "application/json:", "the body of `200` has no example"),
        ("              examples:\n                bad", "              x-examples:\n                bad", "example",
         "application/json:", "the body of `4XX` has no example"),
        ('          example: "1000000001"', "          example: 5", "example", "example: 5", "5 is not of type 'string'"),
        ("      status: assumed\n", "      status: guessed\n", "provenance", "status: guessed", "must be one of documented"),
        ("      source: https://docs.talkdesk.com/reference/get-account-details\n", "", "provenance", None, "lacks `source`"),
        ('      retrieved: "2026-11-22"\n', '      retrieved: "today"\n', "provenance", "retrieved:", "must be a date"),
        ("      note: A name", "      notes: A name", "provenance", "notes:", "`notes` is not a key of `x-provenance`"),
        ("      note: A name", "      x: A name", "provenance", "x-provenance:", "what is assumed needs a `note`"),
        ("info:\n", "info:\n  x-provenance: {}\n", "provenance", "x-provenance:", "has no effect here"),
        (
            "    ErrorDetails:\n      type: object\n      x-provenance:",
            "    ErrorDetails:\n      type: object\n      x-origin:",
            "provenance",
            "ErrorDetails:",
            "the schema `ErrorDetails` says nowhere where it comes from",
        ),
        (
            "        due_amount:\n          type: string",
            "        due_amount:\n          type: number",
            "documented",
            "due_amount:",
            "`InvoiceDetails.due_amount` is documented as string, but is number here",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(
    changed: Change, old: str, new: str, rule: str, at: str | None, told: str
) -> None:
    file = changed(old, new)
    _, findings = validate(file)
    found = [finding for finding in findings if finding.rule == rule and told in finding.message]
    assert found, findings
    if at is not None:
        lines = file.read_text(encoding="utf-8").splitlines()
        assert any(lines[finding.line - 1][finding.column - 1 :].startswith(at) for finding in found), found


def test_all_faults_come_in_one_run(changed: Change, capsys: pytest.CaptureFixture[str]) -> None:
    file = changed("info:\n", "info:\n  version: 0.0.0\n")
    text = file.read_text(encoding="utf-8")
    text = text.replace("operationId:", "operationID:").replace('InvoiceItemDetails"', 'Nothing"')
    file.write_text(
        text.replace("        due_amount:\n          type: string", "        due_amount:\n          type: number")
    )
    assert main([str(file)]) == 1
    rules = set(re.findall(r"\[([a-z-]+)\]$", capsys.readouterr().out, re.MULTILINE))
    assert {"duplicate-key", "openapi", "operation", "reference", "documented"} <= rules


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"- a", b"\xff\xfe\x00", b"a: \x00", b"a: &a [*a]", b"? [a]\n: b", b"paths: {/x: null}", b"openapi: 3.1.0",
     b"openapi: 3.1.0\npaths: {/x: {get: {responses: [], parameters: {}, tags: x}}}\ncomponents: []\ninfo: 5\ntags: {}",
     b"openapi: 3.1.0\ncomponents: {schemas: {A: {$ref: '#/components/schemas/A'}, B: 5, C: {properties: []}}}",
     b"openapi: 3.1.0\ncomponents: {schemas: {A: {allOf: 5, items: [], type: 7, enum: 5}}, parameters: [x]}"],
)  # fmt: skip
def test_nothing_makes_it_crash(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "openapi.yaml"
    file.write_bytes(content)
    _, findings = validate(file)
    assert findings


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.validate", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)


def test_the_exit_status_and_what_is_printed(changed: Change) -> None:
    good = run()
    assert (good.returncode, good.stderr) == (0, "")
    assert "openapi.yaml: valid. 1 operation(s); elements: " in good.stdout
    missing = run("nothing.yaml")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert (
        missing.stderr
        == "nothing.yaml: cannot be read: No such file or directory. Name a contract with CONTRACT=path.\n"
    )
    file = changed("operationId:", "operationID:")
    bad = run(str(file))
    assert bad.returncode == 1
    assert all(re.match(rf"{file}:\d+:\d+: .+ \[[a-z-]+\]$", line) for line in bad.stdout.splitlines())
    assert bad.stderr == f"{file}: 5 findings.\n"


def test_annotations_for_github_with_ci(changed: Change) -> None:
    file = changed("operationId:", "operationID:")
    lines = run(str(file), CI="true").stdout.splitlines()
    assert f"::error file={file},line=35,col=7,title=openapi::the key `operationID` has no meaning here: " in str(lines)
    assert sum(line.startswith("::error ") for line in lines) == len(lines) / 2 == 5


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_takes_another_contract(changed: Change) -> None:
    file = changed("operationId:", "operationID:")
    command = ["make", "--old-file=.venv/.set-up", "validate", f"CONTRACT={file}"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert f"{file}:35:7: the key `operationID` has no meaning here" in result.stdout
    assert CONTRACT.exists()

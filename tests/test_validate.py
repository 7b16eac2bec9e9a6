"""`make validate` reports all faults in one run, each with its place and a message, and never a traceback."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.contract import check, load
from tools.contract.__main__ import main

Change = Callable[[str, str], Path]

REF = '          $ref: "#/components/schemas/ThingList"'
TOTAL = "        total:\n          type: integer"

# The text to replace, its replacement, the rule, the text at the finding's place (empty: anywhere), part of its message.
FAULTS = [
    ("paths:\n", "paths: [\n", "yaml", "", "this is not valid YAML"),
    ("  title:", "\ttitle:", "yaml", "\ttitle:", "this is not valid YAML"),
    ("      operationId: get_things\n", "      operationId: get_things\n      operationId: again\n", "duplicate-key",
     "operationId: again", "the key `operationId` is also on line 17: remove one of them."),
    ('due: "2023-07-30"', "due: 2023-07-30", "yaml", "2023-07-30", "quote it"),
    ('due: "2023-07-30"', "due: 1:30", "yaml", "1:30", "quote it"),
    ('due: "2023-07-30"', "due: !!python/none x", "yaml", "!!python", "has no JSON equivalent"),
    ("info:\n", "info: !custom\n", "yaml", "!custom", "has no JSON equivalent: remove it"),
    ('        "200":', "        200:", "yaml", "200:", "the key `200` is not a string: quote it."),
    (REF, REF.replace("List", "Lst"), "reference", "$ref", "did you mean `ThingList`? If not, add it."),
    (REF, '          $ref: "other.yaml#/X"', "reference", "$ref", "points to another file"),
    (REF, '          $ref: "#/paths/~1nothing"', "reference", "$ref", "does not exist: add it."),
    ("      allOf:\n        - $ref: \"#/components/schemas/Things\"", '      $ref: "#/components/schemas/things_reponse"',
     "reference", "$ref", "points back to itself"),
    (TOTAL, TOTAL.replace("integer", "intger"), "openapi", "type: intger", "`type` must be one of array, boolean"),
    (REF, '          $ref: "#/info"', "reference", "$ref", "does not point to a component"),
    ('        - $ref: "#/components/schemas/Things"', '        - $ref: "#/components/schemas/things_reponse"', "reference",
     "things_reponse:", "includes itself through `allOf`"),
    ("        - name: page\n", "        - {name: page, in: query, schema: {type: integer}}\n        - name: page\n", "openapi",
     "name: page", "Duplicate parameter 'page'."),
    ("          format: date\n", "          format: datetime\n", "openapi", "format: datetime", "the format `datetime` is unknown"),
    ('        "200":', '        "20O":', "openapi", '"20O":', "`20O` is not a status: write three digits in quotes"),
    ("  /things/{thing_id}:", "  things/{thing_id}:", "openapi", "things/", "is not a path: start it with `/`."),
    ("openapi: 3.1.0", "openapi: 3.1", "openapi", "openapi:", "`openapi` is invalid: 3.1 is not of type 'string'."),
    ("          required: true\n", "", "openapi", "name: thing_id", "`parameters` is invalid: 'required' is a required property."),
    ("            application/json:", "            application/jsn:", "media-type", "application/jsn:", "did you mean `application/json`?"),
    ("            minimum: 1", "            pattern: '['\n            minimum: 1", "openapi", "pattern:", "is not a 'regex'"),
    ("            minimum: 1", "            minimum: one", "openapi", "minimum: one", "`minimum` is invalid: 'one' is not of type 'number'."),
    ("            minimum: 1", "            minimun: 1", "openapi", "minimun: 1", "did you mean `minimum`?"),
    ("            X-Count:\n              schema:\n                type: integer",
     "            X-Count:\n              schema:\n                type: intger", "openapi", "type: intger", "`type` must be one of"),
    ("          schema:\n            $ref: \"#/components/schemas/Thing\"", "          schema:\n            type: intger",
     "openapi", "type: intger", "`type` must be one of"),
    ("operationId: get", "operationID: get", "openapi", "operationID:", "did you mean `operationId`?"),
    ("- name: thing_id", "- name: thing", "openapi", "get:", "Path parameter 'thing_id' for 'get' operation in '/things/{thing_id}' was not resolved: `parameters` and"),
    ("- name: thing_id", "- name: thing", "openapi", "get:", "Path parameter 'thing' for 'get' operation in"),
    ("in: path", "in: pth", "openapi", "in: pth", "`in` is invalid: 'pth' is not one of ['query', 'header', 'path', 'cookie']."),
    ("operationId: add_thing", "operationId: get_things", "openapi", "post:", "Operation ID 'get_things' for 'post' in '/things/{thing_id}' is not unique."),
    ("info:\n", "infos:\n", "openapi", "openapi:", "the contract is invalid: 'info' is a required property."),
    ("openapi: 3.1.0", "openapi: 3.0.3", "openapi", "openapi:", "`openapi` is invalid: '3.0.3' does not match '^3"),
    ("paths:\n", "paths: []\nx-paths:\n", "openapi", "paths:", "`paths` is invalid: [] is not of type 'object'."),
    ("          description: OK\n", "", "openapi", '"200":', "`200` is invalid: 'description' is a required property."),
    ("  version: 1.2.3", "  version: 1.2.3rc1", "version", "version:", "is `1.2.3rc1`: use three numbers"),
    ("operationId: get", "operationID: get", "operation", "get:", "the operation has no `operationId`"),
    ("      tags: [things]\n", "", "operation", "get:", "the operation has no `tags`"),
    ("      tags: [things]\n", "      tags: [thing]\n", "operation", "thing]", "the tag `thing` is not declared: did you mean `things`?"),
    ("      security: []\n", "", "operation", "post:", "the operation has no `security`"),
    ("        - Key: []", "        - Kay: []", "operation", "Kay:", "the security scheme `Kay` is not declared"),
    ('        "200":', '        "300":', "response", "responses:", "no response for success"),
    ("        4XX:\n", "        5XX:\n", "response", "responses:", "no response for errors (`4XX`)"),
    ("      responses:\n", "      x-responses:\n", "response", "get:", "no response for success"),
    ("operationId: add_thing", "operationId: getThings", "name", "operationId:", "becomes `get_things`, which `get_things` already uses"),
    ("operationId: add_thing", "operationId: list_things", "name", "operationId:", "becomes `iter_things`, which `get_things` already uses"),
    ("operationId: add_thing", "operationId: 2do", "name", "operationId:", "becomes `2do`, which is not a valid Python name"),
    ("      tags: [things]\n", "      tags: [from env]\n", "name", "from env", "becomes `from_env`, which the client reserves"),
    ("        - name: page\n", "        - name: max_items\n", "name", "name: max_items", "becomes `max_items`, which the client reserves"),
    ("    ErrorInfo:\n", "    ErrorInfos:\n", "error", "", "the client reads error bodies as the schema `ErrorInfo`: it must have"),
    ("        userMessage: {type: string}", "        userMessage: {type: integer}", "error", "ErrorInfo:", "must have the strings `userMessage` and `errorCode`."),
    ("        userMessage: {type: string}", "        userMessage: {type: string}\n      required: [errorCode]", "error", "required:", "remove its `required`"),
    ('thing_number: "2"', "thing_number: 2", "example", "thing_number: 2",
     "at `_embedded.things[1].thing_number`: 2 is not of type 'string'."),
    ('thing_number: "2"', 'thing_numbr: "2"', "example", "thing_numbr:", "did you mean `thing_number`?"),
    ('due: "2023-07-30"', 'due: "30.07.2023"', "example", "due:", "is not a 'date'"),
    ("              examples:\n", "              x-examples:\n", "example", "application/json:", "the body of `200` has no example"),
    ('          example: {reason: "no"}\n', "", "example", "application/json:", "the body of `4XX` has no example"),
    ('          example: {reason: "no"}\n', "          example: {reason: 5}\n", "example", "reason: 5", "5 is not of type"),
    ('          example: {thing_number: "3"}', "          example: {thing_number: 3}", "example", "thing_number: 3", "3 is not of"),
    ('          example: "7"', "          example: 7", "example", "example: 7", "7 is not of type 'string'"),
    ("                example: too late", "                example: 5", "example", "example: 5", "5 is not of type 'string'"),
    (TOTAL, f"{TOTAL}\n          default: many", "example", "default: many", "'many' is not of type 'integer'"),
    ("      status: assumed\n", "      status: guessed\n", "provenance", "status: guessed", "must be one of documented"),
    ("      source: a test\n", "", "provenance", "x-provenance:", "has no `source`"),
    ('      retrieved: "2026-11-22"\n', '      retrieved: "2026-13-45"\n', "provenance", "retrieved:", "must be a date"),
    ("      note: Made up.\n", "      notes: Made up.\n", "provenance", "notes:", "`notes` is not a key of `x-provenance`"),
    ("      note: Made up.\n", "", "provenance", "x-provenance:", "`status: assumed` needs a `note`"),
    ("components:\n", "components:\n  x-provenance: {}\n", "provenance", "x-provenance:", "has no effect here"),
    ("info:\n", "info:\n  x-provenance: {}\n", "provenance", "x-provenance:", "has no effect here"),
    ("    Thing:\n      type: object\n      x-provenance:", "    Thing:\n      type: object\n      x-provenence:",
     "provenance", "Thing:", "the schema `Thing` does not say where it comes from"),
    ("    Thing:\n      type: object\n      x-provenance:", "    Thing:\n      type: object\n      x-provenence:",
     "provenance", "x-provenence:", "did you mean `x-provenance`?"),
    ("        status: observed\n", "        status: documented\n", "documented", "Thing:", "is marked as documented"),
]  # fmt: skip


def test_the_small_contract_has_no_findings(changed: Change) -> None:
    assert check(load(changed("Things", "Things"))) == []


@pytest.mark.parametrize(("old", "new", "rule", "at", "message"), FAULTS)
def test_a_fault_is_reported_at_its_place(
    changed: Change, old: str, new: str, rule: str, at: str, message: str
) -> None:
    file = changed(old, new)
    findings = check(load(file))
    found = [finding for finding in findings if finding.rule == rule and message in finding.message]
    assert found, findings
    lines = file.read_text(encoding="utf-8").splitlines()
    assert any(lines[finding.line - 1][finding.column - 1 :].startswith(at) for finding in found), found


def test_one_run_reports_all_faults(changed: Change, capsys: pytest.CaptureFixture[str]) -> None:
    file = changed("info:\n", "info:\n  version: 0.0.0\n")
    text = file.read_text(encoding="utf-8")
    text = text.replace("operationId: add", "operationID: add").replace('schemas/ThingList"', 'schemas/Nothing"')
    file.write_text(text.replace('example: "7"', "example: 7").replace("status: observed", "status: seen"))
    assert main([str(file)]) == 1
    rules = set(re.findall(r"\[([a-z-]+)\]$", capsys.readouterr().out, re.MULTILINE))
    assert rules == {"duplicate-key", "openapi", "operation", "reference", "example", "provenance"}


@pytest.mark.parametrize(
    ("old", "new"),
    [("          schema:\n            type: string\n          example", "          shema:\n            type: string\n          example"),
     ("minimum: 1", "minimun: 1"), ("minimum: 1", "pattern: '['"), (TOTAL, f"{TOTAL}\n          default: many"),
     (REF, '          $ref: "#/info"'), ("          description: OK\n", "")],
)  # fmt: skip
def test_one_fault_gives_one_finding(changed: Change, old: str, new: str) -> None:
    findings = check(load(changed(old, new)))
    assert len(findings) == 1, findings


NAMES = {
    "requestBodies": 'content: {application/json: {schema: {$ref: "#/nowhere"}}}',
    "responses": 'description: x\n      content: {application/json: {schema: {$ref: "#/nowhere"}}}',
    "headers": 'schema: {$ref: "#/nowhere"}',
    "parameters": 'name: x\n      in: query\n      schema: {$ref: "#/nowhere"}',
    "schemas": '$ref: "#/nowhere"',
}


@pytest.mark.parametrize("name", ["default", "enum", "const", "example", "examples"])
@pytest.mark.parametrize("kind", NAMES)
def test_a_component_may_have_the_name_of_a_keyword_for_literals(tmp_path: Path, kind: str, name: str) -> None:
    file = tmp_path / "openapi.yaml"
    file.write_text(f"components:\n  {kind}:\n    {name}:\n      {NAMES[kind]}\n", encoding="utf-8")
    assert [finding.rule for finding in check(load(file)) if "`#/nowhere` does not exist" in finding.message]


@pytest.mark.parametrize(
    "inside",
    ["{headers: {default: REF}}", "{links: {default: REF}}", "{content: {a/b: {schema: {patternProperties: {enum: REF}}}}}",
     "{content: {a/b: {schema: {$defs: {const: REF}}}}}", "{content: {a/b: {schema: {dependentSchemas: {example: REF}}}}}"],
)  # fmt: skip
def test_a_part_may_have_the_name_of_a_keyword_for_literals(tmp_path: Path, inside: str) -> None:
    file = tmp_path / "openapi.yaml"
    text = inside.replace("REF", "{$ref: '#/nowhere'}")
    file.write_text(f"paths: {{/x: {{get: {{responses: {{default: {text}}}}}}}}}", encoding="utf-8")
    assert any("`#/nowhere` does not exist" in finding.message for finding in check(load(file)))


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"- a", b"\xff\xfe\x00", b"a: \x00", b"a: &a [*a]", b"? [a]\n: b", b"paths: {/x: null}", b"openapi: 3.1.0",
     b"openapi: 3.1.0\npaths: {/x: {get: {responses: [], parameters: {}, tags: x}}}\ncomponents: []\ninfo: 5\ntags: {}",
     b"openapi: 3.1.0\ncomponents: {schemas: {A: {$ref: '#/components/schemas/A'}, B: 5, C: {properties: []}}}",
     b"openapi: 3.1.0\ncomponents: {schemas: {A: {allOf: 5, items: [], type: 7, enum: 5}}, parameters: [x]}",
     b"openapi: 3.1.0\npaths: {/x: {post: {requestBody: {content: {a/b: null, c/d: []}}, responses: {'200': null}}}}",
     b"openapi: 3.1.0\ncomponents: {schemas: {A: {allOf: [{$ref: '#/components/schemas/A'}]}}}", b"openapi: 3.1.0\ninfo: x\npaths: {}",
     b"openapi: 3.1.0\ncomponents: {schemas: {A: {allOf: [{$ref: '#/nowhere'}]}}}",
     b"openapi: 3.1.0\ninfo: {}\ncomponents: {schemas: {A: {x-provenance: {source: {a: 1}}, description: []}}}",
     b"openapi: 3.1.0\ninfo: {}\npaths: {/x: {get: {security: [null], parameters: {a: b}, responses: 5}}}",
     b"openapi: 3.1.0\ninfo: {}\ncomponents: {schemas: {A: {type: {a: 1}}, B: {type: [string, 'null'], enum: [a, null]}}}",
     "openapi: 3.1.0\ninfo: {}\ntags: [{name: a}]\npaths: {/x: {$ref: '#/tags/²'}}".encode(),
     b"a: " + b"[" * 5000, b"a: " + b"{b: " * 5000],
)  # fmt: skip
def test_invalid_content_gives_findings_and_no_crash(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "openapi.yaml"
    file.write_bytes(content)
    findings = check(load(file))
    assert findings


def test_the_exit_status_and_the_output(
    changed: Change, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as ended:
        main(["nothing.yaml"])
    assert ended.value.code == 2
    error = "nothing.yaml: cannot be read: No such file or directory. Name a contract with CONTRACT=path.\n"
    assert capsys.readouterr() == ("", error)
    file = changed("operationId: get", "operationID: get")
    assert main([str(file)]) == 1
    printed = capsys.readouterr()
    assert all(re.fullmatch(rf"{file}:\d+:\d+: .+ \[[a-z-]+\]", line) for line in printed.out.splitlines())
    assert printed.err == f"{file}: 2 findings.\n"


@pytest.mark.parametrize("arguments", [["--strict"], ["openapi.yaml", "other.yaml"]])
def test_an_unknown_argument_is_rejected(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"unrecognized arguments: {arguments[-1]}\n")


def test_the_default_is_the_contract_of_the_project(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main([]) == 0
    printed = capsys.readouterr()
    assert re.match(r"openapi.yaml: valid\. \d+ operation\(s\); elements: \d+ documented, \d+ observed, ", printed.out)
    assert printed.err == ""


def test_ci_adds_annotations_for_github(
    changed: Change, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    file = changed("operationId: get_things", '"100%\\n::error::x": get_things')
    main([str(file)])
    lines = capsys.readouterr().out.splitlines()
    begin = f"::error file={file},line=17,col=7,title=openapi::the key `100%25 ::error::x` is not allowed here: "
    assert any(line.startswith(begin) for line in lines)
    assert sum(line.startswith("::error ") for line in lines) == len(lines) / 2 == 2


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_takes_another_contract(tmp_path: Path) -> None:
    file = tmp_path / "another contract.yaml"
    file.write_text("openapi: [")
    command = ["make", "--old-file=.venv/.set-up", "validate", f"CONTRACT={file}"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert f"{file}:2:1: this is not valid YAML" in result.stdout

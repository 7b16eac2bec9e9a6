"""`make validate` reports all faults in one run, each with its place and a message, and never a traceback."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.contract import check, examples, load
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
    ("openapi: 3.1.0", "openapi: 3.2.0", "openapi", "openapi:", "`openapi` is invalid: '3.2.0' does not match '^3"),
    ("openapi: 3.1.0", "openapi: 3.0.3", "openapi", "openapi:", "this is an older OpenAPI: convert it to 3.1 first"),
    ("openapi: 3.1.0", 'swagger: "2.0"', "openapi", "swagger:", "this is an older OpenAPI: convert it to 3.1 first"),
    ("          format: date\n", "          format: date\n          nullable: true\n", "openapi", "nullable:", "`nullable` is not a schema keyword: write `type: [string, 'null']`, or"),
    ("            minimum: 1", "            minimum: 0o17", "yaml", "0o17", "`0o17` has no JSON equivalent: quote it"),
    ("    ThingList:\n", "    ThingList:\n      <<: *assumed\n", "yaml", "<<:", "`<<` merges mappings in YAML 1.1 only: write their keys out."),
    ("paths:\n", "paths:\n  /things/{id}: {x-provenance: {status: observed, source: a, retrieved: '2026-11-22', note: b}}\n", "operation", "/things/{thing_id}:", "`/things/{thing_id}` and `/things/{id}` are one path with other parameter names"),
    ("paths:\n", "paths:\n  /x?a=b: {x-provenance: {status: observed, source: a, retrieved: '2026-11-22', note: b}}\n", "operation", "/x?a=b:", "`/x?a=b` has a query or a fragment: declare the query under `parameters`."),
    ("    Thing:\n      type: object\n", "    Thing:\n      type: object\n      required: [thing_nmber]\n", "generator", "Thing:", "`thing_nmber` is required, but is no property of this schema"),
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
    ("    ErrorInfo:\n", "    ErrorInfos:\n", "error", "", "the client reads error bodies as the schema `ErrorInfo`: it must have"),
    ("        userMessage: {type: string}", "        userMessage: {type: integer}", "error", "ErrorInfo:", "must have the strings `userMessage` and `errorCode`."),
    ("        userMessage: {type: string}", "        userMessage: {type: string}\n      required: [errorCode]", "error", "required:", "remove its `required`"),
    ('thing_number: "2"', "thing_number: 2", "example", "thing_number: 2",
     "at `_embedded.things[1].thing_number`: 2 is not of type 'string'."),
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
    ("      content:\n        application/json:\n          schema:\n            $ref: \"#/components/schemas/Thing\"", "      content:\n        x-provenance: {}\n        application/json:\n          schema:\n            $ref: \"#/components/schemas/Thing\"", "provenance", "x-provenance:", "has no effect here"),
    ("components:\n", "components:\n  x-provenance: {status: guessed}\n  headers: {X: {schema: {type: string}}}\n", "provenance", "status: guessed", "`status` must be one of"),
    ("    Thing:\n      type: object\n", "    x-provenance: {status: guessed}\n    More: {type: object}\n    Thing:\n      type: object\n", "provenance", "status: guessed", "`status` must be one of"),
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


def test_each_thing_of_an_older_openapi_is_not_a_finding(changed: Change) -> None:
    (found,) = check(load(changed("openapi: 3.1.0\ninfo:\n", "openapi: 3.0.3\nother: 1e999\ninfos:\n")))
    assert "convert it to 3.1 first" in found.message


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e3", 1000), ("-1.5E-1", -0.15), ("+5", 5), (".5", 0.5), ("5.", 5), ("'1e3'", "1e3"), ("!!str 5", "5"), ("True", True), ("~", None)],
)  # fmt: skip
def test_numbers_are_those_of_json_and_yaml_1_2(tmp_path: Path, text: str, value: object) -> None:
    file = tmp_path / "openapi.yaml"
    file.write_text(f"a: {text}\n", encoding="utf-8")
    contract = load(file)
    assert (contract.data, contract.findings) == ({"a": value}, [])


@pytest.mark.parametrize(
    "text", ["0o17", "0x1F", "007", "1_000", "1:30", ".nan", "1e999", "yes", "2026-11-22", "9" * 5000]
)
def test_values_that_yaml_1_1_and_json_read_differently_are_reported(tmp_path: Path, text: str) -> None:
    file = tmp_path / "openapi.yaml"
    file.write_text(f"a: {text}\n", encoding="utf-8")
    (found,) = load(file).findings
    assert found.message == f"`{text[:80]}` has no JSON equivalent: quote it if it is text or a date."


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\r\n", "\r"])
def test_lines_are_those_that_an_editor_counts(changed: Change, separator: str) -> None:
    file = changed("  title: Things\n", f"  title: 'Things{separator}and more'\n")
    file.write_bytes(file.read_bytes().replace(b"operationId: get", b"operationID: get"))
    found = next(finding for finding in check(load(file)) if "did you mean `operationId`" in finding.message)
    assert found.line == 17 + ("\r" in separator)
    faulty = tmp_with(file, f"title: '{separator}'\na: [")
    assert load(faulty).findings[0].line == 2 + ("\r" in separator)


def tmp_with(beside: Path, text: str) -> Path:
    file = beside.with_name("other.yaml")
    file.write_bytes(text.encode())
    return file


def test_a_contract_in_json_may_have_tabs_and_escaped_pairs(changed: Change) -> None:
    file = changed("title: Things", "title: '\U0001f600 \\ud83d\\ude00'")
    data = load(file).data
    file.write_text(json.dumps(data, indent="\t"), encoding="utf-8")
    assert "\\ud83d\\ude00" in file.read_text(encoding="utf-8")
    contract = load(file)
    assert contract.data == data
    assert check(contract) == []


def test_one_provenance_holds_for_a_whole_group(changed: Change) -> None:
    file = changed("      x-provenance: *assumed\n", "")
    text = file.read_text(encoding="utf-8").replace("      x-provenance: *assumed\n", "")
    provenance = "{status: assumed, source: group, retrieved: '2026-11-22', note: Made up.}"
    file.write_text(text.replace("components:\n", f"components:\n  x-provenance: {provenance}\n"), encoding="utf-8")
    contract = load(file)
    assert check(contract) == []
    sources = {(one.kind, one.name): (one.provenance or {})["source"] for one in contract.elements()}
    assert (sources["schema", "ErrorInfo"], sources["schema", "Thing"], sources["parameter", "kind"]) == (
        "group",
        "a test",
        "group",
    )
    file.write_text(text.replace("  schemas:\n", f"  schemas:\n    x-provenance: {provenance}\n"), encoding="utf-8")
    missing = [finding.message for finding in check(load(file)) if finding.rule == "provenance"]
    assert missing
    assert not [message for message in missing if "the schema `ErrorInfo`" in message]


def test_aliases_may_not_repeat_too_many_values(tmp_path: Path) -> None:
    levels = [f"{chr(98 + level)}: &{chr(98 + level)} [{','.join(['*' + chr(97 + level)] * 9)}]" for level in range(7)]
    file = tmp_path / "openapi.yaml"
    file.write_text("\n".join(["a: &a [x,x,x,x,x,x,x,x,x]", *levels]), encoding="utf-8")
    begun = time.perf_counter()
    (found,) = check(load(file))
    assert time.perf_counter() - begun < 5
    assert "aliases repeat too many values" in found.message


def test_a_slow_pattern_of_an_example_is_ended(changed: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "SECONDS", 1)
    slow = f"\n          pattern: '^(a+)+$'\n          default: '{'a' * 40}!'\n          example: '{'a' * 40}!'"
    file = changed(
        "        thing_number:\n          type: string", f"        thing_number:\n          type: string{slow}"
    )
    begun = time.perf_counter()
    found = [finding.message for finding in check(load(file)) if "longer than 1 s" in finding.message]
    assert time.perf_counter() - begun < 20
    assert len(found) == 2


def test_no_control_character_is_printed(
    changed: Change, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    file = changed("operationId: get_things", r'"a\e[31m\u202e\u009b\0": get_things')
    main([str(file)])
    printed = capsys.readouterr()
    assert "\\x1b[31m\\u202e\\x9b" in printed.out
    assert all(char.isprintable() or char == "\n" for char in printed.out + printed.err)


@pytest.mark.parametrize(("limit", "shown"), [("", 100), ("3", 3), ("0", 120)])
def test_many_findings_are_summed_up(
    changed: Change, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, limit: str, shown: int
) -> None:
    monkeypatch.setenv("LIMIT", limit)
    more = "".join(f"    Some{number}: {{type: object}}\n" for number in range(120))
    assert main([str(changed("  schemas:\n", f"  schemas:\n{more}"))]) == 1
    printed = capsys.readouterr()
    assert printed.out.count("[provenance]") == shown
    assert (f"The first {shown} are shown; LIMIT=0 shows all: 120 provenance." in printed.out) is (shown < 120)
    assert printed.err.endswith(": 120 findings.\n")


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
    assert f"{file}:1:11: this is not valid YAML" in result.stdout

"""`make validate` and `make generate` accept the same contracts, among them every valid one that the client can have."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, Server
from tools.contract import check, load
from tools.contract.__main__ import main as validate
from tools.generate.__main__ import main as generate

Change = Callable[[str, str], Path]
Made = Callable[[str], tuple[int, str]]

ASSUMED = {"status": "assumed", "source": "a test", "retrieved": "2026-11-22", "note": "Made up."}
LINKS = """
    Things: {properties: {_embedded: {$ref: "#/components/schemas/ThingList"}}}
    Thing: {properties: {n: {type: string}, _links: LINKS}}
    Link: {type: object, required: [href], properties: {href: {type: string}, title: {type: string}}}
"""

# Schemas that are valid, and of which a sample must have fields at every depth.
VALID = {
    "required links of each item": LINKS.replace("LINKS", '{$ref: "#/components/schemas/Links"}')
    + '    Links: {type: object, required: [self], properties: {next: {$ref: "#/components/schemas/Link"}, self: {$ref: "#/components/schemas/Link"}}}',
    "inline links of each item": LINKS.replace(
        "LINKS",
        '{type: object, required: [self], properties: {title: {type: string}, self: {$ref: "#/components/schemas/Link"}}}',
    ),
    "an object that requires itself at the fourth level": """
    A: {type: object, properties: {a: {type: object, required: [b], properties: {n: {type: string}, b: {type: object, required: [c],
      properties: {n: {type: string}, c: {type: object, required: [d], properties: {n: {type: string}, d: {$ref: "#/components/schemas/A"}}}}}}}}}""",
    "a union by name": """
    B: {type: object, required: [b], properties: {b: {type: string}}}
    C: {type: object, required: [c], properties: {c: {type: string}}}
    A: {oneOf: [{$ref: '#/components/schemas/B'}, {$ref: '#/components/schemas/C'}]}
    D: {type: object, properties: {a: {$ref: '#/components/schemas/A'}}}""",
    "a tree": '    Tree: {type: object, required: [children], properties: {n: {type: integer}, children: {type: array, items: {$ref: "#/components/schemas/Tree"}}}}',
    "a linked list": "    Node: {type: object, required: [n, next], properties: {n: {type: integer}, next: {oneOf: [{$ref: '#/components/schemas/Node'}, {type: 'null'}]}}}",
    "a list with an end": """
    Node: {type: object, required: [next], properties: {n: {type: integer}, next: {oneOf: [{$ref: "#/components/schemas/Node"}, {$ref: "#/components/schemas/End"}]}}}
    End: {type: object, required: [end], properties: {end: {type: string}}}""",
    "a list of at least two trees": '    Tree: {type: object, properties: {n: {type: integer}, pair: {type: array, minItems: 2, items: {$ref: "#/components/schemas/Tree"}}}}',
    "a base that requires a subclass": """
    Base: {type: object, properties: {id: {type: string}, up: {$ref: "#/components/schemas/Sub"}}}
    Sub: {allOf: [{$ref: "#/components/schemas/Base"}, {type: object, required: [id, n], properties: {n: {type: string}}}]}""",
    "a member of allOf that only limits": """
    Base: {type: object, properties: {id: {type: string}}}
    Sub: {allOf: [{$ref: "#/components/schemas/Base"}, {required: [id], x-note: kept}]}""",
    "a required null": "    A: {type: object, required: [n], properties: {n: {type: 'null'}}}",
    "lists of nulls": "    A: {type: object, properties: {n: {type: array, items: {type: 'null'}}}, additionalProperties: {type: 'null'}}",
    "a required file": "    Upload: {type: object, required: [scan], properties: {scan: {type: string, format: binary}, n: {type: integer}}}",
    "nullable dates": """
    A: {type: object, required: [a, b], properties: {a: {type: [string, "null"], format: date}, b: {anyOf: [{type: string, format: date}, {type: "null"}]},
      c: {type: ["null", string], format: date}, d: {type: [string, "null"], format: date, default: "2026-01-01"},
      e: {type: array, items: {type: [string, "null"], format: date}}, f: {$ref: "#/components/schemas/Day"}}}
    Day: {type: [string, "null"], format: date}""",
}  # fmt: skip

# Schemas of which only the generator knows that they are wrong, the text at the place of the finding, and its message.
REJECTED = [
    ("    VLAN: {type: object}\n    Vlan: {type: object}", "Vlan:", "the classes `VLAN` and `Vlan` both become the module `vlan`: rename one of them."),
    ("    Entity: {type: object, properties: {kind: {type: string, enum: [a]}}}\n    EntityKind: {type: string, enum: [b]}", "kind:", "two parts of the contract become the Python class `EntityKind`: rename one of them."),
    ("    Entity: {type: object, properties: {kind: {type: object, properties: {n: {type: string}}}}}\n    EntityKind: {type: object}", "kind:", "two parts of the contract become the Python class `EntityKind`"),
    ("    Entity: {type: object, properties: {vlan: {type: object, properties: {n: {type: string}}}}}\n    EntityVLAN: {type: object}", "vlan:", "the classes `EntityVLAN` and `EntityVlan` both become the module `entity_vlan`"),
    ("    A: {type: object, properties: {n: {type: array}}}", "A:", "the generator rejects this: type array must have items or prefixItems defined. Write it in another form, or remove it."),
    ('    A: {type: object, required: [b], properties: {n: {type: string}, b: {$ref: "#/components/schemas/B"}}}\n    B: {type: object, required: [a], properties: {a: {$ref: "#/components/schemas/A"}}}', "A:", "the schema `A` has no finite value, as each contains another one (make a property optional or nullable)"),
    ("    B: {type: object, properties: {n: {type: string}}}\n    C: {type: object, required: [c], properties: {c: {type: string}}}\n    A: {oneOf: [{$ref: '#/components/schemas/B'}, {$ref: '#/components/schemas/C'}]}\n    D: {type: object, properties: {a: {$ref: '#/components/schemas/A'}}}", "D:", "the schema `D` lost the property `c`: it is read as `B`, which has none: the generated code would lose this, so write it in another form."),
]  # fmt: skip


@pytest.fixture
def made(changed: Change, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Made:
    """Runs both commands on the small contract with more schemas. Returns their exit status and their output."""

    def run(schemas: str) -> tuple[int, str]:
        file = changed("Things", "Things")
        contract = yaml.safe_load(file.read_text(encoding="utf-8"))
        for name, schema in yaml.safe_load(schemas).items():
            known = contract["components"]["schemas"].setdefault(name, {"x-provenance": ASSUMED})
            known |= {"type": "object", "x-provenance": ASSUMED} | schema if "type" in known else schema
        for operation in contract["paths"]["/things/{thing_id}"].values():
            for response in operation.get("responses", {}).values() if isinstance(operation, dict) else ():
                response.get("content", {}).get("application/json", {}).pop("examples", None)
                for media in response.get("content", {}).values():
                    media["example"] = {}
        file.write_text(yaml.safe_dump(contract, sort_keys=False, width=1000), encoding="utf-8")
        status = validate([str(file)])
        found = capsys.readouterr().out
        assert generate([str(file)], tmp_path / "generated") == status
        if status:
            assert capsys.readouterr().out == found
        return status, found

    return run


@pytest.mark.parametrize("name", VALID)
def test_a_valid_contract_is_generated(made: Made, name: str) -> None:
    status, found = made(VALID[name])
    assert status == 0, found


@pytest.mark.parametrize(("schemas", "at", "message"), REJECTED)
def test_what_the_generator_rejects_is_a_finding(
    made: Made, tmp_path: Path, schemas: str, at: str, message: str
) -> None:
    status, found = made(schemas)
    assert status == 1
    lines = (tmp_path / "things.yaml").read_text(encoding="utf-8").splitlines()
    places = {(int(line), int(column)): text for line, column, text in re.findall(r"yaml:(\d+):(\d+): (.+)", found)}
    assert any(
        message in text and lines[line - 1][column - 1 :].startswith(at) for (line, column), text in places.items()
    ), found


MORE = """
paths:
  /scans/{thing_id}:
    $ref: "#/components/pathItems/Scan"
components:
  pathItems:
    Scan:
      x-provenance: {status: assumed, source: a test, retrieved: "2026-11-22", note: Made up.}
      get:
        operationId: get_scan
        tags: [things]
        security: []
        parameters: [{name: thing_id, in: path, required: true, schema: {type: string}}]
        responses:
          "200": {description: A scan, content: {application/pdf: {example: "%PDF-1.7"}}}
          "404": {description: None, content: {application/json: {schema: {$ref: "#/components/schemas/ErrorInfo"}, example: {errorCode: "404"}}}}
          default: {description: Any, content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}, example: {thing_number: "5"}}}}
      post:
        operationId: send_scan
        tags: [things]
        security: [{Key: []}]
        parameters: [{name: thing_id, in: path, required: true, schema: {type: string}}]
        requestBody: {required: true, content: {image/png: {schema: {type: string, format: binary}, example: "-"}}}
        responses: {"204": {description: Stored}, default: {$ref: "#/components/responses/MadeUpRefusal"}}
webhooks:
  paid:
    post:
      x-provenance: {status: observed}
      requestBody: {content: {application/xml: {schema: {$ref: "#/components/schemas/Thing", title: An invoice}}}}
      responses: {default: {description: Any}}
"""

CALLER = """
import io, sys
from talkdesk_bridge import BridgeClient, NoAuth, Retry, errors
from talkdesk_bridge_api.types import File
from talkdesk_bridge_sandbox import Reply, Sandbox

with Sandbox() as sandbox, BridgeClient(sandbox.url, auth=NoAuth(), retry=Retry(attempts=1)) as bridge:
    print(bridge.things.get_scan("1000000001").payload.read())
    for status in (404, 409, 503):
        sandbox.script(Reply(status, json={"thing_number": "5", "errorCode": "6"}))
        try:
            bridge.things.get_scan("1")
        except errors.StatusError as error:
            print(error.status_code, type(error.body).__name__)
with BridgeClient(sys.argv[1], auth=NoAuth()) as bridge:
    print(bridge.things.get_scan("1").payload.read())
    bridge.things.send_scan("1", body=File(io.BytesIO(b"png")))
"""


def test_files_defaults_and_referenced_paths_work_from_the_contract_to_the_sandbox(
    changed: Change, tmp_path: Path, server: Server
) -> None:
    file = changed("Things", "Things")
    contract, more = (yaml.safe_load(text) for text in (file.read_text(encoding="utf-8"), MORE))
    contract["paths"] |= more["paths"]
    contract["components"] |= more["components"]
    file.write_text(yaml.safe_dump(contract | {"webhooks": more["webhooks"]}), encoding="utf-8")
    assert validate([str(file)]) == 0
    assert generate([str(file)], tmp_path / "generated") == 0
    paths = os.pathsep.join(map(str, (tmp_path / "generated", ROOT / "overrides", ROOT / "extras")))
    environment = os.environ | {"PYTHONPATH": paths}
    server.respond_with((200, {"Content-Type": "application/pdf"}, b"%PDF"), (204, {}, b""))
    command = [sys.executable, "-c", CALLER, server.url]
    called = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    printed = ["b'%PDF-1.7'", "404 ErrorInfo", "409 Thing", "503 Thing", "b'%PDF'"]
    assert called.stdout.splitlines() == printed, called.stderr
    (_, _, asked, _), (_, _, sent, body) = server.seen
    assert asked["Accept"] == "application/pdf, application/json"
    assert (sent["Accept"], sent["Content-Type"], body) == ("application/json", "image/png", b"png")


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        ("application/pdf: {", "application/pdf: {schema: {type: string}, ", "application/pdf", "or for a file `schema: {type: string"),
        ("image/png", "image/*", "image/*", "the generator cannot read the media type `image/*`"),
        ('{thing_number: "5"}', "{thing_number: 5}", "thing_number: 5", "5 is not of type 'string'"),
        ("pathItems/Scan", "pathItems/Scam", "$ref", "`#/components/pathItems/Scam` does not exist: did you mean `Scan`?"),
    ],
)  # fmt: skip
def test_a_fault_in_a_copied_part_has_its_own_place(changed: Change, old: str, new: str, at: str, message: str) -> None:
    file = changed("  /things/{thing_id}:", "  /thing/{thing_id}:")
    paths, components = MORE.replace(old, new, 1).partition("webhooks:")[0].split("components:\n")
    text = file.read_text(encoding="utf-8").replace("paths:\n", paths.lstrip(), 1)
    file.write_text(text.replace("components:\n", f"components:\n{components}", 1), encoding="utf-8")
    (found,) = check(load(file))
    assert message in found.message, found
    assert file.read_text(encoding="utf-8").splitlines()[found.line - 1][found.column - 1 :].startswith(at), found


def test_no_control_character_of_a_contract_is_in_the_generated_source(
    changed: Change, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = r"a\e[31mb\u202ec\u2066d\0\u009b\ufeffe"
    file = changed("title: Things", f'title: "{odd}"')
    text = file.read_text(encoding="utf-8").replace("note: Seen.", f'note: "{odd}"')
    text = text.replace("operationId: get_things\n", f'operationId: get_things\n      description: "{odd}"\n')
    text = text.replace("        due:\n", f'        due:\n          description: "{odd}"\n')
    file.write_text(text, encoding="utf-8")
    assert generate([str(file)], tmp_path / "generated") == 0
    for module in (tmp_path / "generated").rglob("*.py"):
        source = module.read_text(encoding="utf-8")
        assert all(char.isprintable() or char == "\n" for char in source), module
    assert "a[31mb\\u202ec\\u2066d\\ufeffe" in (tmp_path / "generated/talkdesk_bridge_api/models/thing.py").read_text()

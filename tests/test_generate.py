"""`make generate` and `make check-generated`: same bytes, nothing replaced unless all went well, differences named."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import openapi_python_client
import pytest

from tests.conftest import CONTRACT, ROOT
from tools import generate as tool
from tools.contract import load

Change = Callable[[str, str], Path]

# sha256 of the stock template that each of ours replaces: when a new generator changes one, look at ours again.
STOCK = {
    "api_init.py.jinja": "f3b0290732b219be73b204cc3a44170eab0b64299a485a093306c6cc20d064cc",
    "endpoint_init.py.jinja": "c1837a037fdbbd85b5dc1d49f58bd80a672fe4496cfaaf84d3b91927027b56da",
    "models_init.py.jinja": "4f64a3d6e1b15a561be5573c1b7702eb928c0e4fa6b67107d20e57a74c44d51a",
    "types.py.jinja": "93df9d75883a4eafac77dd21bc6907f3ef612e3f7841e08656618dcf6c4ce494",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of generated/ that the tool works on."""
    copy = tmp_path / "generated"
    shutil.copytree(ROOT / "generated", copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    monkeypatch.setattr(tool, "GENERATED", copy)
    return copy


def content(tree: Path) -> dict[str, bytes]:
    return {file.relative_to(tree).as_posix(): file.read_bytes() for file in sorted(tree.rglob("*")) if file.is_file()}


def test_the_committed_tree_is_what_the_contract_gives(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["--check", str(CONTRACT)]) == 0, capsys.readouterr().out


def test_two_runs_give_the_same_bytes(tree: Path) -> None:
    before = content(tree)
    shutil.rmtree(tree)
    assert tool.main([str(CONTRACT)]) == 0
    assert content(tree) == before


def test_differences_are_named(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = tree / tool.PACKAGE
    edited = package / "models" / "invoice_details.py"
    edited.write_text(edited.read_text() + "\n")
    (package / "models" / "error_info.py").unlink()
    (package / "extra.py").touch()
    (tree / "stray.txt").touch()
    assert tool.main(["--check", str(CONTRACT)]) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "generated/stray.txt: was added",
        "generated/talkdesk_bridge_api/extra.py: was added",
        "generated/talkdesk_bridge_api/models/error_info.py: is missing",
        "generated/talkdesk_bridge_api/models/invoice_details.py: differs",
    ]
    assert "run `make generate`" in printed.err
    assert (tree / "stray.txt").exists()


def test_a_contract_with_findings_replaces_nothing(
    tree: Path, changed: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(tree)
    assert tool.main([str(changed("operationId:", "operationID:"))]) == 1
    printed = capsys.readouterr()
    assert "did you mean `operationId`?" in printed.out
    assert "Nothing was generated" in printed.err
    assert content(tree) == before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        # A date in a header: valid OpenAPI, and an endpoint that the generator leaves out.
        (
            "        - name: page\n          in: query\n",
            "        - name: since\n          in: header\n          schema: {type: string, format: date}\n"
            "          x-provenance: {status: assumed, source: x, retrieved: '2026-11-22', note: x}\n"
            "        - name: page\n          in: query\n",
            "Endpoint will not be generated",
        ),
        # Values that differ by case only crash it.
        (
            "        - name: page\n          in: query\n",
            "        - name: kind\n          in: query\n          schema: {type: string, enum: [a, A]}\n"
            "          x-provenance: {status: assumed, source: x, retrieved: '2026-11-22', note: x}\n"
            "        - name: page\n          in: query\n",
            "the generator crashed: ValueError",
        ),
    ],
)
def test_what_the_generator_refuses_replaces_nothing(
    tree: Path, changed: Change, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    before = content(tree)
    assert tool.main([str(changed(old, new))]) == 1
    assert told in capsys.readouterr().err
    assert content(tree) == before


def test_code_that_cannot_be_imported_replaces_nothing(
    tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = content(tree)
    templates = tmp_path / "templates"
    shutil.copytree(tool.TEMPLATES, templates)
    (templates / "api_init.py.jinja").write_text("import nothing_of_this_name\n")
    monkeypatch.setattr(tool, "TEMPLATES", templates)
    with pytest.raises(tool.GenerationError, match="cannot be imported: ModuleNotFoundError"):
        tool.generate(load(CONTRACT), tmp_path / "new")
    assert tool.main([str(CONTRACT)]) == 1
    assert content(tree) == before


def test_a_generator_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tool, "version", lambda name: "0.0.1")
    with pytest.raises(tool.GenerationError, match=r"openapi-python-client must be \d+\.\d+\.\d+, but is 0\.0\.1"):
        tool.generate(load(CONTRACT), tmp_path)


def test_an_interrupted_run_is_put_right(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(tree)
    (tree / tool.PACKAGE).rename(tree / f".{tool.PACKAGE}.old")
    (tree / f".{tool.PACKAGE}.half").mkdir()
    assert tool.main(["--check", str(CONTRACT)]) == 0
    assert "an earlier run was interrupted" in capsys.readouterr().err
    assert content(tree) == before


def test_every_generated_module_is_marked() -> None:
    modules = list((ROOT / "generated").rglob("*.py"))
    assert modules
    assert all(module.read_text(encoding="utf-8").startswith(tool.MARKER) for module in modules)
    assert (ROOT / "generated" / tool.PACKAGE / "py.typed").exists()


@pytest.mark.parametrize("name", sorted(STOCK))
def test_each_template_replaces_the_stock_one_that_we_know_and_says_why(name: str) -> None:
    stock = Path(openapi_python_client.__file__).parent / "templates" / name
    assert {file.name for file in (ROOT / "tools" / "templates").iterdir()} == STOCK.keys()
    assert hashlib.sha256(stock.read_bytes()).hexdigest() == STOCK[name]
    text = (ROOT / "tools" / "templates" / name).read_text(encoding="utf-8")
    head = text[: text.index("#}")]
    pinned = f"openapi-python-client {openapi_python_client.__version__}"
    assert all(said in head for said in (pinned, "Why:", "Test:", "Remove when:"))


NEW_OPERATIONS = """
  /BillingInfoAPI/policies/{policy-number}/notes/{id}:
    x-provenance: &assumed {status: assumed, source: a test, retrieved: "2026-11-22", note: Made up.}
    post:
      operationId: add_policy_note
      tags: [policy notes]
      security: [{HeaderKey: []}]
      parameters:
        - {name: policy-number, in: path, required: true, schema: {type: string}}
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: labels, in: query, schema: {type: array, items: {type: string}}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/ErrorDetails"}
      responses:
        "201":
          description: Created
          content:
            application/json:
              schema: {$ref: "#/components/schemas/ErrorDetails"}
              example: {message: noted, properties: {lineNumber: 1}}
        4XX:
          description: Refused
          content:
            application/json:
              schema: {$ref: "#/components/schemas/ErrorInfo"}
              example: {status: 400}
    delete:
      operationId: delete_policy_note
      tags: [policy notes]
      security: [{HeaderKey: []}]
      parameters:
        - {name: policy-number, in: path, required: true, schema: {type: string}}
        - {name: id, in: path, required: true, schema: {type: integer}}
      responses:
        "204": {description: Gone}
        4XX: {description: Refused}
components:
"""

CALLER = """
import json, sys
from talkdesk_bridge import BridgeClient, HeaderAuth, models
from talkdesk_bridge.sandbox import Sandbox
from talkdesk_bridge_api.models import ErrorDetails, ErrorDetailsProperties
with Sandbox() as sandbox, BridgeClient(sandbox.url, auth=HeaderAuth("sandbox-key")) as bridge:
    note = ErrorDetails(message="m", properties=ErrorDetailsProperties(line_number=5))
    made = bridge.policy_notes.add_policy_note("1000000001", 7, body=note, labels=["a", "b"])
    gone = bridge.policy_notes.delete_policy_note("1000000001", 7)
    same = models.InvoiceDetailsReponse is models.InvoiceDetailsResponse
    print(json.dumps([made.message, gone, same, [str(seen.target) for seen in sandbox.requests]]))
"""


def test_a_new_operation_needs_no_hand_written_line(tree: Path, changed: Change) -> None:
    assert tool.main([str(changed("\ncomponents:\n", NEW_OPERATIONS))]) == 0
    paths = os.pathsep.join([str(tree), str(ROOT / "overrides")])
    result = subprocess.run(
        [sys.executable, "-c", CALLER],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    target = "/BillingInfoAPI/policies/1000000001/notes/7"
    assert json.loads(result.stdout) == ["noted", None, True, [f"{target}?labels=a&labels=b", target]]
    assert tool.main([str(CONTRACT)]) == 0
    assert not list(tree.rglob("*policy*"))


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    assert not list((tmp_path / "generated").glob(".*"))

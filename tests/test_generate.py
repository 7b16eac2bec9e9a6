"""`make generate` is reproducible and replaces nothing on failure; `make check-generated` names differences."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from types import SimpleNamespace

import openapi_python_client
import pytest

from tests.conftest import CONTRACT, OPERATION, ROOT, merged
from tests.repository import git
from tools.contract import Contract, load
from tools.generate import PACKAGE, GenerationError, generate, generator, lock
from tools.generate import __main__ as command
from tools.generate.__main__ import main

Change = Callable[[str, str], Path]

# The sha256 of the stock template that each of ours replaces. If a new generator changes one, review ours.
STOCK = {
    "api_init.py.jinja": "f3b0290732b219be73b204cc3a44170eab0b64299a485a093306c6cc20d064cc",
    "endpoint_init.py.jinja": "c1837a037fdbbd85b5dc1d49f58bd80a672fe4496cfaaf84d3b91927027b56da",
    "endpoint_module.py.jinja": "c1b2628053eb4875ba59566baa5ae907666f9cbfafa308d93f970a4404b7cd52",
    "model.py.jinja": "fd1c79680d51c06cfbb89809ad123750ba9add98b688036c04cabbf1f8ba40a0",
    "models_init.py.jinja": "4f64a3d6e1b15a561be5573c1b7702eb928c0e4fa6b67107d20e57a74c44d51a",
    "package_init.py.jinja": "ac15907e32dc39bd9b83ea6f2002fb87514f2182b97f88231b5a9c47321f6210",
    "types.py.jinja": "93df9d75883a4eafac77dd21bc6907f3ef612e3f7841e08656618dcf6c4ce494",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of generated/ for the tool to work on."""
    copy = tmp_path / "generated"
    return Path(shutil.copytree(ROOT / "generated", copy, ignore=shutil.ignore_patterns("__pycache__", ".*")))


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that replaces the text of the template of api/__init__.py in a copy of the templates."""

    def write(text: str) -> None:
        templates = tmp_path / "templates"
        shutil.copytree(generator.TEMPLATES, templates)
        (templates / "api_init.py.jinja").write_text(text)
        monkeypatch.setattr(generator, "TEMPLATES", templates)

    return write


def content(tree: Path) -> dict[str, bytes]:
    return {file.relative_to(tree).as_posix(): file.read_bytes() for file in sorted(tree.rglob("*")) if file.is_file()}


def test_the_committed_tree_matches_the_contract(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", str(CONTRACT)], tree) == 0, capsys.readouterr().out


def test_two_runs_give_the_same_bytes(tree: Path) -> None:
    before = content(tree)
    shutil.rmtree(tree)
    assert main([str(CONTRACT)], tree) == 0
    assert content(tree) == before


def test_differences_are_named(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = tree / PACKAGE
    edited = package / "models" / "invoice_details.py"
    edited.write_text(edited.read_text() + "\n")
    (package / "models" / "error_info.py").unlink()
    (package / "extra.py").touch()
    (tree / "stray.txt").touch()
    assert main(["--check", str(CONTRACT)], tree) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "generated/stray.txt: was added and is not generated: remove it",
        "generated/talkdesk_bridge_api/extra.py: was added",
        "generated/talkdesk_bridge_api/models/error_info.py: is missing",
        "generated/talkdesk_bridge_api/models/invoice_details.py: differs",
        "Why: generated/ was edited by hand; `make generate` discards such edits.",
    ]
    assert printed.err.endswith("run `make generate` and commit the result.\n")
    assert main([str(CONTRACT)], tree) == 0
    assert "3 changed" in capsys.readouterr().out
    assert main(["--check", str(CONTRACT)], tree) == 1
    printed = capsys.readouterr()
    assert printed.out == "generated/stray.txt: was added and is not generated: remove it\n"
    assert printed.err == ""


def test_bytecode_that_git_tracks_is_a_difference(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(tree.parent, "init", "--quiet")
    for folder in (tree / PACKAGE, tree / PACKAGE / "models"):
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "left.cpython-311.pyc").touch()
    git(tree.parent, "add", "generated/*.py")
    assert main(["--check", str(CONTRACT)], tree) == 0
    capsys.readouterr()
    git(tree.parent, "add", "--force", "generated")
    assert main(["--check", str(CONTRACT)], tree) == 1
    faults = capsys.readouterr().out.splitlines()
    assert faults == [
        f"generated/{folder}/__pycache__: git tracks this bytecode: run `git rm -r --cached generated/{folder}/__pycache__`"
        for folder in (PACKAGE, f"{PACKAGE}/models")
    ]
    for fault in faults:
        git(tree.parent, *shlex.split(fault.split("`")[1])[1:])
    assert main(["--check", str(CONTRACT)], tree) == 0


def test_an_unknown_option_is_rejected(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(tree / PACKAGE)
    with pytest.raises(SystemExit) as ended:
        main([str(CONTRACT), "--chek"], tree)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("python -m tools.generate: error: unrecognized arguments: --chek\n")
    assert content(tree) == {}


def test_a_contract_with_findings_replaces_nothing(
    tree: Path, changed: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(tree)
    assert main([str(changed("operationId: get", "operationID: get"))], tree) == 1
    printed = capsys.readouterr()
    assert "did you mean `operationId`?" in printed.out
    assert "Nothing was generated" in printed.err
    assert content(tree) == before


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "generated").touch()
    assert main([str(CONTRACT)], tmp_path / "generated") == 2
    assert capsys.readouterr().err == f"{tmp_path / 'generated'}: File exists. generated/ was not changed.\n"


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_an_interrupt_changes_nothing_and_prints_a_message(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    def interrupted(contract: Contract, target: Path) -> bool:
        generate(contract, target)
        raise KeyboardInterrupt

    before = content(tree)
    monkeypatch.setattr(command, "check_and_generate", interrupted)
    assert main([str(CONTRACT), *options], tree) == 130
    assert capsys.readouterr() == ("", "Interrupted. generated/ was not changed.\n")
    assert content(tree) == before


def test_a_contract_that_the_generator_rejects_replaces_nothing(
    tree: Path, changed: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(tree)
    members = "[{$ref: '#/components/schemas/Things'}, {properties: {total: {type: string}}}]"
    file = changed("    ThingList:\n", f"    Merged: {{x-provenance: *assumed, allOf: {members}}}\n    ThingList:\n")
    assert main([str(file)], tree) == 1
    printed = capsys.readouterr()
    line = next(
        number for number, line in enumerate(file.read_text().splitlines(), 1) if line.startswith("    Merged:")
    )
    why = "int can't be merged with str. Write it in another form, or remove it. [generator]"
    assert printed.out == f"{file}:{line}:5: the generator rejects this: {why}\n"
    assert printed.err == f"{file}: 1 finding.\nNothing was generated. Correct the contract first.\n"
    assert content(tree) == before


def test_a_crash_of_the_generator_replaces_nothing(
    tree: Path, template: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(tree)
    template("{{ nothing.of.this.name }}\n")
    assert main([str(CONTRACT)], tree) == 1
    assert "the generator crashed: UndefinedError: 'nothing' is undefined" in capsys.readouterr().err
    assert content(tree) == before


def test_a_loss_is_reported_and_replaces_nothing(
    tree: Path, template: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(tree)
    template("class Operations:\n    def __init__(self, caller): ...\n\n\nclass AsyncOperations(Operations): ...\n")
    assert main([str(CONTRACT)], tree) == 1
    printed = capsys.readouterr()
    assert OPERATION
    line = load(CONTRACT).places[OPERATION][0]
    lost = "the operation `get_account_invoices` has no method `billing.get_account_invoices` in `Operations`"
    assert (
        f"{CONTRACT}:{line}:5: {lost}: the generated code would lose this, so write it in another form." in printed.out
    )
    assert content(tree) == before


def test_code_that_cannot_be_imported_replaces_nothing(
    tree: Path, template: Callable[[str], None], tmp_path: Path
) -> None:
    before = content(tree)
    template("import nothing_of_this_name\n")
    with pytest.raises(GenerationError, match="cannot be imported: ModuleNotFoundError"):
        generate(load(CONTRACT), tmp_path / PACKAGE)
    assert main([str(CONTRACT)], tree) == 1
    assert content(tree) == before


def test_the_old_package_is_restored_if_the_new_one_cannot_be_moved(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / PACKAGE / "py.typed").unlink()  # so that there is something to replace
    before, rename = content(tree), Path.rename

    def fails(path: Path, target: Path) -> Path:
        if target == tree / PACKAGE and path.name == PACKAGE:
            raise OSError(errno.EACCES, "Permission denied", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    assert main([str(CONTRACT)], tree) == 2
    assert "Permission denied. generated/ was not changed." in capsys.readouterr().err
    assert content(tree) == before


@pytest.mark.parametrize("tool", ["openapi-python-client", "ruff"])
@pytest.mark.parametrize("found", ["0.0.1", "not installed"])
def test_a_tool_of_another_version_is_rejected(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tool: str, found: str
) -> None:
    def other(*, name: str) -> Iterable[object]:
        if name != tool:
            return distributions(name=name)
        return [] if found == "not installed" else [SimpleNamespace(version=found)]

    monkeypatch.setattr(generator, "distributions", other)
    before = content(tree)
    assert main([str(CONTRACT)], tree) == 1
    message = rf"{CONTRACT}: {tool} must be \d+\.\d+\.\d+, but is {re.escape(found)}: run `make clean setup`\.\n"
    assert re.fullmatch(message, capsys.readouterr().err)
    assert content(tree) == before


def test_the_reasons_for_a_tree_that_does_not_match(tree: Path, tmp_path: Path) -> None:
    package = tree / PACKAGE
    facts = lock.read(package)
    assert facts is not None

    def reasons(**changes: str) -> list[str]:
        """The reasons that are given if the lock in the tree has these facts."""
        changed = {name.replace("_", "-"): value for name, value in changes.items()}
        (package / lock.NAME).write_text(json.dumps(facts | changed))
        return [*lock.reasons_for_difference(package, facts)]

    was = facts["openapi-python-client"]
    assert reasons() == ["tools/generate/ changed and writes other files."]
    assert reasons(version="9.0.0") == [f"`info.version` is {facts['version']}, but generated/ was written for 9.0.0."]
    assert reasons(contract="x") == ["the contract changed after generated/ was written."]
    assert reasons(settings="x") == ["the generator's settings in pyproject.toml changed."]
    assert reasons(templates="x") == ["tools/templates/ changed."]
    assert reasons(openapi_python_client="1") == [f"openapi-python-client is {was}, but generated/ was written by 1."]
    assert reasons(ruff="1") == [f"ruff, the formatter, is {facts['ruff']}, but generated/ was formatted by 1."]
    edited = "generated/ was edited by hand; `make generate` discards such edits."
    assert reasons(tree="x") == [edited]
    assert len(reasons(ruff="1", tree="x")) == 2
    (package / lock.NAME).write_text("{")
    (missing,) = lock.reasons_for_difference(package, facts)
    assert missing.startswith("lock.json is missing or cannot be read")


def test_the_lock_ignores_formatting_and_the_version_of_a_contract(tmp_path: Path) -> None:
    def locked(old: str, new: str) -> str:
        text = CONTRACT.read_text(encoding="utf-8")
        assert old in text
        (tmp_path / "openapi.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
        return lock.hash_contract(load(tmp_path / "openapi.yaml"))

    facts = lock.read(ROOT / "generated" / PACKAGE) or {}
    assert locked("openapi: 3.1.0", "openapi:   3.1.0 # the same") == facts["contract"]
    assert locked("version: ", "version: 9") == facts["contract"]  # a separate fact
    assert locked("description: OK", "description: Fine") != facts["contract"]


WORDS = "        words: {type: array, items: {type: [string, 'null']}}\n"


def test_a_type_contains_none_only_once(tree: Path, changed: Change) -> None:
    nullable = "        - {name: word, in: query, schema: {type: [string, 'null']}}\n        - name: page\n"
    file = changed("        - name: page\n", nullable)
    file.write_text(
        file.read_text().replace(
            "        thing_number:\n          type: string",
            f"{WORDS}        thing_number:\n          type: [string, 'null']",
        )
    )
    assert main([str(file)], tree) == 0
    texts = [
        data.decode()
        for name, data in content(tree).items()
        if "/models/" in name or name.endswith("things/__init__.py")
    ]
    assert not [text for text in texts if re.search(r"None \|[^=\n\]]*\| None", text) or "Unset" in text]
    assert sum("word: str | None = None," in text for text in texts) == 1
    assert sum("thing_number: str | None = None" in text for text in texts) == 1
    assert sum("words: list[str | None] | None = None" in text for text in texts) == 1


def test_names_of_the_contract_do_not_collide_with_those_of_the_code(tree: Path, tmp_path: Path) -> None:
    contract = tmp_path / "names.yaml"
    contract.write_text(json.dumps(merged("things", "names")), encoding="utf-8")
    assert main([str(contract)], tree) == 0
    code = """
from talkdesk_bridge_api import models
from talkdesk_bridge_api.places import MisfitError
kinds = models.PolicyTypes.from_dict({"additional_property": [1], "other": [1.5]})
assert (kinds.additional_property, kinds["other"], kinds.count, models.PolicyTypes().count) == ([1], [1.5], None, 5)
try:
    models.PolicyTypes.from_dict({"additional_property": [1.5]})
except MisfitError as misfit:
    print(misfit)
"""
    environment = os.environ | {"PYTHONPATH": str(tree)}
    command = [sys.executable, "-W", "error", "-c", code]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == (
        "expected integer at $.additional_property[0], got number.\n",
        "",
    )


def test_every_generated_module_is_marked() -> None:
    modules = list((ROOT / "generated").rglob("*.py"))
    assert modules
    assert all(module.read_text(encoding="utf-8").startswith(generator.MARKER) for module in modules)
    assert (ROOT / "generated" / PACKAGE / "py.typed").exists()


def test_each_template_replaces_a_stock_one_or_is_shared() -> None:
    files = {file.name for file in generator.TEMPLATES.iterdir() if file.is_file()}
    assert files == {*STOCK, "base.py", "macros.jinja", "places.py", "reading.py", "sending.py", "types.py"} - {
        "types.py.jinja"
    }


def test_shared_modules_are_copied_unchanged(tree: Path) -> None:
    for name in ("base.py", "places.py", "reading.py", "sending.py", "types.py"):
        text = (generator.TEMPLATES / name).read_text(encoding="utf-8")
        assert (tree / PACKAGE / name).read_text(encoding="utf-8") == generator.MARKER + text


def test_there_is_no_second_client(tree: Path) -> None:
    """A stock client would be a way to the API without authentication, retries and checks."""
    names = {file.name for file in (tree / PACKAGE).rglob("*")}
    assert not names & {"client.py", "errors.py"}
    for file in (tree / PACKAGE).rglob("*.py"):
        assert "httpx" not in file.read_text(encoding="utf-8"), file


@pytest.mark.parametrize("name", sorted(STOCK))
def test_each_template_replaces_a_known_stock_one_and_gives_its_reason(name: str) -> None:
    stock = Path(openapi_python_client.__file__).parent / "templates" / name
    assert hashlib.sha256(stock.read_bytes()).hexdigest() == STOCK[name]
    template = (generator.TEMPLATES / name.replace("types.py.jinja", "types.py")).read_text(encoding="utf-8")
    head = template[: template.index("#}" if "#}" in template else "import")]
    pinned = f"openapi-python-client {openapi_python_client.__version__}"
    assert all(text in head for text in (pinned, "Why:", "Test:", "Remove when:"))


@pytest.fixture
def grown(tmp_path: Path) -> Path:
    """The contract with additional operations, some of unusual shape."""
    file = tmp_path / "grown.yaml"
    file.write_text(json.dumps(merged("things", "shapes")), encoding="utf-8")
    return file


# A caller's script.
CALLER = """
import asyncio, datetime, http.server, inspect, json, threading
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, HeaderAuth, errors, models
from talkdesk_bridge_sandbox import Credentials, Sandbox
key = Credentials(api_key_header="X-Key")
with Sandbox(credentials=key) as sandbox, BridgeClient(sandbox.url, auth=HeaderAuth("sandbox-key", name="X-Key")) as bridge:
    things, more, account = bridge.things, bridge.more_things, "1000000001"
    assert models.ThingsReponse is models.Things
    docstring = " ".join(str(inspect.getdoc(things.get_things)).split())
    assert "parameter `kind`, response `200`, response `4XX`" in docstring
    numbers = [thing.thing_number for thing in things.iter_things(account, kind="a")]
    assert numbers == [str(number) for number in range(1, 138)], numbers
    things.add_thing(account, body=models.Thing(thing_number="1"))
    one = things.import_(account, since=datetime.date(2026, 11, 22), labels=["a", "b"])
    assert one.thing_number == "3"
    assert more.patch_thing(account, "2").thing_number == "3"
    assert more.patch_thing(account, "2", body=one).thing_number == "3"
    days: list[datetime.date] = list(more.iter_days(int(account)))
    assert len(days) == 137 and days[0] == datetime.date(2023, 7, 22)
    assert list(inspect.signature(more.iter_days).parameters) == ["page", "start", "max_pages", "max_items"]
    try:
        things.import_("")
    except errors.ArgumentError as error:
        print(error)
    print(json.dumps([seen.target for seen in sandbox.requests]))
    with BridgeClient(sandbox.url) as stranger:
        try:
            stranger.things.get_things(account)
        except errors.StatusError as error:
            print(error.status_code, error.path)


async def listed(url: str) -> list[models.Thing]:
    async with AsyncBridgeClient(url, auth=HeaderAuth("sandbox-key", name="X-Key")) as bridge:
        assert await bridge.more_things.patch_thing("1000000001", "2") == models.Thing(thing_number="3")
        return [thing async for thing in bridge.things.iter_things("1000000001")]


class Failing(http.server.BaseHTTPRequestHandler):
    seen: list[object] = []

    def do_POST(self) -> None:
        self.seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_error(503)

    def log_message(self, *_: object) -> None: ...


with Sandbox(credentials=key) as sandbox, http.server.HTTPServer(("127.0.0.1", 0), Failing) as failing:
    print(len(asyncio.run(listed(sandbox.url))))
    threading.Thread(target=failing.serve_forever, daemon=True).start()
    with BridgeClient(f"http://127.0.0.1:{failing.server_port}") as bridge:
        nested = models.Thing(thing_number="1", example=models.ThingList(things=[models.Thing(due=datetime.date.max)]))
        try:
            bridge.things.add_thing("7", body=nested)
        except errors.StatusError as error:
            print(error.status_code, json.dumps(Failing.seen))
    failing.shutdown()
"""


def test_a_new_operation_needs_no_hand_written_line(tree: Path, grown: Path, tmp_path: Path) -> None:
    assert main([str(grown)], tree) == 0
    paths = os.pathsep.join([str(tree), str(ROOT / "overrides")])
    script = tmp_path / "caller.py"
    script.write_text(CALLER)
    environment = os.environ | {"PYTHONPATH": paths}
    result = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    message, targets, rejected, count, failed = result.stdout.splitlines()
    assert message.startswith("from_ must not be empty")
    account = "1000000001"
    assert json.loads(targets) == [
        *(f"/things/{account}?kind=a{page}" for page in ("", "&page=2", "&page=3")),
        f"/things/{account}",
        f"/import/{account}.json?since=2026-11-22&labels=a&labels=b",
        *[f"/things/{account}-2"] * 2,
        *(f"/days/{account}{page}" for page in ("", "?cursor=2", "?cursor=3")),
    ]
    # Both clients have the operations; a 401 raises its own type; a request that is not idempotent is sent only once.
    assert (rejected, count) == (f"401 /things/{account}", "137")
    assert failed == '503 [{"thing_number": "1", "example": {"things": [{"due": "9999-12-31"}]}}]'


TYPED = """
import datetime
from talkdesk_bridge_api import api, models

def use(bridge: api.Operations) -> list[models.Thing]:
    bridge.things.import_("1", since=datetime.date.max, labels=["a"])
    bridge.things.import_(5)
    bridge.more_things.patch_thing("1")
    bridge.nothing
    return list(bridge.things.iter_things("1", kind="a"))

async def await_it(bridge: api.AsyncOperations) -> models.Thing:
    return await bridge.more_things.patch_thing("1", "2", body=models.Thing(thing_number="1"))
"""


def test_a_type_checker_knows_new_operations(tree: Path, grown: Path, tmp_path: Path) -> None:
    """tests/typing_api.py checks that BridgeClient has such operations; this checks only the generated package."""
    generate(load(grown), tmp_path / PACKAGE)
    (tmp_path / "typed.py").write_text(TYPED)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "--cache-dir", os.devnull]
    checked = subprocess.run([*command, "typed.py", PACKAGE], cwd=tmp_path, capture_output=True, text=True, check=False)
    wrong = [line.split(":")[:2] for line in checked.stdout.splitlines() if "error:" in line]
    assert wrong == [["typed.py", "7"], ["typed.py", "8"], ["typed.py", "9"]], checked.stdout


def test_a_removed_operation_leaves_no_file_behind(tree: Path, grown: Path) -> None:
    before = content(tree)
    assert main([str(grown)], tree) == 0
    assert [file for file in content(tree) if "thing" in file]
    assert main([str(CONTRACT)], tree) == 0
    assert content(tree) == before


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    assert not list((tmp_path / "generated").glob(".*"))

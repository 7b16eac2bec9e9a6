"""Arguments of every type, style and place reach the bridge as the contract says, and any name can be used."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from email import message_from_bytes
from enum import IntEnum, StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, errors
from talkdesk_bridge_api.sending import Parameter, RequestMaker
from talkdesk_bridge_api.types import Body, Operation, read_nothing

from tests.conftest import PATH, ROOT, Server, alone, merged
from tests.packages import made
from tools.contract import load
from tools.contract.names import class_name, names, python_name


class Level(IntEnum):
    LOW = 1


class Colour(StrEnum):
    RED = "red"


NIGHT = datetime(2026, 11, 30, 23, tzinfo=UTC)
TEXTS: list[tuple[Any, str]] = [
    ("a b/c", "a b/c"), (1, "1"), (1.5, "1.5"), (True, "true"), (date(2026, 11, 30), "2026-11-30"),
    (NIGHT, "2026-11-30T23:00:00+00:00"), (UUID(int=1), f"{UUID(int=1)}"), (Level.LOW, "1"), (Colour.RED, "red"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=repr)
@pytest.mark.parametrize("place", ["query", "header", "cookie"])
def test_every_type_is_sent_as_text(place: str, value: Any, text: str) -> None:
    request = RequestMaker("GET", "/x", (Parameter("k", place, "K"),))(k=value)
    assert {**dict(request["params"]), **request["headers"]} == (
        {"Cookie": f"K={text}"} if place == "cookie" else {"K": text}
    )


@pytest.mark.parametrize(
    ("separator", "value", "pairs"),
    [
        ("", [1, True], [("k", "1"), ("k", "true")]),
        (",", [1, True], [("k", "1,true")]),
        ("|", ["a", "b,c"], [("k", "a|b,c")]),
        (",", [], []),
        ("", None, []),
        ("", {"a": 1, "b": ["c", "d"]}, [("a", "1"), ("b", "c"), ("b", "d")]),
    ],
)
def test_items_are_joined_or_sent_by_themselves(separator: str, value: Any, pairs: list[tuple[str, str]]) -> None:
    assert Parameter("k", "query", "k", separator).pairs(value) == pairs


@pytest.mark.parametrize("value", [["a,b"], [["a"]], [None], [{}], b"a"])
def test_what_has_no_form_as_text_is_not_sent(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Parameter("k", "query", "k", ",").pairs(value)


@pytest.mark.parametrize("kind", [list, tuple])
def test_items_are_sent_as_they_are_by_themselves(kind: type) -> None:
    request = RequestMaker("GET", "/x", (Parameter("k", "query", "K"),))(k=kind(value for value, _ in TEXTS))
    assert request["params"] == [("K", text) for _, text in TEXTS]


@pytest.mark.parametrize("value", ["a; admin=1", ["a", ";"]], ids=repr)
def test_a_cookie_adds_no_other_one(value: Any) -> None:
    with pytest.raises(ValueError, match="a cookie contains ';'"):
        RequestMaker("GET", "/x", (Parameter("k", "cookie", "K"),))(k=value)


def test_a_path_is_quoted() -> None:
    maker = RequestMaker("GET", "/x/{when}/{ids}", (Parameter("when", "path", "w"), Parameter("ids", "path", "i", ",")))
    assert maker(when=NIGHT, ids=[1, 2])["url"] == "/x/2026-11-30T23%3A00%3A00%2B00%3A00/1%2C2"


def sent_to(
    server: Server, maker: RequestMaker, path: str = "/x", **arguments: Any
) -> tuple[str, dict[str, str], bytes]:
    """The target, headers and body that a bridge receives."""
    server.respond_with((204, {}, b""))
    operation: Operation[None] = Operation("op", maker.method, path, maker, (Body(204, 204, "nothing", read_nothing),))
    with BridgeClient(server.url) as bridge:
        bridge._caller.call(operation, arguments)
    return server.seen[-1][1:]


def test_the_parts_of_a_body_can_be_read(server: Server) -> None:
    parts = [("a", (None, b"1", "text/plain")), ("b", ("b.bin", b"\r\n--+++\r\n", "application/octet-stream"))]
    maker = RequestMaker("POST", "/x", body=("files", "multipart/form-data"))
    _, headers, content = sent_to(server, maker, body=SimpleNamespace(to_multipart=lambda: parts))
    message = message_from_bytes(f"Content-Type: {headers['Content-Type']}\n\n".encode() + content)
    assert [part.get_payload(decode=True) for part in message.walk()][1:] == [b"1", b"\r\n--+++\r\n"]


@pytest.mark.parametrize("value", [[], [""], [".."], ("..%2F",)], ids=repr)
def test_the_items_of_a_path_argument_stay_in_its_segment(server: Server, value: Any) -> None:
    maker = RequestMaker("GET", "/x/{ids}/y", (Parameter("ids", "path", "i", ","),))
    with pytest.raises(errors.ArgumentError, match=r"ids must .* a segment of the path"):
        sent_to(server, maker, "/x/{ids}/y", ids=value)
    assert not server.seen
    assert sent_to(server, maker, "/x/{ids}/y", ids=["a", "b"])[0] == "/x/a%2Cb/y"


def run(code: str, *folders: Path) -> subprocess.CompletedProcess[str]:
    paths = [*map(str, folders), str(ROOT / "overrides"), str(ROOT / "extras"), str(ROOT)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)


CALLER = """
from talkdesk_bridge import BridgeClient
from talkdesk_bridge_sandbox import Credentials, Sandbox
from tests.using import KEY, calls
with Sandbox(credentials=Credentials(api_key_header="X-Key")) as sandbox, BridgeClient(sandbox.url, auth=KEY) as bridge:
    for method, arguments in calls(bridge):
        result = method(**arguments)
        assert not hasattr(result, "pages") or list(result)
    print(len(sandbox.requests))
"""


def test_the_sandbox_reads_every_type_style_and_place(tmp_path: Path) -> None:
    done = run(CALLER, made(merged("things", "parameters"), tmp_path / "sent"))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 6


# Names


def used_names(folder: Path) -> Iterator[str]:
    """The names that the code in a folder uses, and those of the client."""
    yield from (*dir(AsyncBridgeClient), "async", "IntEnum", "StrEnum")
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for field in ("id", "arg", "attr", "name", "asname"):
                yield str(getattr(node, field, None) or "x")


def with_names(words: list[str]) -> dict[str, Any]:
    """A contract in which each word is a parameter, a field, a tag, an operation, and an object or an enumeration."""
    data = alone()
    operation, schemas = data["paths"][PATH]["get"], data["components"]["schemas"]
    when = {"type": "string", "format": "date-time"}
    for index, word in enumerate(words):
        schemas[word] = {"type": "object", "properties": {"id": {"type": "string", "format": "uuid"}, "at": when}}
        if index % 2 or word in ("IntEnum", "StrEnum"):
            schemas[word] = {"type": "string", "enum": [word, "another value"]}
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{word}"}}}
        own = {"operationId": word, "tags": [word], "security": []}
        data["paths"][f"/{word}"] = {"get": own | {"responses": {"200": {"description": "OK", "content": content}}}}
    schemas["AllTheFields"] = {"type": "object", "required": words[::2], "properties": dict.fromkeys(words, when)}
    parameters = [{"name": word, "in": "query", "schema": when} for word in words]
    data["paths"]["/all"] = {"get": {**operation, "operationId": "all_the_names", "parameters": parameters}}
    return data


def test_no_name_in_the_contract_meets_one_in_the_code(tmp_path: Path) -> None:
    """A name either works, or `make validate` says that it is taken."""
    own = {
        class_name(name).lower(): "" for name in (*alone()["components"]["schemas"], "get_account_invoices", "billing")
    }
    for word in sorted({*used_names(ROOT / "generated")}):
        if not word.startswith("_") and word.isidentifier():
            own.setdefault(class_name(python_name(word)).lower(), word)
    words = [word for word in own.values() if word]
    file = tmp_path / "contract.yaml"
    file.write_text(json.dumps(with_names(words)), encoding="utf-8")
    findings = [finding.message for finding in names(load(file))]
    taken = {message.split("`")[1] for message in findings}
    assert len(taken) < 40 < 150 < len(words)
    data = with_names([word for word in words if word not in taken])
    folder = made(data, tmp_path / "named")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "."], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    done = run("from talkdesk_bridge import BridgeClient; BridgeClient('https://b')", folder)
    assert done.returncode == 0, done.stderr

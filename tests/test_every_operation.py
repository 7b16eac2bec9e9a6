"""Every operation of the contract works against the sandbox: with both clients, as a list, and with the command."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, contract
from talkdesk_bridge_sandbox import Credentials, Sandbox

from tests.command import run
from tests.conftest import CONTRACT
from tests.using import ACCOUNT, KEY, calls
from tools.contract import load, mapping

PARSED = load(CONTRACT)
OPERATIONS = [info.operation_id for info in contract.operations()]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Sandbox(credentials=Credentials(api_key_header="X-Key")) as sandbox:
        yield sandbox.url


def names(method: Any) -> tuple[str, str]:
    return type(method.__self__).__name__.removeprefix("Async"), method.__name__


def test_every_method_works_with_both_clients(url: str) -> None:
    called = []
    with BridgeClient(url, auth=KEY, strict=True) as bridge:
        for method, arguments in calls(bridge):
            result = method(**arguments)
            assert not hasattr(result, "pages") or list(result)
            called.append(names(method))

    async def run_async() -> list[tuple[str, str]]:
        found = []
        async with AsyncBridgeClient(url, auth=KEY, strict=True) as bridge:
            for method, arguments in calls(bridge):
                result = method(**arguments)
                if hasattr(result, "pages"):
                    assert [item async for item in result]
                else:
                    await result
                found.append(names(method))
        return found

    assert asyncio.run(run_async()) == called
    assert len(called) == len(OPERATIONS) + sum(bool(info.iterator) for info in contract.operations())


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_operation_works_with_the_command(url: str, operation_id: str, tmp_path: Path) -> None:
    where = PARSED.operation_named(operation_id)
    assert where
    arguments: list[str] = []
    for _, one in PARSED.parameters(where):
        if one["in"] == "path":
            arguments.append(ACCOUNT)
        elif one.get("required"):
            arguments += [f"--{one['name'].replace('_', '-')}", str(one.get("example", "1"))]
    body = mapping(PARSED.resolve(PARSED.at((*where, "requestBody"))))
    for media in [*mapping(body.get("content")).values()][:1]:
        examples = [one["value"] for one in mapping(media.get("examples")).values()]
        sent = tmp_path / "body.json"
        sent.write_text(json.dumps(media.get("example", examples[0] if examples else {})), encoding="utf-8")
        arguments += ["--body", str(sent)]
    done = run("get", operation_id, *arguments, URL=url, API_KEY="sandbox-key", API_KEY_HEADER="X-Key")
    assert done.returncode == 0, done.stderr

"""Every operation of the contract works against the sandbox: with both clients, as a list, and with the command."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, File, contract
from talkdesk_bridge_api.base import to_json
from talkdesk_bridge_cli.get import commands
from talkdesk_bridge_sandbox import Credentials, Sandbox

from tests.command import run
from tests.using import KEY, calls


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
    assert len(called) == len(contract.operations()) + sum(bool(info.iterator) for info in contract.operations())


@pytest.mark.parametrize("info", contract.operations(), ids=lambda info: info.operation_id)
def test_every_operation_works_with_the_command(url: str, info: contract.OperationInfo, tmp_path: Path) -> None:
    with BridgeClient(url, auth=KEY) as bridge:
        method, given = next((one, given) for one, given in calls(bridge) if names(one)[1] == info.name)
    words = []
    options = {one.name: one.opts[0] for one in commands()[info.operation_id].params}
    for name, parameter in inspect.signature(method).parameters.items():
        value, option = to_json(given[name]), options.get(f"argument_{name}", "")
        if name == "body" and info.has_body:
            file = tmp_path / "body"
            file.write_bytes(value.payload.read() if isinstance(value, File) else json.dumps(value).encode())
            words += [option, str(file)]
        elif parameter.kind is not parameter.KEYWORD_ONLY or parameter.default is parameter.empty:
            texts = [
                one if isinstance(one, str) else json.dumps(one)
                for one in (value if isinstance(value, list) else [value])
            ]
            words += (
                texts
                if parameter.kind is not parameter.KEYWORD_ONLY
                else [part for text in texts for part in (option, text)]
            )
    done = run("get", info.operation_id, *words, URL=url, API_KEY="sandbox-key", API_KEY_HEADER="X-Key")
    assert done.returncode == 0, done.stderr

"""Uses a whole generated package as callers do: every operation with both clients, and the methods of every model."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from hypothesis import given
from hypothesis import strategies as st
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, HeaderAuth, contract, errors
from talkdesk_bridge._json import read_json
from talkdesk_bridge_api import models
from talkdesk_bridge_api.places import MisfitError, Place
from talkdesk_bridge_api.types import File
from talkdesk_bridge_sandbox import Credentials, Sandbox

from tests.strategies import Bodies, examples
from tools.contract import Contract, Where, mapping
from tools.generate import class_name, python_name
from tools.generate.samples import made

__all__ = ["ACCOUNT", "KEY", "calls", "use"]

ACCOUNT = "1000000001"  # the sandbox has it
KEY = HeaderAuth("sandbox-key", name="X-Key")
JUNK = read_json(
    b'[null, true, 5, 1.5, 5.0, "", "x", "5", "1.5", "2023-07-01T10:00:00", "20230701", [], [null], {}, {"x": null}]'
)


def use() -> None:
    """Call every operation with both clients; read and write every model."""
    keys = Credentials(api_key_header="X-Key")
    with Sandbox(credentials=keys) as sandbox, BridgeClient(sandbox.url, auth=KEY) as bridge:
        for method, arguments in calls(bridge):
            with suppress(errors.BridgeError):
                result = method(**arguments)
                if hasattr(result, "pages"):
                    list(result)
        asyncio.run(_awaited(sandbox.url))
    root = json.loads(files("talkdesk_bridge_api").joinpath("openapi.json").read_bytes())
    for name in root["components"]["schemas"]:
        model = getattr(models, class_name(name), None)
        if hasattr(model, "from_dict"):
            examples(10)(given(st.just(model), Bodies(root).named(name))(_go_through))()
    number = read_json(b"1.50")
    dirty = {"userMessage": number, "errorCode": number, "details": [{"message": 5}]}
    models.ErrorInfo.from_dict(dirty, place := Place())
    assert len(place.in_order(dirty)) == 3
    for name in models.__all__:
        model = getattr(models, name)
        _read_junk(model) if hasattr(model, "from_dict") else [*map(str, model)]


async def _awaited(url: str) -> None:
    async with AsyncBridgeClient(url, auth=KEY) as bridge:
        for method, arguments in calls(bridge):
            with suppress(errors.BridgeError):
                result = method(**arguments)
                if hasattr(result, "pages"):
                    [item async for item in result]
                else:
                    await result


def calls(bridge: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Every method of a client, with arguments that the sandbox accepts."""
    root = Contract(Path(), json.loads(files("talkdesk_bridge_api").joinpath("openapi.json").read_bytes()))
    for info in contract.operations():
        where = root.operation_named(info.operation_id)
        assert where
        declared = {python_name(one["name"]): one for _, one in root.parameters(where)}
        for name in filter(None, (info.name, info.iterator)):
            method = getattr(getattr(bridge, info.group), name)
            limits = {"start", "max_pages", "max_items"} if name == info.iterator else set()
            hints, arguments = get_type_hints(method), {}
            for argument, parameter in inspect.signature(method).parameters.items():
                if argument == "body" and info.has_body:
                    arguments[argument] = _body(root, where, hints[argument])
                elif argument not in limits:
                    arguments[argument] = _argument(root, declared.get(argument, {}), hints[argument], parameter)
            yield method, arguments


def _body(root: Contract, where: Where, hint: Any) -> Any:
    """The example of a body, or else a made up one."""
    content = mapping(root.resolve(root.at((*where, "requestBody"))))["content"]
    media = next(iter(content.values()))
    examples = (
        [media["example"]] if "example" in media else [one["value"] for one in media.get("examples", {}).values()]
    )
    models = [one for one in (hint, *get_args(hint)) if hasattr(one, "from_dict")]
    if examples and models:
        return models[0].from_dict(examples[0])
    if File in (hint, *get_args(hint)):
        return File(BytesIO(b"x"))
    value = made(hint)
    if isinstance(getattr(value, "scan", None), File):
        value.scan = File(BytesIO(b"x"))
    return value


def _argument(root: Contract, declared: dict[str, Any], hint: Any, parameter: inspect.Parameter) -> Any:
    """An example or a limit of a parameter, or else a made up value; in a path, an account."""
    if parameter.kind is not parameter.KEYWORD_ONLY and hint in (str, int):
        return hint(ACCOUNT)
    for one in (declared, mapping(root.resolve(declared.get("schema")))):
        for key in ("example", "default", "minimum", "maximum"):
            if key in one and type(one[key]) in (hint, *get_args(hint)):
                return one[key]
    return made(hint)


def _go_through(model: Any, body: dict[str, Any]) -> None:
    read = model.from_dict(body)
    assert repr(read)
    read.to_dict()
    if hasattr(read, "additional_keys"):
        read["other"] = 1
        assert "other" in read.additional_keys
        assert "other" in read
        assert read["other"] == 1
        del read["other"]
    model.from_dict(MappingProxyType(body))


def _read_junk(model: Any) -> None:
    for dirty in ({name: value} for name in [*model.FIELDS, "other"] for value in JUNK):
        for strict in (False, True):
            place = Place(strict=strict)
            try:
                model.from_dict(dirty, place).to_dict()
            except MisfitError as misfit:
                str(misfit)
    with suppress(MisfitError):
        model.from_dict([])

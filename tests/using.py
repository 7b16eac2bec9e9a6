"""Uses a whole generated package as callers do: every operation with both clients, and the methods of every model."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files
from io import BytesIO
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from hypothesis import given
from hypothesis import strategies as st
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, HeaderAuth, errors
from talkdesk_bridge._json import read_json
from talkdesk_bridge_api import models
from talkdesk_bridge_api.places import MisfitError, Place
from talkdesk_bridge_api.types import File
from talkdesk_bridge_sandbox import Credentials, Sandbox

from tests.strategies import Bodies, examples
from tools.generate import class_name
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
    for tag in bridge.__dict__.values():
        for name, method in inspect.getmembers(tag, inspect.ismethod):
            if type(tag).__module__.startswith("talkdesk_bridge_api") and not name.startswith("_"):
                limits = {"start", "max_pages", "max_items"} if name.startswith("iter_") else set()
                hints = get_type_hints(method)
                parameters = {
                    name: one for name, one in inspect.signature(method).parameters.items() if name not in limits
                }
                yield method, {name: _argument(hints[name], parameter) for name, parameter in parameters.items()}


def _argument(hint: Any, parameter: inspect.Parameter) -> Any:
    if File in (hint, *get_args(hint)):
        return File(BytesIO(b"x"))
    in_path = parameter.kind is not parameter.KEYWORD_ONLY
    value = hint(ACCOUNT) if in_path and hint in (str, int) else made(hint)
    if isinstance(getattr(value, "scan", None), File):
        value.scan = File(BytesIO(b"x"))
    return value


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

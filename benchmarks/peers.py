"""The peers: how each is generated from the contract, and what of it turns the bytes of a page into objects.

Everything is written afresh into a temporary folder. What each peer decodes is compared with the page before anything
is measured: peers that did other work would be no peers.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.pages import encoded, page
from benchmarks.timing import ROOT, MeasuringError, Worker, environment, failed, told

__all__ = ["OURS", "OURS_SPEED", "PEERS", "STOCK", "Peer", "agree", "generate", "runnable"]

Decode = Callable[[bytes], Any]

STOCK, OURS, OURS_SPEED = "openapi-python-client", "talkdesk-bridge", "talkdesk-bridge[speed]"


@dataclass(frozen=True)
class Peer:
    """Something that decodes pages."""

    load: Callable[[], tuple[Decode, Callable[[Any], Any]]]
    """Gives what decodes a body, and what turns the result back into JSON; the generated modules can be imported."""
    gives: str
    """What the objects are, for the table."""
    typed: bool = True
    """Whether `with the extra less than every typed peer` is about it."""
    command: tuple[str, ...] = ()
    """What generates it; `{contract}` and `{folder}` stand for the two paths."""
    needs: str = ""
    """A program that the command needs."""
    without: tuple[str, ...] = ()
    """Modules that it must not find."""


def _stock() -> tuple[Decode, Callable[[Any], Any]]:
    kind = import_module("stock.models").InvoiceDetailsResponse
    return lambda content: kind.from_dict(json.loads(content)), lambda result: result.to_dict()


def _openapi_generator() -> tuple[Decode, Callable[[Any], Any]]:
    kind = import_module("openapi_client").InvoiceDetailsResponse
    return lambda content: kind.from_json(content.decode()), lambda result: json.loads(result.to_json())


def _pydantic(*, json_by: str) -> tuple[Decode, Callable[[Any], Any]]:
    kind = import_module("with_pydantic").InvoiceDetailsResponse
    dump: Callable[[Any], Any] = lambda result: result.model_dump(mode="json", by_alias=True, exclude_unset=True)  # noqa: E731
    return (kind.model_validate_json if json_by == "pydantic" else lambda b: kind.model_validate(json.loads(b))), dump


def _msgspec() -> tuple[Decode, Callable[[Any], Any]]:
    library = import_module("msgspec")
    decoder = library.json.Decoder(import_module("with_msgspec").InvoiceDetailsResponse)
    return decoder.decode, library.to_builtins


def _dicts() -> tuple[Decode, Callable[[Any], Any]]:
    return json.loads, lambda result: result


def ours() -> tuple[Decode, Callable[[Any], Any]]:
    """The whole way of an answer's bytes through this client, with all that it checks and tells."""
    from talkdesk_bridge._answer import Answer, Reader
    from talkdesk_bridge_api.api import billing

    import_module("talkdesk_bridge._client")  # gives the log, in which deviations stand, its handler
    reader, operation = Reader(strict=False, on_deviation=None), billing._GET_ACCOUNT_INVOICES

    def decode(content: bytes) -> Any:
        answer = Answer(request="GET /", url="http://127.0.0.1/", status_code=200, headers={}, content=content)
        return reader.read(operation, answer, credential=False).body

    return decode, lambda result: result.to_dict()


_CODEGEN = ("datamodel-codegen", "--input", "{contract}", "--disable-timestamp", "--formatters", "builtin")

PEERS: dict[str, Peer] = {
    STOCK: Peer(
        _stock, "attrs classes, dates, unknown fields",
        command=("openapi-python-client", "generate", "--meta", "none", "--path", "{contract}",
                 "--output-path", "{folder}/stock"),
    ),
    "openapi-generator": Peer(
        _openapi_generator, "pydantic models, dates",
        command=("openapi-generator-cli", "generate", "-g", "python", "-i", "{contract}", "-o", "{folder}"),
        needs="java",
    ),
    "pydantic, json.loads": Peer(lambda: _pydantic(json_by="json"), "pydantic models, dates"),
    "pydantic, model_validate_json": Peer(
        lambda: _pydantic(json_by="pydantic"), "pydantic models, dates",
        command=(*_CODEGEN, "--output-model-type", "pydantic_v2.BaseModel", "--output", "{folder}/with_pydantic.py"),
    ),
    "msgspec": Peer(
        _msgspec, "msgspec structs; dates stay text", typed=False,
        command=(*_CODEGEN, "--output-model-type", "msgspec.Struct", "--output", "{folder}/with_msgspec.py"),
    ),
    "json.loads": Peer(_dicts, "dicts", typed=False),
    OURS: Peer(
        ours, "attrs classes, dates, unknown fields, deviations told", without=("msgspec",),
    ),
    OURS_SPEED: Peer(ours, "attrs classes, dates, unknown fields, deviations told"),
}  # fmt: skip


def generate(folder: Path) -> dict[str, str]:
    """Write every peer into a folder; why those that cannot be had are left out, by name.

    Raises:
        MeasuringError: a generator failed.

    """
    left_out = {}
    # openapi-generator takes no contract whose path has a blank, as that of a clone may have.
    contract = shutil.copy(ROOT / "openapi.yaml", folder)
    for name, peer in PEERS.items():
        if peer.needs and not shutil.which(peer.needs):
            left_out[name] = f"{peer.needs} is not installed"
        elif peer.command:
            told(f"  {peer.command[0]}: {name}")
            command = [part.format(contract=contract, folder=folder) for part in peer.command]
            result = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
            if result.returncode:
                raise failed(command[0], result.stdout + result.stderr)
    return left_out


def started(factory: str, name: str, folder: Path, *arguments: str) -> Worker:
    """A worker whose factory gets a peer's name, the folder, and the arguments."""
    return Worker(factory, name, str(folder), *arguments, without=PEERS[name].without)


def load(name: str, folder: str) -> tuple[Decode, Callable[[Any], Any]]:
    """In a worker: what decodes a page, and what turns the result back into JSON."""
    sys.path.insert(0, folder)
    return PEERS[name].load()


def seeing(name: str, folder: str) -> Callable[[str], Any]:
    """In a worker: gives what comes of a page's file, as JSON again, and whether it was read with msgspec."""
    decode, back = load(name, folder)
    return lambda file: [back(decode(Path(file).read_bytes())), sys.modules.get("msgspec") is not None]


def agree(name: str, folder: Path) -> None:
    """See that a peer can be compared.

    Raises:
        MeasuringError: what it decodes is not what the page holds, or it is not read with the parser that it names.

    """
    body = page(50)
    file = folder / "seen.json"
    file.write_bytes(encoded(body))
    with started("benchmarks.peers:seeing", name, folder) as worker:
        seen, with_msgspec = worker(str(file))
    if seen != body:
        raise MeasuringError(f"{name} decodes other data than the page holds: the comparison would be false.")
    if name in (OURS, OURS_SPEED) and with_msgspec != (name == OURS_SPEED):
        raise MeasuringError(f"{name} reads with the wrong parser: the comparison would be false.")


def runnable(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The peers that can be measured, and why the others cannot."""
    left_out = generate(folder)
    names = [name for name in PEERS if name not in left_out]
    for name in names:
        agree(name, folder)
    return names, left_out


def versions() -> dict[str, str]:
    """The versions of what is measured, as this environment pins them."""
    pins = (ROOT / "requirements" / "bench.txt").read_text(encoding="utf-8")
    names = "openapi-python-client|openapi-generator-cli|datamodel-code-generator|pydantic|msgspec|attrs|httpx"
    names += "|httpx-aiohttp|aiohttp|granian"
    return dict(re.findall(rf"^({names})==(\S+)", pins, re.M))

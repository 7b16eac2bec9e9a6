"""The JSON parser: keeps every digit of a number, whichever parser is installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from talkdesk_bridge_api.reading import Number


def read_json(content: bytes) -> Any:
    """The value of a JSON text. If a key is repeated in an object, the last value wins.

    Raises:
        ValueError: it is not JSON, or holds NaN or Infinity.
        RecursionError: it is nested too deep.

    """
    return _parser()(content)


@cache
def _parser() -> Callable[[bytes], Any]:
    """The parser of the extra `speed`, if it is installed; chosen at first use, to keep the import quick."""
    try:
        from msgspec import MsgspecError
        from msgspec.json import Decoder as Parser
    except ImportError:
        return _standard
    parse = Parser(float_hook=Number).decode

    def read(content: bytes) -> Any:
        try:
            return parse(content)
        except (MsgspecError, ValueError, RecursionError):
            # msgspec rejects some texts that Python accepts, such as UTF-16. The result must not depend on the parser.
            return _standard(content)

    return read


def _standard(content: bytes) -> Any:
    return json.loads(content, parse_float=Number, parse_constant=_reject)


def _reject(name: str) -> None:
    raise ValueError(f"{name} is not JSON")

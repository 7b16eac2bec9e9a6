"""A client for Talkdesk's Financial Services Experience Cloud for Insurance - Integrations Bridge."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talkdesk_bridge import errors, models
    from talkdesk_bridge._answer import Deviation, Response
    from talkdesk_bridge._auth import (
        Auth,
        BasicAuth,
        BearerAuth,
        HeaderAuth,
        NoAuth,
        OAuth2ClientCredentials,
        OAuth2PrivateKeyJWT,
    )
    from talkdesk_bridge._client import AsyncBridgeClient, BridgeClient
    from talkdesk_bridge._money import Money
    from talkdesk_bridge._retry import Attempt, Retry

    __version__: str

__all__ = [
    "AsyncBridgeClient",
    "Attempt",
    "Auth",
    "BasicAuth",
    "BearerAuth",
    "BridgeClient",
    "Deviation",
    "HeaderAuth",
    "Money",
    "NoAuth",
    "OAuth2ClientCredentials",
    "OAuth2PrivateKeyJWT",
    "Response",
    "Retry",
    "errors",
    "models",
]


# The command and the pytest plugin live in this package, too, and must not wait for an HTTP library that they may not
# need: each name is looked up when it is first asked for, in the modules that are quickest to import before the others.
def __getattr__(name: str) -> Any:
    if name in ("errors", "models"):
        return import_module(f"{__name__}.{name}")
    if name == "__version__":
        return import_module("talkdesk_bridge_api").VERSION
    if name in __all__:
        modules = (import_module(f"{__name__}.{each}") for each in ("_money", "_retry", "_auth", "_answer", "_client"))
        value = globals()[name] = next(getattr(module, name) for module in modules if hasattr(module, name))
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})

"""A client for Talkdesk's Financial Services Experience Cloud for Insurance - Integrations Bridge."""

from talkdesk_bridge_api.types import VERSION

from talkdesk_bridge import errors, models
from talkdesk_bridge._auth import Auth, BasicAuth, BearerAuth, HeaderAuth, NoAuth, OAuth2ClientCredentials
from talkdesk_bridge._client import AsyncBridgeClient, BridgeClient

__all__ = [
    "AsyncBridgeClient",
    "Auth",
    "BasicAuth",
    "BearerAuth",
    "BridgeClient",
    "HeaderAuth",
    "NoAuth",
    "OAuth2ClientCredentials",
    "errors",
    "models",
]

__version__ = VERSION

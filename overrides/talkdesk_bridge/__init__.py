"""A client for Talkdesk's Financial Services Experience Cloud for Insurance - Integrations Bridge."""

from talkdesk_bridge_api.types import VERSION

from talkdesk_bridge import errors, models
from talkdesk_bridge._answer import Deviation, Response
from talkdesk_bridge._auth import Auth, BasicAuth, BearerAuth, HeaderAuth, NoAuth, OAuth2ClientCredentials
from talkdesk_bridge._client import AsyncBridgeClient, BridgeClient
from talkdesk_bridge._money import Money
from talkdesk_bridge._retry import Attempt, Retry

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
    "Response",
    "Retry",
    "errors",
    "models",
]

__version__ = VERSION

"""A client for Talkdesk's Financial Services Experience Cloud for Insurance - Integrations Bridge.

Examples:
    >>> with BridgeClient.from_env() as bridge:
    ...     print(bridge.billing.get_account_invoices("1000000001").total)
    ...     for invoice in bridge.billing.iter_account_invoices("1000000001", per_page=100, max_items=2):
    ...         print(invoice.invoice_number, Money.parse(invoice.due_amount))
    ...     for account, invoices in bridge.each(bridge.billing.iter_account_invoices, ["1000000003"]):
    ...         print(account, len(invoices))
    137
    1000000001 2700.00 USD
    1000000002 0.00 USD
    1000000003 1

"""

from talkdesk_bridge_api import VERSION
from talkdesk_bridge_api.places import Place
from talkdesk_bridge_api.reading import Number
from talkdesk_bridge_api.types import File

from talkdesk_bridge import contract, errors, models
from talkdesk_bridge._auth import Auth, BasicAuth, BearerAuth, HeaderAuth, NoAuth
from talkdesk_bridge._client import AsyncBridgeClient, BridgeClient
from talkdesk_bridge._environment import VARIABLES
from talkdesk_bridge._money import Money, Totals
from talkdesk_bridge._oauth import OAuth2ClientCredentials, OAuth2PrivateKeyJWT
from talkdesk_bridge._response import Response
from talkdesk_bridge._retry import Attempt, Retry
from talkdesk_bridge._settings import Deviation

__all__ = [
    "VARIABLES",
    "AsyncBridgeClient",
    "Attempt",
    "Auth",
    "BasicAuth",
    "BearerAuth",
    "BridgeClient",
    "Deviation",
    "File",
    "HeaderAuth",
    "Money",
    "NoAuth",
    "Number",
    "OAuth2ClientCredentials",
    "OAuth2PrivateKeyJWT",
    "Place",
    "Response",
    "Retry",
    "Totals",
    "contract",
    "errors",
    "models",
]

__version__ = VERSION

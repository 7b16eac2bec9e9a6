"""A bridge to try things on: serves the contract's operations on loopback, with made-up accounts and real credentials.

It needs the extra `sandbox`.
"""

from talkdesk_bridge.sandbox._app import Credentials
from talkdesk_bridge.sandbox._data import ACCOUNTS, Account
from talkdesk_bridge.sandbox._server import Sandbox

__all__ = ["ACCOUNTS", "Account", "Credentials", "Sandbox"]

"""A bridge to develop against: serves the contract on loopback, with made-up accounts, and checks credentials.

It needs the extra `sandbox`.
"""

try:
    from talkdesk_bridge_sandbox._app import Seen
    from talkdesk_bridge_sandbox._credentials import Credentials
    from talkdesk_bridge_sandbox._data import ACCOUNTS, Account
    from talkdesk_bridge_sandbox._faults import FAULTS, Fault
    from talkdesk_bridge_sandbox._reply import Reply
    from talkdesk_bridge_sandbox._server import Sandbox, accounts_table, faults_table
except ModuleNotFoundError as error:
    problem = "talkdesk_bridge_sandbox needs more packages: install talkdesk-bridge[sandbox] from your package index"
    raise ModuleNotFoundError(problem, name=error.name) from None

__all__ = [
    "ACCOUNTS", "FAULTS", "Account", "Credentials", "Fault", "Reply", "Sandbox", "Seen", "accounts_table",
    "faults_table",
]  # fmt: skip

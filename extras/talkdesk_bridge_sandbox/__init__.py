"""A bridge to try things on: serves the contract's operations on loopback, with made-up accounts and real credentials.

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
    how = "install talkdesk-bridge[sandbox], the way the package was installed (README.md tells it)"
    raise ModuleNotFoundError(f"talkdesk_bridge_sandbox needs more packages: {how}", name=error.name) from None

__all__ = [
    "ACCOUNTS", "FAULTS", "Account", "Credentials", "Fault", "Reply", "Sandbox", "Seen", "accounts_table",
    "faults_table",
]  # fmt: skip

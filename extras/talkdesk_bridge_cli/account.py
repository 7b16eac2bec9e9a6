"""The list of an account's invoices, which `invoices` and `doctor` need; a client of another contract may lack it."""

from __future__ import annotations

import inspect
from typing import Any

from attrs import frozen
from talkdesk_bridge import contract
from talkdesk_bridge.contract import OperationInfo

from talkdesk_bridge_cli.exit import CommandError

OPERATION = "get_account_invoices"
"""The name of its method."""


@frozen
class AccountInvoices:
    """The list of an account's invoices, as the installed client has it."""

    name: str
    """The name of the account argument; each printed invoice starts with a field of this name."""
    info: OperationInfo
    shape: contract.ListShape

    def items(self, client: Any, account: str, *, per_page: int | None = None, **limits: Any) -> Any:
        """The iterator over an account's invoices, of either client.

        Raises:
            CommandError: `per_page` is given, but the contract has no such parameter.

        """
        if per_page is not None and not self.shape.size:
            raise CommandError("--per-page: the contract has no parameter for the number of items on a page.", 2)
        size = {} if per_page is None else {str(self.shape.size): per_page}
        return getattr(getattr(client, self.info.group), str(self.info.iterator))(account, **size, **limits)

    def rows(self, account: str, invoices: list[Any] | None) -> list[dict[str, Any]]:
        """Invoices with their account; a field of this name that the bridge sends takes precedence."""
        return [{self.name: account, **invoice} for invoice in invoices or []]


def required_arguments(info: OperationInfo) -> list[str]:
    """The arguments that a call of an operation must give."""
    parameters = [*inspect.signature(info.function).parameters.values()][1:]  # without `self`
    return [one.name for one in parameters if one.default is one.empty]


def account_invoices(*attributes: str) -> AccountInvoices:
    """The list of an account's invoices, whose model must have these attributes.

    Raises:
        CommandError: the installed client does not have it.

    """
    info = next((one for one in contract.operations() if one.name == OPERATION), None)
    needs = f"this command needs the operation {OPERATION}, and the installed client"
    other = "'talkdesk-bridge get --help' lists the operations that it has"
    if info is None:
        raise CommandError(f"{needs} does not have it: {other}.", 8)
    begin = info.shape.begin if info.shape else None
    required = [name for name in required_arguments(info) if name != begin]
    fields = getattr(info.item, "FIELDS", None)
    if info.shape is None or fields is None or len(required) != 1:
        raise CommandError(f"{needs} has it, but not as a list of the invoices of one account: {other}.", 8)
    if missing := [name for name in attributes if name not in fields.values()]:
        lacking = f"the table needs fields that {info.item.__name__} lacks ({', '.join(missing)})"
        raise CommandError(f"{lacking}: use --format json, jsonl or csv.", 8)
    return AccountInvoices(required[0], info, info.shape)

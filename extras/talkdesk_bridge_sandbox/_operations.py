"""The operations of the contract, and how the sandbox answers each: from its examples, or with a refusal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Literal

from attrs import evolve
from starlette.requests import Request

from talkdesk_bridge_sandbox._contract import METHODS, Document, lists_of
from talkdesk_bridge_sandbox._data import ACCOUNTS, Account, items_of
from talkdesk_bridge_sandbox._reply import Refusal, Reply
from talkdesk_bridge_sandbox._requests import Parameters

__all__ = ["Operation", "Paging", "operations_of"]

Paging = Literal["links", "pages", "all"]
"""How a list comes: pages with next links, pages that only a number leads to, or all at once."""

PER_PAGE = 50
"""Items, as in Talkdesk's own APIs."""


def operations_of(contract: dict[str, Any]) -> list[Operation]:
    """The operations of the contract; of two paths that fit a request, the one that says more comes first."""
    return sorted(
        (
            Operation(contract, path, method, operation)
            for path, item in contract["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        ),
        key=lambda operation: [
            ("{" in segment, -len(re.sub("{.*?}", "", segment))) for segment in operation.path.split("/")
        ],
    )


class Operation:
    """One operation of the contract, and how to answer it."""

    def __init__(self, contract: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> None:
        self.path, self.method = path, method.upper()
        self.security: list[dict[str, Any]] = operation.get("security", contract.get("security", []))
        """The security requirements, any of which is enough; none where the operation is open."""
        self.parameters = Parameters(document := Document(contract), path, operation)
        self._document = document
        self._responses: dict[str, Any] = operation["responses"]
        self._success = min(status for status in self._responses if status.startswith("2"))

    def answer(self, request: Request, sent: bytes, account: Account | None, paging: Paging) -> Reply:
        """A page of the account's items where the body is a list, else the example.

        Raises:
            Refusal: the request does not fit, or there is no account, and no example of the contract was asked for.

        """
        arguments = self.parameters.read(request, sent)
        asked = self.parameters.asked(request)
        if asked is None:
            account = next(iter(ACCOUNTS.values()))
        elif account is None and not self.parameters.knows(asked):
            raise Refusal(404, "no such account")
        example, _ = self._example(self._success)
        bodies: Iterable[Any] = [example]
        if len(lists := lists_of(example)) == 1:
            ((name, examples),) = lists.items()
            listed = items_of(account, examples)
            bodies = (self._page(request, arguments, example, name, items, paging) for items in listed)
        problem = None
        for body in bodies:
            reply = self._reply(int(self._success.replace("XX", "00")), self._success, body)
            if not (problem := self._problem(reply, self._success)):
                return reply
        return Reply(500, json={"sandbox": f"its own answer breaks the contract: {problem}"})

    def _page(
        self, request: Request, arguments: dict[tuple[str, str], Any], example: Any, name: str, items: list[Any],
        paging: Paging,
    ) -> Any:  # fmt: skip
        parameters = self.parameters
        page = parameters.number(arguments, parameters.page, 1)
        paged = paging == "links" or (paging == "pages" and parameters.counted)
        per_page = parameters.number(arguments, "per_page", PER_PAGE) if paged else max(1, len(items))
        shown = items[(page - 1) * per_page : page * per_page]
        # Conventions of Talkdesk's own APIs; told where the example has them.
        counts = {"total": len(items), "count": len(shown), "page": page, "per_page": per_page}
        body = {**example, "_embedded": {**example["_embedded"], name: shown}}
        body |= {key: count for key, count in counts.items() if key in example}
        body.pop("_links", None)
        if paging == "links":
            body["_links"] = {"self": {"href": str(request.url)}}
            if page * per_page < len(items):
                following = request.url.include_query_params(**{parameters.page: page + 1})
                body["_links"]["next"] = {"href": str(following)}
        return body

    def refusal(self, refusal: Refusal) -> Reply:
        """The contract's example of a refusal with this status, or else what its schema can hold of it."""
        keys = (str(refusal.status), f"{refusal.status // 100}XX", "default")
        more = {"WWW-Authenticate": 'Bearer realm="sandbox"'} if refusal.status == 401 else {}
        declared = next((key for key in keys if key in self._responses), None)
        if declared is None:
            return Reply(refusal.status, headers=more)
        example, _ = self._example(declared, refusal.status)
        told = self._reply(refusal.status, declared, self._refused(refusal, declared))
        # What cannot say the reason in a form that fits says what the contract has.
        reply = self._reply(refusal.status, declared, example) if self._problem(told, declared) else told
        return evolve(reply, headers={**reply.headers, **more})

    def _refused(self, refusal: Refusal, declared: str) -> Any:
        reason = {"status": refusal.status, "developerMessage": f"sandbox: {refusal}"}
        body, fits = self._example(declared, refusal.status)
        if not isinstance(body, dict):
            return body
        if not fits:
            phrase = HTTPStatus(refusal.status).phrase
            reason |= {"userMessage": phrase, "errorCode": phrase.upper().replace(" ", "_")}
            _, media = self._document.media(self._responses[declared])
            fields = self._document.resolve(media.get("schema", {})).get("properties", {})
            return {name: value for name, value in reason.items() if name in fields} or body
        body = {**body, **{name: value for name, value in reason.items() if name in body}}
        if refusal.name and "details" in body:
            named = {"parameterName": refusal.name, "parameterLocation": refusal.place}
            body["details"] = [{"message": str(refusal), "properties": named}]
        return body

    def _problem(self, reply: Reply, declared: str) -> str | None:
        """How an answer breaks the contract; None where it does not."""
        schema = self._document.media(self._responses[declared])[1].get("schema")
        body = reply.json if reply.content in (None, "null") else reply.content
        return None if schema is None else self._document.problem(schema, body)

    def _reply(self, status: int, declared: str, body: Any) -> Reply:
        """A body in the media type that the contract declares for it."""
        media, _ = self._document.media(self._responses[declared])
        headers = {"Content-Type": media} if media else {}
        if body is None and media:
            return Reply(status, content="null", headers=headers)
        if isinstance(body, str) and not re.search(r"[/+]json\b", media):
            return Reply(status, content=body, headers=headers)
        return Reply(status, json=body, headers=headers)

    def _example(self, response: str, status: int | None = None) -> tuple[Any, bool]:
        """An example of a response, and whether it is one of `status`."""
        _, media = self._document.media(self._responses[response])
        values = self._document.examples(media)
        fitting = [value for value in values if isinstance(value, dict) and value.get("status") == status]
        return next(iter([*fitting, *values]), None), bool(fitting)

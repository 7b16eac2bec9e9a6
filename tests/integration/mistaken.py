"""The bridge of examples/bridge with one mistake, which the variable MISTAKE names."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from examples.bridge.bridge import API_KEY, API_KEY_HEADER, app


class Mistaken:
    """An ASGI application that changes the requests to the bridge, or its responses."""

    def __init__(self, mistake: str) -> None:
        self.mistake = mistake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        if self.mistake == "no credential asked for":
            scope["headers"] = [(API_KEY_HEADER.lower().encode(), API_KEY.encode()), *scope["headers"]]
        if self.mistake == "per_page ignored":
            scope["query_string"] = re.sub(rb"(^|&)per_page=[1-9][0-9]*(?=&|$)", b"", scope["query_string"]).strip(b"&")
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await app(scope, receive, keep)
        start, *rest = messages
        body = json.loads(b"".join(message["body"] for message in rest))
        status, body = self.change(scope, start["status"], body)
        content = json.dumps(body).encode()
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await send({**start, "status": status, "headers": [*headers, (b"content-length", str(len(content)).encode())]})
        await send({"type": "http.response.body", "body": content})

    def change(self, scope: Scope, status: int, body: Any) -> tuple[int, Any]:
        """The status and the body with the mistake."""
        if status == 404 and self.mistake == "200 for an unknown account":
            return 200, {"_embedded": {"invoices": []}, "total": 0}
        if status >= 400 and self.mistake == "wrong error body":
            return status, {"detail": body["userMessage"]}
        if status >= 400 and self.mistake == "credential in the error body":
            return status, {"received": [value.decode() for _, value in scope["headers"]]}
        if status == 200 and "_embedded" in body:
            self.change_page(scope, body)
        return status, body

    def change_page(self, scope: Scope, body: Any) -> None:
        invoices, links = body["_embedded"]["invoices"], body.get("_links")
        match self.mistake:
            case "amount as a number":
                for invoice in invoices:
                    invoice["amount"] = float(invoice["amount"].split()[0])
            case "date-time for a date":
                for invoice in invoices:
                    invoice["invoice_due_date"] += "T00:00:00Z"
            case "null list":
                body["_embedded"]["invoices"] = invoices or None
            case "total missing":
                del body["total"]
            case "total of the page":
                body["total"] = len(invoices)
            case "inner host in the link" if links:
                links["next"]["href"] = re.sub("//[^/]+", "//bridge.internal:8080", links["next"]["href"])
            case "link on the last page" if not links:
                target = f"{scope['raw_path'].decode()}?page=99&{scope['query_string'].decode()}"
                body["_links"] = {"next": {"href": target}}
            case "invoice twice" if len(invoices) > 1:
                invoices[-1] = invoices[0]


mistaken = Mistaken(os.environ["MISTAKE"])

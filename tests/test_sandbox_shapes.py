"""The sandbox with contracts of other shapes: whatever `make validate` accepts is served, and read as it is declared."""

from __future__ import annotations

import gc
import json
import socket
import time
import warnings
from typing import Any
from urllib.parse import urlsplit

import pytest
from talkdesk_bridge_sandbox import Sandbox, _faults

from tests.test_sandbox import ask

ACCOUNT = {"name": "account", "in": "path", "required": True, "schema": {"type": "string"}}
THINGS = {"_embedded": {"things": [{"n": "00000001"}, {"n": "00000002"}]}, "total": 2}


def query(schema: dict[str, Any], name: str = "value", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, **more}


def answer(example: Any, schema: dict[str, Any] | None = None, media: str = "application/json") -> dict[str, Any]:
    return {"description": "OK", "content": {media: {"schema": schema or {}, "example": example}}}


def contract(
    *parameters: dict[str, Any],
    example: Any = THINGS,
    path: str = "/t/{account}",
    method: str = "get",
    **operation: Any,
) -> dict[str, Any]:
    """A contract with one open operation."""
    declared = {
        "operationId": "x",
        "security": [],
        "parameters": [ACCOUNT, *parameters],
        "responses": {"200": answer(example)},
    }
    schemas = {"Count": {"type": "integer", "minimum": 1}, "Colour": {"enum": ["red", "blue"]}}
    return {"info": {"title": "t"}, "paths": {path: {method: declared | operation}}, "components": {"schemas": schemas}}


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"allOf": [{"$ref": "#/components/schemas/Count"}], "default": 1}, "2", "0"),
        ({"anyOf": [{"$ref": "#/components/schemas/Count"}, {"type": "null"}]}, "2", "x"),
        ({"type": ["integer", "null"]}, "2", "1.5"),
        ({"type": "number"}, "-1.5e3", "NaN"),
        ({"type": "boolean"}, "true", "yes"),
        ({"type": "string", "pattern": "^[0-9]{3}$"}, "007", "7"),
        ({"$ref": "#/components/schemas/Colour"}, "red", "green"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Count"}}, "1&value=2", "1&value=x"),
        ({"type": ["array", "null"], "items": {"type": "string"}}, "a", None),
        ({"type": "string", "format": "date"}, "2026-11-22", "2026-02-30"),
    ],
)
def test_a_parameter_is_read_as_its_schema_has_it(schema: dict[str, Any], good: str, bad: str | None) -> None:
    with Sandbox(contract=contract(query(schema, required=True))) as sandbox:
        assert ask(sandbox, f"/t/1000000003?value={good}")[0] == 200
        assert ask(sandbox, "/t/1000000003")[0] == 400
        if bad is not None:
            assert ask(sandbox, f"/t/1000000003?value={bad}")[0] == 400


def test_an_object_comes_as_its_properties() -> None:
    shape = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
    with Sandbox(contract=contract(query(shape))) as sandbox:
        statuses = [
            ask(sandbox, f"/t/1000000003?{sent}")[0] for sent in ("a=x&b=3", "a=x", "b=3", "a=x&b=y", "a=x&c=1")
        ]
    assert statuses == [200, 200, 400, 400, 400]


@pytest.mark.parametrize(
    ("media", "schema", "good", "bad"),
    [
        ("application/vnd.x+json", {"type": "array"}, "[1]", "{"),
        (
            "application/x-www-form-urlencoded",
            {"required": ["n"], "properties": {"n": {"type": "integer"}}},
            "n=5",
            "n=x",
        ),
        ("application/octet-stream", {}, "\0anything", None),
        ("multipart/form-data", {"type": "object"}, "--b--", None),
    ],
)
def test_a_body_is_read_as_its_media_type_has_it(media: str, schema: Any, good: str, bad: str | None) -> None:
    body = {"required": True, "content": {media: {"schema": schema}}}
    with Sandbox(contract=contract(method="post", requestBody=body)) as sandbox:
        assert ask(sandbox, "/t/1000000003", "POST", good, **{"Content-Type": f"{media}; charset=utf-8"})[0] == 200
        if bad is not None:
            assert ask(sandbox, "/t/1000000003", "POST", bad, **{"Content-Type": media})[0] == 400


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("cursor", {"type": "string"}),
        ("per_page", {"type": "string"}),
        ("per_page", {"type": "number"}),
        ("page", {"type": "string"}),
    ],
)
def test_names_that_mean_pages_elsewhere(name: str, schema: dict[str, Any]) -> None:
    with Sandbox(contract=contract(query(schema, name))) as sandbox:
        target, count = f"/t/1000000001?{name}=2", 0
        while target:
            status, body = ask(sandbox, target)
            assert status == 200
            count += len(body["_embedded"]["things"])
            target = body["_links"].get("next", {}).get("href", "").removeprefix(sandbox.url)
    assert count == 137


def test_parameters_of_one_name_in_two_places_are_two() -> None:
    with Sandbox(contract=contract(query({"type": "string"}, "account"))) as sandbox:
        assert ask(sandbox, "/t/1000000003?account=nobody")[0] == 200
        assert ask(sandbox, "/t/nobody?account=1000000003")[0] == 404


def test_the_account_is_the_first_parameter_of_the_path_wherever_it_is_declared() -> None:
    other = {**ACCOUNT, "name": "thing"}
    two = contract(path="/t/{account}/things/{thing}", parameters=[other])
    two["paths"]["/t/{account}/things/{thing}"]["parameters"] = [ACCOUNT]
    with Sandbox(contract=two) as sandbox:
        assert ask(sandbox, "/t/1000000003/things/5")[0] == 200
        assert ask(sandbox, "/t/5/things/1000000003")[0] == 404


@pytest.mark.parametrize(
    ("declared", "known", "unknown"),
    [
        ({"examples": {"one": {"value": "C-1"}}}, "C-1", "C-2"),
        ({"schema": {"type": "string", "examples": ["C-1"]}}, "C-1", "C-2"),
        ({"schema": {"$ref": "#/components/schemas/Colour"}}, "red", None),
        ({"schema": {"type": "string", "format": "uuid"}}, "00000000-0000-4000-8000-000000000001", None),
    ],
)
def test_what_the_contract_gives_for_the_first_parameter_is_known(
    declared: Any, known: str, unknown: str | None
) -> None:
    with Sandbox(contract=contract(parameters=[ACCOUNT | declared])) as sandbox:
        assert ask(sandbox, f"/t/{known}")[0] == 200
        if unknown:
            assert ask(sandbox, f"/t/{unknown}")[0] == 404


@pytest.mark.parametrize(
    ("example", "schema"),
    [
        ({"until": "9999-12-31"}, {}),
        ({"until": "2023-02-30"}, {}),
        ({"n": "99999999"}, {"properties": {"n": {"pattern": "^[0-9]{8}$"}}}),
        ({"n": "00000010"}, {"properties": {"n": {"enum": ["00000010"]}}}),
    ],
)
def test_examples_that_cannot_be_varied_stay(example: dict[str, Any], schema: dict[str, Any]) -> None:
    items = {"properties": {"_embedded": {"properties": {"things": {"items": schema}}}}}
    body = {"_embedded": {"things": [example]}, "total": 1}
    with Sandbox(contract=contract(responses={"200": answer(body, items)})) as sandbox:
        status, got = ask(sandbox, "/t/1000000001?cursor=3")
        assert (status, len(got["_embedded"]["things"])) == (200, 37)
        assert got["_embedded"]["things"][-1] == example or "until" not in example


def test_lists_without_examples_and_with_counts_of_their_own() -> None:
    with Sandbox(contract=contract(example={"_embedded": {"things": []}})) as sandbox:
        assert ask(sandbox, "/t/1000000001")[1]["_embedded"] == {"things": []}
    counted = {**THINGS, "count": 1, "page": 1, "per_page": 1, "_links": {"next": {"href": "/elsewhere"}}}
    with Sandbox(contract=contract(query({"type": "integer"}, "page"), example=counted), paging="pages") as sandbox:
        _, body = ask(sandbox, "/t/1000000001?page=3")
        assert {name: body[name] for name in ("total", "count", "page", "per_page")} == {
            "total": 137, "count": 37, "page": 3, "per_page": 50,
        }  # fmt: skip
        assert "_links" not in body
    with Sandbox(contract=contract(query({"type": "integer"}, "page")), paging="all") as sandbox:
        assert [len(ask(sandbox, f"/t/1000000001?page={page}")[1]["_embedded"]["things"]) for page in (1, 2)] == [
            137,
            0,
        ]


@pytest.mark.parametrize(
    "schema",
    [
        {"required": ["code"]},
        {"properties": {"status": {"type": "string"}}},
        {"properties": {"errorCode": {"enum": ["E"]}}},
    ],
)
def test_a_refusal_keeps_its_status_whatever_its_form(schema: dict[str, Any]) -> None:
    error = {"code": 1, "errorCode": "E", "status": "no"}
    with Sandbox(contract=contract(responses={"200": answer(THINGS), "4XX": answer(error, schema)})) as sandbox:
        assert ask(sandbox, "/t/nobody")[0] == 404
    alone = contract(security=[{"Key": []}], responses={"200": answer(THINGS), "404": answer(error)})
    alone["components"]["securitySchemes"] = {"Key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    with Sandbox(contract=alone) as sandbox:
        assert ask(sandbox, "/t/1000000003") == (401, None)


def test_paths_and_token_urls_as_they_may_be_written() -> None:
    paths = contract(path="/a%20b/{account}")
    paths["paths"]["/p/{account}"] = contract(example={"which": "any"})["paths"]["/t/{account}"]
    paths["paths"]["/p/{account}.json"] = contract(example={"which": "json"})["paths"]["/t/{account}"]
    flows = {"clientCredentials": {"tokenUrl": "oauth/tok%20en", "scopes": {}}}
    paths["components"]["securitySchemes"] = {"O": {"type": "oauth2", "flows": flows}}
    with Sandbox(contract=paths) as sandbox:
        assert ask(sandbox, "/a%20b/1000000003")[0] == 200
        assert ask(sandbox, "/p/1000000003.json") == (200, {"which": "json"})
        assert ask(sandbox, "/p/1000000003") == (200, {"which": "any"})
        assert ask(sandbox, "/oauth/tok%20en", "POST", "")[0] == 400
        # Nothing is sent elsewhere without a word.
        assert ask(sandbox, "/p/1000000003/")[0] == 404
        assert [seen.status for seen in sandbox.requests] == [200, 200, 200, 400, 404]


def test_an_example_that_is_null_and_a_key_that_is_no_header() -> None:
    nothing = contract(responses={"200": answer(None, {"type": "null"})}, security=[{"Key": []}])
    nothing["components"]["securitySchemes"] = {"Key": {"type": "apiKey", "in": "query", "name": "key"}}
    with Sandbox(contract=nothing, accept="none") as sandbox:
        assert ask(sandbox, "/t/1000000003") == (200, None)
    with Sandbox(contract=nothing) as sandbox:
        assert ask(sandbox, "/t/1000000003")[0] == 401
        assert "API_KEY" not in json.dumps(sandbox.environ)


@pytest.mark.parametrize("options", [{"accept": "digest"}, {"fault": "fire"}, {"port": 70_000}, {"host": "192.0.2.1"}])
def test_what_cannot_be_made_leaves_nothing_open(options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((ValueError, OSError, OverflowError)):
            Sandbox(**options)
        gc.collect()


def test_it_is_closed_once_and_for_all() -> None:
    sandbox = Sandbox()
    sandbox.close()
    sandbox.close()
    assert sandbox.closed
    with pytest.raises(ValueError, match="closed"), sandbox:
        pass


def test_an_answer_that_is_due_later_does_not_hold_up_the_end() -> None:
    with Sandbox(contract=contract(), fault="slow") as sandbox:
        address = urlsplit(sandbox.url)
        with socket.create_connection((str(address.hostname), address.port or 0)) as caller:
            caller.sendall(b"GET /t/1000000003 HTTP/1.1\r\nHost: x\r\n\r\n")
            while not sandbox.requests:
                pass
            begun = time.monotonic()
            sandbox.close()
            assert time.monotonic() - begun < _faults.SLOW / 2

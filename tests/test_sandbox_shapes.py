"""The sandbox with contracts of other shapes: it serves every contract that `make validate` accepts, as declared."""

from __future__ import annotations

import gc
import http.client
import json
import socket
import time
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from talkdesk_bridge_sandbox import Sandbox, _faults

from tests.conftest import invoices_of
from tests.test_sandbox import ask

ACCOUNT = {"name": "account", "in": "path", "required": True, "schema": {"type": "string"}}
THINGS = {"_embedded": {"things": [{"n": "00000001"}, {"n": "00000002"}]}, "total": 2}


def query(schema: dict[str, Any], name: str = "value", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, **more}


def response(example: Any, schema: dict[str, Any] | None = None, media: str = "application/json") -> dict[str, Any]:
    return {"description": "OK", "content": {media: {"schema": schema or {}, "example": example}}}


def listed(example: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    things = {"properties": {"_embedded": {"properties": {"things": {"items": schema}}}}}
    return response({"_embedded": {"things": [example]}, "total": 1}, things)


def operation(*parameters: dict[str, Any], example: Any = THINGS, **more: Any) -> dict[str, Any]:
    """An operation without security."""
    own = {"operationId": "x", "security": [], "parameters": [ACCOUNT, *parameters]}
    return own | {"responses": {"200": response(example)}} | more


def contract(paths: dict[str, dict[str, Any]], **components: Any) -> dict[str, Any]:
    """A contract with an operation for each path: POST if it has a body, else GET."""
    items = {path: {"post" if "requestBody" in one else "get": one} for path, one in paths.items()}
    schemas = {"Count": {"type": "integer", "minimum": 1}, "Colour": {"enum": ["red", "blue"]}}
    return {"info": {"title": "t"}, "paths": items, "components": {"schemas": schemas, **components}}


# A schema, a valid text, and an invalid one.
PARAMETERS: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "all-of": ({"allOf": [{"$ref": "#/components/schemas/Count"}], "default": 1}, "2", "0"),
    "any-of": ({"anyOf": [{"$ref": "#/components/schemas/Count"}, {"type": "null"}]}, "2", "x"),
    "nullable": ({"type": ["integer", "null"]}, "2", "1.5"),
    "number": ({"type": "number"}, "-1.5e3", "NaN"),
    "boolean": ({"type": "boolean"}, "true", "yes"),
    "pattern": ({"type": "string", "pattern": "^[0-9]{3}$"}, "007", "7"),
    "reference": ({"$ref": "#/components/schemas/Colour"}, "red", "green"),
    "array": ({"type": "array", "items": {"$ref": "#/components/schemas/Count"}}, "1&value=2", "1&value=x"),
    "array-of-one": ({"type": "array", "items": {"$ref": "#/components/schemas/Count"}}, "1", "x"),
    "nullable-array": ({"type": ["array", "null"], "items": {"type": "string"}}, "a", None),
    "date": ({"type": "string", "format": "date"}, "2026-11-22", "2026-02-30"),
}
# A media type, a schema, a valid body, and an invalid one.
BODIES: dict[str, tuple[str, dict[str, Any], str, str | None]] = {
    "json": ("application/vnd.x+json", {"type": "array"}, "[1]", "{}"),
    "form": ("application/x-www-form-urlencoded", {"properties": {"n": {"type": "integer"}}}, "n=5", None),
    "bytes": ("application/octet-stream", {}, "\0anything", None),
    "parts": ("multipart/form-data", {"type": "object"}, "--b--", None),
}
# Query parameters that stand for pages in other contracts.
NAMES: dict[str, tuple[str, dict[str, Any]]] = {
    "cursor": ("cursor", {"type": "string"}),
    "per-page-text": ("per_page", {"type": "string"}),
    "per-page-number": ("per_page", {"type": "number"}),
    "page-text": ("page", {"type": "string"}),
}
# A declaration of the first path parameter, a value that it allows, and an unknown value.
KNOWN: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "example": ({"examples": {"one": {"value": "C-1"}}}, "C-1", "C-2"),
    "schema-example": ({"schema": {"type": "string", "examples": ["C-1"]}}, "C-1", "C-2"),
    "no-account": ({"schema": {"$ref": "#/components/schemas/Colour"}}, "red", None),
    "format": ({"schema": {"type": "string", "format": "uuid"}}, "00000000-0000-4000-8000-000000000001", None),
}
# Items that cannot be varied, and their schemas.
FIXED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "last-date": ({"until": "9999-12-31"}, {}),
    "no-date": ({"until": "2023-02-30"}, {}),
    "full": ({"n": "99999999"}, {"properties": {"n": {"pattern": "^[0-9]{8}$"}}}),
    "enum": ({"n": "00000010"}, {"properties": {"n": {"enum": ["00000010"]}}}),
}
ERROR = {"code": 1, "errorCode": "E", "status": "no"}
# Schemas of an error body that allow no reason, or no other status.
ERRORS: dict[str, dict[str, Any]] = {
    "code": {"required": ["code"]},
    "text-status": {"properties": {"status": {"type": "string"}}},
    "error-code": {"properties": {"errorCode": {"enum": ["E"]}}},
}
TWO = [ACCOUNT, {**ACCOUNT, "name": "thing"}]
OBJECT = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
OPERATIONS = {
    **{f"/{key}/{{account}}": operation(query(one[0], required=True)) for key, one in PARAMETERS.items()},
    **{
        f"/{key}/{{account}}": operation(requestBody={"required": True, "content": {one[0]: {"schema": one[1]}}})
        for key, one in BODIES.items()
    },
    **{f"/{key}/{{account}}": operation(query(schema, name)) for key, (name, schema) in NAMES.items()},
    **{f"/{key}/{{account}}": operation(parameters=[ACCOUNT | one[0]]) for key, one in KNOWN.items()},
    **{f"/{key}/{{account}}": operation(responses={"200": listed(*one)}) for key, one in FIXED.items()},
    **{
        f"/{key}/{{account}}": operation(responses={"200": response(THINGS), "4XX": response(ERROR, schema)})
        for key, schema in ERRORS.items()
    },
    "/object/{account}": operation(query(OBJECT)),
    "/twice/{account}": operation(query({"type": "string"}, "account")),
    "/header/{account}": operation(
        {"name": "X-Count", "in": "header", "required": True, "schema": {"type": "integer"}}
    ),
    "/cookie/{account}": operation({"name": "count", "in": "cookie", "required": True, "schema": {"type": "string"}}),
    "/t/{account}/things/{thing}": operation(parameters=TWO),
    "/empty/{account}": operation(example={"_embedded": {"things": []}}),
    "/alone/{account}": operation(security=[{"Key": []}], responses={"200": response(THINGS), "404": response(ERROR)}),
    "/a%20b/{account}": operation(),
    "/p/{account}": operation(example={"which": "any"}),
    "/p/{account}.json": operation(example={"which": "json"}),
    "/p/fixed": operation(example={"which": "fixed"}, parameters=[]),
    "/text": operation(parameters=[], responses={"200": response("a,b", {"type": "string"}, "text/csv")}),
    "/word": operation(parameters=[], responses={"200": response("word", {}, "application/vnd.x+json")}),
    "/nothing": operation(parameters=[], responses={"204": {"description": "Done"}}),
}
SCHEMES = {
    "Key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "O": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "oauth/tok%20en", "scopes": {}}}},
}


@pytest.fixture(scope="module")
def serving() -> Iterator[Sandbox]:
    """One sandbox with all of these operations."""
    with Sandbox(contract=contract(OPERATIONS, securitySchemes=SCHEMES)) as running:
        yield running


@pytest.fixture
def shapes(serving: Sandbox) -> Sandbox:
    serving.reset()
    return serving


@pytest.mark.parametrize("key", PARAMETERS)
def test_a_parameter_is_read_by_its_schema(shapes: Sandbox, key: str) -> None:
    _, good, bad = PARAMETERS[key]
    assert ask(shapes, f"/{key}/1000000003?value={good}")[0] == 200
    assert ask(shapes, f"/{key}/1000000003")[0] == 400
    assert bad is None or ask(shapes, f"/{key}/1000000003?value={bad}")[0] == 400


def test_headers_and_cookies_are_read_too(shapes: Sandbox) -> None:
    headers: list[dict[str, str]] = [{}, {"X-Count": "x"}, {"x-count": "5"}]
    assert [ask(shapes, "/header/1000000003", **sent)[0] for sent in headers] == [400, 400, 200]
    assert [ask(shapes, "/cookie/1000000003", **sent)[0] for sent in ({}, {"Cookie": "count=5"})] == [400, 200]


def test_an_object_is_sent_as_its_properties(shapes: Sandbox) -> None:
    sent = ("a=x&b=3", "a=x", "a=x&b=y", "a=x&c=1")
    assert [ask(shapes, f"/object/1000000003?{each}")[0] for each in sent] == [200, 200, 400, 400]


@pytest.mark.parametrize("key", BODIES)
def test_a_body_is_read_by_its_media_type(shapes: Sandbox, key: str) -> None:
    media, _, good, bad = BODIES[key]
    assert ask(shapes, f"/{key}/1000000003", "POST", good, **{"Content-Type": f"{media}; charset=utf-8"})[0] == 200
    assert bad is None or ask(shapes, f"/{key}/1000000003", "POST", bad, **{"Content-Type": media})[0] == 400


@pytest.mark.parametrize("key", NAMES)
def test_query_parameters_that_only_look_like_paging(shapes: Sandbox, key: str) -> None:
    target, count = f"/{key}/1000000001?{NAMES[key][0]}=2", 0
    while target:
        status, body = ask(shapes, target)
        assert status == 200
        count += len(body["_embedded"]["things"])
        target = body["_links"].get("next", {}).get("href", "").removeprefix(shapes.url)
    assert count == 137


def test_the_account_is_the_first_parameter_of_the_path(shapes: Sandbox) -> None:
    assert ask(shapes, "/twice/1000000003?account=nobody")[0] == 200
    assert ask(shapes, "/twice/nobody?account=1000000003")[0] == 404
    assert ask(shapes, "/t/1000000003/things/5")[0] == 200
    assert ask(shapes, "/t/5/things/1000000003")[0] == 404


@pytest.mark.parametrize("key", KNOWN)
def test_examples_of_the_first_path_parameter_are_known(shapes: Sandbox, key: str) -> None:
    _, known, unknown = KNOWN[key]
    assert ask(shapes, f"/{key}/{known}")[0] == 200
    assert unknown is None or ask(shapes, f"/{key}/{unknown}")[0] == 404


@pytest.mark.parametrize("key", FIXED)
def test_examples_that_cannot_be_varied_are_repeated(shapes: Sandbox, key: str) -> None:
    status, body = ask(shapes, f"/{key}/1000000001?cursor=3")
    assert (status, len(body["_embedded"]["things"])) == (200, 37)
    assert body["_embedded"]["things"][-1] == FIXED[key][0]


def test_lists_without_items_and_with_other_counts(shapes: Sandbox) -> None:
    assert ask(shapes, "/empty/1000000001")[1]["_embedded"] == {"things": []}
    counted = {**THINGS, "count": 1, "page": 1, "per_page": 1, "_links": {"next": {"href": "/elsewhere"}}}
    page = query({"type": "integer"}, "page")
    with Sandbox(contract=contract({"/t/{account}": operation(page, example=counted)}), paging="pages") as sandbox:
        _, body = ask(sandbox, "/t/1000000001?page=3")
        assert {name: body[name] for name in ("total", "count", "page", "per_page")} == {
            "total": 137, "count": 37, "page": 3, "per_page": 50,
        }  # fmt: skip
        assert "_links" not in body
    with Sandbox(contract=contract({"/t/{account}": operation(page)}), paging="all") as sandbox:
        counts = [len(ask(sandbox, f"/t/1000000001?page={n}")[1]["_embedded"]["things"]) for n in (1, 2)]
        assert counts == [137, 0]


@pytest.mark.parametrize("key", ERRORS)
def test_an_error_response_keeps_its_status_with_any_schema(shapes: Sandbox, key: str) -> None:
    assert ask(shapes, f"/{key}/nobody") == (404, ERROR)
    # One that the contract does not declare has no body.
    assert ask(shapes, "/alone/1000000003") == (401, None)


def test_unusual_paths_and_token_urls(shapes: Sandbox) -> None:
    assert ask(shapes, "/a%20b/1000000003")[0] == 200
    assert ask(shapes, "/p/1000000003.json") == (200, {"which": "json"})
    assert ask(shapes, "/p/1000000003") == (200, {"which": "any"})
    assert ask(shapes, "/p/fixed") == (200, {"which": "fixed"})
    assert ask(shapes, "/oauth/tok%20en", "POST", "")[0] == 400
    # Nothing is redirected.
    assert ask(shapes, "/p/1000000003/")[0] == 404
    assert [seen.status for seen in shapes.requests] == [200, 200, 200, 200, 400, 404]


def test_a_response_has_its_declared_media_type(shapes: Sandbox) -> None:
    connection = http.client.HTTPConnection(urlsplit(shapes.url).netloc, timeout=10)
    responses = []
    for path in ("/text", "/word", "/nothing"):
        connection.request("GET", path)
        received = connection.getresponse()
        responses.append((received.status, received.headers["Content-Type"], received.read()))
    connection.close()
    assert responses == [(200, "text/csv", b"a,b"), (200, "application/vnd.x+json", b'"word"'), (204, None, b"")]


def test_a_key_in_the_query_is_not_accepted() -> None:
    declared = contract(
        {"/t/{account}": operation(security=[{"Key": []}])},
        securitySchemes={"Key": {"type": "apiKey", "in": "query", "name": "key"}},
    )
    with Sandbox(contract=declared) as sandbox:
        assert ask(sandbox, "/t/1000000003")[0] == 401
        assert "API_KEY" not in json.dumps(sandbox.environ)


@pytest.mark.parametrize("options", [{"accept": "digest"}, {"fault": "fire"}, {"port": 70_000}, {"host": "192.0.2.1"}])
def test_an_invalid_option_leaves_no_socket_open(options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((ValueError, OSError, OverflowError)):
            Sandbox(**options)
        gc.collect()


def test_a_client_that_disconnects_causes_no_error(shapes: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    address = urlsplit(shapes.url)
    with socket.create_connection((str(address.hostname), address.port or 0)) as caller:
        caller.sendall(b"POST /json/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n[")
    assert ask(shapes, "/p/fixed")[0] == 200
    assert (len(shapes.requests), caplog.records) == (1, [])


def test_a_closed_sandbox_stays_closed() -> None:
    sandbox = Sandbox()
    sandbox.close()
    sandbox.close()
    assert sandbox.closed
    with pytest.raises(ValueError, match="closed"), sandbox:
        pass


def test_a_delayed_response_does_not_delay_close() -> None:
    with Sandbox(fault="slow", accept="none") as sandbox:
        address = urlsplit(sandbox.url)
        with socket.create_connection((str(address.hostname), address.port or 0)) as caller:
            caller.sendall(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % invoices_of("1000000003").encode())
            while not sandbox.requests:
                pass
            begun = time.monotonic()
            sandbox.close()
            assert time.monotonic() - begun < _faults.SLOW / 2

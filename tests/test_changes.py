"""Each kind of change for callers has the right rating and sentence.

Each change affects its own part of the contract, so that two contracts show them all.
"""

from __future__ import annotations

import copy
import datetime
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from talkdesk_bridge import Place
from talkdesk_bridge_api import reading

from tests.conftest import CONTRACT, PATH, alone
from tools.changes import __main__ as command
from tools.changes.compare import compare
from tools.changes.history import Comparison, ComparisonError, three_numbers
from tools.changes.report import FORMATS, problems
from tools.changes.sentences import RATINGS, SENTENCES, Change, form_of, next_version, rating
from tools.changes.surface import Surface, read
from tools.contract import Contract, load
from tools.generate import PACKAGE, generate, offered

DATA = alone()
MADE = {"status": "assumed", "source": "a test", "retrieved": "2026-11-23", "note": "Made up."}
REF = "#/components/schemas/"
Node = dict[str, Any]
Expected = list[tuple[str, str]]

BRIDGE = "no code change needed, but the bridge must accept it."
CHECK = "check the values that you pass, as the bridge may reject some that it accepted before."
UNCHECKED = "no action needed, as the client does not check it."
FORM = "update code that sets or reads it. If the bridge still sends the old form:"
STR = f"{FORM} a number becomes its text, text stays as it is, and anything else raises ContractError."
INT = f'{FORM} a whole number is read, also from text such as "5", and anything else raises ContractError.'
OTHER = f"{FORM} it is read if the new type allows it, and raises ContractError if not."
MEMBER = "set a member. to_dict() writes another value unchecked, but a response with one raises ContractError. A member equals its value, so code that only reads it works as before."
REQUIRED = "a response without it raises ContractError, and code that creates the model must pass it."


# The part before, the part after, and the expected changes. None means that there is no such part.


def query(name: str, place: str = "query", *, required: Any = False, **schema: Any) -> Node:
    """A parameter; a string unless `schema` says otherwise."""
    needed = {"required": True} if required else {}
    return {"name": name, "in": place, "schema": {"type": "string"} | schema, "x-provenance": MADE} | needed


def argument(name: str) -> str:
    return f"`{name}` of `client.billing.get_things()`"


NUMBER: Any = {"type": "integer"}
ARGUMENTS: list[tuple[Any, Any, Expected]] = [
    (None, query("come"), [("minor", f"{argument('come')} was added: no action needed.")]),
    (None, query("must", required=True), [("major", f"{argument('must')} was added and is required: pass it.")]),
    (query("gone"), None, [("major", f"{argument('gone')} was removed: stop using it.")]),
    (query("needed"), query("needed", required=True), [("major", f"{argument('needed')} is now required: pass it.")]),
    (query("free", required=True), query("free"), [("minor", f"{argument('free')} is now optional: no action needed.")]),
    (query("moved"), query("moved", "header"), [("major", f"{argument('moved')} changed from `query moved` to `header moved` on the wire: {BRIDGE}")]),
    (query("on_wire"), query("onWire"), [("major", f"{argument('on_wire')} changed from `query on_wire` to `query onWire` on the wire: {BRIDGE}")]),
    (query("X-Any-Case", "header"), query("x-any-case", "header"), []),
    (query("kind", type="integer"), query("kind"), [("major", f"The type of {argument('kind')} changed from `int | None` to `str | None`: update code that passes it.")]),
    (query("day", format="date"), query("day", format="date-time"), [("major", f"The type of {argument('day')} changed from `datetime.date | None` to `datetime.datetime | None`: update code that passes it.")]),
    (query("wide", type="integer"), query("wide", type=["integer", "string"]), [("minor", f"The type of {argument('wide')} was widened from `int | None` to `int | str | None`: no action needed.")]),
    (query("wide_must", type="integer"), query("wide_must", required=True, type=["integer", "string"]), [("major", f"The type of {argument('wide_must')} changed from `int | None` to `int | str`: update code that passes it.")]),
    (query("word"), query("word", enum=["Due"]), [("major", f"{argument('word')} is now one of `GetThingsWord` instead of any `str`: pass a member. Another value is sent unchecked, and the bridge may reject it."), ("minor", "`models.GetThingsWord` was added: no action needed.")]),
    (query("more", enum=["a"]), query("more", enum=["b", "a"]), [("minor", "The value 'b' (`models.GetThingsMore.B`) was added: handle it if your code handles each value.")]),
    (query("less", enum=["a", "b"]), query("less", enum=["a"]), [("major", "The value 'b' (`models.GetThingsLess.B`) was removed: stop using it. A response with it may raise ContractError.")]),
    (query("least", **NUMBER, minimum=1), query("least", **NUMBER, minimum=9), [("major", f"The constraint on {argument('least')} changed from `minimum` 1 to `minimum` 9: {CHECK}")]),
    (query("looser", **NUMBER, minimum=9), query("looser", **NUMBER, minimum=1), [("patch", f"The constraint on {argument('looser')} changed from `minimum` 9 to `minimum` 1: {UNCHECKED}")]),
    (query("most", **NUMBER, maximum=9), query("most", **NUMBER, maximum=5), [("major", f"The constraint on {argument('most')} changed from `maximum` 9 to `maximum` 5: {CHECK}")]),
    (query("freed", **NUMBER, maximum=9), query("freed", **NUMBER), [("patch", f"The constraint on {argument('freed')} changed from `maximum` 9 to no `maximum`: {UNCHECKED}")]),
    (query("form"), query("form", pattern="^x"), [("major", f"The constraint on {argument('form')} changed from no `pattern` to `pattern` \"^x\": {CHECK}")]),
    (query("items", type="array", items={"type": "string"}), query("items", type="array", items={"type": "string", "maxLength": 3}), [("major", f"The constraint on {argument('items')} changed from no `maxLength` to `maxLength` 3: {CHECK}")]),
    (query("named", **{"$ref": f"{REF}Word"}), query("named", **{"$ref": f"{REF}Word"}), [("major", f"The constraint on {argument('named')} changed from no `maxLength` to `maxLength` 3: {CHECK}")]),
    (query("first"), query("first", default="x"), [("major", f"The default of {argument('first')} changed from None to 'x': pass a value if you relied on the old default.")]),
    (query("other", default="x"), query("other", default="y"), [("major", f"The default of {argument('other')} changed from 'x' to 'y': pass a value if you relied on the old default.")]),
    (query("old"), query("old") | {"deprecated": True}, [("minor", f"{argument('old')} is deprecated: stop using it before it is removed.")]),
    (query("odd"), query("odd") | {"allowReserved": True}, [("major", f"{argument('odd')} changed in a way that `make changes` cannot rate (`allowReserved`): check the contract.")]),
    (query("lot", type="array", items={"type": "string"}), query("lot", type="array", items={"type": "string"}) | {"explode": False}, [("major", f"{argument('lot')} changed from `query lot` to `query lot, items joined with ','` on the wire: {BRIDGE}")]),
    (query("plain"), query("plain") | {"explode": False}, []),
]  # fmt: skip

OK = {"200": copy.deepcopy(DATA["paths"][PATH]["get"]["responses"]["200"])}


def operation(
    name: str, path: str = "", method: str = "get", tag: str = "billing", *, responses: Any = None, **more: Any
) -> Node:
    """An operation that lists invoices unless `responses` are given."""
    path = path or f"/{name}/{{account}}"
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    node: Node = {
        "operationId": name, "tags": [tag], "summary": "Made up.", "x-provenance": MADE,
        "security": [{"Basic": []}, {"Bearer": []}],
        "parameters": [query(one, "path", required=True) for one in sorted(names)],
        "responses": copy.deepcopy(OK if responses is None else responses),
    }  # fmt: skip
    return {path: {"x-provenance": MADE, method: node | more}}


def added(name: str, body: Any = None) -> Node:
    """An operation whose response has no body."""
    sent = {"requestBody": body} if body else {}
    return operation(name, f"/{name}", "post", responses={"204": {"description": "Done"}}, **sent)


def json_of(schema: Any, media_type: str = "application/json", **more: Any) -> Node:
    return {"content": {media_type: {"schema": {"$ref": REF + schema} if isinstance(schema, str) else schema}}, **more}


def inline(**properties: Any) -> Node:
    return {"type": "object", "properties": properties}


def response(schema: Any, status: str = "200", **more: Any) -> Node:
    return {status: {"description": "OK", **json_of(schema, **more)}}


def call(name: str) -> str:
    return f"`client.billing.{name}()`"


TEXT = {"type": "string"}
ONE_BODY = response("InvoiceDetails")
OPERATIONS: list[tuple[Any, Any, Expected]] = [
    (None, operation("get_come"), [("minor", f"{call('get_come')} was added: no action needed."), ("minor", f"{call('iter_come')} was added: no action needed.")]),
    (operation("get_gone"), None, [("major", f"{call('get_gone')} was removed: stop using it."), ("major", f"{call('iter_gone')} was removed: stop using it.")]),
    (operation("get_was", "/was/{a}"), operation("get_is", "/was/{a}"), [("major", f"{call('get_was')} was renamed to {call('get_is')}: update its uses."), ("major", f"{call('iter_was')} was renamed to {call('iter_is')}: update its uses.")]),
    (operation("get_tag", responses=ONE_BODY), operation("get_tag", tag="other", responses=ONE_BODY), [("major", f"{call('get_tag')} was renamed to `client.other.get_tag()`: update its uses.")]),
    (operation("get_path", "/path"), operation("get_path", "/v2/path"), [("major", f"{call('get_path')} changed from `GET /path` to `GET /v2/path` on the wire: {BRIDGE}")]),
    (operation("get_verb", "/verb"), operation("get_verb", "/verb", "post"), [("major", f"{call('get_verb')} changed from `GET /verb` to `POST /verb` on the wire: {BRIDGE}"), ("major", f"{call('iter_verb')} was removed: stop using it.")]),
    (operation("get_old"), operation("get_old", deprecated=True), [("minor", f"{call('get_old')} is deprecated: stop using it before it is removed.")]),
    (operation("get_arg", "/arg/{was}"), operation("get_arg", "/arg/{name}"), [("major", f"`was` of {call('get_arg')} was renamed to `name`: update keyword arguments.")]),
    (operation("get_order", "/order/{a}/{b}"), operation("get_order", "/order/{b}/{a}"), [("major", f"The positional arguments of {call('get_order')} changed from (a, b) to (b, a): check each call, or pass arguments by name.")]),
    (operation("get_fewer", "/fewer/{a}/{b}"), operation("get_fewer", "/fewer/{b}"), [("major", f"{call('get_fewer')} changed from `GET /fewer/{{a}}/{{b}}` to `GET /fewer/{{b}}` on the wire: {BRIDGE}"), ("major", f"`a` of {call('get_fewer')} was removed: stop using it.")]),
    (operation("get_moved", "/moved/{a}"), operation("get_moved", "/moved", parameters=[query("a", required=True)]), [
        ("major", f"{call('get_moved')} changed from `GET /moved/{{a}}` to `GET /moved` on the wire: {BRIDGE}"),
        ("major", f"`a` of {call('get_moved')} changed from `path a` to `query a` on the wire: {BRIDGE}"),
        ("major", f"The positional arguments of {call('get_moved')} changed from (a) to (): check each call, or pass arguments by name."),
    ]),
    # bodies
    (added("add_come"), added("add_come", json_of("Sent")), [("minor", f"`body` of {call('add_come')} was added: no action needed.")]),
    (added("add_must"), added("add_must", json_of("Sent", required=True)), [("major", f"`body` of {call('add_must')} was added and is required: pass it.")]),
    (added("add_gone", json_of("Sent")), added("add_gone"), [("major", f"`body` of {call('add_gone')} was removed: stop using it.")]),
    (added("add_type", json_of("Sent")), added("add_type", json_of("InvoiceItemDetails")), [("major", f"The type of `body` of {call('add_type')} changed from `Sent | None` to `InvoiceItemDetails | None`: update code that passes it.")]),
    (added("add_form", json_of("Sent")), added("add_form", json_of("Sent", "application/x-www-form-urlencoded")), [("major", f"`body` of {call('add_form')} is now sent as application/x-www-form-urlencoded instead of application/json: {BRIDGE}")]),
    (added("add_here", json_of(inline(a=TEXT))), added("add_here", json_of(inline(a=TEXT | {"maxLength": 3}, b=TEXT))), [
        ("major", f"The constraint on `AddHereBody.a` changed from no `maxLength` to `maxLength` 3: {CHECK}"),
        ("minor", '`AddHereBody.b` was added; it is None if the bridge does not send it. If you read it from `additional_properties["b"]`, read the attribute instead.'),
    ]),
    # responses
    (operation("get_body", responses=ONE_BODY), operation("get_body", responses=response("Thing")), [("major", f"{call('get_body')} now returns `Thing` instead of `InvoiceDetails`: update code that uses the result.")]),
    (operation("get_less", responses=ONE_BODY | {"202": {"description": "Later"}}), operation("get_less", responses=ONE_BODY), [
        ("major", f"{call('get_less')} now raises ContractError for a 202 response: handle it if the bridge still sends one."),
        ("minor", f"{call('get_less')} now returns `InvoiceDetails` instead of `InvoiceDetails | None`: no action needed."),
    ]),
    (operation("get_more", responses=ONE_BODY), operation("get_more", responses=ONE_BODY | response("InvoiceDetails", "201")), [("minor", f"{call('get_more')} now reads a 201 response, which raised ContractError before: no action needed.")]),
    (operation("get_range", responses=ONE_BODY), operation("get_range", responses=response("InvoiceDetails", "2XX")), [("minor", f"{call('get_range')} now reads a 2XX response, which raised ContractError before: no action needed.")]),
    (operation("get_media", responses=ONE_BODY), operation("get_media", responses=response("InvoiceDetails", media_type="application/hal+json")), [("major", f"The 200 response of {call('get_media')} is now application/hal+json instead of application/json: no code change needed, but the bridge must still accept `Accept: application/json`.")]),
    (operation("get_headed", responses=ONE_BODY), operation("get_headed", responses={"200": ONE_BODY["200"] | {"headers": {"X-Rate": {"schema": NUMBER}}}}), []),
    (operation("get_error", responses=ONE_BODY | response("ErrorInfo", "4XX")), operation("get_error", responses=ONE_BODY | response("ErrorDetails", "4XX")), [("major", f"{call('get_error')} now reads the body of a 4XX response as ErrorDetails instead of ErrorInfo: update code that uses `error.body` or `error.error_info`.")]),
    (operation("get_said", responses=ONE_BODY), operation("get_said", responses=ONE_BODY | {"4XX": {"description": "Refused"}, **response({"allOf": [{"$ref": f"{REF}ErrorInfo"}]}, "5XX")}), []),
    (operation("get_inline", responses=ONE_BODY | response(inline(a=TEXT), "404")), operation("get_inline", responses=ONE_BODY | response(inline(a=NUMBER), "404") | response(inline(b=TEXT), "409")), [
        ("major", f"The type of `GetInlineResponse404.a` changed from `str | None` to `int | None`: {INT}"),
        ("major", f"{call('get_inline')} now reads the body of a 409 response as GetInlineResponse409 instead of ErrorInfo: update code that uses `error.body` or `error.error_info`."),
        ("minor", "`models.GetInlineResponse409` was added: no action needed."),
    ]),
    # a new operation and its new models, at any depth, in one change
    (None, operation("get_nested", responses=response("Outer") | response(inline(why=inline(text=TEXT)), "404")), [
        ("minor", f"{call('get_nested')} was added, with `GetNestedResponse404`, `GetNestedResponse404Why`, `Inner`, `Outer`, `OuterKind`: no action needed."),
    ]),
    # credentials
    (operation("get_key_more", security=[{"Basic": []}]), operation("get_key_more"), [("minor", f"{call('get_key_more')} now also accepts `BearerAuth`: no action needed.")]),
    (operation("get_key_less"), operation("get_key_less", security=[{"Bearer": []}]), [("major", f"{call('get_key_less')} no longer accepts `BasicAuth`: use `BearerAuth`.")]),
    (operation("get_key_need", security=[]), operation("get_key_need", security=[{"Basic": []}]), [
        ("major", f"{call('get_key_need')} no longer accepts requests without a credential: use `BasicAuth`."),
        ("minor", f"{call('get_key_need')} now also accepts `BasicAuth`: no action needed."),
    ]),
    (operation("get_key_free"), operation("get_key_free", security=[{}]), [("minor", f"{call('get_key_free')} now also accepts requests without a credential: no action needed.")]),
    (operation("get_key_both"), operation("get_key_both", security=[{"Basic": [], "Bearer": []}]), [
        ("major", f"{call('get_key_both')} no longer accepts `BasicAuth` or `BearerAuth`: use `BasicAuth` with `BearerAuth`."),
        ("minor", f"{call('get_key_both')} now also accepts `BasicAuth` with `BearerAuth`: no action needed."),
    ]),
    (operation("get_key_head", security=[{"Header": []}]), operation("get_key_head", security=[{"Header": []}]), [
        ("major", f'{call("get_key_head")} no longer accepts `HeaderAuth`: use `HeaderAuth(..., name="X-Key")`.'),
        ("minor", f'{call("get_key_head")} now also accepts `HeaderAuth(..., name="X-Key")`: no action needed.'),
    ]),
    (operation("get_key_same", security=[{"Basic": []}]), operation("get_key_same", security=[{"Password": []}]), []),
]  # fmt: skip


def limited(name: str, keyword: str, value: str, was: str) -> str:
    return f"The constraint on `{name}` changed from {was} to `{keyword}` {value}"


DUE = {"type": "string", "enum": ["Due"]}
NULL: Node = {"type": ["string", "null"]}
# A field is required if its schema says so, which no schema does.
FIELDS: list[tuple[str, Any, Any, Expected]] = [
    ("come", None, TEXT, [("minor", '`Thing.come` was added; it is None if the bridge does not send it. If you read it from `additional_properties["come"]`, read the attribute instead.')]),
    ("must", None, TEXT | {"required": True}, [("major", f'`Thing.must` was added and is required: {REQUIRED} If you read it from `additional_properties["must"]`, read the attribute instead.')]),
    ("goneAway", TEXT, None, [("major", '`Thing.gone_away` was removed: stop using it. If the bridge still sends it, read `additional_properties["goneAway"]`.')]),
    ("needed", TEXT, TEXT | {"required": True}, [("major", f"`Thing.needed` is now required: {REQUIRED}")]),
    ("free", TEXT | {"required": True}, TEXT, [("major", "`Thing.free` may now be None: handle None.")]),
    ("nullable", TEXT | {"required": True}, NULL | {"required": True}, [("major", "`Thing.nullable` may now be None: handle None.")]),
    ("never", NULL | {"required": True}, TEXT | {"required": True}, [("major", "`Thing.never` can no longer be None: a response with null there may raise ContractError.")]),
    ("left_out", NULL | {"required": True}, NULL, [("minor", "`Thing.left_out` is now optional: no action needed.")]),
    ("null_too", TEXT, NULL, []),
    ("kind", NUMBER, TEXT, [("major", f"The type of `Thing.kind` changed from `int | None` to `str | None`: {STR}")]),
    ("kinds", {"type": "array", "items": NUMBER}, {"type": "array", "items": TEXT}, [("major", f"The type of `Thing.kinds` changed from `list[int] | None` to `list[str] | None`: {STR}")]),
    ("day", TEXT | {"format": "date"}, TEXT, [("major", f"The type of `Thing.day` changed from `datetime.date | None` to `str | None`: {STR}")]),
    ("word", DUE, TEXT, [("major", f"The type of `Thing.word` changed from `ThingWord | None` to `str | None`: {STR}"), ("major", "`models.ThingWord` was removed: stop using it.")]),
    ("open", DUE | {"enum": ["Open"]}, {"anyOf": [{"$ref": f"{REF}Colour"}, TEXT]}, [("major", f"The type of `Thing.open_` changed from `ThingOpen | None` to `Colour | str | None`: {OTHER}"), ("major", "`models.ThingOpen` was removed: stop using it.")]),
    ("fixed", TEXT, DUE, [("major", f"`Thing.fixed` is now one of `ThingFixed` instead of any `str`: {MEMBER}"), ("minor", "`models.ThingFixed` was added: no action needed.")]),
    ("number", NUMBER, {"type": "integer", "enum": [1]}, [("major", f"`Thing.number` is now one of `ThingNumber` instead of any `int`: {MEMBER}"), ("minor", "`models.ThingNumber` was added: no action needed.")]),
    ("text_day", TEXT | {"required": True}, TEXT | {"format": "date", "required": True}, [("major", f"The type of `Thing.text_day` changed from `str` to `datetime.date`: {FORM} a date in ISO 8601 is read, and other text raises ContractError.")]),
    ("mixed", NUMBER, {"anyOf": [inline(a=TEXT), NUMBER]}, [("major", f"The type of `Thing.mixed` changed from `int | None` to `ThingMixedType0 | int | None`: {FORM} it is read as before."), ("minor", "`models.ThingMixedType0` was added: no action needed.")]),
    ("limit", TEXT, TEXT | {"maxLength": 9}, [("patch", limited("Thing.limit", "maxLength", "9", "no `maxLength`") + f": {UNCHECKED}")]),
    ("default", TEXT, TEXT | {"default": "x"}, [("major", "The default of `Thing.default` changed from None to 'x': pass a value if you relied on the old default.")]),
    ("old", TEXT, TEXT | {"deprecated": True}, [("minor", "`Thing.old` is deprecated: stop using it before it is removed.")]),
    ("more", inline(a=TEXT), inline(a=NUMBER, b=TEXT), [("major", f"The type of `ThingMore.a` changed from `str | None` to `int | None`: {INT}"), ("minor", '`ThingMore.b` was added; it is None if the bridge does not send it. If you read it from `additional_properties["b"]`, read the attribute instead.')]),
    ("listed", {"type": "array", "items": inline(a=TEXT)}, {"type": "array", "items": inline(a=TEXT), "minItems": 1}, [("patch", limited("Thing.listed", "minItems", "1", "no `minItems`") + f": {UNCHECKED}")]),
    ("either", {"anyOf": [TEXT, NUMBER]}, {"anyOf": [TEXT, NUMBER | {"minimum": 5}]}, [("patch", limited("Thing.either", "minimum", "5", "no `minimum`") + f": {UNCHECKED}")]),
    ("turned", {"anyOf": [TEXT | {"format": "uuid"}, TEXT]}, {"anyOf": [TEXT, TEXT | {"format": "uuid"}]}, [("patch", limited("Thing.turned", "format", '"uuid"', "no `format`") + f": {UNCHECKED}"), ("patch", f'The constraint on `Thing.turned` changed from `format` "uuid" to no `format`: {UNCHECKED}')]),
]  # fmt: skip

PART = {"type": "object", "x-provenance": MADE}
COLOUR = {"type": "string", "x-provenance": MADE}
SCHEMAS: list[tuple[Any, Any, Expected]] = [
    (None, {"Inner": PART | inline(a=TEXT), "Outer": PART | inline(inner={"$ref": f"{REF}Inner"}, kind=TEXT | {"enum": ["a"]})}, []),  # reported with get_nested
    (None, {"Come": PART}, [("minor", "`models.Come` was added: no action needed.")]),
    ({"Gone": PART | inline(gone=TEXT)}, None, [("major", "`models.Gone` was removed: stop using it.")]),
    ({"was": PART | inline(own=TEXT)}, {"is": PART | inline(own=TEXT)}, [("major", "`models.Was` was renamed to `models.Is`: update its uses.")]),
    ({"second": {"allOf": [{"$ref": f"{REF}InvoiceDetails"}], "x-provenance": MADE}}, {"second": PART}, [("major", "`models.Second` changed from `alias of InvoiceDetails` to `class`: update its uses.")]),
    ({"Kind": PART | inline(a=TEXT)}, {"Kind": COLOUR | {"enum": ["a"]}}, [("major", "`models.Kind` changed from `class` to `enumeration of StrEnum`: update its uses.")]),
    ({"Rest": PART}, {"Rest": PART | {"additionalProperties": TEXT}}, [("major", f"The type of `Rest.additional_properties` changed from `dict[str, Any]` to `dict[str, str]`: {OTHER}")]),
    ({"Old": PART}, {"Old": PART | {"deprecated": True}}, [("minor", "`models.Old` is deprecated: stop using it before it is removed.")]),
    ({"Odd": PART}, {"Odd": PART | {"patternProperties": {"^x-": TEXT}}}, [("major", "`models.Odd` changed in a way that `make changes` cannot rate (`patternProperties/^x-/type`): check the contract.")]),
    ({"Names": PART | inline(**{"paidAt": TEXT})}, {"Names": PART | inline(paid_at=TEXT)}, [("major", f"`Names.paid_at` changed from `Names.paidAt` to `Names.paid_at` on the wire: {BRIDGE}")]),
    ({"Colour": COLOUR | {"enum": ["red", "blue"]}}, {"Colour": COLOUR | {"enum": ["red", "green"]}}, [
        ("minor", "The value 'green' (`models.Colour.GREEN`) was added: handle it if your code handles each value."),
        ("major", "The value 'blue' (`models.Colour.BLUE`) was removed: stop using it. A response with it may raise ContractError."),
    ]),
    ({"Light": COLOUR | {"enum": ["on", "off"]}}, {"Light": COLOUR | {"enum": ["on", "off"], "x-enum-varnames": ["BRIGHT", "OFF"]}}, [("major", "`models.Light.ON` was renamed to `models.Light.BRIGHT`: update its uses.")]),
    ({"Word": TEXT | {"x-provenance": MADE}}, {"Word": TEXT | {"maxLength": 3, "x-provenance": MADE}}, []),  # reported where it is used
    ({"Sent": PART | inline(a=TEXT)}, {"Sent": PART | inline(a=TEXT | {"maxLength": 3})}, [("major", limited("Sent.a", "maxLength", "3", "no `maxLength`") + f": {CHECK}")]),
]  # fmt: skip

# Changes that only people read are counted, not listed: servers, flows, headers, and descriptions.
READ_BY_PEOPLE: Expected = [
    ("patch", "The documentation of 8 elements changed: no action needed."),
    ("patch", "The examples of 1 element changed, and so did the sandbox's responses: no action needed."),
]

ROWS = [row[-1] for table in (ARGUMENTS, OPERATIONS, FIELDS, SCHEMAS) for row in table] + [READ_BY_PEOPLE]


def both(side: int) -> Node:
    """The contract before (0) or after (1) all of these changes."""
    data = copy.deepcopy(DATA)
    parameters = [row[side] for row in ARGUMENTS if row[side]]
    things = operation("get_things")
    things["/get_things/{account}"]["get"]["parameters"] += parameters
    operations: list[Any] = [things, added("send", json_of("Sent")), *(row[side] for row in OPERATIONS)]
    for paths in operations:
        for path, item in (paths or {}).items():
            data["paths"].setdefault(path, {}).update(item)
    fields = {name: dict(shapes[side] or {}) for name, *shapes, _ in FIELDS if shapes[side]}
    required = [name for name, node in fields.items() if node.pop("required", None)]
    data["components"]["schemas"] |= {"Thing": PART | inline(**fields) | {"required": required}}
    for schemas in (row[side] for row in SCHEMAS):
        data["components"]["schemas"] |= schemas or {}
    data["tags"].append({"name": "other", "x-provenance": MADE})
    schemes = data["components"]["securitySchemes"]
    schemes["Password"] = schemes["Basic"]
    schemes["Header"] = schemes["HeaderKey"] | {"name": ("Authorization", "X-Key")[side]}
    if side:
        schemes["OAuth2"]["flows"]["clientCredentials"]["tokenUrl"] = "/token"
        data["servers"] = [{"url": "/v2"}]
        data["paths"][PATH]["get"]["parameters"][0]["example"] = "2"
    return data


def harmless() -> Node:
    """The contract in another notation and another order."""
    data = copy.deepcopy(DATA)
    get, schemas = data["paths"][PATH]["get"], data["components"]["schemas"]
    page = next(index for index, node in enumerate(get["parameters"]) if node["name"] == "page")
    data["components"]["parameters"] = {"page": get["parameters"][page]}
    get["parameters"][page] = {"$ref": "#/components/parameters/page"}
    get["parameters"][-1] |= {"required": False, "explode": True}
    get |= {"operationId": "getAccountInvoices", "tags": ["billing", "more"], "x-other": 1}
    data["tags"].append({"name": "more", "x-provenance": MADE})
    get["security"] = [{"Password": []}, *reversed([way for way in get["security"] if "Basic" not in way])]
    schemes = data["components"]["securitySchemes"]
    schemes["Password"] = schemes.pop("Basic")
    schemes["Bearer"]["scheme"] = "Bearer"
    refused = Contract(CONTRACT, data).resolve(get["responses"]["4XX"])
    refused["content"]["application/json"]["schema"] = {"allOf": [{"$ref": f"{REF}ErrorInfo"}]}
    schemas["InvoiceDetails"] |= {"required": [], "additionalProperties": True}
    schemas["InvoiceDetails"]["properties"]["status"] |= {"minLength": 0, "type": ["null", "string"]}
    get["parameters"][0]["x-provenance"]["note"] = "Another note."
    data["info"]["version"] = "9.0.0"
    turned: Node = _turned(data)
    return turned


def _turned(node: Any) -> Any:
    if isinstance(node, list):
        return [_turned(item) for item in node]
    return {key: _turned(node[key]) for key in reversed(node)} if isinstance(node, dict) else node


State = tuple[Surface, Contract, dict[str, str]]


def state(data: Node) -> State:
    """The surface of a contract and of the package that is generated from it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "openapi.yaml")
        file.write_text("# A comment.\n" + yaml.safe_dump(data, sort_keys=False, indent=3, width=60), encoding="utf-8")
        contract = load(file)
        generate(contract, Path(folder, PACKAGE))
        found = offered(Path(folder))
        return read(contract, found), contract, found


@pytest.fixture(scope="module")
def states() -> Iterator[dict[str, State]]:
    contracts = {"before": both(0), "after": both(1), "harmless": harmless(), "now": DATA}
    with ThreadPoolExecutor(2) as pool:
        yield dict(zip(contracts, pool.map(state, contracts.values()), strict=True))


@pytest.fixture(scope="module")
def changes(states: dict[str, State]) -> list[Change]:
    return compare(states["before"][0], *states["after"][:2])


@pytest.mark.parametrize("expected", ROWS)
def test_a_change_has_its_rating_and_sentence(changes: list[Change], expected: Expected) -> None:
    found = [(change.rating, change.message) for change in changes]
    assert [one for one in expected if one not in found] == []


def test_no_other_change_is_reported_and_the_most_severe_comes_first(changes: list[Change]) -> None:
    expected = [one for row in ROWS for one in row]
    assert [change for change in changes if (change.rating, change.message) not in expected] == []
    assert [change.rating for change in changes] == sorted((change.rating for change in changes), key=RATINGS.index)[
        ::-1
    ]
    assert all(change.wire for change in changes)
    assert rating(changes) == "major"


def test_new_operations_come_first_among_the_additions(changes: list[Change]) -> None:
    kinds = [change.kind for change in changes if change.rating == "minor"]
    count = sum(kind in ("new-operation", "new-iterator") for kind in kinds)
    assert count > 2
    assert {*kinds[:count]} == {"new-operation", "new-iterator"}


def test_one_changelog_item_covers_an_operation_and_its_models(changes: list[Change]) -> None:
    (nested,) = [change for change in changes if "models.Inner" in change.python or "`Inner`" in change.message]
    comparison = Comparison("v1.0.0", ("1.0.0", "1.1.0"), [nested])
    assert problems(comparison, "## 1.1.0\n\n- `client.billing.get_nested()`.\n") == []
    (problem,) = problems(comparison, "## 1.1.0\n\n- `Inner` and `Outer`.\n")
    assert "no item of `## 1.1.0` names `get_nested`: add one for:" in problem


def test_every_model_has_its_place_in_the_contract(states: dict[str, State]) -> None:
    surface = states["after"][0]
    models = {name: known for name, known in surface.items() if name.startswith("models.") and known.python}
    assert {name for name, known in models.items() if not known.wire and not name.endswith("(*)")} == set()
    assert surface["models.ThingMixedType0"].wire == "Thing.mixed"
    assert surface["models.GetInlineResponse409"].wire == "schema GET /get_inline/{account} 409"


# The new type, its reader, an old form, and what it becomes; None: it raises an error.
FORMS_READ: list[tuple[str, Any, Any, Any]] = [
    ("str", reading.string, 5, "5"),
    ("str", reading.string, "Due", "Due"),
    ("str", reading.string, True, None),
    ("int", reading.integer, "5", 5),
    ("int", reading.integer, 5.0, 5),
    ("int", reading.integer, 5.5, None),
    ("float", reading.number, "5.5", 5.5),
    ("float", reading.number, 5, 5),
    ("float", reading.number, "Due", None),
    ("bool", reading.boolean, True, True),
    ("bool", reading.boolean, "true", None),
    ("UUID", reading.uuid, "0b7e1ab0-0000-4000-8000-000000000000", UUID("0b7e1ab0-0000-4000-8000-000000000000")),
    ("UUID", reading.uuid, "Due", None),
    ("datetime.date", reading.date, "2023-07-01T00:00:00Z", datetime.date(2023, 7, 1)),
    ("datetime.date", reading.date, "Due", None),
    ("datetime.datetime", reading.date_time, "2023-07-01", datetime.datetime(2023, 7, 1)),
    ("datetime.datetime", reading.date_time, "Due", None),
]


@pytest.mark.parametrize(("kind", "reader", "old", "becomes"), FORMS_READ)
def test_an_old_form_becomes_what_the_sentence_says(kind: str, reader: Any, old: Any, becomes: Any) -> None:
    form = form_of(f"list[{kind}]", required=True)
    assert form == form_of(kind, required=True) != form_of("dict[str, Any]", required=True)
    if becomes is None:
        assert "raises ContractError" in form
        with pytest.raises(ValueError, match="expected"):
            reader(old, Place(), ".x")
    else:
        assert reader(old, Place(), ".x") == becomes


def test_an_unreadable_date_becomes_none_if_it_is_optional() -> None:
    assert form_of("datetime.date", required=False).endswith("other text becomes None with a deviation")
    assert reading.date_or_none("Due", here := Place(), ".x") is None
    assert [seen for _, _, seen, _ in here.deviations()] == ["text that is not a date"]


def test_a_value_that_is_no_member_of_its_enumeration(tmp_path: Path) -> None:
    data = copy.deepcopy(DATA)
    data["components"]["schemas"]["InvoiceDetails"]["properties"]["status"] = DUE
    file = tmp_path / "openapi.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    generate(load(file), tmp_path / PACKAGE)
    code = (
        f"from {PACKAGE}.models import InvoiceDetails as I, InvoiceDetailsStatus as S\n"
        "print(I(status='No').to_dict(), I(status=S.DUE).to_dict(), S.DUE == 'Due')\n"
        "I.from_dict({'status': 'No'})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "{'status': 'No'} {'status': 'Due'} True\n"
    assert "MisfitError: expected one of the 1 documented values" in done.stderr


def test_a_class_that_goes_is_not_proposed(states: dict[str, State]) -> None:
    found = [{"BasicAuth": "class", "BearerAuth": "class"}, {"BasicAuth": "class"}]
    then, now = (
        read(states[side][1], states[side][2] | hand) for side, hand in zip(("before", "after"), found, strict=True)
    )
    messages = [change.message for change in compare(then, now, states["after"][1])]
    assert "`BearerAuth` was removed: stop using it." in messages
    assert f"{call('get_key_less')} no longer accepts `BasicAuth`: use another one." in messages
    assert not [message for message in messages if "use `BearerAuth`" in message]


def test_every_sentence_occurs(changes: list[Change]) -> None:
    assert {change.kind for change in changes} | {"code", "command-gone"} == SENTENCES.keys()
    assert {rated for rated, _ in SENTENCES.values()} == {*RATINGS} - {"none"}


def test_a_change_has_its_line(states: dict[str, State], changes: list[Change]) -> None:
    by_name = {change.python: change for change in changes}
    line = states["after"][1].places["components", "schemas", "Thing", "properties", "come"][0]
    assert by_name["models.Thing.come"].line == line
    assert by_name["models.Thing.gone_away"].line is None


def test_another_notation_is_no_change(states: dict[str, State]) -> None:
    assert compare(states["now"][0], *states["harmless"][:2]) == []
    assert compare(states["harmless"][0], *states["now"][:2]) == []


# Python that changed without the contract, by a generator, a template, or the client's own code.
OFFERED = {
    "BridgeClient": "class",
    "BridgeClient.from_env": "callable",
    "BridgeClient.from_env()": "Self",
    "BridgeClient.from_env(*)": "environ",
    "BridgeClient.from_env(environ)": "Mapping[str, str] | None = None",
    "errors.PagingError": "class from BridgeError",
}
ENVIRON = "`environ` of `BridgeClient.from_env()`"
PYTHON: list[tuple[dict[str, str | None], Expected]] = [
    ({"NoAuth": "class", "NoAuth()": "None"}, [("minor", "`NoAuth` was added: no action needed.")]),
    ({"BridgeClient.from_env(timeout)": "float = 5.0"}, [("minor", "`timeout` of `BridgeClient.from_env()` was added: no action needed.")]),
    ({"BridgeClient.from_env(timeout)": "float"}, [("major", "`timeout` of `BridgeClient.from_env()` was added and is required: pass it.")]),
    ({"BridgeClient.from_env(environ)": None, "BridgeClient.from_env(*)": ""}, [("major", f"{ENVIRON} was removed: stop using it.")]),
    ({"BridgeClient.from_env(*)": ""}, [("major", "The positional arguments of `BridgeClient.from_env()` changed from (environ) to (): check each call, or pass arguments by name.")]),
    ({"BridgeClient": None}, [("major", "`BridgeClient` was removed: stop using it.")]),
    ({"BridgeClient.from_env(environ)": "Mapping[str, str]"}, [("major", f"{ENVIRON} is now required: pass it.")]),
    ({"BridgeClient.from_env(environ)": "None | Mapping[str, str] = None"}, []),
    ({"BridgeClient.from_env(environ)": "Mapping[str, str] | None = {}"}, [("major", f"The default of {ENVIRON} changed from None to {{}}: pass a value if you relied on the old default.")]),
    ({"BridgeClient.from_env()": "BridgeClient"}, [("major", "`BridgeClient.from_env()` now returns `BridgeClient` instead of `Self`: update code that uses the result.")]),
    ({"errors.PagingError": "class"}, [("major", "`errors.PagingError` changed from `class from BridgeError` to `class`: update its uses.")]),
    ({"models.InvoiceDetails.status": "int | None = None"}, [("major", f"The type of `InvoiceDetails.status` changed from `str | None` to `int | None`: {INT}")]),
]  # fmt: skip


@pytest.mark.parametrize(("edits", "expected"), PYTHON)
def test_a_change_of_python_alone(states: dict[str, State], edits: dict[str, str | None], expected: Expected) -> None:
    _, contract, found = states["now"]
    then = found | OFFERED
    now = {name: text for name, text in (then | edits).items() if text is not None}
    changes = compare(read(contract, then), read(contract, now), contract)
    assert [(change.rating, change.message) for change in changes] == expected


GONE = "The command `talkdesk-bridge invoices` fails with exit status 8, as it needs `iter_account_invoices` with one account: use `talkdesk-bridge get`."


def without_operation(data: Node) -> None:
    data["paths"]["/other"] = data["paths"].pop(PATH)
    data["paths"]["/other"]["get"] |= {"operationId": "get_other", "parameters": []}


def without_list(data: Node) -> None:
    media = data["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"]
    media |= {"schema": {"$ref": f"{REF}InvoiceDetails"}, "examples": {}}


def without_account(data: Node) -> None:
    data["paths"]["/invoices"] = data["paths"].pop(PATH)
    del data["paths"]["/invoices"]["get"]["parameters"][0]


def of_texts(data: Node) -> None:
    data["components"]["schemas"]["InvoiceList"]["properties"]["invoices"]["items"] = TEXT


@pytest.mark.parametrize("change", [without_operation, without_list, without_account, of_texts])
def test_the_command_is_among_what_breaks(states: dict[str, State], change: Callable[[Node], None]) -> None:
    data = copy.deepcopy(DATA)
    change(data)
    surface, contract, _ = state(data)
    changes = compare(states["now"][0], surface, contract)
    found = [one for one in changes if one.kind == "command-gone"]
    assert [(one.rating, one.python, one.message) for one in found] == [("major", "talkdesk-bridge invoices", GONE)]
    assert [one.message for one in compare(surface, states["now"][0], contract) if "`talkdesk" in one.message] == [
        "`talkdesk-bridge invoices` was added: no action needed."
    ]
    comparison = Comparison("v1.0.0", ("1.0.0", "2.0.0"), found)
    assert problems(comparison, "## 2.0.0\n\n- The command `invoices` is gone.\n") == []
    assert problems(comparison, "## 2.0.0\n\n- Something else.\n") != []


@pytest.mark.parametrize(
    ("version", "rated", "following"),
    [("0.1.0", "none", "0.1.0"), ("0.1.0", "patch", "0.1.1"), ("0.1.9", "minor", "0.1.10"), ("0.1.9", "major", "0.2.0"),
     ("1.2.3", "patch", "1.2.4"), ("1.2.3", "minor", "1.3.0"), ("1.2.3", "major", "2.0.0")],
)  # fmt: skip
def test_the_next_version(version: str, rated: str, following: str) -> None:
    assert next_version(version, rated) == following


@pytest.mark.parametrize(
    ("data", "shown"),
    [({"info": {"version": "0.2.0-rc1"}}, "0.2.0-rc1"), ({"info": {"version": 1.2}}, "1.2"), ({"info": 5}, "None"), ({}, "None")],
)  # fmt: skip
def test_a_version_that_is_not_three_numbers_is_named(data: Node, shown: str) -> None:
    with pytest.raises(ComparisonError) as raised:
        three_numbers(Contract(CONTRACT, data))
    assert str(raised.value) == f"openapi.yaml: `info.version` is {shown}: use three numbers, such as 1.4.0."
    with pytest.raises(ComparisonError, match=r"^openapi\.yaml at v0\.1\.0: .*: name another\.$"):
        three_numbers(Contract(CONTRACT, data), " at v0.1.0", "name another")


def test_a_file_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(base: str) -> Comparison:
        raise FileNotFoundError(2, "No such file or directory", "openapi.yaml")

    monkeypatch.setattr(command, "since", missing)
    assert command.main(["--base=HEAD"]) == 2
    assert capsys.readouterr() == ("", "openapi.yaml: No such file or directory.\n")


NOTE = Change("minor", "field-new", "models.InvoiceDetails.note", "InvoiceDetails.note", "It is new.", 7)
NAMED = f"CHANGELOG.md: no item of `## 0.1.1` names `InvoiceDetails note`: add one for:\n- {NOTE.message}"


@pytest.mark.parametrize(
    ("version", "changelog", "message"),
    [
        ("0.1.0", "", "openapi.yaml: `info.version` is 0.1.0, but the changes since v0.1.0 (0.1.0) are rated minor: set it to 0.1.1 and run `make generate` (`make changes` lists the changes)."),
        ("0.1.1", "## 0.1.0\n", "CHANGELOG.md: the section `## 0.1.1` is missing: add it, and describe these changes:\n- It is new."),
        ("0.1.1", "## [0.1.1-rc1]\n\n- `InvoiceDetails.note`.\n", "CHANGELOG.md: the section `## 0.1.1` is missing: add it, and describe these changes:\n- It is new."),
        ("0.1.1", "## 0.1.1\n\n- Something.\n", NAMED),
        ("0.1.1", "## 0.1.1\n\n- InvoiceDetails.\n- A note.\n", NAMED),
        ("0.1.1", "## 0.1.1\n\n- <!-- InvoiceDetails.note --> x\n", NAMED),
        ("0.1.1", "## 0.1.1\n\n- InvoiceDetails.notes\n", NAMED),
        ("0.1.1", "## 0.1.1\n\n## 0.1.0\n\n- InvoiceDetails.note\n", NAMED),
        ("0.1.1", "## [0.1.1] - 2026-11-23\n\n- `InvoiceDetails.note` can be read.\n\n## 0.1.0\n", None),
        ("1.0.0", "## 1.0.0\n\n- `InvoiceDetails` has a note, `note`.\n", None),
    ],
)  # fmt: skip
def test_the_changelog_names_each_change(version: str, changelog: str, message: str | None) -> None:
    found = problems(Comparison("v0.1.0", ("0.1.0", version), [NOTE]), changelog)
    assert found == ([message] if message else [])


@pytest.mark.parametrize(
    ("python", "changelog"),
    [
        ("client.billing.get_x", "`get_x`"),
        ("client.billing.get_x(page)", "`page` of `get_x`"),
        ("client.billing.get_x()", "`get_x` returns"),
        ("models.Extra", "`models.Extra`"),
        ("errors.PagingError", "`PagingError`"),
    ],
)
def test_a_changelog_item_names_the_change(python: str, changelog: str) -> None:
    comparison = Comparison("v1.0.0", ("1.0.0", "2.0.0"), [Change("major", "gone", python, "", "Gone.")])
    assert problems(comparison, f"## 2.0.0\n\n- {changelog}\n") == []
    assert problems(comparison, "## 2.0.0\n\n- Something else.\n") != []


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_no_control_character_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    monkeypatch.setattr(command, "since", lambda base: base)
    monkeypatch.setitem(FORMATS, form, lambda base: f"{base}\x1b[31m\u202e\n\x9b")
    assert command.main(["--base=v1", f"--format={form}"]) == 0
    assert capsys.readouterr().out == "v1\\x1b[31m\\u202e\n\\x9b\n"

"""What a change of the contract means for callers: each kind of change, with its rating and its sentence.

The changes are made to parts of their own, so that two states of one contract show them all.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import CONTRACT, PATH
from tools.changes.compare import compare
from tools.changes.history import Comparison
from tools.changes.report import faults
from tools.changes.sentences import RATINGS, SENTENCES, Change, next_version, rating
from tools.changes.surface import Surface, read
from tools.contract import Contract, load
from tools.generate import PACKAGE, generate, offered

DATA = load(CONTRACT).data
MADE = {"status": "assumed", "source": "a test", "retrieved": "2026-11-23", "note": "Made up."}
REF = "#/components/schemas/"
Node = dict[str, Any]
Told = list[tuple[str, str]]

BRIDGE = "nothing to change in code, but the bridge must accept it."
READ = "must read the attribute."
MADE_WITH = "a response without it is a ContractError, and code that makes the model must pass it."


# What changes: before, after, and what is told. None stands for nothing.


def query(name: str, place: str = "query", *, required: Any = False, **schema: Any) -> Node:
    """A parameter, of text unless its schema says otherwise."""
    needed = {"required": True} if required else {}
    return {"name": name, "in": place, "schema": {"type": "string"} | schema, "x-provenance": MADE} | needed


def argument(name: str) -> str:
    return f"`{name}` of `client.billing.get_things()`"


NUMBER: Any = {"type": "integer"}
ARGUMENTS: list[tuple[Any, Any, Told]] = [
    (None, query("come"), [("minor", f"{argument('come')} is new: nothing to do.")]),
    (None, query("must", required=True), [("major", f"{argument('must')} is new and required: pass it.")]),
    (query("gone"), None, [("major", f"{argument('gone')} is gone: remove its uses.")]),
    (query("needed"), query("needed", required=True), [("major", f"{argument('needed')} is now required: pass it.")]),
    (query("free", required=True), query("free"), [("minor", f"{argument('free')} is now optional: nothing to do.")]),
    (query("moved"), query("moved", "header"), [("major", f"{argument('moved')} is now `header moved` on the wire, it was `query moved`: {BRIDGE}")]),
    (query("on_wire"), query("onWire"), [("major", f"{argument('on_wire')} is now `query onWire` on the wire, it was `query on_wire`: {BRIDGE}")]),
    (query("X-Any-Case", "header"), query("x-any-case", "header"), []),
    (query("kind", type="integer"), query("kind"), [("major", f"{argument('kind')} is now `str | None`, it was `int | None`: adapt code that passes or reads it.")]),
    (query("day", format="date"), query("day", format="date-time"), [("major", f"{argument('day')} is now `datetime.datetime | None`, it was `datetime.date | None`: adapt code that passes or reads it.")]),
    (query("wide", type="integer"), query("wide", type=["integer", "string"]), [("minor", f"{argument('wide')} is now `int | str | None`, it was `int | None`: nothing to do.")]),
    (query("wide_must", type="integer"), query("wide_must", required=True, type=["integer", "string"]), [("major", f"{argument('wide_must')} is now `int | str`, it was `int | None`: adapt code that passes or reads it.")]),
    (query("word"), query("word", enum=["Due"]), [("major", f"{argument('word')} is now `GetThingsWord | None`, it was `str | None`: adapt code that passes or reads it."), ("minor", "`models.GetThingsWord` is new: nothing to do.")]),
    (query("more", enum=["a"]), query("more", enum=["b", "a"]), [("minor", "`models.GetThingsMore.B`, 'b', is new: handle it where all values are handled.")]),
    (query("less", enum=["a", "b"]), query("less", enum=["a"]), [("major", "`models.GetThingsLess.B`, 'b', is gone: remove its uses. A response with it may be a ContractError.")]),
    (query("least", **NUMBER, minimum=1), query("least", **NUMBER, minimum=9), [("major", f"{argument('least')} now has `minimum` 9, it had `minimum` 1: the bridge may reject values that it accepted; check what you pass.")]),
    (query("looser", **NUMBER, minimum=9), query("looser", **NUMBER, minimum=1), [("patch", f"{argument('looser')} now has `minimum` 1, it had `minimum` 9: nothing to do, the client does not check it.")]),
    (query("most", **NUMBER, maximum=9), query("most", **NUMBER, maximum=5), [("major", f"{argument('most')} now has `maximum` 5, it had `maximum` 9: the bridge may reject values that it accepted; check what you pass.")]),
    (query("freed", **NUMBER, maximum=9), query("freed", **NUMBER), [("patch", f"{argument('freed')} now has no `maximum`, it had `maximum` 9: nothing to do, the client does not check it.")]),
    (query("form"), query("form", pattern="^x"), [("major", f"{argument('form')} now has `pattern` \"^x\", it had no `pattern`: the bridge may reject values that it accepted; check what you pass.")]),
    (query("items", type="array", items={"type": "string"}), query("items", type="array", items={"type": "string", "maxLength": 3}), [("major", f"{argument('items')} now has `maxLength` 3, it had no `maxLength`: the bridge may reject values that it accepted; check what you pass.")]),
    (query("named", **{"$ref": f"{REF}Word"}), query("named", **{"$ref": f"{REF}Word"}), [("major", f"{argument('named')} now has `maxLength` 3, it had no `maxLength`: the bridge may reject values that it accepted; check what you pass.")]),
    (query("first"), query("first", default="x"), [("major", f"{argument('first')} now has 'x' as default, it had None: pass a value if the difference matters.")]),
    (query("other", default="x"), query("other", default="y"), [("major", f"{argument('other')} now has 'y' as default, it had 'x': pass a value if the difference matters.")]),
    (query("old"), query("old") | {"deprecated": True}, [("minor", f"{argument('old')} is deprecated: stop using it before it goes.")]),
    (query("odd"), query("odd") | {"allowReserved": True}, [("major", f"{argument('odd')} changed in a way that has no sentence (`allowReserved`): look at the contract, and decide.")]),
]  # fmt: skip

OK = {"200": copy.deepcopy(DATA["paths"][PATH]["get"]["responses"]["200"])}


def operation(
    name: str, path: str = "", method: str = "get", tag: str = "billing", *, responses: Any = None, **more: Any
) -> Node:
    """An operation that lists invoices, unless its responses say otherwise."""
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
    """An operation that sends a body and gets none."""
    sent = {"requestBody": body} if body else {}
    return operation(name, f"/{name}", "post", responses={"204": {"description": "Done"}}, **sent)


def json_of(schema: Any, media_type: str = "application/json", **more: Any) -> Node:
    return {"content": {media_type: {"schema": {"$ref": REF + schema} if isinstance(schema, str) else schema}}, **more}


def inline(**properties: Any) -> Node:
    return {"type": "object", "properties": properties}


def answered(schema: Any, status: str = "200", **more: Any) -> Node:
    return {status: {"description": "OK", **json_of(schema, **more)}}


def call(name: str) -> str:
    return f"`client.billing.{name}()`"


TEXT = {"type": "string"}
ONE_BODY = answered("InvoiceDetails")
OPERATIONS: list[tuple[Any, Any, Told]] = [
    (None, operation("get_come"), [("minor", f"{call('get_come')} is new: nothing to do."), ("minor", f"{call('iter_come')} is new: nothing to do.")]),
    (operation("get_gone"), None, [("major", f"{call('get_gone')} is gone: remove its uses."), ("major", f"{call('iter_gone')} is gone: remove its uses.")]),
    (operation("get_was", "/was/{a}"), operation("get_is", "/was/{a}"), [("major", f"{call('get_was')} was renamed to {call('get_is')}: update its uses."), ("major", f"{call('iter_was')} was renamed to {call('iter_is')}: update its uses.")]),
    (operation("get_tag", responses=ONE_BODY), operation("get_tag", tag="other", responses=ONE_BODY), [("major", f"{call('get_tag')} was renamed to `client.other.get_tag()`: update its uses.")]),
    (operation("get_path", "/path"), operation("get_path", "/v2/path"), [("major", f"{call('get_path')} is now `GET /v2/path` on the wire, it was `GET /path`: {BRIDGE}")]),
    (operation("get_verb", "/verb"), operation("get_verb", "/verb", "post"), [("major", f"{call('get_verb')} is now `POST /verb` on the wire, it was `GET /verb`: {BRIDGE}"), ("major", f"{call('iter_verb')} is gone: remove its uses.")]),
    (operation("get_old"), operation("get_old", deprecated=True), [("minor", f"{call('get_old')} is deprecated: stop using it before it goes.")]),
    (operation("get_arg", "/arg/{was}"), operation("get_arg", "/arg/{name}"), [("major", f"`was` of {call('get_arg')} was renamed to `name`: update keyword arguments.")]),
    (operation("get_order", "/order/{a}/{b}"), operation("get_order", "/order/{b}/{a}"), [("major", f"{call('get_order')} now takes (b, a) as positional arguments, it took (a, b): check each call, or pass them by name.")]),
    (operation("get_fewer", "/fewer/{a}/{b}"), operation("get_fewer", "/fewer/{b}"), [("major", f"{call('get_fewer')} is now `GET /fewer/{{b}}` on the wire, it was `GET /fewer/{{a}}/{{b}}`: {BRIDGE}"), ("major", f"`a` of {call('get_fewer')} is gone: remove its uses.")]),
    (operation("get_moved", "/moved/{a}"), operation("get_moved", "/moved", parameters=[query("a", required=True)]), [
        ("major", f"{call('get_moved')} is now `GET /moved` on the wire, it was `GET /moved/{{a}}`: {BRIDGE}"),
        ("major", f"`a` of {call('get_moved')} is now `query a` on the wire, it was `path a`: {BRIDGE}"),
        ("major", f"{call('get_moved')} now takes () as positional arguments, it took (a): check each call, or pass them by name."),
    ]),
    # bodies
    (added("add_come"), added("add_come", json_of("Sent")), [("minor", f"`body` of {call('add_come')} is new: nothing to do.")]),
    (added("add_must"), added("add_must", json_of("Sent", required=True)), [("major", f"`body` of {call('add_must')} is new and required: pass it.")]),
    (added("add_gone", json_of("Sent")), added("add_gone"), [("major", f"`body` of {call('add_gone')} is gone: remove its uses.")]),
    (added("add_type", json_of("Sent")), added("add_type", json_of("InvoiceItemDetails")), [("major", f"`body` of {call('add_type')} is now `InvoiceItemDetails | None`, it was `Sent | None`: adapt code that passes or reads it.")]),
    (added("add_form", json_of("Sent")), added("add_form", json_of("Sent", "application/x-www-form-urlencoded")), [("major", f"`body` of {call('add_form')} is now sent as application/x-www-form-urlencoded instead of application/json: {BRIDGE}")]),
    (added("add_here", json_of(inline(a=TEXT))), added("add_here", json_of(inline(a=TEXT | {"maxLength": 3}, b=TEXT))), [
        ("major", "`AddHereBody.a` now has `maxLength` 3, it had no `maxLength`: the bridge may reject values that it accepted; check what you pass."),
        ("minor", f'`AddHereBody.b` is new; it is None if the bridge does not send it. Code that read it from `additional_properties["b"]` {READ}'),
    ]),
    # responses
    (operation("get_body", responses=ONE_BODY), operation("get_body", responses=answered("Thing")), [("major", f"{call('get_body')} now returns `Thing` instead of `InvoiceDetails`: adapt code that uses it.")]),
    (operation("get_less", responses=ONE_BODY | {"202": {"description": "Later"}}), operation("get_less", responses=ONE_BODY), [
        ("major", f"{call('get_less')} now raises ContractError for a response 202: handle it if the bridge still sends one."),
        ("minor", f"{call('get_less')} now returns `InvoiceDetails` instead of `InvoiceDetails | None`: nothing to do."),
    ]),
    (operation("get_more", responses=ONE_BODY), operation("get_more", responses=ONE_BODY | answered("InvoiceDetails", "201")), [("minor", f"{call('get_more')} now reads a response 201, which was a ContractError: nothing to do.")]),
    (operation("get_range", responses=ONE_BODY), operation("get_range", responses=answered("InvoiceDetails", "2XX")), [("minor", f"{call('get_range')} now reads a response 2XX, which was a ContractError: nothing to do.")]),
    (operation("get_media", responses=ONE_BODY), operation("get_media", responses=answered("InvoiceDetails", media_type="application/hal+json")), [("major", f"{call('get_media')} is now returned 200 with application/hal+json instead of application/json: nothing to change in code, but the bridge must still accept `Accept: application/json`.")]),
    (operation("get_headed", responses=ONE_BODY), operation("get_headed", responses={"200": ONE_BODY["200"] | {"headers": {"X-Rate": {"schema": NUMBER}}}}), []),
    (operation("get_error", responses=ONE_BODY | answered("ErrorInfo", "4XX")), operation("get_error", responses=ONE_BODY | answered("ErrorDetails", "4XX")), [("major", f"{call('get_error')} now reads an error response 4XX as ErrorDetails instead of ErrorInfo: adapt code that uses `error.body` or `error.error_info`.")]),
    (operation("get_said", responses=ONE_BODY), operation("get_said", responses=ONE_BODY | {"4XX": {"description": "Refused"}, **answered({"allOf": [{"$ref": f"{REF}ErrorInfo"}]}, "5XX")}), []),
    # credentials
    (operation("get_key_more", security=[{"Basic": []}]), operation("get_key_more"), [("minor", f"{call('get_key_more')} now also accepts `BearerAuth`: nothing to do.")]),
    (operation("get_key_less"), operation("get_key_less", security=[{"Bearer": []}]), [("major", f"{call('get_key_less')} no longer accepts `BasicAuth`: give the client `BearerAuth`.")]),
    (operation("get_key_need", security=[]), operation("get_key_need", security=[{"Basic": []}]), [
        ("major", f"{call('get_key_need')} no longer accepts requests without a credential: give the client `BasicAuth`."),
        ("minor", f"{call('get_key_need')} now also accepts `BasicAuth`: nothing to do."),
    ]),
    (operation("get_key_free"), operation("get_key_free", security=[{}]), [("minor", f"{call('get_key_free')} now also accepts requests without a credential: nothing to do.")]),
    (operation("get_key_both"), operation("get_key_both", security=[{"Basic": [], "Bearer": []}]), [
        ("major", f"{call('get_key_both')} no longer accepts `BasicAuth` or `BearerAuth`: give the client `BasicAuth` with `BearerAuth`."),
        ("minor", f"{call('get_key_both')} now also accepts `BasicAuth` with `BearerAuth`: nothing to do."),
    ]),
    (operation("get_key_head", security=[{"Header": []}]), operation("get_key_head", security=[{"Header": []}]), [
        ("major", f'{call("get_key_head")} no longer accepts `HeaderAuth`: give the client `HeaderAuth(..., name="X-Key")`.'),
        ("minor", f'{call("get_key_head")} now also accepts `HeaderAuth(..., name="X-Key")`: nothing to do.'),
    ]),
    (operation("get_key_same", security=[{"Basic": []}]), operation("get_key_same", security=[{"Password": []}]), []),
]  # fmt: skip


def limited(name: str, keyword: str, value: str, was: str) -> str:
    return f"`{name}` now has `{keyword}` {value}, it had {was}"


DUE = {"type": "string", "enum": ["Due"]}
NULL: Node = {"type": ["string", "null"]}
# A field is required if its schema says so, which no schema does.
FIELDS: list[tuple[str, Any, Any, Told]] = [
    ("come", None, TEXT, [("minor", f'`Thing.come` is new; it is None if the bridge does not send it. Code that read it from `additional_properties["come"]` {READ}')]),
    ("must", None, TEXT | {"required": True}, [("major", f'`Thing.must` is new and required: {MADE_WITH} Code that read it from `additional_properties["must"]` {READ}')]),
    ("goneAway", TEXT, None, [("major", '`Thing.gone_away` is gone: remove its uses. If the bridge still sends it, it is in `additional_properties["goneAway"]`.')]),
    ("needed", TEXT, TEXT | {"required": True}, [("major", f"`Thing.needed` is now required: {MADE_WITH}")]),
    ("free", TEXT | {"required": True}, TEXT, [("major", "`Thing.free` may now be None: handle that.")]),
    ("nullable", TEXT | {"required": True}, NULL | {"required": True}, [("major", "`Thing.nullable` may now be None: handle that.")]),
    ("never", NULL | {"required": True}, TEXT | {"required": True}, [("major", "`Thing.never` is now never None: a response with null there may be a ContractError.")]),
    ("left_out", NULL | {"required": True}, NULL, [("minor", "`Thing.left_out` is now optional: nothing to do.")]),
    ("null_too", TEXT, NULL, []),
    ("kind", NUMBER, TEXT, [("major", "`Thing.kind` is now `str | None`, it was `int | None`: adapt code that passes or reads it.")]),
    ("kinds", {"type": "array", "items": NUMBER}, {"type": "array", "items": TEXT}, [("major", "`Thing.kinds` is now `list[str] | None`, it was `list[int] | None`: adapt code that passes or reads it.")]),
    ("day", TEXT | {"format": "date"}, TEXT, [("major", "`Thing.day` is now `str | None`, it was `datetime.date | None`: adapt code that passes or reads it.")]),
    ("word", DUE, TEXT, [("major", "`Thing.word` is now `str | None`, it was `ThingWord | None`: adapt code that passes or reads it."), ("major", "`models.ThingWord` is gone: remove its uses.")]),
    ("open", DUE | {"enum": ["Open"]}, {"anyOf": [{"$ref": f"{REF}Colour"}, TEXT]}, [("major", "`Thing.open_` is now `Colour | str | None`, it was `ThingOpen | None`: adapt code that passes or reads it."), ("major", "`models.ThingOpen` is gone: remove its uses.")]),
    ("limit", TEXT, TEXT | {"maxLength": 9}, [("patch", limited("Thing.limit", "maxLength", "9", "no `maxLength`") + ": nothing to do, the client does not check it.")]),
    ("default", TEXT, TEXT | {"default": "x"}, [("major", "`Thing.default` now has 'x' as default, it had None: pass a value if the difference matters.")]),
    ("old", TEXT, TEXT | {"deprecated": True}, [("minor", "`Thing.old` is deprecated: stop using it before it goes.")]),
    ("more", inline(a=TEXT), inline(a=NUMBER, b=TEXT), [("major", "`ThingMore.a` is now `int | None`, it was `str | None`: adapt code that passes or reads it."), ("minor", f'`ThingMore.b` is new; it is None if the bridge does not send it. Code that read it from `additional_properties["b"]` {READ}')]),
    ("listed", {"type": "array", "items": inline(a=TEXT)}, {"type": "array", "items": inline(a=TEXT), "minItems": 1}, [("patch", limited("Thing.listed", "minItems", "1", "no `minItems`") + ": nothing to do, the client does not check it.")]),
    ("either", {"anyOf": [TEXT, NUMBER]}, {"anyOf": [TEXT, NUMBER | {"minimum": 5}]}, [("patch", limited("Thing.either", "minimum", "5", "no `minimum`") + ": nothing to do, the client does not check it.")]),
    ("turned", {"anyOf": [TEXT | {"format": "uuid"}, TEXT]}, {"anyOf": [TEXT, TEXT | {"format": "uuid"}]}, [("patch", limited("Thing.turned", "format", '"uuid"', "no `format`") + ": nothing to do, the client does not check it."), ("patch", "`Thing.turned` now has no `format`, it had `format` \"uuid\": nothing to do, the client does not check it.")]),
]  # fmt: skip

PART = {"type": "object", "x-provenance": MADE}
COLOUR = {"type": "string", "x-provenance": MADE}
SCHEMAS: list[tuple[Any, Any, Told]] = [
    (None, {"Come": PART}, [("minor", "`models.Come` is new: nothing to do.")]),
    ({"Gone": PART | inline(gone=TEXT)}, None, [("major", "`models.Gone` is gone: remove its uses.")]),
    ({"was": PART | inline(own=TEXT)}, {"is": PART | inline(own=TEXT)}, [("major", "`models.Was` was renamed to `models.Is`: update its uses.")]),
    ({"second": {"allOf": [{"$ref": f"{REF}InvoiceDetails"}], "x-provenance": MADE}}, {"second": PART}, [("major", "`models.Second` was `another name of InvoiceDetails` and is now `class`: adapt its uses.")]),
    ({"Kind": PART | inline(a=TEXT)}, {"Kind": COLOUR | {"enum": ["a"]}}, [("major", "`models.Kind` was `class` and is now `enumeration of StrEnum`: adapt its uses.")]),
    ({"Rest": PART}, {"Rest": PART | {"additionalProperties": TEXT}}, [("major", "`Rest.additional_properties` is now `dict[str, str]`, it was `dict[str, Any]`: adapt code that passes or reads it.")]),
    ({"Old": PART}, {"Old": PART | {"deprecated": True}}, [("minor", "`models.Old` is deprecated: stop using it before it goes.")]),
    ({"Odd": PART}, {"Odd": PART | {"patternProperties": {"^x-": TEXT}}}, [("major", "`models.Odd` changed in a way that has no sentence (`patternProperties/^x-/type`): look at the contract, and decide.")]),
    ({"Names": PART | inline(**{"paidAt": TEXT})}, {"Names": PART | inline(paid_at=TEXT)}, [("major", f"`Names.paid_at` is now `Names.paid_at` on the wire, it was `Names.paidAt`: {BRIDGE}")]),
    ({"Colour": COLOUR | {"enum": ["red", "blue"]}}, {"Colour": COLOUR | {"enum": ["red", "green"]}}, [
        ("minor", "`models.Colour.GREEN`, 'green', is new: handle it where all values are handled."),
        ("major", "`models.Colour.BLUE`, 'blue', is gone: remove its uses. A response with it may be a ContractError."),
    ]),
    ({"Light": COLOUR | {"enum": ["on", "off"]}}, {"Light": COLOUR | {"enum": ["on", "off"], "x-enum-varnames": ["BRIGHT", "OFF"]}}, [("major", "`models.Light.ON` was renamed to `models.Light.BRIGHT`: update its uses.")]),
    ({"Word": TEXT | {"x-provenance": MADE}}, {"Word": TEXT | {"maxLength": 3, "x-provenance": MADE}}, []),  # told where it is used
    ({"Sent": PART | inline(a=TEXT)}, {"Sent": PART | inline(a=TEXT | {"maxLength": 3})}, [("major", limited("Sent.a", "maxLength", "3", "no `maxLength`") + ": the bridge may reject values that it accepted; check what you pass.")]),
]  # fmt: skip

# What only people read is counted: servers, flows, headers, and the words of what comes and goes above.
READ_BY_PEOPLE: Told = [
    ("patch", "The documentation of 7 elements changed: nothing to do."),
    ("patch", "The examples of 1 element changed, and with them what the sandbox sends: nothing to do."),
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
    """The contract, written in another way, and in another order."""
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
    get["responses"]["4XX"]["content"]["application/json"]["schema"] = {"allOf": [{"$ref": f"{REF}ErrorInfo"}]}
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
    wanted = {"before": both(0), "after": both(1), "harmless": harmless(), "now": DATA}
    with ThreadPoolExecutor(2) as pool:
        yield dict(zip(wanted, pool.map(state, wanted.values()), strict=True))


@pytest.fixture(scope="module")
def changes(states: dict[str, State]) -> list[Change]:
    return compare(states["before"][0], *states["after"][:2])


@pytest.mark.parametrize("told", ROWS)
def test_a_change_is_rated_and_told(changes: list[Change], told: Told) -> None:
    found = [(change.rating, change.message) for change in changes]
    assert [one for one in told if one not in found] == []


def test_nothing_else_is_told_and_the_gravest_first(changes: list[Change]) -> None:
    told = [one for row in ROWS for one in row]
    assert [change for change in changes if (change.rating, change.message) not in told] == []
    assert [change.rating for change in changes] == sorted((change.rating for change in changes), key=RATINGS.index)[
        ::-1
    ]
    assert all(change.wire for change in changes)
    assert rating(changes) == "major"


def test_every_sentence_is_told_somewhere(changes: list[Change]) -> None:
    assert {change.kind for change in changes} | {"code"} == SENTENCES.keys()
    assert {rated for rated, _ in SENTENCES.values()} == {*RATINGS} - {"none"}


def test_a_change_names_its_line(states: dict[str, State], changes: list[Change]) -> None:
    by_name = {change.python: change for change in changes}
    line = states["after"][1].places["components", "schemas", "Thing", "properties", "come"][0]
    assert by_name["models.Thing.come"].line == line
    assert by_name["models.Thing.gone_away"].line is None


def test_what_changes_nothing_for_callers(states: dict[str, State]) -> None:
    assert compare(states["now"][0], *states["harmless"][:2]) == []
    assert compare(states["harmless"][0], *states["now"][:2]) == []


# Python that changed, though the contract did not: a generator, a template, or the client's own code.
OFFERED = {
    "BridgeClient": "class",
    "BridgeClient.from_env": "callable",
    "BridgeClient.from_env()": "Self",
    "BridgeClient.from_env(*)": "environ",
    "BridgeClient.from_env(environ)": "Mapping[str, str] | None = None",
    "errors.PagingError": "class from BridgeError",
}
ENVIRON = "`environ` of `BridgeClient.from_env()`"
PYTHON: list[tuple[dict[str, str | None], Told]] = [
    ({"NoAuth": "class", "NoAuth()": "None"}, [("minor", "`NoAuth` is new: nothing to do.")]),
    ({"BridgeClient.from_env(timeout)": "float = 5.0"}, [("minor", "`timeout` of `BridgeClient.from_env()` is new: nothing to do.")]),
    ({"BridgeClient.from_env(timeout)": "float"}, [("major", "`timeout` of `BridgeClient.from_env()` is new and required: pass it.")]),
    ({"BridgeClient.from_env(environ)": None, "BridgeClient.from_env(*)": ""}, [("major", f"{ENVIRON} is gone: remove its uses.")]),
    ({"BridgeClient.from_env(*)": ""}, [("major", "`BridgeClient.from_env()` now takes () as positional arguments, it took (environ): check each call, or pass them by name.")]),
    ({"BridgeClient": None}, [("major", "`BridgeClient` is gone: remove its uses.")]),
    ({"BridgeClient.from_env(environ)": "Mapping[str, str]"}, [("major", f"{ENVIRON} is now required: pass it.")]),
    ({"BridgeClient.from_env(environ)": "None | Mapping[str, str] = None"}, []),
    ({"BridgeClient.from_env(environ)": "Mapping[str, str] | None = {}"}, [("major", f"{ENVIRON} now has {{}} as default, it had None: pass a value if the difference matters.")]),
    ({"BridgeClient.from_env()": "BridgeClient"}, [("major", "`BridgeClient.from_env()` now returns `BridgeClient` instead of `Self`: adapt code that uses it.")]),
    ({"errors.PagingError": "class"}, [("major", "`errors.PagingError` was `class from BridgeError` and is now `class`: adapt its uses.")]),
    ({"models.InvoiceDetails.status": "int | None = None"}, [("major", "`InvoiceDetails.status` is now `int | None`, it was `str | None`: adapt code that passes or reads it.")]),
]  # fmt: skip


@pytest.mark.parametrize(("edits", "told"), PYTHON)
def test_python_that_changed_alone(states: dict[str, State], edits: dict[str, str | None], told: Told) -> None:
    _, contract, found = states["now"]
    then = found | OFFERED
    now = {name: text for name, text in (then | edits).items() if text is not None}
    changes = compare(read(contract, then), read(contract, now), contract)
    assert [(change.rating, change.message) for change in changes] == told


@pytest.mark.parametrize(
    ("version", "rated", "following"),
    [("0.1.0", "none", "0.1.0"), ("0.1.0", "patch", "0.1.1"), ("0.1.9", "minor", "0.1.10"), ("0.1.9", "major", "0.2.0"),
     ("1.2.3", "patch", "1.2.4"), ("1.2.3", "minor", "1.3.0"), ("1.2.3", "major", "2.0.0")],
)  # fmt: skip
def test_the_next_version(version: str, rated: str, following: str) -> None:
    assert next_version(version, rated) == following


NOTE = Change("minor", "field-new", "models.InvoiceDetails.note", "InvoiceDetails.note", "It is new.", 7)
NAMED = f"CHANGELOG.md: no item of `## 0.1.1` names `InvoiceDetails note`: say there:\n- {NOTE.message}"


@pytest.mark.parametrize(
    ("version", "changelog", "told"),
    [
        ("0.1.0", "", "openapi.yaml: `info.version` is 0.1.0, but what changed since v0.1.0 (0.1.0) is minor: set it to 0.1.1, and run `make generate` (`make changes` lists the changes)."),
        ("0.1.1", "## 0.1.0\n", "CHANGELOG.md: has no section `## 0.1.1`: add it, with what users must know of these:\n- It is new."),
        ("0.1.1", "## [0.1.1-rc1]\n\n- `InvoiceDetails.note`.\n", "CHANGELOG.md: has no section `## 0.1.1`: add it, with what users must know of these:\n- It is new."),
        ("0.1.1", "## 0.1.1\n\n- Something.\n", NAMED),
        ("0.1.1", "## 0.1.1\n\n- InvoiceDetails.\n- A note.\n", NAMED),
        ("0.1.1", "## 0.1.1\n\n- <!-- InvoiceDetails.note --> x\n", NAMED),
        ("0.1.1", "## 0.1.1\n\n- InvoiceDetails.notes\n", NAMED),
        ("0.1.1", "## 0.1.1\n\n## 0.1.0\n\n- InvoiceDetails.note\n", NAMED),
        ("0.1.1", "## [0.1.1] - 2026-11-23\n\n- `InvoiceDetails.note` can be read.\n\n## 0.1.0\n", None),
        ("1.0.0", "## 1.0.0\n\n- `InvoiceDetails` has a note, `note`.\n", None),
    ],
)  # fmt: skip
def test_the_changelog_names_what_changed(version: str, changelog: str, told: str | None) -> None:
    found = faults(Comparison("v0.1.0", ("0.1.0", version), [NOTE]), changelog)
    assert found == ([told] if told else [])


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
def test_what_an_item_must_name(python: str, changelog: str) -> None:
    comparison = Comparison("v1.0.0", ("1.0.0", "2.0.0"), [Change("major", "gone", python, "", "Gone.")])
    assert faults(comparison, f"## 2.0.0\n\n- {changelog}\n") == []
    assert faults(comparison, "## 2.0.0\n\n- Something else.\n") != []

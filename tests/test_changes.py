"""What a change of the contract means for callers: single changes of the real contract, each with rating and sentence."""

from __future__ import annotations

import copy
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import CONTRACT, PATH
from tools.changes.compare import compare, next_version, rating
from tools.changes.ledger import Side
from tools.changes.sentences import RATINGS, SENTENCES
from tools.contract import load
from tools.generate import PACKAGE, generate
from tools.looking import offered

DATA = load(CONTRACT).data

# Where edits are made: the operation, its parameters, the schemas, a documented schema and its properties.
GET = ("paths", PATH, "get")
NAMES = [node.get("name") for node in DATA["paths"][PATH]["get"]["parameters"]]
NUMBER, PAGE, PER_PAGE = ((*GET, "parameters", index) for index in (0, NAMES.index("page"), NAMES.index("per_page")))
ANSWERS = (*GET, "responses")
SCHEMAS = ("components", "schemas")
INVOICE = (*SCHEMAS, "InvoiceDetails")
STATUS, DUE, AMOUNT = ((*INVOICE, "properties", name) for name in ("status", "invoice_due_date", "amount"))
ITEM = (*SCHEMAS, "InvoiceItemDetails", "properties")
SCHEMES = ("components", "securitySchemes")
MADE = {"status": "assumed", "source": "a test", "retrieved": "2026-11-23", "note": "Made up."}
GONE = object()

Edit = tuple[tuple[str | int, ...], Any]


def renamed(where: tuple[str | int, ...], name: str) -> Edit:
    """The last key of a place becomes another one."""
    return where, lambda holder: holder.update({name: holder.pop(where[-1])})


def query(name: str, *, required: bool = False, **schema: Any) -> Edit:
    """One more query parameter."""
    node: dict[str, Any] = {"name": name, "in": "query", "schema": {"type": "string"} | schema, "x-provenance": MADE}
    node |= {"required": True} if required else {}
    return (*GET, "parameters"), lambda holder: holder["parameters"].append(node)


def another(operation: str, path: str, *edits: Edit, method: str = "get") -> Edit:
    """One more operation, made after the documented one."""

    def add(paths: Any) -> None:
        node = copy.deepcopy(paths[PATH]["get"]) | {"operationId": operation}
        names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
        node["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in sorted(names)
        ]
        paths.setdefault(path, {"x-provenance": MADE})[method] = node
        for where, value in edits:
            put(node, where, value)

    return ("paths", path), add


def added(**body: Any) -> Edit:
    """An operation that sends an invoice."""
    return another("add_invoice", "/invoices", *([(("requestBody",), body)] if body else []), method="post")


def body(schema: str = "InvoiceDetails", media_type: str = "application/json", **more: Any) -> dict[str, Any]:
    return {"content": {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}, **more}


def inline(**properties: Any) -> dict[str, Any]:
    """A body of a schema that is written in place."""
    return {"content": {"application/json": {"schema": {"type": "object", "properties": properties}}}}


def put(data: Any, where: tuple[str | int, ...], value: Any) -> None:
    holder = data
    for key in where[:-1]:
        holder = holder[key]
    key = where[-1]
    if callable(value):
        value(holder)
    elif value is GONE:
        del holder[key]
    elif isinstance(holder, list) and key == len(holder):
        holder.append(value)
    else:
        holder[key] = value


def edited(*edits: Edit) -> str:
    """The contract after some edits, as JSON, which is YAML, too."""
    data = copy.deepcopy(DATA)
    for where, value in edits:
        put(data, where, value)
    return json.dumps(data, indent=1)


def state(text: str) -> Side:
    """A contract, with what the package that is generated from it offers."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "openapi.json")
        file.write_text(text, encoding="utf-8")
        contract = load(file)
        generate(contract, Path(folder, PACKAGE))
        return Side(contract, offered(Path(folder)))


def opened(*values: str) -> list[Edit]:
    """The status of an invoice as an enumeration that leaves other values open."""
    known = {"type": "string", "enum": [*values], "x-provenance": MADE}
    return [(STATUS, {"anyOf": [{"$ref": f"{REF}Status"}, {"type": "string"}]}), ((*SCHEMAS, "Status"), known)]


Row = tuple[list[Edit], list[Edit], list[tuple[str, str]]]
CALL = "`client.billing.get_account_invoices()`"
ITERATOR = "`client.billing.iter_account_invoices()`"
REF = "#/components/schemas/"
# Whoever corrects what is assumed does not have to correct the table.
ARGUMENT = str(load(CONTRACT).at((*NUMBER, "name")))
HEADER = str(load(CONTRACT).at((*SCHEMES, "HeaderKey", "name")))
OTHER = PATH.replace(f"{{{ARGUMENT}}}", "{account}")
OK = (*ANSWERS, "200")
ROWS: list[Row] = [
    # operations
    ([], [another('get_balance', '/balance/{account}')], [("minor", "`client.billing.get_balance()` and `client.billing.iter_balance()` are new: nothing to do.")]),
    ([another('get_balance', '/balance/{account}')], [], [("major", "`client.billing.get_balance()` and `client.billing.iter_balance()` are gone: remove the calls.")]),
    ([], [((*GET, 'operationId'), 'get_invoices')], [("major", f"{CALL} is now `client.billing.get_invoices()` and {ITERATOR} is now `client.billing.iter_invoices()`: rename the calls.")]),
    ([], [((*GET, 'tags'), ['invoices']), (('tags', 1), {'name': 'invoices', 'x-provenance': MADE})], [("major", f"{CALL} is now `client.invoices.get_account_invoices()` and {ITERATOR} is now `client.invoices.iter_account_invoices()`: rename the calls.")]),
    ([], [((*GET, 'deprecated'), True)], [("minor", f"{CALL} is deprecated: stop calling it before it goes.")]),
    ([], [renamed(('paths', PATH), f'/v2{PATH}')], [("major", f"{CALL} asks `GET /v2{PATH}` instead of `GET {PATH}`: nothing to change in code, but the bridge must expect it.")]),
    ([], [renamed(GET, 'post')], [("major", f"{CALL} asks `POST {PATH}` instead of `GET {PATH}`: nothing to change in code, but the bridge must expect it."), ("major", f"{ITERATOR} is gone: read the body of {CALL} instead.")]),
    ([], [((*SCHEMAS, 'InvoiceList', 'properties', 'notes'), {'type': 'array', 'items': {'type': 'string'}})], [("major", f"{ITERATOR} is gone: read the body of {CALL} instead."), ("minor", '`InvoiceList.notes` is new, and None where it is not sent. Code that read it from `additional_properties["notes"]` must read the attribute.')]),
    ([((*SCHEMAS, 'InvoiceList', 'properties', 'notes'), {'type': 'array', 'items': {'type': 'string'}})], [], [("major", '`InvoiceList.notes` is gone: remove its uses. If the bridge still sends it, it is in `additional_properties["notes"]`.'), ("minor", f"{ITERATOR} is new: nothing to do.")]),
    # arguments
    ([], [query('a_word')], [("minor", f"{CALL} takes `a_word`: nothing to do.")]),
    ([], [query('a_word', required=True)], [("major", f"{CALL} needs `a_word`: pass it.")]),
    ([], [(PER_PAGE, GONE)], [("major", f"{CALL} does not take `per_page` any more: remove the argument.")]),
    ([], [(PAGE, GONE)], [("major", f"{CALL} does not take `page` any more: remove the argument. {ITERATOR} follows links only.")]),
    ([(PAGE, GONE)], [], [("minor", f"{CALL} takes `page`: nothing to do. {ITERATOR} can go on by page numbers.")]),
    ([], [((*PER_PAGE, 'name'), 'size')], [("major", f"{CALL} does not take `per_page` any more: remove the argument. If it was renamed, it is `size` now."), ("minor", f"{CALL} takes `size`: nothing to do.")]),
    ([], [renamed(('paths', PATH), OTHER), (('paths', OTHER, 'get', 'parameters', 0, 'name'), 'account')], [("major", f"{CALL} calls its argument `{ARGUMENT}` now `account`: whoever passes it by name renames it.")]),
    ([], [((*PER_PAGE, 'required'), True)], [("major", f"{CALL} needs `per_page` now: pass it.")]),
    ([((*PER_PAGE, 'required'), True)], [], [("minor", f"{CALL} can do without `per_page`: nothing to do.")]),
    ([another('get_x', '/{a}/{b}')], [another('get_x', '/{b}/{a}')], [("major", "`client.billing.get_x()` takes its arguments in another order, (b, a): pass them by name, or check each call.")]),
    ([], [((*PER_PAGE, 'in'), 'header')], [("major", f"{CALL} sends `per_page` in the header instead of the query: nothing to change in code, but the bridge must expect it.")]),
    ([], [((*PER_PAGE, 'schema'), {'type': 'string'})], [("major", f"{CALL} takes `per_page` as `str | None`, it was `int | None`: adapt what passes it.")]),
    ([], [((*PER_PAGE, 'schema', 'type'), ['integer', 'string'])], [("minor", f"{CALL} takes `per_page` as `int | str | None`, it was `int | None`: nothing to do.")]),
    ([query('a_word')], [query('a_word', enum=['Due', 'Paid'])], [("major", f"{CALL} takes `a_word` as `models.GetAccountInvoicesAWord` ('Due', 'Paid'), it was `str | None`: pass a member; a plain value fails.")]),
    ([], [((*PER_PAGE, 'schema', 'minimum'), 10)], [("major", f"`per_page` of {CALL} has `minimum` 10 now (it was 1): the bridge may refuse what it took; check what you pass.")]),
    ([], [((*PER_PAGE, 'schema', 'maximum'), 100)], [("major", f"`per_page` of {CALL} has `maximum` 100 now: the bridge may refuse what it took; check what you pass.")]),
    ([((*PER_PAGE, 'schema', 'maximum'), 100)], [((*PER_PAGE, 'schema', 'maximum'), 50)], [("major", f"`per_page` of {CALL} has `maximum` 50 now (it was 100): the bridge may refuse what it took; check what you pass.")]),
    ([], [((*PER_PAGE, 'schema', 'minimum'), GONE)], [("patch", f"`per_page` of {CALL} has no `minimum` any more: nothing to do, the client does not check it.")]),
    ([], [((*NUMBER, 'schema', 'pattern'), '^[0-9]+$')], [("major", f'`{ARGUMENT}` of {CALL} has `pattern` "^[0-9]+$" now: the bridge may refuse what it took; check what you pass.')]),
    ([], [((*PER_PAGE, 'schema', 'default'), 50)], [("major", f"`per_page` of {CALL} has the default 50 now: where it is not given, the bridge may do otherwise; give what you mean, if not that.")]),
    ([((*PER_PAGE, 'schema', 'default'), 20)], [((*PER_PAGE, 'schema', 'default'), 50)], [("major", f"`per_page` of {CALL} has the default 50 now (it was 20): where it is not given, the bridge may do otherwise; give 20 to keep what was.")]),
    ([((*PER_PAGE, 'schema', 'default'), 20)], [], [("major", f"`per_page` of {CALL} has no default any more: where it is not given, the bridge may do otherwise; give 20 to keep what was.")]),
    ([], [((*PER_PAGE, 'deprecated'), True)], [("minor", f"`per_page` of {CALL} is deprecated: stop passing it before it goes.")]),
    # bodies of requests
    ([added()], [added(**body())], [("minor", "`client.billing.add_invoice()` takes `body`: nothing to do.")]),
    ([added()], [added(**body(required=True))], [("major", "`client.billing.add_invoice()` needs `body`: pass it.")]),
    ([added(**body())], [added()], [("major", "`client.billing.add_invoice()` does not take `body` any more: remove the argument.")]),
    ([added(**body())], [added(**body(required=True))], [("major", "`client.billing.add_invoice()` needs `body` now: pass it.")]),
    ([added(**body(required=True))], [added(**body())], [("minor", "`client.billing.add_invoice()` can do without `body`: nothing to do.")]),
    ([added(**body())], [added(**body('InvoiceItemDetails'))], [("major", "`client.billing.add_invoice()` takes `body` as `InvoiceItemDetails | None`, it was `InvoiceDetails | None`: adapt what passes it.")]),
    ([added(**body())], [added(**body(media_type='application/x-www-form-urlencoded'))], [("major", "`client.billing.add_invoice()` sends its body as application/x-www-form-urlencoded instead of application/json: nothing to change in code, but the bridge must expect it.")]),
    ([added(**body())], [added(**body()), ((*AMOUNT, 'maxLength'), 20)], [("major", "`InvoiceDetails.amount` has `maxLength` 20 now: the bridge may refuse what it took; check what you pass.")]),
    # answers
    ([], [((*OK, 'content', 'application/json', 'schema', '$ref'), REF + 'InvoiceList')], [("major", f"{ITERATOR} is gone: read the body of {CALL} instead."), ("major", f"{CALL} returns `InvoiceList`, it was `InvoiceDetailsResponse`: adapt what uses it.")]),
    ([((*ANSWERS, '202'), {'description': 'Later'})], [], [("major", f"An answer 202 to {CALL} is a ContractError now: handle that, if the bridge still sends it."), ("minor", f"{ITERATOR} is new: nothing to do."), ("minor", f"{CALL} returns `InvoiceDetailsResponse`, it was `InvoiceDetailsResponse | None`: nothing to do.")]),
    ([], [((*ANSWERS, '201'), {'description': 'New', **body('InvoiceDetailsResponse')})], [("major", f"{ITERATOR} is gone: read the body of {CALL} instead."), ("minor", f"An answer 201 to {CALL} is read, it was a ContractError: nothing to do.")]),
    ([((*ANSWERS, '201'), {'description': 'New', **body('InvoiceDetailsResponse')})], [], [("major", f"An answer 201 to {CALL} is a ContractError now: handle that, if the bridge still sends it."), ("minor", f"{ITERATOR} is new: nothing to do.")]),
    ([], [renamed((*OK, 'content', 'application/json'), 'application/hal+json')], [("major", f"The answer 200 to {CALL} is application/hal+json instead of application/json: it is read as before, but the client asks for application/json, which the bridge must accept.")]),
    ([], [((*OK, 'headers'), {'X-Rate': {'schema': {'type': 'integer'}}})], [("patch", f"The headers of the answer 200 to {CALL} changed: nothing to do, the client does not read them.")]),
    ([], [((*ANSWERS, '5XX'), {'description': 'Failed'})], [("patch", f"Refusals 5XX of {CALL} are described now: nothing to do, they are raised as StatusError as before.")]),
    ([], [((*ANSWERS, '4XX', 'content', 'application/json', 'schema', '$ref'), REF + 'ErrorDetails')], [("major", f"Refusals 4XX of {CALL} carry ErrorDetails instead of ErrorInfo: `error.error_info` may be None; handle that.")]),
    # credentials
    ([((*GET, 'security', 3), GONE)], [], [("minor", f"{CALL} accepts `OAuth2ClientCredentials`: nothing to do.")]),
    ([], [((*GET, 'security', 1), GONE)], [("major", f"{CALL} does not accept `BasicAuth` any more: give the client `BearerAuth` or `HeaderAuth` or `OAuth2ClientCredentials`.")]),
    ([((*GET, 'security'), [])], [], [("major", f"{CALL} needs a credential now: give the client `BasicAuth` or `BearerAuth` or `HeaderAuth` or `OAuth2ClientCredentials`.")]),
    ([], [((*GET, 'security'), [])], [("minor", f"{CALL} needs no credential any more: nothing to do.")]),
    ([], [((*SCHEMES, 'Basic', 'scheme'), 'bearer')], [("major", "The credential Basic is of another kind now: give the client `BearerAuth`.")]),
    ([], [((*SCHEMES, 'HeaderKey', 'name'), 'X-API-Key')], [("major", f'The credential HeaderKey is sent in the header `X-API-Key` instead of the header `{HEADER}`: make it with `HeaderAuth(value, name="X-API-Key")`.')]),
    ([], [((*SCHEMES, 'OAuth2', 'flows', 'clientCredentials', 'tokenUrl'), '/token')], [("patch", "The credential OAuth2 is described otherwise: nothing to do, a client is given URLs and scopes.")]),
    # models
    ([], [((*SCHEMAS, 'Extra'), {'type': 'object', 'x-provenance': MADE})], [("minor", "`models.Extra` is new: nothing to do.")]),
    ([((*SCHEMAS, 'Extra'), {'type': 'object', 'x-provenance': MADE})], [], [("major", "`models.Extra` is gone: remove its uses.")]),
    ([], [renamed((*SCHEMAS, 'ErrorDetailsProperties'), 'Place'), ((*SCHEMAS, 'ErrorDetails', 'properties', 'properties', '$ref'), REF + 'Place')], [("major", "`models.ErrorDetailsProperties` is now `models.Place`: rename its uses.")]),
    ([], [((*SCHEMAS, 'invoice_details_reponse'), GONE)], [("major", "`models.InvoiceDetailsReponse` is gone: use `models.InvoiceDetailsResponse`, the same class.")]),
    ([], [((*SCHEMAS, 'invoice_details_reponse'), {'type': 'object', 'x-provenance': MADE})], [("major", "`models.InvoiceDetailsReponse` is a class, it was another name of InvoiceDetailsResponse: adapt its uses."), ("patch", "The schema `invoice_details_reponse` is assumed, it was documented: nothing to do.")]),
    ([], [((*INVOICE, 'additionalProperties'), {'type': 'string'})], [("major", "`InvoiceDetails.additional_properties` is `dict[str, str]`, it was `dict[str, Any]`: adapt what reads it.")]),
    ([], [((*INVOICE, 'deprecated'), True)], [("minor", "`models.InvoiceDetails` is deprecated: stop using it before it goes.")]),
    # fields
    ([], [((*INVOICE, 'properties', 'note'), {'type': 'string'})], [("minor", '`InvoiceDetails.note` is new, and None where it is not sent. Code that read it from `additional_properties["note"]` must read the attribute.')]),
    ([], [((*INVOICE, 'properties', 'note'), {'type': 'string'}), ((*INVOICE, 'required'), ['note'])], [("major", '`InvoiceDetails.note` is new and required: an answer without it is a ContractError, and whoever makes the model gives it. Code that read it from `additional_properties["note"]` must read the attribute.')]),
    ([], [(STATUS, GONE)], [("major", '`InvoiceDetails.status` is gone: remove its uses. If the bridge still sends it, it is in `additional_properties["status"]`.')]),
    ([], [renamed((*ITEM, 'installment_number'), 'number')], [("major", "`InvoiceItemDetails.installment_number` is gone: remove its uses. If it was renamed, it is `InvoiceItemDetails.number` now."), ("minor", '`InvoiceItemDetails.number` is new, and None where it is not sent. Code that read it from `additional_properties["number"]` must read the attribute.')]),
    ([], [((*INVOICE, 'required'), ['status'])], [("major", "`InvoiceDetails.status` is required now: an answer without it is a ContractError, and whoever makes the model gives it.")]),
    ([((*INVOICE, 'required'), ['status'])], [], [("major", "`InvoiceDetails.status` may be None now: handle that.")]),
    ([((*INVOICE, 'required'), ['status'])], [((*INVOICE, 'required'), ['status']), ((*STATUS, 'type'), ['string', 'null'])], [("major", "`InvoiceDetails.status` may be None now: handle that.")]),
    ([((*INVOICE, 'required'), ['status']), ((*STATUS, 'type'), ['string', 'null'])], [((*INVOICE, 'required'), ['status'])], [("major", "`InvoiceDetails.status` is never None now: an answer with null there may be a ContractError.")]),
    ([], [((*STATUS, 'type'), ['string', 'null'])], [("patch", "`InvoiceDetails.status` is written otherwise in the contract: nothing to do, it reads as before.")]),
    ([], [((*ITEM, 'installment_number', 'type'), 'string')], [("major", "`InvoiceItemDetails.installment_number` is `str | None`, it was `int | None`: adapt what reads or sets it.")]),
    ([], [((*DUE, 'format'), GONE)], [("major", "`InvoiceDetails.invoice_due_date` is `str | None`, it was `datetime.date | None`: adapt what reads or sets it.")]),
    ([], [((*SCHEMAS, 'InvoiceList', 'properties', 'invoices', 'items'), {'type': 'string'})], [("major", "`InvoiceList.invoices` is `list[str] | None`, it was `list[InvoiceDetails] | None`: adapt what reads or sets it."), ("major", f"{ITERATOR} returns `Items[InvoiceDetailsResponse, str]`, it was `Items[InvoiceDetailsResponse, InvoiceDetails]`: adapt what uses it.")]),
    ([], [((*STATUS, 'enum'), ['Due', 'Paid'])], [("major", "`InvoiceDetails.status` is now an enumeration, `models.InvoiceDetailsStatus` ('Due', 'Paid'), it was `str | None`: comparing it with a plain value still works; another value is a ContractError.")]),
    ([], [*opened('Due')], [("major", "`InvoiceDetails.status` is now an enumeration, `models.Status` ('Due'), it was `str | None`: comparing it with a plain value still works; another value stays a plain one."), ("minor", "`models.Status` is new: nothing to do.")]),
    ([((*STATUS, 'enum'), ['Due'])], [], [("major", "`InvoiceDetails.status` is `str | None`, it was `InvoiceDetailsStatus | None`: adapt what reads or sets it.")]),
    ([((*STATUS, 'enum'), ['Due'])], [((*STATUS, 'enum'), ['Due', 'Paid'])], [("minor", "`models.InvoiceDetailsStatus.PAID`, 'Paid', is new: handle it where every value is handled.")]),
    ([*opened('Due')], [*opened('Due', 'Paid')], [("minor", "`models.Status.PAID`, 'Paid', is new: handle it where every value is handled.")]),
    ([((*STATUS, 'enum'), ['Due', 'Paid'])], [((*STATUS, 'enum'), ['Due'])], [("major", "`models.InvoiceDetailsStatus.PAID`, 'Paid', is gone: remove its uses; where only these values are allowed, an answer with it is a ContractError now.")]),
    ([((*STATUS, 'enum'), ['Due'])], [((*STATUS, 'enum'), ['Due']), ((*STATUS, 'x-enum-varnames'), ['OPEN'])], [("major", "`models.InvoiceDetailsStatus.DUE` is now `models.InvoiceDetailsStatus.OPEN`: rename its uses.")]),
    ([], [((*STATUS, 'maxLength'), 10)], [("patch", "`InvoiceDetails.status` has `maxLength` 10 now: nothing to do, the client does not check it.")]),
    ([], [((*STATUS, 'default'), 'Due')], [("major", '`InvoiceDetails.status` has the default "Due" now: a model made without it differs; give what you mean, if not that.')]),
    ([], [((*STATUS, 'deprecated'), True)], [("minor", "`InvoiceDetails.status` is deprecated: stop using it before it goes.")]),
    ([((*INVOICE, 'properties', 'more'), {'type': 'object', 'properties': {'a': {'type': 'string'}}})], [((*INVOICE, 'properties', 'more'), {'type': 'object', 'properties': {'a': {'type': 'integer'}, 'b': {'type': 'string'}}})], [("major", "`InvoiceDetailsMore.a` is `int | None`, it was `str | None`: adapt what reads or sets it."), ("minor", '`InvoiceDetailsMore.b` is new, and None where it is not sent. Code that read it from `additional_properties["b"]` must read the attribute.')]),
    # what is only read by people
    ([], [((*PAGE, 'x-provenance', 'status'), 'observed')], [("patch", "The parameter `page` is observed, it was assumed: nothing to do.")]),
    ([], [((*STATUS, 'description'), 'Due, or another word.')], [("patch", "The documentation of 1 element changed: nothing to do.")]),
    ([], [((*NUMBER, 'example'), '2')], [("patch", "The examples of 1 element changed, and so what the sandbox answers: nothing to do.")]),
    ([], [(('servers',), [{'url': '/v2'}])], [("patch", "The servers changed: nothing to do, a client is given its base URL.")]),
    # what no sentence knows
    ([], [((*INVOICE, 'patternProperties'), {'^x-': {'type': 'string'}})], [("major", "The schema `InvoiceDetails` changed in a way that has no sentence: look at the contract, and decide.")]),
    ([], [((*GET, 'externalDocs'), {'url': 'https://docs.example'})], [("patch", "The documentation of 1 element changed: nothing to do.")]),
    # several at once, and what hides behind another name or place
    ([query('q', type='array', items={'type': 'string'})], [query('q', type='array', items={'type': 'string', 'maxLength': 3}), ((*GET, 'deprecated'), True)], [("major", f"`q` of {CALL} changed in a way that has no sentence: look at the contract, and decide."), ("minor", f"{CALL} is deprecated: stop calling it before it goes.")]),
    ([((*GET, 'security'), [{'Basic': []}, {'Bearer': []}])], [((*GET, 'security'), [{'Basic': [], 'Bearer': []}]), query('q')], [("major", f"What {CALL} needs together changed in a way that has no sentence: look at the contract, and decide."), ("minor", f"{CALL} takes `q`: nothing to do.")]),
    ([((*GET, 'security'), [{}, {'Basic': []}])], [((*GET, 'security'), [{'Basic': []}])], [("major", f"{CALL} needs a credential now: give the client `BasicAuth`.")]),
    ([added(**inline(a={'type': 'string'}))], [added(**inline(a={'type': 'string', 'maxLength': 3}))], [("major", "`AddInvoiceBody.a` has `maxLength` 3 now: the bridge may refuse what it took; check what you pass.")]),
    ([added(**inline(a={'type': 'string'}))], [added(**inline(a={'type': 'string'}, b={'type': 'string'}))], [("minor", '`AddInvoiceBody.b` is new, and None where it is not sent. Code that read it from `additional_properties["b"]` must read the attribute.')]),
    ([], [((*INVOICE, 'patternProperties'), {'^x-': {'type': 'string'}}), ((*INVOICE, 'properties', 'note'), {'type': 'string'})], [("major", "The schema `InvoiceDetails` changed in a way that has no sentence: look at the contract, and decide."), ("minor", '`InvoiceDetails.note` is new, and None where it is not sent. Code that read it from `additional_properties["note"]` must read the attribute.')]),
    ([added(**body()), ((*INVOICE, 'properties', 'n'), {'anyOf': [{'type': 'string'}, {'type': 'integer'}]})], [added(**body()), ((*INVOICE, 'properties', 'n'), {'anyOf': [{'type': 'string'}, {'type': 'integer', 'minimum': 5}]})], [("major", "`InvoiceDetails.n` changed in a way that has no sentence: look at the contract, and decide.")]),
    ([((*SCHEMAS, 'Word'), {'type': 'string', 'x-provenance': MADE}), query('q', type='array', items={'$ref': REF + 'Word'})], [((*SCHEMAS, 'Word'), {'type': 'string', 'maxLength': 3, 'x-provenance': MADE}), query('q', type='array', items={'$ref': REF + 'Word'})], [("major", "`Word` has `maxLength` 3 now: the bridge may refuse what it took; check what you pass.")]),
    ([], [((*SCHEMES, 'OAuth2', 'flows'), {'authorizationCode': {'authorizationUrl': '/a', 'tokenUrl': '/t', 'scopes': {}}})], [("major", "The credential OAuth2 is of another kind now: give the client `BearerAuth`, with a token from elsewhere.")]),
    ([], [((*PER_PAGE, 'name'), 'perPage')], [("major", f"{CALL} sends `per_page` as `perPage`, it was `per_page`: nothing to change in code, but the bridge must expect it.")]),
    ([((*INVOICE, 'properties', 'paidAt'), {'type': 'string'})], [((*INVOICE, 'properties', 'paid_at'), {'type': 'string'})], [("major", "`InvoiceDetails.paid_at` is `paid_at` on the wire, it was `paidAt`: nothing to change in code, but the bridge must use it.")]),
    ([another('get_x', '/x/{a}/{b}')], [another('get_x', '/x/{b}')], [("major", "`client.billing.get_x()` asks `GET /x/{b}` instead of `GET /x/{a}/{b}`: nothing to change in code, but the bridge must expect it."), ("major", "`client.billing.get_x()` does not take `a` any more: remove the argument.")]),
    ([another('get_x', '/x/{a}')], [another('get_x', '/x', (('parameters',), [{'name': 'a', 'in': 'query', 'required': True, 'schema': {'type': 'string'}}]))], [("major", "`client.billing.get_x()` asks `GET /x` instead of `GET /x/{a}`: nothing to change in code, but the bridge must expect it."), ("major", "`client.billing.get_x()` sends `a` in the query instead of the path: nothing to change in code, but the bridge must expect it."), ("major", "`client.billing.get_x()` takes its arguments in another order, (): pass them by name, or check each call.")]),
    ([query('q', enum=['a', 'b'])], [query('q', enum=['a', 'b', 'c'])], [("minor", "`models.GetAccountInvoicesQ.C`, 'c', is new: handle it where every value is handled.")]),
    ([query('q', enum=['a', 'b'])], [query('q', enum=['a'])], [("major", "`models.GetAccountInvoicesQ.B`, 'b', is gone: remove its uses; where only these values are allowed, an answer with it is a ContractError now.")]),
    ([], [renamed(OK, '2XX')], [("minor", f"An answer 2XX to {CALL} is read, it was a ContractError: nothing to do.")]),
    ([((*ANSWERS, '4XX', 'content', 'application/json', 'schema', '$ref'), REF + 'ErrorDetails')], [], [("patch", f"Refusals 4XX of {CALL} are described as ErrorInfo: nothing to do, they are raised as StatusError as before.")]),
    ([((*INVOICE, 'required'), ['status']), ((*STATUS, 'type'), ['string', 'null'])], [((*STATUS, 'type'), ['string', 'null'])], [("patch", "`InvoiceDetails.status` is written otherwise in the contract: nothing to do, it reads as before.")]),
    ([((*STATUS, 'enum'), ['Due'])], [*opened('Due')], [("major", "`InvoiceDetails.status` is `Status | str | None`, it was `InvoiceDetailsStatus | None`: adapt what reads or sets it."), ("minor", "`models.Status` is new: nothing to do.")]),
    ([query('q', format='date')], [query('q', format='date-time')], [("major", f"{CALL} takes `q` as `datetime.datetime | None`, it was `datetime.date | None`: adapt what passes it.")]),
    ([query('word'), ((*SCHEMAS, 'word'), {'type': 'object', 'x-provenance': MADE})], [query('word'), ((*SCHEMAS, 'term'), {'type': 'object', 'x-provenance': MADE})], [("major", "`models.Word` is now `models.Term`: rename its uses.")]),
]  # fmt: skip

# What changes nothing for callers.
NOTHING: list[list[Edit]] = [
    [((*GET, 'security'), lambda holder: holder['security'].reverse())],
    [((*PER_PAGE, 'required'), False)],
    [((*PER_PAGE, 'explode'), True)],
    [((*INVOICE, 'required'), [])],
    [((*INVOICE, 'additionalProperties'), True)],
    [((*ANSWERS, '4XX', 'content', 'application/json', 'schema'), {'allOf': [{'$ref': REF + 'ErrorInfo'}]})],
    [((*GET, 'operationId'), 'getAccountInvoices')],
    [((*GET, 'tags'), ['billing', 'more']), (('tags', 1), {'name': 'more', 'x-provenance': MADE})],
    [((*SCHEMES, 'Bearer', 'scheme'), 'Bearer')],
    [((*STATUS, 'minLength'), 0)],
    [renamed((*SCHEMES, 'Basic'), 'Password'), ((*GET, 'security', 1), {'Password': []})],
    [(('info', 'version'), '9.0.0')],
    [((*GET, 'x-other'), 1)],
    [((*PAGE, 'x-provenance', 'note'), 'Another note.')],
    [renamed(DUE, 'invoice_due_date')],
    [(('components', 'parameters'), {'page': {'name': 'page', 'in': 'query', 'schema': {'type': 'integer', 'minimum': 1}, 'description': 'Number of the page, counted from 1. Left to the bridge where not given.', 'x-provenance': MADE}}), (PAGE, {'$ref': '#/components/parameters/page'})],
]  # fmt: skip


@pytest.fixture(scope="module")
def states() -> dict[str, Side]:
    """Every state that the tables ask for, by its text; each takes a run of the generator."""
    texts = {edited(*edits) for row in ROWS for edits in row[:2]} | {edited(*edits) for edits in NOTHING}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(texts, pool.map(state, texts), strict=True))


@pytest.mark.parametrize(("before", "after", "told"), ROWS)
def test_a_change_is_rated_and_told(
    states: dict[str, Side], before: list[Edit], after: list[Edit], told: list[tuple[str, str]]
) -> None:
    changes = compare(states[edited(*before)], states[edited(*after)])
    assert [(change.rating, change.message) for change in changes] == told
    assert rating(changes) == told[0][0]
    assert all(change.wire for change in changes if change.kind != "returns")


@pytest.mark.parametrize("after", NOTHING)
def test_what_changes_nothing_for_callers(states: dict[str, Side], after: list[Edit]) -> None:
    assert compare(states[edited()], states[edited(*after)]) == []


def test_the_layout_of_the_contract_changes_nothing(states: dict[str, Side]) -> None:
    def turned(node: Any) -> Any:
        if isinstance(node, list):
            return [turned(item) for item in node]
        return {key: turned(node[key]) for key in reversed(node)} if isinstance(node, dict) else node

    text = "# Another comment.\n" + yaml.safe_dump(turned(DATA), sort_keys=False, indent=3, width=60)
    assert compare(states[edited()], state(text)) == []


# Python that changed, though the contract did not: a generator, a template, or the client's own code.
OFFERED = {
    "BridgeClient": "class",
    "BridgeClient.from_env": "callable",
    "BridgeClient.from_env()": "Self",
    "BridgeClient.from_env(*)": "environ",
    "BridgeClient.from_env(environ)": "Mapping[str, str] | None = None",
    "errors.PagingError": "class from BridgeError",
}
PYTHON = [
    ({"NoAuth": "class", "NoAuth()": "None"}, "minor", "`NoAuth` is new: nothing to do."),
    ({"BridgeClient.from_env(timeout)": "float = 5.0"}, "minor", "`BridgeClient.from_env(timeout)` is new: nothing to do."),
    ({"BridgeClient.from_env(timeout)": "float"}, "major", "`BridgeClient.from_env(timeout)` is new and must be given: pass it."),
    ({"BridgeClient.from_env(environ)": None, "BridgeClient.from_env(*)": ""}, "major", "`BridgeClient.from_env()` takes its arguments in another order, (): pass them by name, or check each call."),
    ({"BridgeClient": None}, "major", "`BridgeClient` is gone: remove its uses."),
    ({"BridgeClient.from_env(environ)": "Mapping[str, str]"}, "major", "`BridgeClient.from_env(environ)` is `Mapping[str, str]`, it was `Mapping[str, str] | None = None`: adapt its uses."),
    ({"BridgeClient.from_env(environ)": "None | Mapping[str, str] = None"}, None, None),
    ({"BridgeClient.from_env()": "BridgeClient"}, "major", "`BridgeClient.from_env()` returns `BridgeClient`, it was `Self`: adapt what uses it."),
    ({"models.InvoiceDetails(*)": "amount"}, "major", "`models.InvoiceDetails()` takes its arguments in another order, (amount): pass them by name, or check each call."),
    ({"errors.PagingError": "class"}, "major", "`errors.PagingError` is `class`, it was `class from BridgeError`: adapt its uses."),
    ({"models.InvoiceDetails.status": "int | None = None"}, "major", "`InvoiceDetails.status` is `int | None`, it was `str | None`: adapt what reads or sets it."),
    ({"models.InvoiceDetails.status": "str | None = 'Due'"}, "major", "`models.InvoiceDetails.status` is `str | None = 'Due'`, it was `str | None = None`: adapt its uses."),
]  # fmt: skip


@pytest.mark.parametrize(("edits", "rated", "told"), PYTHON)
def test_python_that_changed_alone(
    states: dict[str, Side], edits: dict[str, str | None], rated: str | None, told: str | None
) -> None:
    contract, then = states[edited()].contract, states[edited()].offered | OFFERED
    now = {name: text for name, text in (then | edits).items() if text is not None}
    changes = compare(Side(contract, then), Side(contract, now))
    assert [(change.rating, change.message) for change in changes][:1] == ([(rated, told)] if told else [])


def test_every_sentence_is_told_somewhere(states: dict[str, Side]) -> None:
    told = {change.kind for row in ROWS for change in compare(states[edited(*row[0])], states[edited(*row[1])])}
    assert told | {name for name in SENTENCES if name.startswith("python-")} == SENTENCES.keys()
    assert {rated for rated, _ in SENTENCES.values()} == {*RATINGS} - {"none"}


@pytest.mark.parametrize(
    ("version", "rated", "following"),
    [("0.1.0", "none", "0.1.0"), ("0.1.0", "patch", "0.1.1"), ("0.1.9", "minor", "0.1.10"), ("0.1.9", "major", "0.2.0"),
     ("1.2.3", "patch", "1.2.4"), ("1.2.3", "minor", "1.3.0"), ("1.2.3", "major", "2.0.0")],
)  # fmt: skip
def test_the_next_version(version: str, rated: str, following: str) -> None:
    assert next_version(version, rated) == following

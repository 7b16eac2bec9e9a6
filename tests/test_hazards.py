"""Shapes that the generator mishandles: a rule rejects them with a remedy, or generating fails."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import CONTRACT, PATH, alone
from tools.contract import load
from tools.contract.hazards import hazards
from tools.contract.names import names
from tools.generate import PACKAGE, GenerationError, generate

BASE = """
openapi: 3.1.0
info: {title: All, version: 1.0.0}
paths:
  /x/{id}:
    get:
      operationId: get_x
      tags: [t]
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {"200": {content: {application/json: {schema: {$ref: "#/components/schemas/A"}}}}}
components:
  schemas:
    A: {type: object, properties: {p: {type: string}}}
    B: {type: object, properties: {q: {type: string}}}
    C: {type: object, required: [r], properties: {r: {type: string}}}
    E: {type: string, enum: [a, b]}
"""
B, C, E = (f'$ref: "#/components/schemas/{name}"' for name in "BCE")
JSON = "application/json: {schema: {$ref: '#/components/schemas/A'}}"
FORM = "application/x-www-form-urlencoded: {schema: {$ref: '#/components/schemas/B'}}"

Place = tuple[str | int, ...]
# The places where a piece of YAML is inserted.
PROPERTY, PROPERTIES, SCHEMAS = (
    ("components", "schemas", "A", "properties", "p"),
    ("components", "schemas", "A", "properties"),
    ("components", "schemas"),
)
GET = ("paths", "/x/{id}", "get")
MORE, ID, RESPONSES = (*GET, "parameters", 1), (*GET, "parameters", 0, "schema"), (*GET, "responses")

# The types of parameters that can be sent in every place.
TYPES = (
    *("{type: string}", "{type: integer}", "{type: number}", "{type: boolean}", "{type: string, const: x}", f"{{{E}}}"),
    *(f"{{type: string, format: {form}}}" for form in ("date", "date-time", "uuid")),
    *("{type: [string, integer]}", "{oneOf: [{type: integer}, {type: string, format: date-time}]}"),
    "{type: array, items: {type: string, format: date}}",
)

# A place, a piece that a rule rejects, its message, and a piece that is fine in that place.
CASES = [
    (PROPERTY, f"{{{B}, minProperties: 1}}", "ignores `minProperties` next to `$ref`", f"{{{B}, description: kept}}"),
    (PROPERTY, f"{{{E}, default: a}}", "ignores `default` next to `$ref`", f"{{allOf: [{{{E}}}], default: a}}"),
    (SCHEMAS, f"{{F: {{{B}, required: [q]}}}}", "ignores `required` next to `$ref`", f"{{F: {{{B}}}}}"),
    (PROPERTY, f"{{type: array, items: {{{B}, title: b}}}}", "ignores `title` next to `$ref`", f"{{type: array, items: {{{B}}}}}"),
    ((*RESPONSES, "200", "content", "application/json", "schema"), f"{{{B}, required: [q]}}", "next to `$ref`", f"{{{B}}}"),
    (SCHEMAS, f"{{F: {{allOf: [{{{B}}}], properties: {{z: {{type: string}}}}}}}}", "drops `properties` next to `allOf` with one reference", f"{{F: {{allOf: [{{{B}}}, {{properties: {{z: {{type: string}}}}}}]}}}}"),
    (SCHEMAS, "{F: {type: object, properties: {z: {type: string}}, anyOf: [{required: [z]}]}}", "drops `properties` next to `anyOf`", f"{{F: {{anyOf: [{{{C}}}, {{{B}}}]}}}}"),
    (MORE, "{name: k, in: query, style: deepObject, schema: {type: object}}", "cannot send `k` with `style: deepObject`", "{name: k, in: query, style: form, schema: {type: object}}"),
    (MORE, "{name: Authorization, in: header, schema: {type: string}}", "media types or `security` set it", "{name: X-Authorization, in: header, schema: {type: string}}"),
    (MORE, "{name: 2nd, in: query, schema: {type: string}}", "the parameter `2nd` becomes `2nd`, which is not a valid Python name", "{name: second, in: query, schema: {type: string}}"),
    (MORE, "{name: Id, in: query, schema: {type: string}}", "the parameter `Id` becomes `id`, which `id` already uses", "{name: id, in: query, schema: {type: string}}"),
    (PROPERTY, "{type: string, enum: [a, A]}", "2 values become the member `A` in Python", "{type: string, enum: [a, A], x-enum-varnames: [small, capital]}"),
    (PROPERTY, "{type: string, enum: [a-b, a.b]}", "2 values become the member `A_B` in Python", "{type: string, enum: [a-b, c.d]}"),
    (PROPERTY, '{type: [string, "null"], enum: [a, null]}', "an enumeration with null becomes several classes", f"{{oneOf: [{{{E}}}, {{type: 'null'}}]}}"),
    (PROPERTIES, "{2nd: {type: string}}", "`2nd`, which is not a valid Python name: remove it; its values stay", "{second: {type: string}}"),
    (PROPERTIES, "{to_dict: {type: string}}", "`to_dict`, which the client reserves", "{dict: {type: string}}"),
    (PROPERTIES, "{from_dict: {type: string}}", "`from_dict`, which the client reserves", "{class: {type: string}}"),
    (PROPERTIES, "{due_date: {type: string}, dueDate: {type: string}}", "the property `dueDate` becomes `due_date`, which `due_date` already uses", "{due_date: {type: string}, date_due: {type: string}}"),
    (PROPERTIES, "{_embedded: {type: string}, embedded: {type: string}}", "becomes `embedded`, which `_embedded` already uses", "{_embedded: {type: string}, _links: {type: string}}"),
    (SCHEMAS, "{F: {type: object, properties: {other_fields: {type: string}}}}", "is also the name of a column", "{F: {type: object, properties: {others: {type: string}}}}"),
    (SCHEMAS, "{F: {type: object, properties: {a: {type: string, x-money: true}, a_decimal: {type: string}}}}", "`a_decimal` is also the name of a column", "{F: {type: object, properties: {a: {type: string}, a_decimal: {type: string}}}}"),
    (SCHEMAS, "{F: {type: object, x-identity: error, properties: {error: {type: string}}}}", "`error` is also the name of a column", "{F: {type: object, properties: {error: {type: string}}}}"),
    (SCHEMAS, "{F: {type: object, x-identity: b, properties: {a: {type: string}}}}", "is no property of this schema", "{F: {type: object, x-identity: a, properties: {a: {type: string}}}}"),
    (PROPERTY, "{type: string, x-money: yes please}", "write `x-money: true` next to `type: string`", "{type: string, x-money: true}"),
    (PROPERTY, "{type: object, x-money: true}", "write `x-money: true` next to `type: string`", '{type: [number, "null"], x-money: true}'),
    (PROPERTY, "{$ref: '#/components/schemas/E', x-money: true}", "write `x-money: true` next to `type: string`", "{type: integer, x-money: true}"),
    (PROPERTY, "{type: array, items: {type: string, x-money: true}}", "write `x-money: true` next to `type: string`", "{type: array, items: {type: string}}"),
    (SCHEMAS, "{F: {type: string, x-money: true}}", "write `x-money: true` next to `type: string`", "{F: {type: object, properties: {a: {type: string, x-money: true}}}}"),
    (SCHEMAS, "{F: {type: object, additionalProperties: false}}", "silently drops unknown fields", "{F: {type: object}}"),
    (PROPERTY, '{type: [object, "null"], additionalProperties: false}', "silently drops unknown fields", '{type: [object, "null"], properties: {z: {type: string}}}'),
    (SCHEMAS, "{2F: {type: object}}", "the schema `2F` becomes `2F`, which is not a valid Python name", "{F2: {type: object}}"),
    (SCHEMAS, "{b: {type: object}}", "the schema `b` becomes `B`, which `B` already uses", "{bb: {type: object}}"),
    (RESPONSES, f'{{"200": {{content: {{{JSON}, text/plain: {{schema: {{type: string}}}}}}}}}}', "only the first media type of a response: remove `text/plain`", f'{{"200": {{content: {{{JSON}}}}}}}'),
    ((*GET, "requestBody"), f"{{content: {{{JSON}, {FORM}}}}}", "only the first media type of a request body", f"{{content: {{{FORM}}}}}"),
    (RESPONSES, '{"200": {content: {application/xml: {schema: {type: string}}}}}', "cannot read the media type `application/xml`", '{"200": {content: {text/csv: {schema: {type: string}}}}}'),
    ((*GET, "callbacks"), "{x: {}}", "ignores `callbacks`", None),
    ((*GET, "servers"), "[{url: /x}]", "ignores `servers`", None),
    (("paths", "/x/{id}", "servers"), "[{url: /x}]", "ignores `servers`", None),
]  # fmt: skip

# Shapes that look similar and are fine.
FINE = [
    (("servers",), "[{url: /x}]"),
    (("webhooks",), f"{{x: {{post: {{requestBody: {{content: {{application/xml: {{schema: {{{B}, title: b}}}}}}}}}}}}}}"),
    (RESPONSES, '{"200": {content: {application/pdf: {}}}}'),
    (RESPONSES, '{"200": {content: {application/octet-stream: {}}}}'),
    ((*GET, "requestBody"), "{content: {image/png: {schema: {type: string, format: binary}}}}"),
    (PROPERTY, "{const: true}"),
    (PROPERTY, "{enum: [1, -1]}"),
    (PROPERTY, "{type: boolean, enum: [true]}"),
    (PROPERTY, "{type: array, items: {}}"),
    (PROPERTY, f"{{oneOf: [{{{C}}}, {{{B}}}]}}"),
    (PROPERTY, "{type: [string, 'null'], pattern: '^[0-9]+$', maxLength: 3}"),
    (SCHEMAS, f"{{F: {{type: object, required: [y], properties: {{y: {{type: string, minLength: 99}}, z: {{oneOf: [{{{C}}}, {{{B}}}, {{type: 'null'}}]}}}}}}}}"),
    (SCHEMAS, "{F: {title: Other name, type: object, properties: {z: {type: string}}}}"),
    (ID, "{oneOf: [{type: string, format: date}, {type: integer}]}"),
    *((ID, schema) for schema in TYPES),
    *((MORE, f"{{name: k, in: {place}, schema: {schema}}}") for place in ("query", "header", "cookie") for schema in TYPES),
    *((MORE, f"{{name: k, in: query, style: {style}, explode: false, schema: {{type: array, items: {{{E}}}}}}}") for style in ("form", "spaceDelimited", "pipeDelimited")),
    (MORE, "{name: k, in: cookie, explode: false, schema: {type: array, items: {type: integer}}}"),
    (MORE, "{name: k, in: query, explode: false, schema: {type: string}}"),
    (MORE, "{name: id, in: cookie, schema: {type: string}}"),
    (MORE, "{name: k, in: query, schema: {type: array, items: {type: string, format: date}}}"),
    (MORE, "{name: k, in: query, schema: {type: [string, integer]}}"),
    (MORE, "{name: k, in: query, schema: {type: string, format: date-time}}"),
    (MORE, "{name: k, in: query, schema: {type: object, properties: {z: {type: string}}}}"),
    (RESPONSES, '{"204": {}}'),
    (RESPONSES, '{"200": {content: {application/json: {schema: {type: [string, "null"]}}}}}'),
    (RESPONSES, '{"200": {content: {application/octet-stream: {schema: {type: string, format: binary}}}}}'),
    (RESPONSES, '{"200": {content: {application/json: {schema: {type: string, format: uuid}}}}, "2XX": {content: {text/plain: {schema: {type: string}}}}}'),
    ((*GET, "requestBody"), "{content: {multipart/form-data: {schema: {type: object, properties: {z: {type: string, format: binary}}}}}}"),
    ((*GET, "requestBody"), "{content: {application/x-www-form-urlencoded: {schema: {type: object, properties: {z: {type: array, items: {}}, n: {type: boolean}}}}}}"),
]  # fmt: skip

# Shapes that no rule rejects because the proof does: a place, a piece, and the message.
LOST: list[tuple[Place, str, str]] = [
    (MORE, "{name: k, in: query, schema: {type: array, items: {type: object}}}", "operation fails with TypeError: dict cannot be sent as text"),
    (MORE, "{name: k, in: query, explode: false, schema: {type: object, properties: {z: {type: string}}}}", "operation does not send the query parameter `k`"),
    (MORE, "{name: k, in: header, schema: {type: object, properties: {z: {type: string}}}}", "operation fails with TypeError: dict cannot be sent as text"),
    (MORE, "{name: k, in: query, content: {application/json: {schema: {type: string}}}}", "operation does not send the query parameter `k`"),
    (MORE, "{name: k, in: query, schema: {type: object, properties: {z: {type: object}}}}", "operation fails with TypeError: dict cannot be sent as text"),
    (MORE, "{name: k, in: query, schema: {type: string, format: binary}}", "operation fails with TypeError: Object of type File"),
    (PROPERTY, f"{{oneOf: [{{{B}}}, {{{C}}}]}}", "schema lost the property `r`: it is read as `B"),
    (RESPONSES, '{"200": {content: {application/json: {}}}}', "operation does not read the body of `200`: it is not declared as json"),
    (RESPONSES, f'{{"200": {{content: {{text/csv: {{schema: {{{B}}}}}}}}}}}', "operation does not read the body of `200`: the value or its type"),
    (RESPONSES, '{"200": {content: {application/octet-stream: {schema: {type: string}}}}}', "operation does not read the body of `200`: "),
    (RESPONSES, '{"200": {content: {application/json: {schema: {type: string, format: binary}}}}}', "operation does not read the body of `200`: "),
    ((*GET, "requestBody"), "{content: {application/x-www-form-urlencoded: {schema: {type: object, properties: {z: {type: object}}}}}}", "operation fails with TypeError: dict cannot be sent as text"),
]  # fmt: skip

# Shapes that the generator itself rejects: a place, a piece, and a part of the message.
REJECTED: list[tuple[Place, str, str]] = [
    (PROPERTY, "{type: array}", "type array must have items"),
    (PROPERTY, "{enum: [a, 1]}", "Got {<class"),
    (PROPERTY, "{type: number, enum: [1.5]}", "Unable to process schema"),
]  # fmt: skip


def put(where: Place, text: str) -> dict[str, Any]:
    """The small contract with a piece of YAML inserted."""
    data: dict[str, Any] = yaml.safe_load(BASE)
    node: Any = data
    for key in where[:-1]:
        node = node[key]
    value = yaml.safe_load(text)
    if isinstance(node, list):
        node.append(value)
    elif where in (PROPERTIES, SCHEMAS):
        node[where[-1]].update(value)
    else:
        node[where[-1]] = value
    return data


def all_of(pieces: list[tuple[Place, str]], folder: Path) -> Path:
    """A contract with all pieces. Each has its own operation and schemas, whose names end with its number."""
    whole: dict[str, Any] = yaml.safe_load(BASE) | {"paths": {}, "components": {"schemas": {}}}
    for index, (where, text) in enumerate(pieces):
        written = (
            json.dumps(put(where, text)).replace("/x/{id}", f"/x{index}/{{id}}").replace('"get_x"', f'"get_x{index}"')
        )
        data = json.loads(re.sub(r"schemas/(\w+)", rf"schemas/\1Of{index}", written))
        for response in data["paths"][f"/x{index}/{{id}}"]["get"]["responses"].values():
            response["description"] = "A response"
        whole["paths"] |= data["paths"]
        whole["components"]["schemas"] |= {
            f"{name}Of{index}": one for name, one in data["components"]["schemas"].items()
        }
    (folder / "all.yaml").write_text(json.dumps(whole))
    return folder / "all.yaml"


def messages(where: Place, text: str, folder: Path) -> list[str]:
    file = folder / "openapi.yaml"
    file.write_text(json.dumps(put(where, text)))
    contract = load(file)
    return [finding.message for rule in (hazards, names) for finding in rule(contract)]


@pytest.mark.parametrize(("where", "text", "message"), [case[:3] for case in CASES])
def test_a_mishandled_shape_is_rejected(tmp_path: Path, where: Place, text: str, message: str) -> None:
    (found,) = messages(where, text, tmp_path)
    assert message in found


GOOD = [(case[0], case[3]) for case in CASES if case[3]] + FINE


@pytest.mark.parametrize(("where", "text"), [*GOOD, *(case[:2] for case in LOST + REJECTED)])
def test_no_rule_rejects_other_shapes(tmp_path: Path, where: Place, text: str) -> None:
    assert messages(where, text, tmp_path) == []


def test_supported_shapes_are_generated(tmp_path: Path) -> None:
    generate(load(all_of(GOOD, tmp_path)), tmp_path / PACKAGE)


def test_the_proof_names_what_it_rejects(tmp_path: Path) -> None:
    with pytest.raises(GenerationError) as caught:
        generate(load(all_of([case[:2] for case in LOST], tmp_path)), tmp_path / PACKAGE)
    lines = str(caught.value).splitlines()[1:]
    for index, (where, _, message) in enumerate(LOST):
        name = f"the schema `AOf{index}`" if where[0] == "components" else f"the operation `get_x{index}`"
        begin = f"{name}{message.removeprefix('operation').removeprefix('schema')}"
        assert any(begin in line for line in lines), (begin, lines)
    named = {*re.findall(r"(?<=Of|_x)\d+(?=`)", str(caught.value))}
    assert named == {*map(str, range(len(LOST)))}


def test_the_error_names_what_the_generator_rejects(tmp_path: Path) -> None:
    contract = load(all_of([case[:2] for case in REJECTED], tmp_path))
    with pytest.raises(GenerationError, match="the generator rejects the contract; correct these parts:") as caught:
        generate(contract, tmp_path / PACKAGE)
    for index, (where, _, message) in enumerate(REJECTED):
        is_schema = where[0] == "components"
        part = ("components", "schemas", f"AOf{index}") if is_schema else ("paths", f"/x{index}/{{id}}", "get")
        begin = f"the generator rejects this: {message}"
        places = {finding[:2] for finding in map(astuple, caught.value.findings) if finding[3].startswith(begin)}
        assert contract.places[part] in places, (part, caught.value)
    assert len(caught.value.findings) == len(REJECTED)


def test_an_item_has_no_field_with_the_name_of_its_account() -> None:
    contract = load(CONTRACT)
    contract.data["components"]["schemas"]["InvoiceDetails"]["properties"]["account_number"] = {"type": "string"}
    found = [finding.message for finding in hazards(contract)]
    assert len(found) == 1
    assert "`account_number` is also the name of a column" in found[0]


def test_an_item_may_have_a_field_with_the_name_of_another_operation_s_parameter(tmp_path: Path) -> None:
    data, file = alone(), tmp_path / "openapi.yaml"
    operation = copy.deepcopy(data["paths"][PATH]["get"])
    operation["parameters"] = [{"name": "invoice_number", "in": "path", "schema": {"type": "string"}}]
    data["paths"]["/invoice/{invoice_number}"] = {"get": operation}
    invoice = {"$ref": "#/components/schemas/InvoiceDetails"}
    for schema, count in ((invoice, 0), ({"type": "array", "items": invoice}, 1)):
        operation["responses"] = {"200": {"content": {"application/json": {"schema": schema}}}}
        file.write_text(yaml.safe_dump(data), encoding="utf-8")
        found = [finding.message for finding in hazards(load(file))]
        assert ["`invoice_number` is also the name of a column" in message for message in found] == [True] * count

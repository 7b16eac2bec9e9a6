"""The rule `generator`: each shape that the generator mishandles is refused, and what is advised instead is not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.contract import Contract
from tools.generate import PACKAGE, generate
from tools.hazards import hazards

BASE = """
paths:
  /x/{id}:
    get:
      operationId: get_x
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

# Where a piece of YAML is put, one that is refused, the sentence, and one that is not.
PROPERTY, PROPERTIES, SCHEMAS = (
    ("components", "schemas", "A", "properties", "p"),
    ("components", "schemas", "A", "properties"),
    ("components", "schemas"),
)
GET = ("paths", "/x/{id}", "get")
MORE, ID, ANSWERS = (*GET, "parameters", 1), (*GET, "parameters", 0, "schema"), (*GET, "responses")
CASES = [
    (PROPERTY, f"{{{B}, minProperties: 1}}", "ignores `minProperties` beside `$ref`", f"{{{B}, description: kept}}"),
    (PROPERTY, f"{{{E}, default: a}}", "ignores `default` beside `$ref`", f"{{allOf: [{{{E}}}], default: a}}"),
    (SCHEMAS, f"{{F: {{{B}, required: [q]}}}}", "ignores `required` beside `$ref`", f"{{F: {{{B}}}}}"),
    (PROPERTY, f"{{type: array, items: {{{B}, title: b}}}}", "ignores `title` beside `$ref`", f"{{type: array, items: {{{B}}}}}"),
    ((*ANSWERS, "200", "content", "application/json", "schema"), f"{{{B}, required: [q]}}", "beside `$ref`", f"{{{B}}}"),
    (SCHEMAS, f"{{F: {{allOf: [{{{B}}}], properties: {{z: {{type: string}}}}}}}}", "properties beside `allOf` with one reference are lost", f"{{F: {{allOf: [{{{B}}}, {{properties: {{z: {{type: string}}}}}}]}}}}"),
    (MORE, "{name: k, in: header, schema: {type: string, format: date}}", "the header `k` must have one of the types", "{name: k, in: header, schema: {type: string}}"),
    (MORE, "{name: k, in: header, schema: {type: array, items: {type: string}}}", "the header `k` must have one of the types", f"{{name: k, in: header, schema: {{{E}}}}}"),
    (MORE, "{name: k, in: header, schema: {type: [string, integer]}}", "the header `k` must have one of the types", "{name: k, in: header, schema: {type: integer}}"),
    (MORE, "{name: k, in: cookie, schema: {type: integer}}", "the cookie `k` must be a string", "{name: k, in: cookie, schema: {type: string}}"),
    (ID, "{type: array, items: {type: string}}", "the path parameter `id` must be one of string, integer or number", "{type: integer}"),
    (ID, "{type: boolean}", "the path parameter `id` must be one of", "{type: string, format: date}"),
    (ID, "{type: string, format: date-time}", "with a blank between date and time", "{type: string}"),
    (MORE, "{name: k, in: query, schema: {type: array, items: {type: object}}}", "must be an array of strings", "{name: k, in: query, schema: {type: array, items: {type: string, format: date}}}"),
    (MORE, "{name: k, in: query, explode: false, schema: {type: array, items: {type: string}}}", "ignores `explode: false`", "{name: k, in: query, explode: true, schema: {type: array, items: {type: string}}}"),
    (MORE, "{name: k, in: query, style: deepObject, schema: {type: object}}", "ignores `style: deepobject`", "{name: k, in: query, style: form, schema: {type: object}}"),
    (MORE, "{name: k, in: query, content: {application/json: {schema: {type: string}}}}", "leaves out a parameter with `content`", "{name: k, in: query, schema: {type: string}}"),
    (MORE, "{name: Authorization, in: header, schema: {type: string}}", "it follows from `security`", "{name: X-Authorization, in: header, schema: {type: string}}"),
    (MORE, "{name: 2nd, in: query, schema: {type: string}}", "is no name in Python", "{name: second, in: query, schema: {type: string}}"),
    (MORE, "{name: params, in: query, schema: {type: string}}", "which the generated code uses itself", "{name: param, in: query, schema: {type: string}}"),
    (MORE, "{name: Id, in: query, schema: {type: string}}", "the parameters `id` and `Id` are both `id` in Python", "{name: id, in: query, schema: {type: string}}"),
    (PROPERTY, "{type: string, enum: [a, A]}", "`a` and `A` are both the member `A`", "{type: string, enum: [a, A], x-enum-varnames: [small, capital]}"),
    (PROPERTY, "{type: string, enum: [a-b, a.b]}", "are both the member `A_B` in Python, so one would be lost", "{type: string, enum: [a-b, c.d]}"),
    (PROPERTY, '{type: [string, "null"], enum: [a, null]}', "an enumeration with null makes several classes", f"{{oneOf: [{{{E}}}, {{type: 'null'}}]}}"),
    (PROPERTY, "{enum: [a, 1]}", "of strings, or of integers", "{enum: [1, -1]}"),
    (PROPERTY, "{type: number, enum: [1.5]}", "of strings, or of integers", "{type: boolean, enum: [true]}"),
    (PROPERTIES, "{2nd: {type: string}}", "`2nd`, which is no name in Python", "{second: {type: string}}"),
    (PROPERTIES, "{to_dict: {type: string}}", "which every model uses itself", "{dict: {type: string}}"),
    (PROPERTIES, "{from_dict: {type: string}}", "which every model uses itself", "{class: {type: string}}"),
    (PROPERTIES, "{due_date: {type: string}, dueDate: {type: string}}", "the properties `due_date` and `dueDate` are both `due_date`", "{due_date: {type: string}, date_due: {type: string}}"),
    (PROPERTIES, "{_embedded: {type: string}, embedded: {type: string}}", "are both `embedded` in Python", "{_embedded: {type: string}, _links: {type: string}}"),
    (PROPERTY, "{type: array}", "an array without `items`", "{type: array, items: {}}"),
    (PROPERTY, "true", "cannot read `true` as a schema", "{}"),
    (PROPERTY, f"{{oneOf: [{{{B}}}, {{{C}}}]}}", "every object reads as `B`, which requires nothing", f"{{oneOf: [{{{C}}}, {{{B}}}]}}"),
    (SCHEMAS, "{F: {type: object, additionalProperties: false}}", "unknown fields are dropped without a word", "{F: {type: object}}"),
    (SCHEMAS, "{2F: {type: object}}", "becomes the class `2F`, which is no name", "{F2: {type: object}}"),
    (SCHEMAS, "{unset: {type: object}}", "becomes the class `Unset`, a name that the generated code uses", "{operation: {type: object}}"),
    (SCHEMAS, "{b: {type: object}}", "the schemas `B` and `b` are both the class `B`", "{bb: {type: object}}"),
    (ANSWERS, f'{{"200": {{content: {{{JSON}, text/plain: {{schema: {{type: string}}}}}}}}}}', "one media type of a response, the first: remove `text/plain`", f'{{"200": {{content: {{{JSON}}}}}}}'),
    (ANSWERS, '{"200": {content: {application/json: {}}}}', "leaves out a body without a type", '{"204": {}}'),
    (ANSWERS, f'{{"200": {{content: {{text/csv: {{schema: {{{B}}}}}}}}}}}', "a body of `text/csv` is text", '{"200": {content: {text/csv: {schema: {type: string}}}}}'),
    (ANSWERS, f"{{default: {{content: {{{JSON}}}}}}}", "write 4XX and 5XX", f"{{4XX: {{content: {{{JSON}}}}}}}"),
    ((*GET, "requestBody"), f"{{content: {{{JSON}, {FORM}}}}}", "one media type of a request body", f"{{content: {{{FORM}}}}}"),
    (SCHEMAS, "{F: {type: object, properties: {z: {type: string}}, anyOf: [{required: [z]}]}}", "loses `properties` beside `anyOf`", f"{{F: {{anyOf: [{{{C}}}, {{{B}}}]}}}}"),
    (PROPERTY, "{const: true}", "trips over a boolean `const`", "{const: x}"),
    (MORE, "{name: k, in: header, schema: {type: string, const: x}}", "the header `k` must have one of the types", "{name: k, in: header, schema: {type: boolean}}"),
    (MORE, "{name: k, in: query, schema: {type: string, format: binary}}", "the parameter `k` is binary", "{name: k, in: query, schema: {type: string, format: uuid}}"),
    (MORE, "{name: k, in: query, schema: {type: object, properties: {z: {type: object}}}}", "must be an object alone, with strings", "{name: k, in: query, schema: {type: object, properties: {z: {type: string}}}}"),
    (ID, "{oneOf: [{type: string, format: date-time}, {type: integer}]}", "with a blank between date and time", "{oneOf: [{type: string, format: date}, {type: integer}]}"),
    (ANSWERS, '{"200": {content: {application/octet-stream: {schema: {type: string}}}}}', "belong together", '{"200": {content: {application/octet-stream: {schema: {type: string, format: binary}}}}}'),
    (ANSWERS, '{"200": {content: {application/json: {schema: {type: string, format: binary}}}}}', "belong together", '{"200": {content: {application/json: {schema: {type: [string, "null"]}}}}}'),
    (ANSWERS, '{"200": {content: {application/json: {schema: {type: string, format: uuid}}}}, "2XX": {content: {text/plain: {}}}}', "leaves out a body without a type", '{"200": {content: {application/json: {schema: {type: string, format: uuid}}}}, "2XX": {content: {text/plain: {schema: {type: string}}}}}'),
    ((*GET, "requestBody"), "{content: {application/x-www-form-urlencoded: {schema: {type: object, properties: {z: {type: array, items: {}}}}}}}", "to have the form of a form", "{content: {multipart/form-data: {schema: {type: object, properties: {z: {type: string, format: binary}}}}}}"),
    (PROPERTY, '{type: [object, "null"], additionalProperties: false}', "unknown fields are dropped", '{type: [object, "null"], properties: {z: {type: string}}}'),
    (SCHEMAS, "{F: {type: boolean, enum: [true], additionalProperties: false}}", "unknown fields are dropped", "{F: {type: boolean, enum: [true]}}"),
    (SCHEMAS, "{F: {title: Other name, type: object, additionalProperties: false}}", "unknown fields are dropped", "{F: {title: Other name, type: object, properties: {z: {type: string}}}}"),
    ((*GET, "callbacks"), "{x: {}}", "leaves out `callbacks`", None),
    ((*GET, "servers"), "[{url: /x}]", "ignores `servers` here", None),
    (("webhooks",), "{x: {}}", "leaves out `webhooks`", None),
    (("servers",), None, None, "[{url: /x}]"),
]  # fmt: skip


def put(where: tuple[str | int, ...], text: str) -> dict[str, Any]:
    """The small contract with a piece of YAML in its place."""
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


def findings(where: tuple[str | int, ...], text: str) -> list[str]:
    return [finding.message for finding in hazards(Contract(Path("openapi.yaml"), put(where, text)))]


def test_the_base_has_no_hazard() -> None:
    assert findings(("x",), "1") == []


@pytest.mark.parametrize(("where", "refused", "told"), [case[:3] for case in CASES if case[1]])
def test_what_the_generator_mishandles_is_refused(where: tuple[str | int, ...], refused: str, told: str) -> None:
    (message,) = findings(where, refused)
    assert told in message


@pytest.mark.parametrize(("where", "advised"), [(case[0], case[3]) for case in CASES if case[3]])
def test_what_is_advised_instead_is_accepted(where: tuple[str | int, ...], advised: str) -> None:
    assert findings(where, advised) == []


def test_what_is_advised_instead_arrives(tmp_path: Path) -> None:
    whole: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "All", "version": "1.0.0"}, "paths": {}}
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    for index, (where, _, _, advised) in enumerate(CASES):
        text = json.dumps(put(where, advised or "[]"))
        text = text.replace("/x/{id}", f"/x{index}/{{id}}").replace('"get_x"', f'"get_x{index}", "tags": ["t"]')
        data = json.loads(re.sub(r"schemas/(\w+)", rf"schemas/Case{index}\1", text))
        for answer in data["paths"][f"/x{index}/{{id}}"]["get"]["responses"].values():
            answer["description"] = "An answer"
        whole["paths"] |= data["paths"] if advised else {}
        schemas |= {f"Case{index}{name}": schema for name, schema in data["components"]["schemas"].items()}
    generate(Contract(tmp_path / "all.yaml", whole), tmp_path / PACKAGE)

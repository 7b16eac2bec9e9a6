"""A strategy for contracts: small ones with schemas, parameters and bodies of every kind, and names that are close."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from tools.contract import Contract
from tools.generate.samples import samples

__all__ = ["contracts"]

ASSUMED = {"status": "assumed", "source": "a test", "retrieved": "2026-11-22", "note": "Made up."}
SCHEMAS = ["Account", "AccountKind", "Entity", "EntityKind", "Link", "LinkList", "VLAN", "Vlan", "date", "Model"]
FIELDS = [
    "_links",
    "amount",
    "due_date",
    "class",
    "data",
    "href",
    "items",
    "kind",
    "self",
    "vlan",
    "x-y",
    "from",
    "type",
    "total",
]
TEXTS: list[dict[str, Any]] = [
    *({"type": "string"}, {"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}),
    *({"type": "string", "format": "uuid"}, {"type": "string", "enum": ["a", "b"]}, {"type": "string", "enum": ["c"]}),
]
SIMPLE: list[dict[str, Any]] = [
    *TEXTS,
    *({"type": "integer"}, {"type": "number"}, {"type": "boolean"}, {}, {"const": "fixed"}, {"type": "null"}),
    *({"type": ["string", "null"], "format": "date"}, {"type": ["integer", "string"]}, {"type": ["boolean", "null"]}),
]
SENT = [schema for schema in SIMPLE if schema.get("type") != "null"]


def references(names: list[str]) -> st.SearchStrategy[Any]:
    """A reference to one of the schemas."""
    return st.sampled_from(names).map(lambda name: {"$ref": f"#/components/schemas/{name}"})


def objects(inner: st.SearchStrategy[Any], bases: list[str]) -> st.SearchStrategy[Any]:
    """A schema of an object, perhaps with a base or with typed unknown fields."""

    @st.composite
    def draw_object(draw: st.DrawFn) -> Any:
        fields = draw(st.dictionaries(st.sampled_from(FIELDS), inner, min_size=1, max_size=4))
        schema: dict[str, Any] = {"type": "object", "properties": fields}
        if required := draw(st.lists(st.sampled_from([*fields]), max_size=2, unique=True)):
            schema["required"] = required
        match draw(st.integers(0, 9)):
            case 0 if bases:
                schema["properties"] = {f"own{len(bases)}_{name}": field for name, field in fields.items()}
                schema["required"] = [f"own{len(bases)}_{name}" for name in schema.get("required", [])]
                return {"allOf": [draw(references(bases)), schema]}
            case 1:
                schema["additionalProperties"] = draw(inner)
        return schema

    return draw_object()


def schemas(names: list[str], bases: list[str]) -> st.SearchStrategy[Any]:
    """A schema of any kind that refers to `names`, and is combined from `bases`, which are objects."""

    def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        unions = [
            references(bases).map(lambda one: {"oneOf": [one, {"type": "null"}]}),
            st.lists(references(bases), min_size=2, max_size=2).map(lambda members: {"anyOf": members}),
        ]
        return st.one_of(
            objects(inner, bases),
            st.builds(lambda items, least: {"type": "array", "items": items} | least, inner, st.sampled_from([{}, {"minItems": 2}])),
            *(unions if bases else []),
        )  # fmt: skip

    simple = [st.sampled_from(SIMPLE), *([references(names)] if names else [])]
    return st.recursive(st.one_of(simple), nested, max_leaves=6)


@st.composite
def contracts(draw: st.DrawFn) -> dict[str, Any]:
    """A contract with one to five schemas and one to three operations. Its examples are the samples of the proof.

    Schemas are combined from earlier ones that are objects, so that none includes itself.
    """
    names = draw(st.lists(st.sampled_from(SCHEMAS), min_size=1, max_size=5, unique=True))
    components: dict[str, Any] = {
        "ErrorInfo": {"type": "object", "properties": {"errorCode": {"type": "string"}, "userMessage": {"type": "string"}}}
    }  # fmt: skip
    bases: list[str] = []
    for index, name in enumerate(names):
        if draw(st.integers(0, 3)):
            components[name] = draw(objects(schemas(names, bases), bases))
            bases += [] if "additionalProperties" in components[name] else [name]
        else:
            components[name] = draw(schemas(names[:index], bases))
    components = {
        name: {"allOf": [schema]} if "$ref" in schema else dict(schema) for name, schema in components.items()
    }
    data: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Drawn", "version": "1.0.0"},
        "tags": [{"name": "things", "x-provenance": ASSUMED}],
        "paths": {},
        "components": {"schemas": {name: one | {"x-provenance": ASSUMED} for name, one in components.items()}},
    }
    contract = Contract(Path(), data)
    for name in names:
        assume(samples(contract, {"$ref": f"#/components/schemas/{name}"}))  # it has a finite value
    for number in range(draw(st.integers(1, 3))):
        operation = draw(operations(contract, names, bases, number))
        data["paths"][f"/things{number}/{{id}}"] = {"x-provenance": ASSUMED, operation.pop("method"): operation}
    return data


@st.composite
def operations(draw: st.DrawFn, contract: Contract, names: list[str], bases: list[str], number: int) -> dict[str, Any]:
    """An operation, with its method."""

    def body(schema: dict[str, Any], media_type: str = "application/json") -> dict[str, Any]:
        found = samples(contract, schema) if schema.get("format") != "binary" else ["bytes"]
        return {media_type: {"schema": schema, "example": found[0] if found else {}}}

    parameters = [{"name": "id", "in": "path", "required": True, "schema": draw(st.sampled_from(TEXTS[:2]))}]
    query = draw(st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(SENT), max_size=2))
    parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in query.items()]
    if draw(st.booleans()):
        parameters.append({"name": "X-Kind", "in": "header", "schema": draw(st.sampled_from(SENT))})
    either = st.one_of(references(names), references(names), schemas(names, bases))
    content = body(draw(either))
    if not draw(st.integers(0, 4)):
        content = body({"type": "string", "format": "binary"}, "application/pdf")
    refused = {"description": "Refused", "content": body({"$ref": "#/components/schemas/ErrorInfo"})}
    operation: dict[str, Any] = {
        "method": draw(st.sampled_from(["get", "post"])),
        "operationId": f"get_things{number}",
        "tags": ["things"],
        "security": [],
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "content": content}, draw(st.sampled_from(["4XX", "default"])): refused},
    }  # fmt: skip
    if operation["method"] == "post":
        sent = draw(st.sampled_from(["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]))
        schema = draw(either if sent == "application/json" or not bases else references(bases))
        operation["requestBody"] = {"content": body(schema, sent)}
    return operation

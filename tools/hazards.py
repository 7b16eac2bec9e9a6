"""The shapes that openapi-python-client 0.29.1 loses, misreads or trips over, each with what to write instead.

Each was tried with that version; tests/test_hazards.py has a failing and a passing example of each. When the generator
is upgraded, try them again: a shape that it has learnt needs no rule any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openapi_python_client.strings import ClassName, PythonIdentifier, snake_case

from tools.contract import CARRIERS, Contract, Element, Finding, Where, is_reference, mapping, sequence

__all__ = ["hazards"]

SIMPLE = {"string", "integer", "number", "boolean"}
# Names that a generated model, or the functions that build a request, use for something else.
MODEL_NAMES = {"additional_properties", "additional_keys", "to_dict", "from_dict", "to_multipart"}
# Classes of these names would hide what the generated modules import.
CLASS_NAMES = {"UUID", "Unset"}
REQUEST_NAMES = {"params", "headers", "cookies", "quote"}
# OpenAPI ignores header parameters of these names; the generated code would send them.
OWN_HEADERS = {"accept": "the media types of the responses", "content-type": "the media type of the body"}
OWN_HEADERS["authorization"] = "`security`"


def hazards(contract: Contract) -> Iterator[Finding]:
    """Each shape in the contract is one that the generator keeps and reads as it is meant."""
    if "webhooks" in contract.data:
        message = "the generator leaves out `webhooks`: a client cannot call them; remove them."
        yield _found(contract, ("webhooks",), message)
    for where, operation in contract.operations():
        yield from _operation(contract, where, operation)
    for element in contract.elements():
        if element.kind == "parameter":
            yield from _parameter(contract, element)
        if element.kind in ("response", "request body"):
            yield from _content(contract, element)
        if element.kind in CARRIERS:
            medias = mapping(element.node.get("content"))
            held = [("schema",), *(("content", media_type, "schema") for media_type in medias)]
            for at in ((*element.where, *keys) for keys in held):
                yield from _beside(contract, at, contract.at(at))
        if element.kind in ("schema", "property"):
            yield from _schema(contract, element)
    yield from _class_names(contract)


def _found(contract: Contract, where: Where, message: str) -> Finding:
    return contract.finding("generator", where, message)


def _operation(contract: Contract, where: Where, operation: dict[str, Any]) -> Iterator[Finding]:
    if "callbacks" in operation:
        message = "the generator leaves out `callbacks`: a client cannot call them; remove them."
        yield _found(contract, (*where, "callbacks"), message)
    for holder in (where, where[:2]):
        if "servers" in mapping(contract.at(holder)):
            message = "the generator ignores `servers` here: whoever calls gives one base URL; remove them."
            yield _found(contract, (*holder, "servers"), message)
    if "default" in mapping(operation.get("responses")):
        message = "a `default` response would also read an undeclared success as an error: write 4XX and 5XX."
        yield _found(contract, (*where, "responses", "default"), message)
    names: dict[str, str] = {}
    for holder in (where, where[:2]):
        for index, node in enumerate(sequence(contract.at((*holder, "parameters")))):
            name = str(mapping(contract.resolve(node)).get("name"))
            python = PythonIdentifier(name, "")
            if names.setdefault(python, name) != name:
                message = f"the parameters `{names[python]}` and `{name}` are both `{python}` in Python, so both change"
                remedy = "names: rename one, if the bridge can."
                yield _found(contract, (*holder, "parameters", index), f"{message} {remedy}")


def _parameter(contract: Contract, element: Element) -> Iterator[Finding]:
    node, where, name = element.node, element.where, element.name
    place = str(node.get("in"))
    if "content" in node:
        message = f"the generator leaves out a parameter with `content`: give `{name}` a `schema`."
        yield _found(contract, (*where, "content"), message)
    for key, only in (
        ("style", {"query": "form", "cookie": "form"}.get(place, "simple")),
        ("explode", place == "query"),
    ):
        if key in node and node[key] != only:
            message = (
                f"the generator ignores `{key}: {str(node[key]).lower()}`, and would send `{name}` in another form:"
            )
            yield _found(contract, (*where, key), f"{message} remove it, or declare a string.")
    if place == "header" and name.lower() in OWN_HEADERS:
        message = (
            f"`{name}` is no header parameter for OpenAPI: it follows from {OWN_HEADERS[name.lower()]}; remove it."
        )
        yield _found(contract, (*where, "name"), message)
    python = PythonIdentifier(name, "")
    if python in REQUEST_NAMES or not python.isidentifier():
        why = "which the generated code uses itself" if python in REQUEST_NAMES else "which is no name in Python"
        message = (
            f"the parameter `{name}` becomes `{python}`, {why}: it cannot be generated; rename it, if the bridge can."
        )
        yield _found(contract, (*where, "name"), message)
    schema = mapping(contract.resolve(node.get("schema")))
    kinds, formats = {*_types(contract, schema)}, {*_formats(contract, schema)}
    texts = "string" in kinds and (formats or "const" in schema)
    if "schema" not in node:
        return
    if place == "path" and not kinds <= SIMPLE - {"boolean"}:
        told = "must be one of string, integer or number: the generator would send other types in Python's own form."
        yield _found(contract, (*where, "schema"), f"the path parameter `{name}` {told}")
    elif "binary" in formats:
        message = f"the parameter `{name}` is binary, which has no form in a request's head: make it a string."
        yield _found(contract, (*where, "schema"), message)
    elif place == "path" and "date-time" in formats:
        message = f"the path parameter `{name}` would be sent with a blank between date and time: make it a string."
        yield _found(contract, (*where, "schema"), message)
    elif place == "header" and (len(kinds) != 1 or not kinds <= SIMPLE or texts):
        told = "must have one of the types string (without a format), integer, number or boolean:"
        yield _found(contract, (*where, "schema"), f"the header `{name}` {told} the generator leaves others out.")
    elif place == "cookie" and (kinds != {"string"} or texts):
        message = (
            f"the cookie `{name}` must be a string without a format: the generator sends others in Python's own form."
        )
        yield _found(contract, (*where, "schema"), message)
    elif place == "query" and "array" in kinds and not {*_types(contract, schema.get("items"))} <= SIMPLE:
        message = (
            f"the query parameter `{name}` must be an array of strings, numbers or booleans to have a form in a URL."
        )
        yield _found(contract, (*where, "schema"), message)
    elif place == "query" and "object" in kinds:
        fields = mapping(schema.get("properties")).values()
        if kinds != {"object"} or any({*_types(contract, node)} - SIMPLE for node in fields):
            told = "must be an object alone, with strings, numbers or booleans as fields, to have a form in a URL."
            yield _found(contract, (*where, "schema"), f"the query parameter `{name}` {told}")


def _formats(contract: Contract, schema: Any) -> Iterator[str]:
    """The formats of a schema and of its alternatives."""
    for node in _alternatives(contract, schema):
        yield from [str(node["format"])] if "format" in node else []


def _alternatives(contract: Contract, schema: Any) -> list[dict[str, Any]]:
    """A schema and what it is combined from, at any depth."""
    found: list[dict[str, Any]] = []
    left = [schema]
    while left:
        node = mapping(contract.resolve(left.pop()))
        if not any(node is known for known in found):
            found.append(node)
            left += [member for key in ("allOf", "anyOf", "oneOf") for member in sequence(node.get(key))]
    return found


def _types(contract: Contract, schema: Any) -> Iterator[str]:
    """The JSON types that a schema allows; `any` where it does not say."""
    nodes = _alternatives(contract, schema)
    for node in nodes:
        kinds = node["type"] if isinstance(node.get("type"), list) else [node.get("type")]
        yield from (kind for kind in kinds if kind in (*SIMPLE, "array", "object", "null"))  # others are told elsewhere
    if not any("type" in node for node in nodes):
        yield "object" if any("properties" in node for node in nodes) else "any"


def _content(contract: Contract, element: Element) -> Iterator[Finding]:
    content = mapping(element.node.get("content"))
    for media_type in [*content][1:]:
        message = f"the generator reads one media type of a {element.kind}, the first: remove `{media_type}`."
        yield _found(contract, (*element.where, "content", media_type), message)
    for media_type, media in content.items():
        where = (*element.where, "content", media_type)
        binary = "binary" in _formats(contract, mapping(media).get("schema"))
        if {*_types(contract, mapping(media).get("schema"))} == {"any"}:
            yield _found(contract, where, "the generator leaves out a body without a type: give its `schema` one.")
        elif re.match("text/(?!.*json)", str(media_type)) and {*_types(contract, media["schema"])} != {"string"}:
            yield _found(contract, where, f"a body of `{media_type}` is text: give it the type string.")
        elif binary != (media_type == "application/octet-stream"):
            message = "`application/octet-stream` and `type: string, format: binary` belong together:"
            yield _found(contract, where, f"{message} change one of them.")
        elif media_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
            fields = mapping(mapping(contract.resolve(media["schema"])).get("properties"))
            kept = {*SIMPLE, "array", "object"} if "multipart" in media_type else SIMPLE
            kinds = {kind for node in fields.values() for kind in _types(contract, node)}
            if {*_types(contract, media["schema"])} != {"object"} or kinds - kept:
                told = "must be an object with strings, numbers or booleans as fields, to have the form of a form."
                yield _found(contract, where, f"a body of `{media_type}` {told}")


def _schema(contract: Contract, element: Element) -> Iterator[Finding]:
    """A schema, or a property, with the references written directly in it."""
    node, where = element.node, element.where
    held: list[Where] = [("properties", name) for name in mapping(node.get("properties"))]
    held += [(key, index) for key in ("allOf", "anyOf", "oneOf") for index in range(len(sequence(node.get(key))))]
    held += [(key,) for key in ("items", "additionalProperties") if key in node]
    for keys in held:
        inner = contract.at((*where, *keys))
        if isinstance(inner, bool) and keys != ("additionalProperties",):
            message = f"the generator cannot read `{str(inner).lower()}` as a schema: write `{{}}` for anything."
            yield _found(contract, (*where, *keys), message)
        yield from _beside(contract, (*where, *keys), inner)
    if len(where) == 3:
        yield from _beside(contract, where, node)
    yield from _shape(contract, element)
    yield from _properties(contract, where, mapping(node.get("properties")))


def _beside(contract: Contract, where: Where, node: Any) -> Iterator[Finding]:
    known = node if is_reference(node) else {}
    lost = sorted(key for key in known if key not in ("$ref", "description", "summary") and not key.startswith("x-"))
    if lost:
        remedy = "and a second member that has them" if lost != ["default"] else "alone, and the default beside it"
        message = f"the generator ignores {', '.join(f'`{key}`' for key in lost)} beside `$ref`:"
        yield _found(contract, (*where, lost[0]), f"{message} write `allOf` with the reference {remedy}.")


def _shape(contract: Contract, element: Element) -> Iterator[Finding]:
    node, where = element.node, element.where
    lost = sorted(
        key
        for key in node.keys() - {"allOf", "default", "description", "title", "example", "examples", "deprecated"}
        if not key.startswith("x-")
    )
    match node.get("allOf"):
        case [{"$ref": str()}] if lost:
            told = f"{', '.join(lost)} beside `allOf` with one reference are lost in generating"
            yield _found(contract, (*where, "allOf"), f"{told}: put them into a second member of `allOf`.")
    if "enum" in node:
        yield from _enum(contract, element)
    kinds = sequence(node.get("type")) or [node.get("type")]
    if "array" in kinds and not node.keys() & {"items", "prefixItems"}:
        yield _found(
            contract, where, "the generator cannot read an array without `items`: add `items: {}` for anything."
        )
    if node.get("additionalProperties") is False:
        message = (
            "with `additionalProperties: false` unknown fields are dropped without a word: leave it out to keep them."
        )
        yield _found(contract, (*where, "additionalProperties"), message)
    members = [*sequence(node.get("oneOf")), *sequence(node.get("anyOf"))]
    own = sorted(node.keys() & {"properties", "allOf", "additionalProperties"})
    if members and own:
        message = f"the generator loses {', '.join(f'`{key}`' for key in own)} beside `anyOf` or `oneOf`:"
        yield _found(contract, (*where, own[0]), f"{message} write them into each of the alternatives.")
    if isinstance(node.get("const"), bool):
        yield _found(contract, (*where, "const"), "the generator trips over a boolean `const`: write `type: boolean`.")
    objects = [one for one in members if "properties" in mapping(contract.resolve(one))]
    for earlier in objects[:-1]:
        if not mapping(contract.resolve(earlier)).get("required"):
            name = str(mapping(earlier).get("$ref", "the first object")).rpartition("/")[2]
            message = f"every object reads as `{name}`, which requires nothing, and never as a later one:"
            yield _found(contract, where, f"{message} require a property that tells them apart.")


def _enum(contract: Contract, element: Element) -> Iterator[Finding]:
    where, values = (*element.where, "enum"), sequence(element.node["enum"])
    if len(element.where) != 3 and None in values:
        message = "an enumeration with null makes several classes of one: make the enumeration a component without null"
        yield _found(contract, where, f"{message}, and write `oneOf` with its reference and `type: 'null'`.")
        return
    kinds = {type(value) for value in values if value is not None}
    if not kinds <= {str} and not kinds <= {int} and not kinds <= {bool}:
        message = "the generator reads enumerations of strings, or of integers: write values of one such type."
        yield _found(contract, where, message)
        return
    names = sequence(element.node.get("x-enum-varnames"))
    members: dict[str, Any] = {}
    for index, value in enumerate(values):
        # As the generator names a member.
        if value is None:
            continue
        name = value if isinstance(value, str) and value[:1].isalpha() else f"value {index}"
        if not isinstance(value, str):
            name = f"value negative {-value}" if value < 0 else f"value {value}"
        member = snake_case(str(names[index]) if len(names) == len(values) else name).upper()
        if member in members:
            message = (
                f"`{members[member]}` and `{value}` are both the member `{member}` in Python, so one would be lost:"
            )
            yield _found(contract, (*where, index), f"{message} name them with `x-enum-varnames`, or declare a string.")
        members[member] = value


def _properties(contract: Contract, where: Where, properties: dict[str, Any]) -> Iterator[Finding]:
    taken: dict[str, str] = {}
    for name in properties:
        python = PythonIdentifier(name, "")
        at = (*where, "properties", name)
        if not python.isidentifier():
            message = f"the property `{name}` becomes `{python}`, which is no name in Python: leave it out; it is kept"
            yield _found(contract, at, f"{message} in `additional_properties`.")
        elif python in MODEL_NAMES:
            message = (
                f"the property `{name}` becomes `{python}`, which every model uses itself: leave it out; it is kept"
            )
            yield _found(contract, at, f"{message} in `additional_properties`.")
        elif python in taken:
            message = (
                f"the properties `{taken[python]}` and `{name}` are both `{python}` in Python, so both change names:"
            )
            yield _found(contract, at, f"{message} leave one out; it is kept in `additional_properties`.")
        taken[python] = name


def _class_names(contract: Contract) -> Iterator[Finding]:
    taken: dict[str, str] = {}
    for name in mapping(contract.at(("components", "schemas"))):
        python, where = ClassName(name, ""), ("components", "schemas", name)
        if not python.isidentifier():
            message = f"the schema `{name}` becomes the class `{python}`, which is no name in Python: rename it."
            yield _found(contract, where, message)
        elif python in CLASS_NAMES:
            message = f"the schema `{name}` becomes the class `{python}`, a name that the generated code uses itself:"
            yield _found(contract, where, f"{message} rename it.")
        elif python in taken:
            message = f"the schemas `{taken[python]}` and `{name}` are both the class `{python}`: rename one."
            yield _found(contract, where, message)
        taken[python] = name

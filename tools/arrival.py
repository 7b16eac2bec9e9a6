"""Proof that what the contract says arrived in a generated package: each part is put to use, and its loss is named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from openapi_python_client.strings import ClassName, PythonIdentifier

from tools.contract import Contract, Where, is_reference, mapping, sequence
from tools.documented import aliases
from tools.looking import Probe

__all__ = ["class_name", "missing", "python_name"]

EXTRA = "x-extra"  # the field of samples that the contract does not know, as in probe.py
DEPTH = 3  # from where on a sample leaves out what other schemas are shown by
NOTHING = object()  # no sample: an endless schema, or a value that JSON does not have
NUMBERS = count(7)  # every value of a sample is another one, so that two fields cannot change places unseen


def missing(contract: Contract, probe: Probe) -> list[tuple[Where, str]]:
    """What of the contract is not in the package that `probe` sees: where it stands in the contract, and a sentence.

    Operations are called with every argument, bodies of every status are read; samples of every schema, with each
    property and each value of an enumeration, go through the models and come back.

    Raises:
        ProbeError: the package cannot be imported.

    """
    questions = [*_operations(contract), *_classes(contract)]
    asked = [{**question, "number": number} for number, (_, question) in enumerate(questions)]
    told = [(*questions[number], sentence) for number, sentence in probe.ask(asked)["missing"]]
    # What a schema lost is missing wherever it is used: told where it is the schema's own.
    schemas = {where for where, question, _ in told if question["kind"] == "class"}
    return [
        (where, f"{_subject(question)} {sentence}")
        for where, question, sentence in told
        if not (contract.reached(where) - {where}) & schemas
    ]


def class_name(name: str) -> str:
    """The Python class that the generator makes of a schema."""
    return str(ClassName(name, ""))


def python_name(name: str) -> str:
    """The Python name that the generator gives a property, a parameter, an operation or a tag."""
    return str(PythonIdentifier(name, ""))


def _subject(question: dict[str, Any]) -> str:
    if question["kind"] == "operation":
        return f"the operation `{question['operation']}`"
    return f"the schema `{question['schema']}`"


def _operations(contract: Contract) -> Iterator[tuple[Where, dict[str, Any]]]:
    for where, operation in contract.operations():
        parameters = [mapping(contract.resolve(node)) for node in sequence(operation.get("parameters"))]
        around = [mapping(contract.resolve(node)) for node in sequence(contract.at((*where[:2], "parameters")))]
        sent: list[tuple[str, str, str]] = []
        for node in (*parameters, *around):
            names = [str(node.get("name"))]
            sample = _sample(contract, node.get("schema"), 0, frozenset())
            if node.get("in") == "query" and isinstance(sample, dict):
                names = [*sample]  # the fields of an object are sent, each by its name
            python = python_name(str(node.get("name")))
            sent += [(str(node["in"]), name, python) for name in names]
        body = mapping(contract.resolve(operation.get("requestBody")))
        yield (
            where,
            {
                "kind": "operation",
                "operation": operation["operationId"],
                "tag": python_name(str(operation["tags"][0])),
                "method": python_name(str(operation["operationId"])),
                "verb": where[2],
                "path": where[1],
                "parameters": sent,
                "bodies": [*mapping(body.get("content"))],
                "answers": [*_answers(contract, operation)],
            },
        )


def _answers(contract: Contract, operation: dict[str, Any]) -> Iterator[tuple[str, str, Any, str]]:
    for status, node in mapping(operation.get("responses")).items():
        content = mapping(mapping(contract.resolve(node)).get("content"))
        for media_type, media in list(content.items())[:1]:
            sample = _sample(contract, mapping(media).get("schema"), 0, frozenset())
            kind = "json" if "json" in media_type else "text" if media_type.startswith("text/") else "binary"
            reference = contract.follow(mapping(media).get("schema")) or ()
            known = class_name(str(reference[-1])) if reference and isinstance(sample, dict) else ""
            if sample is not NOTHING or kind == "binary":
                yield status, kind, "" if kind == "binary" else sample, known
        if not content:
            yield status, "none", "", ""


def _classes(contract: Contract) -> Iterator[tuple[Where, dict[str, Any]]]:
    second = aliases(contract)
    for name, schema in mapping(contract.at(("components", "schemas"))).items():
        where: Where = ("components", "schemas", name)
        known = {"schema": name, "name": class_name(name)}
        if name in second:
            if _is_class(contract, contract.resolve(schema["allOf"][0])):
                yield where, {"kind": "alias", **known, "of": class_name(second[name])}
        elif not _is_class(contract, schema):
            continue
        elif "enum" in schema:
            yield where, {"kind": "class", **known, "samples": [one for one in schema["enum"] if one is not None]}
        else:
            rounds = range(_variants(contract, schema, frozenset()))
            samples = [_sample(contract, schema, round_, frozenset()) for round_ in rounds]
            presence: dict[str, Any] = _presence(contract, schema)
            presence["fields"] = {name: python_name(name) for name in presence["fields"]}
            yield (
                where,
                {"kind": "class", **known, "samples": [one for one in samples if one is not NOTHING], **presence},
            )


def _presence(contract: Contract, schema: Any) -> dict[str, list[str]]:
    """The fields of a schema, those that must be there, and those that may be null; with those of its `allOf`."""
    schema = mapping(contract.resolve(schema))
    properties = mapping(schema.get("properties"))
    found = {"fields": [*properties], "required": [*sequence(schema.get("required"))], "nullable": []}
    for name, node in properties.items():
        node = mapping(contract.resolve(node))
        kinds = sequence(node.get("type")) or [node.get("type")]
        members = [*sequence(node.get("oneOf")), *sequence(node.get("anyOf"))]
        if "null" in kinds or any(mapping(member).get("type") == "null" for member in members):
            found["nullable"].append(name)
    for member in sequence(schema.get("allOf")):
        for key, names in _presence(contract, member).items():
            found[key] += names
    return found


def _is_class(contract: Contract, schema: Any) -> bool:
    """Whether the generator makes a class of a component, instead of writing its type where it is used."""
    schema = mapping(contract.resolve(schema))
    if "enum" in schema:
        return not all(isinstance(value, bool) for value in schema["enum"])
    if "oneOf" in schema or "anyOf" in schema or isinstance(schema.get("type"), list):
        return False
    members = sequence(schema.get("allOf"))
    made = [_is_class(contract, member) for member in members if "enum" not in mapping(contract.resolve(member))]
    return schema.get("type") == "object" or "properties" in schema or any(made)


def _variants(contract: Contract, schema: Any, seen: frozenset[int]) -> int:
    """How many samples show every value of the enumerations and every member of the combinations in a schema."""
    if seen and is_reference(schema):
        return 1  # a schema of its own, shown by samples of its own
    schema = mapping(contract.resolve(schema))
    if id(schema) in seen:
        return 1
    seen |= {id(schema)}
    alternatives = _alternatives(schema)
    inner = [*mapping(schema.get("properties")).values(), *sequence(schema.get("allOf")), *alternatives]
    inner += [schema[key] for key in ("items", "additionalProperties") if key in schema]
    counts = [_variants(contract, node, seen) for node in inner]
    return max([len(schema.get("enum", ())), len(alternatives) * max(counts, default=1), *counts, 1])


def _has_type(contract: Contract, schema: Any) -> bool:
    """Whether a member of a combination says what a value is, and does not only limit it."""
    return bool(mapping(contract.resolve(schema)).keys() - {"required", "description", "title", "default"})


def _alternatives(schema: dict[str, Any]) -> list[Any]:
    """What a value may be instead of null; absent and null are one in Python."""
    members = [*sequence(schema.get("oneOf")), *sequence(schema.get("anyOf"))]
    if isinstance(kinds := schema.get("type"), list):
        members += [{**schema, "type": kind} for kind in kinds]
    return [member for member in members if mapping(member).get("type") != "null"]


def _sample(contract: Contract, schema: Any, round_: int, seen: frozenset[int]) -> Any:
    """A value of a schema with every property in it; in each round with other values and members where there are."""
    if len(seen) > DEPTH and is_reference(schema):
        return NOTHING  # a schema of its own, shown by samples of its own
    schema = mapping(contract.resolve(schema))
    if id(schema) in seen:
        return NOTHING
    seen |= {id(schema)}
    if values := [value for value in sequence(schema.get("enum")) if value is not None]:
        return values[round_ % len(values)]
    if "const" in schema:
        return schema["const"]
    if alternatives := _alternatives(schema):
        turn, first = divmod(round_, len(alternatives))
        # One after the other, since an endless one has no sample.
        samples = (_sample(contract, one, turn, seen) for one in alternatives[first:] + alternatives[:first])
        return next((sample for sample in samples if sample is not NOTHING), NOTHING)
    typed = [node for node in sequence(schema.get("allOf")) if _has_type(contract, node)]
    parts = [_sample(contract, node, round_, seen) for node in typed]
    if parts and not all(isinstance(part, dict) for part in parts):
        return parts[0]
    match schema.get("type"), schema.get("format"):
        case "array", _:
            item = _sample(contract, schema.get("items"), round_, seen)
            return [] if item is NOTHING else [item]
        case ("object", _) | (None, _) if parts or "properties" in schema or schema.get("type"):
            fields = {
                name: value
                for name, node in mapping(schema.get("properties")).items()
                if (value := _sample(contract, node, round_, seen)) is not NOTHING
            }
            if isinstance(schema.get("additionalProperties"), dict):
                value = _sample(contract, schema["additionalProperties"], round_, seen)
                fields |= {} if value is NOTHING else {EXTRA: value}
            return {key: value for part in (*parts, fields) for key, value in part.items()}
        case "string", "date":
            return _moment().date().isoformat()
        case "string", "date-time":
            return _moment().isoformat()
        case "string", "binary":
            return NOTHING
        case "string", "uuid":
            return str(UUID(int=next(NUMBERS)))
        case kind, _:
            number = next(NUMBERS)
            return {"integer": number, "number": number + 0.5, "boolean": True}.get(str(kind), f"text {number}")


def _moment() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=next(NUMBERS))

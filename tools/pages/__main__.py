"""`python -m tools.pages`: puts all pages into .site/, from which Zensical builds the site.

The pages of the reference that follow the contract and the command are written here, as Markdown for mkdocstrings.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.changes.surface import read
from tools.contract import Contract, Element, load, mapping, sequence
from tools.contract.examples import given
from tools.generate import ROOT, class_name, offered

FILES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "openapi.yaml")
"""Files outside of docs/ to which its pages link. They keep their places, so that the links hold."""
LINK = re.compile(r"\[([^\[\]]*)\]\((?!\w+:|#)([^)#\s]+)(?:#[^)\s]*)?\)")
COMMAND = str(Path(sys.executable).parent / "talkdesk-bridge")
SIGNATURES = {f"show_docstring_{part}": False for part in ("description", "parameters", "raises")}
MODELS = """# Models

Each schema of the contract is a class in `talkdesk_bridge.models`. An optional field that is absent is None. A field
that the contract lacks is in `additional_properties`. Of a *documented* field, the page that the link leads to prints
the name and the type; its meaning is assumed.
"""
FIELDS = "| field | type | example | meaning | source |\n|---|---|---|---|---|"


def stage(root: Path, target: Path) -> None:
    """Replace the folder `target` with one that holds the pages of the site."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root / "docs", target / "docs", ignore=shutil.ignore_patterns("api.html", ".*"))
    for name in FILES:
        shutil.copy(root / name, target / name)
    for name, text in reference(root).items():
        (target / "docs" / "reference" / f"{name}.md").write_text(text, encoding="utf-8")
    for page in target.rglob("*.md"):
        page.write_text(_without_missing_links(page), encoding="utf-8")


def _without_missing_links(page: Path) -> str:
    """The text of a page; a link to a file that is not on the site, such as a workflow, becomes plain text."""
    text = page.read_text(encoding="utf-8")
    return LINK.sub(lambda link: link[0] if (page.parent / link[2]).exists() else link[1], text)


def faults(navigation: Any, target: Path) -> Iterator[str]:
    """A sentence for each page that the navigation lacks, and for each of its pages that does not exist."""
    listed = {*re.findall(r'"([^"]+\.md)"', json.dumps(navigation))}
    pages = {page.relative_to(target).as_posix() for page in target.rglob("*.md")}
    for name in sorted(listed - pages):
        yield f"mkdocs.yml: the page {name} does not exist: remove it from `nav`, or correct its path."
    for name in sorted(pages - listed):
        yield f"mkdocs.yml: `nav` does not list {name}: add it."


def reference(root: Path) -> dict[str, str]:
    """The text of each page, by its name."""
    names = offered(root / "generated", root / "overrides")
    pages = {
        "operations": _operations(names),
        "models": _models(names, load(root / "openapi.yaml")),
        "errors": _errors(names),
        "command": _command(),
    }
    return {name: "\n".join(lines) for name, lines in pages.items()}


def _entry(name: str, **options: Any) -> str:
    """The directive for a name whose constructor callers do not need."""
    return f"::: {name}\n    options: {json.dumps({'merge_init_into_class': False} | options)}\n"


def _operations(names: dict[str, str]) -> Iterator[str]:
    yield "# Operations\n\nA client has one attribute for each tag of the contract.\n"
    for tag in sorted({name.split(".")[1] for name in names if name.startswith("client.")}):
        yield f"## client.{tag}\n"
        yield _entry(f"talkdesk_bridge_api.api.{tag}.{class_name(tag)}Operations", heading_level=3)
        yield _entry(f"talkdesk_bridge_api.api.{tag}.Async{class_name(tag)}Operations", heading_level=3, **SIGNATURES)
    yield "## Iterators\n"
    for name in ("Items", "AsyncItems"):
        yield _entry(f"talkdesk_bridge_api.types.{name}", heading_level=3)


def _models(names: dict[str, str], contract: Contract) -> Iterator[str]:
    examples, properties = _examples(contract), _properties(contract, names)
    yield MODELS
    for model in (name for name in names if re.fullmatch(r"models\.\w+", name)):
        yield _entry(f"talkdesk_bridge.{model}", members=False)
        fields = [name for name in names if re.fullmatch(rf"{model}\.\w+", name) and name in properties]
        if fields:
            yield FIELDS
        for field in fields:
            kind = names[field].partition(" = ")[0]
            used = [name for name in re.findall(r"\w+", kind) if f"models.{name}" in names]
            more = [f"[{name}][talkdesk_bridge.models.{name}]" for name in used]
            yield _row(field.rpartition(".")[2], [f"`{kind}`", *more], properties[field], examples)
        yield ""


def _row(field: str, kind: list[str], element: Element, examples: dict[int, Any]) -> str:
    node, example = element.node, examples.get(id(element.node))
    if node.get("x-money"):
        kind = [*kind, "an amount with its currency, for [Money][talkdesk_bridge.Money]"]
    shown = "" if example is None or isinstance(example, dict | list) else f"`{json.dumps(example)}`"
    meaning = " ".join(str(node.get("description", "")).split()).replace("|", "&#124;")
    source = f"[{element.status}]({(element.provenance or {}).get('source')})"
    return f"| `{field}` | {': '.join(kind)} | {shown} | {meaning} | {source} |"


def _properties(contract: Contract, names: dict[str, str]) -> dict[str, Element]:
    """The properties of the contract, by the name of the attribute: `models.InvoiceDetails.amount`."""
    properties = {element.where: element for element in contract.elements("property")}
    fields = {name for name in names if names.get(name.rpartition(".")[0]) == "class"}
    fields -= {name for name in fields if name.endswith(".additional_properties")}
    places = {name: known.where for name, known in read(contract, names).items() if name in fields}
    return {name: properties[where] for name, where in places.items() if where in properties}


def _examples(contract: Contract) -> dict[int, Any]:
    """The first value of each schema and property in the examples of the contract, by the identity of its node."""
    found: dict[int, Any] = {}

    def note(node: Any, value: Any) -> None:
        found.setdefault(id(node), value)
        schema = mapping(contract.resolve(node))
        for part in (schema, *contract.parts(schema)):
            for name, inner in mapping(part.get("properties")).items():
                if name in mapping(value):
                    note(inner, value[name])
            for item in sequence(value):
                note(part.get("items"), item)

    for element in contract.elements():
        for schema, examples in given(contract, element):
            for _, value in examples:
                note(schema, value)
    return found


def _errors(names: dict[str, str]) -> Iterator[str]:
    found = {name.removeprefix("errors."): text for name, text in names.items() if re.fullmatch(r"errors\.\w+", name)}

    def below(parent: str, indent: str) -> Iterator[str]:
        for name, text in found.items():
            if re.match(f"class from {parent}\\b", text):
                yield f"{indent}- [{name}][talkdesk_bridge.errors.{name}]"
                yield from below(name, f"{indent}    ")

    yield "# Errors\n\nEach exception of the package is a [BridgeError][talkdesk_bridge.errors.BridgeError]:\n"
    yield from below("BridgeError", "")
    yield ""
    yield from (_entry(f"talkdesk_bridge.errors.{name}") for name in found)


def _command() -> Iterator[str]:
    yield "# Help of the command\n\nThe page [Command](../command.md) explains and shows more.\n"
    listed = re.findall(r"^  ([a-z]+) ", _help().partition("Commands:")[2], re.MULTILINE)
    for name in ("", *listed):
        yield f"## talkdesk-bridge {name}\n\n```text\n{_help(*name.split())}```\n"


def _help(*names: str) -> str:
    return subprocess.run([COMMAND, *names, "--help"], capture_output=True, text=True, check=True).stdout


def main() -> int:
    """Returns 0, or 1 if the navigation does not fit the pages."""
    stage(ROOT, ROOT / ".site")
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    found = [*faults(settings["nav"], ROOT / ".site")]
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

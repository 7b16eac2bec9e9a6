"""The pages of the documentation site, without the tool that builds it: a complete reference and page tree."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tests.conftest import ROOT
from tools.pages.__main__ import faults, stage

MODULES = (
    "talkdesk_bridge",
    "talkdesk_bridge.contract",
    "talkdesk_bridge.errors",
    "talkdesk_bridge.models",
    "talkdesk_bridge_http",
    "talkdesk_bridge_pytest",
    "talkdesk_bridge_sandbox",
    "talkdesk_bridge_tables",
)
SPARK = ROOT / "extras" / "talkdesk_bridge_tables" / "spark.py"  # pyspark is not installed here
NAVIGATION = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]


def public_names() -> set[str]:
    """The public names of all packages, by the module that callers import them from."""
    names = set()
    for module in map(import_module, MODULES):
        values = {name: getattr(module, name) for name in module.__all__}
        names |= {f"{module.__name__}.{name}" for name in values if not isinstance(values[name], ModuleType)}
    for node in ast.parse(SPARK.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names |= {f"talkdesk_bridge_tables.spark.{name}" for name in ast.literal_eval(node.value)}
    return names


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site") / "pages"
    stage(ROOT, target)
    return target


def reference(staged: Path) -> str:
    return "".join(page.read_text(encoding="utf-8") for page in (staged / "docs" / "reference").iterdir())


def test_every_public_name_has_an_entry(staged: Path) -> None:
    entries = re.findall(r"^::: (\S+)$", reference(staged), re.M)
    assert public_names() - {*entries} == set()
    assert len(entries) == len({*entries})


def test_every_operation_and_every_field_is_described(staged: Path) -> None:
    models = import_module("talkdesk_bridge.models")
    text = reference(staged)
    for info in import_module("talkdesk_bridge.contract").operations():
        assert f"## client.{info.group}\n" in text
    for name in models.__all__:
        section = text.partition(f"::: talkdesk_bridge.models.{name}\n")[2].partition(":::")[0]
        rows = re.findall(r"^\| `(\w+)` \| `(.+?)`.* \| .* \| .* \| \[(documented|observed|assumed)\]", section, re.M)
        fields = getattr(getattr(models, name), "FIELDS", {})  # an enumeration has none
        is_alias = getattr(models, name).__name__ != name
        assert [row[0] for row in rows] == ([] if is_alias else [*fields.values()])
    assert '| `invoice_bill_date` | `datetime.date | None` | `"2023-07-01"` | Assumed: ' in text


def test_the_page_tree_has_every_page(staged: Path) -> None:
    assert [*faults(NAVIGATION, staged)] == []
    (staged / "docs" / "reference" / "more.md").touch()
    assert [*faults([*NAVIGATION, {"Old": ["docs/reference/old.md"]}], staged)] == [
        "mkdocs.yml: the page docs/reference/old.md does not exist: remove it from `nav`, or correct its path.",
        "mkdocs.yml: `nav` does not list docs/reference/more.md: add it.",
    ]
    (staged / "docs" / "reference" / "more.md").unlink()


def test_a_link_to_a_file_that_is_not_on_the_site_becomes_text(staged: Path) -> None:
    guide = (staged / "docs" / "ci.md").read_text(encoding="utf-8")
    assert "(../.github" not in guide
    assert "`.github/workflows/ci.yml` runs on each push" in guide
    assert "](releases.md)" in guide

"""A hook of hatchling: the description of the package without relative links, and the URL of the documentation."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)\[([^\[\]]*)\]\((?![a-z]+:)([^)#\s]*)(#[^)\s]*)?\)")


class Description(MetadataHookInterface):
    """Sets the fields of the metadata that depend on DOCS_URL, where the site of `make site` is published."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling."""
        site = os.environ.get("DOCS_URL", "").rstrip("/")
        if site and not re.match("https?://[^/]", site):
            raise ValueError("DOCS_URL must begin with https:// or http://")
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": described(text, site)}
        metadata["urls"] = {"Documentation": f"{site}/", "Changelog": f"{site}/CHANGELOG.html"} if site else {}


def described(readme: str, site: str) -> str:
    """The README with absolute links; without a site, their text instead of links, and no pictures.

    >>> described("[CI](docs/ci.md#github)", "https://docs.example")
    '[CI](https://docs.example/docs/ci.html#github)'
    >>> described("[CI](docs/ci.md#github)", "")
    'CI'
    """

    def absolute(link: re.Match[str]) -> str:
        mark, text, target, anchor = link.groups("")
        if not site:
            return "" if mark else text
        return f"{mark}[{text}]({site}/{re.sub(r'[.]md$', '.html', target)}{anchor})"

    return LINK.sub(absolute, readme)

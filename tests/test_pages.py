"""The pages can be read in one sitting, their links lead somewhere, and the messages that they name are printed."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from talkdesk_bridge import BearerAuth, BridgeClient, HeaderAuth, OAuth2ClientCredentials, Retry, errors
from talkdesk_bridge_sandbox import Sandbox

from tests.conftest import ROOT
from tests.pages import DOCS, PAGES, anchors, blocks, links, prose, sentences, text_of

LONGEST_PAGE = 1000
LONGEST_SENTENCE = 35
REFERENCE = {"check.md", "command.md", "generator.md", "pytest.md", "sandbox.md", "settings.md", "troubleshooting.md"}
APPENDICES = {"changes.md", "faults.md", "speed.md", "tests.md"}
README, START = ROOT / "README.md", DOCS / "start.md"


@pytest.mark.parametrize("file", [file for file in PAGES if file.parent != ROOT], ids=lambda file: file.name)
def test_a_page_can_be_read_in_one_sitting(file: Path) -> None:
    words = len(prose(file).split())
    assert words <= LONGEST_PAGE or file.name in REFERENCE | APPENDICES


def test_the_readme_is_short() -> None:
    assert len(text_of(README).split()) <= 700


@pytest.mark.parametrize("file", [README, START], ids=lambda file: file.name)
def test_sentences_are_short(file: Path) -> None:
    found = sentences(file)
    assert len(found) > 15
    assert not [sentence for sentence in found if len(sentence.split()) > LONGEST_SENTENCE]


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(file: Path) -> None:
    for target, anchor in links(file):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target), (target, anchor)


def test_the_readme_leads_to_every_page() -> None:
    assert {target for target, _ in links(README)} >= {*DOCS.glob("*.md")}


def test_messages_and_docstrings_lead_to_existing_pages() -> None:
    for folder in ("overrides", "extras", "generated", "tools", "tests", "benchmarks", ".github"):
        for file in (ROOT / folder).rglob("*.*"):
            if file.suffix in (".py", ".jinja", ".yml", ".html"):
                for name in re.findall(r"(?<!/)docs/[\w-]+\.md", text_of(file)):
                    assert (ROOT / name).exists(), (file, name)


def test_the_files_of_the_package_lead_to_no_page() -> None:
    """Somebody who has only the wheel has no page."""
    for folder in ("overrides", "extras"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(text_of(file))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    assert not re.search(r"README|docs/", node.value), (file, node.value)


@pytest.mark.parametrize("name", ["service/app.py", "job/nightly.sh", "job/billing.service", "job/billing.timer"])
def test_a_page_shows_the_example(name: str) -> None:
    folder, _, file = name.partition("/")
    language = {"py": "python", "sh": "sh"}.get(file.rpartition(".")[2], "ini")
    assert text_of(ROOT / "examples" / name) in blocks(DOCS / f"{folder}.md", language)


# Troubleshooting


def documented_messages() -> list[str]:
    page = text_of(DOCS / "troubleshooting.md").partition("## Publishing")[0]
    return re.findall(r"^\| `([^`]+)` \|", page, re.M)


def printed_texts() -> str:
    """All texts in the source of the package, those of f-strings included."""
    texts = []
    for folder in ("overrides", "extras", "generated"):
        for file in (ROOT / folder).rglob("*.py"):
            nodes = ast.walk(ast.parse(text_of(file)))
            texts += [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return "\n".join(texts)


# Parts of messages that come from elsewhere: reasons of the operating system, HTTP, OpenSSL and httpx, names of
# settings; and those that are put together from more than one text, which a real fault shows below.
FOREIGN = (
    "Name or service not known", "Connection refused", "CERTIFICATE_VERIFY_FAILED", "Bad Request", "Unauthorized", "Forbidden",
    "Not Found", "Bad Gateway", "text/html", "ReadTimeout", "TALKDESK_BRIDGE_", "base URL", "a proxy",
    "with a body that is not JSON", "with more than",
)  # fmt: skip


def test_every_message_of_troubleshooting_is_printed() -> None:
    texts, messages = printed_texts(), documented_messages()
    assert len(messages) > 40
    for message in messages:
        for part in re.split(r"\.\.\.|\d+|[:;(]|" + "|".join(FOREIGN), message):
            words = part.strip(" .:,;()")
            assert words in texts, (message, words)


def from_env(**variables: str) -> BridgeClient:
    return BridgeClient.from_env({f"TALKDESK_BRIDGE_{name}": value for name, value in variables.items()})


def read(url: str, account: str = "1000000001", key: str = "sandbox-key", **options: Any) -> None:
    more: dict[str, Any] = {"auth": HeaderAuth(key), "retry": Retry(attempts=2, backoff=0), "timeout": (1, 0.3)}
    with BridgeClient(url, **more | options) as bridge:
        list(bridge.billing.iter_account_invoices(account))


def authenticate(url: str) -> None:
    with BridgeClient(url, auth=OAuth2ClientCredentials(f"{url}/oauth/token", "1", "1")) as bridge:
        bridge.authenticate()


def read_page(url: str, page: int) -> None:
    with BridgeClient(url, auth=HeaderAuth("sandbox-key")) as bridge:
        bridge.billing.get_account_invoices("1000000001", page=page)


CALLS: dict[str, Callable[[str], object]] = {
    "no URL": lambda _: BridgeClient.from_env({}),
    "two credentials": lambda url: from_env(URL=url, API_KEY="1", BEARER_TOKEN="1"),
    "half a credential": lambda url: from_env(URL=url, CLIENT_ID="1"),
    "http": lambda _: from_env(URL="http://bridge.example"),
    "no scheme": lambda _: from_env(URL="bridge.example"),
    "wrong option": lambda url: read(url, token="1"),
    "Bearer twice": lambda _: BearerAuth("Bearer 1"),
    "a line break": lambda _: HeaderAuth("1\n"),
    "a step in the path": lambda url: read(url, ".."),
    "no server": lambda _: read("http://127.0.0.1:1"),
    "no credential": lambda url: read(url, auth=None),
    "wrong credential": lambda url: read(url, key="1"),
    "wrong secret": authenticate,
    "no account": lambda url: read(url, "1"),
    "wrong argument": lambda url: read_page(url, 0),
    "too large": lambda url: read(url, max_bytes=100),
    "strict": lambda url: read(url, "2000000008", strict=True),
    "html-error": lambda url: read(url, "2000000003"),
    "slow": lambda url: read(url, "2000000005"),
    "error-as-success": lambda url: read(url, "2000000012"),
    "login-page": lambda url: read(url, "2000000013"),
    "link-loop": lambda url: read(url, "2000000014"),
    "link-elsewhere": lambda url: read(url, "2000000015"),
    "total-too-large": lambda url: read(url, "2000000016"),
}
"""What goes wrong, and a call for which it does."""


@pytest.mark.parametrize("name", CALLS)
def test_the_message_of_a_real_fault_is_in_troubleshooting(sandbox: Sandbox, name: str) -> None:
    with pytest.raises(errors.BridgeError) as caught:
        CALLS[name](sandbox.url)
    message = re.sub(r" Tried \d+ times\.$", "", str(caught.value))
    forms = [".*".join(map(re.escape, form.split("..."))) for form in documented_messages()]
    assert [form for form in forms if re.fullmatch(form, message)], message

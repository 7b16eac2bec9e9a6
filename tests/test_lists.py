"""Lists of every shape that the generator finds: both clients, the command, the sandbox, and lists without an iterator."""

from __future__ import annotations

import asyncio
import csv
import json
import ssl
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from talkdesk_bridge import AsyncBridgeClient, BridgeClient, Retry, errors
from talkdesk_bridge_api.reading import anything
from talkdesk_bridge_api.types import Body, ListOperation, ListShape
from talkdesk_bridge_sandbox import Sandbox

from tests.command import Run, in_another_process, other_process
from tests.conftest import CONTRACT, ROOT, Server, as_json, merged
from tests.keepalive import KeepAlive, http_response
from tests.packages import made
from tests.strategies import examples
from tools.contract import Contract, check, load
from tools.generate import PACKAGE
from tools.generate.__main__ import main
from tools.generate.lists import lists

Read = Callable[..., dict[str, Any]]

ACCOUNT = "1000000001"
TLS = ssl.create_default_context()
"""Making one for each client would take up most of the time."""
SHAPES = {
    "list_array": (),
    "list_pages": (),
    "list_skipped": (),
    "list_data": ("data",),
    "list_items": ("items",),
    "list_results": ("result", "records"),
    "list_embedded": ("_embedded", "entries"),
}
"""The lists of entries in tests/contracts/lists.yaml, and the fields that lead to each."""
SIZES = {
    "list_pages": "page_size",
    **dict.fromkeys(("list_skipped", "list_data", "list_items", "list_embedded"), "limit"),
}
NONE = {
    "get_order": "its body has no total, and `items` is not alone, but beside `entry_id`",
    "search_orders": "only GET requests are sent again for further pages",
    "list_by_cursor": "the next page is requested with a cursor, `next_cursor`, `cursor`, and the client reads no cursors",
    "list_indexed": "`startIndex` says where a page begins, and the client counts only",
    "list_linked": "the next page is linked by `next`, and the client follows only `_links`",
    "list_twice": "`_embedded` has several arrays, `a`, `b`",
    "list_maybe": "the operation has several 2XX responses",
}


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    return merged("things", "lists")


@pytest.fixture(scope="module")
def package(contract: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(contract, tmp_path_factory.mktemp("lists") / "client")


@pytest.fixture(scope="module")
def command(package: Path) -> Iterator[Run]:
    """A function that runs the command of that client."""
    with in_another_process(package) as run_there:
        yield run_there


@pytest.fixture(scope="module")
def get(command: Run) -> Run:
    """A function that runs `get` of that client."""
    return partial(command, "get")


@pytest.fixture(scope="module", params=["sync", "async"])
def read(request: pytest.FixtureRequest, package: Path) -> Iterator[Read]:
    """A function that reads a list with that client in another process: `read(url, operation, **arguments)`."""
    with other_process(f"from tests.test_lists import read_lists; read_lists({request.param!r})", package) as ask:

        def read_there(url: str, operation: str, **arguments: Any) -> dict[str, Any]:
            found: dict[str, Any] = ask([url, operation, arguments])
            return found

        yield read_there


def read_lists(kind: str) -> None:
    """Read a list for each line of standard input: URL, operation and arguments, as JSON."""
    for line in sys.stdin:
        url, operation, arguments = json.loads(line)
        deviations: list[str] = []
        options: dict[str, Any] = {name: arguments.pop(name) for name in ("strict", "paging") if name in arguments}
        if not options.get("strict"):
            options["on_deviation"] = lambda deviation, to=deviations: to.append(f"{deviation.place}: {deviation.seen}")
        options |= {"retry": Retry(attempts=1), "verify": TLS}
        arguments = {"limit": 50} | arguments if operation == "iter_results" else arguments
        reader = _awaited if kind == "async" else _read
        items, position, error = reader(url, operation, arguments, options)
        items = [item.to_dict() if hasattr(item, "to_dict") else item for item in items]
        found = {"items": items, "position": position, "error": error, "deviations": deviations}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


def _read(url: str, operation: str, arguments: dict[str, Any], options: dict[str, Any]) -> tuple[list[Any], Any, str]:
    items: list[Any] = []
    with BridgeClient(url, **options) as bridge:
        iterator = getattr(bridge.lists, operation)(ACCOUNT, **arguments)  # type: ignore[attr-defined] # of this package
        try:
            for item in iterator:
                items.append(item)
        except errors.BridgeError as error:
            return items, iterator.position, f"{type(error).__name__}: {error}"
        return items, iterator.position, ""


def _awaited(
    url: str, operation: str, arguments: dict[str, Any], options: dict[str, Any]
) -> tuple[list[Any], Any, str]:
    async def run() -> tuple[list[Any], Any, str]:
        items: list[Any] = []
        async with AsyncBridgeClient(url, **options) as bridge:
            iterator = getattr(bridge.lists, operation)(ACCOUNT, **arguments)  # type: ignore[attr-defined] # as above
            try:
                async for item in iterator:
                    items.append(item)
            except errors.BridgeError as error:
                return items, iterator.position, f"{type(error).__name__}: {error}"
            return items, iterator.position, ""

    return asyncio.run(run())


def iterator(operation: str) -> str:
    return operation.replace("list_", "iter_")


# The sandbox.


@pytest.mark.parametrize("paging", ["links", "pages", "all"])
def test_every_list_of_the_sandbox_is_read_completely(contract: dict[str, Any], read: Read, paging: Any) -> None:
    expected = [f"E-{number}" for number in range(1, 138)]
    with Sandbox(contract=contract, paging=paging) as sandbox:
        for operation in SHAPES:
            found = read(sandbox.url, iterator(operation))
            assert ([item["entry_id"] for item in found["items"]], found["error"]) == (expected, ""), operation
        words = read(sandbox.url, "iter_words")
        assert (len({*words["items"]}), words["items"][:3], words["error"]) == (137, ["red", "=blue", "red-2"], "")
    assert all(seen.status == 200 for seen in sandbox.requests)


@pytest.mark.parametrize("paging", ["links", "pages", "all"])
def test_check_judges_every_list_by_the_same_rules(contract: dict[str, Any], command: Run, paging: Any) -> None:
    accounts = ("--account", "1000000005", "--account", "1000000002", "--unknown", "9", "--most", "500")
    with Sandbox(contract=contract, paging=paging) as sandbox:
        done = command(
            "check", *accounts, "--rate", "1000", "--format", "json", URL=sandbox.url, BEARER_TOKEN="sandbox-token"
        )
    lists = {*SHAPES, "get_account_invoices", "get_things", "list_words"}  # and others of the contract
    found = [one for one in json.loads(done.stdout) if one["operation"] in lists]
    assert {one["operation"] for one in found} == lists
    broken = {(one["operation"], one["rule"]) for one in found if one["verdict"] in ("broken", "advice")}
    # The examples of two lists lack the total that their schemas have; one has no least page number; one needs a key.
    assert broken == {
        ("list_embedded", "total"), ("list_results", "total"), ("list_items", "invalid-arguments"),
        ("get_things", "unknown-account"),
    }  # fmt: skip
    read = {one["operation"] for one in found if (one["rule"], one["verdict"]) == ("stable", "kept")}
    assert read == {one["operation"] for one in found} - {"get_things"}


@pytest.mark.parametrize("operation", SIZES)
def test_the_sandbox_honours_the_size_of_a_page(contract: dict[str, Any], read: Read, operation: str) -> None:
    with Sandbox(contract=contract, paging="pages") as sandbox:
        found = read(sandbox.url, iterator(operation), **{SIZES[operation]: 100})
        assert (len(found["items"]), found["error"]) == (137, "")
        sizes = [100 if "=100" in seen.target else 0 for seen in sandbox.requests]
        # Without a total: the check of the counting, and a page after the last one.
        assert sizes == [100] * (2 if operation in ("list_data", "list_items") else 4)


def test_each_item_has_its_own_identity(contract: dict[str, Any]) -> None:
    from talkdesk_bridge_sandbox._data import ACCOUNTS, items_of

    for given_items, identity in (
        ([{"id": 5}, {"id": 6}], None),
        ([{"id": "1"}, {"id": "3"}], None),
        ([{"name": "x", "ref": "A-09"}], "ref"),
        ([{"name": "x", "until": "2023-02-30"}], None),
        ([{"id": "00000000-0000-4000-8000-000000000001"}], "id"),
        (["a", "b"], None),
        ([7], None),
    ):
        items = items_of(ACCOUNTS[ACCOUNT], given_items, varied=True, identity=identity)
        assert items[: len(given_items)] == given_items
        texts = [json.dumps(item[identity] if identity else item) for item in items]
        assert len({*texts}) == 137, given_items
    assert items_of(ACCOUNTS[ACCOUNT], [{"done": True}], varied=True) == [{"done": True}] * 137


# Other servers.


def entries(*numbers: int) -> list[dict[str, str]]:
    return [{"entry_id": str(number)} for number in numbers]


def body_of(operation: str, items: Any, **more: Any) -> Any:
    page: Any = items
    for key in reversed(SHAPES[operation]):
        page = {key: page}
    return {**page, **more} if more else page


def numbers_of(found: dict[str, Any]) -> list[int]:
    return [int(item["entry_id"]) for item in found["items"]]


def queries(server: Server) -> list[str]:
    return [target.partition("?")[2] for _, target, *_ in server.seen]


def sliced(server: Server, operation: str, count: int, size: int, **more: Any) -> None:
    """Let a server have this many entries, with pages that begin at an offset."""

    def script(_: str, target: str) -> Any:
        query = dict(part.split("=") for part in target.partition("?")[2].split("&") if part)
        start = int(query.get("offset", query.get("skip", 0)))
        return as_json(body_of(operation, entries(*range(start, min(count, start + size))), **more))

    server.script = script


def test_an_offset_list_with_a_total_is_read_by_the_number_of_items(server: Server, read: Read) -> None:
    sliced(server, "list_data", 7, 3, total=7)
    found = read(server.url, "iter_data", limit=3)
    assert (numbers_of(found), found["error"], found["deviations"]) == ([*range(7)], "", [])
    assert queries(server) == ["limit=3", "offset=3&limit=3", "offset=6&limit=3"]


def test_an_offset_list_without_a_total_is_read_to_its_end(server: Server, read: Read) -> None:
    sliced(server, "list_skipped", 7, 3)
    found = read(server.url, "iter_skipped", strict=True)
    assert (numbers_of(found), found["error"]) == ([*range(7)], "")
    # The second request checks what the bridge counts: it asks for the last item again.
    assert queries(server) == ["", "skip=2", "skip=3", "skip=6", "skip=7"]


def test_a_bridge_that_counts_pages_in_the_offset_is_noticed(server: Server, read: Read) -> None:
    def script(_: str, target: str) -> Any:
        start = 3 * int(target.partition("skip=")[2] or 0)
        return as_json(entries(*range(start, min(20, start + 3))))

    server.script = script
    found = read(server.url, "iter_skipped")
    assert numbers_of(found) == [0, 1, 2]
    assert "PagingError: list_skipped: this bridge does not count items in `skip` from 0." in found["error"]


def test_a_bridge_that_counts_items_from_another_number_is_noticed(server: Server, read: Read) -> None:
    def script(_: str, target: str) -> Any:
        start = max(0, int(target.partition("skip=")[2] or 1) - 1)
        return as_json(entries(*range(start, min(20, start + 3))))

    server.script = script
    found = read(server.url, "iter_skipped")
    assert numbers_of(found) == [0, 1, 2]
    assert "PagingError: list_skipped: this bridge does not count items in `skip` from 0." in found["error"]


def grown(server: Server) -> None:
    """Let a list of entries grow at its front after the first request."""

    def script(_: str, target: str) -> Any:
        start = int(target.partition("skip=")[2] or 0)
        numbers = [*range(1 if len(server.seen) == 1 else 0, 7)]
        return as_json(entries(*numbers[start : start + 3]))

    server.script = script


def test_an_offset_list_that_grew_before_the_check_of_its_numbers_is_named(server: Server, read: Read) -> None:
    grown(server)
    found = read(server.url, "iter_skipped")
    assert numbers_of(found) == [1, 2, 3]
    assert "PagingError: list_skipped: the first page changed. Start from the beginning." in found["error"]


def test_the_command_reads_an_offset_list_that_grew_again(server: Server, get: Run) -> None:
    grown(server)
    done = get("list_skipped", "1", "--all", URL=server.url)
    assert (done.returncode, [int(item["entry_id"]) for item in json.loads(done.stdout)]) == (0, [*range(7)]), done


def test_a_bridge_that_ignores_the_offset_has_one_page(server: Server, read: Read) -> None:
    server.respond_with(entries(1, 2))
    found = read(server.url, "iter_skipped")
    assert (numbers_of(found), found["error"]) == ([1, 2], "")


def test_missing_and_repeated_items_of_an_offset_list_are_errors(server: Server, read: Read) -> None:
    sliced(server, "list_data", 5, 3, total=7)
    found = read(server.url, "iter_data")
    assert (numbers_of(found), found["error"].partition(":")[0]) == ([*range(5)], "IncompleteError")
    pages = [entries(1, 2), entries(2, 3)]
    server.respond_with(*(body_of("list_data", items, total=4) for items in pages))
    found = read(server.url, "iter_data")
    assert (numbers_of(found), found["error"].partition(":")[0]) == ([1, 2], "PagingError")


@pytest.mark.parametrize("operation", ["list_data", "list_skipped"])
@pytest.mark.parametrize("stop", range(8))
def test_a_position_in_an_offset_list(server: Server, read: Read, operation: str, stop: int) -> None:
    more = {"total": 7} if operation == "list_data" else {}
    sliced(server, operation, 7, 3, **more)
    first = read(server.url, iterator(operation), max_items=stop)
    rest = read(server.url, iterator(operation), start=json.loads(json.dumps(first["position"])))
    assert (numbers_of(first) + numbers_of(rest), rest["error"]) == ([*range(7)], "")
    assert first["position"]["step"] in ("", None)


def test_a_required_offset_is_sent_with_every_request(server: Server, read: Read) -> None:
    sliced(server, "list_results", 7, 3)
    found = read(server.url, "iter_results")
    assert (numbers_of(found), found["error"]) == ([*range(7)], "")
    assert queries(server)[0] == "offset=0&limit=50"


def test_pages_are_counted_from_the_first_one_in_the_contract(server: Server, read: Read) -> None:
    def script(_: str, target: str) -> Any:
        start = 3 * int(target.partition("pageNumber=")[2] or 0)
        return as_json(entries(*range(start, min(7, start + 3))))

    server.script = script
    found = read(server.url, "iter_pages", strict=True)
    assert (numbers_of(found), found["error"]) == ([*range(7)], "")
    assert queries(server) == ["", *(f"pageNumber={number}" for number in (0, 1, 2, 3))]


@pytest.mark.parametrize("operation", [operation for operation, keys in SHAPES.items() if keys])
def test_links_are_followed_in_every_envelope(server: Server, read: Read, operation: str) -> None:
    linked = body_of(operation, entries(1), _links={"next": {"href": "?token=x"}})
    server.respond_with(linked, body_of(operation, entries(2), _links={}))
    found = read(server.url, iterator(operation))
    assert (numbers_of(found), found["error"]) == ([1, 2], "")
    assert "token=x" in queries(server)[1]


@pytest.mark.parametrize("operation", SHAPES)
def test_a_body_without_the_list_is_an_error(server: Server, read: Read, operation: str) -> None:
    place = "$" + "".join(f".{key}" for key in SHAPES[operation])
    body: Any
    for body in (
        {},
        {"unknown": []},
        body_of(operation, "text"),
        body_of(operation, ""),
        {"userMessage": "No.", "status": 400},
        5,
        "text",
        None,
    ):
        server.respond_with(as_json(body))
        found = read(server.url, iterator(operation))
        assert found["items"] == [], body
        assert found["error"].startswith("ContractError: "), body
        if body != {"userMessage": "No.", "status": 400}:
            seen = "string" if body in (body_of(operation, "text"), body_of(operation, "")) else ""
            assert f"expected array at {place}, got {seen}" in found["error"], body


@pytest.mark.parametrize("operation", SHAPES)
def test_a_bare_list_and_a_bare_item_are_deviations_where_an_envelope_is_documented(
    server: Server, read: Read, operation: str
) -> None:
    server.respond_with(entries(1), [])
    found = read(server.url, iterator(operation), max_pages=1)
    assert (numbers_of(found), found["error"]) == ([1], "")
    assert found["deviations"][:1] == ([] if SHAPES[operation] == () else ["$: array"])
    server.respond_with(entries(1)[0])
    found = read(server.url, iterator(operation), max_pages=1)
    assert (numbers_of(found), found["error"], found["deviations"][0]) == ([1], "", "$: single item")
    server.respond_with([{"entry_id": 5}])
    found = read(server.url, iterator(operation), max_pages=1)
    assert "$[*].entry_id: integer" in found["deviations"]
    server.respond_with([entries(1)])
    assert "expected object at $[0], got array" in read(server.url, iterator(operation))["error"]


def test_a_total_in_another_object_counts(server: Server, read: Read) -> None:
    server.respond_with(body_of("list_items", entries(1), meta={"total_count": 2}), body_of("list_items", []))
    found = read(server.url, "iter_items")
    assert (numbers_of(found), found["error"].partition(":")[0]) == ([1], "IncompleteError")
    server.respond_with(body_of("list_items", entries(1), meta={"total_count": "many"}))
    assert "expected integer at $.meta.total_count, got string" in read(server.url, "iter_items")["error"]


def test_an_unknown_length_is_a_deviation_only_if_the_contract_has_a_total(server: Server, read: Read) -> None:
    for operation, expected in (("list_skipped", []), ("list_embedded", ["$.total: nothing"])):
        sliced(server, operation, 7, 3)
        found = read(server.url, iterator(operation))
        assert (numbers_of(found), found["deviations"]) == ([*range(7)], expected)


# Any shape.

NAMES = st.sampled_from(["data", "_embedded", "a b", "items"])
SHAPED = st.builds(
    ListShape,
    name=st.just("things"),
    keys=st.lists(NAMES, max_size=3).map(tuple),
    total=st.sampled_from([(), ("total",), ("meta", "count")]),
    begin=st.just("begin"),
    first=st.sampled_from([0, 1, 1]),
    by_items=st.booleans(),
)


class Shelf:
    """A list of any shape, as a bridge serves it, in pages of a size that is drawn."""

    def __init__(self, shape: ListShape, count: int, size: int, *, has_total: bool) -> None:
        self.shape, self.items, self.size = shape, [{"id": number} for number in range(count)], size
        self.has_total = has_total and bool(shape.keys)

    def __repr__(self) -> str:
        return f"Shelf({vars(self)})"

    def request(self, begin: int | None = None) -> dict[str, Any]:
        return {"method": "GET", "url": "/x", "params": {} if begin is None else {"begin": begin}}

    def __call__(self, target: str) -> bytes:
        begin = int(target.partition("begin=")[2] or self.shape.first) - self.shape.first
        start = begin if self.shape.by_items else begin * self.size
        page = self.shape.wrapped(self.items[start : start + self.size])
        if self.has_total:
            *outer, name = self.shape.total or ("total",)
            holder = page
            for key in outer:
                holder = holder.setdefault(key, {})
            holder[name] = len(self.items)
        return http_response(json.dumps(page).encode())

    def operation(self) -> ListOperation[Any, Any]:
        read = Body(200, 200, "json", anything)
        return ListOperation("op", "GET", "/x", self.request, (read,), self.shape.found, list, Any, self.shape, "id")


@examples(60)
@given(
    shelf=st.builds(Shelf, SHAPED, st.integers(0, 9), st.integers(1, 4), has_total=st.booleans()),
    stops=st.lists(st.integers(0, 5), max_size=3),
)
def test_a_list_of_any_shape_is_read_completely_however_often_it_is_resumed(shelf: Shelf, stops: list[int]) -> None:
    operation, got, position = shelf.operation(), [], None
    with KeepAlive(shelf) as server:
        for stop in [*stops, None]:
            # Each time another client, which knows nothing of what the one before found out.
            with BridgeClient(server.url, verify=TLS, on_deviation=lambda _: None) as bridge:
                some = bridge._caller.paginate(operation, {}, start=position, max_pages=None, max_items=stop)
                got += list(some)
                position = json.loads(json.dumps(some.position))
    assert got == shelf.items


# The command.


@pytest.mark.parametrize("operation", SHAPES)
def test_the_command_prints_every_list(get: Run, contract: dict[str, Any], operation: str) -> None:
    arguments = [operation, ACCOUNT, *(["--parameter-limit", "50"] if operation == "list_results" else [])]
    expected = [f"E-{number}" for number in range(1, 138)]
    with Sandbox(contract=contract) as sandbox:
        every = get(*arguments, "--all", URL=sandbox.url)
        assert (every.returncode, every.stderr.count("got")) == (0, every.stderr.count("total, got")), every.stderr
        assert [item["entry_id"] for item in json.loads(every.stdout)] == expected
        assert get(*arguments, "--format", "jsonl", URL=sandbox.url).stdout.count("\n") == 137
        rows = [*csv.DictReader(get(*arguments, "--format", "csv", URL=sandbox.url).stdout.splitlines())]
        assert ([row["entry_id"] for row in rows], [*rows[0]]) == (expected, ["entry_id", "note", "due"])
        one = get(*arguments, URL=sandbox.url)
        assert (one.returncode, one.stderr) == (0, "")
        page = json.loads(one.stdout)
        for key in SHAPES[operation]:
            page = page[key]
        assert page[0]["entry_id"] == "E-1"


def test_csv_of_the_command_has_unknown_fields_last_and_is_safe(get: Run, server: Server, tmp_path: Path) -> None:
    file = tmp_path / "entries.csv"
    server.respond_with([{"zone": 1, "entry_id": "1", "note": "=1+1", "due": None}, {"entry_id": "2", "list": [1]}])
    done = get("list_array", "1", "--format", "csv", "--output", str(file), URL=server.url)
    assert (done.returncode, done.stdout) == (0, "")
    assert file.read_text() == "entry_id,note,due,zone,list\n1,'=1+1,,1,\n2,,,,[1]\n"
    limited = get("list_array", "1", "--limit", "1", "--format", "csv", URL=server.url)
    assert (limited.returncode, limited.stdout) == (0, "entry_id,note,due,zone\n1,'=1+1,,1\n")
    server.respond_with([])
    assert get("list_array", "1", "--format", "csv", URL=server.url).stdout == "entry_id,note,due\n"
    assert get("list_words", "1", "--format", "csv", URL=server.url).stdout == "words\n"
    server.respond_with(["=red", "blue"])
    assert get("list_words", "1", "--format", "csv", URL=server.url).stdout == "words\n'=red\nblue\n"
    server.respond_with(as_json({}, 404))
    before = file.read_text()
    done = get("list_array", "1", "--format", "csv", "--output", str(file), URL=server.url)
    assert (done.returncode, file.read_text()) == (4, before)


def test_a_list_without_iterator_has_no_option_for_all_pages(get: Run) -> None:
    for operation in NONE:
        shown = get(operation, "--help").stdout
        assert "--all" not in shown
        assert "--format" not in shown
    shown = " ".join(get("list_results", "--help").stdout.split())
    assert "--all" in shown
    assert "--parameter-limit INTEGER" in shown


# Lists without an iterator.


def test_generate_names_each_list_without_iterator(
    contract: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "lists.json"
    file.write_text(json.dumps(contract, indent=1), encoding="utf-8")
    (tmp_path / "generated").mkdir()
    assert check(load(file)) == []
    assert main([str(file)], tmp_path / "generated") == 0
    *named, last = capsys.readouterr().out.splitlines()
    assert last.startswith(f"generated/{PACKAGE}: ")
    messages = {line.split("`")[1]: line for line in named}
    assert messages.keys() >= NONE.keys()
    for operation, why in NONE.items():
        assert f": the list of `{operation}` gets no iterator: {why}" in messages[operation]
        assert messages[operation].startswith(f"{file}:")
        line = int(messages[operation].split(":")[1])
        assert f'"operationId": "{operation}"' in "\n".join(file.read_text().splitlines()[line - 1 : line + 40])


TEXT: dict[str, Any] = {"type": "string"}
INTEGER = {"type": "integer"}
ARRAY = {"type": "array", "items": {"type": "object", "properties": {"id": TEXT}}}


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


PAGE = {"page": INTEGER, "per_page": INTEGER}
# The query parameters, the body, and the fields that lead to the list, or None, or why it gets no iterator.
FOUND: list[tuple[dict[str, Any], dict[str, Any], Any]] = [
    ({}, ARRAY, ()),
    (PAGE, obj(count=INTEGER, next=TEXT, previous=TEXT, results=ARRAY), ("results",)),
    ({"limit": INTEGER, "offset": INTEGER}, obj(data=ARRAY, included=ARRAY, links=obj(next=TEXT)), ("data",)),
    ({}, obj(_embedded=obj(things=ARRAY), page=obj(size=INTEGER, totalElements=INTEGER)), ("_embedded", "things")),
    ({}, obj(status=TEXT, data=obj(claims=ARRAY, total=INTEGER)), ("data", "claims")),
    (PAGE, obj(as_of=TEXT, claims=ARRAY, total=INTEGER), ("claims",)),
    ({}, obj(_links=obj(next=obj(href=TEXT)), items=ARRAY, cursor=TEXT), ("items",)),
    ({"after": TEXT | {"format": "date"}}, ARRAY, ()),
    # Single objects.
    ({}, obj(id=TEXT, lines=ARRAY), None),
    ({}, obj(total=TEXT, lines=ARRAY), None),
    ({}, obj(charges=ARRAY, delinquencies=ARRAY, payor=TEXT), None),
    ({}, obj(policy=obj(lines=ARRAY)), None),
    ({}, obj(id=TEXT), None),
    ({}, obj(data=obj(id=TEXT, lines=ARRAY)), None),
    # Lists without an iterator.
    (PAGE, obj(id=TEXT, lines=ARRAY), "its body has no total, and `lines` is not alone, but beside `id`"),
    (PAGE, obj(a=ARRAY, b=ARRAY), "its body has several arrays, `a`, `b`"),
    ({"page": TEXT}, ARRAY, "`page` says where a page begins, and the client counts only"),
    ({}, obj(items=ARRAY, paging=obj(next_page_token=TEXT)), "requested with a cursor, `next_page_token`"),
    (
        {"starting_after": TEXT},
        obj(data=ARRAY, has_more={"type": "boolean"}),
        "requested with a cursor, `starting_after`",
    ),
    ({}, obj(_embedded=obj(things=ARRAY), nextCursor=TEXT), "requested with a cursor, `nextCursor`"),
]


@pytest.mark.parametrize(("query", "body", "expected"), FOUND)
def test_what_a_list_is(query: dict[str, Any], body: dict[str, Any], expected: Any) -> None:
    parameters = [{"name": name, "in": "query", "schema": schema} for name, schema in query.items()]
    operation: dict[str, Any] = {"operationId": "get_x", "parameters": parameters}
    operation["responses"] = {"200": {"description": "", "content": {"application/json": {"schema": body}}}}
    shapes, left_out = lists(Contract(Path("x.yaml"), {"paths": {"/x": {"get": operation}}}))
    if isinstance(expected, str):
        assert (shapes, len(left_out), expected in left_out[0].message) == ({}, 1, True), left_out
    else:
        assert left_out == []
        assert (shapes["get_x"].keys if shapes else None) == expected


TREE = {"$ref": "#/components/schemas/Tree"}


@pytest.mark.parametrize("tree", [{"anyOf": [TREE]}, {"allOf": [TREE]}, obj(data=TREE), obj(page=TREE, meta=TREE)])
def test_a_schema_that_contains_itself_is_read(tree: dict[str, Any]) -> None:
    operation = {"operationId": "get_x", "responses": {"200": {"content": {"application/json": {"schema": tree}}}}}
    data = {"paths": {"/x": {"get": operation}}, "components": {"schemas": {"Tree": tree}}}
    assert lists(Contract(Path("x.yaml"), data)) == ({}, [])


def test_the_list_of_invoices_has_an_iterator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "generated").mkdir()
    assert main([str(CONTRACT)], tmp_path / "generated") == 0
    assert "`get_account_invoices`" not in capsys.readouterr().out


def test_the_contract_of_lists_is_tested_whole() -> None:
    declared = yaml.safe_load((ROOT / "tests" / "contracts" / "lists.yaml").read_text(encoding="utf-8"))
    names = {
        node["operationId"] for item in declared["paths"].values() for node in item.values() if "operationId" in node
    }
    assert names == {*SHAPES, *NONE, "list_words"}

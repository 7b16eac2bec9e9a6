"""Keeps the invoices of many accounts in an SQLite database until all accounts are complete.

If the process or the machine crashes, at most the accounts of the last second are lost.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from errno import ELOOP
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from talkdesk_bridge_cli.exit import CommandError
from talkdesk_bridge_cli.output import NO_LINK, create

COMMIT_INTERVAL = 1.0
"""Seconds between two commits; each waits for the disk."""

APPLICATION_ID = 0x7464B21D
"""SQLite's mark of the databases that this module creates."""
HEADER = re.compile(b"SQLite format 3\\0.{52}%b" % re.escape(APPLICATION_ID.to_bytes(4, "big")), re.DOTALL)
"""The start of such a database."""
JOURNAL = re.compile(rb"\Z|\0{8}|\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")
"""The start of its journal: empty between two transactions, and zeros until it is on disk."""

# Pages are valid only if their account is in `complete`. `requested` has the requested accounts, in order.
SCHEMA = f"""
BEGIN;
PRAGMA application_id = {APPLICATION_ID};
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS complete (account TEXT PRIMARY KEY NOT NULL, invoices INTEGER);
CREATE TABLE IF NOT EXISTS pages (account TEXT, lines BLOB);
CREATE INDEX IF NOT EXISTS pages_of_account ON pages (account);
DROP TABLE IF EXISTS requested;
CREATE TABLE requested (id INTEGER PRIMARY KEY, account TEXT UNIQUE NOT NULL);
COMMIT;
"""


class Store:
    """Takes pages in any order, and returns them in the order of the accounts."""

    def __init__(self, path: Path, connection: sqlite3.Connection, temporary: str) -> None:
        self.path = path
        self.finished = False
        """Set to True when the file is no longer needed."""
        self.started = time.strftime("%Y-%m-%d %H:%M")
        """When the first call started."""
        self.temporary = temporary
        """The output's name until it is complete. Later calls reuse it, to overwrite the file of a killed process."""
        self.total = 0
        """The number of requested accounts."""
        self._connection = connection
        self._error: sqlite3.Error | None = None
        self._committed = 0.0
        # An empty journal stays, so that SQLite never creates one.
        connection.executescript("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = TRUNCATE; BEGIN EXCLUSIVE")
        if self._execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
            raise _not_ours(path)
        connection.executescript(SCHEMA)
        count = "SELECT count(*), coalesce(sum(invoices), 0) FROM complete"
        self.done, self.invoices = self._execute(count).fetchone()
        """The number of complete accounts, and of their invoices."""
        self._saved: int = self.done

    def begin(self, settings: Mapping[str, str], accounts: Iterable[str]) -> None:
        """Set the requested accounts, keeping those that are complete already.

        Raises:
            CommandError: the file was started with other settings, or has an account that is not requested.

        """
        insert = "INSERT OR IGNORE INTO requested (account) VALUES (?)"
        self._connection.executemany(insert, ((account,) for account in accounts))
        (self.total,) = self._execute("SELECT count(*) FROM requested").fetchone()
        before = dict(self._execute("SELECT name, value FROM settings"))
        temporary = before.get("temporary", self.temporary)  # a killed process may have left a file of this name
        begun_with = before if self.done else {**settings, "begun": self.started, "temporary": temporary}
        self.started, self.temporary = begun_with.get("begun", ""), begun_with.get("temporary", "")
        if not re.fullmatch(r"\.talkdesk-bridge-[0-9a-f]{16}", self.temporary):
            raise _not_ours(self.path)  # a file of this name will be deleted
        differences = [f"another {name}" for name, value in settings.items() if begun_with.get(name) != value]
        unrequested = "SELECT account FROM complete WHERE account NOT IN (SELECT account FROM requested) LIMIT 1"
        differences += [f"account {account}, which is no longer requested" for (account,) in self._execute(unrequested)]
        if differences:
            remedy = "run the command as before, or delete the file to start over"
            raise CommandError(f"--output: {self.path} was started with {differences[0]}: {remedy}.", 2)
        self._connection.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", begun_with.items())
        self._execute("DELETE FROM pages WHERE account NOT IN (SELECT account FROM complete)")
        self.commit()

    def pending(self) -> Iterator[str]:
        """The accounts that are not complete; they may be completed during the iteration."""
        last = 0
        query = "SELECT id, account FROM requested WHERE id > ? AND account NOT IN (SELECT account FROM complete)"
        while rows := self._execute(f"{query} ORDER BY id LIMIT 1000", (last,)).fetchall():
            yield from (account for _, account in rows)
            last = rows[-1][0]

    def add_page(self, account: str, lines: bytes) -> None:
        """Add a page of an account, as JSON Lines."""
        self._execute("INSERT INTO pages VALUES (?, ?)", (account, lines))

    def discard(self, account: str) -> None:
        """Remove the pages of an account."""
        self._execute("DELETE FROM pages WHERE account = ?", (account,))

    def complete(self, account: str, invoices: int) -> None:
        """Mark an account as complete, with the number of its invoices."""
        self._execute("INSERT INTO complete VALUES (?, ?)", (account, invoices))
        self.done += 1
        self.invoices += invoices
        if time.monotonic() - self._committed >= COMMIT_INTERVAL:
            self.commit()

    def pages(self) -> Iterator[tuple[str, bytes]]:
        """The pages of the complete accounts, each with its account, in the order of the accounts."""
        accounts = "SELECT account FROM requested WHERE account IN (SELECT account FROM complete) ORDER BY id"
        for key in self._execute(accounts):
            yield from self._execute("SELECT account, lines FROM pages WHERE account = ? ORDER BY rowid", key)

    def commit(self) -> None:
        """Write everything to disk, so that no crash can lose it."""
        self._connection.commit()
        self._saved, self._committed = self.done, time.monotonic()

    def save(self) -> int:
        """Commit if the disk allows it; returns the number of accounts that no crash can lose."""
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:  # a full disk may have rolled it back
                self.commit()
        return self._saved

    def close(self) -> None:
        """Close the file, and delete it if it is empty or no longer needed."""
        needed = self.save() and not self.finished
        self._connection.close()
        journal = _journal_of(self.path)
        if journal.exists() and not journal.stat().st_size:
            journal.unlink()
        if not needed:
            self.path.unlink()

    def _execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        if self._error:  # after an error, pages of incomplete accounts may be missing
            raise self._error
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            self._error = error
            raise


def _journal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-journal")


def _not_ours(path: Path) -> CommandError:
    problem = "was not made by this command, or is damaged: move or delete it, or choose another file"
    return CommandError(f"--output: {path} {problem}.", 2)


def _prepare(path: Path, mode: int | None) -> list[Path]:
    """Create the database and its journal, or check that those that exist are ours; returns the new ones."""
    mode, journal, new = mode if mode is None else mode | 0o600, _journal_of(path), []
    wal = path.with_name(f"{path.name}-wal")
    if os.path.lexists(wal):
        raise _not_ours(wal)  # SQLite would take it for its own log, and delete it
    if os.path.lexists(journal) and not os.path.lexists(path):
        raise _not_ours(journal)
    # The database has our mark from the start, so that a file without it is never ours.
    for file, start, content in ((path, HEADER, _empty_database), (journal, JOURNAL, bytes)):
        if os.path.lexists(file):
            _check(file, start)
        else:
            create(file, mode, [content()])
            new.append(file)
    return new


def _check(path: Path, start: re.Pattern[bytes]) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | NO_LINK | getattr(os, "O_NONBLOCK", 0))  # a pipe would block
    except OSError as error:
        if error.errno == ELOOP:  # a symbolic link
            raise _not_ours(path) from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode) or not start.match(os.read(descriptor, 100)):
            raise _not_ours(path)
    finally:
        os.close(descriptor)


def _empty_database() -> bytes:
    with TemporaryDirectory(prefix="talkdesk-bridge-") as folder:
        file = Path(folder) / "empty"
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(SCHEMA)
        return file.read_bytes()


@contextmanager
def stored(
    path: Path, mode: int | None, settings: Mapping[str, str], accounts: Iterable[str], temporary: str
) -> Iterator[Store]:
    """A new or existing store in this file. An empty or finished store is deleted at the end.

    Args:
        path: The database; its journal is beside it.
        mode: The permissions of both if they are new; None for those of any new file.
        settings: Settings that must be the same as in the first call.
        accounts: The requested accounts; a repeated one counts once.
        temporary: The name of the output until it is complete, if this is the first call.

    Raises:
        CommandError: the file cannot be used, or can no longer be written.

    """
    with ExitStack() as stack:
        try:
            new = _prepare(path, mode)
            connection = stack.enter_context(closing(sqlite3.connect(path, timeout=0)))
            store = Store(path, connection, temporary)
        except OSError as error:
            problem = f"{error.filename or path} cannot be used ({error.strerror})"
            raise CommandError(f"--output: {problem}. Choose another file.", 2) from None
        except sqlite3.Error as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:  # otherwise another process has them
                for file in new:
                    file.unlink(missing_ok=True)
            unusable = error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
            remedy = "If no other process is writing it, delete it to start over" if unusable else "Choose another file"
            raise CommandError(f"--output: {path} cannot be used ({error}). {remedy}.", 2) from None
        stack.callback(store.close)
        try:
            store.begin(settings, accounts)
            yield store
        except sqlite3.Error as error:
            raise CommandError(f"the output cannot be written: {path.name}: {error}.", 1) from None

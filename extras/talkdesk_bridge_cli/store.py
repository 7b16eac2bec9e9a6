"""Keeps the invoices of many accounts in an SQLite database until all accounts are complete.

If the process or the machine crashes, at most the accounts of the last second are lost.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from errno import EIO
from pathlib import Path
from typing import Any

from talkdesk_bridge_cli.exit import CommandError

__all__ = ["Store", "stored"]

COMMIT_INTERVAL = 1.0
"""Seconds between two commits; each waits for the disk."""

APPLICATION_ID = 0x7464B21D
"""SQLite's mark of the databases that this module creates."""

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
        connection.executescript("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        (tables,) = self._execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and self._execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
            problem = "is a database of another program: move it, or choose another file"
            raise CommandError(f"--output: {path} {problem}.", 2)
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
        begun_with = {**settings, "begun": self.started, "temporary": self.temporary}
        if self.done:
            begun_with = dict(self._execute("SELECT name, value FROM settings"))
        self.started, self.temporary = begun_with["begun"], begun_with["temporary"]
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

    def pages(self) -> Iterator[bytes]:
        """The pages of the complete accounts, in the order of the accounts."""
        accounts = "SELECT account FROM requested WHERE account IN (SELECT account FROM complete) ORDER BY id"
        for key in self._execute(accounts):
            for (lines,) in self._execute("SELECT lines FROM pages WHERE account = ? ORDER BY rowid", key):
                yield lines

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


@contextmanager
def stored(path: Path, settings: Mapping[str, str], accounts: Iterable[str], temporary: str) -> Iterator[Store]:
    """A new or existing store in this file. An empty or finished store is deleted at the end.

    Args:
        path: The database.
        settings: Settings that must be the same as in the first call.
        accounts: The requested accounts; a repeated one counts once.
        temporary: The name of the output until it is complete, if this is the first call.

    Raises:
        CommandError: the file cannot be used.
        OSError: the file can no longer be written.

    """
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(closing(sqlite3.connect(path, timeout=0)))
            store = Store(path, connection, temporary)
        except sqlite3.Error as error:
            unusable = error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
            remedy = "If no other process is writing it, delete it to start over" if unusable else "Choose another file"
            raise CommandError(f"--output: {path} cannot be used ({error}). {remedy}.", 2) from None
        stack.callback(store.close)
        try:
            store.begin(settings, accounts)
            yield store
        except sqlite3.Error as error:
            raise OSError(EIO, f"{path.name}: {error}") from None

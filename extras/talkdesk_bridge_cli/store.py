"""The invoices of many accounts, kept in a database of SQLite until all of them are there.

Whatever ends the process, a crash of the machine included, costs at most the accounts of the last second.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from errno import EIO
from pathlib import Path
from typing import Any

from talkdesk_bridge_cli.exit import CommandError

__all__ = ["Store", "stored"]

RHYTHM = 1.0
"""Seconds between two commits; each waits for the disk."""

# Pages of an account count once it is in `complete`; `named` are the accounts that are asked for, in their order.
SCHEMA = """
PRAGMA locking_mode = EXCLUSIVE;
BEGIN EXCLUSIVE;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS complete (account TEXT PRIMARY KEY NOT NULL, invoices INTEGER);
CREATE TABLE IF NOT EXISTS pages (account TEXT, lines BLOB);
CREATE INDEX IF NOT EXISTS pages_of_account ON pages (account);
DROP TABLE IF EXISTS named;
CREATE TABLE named (id INTEGER PRIMARY KEY, account TEXT UNIQUE NOT NULL);
COMMIT;
"""


class Store:
    """Takes pages in any order, and gives them back in the order of the accounts."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.finished = False
        """Set it when the file is no longer needed."""
        self.begun = time.strftime("%Y-%m-%d %H:%M")
        """When the first account was asked for."""
        self.total = 0
        """Accounts that are asked for."""
        self._connection = connection
        self._error: sqlite3.Error | None = None
        self._committed = 0.0
        connection.executescript(SCHEMA)
        count = "SELECT count(*), coalesce(sum(invoices), 0) FROM complete"
        self.done, self.invoices = self._execute(count).fetchone()
        """Accounts that are complete, and invoices of these."""
        self._kept: int = self.done

    def begin(self, settings: Mapping[str, str], accounts: Iterable[str]) -> None:
        """Take the accounts that are asked for; those that are complete already are kept.

        Raises:
            CommandError: the file was begun with other settings, or has an account that is not named now.

        """
        insert = "INSERT OR IGNORE INTO named (account) VALUES (?)"
        self._connection.executemany(insert, ((account,) for account in accounts))
        (self.total,) = self._execute("SELECT count(*) FROM named").fetchone()
        known = {**settings, "begun": self.begun}
        if self.done:
            known = dict(self._execute("SELECT name, value FROM settings"))
        self.begun = known["begun"]
        differs = [f"with another {name}" for name, value in settings.items() if known.get(name) != value]
        lost = "SELECT account FROM complete WHERE account NOT IN (SELECT account FROM named) LIMIT 1"
        differs += [f"with an account that is not named now, {account}" for (account,) in self._execute(lost)]
        if differs:
            remedy = "make this call as that one was made, or delete it to begin anew"
            raise CommandError(f"--output: {self.path} was begun {differs[0]}: {remedy}.", 2)
        self._connection.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", known.items())
        self._execute("DELETE FROM pages WHERE account NOT IN (SELECT account FROM complete)")
        self.commit()

    def pending(self) -> Iterator[str]:
        """The accounts that are not complete; they may be completed meanwhile."""
        last = 0
        query = "SELECT id, account FROM named WHERE id > ? AND account NOT IN (SELECT account FROM complete)"
        while rows := self._execute(f"{query} ORDER BY id LIMIT 1000", (last,)).fetchall():
            for last, account in rows:  # noqa: B007 # the next query begins after the last one
                yield account

    def add_page(self, account: str, lines: bytes) -> None:
        """Take a page of an account, as JSON lines."""
        self._execute("INSERT INTO pages VALUES (?, ?)", (account, lines))

    def complete(self, account: str, invoices: int) -> None:
        """Note that all pages of an account were added, with so many invoices."""
        self._execute("INSERT INTO complete VALUES (?, ?)", (account, invoices))
        self.done += 1
        self.invoices += invoices
        if time.monotonic() - self._committed >= RHYTHM:
            self.commit()

    def pages(self) -> Iterator[bytes]:
        """The pages of the complete accounts, in the order of the accounts."""
        accounts = "SELECT account FROM named WHERE account IN (SELECT account FROM complete) ORDER BY id"
        for key in self._execute(accounts):
            for (lines,) in self._execute("SELECT lines FROM pages WHERE account = ? ORDER BY rowid", key):
                yield lines

    def commit(self) -> None:
        """Make sure that no crash can take what is here now."""
        self._connection.commit()
        self._kept, self._committed = self.done, time.monotonic()

    def keep(self) -> int:
        """Commit, if the disk takes it; returns how many accounts no crash can take."""
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:  # a disk that is full may have ended it, and taken what was in it
                self.commit()
        return self._kept

    def close(self) -> None:
        """Close the file, and delete it if nothing is in it or it is no longer needed."""
        needed = self.keep() and not self.finished
        self._connection.close()
        if not needed:
            self.path.unlink()

    def _execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        if self._error:  # it may have taken pages of accounts that go on
            raise self._error
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            self._error = error
            raise


@contextmanager
def stored(path: Path, settings: Mapping[str, str], accounts: Iterable[str]) -> Iterator[Store]:
    """The store in this file: a new one, or one that was begun before. An empty or finished one is deleted at the end.

    Args:
        path: The database.
        settings: What must be the same as when it was begun.
        accounts: The accounts that are asked for; each counts once.

    Raises:
        CommandError: the file cannot be used.
        OSError: it cannot be written any more.

    """
    store = _opened(path)
    try:
        store.begin(settings, accounts)
        yield store
    except sqlite3.Error as error:
        raise OSError(EIO, f"{path.name}: {error}") from None
    finally:
        store.close()


def _opened(path: Path) -> Store:
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=0)
        return Store(path, connection)
    except sqlite3.Error as error:
        if connection:
            connection.close()
        remedy = "If no other process is writing it, delete it to begin anew"
        raise CommandError(f"--output: {path} cannot be used ({error}). {remedy}.", 2) from None

"""An output that grows account by account, and goes on where it was after whatever ended its making.

`FILE.part` has the lines of the accounts that are whole; `FILE.journal`, a database of SQLite, knows which those are,
and where in `FILE.part` each ends. What the journal does not know is cut off before more is added.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from errno import EIO
from io import FileIO
from pathlib import Path
from typing import IO, Any

from talkdesk_bridge_cli.exit import fail, held

__all__ = ["Growing", "growing"]

# Seconds of work that a crash may cost; each time the disk is waited for.
RHYTHM = 1.0

TABLES = """
CREATE TABLE run (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE accounts (
  id INTEGER PRIMARY KEY, account TEXT UNIQUE, ends INTEGER, items INTEGER, status INTEGER, reason TEXT
);
CREATE TABLE columns (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
"""


class Growing:
    """Takes accounts in any order, each whole and once, or with the reason why it failed."""

    def __init__(self, part: Path, journal: sqlite3.Connection, file: FileIO) -> None:
        self.part = part
        self._journal = journal
        self._file = file
        self._columns = {*self._column("SELECT name FROM columns")}
        self._saved = 0.0
        self.total = self._number("SELECT count(*) FROM accounts")
        self.done = self._number("SELECT count(*) FROM accounts WHERE ends IS NOT NULL")
        self.items = self._number("SELECT total(items) FROM accounts")
        self.kept = self.done
        """Accounts that no crash takes."""
        self.finished = False
        """Set it where the output is no longer needed."""
        self.begun = "".join(self._column("SELECT value FROM run WHERE name = 'begun'"))

    def _column(self, query: str) -> Iterator[Any]:
        return (row[0] for row in self._journal.execute(query))

    def _number(self, query: str) -> int:
        return int(self._journal.execute(query).fetchone()[0])

    def pending(self) -> Iterator[str]:
        """The accounts that are not done, those that failed in an earlier run included; they may be added meanwhile."""
        last = 0
        query = "SELECT id, account FROM accounts WHERE id > ? AND ends IS NULL ORDER BY id LIMIT 1000"
        while rows := self._journal.execute(query, (last,)).fetchall():
            for last, account in rows:  # noqa: B007 # the last one is where the next query begins
                yield account

    def add(self, account: str, lines: IO[bytes], items: int, columns: Iterable[str]) -> None:
        """Take the lines of an account, which are a whole number of items with these columns."""
        for column in columns:
            if column not in self._columns:
                self._journal.execute("INSERT INTO columns (name) VALUES (?)", (column,))
                self._columns.add(column)
        while part := lines.read(2**16):
            while part:  # of which a disk that is nearly full takes a part only
                part = part[self._file.write(part) :]
        # In one statement: whatever ends the process, either all of it is known or nothing.
        told = "UPDATE accounts SET ends = ?, items = ?, status = NULL, reason = NULL WHERE account = ?"
        self._journal.execute(told, (self._file.tell(), items, account))
        self.done += 1
        self.items += items
        if time.monotonic() - self._saved >= RHYTHM:
            self.save()

    def fail(self, account: str, status: int, reason: str) -> None:
        """Note why an account failed, and the exit status that stands for it."""
        self._journal.execute("UPDATE accounts SET status = ?, reason = ? WHERE account = ?", (status, reason, account))

    def failures(self) -> Iterator[tuple[str, int, str]]:
        """Each account that failed in this run, its exit status, and why."""
        yield from self._journal.execute("SELECT account, status, reason FROM accounts WHERE status IS NOT NULL")

    def columns(self) -> list[str]:
        """Those of all that was taken, in the order in which they came."""
        return [*self._column("SELECT name FROM columns ORDER BY id")]

    def lines(self) -> Iterator[bytes]:
        """All that was taken."""
        with self.part.open("rb") as file:
            yield from file

    def save(self) -> None:
        """Let no crash take what is here now."""
        with held():  # between the two that belong together
            os.fsync(self._file.fileno())
            self._journal.execute("COMMIT")
            self._journal.execute("BEGIN IMMEDIATE")
            self.kept, self._saved = self.done, time.monotonic()

    def keep(self) -> int:
        """Save, if that is still possible, and return how many accounts no crash takes."""
        with suppress(OSError, sqlite3.Error):  # what was kept before is kept
            self.save()
        return self.kept


@contextmanager
def growing(path: Path, of: dict[str, str], accounts: Iterable[str]) -> Iterator[Growing]:
    """The output that is to become `path`: new, or begun before with the same `of` for some of the accounts.

    Args:
        path: Its name; `.part` and `.journal` come to it.
        of: What it is made from, by the names that a refusal gives it.
        accounts: Which it is to have; each is taken once.

    """
    part, name = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.journal")
    journal, needed, output = sqlite3.connect(":memory:"), True, None
    try:
        try:
            journal = sqlite3.connect(name, timeout=0, isolation_level=None)
            journal.execute("PRAGMA locking_mode = EXCLUSIVE")
            journal.execute("BEGIN IMMEDIATE")
            needed = bool(journal.execute("SELECT 1 FROM sqlite_master WHERE name = 'run'").fetchall())
            if not part.exists():
                needed = False  # it is of an output that is whole, or that was given up
            elif not needed and part.stat().st_size:
                raise fail(f"--output: {part} is there without {name.name}: give another name, or delete it.", 2)
            begun = needed and journal.execute("SELECT 1 FROM accounts WHERE ends IS NOT NULL").fetchall()
            if begun:
                _go_on(journal, part, of, accounts)
            else:
                _begin(journal, of, accounts)
            with held():
                file = part.open("ab" if begun else "wb", buffering=0)
                output = Growing(part, journal, file)
                output.save()
        except sqlite3.OperationalError as error:
            told = "another process is at it" if "locked" in str(error) else f"{name} cannot be written: {error}"
            raise fail(f"--output: {path}: {told}.", 2) from None
        except sqlite3.DatabaseError:
            raise fail(f"--output: {name} is no journal of this command: delete it and {part.name}.", 2) from None
        except OSError as error:
            raise fail(f"--output: {part} cannot be written: {error.strerror}.", 2) from None
        try:
            yield output
        except sqlite3.Error as error:
            raise OSError(EIO, f"{name.name}: {error}") from None
    finally:
        with held():
            if output:
                needed = output.keep() > 0 and not output.finished
                file.close()
                if not needed:
                    part.unlink()
            journal.close()
            if not needed:
                name.unlink(missing_ok=True)


def _begin(journal: sqlite3.Connection, of: dict[str, str], accounts: Iterable[str]) -> None:
    for (table,) in journal.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        journal.execute(f"DROP TABLE {table}")
    for table in TABLES.split(";"):
        journal.execute(table)
    journal.executemany("INSERT OR IGNORE INTO accounts (account) VALUES (?)", ((account,) for account in accounts))
    told = {**of, "begun": time.strftime("%Y-%m-%d %H:%M")}
    journal.executemany("INSERT INTO run VALUES (?, ?)", told.items())


def _go_on(journal: sqlite3.Connection, part: Path, of: dict[str, str], accounts: Iterable[str]) -> None:
    """See that it is the same output, cut off what the journal does not know, and take the accounts as they are now."""
    made = dict(journal.execute("SELECT name, value FROM run"))
    differs = [f"with another {what}" for what, value in of.items() if made.get(what) != value]
    journal.execute("CREATE TEMP TABLE named (id INTEGER PRIMARY KEY, account TEXT UNIQUE)")
    journal.executemany("INSERT OR IGNORE INTO named (account) VALUES (?)", ((account,) for account in accounts))
    journal.execute("DELETE FROM accounts WHERE ends IS NULL AND account NOT IN (SELECT account FROM named)")
    others = journal.execute("SELECT account FROM accounts EXCEPT SELECT account FROM named LIMIT 1")
    differs += [f"with an account that is not named now, {account}" for (account,) in others]
    if differs:
        told = f"{part} was begun {differs[0]}: make this call as that one was made, or delete it to begin anew"
        raise fail(f"--output: {told}.", 2)
    journal.execute("INSERT OR IGNORE INTO accounts (account) SELECT account FROM named ORDER BY id")
    end = journal.execute("SELECT coalesce(max(ends), 0) FROM accounts").fetchone()[0]
    if part.stat().st_size < end:
        raise fail(f"--output: {part} lacks what was written to it: delete it to begin anew.", 2)
    os.truncate(part, end)
    journal.execute("UPDATE accounts SET status = NULL, reason = NULL")

"""The schema's history: numbered, frozen SQL files, each applied in one transaction with its record.

`PRAGMA user_version` is the number of the last one applied; `PRAGMA application_id` marks the file as kb's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

APPLICATION_ID = 0x6B62636C
"""'kbcl' in the file's header: this SQLite file is a kb store."""


class Migration(NamedTuple):
    """One step of the schema."""

    number: int
    name: str

    @property
    def sql(self) -> str:
        """The frozen statements."""
        # importlib.resources costs more than all else that reading a store imports.
        return Path(__file__).with_name(f"m{self.number:03}_{self.name}.sql").read_text("utf-8")


MIGRATIONS = (Migration(1, "initial"), Migration(2, "fetched"), Migration(3, "listing"))
LATEST = MIGRATIONS[-1].number


def version(connection: sqlite3.Connection) -> int:
    """The number of the last migration applied; 0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def not_ours(connection: sqlite3.Connection) -> str | None:
    """The name of a view, trigger or virtual table that no migration makes; None where all are ours.

    What looks like a table may be a program: a view in the place of a table can compute without an end.
    """
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type IN ('view', 'trigger') OR NOT rootpage"
    ).fetchall()
    ours = "".join(migration.sql for migration in MIGRATIONS)
    return next((str(name) for name, sql in rows if not isinstance(sql, str) or sql not in ours), None)


def apply(connection: sqlite3.Connection) -> list[Migration]:
    """Bring the store to the latest schema. `connection` is in autocommit mode, outside a transaction.

    Raises:
        sqlite3.Error: when a step fails; that step leaves nothing behind.
    """
    applied: list[Migration] = []
    for migration in MIGRATIONS[version(connection) :]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version(connection) < migration.number:  # else another process was faster
                for statement in _statements(migration.sql):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {migration.number}")
                applied.append(migration)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.rollback()
            raise
    return applied


def _statements(script: str) -> Iterator[str]:
    """The statements of a script; each begins on a line of its own.

    `executescript` would commit first what is open, so the version could not be asked for under the lock.
    """
    lines: list[str] = []
    for line in script.split("\n"):
        lines.append(line)
        statement = "\n".join(lines)
        if sqlite3.complete_statement(statement):
            yield statement
            lines = []
    yield "\n".join(lines)  # blank, a comment, or what SQLite then calls incomplete

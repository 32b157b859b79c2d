"""The schema's history: numbered, frozen SQL files, each applied in one transaction with its record.

`PRAGMA user_version` is the number of the last one applied; `PRAGMA application_id` marks the file as kb's.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

APPLICATION_ID = 0x6B62636C
"""'kbcl' in the file's header: this SQLite file is a kb store."""


@dataclass(frozen=True)
class Migration:
    """One step of the schema."""

    number: int
    name: str

    @property
    def sql(self) -> str:
        """The frozen statements."""
        from importlib import resources  # costs more than all else that reading a store imports

        return resources.files(__package__).joinpath(f"m{self.number:03}_{self.name}.sql").read_text("utf-8")


MIGRATIONS = (Migration(1, "initial"), Migration(2, "fetched"), Migration(3, "listing"))
LATEST = MIGRATIONS[-1].number


def version(connection: sqlite3.Connection) -> int:
    """The number of the last migration applied; 0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def apply(connection: sqlite3.Connection) -> list[Migration]:
    """Bring the store to the latest schema. `connection` is in autocommit mode, outside a transaction.

    Raises:
        sqlite3.Error: when a step fails; that step leaves nothing behind.
    """
    applied: list[Migration] = []
    for migration in MIGRATIONS[version(connection) :]:
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{migration.sql}\n"
                f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {migration.number};\nCOMMIT;"
            )
        except sqlite3.Error:
            if connection.in_transaction:
                connection.rollback()
            raise
        applied.append(migration)
    return applied

"""The texts of sources, in which quotes are looked for: local, never shared."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kb.sources.rendering import Extracted


def put(connection: sqlite3.Connection, key: str, found: Extracted, where: str, at: str) -> None:
    """Keep a text of a source in place of the last one."""
    connection.execute("DELETE FROM rendering WHERE source_key = ?", (key,))
    connection.execute(
        "INSERT INTO rendering(source_key, sha256, kind, at, location, extractor, text)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (key, found.sha256, found.kind, at, where, found.extractor, found.text),
    )


def keys(connection: sqlite3.Connection) -> set[str]:
    """The sources that have one."""
    return {row[0] for row in connection.execute("SELECT source_key FROM rendering")}

"""Is it the store that is wrong? Asked only after a command failed on what it read: a store may be a stranger's.

SQLite lets any value stand in any column, and CHECK constraints can be switched off by whoever writes the file.
"""

from __future__ import annotations

import json
import sqlite3

from kb import records, words
from kb.errors import KbError
from kb.store import queries
from kb.store.shared import column

_JSON: dict[str, dict[str, type]] = {
    "source": {"fields": dict},
    "talk": {"content": dict},
    "computation": {"expected": object},
    "prediction": {"outcome": dict},
    "citation": {"absence": dict},
    "reproduction": {"manifest": dict},
    "run": {"config": dict, "protocol": dict, "criteria": list, "departures": list, "environment": dict},
    "change": {"before": object, "after": object},
    "conflict": {"theirs": dict},
    "sync_base": {"content": dict},
}
"""Columns that hold JSON, and what it is."""
_HELD = {
    "TEXT": "('text')",
    "INTEGER": "('integer')",
    "BOOLEAN": "('integer')",
    "FLOAT": "('real', 'integer')",
}
"""What stands in a column of a declared type, but for NULL."""


def found(connection: sqlite3.Connection) -> str | None:
    """The first thing that no kb would have written, in a few words; None where there is none."""
    return (
        _wrong_type(connection)
        or _wrong_json(connection)
        or _leads_nowhere(connection)
        or _wrong_record(connection)
    )


def _wrong_type(connection: sqlite3.Connection) -> str | None:
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
    for table in column(connection, f"{tables} AND name NOT GLOB 'search*'"):
        for row in connection.execute(f'PRAGMA table_info("{table}")').fetchall():
            name, declared = row["name"], row["type"]
            if declared not in _HELD:
                continue
            wrong = f'typeof("{name}") NOT IN {_HELD[declared]} AND "{name}" IS NOT NULL'
            if connection.execute(f'SELECT 1 FROM "{table}" WHERE {wrong} LIMIT 1').fetchone():
                return f"{table}.{name} holds what is no {declared.lower()}"
    return None


def _wrong_json(connection: sqlite3.Connection) -> str | None:
    for table, columns in _JSON.items():
        for name, wanted in columns.items():
            for row in connection.execute(f'SELECT "{name}" FROM "{table}" WHERE "{name}" IS NOT NULL'):
                try:
                    good = isinstance(json.loads(row[0]), wanted)
                except (ValueError, RecursionError):
                    good = False
                if not good:
                    return f"{table}.{name} holds JSON that is none of kb's"
    return None


def _leads_nowhere(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("PRAGMA foreign_key_check").fetchone()
    return f"{row[0]} names a {row[2]} that is not there" if row else None


def _wrong_record(connection: sqlite3.Connection) -> str | None:
    for kind in words.RECORD_KINDS:
        for name, _, _, data in queries.records(connection, kind):
            try:
                records.parse(kind, data)
            except KbError:
                return f"{kind} {name} is no record of kb's"
    return None

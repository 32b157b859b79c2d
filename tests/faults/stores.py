"""What must hold of a store whatever happened to who wrote it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from kb.library.side import of_store, text_of
from kb.records import KEYS


def contents(path: Path) -> dict[tuple[str, str], str]:
    """Every record of a store."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return {(one.kind, one.name): text_of(one.data) for one in of_store(connection)}


def faults_of(path: Path) -> list[str]:
    """What is wrong with a store: its pages, its references, its index of words, its history."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        found = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        found += [f"dangling: {tuple(row)}" for row in connection.execute("PRAGMA foreign_key_check")]
        found += [
            f"search text of {row[0]} is not what it should be"
            for row in connection.execute(
                "SELECT w.claim_id FROM claim_text_wanted w LEFT JOIN claim_text t ON t.claim_id = w.claim_id"
                " WHERE t.claim_id IS NULL OR (t.statement, t.quotes, t.sources, t.tags)"
                " <> (w.statement, w.quotes, w.sources, w.tags)"
            )
        ]
        if connection.execute("SELECT 1 FROM meta WHERE name = 'bulk'").fetchone():
            found.append("a writer's own mark was left behind")
        found += _history(connection)
    return found


def _history(connection: sqlite3.Connection) -> list[str]:
    """The last change of each record says what the store holds, and every change begins where the last ended."""
    found = []
    last: dict[tuple[str, str], Any] = {}
    for row in connection.execute("SELECT * FROM change ORDER BY seq"):
        if row["action"] not in ("add", "edit", "remove", "undo"):
            continue
        before, after = (
            json.loads(row[side])["record"] if row[side] else None for side in ("before", "after")
        )
        kind, name = row["kind"], row["name"]
        was = (kind, before[KEYS[kind]] if before else name)  # a rename goes on under another name
        if last.pop(was, before) != before:
            found.append(f"change {row['seq']} of {was} does not begin where the one before it ended")
        last[kind, name] = after
    records = {(one.kind, one.name): one.data for one in of_store(connection)}
    found += [
        f"{key}: the history ends with another content" for key in last if records.get(key) != last[key]
    ]
    return found

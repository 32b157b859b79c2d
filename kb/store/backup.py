"""Copies of a store, made by SQLite's own backup so that they are whole even while others write."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime, timezone
from pathlib import Path

from kb.errors import KbError


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """Copy the store behind `source` to the new file `target`.

    Raises:
        KbError: when `target` exists.
    """
    if target.exists():
        raise KbError(f"{target} is already there", "name a new file")
    with contextlib.closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def backup_before_migration(path: Path) -> Path:
    """Back the store at `path` up beside it, named after its schema and the time; the backup's path."""
    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        number = connection.execute("PRAGMA user_version").fetchone()[0]
        target = path.with_name(f"{path.name}.backup-{number}-{now}")
        count = 1
        while target.exists():
            count += 1
            target = path.with_name(f"{path.name}.backup-{number}-{now}-{count}")
        copy_database(connection, target)
    return target

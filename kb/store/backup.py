"""Copies of a store, made by SQLite's own backup so that they are whole even while others write."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime, timezone
from pathlib import Path

from kb.errors import KbError
from kb.store.halves import beside


def copy_database(source: sqlite3.Connection, target: Path, *, examined: Path | None = None) -> None:
    """Copy the store behind `source` to the new file `target`, which is there whole or not at all.

    Args:
        examined: the store's own place, when the copy is to be examined: SQLite copies pages, damaged ones too.

    Raises:
        KbError: when `target` exists, or what is examined is damaged.
    """
    if target.exists():
        raise KbError(f"{target} is already there", "name a new file")
    with beside(target) as half:
        with contextlib.closing(sqlite3.connect(half)) as copy:
            source.backup(copy)
            if examined:
                _must_be_whole(copy, examined)
        half.replace(target)


def _must_be_whole(copy: sqlite3.Connection, store: Path) -> None:
    try:
        found = str(copy.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise KbError(
            f"{store} is damaged ({' '.join(found.split())})",
            "it was not copied; `kb db restore FILE` puts an earlier back-up in its place",
            code=1,
        )


def backup_before_migration(path: Path) -> Path:
    """Back the store at `path` up beside it, named after its schema and the time; the backup's path.

    A backup that was made after the last change will do: a migration that keeps failing must not fill the disk.
    """
    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        number = connection.execute("PRAGMA user_version").fetchone()[0]
        kept = _newer_than_the_store(path, number)
        if kept:
            return kept
        target = path.with_name(f"{path.name}.backup-{number}-{now}")
        count = 1
        while target.exists():
            count += 1
            target = path.with_name(f"{path.name}.backup-{number}-{now}-{count}")
        copy_database(connection, target)
    return target


def _newer_than_the_store(path: Path, number: int) -> Path | None:
    files = (path, path.with_name(f"{path.name}-wal"))
    changed = max(file.stat().st_mtime_ns for file in files if file.exists())
    backups = [p for p in path.parent.iterdir() if p.name.startswith(f"{path.name}.backup-{number}-")]
    newest = max(backups, key=lambda backup: backup.stat().st_mtime_ns, default=None)
    return newest if newest and newest.stat().st_mtime_ns > changed else None

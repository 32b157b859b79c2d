"""Going back to a back-up: the store's content is replaced in one step, and what it held is kept.

Copying a file over a store by hand leaves the write-ahead log of the old one beside the new one, and SQLite then
applies it: that damages the store.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from datetime import datetime, timezone
from pathlib import Path

from kb.errors import KbError
from kb.store import migrations
from kb.store.backup import copy_database
from kb.store.connect import BUSY_SECONDS, errors_told
from kb.store.halves import beside

_LOGS = ("-wal", "-shm", "-journal")
_DAMAGED = ("not a database", "malformed")
"""How SQLite words it; its names for errors can be asked for only since Python 3.11."""


def put_back(file: Path, store: Path) -> Path | None:
    """Make the store at `store` hold what the back-up `file` holds; where what it held before is kept, if anywhere.

    Raises:
        KbError: when `file` is no whole store of this kb or an older one, when `store` is another program's, or
            when somebody writes to it for too long. The store is then as it was.
    """
    if not file.is_file():
        raise KbError(f"{file} is no file", "name one that `kb db backup` made", code=1)
    if store.exists() and file.samefile(store):
        raise KbError(f"{file} is the store itself", "name a back-up", code=1)
    with errors_told(store):
        store.parent.mkdir(parents=True, exist_ok=True)
        with beside(store) as half:
            _copy_of(file, half)
            return _replace(store, half)


def _copy_of(file: Path, half: Path) -> None:
    """A copy of the back-up, examined: what was examined is what is used, whatever becomes of the file."""
    with errors_told(file), contextlib.closing(_opened(file, "ro")) as source:
        if not _is_ours(source, file):
            raise KbError(f"{file} is empty", "name another back-up; nothing was changed", code=1)
        copy_database(source, half, examined=file)
    with contextlib.closing(sqlite3.connect(half, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode = WAL")


def _replace(store: Path, half: Path) -> Path | None:
    if not store.exists():
        _in_place_of(store, half)
        return None
    kept = _free_name(store)
    if _can_be_opened(store):
        try:
            _into(store, half, kept)
            return kept
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
    _keep_files(store, kept)
    _in_place_of(store, half)
    return kept


def _can_be_opened(store: Path) -> bool:
    if store.stat().st_size == 0:
        return False  # SQLite, asked, would throw away the log beside it, which may hold all that there is
    try:
        with contextlib.closing(_opened(store, "ro")) as connection:
            return _is_ours(connection, store)
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            return False
        raise


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether this is a store of kb; False where nothing is in it.

    Raises:
        KbError: when it is another program's, or a newer kb's.
    """
    found = migrations.version(connection)
    if found > migrations.LATEST:
        raise KbError(f"{path} was written by a newer kb", "upgrade kb: pip install --upgrade interp-kb")
    if connection.execute("PRAGMA application_id").fetchone()[0] == migrations.APPLICATION_ID:
        return True
    if connection.execute("PRAGMA page_count").fetchone()[0] == 0:
        return False
    raise KbError(f"{path} is a database, but not one of kb's", "nothing was changed")


def _into(store: Path, half: Path, kept: Path) -> None:
    """Write the copy into the store as one transaction of SQLite's, so that nobody who has it open is left behind.

    The first page takes the lock that writers share. What the store holds is kept then, when nobody can add to it.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    locked = False

    def step(status: int, _left: int, _all: int) -> None:
        nonlocal locked
        if status == sqlite3.SQLITE_OK and not locked:
            locked = True
            with contextlib.closing(_opened(store, "ro")) as before:
                copy_database(before, kept)
        elif not locked and time.monotonic() > deadline:
            raise KbError(f"{store} is locked by another process", "nothing was changed; try again", code=1)

    with (
        contextlib.closing(sqlite3.connect(half)) as source,
        contextlib.closing(_opened(store, "rw")) as target,
    ):
        # Only with a write-ahead log can the old content be read while the new one is written.
        target.execute("PRAGMA journal_mode = WAL")
        source.backup(target, pages=1, progress=step, sleep=0.02)


def _keep_files(store: Path, kept: Path) -> None:
    """Keep a store that SQLite cannot read as the files that it is."""
    for ending in ("", *_LOGS):
        part = Path(f"{store}{ending}")
        if part.exists():
            shutil.copyfile(part, f"{kept}{ending}")


def _in_place_of(store: Path, half: Path) -> None:
    """Put the copy there. The logs go first: they belong to the store that was there, and would spoil another."""
    for ending in _LOGS:
        Path(f"{store}{ending}").unlink(missing_ok=True)
    half.replace(store)


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    if mode == "ro" and not os.access(path.parent, os.W_OK):
        mode = "ro&immutable=1"  # a back-up on read-only media: SQLite then must not put files beside it
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY_SECONDS
    )


def _is_damage(error: sqlite3.Error) -> bool:
    return any(words in str(error) for words in _DAMAGED)


def _free_name(store: Path) -> Path:
    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    kept = store.with_name(f"{store.name}.before-restore-{now}")
    count = 1
    while kept.exists():
        count += 1
        kept = store.with_name(f"{store.name}.before-restore-{now}-{count}")
    return kept

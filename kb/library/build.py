"""citations/ and the recorded runs -> claims.db: whole or not at all, and the same content every time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb import records
from kb.errors import KbError
from kb.library import agreement, freshness
from kb.library.sync import LIBRARY, RELEASE
from kb.library.text import LibraryText, read_library

if TYPE_CHECKING:
    from sqlmodel import Session

_DERIVED = ("search", "sqlite_")
"""Tables that follow from the others: the index of full-text search, SQLite's own."""
_KEYS = {"citation": ("claim_id", "position"), "sample": ("run_id", "metric", "unit")}
"""What tells rows apart where the table's own key is only a running number."""


def build(folder: Path, roots: Sequence[Path], target: Path) -> dict[str, int]:
    """Build a store from a library's text and the recorded runs, and put it in the place of `target`.

    Args:
        folder: the library's text, usually citations/.
        roots: folders of reproductions, whose recorded runs go in.
        target: the file to make or replace, usually claims.db.

    Returns: how many records of each kind, reproductions and runs went in.

    Raises:
        BrokenLibrary: with every problem of the text; `target` is then as it was.
        KbError: when a recorded run is broken, or the file cannot be written, or is no plain one.
    """
    from kb.store.connect import errors_told
    from kb.store.halves import beside

    if target.exists() and not target.is_file():  # a device would be replaced by a file
        raise KbError(f"{target} is not a plain file", "name a file with -o FILE")
    library = read_library(folder)
    if target.parent.is_dir() and not os.access(target.parent, os.W_OK):
        raise KbError(
            f"{target} cannot be made: its folder cannot be written", "build elsewhere with -o FILE"
        )
    with errors_told(target), beside(target) as half:
        counts = _fill(half, library, roots, target)
        _settle(half)
        half.replace(target)
    return counts


def _fill(half: Path, library: LibraryText, roots: Sequence[Path], old: Path) -> dict[str, int]:
    from kb.store.connect import create, raw, writing_to

    create(half)
    with writing_to(half) as session:
        load(session, library)
        connection = raw(session)
        agreement.agree_on_all(connection, LIBRARY, library.placed())
        agreement.meta(connection, freshness.KEY, library.digest)
        _carry_release(connection, old)
        load_runs(session, roots, fixed=True)
        tables = (*records.KEYS, "reproduction", "run")
        return {name: connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in tables}


def load(session: Session, library: LibraryText) -> None:
    """Put every record of a library into an empty store, without history: it is where history begins."""
    from kb.store import edit

    with edit.bulk(session):
        for one in library.placed():
            record = records.parse(one.kind, one.data)
            try:
                edit.put(session, record, home=one.home, position=one.position, record_history=False)
            except KbError as error:
                raise KbError(f"{one.where}: {error.message}", error.hint) from None


def load_runs(session: Session, roots: Sequence[Path], *, fixed: bool = False) -> list[tuple[str, str, str]]:
    """Bring reproductions and recorded runs in, and every verdict up to date.

    Args:
        fixed: take times from the runs and not from the clock, and write no history.

    Returns: (claim, verdict before, verdict now) of each that changed.
    """
    from kb.reproduce import register, verdicts
    from kb.store.connect import raw

    register.register_all(session, [root for root in roots if root.is_dir()])
    connection = raw(session)
    if not fixed:
        return verdicts.refresh(session)
    newest = "SELECT MAX(day) FROM (SELECT started AS day FROM run UNION SELECT date FROM claim)"
    at = connection.execute(newest).fetchone()[0] or ""
    changed = verdicts.refresh(session, now=at, history=False)
    connection.execute(
        "UPDATE claim_verdict SET since = COALESCE((SELECT started FROM run WHERE id = run_id), since)"
    )
    return changed


def _carry_release(connection: sqlite3.Connection, old: Path) -> None:
    """A workspace's claims.db remembers the release that it came from; a new build must too."""
    from kb.store.connect import must_be_ours

    if not old.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(f"{old.absolute().as_uri()}?mode=ro", uri=True)) as before:
            must_be_ours(before, old)
            rows = before.execute("SELECT * FROM sync_base WHERE origin = ?", (RELEASE,)).fetchall()
            digest = before.execute("SELECT value FROM meta WHERE name = 'release_digest'").fetchone()
    except (sqlite3.DatabaseError, KbError):
        return
    connection.executemany("INSERT OR REPLACE INTO sync_base VALUES (?, ?, ?, ?)", rows)
    if digest:
        agreement.meta(connection, "release_digest", digest[0])


def _settle(path: Path) -> None:
    """One file without a journal beside it, packed, and on the disk."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def check(folder: Path, roots: Sequence[Path], committed: Path, *, limit: int = 10) -> list[str]:
    """How a committed store differs from a fresh build: lines, `limit` at most; none when it does not.

    Raises:
        KbError: as `build`, and when there is no such store.
    """
    from kb.store.connect import open_to_read

    if not committed.exists():
        raise KbError(f"no store at {committed}", "run `kb library build`", code=1)
    with tempfile.TemporaryDirectory(prefix="kb-build-") as scratch:
        fresh = Path(scratch) / "claims.db"
        build(folder, roots, fresh)
        with (
            contextlib.closing(open_to_read(committed)) as ours,
            contextlib.closing(open_to_read(fresh)) as new,
        ):
            return differences(ours, new, limit=limit)


def differences(committed: sqlite3.Connection, fresh: sqlite3.Connection, *, limit: int = 10) -> list[str]:
    """What differs between two stores, table by table, row by row; rows that follow from others left out."""
    found: list[str] = []
    for table in sorted({*_tables(committed), *_tables(fresh)}):
        before, after = _rows(committed, table), _rows(fresh, table)
        for key in sorted({*before, *after}, key=str):
            old, new = before.get(key), after.get(key)
            if old == new:
                continue
            name = f"{table} {' '.join(str(part) for part in key)}"
            if old is None or new is None:
                found.append(
                    f"{name}: {'only in a fresh build' if old is None else 'only in the committed store'}"
                )
            else:
                column = next(column for column in new if old.get(column) != new[column])
                found.append(
                    f"{name}: {column} is {_cut(old.get(column))}, a fresh build gives {_cut(new[column])}"
                )
            if len(found) == limit:
                return found
    return found


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _tables(connection: sqlite3.Connection) -> list[str]:
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [name for name in names if not name.startswith(_DERIVED)]


def _rows(connection: sqlite3.Connection, table: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    try:
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        where = f" WHERE origin <> '{RELEASE}'" if table == "sync_base" else ""
        rows = connection.execute(f"SELECT * FROM {table}{where} ORDER BY rowid").fetchall()
    except sqlite3.OperationalError:
        return {}
    keys = _KEYS.get(table) or tuple(column[1] for column in columns if column[5])
    found = {}
    for row in rows:
        data = {column[1]: row[column[1]] for column in columns if table not in _KEYS or column[1] != "id"}
        if table == "meta" and data["name"] == "release_digest":
            continue
        found[tuple(row[key] for key in keys)] = data
    return found

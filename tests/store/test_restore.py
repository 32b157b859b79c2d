"""Going back to a back-up: whole, in one step, and what was there is kept."""

from __future__ import annotations

import contextlib
import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from kb.errors import KbError
from kb.store import connect, edit, migrations, queries, restore
from kb.store.backup import copy_database
from tests.making import claim, spoil


def names(store: Path) -> list[str]:
    with contextlib.closing(connect.open_to_read(store)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return queries.names(connection, "claim")


@pytest.fixture
def backup(path: Path, tmp_path: Path) -> Path:
    """A back-up of the store that holds one claim; the store itself then gets another."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    with contextlib.closing(connect.open_to_read(path)) as connection:
        copy_database(connection, tmp_path / "backup.db")
    add(path, "later")
    return tmp_path / "backup.db"


def add(store: Path, id_: str) -> None:
    with connect.writing_to(store) as session:
        edit.put(session, claim(id_))


def test_the_store_holds_what_the_backup_holds_and_what_it_held_is_kept(path: Path, backup: Path) -> None:
    kept = restore.put_back(backup, path)
    assert kept is not None
    assert names(path) == ["a-claim"]
    assert names(kept) == ["a-claim", "later"]
    add(path, "new")
    assert names(path) == ["a-claim", "new"]


def test_the_log_of_the_store_that_was_there_does_not_spoil_the_one_that_comes(
    path: Path, backup: Path
) -> None:
    """Somebody has the store open, so that its write-ahead log is there and holds changes."""
    with contextlib.closing(connect.open_to_read(path)) as reader:
        queries.names(reader, "claim")
        add(path, "in-the-log")
        assert Path(f"{path}-wal").stat().st_size > 0
        kept = restore.put_back(backup, path)
        assert queries.names(reader, "claim") == ["a-claim"], "who has it open reads the new content"
    assert names(path) == ["a-claim"]
    assert kept is not None
    assert names(kept) == ["a-claim", "in-the-log", "later"]


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be one" * 40])
def test_a_store_that_is_none_any_more_is_replaced_and_kept_as_it_is(
    path: Path, backup: Path, content: bytes
) -> None:
    path.write_bytes(content)
    Path(f"{path}-wal").write_bytes(b"left over")
    kept = restore.put_back(backup, path)
    assert names(path) == ["a-claim"]
    assert kept is not None
    assert (kept.read_bytes(), Path(f"{kept}-wal").read_bytes()) == (content, b"left over")


def test_a_store_with_damaged_pages_is_replaced(path: Path, backup: Path) -> None:
    spoil(path)
    kept = restore.put_back(backup, path)
    assert kept is not None
    assert names(path) == ["a-claim"]


def test_without_a_store_the_backup_becomes_it_and_logs_left_over_go(path: Path, backup: Path) -> None:
    path.unlink()
    Path(f"{path}-wal").write_bytes(b"left over")
    assert restore.put_back(backup, path) is None
    assert names(path) == ["a-claim"]


def test_a_backup_of_an_older_kb_is_taken_and_brought_forward_when_it_is_opened(
    path: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(old)) as connection:
        connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
    restore.put_back(old, path)
    with connect.writing_to(path) as session:
        assert queries.names(connect.raw(session), "claim") == []


@pytest.mark.parametrize(
    "wrong", ["damaged", "nothing in it", "no database", "another", "newer", "not there", "the store"]
)
def test_what_is_no_whole_store_of_kb_is_refused_and_nothing_changes(
    path: Path, backup: Path, wrong: str
) -> None:
    match wrong:
        case "damaged":
            spoil(backup)
        case "nothing in it":
            backup.write_bytes(b"")
        case "no database":
            backup.write_bytes(b"no database at all, but long enough to be one" * 40)
        case "another" | "newer":
            statement = (
                "application_id = 7" if wrong == "another" else f"user_version = {migrations.LATEST + 1}"
            )
            with contextlib.closing(sqlite3.connect(backup)) as connection:
                connection.execute(f"PRAGMA {statement}")
        case "not there":
            backup.unlink()
        case "the store":
            backup = path
    with pytest.raises(KbError):
        restore.put_back(backup, path)
    assert names(path) == ["a-claim", "later"]
    assert not list(path.parent.glob("*.before-restore-*"))


def test_a_database_of_another_program_is_not_replaced(path: Path, backup: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE notes (text)")
    before = path.read_bytes()
    with pytest.raises(KbError, match="not one of kb's"):
        restore.put_back(backup, path)
    assert path.read_bytes() == before


def test_a_writer_is_waited_for_and_then_told(
    path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "BUSY_SECONDS", 0.2)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(KbError, match="locked by another process"):
            restore.put_back(backup, path)
        other.execute("ROLLBACK")
    assert names(path) == ["a-claim", "later"]
    assert not list(path.parent.glob("*.before-restore-*"))


def _add_some(store: Path, worker: int) -> None:
    for number in range(20):
        add(store, f"w{worker}-{number}")


def test_changes_made_meanwhile_are_in_the_store_or_in_what_is_kept(path: Path, backup: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_add_some, args=(path, worker)) for worker in range(2)]
    for worker in workers:
        worker.start()
    kept = [restore.put_back(backup, path) for _ in range(3)]
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    found = {name for store in (path, *kept) if store for name in names(store)}
    assert {f"w{worker}-{number}" for worker in range(2) for number in range(20)} <= found

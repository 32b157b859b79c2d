"""Stores of every earlier schema, written by the kb of that time, come forward whole; a failure keeps a backup."""

import contextlib
import gzip
import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from kb.errors import KbError
from kb.store import connect, edit, halves, migrations, queries
from kb.store.search import search_claims
from tests.making import claim

FIXTURES = Path(__file__).parent / "fixtures"
KEPT = sorted(int(path.name.split("-")[1].split(".")[0]) for path in FIXTURES.glob("schema-*.db.gz"))


def store_of(number: int, folder: Path) -> Path:
    """A working store as the kb with that schema left it."""
    path = folder / "store.db"
    path.write_bytes(gzip.decompress((FIXTURES / f"schema-{number}.db.gz").read_bytes()))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def everything(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, but for the search index."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        ).fetchall()
        return {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall()
            for (name,) in names
            if not name.startswith(("search", "sqlite_"))
        }


def test_every_earlier_schema_has_a_store_that_was_written_with_it() -> None:
    assert set(range(1, migrations.LATEST)) <= set(KEPT)


@pytest.mark.parametrize("number", KEPT)
def test_a_store_of_a_kept_schema_comes_forward_with_all_its_rows(tmp_path: Path, number: int) -> None:
    path = store_of(number, tmp_path)
    before = everything(path)
    assert len(before["claim"]) == 4
    assert len(before["change"]) == 12
    with connect.writing_to(path) as session:
        edit.put(session, claim("later"))
        connection = connect.raw(session)
        assert migrations.version(connection) == migrations.LATEST
        assert [found["id"] for found in search_claims(connection, "cheese")[0]] == ["first"]
        assert queries.resolve(connection, "claim", "second") == "deuxieme"
        edit.undo(session)
    after = everything(path)
    later = {"claim_text", "change"}
    assert {name: after[name] for name in before if name not in later} == {
        name: rows for name, rows in before.items() if name not in later
    }
    assert after["change"][:12] == before["change"]
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    backups = list(tmp_path.glob(f"store.db.backup-{number}-*"))
    assert [everything(backup) for backup in backups] == [before] * (number < migrations.LATEST)


class Failing(migrations.Migration):
    """A step that fails after it has changed something."""

    @property
    def sql(self) -> str:
        return "UPDATE claim SET statement = 'lost';\nDROP TABLE change;\nINSERT INTO nowhere VALUES (1);\n"


def test_a_migration_that_fails_halfway_keeps_the_store_and_names_one_backup(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(path)
    now = migrations.LATEST
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, Failing(now + 1, "failing")))
    monkeypatch.setattr(migrations, "LATEST", now + 1)
    for _ in range(3):
        with (
            pytest.raises(
                KbError, match=rf"migrating .* failed \(no such table: nowhere\).*backup-{now}-"
            ) as told,
            connect.writing_to(path),
        ):
            pass
    assert everything(path) == before
    (backup,) = path.parent.glob(f"store.db.backup-{now}-*")
    assert str(backup) in str(told.value)
    assert everything(backup) == before


def test_a_change_after_the_backup_gets_a_backup_of_its_own(path: Path) -> None:
    from kb.store.backup import backup_before_migration

    first = backup_before_migration(path)
    assert backup_before_migration(path) == first
    with connect.writing_to(path) as session:
        edit.put(session, claim("later"))
    assert backup_before_migration(path) != first


def _migrate(path: Path, start: "multiprocessing.synchronize.Event") -> None:  # type: ignore[name-defined]
    start.wait(30)
    with connect.writing_to(path) as session:
        edit.put(session, claim(f"by-{multiprocessing.current_process().name.lower()}"))


def test_processes_that_migrate_at_once_all_go_on(tmp_path: Path) -> None:
    path = store_of(1, tmp_path)
    context = multiprocessing.get_context("fork")
    start = context.Event()
    workers = [context.Process(target=_migrate, args=(path, start)) for _ in range(4)]
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    assert len(everything(path)["claim"]) == 4 + 4


def test_a_step_that_another_process_took_meanwhile_is_not_taken_again(tmp_path: Path) -> None:
    path = store_of(1, tmp_path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as late:
        versions = iter([1])
        told = migrations.version

        def read_before_the_other(connection: sqlite3.Connection) -> int:
            """The first answer is from before the other process came."""
            return next(versions, None) or told(connection)

        connect._migrate_file(path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(migrations, "version", read_before_the_other)
            assert migrations.apply(late) == []
        assert told(late) == migrations.LATEST


def test_a_copy_that_cannot_be_finished_is_not_there(path: Path, tmp_path: Path) -> None:
    from kb.store.backup import copy_database

    class Full:
        def backup(self, target: sqlite3.Connection) -> None:
            target.execute("CREATE TABLE half (x)")
            raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(sqlite3.OperationalError):
        copy_database(Full(), tmp_path / "copy.db")  # type: ignore[arg-type]
    assert [p.name for p in tmp_path.iterdir()] == ["store.db"]


def test_what_a_killed_process_left_goes_after_an_hour_and_never_serves_another(tmp_path: Path) -> None:
    import os

    target = tmp_path / "claims.db"
    old, young, other = (
        tmp_path / f".{name}.new" for name in ("claims.db.1-a", "claims.db.1-b", "else.db.1-a")
    )
    for left in (old, young, other):
        left.write_text("half a store")
    for left in (old, other):
        os.utime(left, (0, 0))
    with halves.beside(target) as first, halves.beside(target) as second:
        assert len({first, second, old, young}) == 4
        assert not first.exists()
        first.write_text("half")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".claims.db.1-b.new", ".else.db.1-a.new"]

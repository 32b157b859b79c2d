"""Opening: what is no store says so in one line, and nothing is ever half made."""

import contextlib
import multiprocessing
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from kb.errors import KbError
from kb.store import connect, edit, migrations, queries
from kb.store.places import Places, find
from tests.making import claim


def places(folder: Path, released: Path | None = None) -> Places:
    return Places(
        workspace=folder,
        library=folder / "citations",
        released=released or folder / "claims.db",
        working=folder / ".kb" / "store.db",
        reproductions=(),
        runs=folder / ".kb" / "runs",
    )


def test_reading_opens_the_released_store_and_writes_nothing(path: Path, tmp_path: Path) -> None:
    there = places(tmp_path, released=path)
    with contextlib.closing(connect.for_reading(there)) as connection:
        assert queries.names(connection, "claim") == ["a-claim"]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM claim")
    assert not there.working.exists()


def test_the_first_write_makes_the_working_store_from_the_released_one(path: Path, tmp_path: Path) -> None:
    there = places(tmp_path, released=path)
    before = path.read_bytes()
    with connect.for_writing(there) as session:
        edit.put(session, claim("own"))
    with contextlib.closing(connect.for_reading(there)) as connection:
        assert queries.names(connection, "claim") == ["a-claim", "own"]
    assert path.read_bytes() == before
    assert [p.name for p in there.working.parent.iterdir() if p.suffix == ".new"] == []


def test_without_any_store_the_line_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(KbError, match="kb init"):
        connect.for_reading(places(tmp_path))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"this is no database at all, but long enough to be one" * 20, "not a database.*kb db restore FILE"),
        (b"", "is empty.*kb db restore FILE"),
    ],
)
def test_a_file_that_is_no_store_says_so(tmp_path: Path, content: bytes, complaint: str) -> None:
    there = places(tmp_path)
    there.working.parent.mkdir()
    there.working.write_bytes(content)
    for open_store in (connect.for_reading, lambda p: connect.for_writing(p).__enter__()):
        with pytest.raises(KbError, match=complaint):
            open_store(there)
    assert there.working.read_bytes() == content


def test_a_folder_in_the_place_of_the_store_says_so(tmp_path: Path) -> None:
    there = places(tmp_path)
    there.working.mkdir(parents=True)
    with pytest.raises(KbError, match="is a folder"):
        connect.for_reading(there)


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    there = places(tmp_path)
    there.working.parent.mkdir()
    with contextlib.closing(sqlite3.connect(there.working)) as other:
        other.execute("CREATE TABLE notes (text)")
    with pytest.raises(KbError, match="not one of kb's"):
        connect.for_reading(there)


def test_a_store_of_a_newer_kb_says_upgrade(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {migrations.LATEST + 1}")
    with pytest.raises(KbError, match=r"newer kb.*upgrade"):
        connect.open_to_read(path)


def test_a_locked_store_says_so_after_waiting(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "BUSY_SECONDS", 0.1)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(KbError, match="locked by another process") as refused, connect.writing_to(path):
            pass
    assert refused.value.code == 1


def test_read_only_media_will_do_for_reading(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    copy = folder / "claims.db"
    shutil.copy(path, copy)
    copy.chmod(0o444)
    folder.chmod(0o555)
    try:
        with contextlib.closing(connect.open_to_read(copy)) as connection:
            assert queries.names(connection, "claim") == ["a-claim"]
    finally:
        folder.chmod(0o755)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_a_full_disk_says_so_and_changes_nothing(path: Path) -> None:
    with (
        pytest.raises(KbError, match=r"no room left.*nothing was changed"),
        connect.writing_to(path) as session,
    ):
        connect.raw(session).execute("PRAGMA max_page_count = 1")
        for number in range(2_000):
            edit.put(session, claim(f"c{number}", note="x" * 2_000))
    with contextlib.closing(connect.open_to_read(path)) as connection:
        assert queries.names(connection, "claim") == ["a-claim"]


def _write_some(folder: Path, released: Path, worker: int) -> None:
    for number in range(15):
        with connect.for_writing(places(folder, released)) as session:
            edit.put(session, claim(f"w{worker}-{number}"))


def test_several_first_writers_lose_nothing(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_write_some, args=(folder, path, n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with contextlib.closing(connect.for_reading(places(folder, path))) as connection:
        assert len(queries.names(connection, "claim")) == 1 + 3 * 15
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_an_older_working_store_is_migrated_after_a_backup(tmp_path: Path) -> None:
    there = places(tmp_path)
    there.working.parent.mkdir()
    with contextlib.closing(sqlite3.connect(there.working)) as connection:
        connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
    with contextlib.closing(connect.for_reading(there)) as connection:
        assert migrations.version(connection) == migrations.LATEST
    (backup,) = there.working.parent.glob("store.db.backup-0-*")
    assert backup.stat().st_size == 0 or backup.read_bytes().startswith(b"SQLite")


def test_a_failed_migration_keeps_the_store_and_names_the_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = places(tmp_path)
    there.working.parent.mkdir()
    with contextlib.closing(sqlite3.connect(there.working)) as connection:
        connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        connection.execute("CREATE TABLE claim (kept)")
        connection.execute("INSERT INTO claim VALUES ('mine')")
        connection.commit()
    with pytest.raises(KbError, match=r"migrating .* failed .*store\.db\.backup-0-"):
        connect.for_reading(there)
    with contextlib.closing(sqlite3.connect(there.working)) as connection:
        assert connection.execute("SELECT * FROM claim").fetchall() == [("mine",)]
        assert connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_says_so(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    with pytest.raises(KbError, match="no permission"), connect.for_writing(places(folder, path)):
        pass


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS id FROM n"
STRANGE = {
    "claim": ("DROP TABLE claim", f"CREATE VIEW claim AS {ENDLESS}"),
    "claim_text_wanted": ("DROP VIEW claim_text_wanted", f"CREATE VIEW claim_text_wanted AS {ENDLESS}"),
    "claim_added": (
        "DROP TRIGGER claim_added",
        "CREATE TRIGGER claim_added AFTER INSERT ON claim BEGIN DELETE FROM source; END",
    ),
    "evil": ("CREATE TRIGGER evil AFTER INSERT ON claim BEGIN DELETE FROM source; END",),
    "talk": ("DROP TABLE talk", "CREATE VIRTUAL TABLE talk USING fts5(name)"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_store_in_which_a_strangers_program_would_run_is_not_opened(name: str, path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for statement in STRANGE[name]:
            connection.execute(statement)
    with pytest.raises(KbError, match=f"holds '{name}', a view or trigger that is none of kb's; do not use"):
        connect.open_to_read(path)
    with pytest.raises(KbError, match="none of kb's"), connect.writing_to(path) as session:
        edit.put(session, claim("own"))


def test_an_old_store_with_a_strangers_program_is_not_migrated(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(STRANGE["evil"][0])
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(KbError, match="none of kb's"), connect.writing_to(path):
        pass
    assert [file.name for file in path.parent.iterdir() if "backup" in file.name] == []


def test_a_table_of_somebody_elses_is_no_program(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.execute("CREATE INDEX notes_by_text ON notes (text)")
    connect.open_to_read(path).close()


def test_a_pipe_in_the_place_of_the_store_is_not_waited_for(tmp_path: Path) -> None:
    there = places(tmp_path)
    there.working.parent.mkdir()
    os.mkfifo(there.working)
    with pytest.raises(KbError, match="is no plain file, not a store"):
        connect.for_reading(there)


def test_it_is_our_turn_to_write_before_anything_is_asked(path: Path) -> None:
    with (
        connect.writing_to(path),
        contextlib.closing(sqlite3.connect(path, timeout=0)) as other,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")


def test_a_workspaces_first_write_hides_its_store_from_git(tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    (folder / "citations" / "claims").mkdir(parents=True)
    connect.create(folder / "claims.db")
    with connect.for_writing(find(start=folder)):
        pass
    assert (folder / ".kb" / ".gitignore").read_text() == "*\n"

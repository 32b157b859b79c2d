"""Opening a store: to read with plain sqlite3, to write in one transaction of an SQLModel session.

The released claims.db is only ever read, in rollback-journal mode, so that read-only media will do. The
first write makes the working store from it. An older working store is migrated on opening, after a backup.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kb.errors import KbError, shown
from kb.store import migrations
from kb.store.backup import backup_before_migration, copy_database
from kb.store.halves import beside
from kb.store.places import Places

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlmodel import Session

BUSY_SECONDS = 30
"""How long a writer waits for another before it gives up."""


def for_reading(places: Places) -> sqlite3.Connection:
    """Open the working store if there is one, else the released one.

    Raises:
        KbError: when there is no store, or it is no database, too new, locked or unreadable.
    """
    if places.working.exists():
        path = places.working
        with errors_told(path):
            if _version_of(path) < migrations.LATEST:
                _migrate_file(path)
        return open_to_read(path)
    if places.released.exists():
        return open_to_read(places.released)
    raise _no_store(places)


def _no_store(places: Places) -> KbError:
    text = places.workspace and places.library.is_dir()
    return KbError(
        f"no store at {places.working} and no claims.db at {places.released}",
        f"run `kb library build`: it makes claims.db from {places.library}"
        if text
        else "run `kb init` for a workspace, or `kb library build` where citations/ is",
    )


def open_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection to the store at `path`, rows by name."""
    with errors_told(path):
        found = _version_of(path)
        if found < migrations.LATEST:
            raise KbError(
                f"{path} has schema {found}, this kb has {migrations.LATEST}",
                "run `kb library build` for claims.db, or `kb db migrate` for a working store",
            )
        connection = _connect_to_ours(path, read_only=True)
        connection.row_factory = sqlite3.Row
        return connection


@contextlib.contextmanager
def for_writing(places: Places, *, empty: bool = False) -> Iterator[Session]:
    """A session in one transaction on the working store: committed at the end, rolled back on any error.

    Args:
        places: where the stores are.
        empty: whether to start from nothing where a workspace has its text and no claims.db: for who reads that text.

    Raises:
        KbError: as `for_reading`, and when the store cannot be written.
    """
    path = places.working
    if not path.exists():
        if not empty and places.workspace and places.library.is_dir() and not places.released.exists():
            raise _no_store(places)
        with errors_told(path):
            _make_working_store(places)
    with writing_to(path) as session:
        yield session


@contextlib.contextmanager
def writing_to(path: Path) -> Iterator[Session]:
    """As `for_writing`, for an existing store at `path`."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool
    from sqlmodel import Session

    with errors_told(path):
        if _version_of(path) < migrations.LATEST:
            _migrate_file(path)
    engine = create_engine(
        "sqlite://",
        creator=lambda: _connect_to_ours(path, read_only=False),
        poolclass=NullPool,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
    try:
        with errors_told(path), Session(engine) as session, session.begin():
            try:
                session.connection()  # our turn begins here and not at the first question
                yield session
                session.flush()
            except DBAPIError as error:
                if isinstance(error.orig, sqlite3.Error):
                    raise error.orig from None
                raise
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            with errors_told(path):
                raise error.orig from None
        raise
    finally:
        engine.dispose()


def _begin(connection: Connection) -> None:
    """Begin to write, waiting for our turn.

    SQLite's own waiting asks less and less often, so among many writers who has waited long is passed over
    again and again by who has just come. Here all ask equally often.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            break
        except Exception as error:
            busy = "database is locked" in str(getattr(error, "orig", ""))
            if not busy or time.monotonic() > deadline:
                raise
        time.sleep(0.001 + os.urandom(1)[0] / 25_600)
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(1000 * BUSY_SECONDS)}")


def raw(session: Session) -> sqlite3.Connection:
    """The sqlite3 connection inside the session's transaction, so that `queries` can be used there."""
    session.flush()
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    connection.row_factory = sqlite3.Row
    return connection


def create(path: Path) -> None:
    """Make an empty store at `path`, which must not exist, in rollback-journal mode."""
    with errors_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            migrations.apply(connection)


def migrate(places: Places) -> tuple[int, int]:
    """Bring the working store to the latest schema; the versions before and after."""
    if not places.working.exists():
        return migrations.LATEST, migrations.LATEST
    with errors_told(places.working):
        before = _version_of(places.working)
        if before < migrations.LATEST:
            _migrate_file(places.working)
    return before, migrations.LATEST


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    mode = "mode=ro" if read_only else "mode=rw"
    if read_only and _nobody_can_write(path):
        mode = "immutable=1"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_SECONDS,
        check_same_thread=False,
    )
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _connect_to_ours(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection to a store in which nothing runs but what kb put there."""
    connection = _connect(path, read_only=read_only)
    try:
        must_be_ours(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _nobody_can_write(path: Path) -> bool:
    """Whether a store lies where no file can be put, and has none beside it: SQLite then must not look for one.

    A working store is in write-ahead mode, which needs two files beside it even to read.
    """
    if os.access(path.parent, os.W_OK) or os.path.exists(f"{path}-shm"):  # noqa: PTH110 - no object made
        return False
    try:
        return os.stat(f"{path}-wal").st_size == 0  # noqa: PTH116
    except OSError:
        return True


def _version_of(path: Path) -> int:
    """The schema version of a store, after making sure that it is one."""
    if not path.is_file() and path.exists():  # a pipe would be waited for
        kind = "a folder" if path.is_dir() else "no plain file"
        raise KbError(f"{path} is {kind}, not a store", "name a file with --db or KB_DB")
    with contextlib.closing(_connect(path, read_only=True)) as connection:
        found = migrations.version(connection)
        mark = connection.execute("PRAGMA application_id").fetchone()[0]
        if mark != migrations.APPLICATION_ID:
            if path.stat().st_size == 0:
                raise _damaged(path, "is empty")
            raise KbError(f"{path} is a database, but not one of kb's", "name another with --db or KB_DB")
        if found > migrations.LATEST:
            raise KbError(
                f"{path} was written by a newer kb (schema {found}, this one knows {migrations.LATEST})",
                "upgrade kb: pip install --upgrade interp-kb",
            )
        return found


def must_be_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that nothing runs in a store when it is read or written but what kb put there.

    Raises:
        KbError: naming a view, trigger or virtual table of another origin.
    """
    strange = migrations.not_ours(connection)
    if strange is not None:
        raise KbError(
            f"{path} holds {shown(strange)}, a view or trigger that is none of kb's",
            "do not use it; name another store with --db or KB_DB",
        )


def _migrate_file(path: Path) -> None:
    _connect_to_ours(path, read_only=True).close()
    backup = backup_before_migration(path)
    try:
        with contextlib.closing(_connect(path, read_only=False)) as connection:
            migrations.apply(connection)
    except sqlite3.Error as error:
        raise KbError(
            f"migrating {path} failed ({error})", f"the store before it is kept in {backup}"
        ) from None


def _make_working_store(places: Places) -> None:
    """Copy the released store beside the working one's place and rename it: never half a store."""
    path = places.working
    if places.workspace and path.parent == places.workspace / ".kb" and not path.parent.exists():
        # A workspace that is a clone of a text alone has no .gitignore of ours.
        path.parent.mkdir(parents=True)
        (path.parent / ".gitignore").write_text("*\n", "utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside(path) as half:
        if places.released.exists():
            with contextlib.closing(open_to_read(places.released)) as source:
                copy_database(source, half)
        else:
            create(half)
        with contextlib.closing(sqlite3.connect(half, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        # Two first writers at once: the one that comes second keeps the store of the first.
        with contextlib.suppress(FileExistsError):
            os.link(half, path)


@contextlib.contextmanager
def errors_told(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say about `path` into one line that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _told(path, str(error), getattr(error, "sqlite_errorname", "")) from None
    except FileNotFoundError as error:
        raise KbError(
            f"cannot make {error.filename or path}", "name another place with --db or KB_DB"
        ) from None
    except PermissionError:
        raise KbError(
            f"no permission to write {path}", "name another place with --db or KB_DB, or set HOME"
        ) from None
    except OSError as error:
        raise KbError(f"{path}: {error.strerror or error}", "name another place with --db or KB_DB") from None


def _told(path: Path, message: str, name: str) -> KbError:
    match name:
        case "SQLITE_NOTADB" | "SQLITE_CORRUPT":
            return _damaged(path, f"is not a database, or it is damaged ({message})")
        case "SQLITE_BUSY" | "SQLITE_LOCKED" | "SQLITE_BUSY_SNAPSHOT":
            return KbError(
                f"{path} is locked by another process", f"tried for {BUSY_SECONDS} s; try again", code=1
            )
        case "SQLITE_FULL":
            return KbError(
                f"no room left on the disk that holds {path}", "nothing was changed; free some room"
            )
        case (
            "SQLITE_READONLY"
            | "SQLITE_CANTOPEN"
            | "SQLITE_READONLY_DIRECTORY"
            | "SQLITE_PERM"
            | "SQLITE_AUTH"
        ):
            return KbError(
                f"{path} cannot be written or opened ({message})", "name another place with --db or KB_DB"
            )
        case "SQLITE_CONSTRAINT_FOREIGNKEY":
            return KbError("something still points at what would be removed, or at what is not there")
        case _ if name.startswith("SQLITE_IOERR"):
            return KbError(
                f"reading or writing {path} failed ({message})", "nothing was changed; check the disk"
            )
        case _:
            return KbError(f"{path}: {message}")


def _damaged(path: Path, what: str) -> KbError:
    """The released store is made anew; a working store comes back from a back-up, or starts from the released one."""
    if path.name != "claims.db":
        hint = (
            "`kb db restore FILE` puts a back-up in its place, or claims.db to start from that, and keeps it"
        )
    elif path.is_relative_to(Path(__file__).resolve().parent.parent):
        hint = "install kb anew"
    else:
        hint = "`kb library build` makes it anew from citations/"
    return KbError(f"{path} {what}", hint)

"""The frozen migrations make the schema that kb/schema.py describes, and the database itself enforces it."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect
from sqlmodel import SQLModel

import kb.schema
from kb.store import connect, migrations


def _described(engine_url: str, fill: bool) -> dict[str, object]:
    engine = create_engine(engine_url)
    try:
        if fill:
            SQLModel.metadata.create_all(engine)
        inspector = inspect(engine)
        tables = [t for t in inspector.get_table_names() if not t.startswith("search")]
        return {
            table: {
                "columns": [
                    (c["name"], str(c["type"]), c["nullable"], c["primary_key"])
                    for c in inspector.get_columns(table)
                ],
                "checks": sorted(c["sqltext"] for c in inspector.get_check_constraints(table)),
                "foreign": sorted(
                    (f["constrained_columns"], f["referred_table"], sorted(f["options"].items()))
                    for f in inspector.get_foreign_keys(table)
                ),
                "indexes": sorted(
                    (i["name"], i["column_names"], i["unique"]) for i in inspector.get_indexes(table)
                ),
                "unique": sorted(u["column_names"] for u in inspector.get_unique_constraints(table)),
            }
            for table in tables
        }
    finally:
        engine.dispose()


def test_the_migrations_make_the_schema_that_the_tables_describe(tmp_path: Path) -> None:
    connect.create(tmp_path / "migrated.db")
    migrated = _described(f"sqlite:///{tmp_path / 'migrated.db'}", fill=False)
    described = _described(f"sqlite:///{tmp_path / 'described.db'}", fill=True)
    assert migrated == described


def test_a_new_store_has_the_latest_version_and_kbs_mark(tmp_path: Path) -> None:
    connect.create(tmp_path / "store.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        assert migrations.version(connection) == migrations.LATEST
        assert connection.execute("PRAGMA application_id").fetchone()[0] == migrations.APPLICATION_ID


def test_migrations_are_numbered_without_gaps() -> None:
    assert [m.number for m in migrations.MIGRATIONS] == list(range(1, migrations.LATEST + 1))


CLAIM = "INSERT INTO claim VALUES ('c', 'empirical', 's', 'a', NULL, NULL, 'open', NULL, NULL, NULL, NULL, NULL, '', 0)"
SOURCE = "INSERT INTO source VALUES ('k', 'misc', 'paper', '', '', '', '', '', '', '{}', '', 0)"


@pytest.mark.parametrize(
    "statement",
    [
        CLAIM.replace("'empirical'", "'guess'"),
        CLAIM.replace("'open'", "'maybe'"),
        CLAIM.replace("'s'", "''"),
        CLAIM.replace("'c'", "''"),
        SOURCE.replace("'paper'", "'leaflet'"),
        SOURCE.replace("'{}'", "'{'"),
        "INSERT INTO citation(claim_id, position, source_key, stance, directness, seen)"
        " VALUES ('known', 0, 'nowhere', 'asserts', 'direct', 'primary')",
        "INSERT INTO citation(claim_id, position, source_key, stance, directness, seen)"
        " VALUES ('nobody', 0, 'known', 'asserts', 'direct', 'primary')",
        "INSERT INTO citation(claim_id, position, source_key, stance, directness, seen, quote)"
        " VALUES ('known', 0, 'known', 'asserts', 'direct', 'not-read', 'words')",
        "INSERT INTO relation VALUES ('known', 'rebuts', 'known', 0, NULL)",
        "INSERT INTO prediction VALUES ('known', 7, 'w', NULL, NULL, NULL, 'r', NULL)",
        "INSERT INTO figure(id, source_key, locator, quantity, value, unit, scale, seen, home, position)"
        " VALUES ('a.b', 'known', 'l', 'q', 1, 'score', 'raw', 'not-read', '', 0)",
        "INSERT INTO claim_verdict VALUES ('known', 'certain', '', '2026', NULL)",
    ],
)
def test_the_database_itself_refuses_what_may_not_be(tmp_path: Path, statement: str) -> None:
    connect.create(tmp_path / "store.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(SOURCE.replace("'k'", "'known'"))
        connection.execute(CLAIM.replace("'c'", "'known'"))
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)


def test_every_table_says_what_it_holds() -> None:
    models = [m for m in vars(kb.schema).values() if isinstance(m, type) and hasattr(m, "__table__")]
    assert len(models) == len(SQLModel.metadata.tables)
    assert all(model.__doc__ for model in models)

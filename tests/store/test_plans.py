"""What SQLite does for the commands that people wait for: it looks up or walks an index, never a whole table."""

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb.cli import claim_data
from kb.store import connect, edit, queries
from kb.store.search import search_claims
from tests.making import claim, source

SMALL = {"reproduction", "conflict", "criterion"}
"""Tables that do not grow with the number of claims."""
_SCAN = re.compile(r"SCAN (\w+)(?: USING (.*))?$")


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with connect.writing_to(path) as session, edit.bulk(session):
        edit.put(session, source("other2021"))
        for n in range(40):
            relations = [{"type": "supports", "claim": f"c{n - 1}"}] if n else []
            edit.put(
                session,
                claim(f"c{n}", statement=f"Word {n % 3}.", tags=[f"t{n % 4}"], relations=relations),
                home=f"claims/{n % 2}.yaml",
                position=n,
            )
    with contextlib.closing(connect.open_to_read(path)) as opened:
        yield opened


def _plans(connection: sqlite3.Connection, asked: Callable[[], object]) -> list[str]:
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    asked()
    connection.set_trace_callback(None)
    plans = [
        row["detail"]
        for sql in dict.fromkeys(statements)
        if sql.startswith(("SELECT", "\nSELECT"))
        for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")
    ]
    assert plans, "nothing was asked"
    return plans


def _scanned(plans: list[str]) -> set[tuple[str, str | None]]:
    tables = {
        *[
            "claim",
            "c",
            "source",
            "s",
            "citation",
            "t",
            "tag",
            "g",
            "figure",
            "relation",
            "r",
            "alias",
            "claim_text",
        ]
    }
    found = (_SCAN.match(plan) for plan in plans)
    return {(m[1], m[2]) for m in found if m and m[1] in tables and m[1] not in SMALL}


@pytest.mark.parametrize("filters", [{}, {"kind": ["empirical"]}, {"kind": ["advice"], "status": ["open"]}])
def test_a_page_of_a_list_walks_the_claims_in_their_order_and_sorts_nothing_else(
    connection: sqlite3.Connection, filters: dict[str, list[str]]
) -> None:
    plans = _plans(connection, lambda: queries.list_claims(connection, limit=5, **filters))
    assert _scanned(plans) == {("c", "COVERING INDEX claim_by_place")}
    inner = plans[plans.index("SCAN c USING COVERING INDEX claim_by_place") + 1]
    assert "TEMP B-TREE" not in inner


def test_a_whole_list_is_not_sorted(connection: sqlite3.Connection) -> None:
    plans = _plans(connection, lambda: queries.list_claims(connection))
    assert "SCAN c USING INDEX claim_by_place" in plans
    assert plans[-1] != "USE TEMP B-TREE FOR ORDER BY"


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"tag": ["t1"], "kind": ["empirical"], "by": "some"}, "SEARCH tag USING INDEX tag_by_name (name=?)"),
        ({"source": "other2021"}, "SEARCH citation USING INDEX citation_by_source (source_key=?)"),
    ],
)
def test_tags_and_sources_are_looked_up(
    connection: sqlite3.Connection, filters: dict[str, object], index: str
) -> None:
    plans = _plans(connection, lambda: queries.list_claims(connection, limit=5, **filters))  # type: ignore[arg-type]
    assert index in plans
    assert not _scanned(plans)


def test_a_claim_is_shown_by_look_ups_alone(connection: sqlite3.Connection) -> None:
    assert not _scanned(_plans(connection, lambda: claim_data.load(connection, "c7")))


@pytest.mark.parametrize("kind", ["claim", "source", "figure"])
def test_an_export_is_not_sorted(connection: sqlite3.Connection, kind: str) -> None:
    plans = _plans(connection, lambda: next(queries.records(connection, kind), None))
    assert plans[0] == f"SCAN {kind} USING INDEX {kind}_by_place"
    assert plans[1:2] != ["USE TEMP B-TREE FOR ORDER BY"]


@pytest.mark.parametrize("kind", ["claim", "source", "figure"])
def test_where_a_file_ends_is_looked_up(connection: sqlite3.Connection, kind: str) -> None:
    plans = _plans(connection, lambda: edit._end_of(connection, kind, "claims/0.yaml"))
    assert plans == [f"SEARCH {kind} USING COVERING INDEX {kind}_by_place (home=?)"]


@pytest.mark.parametrize("words", ["word", "word c7", "the statement of word"])
def test_a_search_asks_the_index_and_looks_up_what_it_found(
    connection: sqlite3.Connection, words: str
) -> None:
    plans = _plans(connection, lambda: search_claims(connection, words, 5))
    assert any("VIRTUAL TABLE INDEX" in plan for plan in plans)
    assert not _scanned(plans)


def test_a_page_is_the_start_of_the_whole_list(connection: sqlite3.Connection) -> None:
    whole = queries.list_claims(connection, tag=["t1", "t2"])
    assert len(whole) == 20
    assert queries.list_claims(connection, tag=["t1", "t2"], limit=7) == whole[:7]
    assert queries.list_claims(connection, limit=0) == []

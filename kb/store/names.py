"""Names: today's and former ones, what comes near, and what points at them."""

from __future__ import annotations

import difflib
import json
import sqlite3
from collections.abc import Sequence

from kb.errors import NotFound
from kb.store.content import KEYS
from kb.store.shared import Row, column


def resolve(connection: sqlite3.Connection, kind: str, name: str) -> str:
    """Today's name of a record, from its name or a former one.

    Raises:
        NotFound: with the names that come near.
    """
    if connection.execute(f"SELECT 1 FROM {kind} WHERE {KEYS[kind]} = ?", (name,)).fetchone():
        return name
    row = connection.execute("SELECT name FROM alias WHERE kind = ? AND alias = ?", (kind, name)).fetchone()
    if row:
        return str(row[0])
    raise NotFound({"source": "cite"}.get(kind, kind), name, nearest(name, names(connection, kind)))


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """Up to three names that come near: by spelling, or holding all of what was typed."""
    wanted = name[:100].casefold()
    holding = [other for other in known if len(wanted) > 2 and wanted in other.casefold()]
    return list(dict.fromkeys(difflib.get_close_matches(wanted, known, 3) + sorted(holding, key=len)))[:3]


def names(connection: sqlite3.Connection, kind: str) -> list[str]:
    """Every name of a kind, sorted: for completion and for suggestions."""
    return column(connection, f"SELECT {KEYS[kind]} FROM {kind} ORDER BY 1")


def pointing_at(connection: sqlite3.Connection, kind: str, name: str) -> list[str]:
    """What would dangle if the record were removed: 'claim x', 'figure y', 'talk z'."""
    match kind:
        case "claim":
            sql = "SELECT 'claim ' || claim_id FROM relation WHERE target = ? ORDER BY 1"
            talks = connection.execute("SELECT name, content FROM talk ORDER BY name").fetchall()
            listed = [f"talk {t}" for t, content in talks if name in _claims_of_talk(json.loads(content))]
            return column(connection, sql, name) + listed
        case "source":
            return column(
                connection,
                "SELECT DISTINCT 'claim ' || claim_id FROM citation WHERE ?1 IN (source_key, cited_by)"
                " UNION SELECT 'figure ' || id FROM figure WHERE source_key = ?1 ORDER BY 1",
                name,
            )
        case "figure":
            sql = "SELECT 'claim ' || claim_id FROM computation WHERE instr(expression, ?) ORDER BY 1"
            return column(connection, sql, f'"{name}"')
        case _:
            return []


def _claims_of_talk(content: Row) -> set[str]:
    return {*content["select"].get("claims", []), *(content.get("rubric") or {}).get("scores", {})}

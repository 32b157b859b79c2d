"""Names: today's and former ones, what comes near, and what points at them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from kb.errors import NotFound
from kb.store.content import KEYS
from kb.store.shared import Row, column

COMPARED = 300
"""Names that are compared letter by letter with one that is not there; what else there is was left out before."""
_PIECES = 4
"""Pieces of a name that is not there: with fewer mistakes than this one of them stands in the right name as it is."""


def resolve(connection: sqlite3.Connection, kind: str, name: str) -> str:
    """Today's name of a record, from its name or a former one.

    Raises:
        NotFound: with the names that come near.
    """
    if connection.execute(f"SELECT 1 FROM {kind} WHERE {KEYS[kind]} = ?", (name,)).fetchone():
        return name
    today = former(connection, kind, name)
    if today:
        return today
    raise NotFound({"source": "cite"}.get(kind, kind), name, near(connection, kind, name))


def former(connection: sqlite3.Connection, kind: str, name: str) -> str | None:
    """Today's name of the record that was once called `name`; None where none was."""
    row = connection.execute("SELECT name FROM alias WHERE kind = ? AND alias = ?", (kind, name)).fetchone()
    return str(row[0]) if row else None


def near(connection: sqlite3.Connection, kind: str, name: str) -> list[str]:
    """Up to three names of a kind that come near to one that is not there, best first."""
    return nearest(name, _candidates(connection, kind, name, COMPARED))


def _candidates(connection: sqlite3.Connection, kind: str, name: str, most: int) -> list[str]:
    """The names that share most with `name`: all where there are no more than `most`.

    Comparing letter by letter costs microseconds for each name; what shares no piece is passed over by SQLite.
    """
    spelled = name[:100]
    size = max(1, -(-len(spelled) // _PIECES))
    pieces = [
        text[at : at + size]
        for text in dict.fromkeys((spelled, spelled.casefold()))
        for at in range(0, len(text), size)
    ]
    shared = " + ".join(f"(instr({KEYS[kind]}, ?) > 0)" for _ in pieces) or "0"
    return column(
        connection,
        f"SELECT name FROM (SELECT {KEYS[kind]} AS name, {shared} AS shared FROM {kind})"
        f" ORDER BY shared DESC, abs(length(name) - {len(spelled)}), name LIMIT {most}",
        *pieces,
    )


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """Up to three names that come near: by spelling, or holding all of what was typed."""
    import difflib

    wanted = name[:100].casefold()
    holding = [other for other in known if len(wanted) > 2 and wanted in other.casefold()]
    return list(
        dict.fromkeys(
            difflib.get_close_matches(wanted, known, 3)
            + sorted(holding, key=lambda other: (len(other), other))
        )
    )[:3]


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

"""The history of changes, and the facts about a store that `kb db info` prints."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from kb import words
from kb.store.shared import Row


def history(connection: sqlite3.Connection, name: str | None = None, limit: int | None = None) -> list[Row]:
    """Changes, the newest first; of one record if named."""
    where, values = ("WHERE name = ?", [name]) if name else ("", [])
    rows = connection.execute(
        f"SELECT * FROM change {where} ORDER BY seq DESC LIMIT ?", [*values, -1 if limit is None else limit]
    )
    return [change(row) for row in rows]


def change(row: sqlite3.Row) -> Row:
    """A row of the history, with what changed named field by field."""
    before = json.loads(row["before"]) if row["before"] else None
    after = json.loads(row["after"]) if row["after"] else None
    was = before.get("record", before) if before else {}
    becomes = after.get("record", after) if after else {}
    fields = [field for field in dict.fromkeys((*was, *becomes)) if was.get(field) != becomes.get(field)]
    return {
        **{name: row[name] for name in ("seq", "at", "by", "why", "kind", "name", "action", "undoes")},
        "fields": fields,
        "before": before,
        "after": after,
    }


def facts(connection: sqlite3.Connection) -> Row:
    """Counts for `kb db info`: records by kind, status and verdict; quotes by how they were seen."""
    counts = {
        kind: connection.execute(f"SELECT COUNT(*) FROM {kind}").fetchone()[0] for kind in words.RECORD_KINDS
    }
    listed = connection.execute(
        "SELECT c.kind, c.status, COALESCE(v.verdict, 'unchecked') AS verdict"
        " FROM claim c LEFT JOIN claim_verdict v ON v.claim_id = c.id"
    ).fetchall()
    seen = dict(
        connection.execute(
            "SELECT seen, COUNT(*) FROM citation WHERE quote IS NOT NULL GROUP BY seen"
        ).fetchall()
    )
    last = connection.execute(
        "SELECT at, action, kind, name FROM change ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return {
        "records": counts,
        "citations": connection.execute("SELECT COUNT(*) FROM citation").fetchone()[0],
        "relations": connection.execute("SELECT COUNT(*) FROM relation").fetchone()[0],
        "runs": connection.execute("SELECT COUNT(*) FROM run").fetchone()[0],
        "claims_by_kind": _tally([c["kind"] for c in listed], words.CLAIM_KINDS),
        "claims_by_status": _tally([c["status"] for c in listed], words.STATUSES),
        "claims_by_verdict": _tally([c["verdict"] for c in listed], words.VERDICTS),
        "quotes_by_seen": {name: seen.get(name, 0) for name in words.SEEN if name != "not-read"},
        "citations_without_quote": connection.execute(
            "SELECT COUNT(*) FROM citation WHERE quote IS NULL AND absence IS NULL"
        ).fetchone()[0],
        "last_change": dict(last) if last else None,
        "meta": dict(connection.execute("SELECT name, value FROM meta ORDER BY name").fetchall()),
    }


def _tally(values: Sequence[str], order: Sequence[str]) -> dict[str, int]:
    return {name: values.count(name) for name in order}

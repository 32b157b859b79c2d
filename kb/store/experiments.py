"""Reproductions and runs as the store knows them."""

from __future__ import annotations

import json
import sqlite3

from kb.errors import NotFound
from kb.store.names import nearest
from kb.store.shared import Row, column, truths


def list_reproductions(connection: sqlite3.Connection) -> list[Row]:
    """Reproductions that the store knows: {name, title, command, needs, recorded, claims, presets}."""
    out = []
    for row in connection.execute("SELECT name, title, version, manifest FROM reproduction ORDER BY name"):
        manifest = json.loads(row["manifest"])
        recorded = column(
            connection,
            "SELECT id FROM run WHERE reproduction = ? AND recorded ORDER BY preset, started",
            row["name"],
        )
        out.append(
            {
                "name": row["name"],
                "title": row["title"],
                "command": f"kb reproduce {row['name']}",
                "needs": manifest.get("needs", []),
                "recorded": recorded,
                "claims": column(
                    connection,
                    "SELECT DISTINCT claim_id FROM criterion WHERE reproduction = ? ORDER BY 1",
                    row["name"],
                ),
                "presets": list(manifest.get("presets", {})),
            }
        )
    return out


def list_runs(connection: sqlite3.Connection, reproduction: str | None = None) -> list[Row]:
    """Runs, the oldest first, each with what it said of the claims it judges first."""
    where, values = ("WHERE reproduction = ?", (reproduction,)) if reproduction else ("", ())
    rows = connection.execute(
        "SELECT id, reproduction, preset, state, recorded, started, seconds, seed, folder,"
        " (SELECT GROUP_CONCAT(said, '; ') FROM (SELECT j.claim_id || ': ' || j.verdict"
        "   || CASE WHEN j.analogue THEN ' (analogue)' ELSE '' END AS said,"
        "   MIN(j.verdict NOT IN ('supported', 'refuted')) FROM judgement j"
        "   WHERE j.run_id = run.id AND j.is_primary GROUP BY j.claim_id)) AS verdict"
        f" FROM run {where} ORDER BY started, id",
        values,
    )
    return [truths(row, "recorded") for row in rows]


def show_run(connection: sqlite3.Connection, run_id: str) -> Row:
    """A run with its metrics, judgements, artifacts and all that it was run with."""
    row = connection.execute("SELECT * FROM run WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        known = column(connection, "SELECT id FROM run ORDER BY 1")
        raise NotFound("run", run_id, nearest(run_id, known))
    out = truths(row, "recorded")
    for name in ("config", "protocol", "criteria", "departures", "environment"):
        out[name] = json.loads(out[name])
    out["metrics"] = {
        m["name"]: {k: m[k] for k in ("value", "low", "high", "n", "unit", "method", "title")}
        for m in connection.execute("SELECT * FROM metric WHERE run_id = ? ORDER BY position", (run_id,))
    }
    out["verdicts"] = [
        truths(j, "primary", "analogue", "post_hoc")
        for j in connection.execute(
            "SELECT claim_id AS claim, criterion, verdict, is_primary AS 'primary', analogue, post_hoc, because"
            " FROM judgement WHERE run_id = ? ORDER BY is_primary DESC, criterion",
            (run_id,),
        )
    ]
    out["artifacts"] = [
        dict(a)
        for a in connection.execute(
            "SELECT path, title, sha256, bytes FROM artifact WHERE run_id = ? ORDER BY path", (run_id,)
        )
    ]
    out["samples"] = connection.execute("SELECT COUNT(*) FROM sample WHERE run_id = ?", (run_id,)).fetchone()[
        0
    ]
    return out
